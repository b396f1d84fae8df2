"""Recurrent rearrangements of tumours, and a few constitutional ones, found by their breakpoints.

`rearrangements.json` beside this module is a table set down by hand: what is rearranged, at which bands, which genes
meet, which diseases it is known in by the categories of the WHO Classification of Tumours (5th edition), and whether
banding shows it. What is found is a reason to look, never a diagnosis: a band holds hundreds of genes, and the same
breakpoints under the microscope need not be the same fusion.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import Any, Literal

from consilium.cytogenetics.bands import AUTOSOMES
from consilium.cytogenetics.base_pairs import BasePairs, base_pairs
from consilium.errors import InputError


class Exactness(IntEnum):
    """How well breakpoints agree with those of the table, best first; the worst breakpoint decides."""

    SAME = 1
    """The same band."""
    WITHIN = 2
    """One is a finer or coarser writing of the other, or a deletion holds all of the region that is usually lost."""
    OVERLAP = 3
    """An interval, or a deletion, that holds part of it."""
    NEIGHBOUR = 4
    """The next band."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownIn:
    """A disease that a rearrangement is known in.

    Attributes:
        name: in English, with what else has to hold in brackets.
        name_zh: its established Chinese name; None where there is none.
        volume, category: where the WHO classification has it.
        references: its Disease Ontology term, where there is one.
    """

    name: str
    name_zh: str | None
    volume: str
    category: str
    references: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recurrence:
    """A recurrent rearrangement that the asked one agrees with.

    Attributes:
        written: as ISCN writes it, e.g. "t(9;22)(q34.1;q11.2)".
        genes: the fusion or the genes concerned, e.g. "BCR::ABL1"; empty where none is known.
        known_in: the diseases.
        exactness: how well the breakpoints agree.
        variant: whether further chromosomes take part, as in t(3;9;22).
        seen: whether banding shows it plainly, hardly, or not (then another technique is asked for).
        source, licence: where it is from.
    """

    written: str
    genes: str
    known_in: tuple[KnownIn, ...]
    exactness: Exactness
    variant: bool
    seen: Literal["plain", "subtle", "cryptic"]
    source: str
    licence: str


_WHOLE = ("+", "-")
_SAME_KIND = {"der": ("rob", "t"), "rob": ("rob",), "inv": ("inv",)}
# ISCN writes a Robertsonian translocation as der or rob, and a whole-arm one as der or t.
_BREAK = re.compile(r"[pq](?:ter|\d+(?:\.\d+)?)")


