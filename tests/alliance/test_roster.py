"""Hospitals and people: who is known, what a crash or a damaged file may not do."""

from __future__ import annotations

import json
import multiprocessing
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.alliance.permissions import ROLES, Person
from consilium.alliance.roster import ALONE, Hospital, Roster
from consilium.errors import InputError, NotAllowed


def test_a_machine_in_no_alliance_lets_its_user_do_everything(tmp_path: Path) -> None:
    person = Roster(tmp_path / "roster.json").person("li")
    assert (person.hospital, person.roles) == (ALONE, frozenset(ROLES))


def test_who_is_known_and_who_is_not(tmp_path: Path) -> None:
    roster = Roster(tmp_path / "home" / "roster.json")
    roster.put_hospital(Hospital(id="hospital_b", name="第二医院", cores=8))
    roster.put_hospital(Hospital(id="hospital_a"))
    roster.put_person(Person(name="li", hospital="hospital_a", roles=frozenset({"member"})))
    assert roster.person("li").roles == {"member"}
    assert [one.id for one in roster.hospitals()] == ["hospital_a", "hospital_b"]
    assert roster.hospital("hospital_b").name == "第二医院"
    with pytest.raises(NotAllowed, match="wang"):
        roster.person("wang")
    with pytest.raises(InputError, match="hospital_c"):
        roster.put_person(Person(name="wang", hospital="hospital_c"))
    with pytest.raises(InputError, match="chief"):
        roster.put_person(Person(name="wang", hospital="hospital_a", roles=frozenset({"chief"})))  # type: ignore[arg-type]
    roster.put_person(Person(name="li", hospital="hospital_a"))
    assert roster.person("li").roles == frozenset()
    assert roster.people("hospital_b") == ()
    assert stat.S_IMODE((tmp_path / "home" / "roster.json").stat().st_mode) == 0o600


@given(st.text(max_size=40))
def test_an_id_is_safe_wherever_it_goes(text: str) -> None:
    try:
        hospital = Hospital(id=text)
    except InputError as refused:
        assert refused.way_out
    else:
        assert hospital.id.isascii() and hospital.id.replace("_", "a").isalnum() and hospital.id[0].isalpha()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"hospitals": []}', '{"hospitals": [{"id": "A B"}], "people": []}', "\x00"]
)
def test_a_damaged_list_lets_nobody_in_and_is_not_written_over(tmp_path: Path, text: str) -> None:
    path = tmp_path / "roster.json"
    path.write_text(text)
    with pytest.raises(InputError, match="damaged"):
        Roster(path).person("li")
    with pytest.raises(InputError, match="damaged"):
        Roster(path).put_hospital(Hospital(id="hospital_a"))
    assert path.read_text() == text


def _add(path: Path, numbers: range) -> None:
    for number in numbers:
        Roster(path).put_hospital(Hospital(id=f"hospital_{number}"))


def test_two_operators_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "roster.json"
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_add, args=(path, numbers)) for numbers in (range(20), range(20, 40))]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(json.loads(path.read_text())["hospitals"]) == 40
