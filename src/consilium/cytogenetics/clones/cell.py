"""What one metaphase shows, as it goes into the search for clones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from consilium.cytogenetics.clones.change import added, read_item, sex_chromosomes_in, units
from consilium.cytogenetics.iscn.order import CHROMOSOMES
from consilium.cytogenetics.iscn.parse import parse
from consilium.cytogenetics.iscn.tree import Incomplete, Item, Reference, Variant, Whole
from consilium.cytogenetics.iscn.write import item as write_item
from consilium.errors import InputError

AUTOSOMES = CHROMOSOMES[2:]


def ploidy_of(count: int) -> int:
    """The ploidy level that a chromosome count belongs to (ISCN 2024, table 6)."""
    return max(1, (count + 11) // 23)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One metaphase.

    Attributes:
        name: what the cell is called; no two of a case have the same.
        sex: the structurally normal sex chromosomes in it, e.g. "XX", "X", "XXY"; empty where there is none.
        gains: autosomes over the ploidy level, one entry a chromosome, e.g. ("21",).
        losses: autosomes under it.
        structural: structural changes, markers, rings and so on, in ISCN 2024: "t(9;22)(q34;q11.2)", "+mar".
        ploidy: the level that gains and losses are told against.
        count: chromosomes counted; what the findings add up to when left out.
        culture: the culture it is from; empty where not told.
        colony: the colony in that culture; empty where not told.
        incomplete: it could not be analysed wholly, so what is not reported may still be there.
    """

    name: str
    sex: str
    gains: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    structural: tuple[Item | str, ...] = ()
    ploidy: int = 2
    count: int | None = None
    culture: str = ""
    colony: str = ""
    incomplete: bool = False

    def __post_init__(self) -> None:
        if self.sex != "X" * self.sex.count("X") + "Y" * self.sex.count("Y"):
            raise InputError(
                f"{self.sex!r} are no sex chromosomes", where=self.name, way_out="Write X before Y: 'XXY'."
            )
        for label in (*self.gains, *self.losses):
            if label not in AUTOSOMES:
                raise InputError(
                    f"{label!r} is no autosome", where=self.name, way_out="Sex chromosomes go into `sex`: 'X', 'XXY'."
                )
        for label in set(self.losses):
            if self.losses.count(label) > self.ploidy + self.gains.count(label):
                raise InputError(f"chromosome {label} is lost more often than it is there", where=self.name)
        if not self.incomplete and self.count is not None and self.count != self.summed:
            raise InputError(
                f"the findings add up to {self.summed} chromosomes, not {self.count}", where=self.name,
                way_out="Look at the cell again, or mark it as incomplete.",
            )  # fmt: skip

    @property
    def items(self) -> Counter[Item]:
        """Every change apart from the sex chromosomes, one unit each.

        Raises:
            InputError: a structural change is not well formed.
        """
        found: Counter[Item] = Counter()
        for label in self.gains:
            found[Item(Whole(label), "+")] += 1
        for label in self.losses:
            found[Item(Whole(label), "-")] += 1
        for one in self.structural:
            item = read_item(one) if isinstance(one, str) else one
            if item.origins:
                raise InputError(
                    "a cell does not show where a change comes from",
                    where=f"{self.name}: {one if isinstance(one, str) else write_item(one)}",
                    way_out="Tell constitutional and inherited changes with the setting.",
                )
            sex = isinstance(item.abnormality, Whole) and item.abnormality.chromosome in ("X", "Y")
            if isinstance(item.abnormality, Whole) and (not item.sign or (sex and not item.doubtful)):
                raise InputError("no structural change", where=f"{self.name}: {one}")
            if not isinstance(item.abnormality, Incomplete | Variant):
                found.update(units(item))
        return found

    @property
    def summed(self) -> int:
        """The chromosome count that the findings add up to (ISCN 2024, 5.4.1k)."""
        items = self.items
        sex = len(self.sex) + sum(len(sex_chromosomes_in(item)) * times for item, times in items.items())
        return 22 * self.ploidy + sex + sum(added(item) * times for item, times in items.items())

    @property
    def chromosomes(self) -> int:
        """The count, or what the findings add up to."""
        return self.summed if self.count is None else self.count


