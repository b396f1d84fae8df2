"""What a reader is asked to look at, and why.

A flag costs the reader seconds and a missed error costs the patient, so the thresholds lean towards flagging. Each
is a named constant with its reason; the sentences live in `wording`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.count import (
    DIPLOID,
    changes_written,
    modal_karyotype,
    sex_chromosomes,
    single_cell_changes,
)
from consilium.karyotype.metaphase import CLASSES, UNSURE, Chromosome, Flag, Instance, Metaphase, Quality, Suspect
from consilium.karyotype.numerical import SUSPECTED, numerical_evidence

LOW_CONFIDENCE = 0.90
"""Confidence is calibrated: below this, more than one name in ten is wrong, and 46 names make a cell."""

SECOND_CHOICE = 0.25
"""A second class this likely relative to the chosen one is a real alternative (C group, 4/5, 13-15, 21/22)."""

PROBABLY_PRESENT = 0.5
"""What is likelier a chromosome than not by its looks alone. Where the rest of the cell decided otherwise, either way,
somebody looks: there a gain or a loss would be hidden or made up."""

LENGTH_DIFFERENCE = 0.30
"""Homologues of one cell are condensed alike; with mask borders and bends they differ by up to about a quarter."""

LIKENESS = 0.50
"""Overlap of the two homologues' class probabilities: below one half, their pictures say different things."""

POLARITY = 0.85
"""Metacentrics (1, 3, 16, 19, 20, X) are the ones turned wrongly; below this one in seven is."""

EDGE_DISTANCE = 2.0
"""Pixels between box and image border within which a part may have been cut off (boxes are that exact)."""

CONTACT_DISTANCE = 2
"""Pixels between two masks within which they count as touching: their borders are no better known."""

CROSSING_SHARE = 0.04
"""Part of the smaller mask's area that two masks share when chromosomes cross; a right-angled crossing of the
longest shares about a tenth. Mere contact hides no band and is left to the cell's quality."""

POOR_QUALITY = 0.35
"""Quality score under which laboratories would look for another cell (scale of `quality`)."""

TOUCHING_CELLS = 50
"""Constitutional cells hardly exceed 48; above this a second spread in the picture is likelier."""

USUAL_SEX = frozenset({"XX", "XY"})


def chromosome_flags(chromosomes: Sequence[Chromosome], *, shape: tuple[int, int]) -> tuple[tuple[Flag, ...], ...]:
    """Say what is doubtful about each chromosome of a cell.

    Args:
        chromosomes: all chromosomes of the cell (flags they already carry are not read).
        shape: (height, width) of the original image.

    Returns:
        One tuple of flags a chromosome, in the same order.
    """
    crossed = crossings(chromosomes)
    pairs = _odd_pairs(chromosomes)
    return tuple(
        (*_name_flags(one), *pairs.get(index, ()), *_place_flags(one, crossed[index], shape))
        for index, one in enumerate(chromosomes)
    )


def cell_flags(
    chromosomes: Sequence[Chromosome], *, shape: tuple[int, int], quality: Quality, left_out: int = 0
) -> tuple[Flag, ...]:
    """Say what is doubtful about a whole cell.

    Args:
        chromosomes: all chromosomes of the cell.
        shape: (height, width) of the original image.
        quality: how usable the cell is.
        left_out: objects that look like chromosomes and were not counted.
    """
    labels = [one.label for one in chromosomes]
    copies = {label: labels.count(label) for label in (*CLASSES, UNSURE)}
    count = len(labels)
    edge = sum(_at_edge(one, shape) for one in chromosomes)
    flags = []
    if count != DIPLOID:
        flags.append(Flag(code="count_not_46", values={"count": count}))
    if count > TOUCHING_CELLS:
        flags.append(Flag(code="possible_touching_cells", values={"count": count}))
    if count < DIPLOID and edge:
        flags.append(Flag(code="possible_missing_near_edge", values={"missing": DIPLOID - count, "edge": edge}))
    if sex_chromosomes(copies) not in USUAL_SEX:
        flags.append(Flag(code="unusual_sex_chromosomes", values={"sex": sex_chromosomes(copies) or "-"}))
    flags += _balance_flags(copies)
    if left_out:
        flags.append(Flag(code="left_out", values={"objects": left_out}))
    if quality.score < POOR_QUALITY:
        flags.append(Flag(code="poor_quality", values={"score": quality.score}))
    return tuple(flags)


def case_flags(cells: Sequence[Metaphase], suspects: Sequence[Suspect] = ()) -> tuple[Flag, ...]:
    """Name what the cells together speak for and their votes do not have, what looks rearranged, and lone changes."""
    return (*_numerical(cells), *map(_suspected, suspects), *_single_cell_changes(cells))


