"""What a cell's names add up to where a person called some chromosomes abnormal: "mar", "der(9)", "i(17)(q10)".

A derivative stands in for the normal chromosome that it names, where one of those is missing, and else is one more; a
marker is always one more (ISCN 2024, 5.4.1k, 5.5.12). Without abnormal names all is as `count` has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from consilium.cytogenetics.clones.change import item_key, read_item
from consilium.cytogenetics.iscn.tree import Counted, Rearrangement
from consilium.karyotype.count import (
    AUTOSOMES,
    INCOMPLETE,
    MARKER,
    CellCount,
    changes_of,
    count_cell,
    sex_chromosomes,
)
from consilium.karyotype.editing.labels import abnormal, is_abnormal
from consilium.karyotype.metaphase import CLASSES, UNSURE


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """The names of a cell, sorted.

    Attributes:
        normal: chromosomes of each class that are just that.
        unsure: objects without a name.
        structural: abnormal chromosomes as they stand in a karyotype, with a sign where they are one more.
        filled: chromosomes of each class, those that a derivative stands in for too.
    """

    normal: Counter[str]
    unsure: int
    structural: tuple[str, ...]
    filled: Counter[str]


def tally(labels: Iterable[str], *, level: int = 2) -> Tally:
    """Sort the names of a cell.

    Args:
        labels: one an object: a class, unsure, or an abnormal chromosome.
        level: the ploidy level that is compared with.
    """
    labels = list(labels)
    normal = Counter(label for label in labels if label in CLASSES)
    missing = Counter({label: level - normal[label] for label in AUTOSOMES})
    missing["sex"] = level - normal["X"] - normal["Y"]
    filled = Counter(normal)
    structural = []
    named = (label for label in labels if is_abnormal(label))
    for label in sorted(named, key=lambda one: item_key(abnormal(one))):
        stands_for = _chromosomes(label)
        wanted = Counter("sex" if one in "XY" else one for one in stands_for)
        if stands_for and all(missing[one] >= number for one, number in wanted.items()):
            missing -= wanted
            filled += Counter(stands_for)
            structural.append(label)
        else:
            structural.append(f"+{label}")
    return Tally(normal=normal, unsure=labels.count(UNSURE), structural=tuple(structural), filled=filled)


def count_named(labels: Iterable[str]) -> CellCount:
    """Add up a cell in which chromosomes may have abnormal names; see `count.count_cell`.

    Returns:
        (count, karyotype, gains, losses); `gains` and `losses` are of whole chromosomes.
    """
    labels = list(labels)
    found = tally(labels)
    if not found.structural:
        return count_cell(labels)
    gains, losses = changes_of(found.filled)
    items = Counter(found.structural)
    items.update("+" + label for label in gains if label in AUTOSOMES)
    items.update("-" + label for label in losses if label in AUTOSOMES)
    items["+" + MARKER] += 0 if losses else found.unsure
    ordered = sorted(+items, key=lambda one: item_key(read_item(one)))
    written = [part for one in ordered for part in _copies(one, items[one])]
    if losses and found.unsure:
        written.append(INCOMPLETE)
    sex = sex_chromosomes(found.normal)
    return len(labels), ",".join([str(len(labels)), sex or "?", *written]), gains, losses


def unfinished(labels: Iterable[str]) -> tuple[str, ...]:
    """Abnormal names that no karyotype can be written with, since they lack the breakpoints that ISCN asks for."""
    from consilium.cytogenetics.iscn.validate import validate

    found = dict.fromkeys(label for label in labels if is_abnormal(label))
    return tuple(
        label
        for label in found
        if any(one.rule == "breakpoints-missing" for one in validate(f"47,XX,+{label}").findings)
    )


def _chromosomes(label: str) -> tuple[str, ...]:
    what = abnormal(label).abnormality
    if not isinstance(what, Rearrangement):
        return ()
    names = tuple(one.name for one in what.chromosomes)
    return names if all(one in CLASSES for one in names) else ()


def _copies(written: str, times: int) -> list[str]:
    """One entry of a karyotype, for as many as there are."""
    what = read_item(written).abnormality
    if times == 1:
        return [written]
    if isinstance(what, Counted):
        return [f"+{times}{written[1:]}"] if what.index is None else [written] * times
    return [f"{written}x{times}"] if isinstance(what, Rearrangement) else [written] * times
