"""What a karyotype means: for each cell line the chromosomes that a cell has, each built from bands.

A structural change replaces one normal homologue of each chromosome it has the centromere of; with "+" its chromosomes
are additional; which homologue it was is not tracked. A line that starts from another ("idem", "sl", "sdl") has that
line's chromosomes, changed as its own entries say (ISCN 2024, 6.3.4). What cannot be read is listed, never left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from consilium.cytogenetics.bands import AUTOSOMES
from consilium.cytogenetics.iscn.chromosomes import Chromosome, Unknown, normal
from consilium.cytogenetics.iscn.count import UNCOUNTED, NoMeaning, clone_referred_to, count, level
from consilium.cytogenetics.iscn.derive import First, derivatives, first_mentions
from consilium.cytogenetics.iscn.names import bare, doubtful_change
from consilium.cytogenetics.iscn.places import CHROMOSOMES, UnknownBand
from consilium.cytogenetics.iscn.told import Unreadable
from consilium.cytogenetics.iscn.tree import (
    Counted,
    Incomplete,
    Item,
    Line,
    Node,
    Range,
    Rearrangement,
    Reference,
    Result,
    Sex,
    Variant,
    Whole,
)
from consilium.cytogenetics.iscn.write import item as write_item

__all__ = ["CellLine", "Extra", "Meaning", "NoMeaning", "Unread", "mean"]

SexOf = Literal["female", "male", "unknown"]

MOST_CHROMOSOMES = 1000
"""Beyond this many a line is not built: no cell has them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """An entry, or a part of one, that could not be read in bands.

    Attributes:
        text: the entry as written.
        why: the reason.
        chromosomes: those it names: what is told of them is not certain.
        item: the entry in the tree; its span says where it stands.
    """

    text: str
    why: str
    chromosomes: tuple[str, ...]
    item: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Extra:
    """What a cell has beside its chromosomes: double minutes, acentric fragments.

    Attributes:
        kind: "dmin", "ace" or "min".
        number: how many; None for one or an untold number.
        more_than: the number is a least one.
    """

    kind: str
    number: Range | None
    more_than: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CellLine:
    """One cell line or clone.

    Attributes:
        line: its node in the tree.
        level: the ploidy level against which gains and losses are told.
        sex: of the person, from all lines: "male" where a Y is written anywhere.
        chromosomes: of one cell, normal and abnormal: 1 to 22, X, Y, then those of unknown origin.
        extras: what is not counted.
        number: the chromosome number that the entries imply (`count.count`).
        composite: no cell needs to have all of it (ISCN 2024, 6.3.5).
        incomplete: "inc": there are changes that are not told (6.3.6).
        doubtful: entries in which a "?", "~" or "or" stands, as written; of alternatives the first is built, of a
            number of copies the least.
        unread: what could not be read.
    """

    line: Line
    level: int
    sex: SexOf
    chromosomes: tuple[Chromosome, ...]
    extras: tuple[Extra, ...]
    number: Range
    composite: bool
    incomplete: bool
    doubtful: tuple[str, ...]
    unread: tuple[Unread, ...]

    @property
    def abnormal(self) -> tuple[Chromosome, ...]:
        """The chromosomes that are not normal."""
        return tuple(one for one in self.chromosomes if not one.normal)


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """What a result means.

    Attributes:
        result: the tree.
        persons: the cell lines of each person, in the order written.
    """

    result: Result
    persons: tuple[tuple[CellLine, ...], ...]

    @property
    def lines(self) -> tuple[CellLine, ...]:
        """All cell lines in the order written."""
        return tuple(line for lines in self.persons for line in lines)


def mean(result: Result) -> Meaning:
    """Tell what a result means; of several readings ("or") the first, others are had with `Result.others`.

    Raises:
        NoMeaning: a line refers to a clone that is not there, or a cell would have more than `MOST_CHROMOSOMES`.
    """
    return Meaning(result=result, persons=tuple(map(_person, result.persons)))


def _person(lines: tuple[Line, ...]) -> tuple[CellLine, ...]:
    sex = _sex(lines)
    items = [item for line in lines for alternatives in line.items for item in alternatives]
    first = first_mentions([item.abnormality for item in items if isinstance(item.abnormality, Rearrangement)])
    made: list[CellLine] = []
    for at, line in enumerate(lines):
        made.append(_cell_line(line, lines[:at], made, sex, first))
    return tuple(made)


