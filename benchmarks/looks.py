"""What further looks at a picture bring: `python -m benchmarks.looks` (half an hour; CONSILIUM_DATA, CONSILIUM_RUNS).

Sets, pictures, networks and judging are those of `benchmarks.generalist`, the draws are others. Ways are one look at
128 pixels, its mirror image too, and both at 224 pixels too (`consilium.generalist.looks`). The default of
`consilium specialist fit` was chosen on such draws of nine of these sets, so that the figures are kind to it.

The figures go to `benchmarks/results/looks.json` and, as a table, to `looks.md` beside it; features are kept in
`CONSILIUM_RUNS/generalist/looks`, so that a run that stops goes on where it was.
"""

from __future__ import annotations

import json
import platform
import time
import zipfile
from collections.abc import Mapping
from csv import DictReader
from datetime import UTC, datetime
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.generalist import (
    FOLDS,
    SHARE,
    UNTOLD,
    Network,
    interval_over_sets,
    network_file,
    read_set,
)
from benchmarks.intervals import exact_binomial
from benchmarks.probe import CASES, Features, draws, probe_auc
from benchmarks.results import machine
from consilium.generalist.looks import shrunk
from consilium.generalist.pictures import as_square
from consilium.settings import DATA_VARIABLE, data_folder
from training.cells import RUNS

RESULTS = Path(__file__).parent / "results" / "looks.json"
SIDES = (128, 224)
SEED = 99
DRAWS = 4
WAYS: Mapping[str, str] = {
    "one": "one look at 128 pixels",
    "mirrored": "and its mirror image",
    "two_sizes": "both at 128 and at 224 pixels",
}
SETS = (
    "ct_head_hemorrhage", "sm_osteosarcoma", "sm_colorectal", "us_busi_breast", "smear_pbc8", "cyto_lbc_pap",
    "op_odir_cataract", "xr_kermany_pneumonia", "sm_oral_scc",
)  # fmt: skip
"""Without the ones that every way answers by chance or without a mistake, and the slowest."""


def finest(archive: Path) -> NDArray[np.float32]:
    """(N, 224, 224, 3) the pictures of a set."""
    import cv2

    with zipfile.ZipFile(archive) as packed:
        rows = list(DictReader(TextIOWrapper(packed.open("manifest.csv"), encoding="utf-8")))
        raw = [cv2.imdecode(np.frombuffer(packed.read(row["file"]), np.uint8), cv2.IMREAD_COLOR) for row in rows]
    colours = [np.asarray(one[..., ::-1], np.float32) / np.float32(255) for one in raw if one is not None]
    return np.stack([as_square(one, SIDES[-1]) for one in colours])


def looks_of(network: Network, pictures: NDArray[np.float32]) -> dict[str, Features]:
    """The image vectors of each look, and pictures a second of one core's time by size."""
    found = {}
    for side in SIDES:
        seen = pictures if side == pictures.shape[1] else np.concatenate(
            [shrunk(pictures[start : start + 32], side) for start in range(0, len(pictures), 32)]
        )  # fmt: skip
        start = time.process_time()
        found[f"{side}"] = network.image(seen, UNTOLD)
        found[f"{side} rate"] = np.array([len(seen) / (time.process_time() - start)], np.float32)
        found[f"{side} mirrored"] = network.image(seen[:, :, ::-1], UNTOLD)
    return found


def ways_of(looks: Mapping[str, Features]) -> dict[str, Features]:
    """The features of each way."""
    small, large = ([looks[str(side)], looks[f"{side} mirrored"]] for side in SIDES)
    return {"one": small[0], "mirrored": _mean(small), "two_sizes": _mean([*small, *large])}


def _mean(looks: list[Features]) -> Features:
    return np.asarray(np.mean(looks, axis=0), np.float32)