def cell_from_counts(
    name: str,
    copies: Mapping[str, int],
    *,
    unsure: int = 0,
    ploidy: int | None = None,
    culture: str = "",
    colony: str = "",
) -> Cell:
    """Make a cell of how many chromosomes of each class were counted.

    What fits no class is a marker only where nothing is missing; otherwise it may be one of the missing chromosomes,
    and the cell is incomplete.

    Args:
        name: what the cell is called.
        copies: chromosomes of each class, "1" to "22", "X", "Y"; a class left out was not seen.
        unsure: chromosomes that fit no class.
        ploidy: the level to compare with; that of the count when left out.
        culture: the culture it is from.
        colony: the colony it is from.
    """
    count = sum(copies.values()) + unsure
    level = ploidy_of(count) if ploidy is None else ploidy
    difference = {label: copies.get(label, 0) - level for label in AUTOSOMES}
    losses = tuple(label for label in AUTOSOMES for _ in range(-difference[label]))
    sex = "X" * copies.get("X", 0) + "Y" * copies.get("Y", 0)
    missing = bool(losses) or len(sex) < level
    return Cell(
        name=name, sex=sex, losses=losses, ploidy=level, count=count, culture=culture, colony=colony,
        gains=tuple(label for label in AUTOSOMES for _ in range(difference[label])),
        structural=() if missing else ("+mar",) * unsure,
        incomplete=missing and unsure > 0,
    )  # fmt: skip


def cell_from_iscn(name: str, text: str, *, culture: str = "", colony: str = "") -> Cell:
    """Read a cell as it is written on the bench: "47,XX,+8,t(9;22)(q34;q11.2)".

    Args:
        name: what the cell is called.
        text: one line without cell number; what ISCN 2024 asks for in 5.1 to 5.7 holds.
        culture: the culture it is from.
        colony: the colony it is from.

    Raises:
        NotISCN: it is not well formed.
        InputError: it is not one cell, or its count is not what its changes add up to.
    """
    read = parse(text)
    lines = read.persons
    line = lines[0][0] if lines and lines[0] else None
    if (
        line is None
        or read.others
        or len(lines) + len(lines[0]) != 2
        or isinstance(line.base, Reference)
        or line.doubled is not None
    ):
        raise InputError("not the line of one cell", where=f"{name}: {text}")
    if line.cells is not None or line.count.high is not None or any(len(one) != 1 for one in line.items):
        raise InputError("one cell has neither cell numbers nor intervals nor alternatives", where=f"{name}: {text}")
    sex = Counter("" if line.base is None else line.base.chromosomes)
    gains: list[str] = []
    losses: list[str] = []
    structural: list[Item | str] = []
    for (item,) in line.items:
        if not isinstance(item.abnormality, Whole) or item.doubtful:
            structural.append(item)
        elif item.abnormality.chromosome in AUTOSOMES:
            (gains if item.sign == "+" else losses).append(item.abnormality.chromosome)
        elif item.sign == "+":
            sex[item.abnormality.chromosome] += 1
        elif line.base is not None and line.base.constitutional:
            # A constitutional complement is written whole and the loss beside it (ISCN 2024, 6.4g).
            sex[item.abnormality.chromosome] -= 1
    return Cell(
        name=name, sex="X" * sex["X"] + "Y" * sex["Y"], gains=tuple(gains), losses=tuple(losses),
        structural=tuple(structural), ploidy=line.ploidy or ploidy_of(line.count.low), count=line.count.low,
        culture=culture, colony=colony,
        incomplete=any(isinstance(item.abnormality, Incomplete) for (item,) in line.items),
    )  # fmt: skip
