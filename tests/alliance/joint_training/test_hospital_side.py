"""A hospital's client: what it answers, what it refuses, and that privacy is not spent twice."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.alliance.joint_training import hospital_side
from consilium.alliance.joint_training.course import START, Course, Step
from consilium.alliance.joint_training.hospital_side import HospitalSide
from consilium.alliance.joint_training.membership import Membership, approved, read_membership, write_membership
from consilium.alliance.joint_training.messages import step_document
from consilium.alliance.joint_training.simulation import train
from consilium.alliance.joint_training.site_cases import counts_of, write_cases
from consilium.alliance.joint_training.site_policy import SitePolicy, write_policy
from consilium.alliance.joint_training.study import Privacy, Study
from consilium.alliance.joint_training.training import Ask, Scaling
from consilium.alliance.ledger import entries
from tests.alliance.joint_training.places import WIDTH, hospital_cases, study

CASES = hospital_cases()
COUNTS = {site: json.loads(json.dumps(asdict(counts_of(one, 3)))) for site, one in CASES.items()}


def joined(folder: Path, of: Study, *, approve: bool = True) -> HospitalSide:
    folder.mkdir(parents=True, exist_ok=True)
    digest = write_cases(CASES["site-1"], folder / "cases.npz")
    membership = Membership(
        study=of.as_document(), site="site-1", hospital="hospital_a", counts=COUNTS["site-1"], cases=digest,
        policy=str(folder / "policy.json"), kit="",
    )  # fmt: skip
    write_membership(approved(membership, study=of.digest, who="officer") if approve else membership, folder)
    return HospitalSide(folder)


def task(of: Study, ask: Ask, course: Course | None = None, first: int | None = None) -> dict[str, Any]:
    known = len(course) if course is not None else 0
    at = max(known - 1, 0) if first is None else first
    return {
        "study": of.digest, "ask": [ask.kind, ask.round], "counts": COUNTS, "known": known, "from": at,
        "head": course.head if course is not None else START,
        "chain": course.chain(at) if course is not None else START,
        "steps": [step_document(course.step(number)) for number in range(at, known)] if course is not None else [],
    }  # fmt: skip


def test_it_tells_counts_and_sums_and_keeps_a_record(tmp_path: Path) -> None:
    of = study()
    side = joined(tmp_path / "a", of)
    told = side.answer({"study": of.digest, "ask": ["counts", 0]})
    assert told["counts"] == COUNTS["site-1"]
    moments = side.answer(task(of, Ask(kind="moments")))
    rows = CASES["site-1"].features[~CASES["site-1"].tested]
    assert np.allclose(moments["vector"], np.concatenate([rows.sum(0), np.square(rows).sum(0)]), rtol=1e-4)
    assert [one.details["state"] for one in entries(tmp_path / "a" / "ledger.jsonl")] == ["ok", "ok"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "a").rglob("*.json*"))


def test_without_approval_or_for_another_study_nothing_leaves(tmp_path: Path) -> None:
    of = study()
    told = joined(tmp_path / "a", of, approve=False).answer({"study": of.digest, "ask": ["counts", 0]})
    assert told["state"] == "veto" and "approved" in told["reason"] and "counts" not in told
    side = joined(tmp_path / "b", of)
    told = side.answer({"study": study(rounds=9).digest, "ask": ["counts", 0]})
    assert told["state"] == "veto" and "counts" not in told


def test_other_cases_than_were_approved_are_not_used(tmp_path: Path) -> None:
    of = study()
    joined(tmp_path / "a", of)
    write_cases(CASES["site-2"], tmp_path / "a" / "cases.npz")
    told = HospitalSide(tmp_path / "a").answer({"study": of.digest, "ask": ["counts", 0]})
    assert told["state"] == "broken" and "approved" in told["reason"] and "counts" not in told


def test_the_policy_is_asked_before_every_answer(tmp_path: Path) -> None:
    of = study()
    side = joined(tmp_path / "a", of)
    assert side.answer(task(of, Ask(kind="moments")))["state"] == "ok"
    write_policy(SitePolicy(outputs=("fit",)), tmp_path / "a" / "policy.json")
    assert "moments may not leave" in side.answer(task(of, Ask(kind="moments")))["reason"]
    (tmp_path / "a" / "policy.json").write_text("{")
    told = side.answer(task(of, Ask(kind="moments")))
    assert told["state"] == "broken" and "vector" not in told
    write_policy(SitePolicy(budget_seconds=1), tmp_path / "a" / "policy.json")
    (tmp_path / "a" / "spent.json").write_text('{"seconds": 5}')
    assert "used up" in side.answer(task(of, Ask(kind="moments")))["reason"]


def course_of(of: Study, folder: Path, steps: int, public: Scaling | None = None) -> Course:
    """The first sums of a study, as a server keeps them."""
    course = Course(folder)
    kept: list[Step] = []

    def add(vectors: list[np.ndarray]) -> np.ndarray:
        return np.sum([np.asarray(one, np.float32).astype(np.float64) for one in vectors], axis=0)

    from consilium.alliance.joint_training import simulation

    class Noting(simulation.Training):
        def take(self, total: simulation.Sum) -> None:
            kept.append(Step(ask=total.ask, sites=total.sites, content=total.vector))
            super().take(total)

    original, simulation.Training = simulation.Training, Noting  # type: ignore[misc]
    try:
        train(of, CASES, add=add, public=public, seed=0)
    finally:
        simulation.Training = original  # type: ignore[misc]
    for step in kept[:steps]:
        course.add(step)
    return course


def test_who_was_away_says_what_it_lacks_and_catches_up(tmp_path: Path) -> None:
    of = study()
    course = course_of(of, tmp_path / "server", 5)
    side = joined(tmp_path / "a", of)
    ask = Ask(kind="judge")
    told = side.answer(task(of, ask, course))
    assert told["state"] == "lacks" and told["from"] == 0
    caught = side.answer(task(of, ask, course, first=0))
    assert caught["state"] == "ok" and caught["vector"].shape == (2,)
    # The same after a crash, and nothing is lacking then.
    again = HospitalSide(tmp_path / "a").answer(task(of, ask, course))
    assert np.array_equal(again["vector"], caught["vector"])


def test_sums_that_do_not_fit_their_digest_are_not_taken(tmp_path: Path) -> None:
    of = study()
    course = course_of(of, tmp_path / "server", 3)
    side = joined(tmp_path / "a", of)
    forged = task(of, Ask(kind="choose", round=1), course, first=0)
    forged["steps"][0]["content"] = forged["steps"][0]["content"] + 1.0
    told = side.answer(forged)
    assert told["state"] == "broken" and "vector" not in told
    assert side.answer(task(of, Ask(kind="choose", round=1), course, first=0))["state"] == "ok"


def test_a_noisy_sum_is_made_once_and_no_more_leave_than_were_accounted_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = Scaling(mean=np.zeros(WIDTH), scale=np.full(WIDTH, np.sqrt(WIDTH)))
    monkeypatch.setattr(hospital_side, "public_scaling", lambda _encoder: public)
    of = study(privacy=Privacy(epsilon=2.0), strengths=(1.0,), rounds=3)
    course = course_of(of, tmp_path / "server", 3, public)
    side = joined(tmp_path / "a", of)
    first = side.answer(task(of, Ask(kind="fit")))["vector"]
    # Asked again, also after a crash, it is the same noise: nothing more is learnt.
    assert np.array_equal(side.answer(task(of, Ask(kind="fit")))["vector"], first)
    assert np.array_equal(HospitalSide(tmp_path / "a").answer(task(of, Ask(kind="fit")))["vector"], first)
    # A server that asks at ever new places gets three sums and no fourth.
    asked = 1
    for number in range(8):
        other = Course(tmp_path / f"other{number}")
        other.add(replace(course.step(0), content=np.asarray(course.step(0).content) * (1 + number / 100)))
        told = side.answer(task(of, Ask(kind="fit", round=1), other, first=0))
        asked += told["state"] == "ok"
        if told["state"] != "ok":
            assert "as many sums have left" in told["reason"]
    assert asked == 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(change=st.dictionaries(
    st.sampled_from(["study", "ask", "counts", "known", "from", "head", "chain", "steps"]),
    st.none() | st.integers(-3, 3) | st.text(max_size=4) | st.lists(st.none() | st.text(max_size=4), max_size=3),
    min_size=1,
))  # fmt: skip
def test_any_task_gets_an_answer_in_the_agreed_form(tmp_path: Path, change: dict[str, Any]) -> None:
    of = study()
    side = joined(tmp_path / "a", of)
    told = side.answer({**task(of, Ask(kind="moments")), **change})
    assert told["state"] in ("ok", "lacks", "veto", "broken")
    assert "features" not in told and len(str(told.get("reason", ""))) <= 300


def test_it_has_to_have_joined(tmp_path: Path) -> None:
    from consilium.errors import InputError

    with pytest.raises(InputError, match="has not joined"):
        HospitalSide(tmp_path)
    (tmp_path / "membership.json").write_text('{"study": 1}')
    with pytest.raises(InputError, match="damaged"):
        read_membership(tmp_path)
