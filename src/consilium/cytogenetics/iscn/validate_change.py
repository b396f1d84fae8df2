"""Rules of one structural change: its chromosomes, bands and breakpoints; derivatives; the detailed system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from consilium.cytogenetics.bands import LEVELS, bands
from consilium.cytogenetics.iscn.order import along, before, change, rank
from consilium.cytogenetics.iscn.places import UnknownBand, length, resolve
from consilium.cytogenetics.iscn.rules import Finding
from consilium.cytogenetics.iscn.tree import (
    Breakpoint,
    ChromosomeName,
    Counted,
    Incomplete,
    Item,
    Landmark,
    Piece,
    Point,
    Rearrangement,
    Span,
    Strand,
    Whole,
)
from consilium.cytogenetics.iscn.write import abnormality as write_change

_OBSOLETE = {
    "inv dup": "dup (bands in reverse order), or idic", "dir dup": "dup", "inv ins": "ins (bands in reverse order)",
    "dir ins": "ins", "dicr": "dic r", "der psu dic": "der", "der dic": "der", "psu": "psu dic",
    "tan": "trp, qdp or hsr", "tri": "trp", "upd": "a technique that shows it, as text",
}  # fmt: skip

_ONE = frozenset(
    {"add", "del", "dup", "trp", "qdp", "inv", "i", "idic", "psu idic", "fis", "fra", "ider", "rec", "neo"}
)
_TWO = frozenset({"dic", "psu dic", "dic r", "rob"})
_THREE = frozenset({"trc", "psu trc", "trc r"})
_SEVERAL = frozenset({"t", "tas"})

_BREAKS = {
    "add": (1,), "del": (1, 2), "dup": (2,), "trp": (2,), "qdp": (2,), "inv": (2,), "i": (1,), "idic": (1,),
    "psu idic": (1,), "fis": (1,), "fra": (1,), "ider": (1,), "dic": (1,), "psu dic": (1,), "rob": (1,), "t": (1,),
    "hsr": (1,), "dic r": (2,), "trc r": (2,), "r": (2,),
}  # fmt: skip

_CENTROMERIC = frozenset({"p10", "q10", "cen"})
_ACROCENTRIC = frozenset({"13", "14", "15", "21", "22"})
_WITHIN = frozenset({"del", "dup", "inv", "add", "i", "trp", "qdp", "hsr", "fra", "idic"})


@dataclass(slots=True)
class Told:
    """What has been named in the string so far with its breakpoints; they need not be repeated (4.2.1f, 5.1s)."""

    changes: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    chromosomes: set[str] = field(default_factory=set)

    def remember(self, what: Rearrangement) -> None:
        """Take note of a change and of the chromosomes in it."""
        self.changes.add(_key(what))
        self.chromosomes.update(one.name for one in what.chromosomes)


def judge_change(text: str, item: Item, told: Told) -> Iterator[Finding]:
    """The rules that an item breaks as a structural change, and those of its inheritance."""
    what = item.abnormality
    yield from _inheritance(text, item)
    if not isinstance(what, Rearrangement):
        return
    heads = ("der", "ider", "rec")
    second = next((one for one in what.then if what.kind not in heads or one.kind in heads), None)
    if second is not None:
        yield Finding("derivative-missing", second.span, (("text", _said(text, second)), ("kind", what.kind)))
    for one in (what, *what.then):
        yield from _one(text, one, told, first=one is what, removed=item.sign == "-")
    if what.kind in ("der", "ider", "rec"):
        yield from _derivative(text, item, what, told)
    for one in (what, *what.then):
        if one.breakpoints or one.strands:
            told.remember(one)
    if what.then or what.strands or what.breakpoints:
        told.changes.add((what.kind, tuple(one.name for one in what.chromosomes)))


def _key(what: Rearrangement) -> tuple[str, tuple[str, ...]]:
    return what.kind, tuple(one.name for one in what.chromosomes)


def _edit(text: str, span: Span, by: str) -> str:
    return text[: span.start] + by + text[span.end :]


def _said(text: str, what: Rearrangement) -> str:
    return text[what.span.start : what.span.end]


def _inheritance(text: str, item: Item) -> Iterator[Finding]:
    if isinstance(item.abnormality, Incomplete):
        return
    if len(item.origins) > 1:
        yield Finding("inheritance-twice", item.span, (("text", text[item.span.start : item.span.end]),))
    what = item.abnormality
    balanced = isinstance(what, Whole | Counted) or (
        isinstance(what, Rearrangement) and what.kind in ("t", "inv", "ins")
    )
    for origin in item.origins:
        if origin in ("dmat", "dpat", "dinh") and balanced:
            whole = text[item.span.start : item.span.end]
            today = whole.replace(origin, origin[1:])
            yield Finding(
                "inheritance-part", item.span, (("origin", origin), ("today", today)), _edit(text, item.span, today)
            )
    inherited = set(item.origins) & {"dmat", "dpat", "dinh", "mat", "pat", "inh"}
    if isinstance(what, Rearrangement) and what.kind == "rec" and not inherited:
        yield Finding("recombinant", item.span)


def _one(text: str, what: Rearrangement, told: Told, *, first: bool, removed: bool) -> Iterator[Finding]:
    if what.kind in _OBSOLETE:
        yield Finding("abbreviation", what.span, (("kind", what.kind), ("today", _OBSOLETE[what.kind])))
    wrong = list(_chromosomes(text, what, first=first))
    yield from wrong
    if any(finding.rule == "chromosomes" for finding in wrong):
        return
    if what.strands:
        yield from _detailed(text, what)
    elif what.breakpoints:
        yield from _breakpoints(text, what, first=first)
    elif not removed and _needs_places(what, first=first) and _key(what) not in told.changes:
        yield Finding("breakpoints-missing", what.span, (("text", _said(text, what)),))


def _needs_places(what: Rearrangement, *, first: bool) -> bool:
    """Whether a change has to say where, the first time it is named; a ring need not, and heads of derivatives do not.

    After rec stands what is doubled or lost without a place: "rec(6)dup(6p)inv(6)(p22q25)" (5.4.3.2c).
    """
    unknown = all(one.name == "?" for one in what.chromosomes)
    if unknown or what.kind in ("der", "rec", "r") or (what.kind == "ider" and not first):
        return False
    return first or what.kind not in ("dup", "del")


def _chromosomes(text: str, what: Rearrangement, *, first: bool) -> Iterator[Finding]:
    names = [one.name for one in what.chromosomes]
    found, wanted = len(names), ""
    if what.kind in _ONE and found != 1:
        wanted = "1"
    elif what.kind == "r" and first and found != 1:
        wanted = "1 (der(...)r(...), dic r(...))"
    elif what.kind in _TWO and found != 2:
        wanted = "2"
    elif what.kind in _THREE and found != 3:
        wanted = "3"
    elif what.kind in _SEVERAL and found < 2:
        wanted = "2+"
    elif what.kind == "hsr" and first and found != 1:
        wanted = "1"
    if wanted:
        yield Finding("chromosomes", what.span, (("kind", what.kind), ("found", str(found)), ("wanted", wanted)))
        return
    if what.kind == "rob":
        for one in what.chromosomes:
            if one.name not in _ACROCENTRIC and one.name != "?":
                yield Finding("acrocentric", one.span, (("chromosome", one.name),))
    yield from _partner_order(text, what)


def _partner_order(text: str, what: Rearrangement) -> Iterator[Finding]:
    names = [one.name for one in what.chromosomes]
    if len(names) < 2 or "?" in names:
        return
    mended: Rearrangement | None = None
    if what.kind in ("t", "dic", "dic r"):
        mended = change(replace(what, then=()))
        if what.strands:
            mended = what if rank(names[0]) <= min(map(rank, names)) else None
            if mended is None:
                yield Finding("partner-order", what.span, (("today", "; ".join(sorted(names, key=rank))),))
            return
    elif what.kind in ("der", "rob", "trc", "trc r", "tas") and rank(names[0]) > rank(names[-1]):
        turned = tuple(tuple(reversed(on_one)) for on_one in reversed(what.breakpoints))
        mended = replace(what, chromosomes=what.chromosomes[::-1], breakpoints=turned, then=())
    elif what.kind == "ins" and len(what.breakpoints) == len(names) and all(len(on) == 2 for on in what.breakpoints):
        if rank(names[0]) > min(map(rank, names)):
            yield Finding("partner-order", what.span, (("today", "; ".join(sorted(names, key=rank))),))
        return
    if mended is not None and [one.name for one in mended.chromosomes] != names:
        own = Span(what.span.start, what.then[0].span.start) if what.then else what.span
        today = write_change(mended)
        yield Finding("partner-order", what.span, (("today", today),), _edit(text, own, today))


def _breakpoints(text: str, what: Rearrangement, *, first: bool) -> Iterator[Finding]:
    if len(what.breakpoints) != len(what.chromosomes):
        parts = (("found", str(len(what.chromosomes))), ("parts", str(len(what.breakpoints))))
        yield Finding("breakpoints-parted", what.span, parts)
        return
    for at, (name, on_one) in enumerate(zip(what.chromosomes, what.breakpoints, strict=True)):
        unknown = any(point.text in ("?", "p?", "q?", "?p", "?q") for one in on_one for point in one.points)
        wanted = _wanted(what, at)
        if wanted and len(on_one) not in wanted and not unknown:
            values = (
                ("kind", what.kind), ("found", str(len(on_one))), ("chromosome", name.name),
                ("wanted", "/".join(map(str, wanted))),
            )  # fmt: skip
            yield Finding("breakpoints", what.span, values)
            return
        for one in on_one:
            yield from _bands(text, what, name, one)
    if len(what.chromosomes) == 1:
        yield from _within_one(text, what)
    if what.kind == "tas":
        yield from _telomeres(what)
    yield from _centromeres(text, what, first=first)


def _wanted(what: Rearrangement, at: int) -> tuple[int, ...]:
    several = len(what.chromosomes)
    if what.kind == "ins":
        if several == 1:
            return (3,)
        return (1, 2) if several == 2 and at == 0 else (2,)
    if what.kind in ("trc", "psu trc"):
        return (2,) if at == 1 else (1,)
    if what.kind == "tas":
        return (1,) if at in (0, several - 1) else (2,)
    if what.kind in ("der", "rec"):
        return (1,) if several > 1 else (0,)
    return _BREAKS.get(what.kind, ())


def _bands(text: str, what: Rearrangement, name: ChromosomeName, one: Breakpoint) -> Iterator[Finding]:
    if name.name == "?" or name.doubtful or name.others:
        return
    first = one.points[0]
    if one.relation == "-" and one.points[1].arm:
        # Without the second arm it is one band that is not resolved at 300 bphs ("q14-22"; 5.4.1d).
        tilde = text[one.span.start : one.span.end].replace("-", "~")
        yield Finding("interval-sign", one.span, (("text", tilde),), _edit(text, one.span, tilde))
    arms = {point.arm for point in one.points if point.arm}
    if one.relation in ("~", "-") and len(arms) > 1:
        yield Finding("breakpoint-interval", one.span, (("text", text[one.span.start : one.span.end]),))
        return
    for point in one.points:
        written = point.text if point.arm or not point.text[:1].isdigit() else first.arm + point.text
        if written.endswith("ter"):
            today = None
            on_it = what.breakpoints[0]
            if len(what.chromosomes) == 1 and what.kind == "del" and len(on_it) == 2:
                kept = tuple(other for other in on_it if other is not one)
                today = write_change(replace(what, breakpoints=(kept,), then=()))
            own = Span(what.span.start, what.then[0].span.start) if what.then else what.span
            yield Finding(
                "breakpoint-terminal",
                point.span,
                (("today", today or "..."),),
                _edit(text, own, today) if today else None,
            )
            continue
        yield from _band("band", name.name, written, point.span)


def _band(rule: str, chromosome: str, written: str, span: Span) -> Iterator[Finding]:
    try:
        resolve(chromosome, written)
    except UnknownBand as problem:
        hint = f" ({', '.join(problem.nearest)}?)" if problem.nearest else ""
        shown = written.replace("?", "")
        yield Finding(rule, span, (("chromosome", chromosome), ("band", shown), ("hint", hint)))
        return
    level = _level(chromosome, written.replace("?", ""))
    if level == LEVELS[-1]:
        values = (("chromosome", chromosome), ("band", written), ("level", str(level)))
        yield Finding("band-resolution", span, values)


def _level(chromosome: str, written: str) -> int:
    """The lowest resolution in which the ideogram has a band of that name, or parts of it."""
    arm, name = written[:1], written[1:]
    for level in LEVELS:
        for band in bands(chromosome, level):
            if band.arm == arm and band.name.startswith(name):
                return level
    return LEVELS[0]


def _within_one(text: str, what: Rearrangement) -> Iterator[Finding]:
    on_it = what.breakpoints[0]
    if what.kind == "ins" and len(on_it) == 3:
        at, *ends = on_it
        if any(before(one, at) and before(at, other) for one, other in (ends, ends[::-1])):
            yield Finding("insertion-point", what.span, (("text", _said(text, what)),))
    if len(on_it) != 2:
        return
    first, second = on_it
    arms = [one.points[0].arm for one in on_it]
    centromeric = any(one.points[0].text in _CENTROMERIC for one in on_it)
    if what.kind in ("del", "dup", "trp", "qdp") and set(arms) == {"p", "q"} and not centromeric:
        yield Finding("breakpoint-arm", what.span, (("kind", what.kind),))
    elif what.kind == "inv" and first.points == second.points:
        yield Finding("inversion-band", what.span, (("text", _said(text, what)),))
    elif what.kind == "r" and arms[0] == arms[1] and arms[0] and not centromeric:
        yield Finding("ring-centromere", what.span, (("text", _said(text, what)),))
    elif what.kind in ("del", "inv", "r") and before(second, first):
        today = write_change(replace(what, breakpoints=((second, first),), then=()))
        own = Span(what.span.start, what.then[0].span.start) if what.then else what.span
        yield Finding("breakpoint-order", what.span, (("kind", what.kind), ("today", today)), _edit(text, own, today))


def _telomeres(what: Rearrangement) -> Iterator[Finding]:
    for name, on_one in zip(what.chromosomes, what.breakpoints, strict=True):
        for point in (point for one in on_one for point in one.points if point.arm and point.band):
            try:
                found = resolve(name.name, point.text)
            except UnknownBand:
                continue
            if found.start > 0 and found.stop < length(name.name):
                yield Finding("association-end", point.span, (("chromosome", name.name), ("band", point.text)))


def _centromeres(text: str, what: Rearrangement, *, first: bool) -> Iterator[Finding]:
    points = [on_one[0].points[0] for on_one in what.breakpoints if on_one]
    plain = [point.text.replace("?", "") for point in points]
    at_centromere = [written in _CENTROMERIC for written in plain]
    known = [point for point in points if point.band not in ("",) or point.text in _CENTROMERIC]
    if what.kind in ("i", "fis", "ider", "rob") and known:
        for point, fits in zip(points, at_centromere, strict=True):
            if not fits:
                yield Finding("breakpoint-centromere", point.span, (("kind", what.kind), ("band", point.text)))
    elif what.kind in ("t", "der") and len(points) == 2 and "?" not in {one.name for one in what.chromosomes}:
        if any(at_centromere) and not all(at_centromere):
            yield Finding("whole-arm-mixed", what.span)
        elif what.kind == "der" and not any(at_centromere) and known:
            yield Finding("breakpoint-centromere", points[0].span, (("kind", what.kind), ("band", points[0].text)))
        elif what.kind == "t" and all(at_centromere) and plain[0] == "q10":
            other = {"p10": "q10", "q10": "p10"}
            turned = tuple((Breakpoint((Point(other.get(written, written)),)),) for written in plain)
            today = write_change(replace(what, breakpoints=turned, then=()))
            own = Span(what.span.start, what.then[0].span.start) if what.then else what.span
            # Which of the two products a derivative is would change with the breakpoints.
            yield Finding("whole-arm", what.span, (("today", today),), _edit(text, own, today) if first else None)


def _derivative(text: str, item: Item, what: Rearrangement, told: Told) -> Iterator[Finding]:
    heads = [one.name for one in what.chromosomes]
    later = what.then
    if not later and not what.breakpoints and not what.strands:
        known = _key(what) in told.changes or set(heads) - {"?"} <= told.chromosomes
        if not known or what.kind != "der":
            yield Finding("breakpoints-missing", what.span, (("text", _said(text, what)),))
        return
    if not later:
        return
    said = _said(text, what)
    if not what.breakpoints or what.kind == "ider":
        for name in what.chromosomes:
            named = any(name.name == other.name or other.name == "?" for one in later for other in one.chromosomes)
            if not named and name.name != "?":
                yield Finding("derivative-origin", name.span, (("text", said), ("chromosome", name.name)))
                return
    linked = set(heads)
    waiting = list(later)
    while waiting:
        joined = [one for one in waiting if linked & {name.name for name in one.chromosomes}]
        if not joined:
            yield Finding("derivative-chain", waiting[0].span, (("text", _said(text, waiting[0])),))
            return
        linked.update(name.name for one in joined for name in one.chromosomes)
        waiting = [one for one in waiting if one not in joined]
    only = later[0]
    own = [name.name for name in only.chromosomes]
    if what.kind == "der" and len(heads) == 1 and len(later) == 1 and only.kind in _WITHIN and own == heads:
        today = write_change(only)
        yield Finding("derivative-needless", what.span, (("today", today),), _edit(text, what.span, today))
    if what.kind == "der" and len(heads) == 1 and not what.breakpoints:
        yield from _pter_to_qter(text, heads[0], later)


def _pter_to_qter(text: str, head: str, later: tuple[Rearrangement, ...]) -> Iterator[Finding]:
    told: list[tuple[Rearrangement, Breakpoint]] = []
    for one in later:
        names = [name.name for name in one.chromosomes]
        if names.count(head) == 1 and len(one.breakpoints) == len(names) and one.breakpoints[names.index(head)]:
            told.append((one, one.breakpoints[names.index(head)][0]))
    for (_, former), (one, latter) in pairwise(told):
        if before(latter, former):
            yield Finding("derivative-order", one.span, (("text", _said(text, one)),))
            return


def _detailed(text: str, what: Rearrangement) -> Iterator[Finding]:
    heads = [one.name for one in what.chromosomes]
    if what.kind == "t" and len(what.strands) != len(heads):
        values = (("found", str(len(heads))), ("parts", str(len(what.strands))))
        yield Finding("breakpoints-parted", what.span, values)
    marks = [mark for strand in what.strands for mark in _marks(strand)]
    numbered = [mark for mark in marks if mark.chromosome]
    places = [mark for mark in marks if mark.point.arm]
    if len(heads) > 1 or {mark.chromosome for mark in numbered} - set(heads):
        bare = next((mark for mark in places if not mark.chromosome), None)
        if bare is not None:
            said = text[bare.span.start : bare.span.end]
            yield Finding("detailed-chromosome", bare.span, (("text", said),))
            return
    elif numbered and what.kind not in ("der", "dic", "psu dic", "t", "tas"):
        said = text[numbered[0].span.start : numbered[0].span.end]
        today = text
        for mark in reversed(numbered):
            today = _edit(today, mark.span, mark.point.text)
        yield Finding("detailed-chromosome", numbered[0].span, (("text", said),), today)
    for mark in places:
        chromosome = mark.chromosome or heads[0]
        written = mark.point.text.partition("~")[0]
        if chromosome != "?" and not written.endswith("ter"):
            yield from _band("detailed-band", chromosome, written, mark.point.span)
    ring = what.kind in ("r", "dic r", "trc r")
    for strand in what.strands:
        outer, inner = {strand.breaks[0], strand.breaks[-1]}, set(strand.breaks[1:-1])
        if inner - {"::"} or ("::" in outer and len(outer) > 1) or (ring and outer != {"::"}):
            yield Finding("detailed-join", strand.span, (("text", text[strand.span.start : strand.span.end]),))
        else:
            yield from _ends(text, strand)
    if not _makes(what):
        yield Finding("detailed-kind", what.span, (("kind", what.kind), ("text", _said(text, what))))


def _makes(what: Rearrangement) -> bool:
    """Whether the pieces are those of the change that they are said to be, as far as that follows from its name."""
    heads = [one.name for one in what.chromosomes]
    if what.kind in ("t", "ins") and len(what.strands) == len(heads) > 1:
        # Every broken end is joined once: each breakpoint stands twice.
        broken = Counter(
            (mark.chromosome, "cen" if mark.point.text in _CENTROMERIC else mark.point.text)
            for strand in what.strands
            for mark in _marks(strand)
            if not mark.point.text.endswith("ter")
        )
        return all(times % 2 == 0 for times in broken.values())
    if len(what.strands) != 1 or len(heads) != 1 or "?" in heads:
        return True
    strand = what.strands[0]
    ends = [(piece.start.point, _last(piece).point) for piece in strand.pieces]
    named = {mark.chromosome or heads[0] for mark in _marks(strand)}
    if heads[0] not in named:
        return False
    whole = {point.text for point in ends[0]} == {"pter", "qter"} and len(ends) == 1
    if whole and what.kind != "neo" and not strand.pieces[0].via:
        return False
    known = [(along(start), along(end)) for start, end in ends]
    if named != set(heads) or any(place is None for pair in known for place in pair):
        return True
    flat = [place for pair in known for place in pair if place is not None]
    in_order = all(one <= other or _part(one, other) for one, other in pairwise(flat))
    if what.kind == "del":
        return in_order
    if what.kind in ("dup", "trp", "qdp"):
        return not in_order or any(_part(one, other) for one, other in pairwise(flat))
    if what.kind == "inv" and len(ends) == 3:
        (_, first), (second, third), (fourth, _) = ends
        return first == third and second == fourth and not flat[2] < flat[1]
    if what.kind in ("i", "idic", "psu idic") and len(ends) == 2:
        return ends[0] == ends[1][::-1]
    return True


def _part(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    common = min(len(one), len(other))
    return one[:common] == other[:common]


def _marks(strand: Strand) -> Iterator[Landmark]:
    for piece in strand.pieces:
        yield piece.start
        yield from piece.via
        if piece.end is not None:
            yield piece.end


def _ends(text: str, strand: Strand) -> Iterator[Finding]:
    first, last = strand.pieces[0].start, _last(strand.pieces[-1])
    for mark, sign in ((first, strand.breaks[0]), (last, strand.breaks[-1])):
        known = along(mark.point) is not None and mark.point.arm
        if not sign and known and not mark.point.text.endswith("ter"):
            yield Finding("detailed-end", mark.span, (("text", text[mark.span.start : mark.span.end]),))


def _last(piece: Piece) -> Landmark:
    return piece.end if piece.end is not None else piece.start
