"""What a cell's labels add up to, and what the cells of a case say together.

Only whole chromosomes are counted here; the string is written in the constitutional convention of ISCN 2024
(sex chromosomes without signs, other gains and losses by number, gain before loss). It is a prompt: no structural
change is looked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from consilium.karyotype.metaphase import CLASSES, UNSURE, Metaphase

DIPLOID = 46
AUTOSOMES = CLASSES[:22]

CELLS_FOR_A_GAIN = 2
"""Cells that must show the same gain before it is a clone (ISCN 2024, section 4.5.1)."""

CELLS_FOR_A_LOSS = 3
"""Cells that must show the same loss: chromosomes are lost at random when a slide is made (ISCN 2024, 4.5.1)."""

MARKER = "mar"
INCOMPLETE = "inc"


CellCount = tuple[int, str, tuple[str, ...], tuple[str, ...]]
"""What a cell's labels add up to: (count, karyotype, gains, losses), e.g. (47, "47,XY,+21", ("21",), ())."""


class SupportedChange(NamedTuple):
    """One gain or loss of a case, e.g. "+21", and how many cells show it and would have to."""

    change: str
    cells: int
    needed: int


class CaseCount(NamedTuple):
    """The karyotype of a case and the images whose own karyotype differs from it."""

    karyotype: str
    disagreeing: tuple[str, ...]


def count_cell(labels: Iterable[str]) -> CellCount:
    """Add up a cell.

    An unsure object is a chromosome. It is written as a marker only where all 46 others are there; otherwise it
    may be one of the missing ones, and the string ends in `inc` (incomplete karyotype).

    Args:
        labels: one label a chromosome, each of `CLASSES` or `UNSURE`.

    Returns:
        (count, karyotype, gains, losses): the number of chromosomes, unsure objects included; the ISCN string; the
        classes over and under the expected number, one entry a chromosome. Without unsure objects,
        count = 46 + gains - losses.
    """
    copies = Counter(labels)
    unsure = copies[UNSURE]
    gains, losses = changes_of(copies)
    items = [
        sign + label
        for label in AUTOSOMES
        for sign, labelled in (("+", gains), ("-", losses))
        for _ in range(labelled.count(label))
    ]
    if unsure:
        items.append(INCOMPLETE if losses else _markers(unsure))
    count = copies.total()
    karyotype = ",".join([str(count), sex_chromosomes(copies) or "?", *items])
    return count, karyotype, gains, losses


def sex_chromosomes(copies: Mapping[str, int]) -> str:
    """Write the sex chromosomes as ISCN does, X before Y: "XX", "XXY", "X"; empty where there is none."""
    return "X" * copies.get("X", 0) + "Y" * copies.get("Y", 0)


def modal_karyotype(cells: Sequence[Metaphase]) -> CaseCount:
    """Find the karyotype of a case.

    Changes that too few cells show are left out of every cell before the cells vote. A case with fewer cells than
    a clone needs cannot meet the rule at all; there a change counts where every cell shows it. Incomplete cells
    vote only where there are no others. Ties go to the karyotype with more called changes, as a change that is not
    looked for is worse than one that is not confirmed, then to the one whose cells have the higher quality in sum.

    Args:
        cells: the cells of one case, in any order.

    Returns:
        The karyotype ("" for no cells), and the images whose own karyotype differs, in the order given.
    """
    voters = [cell for cell in cells if not _incomplete(cell)] or list(cells)
    if not voters:
        return CaseCount(karyotype="", disagreeing=())
    called = {
        support.change: support.cells for support in _supports(voters) if support.cells >= _needed(support, len(voters))
    }
    sex = _usual_sex(voters)
    votes: Counter[str] = Counter()
    worth: Counter[str] = Counter()
    for cell in voters:
        written = _without_uncalled(cell, called, sex)
        votes[written] += 1
        # Integers add up the same in every order, so a tie cannot hang on the order of the cells.
        worth[written] += round(cell.quality.score * 1_000_000)
    karyotype = min(votes, key=lambda written: (-votes[written], -written.count(","), -worth[written], written))
    return CaseCount(
        karyotype=karyotype, disagreeing=tuple(cell.image for cell in cells if cell.karyotype != karyotype)
    )


def single_cell_changes(cells: Sequence[Metaphase]) -> tuple[SupportedChange, ...]:
    """Return the gains and losses that fewer cells show than a clone needs, in karyotype order."""
    return tuple(support for support in _supports(cells) if support.cells < support.needed)


