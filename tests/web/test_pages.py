"""The pages of a laboratory's day: what they show to whom, what they do, and what they keep when something is wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from httpx import Response

from consilium.laboratory.boxes import make_box
from consilium.laboratory.case_states import STATES
from consilium.laboratory.consent import PURPOSES
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.permissions import ACTS, ROLES
from consilium.laboratory.preparation import harvest, make_slide, start_culture
from consilium.laboratory.reception import CONDITIONS, SEXES
from consilium.laboratory.worklist import VIEWS
from consilium.web.page import _environment, load_templates
from consilium.web.wording.words import words
from tests.laboratory.conftest import ORDER, PEOPLE, received
from tests.web.conftest import Client

NAME, HOSPITAL_NUMBER = "Zhang San 张三", "H-4711"


@pytest.fixture
def records(app: FastAPI) -> Laboratory:
    found: Laboratory = app.state.records
    return found


@pytest.fixture
def thread(records: Laboratory) -> dict[str, str]:
    """A case with a slide: labels and numbers by what they are of."""
    specimen, case, patient = received(records, ORDER, name=NAME, hospital_number=HOSPITAL_NUMBER)
    with records.changing("tang") as change:
        culture = start_culture(change, specimen).label
        made = harvest(change, culture).label
        slide = make_slide(change, made).label
    with records.changing("ada") as change:
        make_box(change, "F1", "B 1", rows=2, columns=3)
    return {
        "specimen": specimen, "case": case, "patient": patient, "culture": culture, "harvest": made, "slide": slide
    }  # fmt: skip


def posted(client: Client, person: str, address: str, **values: str) -> Response:
    """What a form of a page sends."""
    return client(person).post(address, data={"csrf": "csrf"} | values)  # type: ignore[return-value]


def seen(client: Client, address: str, form: str) -> str:
    """The version that a form of a page was made from."""
    shown = client("both").get(address).text
    found = re.search(rf'action="{re.escape(form)}".*?name="seen" value="(\d+)"', shown, re.DOTALL)
    assert found is not None, form
    return found[1]


def test_every_page_opens_for_every_role_in_both_languages(client: Client, thread: dict[str, str]) -> None:
    pages = [
        "/worklist", *(f"/worklist?view={view}" for view in VIEWS), "/worklist?q=short&state=received&urgency=routine",
        "/reception", f"/reception?case={thread['case']}", "/storage", "/storage/F1/B%201", "/records",
        f"/cases/{thread['case']}", f"/cases/{thread['case']}/findings", f"/patients/{thread['patient']}",
        *(f"/things/{thread[one]}" for one in ("specimen", "culture", "harvest", "slide")),
        f"/labels?label={thread['slide']}&label={thread['specimen']}",
        f"/labels?label={thread['slide']}&symbol=code128",
    ]  # fmt: skip
    for person in PEOPLE:
        asked = client(person)
        for lang, title in (("en", 'lang="en"'), ("zh", 'lang="zh-CN"')):
            asked.cookies.set("consilium_lang", lang)
            for address in pages:
                shown = asked.get(address)
                assert shown.status_code == 200, (person, address, shown.text)
                assert title in shown.text


def test_whoever_has_not_signed_in_is_asked_who_she_is(client: Client, thread: dict[str, str]) -> None:
    case, patient = f"/cases/{thread['case']}", f"/patients/{thread['patient']}"
    for address in ("/", "/worklist", case, patient, "/records/export.csv"):
        answer = client().get(address)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in"), address


def test_every_template_is_there_before_somebody_asks_for_a_page() -> None:
    load_templates()
    environment = _environment()
    assert environment.cache is not None
    loaded = {name for _, name in environment.cache}
    files = {path.name for path in Path(str(resources.files("consilium.web").joinpath("templates"))).glob("*.j2")}
    assert "case.html.j2" in files and loaded == files


def test_every_term_has_words_in_both_languages() -> None:
    known = words()
    for group, terms in {
        "state": STATES, "role": ROLES, "sex": SEXES, "condition": CONDITIONS, "purpose": PURPOSES, "act": ACTS,
        "view": VIEWS, "urgency": ("routine", "urgent"), "kind": ("specimen", "culture", "harvest", "slide"),
    }.items():  # fmt: skip
        for term in terms:
            assert f"{group}.{term.replace(' ', '_')}" in known, (group, term)


def test_a_scanned_label_leads_to_its_thing_and_a_wrong_one_says_so(client: Client, thread: dict[str, str]) -> None:
    asked = client("tang")
    for text, address in (
        (thread["slide"].lower() + " ", f"/things/{thread['slide']}"),
        (thread["specimen"], f"/things/{thread['specimen']}"),
        (thread["case"], f"/cases/{thread['case']}"), (thread["patient"], f"/patients/{thread['patient']}"),
        ("F1/B 1/A2", "/storage/F1/B%201#A2"),
    ):  # fmt: skip
        assert asked.get("/find", params={"q": text}).headers["location"] == address
    wrong = asked.get("/find", params={"q": "<script>alert(1)</script>"})
    assert wrong.status_code == 404
    assert "<script>alert" not in wrong.text
    assert "&lt;script&gt;" in wrong.text


def test_a_specimen_comes_in_with_its_patient_and_its_case(client: Client, records: Laboratory) -> None:
    form = {
        "whose": "new", "name": NAME, "hospital_number": HOSPITAL_NUMBER, "specimen": "bone_marrow",
        "indication": "leucocytosis", "urgency": "urgent", "condition": "good",
    }  # fmt: skip
    answer = posted(client, "tang", "/reception", **form)
    assert answer.status_code == 303, answer.text
    label = answer.headers["location"].partition("?")[0].rpartition("/")[2]
    case = client("tang").get(f"/api/v1/things/{label}").json()["case"]
    told = client("tang").get(f"/api/v1/cases/{case}").json()
    assert (told["urgency"], told["indication"], told["specimen"]) == ("urgent", "leucocytosis", "bone_marrow")
    again = posted(client, "tang", "/reception", **form)
    assert again.status_code == 422
    assert "a patient of this hospital number is P0000001" in again.text
    assert "leucocytosis" in again.text, "what was typed is not lost"
    known = posted(
        client, "tang", "/reception", whose="patient", patient=HOSPITAL_NUMBER, specimen="constitutional_blood"
    )
    assert known.status_code == 303
    further = posted(client, "tang", "/reception", whose="case", case=case, specimen="bone_marrow")
    assert further.status_code == 303
    assert len(client("tang").get(f"/api/v1/cases/{case}").json()["specimens"]) == 2
    nobody = posted(client, "tang", "/reception", whose="new", specimen="bone_marrow")
    assert "it tells no patient" in nobody.text


def test_an_administrator_receives_nothing_and_is_told_why(client: Client, records: Laboratory) -> None:
    answer = posted(client, "ada", "/reception", whose="new", name="x", specimen="bone_marrow")
    assert answer.status_code == 403
    assert "technologist" in answer.text
    with records.looking("tang") as look:
        from sqlalchemy import func, select

        from consilium.laboratory.tables import CaseRow, PatientRow

        assert look.session.scalar(select(func.count()).select_from(PatientRow)) == 0
        assert look.session.scalar(select(func.count()).select_from(CaseRow)) == 0


def test_a_case_is_moved_and_whoever_was_slower_is_told_what_the_other_did(
    client: Client, thread: dict[str, str]
) -> None:
    address = f"/cases/{thread['case']}"
    version = seen(client, address, f"{address}/step")
    assert posted(client, "tang", f"{address}/step", to="in culture", seen=version, form="step").status_code == 303
    slower = posted(client, "ren", f"{address}/urgency", urgency="urgent", seen=version, reason="the ward called")
    assert slower.status_code == 409
    assert "state by tang" in slower.text
    assert "the ward called" in slower.text, "what was typed is not lost"
    after = seen(client, address, f"{address}/urgency")
    assert posted(
        client, "ren", f"{address}/urgency", urgency="urgent", seen=after, reason="the ward called"
    ).status_code == 303  # fmt: skip
    told = client("ren").get(f"/api/v1{address}").json()
    assert (told["state"], told["urgency"]) == ("in culture", "urgent")


def test_a_step_back_needs_a_reason_and_a_step_that_there_is_not_is_refused(
    client: Client, thread: dict[str, str]
) -> None:
    address = f"/cases/{thread['case']}"
    for to in ("in culture", "harvested"):
        version = seen(client, address, f"{address}/step")
        assert posted(client, "tang", f"{address}/step", to=to, seen=version, form="step").status_code == 303
    version = seen(client, address, f"{address}/step")
    without = posted(client, "tang", f"{address}/step", to="in culture", seen=version, form="back-in-culture")
    assert without.status_code == 422
    assert "only with a reason" in without.text
    nonsense = posted(client, "tang", f"{address}/step", to="signed", seen=version, form="step")
    assert nonsense.status_code == 422
    assert posted(client, "tang", f"{address}/step", to="analysed", seen="x", form="step").status_code == 422


def test_a_case_is_taken_and_given(client: Client, thread: dict[str, str]) -> None:
    address = f"/cases/{thread['case']}"
    version = seen(client, address, f"{address}/assign")
    taken = posted(client, "tang", f"{address}/assign", worker="tang", seen=version, back="/worklist?view=mine")
    assert taken.headers["location"] == "/worklist?view=mine&done=assigned"
    assert thread["case"] in client("tang").get("/worklist?view=mine").text
    elsewhere = posted(
        client, "tang", f"{address}/assign", worker="", seen=str(int(version) + 1), back="https://elsewhere.example"
    )
    assert elsewhere.headers["location"].startswith("/?") or elsewhere.headers["location"].startswith("/")
    assert "elsewhere" not in elsewhere.headers["location"]


def test_who_a_patient_is_is_shown_on_demand_alone_and_leaves_a_line(client: Client, thread: dict[str, str]) -> None:
    address = f"/cases/{thread['case']}"
    for page in (address, f"/patients/{thread['patient']}", "/worklist?view=all", f"/things/{thread['specimen']}"):
        for person in PEOPLE:
            shown = client(person).get(page).text
            assert NAME not in shown, (person, page)
            assert HOSPITAL_NUMBER not in shown
    shown = posted(client, "tang", f"{address}/identity")
    assert NAME in shown.text
    assert shown.headers["cache-control"] == "no-store"
    refused = posted(client, "ada", f"{address}/identity")
    assert refused.status_code == 403
    assert NAME not in refused.text
    looks = client("dai").get(f"/api/v1/patients/{thread['patient']}/looks").json()
    assert [(one["who"], one["why"]) for one in looks] == [("tang", f"case {thread['case']}")]
    assert f"case {thread['case']}" in client("dai").get(f"/patients/{thread['patient']}").text


def test_an_identity_is_corrected_and_the_earlier_one_stays(client: Client, thread: dict[str, str]) -> None:
    address = f"/patients/{thread['patient']}"
    assert posted(client, "tang", f"{address}/identity").status_code == 200
    without = posted(
        client, "tang", f"{address}/correct", name="Zhang Si", birth_date="", hospital_number="", seen="1", reason=""
    )
    assert without.status_code == 422
    assert "Zhang Si" in without.text
    done = posted(
        client, "tang", f"{address}/correct", name="Zhang Si", birth_date="1990-01-02", hospital_number="H-1", seen="1",
        reason="misread",
    )  # fmt: skip
    assert done.status_code == 303
    assert "Zhang Si" in posted(client, "ren", f"{address}/identity").text


def test_things_are_made_stored_handed_over_changed_and_withdrawn(client: Client, thread: dict[str, str]) -> None:
    slide, made = thread["slide"], thread["harvest"]
    further = posted(client, "tang", f"/things/{made}/make", made="slide", how="GTG", note="second")
    assert further.headers["location"].startswith(f"/things/{made}-S2")
    wrong = posted(client, "tang", f"/things/{made}/make", made="culture")
    assert wrong.status_code == 422
    assert posted(client, "tang", f"/things/{slide}/put", place="F1/B 1/A1").status_code == 303
    taken = posted(client, "tang", f"/things/{made}-S2/put", place="F1/B 1/A1")
    assert f"holds {slide}" in taken.text
    assert slide in client("tang").get("/storage/F1/B%201").text
    assert posted(client, "tang", "/storage/F1/B%201/put", label=f"{made}-S2", position="B3").headers[
        "location"
    ] == "/storage/F1/B%201?done=stored#B3"  # fmt: skip
    assert posted(client, "tang", f"/things/{slide}/take-out").status_code == 303
    assert posted(client, "tang", f"/things/{slide}/hand-over", receiver="courier", note="cold").status_code == 303
    broken = posted(client, "tang", f"/things/{slide}/hand-over", giver="tang", receiver="ren")
    assert "by the record courier has" in broken.text
    assert posted(client, "tang", "/storage/hand-over", label=slide, receiver="ren").status_code == 303
    changed = posted(
        client, "tang", f"/things/{thread['specimen']}/condition", condition="clotted", note="small", seen="1"
    )
    assert changed.status_code == 303
    late = posted(client, "tang", f"/things/{thread['specimen']}/condition", condition="good", note="big", seen="1")
    assert late.status_code == 409
    assert "big" in late.text
    assert posted(client, "tang", f"/things/{slide}/withdraw", seen="1", reason="").status_code == 422
    assert posted(client, "tang", f"/things/{slide}/withdraw", seen="1", reason="broken").status_code == 303
    assert "broken" in client("tang").get(f"/things/{slide}").text
    assert posted(client, "tang", f"/things/{thread['specimen']}/withdraw", seen="2", reason="x").status_code == 403


def test_consents_are_recorded_and_withdrawn(client: Client, thread: dict[str, str]) -> None:
    address = f"/patients/{thread['patient']}"
    sent = client("tang").post(
        f"{address}/consents",
        data={"csrf": "csrf", "purposes": ["storage", "research"], "given": "2026-03-01", "until": "2036-03-01"},
    )
    assert sent.status_code == 303
    sale = {"csrf": "csrf", "purposes": ["sale"], "given": "2026-03-01"}
    wrong = client("tang").post(f"{address}/consents", data=sale)
    assert wrong.status_code == 422
    number = client("tang").get(f"/api/v1{address}/consents").json()[0]["number"]
    withdrawal = f"{address}/consents/{number}/withdraw"
    assert posted(client, "tang", withdrawal, seen="1", reason="she said so").status_code == 303
    assert posted(client, "tang", withdrawal, seen="1", reason="again").status_code == 409
    assert posted(client, "tang", f"{address}/consents/999/withdraw", seen="1", reason="x").status_code == 404
    assert "she said so" in client("tang").get(address).text


def test_boxes_are_made_by_administrators(client: Client, records: Laboratory) -> None:
    box = {"freezer": "F9", "box": "B/9", "rows": "3", "columns": "4"}
    assert posted(client, "tang", "/storage/boxes", **box).status_code == 403
    assert posted(client, "ada", "/storage/boxes", **box).status_code == 422
    box["box"] = "B9 盒"
    made = posted(client, "ada", "/storage/boxes", **box)
    assert made.headers["location"] == f"/storage/F9/{quote('B9 盒')}?done=places"
    shown = client("tang").get(made.headers["location"]).text
    assert shown.count('data-position="') == 12
    given_up = posted(client, "ada", f"/storage/F9/{quote('B9 盒')}/give-up", position="A1", reason="cracked")
    assert given_up.status_code == 303
    assert 'data-position="A1"' not in client("tang").get(made.headers["location"]).text
    for wrong in ({"rows": "x"}, {"rows": "27"}, {"freezer": " "}):
        assert posted(client, "ada", "/storage/boxes", **(box | wrong)).status_code == 422


def test_tables_come_in_line_by_line_and_go_out_for_those_who_may(client: Client, thread: dict[str, str]) -> None:
    table = b"hospital_number,name,specimen,order_number\nH1,Li,bone_marrow,O1\nH2,Wu,no such,O2\n"
    sent = client("tang").post("/records/import", data={"csrf": "csrf"}, files={"table": ("t.csv", table)})
    assert sent.status_code == 200
    assert "1 lines were recorded; 1 lines were not recorded" in sent.text
    broken = client("tang").post("/records/import", data={"csrf": "csrf"}, files={"table": ("t.csv", b"a,b\n1,2\n")})
    assert broken.status_code == 422
    refused = client("ren").post("/records/import", data={"csrf": "csrf"}, files={"table": ("t.csv", table)})
    assert refused.status_code == 403
    assert client("tang").get("/records/export.csv").status_code == 403
    out = client("ren").get("/records/export.csv")
    assert out.text.startswith("\ufeffaccession,")
    assert thread["specimen"] in out.text
    assert NAME not in out.text


def test_the_worklist_shows_a_page_at_a_time_with_what_is_late_first(client: Client, records: Laboratory) -> None:
    for index in range(53):
        received(records, replace(ORDER, collected="", received=f"2026-{1 + index % 9:02d}-{1 + index % 28:02d}"))
    first = client("tang").get("/worklist").text
    assert "Cases 1 to 50 of 53" in first
    numbers = re.findall(r'<th scope="row"><a href="/cases/([^"]+)"', first)
    assert len(numbers) == 50
    second = client("tang").get("/worklist?view=role&first=50").text
    assert "Cases 51 to 53 of 53" in second
    assert not set(numbers) & set(re.findall(r'<th scope="row"><a href="/cases/([^"]+)"', second))
    assert "late by" in first
    assert client("tang").get("/worklist?q=%25").status_code == 200
    assert "No case on this list fits" in client("tang").get("/worklist?q=%25").text, "a wildcard is a letter"


def test_the_page_of_a_case_asks_the_database_a_fixed_number_of_questions(
    app: FastAPI, client: Client, records: Laboratory, thread: dict[str, str]
) -> None:
    from sqlalchemy import event

    asked: list[str] = []
    event.listen(records._engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    for address in (f"/cases/{thread['case']}", "/worklist?view=all"):
        asked.clear()
        assert client("tang").get(address).status_code == 200
        few = len(asked)
        with records.changing("tang") as change:
            for _ in range(5):
                culture = start_culture(change, thread["specimen"])
                make_slide(change, harvest(change, culture.label).label)
        received(records, ORDER)
        asked.clear()
        assert client("tang").get(address).status_code == 200
        # The thread that watches runs asks now and then.
        assert len(asked) <= few + 4, (address, asked)
