"""From read cells to clones: which cells count, which gains are believed, and how many cells a line needs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from consilium.cytogenetics.clones.cell import Cell
from consilium.cytogenetics.clones.change import Change
from consilium.cytogenetics.clones.clonality import CELLS_FOR_A_GAIN, find_clonal
from consilium.cytogenetics.clones.families import Clone
from consilium.cytogenetics.clones.karyotype import ClonalKaryotype, clonal_karyotype
from consilium.cytogenetics.clones.setting import Setting, observe
from consilium.errors import InputError, NothingToDo
from consilium.karyotype.analysable import ReadCell, cells_beyond_mistakes

Reading = tuple[ClonalKaryotype, tuple[ReadCell, ...]]
"""The karyotype, and the cells as they went into it."""


def read_clones(read: tuple[ReadCell, ...], setting: Setting) -> Reading:
    """Find the clones, and weigh the cells again by what many of them show.

    A gain that more cells show than mistakes explain is believed: cells with it count in spite of doubtful names, and
    cells without it in which an object was left out do not speak against it.

    Raises:
        NothingToDo: no change is clonal and no cell is normal.
        InputError: the cells contradict each other or what was told.
    """
    if not comparable(read):
        raise NothingToDo("no cell has sex chromosomes that a person can have")
    firm = _firm_gains(read, setting)
    read = tuple(_weighed(one, firm, read) for one in read)
    found = clonal_karyotype(comparable(read), setting)
    # A few cells that were not wholly read make no line of their own beside those that were.
    largest = largest_line(found.clones)
    apart = {
        name
        for clone in found.clones
        if clone.incomplete and len(clone.cells) < cells_needed(clone, largest, len(read))
        for name in clone.cells
    }
    if apart and any(not clone.incomplete for clone in found.clones):
        with suppress(InputError):
            found = clonal_karyotype([cell for cell in comparable(read) if cell.name not in apart], setting)
    return found, read


def comparable(read: Sequence[ReadCell]) -> list[Cell]:
    """The cells that the search for clones compares."""
    return [one.cell for one in read if one.comparable]


def largest_line(clones: Sequence[Clone]) -> Clone:
    """The line of most cells; of as many, the one with more changes."""
    return max(clones, key=lambda clone: (len(clone.cells), len(clone.changes)))


def cells_needed(clone: Clone, largest: Clone, cells: int) -> int:
    """From how many cells on a line is hardly the largest one misread; the largest one hardly a normal one misread."""
    own, others = set(clone.changes), set[Change]() if clone is largest else set(largest.changes)
    more = any(change.kind != "loss" for change in own - others)
    fewer_missed = any(change.kind == "loss" for change in others - own)
    only_sex = own != others and all(change.sex_chromosome for change in own ^ others)
    return cells_beyond_mistakes(cells, "more" if more or fewer_missed else "fewer", sex=only_sex)


def _firm_gains(read: Sequence[ReadCell], setting: Setting) -> list[frozenset[str]]:
    """The cells that show each gain which mistakes of reading hardly explain."""
    findings = find_clonal(observe(comparable(read), setting), setting)
    return [
        frozenset(finding.cells)
        for change, finding in findings.items()
        if finding.clonal
        and change.kind == "gain"
        and len(finding.cells) >= cells_beyond_mistakes(len(read), "more", sex=bool(change.sex_chromosome))
    ]


def _weighed(one: ReadCell, firm: Sequence[frozenset[str]], read: Sequence[ReadCell]) -> ReadCell:
    """A cell in the light of the firm gains of its case; each is told by the cells that show it."""
    shown = [names for names in firm if one.cell.name in names]
    if one.why == ("doubtful_names",):
        whole = {other.cell.name for other in read if not other.why}
        return one.complete() if any(len(names & whole) < CELLS_FOR_A_GAIN for names in shown) else one
    return one.incomplete_by("left_out") if not one.why and one.left_out and len(shown) < len(firm) else one
