"""Which changes are clonal, and by which rule (ISCN 2024, 4.5.1, 4.5.2d, 6.3)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from consilium.cytogenetics.clones.cell import Cell
from consilium.cytogenetics.clones.change import Change
from consilium.cytogenetics.clones.doubling import shown_by_doubling
from consilium.cytogenetics.clones.setting import Observed, Setting
from consilium.cytogenetics.iscn.tree import Rearrangement, Variant, Whole

CELLS_FOR_A_GAIN = 2
"""Cells with the same gain or structural change that make it clonal (ISCN 2024, 4.5.1b)."""

CELLS_FOR_A_LOSS = 3
"""Cells with the same loss: chromosomes get lost when a slide is made (ISCN 2024, 4.5.1b)."""

CELLS_A_COLONY = 2
"""Cells of one colony that count as independent of each other (European guidelines for constitutional analysis)."""

Rule = Literal[
    "two_cells", "three_cells", "shared_loss", "every_cell", "previous_study", "confirmed", "constitutional", "doubled",
    "single_cell", "too_few_losses", "one_colony", "one_culture", "scattered",
]  # fmt: skip
"""Why a change is clonal, or why not:

    two_cells       a gain or structural change in two or more cells
    three_cells     a loss in three or more
    shared_loss     a loss in two cells that share another clonal change which few others have
    every_cell      fewer cells were analysed than the rule asks for, and all show it (constitutional only)
    previous_study, confirmed, constitutional
                    known otherwise, so one cell is enough
    doubled         in one cell, and doubled in several others (neoplasia only)
    single_cell     a gain or structural change in one cell
    too_few_losses  a loss in one or two cells: taken for random
    one_colony      all its cells are of one colony
    one_culture     pseudomosaicism: several cells, all of one culture
    scattered       in enough cells, but never in enough of one clone
"""

CLONAL: frozenset[Rule] = frozenset({
    "two_cells", "three_cells", "shared_loss", "every_cell", "previous_study", "confirmed", "constitutional", "doubled",
})  # fmt: skip

KNOWN: frozenset[Rule] = frozenset({"previous_study", "confirmed", "constitutional", "doubled"})
"""Rules by which one cell is enough."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One change of a case, whether it is clonal, and why.

    Attributes:
        change: the change.
        cells: names of the cells that show it.
        independent: how many of them count as independent.
        rule: why it is clonal or not.
        pseudomosaicism: 1 to 3 for amniotic cells: one cell; several of one culture; several cultures. 0 elsewhere.
        confined: several cultures of a constitutional case were examined, and one alone shows it in several cells.
        alike: other changes of the case that differ only in their breakpoints or in a question mark.
    """

    change: Change
    cells: tuple[str, ...]
    independent: int
    rule: Rule
    pseudomosaicism: int = 0
    confined: bool = False
    alike: tuple[Change, ...] = ()

    @property
    def clonal(self) -> bool:
        """Whether it stands in the string."""
        return self.rule in CLONAL


def find_clonal(observed: Observed, setting: Setting) -> dict[Change, Finding]:
    """Apply the rules of clonality to every change of a case, in the order of a line."""
    carriers: defaultdict[Change, list[Cell]] = defaultdict(list)
    for cell, changes in zip(observed.cells, observed.changes, strict=True):
        for change in changes:
            carriers[change].append(cell)
    cultures = {cell.culture for cell in observed.cells} - {""}
    ordered = sorted(carriers, key=lambda change: change.key)
    rules: dict[Change, Rule] = {
        change: _rule(change, carriers[change], observed, setting, several_cultures=len(cultures) > 1)
        for change in ordered
    }
    once = shown_by_doubling(observed.changes, observed.sex) if setting.neoplastic else frozenset[Change]()
    rules |= {change: "doubled" for change in once if rules[change] not in CLONAL}
    for change in ordered:
        if rules[change] == "too_few_losses" and shared_loss(change, carriers, rules):
            rules[change] = "shared_loss"
    return {
        change: Finding(
            change=change,
            cells=tuple(cell.name for cell in carriers[change]),
            independent=independent(carriers[change]),
            rule=rules[change],
            pseudomosaicism=_level(carriers[change], setting, several_cultures=len(cultures) > 1),
            confined=not setting.neoplastic and len(cultures) > 1 and _of_one_culture(carriers[change]),
            alike=_alike(change, ordered),
        )
        for change in ordered
    }


def independent(cells: Iterable[Cell]) -> int:
    """How many cells count as independent: two of one colony at most."""
    colonies = Counter((cell.culture, cell.colony) for cell in cells)
    return sum(number if not colony else min(number, CELLS_A_COLONY) for (_, colony), number in colonies.items())


def shared_loss(change: Change, carriers: Mapping[Change, Sequence[Cell]], rules: Mapping[Change, Rule]) -> bool:
    """Whether two cells are enough for a loss (ISCN 2024, 4.5.1b, at the laboratory's discretion).

    They are where they share a clonal gain or structural change, and most cells with that one have the loss too: of
    twenty cells of a clone, two without the same chromosome may well have lost it by chance.
    """
    having = {cell.name for cell in carriers[change]}
    if len(having) < 2:
        return False
    for other, rule in rules.items():
        if other.kind in ("gain", "structural") and not other.constitutional and rule in CLONAL:
            others = {cell.name for cell in carriers[other]}
            if having <= others and 2 * len(having) > len(others):
                return True
    return False


def _rule(
    change: Change, cells: Sequence[Cell], observed: Observed, setting: Setting, *, several_cultures: bool
) -> Rule:
    if change.constitutional:
        return "constitutional"
    if change.item in observed.previous:
        return "previous_study"
    if change.item in observed.confirmed:
        return "confirmed"
    needed = CELLS_FOR_A_LOSS if change.kind == "loss" else CELLS_FOR_A_GAIN
    if not setting.neoplastic and len(cells) == len(observed.cells) < needed:
        return "every_cell"
    colonies = {(cell.culture, cell.colony) for cell in cells}
    if len(cells) >= needed and len(colonies) == 1 and next(iter(colonies))[1]:
        return "one_colony"
    if independent(cells) < needed:
        return "too_few_losses" if change.kind == "loss" else "single_cell"
    if _level(cells, setting, several_cultures=several_cultures) == 2:
        return "one_culture"
    return "three_cells" if change.kind == "loss" else "two_cells"


def _level(cells: Sequence[Cell], setting: Setting, *, several_cultures: bool) -> int:
    """The level of pseudomosaicism or mosaicism in amniotic cells; 0 where cultures cannot tell."""
    if setting.neoplastic or not setting.amniotic or not several_cultures:
        return 0
    if len(cells) == 1:
        return 1
    return 2 if _of_one_culture(cells) else 3


def _of_one_culture(cells: Sequence[Cell]) -> bool:
    return len(cells) > 1 and len({cell.culture for cell in cells}) == 1


def _alike(change: Change, changes: Sequence[Change]) -> tuple[Change, ...]:
    same = _loosely(change)
    return tuple(other for other in changes if other.item != change.item and _loosely(other) == same)


def _loosely(change: Change) -> tuple[object, ...]:
    item = change.item
    if item is None:
        return (change.level,)
    if isinstance(item.abnormality, Rearrangement):
        parts = (item.abnormality, *item.abnormality.then)
        return (item.sign, *((part.kind, tuple(one.name for one in part.chromosomes)) for part in parts))
    if isinstance(item.abnormality, Whole | Variant):
        return (item.sign, item.abnormality.chromosome)
    return (item,)
