"""A reading held against the truth: which found object is which true one, and whether its name is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.annotated import NO_CLASS, AnnotatedCell
from benchmarks.reading import Reading
from consilium.karyotype.metaphase import CLASSES, UNSURE, Chromosome
from training.matching import match

UNSURE_INDEX = len(CLASSES)
"""Stands for `UNSURE` among the class indices: it is never right."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One cell, what was read in it, and how the two agree.

    Attributes:
        pairs: (index of the found, index of the true object), one to one, by IoU of the boxes >= 0.5.
    """

    cell: AnnotatedCell
    reading: Reading
    pairs: tuple[tuple[int, int], ...]

    @property
    def found(self) -> tuple[Chromosome, ...]:
        """The objects that were found; none where the image was refused."""
        return self.reading.metaphase.chromosomes if self.reading.metaphase else ()

    @property
    def named_right(self) -> tuple[bool, ...]:
        """For each pair whether the name is right."""
        return tuple(label_index(self.found[f].label) == int(self.cell.labels[t]) for f, t in self.pairs)

    @property
    def false(self) -> tuple[int, ...]:
        """The found objects that are no true one."""
        matched = {found for found, _ in self.pairs}
        return tuple(index for index in range(len(self.found)) if index not in matched)

    @property
    def missed(self) -> tuple[int, ...]:
        """The true objects that were not found."""
        matched = {true for _, true in self.pairs}
        return tuple(index for index in range(len(self.cell.labels)) if index not in matched)

    @property
    def wholly_right(self) -> bool:
        """All found, none extra, all named."""
        return not self.false and not self.missed and all(self.named_right)


def judge(cell: AnnotatedCell, reading: Reading) -> Judged:
    """Match a reading to the truth, as many pairs as possible and then the closest."""
    found = reading.metaphase.chromosomes if reading.metaphase else ()
    scores = np.asarray([one.instance.score for one in found])
    return Judged(cell=cell, reading=reading, pairs=tuple(match(boxes_of(found), scores, cell.boxes)))


def judge_given(cell: AnnotatedCell, reading: Reading) -> Judged:
    """Pair the objects of a reading that was given them, in their order."""
    found = reading.metaphase.chromosomes if reading.metaphase else ()
    return Judged(cell=cell, reading=reading, pairs=tuple((index, index) for index in range(len(found))))


def boxes_of(chromosomes: Sequence[Chromosome]) -> NDArray[np.float32]:
    """(N, 4) float32."""
    return np.asarray([one.instance.box for one in chromosomes], np.float32).reshape(-1, 4)


def label_index(label: str) -> int:
    """Index into CLASSES, or `UNSURE_INDEX`; never `NO_CLASS`."""
    index = UNSURE_INDEX if label == UNSURE else CLASSES.index(label)
    assert index != NO_CLASS
    return index
