"""No single fault passes: right strings of the corpus, each made wrong in one place, by families of faults.

Every mutant is wrong by construction; the docstring of its family says why. What may give another right string is left
out (a breakpoint less of an interstitial deletion makes a terminal one, a sign turned in a composite karyotype is
another finding). A mutant is caught when an error or a warning is told.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations

import pytest

from consilium.cytogenetics.bands import AUTOSOMES, bands
from consilium.cytogenetics.iscn.parse import parse
from consilium.cytogenetics.iscn.tree import (
    Counted,
    Incomplete,
    Item,
    Landmark,
    Line,
    Node,
    Rearrangement,
    Reference,
    Result,
    Sex,
    Span,
    Whole,
)
from consilium.cytogenetics.iscn.validate import validate
from tests.cytogenetics.iscn.test_corpus import RIGHT, as_typed

MUTANTS = 200
"""Of each family."""

Family = Callable[[str, Result], Iterator[str]]

FAMILIES: dict[str, Family] = {}

_CHROMOSOMES = ("X", "Y", *AUTOSOMES)
_RANK = {name: at for at, name in enumerate(_CHROMOSOMES)}


def family(function: Family) -> Family:
    FAMILIES[function.__name__] = function
    return function


def edited(text: str, span: Span, by: str) -> str:
    return text[: span.start] + by + text[span.end :]


def said(text: str, node: Node) -> str:
    return text[node.span.start : node.span.end]


def lines_of(result: Result) -> list[Line]:
    return [line for person in result.persons for line in person]


def items_of(line: Line) -> list[Item]:
    """The entries that are not one of several alternatives."""
    later = line.doubled.items if line.doubled is not None else ()
    return [several[0] for several in (*line.items, *later) if len(several) == 1]


def changes_of(result: Result) -> list[Rearrangement]:
    """All structural changes, those within derivatives too."""
    whole = [item.abnormality for line in lines_of(result) for item in items_of(line)]
    return [one for what in whole if isinstance(what, Rearrangement) for one in (what, *what.then)]


def composite(line: Line) -> bool:
    return line.cells is not None and line.cells.composite


def adds_up(line: Line) -> bool:
    """Whether the number of chromosomes follows from the entries exactly."""
    uncertain = any(
        len(several) > 1
        or isinstance(item.abnormality, Incomplete)
        or (isinstance(item.abnormality, Counted) and item.abnormality.number and item.abnormality.number.high)
        for several in line.items
        for item in several
    )
    return not composite(line) and line.count.high is None and not uncertain


@family
def count(text: str, result: Result) -> Iterator[str]:
    """Another number of chromosomes than the entries make (5.1c)."""
    for line in lines_of(result):
        if adds_up(line):
            for by in (-3, -2, -1, 1, 2, 3):
                yield edited(text, line.count.span, str(line.count.low + by))


@family
def order_of_items(text: str, result: Result) -> Iterator[str]:
    """Two entries of different chromosomes change places, or one with a chromosome and an unidentified one (4.3)."""

    def rank(item: Item) -> int:
        what = item.abnormality
        if isinstance(what, Whole):
            return _RANK[what.chromosome]
        if isinstance(what, Rearrangement):
            return _RANK.get(what.chromosomes[0].name, len(_RANK))
        return len(_RANK) + (2 if isinstance(what, Incomplete) else 1)

    for line in lines_of(result):
        for one, other in combinations([several[0] for several in line.items if len(several) == 1], 2):
            if rank(one) < rank(other):
                first, second = said(text, one), said(text, other)
                yield edited(edited(text, other.span, first), one.span, second)


@cache
def names_on(chromosome: str, arm: str) -> frozenset[str]:
    """All that a place on an arm may be called: bands at all levels, regions, and the whole arm."""
    found = {"10", "ter"}
    for band in bands(chromosome, 850):
        if band.arm == arm:
            found |= {band.name[:length] for length in range(1, len(band.name) + 1)}
    return frozenset(found)


def _no_bands(chromosome: str, arm: str) -> Iterator[str]:
    for name in ("49", "38", "29", "19", "5", "11.9", "48.3"):
        if name not in names_on(chromosome, arm):
            yield arm + name


@family
def band(text: str, result: Result) -> Iterator[str]:
    """A band that the ideogram does not have at any resolution (4.4.4a)."""
    for what in changes_of(result):
        for name, on_one in zip(what.chromosomes, what.breakpoints, strict=False):
            if name.name == "?" or name.others or name.doubtful:
                continue
            for one in on_one:
                for point in one.points:
                    if point.arm and not point.doubtful:
                        for wrong in _no_bands(name.name, point.arm):
                            yield edited(text, point.span, wrong)


@family
def order_of_partners(text: str, result: Result) -> Iterator[str]:
    """The chromosomes of a change in another order (5.4.1i), with their breakpoints or without; or pter after qter.

    Of three partners a round that starts elsewhere says the same, but not lowest first; insertions name the recipient
    first and are left out, as is psu dic, which names the active centromere first.
    """
    for what in changes_of(result):
        names = [one.name for one in what.chromosomes]
        two = what.kind in ("t", "dic", "tas", "dic r", "rob") and len(names) >= 2
        if (two or (what.kind == "der" and len(names) == 2)) and names[0] != names[-1] and "?" not in names:
            start, end = what.chromosomes[0].span.start, what.chromosomes[-1].span.end
            turned = (*names[1:], names[0]) if what.kind == "t" else tuple(reversed(names))
            if _RANK[turned[0]] > min(map(_RANK.__getitem__, names)):
                yield edited(text, Span(start, end), ";".join(turned))
                if what.breakpoints and all(what.breakpoints):
                    told = ["".join(said(text, one) for one in on_one) for on_one in what.breakpoints]
                    moved = [*told[1:], told[0]] if what.kind == "t" else told[::-1]
                    places = Span(what.breakpoints[0][0].span.start, what.breakpoints[-1][-1].span.end)
                    after = edited(text, places, ";".join(moved))
                    yield edited(after, Span(start, end), ";".join(turned))
        if what.kind in ("del", "inv", "r") and len(names) == 1 and what.breakpoints and len(what.breakpoints[0]) == 2:
            one, other = what.breakpoints[0]
            if said(text, one) != said(text, other):
                places = Span(one.span.start, other.span.end)
                yield edited(text, places, said(text, other) + said(text, one))


@family
def breakpoints(text: str, result: Result) -> Iterator[str]:
    """A breakpoint too few or too many, or parted by another sign than the semicolon (5.4.1a, g, h).

    A terminal deletion differs from an interstitial one by a breakpoint: deletions are only parted wrongly.
    """
    for what in changes_of(result):
        known = what.breakpoints and "?" not in said(text, what)
        if not known:
            continue
        flat = [one for on_one in what.breakpoints for one in on_one]
        places = Span(flat[0].span.start, flat[-1].span.end)
        told = text[places.start : places.end]
        counted = what.kind in ("t", "dup", "inv", "trp", "qdp", "dic", "i", "add", "idic", "fra") or (
            what.kind in ("r", "ins") and len(what.chromosomes) == 1
        )
        if counted:
            for on_one in what.breakpoints:
                last = on_one[-1]
                yield edited(text, Span(last.span.end, last.span.end), said(text, last))
                if len(on_one) > 1:
                    yield edited(text, last.span, "")
        if len(what.breakpoints) > 1:
            for sign in ("", ",", ":", "-", " ", "/"):
                yield edited(text, places, told.replace(";", sign, 1))
        elif len(flat) > 1:
            first, rest = flat[0].span.end, text[flat[0].span.end : places.end]
            for sign in (";", ",", ":", " ", "_"):
                yield edited(text, Span(first, places.end), sign + rest)


@family
def sign(text: str, result: Result) -> Iterator[str]:
    """A sign left out, turned round, or written where none may stand (5.1f, 5.5.12c, h).

    In a composite karyotype only a sign left out of a normal chromosome or a marker is surely wrong.
    """
    for line in lines_of(result):
        for item in items_of(line):
            what = item.abnormality
            at = Span(item.span.start, item.span.start + 1)
            if isinstance(what, Counted) and what.kind == "dmin":
                yield edited(text, Span(at.start, at.start), "+")
                yield edited(text, Span(at.start, at.start), "-")
            elif item.sign and isinstance(what, Whole | Counted):
                yield edited(text, at, "")
            if not adds_up(line) or line.doubled is not None or (isinstance(what, Counted) and what.kind == "dmin"):
                continue
            if item.sign == "+":
                yield edited(text, at, "-")
                if isinstance(what, Rearrangement) and what.chromosomes[0].name not in ("X", "Y"):
                    yield edited(text, at, "")  # "47,XY,i(X)(q10)" is right (5.5.11)
            elif isinstance(what, Whole) and item.sign == "-" and what.chromosome not in "XY":
                yield edited(text, at, "+")
            elif isinstance(what, Rearrangement) and not item.sign:
                yield edited(text, Span(at.start, at.start), "+")
                yield edited(text, Span(at.start, at.start), "-")


@family
def sex(text: str, result: Result) -> Iterator[str]:
    """A sex chromosome too many or too few, none at all, or Y before X; the number is left as it was (4.2.1a, b)."""
    for line in lines_of(result):
        base = line.base
        if not isinstance(base, Sex) or base.chromosomes in ("U", "?") or base.doubtful:
            continue
        told, c = base.chromosomes, "c" if base.constitutional else ""
        if "X" in told and "Y" in told:
            yield edited(text, base.span, "".join(sorted(told, reverse=True)) + c)
        if line.items:
            concerned = any(
                getattr(item.abnormality, "chromosome", "") in ("X", "Y")
                or any(one.name in ("X", "Y") for one in getattr(item.abnormality, "chromosomes", ()))
                for several in line.items
                for item in several
            )
            if not concerned:
                yield edited(text, Span(base.span.start, base.span.end + 1), "")
        if not adds_up(line):
            continue
        for other in (told + "Y", "X" + told, "X" + told + "Y", "XX" + told):
            yield edited(text, base.span, "".join(sorted(other)) + c)
        if len(told) > 1:
            yield edited(text, base.span, told[0] + c)


@family
def copies(text: str, result: Result) -> Iterator[str]:
    """Copies that are none (x0, x1), of normal chromosomes, more than there are chromosomes, or not in the number."""
    for line in lines_of(result):
        for item in items_of(line):
            what = item.abnormality
            if item.copies is not None:
                for wrong in ("0", "1"):
                    yield edited(text, Span(item.copies.span.end - 1, item.copies.span.end), wrong)
            elif not item.origins and item.cells is None:
                end = Span(item.span.end, item.span.end)
                if isinstance(what, Whole):
                    yield edited(text, end, "x2")
                elif isinstance(what, Rearrangement):
                    yield edited(text, end, "x1")
                    if adds_up(line) and item.sign == "+" and line.doubled is None:
                        yield edited(text, end, "x2")
                    autosomal = all(one.name in AUTOSOMES and not one.others for one in what.chromosomes)
                    if not item.sign and not composite(line) and autosomal and isinstance(line.base, Sex):
                        yield edited(text, end, "x9")


@family
def cells(text: str, result: Result) -> Iterator[str]:
    """Numbers of cells that are none, left out of one line, of one item outside cp, too high, or too few for a clone.

    One cell is no clone where one line alone is abnormal, not by what is inherited, and nothing else is told (4.5.1b).
    """
    lines = lines_of(result)
    abnormal = [line for line in lines if line.items or line.doubled or isinstance(line.base, Reference)]
    for line in lines:
        if line.cells is None:
            continue
        number = Span(line.cells.span.start, line.cells.span.end)
        yield edited(text, number, "[0]")
        if len(lines) > 1:
            yield edited(text, number, "")
        if composite(line):
            yield edited(text, number, "[cp1]")
        for item in items_of(line):
            end = item.span.end
            if item.cells is not None:
                yield edited(text, item.cells.span, f"[{line.cells.number + 7}]")
            elif not composite(line) and item.span.end < line.cells.span.start:
                yield edited(text, Span(end, end), "[2]")
        acquired = [item for item in items_of(line) if not item.origins]
        if abnormal == [line] and acquired and not result.techniques and not composite(line):
            yield edited(text, number, "[1]")
            if all(item.sign == "-" for item in items_of(line)) and len(lines) > 1:
                yield edited(text, number, "[2]")


def _normal(line: Line) -> bool:
    return not line.items and isinstance(line.base, Sex) and line.base.chromosomes in ("XX", "XY")


@family
def order_of_clones(text: str, result: Result) -> Iterator[str]:
    """The normal line first, idem beside sl, a clone that refers to nothing (4.5.3e, 6.3.4a, c, e).

    Persons are not exchanged: which of them gave is not told by the string.
    """
    for person in result.persons:
        told = [said(text, line) for line in person]
        whole = Span(person[0].span.start, person[-1].span.end) if person else Span(0, 0)
        refers = [line.base for line in person if isinstance(line.base, Reference)]
        if len(person) > 1 and _normal(person[-1]) and not _normal(person[0]):
            yield edited(text, whole, "/".join([told[-1], *told[:-1]]))
        if refers and isinstance(person[1].base, Reference):
            yield edited(text, whole, "/".join([told[1], told[0], *told[2:]]))
        if len(refers) > 1:
            for base in refers:
                yield (
                    edited(text, base.span, said(text, base).replace("idem", "sl"))
                    if base.kind == "idem"
                    else (
                        edited(text, Span(base.span.start, base.span.start + (3 if base.kind == "sdl" else 2)), "idem")
                        if base.index is None
                        else edited(text, base.span, "idem")
                    )
                )
        for base in refers:
            for index in (7, 8, 9):
                yield edited(text, base.span, f"sdl{index}")
        if refers or not person or person[0].cells is None or not person[0].items or composite(person[0]):
            continue
        number, end = person[0].count.low, Span(person[0].span.end, person[0].span.end)
        if person[0].doubled is None and person[0].count.high is None:
            yield edited(text, end, f"/{number + 1},idem,+16[3]/{number + 1},sl,+19[3]")
            yield edited(text, end, f"/{number + 1},sdl,+16[3]")
            start = Span(person[0].span.start, person[0].span.start)
            yield edited(text, start, f"{number + 1},idem,+16[3]/")


@family
def derivative(text: str, result: Result) -> Iterator[str]:
    """A head that takes part in no change of its derivative, or a change that nothing links to it (5.5.3d, f)."""
    for what in changes_of(result):
        named = {name.name for one in (what, *what.then) for name in one.chromosomes}
        whole_arms = what.kind == "der" and what.breakpoints
        if what.kind not in ("der", "ider") or not what.then or "?" in named or whole_arms:
            continue
        strange = [name for name in AUTOSOMES if name not in named]
        head = what.chromosomes[0]
        for name in strange[:4]:
            yield edited(text, head.span, name)
        end = Span(what.span.end, what.span.end)
        for one, other in (strange[3:5], strange[8:10]):
            yield edited(text, end, f"t({one};{other})(q22;q13)")


@family
def detailed(text: str, result: Result) -> Iterator[str]:
    """In the detailed system: an unknown band, a number left out or repeated, a break without its sign (5.4.2.2)."""
    for what in changes_of(result):
        if not what.strands:
            continue
        for strand in what.strands:
            marks = [
                mark
                for piece in strand.pieces
                for mark in (piece.start, *piece.via, piece.end)
                if isinstance(mark, Landmark)
            ]
            heads = [one.name for one in what.chromosomes]
            several = (
                len({mark.chromosome or heads[0] for one in what.strands for mark in _marks(one)} | set(heads)) > 1
            )
            for mark in marks:
                if not mark.point.arm or mark.point.doubtful:
                    continue
                chromosome = mark.chromosome or heads[0]
                if not mark.point.text.endswith("ter") and chromosome != "?":
                    for wrong in list(_no_bands(chromosome, mark.point.arm))[:2]:
                        yield edited(text, mark.point.span, wrong)
                if several and mark.chromosome:
                    yield edited(text, mark.span, mark.point.text)
                elif not mark.chromosome and what.kind in ("del", "inv", "dup", "i", "idic", "r", "add", "trp", "hsr"):
                    yield edited(text, mark.span, heads[0] + mark.point.text)
            start, end = strand.span
            if strand.breaks[0] == ":":
                yield edited(text, Span(start, start + 1), "")
            if strand.breaks[-1] == ":":
                yield edited(text, Span(end - 1, end), "")
            if strand.breaks[0] == strand.breaks[-1] == "::":
                yield edited(text, Span(start, start + 2), "")
                yield edited(text, Span(end - 2, end), "")
            told = text[start:end]
            if "::" in strand.breaks[1:-1]:
                inner = told.index("::", 2 if strand.breaks[0] == "::" else 0)
                doubted = "?" in told[max(inner - 1, 0) : inner + 3]  # "q21?" is a band told apart no further
                for by in (":", ":::", *(() if doubted else ("",))):
                    yield edited(text, Span(start + inner, start + inner + 2), by)
            if "->" in told:
                at = start + told.index("->")
                for by in ("-", ">", "<-", "=>"):
                    yield edited(text, Span(at, at + 2), by)


def _marks(strand: object) -> Iterator[Landmark]:
    for piece in strand.pieces:  # type: ignore[attr-defined]
        yield piece.start
        if piece.end is not None:
            yield piece.end


@family
def inheritance(text: str, result: Result) -> Iterator[str]:
    """Two origins that exclude each other, or part of a parent's change where nothing can be a part (4.2.1g, h)."""
    for line in lines_of(result):
        for item in items_of(line):
            what = item.abnormality
            if item.origins or item.cells is not None or isinstance(what, Incomplete):
                continue
            end = Span(item.span.end, item.span.end)
            space = " " if isinstance(what, Counted) else ""
            if isinstance(what, Counted) and what.kind == "dmin":
                continue
            for pair in ("mat pat", "pat mat", "dn mat", "dn pat", "inh dn"):
                yield edited(text, end, space + pair)
            if isinstance(what, Whole) or (isinstance(what, Rearrangement) and what.kind in ("t", "inv", "ins")):
                for part in ("dmat", "dpat", "dinh"):
                    yield edited(text, end, part)


