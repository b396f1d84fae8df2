"""Rules of one structural change: its chromosomes, bands and breakpoints; derivatives; the detailed system."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from consilium.cytogenetics.iscn.mend import mended
from consilium.cytogenetics.iscn.order import before, change, rank
from consilium.cytogenetics.iscn.rules import Finding
from consilium.cytogenetics.iscn.tree import (
    Breakpoint,
    Counted,
    Incomplete,
    Item,
    Rearrangement,
    Span,
    Whole,
)
from consilium.cytogenetics.iscn.validate_breakpoints import judge_breakpoints
from consilium.cytogenetics.iscn.validate_detailed import judge_detailed, received
from consilium.cytogenetics.iscn.write import abnormality as write_change
from consilium.cytogenetics.iscn.write import item as write_item

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


def _said(text: str, what: Rearrangement | Item) -> str:
    return text[what.span.start : what.span.end]


def _inheritance(text: str, item: Item) -> Iterator[Finding]:
    if isinstance(item.abnormality, Incomplete):
        return
    if len(item.origins) == 1:
        written, today = _said(text, item), write_item(item)
        if written.count(" ") != today.count(" "):
            edited = mended(text, item.span, today) if written.replace(" ", "") == today.replace(" ", "") else None
            yield Finding("space", item.span, (("text", written), ("today", today)), edited)
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
                "inheritance-part", item.span, (("origin", origin), ("today", today)), mended(text, item.span, today)
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
        yield from judge_detailed(text, what)
    elif what.breakpoints:
        yield from judge_breakpoints(text, what, first=first)
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
    right: Rearrangement | None = None
    if what.kind in ("t", "dic", "dic r"):
        right = change(replace(what, then=()))
        if what.strands:
            if rank(names[0]) > min(map(rank, names)):
                yield Finding("partner-order", what.span, (("today", "; ".join(sorted(names, key=rank))),))
            elif what.kind == "t" and _handed_backwards(what):
                yield Finding("partner-order", what.span, (("today", "; ".join([names[0], *names[:0:-1]])),))
            return
    elif what.kind in ("der", "rob", "trc", "trc r", "tas") and rank(names[0]) > rank(names[-1]):
        turned = tuple(tuple(reversed(on_one)) for on_one in reversed(what.breakpoints))
        right = replace(what, chromosomes=what.chromosomes[::-1], breakpoints=turned, then=())
    elif what.kind == "ins" and len(what.breakpoints) == len(names) and all(len(on) == 2 for on in what.breakpoints):
        if rank(names[0]) > min(map(rank, names)):
            yield Finding("partner-order", what.span, (("today", "; ".join(sorted(names, key=rank))),))
        return
    if right is not None and [one.name for one in right.chromosomes] != names:
        own = Span(what.span.start, what.then[0].span.start) if what.then else what.span
        today = write_change(right)
        yield Finding("partner-order", what.span, (("today", today),), mended(text, own, today))


def _handed_backwards(what: Rearrangement) -> bool:
    """Whether each of three chromosomes or more has what the next one gave; each gives to the next (5.5.18.1.2a)."""
    names = [one.name for one in what.chromosomes]
    if len(names) < 3 or len(set(names)) < len(names) or len(what.strands) != len(names):
        return False
    pieces = received(what)
    return all(pieces[at] == {names[(at + 1) % len(names)]} for at in range(len(names)))


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
        joined = [one for one in waiting if not linked.isdisjoint({name.name for name in one.chromosomes})]
        if not joined:
            yield Finding("derivative-chain", waiting[0].span, (("text", _said(text, waiting[0])),))
            return
        linked.update(name.name for one in joined for name in one.chromosomes)
        waiting = [one for one in waiting if linked.isdisjoint({name.name for name in one.chromosomes})]
    only = later[0]
    own = [name.name for name in only.chromosomes]
    if what.kind == "der" and len(heads) == 1 and len(later) == 1 and only.kind in _WITHIN and own == heads:
        today = write_change(only)
        yield Finding("derivative-needless", what.span, (("today", today),), mended(text, what.span, today))
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