def _sex(lines: Sequence[Line]) -> SexOf:
    told = "".join(line.base.chromosomes for line in lines if isinstance(line.base, Sex))
    for line in lines:
        for item in (item for alternatives in line.items for item in alternatives):
            what = item.abnormality
            if isinstance(what, Whole | Variant):
                told += what.chromosome.replace("X", "")
            elif isinstance(what, Rearrangement):
                told += "".join(one.name for one in what.chromosomes if one.name == "Y")
    if "Y" in told:
        return "male"
    return "female" if "X" in told else "unknown"


class _Cell:
    """A cell while its line is read."""

    def __init__(self, line: Line, first: First) -> None:
        self.line, self.first = line, first
        self.chromosomes: list[Chromosome] = []
        self.extras: list[Extra] = []
        self.doubtful: list[str] = []
        self.unread: list[Unread] = []
        self.incomplete = False

    def multiply(self, copies: Range) -> None:
        if len(self.chromosomes) * copies.low > MOST_CHROMOSOMES:
            raise NoMeaning(f"a cell of {len(self.chromosomes) * copies.low} chromosomes cannot be")
        self.chromosomes *= copies.low
        self.extras *= copies.low
        self.note_range(copies, f"x{copies.low}~{copies.high}")

    def note_range(self, number: Range | None, text: str) -> None:
        if number is not None and number.high is not None:
            self.doubtful.append(text)

    def read(self, alternatives: Sequence[Item]) -> None:
        item = alternatives[0]
        text = " or ".join(map(write_item, alternatives))
        what = item.abnormality
        change = isinstance(what, Rearrangement) and doubtful_change(what)
        if len(alternatives) > 1 or item.doubtful or change:
            self.doubtful.append(text)
        self.note_range(item.copies, text)
        copies = item.copies.low if item.copies else 1
        if copies > MOST_CHROMOSOMES:
            raise NoMeaning(f"{text!r} would be {copies} chromosomes")
        if isinstance(what, Whole):
            self.whole(item, text, what.chromosome, copies)
        elif isinstance(what, Counted):
            self.counted(item, text, what, copies)
        elif isinstance(what, Incomplete):
            self.incomplete = True
        elif isinstance(what, Rearrangement):
            self.structural(item, text, what, copies)
        if len(self.chromosomes) > MOST_CHROMOSOMES:
            raise NoMeaning(f"a cell of more than {MOST_CHROMOSOMES} chromosomes cannot be")

    def whole(self, item: Item, text: str, name: str, copies: int) -> None:
        if item.sign == "+":
            self.chromosomes += [normal(name)] * copies
            return
        base = self.line.base
        if item.sign != "-" or (name in "XY" and isinstance(base, Sex) and not base.constitutional):
            if item.sign != "-":
                self.leave(item, text, "whether it is gained or lost is not told", (name,))
            return  # the sex chromosomes written are those that are left
        for _ in range(copies):
            if not self.remove(name):
                self.leave(item, text, f"no normal chromosome {name} is left to lose", (name,))

    def counted(self, item: Item, text: str, what: Counted, copies: int) -> None:
        if what.kind in UNCOUNTED:
            if item.sign == "-":
                self.extras = [one for one in self.extras if one.kind != what.kind]
            else:
                self.extras.append(Extra(kind=what.kind, number=what.number, more_than=what.bound in (">", "~>")))
            return
        self.note_range(what.number, text)
        name = what.kind + ("" if what.index is None else str(what.index))
        many = (what.number.low if what.number else 1) * copies
        if item.sign == "-":
            for _ in range(many):
                if not self.remove(name):
                    self.leave(item, text, f"no {name} is there to lose", ())
            return
        if len(self.chromosomes) + many > MOST_CHROMOSOMES:
            raise NoMeaning(f"{text!r} would be {many} chromosomes")
        made = Chromosome(
            name=name, home="?", pieces=(Unknown(what.kind, centric=True),), ring=what.kind == "r",
            doubtful=item.doubtful,
        )  # fmt: skip
        self.chromosomes += [made] * many

    def structural(self, item: Item, text: str, what: Rearrangement, copies: int) -> None:
        names = tuple(dict.fromkeys(one.name for one in what.chromosomes))
        if item.sign == "-":
            self.lose(item, text, what, copies)
            return
        try:
            made = derivatives(what, self.first)
        except (Unreadable, UnknownBand) as problem:
            why = problem.what if isinstance(problem, UnknownBand) else str(problem)
            self.leave(item, text, why, names)
            made = _unread(what)
        if item.doubtful:
            made = tuple(replace(one, doubtful=True) for one in made)
        for _ in range(copies):
            if not item.sign:
                self.replace(item, text, what)
            self.chromosomes += made

    def replace(self, item: Item, text: str, what: Rearrangement) -> None:
        base = self.line.base
        keeps_sex = isinstance(base, Sex) and not base.constitutional
        for name in (one.name for one in what.chromosomes):
            if name == "?" or (keeps_sex and name in "XY"):
                continue
            if not self.remove(name):
                self.leave(item, text, f"no normal chromosome {name} is left for it to replace", (name,))

    def lose(self, item: Item, text: str, what: Rearrangement, copies: int) -> None:
        name = bare(what)
        for _ in range(copies):
            same = [one.name for one in self.chromosomes if one.name == name]
            same = same or [one.name for one in self.chromosomes if not one.normal and one.name.endswith(f"){name}")]
            same = same or [one.name for one in self.chromosomes if not one.normal and one.name.startswith(name)]
            if not same:
                self.leave(item, text, "nothing like it is in the clone", ())
            for found in dict.fromkeys(same):
                self.remove(found)

    def remove(self, name: str) -> bool:
        for at in range(len(self.chromosomes) - 1, -1, -1):
            if self.chromosomes[at].name == name:
                del self.chromosomes[at]
                return True
        return False

    def leave(self, item: Item, text: str, why: str, chromosomes: tuple[str, ...]) -> None:
        self.unread.append(Unread(text=text, why=why, chromosomes=chromosomes, item=item))


