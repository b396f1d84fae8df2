"""A simulated user who makes no mistake: what she does with a reading until the karyogram is as the truth says.

She works as the editor leads her: the first doubtful chromosome is corrected where it is wrong and confirmed where it
is right, until none is left; then what nobody pointed out is corrected, and what was missed is added. Everything is a
command of `karyotype.editing`, so the count is that of the program. She sees every mistake at once, which a person does
not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError
from consilium.karyotype.editing.cell import CellObject
from consilium.karyotype.editing.commands import Add, Command, Confirm, Flip, Join, Reassign, Remove, Separate
from consilium.karyotype.editing.log import Folded
from consilium.karyotype.editing.region import Polygon, Region, outlines
from consilium.karyotype.editing.told import told
from consilium.karyotype.metaphase import Box

ENOUGH = 0.5
"""Intersection over union from which on an object is the true one, as wherever detection is judged."""

PART = 0.7
"""Share of a true chromosome's pixels in an object from which on it lies in it."""

MOST = 300
"""Commands after which a replay that does not end is a defect."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrueChromosome:
    """A true chromosome.

    Attributes:
        label: its class.
        box: exclusive maxima.
        region: its pixels; None where the data have boxes only.
        angle_deg: rotation that puts the short arm up; None where that is not known.
    """

    label: str
    box: Box
    region: Region | None = None
    angle_deg: float | None = None


@dataclass(kw_only=True)
class Replay:
    """What one karyogram took.

    Attributes:
        commands: by kind.
        unprompted: corrections of what nobody had pointed out.
        right: whether every chromosome ended with its true name and nothing else is left.
    """

    interactions: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    unprompted: int = 0
    right: bool = False


def replay(log: Folded, truth: Sequence[TrueChromosome]) -> Replay:
    """Do everything that a reading needs.

    Args:
        log: a reading that nobody has touched.
        truth: every chromosome of the cell.
    """
    found = Replay()
    user = _User(truth=tuple(truth))
    for _ in range(MOST):
        says = told(log.cell)
        prompted = next(iter(says.doubtful), None)
        command = user.about(log, prompted) if prompted is not None else user.unprompted(log)
        if command is None:
            break
        try:
            log = log.then(command)
        except InputError:
            # What cannot be parted or joined as it lies is removed, and its chromosomes are added one by one.
            command = Remove(object=_object(command), reason="other")
            log = log.then(command)
        found.unprompted += prompted is None
        found.commands[command.kind] += 1
    found.interactions = log.interactions
    pairs = user.pairs(log)
    found.right = len(pairs) == len(truth) == len(log.cell.objects) and all(
        one.label == truth[index].label for one, index in pairs
    )
    return found


@dataclass(frozen=True, kw_only=True)
class _User:
    truth: tuple[TrueChromosome, ...]

    def about(self, log: Folded, id_: str) -> Command:
        """What she does when she is led to an object."""
        return self._correction(log, log.cell.named(id_), self._indices(log)) or Confirm(objects=(id_,))

    def unprompted(self, log: Folded) -> Command | None:
        """What she does by herself."""
        pairs = self._indices(log)
        for one in log.cell.objects:
            if (command := self._correction(log, one, pairs)) is not None:
                return command
        matched = set(pairs.values())
        for index, true in enumerate(self.truth):
            if index not in matched:
                return Add(polygon=_drawn(true), label=true.label)
        return None

    def pairs(self, log: Folded) -> list[tuple[CellObject, int]]:
        """Objects and the true chromosomes that they are: as many as possible, then the closest."""
        from scipy.optimize import linear_sum_assignment

        objects = log.cell.objects
        likeness = np.array([[_likeness(one, true) for true in self.truth] for one in objects])
        likeness = likeness.reshape(len(objects), len(self.truth))
        rows, columns = linear_sum_assignment(np.where(likeness >= ENOUGH, -1 - likeness, 0.0))
        return [(objects[row], int(at)) for row, at in zip(rows, columns, strict=True) if likeness[row, at] >= ENOUGH]

    def _indices(self, log: Folded) -> dict[str, int]:
        return {one.id: index for one, index in self.pairs(log)}

    def _correction(self, log: Folded, one: CellObject, pairs: dict[str, int]) -> Command | None:
        inside = [index for index, true in enumerate(self.truth) if _share(true, one) >= PART]
        free = [index for index in inside if index not in pairs.values() or pairs.get(one.id) == index]
        if len(free) >= 2 and (command := _parted(one, *(self.truth[index] for index in free[:2]))) is not None:
            return command
        if one.id not in pairs:
            return self._joined(log, one, pairs) or Remove(object=one.id, reason="other")
        true = self.truth[pairs[one.id]]
        if one.label != true.label:
            return Reassign(object=one.id, label=true.label)
        if true.angle_deg is not None and abs(_turn(one.angle_deg - true.angle_deg)) > 90:
            return Flip(object=one.id, axis="vertical")
        return None

    def _joined(self, log: Folded, one: CellObject, pairs: dict[str, int]) -> Command | None:
        """Join a piece with the rest of its chromosome where that makes it more like the true one."""
        for other in log.cell.objects:
            for index, true in enumerate(self.truth):
                if true.region is None or other.id == one.id or pairs.get(other.id, index) != index:
                    continue
                if _within(one.region, true.region) >= PART and _within(other.region, true.region) >= PART:
                    return Join(objects=(other.id, one.id))
        return None


def _parted(one: CellObject, first: TrueChromosome, second: TrueChromosome) -> Command | None:
    if first.region is None or second.region is None:
        return None
    return Separate(object=one.id, first=_drawn(first), second=_drawn(second))


def _object(command: Command) -> str:
    if isinstance(command, Join):
        return command.objects[-1]
    assert isinstance(command, Separate)
    return command.object


def _drawn(true: TrueChromosome) -> Polygon:
    """Its outline as she draws it: the true one, or the box where no more is known."""
    if true.region is not None:
        return tuple((float(x), float(y)) for x, y in max(outlines(true.region), key=len))
    xmin, ymin, xmax, ymax = true.box
    return ((xmin, ymin), (xmax - 1, ymin), (xmax - 1, ymax - 1), (xmin, ymax - 1))


def _likeness(one: CellObject, true: TrueChromosome) -> float:
    if true.region is None:
        return _box_likeness(one.box, true.box)
    shared = _shared(one.region, true.region)
    return shared / (one.region.area + true.region.area - shared)


def _share(true: TrueChromosome, one: CellObject) -> float:
    return 0.0 if true.region is None else _within(true.region, one.region)


def _within(part: Region, whole: Region) -> float:
    return _shared(part, whole) / part.area


def _shared(one: Region, other: Region) -> int:
    """Pixels of both."""
    (x0, y0, x1, y1), (u0, v0, u1, v1) = one.box, other.box
    left, top, right, bottom = int(max(x0, u0)), int(max(y0, v0)), int(min(x1, u1)), int(min(y1, v1))
    if left >= right or top >= bottom:
        return 0

    def window(region: Region) -> NDArray[np.bool_]:
        x, y = region.origin
        return region.mask[top - y : bottom - y, left - x : right - x]

    return int(np.count_nonzero(window(one) & window(other)))


def _box_likeness(one: Box, other: Box) -> float:
    sides = [min(one[2 + at], other[2 + at]) - max(one[at], other[at]) for at in (0, 1)]
    shared = max(sides[0], 0.0) * max(sides[1], 0.0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared)


def _turn(degrees: float) -> float:
    return (degrees + 180.0) % 360.0 - 180.0