def _numerical(cells: Sequence[Metaphase]) -> tuple[Flag, ...]:
    evidence = numerical_evidence(cells)
    if not evidence or evidence[0].nats < SUSPECTED:
        return ()
    strongest = evidence[0]
    if strongest.change in changes_written(modal_karyotype(cells).karyotype):
        return ()
    return (
        Flag(
            code="numerical_suspected",
            values={
                "change": strongest.change,
                "evidence": round(strongest.nats, 2),
                "cells": strongest.cells,
                "of": len(cells),
            },
        ),
    )


def _suspected(one: Suspect) -> Flag:
    first, last = one.bands
    place = f"{one.chromosome}{first}" if first == last else f"{one.chromosome}{first}-{last}"
    return Flag(
        code="structure_suspected",
        values={
            "chromosome": one.chromosome, "arm": one.arm, "place": place, "family": one.family, "score": one.score,
            "cells": len(one.cells), "of": one.of,
        },
    )  # fmt: skip


def _single_cell_changes(cells: Sequence[Metaphase]) -> tuple[Flag, ...]:
    return tuple(
        Flag(
            code="single_cell_change",
            values={"change": support.change, "cells": support.cells, "needed": support.needed},
        )
        for support in single_cell_changes(cells)
    )


def not_read() -> Flag:
    """The doubt about an object that a person cut, joined, parted or drew, and nobody has named yet."""
    return Flag(code="not_read")


def touching(chromosomes: Sequence[Chromosome], *, distance: int = CONTACT_DISTANCE) -> tuple[int, ...]:
    """Count, for each chromosome, the others whose mask comes within `distance` pixels of its own or crosses it."""
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * distance + 1, 2 * distance + 1))
    grown = [_grown(one.instance, reach.astype(np.uint8), distance) for one in chromosomes]
    own = [one.instance for one in chromosomes]
    return _neighbours(grown, own, lambda first, second: shared_pixels(grown[first], own[second]) > 0)


def crossings(chromosomes: Sequence[Chromosome]) -> tuple[int, ...]:
    """Count, for each chromosome, the others that share at least `CROSSING_SHARE` of the smaller mask with it."""
    own = [one.instance for one in chromosomes]
    areas = [max(int(one.mask.sum()), 1) for one in own]
    return _neighbours(
        own,
        own,
        lambda first, second: (
            shared_pixels(own[first], own[second]) >= max(CROSSING_SHARE * min(areas[first], areas[second]), 1)
        ),
    )


def shared_pixels(first: Instance, second: Instance) -> int:
    """Count the pixels of the original image that lie in both masks."""
    x0, y0 = max(first.origin[0], second.origin[0]), max(first.origin[1], second.origin[1])
    x1 = min(first.origin[0] + first.mask.shape[1], second.origin[0] + second.mask.shape[1])
    y1 = min(first.origin[1] + first.mask.shape[0], second.origin[1] + second.mask.shape[0])
    if x0 >= x1 or y0 >= y1:
        return 0
    windows = [
        one.mask[y0 - one.origin[1] : y1 - one.origin[1], x0 - one.origin[0] : x1 - one.origin[0]]
        for one in (first, second)
    ]
    return int(np.count_nonzero(windows[0] & windows[1]))


def _grown(instance: Instance, reach: NDArray[np.uint8], margin: int) -> Instance:
    mask = cv2.dilate(np.pad(instance.mask, margin).astype(np.uint8), reach).astype(np.bool_)
    return replace(instance, mask=mask, origin=(instance.origin[0] - margin, instance.origin[1] - margin))


def _neighbours(
    reaching: Sequence[Instance], reached: Sequence[Instance], meet: Callable[[int, int], bool]
) -> tuple[int, ...]:
    """For each object, the others that it meets; only those whose windows overlap are looked at, which few do."""
    counts = [0] * len(reached)
    a, b = _windows(reaching)[:, None], _windows(reached)[None]
    overlap = (np.maximum(a[..., :2], b[..., :2]) < np.minimum(a[..., 2:], b[..., 2:])).all(axis=-1)
    for first, second in np.argwhere(np.triu(overlap, 1)).tolist():
        if meet(first, second):
            counts[first] += 1
            counts[second] += 1
    return tuple(counts)


def _windows(instances: Sequence[Instance]) -> NDArray[np.int64]:
    """(N, 4) xmin, ymin, xmax, ymax of the masks, exclusive maxima."""
    windows = [(*one.origin, one.origin[0] + one.mask.shape[1], one.origin[1] + one.mask.shape[0]) for one in instances]
    return np.asarray(windows, dtype=np.int64).reshape(-1, 4)


