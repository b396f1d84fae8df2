"""Breast ultrasound as BreastMNIST asks it: `python -m benchmarks.breast` (15 minutes; CONSILIUM_DATA, CONSILIUM_RUNS).

The pictures of BUSI, benign and normal against malignant, 546 to learn from and 156 to be tested on, as in
BreastMNIST, but that no copy of a test picture is learnt from: many of the pictures come twice. The encoder is one
whose training left the set out (docs/how-to/retrain-the-generalist.md), the rest is what `consilium specialist fit`
does. One division is declared (`PRIMARY`); its AUC has the logit-DeLong interval. Further divisions say how much of a
figure is the luck of a division; each way is measured on all of them.

The figures go to `benchmarks/results/breast.json` and, as a table, to `breast.md` beside it.
"""

from __future__ import annotations

import csv
import io
import json
import platform
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.results import machine
from consilium.artefact.runtime import ModelCache, load_model
from consilium.generalist.cache import FeatureCache
from consilium.generalist.shipped import WEIGHTS, ShippedEncoder
from consilium.settings import DATA_VARIABLE, data_folder
from consilium.specialist.case import Case
from consilium.specialist.case_features import CaseFeatures, case_features
from consilium.specialist.dataset import Dataset, read_dataset
from consilium.specialist.duplicates import merged, same_features
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.evidence.validate import Plan
from consilium.specialist.fit import Result, Wish, fit
from consilium.specialist.splits import codes_of
from training.cells import RUNS

RESULTS = Path(__file__).parent / "results" / "breast.json"
SET = "us_busi_breast"
TRAIN, TEST = 546, 156
PRIMARY = 0
"""Seed of the declared division."""

