"""What a laboratory settles, times as people give and read them, and what people type."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.errors import InputError
from consilium.laboratory.accession import Series
from consilium.laboratory.due_date import WorkingDays
from consilium.laboratory.entry import entry
from consilium.laboratory.profile import Profile, from_json, to_json

ZURICH = Profile(name="Z", zone="Europe/Zurich")


def test_a_profile_comes_back_as_it_was() -> None:
    profile = Profile(
        name="细胞遗传实验室", zone="Asia/Shanghai", specimens=Series(prefix="XB", digits=6), second_reader=False,
        days=WorkingDays(holidays=frozenset({date(2026, 10, 1)}), extra=frozenset({date(2026, 10, 10)})), keep_days=90,
    )  # fmt: skip
    assert from_json(to_json(profile)) == profile


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(
    st.sampled_from(list(json.loads(to_json(ZURICH)))), one), max_leaves=8)  # fmt: skip


@given(JSON)
def test_any_json_is_a_profile_or_refused(document: object) -> None:
    try:
        found = from_json(json.dumps(document))
    except InputError as refused:
        assert str(refused)
        return
    assert from_json(to_json(found)) == found
    assert found.specimens.read(found.specimens.write(2026, 1)) == (2026, 1)


@pytest.mark.parametrize(
    "document",
    [{"second_reader": "no"}, {"keep_days": 1.5}, {"keep_days": True}, {"cases": {"prefix": "K", "digits": 5.0}},
     {"weekend": ["5"]}, {"holidays": ["soon"]}, {"holidays": 3}, {"name": 7}],
)  # fmt: skip
def test_an_entry_of_another_kind_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(InputError):
        from_json(json.dumps({"name": "L", **document}))


@pytest.mark.parametrize(
    "entries",
    [
        {"name": ""}, {"zone": "Moon/Tycho"}, {"zone": "../../etc/passwd"}, {"keep_days": -1},
        {"cases": Series(prefix="S")}, {"name": "a\nb"},
    ],
)  # fmt: skip
def test_what_cannot_be_settled_is_refused(entries: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Profile(**{"name": "L", **entries})  # type: ignore[arg-type]


def test_times_are_the_laboratorys_and_are_kept_in_utc() -> None:
    assert ZURICH.moment("2026-07-01T14:30") == "2026-07-01T12:30:00.000Z"
    assert ZURICH.moment("2026-01-01") == "2025-12-31T23:00:00.000Z"
    assert ZURICH.moment("2026-07-01T14:30+08:00") == "2026-07-01T06:30:00.000Z"
    assert ZURICH.local("2026-07-01T12:30:00.000Z").isoformat() == "2026-07-01T14:30:00+02:00"
    assert ZURICH.day("2025-12-31T23:00:00.000Z") == date(2026, 1, 1)


@pytest.mark.parametrize("text", ["2026-03-29T02:30", "2026-10-25T02:30"])
def test_a_time_that_the_clocks_left_out_or_showed_twice_is_asked_about(text: str) -> None:
    with pytest.raises(InputError, match="clocks") as refused:
        ZURICH.moment(text)
    assert "offset" in refused.value.way_out
    assert ZURICH.moment(f"{text}+01:00").endswith("Z")


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        assert ZURICH.local(ZURICH.moment(text)).tzinfo is not None
    except InputError as refused:
        assert refused.way_out


@given(st.text(max_size=50))
def test_what_people_type_is_kept_composed_or_refused(text: str) -> None:
    try:
        kept = entry("it", text)
    except InputError:
        return
    assert kept == entry("it", kept) and "\x00" not in kept
    assert kept.encode("utf-8").decode("utf-8") == kept
