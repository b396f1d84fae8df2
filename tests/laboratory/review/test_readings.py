"""The second reading in the records: who may read, what is hidden from whom, what is kept of it."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from consilium.errors import InputError, NotAllowed
from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory, change_profile
from consilium.laboratory.profile import Profile
from consilium.laboratory.review.differences import Difference
from consilium.laboratory.review.prepared import prepare
from consilium.laboratory.review.readings import (
    decide,
    may_see_first,
    newest_readings,
    record_reading,
)
from consilium.laboratory.review.release import ReleaseRules
from consilium.laboratory.review.tables import DecisionRow, SecondReadingRow
from tests.laboratory.conftest import PROFILE
from tests.laboratory.review.conftest import analysed_case, command, read_again, step


def test_a_reader_says_hers_before_she_sees_the_first(laboratory: Laboratory, opened: OpenCells) -> None:
    number, ids = analysed_case(laboratory, opened)
    with laboratory.changing("ren") as change:
        case = case_called(change.session, number)
        assert not may_see_first(change, case, ids[0]) and not may_see_first(change, case, None)
        assert record_reading(change, case, ids[0], count=46).blind
        assert may_see_first(change, case, ids[0]) and not may_see_first(change, case, ids[1])
        # Said once more, after she saw the first one's: kept, and it says that it was not blind.
        assert not record_reading(change, case, ids[0], count=47, note="a small marker").blind
        assert newest_readings(change.session, case)[ids[0]].count == 47
    with laboratory.looking("tang") as look:
        case = case_called(look.session, number)
        assert may_see_first(look, case, ids[1]), "the analyst sees what she read herself"
        assert look.session.scalar(select(func.count()).select_from(SecondReadingRow)) == 2


def test_who_is_no_reader_or_analysed_the_case_does_not_read_it_again(small: Laboratory, opened: OpenCells) -> None:
    number, ids = analysed_case(small, opened)
    with pytest.raises(NotAllowed), small.changing("tang") as change:
        record_reading(change, case_called(change.session, number), ids[0], count=46)
    with small.changing("ren") as change:
        case = case_called(change.session, number)
        from consilium.laboratory.casework import move

        move(change, case, "harvested", reason="more cells")
    step(small, "both", number, "analysed")
    with pytest.raises(NotAllowed, match="analysed this case"), small.changing("both") as change:
        record_reading(change, case_called(change.session, number), ids[0], count=46)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({}, "says something"), ({"count": 0}, "no cell has"), ({"count": 400}, "no cell has"),
        ({"karyotype": "46,ZZ"}, "no karyotype"), ({"labels": {"": "1"}}, "needed"),
        ({"labels": {"c0": "x" * 21}}, "too long"), ({"labels": {f"c{n}": "1" for n in range(301)}}, "no 301 objects"),
        ({"count": 46, "note": "a\x00"}, "cannot be kept"),
    ],
)  # fmt: skip
def test_what_is_no_reading_is_refused(small: Laboratory, opened: OpenCells, entries: dict, told: str) -> None:  # type: ignore[type-arg]
    number, ids = analysed_case(small, opened)
    with pytest.raises(InputError, match=told), small.changing("ren") as change:
        record_reading(change, case_called(change.session, number), ids[0], **entries)


def test_a_case_that_was_not_analysed_is_not_read_again(small: Laboratory, opened: OpenCells) -> None:
    from tests.laboratory.conftest import received

    _, number, _ = received(small)
    with pytest.raises(InputError, match="does not wait"), small.changing("ren") as change:
        record_reading(change, case_called(change.session, number), None, karyotype="46,XX")


def test_a_laboratory_may_read_openly(small: Laboratory, opened: OpenCells) -> None:
    number, ids = analysed_case(small, opened)
    with small.changing("ada") as change:
        open_ = Profile(name=PROFILE.name, zone=PROFILE.zone, release=ReleaseRules(blind=False))
        change_profile(change, open_, reason="two readers at one microscope")
    with small.changing("ren") as change:
        case = case_called(change.session, number)
        assert may_see_first(change, case, ids[0])
        assert not record_reading(change, case, ids[0], count=46).blind


def test_a_disagreement_is_settled_or_carried_out_and_nothing_is_lost(
    laboratory: Laboratory, opened: OpenCells
) -> None:
    number, ids = analysed_case(laboratory, opened)
    read_again(laboratory, number, ids[:2])
    with laboratory.changing("ren") as change:
        record_reading(change, case_called(change.session, number), ids[0], count=46, labels={"c4": "4"})

    def standings() -> list[tuple[str, str, str]]:
        with laboratory.looking("dai") as look:
            found = prepare(look, opened, case_called(look.session, number))
            return [(one.difference.cell, one.difference.second, one.standing) for one in found.stands]

    assert standings() == [("01.png", "4", "open")]
    difference = Difference(cell="01.png", what="label", of="c4", first="3", second="4", chromosomes=("3", "4"))
    with pytest.raises(NotAllowed), laboratory.changing("tang") as change:
        decide(change, case_called(change.session, number), ids[0], difference, kept="first", reason="x")
    with pytest.raises(InputError, match="reason"), laboratory.changing("ren") as change:
        decide(change, case_called(change.session, number), ids[0], difference, kept="first", reason=" ")
    for kept, standing in (("second", "to carry out"), ("first", "settled"), ("second", "to carry out")):
        with laboratory.changing("dai") as change:
            case = case_called(change.session, number)
            decide(change, case, ids[0], difference, kept=kept, reason="seen together")  # type: ignore[arg-type]
        assert standings() == [("01.png", "4", standing)]
    command(laboratory, opened, "tang", ids[0], {"kind": "reassign", "object": "c4", "label": "4"})
    assert standings() == []
    with laboratory.looking("dai") as look:
        assert look.session.scalar(select(func.count()).select_from(DecisionRow)) == 3
        assert look.session.scalar(select(func.count()).select_from(SecondReadingRow)) == 4
