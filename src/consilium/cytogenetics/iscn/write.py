"""From a tree to the one string that stands for it in the short or detailed system of ISCN 2024."""

from __future__ import annotations

from itertools import chain

from consilium.cytogenetics.iscn.tree import (
    Abnormality,
    Breakpoint,
    Cells,
    ChromosomeName,
    Counted,
    Incomplete,
    Item,
    Landmark,
    Line,
    Range,
    Rearrangement,
    Reference,
    Result,
    Sex,
    Strand,
    Variant,
    Whole,
)


def write(result: Result) -> str:
    """Write a result; its order is kept: `canonical` puts it right before.

    Spellings are those of the current edition: "~" in intervals, "->" as arrow, one space where ISCN asks for one.
    """
    techniques = "".join(f".{one.kind}{one.text}" for one in result.techniques)
    return " or ".join(map(_reading, result.readings)) + techniques


def _reading(result: Result) -> str:
    prefix = f"{result.prefix} " if result.prefix else ""
    return prefix + "//".join("/".join(map(line, lines)) for lines in result.persons)


def line(one: Line) -> str:
    """Write one cell line."""
    base = [] if one.base is None else [_base(one.base)]
    inner = ",".join([_range(one.count) + _ploidy(one.ploidy, one.ploidy_sign), *base, *map(_alternatives, one.items)])
    if one.doubled is not None:
        outer = _range(one.doubled.count) + _ploidy(one.doubled.ploidy, one.doubled.ploidy_sign)
        doubled = f"{outer}({inner})x{_range(one.doubled.copies)}"
        inner = ",".join([doubled, *map(_alternatives, one.doubled.items)])
    return inner + _cells(one.cells)


def _alternatives(several: tuple[Item, ...]) -> str:
    return " or ".join(map(item, several))


def item(one: Item) -> str:
    """Write one entry of a line."""
    copies = f"x{_range(one.copies)}" if one.copies else ""
    # Between two bare words stands a space ("mar dn"), after a bracket or a number none (ISCN 2024, 4.4.1).
    bare = isinstance(one.abnormality, Counted | Incomplete) and not copies
    origins = "".join((" " if bare or at else "") + origin for at, origin in enumerate(one.origins))
    doubt = "?" if one.doubtful else ""
    return f"{one.sign}{doubt}{abnormality(one.abnormality)}{copies}{origins}{_cells(one.cells)}"


def abnormality(one: Abnormality) -> str:
    """Write what an entry is, without sign, copies and origin."""
    if isinstance(one, Whole):
        return one.chromosome
    if isinstance(one, Variant):
        return f"{one.chromosome}{one.region}{one.change}"
    if isinstance(one, Counted):
        number = "" if one.number is None else _range(one.number)
        number = number.replace("~", "~>") if one.bound == "~>" else one.bound + number
        return f"{number}{one.kind}{'' if one.index is None else one.index}"
    if isinstance(one, Incomplete):
        return "inc"
    return _rearrangement(one)


def _rearrangement(one: Rearrangement) -> str:
    out = f"{'?' if one.doubtful else ''}{one.kind}({';'.join(map(_chromosome, one.chromosomes))})"
    if one.strands:
        out += f"({';'.join(map(_strand, one.strands))})"
    elif one.breakpoints:
        out += f"({';'.join(''.join(map(_breakpoint, on_one)) for on_one in one.breakpoints)})"
    if one.origin:
        out += one.origin + " "
    return out + "".join(map(_rearrangement, one.then))


def _chromosome(one: ChromosomeName) -> str:
    return ("?" if one.doubtful else "") + " or ".join([one.name, *one.others]) + one.arm


def _breakpoint(one: Breakpoint) -> str:
    joint = f" {one.relation} " if one.relation == "or" else one.relation
    return joint.join(point.text for point in one.points)


def _strand(one: Strand) -> str:
    pieces = (
        "->".join(_landmark(mark) for mark in (piece.start, *piece.via, piece.end) if mark is not None)
        for piece in one.pieces
    )
    return one.breaks[0] + "".join(chain.from_iterable(zip(pieces, one.breaks[1:], strict=True)))


def _landmark(one: Landmark) -> str:
    return one.chromosome + one.point.text


def _base(one: Sex | Reference) -> str:
    if isinstance(one, Sex):
        return one.chromosomes + ("?" if one.doubtful else "") + ("c" if one.constitutional else "")
    index = "" if one.index is None else str(one.index)
    return one.kind + index + (f"x{_range(one.copies)}" if one.copies else "")


def _range(one: Range) -> str:
    return str(one.low) if one.high is None else f"{one.low}~{one.high}"


def _ploidy(level: int | None, sign: str) -> str:
    return "" if level is None else f"<{level}n{sign}>"


def _cells(one: Cells | None) -> str:
    return "" if one is None else f"[{'cp' if one.composite else ''}{one.number}]"
