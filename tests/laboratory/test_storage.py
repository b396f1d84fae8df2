"""What is made of a specimen, where it lies, through whose hands it went."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")

from sqlalchemy import select

from consilium.errors import InputError, NotAllowed
from consilium.laboratory.casework import withdraw_thing
from consilium.laboratory.found import labelled, place_called, specimen_of
from consilium.laboratory.journal import history
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.preparation import harvest, make_slide, start_culture
from consilium.laboratory.storage import custody, hand_over, make_place, place_of, put, take_out, withdraw_place
from consilium.laboratory.tables import PlaceRow
from tests.laboratory.conftest import received

PLACES = ("F1/B1/A1", "F1/B1/A2")


@pytest.fixture
def label(laboratory: Laboratory) -> str:
    with laboratory.changing("ada") as change:
        for one in PLACES:
            make_place(change, one)
    return received(laboratory)[0]


def test_labels_tell_what_a_thing_is_made_of(laboratory: Laboratory, label: str) -> None:
    with laboratory.changing("tang") as change:
        first, second = (start_culture(change, label, medium="RPMI 1640") for _ in range(2))
        withdraw_thing(change, first, reason="contaminated")
        third = start_culture(change, label)
        cells = harvest(change, second.label)
        direct = harvest(change, label, method="direct")
        slides = [make_slide(change, cells.label).label for _ in range(2)]
    assert [first.label, second.label, third.label] == [f"{label}-C{one}" for one in (1, 2, 3)]
    assert (cells.label, direct.label) == (f"{label}-C2-H1", f"{label}-H1")
    assert slides == [f"{label}-C2-H1-S1", f"{label}-C2-H1-S2"]
    with laboratory.looking("tang") as look:
        for one in (*slides, direct.label, third.label):
            assert specimen_of(look.session, labelled(look.session, one.lower())).label == label


def test_what_cannot_be_made_is_refused(laboratory: Laboratory, label: str) -> None:
    with laboratory.changing("tang") as change:
        culture = start_culture(change, label).label
    for act, of, told in (
        (start_culture, culture, "no specimen"), (make_slide, label, "no harvest"), (harvest, f"{culture}-H1", "label"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=told), laboratory.changing("tang") as change:
            act(change, of)  # type: ignore[operator]
    for at, told in (("2999-01-01", "future"), ("2026-01-01", "before there was")):
        with pytest.raises(InputError, match=told), laboratory.changing("tang") as change:
            start_culture(change, label, at=at)
    with laboratory.changing("ren") as change:
        withdraw_thing(change, labelled(change.session, label), reason="mislabelled")
    with pytest.raises(InputError, match="was withdrawn"), laboratory.changing("tang") as change:
        harvest(change, culture)


def test_a_place_holds_one_thing_and_a_thing_is_in_one_place(laboratory: Laboratory, label: str) -> None:
    with laboratory.changing("tang") as change:
        culture = start_culture(change, label).label
        put(change, label, PLACES[0])
    with pytest.raises(InputError, match=f"holds {label}"), laboratory.changing("tang") as change:
        put(change, culture, PLACES[0])
    with laboratory.changing("tang") as change:
        put(change, label, PLACES[1])
        put(change, culture, PLACES[0])
    with laboratory.looking("tang") as look:
        where = place_of(look.session, label)
        assert where is not None and where.title == PLACES[1]
        told = [one.after.get("holds") for one in history(look.session, place_called(look.session, PLACES[0]))]
        assert told == [None, label, None, culture]
    with laboratory.changing("tang") as change:
        take_out(change, label)
    with pytest.raises(InputError, match="in no place"), laboratory.changing("tang") as change:
        take_out(change, label)


def test_of_two_who_want_a_place_one_gets_it(laboratory: Laboratory, label: str) -> None:
    with laboratory.changing("tang") as change:
        several = [start_culture(change, label).label for _ in range(4)]
    became: list[str] = []

    def place(one: str) -> None:
        try:
            with laboratory.changing("tang") as change:
                put(change, one, PLACES[0])
            became.append(one)
        except InputError:
            became.append("")

    threads = [threading.Thread(target=place, args=(one,)) for one in several]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with laboratory.reading() as session:
        assert [session.scalar(select(PlaceRow.holds).where(PlaceRow.holds.is_not(None)))] == [
            one for one in became if one
        ]


def test_what_is_withdrawn_frees_its_place(laboratory: Laboratory, label: str) -> None:
    with laboratory.changing("ren") as change:
        put(change, label, PLACES[0])
        withdraw_thing(change, labelled(change.session, label), reason="mislabelled")
        assert place_of(change.session, label) is None


def test_a_place_is_given_up_only_when_it_is_empty(laboratory: Laboratory, label: str) -> None:
    with laboratory.changing("tang") as change:
        put(change, label, PLACES[0])
    with pytest.raises(InputError, match="holds"), laboratory.changing("ada") as change:
        withdraw_place(change, place_called(change.session, PLACES[0]), reason="broken")
    with laboratory.changing("ada") as change:
        withdraw_place(change, place_called(change.session, PLACES[1]), reason="broken")
    with pytest.raises(InputError, match="withdrawn"), laboratory.changing("tang") as change:
        put(change, label, PLACES[1])
    for text, told in (("a", "no place"), ("a//b", "no place"), (PLACES[0], "already")):
        with pytest.raises(InputError, match=told), laboratory.changing("ada") as change:
            make_place(change, text)
    with pytest.raises(NotAllowed), laboratory.changing("tang") as change:
        make_place(change, "F9/B9/A9")


def test_the_chain_of_custody_has_no_gap(laboratory: Laboratory, label: str) -> None:
    with laboratory.changing("tang") as change:
        hand_over(change, label, "tang", giver="courier 7", at="2026-03-02T09:05")
        hand_over(change, label, "ren")
    with pytest.raises(InputError, match="ren has"), laboratory.changing("tang") as change:
        hand_over(change, label, "dai", giver="tang")
    with pytest.raises(InputError, match="before the hand-over before"), laboratory.changing("tang") as change:
        hand_over(change, label, "dai", at="2026-03-02T09:06")
    with pytest.raises(InputError, match="needed"), laboratory.changing("tang") as change:
        hand_over(change, label, " ")
    with laboratory.looking("tang") as look:
        chain = custody(look.session, labelled(look.session, label))
        assert [(one.giver, one.receiver) for one in chain] == [("courier 7", "tang"), ("tang", "ren")]
        assert chain[0].at == "2026-03-02T01:05:00.000Z" and chain[1].recorded_by == "tang"