def _unread(what: Rearrangement) -> tuple[Chromosome, ...]:
    """What stands for a change that cannot be read: the chromosomes that carry it, as if normal."""
    several = what.kind == "t" or what.kind.endswith("ins")
    heads = [one.name for one in what.chromosomes]
    out = []
    for name in heads if several else heads[:1]:
        home = name if name in CHROMOSOMES else "?"
        pieces = normal(home).pieces if home != "?" else (Unknown(centric=True),)
        title = f"der({name}){bare(what)}" if several and len(heads) > 1 else bare(what)
        counted = len(heads) if what.kind == "tas" else 1
        out.append(Chromosome(name=title, home=home, pieces=pieces, doubtful=True, read=False, counted=counted))
    return tuple(out)


def _cell_line(line: Line, before: Sequence[Line], made: Sequence[CellLine], sex: SexOf, first: First) -> CellLine:
    cell = _Cell(line, first)
    number = count(line, before)
    base = line.base
    if isinstance(base, Reference):
        stem = made[clone_referred_to(line, before)]
        cell.chromosomes, cell.extras = list(stem.chromosomes), list(stem.extras)
        cell.doubtful, cell.unread, cell.incomplete = list(stem.doubtful), list(stem.unread), stem.incomplete
        if base.copies is not None:
            cell.multiply(base.copies)
    else:
        told = level(line)
        if told * len(AUTOSOMES) > MOST_CHROMOSOMES:
            raise NoMeaning(f"a cell of {told} sets of chromosomes cannot be")
        cell.chromosomes = [normal(name) for name in AUTOSOMES for _ in range(told)]
        if base is None:
            pass  # none of the sex chromosomes is normal
        elif base.chromosomes in ("U", "?"):
            cell.chromosomes += [Chromosome(name="U", home="U", pieces=(Unknown("U", centric=True),))] * told
        else:
            cell.chromosomes += [normal(name) for name in base.chromosomes]
        if base is not None and base.doubtful:
            cell.doubtful.append(base.chromosomes + "?")
    for alternatives in line.items:
        cell.read(alternatives)
    if line.doubled is not None:
        cell.multiply(line.doubled.copies)
        for alternatives in line.doubled.items:
            cell.read(alternatives)
    return CellLine(
        line=line, level=_cell_level(line, before), sex=sex, chromosomes=tuple(sorted(cell.chromosomes, key=_rank)),
        extras=tuple(cell.extras), number=number, incomplete=cell.incomplete,
        composite=line.cells is not None and line.cells.composite,
        doubtful=tuple(dict.fromkeys(cell.doubtful)), unread=tuple(dict.fromkeys(cell.unread)),
    )  # fmt: skip


def _cell_level(line: Line, before: Sequence[Line]) -> int:
    """Of a doubled line the level of the whole cell, else that of the line."""
    if line.doubled is None:
        return level(line, before)
    doubled = line.doubled
    outer = Line(doubled.count, Sex("X"), ploidy=doubled.ploidy)
    near = level(outer)
    return 2 if near == 1 else near


_ORDER = {name: at for at, name in enumerate((*CHROMOSOMES, "U"))}


def _rank(chromosome: Chromosome) -> tuple[int, bool]:
    """Normal homologues on the left of derivatives; what has no known home last."""
    unknown = {"?": 30, "mar": 32, "r": 31}
    first = chromosome.pieces[0]
    kind = first.what if isinstance(first, Unknown) and chromosome.home == "?" else "?"
    return _ORDER.get(chromosome.home, unknown.get(kind, 30)), not chromosome.normal