def judge(archive: Path, fold: str) -> dict[str, Any]:
    """The AUCs of every way on the draws of one set."""
    judged = read_set(archive, fold)
    way = "imagenet" if fold == "2" else "multi"
    kept = RUNS / "generalist" / "looks" / f"{judged.name}_{way}.npz"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        found: dict[str, Any] = dict(looks_of(Network(network_file(way, fold)), finest(archive)))
        np.savez(kept, **found)
    with np.load(kept) as looks:
        features = ways_of(looks)
        rates = {str(side): float(looks[f"{side} rate"][0]) for side in SIDES}
    cases = min(CASES, int(SHARE * len(judged.labels)))
    drawn = list(draws(judged.labels, judged.groups, cases=cases, count=DRAWS, seed=SEED))
    aucs = {name: [probe_auc(one, judged.labels, judged.groups, draw) for draw in drawn] for name, one in
            features.items()}  # fmt: skip
    return {"cases": cases, "network": way, "rates": rates, "aucs": aucs}


def table(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    sets = document["sets"]
    values = {way: np.array([found["aucs"][way] for found in sets.values()]) for way in WAYS}
    lines = [
        "# What further looks at a picture bring", "",
        "Written by `python -m benchmarks.looks`; do not edit.", "",
        "| figure | measured (95 % interval) | n |", "|---|---|---|",
    ]  # fmt: skip
    for way, meaning in WAYS.items():
        low, high = interval_over_sets(values[way])
        lines.append(f"| mean AUC, {meaning} | {values[way].mean():.4f} ({low:.4f} to {high:.4f}) | {len(sets)} |")
    for one, other in (("mirrored", "one"), ("two_sizes", "mirrored"), ("two_sizes", "one")):
        gain = values[one] - values[other]
        low, high = interval_over_sets(gain)
        lines.append(f"| {one} less {other} | {gain.mean():+.4f} ({low:+.4f} to {high:+.4f}) | {len(sets)} |")
        better = int((gain.mean(1) > 0).sum())
        low, high = exact_binomial(better, len(gain))
        share = f"{better / len(gain):.2f} ({low:.2f} to {high:.2f})"
        lines.append(f"| sets on which {one} is better than {other} | {share} | {len(sets)} |")
    seconds = {side: np.mean([1 / found["rates"][str(side)] for found in sets.values()]) for side in SIDES}
    for way, cost in (
        ("one", seconds[128]), ("mirrored", 2 * seconds[128]), ("two_sizes", 2 * (seconds[128] + seconds[224]))
    ):  # fmt: skip
        lines.append(f"| pictures a second of one core's time, {way} | {1 / cost:.0f} | |")
    lines += ["", f"{DRAWS} draws of at most {CASES} cases a set. The looks were chosen on these draws."]
    lines += ["", "| set | drawn | network | " + " | ".join(WAYS) + " |", "|---|---|---|" + "---|" * len(WAYS)]
    for name, found in sets.items():
        cells = " | ".join(f"{np.mean(found['aucs'][way]):.4f}" for way in WAYS)
        lines.append(f"| {name} | {found['cases']} | {found['network']} | {cells} |")
    lines += ["", *(f"- **{way}**: {meaning}" for way, meaning in WAYS.items())]
    lines += ["", f"Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


def write(found: Mapping[str, Any]) -> None:
    """Write what was judged so far."""
    document = {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "sets": found,
        "versions": {"python": platform.python_version()}
        | {one: version(one) for one in ("consilium", "numpy", "onnxruntime", "scikit-learn")},
    }  # fmt: skip
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(document), encoding="utf-8")


@click.command(help=__doc__)
def main() -> None:
    """Judge and write."""
    folder = data_folder()
    if folder is None or not (folder / "medical").is_dir():
        raise click.UsageError(f"{DATA_VARIABLE} has to name the folder of real data")
    fold_of = {name: fold for fold, names in FOLDS.items() for name in names}
    found: dict[str, Any] = {}
    for name in SETS:
        found[name] = judge(folder / "medical" / f"{name}.zip", fold_of[name])
        click.echo(f"{name}: " + "  ".join(f"{way} {np.mean(aucs):.4f}" for way, aucs in found[name]["aucs"].items()))
        write(found)
    click.echo(f"Written: {RESULTS}")


if __name__ == "__main__":
    main()
