"""From an ISCN string to its tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, Literal, cast

from lark import Lark, Token, Transformer, UnexpectedInput

from consilium.cytogenetics.iscn.tree import (
    Abnormality,
    Breakpoint,
    Cells,
    ChromosomeName,
    Counted,
    Doubled,
    Incomplete,
    Item,
    Landmark,
    Line,
    Node,
    Piece,
    Point,
    Range,
    Rearrangement,
    Reference,
    Result,
    Sex,
    Span,
    Strand,
    Technique,
    Variant,
    Whole,
)
from consilium.errors import InputError

_GLYPHS = str.maketrans({"×": "x", "∼": "~", "\u2013": "-", "\u2212": "-", "\u2010": "-", "\u2011": "-"})
# The standard prints a multiplication sign, a tilde operator and dashes where keyboards have x, ~ and -; each is one
# character, so that places stay where they are.

LONGEST = 20_000
"""Characters: the longest published karyotypes have about 3,000; what is longer is another kind of text."""

MOST_LINES = 100
"""Cell lines: each may start from the one before it, and what reads them follows such chains."""

_TECHNIQUE = re.compile(r"\. ?(nuc ish|ish|subtel|arr|ogm|rsa|mlpa|sseq|seq|cnv|pcp)(?![a-z])")


class NotISCN(InputError):
    """A string that the grammar does not take.

    Attributes:
        start, end: the characters where reading stopped.
        expected: what could have stood there, as names of the grammar.
        zh: what is wrong, in Chinese, where it is not a sign that cannot stand there; else empty.
    """

    def __init__(
        self, what: str, *, start: int, end: int, expected: tuple[str, ...] = (), way_out: str = "", zh: str = ""
    ) -> None:
        super().__init__(what, where=f"character {start + 1}", way_out=way_out)
        self.start, self.end, self.expected, self.zh = start, end, expected, zh

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.what, self.start, self.end, self.expected, self.way_out, self.zh)


def _again(what: str, start: int, end: int, expected: tuple[str, ...], way_out: str, zh: str) -> NotISCN:
    return NotISCN(what, start=start, end=end, expected=expected, way_out=way_out, zh=zh)


def parse(text: str) -> Result:
    """Read an ISCN string.

    Args:
        text: one result, without line breaks around it. Nothing is mended: see `repair`.

    Raises:
        NotISCN: it is not well formed; the error says where.
    """
    if len(text) > LONGEST:
        raise NotISCN(f"{len(text)} characters are no karyotype", start=LONGEST, end=len(text), zh="文本过长")
    text = text.translate(_GLYPHS)
    starts = [*(match.start() for match in _TECHNIQUE.finditer(text)), len(text)]
    karyotype = text[: starts[0]]
    if (slashes := karyotype.count("/")) > MOST_LINES:
        raise NotISCN(f"{slashes} cell lines are no karyotype", start=0, end=len(karyotype), zh="细胞系过多")
    techniques = tuple(_technique(text, start, end) for start, end in pairwise(starts))
    if not karyotype and techniques:
        return Result(persons=(), techniques=techniques, span=Span(0, len(text)))
    first, *others = cast(list[Result], _read("result", karyotype, 0))
    return replace(first, techniques=techniques, others=tuple(others), span=Span(0, len(text)))


def _technique(text: str, start: int, end: int) -> Technique:
    found = _TECHNIQUE.match(text, start)
    assert found is not None
    return Technique(found[1], text[found.end() : end], span=Span(start, end))


@cache
def _grammar() -> Lark:
    text = resources.files("consilium.cytogenetics.iscn").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        text, parser="lalr", lexer="contextual", start=["result", "detailed"], transformer=_Builder(),
        maybe_placeholders=False, g_regex_flags=re.ASCII,
    )  # fmt: skip


def _read(rule: str, text: str, offset: int) -> Any:
    try:
        return _grammar().parse(text, start=rule)
    except NotISCN:
        raise
    except UnexpectedInput as problem:
        raise _refusal(problem, text, offset) from None


def _refusal(problem: UnexpectedInput, text: str, offset: int) -> NotISCN:
    token = getattr(problem, "token", None)
    ended = token is not None and token.type == "$END"
    stopped: int | None = getattr(problem, "pos_in_stream", None)
    at = len(text) if ended or stopped is None or stopped < 0 else stopped
    names = ("accepts", "expected", "allowed")  # an unexpected token has the first two, an unexpected letter the third
    expected: set[str] = next(filter(None, (getattr(problem, name, None) for name in names)), set())
    found = "the string ends too early" if at >= len(text) else f"{text[at : at + 12]!r} cannot stand here"
    return NotISCN(found, start=offset + at, end=offset + min(at + 1, len(text)), expected=tuple(sorted(expected)))


def _of(token: Token) -> Span:
    return Span(cast(int, token.start_pos), cast(int, token.end_pos))


def _span(parts: Sequence[Any]) -> Span:
    """From the start of the first to the end of the last of them: tokens, nodes, or several nodes in one."""
    first, last = parts[0], parts[-1]
    while isinstance(first, tuple):
        first = first[0]
    while isinstance(last, tuple):
        last = last[-1]
    start = _of(first).start if isinstance(first, Token) else first.span.start
    return Span(start, _of(last).end if isinstance(last, Token) else last.span.end)


def _range(token: Token, *, skip: int = 0) -> Range:
    low, _, high = str(token)[skip:].replace("-", "~").partition("~")
    return Range(int(low), int(high) if high else None, span=_of(token))


def _cells(token: Token) -> Cells:
    inner = str(token)[1:-1]
    return Cells(int(inner.removeprefix("cp")), inner.startswith("cp"), span=_of(token))


_COUNTED = re.compile(r"([>~]?)(\d+(?:[~-]>?\d+)?)?(mar|dmin|ace|min|r)(\d*)")
_VARIANT = re.compile(r"(\d+|X|Y)([a-z]+)([+-]?)")


class _Builder(Transformer[Token, Any]):
    """Makes a node of every rule of the grammar while it is read: each method gets what the rule of its name holds."""

    def result(self, parts: list[Any]) -> list[Result]:
        return parts[::2]

    def reading(self, parts: list[Any]) -> Result:
        span = _span(parts)
        prefix = str(parts.pop(0)).strip() if isinstance(parts[0], Token) and parts[0].type == "PREFIX" else ""
        persons: list[tuple[Line, ...]] = [()] if isinstance(parts[0], Token) else []
        persons += [part for part in parts if not isinstance(part, Token)]
        if isinstance(parts[-1], Token):
            persons.append(())
        return Result(tuple(persons), cast(Any, prefix), span=span)

    def lines(self, parts: list[Line]) -> tuple[Line, ...]:
        return tuple(parts)

    def line(self, parts: list[Any]) -> Line:
        count, ploidy, rest = _head(parts)
        cells = _cells(rest.pop()) if isinstance(rest[-1], Token) else None
        base, items = _content(rest)
        cells, items = (cells, items) if cells is not None else _line_cells(items)
        return Line(count, base, items, cells, *ploidy, span=_span(parts))

    def doubled(self, parts: list[Any]) -> Line:
        outer, outer_ploidy, rest = _head(parts)
        count, ploidy, rest = _head(rest)
        at = next(at for at, part in enumerate(rest) if isinstance(part, Token))
        copies, after = rest[at], rest[at + 1 :]
        cells = _cells(after.pop()) if after and isinstance(after[-1], Token) else None
        base, items = _content(rest[:at])
        later = tuple(after)
        cells, later = (cells, later) if cells is not None else _line_cells(later)
        doubled = Doubled(outer, _range(copies, skip=1), *outer_ploidy, later, span=_span(parts))
        return Line(count, base, items, cells, *ploidy, doubled, span=_span(parts))

    def base(self, parts: list[Token]) -> Sex | Reference:
        word = str(parts[0])
        if parts[0].type == "SEX":
            constitutional = word.endswith("c")
            word = word.removesuffix("c")
            doubtful = "?" in word and word != "?"
            return Sex(word.replace("?", "") if doubtful else word, doubtful, constitutional, span=_span(parts))
        kind = word.rstrip("0123456789")
        index = int(word[len(kind) :]) if len(word) > len(kind) else None
        copies = _range(parts[1], skip=1) if len(parts) > 1 else None
        return Reference(cast(Any, kind), index, copies, span=_span(parts))

    def alternatives(self, parts: list[Any]) -> tuple[Item, ...]:
        return tuple(part for part in parts if isinstance(part, Item))

    def item(self, parts: list[Any]) -> Item:
        sign: Literal["+", "-", ""] = ""
        doubtful, copies, cells, origins = False, None, None, []
        abnormality: Any = None
        for part in parts:
            kind = part.type if isinstance(part, Token) else ""
            if kind == "SIGN":
                sign = cast(Any, str(part))
            elif kind == "DOUBT":
                doubtful = True
            elif kind == "COPIES":
                copies = _range(part, skip=1)
            elif kind == "ORIGIN":
                origins.append(str(part).strip())
            elif kind == "CELLS":
                cells = _cells(part)
            else:
                abnormality = _NAMED[kind](part) if kind else part
        return Item(abnormality, sign, doubtful, copies, tuple(origins), cells, span=_span(parts))

    def rearrangement(self, parts: list[Any]) -> Rearrangement:
        changes: list[Rearrangement] = []
        doubtful = False
        for part in parts:
            if isinstance(part, Rearrangement):
                changes.append(replace(part, doubtful=True) if doubtful else part)
                doubtful = False
            elif part.type == "DOUBT":
                doubtful = True
            else:
                changes[-1] = replace(changes[-1], origin=str(part).strip())
        first, *then = changes
        return replace(first, then=tuple(then), span=_span(parts)) if then else first

    def change(self, parts: list[Any]) -> Rearrangement:
        kind, chromosomes = str(parts[0]), parts[1]
        breakpoints: tuple[tuple[Breakpoint, ...], ...] = ()
        strands: tuple[Strand, ...] = ()
        for part in parts[2:-1]:
            if isinstance(part, Token):
                strands = _strands(part)
            else:
                breakpoints = part
        return Rearrangement(kind, chromosomes, breakpoints, strands, span=_span(parts))

    def chromosomes(self, parts: list[ChromosomeName]) -> tuple[ChromosomeName, ...]:
        return tuple(parts)

    def chromosome(self, parts: list[Token]) -> ChromosomeName:
        names = [str(part) for part in parts if part.type == "CHROMOSOME"]
        if not names:
            return ChromosomeName("?", span=_span(parts))
        arm = str(parts[-1]) if parts[-1].type == "ARM" else ""
        return ChromosomeName(names[0], parts[0].type == "DOUBT", tuple(names[1:]), cast(Any, arm), span=_span(parts))

    def breakpoints(self, parts: list[tuple[Breakpoint, ...]]) -> tuple[tuple[Breakpoint, ...], ...]:
        return tuple(parts)

    def on_one(self, parts: list[Breakpoint]) -> tuple[Breakpoint, ...]:
        return tuple(parts)

    def breakpoint(self, parts: list[Token]) -> Breakpoint:
        if parts[0].type == "INTERVAL":
            first, second = re.split("[~-]", parts[0], maxsplit=1)
            start = cast(int, parts[0].start_pos)
            points = (
                Point(first, span=Span(start, start + len(first))),
                Point(second, span=Span(start + len(first) + 1, start + len(parts[0]))),
            )
            return Breakpoint(points, cast(Any, parts[0][len(first)]), span=_span(parts))
        if len(parts) == 1:
            span = _of(parts[0])
            return Breakpoint((Point(str(parts[0]), span=span),), span=span)
        points_told = tuple(Point(str(part), span=_of(part)) for part in parts if part.type == "BREAKPOINT")
        return Breakpoint(points_told, "or", span=_span(parts))

    def detailed(self, parts: list[Strand]) -> tuple[Strand, ...]:
        return tuple(parts)

    def strand(self, parts: list[Any]) -> Strand:
        pieces: list[Piece] = []
        breaks = [""]
        for part in parts:
            if isinstance(part, Piece):
                pieces.append(part)
                breaks.append("")
            else:
                breaks[-1] = str(part)
        return Strand(tuple(pieces), tuple(breaks), span=_span(parts))

    def piece(self, parts: list[Token]) -> Piece:
        ends = [_landmark(part) for part in parts if part.type == "LANDMARK"]
        return Piece(ends[0], ends[-1] if len(ends) > 1 else None, tuple(ends[1:-1]), span=_span(parts))


def _whole(token: Token) -> Whole:
    return Whole(str(token), span=_of(token))


def _variant(token: Token) -> Variant:
    found = _VARIANT.fullmatch(token)
    assert found is not None
    return Variant(found[1], found[2], cast(Any, found[3]), span=_of(token))


def _counted(token: Token) -> Counted:
    found = _COUNTED.fullmatch(token)
    assert found is not None
    number, bound = None, found[1]
    if found[2]:
        low, _, high = found[2].replace("-", "~").partition("~")
        bound = "~>" if high.startswith(">") else bound
        start = cast(int, token.start_pos) + len(found[1])
        number = Range(int(low), int(high.lstrip(">")) if high else None, span=Span(start, start + len(found[2])))
    return Counted(found[3], number, int(found[4]) if found[4] else None, cast(Any, bound), span=_of(token))


def _incomplete(token: Token) -> Incomplete:
    return Incomplete(span=_of(token))


_NAMED: Mapping[str, Callable[[Token], Abnormality]] = {
    "CHROMOSOME": _whole, "VARIANT": _variant, "COUNTED": _counted, "INCOMPLETE": _incomplete,
}  # fmt: skip
"""What an entry of one word is."""


def _head(parts: list[Any]) -> tuple[Range, tuple[int | None, str], list[Any]]:
    count, rest = _range(parts[0]), parts[1:]
    if isinstance(rest[0], Token) and rest[0].type == "PLOIDY":
        inner = str(rest[0])[1:-1]
        return count, (int(inner.partition("n")[0]), inner.partition("n")[2]), rest[1:]
    return count, (None, ""), rest


def _content(parts: list[Any]) -> tuple[Sex | Reference | None, tuple[tuple[Item, ...], ...]]:
    if isinstance(parts[0], Sex | Reference):
        return parts[0], tuple(parts[1:])
    return None, tuple(parts)


def _line_cells(items: tuple[tuple[Item, ...], ...]) -> tuple[Cells | None, tuple[tuple[Item, ...], ...]]:
    """One number at the end is the line's; the last entry of a composite has its own before it ("[3][cp5]")."""
    cells = items[-1][-1].cells if items else None
    if cells is None:
        return None, items
    *others, last = items[-1]
    bare = replace(last, cells=None, span=Span(last.span.start, cells.span.start))
    return cells, (*items[:-1], (*others, bare))


_LANDMARK = re.compile(r"(1\d|2[0-2]|[1-9]|X|Y|\?(?=[pqc?]))?(.+)")


def _landmark(token: Token) -> Landmark:
    found = _LANDMARK.fullmatch(token)
    assert found is not None
    start = cast(int, token.start_pos)
    at = start + len(found[1] or "")
    return Landmark(Point(found[2], span=Span(at, start + len(token))), found[1] or "", span=_of(token))


def _strands(token: Token) -> tuple[Strand, ...]:
    """The strands of the detailed system; their spans count from the start of the whole string."""
    start = cast(int, token.start_pos)
    return tuple(_moved(strand, start) for strand in _read("detailed", str(token), start))


def _moved(node: Any, by: int) -> Any:
    """The same node, `by` characters further on."""
    changes: dict[str, Any] = {"span": Span(node.span.start + by, node.span.end + by)}
    for one in fields(node):
        value = getattr(node, one.name)
        if isinstance(value, Node):
            changes[one.name] = _moved(value, by)
        elif isinstance(value, tuple) and value and isinstance(value[0], Node):
            changes[one.name] = tuple(_moved(inner, by) for inner in value)
    return replace(node, **changes)
