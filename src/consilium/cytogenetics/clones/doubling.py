"""Doubled clones: a cell with all chromosomes of another twice (ISCN 2024, 6.3.4f, 6.3.7h)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from consilium.cytogenetics.clones.change import Change, Changes, level_of
from consilium.cytogenetics.clones.setting import SexComplement
from consilium.cytogenetics.iscn.tree import Item, Whole


def doubled(changes: Changes, sex_complement: SexComplement) -> Changes:
    """What a cell has changed, at its own level, when it has all chromosomes of another twice (ISCN 2024, 6.3.4f)."""
    level = level_of(changes)
    times: Counter[Item] = Counter()
    sex = sex_complement.at(level)
    for change in changes:
        if change.sex_chromosome:
            sex[change.sex_chromosome] += 1 if change.kind == "gain" else -1
        elif change.item is not None:
            times[change.item] += 2
    usual = sex_complement.at(2 * level)
    for name in "XY":
        difference = 2 * sex[name] - usual[name]
        times[Item(Whole(name), "+" if difference > 0 else "-")] += abs(difference)
    return frozenset(Change(item, nth, 2 * level) for item, number in times.items() for nth in range(1, number + 1))


def shown_by_doubling(cells: Sequence[Changes], sex: SexComplement) -> Changes:
    """Changes that single cells show and several cells show doubled, so that they are clonal (ISCN 2024, 6.3.7i)."""
    shown: set[Change] = set()
    for changes in cells:
        twice = doubled(changes, sex)
        # A tetraploid of a normal cell shows nothing of it.
        if twice and any(change.kind != "loss" for change in twice):
            level = 2 * level_of(changes)
            if sum(twice <= other and level_of(other) == level for other in cells) >= 2:
                shown |= changes
    return frozenset(shown)