DIVISIONS = 10
ASKED, AIM = 0.90, 0.94
PUBLISHED = (
    "BreastMNIST, other divisions, copies not held apart: ResNet-18 fine-tuned 0.891 to 0.901, DINO ViT-B/16 0.934"
)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to a model.

    Attributes:
        name: of the way.
        meaning: in words.
        network: file below `CONSILIUM_RUNS/generalist`.
        mirrored, finer: as of `specialist fit`.
    """

    name: str
    meaning: str
    network: str
    mirrored: bool
    finer: bool


WAYS: tuple[Way, ...] = (
    Way(name="as_fitted", meaning="`specialist fit`, the encoder made as the shipped one but without this set",
        network="multi_1.onnx", mirrored=True, finer=True),
    Way(name="one_size", meaning="the same with --no-finer", network="multi_1.onnx", mirrored=True, finer=False),
    Way(name="seen_once", meaning="the same with --no-finer --no-mirror", network="multi_1.onnx", mirrored=False,
        finer=False),
    Way(name="imagenet", meaning="as fitted, by ImageNet MobileNetV2", network="imagenet.onnx", mirrored=True,
        finer=True),
)  # fmt: skip


def unpack(archive: Path, folder: Path) -> Path:
    """The pictures of a set and a table that calls them malignant or other; gives the table."""
    with zipfile.ZipFile(archive) as packed:
        rows = list(csv.DictReader(io.TextIOWrapper(packed.open("manifest.csv"), encoding="utf-8")))
        packed.extractall(folder, [row["file"] for row in rows])
    table = folder / "cases.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "label", "group"])
        for row in rows:
            told = "malignant" if row["label"] == "malignant" else "benign or normal"
            writer.writerow([row["file"], told, row["group"]])
    return table


def encoder_from(network: Path, folder: Path) -> ShippedEncoder:
    """An encoder of the recipe, with the card of the shipped one."""
    card = json.loads((WEIGHTS / "generalist.json").read_text(encoding="utf-8"))
    content = network.read_bytes()
    card |= {"file": network.name, "sha256": sha256(content).hexdigest()}
    (folder / network.name).write_bytes(content)
    described = folder / f"{network.stem}.json"
    described.write_text(json.dumps(card), encoding="utf-8")
    return ShippedEncoder(load_model(described, threads=1, cache=ModelCache()))


def divided(positive: NDArray[np.bool_], groups: NDArray[np.intp], seed: int) -> NDArray[np.str_]:
    """Which part (n,) each case is in: "test", "train" or "" for neither; no group in two parts.

    Groups are drawn at random until both classes have their share of a part; one that no longer fits is left for the
    next.
    """
    rng = np.random.default_rng(seed)
    parts = np.full(len(positive), "", "<U5")
    order = rng.permutation(np.unique(groups))
    share = float(positive.mean())
    for part, wanted in (("test", TEST), ("train", TRAIN)):
        room = [wanted - round(share * wanted), round(share * wanted)]
        for group in order:
            members = groups == group
            if (parts[members] != "").any():
                continue
            of_kind = [int((members & (positive == kind)).sum()) for kind in (False, True)]
            if all(count <= free for count, free in zip(of_kind, room, strict=True)):
                parts[members] = part
                room = [free - count for count, free in zip(of_kind, room, strict=True)]
    return parts


def with_parts(dataset: Dataset, joined: NDArray[np.intp], parts: NDArray[np.str_]) -> Dataset:
    """The cases of the two parts, copies as one group."""
    cases: list[Case] = []
    for case, group, part in zip(dataset.cases, joined.tolist(), parts.tolist(), strict=True):
        if part:
            cases.append(replace(case, group=str(group), split=part))
    return replace(dataset, cases=tuple(cases), grouped=True)


def groups_of(cases: CaseFeatures) -> NDArray[np.intp]:
    """(n,) what must stay together: told groups, and copies as `specialist fit` finds them."""
    found = [*cases.duplicates, *same_features(cases.features)]
    return merged(codes_of(cases.dataset.groups), found)


def outside(result: Result) -> Estimate:
    """The AUC of the cases that were set aside."""
    external = result.validation.external
    assert external is not None
    estimate = external.auc["malignant"]
    assert isinstance(estimate, Estimate)
    return estimate


def worst(result: Result, count: int = 10) -> list[dict[str, Any]]:
    """Test cases that the model is most wrong about."""
    cases = result.cases
    aside = cases.dataset.set_aside
    probability = result.specialist.probabilities(cases.features)[:, 1]
    truth = cases.dataset.targets()
    wrong = np.where(aside, np.abs(truth - probability), -1.0)
    return [
        {"file": cases.dataset.cases[row].file.name, "label": cases.dataset.cases[row].labels[0],
         "probability": round(float(probability[row]), 3)}
        for row in np.argsort(-wrong)[:count]
    ]  # fmt: skip


def measure(
    way: Way, dataset: Dataset, joined: NDArray[np.intp], encoder: ShippedEncoder, home: Path
) -> dict[str, Any]:
    """One way on all divisions."""
    cache, positive = FeatureCache(home), dataset.targets() == 1
    # Of the further divisions only the AUC counts: the strength is chosen by one repetition, without shuffles.
    light, start = Plan(repeats=1, shuffles=0, curve=False), time.process_time()
    aucs, document = [], {}
    for seed in [PRIMARY, *range(1, DIVISIONS + 1)]:
        chosen = with_parts(dataset, joined, divided(positive, joined, seed))
        wish = Wish(
            mirrored=way.mirrored,
            finer=way.finer,
            plan=Plan(seed=seed, shuffles=0, curve=False) if seed == PRIMARY else light,
        )
        result = fit(chosen, encoder, wish, cache=cache)
        found = outside(result)
        click.echo(f"{way.name}, division {seed}: {found.value:.4f} ({found.low:.4f} to {found.high:.4f})")
        if seed == PRIMARY:
            external, inside = result.validation.external, result.validation.macro_auc
            assert external is not None and inside is not None
            document = {
                "primary": asdict(found), "accuracy": None if external.accuracy is None else asdict(external.accuracy),
                "cross_validated": asdict(inside), "trained": result.validation.counts.cases,
                "tested": external.cases, "worst": worst(result),
            }  # fmt: skip
        else:
            aucs.append(found.value)
    return {**document, "divisions": aucs, "seconds": time.process_time() - start}


def table(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        "# Breast ultrasound, benign or normal against malignant", "",
        "Written by `python -m benchmarks.breast`; do not edit.", "",
        f"| way | AUC (95 %) | accuracy (95 %) | AUC, mean of {DIVISIONS} further divisions | its spread | inside |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, found in document["ways"].items():
        others = np.array(found["divisions"])
        lines.append(
            f"| {name} | {_told(found['primary'])} | {_told(found['accuracy'])} | {others.mean():.4f} "
            f"| {others.std(ddof=1):.4f}, {others.min():.4f} to {others.max():.4f} "
            f"| {_told(found['cross_validated'])} |"
        )
    lines += [
        "",
        "AUC and accuracy are those of the declared division, the interval of the AUC is logit-DeLong, that of",
    ]
    lines += [
        "the accuracy Wilson's. Spread: standard deviation, least and most. Inside: the AUC that cross-validation"
    ]
    lines += ["of the 546 told beforehand, with its interval."]
    lines += ["", *(f"- **{name}**: {found['meaning']}" for name, found in document["ways"].items())]
    first = next(iter(document["ways"].values()))
    lines += ["", f"Asked: {ASKED}, aim {AIM}. {document['pictures']} pictures in {document['groups']} groups (copies "]
    lines[-1] += f"joined); {first['trained']} to learn from, {first['tested']} tested."
    for one, other in (("one_size", "seen_once"), ("as_fitted", "one_size")):
        gain = np.array(document["ways"][one]["divisions"]) - np.array(document["ways"][other]["divisions"])
        better = f"better on {int((gain > 0).sum())} of {len(gain)} further divisions"
        lines.append(f"{one} less {other}: {gain.mean():+.4f} on average, {better}.")
    lines += ["How a picture is looked at was chosen on draws of nine sets, this one among them (`looks.md`)."]
    lines += [f"Published: {PUBLISHED}."]
    lines += [
        "",
        "## Worst errors of the declared division",
        "",
        "| file | label | probability of malignant |",
        "|---|---|---|",
    ]
    lines += [f"| {one['file']} | {one['label']} | {one['probability']:.3f} |" for one in first["worst"]]
    lines += ["", f"Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


def _told(estimate: Mapping[str, Any]) -> str:
    return f"{estimate['value']:.4f} ({estimate['low']:.4f} to {estimate['high']:.4f})"


def _judged(ways: Sequence[Way], archive: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with TemporaryDirectory(prefix="consilium-breast-") as name:
        folder = Path(name)
        dataset = read_dataset(unpack(archive, folder / "data"))
        first = encoder_from(RUNS / "generalist" / ways[0].network, folder)
        cases = case_features(dataset, first, cache=FeatureCache(folder / "home"))
        joined = groups_of(cases)
        for way in ways:
            encoder = encoder_from(RUNS / "generalist" / way.network, folder)
            measured = measure(way, cases.dataset, joined, encoder, folder / "home")
            found[way.name] = {"meaning": way.meaning, **measured}
        return {"pictures": len(joined), "groups": len(np.unique(joined)), "ways": found}


@click.command(help=__doc__)
def main() -> None:
    """Measure and write."""
    folder = data_folder()
    if folder is None or not (folder / "medical").is_dir():
        raise click.UsageError(f"{DATA_VARIABLE} has to name the folder of real data")
    missing = [way.network for way in WAYS if not (RUNS / "generalist" / way.network).is_file()]
    if missing:
        raise click.UsageError(
            f"CONSILIUM_RUNS/generalist has no {missing[0]}; see docs/how-to/retrain-the-generalist.md"
        )
    document = {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("consilium", "numpy", "onnxruntime")},
        **_judged(WAYS, folder / "medical" / f"{SET}.zip"),
    }  # fmt: skip
    RESULTS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(document), encoding="utf-8")
    click.echo(f"Written: {RESULTS}")


if __name__ == "__main__":
    main()
