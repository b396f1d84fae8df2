"""Joint studies in pages and interface: made, joined by a real job, approved, read."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from consilium.alliance.compute.engines import engine_in
from consilium.alliance.compute.job import LIVE
from consilium.alliance.joint_training.membership import write_private
from consilium.alliance.joint_training.progress import COUNTS, PROGRESS, Progress, SiteState
from consilium.alliance.joint_training.register import Register
from consilium.alliance.joint_training.results import RESULT, write_result
from consilium.alliance.joint_training.simulation import train
from consilium.alliance.joint_training.site_cases import counts_of
from consilium.alliance.ledger import entries
from tests.alliance.joint_training.places import hospital_cases, study
from tests.specialist.drawn_pictures import two_classes
from tests.web.an_alliance import home, put_people
from tests.web.conftest import Client

__all__ = ["home"]
API = "/api/v1"
ASKED = {
    "id": "discs", "disease": "large discs", "hospitals": ["hospital_a", "hospital_b"], "labels": ["normal", "tumour"],
    "least_cases": 8, "rounds": 6,
}  # fmt: skip


def test_where_there_is_no_study_the_page_says_what_to_do_first(home: Path, client: Client) -> None:
    alone = client("tang").get("/studies")
    assert "Your hospital is in no study yet" in alone.text and "consilium alliance member" in alone.text
    assert '<form method="post" action="/studies"' not in alone.text
    put_people(home)
    lead = client("tang").get("/studies").text
    assert 'action="/studies"' in lead and lead.count('name="hospital"') == 3
    assert 'action="/studies"' not in client("dai").get("/studies").text


def test_a_study_is_made_joined_by_a_job_and_approved_as_it_was_seen(
    home: Path, client: Client, tmp_path: Path
) -> None:
    for module, extra in (("hyperqueue", "compute"), ("onnx", "specialist")):
        pytest.importorskip(module, reason=f"cases are read by a job (extra {extra})")
    put_people(home)
    two_classes(tmp_path / "sets" / "a", 20)
    lead, officer = client("tang"), client("dai")
    assert officer.post(f"{API}/studies", json=ASKED).status_code == 403
    made = lead.post("/studies", data={**{k: v for k, v in ASKED.items() if k not in ("hospitals", "labels")},
                                       "hospital": ASKED["hospitals"], "labels": "normal， tumour"})  # fmt: skip
    assert (made.status_code, made.headers["location"]) == (303, "/studies/discs"), made.text
    told = lead.get(f"{API}/studies/discs").json()
    assert told["document"]["contract"]["labels"] == ["normal", "tumour"] and told["status"]["state"] == "draft"
    assert told["document"]["contribution"] == "shapley"
    assert lead.post(f"{API}/studies", json=ASKED).status_code == 422

    shown = officer.get("/studies/discs").text
    assert told["digest"] in shown and "large discs" in shown and 'action="/studies/discs/join"' in shown
    early = officer.post(f"{API}/studies/discs/approve", json={"digest": told["digest"]})
    assert early.status_code == 422 and "has not joined" in early.json()["error"]["what"]
    for place in ("sets/../secret", "/etc", ""):
        assert officer.post("/studies/discs/join", data={"place": place}).status_code == 422
    started = officer.post(f"{API}/studies/discs/join", json={"place": "sets/a"})
    assert started.status_code == 202, started.text
    engine, number = engine_in(home), started.json()["job"]
    until = time.monotonic() + 110
    while engine.job(number).state in LIVE:
        assert time.monotonic() < until
        time.sleep(0.2)
    output = "".join(engine.output(number))
    assert engine.job(number).state == "done", output
    assert "joined as site-2" in output

    assert "joined; its data officer has not approved" in lead.get("/studies/discs").text
    page = officer.get("/studies/discs").text
    assert 'action="/studies/discs/approve"' in page and "study discs: join" in page
    stale = officer.post("/studies/discs/approve", data={"digest": "0" * 64})
    assert stale.status_code == 409 and "another than the one that was shown" in stale.text
    assert officer.post("/studies/discs/approve", data={"digest": told["digest"]}).status_code == 303
    assert officer.get(f"{API}/studies/discs").json()["status"]["you"]["approved"] is True
    assert 'action="/studies/discs/approve"' not in officer.get("/studies/discs").text
    assert "It can start when 2 hospitals have approved" in lead.get("/studies/discs").text
    acts = [(one.who, one.what) for one in entries(home / "ledger.jsonl")]
    assert acts == [("tang", "study.create"), ("dai", "study.join"), ("dai", "study.approve")]


def test_who_is_not_asked_does_not_learn_of_a_study(home: Path, client: Client) -> None:
    put_people(home)
    assert client("tang").post(f"{API}/studies", json=ASKED).status_code == 201
    for person in ("ada",):
        refused = client(person).get(f"{API}/studies/discs")
        assert refused.status_code == 403 and "hospital_b" not in refused.text
        assert client(person).post(f"{API}/studies/discs/start").status_code == 403
    assert client("ren").post(f"{API}/studies/discs/start").status_code == 403, "a member does not lead"
    assert client("ren").post(f"{API}/studies/discs/approve", json={"digest": "x"}).status_code == 403
    assert client("dai").post(f"{API}/studies/discs/resume").status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "No id"}, {"hospitals": ["hospital_a"]}, {"labels": ["one"]}, {"epsilon": -1}, {"rounds": 0},
        {"epsilon": 1.0, "contribution": "shapley"}, {"least_hospitals": 3},
    ],
)  # fmt: skip
def test_what_cannot_be_a_study_is_refused(home: Path, client: Client, changed: dict[str, object]) -> None:
    put_people(home)
    asked = client("tang")
    refused = asked.post(f"{API}/studies", json=ASKED | changed)
    assert refused.status_code == 422, refused.text
    form = {key: value for key, value in (ASKED | changed).items() if key not in ("hospitals", "labels")}
    form |= {"hospital": (ASKED | changed)["hospitals"], "labels": ",".join((ASKED | changed)["labels"])}  # type: ignore[arg-type]
    if "contribution" not in changed and "least_hospitals" not in changed:
        page = asked.post("/studies", data=form)
        assert page.status_code == 422 and 'role="alert"' in page.text and 'value="large discs"' in page.text
    assert asked.get(f"{API}/studies").json() == []


def test_what_came_of_a_study_is_drawn_with_gap_epsilon_and_contributions(home: Path, client: Client) -> None:
    """The result is a real training; only the network between the hospitals is left out."""
    from consilium.alliance.joint_training.hospital_side import outcome

    put_people(home)
    made = study(contribution="shapley", site_figures=True)
    register = Register(home)
    register.create(made)
    cases = hospital_cases()
    training = train(made, cases, seed=1)
    folder = register.folder(made.id)
    write_result(outcome(training), folder / RESULT)
    counts = {site: asdict(counts_of(one, 3)) for site, one in cases.items()}
    write_private(folder / COUNTS, json.dumps(counts).encode())
    progress = Progress(
        phase="running", ask="fit 12", sites={"site-1": SiteState(), "site-2": SiteState(state="away", since="fit 3")},
        round_seconds=[0.5, 1.25],
    )  # fmt: skip
    write_private(folder / PROGRESS, json.dumps(asdict(progress)).encode())
    register.mark(made.id, "running")

    lead = client("tang")
    told = lead.get(f"{API}/studies/lumps/results").json()
    assert len(told["shares"]) == 3 and 0.5 < told["auc"]["value"] <= 1
    assert sum(one["cost"] for one in told["shares"]) == pytest.approx(1)
    shown = lead.get("/studies/lumps").text
    auc = told["auc"]
    assert f"{auc['value']:.3f} ({auc['low']:.3f} - {auc['high']:.3f})" in shown
    for one in told["shares"]:
        assert f"{one['contribution']:+.3f}" in shown and f"{auc['value'] - one['alone']:+.3f}" in shown
    assert "2 questions were answered" in shown and "asking fit 12" in shown and "does not answer" in shown
    assert 'data-anew="/studies/lumps"' in shown
    member = client("dai").get("/studies/lumps").text
    assert "site-1 <span" not in member.partition("How far the training is")[2].partition("<h2")[0]
    assert client("ada").get(f"{API}/studies/lumps/results").status_code == 403