def _name_flags(one: Chromosome) -> list[Flag]:
    best = int(np.argmax(one.probabilities))
    if one.label == UNSURE:
        guess = float(one.probabilities[best])
        return [Flag(code="unsure_class", values={"best": CLASSES[best], "probability": guess})]
    flags = []
    if one.confidence < LOW_CONFIDENCE:
        flags.append(Flag(code="low_confidence", values={"label": one.label, "confidence": one.confidence}))
    chosen = CLASSES.index(one.label)
    others = one.probabilities.copy()
    others[chosen] = -1.0
    second = int(np.argmax(others))
    # The cell as a whole may have outvoted the crop's own best class: then the alternative is the likelier one.
    if others[second] >= SECOND_CHOICE * one.probabilities[chosen]:
        likely = float(others[second])
        flags.append(
            Flag(
                code="second_choice_close",
                values={"label": one.label, "second": CLASSES[second], "probability": likely},
            )
        )
    if one.polarity < POLARITY:
        flags.append(Flag(code="polarity_unsure", values={"polarity": one.polarity}))
    return flags


def _place_flags(one: Chromosome, crossed: int, shape: tuple[int, int]) -> list[Flag]:
    flags = []
    if one.instance.score < PROBABLY_PRESENT:
        flags.append(Flag(code="doubtful_object", values={"presence": one.instance.score}))
    if crossed:
        flags.append(Flag(code="crossing", values={"others": crossed}))
    if _at_edge(one, shape):
        flags.append(Flag(code="touches_edge"))
    return flags


def _at_edge(one: Chromosome, shape: tuple[int, int]) -> bool:
    xmin, ymin, xmax, ymax = one.instance.box
    nearest = min(xmin, ymin, shape[1] - xmax, shape[0] - ymax)
    return nearest < EDGE_DISTANCE


def _odd_pairs(chromosomes: Sequence[Chromosome]) -> dict[int, tuple[Flag, ...]]:
    """Flag both homologues of every pair that does not match; X and Y of a male are no homologues."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(chromosomes):
        if one.label != UNSURE:
            members[one.label].append(index)
    flags: dict[int, tuple[Flag, ...]] = {}
    for label, pair in members.items():
        if len(pair) != 2:
            continue
        first, second = (chromosomes[index] for index in pair)
        lengths = sorted((length_of(first), length_of(second)))
        difference = 1 - lengths[0] / max(lengths[1], 1e-6)
        likeness = float(np.minimum(first.probabilities, second.probabilities).sum())
        if difference > LENGTH_DIFFERENCE or likeness < LIKENESS:
            odd = Flag(code="odd_pair", values={"label": label, "difference": difference, "likeness": likeness})
            flags |= dict.fromkeys(pair, (odd,))
    return flags


def length_of(one: Chromosome) -> float:
    """Estimate a chromosome's length, pixels, from area and perimeter, so that bends do not shorten it.

    A band of length l and width w has area l w and perimeter 2 (l + w): l is the larger root of
    l^2 - (perimeter / 2) l + area = 0.
    """
    mask = one.instance.mask
    return _length(np.ascontiguousarray(mask, np.bool_).tobytes(), mask.shape)


# After each command to a cell its flags are found anew, and nearly all of its masks are what they were: lengths of a
# hundred cells are remembered, some megabytes with their masks.
@lru_cache(maxsize=5000)
def _length(pixels: bytes, shape: tuple[int, ...]) -> float:
    mask = np.frombuffer(pixels, np.uint8).reshape(shape)
    borders, _ = cv2.findContours(np.pad(mask, 1), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    half = sum(cv2.arcLength(border, closed=True) for border in borders) / 2 + 2.0
    return float(half / 2 + np.sqrt(max(half**2 / 4 - float(mask.sum()), 0.0)))


def _balance_flags(copies: Mapping[str, int]) -> list[Flag]:
    """Point out that gains, losses and unsure objects of one cell may explain each other."""
    gained = [label for label in CLASSES[:22] if copies[label] > 2]
    lost = [label for label in CLASSES[:22] if copies[label] < 2]
    flags = []
    if gained and lost:
        values = {
            "gains": ", ".join("+" + label for label in gained),
            "losses": ", ".join("-" + label for label in lost),
        }
        flags.append(Flag(code="gain_and_loss", values=values))
    if copies[UNSURE] and (lost or copies["X"] + copies["Y"] < 2):
        flags.append(Flag(code="unsure_objects", values={"unsure": copies[UNSURE]}))
    return flags
