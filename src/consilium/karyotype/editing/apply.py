"""What each command does to a cell: pure functions, one a command.

An object goes only by `remove`, which keeps it with its reason, or into what cut, separate and join make of it: every
pixel of those is in what they make. Whatever a person names is confirmed by it; whatever gets another shape by cutting,
joining, parting or drawing was read by no classifier, and is doubtful until somebody names or confirms it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from string import ascii_lowercase
from typing import Any

from consilium.errors import InputError
from consilium.karyotype.editing.cell import CellObject, EditedCell, Removed
from consilium.karyotype.editing.commands import (
    Add,
    Command,
    Confirm,
    Cut,
    Erase,
    Flip,
    Join,
    Note,
    Reassign,
    Remove,
    Restore,
    Rotate,
    Separate,
    Straighten,
    Swap,
)
from consilium.karyotype.editing.labels import checked_label, home
from consilium.karyotype.editing.parting import cut, separate
from consilium.karyotype.editing.region import Polygon, Region, filled, needed, united, upright_angle, without
from consilium.karyotype.metaphase import CLASSES, UNSURE

LAST = 1_000_000
"""A place after every other one, before places are closed up."""

MOST_OBJECTS = 300
"""Of a cell; a cell in near-octaploidy has fewer."""

_NOTHING_KNOWN = tuple([1 / len(CLASSES)] * len(CLASSES))


def apply(cell: EditedCell, command: Command, sequence: int) -> EditedCell:
    """The cell after a command.

    Args:
        cell: before it.
        command: any but undo and redo, which are the log's business.
        sequence: the number of the command in the cell's log, from 1; new objects are named by it.

    Raises:
        InputError: the command cannot be done; the message says why.
    """
    rule = _RULES.get(type(command))
    if rule is None:
        raise InputError(f"{command.kind} is no change of a cell")
    after = rule(cell, command, sequence)
    if len(after.objects) > MOST_OBJECTS:
        raise InputError(f"a cell has at most {MOST_OBJECTS} objects", where=cell.image)
    return after


def _reassign(cell: EditedCell, command: Reassign, _: int) -> EditedCell:
    one, label = cell.named(command.object), checked_label(command.label)
    others = [other for other in cell.beside(home(label)) if other.id != one.id]
    place = len(others) if command.place is None else min(command.place, len(others))
    if label == one.label and place == one.place:
        raise InputError(f"{one.id} stands there already", where=cell.image, way_out="Confirm it, if it is right.")
    # Putting homologues in another order says nothing about their name.
    moved = one if label == one.label else _called(one, label)
    ordered = [*others[:place], moved, *others[place:]]
    return cell.with_objects((), [replace(other, place=index) for index, other in enumerate(ordered)])


def _swap(cell: EditedCell, command: Swap, _: int) -> EditedCell:
    one, other = cell.named(command.object), cell.named(command.other)
    if one.id == other.id:
        raise InputError("an object is not swapped with itself", where=cell.image)
    renamed = one.label != other.label
    return cell.with_objects(
        (),
        [
            replace(_called(a, b.label) if renamed else a, place=b.place)
            for a, b in ((one, other), (other, one))
        ],
    )  # fmt: skip


def _flip(cell: EditedCell, command: Flip, _: int) -> EditedCell:
    one = cell.named(command.object)
    if command.axis == "horizontal":
        return cell.with_objects((), [replace(one, mirrored=not one.mirrored)])
    turned = replace(
        one, angle_deg=_turned(one.angle_deg + 180.0), upside_down=not one.upside_down, polarity=1.0
    )  # fmt: skip
    return cell.with_objects((), [turned])


def _rotate(cell: EditedCell, command: Rotate, _: int) -> EditedCell:
    one = cell.named(command.object)
    # A small turn sets it upright; only a large one says which end is the short arm.
    polarity = 1.0 if abs(_turned(command.degrees)) > 90 else one.polarity
    turned = replace(one, angle_deg=_turned(one.angle_deg + command.degrees), polarity=polarity)
    return cell.with_objects((), [turned])


def _straighten(cell: EditedCell, command: Straighten, _: int) -> EditedCell:
    return cell.with_objects((), [replace(cell.named(command.object), straight=command.on)])


def _cut(cell: EditedCell, command: Cut, sequence: int) -> EditedCell:
    one = cell.named(command.object)
    parts = cut(one.region, command.line)
    if len(parts) > len(ascii_lowercase):
        raise InputError("the line makes too many parts of it", where=one.id, way_out="Cut it step by step.")
    return _made_of(cell, one, parts, sequence)


def _separate(cell: EditedCell, command: Separate, sequence: int) -> EditedCell:
    one = cell.named(command.object)
    first, second = (_drawn(cell, polygon) for polygon in (command.first, command.second))
    return _made_of(cell, one, separate(one.region, first, second), sequence)


def _join(cell: EditedCell, command: Join, sequence: int) -> EditedCell:
    if len(command.objects) < 2 or len(set(command.objects)) != len(command.objects):
        raise InputError("two objects or more are joined", where=cell.image)
    parts = [cell.named(id_) for id_ in command.objects]
    largest = max(parts, key=lambda one: (one.region.area, one.id))
    region = united(one.region for one in parts)
    notes = "\n".join(one.note for one in parts if one.note)
    joined = _made(largest, f"n{sequence}", region, label=largest.label, place=min(
        one.place for one in parts if one.home == largest.home
    ), note=notes)  # fmt: skip
    return cell.with_objects(command.objects, [joined])


def _add(cell: EditedCell, command: Add, sequence: int) -> EditedCell:
    region = _drawn(cell, command.polygon)
    added = CellObject(
        id=f"n{sequence}", label=UNSURE, place=LAST, region=region, box=region.box, confidence=0.0,
        probabilities=_NOTHING_KNOWN, angle_deg=upright_angle(region), polarity=0.5, score=1.0, read=False,
    )  # fmt: skip
    called = added if command.label is None else _called(added, checked_label(command.label))
    return cell.with_objects((), [called])


def _erase(cell: EditedCell, command: Erase, _: int) -> EditedCell:
    one = cell.named(command.object)
    left = without(one.region, _drawn(cell, command.polygon))
    if left is None:
        raise InputError(f"nothing of {one.id} would be left", where=cell.image, way_out="Remove it instead.")
    return _reshaped(cell, one, left)


def _restore(cell: EditedCell, command: Restore, _: int) -> EditedCell:
    one = cell.named(command.object)
    return _reshaped(cell, one, united((one.region, _drawn(cell, command.polygon))))


def _remove(cell: EditedCell, command: Remove, _: int) -> EditedCell:
    one = cell.named(command.object)
    taken = Removed(object=one, reason=command.reason)
    return replace(cell.with_objects([one.id]), removed=(*cell.removed, taken))


def _confirm(cell: EditedCell, command: Confirm, _: int) -> EditedCell:
    return cell.with_objects((), [replace(cell.named(id_), confirmed=True) for id_ in command.objects])


def _note(cell: EditedCell, command: Note, _: int) -> EditedCell:
    if command.object is None:
        return replace(cell, notes=(*cell.notes, command.text))
    return cell.with_objects((), [replace(cell.named(command.object), note=command.text)])


def _called(one: CellObject, label: str) -> CellObject:
    """An object with the name that a person gave it; what she is unsure of stays to be looked at."""
    return replace(one, label=label, named=label != UNSURE, confirmed=label != UNSURE)


def _drawn(cell: EditedCell, polygon: Polygon) -> Region:
    return needed(filled(polygon, cell.width, cell.height), "the outline lies outside of the picture")


def _reshaped(cell: EditedCell, one: CellObject, region: Region) -> EditedCell:
    if region == one.region:
        raise InputError(f"the outline changes nothing of {one.id}", where=cell.image)
    return cell.with_objects((), [replace(one, region=region, box=region.box)])


def _made_of(cell: EditedCell, one: CellObject, parts: tuple[Region, ...], sequence: int) -> EditedCell:
    """Put parts into an object's stead: the largest keeps its name, the others have none yet."""
    largest = max(range(len(parts)), key=lambda index: (parts[index].area, -index))
    made = [
        _made(one, f"n{sequence}{ascii_lowercase[index]}", part, label=one.label, place=one.place, note=one.note)
        if index == largest
        else _made(one, f"n{sequence}{ascii_lowercase[index]}", part, label=UNSURE, place=LAST, note="")
        for index, part in enumerate(parts)
    ]
    return cell.with_objects([one.id], made)


def _made(like: CellObject, id_: str, region: Region, *, label: str, place: int, note: str) -> CellObject:
    """A new object in place of another one: in its shape no classifier saw it."""
    return CellObject(
        id=id_, label=label, place=place, region=region, box=region.box, confidence=0.0, probabilities=_NOTHING_KNOWN,
        angle_deg=upright_angle(region), polarity=0.5, score=like.score, read=False, straight=like.straight, note=note,
    )  # fmt: skip


def _turned(degrees: float) -> float:
    """The same turn, from -180 up to 180 degrees, to a thousandth of a degree."""
    return round((degrees + 180.0) % 360.0 - 180.0, 3)


_RULES: Mapping[type[Command], Callable[[EditedCell, Any, int], EditedCell]] = {
    Reassign: _reassign, Swap: _swap, Flip: _flip, Rotate: _rotate, Straighten: _straighten, Cut: _cut, Join: _join,
    Separate: _separate, Add: _add, Erase: _erase, Restore: _restore, Remove: _remove, Confirm: _confirm, Note: _note,
}  # fmt: skip
