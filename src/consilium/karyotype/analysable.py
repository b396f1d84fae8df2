"""Which automatically read cells may speak for what they lack, and how many must agree before it is no misreading.

The reader errs: it misses chromosomes, sees one twice, takes one for another. A cell in which that is likely goes into
the search for clones as incomplete: what it shows counts, that it shows nothing else does not. And what few cells show
may be the same mistake made several times.

The constants were chosen on the 184 validation cells (one case in twenty of the train part of tseng2023) that the
shipped models could read; the test part was not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import comb
from typing import Literal

from consilium.cytogenetics.clones.cell import AUTOSOMES, Cell, cell_from_counts, ploidy_of
from consilium.karyotype.abnormal_count import tally
from consilium.karyotype.count import DIPLOID
from consilium.karyotype.metaphase import CLASSES, UNSURE, Metaphase

FAR_COUNT = 2
"""More chromosomes than these away from 46 are more often a misread cell than a true one: every such validation cell
was misread."""

ALIKE = 2
"""Other cells far from 46 with nearly the same count that make it credible: triploid and hyperdiploid cells come in
numbers, misread ones alone."""

MOST_DOUBTFUL_NAMES = 6
"""Chromosomes of low confidence that a cell may have. Beyond, most validation cells showed a chromosome too many or one
missing. In cases of 20 cells put together from validation cells, false lines beside the true karyotype became rarest
with it (tried were 6, 10 and none)."""

MISREAD: dict[tuple[str, bool], float] = {
    ("more", False): 0.02,
    ("fewer", False): 0.06,
    ("more", True): 0.10,
    ("fewer", True): 0.10,
}
"""Cells in which the reader makes up ("more"), or misses, a chromosome of one class; of X and Y where true. About what
the worst class had in the validation cells with few doubtful names; X is made up far oftener than any autosome."""

BY_MISTAKE = 0.05
"""How likely it may be that mistakes alone show as many cells, before a line counts as more than a prompt."""

_NEAR_HAPLOID = 34
"""ISCN 2024, table 6. So few chromosomes in a single read cell are a part of a cell, not a haploid one."""

Direction = Literal["more", "fewer"]

Why = Literal["far_count", "doubtful_names", "unsure", "left_out", "no_x"]
"""Why a cell is incomplete:

    far_count       its count is far from 46, and no other cells are like it
    doubtful_names  too many of its chromosomes have a doubtful name
    unsure          something fits no class while a chromosome is missing
    left_out        an object was not counted, and the cell lacks a gain that other cells have
    no_x            no X was read; no human cell lives without one, so the cell is not compared at all
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadCell:
    """One automatically read metaphase, as it goes into the search for clones.

    Attributes:
        cell: what it shows; its name is that of its image.
        why: why it is incomplete; empty where it is not.
        left_out: whether an object that may be a chromosome was not counted.
        by_person: a person analysed it, so that no misreading of a machine explains what it shows.
    """

    cell: Cell
    why: tuple[Why, ...]
    left_out: bool
    by_person: bool = False

    @property
    def comparable(self) -> bool:
        """Whether it goes into the search for clones at all."""
        return "no_x" not in self.why

    def complete(self) -> ReadCell:
        """The same cell, as if it were wholly read."""
        return replace(self, cell=replace(self.cell, incomplete=False), why=())

    def incomplete_by(self, why: Why) -> ReadCell:
        """The same cell, incomplete for one reason more."""
        return replace(self, cell=replace(self.cell, incomplete=True), why=(*self.why, why))


def read_cells(cells: Sequence[Metaphase]) -> tuple[ReadCell, ...]:
    """Turn the cells of a case into what the search for clones compares, in the same order.

    Args:
        cells: the cells; two of one image name get a number behind it.
    """
    counts = [len(cell.chromosomes) for cell in cells]
    names: dict[str, None] = {}
    read = []
    for index, cell in enumerate(cells):
        name, number = cell.image, 1
        while name in names:
            number += 1
            name = f"{cell.image} ({number})"
        names[name] = None
        read.append(_read(cell, name, far=_far(index, counts)))
    return tuple(read)


def cells_beyond_mistakes(cells: int, kind: Direction, *, sex: bool = False) -> int:
    """How many of a case's cells must show the same change before mistakes of reading hardly explain it.

    The smallest k for which n P(X >= k) <= `BY_MISTAKE`, X binomial with `MISREAD`: the chance that any of n classes
    (22 autosomes, or X and Y) is misread alike in so many cells. It may be more than there are cells.

    Args:
        cells: of the case.
        kind: whether the cells show a chromosome more, or one fewer.
        sex: whether it is X or Y.
    """
    rate, classes = MISREAD[kind, sex], 2 if sex else len(CLASSES) - 2
    chances = [comb(cells, k) * rate**k * (1 - rate) ** (cells - k) for k in range(cells + 1)]
    return next(k for k in range(1, cells + 2) if classes * sum(chances[k:]) <= BY_MISTAKE)


def _far(index: int, counts: Sequence[int]) -> bool:
    count = counts[index]
    far = [other for other in counts if abs(other - DIPLOID) > FAR_COUNT]
    return abs(count - DIPLOID) > FAR_COUNT and sum(abs(other - count) <= FAR_COUNT for other in far) <= ALIKE


def _read(cell: Metaphase, name: str, *, far: bool) -> ReadCell:
    copies = Counter(one.label for one in cell.chromosomes if not one.written)
    unsure = copies.pop(UNSURE, 0)
    doubtful = sum(_has_flag(one.flags, {"low_confidence", "unsure_class"}) for one in cell.chromosomes)
    part = len(cell.chromosomes) <= _NEAR_HAPLOID and not cell.analysed
    level = 2 if part else ploidy_of(len(cell.chromosomes))
    if any(one.written for one in cell.chromosomes):
        found = _with_abnormal(cell, name, level)
    else:
        found = cell_from_counts(name, copies, unsure=unsure, ploidy=level)
    why: list[Why] = []
    if far and not cell.analysed:
        why.append("far_count")
    if doubtful > MOST_DOUBTFUL_NAMES and not cell.analysed:
        why.append("doubtful_names")
    if found.incomplete:
        why.append("unsure")
    if not copies["X"] and not any("X" in one.written for one in cell.chromosomes):
        why.append("no_x")
    left_out = _has_flag(cell.flags, {"left_out"}) and not cell.analysed
    return ReadCell(
        cell=replace(found, incomplete=bool(why)), why=tuple(why), left_out=left_out, by_person=cell.analysed
    )


def _with_abnormal(cell: Metaphase, name: str, level: int) -> Cell:
    """What a cell shows in which a person called chromosomes abnormal."""
    found = tally((one.written or one.label for one in cell.chromosomes), level=level)
    difference = {label: found.filled[label] - level for label in AUTOSOMES}
    losses = tuple(label for label in AUTOSOMES for _ in range(-difference[label]))
    missing = bool(losses) or found.filled["X"] + found.filled["Y"] < level
    return Cell(
        name=name, sex="X" * found.normal["X"] + "Y" * found.normal["Y"], losses=losses, ploidy=level,
        gains=tuple(label for label in AUTOSOMES for _ in range(difference[label])),
        structural=(*found.structural, *(() if missing else ("+mar",) * found.unsure)),
        count=len(cell.chromosomes), incomplete=missing and found.unsure > 0,
    )  # fmt: skip


def _has_flag(flags: Collection[object], codes: Collection[str]) -> bool:
    return any(getattr(flag, "code", None) in codes for flag in flags)
