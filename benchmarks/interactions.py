"""How many interactions a karyogram takes: `python -m benchmarks.interactions` (CONSILIUM_DATA for the real part).

A simulated user who makes no mistake (`perfect_user`) edits what the shipped models read until the karyogram is as the
truth says: she corrects or confirms each doubtful chromosome, corrects what nobody pointed out, adds what was missed.
The count is that of the program (`karyotype.editing`), confirmations included.

- **synthetic**: drawn cells with exact outlines, normal and with whole chromosomes gained or lost.
- **tseng2023**: the test part of the real metaphases, which have boxes and names. Outlines and which way up are not
  known there, so the work on them is not counted; of two chromosomes read as one, one is added.

The anchor is a clinical test of a semi-automatic system: 36 interactions a karyotype (25 to 61), by people, mouse work
included that ends in no command. A simulated user is a lower bound of what people do, and no measurement of people.

The figures go to `benchmarks/results/interactions.json` and, as a table, to `interactions.md` beside it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.annotated import AnnotatedCell, Part, decode, tseng2023
from benchmarks.cost import evenly
from benchmarks.intervals import Weights, case_numbers, estimate
from benchmarks.perfect_user import Replay, TrueChromosome, replay
from benchmarks.reading import Reading, read_cells
from benchmarks.results import machine
from consilium.karyotype.editing.log import Folded
from consilium.karyotype.editing.reading import read_cell
from consilium.karyotype.editing.region import region_of
from consilium.karyotype.metaphase import CLASSES, Metaphase
from consilium.karyotype.models import model_references
from consilium.karyotype.record import cell_record
from consilium.karyotype.render import Rendered, karyotype_set, render_metaphase
from consilium.settings import DATA_VARIABLE, data_folder
from training.cells import RUNS

RESULTS = Path(__file__).parent / "results"
ANCHOR = 36
DRAWN, SEED = 60, 36
KARYOTYPES = ("46,XX", "46,XY", "46,XX", "46,XY", "47,XX,+21", "47,XY,+18", "45,X", "47,XXY")
LEVELS = (400, 550, 550, 850)
COLUMNS = (
    "data", "karyograms (cases)", "median", "middle half", "most", "at most 36", "confirmations, mean",
    "corrections, mean", "nothing to correct",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Karyogram:
    """One cell: what it took, whose it is, and how many chromosomes it has."""

    name: str
    case: str
    chromosomes: int
    replay: Replay


def drawn_cells(number: int, *, seed: int = SEED) -> list[tuple[str, Rendered]]:
    """Synthetic cells as different as a case's are."""
    cells = []
    for index, rng in enumerate(np.random.default_rng(seed).spawn(number)):
        cells.append(
            (
                f"drawn_{index:03d}",
                render_metaphase(
                    karyotype_set(KARYOTYPES[index % len(KARYOTYPES)]), rng, band_level=LEVELS[index % len(LEVELS)],
                    crowding=float(rng.uniform(0.1, 0.5)), nuclei=int(rng.integers(0, 3)),
                    contrast=float(rng.uniform(0.85, 1.1)), blur=float(rng.uniform(0.8, 1.1)),
                ),
            )
        )  # fmt: skip
    return cells


def annotated(name: str, cell: Rendered) -> AnnotatedCell:
    """A drawn cell as the annotated ones are."""
    return AnnotatedCell(
        name=name, case=name, image=cv2.imencode(".png", cell.pixels)[1].tobytes(), suffix=".png",
        boxes=np.asarray([one.box for one in cell.truth], np.float32),
        labels=np.asarray([CLASSES.index(one.label) for one in cell.truth], np.int16),
    )  # fmt: skip


def drawn_truth(cell: Rendered) -> list[TrueChromosome]:
    """With outlines, and which way up."""
    return [
        TrueChromosome(
            label=one.label, box=one.box, region=region_of(one.mask, one.origin), angle_deg=one.angle_deg
        )
        for one in cell.truth
    ]  # fmt: skip


def boxed_truth(cell: AnnotatedCell) -> list[TrueChromosome]:
    """Boxes and names."""
    return [
        TrueChromosome(label=CLASSES[int(label)], box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])))
        for box, label in zip(cell.boxes, cell.labels, strict=True)
    ]


def unedited(metaphase: Metaphase, shape: tuple[int, int]) -> Folded:
    """What was read, as the editor opens it."""
    whole: NDArray[np.uint8] = np.zeros(shape, np.uint8)
    entry = json.loads(json.dumps(cell_record(replace(metaphase, pixels=whole), number=1, lang="en")))
    return Folded(reading=read_cell(entry))


def replayed(
    cells: Iterable[tuple[AnnotatedCell, Reading, Sequence[TrueChromosome]]],
) -> tuple[list[Karyogram], int]:
    """Replay every cell; those that were refused are counted apart."""
    found, refused = [], 0
    for cell, reading, truth in cells:
        if reading.metaphase is None:
            refused += 1
            continue
        pixels = decode(cell.image)
        done = replay(unedited(reading.metaphase, (pixels.shape[0], pixels.shape[1])), truth)
        found.append(Karyogram(name=cell.name, case=cell.case, chromosomes=len(truth), replay=done))
    return found, refused


