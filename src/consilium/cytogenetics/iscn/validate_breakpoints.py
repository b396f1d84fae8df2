"""Rules of breakpoints in the short system: how many, in which order, in which bands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from consilium.cytogenetics.bands import LEVELS
from consilium.cytogenetics.iscn.mend import mended
from consilium.cytogenetics.iscn.order import before
from consilium.cytogenetics.iscn.places import UnknownBand, length, level_of, resolve
from consilium.cytogenetics.iscn.rules import Finding
from consilium.cytogenetics.iscn.tree import (
    Breakpoint,
    ChromosomeName,
    Point,
    Rearrangement,
    Span,
)
from consilium.cytogenetics.iscn.write import abnormality as write_change

_BREAKS = {
    "add": (1,), "del": (1, 2), "dup": (2,), "trp": (2,), "qdp": (2,), "inv": (2,), "i": (1,), "idic": (1,),
    "psu idic": (1,), "fis": (1,), "fra": (1,), "ider": (1,), "dic": (1,), "psu dic": (1,), "rob": (1,), "t": (1,),
    "hsr": (1,), "dic r": (2,), "trc r": (2,), "r": (2,),
}  # fmt: skip

CENTROMERIC = frozenset({"p10", "q10", "cen"})
"""Where whole arms join."""


def judge_breakpoints(text: str, what: Rearrangement, *, first: bool) -> Iterator[Finding]:
    """The rules that the breakpoints of one change break.

    Args:
        text: the whole string, for suggestions.
        what: the change, with breakpoints.
        first: it does not stand after another one within a derivative chromosome.
    """
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
        yield Finding("interval-sign", one.span, (("text", tilde),), mended(text, one.span, tilde))
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
                mended(text, own, today) if today else None,
            )
            continue
        yield from judge_band("band", name.name, written, point.span)


def judge_band(rule: str, chromosome: str, written: str, span: Span) -> Iterator[Finding]:
    """Whether a chromosome has a band, and at which resolution; `rule` is the name under which it is missed."""
    try:
        resolve(chromosome, written)
    except UnknownBand as problem:
        hint = f" ({', '.join(problem.nearest)}?)" if problem.nearest else ""
        shown = written.replace("?", "")
        yield Finding(rule, span, (("chromosome", chromosome), ("band", shown), ("hint", hint)))
        return
    level = level_of(chromosome, written.replace("?", ""))
    if level == LEVELS[-1]:
        values = (("chromosome", chromosome), ("band", written), ("level", str(level)))
        yield Finding("band-resolution", span, values)


def _within_one(text: str, what: Rearrangement) -> Iterator[Finding]:
    on_it = what.breakpoints[0]
    if what.kind == "ins" and len(on_it) == 3:
        at, *ends = on_it
        if any(before(one, at) and before(at, other) for one, other in (ends, ends[::-1])):
            yield Finding("insertion-point", what.span, (("text", text[what.span.start : what.span.end]),))
    if len(on_it) != 2:
        return
    first, second = on_it
    arms = [one.points[0].arm for one in on_it]
    centromeric = any(one.points[0].text in CENTROMERIC for one in on_it)
    if what.kind in ("del", "dup", "trp", "qdp") and set(arms) == {"p", "q"} and not centromeric:
        yield Finding("breakpoint-arm", what.span, (("kind", what.kind),))
    elif what.kind == "inv" and first.points == second.points:
        yield Finding("inversion-band", what.span, (("text", text[what.span.start : what.span.end]),))
    elif what.kind == "r" and arms[0] == arms[1] and arms[0] and not centromeric:
        yield Finding("ring-centromere", what.span, (("text", text[what.span.start : what.span.end]),))
    elif what.kind in ("del", "inv", "r") and before(second, first):
        today = write_change(replace(what, breakpoints=((second, first),), then=()))
        own = Span(what.span.start, what.then[0].span.start) if what.then else what.span
        yield Finding("breakpoint-order", what.span, (("kind", what.kind), ("today", today)), mended(text, own, today))


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
    at_centromere = [written in CENTROMERIC for written in plain]
    known = [point for point in points if point.band not in ("",) or point.text in CENTROMERIC]
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
            yield Finding("whole-arm", what.span, (("today", today),), mended(text, own, today) if first else None)
