"""What holds for the clones of any case: order does not matter, counts add up, a simulated clone tree is recovered."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.cytogenetics.clones.cell import Cell
from consilium.cytogenetics.clones.change import Change, Changes, read_item
from consilium.cytogenetics.clones.doubling import doubled, halved
from consilium.cytogenetics.clones.karyotype import ClonalKaryotype, clonal_karyotype
from consilium.cytogenetics.clones.setting import Setting, SexComplement
from consilium.cytogenetics.clones.wording import LANGUAGES, describe
from consilium.cytogenetics.iscn.parse import parse
from consilium.cytogenetics.iscn.tree import Counted, Item, Line, Rearrangement, Reference, Sex, Whole
from consilium.cytogenetics.iscn.write import write
from consilium.errors import ConsiliumError

STRUCTURAL = (
    "t(9;22)(q34;q11.2)", "del(5)(q22q33)", "i(17)(q10)", "inv(3)(q21q26.2)", "+mar", "der(1;7)(q10;p10)",
    "+der(22)t(9;22)", "dic(9;20)(p13;q11.2)", "del(6)(q15q23)x2", "del(X)(q21)", "+r", "7dmin",
)  # fmt: skip
AUTOSOMES = [str(number) for number in range(1, 23)]


@st.composite
def cells(draw: st.DrawFn) -> list[Cell]:
    """Cells that show few different changes, so that many share some, at one or two ploidy levels."""
    chromosomes = draw(st.lists(st.sampled_from(AUTOSOMES), min_size=1, max_size=4))
    structural = draw(st.lists(st.sampled_from(STRUCTURAL), max_size=3, unique=True))
    male = draw(st.booleans())
    made = []
    for number in range(draw(st.integers(1, 14))):
        level = draw(st.sampled_from([2, 2, 2, 2, 4, 1, 3]))
        changes = tuple(draw(st.lists(st.sampled_from(structural), max_size=3, unique=True))) if structural else ()
        usual = "X" * level if not male else "X" * ((level + 1) // 2) + "Y" * (level // 2)
        sex = draw(st.sampled_from([usual, usual, usual, "X", usual.replace("X", "XX", 1)]))
        made.append(
            Cell(
                name=f"c{number:02d}", sex=sex, ploidy=level, structural=changes,
                gains=tuple(draw(st.lists(st.sampled_from(chromosomes), max_size=3))),
                losses=tuple(draw(st.lists(st.sampled_from(AUTOSOMES), max_size=1))),
                incomplete=draw(st.integers(0, 9)) == 0,
                culture=draw(st.sampled_from(["", "A", "B"])), colony=draw(st.sampled_from(["", "1", "2"])),
            )
        )  # fmt: skip
    return made


@st.composite
def settings_of(draw: st.DrawFn) -> Setting:
    return Setting(
        neoplastic=draw(st.booleans()),
        sex=draw(st.sampled_from([None, "XX", "XY", "XXY", "X"])),
        previous=tuple(draw(st.lists(st.sampled_from(["+8", "t(9;22)(q34;q11.2)", "-7"]), max_size=1))),
        constitutional=tuple(draw(st.lists(st.sampled_from(["+21", "+mar"]), max_size=1))),
        constitutional_mosaic=draw(st.booleans()),
        amniotic=draw(st.booleans()),
        masked=draw(st.booleans()),
        composite_numbers=draw(st.booleans()),
    )


def outcome(case: list[Cell], setting: Setting, style: str = "sl") -> ClonalKaryotype | str:
    try:
        return clonal_karyotype(case, setting, style=style)  # type: ignore[arg-type]
    except ConsiliumError as error:
        return str(error)


many = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@many
@given(cells(), settings_of(), st.sampled_from(["sl", "idem"]), st.randoms(use_true_random=False))
def test_the_order_of_the_cells_does_not_matter(
    case: list[Cell], setting: Setting, style: str, chance: random.Random
) -> None:
    shuffled = list(case)
    chance.shuffle(shuffled)
    assert outcome(shuffled, setting, style) == outcome(case, setting, style)


@many
@given(cells(), settings_of(), st.randoms(use_true_random=False))
def test_the_names_of_the_cells_do_not_matter(case: list[Cell], setting: Setting, chance: random.Random) -> None:
    names = [cell.name for cell in case]
    chance.shuffle(names)
    renamed = [replace(cell, name=name) for cell, name in zip(case, names, strict=True)]
    first, second = outcome(case, setting), outcome(renamed, setting)
    if isinstance(first, ClonalKaryotype) and isinstance(second, ClonalKaryotype):
        assert str(first) == str(second)
    else:
        assert isinstance(first, str) and isinstance(second, str)


@many
@given(cells(), settings_of(), st.sampled_from(["sl", "idem"]))
def test_what_is_written_is_read_again(case: list[Cell], setting: Setting, style: str) -> None:
    made = outcome(case, setting, style)
    if isinstance(made, ClonalKaryotype):
        assert parse(write(made.result)) == made.result


@many
@given(cells(), settings_of(), st.sampled_from(["sl", "idem"]))
def test_the_count_of_every_line_is_what_its_entries_add_up_to(case: list[Cell], setting: Setting, style: str) -> None:
    made = outcome(case, setting, style)
    if isinstance(made, ClonalKaryotype):
        lines = parse(str(made)).persons[0]
        for line, clone in zip(lines, made.clones, strict=True):
            if not clone.composite and not clone.incomplete:
                assert line.count.high is None and line.count.low == added_up(line, lines), str(made)
                if line.doubled is not None:
                    later = sum(weight(item) for (item,) in line.doubled.items)
                    assert whole_cell(line) == line.count.low * line.doubled.copies.low + later, str(made)


def test_a_sideline_counts_from_the_whole_of_a_doubled_stemline() -> None:
    stem, more = {"sex": "XX", "gains": ("1", "1", "1")}, {"sex": "XXX", "gains": ("1", "1", "1")}
    case = [Cell(name=str(number), **one) for number, one in enumerate([stem, stem, more, more])]  # type: ignore[arg-type]
    made = clonal_karyotype(case, Setting(neoplastic=True, masked=True))
    assert str(made) == "49(24,X,+1)x2,+1[2]/50,sl,+X[2]"


@many
@given(cells(), settings_of(), st.sampled_from(["sl", "idem"]))
def test_no_cell_is_in_two_lines_and_none_is_forgotten(case: list[Cell], setting: Setting, style: str) -> None:
    made = outcome(case, setting, style)
    if isinstance(made, ClonalKaryotype):
        counted = [name for clone in made.clones for name in clone.cells]
        assert len(counted) == len(set(counted))
        left = {cell.name for cell in case} - set(counted)
        assert left == {one.cell for one in made.set_aside if not one.counted}
        text = str(made)
        assert not ("idem" in text and "sl" in text.replace("idem", ""))
        for language in LANGUAGES:
            assert all("{" not in sentence for sentence in describe(made, language))


def added_up(line: Line, lines: tuple[Line, ...]) -> int:
    """The count of a line from its entries alone, written apart from the code it judges (ISCN 2024, 5.4.1k)."""
    if isinstance(line.base, Reference):
        if line.base.kind == "sdl":
            assert line.base.index is not None
            source = lines[line.base.index]
        elif line.base.kind == "idem" or line.base.index in (None, 1):
            source = lines[0]
        else:
            stems = [k for k, one in enumerate(lines) if isinstance(one.base, Sex)]
            source = lines[stems[line.base.index - 1]]
        total = whole_cell(source) * (line.base.copies.low if line.base.copies else 1)
    else:
        level = line.ploidy or max(1, (line.count.low + 11) // 23)
        letters = len(line.base.chromosomes)
        if line.base.constitutional:
            total = 22 * level + letters
        else:
            # What letters do not show was lost, or put where a normal one was.
            gone = sum(1 for (item,) in line.items if item.sign == "-" and whole(item) in ("X", "Y"))
            total = 22 * level + letters + gone + sum(replaced_sex(item) for (item,) in line.items)
    for (item,) in line.items:
        total += weight(item)
    return total


def whole_cell(line: Line) -> int:
    """The chromosomes of a cell of the line; of "50(25,X,+8)x2" they are 50, and a line that refers to it has those."""
    return (line.count if line.doubled is None else line.doubled.count).low


def whole(item: Item) -> str:
    return item.abnormality.chromosome if isinstance(item.abnormality, Whole) else ""


def replaced_sex(item: Item) -> int:
    if item.sign or not isinstance(item.abnormality, Rearrangement):
        return 0
    named = [one.name for one in item.abnormality.chromosomes if one.name in ("X", "Y")]
    return len(named) * (item.copies.low if item.copies else 1)


def weight(item: Item) -> int:
    copies = item.copies.low if item.copies else 1
    if isinstance(item.abnormality, Counted):
        number = item.abnormality.number.low if item.abnormality.number else 1
        return 0 if item.abnormality.kind == "dmin" else -number if item.sign == "-" else number
    if item.sign:
        return copies if item.sign == "+" else -copies
    if isinstance(item.abnormality, Rearrangement) and item.abnormality.kind in ("der", "dic"):
        return copies * (1 - len(item.abnormality.chromosomes))
    return 0


POOL = {
    1: "del(1)(p32)", 2: "+2", 3: "inv(3)(q21q26.2)", 4: "add(4)(q31)", 5: "del(5)(q22q33)", 6: "+6", 7: "i(7)(q10)",
    8: "+8", 9: "del(9)(q13q22)", 10: "+10", 11: "add(11)(q23)", 12: "+12", 13: "del(13)(q12q14)", 14: "+14",
    15: "+15", 16: "inv(16)(p13.1q22)", 17: "i(17)(q10)", 18: "+18", 19: "+19", 20: "del(20)(q11.2q13.3)", 21: "+21",
    22: "add(22)(q13)",
}  # fmt: skip


@pytest.mark.parametrize("seed", range(120))
def test_a_simulated_clone_tree_with_chance_losses_is_recovered(seed: int) -> None:
    """A stemline, sidelines that branch from it, an unrelated clone, normal cells; chance losses that differ."""
    chance = random.Random(seed)
    places = chance.sample(sorted(POOL), 8)
    structural = [place for place in places if not POOL[place].startswith("+")]
    if not structural:
        pytest.skip("no structural change was drawn for the stemline")
    stem = {structural[0]} | set(chance.sample([one for one in places if one != structural[0]], chance.randint(0, 1)))
    rest = [place for place in places if place not in stem]
    sidelines = [{rest[0]}, {rest[1]}, {rest[2], rest[3]}][: chance.randint(0, 3)]
    other = {rest[4]} if chance.random() < 0.5 else set()
    sizes = chance.sample(range(4, 12), 6)
    lines = [(stem, sizes[0]), *((stem | more, size) for more, size in zip(sidelines, sizes[1:4], strict=False))]
    everything = [*lines, *([(other, sizes[4])] if other else []), (set(), sizes[5])]
    losable = [place for place in POOL if place not in places]
    chance.shuffle(losable)
    case = []
    for number, (changes, size) in enumerate(everything):
        for k in range(size):
            losses = (str(losable.pop()),) if losable and chance.random() < 0.25 else ()
            gains = tuple(POOL[place][1:] for place in changes if POOL[place].startswith("+"))
            others = tuple(POOL[place] for place in changes if not POOL[place].startswith("+"))
            case.append(
                Cell(name=f"{number}.{k}", sex="XX", gains=gains, losses=losses, structural=others)
            )  # fmt: skip
    chance.shuffle(case)
    assert str(clonal_karyotype(case, Setting(neoplastic=True, sex="XX"))) == expected(lines, sidelines, other, sizes)


def expected(lines: list[tuple[set[int], int]], sidelines: list[set[int]], other: set[int], sizes: list[int]) -> str:
    """The string, put together by hand: sidelines by complexity, then by chromosome; a pair of clones by size."""

    def entries(places: set[int]) -> str:
        return "".join(f",{POOL[place]}" for place in sorted(places))

    def gains(places: set[int]) -> int:
        return sum(POOL[place].startswith("+") for place in places)

    stem, size = lines[0]
    count = 46 + gains(stem)
    family = [f"{count},XX{entries(stem)}[{size}]"]
    ordered = sorted(zip(sidelines, sizes[1:4], strict=False), key=lambda one: (len(one[0]), sorted(one[0])))
    family += [f"{count + gains(more)},sl{entries(more)}[{number}]" for more, number in ordered]
    groups = [(family, len(family) > 1, size)]
    if other:
        groups.append(([f"{46 + gains(other)},XX{entries(other)}[{sizes[4]}]"], False, sizes[4]))
    groups.sort(key=lambda group: (not group[1], -group[2]))
    return "/".join([line for group, _, _ in groups for line in group] + [f"46,XX[{sizes[5]}]"])


@st.composite
def near_haploid(draw: st.DrawFn) -> Changes:
    """Changes against one set of chromosomes: gains, losses, what became of X and Y, structural ones."""
    gained = draw(st.lists(st.sampled_from(AUTOSOMES), min_size=1, max_size=6))
    lost = draw(st.lists(st.sampled_from([one for one in AUTOSOMES if one not in gained]), max_size=1))
    sex = draw(st.sampled_from([[], ["+X"], ["+Y"], ["-X", "+Y"]]))
    items = [Item(Whole(name), "+") for name in gained] + [Item(Whole(name), "-") for name in lost]
    items += [Item(Whole(one[1]), one[0]) for one in sex]
    items += [read_item(text) for text in draw(st.lists(st.sampled_from(["del(5)(q22q33)", "+mar"]), max_size=2))]
    counted = Counter(items)
    return frozenset(Change(item, nth, 1) for item, times in counted.items() for nth in range(1, times + 1))


@given(near_haploid(), st.sampled_from(["XX", "XY"]))
def test_halving_finds_what_was_doubled(clone: Changes, told: str) -> None:
    sex = SexComplement("XX")  # against which a haploid set has one X, whatever the person is
    found = halved(doubled(clone, sex), sex)
    assert found == (clone, frozenset())
    later = frozenset({Change(Item(Whole("22"), "+"), 1, 2)})
    if not any(change.item == Item(Whole("22"), sign) for change in clone for sign in "+-"):
        assert halved(doubled(clone, sex) | later, sex) == (clone, later)
    assert halved(later, SexComplement(told)) is None
