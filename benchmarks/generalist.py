"""How good the generalist's features are, on sets it never saw: `python -m benchmarks.generalist`.

Every set with classes is judged by a network whose training left that set out: the sets that may be learnt from are
in two folds, each left out by one run of every way of training; the sets that may only be judged on are never
learnt from. Of each set 200 pictures (three fifths of a smaller one) are drawn by patient or near-duplicate, ten
times; see `benchmarks.probe`. All ways of training are judged on the same draws, and ImageNet MobileNetV2 as it came
is what they are compared with.

The networks are ONNX files in `CONSILIUM_RUNS/generalist` (docs/how-to/retrain-the-generalist.md). The figures go to
`benchmarks/results/generalist.json` and, as tables, to `generalist.md` beside it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import platform
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.classic_features import classic_features
from benchmarks.intervals import exact_binomial
from benchmarks.probe import CASES, DRAWS, Draw, Features, draws, duplicate_groups, probe_auc
from benchmarks.results import machine
from consilium.generalist.pictures import as_square
from consilium.generalist.shipped import WEIGHTS
from consilium.settings import DATA_VARIABLE, data_folder
from training.cells import RUNS

RESULTS = Path(__file__).parent / "results" / "generalist.json"
SIDE = 128
SEED = 20261126
RESAMPLINGS = 2000
SHARE = 0.6
"""Of a set that has fewer pictures than two draws: what is drawn."""

FOLDS: Mapping[str, tuple[str, ...]] = {
    "1": ("us_busi_breast", "sm_oral_scc", "cyto_lbc_pap", "smear_aml15", "sm_osteosarcoma"),
    "2": ("xr_kermany_pneumonia", "dms_isic2017_melanoma", "ct_head_hemorrhage", "smear_pbc8", "sm_colorectal"),
    "never": ("mg_minimias", "op_odir_cataract", "es_capsule_bleeding"),
}
"""Which sets a run of each way leaves out; what is never learnt from is judged by the run that left out fold 1."""

CHOSEN_ON = frozenset(
    {
        "ct_head_hemorrhage", "cyto_lbc_pap", "dms_isic2017_melanoma", "sm_colorectal", "sm_osteosarcoma",
        "smear_aml15", "smear_pbc8",
    }
)  # fmt: skip
"""Sets on which the image vector was chosen (other draws of them): a gain there is kinder than one elsewhere."""

BASELINE = "imagenet_last"
SHIPPED = "multi"
"""The way that ships."""

START = "imagenet"
"""What it started from."""

CLASSIC = "classic"
WAYS: Mapping[str, str] = {
    CLASSIC: "classic features (colour histograms, local binary patterns, co-occurrence, gradients)",
    BASELINE: "ImageNet MobileNetV2 as it came, the mean of its last map, as is usual",
    "imagenet": "the same network, mean and spread of all levels",
    "multi": "ImageNet, then all tasks; mean and spread of all levels, here and below",
    "multi_0.5": "the mean of the weights of the two above",
    "scratch": "all tasks, from random weights",
    "synthetic": "drawn pictures only",
    "synthetic_multi": "drawn pictures, then all tasks",
}
"""Ways of training; the file of a way and a fold is WAY_FOLD.onnx (WAY.onnx where every fold has the same one)."""

_ONE_FOR_ALL = ("imagenet", "synthetic")
LAST_MEAN = slice(-2560, -1280)
"""Where the mean of the last map stands in the image vector; its spread follows."""


@dataclass(frozen=True, kw_only=True)
class JudgedSet:
    """One set with classes.

    Attributes:
        pictures: (N, SIDE, SIDE, 3) float32 0..1.
        labels: (N,). groups: (N,) patients, cases or near-duplicates.
    """

    name: str
    fold: str
    modality: str
    pictures: NDArray[np.float32]
    labels: NDArray[np.intp]
    groups: NDArray[np.intp]

    def draws(self, count: int) -> list[Draw]:
        """The draws that every way is judged on."""
        cases = min(CASES, int(SHARE * len(self.labels)))
        return list(draws(self.labels, self.groups, cases=cases, count=count, seed=SEED))


def read_set(path: Path, fold: str) -> JudgedSet:
    """A set from its archive."""
    import cv2

    with zipfile.ZipFile(path) as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("manifest.csv"), encoding="utf-8")))
        raw = [cv2.imdecode(np.frombuffer(archive.read(row["file"]), np.uint8), cv2.IMREAD_COLOR) for row in rows]
    decoded = [np.asarray(one[..., ::-1], np.float32) for one in raw if one is not None]
    if len(decoded) != len(rows):
        raise ValueError(f"{path}: a picture cannot be decoded")
    pictures = np.stack([as_square(one / np.float32(255), SIDE) for one in decoded])
    groups = duplicate_groups((pictures * 255).astype(np.uint8), [row["group"] or row["file"] for row in rows])
    labels = np.unique([row["label"] for row in rows], return_inverse=True)[1]
    return JudgedSet(
        name=path.stem, fold=fold, modality=path.stem.split("_")[0], pictures=pictures,
        labels=np.asarray(labels, np.intp), groups=groups,
    )  # fmt: skip


class Network:
    """An ONNX file of the recipe, judged or shipped, on one thread."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def image(self, pictures: NDArray[np.float32], row: int, *, batch: int = 32) -> Features:
        """(N, D) the image vectors, every picture told to be of the modality of a row."""
        parts = []
        for start in range(0, len(pictures), batch):
            shown = np.ascontiguousarray(pictures[start : start + batch])
            told = np.full(len(shown), row, np.int64)
            parts.append(self._session.run(["image"], {"images": shown, "modality": told})[0])
        return np.concatenate(parts)


