"""What is known of a case before its cells are compared, and what each cell has changed against that."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from consilium.cytogenetics.clones.cell import Cell
from consilium.cytogenetics.clones.change import Change, Changes, read_item, sex_chromosomes_in, units
from consilium.cytogenetics.iscn.tree import Breakpoint, Item, Rearrangement, Whole
from consilium.errors import InputError

Breakpoints = tuple[tuple[Breakpoint, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """The case that the cells belong to.

    Attributes:
        neoplastic: acquired changes are looked for (ISCN 2024, chapter 6); else constitutional ones (chapter 5).
        sex: the constitutional sex chromosomes, e.g. "XX", "XY", "XXY"; None where not known.
        constitutional: changes the person was born with, with their origin where it is known: "+21",
            "der(13;14)(q10;q10)mat".
        constitutional_mosaic: not every cell of the person has them.
        previous: changes that an earlier study found; one cell is enough (ISCN 2024, 4.5.1e, 6.3b).
        confirmed: changes that another technique confirmed; one cell is enough (ISCN 2024, 4.5.3l, 6.3c).
        amniotic: the cells are of amniotic fluid or chorionic villi, where what one culture alone shows is
            pseudomosaicism.
        composite_numbers: in a composite karyotype every change is followed by its cells (ISCN 2024, 6.3.5d).
        masked: another technique or an earlier study showed that hyperdiploid cells are near-haploid ones doubled
            (masked hypodiploidy); such clones are then written as "50(25,X,+8,+21)x2" (ISCN 2024, 6.3.7h).
        prefix: "mos" or "chi" before the string of a constitutional case, where the laboratory writes it (4.5.3i).
    """

    neoplastic: bool
    sex: str | None = None
    constitutional: tuple[Item | str, ...] = ()
    constitutional_mosaic: bool = False
    previous: tuple[Item | str, ...] = ()
    confirmed: tuple[Item | str, ...] = ()
    amniotic: bool = False
    composite_numbers: bool = True
    masked: bool = False
    prefix: Literal["", "mos", "chi"] = ""


class SexComplement(NamedTuple):
    """The sex chromosomes that changes are told against.

    Attributes:
        told: at the diploid level, e.g. "XY", "XXY".
        constitutional: it differs from the usual and stands with "c" in neoplasia (ISCN 2024, 4.2.1e).
        doubtful: nobody told it and no cell has a usual one: "?c".
    """

    told: str
    constitutional: bool = False
    doubtful: bool = False

    def at(self, level: int) -> Counter[str]:
        """Its chromosomes at a ploidy level; an odd level has the X more (ISCN 2024, 6.3.7i)."""
        x, y = self.told.count("X"), self.told.count("Y")
        if x + y == 2:
            x, y = (level, 0) if y == 0 else ((level + 1) // 2, level // 2)
        else:
            x, y = -(-x * level // 2), y * level // 2
        return Counter({"X": x, "Y": y})


class Observed(NamedTuple):
    """What the cells of a case have changed.

    Attributes:
        cells: in the order of their names.
        changes: of every cell.
        sex: what sex chromosomes were compared with.
        background: constitutional changes that every cell has, as they are written; empty where none are known.
        previous, confirmed: what one cell is enough for.
        written: items to write for constitutional changes, with their origin.
    """

    cells: tuple[Cell, ...]
    changes: tuple[Changes, ...]
    sex: SexComplement
    background: tuple[Item, ...]
    previous: frozenset[Item]
    confirmed: frozenset[Item]
    written: Mapping[Item, Item]


def observe(cells: Sequence[Cell], setting: Setting) -> Observed:
    """Compare every cell with the constitution of the person.

    Raises:
        InputError: there is no cell, two cells have one name, or a cell lacks a constitutional structural change.
    """
    if not cells:
        raise InputError("there is no cell to find clones in")
    ordered = tuple(sorted(cells, key=lambda cell: cell.name))
    twice = [name for name, times in Counter(cell.name for cell in ordered).items() if times > 1]
    if twice:
        raise InputError("two cells have the same name", where=twice[0])
    known = _breakpoints_told([*(item for cell in ordered for item in cell.items), *_items(setting.constitutional)])
    constitution = [_filled(item, known) for item in _items(setting.constitutional)]
    sex = _sex(ordered, setting)
    changes = []
    for cell in ordered:
        found = Counter(_filled(item, known) for item in cell.items.elements())
        changes.append(_changes(cell, found, constitution, sex, setting))
    background = tuple(constitution) if setting.neoplastic and not setting.constitutional_mosaic else ()
    return Observed(
        cells=ordered, changes=tuple(changes), sex=sex, background=background,
        previous=frozenset(_bare(_filled(item, known)) for item in _items(setting.previous)),
        confirmed=frozenset(_bare(_filled(item, known)) for item in _items(setting.confirmed)),
        written={_bare(item): item for item in constitution},
    )  # fmt: skip


def usual_sex(sex: str) -> str:
    """The complement a usual person of that sex has."""
    return "XY" if "Y" in sex else "XX"


def _bare(item: Item) -> Item:
    return next(iter(units(item)))


def _items(told: Iterable[Item | str]) -> list[Item]:
    return [read_item(one) if isinstance(one, str) else one for one in told]


def _sex(cells: Sequence[Cell], setting: Setting) -> SexComplement:
    """What to compare sex chromosomes with: what is told, else what the cells with a usual complement have."""
    diploid = [cell for cell in cells if cell.ploidy == 2]
    plain = Counter(cell.sex for cell in diploid if not cell.items and not cell.incomplete)
    if setting.neoplastic and _two_persons(plain, setting.sex):
        raise InputError(
            "several normal cells are XX and several XY",
            way_out="Look at the sex told; give the cells of a donor as a case of their own.",
        )
    if setting.sex is not None:
        usual = usual_sex(setting.sex)
        if setting.constitutional_mosaic and sum("Y" in _complement(cell) for cell in diploid) >= 2:
            usual = "XY"
        if not setting.neoplastic or setting.constitutional_mosaic or setting.sex == usual:
            return SexComplement(usual)
        return SexComplement(setting.sex, constitutional=True)
    complements = Counter(_complement(cell) for cell in diploid)
    for counted in (plain, complements):
        if counted["XX"] or counted["XY"]:
            return SexComplement("XX" if counted["XX"] > counted["XY"] else "XY")
    if not setting.neoplastic or not complements:
        return SexComplement("XY" if any("Y" in _complement(cell) for cell in cells) else "XX")
    told = min(complements, key=lambda one: (-complements[one], one))
    return SexComplement(told, constitutional=True, doubtful=True)


def _two_persons(plain: Mapping[str, int], sex: str | None) -> bool:
    """Whether normal cells of another sex are there, which no clone of this person can be."""
    male, female = plain.get("XY", 0), plain.get("XX", 0)
    if sex in ("XX", "XY"):
        return (male if sex == "XX" else female) >= 2
    return male >= 2 and female >= 2


def _complement(cell: Cell) -> str:
    sex = Counter(cell.sex)
    for item, times in cell.items.items():
        for name in sex_chromosomes_in(item):
            sex[name] += times
    return "X" * sex["X"] + "Y" * sex["Y"]


def _changes(
    cell: Cell, found: Counter[Item], constitution: Sequence[Item], sex: SexComplement, setting: Setting
) -> Changes:
    born: Counter[Item] = Counter()
    for item in constitution if setting.neoplastic else ():
        for unit, once in units(item).items():
            times = once * (cell.ploidy // 2)
            have = min(found[unit], times)
            found[unit] -= have
            if setting.constitutional_mosaic:
                born[unit] += have
            elif have < times and not cell.incomplete:
                found[_undone(unit, cell)] += times - have
    complement = Counter(_complement(cell))
    usual = sex.at(cell.ploidy)
    if setting.constitutional_mosaic and setting.neoplastic and setting.sex not in (None, sex.told):
        told = Counter(setting.sex)
        for name in "XY":
            step = told[name] - usual[name]
            seen = complement[name] - usual[name]
            born_here = min(step, seen) if step > 0 else max(step, seen) if step < 0 else 0
            if born_here * step > 0:
                born[Item(Whole(name), "+" if step > 0 else "-")] += abs(born_here)
                usual[name] += born_here
    for name in "XY":
        difference = complement[name] - usual[name]
        if difference:
            found[Item(Whole(name), "+" if difference > 0 else "-")] += abs(difference)
    changes = {
        Change(item, nth, cell.ploidy, constitutional)
        for constitutional, counted in ((False, found), (True, born))
        for item, times in counted.items()
        for nth in range(1, times + 1)
    }
    if cell.ploidy != 2:
        changes.add(Change(None, level=cell.ploidy))
    return frozenset(changes)


def _undone(item: Item, cell: Cell) -> Item:
    """What a cell has instead of a constitutional change that it lost (ISCN 2024, 6.4g)."""
    if isinstance(item.abnormality, Whole) or item.sign:
        return replace(item, sign="-" if item.sign == "+" else "+")
    raise InputError(
        "the cell lacks a constitutional structural change", where=cell.name,
        way_out="Look at the cell again, or tell that the constitution is a mosaic.",
    )  # fmt: skip


_Told = Mapping[tuple[str, tuple[object, ...]], set[Breakpoints]]


def _breakpoints_told(items: Iterable[Item]) -> _Told:
    told: defaultdict[tuple[str, tuple[object, ...]], set[Breakpoints]] = defaultdict(set)
    for item in items:
        if isinstance(item.abnormality, Rearrangement):
            for part in (item.abnormality, *item.abnormality.then):
                if part.breakpoints:
                    told[part.kind, part.chromosomes].add(part.breakpoints)
    return told


def _filled(item: Item, told: _Told) -> Item:
    """Write out breakpoints that were left out because they stand elsewhere (ISCN 2024, 4.2.1f)."""
    if not isinstance(item.abnormality, Rearrangement):
        return item
    parts = []
    for part in (replace(item.abnormality, then=()), *item.abnormality.then):
        elsewhere = told.get((part.kind, part.chromosomes), set())
        lone_head = part.kind in ("der", "rec") and item.abnormality.then
        if not part.breakpoints and not part.strands and len(elsewhere) == 1 and not lone_head:
            part = replace(part, breakpoints=next(iter(elsewhere)))
        parts.append(part)
    return replace(item, abnormality=replace(parts[0], then=tuple(parts[1:])))


def background_at(level: int, observed: Observed) -> Counter[Item]:
    """The constitutional changes that every cell of a ploidy level has: twice as many in a tetraploid one."""
    counted: Counter[Item] = Counter()
    for item in observed.background:
        for unit, times in units(item).items():
            counted[unit] += times * (level // 2)
    return +counted
