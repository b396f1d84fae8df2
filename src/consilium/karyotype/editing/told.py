"""What an edited cell says: count, karyotype, what is doubtful, in which order to look. By the house's own rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from consilium.karyotype.abnormal_count import count_named, unfinished
from consilium.karyotype.editing.cell import CellObject, EditedCell
from consilium.karyotype.editing.labels import is_abnormal
from consilium.karyotype.flags import cell_flags, chromosome_flags, not_read
from consilium.karyotype.metaphase import CLASSES, UNSURE, Chromosome, Flag, Instance

ORDER = (
    "not_read", "unsure_class", "doubtful_object", "low_confidence", "odd_pair", "second_choice_close", "crossing",
    "touches_edge", "polarity_unsure",
)  # fmt: skip
"""Which doubt to look at first: what may change the count, then what may change a name, then how it lies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a cell says.

    Attributes:
        count: of chromosomes, whatever they are called.
        karyotype: in ISCN as far as the names go; a prompt.
        gains, losses: whole chromosomes over and under the expected number.
        unfinished: names that lack breakpoints, so that the karyotype is not yet one of ISCN.
        flags: what is doubtful about each object, by its id.
        cell_flags: what is doubtful about the cell.
        doubtful: ids of objects with a flag that nobody has looked at, in the order in which to look.
    """

    count: int
    karyotype: str
    gains: tuple[str, ...]
    losses: tuple[str, ...]
    unfinished: tuple[str, ...]
    flags: Mapping[str, tuple[Flag, ...]]
    cell_flags: tuple[Flag, ...]
    doubtful: tuple[str, ...]


def told(cell: EditedCell) -> Told:
    """What a cell says as it is."""
    count, karyotype, gains, losses = count_named(one.label for one in cell.objects)
    chromosomes = [_chromosome(one) for one in cell.objects]
    shape = (cell.height, cell.width)
    house = chromosome_flags(chromosomes, shape=shape)
    flags = {one.id: _flags(one, found) for one, found in zip(cell.objects, house, strict=True)}
    doubtful = [one for one in cell.objects if flags[one.id] and not one.confirmed]
    doubtful.sort(key=lambda one: (*_urgency(one, flags[one.id]), one.home, one.place))
    return Told(
        count=count,
        karyotype=karyotype,
        gains=gains,
        losses=losses,
        unfinished=unfinished(one.label for one in cell.objects),
        flags=flags,
        cell_flags=cell_flags(chromosomes, shape=shape, quality=cell.quality, left_out=cell.left_out),
        doubtful=tuple(one.id for one in doubtful),
    )


def chromosome_of(one: CellObject) -> Chromosome:
    """An object as the stages know a chromosome, without flags.

    What a person named, or no classifier read, has no probabilities of the machine: it is what it is called.
    """
    label = one.home if one.home in CLASSES else UNSURE
    by_hand = one.named or not one.read
    probabilities = np.asarray(one.probabilities, np.float32)
    if by_hand and label in CLASSES:
        probabilities = np.asarray([name == label for name in CLASSES], np.float32)
    return Chromosome(
        instance=Instance(box=one.box, mask=one.region.mask, origin=one.region.origin, score=one.score),
        label=label,
        confidence=1.0 if by_hand else one.confidence,
        probabilities=probabilities,
        angle_deg=one.angle_deg,
        polarity=one.polarity,
        written=one.label if is_abnormal(one.label) else "",
        place=one.place,
        straight=one.straight and one.whole,
        mirrored=one.mirrored,
    )


def _chromosome(one: CellObject) -> Chromosome:
    """For the flags: an abnormal chromosome is no homologue of a normal one."""
    found = chromosome_of(one)
    return replace(found, label=UNSURE) if found.written else found


def _flags(one: CellObject, found: tuple[Flag, ...]) -> tuple[Flag, ...]:
    if is_abnormal(one.label) or not one.read:
        found = tuple(flag for flag in found if flag.code != "unsure_class")
    return found if one.read or one.named else (not_read(), *found)


def _urgency(one: CellObject, flags: tuple[Flag, ...]) -> tuple[int, float]:
    return min(ORDER.index(flag.code) for flag in flags), one.confidence
