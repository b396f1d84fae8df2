"""One change of a cell against the usual: what it is, what it does to the count, where it stands in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from consilium.cytogenetics.iscn.order import place
from consilium.cytogenetics.iscn.parse import parse
from consilium.cytogenetics.iscn.tree import (
    Counted,
    Incomplete,
    Item,
    Rearrangement,
    Variant,
    Whole,
)
from consilium.cytogenetics.iscn.write import item as write_item
from consilium.errors import InputError

Kind = Literal["gain", "loss", "structural", "ploidy"]

_REPLACES_ALL_IT_NAMES = {"dic", "psu dic", "dicr", "trc", "psu trc", "rob", "der", "der psu dic", "r"}
_COUNTS_TWO = {"der", "der psu dic", "ider", "rec", "rob", "trp", "qdp"}


@dataclass(frozen=True, slots=True)
class Change:
    """A gain, a loss, a structural change, or another ploidy level.

    Attributes:
        item: one entry without copies, origin and cells; None stands for the ploidy level itself.
        nth: which copy of the same change in one cell: the second "+21" is 2.
        level: the ploidy level it is told against, 2 for diploid (ISCN 2024, 6.3.7).
        constitutional: the person was born with it.
    """

    item: Item | None
    nth: int = 1
    level: int = 2
    constitutional: bool = False

    @property
    def kind(self) -> Kind:
        """What rule of clonality it falls under (ISCN 2024, 4.5.1)."""
        if self.item is None:
            return "ploidy"
        if self.item.sign == "-":
            return "loss"
        return "gain" if self.item.sign == "+" else "structural"

    @property
    def text(self) -> str:
        """As a person would write it: "+21", "t(9;22)(q34;q11.2)", "4n", "+21c"."""
        if self.item is None:
            return f"{self.level}n"
        return write_item(replace(self.item, origins=("c",)) if self.constitutional else self.item)

    @property
    def sex_chromosome(self) -> str:
        """The X or Y where one is gained or lost as a whole; else empty."""
        if self.item is None or not isinstance(self.item.abnormality, Whole) or self.item.doubtful:
            return ""
        name = self.item.abnormality.chromosome
        return name if name in ("X", "Y") else ""

    @property
    def key(self) -> tuple[object, ...]:
        """Its place among other changes; the ploidy level goes last."""
        where = (9,) if self.item is None else item_key(self.item)
        return (self.level, where, not self.constitutional, self.text, self.nth)


Changes = frozenset[Change]


def level_of(changes: Iterable[Change]) -> int:
    """The ploidy level that changes are told against; 2 for none."""
    return max((change.level for change in changes), default=2)


def acquired(changes: Changes) -> Changes:
    """Changes that the person was not born with."""
    return frozenset(change for change in changes if not change.constitutional)


def item_key(item: Item) -> tuple[object, ...]:
    """Where an entry stands in a line (`iscn.order.place`); what ISCN leaves free is ordered by how it is written."""
    return (*place(item), {"": 0, "+": 1, "-": 2}[item.sign], write_item(replace(item, cells=None)))


@cache
def read_item(text: str) -> Item:
    """Read one entry, e.g. "t(9;22)(q34;q11.2)" or "+mar".

    Raises:
        InputError: it is not one entry (NotISCN where it is not well formed at all).
    """
    result = parse(f"46,XX,{text}")
    line = result.persons[0][0]
    if result.others or len(line.items) != 1 or len(line.items[0]) != 1 or line.cells is not None:
        raise InputError("not one abnormality", where=text, way_out="Give every abnormality by itself.")
    return line.items[0][0]


def units(item: Item) -> Counter[Item]:
    """The single changes in an entry: "+2mar" is twice "+mar", "del(6)(q13)x2" twice the deletion.

    The number of double minutes differs from cell to cell and makes no other change of them.

    Raises:
        InputError: the number of copies is an interval, which no single cell has.
    """
    bare = replace(item, copies=None, origins=(), cells=None)
    times = 1
    for number in (item.copies, item.abnormality.number if isinstance(item.abnormality, Counted) else None):
        if number is None or (isinstance(item.abnormality, Counted) and item.abnormality.kind == "dmin"):
            continue
        if number.high is not None:
            raise InputError("a single cell has no interval of copies", where=write_item(item))
        times *= number.low
    if isinstance(item.abnormality, Counted):
        bare = replace(bare, abnormality=replace(item.abnormality, number=None, bound=""))
    return Counter({bare: times})


def added(item: Item | None) -> int:
    """How many chromosomes one unit of a change adds to the count (ISCN 2024, 5.4.1k, 5.5.12)."""
    if item is None or isinstance(item.abnormality, Incomplete | Variant):
        return 0
    if isinstance(item.abnormality, Counted) and item.abnormality.kind == "dmin":
        return 0
    if item.sign:
        return 1 if item.sign == "+" else -1
    if isinstance(item.abnormality, Rearrangement) and item.abnormality.kind in _REPLACES_ALL_IT_NAMES:
        return 1 - len(item.abnormality.chromosomes)
    return 0


def sex_chromosomes_in(item: Item | None) -> str:
    """The X and Y that a structural change has put in the place of normal ones (ISCN 2024, 4.2.1b)."""
    if item is None or item.sign or not isinstance(item.abnormality, Rearrangement):
        return ""
    return "".join(one.name for one in item.abnormality.chromosomes if one.name in ("X", "Y"))


def complexity(change: Change) -> int:
    """How many abnormalities a change counts for (ISCN 2024, table 7); constitutional ones count for none."""
    if change.constitutional:
        return 0
    if change.item is None or not isinstance(change.item.abnormality, Rearrangement):
        return 1
    return 2 if change.item.abnormality.kind in _COUNTS_TWO and not change.item.sign else 1
