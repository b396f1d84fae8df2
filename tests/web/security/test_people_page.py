"""The administrator's page: people, accounts, settings."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI

from consilium.laboratory.laboratory import profile_in
from tests.web.security.conftest import Seat


def test_somebody_is_added_and_comes_in_by_the_password_that_is_shown_once(seat: Seat) -> None:
    ada = seat("ada")
    shown = ada.get("/people").text
    assert "<h1>" in shown and "tang" in shown
    added = ada.post("/people", data={"form": "add", "person": "newcomer", "roles": ["technologist", "reviewer"]})
    assert (added.status_code, added.headers["location"]) == (303, "/people?done=people")
    told = ada.post("/people/password", data={"person": "newcomer"})
    once = re.search(r'id="one-time-password">([^<]+)<', told.text)
    assert once is not None and once[1] not in ada.get("/people").text
    who = seat().post("/api/v1/session", json={"person": "newcomer", "password": once[1]})
    assert who.status_code == 201 and who.json()["must_change"]


def test_somebody_is_shut_out_and_let_in_again(seat: Seat) -> None:
    ada, tang = seat("ada"), seat("tang")
    ada.post("/people/disabled", data={"person": "tang", "disabled": "yes"})
    assert tang.get("/api/v1/session").status_code == 401
    assert "nobody gets in by it" in ada.get("/people").text
    ada.post("/people/disabled", data={"person": "tang", "disabled": "no"})
    assert seat("tang").get("/api/v1/session").status_code == 200


def test_what_cannot_be_is_told_beside_its_form(seat: Seat) -> None:
    ada = seat("ada")
    last = ada.post("/people", data={"form": "roles-1", "person": "ada", "roles": ["technologist"]})
    assert last.status_code == 422 and "without an administrator" in last.text
    assert ada.post("/people/disabled", data={"person": "ada", "disabled": "yes"}).status_code == 422
    assert ada.post("/people", data={"form": "add", "person": "x", "roles": ["queen"]}).status_code == 422


def test_rules_of_release_are_settled_with_a_reason(seat: Seat, app: FastAPI) -> None:
    ada = seat("ada")
    wanted = {"rules": ["second_reader", "blind", "iscn_valid"], "keep_days": "400"}
    assert ada.post("/people/settings", data=wanted).status_code == 422
    assert ada.post("/people/settings", data=wanted | {"keep_days": "soon", "reason": "x"}).status_code == 422
    assert ada.post("/people/settings", data=wanted | {"reason": "as the ward asked"}).status_code == 303
    with app.state.records.reading() as session:
        profile = profile_in(session)
    rules = profile.release
    assert (profile.second_reader, profile.keep_days, rules.blind, rules.iscn_valid) == (True, 400, True, True)
    assert not rules.flagged_reviewed and not rules.guideline_reasons


@pytest.mark.parametrize("person", ["tang", "ren", "dai"])
def test_nobody_else_keeps_people(seat: Seat, person: str) -> None:
    who = seat(person)
    assert 'href="/people"' not in who.get("/worklist").text
    assert who.get("/people").status_code == 403
    for address in ("", "/password", "/disabled", "/settings"):
        told = {"person": "ada", "roles": [], "disabled": "yes", "keep_days": "1", "reason": "x"}
        assert who.post(f"/people{address}", data=told).status_code == 403, address
    assert seat("ada").get("/people").status_code == 200
