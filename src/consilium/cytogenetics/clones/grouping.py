"""Cells grouped by the clonal changes they show, while it is being found out which of them make up a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from consilium.cytogenetics.clones.change import Changes

Reason = Literal["random_loss", "single_cell", "single_combination", "broken", "incomplete", "one_culture"]
"""Why a finding, or a cell, is not in the string:

    random_loss         a loss, or a missing gain, taken for chance; the cell counts to its line
    single_cell         a gain or structural change that is not clonal; a cell without any clonal change is not counted
    single_combination  clonal changes in a combination that only this cell has
    broken              too many chromosomes lost by chance: the cell is not counted
    incomplete          the cell could not be analysed wholly and fits several lines or none: it is not counted
    one_culture         pseudomosaicism
"""


@dataclass(kw_only=True, slots=True)
class CellLine:
    """Cells that count as one line, before it has its place.

    Attributes:
        changes: what all of them have; in a composite, what some of them have.
        cells: their indices.
        composite: no clones could be told apart in them.
        incomplete: none of them could be analysed wholly.
    """

    changes: Changes
    cells: list[int]
    composite: bool = False
    incomplete: bool = False


@dataclass(slots=True)
class Groups:
    """Complete cells by the clonal changes they show."""

    cells: dict[Changes, list[int]]

    def move(self, source: Changes, target: Changes) -> None:
        """Let the cells of one group count to another."""
        self.cells.setdefault(target, []).extend(self.cells.pop(source))

    def size(self, changes: Changes) -> int:
        """How many cells show these changes and no more."""
        return len(self.cells.get(changes, ()))

    def ordered(self) -> list[Changes]:
        """The most complex first."""
        return sorted(self.cells, key=lambda one: (-len(one), set_key(one)))

    def with_all(self, changes: Changes) -> int:
        """Cells that have at least these changes."""
        return sum(len(cells) for one, cells in self.cells.items() if changes <= one)


def set_key(changes: Changes) -> tuple[tuple[object, ...], ...]:
    """The place of a set among sets, whatever order it was made in."""
    return tuple(sorted(change.key for change in changes))


def likely_stem(changes: Changes, cells: int) -> tuple[object, ...]:
    """A key by which the likeliest of several lines that another extends comes first.

    A structural change arises less easily twice than a gain or a loss, so what shares one is the likelier kin.
    """
    structural = sum(change.kind == "structural" for change in changes)
    return (-structural, -len(changes), -cells, set_key(changes))