def weighted_quantile(values: NDArray[np.float64], weights: Weights, share: float) -> float:
    """The least value at or under which at least a share of the weight lies."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, share * reached[-1] - 1e-9)])


def summary(karyograms: Sequence[Karyogram], refused: int) -> dict[str, Any]:
    """Figures of a set, with 95 % intervals from drawing whole cases."""
    numbers, count = case_numbers([one.case for one in karyograms])
    taken = np.array([one.replay.interactions for one in karyograms], np.float64)
    confirmed = np.array([one.replay.commands["confirm"] for one in karyograms], np.float64)
    by_hand = taken - confirmed

    def told(statistic: Any) -> dict[str, float]:
        found = estimate(lambda weights: float(statistic(weights[numbers])), count)
        return {"value": round(found.value, 3), "low": round(found.low, 3), "high": round(found.high, 3)}

    kinds: Counter[str] = Counter()
    for one in karyograms:
        kinds.update(one.replay.commands)
    corrections = sum(kinds.values()) - kinds["confirm"]
    return {
        "karyograms": len(karyograms), "cases": count, "refused": refused,
        "median": told(lambda weights: weighted_quantile(taken, weights, 0.5)),
        "quartiles": [weighted_quantile(taken, np.ones(len(taken)), share) for share in (0.25, 0.75)],
        "most": int(taken.max()),
        "within_anchor": told(lambda weights: np.average(taken <= ANCHOR, weights=weights)),
        "mean_confirmations": told(lambda weights: np.average(confirmed, weights=weights)),
        "mean_corrections": told(lambda weights: np.average(by_hand, weights=weights)),
        "untouched": told(lambda weights: np.average(by_hand == 0, weights=weights)),
        "unprompted": round(sum(one.replay.unprompted for one in karyograms) / max(1, corrections), 3),
        "ended_right": sum(one.replay.right for one in karyograms),
        "commands": {kind: round(number / len(karyograms), 2) for kind, number in kinds.most_common()},
    }  # fmt: skip


def table_of(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        "# Interactions per karyogram", "",
        "Written by `python -m benchmarks.interactions`; do not edit. **A simulated user who makes no mistake**, a",
        "lower bound of what people do. Intervals are 95 %, from 1,000 resamplings of whole cases.", "",
        f"| {' | '.join(COLUMNS)} |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, told in document["sets"].items():
        low, high = told["quartiles"]
        cells = [
            name, f"{told['karyograms']} ({told['cases']})", _with(told["median"], 0), f"{low:.0f} to {high:.0f}",
            f"{told['most']}", _with(told["within_anchor"], 3), _with(told["mean_confirmations"], 1),
            _with(told["mean_corrections"], 1), _with(told["untouched"], 3),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "Anchor: 36 (25 to 61) in a clinical test of a semi-automatic system, by people.", ""]
    for name, told in document["sets"].items():
        kinds = ", ".join(f"{kind} {mean:g}" for kind, mean in told["commands"].items())
        seen = f"{told['unprompted']:.1%} of the corrections were of something that nobody had pointed out"
        ended = f"{told['ended_right']} of {told['karyograms']} ended as the truth says"
        refused = f"{told['refused']} pictures were refused and are not among them"
        lines.append(
            f"- **{name}**: {document['data'][name]}. A karyogram takes {kinds}. {seen}: a person has to see it. "
            f"{ended}; {refused}."
        )
    lines += ["", f"Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


def _with(told: Mapping[str, float], places: int) -> str:
    return f"{told['value']:.{places}f} ({told['low']:.{places}f} to {told['high']:.{places}f})"


@click.command(help=__doc__)
@click.option("--part", type=click.Choice(["test", "validation"]), default="test", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="Only so many cells of each set.")
@click.option("--processes", type=click.IntRange(min=1), default=2, show_default=True, help="Cells read at once.")
def main(part: Part, limit: int | None, processes: int) -> None:
    """Measure and write."""
    drawn = drawn_cells(limit or DRAWN)
    cells = [annotated(name, cell) for name, cell in drawn]
    readings = read_cells(cells, "consilium", source=f"drawn_{SEED}", processes=processes)
    truths = [drawn_truth(cell) for _, cell in drawn]
    found, refused = replayed(zip(cells, readings, truths, strict=True))
    sets = {"synthetic": summary(found, refused)}
    data = {"synthetic": f"{len(drawn)} drawn cells, exact outlines"}
    every = {"synthetic": found}
    folder = data_folder()
    if folder is not None and (folder / "chromosome" / "tseng2023").is_dir():
        images = tseng2023(part) if limit is None else evenly(tseng2023(part), limit)
        readings = read_cells(images, "consilium", source=f"tseng2023_{part}", processes=processes)
        found, refused = replayed((cell, one, boxed_truth(cell)) for cell, one in zip(images, readings, strict=True))
        sets["tseng2023"], every["tseng2023"] = summary(found, refused), found
        data["tseng2023"] = f"{len(images)} real metaphases, {part} part, boxes and names"
    else:
        click.echo(f"{DATA_VARIABLE} names no real metaphases: only drawn cells are measured")
    document = {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "data": data, "sets": sets,
        "models": {reference.name: reference.sha256 for reference in model_references()},
        "karyograms": {
            name: [
                {
                    "name": one.name, "case": one.case, "interactions": one.replay.interactions,
                    "commands": dict(one.replay.commands), "unprompted": one.replay.unprompted,
                    "right": one.replay.right,
                }
                for one in some
            ]
            for name, some in every.items()
        },
    }  # fmt: skip
    whole = part == "test" and limit is None
    path = (RESULTS if whole else RUNS / "benchmarks") / "interactions.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(table_of(document), encoding="utf-8")
    click.echo(table_of(document))
    click.echo(f"Written: {path}")


if __name__ == "__main__":
    main()