@cache
def _table() -> dict[str, Any]:
    text = resources.files("consilium.cytogenetics").joinpath("rearrangements.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


@cache
def _place(chromosome: str, text: str) -> BasePairs:
    """Where a breakpoint lies: "q34", an interval "q21~22", alternatives "q21 or q23", with or without "?".

    Raises:
        InputError: for what is no band of the chromosome.
    """
    points = [point.strip() for point in re.split(r"~|-|\bor\b", text.replace("?", ""))]
    arm = points[0][:1]
    points = [point if point[:1] in ("p", "q") else arm + point for point in points]
    found = [base_pairs(chromosome, point) if _BREAK.fullmatch(point) else None for point in points]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        raise InputError(
            f"{text!r} is no band of chromosome {chromosome}",
            way_out='Bands are written like "q34", "p21.3", "q21~22" or "qter".',
        )
    return BasePairs(min(one.bp_start for one in known), max(one.bp_stop for one in known))


def _compare(asked: BasePairs, known: BasePairs) -> Exactness | None:
    if asked == known:
        return Exactness.SAME
    starts, stops = asked.bp_start - known.bp_start, asked.bp_stop - known.bp_stop
    if starts * stops <= 0:
        return Exactness.WITHIN
    if asked.bp_start <= known.bp_stop and known.bp_start <= asked.bp_stop:
        return Exactness.OVERLAP
    if asked.bp_stop + 1 == known.bp_start or known.bp_stop + 1 == asked.bp_start:
        return Exactness.NEIGHBOUR
    return None


def _breakpoint(chromosome: str, asked: str, known: str) -> Exactness | None:
    """The best agreement with any writing of a breakpoint; the arms have to be the same."""
    asked_place, arm = _place(chromosome, asked), asked.replace("?", "")[:1]
    grades = [
        _compare(asked_place, _place(chromosome, one)) for one in known.split("|") if one[0] == arm or "~" in asked
    ]
    return min((grade for grade in grades if grade is not None), default=None)


def _breakpoints(asked: list[tuple[str, str]], known: list[tuple[str, str]]) -> Exactness | None:
    """Agreement of all breakpoints of the table with different ones of those asked."""
    best: Exactness | None = None
    for chosen in itertools.permutations(asked, len(known)):
        if any(one[0] != other[0] for one, other in zip(chosen, known, strict=True)):
            continue
        grades = [_breakpoint(one[0], one[1], other[1]) for one, other in zip(chosen, known, strict=True)]
        good = [grade for grade in grades if grade is not None]
        if len(good) == len(grades) and (best is None or max(good) < best):
            best = max(good)
    return best


def _lost(chromosome: str, points: Sequence[str]) -> BasePairs:
    """What a deletion takes away: between two breakpoints, or from one to the end of its arm."""
    places = [_place(chromosome, point) for point in points]
    if len(points) == 1:
        places.append(_place(chromosome, points[0].replace("?", "")[:1] + "ter"))
    return BasePairs(min(one.bp_start for one in places), max(one.bp_stop for one in places))


def _deletion(chromosome: str, asked: Sequence[str], known: Sequence[str]) -> Exactness | None:
    asked_place, known_place = _lost(chromosome, asked), _lost(chromosome, known)
    grade = _compare(asked_place, known_place)
    if grade is Exactness.WITHIN and asked_place.bp_start > known_place.bp_start:
        return Exactness.OVERLAP  # only part of what is usually lost
    if grade is Exactness.WITHIN and asked_place.bp_stop < known_place.bp_stop:
        return Exactness.OVERLAP
    return None if grade is Exactness.NEIGHBOUR else grade


def _agrees(kind: str, chromosomes: Sequence[str], points: Sequence[str], row: list[Any]) -> Exactness | None:
    its_kind, its_chromosomes, its_points, genes = row[:4]
    if its_kind not in _SAME_KIND.get(kind, (kind,)):
        return None
    if its_kind in _WHOLE:
        return Exactness.SAME if list(chromosomes) == its_chromosomes else None
    if its_kind == "del" and "::" not in genes:
        return _deletion(chromosomes[0], points, its_points) if chromosomes[0] == its_chromosomes[0] else None
    asked = list(zip(_spread(chromosomes, points), points, strict=True))
    known = list(zip(_spread(its_chromosomes, its_points), its_points, strict=True))
    if len(asked) < len(known):
        return None
    grade = _breakpoints(asked, known)
    # The arms of an isochromosome or of a whole-arm translocation are not a matter of more or less.
    centromeric = any(point in ("p10", "q10") for point in its_points)
    return None if centromeric and grade is not Exactness.SAME else grade


def _spread(chromosomes: Sequence[str], points: Sequence[str]) -> list[str]:
    """The chromosome of each breakpoint: inv(3)(q21q26) has one chromosome and two."""
    return list(chromosomes) * (len(points) if len(chromosomes) == 1 else 1)


def _written(kind: str, chromosomes: Sequence[str], points: Sequence[str]) -> str:
    if kind in _WHOLE:
        return kind + chromosomes[0]
    between = ";" if len(chromosomes) > 1 else ""
    return f"{kind}({';'.join(chromosomes)})({between.join(point.split('|')[0] for point in points)})"


def rearrangement(kind: str, chromosomes: Sequence[str], bands: Sequence[str] = ()) -> tuple[Recurrence, ...]:
    """The recurrent rearrangements that breakpoints agree with.

    Args:
        kind: as ISCN abbreviates it: "t", "inv", "del", "i", "idic", "dic", "der" or "rob"; "+" or "-" for a whole
            chromosome more or less.
        chromosomes: those that take part, in any order: ("9", "22"); one for an inversion or a deletion.
        bands: one for each chromosome in the same order, or those of the one chromosome: ("q34", "q11.2"). An interval
            ("q21~22"), alternatives ("q21 or q23") and a question mark may stand in it. A deletion with one band goes
            to the end of the arm.

    Returns:
        The best agreement first, each saying how exact it is. A three-way translocation finds the two-way ones in it,
        marked as variants. Empty where none is known.

    Raises:
        InputError: for an unknown chromosome, a band that it does not have, or bands that do not go with the
            chromosomes.
    """
    for chromosome in chromosomes:
        if chromosome not in (*AUTOSOMES, "X", "Y"):
            raise InputError(f"{chromosome!r} is no chromosome", way_out="Chromosomes are 1 to 22, X and Y.")
    if (
        not chromosomes
        or (len(chromosomes) > 1 and len(bands) != len(chromosomes))
        or (kind not in _WHOLE and not bands)
    ):
        raise InputError(
            f"{kind}({';'.join(chromosomes)}) with {len(bands)} bands cannot be looked up",
            way_out="Give one band for each chromosome, or those of the one chromosome.",
        )
    if kind in _WHOLE and (bands or len(chromosomes) > 1):
        raise InputError(f"{kind} is for one whole chromosome", way_out="Give one chromosome and no bands.")
    for chromosome, point in zip(_spread(chromosomes, bands), bands, strict=True):
        _place(chromosome, point)  # a wrong band is an error even where no row is compared with it
    table = _table()
    found = []
    for row in table["rearrangements"]:
        exactness = _agrees(kind, chromosomes, bands, row)
        if exactness is None:
            continue
        found.append(
            Recurrence(
                written=_written(*row[:3]),
                genes=row[3],
                known_in=tuple(_known_in(key) for key in row[4]),
                exactness=exactness,
                variant=len(chromosomes) > len(row[1]),
                seen=row[5],
                source=table["source"],
                licence=table["licence"],
            )
        )
    return tuple(sorted(found, key=lambda one: one.exactness))


@cache
def _known_in(key: str) -> KnownIn:
    table = _table()
    name, name_zh, term, _, volume, category = table["diseases"][key]
    return KnownIn(
        name=name,
        name_zh=name_zh,
        volume=table["volumes"][volume],
        category=category,
        references=(term,) if term else (),
    )
