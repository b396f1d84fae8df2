"""Rules of the order of clones: size, complexity, and what decides between equals (4.5.3, 6.3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from consilium.cytogenetics.iscn.lineage import Clone, named
from consilium.cytogenetics.iscn.order import compare, is_normal
from consilium.cytogenetics.iscn.rules import Finding
from consilium.cytogenetics.iscn.tree import Reference


def judge_order(clones: list[Clone], known: set[str], *, mosaic: bool) -> Iterator[Finding]:
    """The first place where the order of the abnormal clones of one person is wrong.

    Args:
        clones: in their order.
        known: names of abnormalities that an earlier study or another technique has shown.
        mosaic: they are constitutional: the larger one stands first, related or not (4.5.3d).
    """
    abnormal = [clone for clone in clones if not is_normal(clone.line)]
    if any(clone.line.cells is None for clone in abnormal):
        return
    related_before: set[str] = set()
    for former, later in pairwise(abnormal):
        shared = former.acquired & later.acquired
        refers = isinstance(later.line.base, Reference)
        related_before |= shared
        larger_first = former.cells >= later.cells
        span = later.line.span
        if former.constitutional and later.acquired:
            yield Finding("constitutional-late", former.line.span)
            return
        if former.acquired and not later.acquired:
            continue
        # A group of related clones stands before unrelated ones, whatever their sizes (6.3.3.3a); one that was known
        # before stands first (6.3.3.3b).
        free = bool(former.acquired & related_before) or any(named(name) in known for name in former.acquired)
        if shared or refers:
            if mosaic:
                if not larger_first:
                    yield Finding("order-size", span)
                    return
                continue
            more = [one > other for one, other in zip(former.complexity, later.complexity, strict=True)]
            if all(more):
                yield Finding("order-complexity", span)
                return
            tie = former.complexity == later.complexity
        elif not larger_first and not free:
            yield Finding("order-size", span)
            return
        else:
            tie = former.cells == later.cells and not free
        if tie and _out_of_order(former, later):
            yield Finding("order-tie", span)
            return


def _out_of_order(former: Clone, later: Clone) -> bool:
    mine = [(name, item) for name, item in former.has.items() if name not in later.has]
    others = [(name, item) for name, item in later.has.items() if name not in former.has]
    for (name, one), (other_name, other) in zip(mine, others, strict=False):
        if name.startswith("sex ") and other_name.startswith("sex ") and one.sign != other.sign:
            return one.sign == "-"  # whether 45,X lost an X or a Y is not told: gain before loss
        order = compare(one, other)
        if order:
            return order > 0
    return False
