"""How chromosomes are arranged into a karyogram: groups A to G, pairs side by side, centromeres on one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilium.cytogenetics.bands import centromere_index
from consilium.karyotype.karyogram import Bracket, Karyogram, Place
from consilium.karyotype.karyogram_png import Picture, to_png
from consilium.karyotype.karyogram_svg import to_svg
from consilium.karyotype.metaphase import CLASSES, GROUPS, UNSURE, Chromosome, Metaphase
from consilium.karyotype.straighten import Straightened, dark_on_light, straighten

__all__ = ["Picture", "arrange", "picture", "pictures", "to_png", "to_svg"]

OTHERS = "others"
"""The group of everything that is none of the 24 classes: markers and unsure objects."""

ROWS: tuple[tuple[str, ...], ...] = (("A", "B"), ("C",), ("D", "E"), ("F", "G", "sex"), (OTHERS,))

LONGEST = 170.0
"""Height on the canvas of the cell's longest chromosome: a row of it with its labels makes a readable printed line."""

MAX_ENLARGEMENT = 3.0
"""Small scans are not blown up beyond this: they would look sharper than they are."""

MARGIN, HEADER, FOOTER = 36.0, 84.0, 64.0
PARTNER_GAP, CLASS_GAP, GROUP_GAP = 9.0, 30.0, 62.0
MARK_SPACE, LABEL_SPACE, ROW_GAP = 34.0, 50.0, 6.0
LEAST_SLOT = 17.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Slot:
    """A place before its position is known; `rise` is the height above the centromere line."""

    place: Place
    rise: float


def arrange(metaphase: Metaphase) -> Karyogram:
    """Lay a cell out as a karyogram.

    Args:
        metaphase: a cell with named chromosomes.

    Returns:
        Every chromosome has exactly one place, pairs are completed with empty places, and the more certain
        homologue stands on the left, so that extra copies are the doubtful ones on the right; what a person arranged
        stands where she put it.
    """
    shown = pictures(metaphase)
    lengths = [picture.shape[0] for picture, _ in shown]
    scale = min(LONGEST / max(lengths), MAX_ENLARGEMENT) if lengths else 1.0
    classes = _slots_by_class(metaphase, shown, scale)
    rows = [
        [(group, [(label, classes[label]) for label in _labels(group) if classes[label]]) for group in row]
        for row in ROWS
    ]
    rows = [kept for row in rows if (kept := [(group, members) for group, members in row if members])]
    width = max((_natural_width(row) for row in rows), default=0.0) + 2 * MARGIN
    width = max(width, 760.0)
    places: list[Place] = []
    brackets: list[Bracket] = []
    lines: list[tuple[float, float, float]] = []
    top = HEADER
    for row in rows:
        slots = [slot for _, members in row for _, pair in members for slot in pair]
        axis = top + MARK_SPACE + max(slot.rise for slot in slots)
        floor = axis + max(slot.place.height - slot.rise for slot in slots)
        _fill_row(row, width=width, axis=axis, floor=floor, places=places, brackets=brackets)
        lines.append((MARGIN, width - MARGIN, axis))
        top = floor + LABEL_SPACE + ROW_GAP
    return Karyogram(
        image=metaphase.image,
        count=metaphase.count,
        karyotype=metaphase.karyotype,
        synthetic=metaphase.synthetic,
        width=width,
        height=top + FOOTER,
        places=tuple(places),
        brackets=tuple(brackets),
        centromere_lines=tuple(lines),
        footer_y=top + 14,
        sex_withheld=metaphase.sex_withheld,
    )


def pictures(metaphase: Metaphase) -> tuple[tuple[NDArray[np.uint8], int], ...]:
    """Straighten every chromosome of a cell.

    Returns:
        For each chromosome, in order, its (L, W) uint8 picture, short arm up, and its centromere row.
    """
    page = dark_on_light(metaphase.pixels, inverted=metaphase.inverted)
    drawn = ((picture(page, one), one.mirrored) for one in metaphase.chromosomes)
    return tuple((one.pixels[:, ::-1] if mirrored else one.pixels, one.centromere_row) for one, mirrored in drawn)


def picture(page: NDArray[np.uint8], one: Chromosome) -> Straightened:
    """Straighten one chromosome, or only turn it upright where a person wants it as it lies; not mirrored yet.

    Args:
        page: (H, W) uint8, its metaphase dark on light.
        one: a chromosome of it.
    """
    expected = centromere_index(one.label) if one.label in CLASSES else None
    return straighten(page, one.instance, one.angle_deg, expected_centromere=expected, along_axis=one.straight)


def _labels(group: str) -> Sequence[str]:
    return (OTHERS,) if group == OTHERS else GROUPS[group]


