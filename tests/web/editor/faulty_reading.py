"""A drawn cell, and a reading of it with faults of every kind that the editor has tools for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.count import count_cell
from consilium.karyotype.metaphase import CLASSES, Chromosome, Instance, Metaphase, Quality
from consilium.karyotype.record import cell_record
from consilium.karyotype.render import DrawnChromosome, Rendered, karyotype_set, render_metaphase

MISNAMED = {"8": "11", "20": "22"}
"""The second copy of each is read as something else, unsurely."""

TURNED, MISSED = "16", "14"
"""The second copy of the first lies upside down, that of the second was not found."""


@dataclass(frozen=True, kw_only=True)
class FaultyReading:
    """What a test knows.

    Attributes:
        cell: as it was drawn.
        metaphase: its reading.
        entry: the same in case.json.
        missed: the chromosome that was not found.
        joined: id of the object that is two, and both of them.
        dirt: id of an object that is none.
        misnamed: id -> what it is.
        turned: id of the one that lies upside down.
    """

    cell: Rendered
    metaphase: Metaphase
    entry: dict[str, Any]
    missed: DrawnChromosome
    joined: tuple[str, DrawnChromosome, DrawnChromosome]
    dirt: str
    misnamed: dict[str, str]
    turned: str


def faulty_reading(*, seed: int = 5) -> FaultyReading:
    """Draw 46,XY and read it wrongly."""
    cell = render_metaphase(karyotype_set("46,XY"), np.random.default_rng(seed), band_level=550, crowding=0.55)
    first, second = _crossing(cell)
    found: list[Chromosome] = []
    seen: dict[str, int] = {}
    misnamed: dict[str, str] = {}
    missed = turned = None
    for one in cell.truth:
        seen[one.label] = seen.get(one.label, 0) + 1
        again = seen[one.label] == 2
        if one in (first, second):
            continue
        if again and one.label == MISSED:
            missed = one
            continue
        label, confidence, angle = one.label, 0.99, one.angle_deg
        if again and one.label in MISNAMED:
            label, confidence = MISNAMED[one.label], 0.55
            misnamed[f"c{len(found)}"] = one.label
        if again and one.label == TURNED:
            angle, turned = angle + 180, f"c{len(found)}"
        found.append(_read(one.mask, one.origin, label, confidence, angle, other=one.label))
    joined = f"c{len(found)}"
    mask, origin = _union(first, second)
    found.append(_read(mask, origin, first.label, 0.4, first.angle_deg, other=second.label))
    dirt = f"c{len(found)}"
    found.append(_read(np.ones((7, 6), np.bool_), _free(cell), "21", 0.35, 0.0, other="22"))
    assert missed is not None and turned is not None
    count, karyotype, gains, losses = count_cell([one.label for one in found])
    metaphase = Metaphase(
        image="cell.png", pixels=cell.pixels, inverted=False, synthetic=True, chromosomes=tuple(found), count=count,
        karyotype=karyotype, gains=gains, losses=losses,
        quality=Quality(score=0.8, spread=0.7, overlap=0.1, sharpness=0.7, band_level=550),
    )  # fmt: skip
    entry: dict[str, Any] = json.loads(json.dumps(cell_record(metaphase, number=1, lang="en")))
    return FaultyReading(
        cell=cell, metaphase=metaphase, entry=entry, missed=missed, joined=(joined, first, second), dirt=dirt,
        misnamed=misnamed, turned=turned,
    )  # fmt: skip


def on_page(one: DrawnChromosome, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The mask of a drawn chromosome on its picture."""
    page = np.zeros(shape, np.bool_)
    (x, y), (height, width) = one.origin, one.mask.shape
    page[y : y + height, x : x + width] = one.mask
    return page


def _crossing(cell: Rendered) -> tuple[DrawnChromosome, DrawnChromosome]:
    """The two that share most pixels, and are of none of the other faults."""
    taken = {*MISNAMED, TURNED, MISSED, "21", "22", "11"}
    pages = [(one, on_page(one, cell.pixels.shape)) for one in cell.truth if one.label not in taken]
    pairs = [
        (int((here & there).sum()), a, b)
        for index, (a, here) in enumerate(pages)
        for b, there in pages[index + 1 :]
        if a.label != b.label
    ]
    shared, a, b = max(pairs, key=lambda one: one[0])
    assert shared > 40, "this cell has no crossing"
    return a, b


def _union(a: DrawnChromosome, b: DrawnChromosome) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    left, top = min(a.origin[0], b.origin[0]), min(a.origin[1], b.origin[1])
    right = max(one.origin[0] + one.mask.shape[1] for one in (a, b))
    bottom = max(one.origin[1] + one.mask.shape[0] for one in (a, b))
    page = np.zeros((bottom - top, right - left), np.bool_)
    for one in (a, b):
        x, y = one.origin[0] - left, one.origin[1] - top
        page[y : y + one.mask.shape[0], x : x + one.mask.shape[1]] |= one.mask
    return page, (left, top)


def _free(cell: Rendered) -> tuple[int, int]:
    """A place where nothing lies."""
    covered = np.zeros(cell.pixels.shape, np.bool_)
    for one in cell.truth:
        covered |= on_page(one, cell.pixels.shape)
    for y in range(20, covered.shape[0] - 40, 5):
        for x in range(20, covered.shape[1] - 40, 5):
            if not covered[y - 8 : y + 20, x - 8 : x + 20].any():
                return x, y
    raise AssertionError("the cell is full")


def _read(
    mask: NDArray[np.bool_], origin: tuple[int, int], label: str, confidence: float, angle: float, *, other: str
) -> Chromosome:
    probabilities = np.full(24, 0.001, np.float32)
    probabilities[CLASSES.index(other)] = max(1 - confidence, 0.001)
    probabilities[CLASSES.index(label)] = confidence
    box = (float(origin[0]), float(origin[1]), float(origin[0] + mask.shape[1]), float(origin[1] + mask.shape[0]))
    return Chromosome(
        instance=Instance(box=box, mask=mask, origin=origin, score=0.97), label=label, confidence=confidence,
        probabilities=probabilities / probabilities.sum(), angle_deg=angle % 360, polarity=0.98,
    )  # fmt: skip
