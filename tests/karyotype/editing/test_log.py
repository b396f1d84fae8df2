"""Any sequence of commands: undone it is the machine's reading again, and nothing is lost on the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.errors import InputError
from consilium.karyotype.editing import command_json
from consilium.karyotype.editing.cell import REASONS, EditedCell
from consilium.karyotype.editing.commands import (
    Add,
    Command,
    Confirm,
    Cut,
    Erase,
    Flip,
    Join,
    Note,
    Reassign,
    Redo,
    Remove,
    Restore,
    Rotate,
    Separate,
    Straighten,
    Swap,
    Undo,
)
from consilium.karyotype.editing.effort import effort
from consilium.karyotype.editing.log import Folded, fold
from consilium.karyotype.editing.region import Polygon, Region, shared, united, without
from consilium.karyotype.editing.told import told

LABELS = ("1", "21", "X", "Y", "unsure", "mar", "der(9)", "r(7)", "dic(9;20)")
SHAPING = (Cut, Join, Separate, Erase, Restore, Remove, Add)


Wish = Callable[[EditedCell], Command]
"""A command for whatever cell it meets: which object and where are drawn before it is known what is there."""

part = st.floats(0, 1)
parts = st.tuples(part, part)
few_parts = st.lists(part, min_size=1, max_size=3)


def who(cell: EditedCell, chosen: float) -> str:
    """The object at a part of the list."""
    ids = [one.id for one in cell.objects] or ["c0"]
    return ids[min(int(chosen * len(ids)), len(ids) - 1)]


def several(cell: EditedCell, chosen: list[float]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(who(cell, one) for one in chosen))


def near(cell: EditedCell, id_: str, points: list[tuple[float, float]]) -> Polygon:
    """Points in and around the box of an object."""
    x0, y0, x1, y1 = cell.named(id_).region.box if cell.objects else (0, 0, 9, 9)
    return tuple((x0 - 6 + x * (x1 - x0 + 12), y0 - 6 + y * (y1 - y0 + 12)) for x, y in points)


def wish(make: Callable[..., Command], **drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Wish]:
    """Wishes of a kind: `make` is given the cell, the object, and what is drawn."""

    def met(chosen: float, values: dict[str, Any]) -> Wish:
        return lambda cell: make(cell, who(cell, chosen), **values)

    return st.builds(met, part, st.fixed_dictionaries(drawn))


def outlined(kind: Callable[..., Command]) -> st.SearchStrategy[Wish]:
    return wish(lambda cell, one, points: kind(object=one, polygon=near(cell, one, points)), points=outline)


outline = st.lists(parts, min_size=3, max_size=6)
through = part.map(lambda height: [(-0.1, height), (1.1, height)])
WISHES = st.one_of(
    wish(
        lambda _, one, label, place: Reassign(object=one, label=label, place=place),
        label=st.sampled_from(LABELS), place=st.none() | st.integers(0, 4),
    ),
    wish(lambda cell, one, other: Swap(object=one, other=who(cell, other)), other=part),
    wish(lambda _, one, axis: Flip(object=one, axis=axis), axis=st.sampled_from(["vertical", "horizontal"])),
    wish(lambda _, one, degrees: Rotate(object=one, degrees=degrees), degrees=st.floats(-360, 360)),
    wish(lambda _, one, on: Straighten(object=one, on=on), on=st.booleans()),
    wish(
        lambda cell, one, line: Cut(object=one, line=near(cell, one, line)),
        line=through | st.lists(parts, min_size=2, max_size=4),
    ),
    wish(lambda cell, _, some: Join(objects=several(cell, some)), some=few_parts),
    wish(
        lambda cell, one, first, second: Separate(
            object=one, first=near(cell, one, first), second=near(cell, one, second)
        ),
        first=outline, second=outline,
    ),
    wish(
        lambda cell, one, points, label: Add(polygon=near(cell, one, points), label=label),
        points=outline, label=st.none() | st.sampled_from(LABELS),
    ),
    outlined(Erase),
    outlined(Restore),
    wish(lambda _, one, reason: Remove(object=one, reason=reason), reason=st.sampled_from(REASONS)),
    wish(lambda cell, _, some: Confirm(objects=several(cell, some)), some=few_parts),
    wish(lambda _, one, of_it: Note(text="seen", object=one if of_it else None), of_it=st.booleans()),
    wish(lambda *_: Undo()),
    wish(lambda *_: Redo()),
)  # fmt: skip
LOGS = st.lists(WISHES, min_size=1, max_size=14)


def done(cell: EditedCell, wishes: list[Wish]) -> tuple[list[Command], Folded]:
    """Those that can be done one after the other, and what they come to."""
    folded, commands = Folded(reading=cell), []
    for one in wishes:
        command = one(folded.cell)
        try:
            folded = folded.then(command)
        except InputError:
            continue
        commands.append(command)
    return commands, folded


def all_pixels(cell: EditedCell) -> Region:
    return united([*(one.region for one in cell.objects), *(one.object.region for one in cell.removed)])


FEW = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow,
                                                                      HealthCheck.function_scoped_fixture])  # fmt: skip


@FEW
@given(LOGS)
def test_undoing_all_gives_the_reading_and_doing_all_again_the_state(cell: EditedCell, wishes: list[Wish]) -> None:
    _, folded = done(cell, wishes)
    back, steps = folded, 0
    while back.done:
        back, steps = back.then(Undo()), steps + 1
    assert back.cell == cell
    for _ in range(steps):
        back = back.then(Redo())
    assert back.cell == folded.cell
    assert back.version == folded.version + 2 * steps


@FEW
@given(LOGS)
def test_the_same_log_is_the_same_state_through_json_too(cell: EditedCell, wishes: list[Wish]) -> None:
    commands, folded = done(cell, wishes)
    again = fold(cell, [command_json.read(command_json.written(one)) for one in commands])
    assert again == folded
    assert told(again.cell) == told(folded.cell)


@FEW
@given(LOGS)
def test_ids_are_unique_and_never_given_twice_and_places_have_no_gap(cell: EditedCell, wishes: list[Wish]) -> None:
    commands, _ = done(cell, wishes)
    folded, ever = Folded(reading=cell), {one.id for one in cell.objects}
    for one in commands:
        before = {each.id for each in folded.cell.objects}
        folded = folded.then(one)
        now = [each.id for each in folded.cell.objects]
        assert len(set(now)) == len(now)
        if not isinstance(one, Undo | Redo):
            assert not (set(now) - before) & ever
            ever |= set(now)
        for home in {each.home for each in folded.cell.objects}:
            assert [each.place for each in folded.cell.beside(home)] == list(range(len(folded.cell.beside(home))))


@FEW
@given(LOGS)
def test_no_command_loses_an_object_silently(cell: EditedCell, wishes: list[Wish]) -> None:
    """What goes is in the record of what was removed, or its pixels are in what took its place."""
    commands, _ = done(cell, wishes)
    folded = Folded(reading=cell)
    for one in commands:
        before, folded = folded.cell, folded.then(one)
        if isinstance(one, Undo | Redo):
            continue
        after = folded.cell
        gone = {each.id for each in before.objects} - {each.id for each in after.objects}
        meant = {one.object} if isinstance(one, Cut | Separate | Remove) else set()
        assert gone == (set(one.objects) if isinstance(one, Join) else meant)
        if not isinstance(one, Erase | Restore | Add):
            assert all_pixels(after) == all_pixels(before)
        if not isinstance(one, SHAPING):
            assert [each.region for each in after.objects] == [each.region for each in before.objects]
        assert told(after).count == len(after.objects)


def across(cell: EditedCell, id_: str) -> Cut:
    x0, y0, x1, y1 = cell.named(id_).region.box
    return Cut(object=id_, line=((x0 - 2, (y0 + y1) / 2), (x1 + 2, (y0 + y1) / 2)))


def test_cut_and_joined_again_it_has_the_same_pixels(cell: EditedCell) -> None:
    before = cell.named("c0")
    cut = Folded(reading=cell).then(across(cell, "c0"))
    assert [one.id for one in cut.cell.objects if one.id.startswith("n")] == ["n1a", "n1b"]
    larger, smaller = cut.cell.named("n1a"), cut.cell.named("n1b")
    assert larger.region.area >= smaller.region.area
    assert (larger.label, larger.place, larger.read, larger.confirmed) == (before.label, before.place, False, False)
    assert smaller.label == "unsure"
    joined = cut.then(Join(objects=("n1b", "n1a"))).cell.named("n2")
    assert joined.region == before.region
    assert (joined.label, joined.place) == (before.label, before.place)
    assert told(cut.then(Join(objects=("n1b", "n1a"))).cell).karyotype == told(cell).karyotype


def test_erased_and_restored_it_has_the_same_pixels(cell: EditedCell) -> None:
    before = cell.named("c3")
    x0, y0, x1, _ = before.region.box
    tip = ((x0, y0), (x1, y0), (x1, y0 + 5), (x0, y0 + 5))
    erased = Folded(reading=cell).then(Erase(object="c3", polygon=tip))
    assert erased.cell.named("c3").region.area < before.region.area
    lost = without(before.region, erased.cell.named("c3").region)
    assert lost is not None and lost.box[3] == y0 + 6
    # An outline is straight where the tip is round: the corners come with it.
    restored = erased.then(Restore(object="c3", polygon=tip)).cell.named("c3")
    assert shared(restored.region, before.region) == before.region
    assert (restored.label, restored.read, restored.confidence) == (before.label, True, before.confidence)


def test_what_a_command_cannot_do_is_told_and_changes_nothing(cell: EditedCell) -> None:
    folded = Folded(reading=cell)
    far = ((9e4, 9e4), (9.1e4, 9e4), (9e4, 9.1e4))
    x0, y0, x1, y1 = cell.named("c0").region.box
    everything = ((x0 - 1, y0 - 1), (x1, y0 - 1), (x1, y1), (x0 - 1, y1))
    refused: list[tuple[Command, str]] = [
        (Undo(), "nothing to undo"), (Redo(), "nothing to do again"), (Swap(object="c0", other="c0"), "itself"),
        (Reassign(object="zz", label="1"), "no object"), (Erase(object="c0", polygon=far), "outside"),
        (Erase(object="c0", polygon=everything), "would be left"), (Join(objects=("c0",)), "two objects"),
        (Restore(object="c0", polygon=((x0 + 5, y0 + 20), (x0 + 6, y0 + 20), (x0 + 6, y0 + 21))), "changes nothing"),
        (Cut(object="c0", line=((0.0, 0.0), (1.0, 1.0))), "does not part"), (Add(polygon=far), "outside"),
        (Confirm(objects=("c0", "zz")), "no object"),
    ]  # fmt: skip
    for one, why in refused:
        with pytest.raises(InputError, match=why):
            folded.then(one)
    gone = folded.then(Remove(object="c0", reason="dirt"))
    with pytest.raises(InputError, match="was removed") as told_:
        gone.then(Confirm(objects=("c0",)))
    assert "Undo" in told_.value.way_out
    named = folded.then(Reassign(object="c0", label="2"))
    with pytest.raises(InputError, match="stands there already"):
        named.then(Reassign(object="c0", label="2"))


def test_another_command_empties_what_could_be_done_again(cell: EditedCell) -> None:
    folded = fold(cell, [Confirm(objects=("c0",)), Undo(), Confirm(objects=("c1",))])
    assert not folded.undone and folded.version == 3
    with pytest.raises(InputError):
        folded.then(Redo())


def test_interactions_count_all_but_notes(cell: EditedCell) -> None:
    commands = [
        Confirm(objects=("c0", "c1", "c2")),
        Undo(),
        Redo(),
        Note(text="good"),
        Flip(object="c0", axis="vertical"),
    ]
    assert fold(cell, commands).interactions == 4
    assert effort([]) is None
    found = effort([3, 36, 25, 61])
    assert found is not None and (found.median, found.most, found.karyograms) == (30.5, 61, 4)
    assert found.low <= found.median <= found.high


def test_names_and_places(cell: EditedCell) -> None:
    folded = Folded(reading=cell)
    moved = folded.then(Reassign(object="c0", label="2", place=1)).cell
    assert [one.id for one in moved.beside("2")] == ["c2", "c0", "c3"]
    assert [one.place for one in moved.beside("1")] == [0]
    assert told(moved).karyotype == "46,XX,-1,+2"
    first = folded.then(Reassign(object="c3", label="2", place=0)).cell
    assert [one.id for one in first.beside("2")] == ["c3", "c2"]
    swapped = folded.then(Swap(object="c0", other="c3")).cell
    assert (swapped.named("c0").label, swapped.named("c0").place) == ("2", 1)
    assert (swapped.named("c3").label, swapped.named("c3").place) == ("1", 0)
    assert swapped.named("c3").confirmed and not swapped.named("c1").confirmed
    reordered = folded.then(Reassign(object="c0", label="1", place=1)).cell
    assert [one.id for one in reordered.beside("1")] == ["c1", "c0"]
    assert not reordered.named("c0").named and not reordered.named("c0").confirmed
    unsure = folded.then(Reassign(object="c0", label="unsure")).cell
    assert not unsure.named("c0").confirmed and told(unsure).doubtful[0] == "c0"


def test_turns_are_exact(cell: EditedCell) -> None:
    folded = Folded(reading=cell)
    for _ in range(72):
        folded = folded.then(Rotate(object="c0", degrees=5.0))
    assert folded.cell.named("c0").angle_deg == cell.named("c0").angle_deg
    assert folded.cell.named("c0").polarity == cell.named("c0").polarity
    assert folded.then(Rotate(object="c0", degrees=-180.0)).cell.named("c0").polarity == 1.0
    twice = folded.then(Flip(object="c0", axis="vertical")).then(Flip(object="c0", axis="vertical")).cell.named("c0")
    assert not twice.upside_down and math.isclose(twice.angle_deg, cell.named("c0").angle_deg)
    assert twice.region is cell.named("c0").region


def test_what_was_made_by_hand_is_doubtful_until_somebody_names_or_confirms_it(cell: EditedCell) -> None:
    folded = Folded(reading=cell).then(across(cell, "c0"))
    says = told(folded.cell)
    assert set(says.doubtful[:2]) == {"n1a", "n1b"}
    assert says.flags["n1b"][0].code == "not_read"
    folded = folded.then(Reassign(object="n1b", label="21")).then(Confirm(objects=("n1a",)))
    assert not {"n1a", "n1b"} & set(told(folded.cell).doubtful)
    assert told(folded.cell).karyotype == "47,XX,+21"


def test_a_crossing_is_parted_and_its_flag_is_the_houses(cell: EditedCell) -> None:
    folded = Folded(reading=cell)
    x0, y0, x1, y1 = cell.named("c0").region.box
    bar = ((x0 - 15, y0 + 40), (x1 + 14, y0 + 40), (x1 + 14, y0 + 50), (x0 - 15, y0 + 50))
    folded = folded.then(Restore(object="c0", polygon=bar))
    upright = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    folded = folded.then(Separate(object="c0", first=upright, second=bar))
    a, b = folded.cell.named("n2a"), folded.cell.named("n2b")
    assert shared(a.region, b.region) is not None
    assert united([a.region, b.region]).area < a.region.area + b.region.area
    assert {"crossing"} <= {flag.code for flag in told(folded.cell).flags["n2b"]}