@family
def punctuation(text: str, result: Result) -> Iterator[str]:
    """A comma, bracket, slash or space too many or too few: none of these is foreseen by 4.4.1 and chapter 3."""
    if result.techniques:
        return
    for ending in (",", ";", ".", "/", ")", "]", " ,"):
        yield text + ending
    for at, letter in enumerate(text):
        before, after = text[:at], text[at + 1 :]
        if letter == ",":
            yield before + ", " + after
            yield before + ",," + after
            yield before + ";" + after
            yield before + after
        elif letter in "()[]":
            yield before + after
            yield before + letter * 2 + after
        elif letter == ";":
            yield before + "," + after
        elif letter in "+-":
            yield before + letter + " " + after
        elif letter in "XY" and before.endswith(","):
            yield before + letter.lower() + after


@family
def spaces(text: str, result: Result) -> Iterator[str]:
    """A space before an origin that stands behind a bracket or a number, or none behind a bare abbreviation (4.4.1)."""
    for line in lines_of(result):
        for item in items_of(line):
            if isinstance(item.abnormality, Incomplete) or result.techniques:
                continue
            end = Span(item.span.end if item.cells is None else item.cells.span.start, 0)
            at = end.start - sum(map(len, item.origins))
            if len(item.origins) == 1:
                bare = text[at - 1] == " "
                yield edited(text, Span(at - 1 if bare else at, at), "" if bare else " ")
            elif not item.origins and not isinstance(item.abnormality, Counted):
                for origin in ("mat", "pat", "dn", "c"):
                    yield edited(text, Span(end.start, end.start), " " + origin)


