"""People, roles and accounts, as an administrator keeps them; and what a program may in somebody's name."""

from __future__ import annotations

import pytest

from consilium.web.settings import Settings
from tests.laboratory.conftest import received
from tests.web.security.conftest import PASSWORD, Seat


def test_an_administrator_adds_somebody_who_signs_in_and_chooses_a_password(seat: Seat) -> None:
    ada = seat("ada")
    made = ada.put("/api/v1/staff", json={"person": "newcomer", "roles": ["technologist"]})
    assert made.json() == {"person": "newcomer", "roles": ["technologist"], "made": None, "must_change": None,
                           "disabled": None, "password": None}  # fmt: skip
    once = ada.post("/api/v1/staff/password", json={"person": "newcomer"}).json()["one_time_password"]
    person = seat()
    assert person.post("/api/v1/session", json={"person": "newcomer", "password": once}).json()["must_change"]
    (told,) = [one for one in ada.get("/api/v1/staff").json() if one["person"] == "newcomer"]
    assert (told["must_change"], told["disabled"], told["password"]) == (True, False, True)


def test_a_session_is_over_when_an_administrator_changes_roles_or_disables(seat: Seat) -> None:
    ada, tang, ren = seat("ada"), seat("tang"), seat("ren")
    ada.put("/api/v1/staff", json={"person": "tang", "roles": ["technologist", "reviewer"]})
    assert tang.get("/api/v1/session").status_code == 401
    told = ada.post("/api/v1/staff/disabled", json={"person": "ren", "disabled": True})
    assert told.json()["disabled"] is True
    assert ren.get("/api/v1/session").status_code == 401
    whats = [one["what"] for one in ada.get("/api/v1/staff/events").json()]
    assert "account disabled" in whats and "session ended" in whats
    assert all(one["person"] == "ren" for one in ada.get("/api/v1/staff/events", params={"person": "ren"}).json())


@pytest.mark.parametrize("person", ["tang", "ren", "dai", "both"])
def test_nobody_else_keeps_people(seat: Seat, person: str) -> None:
    who = seat(person)
    assert who.get("/api/v1/staff").status_code == 403
    assert who.get("/api/v1/staff/events").status_code == 403
    assert who.put("/api/v1/staff", json={"person": person, "roles": ["administrator"]}).status_code == 403
    assert who.post("/api/v1/staff/password", json={"person": "ada"}).status_code == 403
    assert who.post("/api/v1/staff/disabled", json={"person": "ada", "disabled": True}).status_code == 403
    assert seat("ada").get("/api/v1/session").status_code == 200


def test_the_last_administrator_stays(seat: Seat) -> None:
    ada = seat("ada")
    assert ada.put("/api/v1/staff", json={"person": "ada", "roles": ["technologist"]}).status_code == 422
    assert ada.post("/api/v1/staff/disabled", json={"person": "ada", "disabled": True}).status_code == 422


def test_a_program_has_no_more_roles_than_its_token(settings: Settings, seat: Seat) -> None:
    from consilium.errors import NotAllowed
    from consilium.laboratory.laboratory import Laboratory

    records = Laboratory(settings.database)
    _, case, _ = received(records)
    with pytest.raises(NotAllowed), records.only(["technologist"]).changing("both") as change:
        change.require("case.sign")
    with records.only(["technologist"]).changing("both") as change:
        change.require("case.analyse")
    with records.changing("both") as change:
        change.require("case.sign")
    records.close()
    assert case

    ada = seat("ada")
    ada.put("/api/v1/staff", json={"person": "ada", "roles": ["administrator", "technologist"]})
    ada = seat("ada")
    made = ada.post("/api/v1/tokens", json={"name": "lis", "roles": ["technologist"], "days": 3}).json()
    program = seat()
    program.headers["Authorization"] = f"Bearer {made['token']}"
    assert program.get("/api/v1/session").json()["roles"] == ["technologist"]
    assert program.get("/api/v1/staff").status_code == 403
    assert ada.get("/api/v1/staff").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("DELETE", "/api/v1/session", None), ("GET", "/api/v1/sessions", None), ("GET", "/api/v1/tokens", None),
     ("POST", "/api/v1/tokens", {"name": "more", "roles": ["technologist"], "days": 9}),
     ("PUT", "/api/v1/session/password", {"old": PASSWORD, "new": "four lamps beside the quiet sea"})],
)  # fmt: skip
def test_a_program_does_not_touch_the_account_it_asks_for(
    seat: Seat, method: str, path: str, body: dict[str, object] | None
) -> None:
    made = seat("tang").post("/api/v1/tokens", json={"name": "lis", "roles": ["technologist"], "days": 3}).json()
    program = seat()
    program.headers["Authorization"] = f"Bearer {made['token']}"
    assert program.request(method, path, json=body).status_code == 403
    assert program.get("/api/v1/session").status_code == 200