def _slots_by_class(
    metaphase: Metaphase, shown: Sequence[tuple[NDArray[np.uint8], int]], scale: float
) -> Mapping[str, list[_Slot]]:
    slots: dict[str, list[_Slot]] = {label: [] for label in (*CLASSES, OTHERS)}
    for index in sorted(range(len(shown)), key=lambda index: (_order(metaphase.chromosomes[index]), index)):
        one, (picture, row) = metaphase.chromosomes[index], shown[index]
        place = Place(
            index=index,
            label=one.label,
            x=0.0,
            y=0.0,
            width=picture.shape[1] * scale,
            height=picture.shape[0] * scale,
            centromere_y=0.0,
            picture=picture,
            confidence=one.confidence,
            flags=one.flags,
            written=one.written,
        )
        home = one.label if one.label in CLASSES else OTHERS
        slots[home].append(_Slot(place=place, rise=(row + 0.5) * scale))
    missing = _missing({label: len(members) for label, members in slots.items()})
    if metaphase.sex_withheld:
        del missing["X"]
    for label, number in missing.items():
        slots[label] += [_empty_slot(label, slots)] * number
    return slots


def _order(one: Chromosome) -> tuple[float, float]:
    return (np.inf if one.place is None else one.place, -one.confidence)


def _missing(have: Mapping[str, int]) -> dict[str, int]:
    """How many empty places each class gets; the sex chromosomes are a pair whichever they are."""
    missing = {label: max(2 - have[label], 0) for label in CLASSES[:22]}
    missing["X"] = max(2 - have["X"] - have["Y"], 0)
    return missing


def _empty_slot(label: str, slots: Mapping[str, Sequence[_Slot]]) -> _Slot:
    """An empty place the size of the homologue, or of its group where the class is absent altogether."""
    group = next(members for members in GROUPS.values() if label in members)
    like = [slot for slot in slots[label] if slot.place.index is not None] or [
        slot for member in group for slot in slots[member] if slot.place.index is not None
    ]
    height = float(np.median([slot.place.height for slot in like])) if like else 60.0
    rise = float(np.median([slot.rise for slot in like])) if like else 24.0
    width = float(np.median([slot.place.width for slot in like])) if like else LEAST_SLOT
    place = Place(
        index=None,
        label=label,
        x=0.0,
        y=0.0,
        width=width,
        height=height,
        centromere_y=0.0,
        picture=None,
        confidence=0.0,
        flags=(),
    )
    return _Slot(place=place, rise=rise)


Row = list[tuple[str, list[tuple[str, list[_Slot]]]]]


def _named(label: str, places: Sequence[Place]) -> str:
    """What stands under a class: its name, and those of its derivatives; markers by name where all have one."""
    written = [place.written for place in places if place.written]
    if label != OTHERS:
        return ", ".join([label, *dict.fromkeys(written)])
    return ", ".join(dict.fromkeys(written)) if len(written) == len(places) else UNSURE


def _slot_width(slot: _Slot) -> float:
    return max(slot.place.width, LEAST_SLOT)


def _pair_width(pair: Sequence[_Slot]) -> float:
    return sum(_slot_width(slot) for slot in pair) + PARTNER_GAP * (len(pair) - 1)


def _group_width(members: Sequence[tuple[str, Sequence[_Slot]]]) -> float:
    return sum(_pair_width(pair) for _, pair in members) + CLASS_GAP * (len(members) - 1)


def _natural_width(row: Row) -> float:
    return sum(_group_width(members) for _, members in row) + GROUP_GAP * (len(row) - 1)


def _fill_row(
    row: Row, *, width: float, axis: float, floor: float, places: list[Place], brackets: list[Bracket]
) -> None:
    """Spread one row over the page and append its places and brackets."""
    classes = sum(len(members) for _, members in row)
    spare = width - 2 * MARGIN - _natural_width(row)
    # A row with little in it is not torn apart: its gaps grow at most threefold, and it stays centred.
    stretch = min(spare / max(classes - 1, 1), 3 * CLASS_GAP)
    x = (width - _natural_width(row) - stretch * (classes - 1)) / 2
    for group, members in row:
        group_left = x
        for label, pair in members:
            left = x
            for slot in pair:
                room = _slot_width(slot)
                at = x + (room - slot.place.width) / 2
                places.append(replace(slot.place, x=at, y=axis - slot.rise, centromere_y=axis))
                x += room + PARTNER_GAP
            x -= PARTNER_GAP
            text = _named(label, [slot.place for slot in pair])
            brackets.append(Bracket(kind="class", text=text, left=left - 2, right=x + 2, y=floor + 7))
            x += CLASS_GAP + stretch
        x -= CLASS_GAP + stretch
        if group not in (OTHERS, "sex"):
            brackets.append(Bracket(kind="group", text=group, left=group_left - 2, right=x + 2, y=floor + 30))
        x += GROUP_GAP + stretch
