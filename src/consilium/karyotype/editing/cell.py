"""The state of a cell that people edit: its objects and what was taken out. Frozen; a command makes another one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from consilium.errors import InputError
from consilium.karyotype.editing.labels import home
from consilium.karyotype.editing.region import Region, in_one_piece
from consilium.karyotype.metaphase import Box, Quality

Reason = Literal["dirt", "nucleus", "other cell", "halo", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class CellObject:
    """One object of a cell.

    Attributes:
        id: by which commands name it; never given twice in a cell.
        label: a class, "unsure", or an abnormal chromosome in ISCN (see `labels`).
        place: its order among those of the same home, from 0.
        region: its pixels.
        box: of the detector while nobody changed the shape; else that of its pixels.
        confidence: the classifier's, that its own name is right, 0..1.
        probabilities: 24, in the order of `metaphase.CLASSES`.
        angle_deg: counter-clockwise rotation that puts the short arm up, flips and turns by hand included.
        polarity: probability that this end is the short arm, 0.5..1; 1 where a person turned it.
        score: the detector's.
        read: the classifier saw it in this shape; False for what a person cut, joined, parted or drew.
        named: a person gave it its name.
        confirmed: a person looked at it and found it right, or named it.
        straight: whether its picture is straightened.
        upside_down: it was turned end for end since the machine read it.
        mirrored: its picture is shown as in a mirror.
        note: of a person.
    """

    id: str
    label: str
    place: int
    region: Region
    box: Box
    confidence: float
    probabilities: tuple[float, ...]
    angle_deg: float
    polarity: float
    score: float
    read: bool = True
    named: bool = False
    confirmed: bool = False
    straight: bool = True
    upside_down: bool = False
    mirrored: bool = False
    note: str = ""

    @property
    def home(self) -> str:
        """The class beside which it stands, or `labels.OTHERS`."""
        return home(self.label)

    @property
    def whole(self) -> bool:
        """Whether it is of one piece; what is not has no axis that its picture could be straightened along."""
        return in_one_piece(self.region)


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed:
    """An object that a person took out, and why."""

    object: CellObject
    reason: Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class EditedCell:
    """A cell as it is after some commands.

    Attributes:
        image: file name of its picture.
        width, height: of the picture, pixels.
        inverted: bright chromosomes on a dark field.
        synthetic: drawn, not photographed.
        quality: of the picture, as the machine read it; edits do not change it.
        left_out: objects that the machine saw and did not count.
        objects: in the order in which they came.
        removed: what was taken out.
        notes: of the cell, oldest first.
    """

    image: str
    width: int
    height: int
    inverted: bool
    synthetic: bool
    quality: Quality
    left_out: int
    objects: tuple[CellObject, ...]
    removed: tuple[Removed, ...] = ()
    notes: tuple[str, ...] = ()

    def named(self, id_: str) -> CellObject:
        """An object by its id.

        Raises:
            InputError: there is none.
        """
        for one in self.objects:
            if one.id == id_:
                return one
        gone = any(one.object.id == id_ for one in self.removed)
        raise InputError(
            f"{id_} was removed" if gone else f"there is no object {id_!r}"[:80],
            where=self.image, way_out="Undo brings back what was removed." if gone else "Read the cell again.",
        )  # fmt: skip

    def beside(self, home_: str) -> tuple[CellObject, ...]:
        """The objects of one home, in their order."""
        return tuple(sorted((one for one in self.objects if one.home == home_), key=lambda one: one.place))

    def with_objects(self, gone: Iterable[str], came: Iterable[CellObject] = ()) -> EditedCell:
        """The cell without some objects and with others, places closed up.

        What comes with an id that is there takes its place in the order; what is new comes last.
        """
        out, new = set(gone), {one.id: one for one in came}
        kept = [new.pop(one.id, one) for one in self.objects if one.id not in out]
        return replace(self, objects=closed_up([*kept, *new.values()]))


def closed_up(objects: Iterable[CellObject]) -> tuple[CellObject, ...]:
    """The objects with places 0, 1, 2 ... in each home; of two with the same place the one that came first is first."""
    objects = tuple(objects)
    ranked = sorted(range(len(objects)), key=lambda index: (objects[index].place, index))
    newest: dict[str, int] = {}
    place = {}
    for index in ranked:
        where = objects[index].home
        place[index] = newest.get(where, 0)
        newest[where] = place[index] + 1
    return tuple(
        one if one.place == place[index] else replace(one, place=place[index]) for index, one in enumerate(objects)
    )