@family
def another_reading(text: str, result: Result) -> Iterator[str]:
    """Behind "or" the same with another number of chromosomes: each reading is held to the rules (5.1c, 6.4c)."""
    first = result.persons[0][0] if result.persons[0] else None
    outer = None if first is None else first.doubled.count if first.doubled else first.count
    if result.techniques or result.others or first is None or outer is None or outer.low < 26 or not adds_up(first):
        return
    for by in (-3, -2, -1, 1, 2, 3):
        yield f"{text} or {edited(text, outer.span, str(outer.low + by))}"


@cache
def mutants(name: str) -> tuple[str, ...]:
    """All of a family, in an order drawn by a fixed seed."""
    right = {as_typed(entry.string) for entry in RIGHT}
    found = {mutant for text in sorted(right) for mutant in FAMILIES[name](text, parse(text))} - right
    return tuple(random.Random(name).sample(sorted(found), len(found)))


def passes(text: str) -> bool:
    return all(finding.severity == "note" for finding in validate(text).findings)


@pytest.mark.parametrize("name", FAMILIES)
def test_no_fault_of_a_family_passes(name: str) -> None:
    drawn = mutants(name)[:MUTANTS]
    assert len(drawn) == MUTANTS
    assert [text for text in drawn if passes(text)] == []