def changes_of(copies: Mapping[str, int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Gains and losses of a diploid cell: classes over and under the expected number, one entry a chromosome."""
    gains: list[str] = []
    losses: list[str] = []
    expected = dict.fromkeys(AUTOSOMES, 2) | _expected_sex(copies)
    for label in CLASSES:
        surplus = copies.get(label, 0) - expected[label]
        gains += [label] * max(surplus, 0)
        losses += [label] * max(-surplus, 0)
    return tuple(gains), tuple(losses)


def changes_written(karyotype: str) -> frozenset[str]:
    """The gains and losses in a karyotype as `count_cell` writes it, those of sex chromosomes with signs too.

    Examples:
        >>> sorted(changes_written("48,XXY,+21"))
        ['+21', '+X']
    """
    _, sex, *items = karyotype.split(",")
    gains, losses = changes_of(Counter(sex) + Counter(dict.fromkeys(AUTOSOMES, 2)))
    return frozenset([*items, *("+" + label for label in gains), *("-" + label for label in losses)])


def _expected_sex(copies: Mapping[str, int]) -> dict[str, int]:
    """A cell with a Y is compared with XY, any other with XX; so 45,X has lost an X and XXY has gained one."""
    return {"X": 1, "Y": 1} if copies.get("Y", 0) else {"X": 2, "Y": 0}


def _markers(number: int) -> str:
    return f"+{MARKER}" if number == 1 else f"+{number}{MARKER}"


def _unsure(cell: Metaphase) -> int:
    return cell.count - (DIPLOID + len(cell.gains) - len(cell.losses))


def _incomplete(cell: Metaphase) -> bool:
    return _unsure(cell) > 0 and bool(cell.losses)


def _numbered(cell: Metaphase) -> list[tuple[str, int]]:
    """A cell's changes, the second copy of a change told apart from the first: a tetrasomy is a trisomy and more."""
    changes = ["+" + label for label in cell.gains] + ["-" + label for label in cell.losses]
    if not cell.losses:
        changes += ["+" + MARKER] * _unsure(cell)
    seen: Counter[str] = Counter()
    numbered = []
    for change in changes:
        seen[change] += 1
        numbered.append((change, seen[change]))
    return numbered


def _supports(cells: Sequence[Metaphase]) -> list[SupportedChange]:
    """Count the cells that show each change, in the order of a karyotype; "+21,+21" is the second extra copy."""
    support = Counter(change for cell in cells for change in _numbered(cell))
    order = (*CLASSES, MARKER)
    listed = sorted(support.items(), key=lambda item: (order.index(item[0][0][1:]), item[0][0][0] == "-", item[0][1]))
    return [
        SupportedChange(
            change=",".join([change] * number),
            cells=cells_with,
            needed=CELLS_FOR_A_GAIN if change.startswith("+") else CELLS_FOR_A_LOSS,
        )
        for (change, number), cells_with in listed
    ]


def _needed(support: SupportedChange, cells: int) -> int:
    return min(support.needed, cells)


def _usual_sex(cells: Sequence[Metaphase]) -> dict[str, int]:
    """The sex complement of the case's cells with two sex chromosomes; XX where no cell has two."""
    complete = Counter("Y" in _sex_of(cell) for cell in cells if _sex_of(cell) in {"XX", "XY"})
    return {"X": 1, "Y": 1} if complete[True] > complete[False] else {"X": 2, "Y": 0}


def _sex_of(cell: Metaphase) -> str:
    return cell.karyotype.split(",")[1]


def _without_uncalled(cell: Metaphase, called: Mapping[str, int], sex: Mapping[str, int]) -> str:
    """Write a cell's karyotype with only the called changes in it."""
    labels = Counter(dict.fromkeys(AUTOSOMES, 2))
    for label in "XY":
        labels[label] = _sex_of(cell).count(label)
    kept: Counter[str] = Counter()
    for change, number in _numbered(cell):
        kept[change] += ",".join([change] * number) in called
    if any(change[1:] in "XY" and kept[change] < number for change, number in _numbered(cell)):
        labels["X"], labels["Y"] = sex["X"], sex["Y"]
        for label in "XY":
            labels[label] += kept["+" + label] - kept["-" + label]
    for label in AUTOSOMES:
        labels[label] += kept["+" + label] - kept["-" + label]
    labels[UNSURE] = kept["+" + MARKER]
    return count_cell(labels.elements())[1]
