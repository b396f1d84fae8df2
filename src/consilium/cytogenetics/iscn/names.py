"""Changes by what they are called: the short form without breakpoints, and whether the writer doubts them."""

from __future__ import annotations

from consilium.cytogenetics.iscn.tree import Breakpoint, Rearrangement


def bare(change: Rearrangement) -> str:
    """A change without its breakpoints, "der(9)t(9;22)": how it is named once they were told (ISCN 2024, 4.2.1f)."""
    return head(change) + "".join(map(head, change.then))


def head(change: Rearrangement) -> str:
    """A change without breakpoints, and without what stands behind it: "der(9)" of "der(9)t(9;22)(q34;q11.2)"."""
    return f"{change.kind}({';'.join([one.name + one.arm for one in change.chromosomes])})"


def told_where(change: Rearrangement) -> bool:
    """Whether a change, or one of those that make it up, tells breakpoints or is told in the detailed system."""
    return any(one.breakpoints or one.strands for one in (change, *change.then))


def key(change: Rearrangement) -> tuple[object, ...]:
    """What two mentions of one change have in common, whatever they tell of its breakpoints."""
    return change.kind, tuple((one.name, one.arm) for one in change.chromosomes), tuple(key(one) for one in change.then)


def doubtful_change(change: Rearrangement) -> bool:
    """Whether a question mark, an interval or an alternative stands in a change."""
    if any(one.doubtful or one.others or one.name == "?" for one in change.chromosomes):
        return True
    if any(_doubtful(point) for on_one in change.breakpoints for point in on_one):
        return True
    marks = [end.point.text + end.chromosome for strand in change.strands for piece in strand.pieces
             for end in (piece.start, piece.end) if end is not None]  # fmt: skip
    if any("?" in text or "~" in text for text in marks):
        return True
    return change.kind in ("inv dup", "inv ins") or any(map(doubtful_change, change.then))


def _doubtful(point: Breakpoint) -> bool:
    return bool(point.relation) or any(one.doubtful or (one.arm and not one.band) for one in point.points)
