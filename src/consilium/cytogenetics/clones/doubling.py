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
    return _changes(times, 2 * level)


MOST_NEAR_HAPLOID = 34
"""Chromosomes of a near-haploid cell (ISCN 2024, table 6)."""


def halved(changes: Changes, sex_complement: SexComplement) -> tuple[Changes, Changes] | None:
    """The near-haploid clone that a clone is twice, and what came after the doubling (ISCN 2024, 6.3.7h).

    What is there an even number of times was doubled; of an odd number the one over came, or went, afterwards. Whether
    it was so is for other techniques to show: many clones can be halved.

    Returns:
        Changes against the haploid set, and later ones against twice that clone; None where it is no clone that
        near-haploid cells become by doubling: its sex chromosomes are odd, or more changed later than was doubled.
    """
    sex = sex_complement.at(2)
    copies: Counter[str] = Counter()
    structural: Counter[Item] = Counter()
    for change in changes:
        if change.level != 2 or change.item is None:
            return None
        what = change.item.abnormality
        if change.sex_chromosome:
            sex[change.sex_chromosome] += 1 if change.kind == "gain" else -1
        elif isinstance(what, Whole) and not change.item.doubtful:
            copies[what.chromosome] += 1 if change.kind == "gain" else -1
        else:
            structural[change.item] += 1
    if sex["X"] % 2 or sex["Y"] % 2:
        return None
    inner: Counter[Item] = Counter()
    later: Counter[Item] = Counter()
    for name, more in (("X", sex["X"] // 2 - 1), ("Y", sex["Y"] // 2)):
        inner[Item(Whole(name), "+" if more > 0 else "-")] += abs(more)
    for name, more in copies.items():
        number = 2 + more
        half = max(number // 2, min(number, 1))
        inner[Item(Whole(name), "+" if half > 1 else "-")] += abs(half - 1)
        over = number - 2 * half
        later[Item(Whole(name), "+" if over > 0 else "-")] += abs(over)
    for item, times in structural.items():
        inner[item] += times // 2
        later[item] += times % 2
    gained = sum(times for item, times in inner.items() if item.sign == "+")
    if not gained or later.total() > gained:
        return None
    return _changes(inner, 1), _changes(later, 2)


def _changes(counted: Counter[Item], level: int) -> Changes:
    return frozenset(Change(item, nth, level) for item, times in counted.items() for nth in range(1, times + 1))


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