def network_file(way: str, fold: str) -> Path:
    """Where the network of a way of training lies that left a fold out."""
    way = "imagenet" if way == BASELINE else way
    base, _, mix = way.partition("_0")
    left_out = "1" if fold == "never" else fold
    name = way if way in _ONE_FOR_ALL else f"{base}_{left_out}" + (f"_0{mix}" if mix else "")
    return RUNS / "generalist" / f"{name}.onnx"


def features_of(way: str, judged: JudgedSet) -> Features:
    """The features of a set, kept in `CONSILIUM_RUNS/generalist/features` under the hash of the network."""
    if way == CLASSIC:
        return classic_features(judged.pictures)
    if way == BASELINE:
        return features_of("imagenet", judged)[:, LAST_MEAN]
    path = network_file(way, judged.fold)
    digest = hashlib.sha256(path.read_bytes() + judged.pictures.tobytes()).hexdigest()[:24]
    kept = RUNS / "generalist" / "features" / f"{judged.name}_{digest}.npy"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, Network(path).image(judged.pictures, UNTOLD))
    return np.asarray(np.load(kept))


UNTOLD = 19
"""The row of a modality that is not known; the judge tells nothing, so that all ways know the same."""


def interval_over_sets(values: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of a mean over sets: sets resampled, and of each set its draws."""
    rng = np.random.default_rng(SEED)
    sets, count = values.shape
    which = rng.integers(0, sets, (RESAMPLINGS, sets))
    of_each = rng.integers(0, count, (RESAMPLINGS, sets, count))
    means = values[which[:, :, None], of_each].mean((1, 2))
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def eight_bit_figures(plain: Path, eight: Path, sets: Sequence[JudgedSet]) -> list[dict[str, Any]]:
    """How fast the network is in 8 bits, and how alike its image vectors are: 20 pictures of each set."""
    shown = np.concatenate([one.pictures[:: max(1, len(one.pictures) // 20)][:20] for one in sets])
    before, after = (Network(path).image(shown, UNTOLD).astype(np.float64) for path in (plain, eight))
    cosine = (before * after).sum(1) / np.linalg.norm(before, axis=1) / np.linalg.norm(after, axis=1)
    low, high = np.percentile(cosine, [2.5, 97.5])
    data = f"{len(shown)} pictures of {len(sets)} sets, and the range of 95 % of them"
    rate, least, most = images_per_second(eight)
    return [
        _figure("int8_cosine", "the network in 8 bits: cosine with the image vectors that ship", float(cosine.mean()),
                float(low), float(high), len(shown), data),
        _figure("int8_images_per_second", "the network in 8 bits: pictures a second of one core's time", rate, least,
                most, 5, machine()),
    ]  # fmt: skip


Aucs = dict[str, dict[str, list[float]]]
"""Way -> set -> AUC of each draw."""


def judge(sets: Sequence[JudgedSet], count: int) -> Aucs:
    """Every way on every set that it has a network for."""
    aucs: Aucs = {}
    for judged in sets:
        drawn = judged.draws(count)
        ways = [way for way in WAYS if way == CLASSIC or network_file(way, judged.fold).exists()]
        for way in ways:
            aucs.setdefault(way, {})[judged.name] = _kept_aucs(features_of(way, judged), judged, drawn)
        told = "  ".join(f"{way} {np.mean(aucs[way][judged.name]):.4f}" for way in ways)
        click.echo(f"{judged.name}: {told}")
    return {way: aucs[way] for way in WAYS if way in aucs}


def _kept_aucs(features: Features, judged: JudgedSet, drawn: Sequence[Draw]) -> list[float]:
    """The AUC of each draw; kept, so that another way can be judged without judging all again."""
    digest = hashlib.sha256(features.tobytes() + b"".join(one.train.tobytes() for one in drawn)).hexdigest()[:24]
    kept = RUNS / "generalist" / "aucs" / f"{judged.name}_{digest}.json"
    if not kept.exists():
        found = [probe_auc(features, judged.labels, judged.groups, one) for one in drawn]
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(found))
    return [float(one) for one in json.loads(kept.read_text())]


def images_per_second(path: Path, *, runs: int = 5, pictures: int = 256) -> tuple[float, float, float]:
    """Median, least and most pictures a second of one core's time, at 128 pixels, in batches of 32."""
    network = Network(path)
    shown = np.random.default_rng(0).random((pictures, SIDE, SIDE, 3)).astype(np.float32)
    rates = []
    network.image(shown[:32], UNTOLD)
    for _ in range(runs):
        start = time.process_time()
        network.image(shown, UNTOLD)
        rates.append(pictures / (time.process_time() - start))
    return float(np.median(rates)), min(rates), max(rates)


def figures_of(aucs: Aucs) -> list[dict[str, Any]]:
    """Mean AUC of every way and its difference from the baseline and from classic features, with intervals."""
    figures = []
    for way, by_set in aucs.items():
        values = np.asarray(list(by_set.values()))
        data = f"{len(by_set)} sets that its training left out, {values.shape[1]} draws each"
        figures.append(_mean_figure(f"auc_{way}", f"mean AUC: {WAYS[way]}", values, data))
        for other in (BASELINE, CLASSIC, START):
            if way in (BASELINE, CLASSIC, other) or other not in aucs:
                continue
            gain = values - np.asarray([aucs[other][name] for name in by_set])
            figures.append(_mean_figure(f"gain_{way}_{other}", f"mean AUC, {way} less {other}", gain, data))
            better = int((gain.mean(1) > 0).sum())
            low, high = exact_binomial(better, len(gain))
            meaning = f"sets on which {way} is better than {other}"
            figures.append(_figure(f"sets_{way}_{other}", meaning, better / len(gain), low, high, len(gain), data))
    if SHIPPED in aucs:
        names = [name for name in aucs[SHIPPED] if name not in CHOSEN_ON]
        if names:
            gain = np.asarray([aucs[SHIPPED][name] for name in names]) - [aucs[BASELINE][name] for name in names]
            meaning = f"mean AUC, {SHIPPED} less {BASELINE}, sets on which nothing was chosen"
            data = f"{len(names)} sets, {gain.shape[1]} draws each"
            figures.append(_mean_figure(f"gain_{SHIPPED}_unchosen", meaning, gain, data))
    return figures


def _mean_figure(name: str, meaning: str, values: NDArray[np.float64], data: str) -> dict[str, Any]:
    low, high = interval_over_sets(values)
    return _figure(name, meaning, float(values.mean()), low, high, len(values), data)


def _figure(name: str, meaning: str, value: float, low: float, high: float, n: int, data: str) -> dict[str, Any]:
    return {
        "name": name, "meaning": meaning, "value": round(value, 6), "low": round(low, 6), "high": round(high, 6),
        "n": n, "data": data, "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip


def table(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    lines = ["# The generalist: measured", "", "Written by `python -m benchmarks.generalist`; do not edit.", ""]
    lines += ["| figure | measured (95 % interval) | n | data |", "|---|---|---|---|"]
    for one in document["figures"]:
        digits = 0 if one["name"].endswith("per_second") else 4
        value, low, high = (f"{one[key]:.{digits}f}" for key in ("value", "low", "high"))
        lines.append(f"| {one['meaning']} | {value} ({low} to {high}) | {one['n']} | {one['data']} |")
    lines += ["", "Intervals are from resampling the sets and the draws of each; of shares of sets they are those of"]
    lines += ["Clopper and Pearson, of speeds the least and the most of five runs."]
    lines += ["", "## Mean AUC by set", ""]
    ways = list(document["aucs"])
    lines += ["| set | pictures | groups | drawn | " + " | ".join(ways) + " |", "|---" * (4 + len(ways)) + "|"]
    for name, told in document["sets"].items():
        cells = [name, *(str(told[key]) for key in ("pictures", "groups", "drawn"))]
        by_way = [document["aucs"][way].get(name) for way in ways]
        cells += ["" if one is None else f"{np.mean(one):.4f}" for one in by_way]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *(f"- **{way}**: {WAYS[way]}" for way in ways)]
    if document["training"]:
        lines += ["", "## How long each way was trained", "", document["training"]]
    lines += ["", f"Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


@click.command(help=__doc__)
@click.option("--fold", "folds", type=click.Choice(list(FOLDS)), multiple=True, help="Only this fold, printed only.")
@click.option("--draws", "count", type=click.IntRange(min=2), default=DRAWS, show_default=True)
@click.option("--training", default="", help="A sentence on how long the runs were, for the table.")
@click.option("--keep", multiple=True, type=click.Choice(list(WAYS)), help="A way whose networks are not at hand: its "
              "AUC as they were measured before, on the same draws.")  # fmt: skip
def main(folds: tuple[str, ...], count: int, training: str, keep: tuple[str, ...]) -> None:
    """Judge and write."""
    folder = data_folder()
    if folder is None or not (folder / "medical").is_dir():
        raise click.UsageError(f"{DATA_VARIABLE} has to name the folder of real data")
    chosen = {fold: names for fold, names in FOLDS.items() if not folds or fold in folds}
    sets = [read_set(folder / "medical" / f"{name}.zip", fold) for fold, names in chosen.items() for name in names]
    aucs = judge(sets, count)
    if keep:
        before = json.loads(RESULTS.read_text(encoding="utf-8"))["aucs"]
        kept = {way: before[way] for way in keep if all(len(one) == count for one in before[way].values())}
        aucs = {way: one for way in WAYS if (one := aucs.get(way) or kept.get(way))}
    figures = figures_of(aucs)
    for one in figures:
        click.echo(f"{one['meaning']}: {one['value']:.4f} ({one['low']:.4f} to {one['high']:.4f})")
    if folds:
        return
    rate, least, most = images_per_second(WEIGHTS / "generalist.onnx")
    host = machine()
    figures.append(
        _figure("images_per_second", "pictures a second of one core's time, 128 pixels", rate, least, most, 5, host)
    )
    shipped = network_file(SHIPPED, "1")
    eight = shipped.with_name(f"{shipped.stem}_int8.onnx")
    if eight.exists():
        figures += eight_bit_figures(WEIGHTS / "generalist.onnx", eight, sets)
    document: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(), "machine": host, "training": training,
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("consilium", "numpy", "onnxruntime", "scikit-learn")},
        "figures": figures,
        "sets": {
            one.name: {
                "pictures": len(one.labels), "groups": len(np.unique(one.groups)), "fold": one.fold,
                "drawn": min(CASES, int(SHARE * len(one.labels))),
            }
            for one in sets
        },
        "aucs": aucs,
    }  # fmt: skip
    RESULTS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(document), encoding="utf-8")
    click.echo(f"Written: {RESULTS}")


if __name__ == "__main__":
    main()
