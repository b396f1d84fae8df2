"""What a server takes: bad answers are refused and named; it goes on from what it kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.alliance.joint_training.answer import Answerer
from consilium.alliance.joint_training.course import Course, Step
from consilium.alliance.joint_training.hospital_side import outcome
from consilium.alliance.joint_training.messages import step_from
from consilium.alliance.joint_training.progress import read_progress
from consilium.alliance.joint_training.refusal import out_of_line, refuse_counts, refuse_vector
from consilium.alliance.joint_training.results import read_result
from consilium.alliance.joint_training.server_side import Answers, ServerSide, unlike
from consilium.alliance.joint_training.simulation import train
from consilium.alliance.joint_training.site_cases import SiteCases, counts_of
from consilium.alliance.joint_training.study import Study
from consilium.alliance.joint_training.training import Ask, Sum, Training
from consilium.errors import EngineError, InputError
from tests.alliance.joint_training.places import hospital_cases, study

Spoil = Callable[[str, list[Any], dict[str, Any]], dict[str, Any]]


class Hospitals:
    """Answers as hospitals do, without a network; `spoil` may change an answer."""

    def __init__(self, of: Study, cases: dict[str, SiteCases], spoil: Spoil | None = None) -> None:
        self.of, self.cases, self.spoil = of, cases, spoil
        self.asked: list[tuple[str, int]] = []

    def __call__(self, task: dict[str, Any], sites: list[str], every: bool) -> Answers:
        found = {}
        self.asked.append(tuple(task["ask"]))
        for site in sites:
            answer = self._answer(site, task)
            answer = {"study": self.of.digest, "ask": task["ask"], "state": "ok", "seconds": 0.1, **answer}
            if self.spoil is not None:
                answer = self.spoil(site, task["ask"], answer)
            if answer:
                found[site] = answer
        return found

    def _answer(self, site: str, task: dict[str, Any]) -> dict[str, Any]:
        one = self.cases[site]
        if task["ask"][0] == "counts":
            counts = counts_of(one, len(self.of.contract.labels))
            return {"counts": {**vars(counts), "trained": list(counts.trained), "tested": list(counts.tested)}}
        if task["from"] > 0:
            return {"state": "lacks", "from": 0}
        counts = {name: counts_of(self.cases[name], len(self.of.contract.labels)) for name in task["counts"]}
        training = Training(study=self.of, counts=counts)
        for told in task["steps"]:
            step = step_from(told)
            assert isinstance(step.content, np.ndarray)
            training.take(Sum(ask=step.ask, sites=step.sites, vector=step.content))
        if task["ask"][0] == "result":
            return {"result": outcome(training)}
        ask = Ask(kind=task["ask"][0], round=task["ask"][1])
        vector = Answerer(site=site, cases=one, noise=np.random.default_rng()).answer(training, ask)
        return {"vector": np.asarray(vector, np.float32), "arrived": training.arrived}


def run(of: Study, folder: Path, hospitals: Hospitals, **more: Any) -> tuple[ServerSide, list[tuple[str, Any]]]:
    noted: list[tuple[str, Any]] = []
    side = ServerSide(folder, of, None, lambda what, details: noted.append((what, details)))
    side.run(hospitals, **more)
    return side, noted


def test_it_ends_with_the_head_of_one_process(tmp_path: Path) -> None:
    of, cases = study(), hospital_cases()
    side, noted = run(of, tmp_path, Hospitals(of, cases))
    assert np.array_equal(read_result(tmp_path / "result.npz")["weights"], train(of, cases).head().weights)
    assert side.progress.phase == "done" and noted == []


BAD: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "nan": (lambda answer: np.full_like(answer["vector"], np.nan), "not finite"),
    "huge": (lambda answer: answer["vector"] + np.float32(1e25), "huge norm"),
    "shape": (lambda answer: answer["vector"][:-3], "wrong shape"),
    "square": (lambda answer: answer["vector"][None], "wrong shape"),
    "double": (lambda answer: answer["vector"].astype(np.float64), "no vector"),
    "text": (lambda _answer: "12", "no vector"),
    "nothing": (lambda _answer: None, "no vector"),
    "objects": (lambda _answer: np.array([{}], object), "no vector"),
}


@pytest.mark.parametrize("kind", sorted(BAD))
def test_a_bad_update_is_refused_and_named_and_the_others_go_on(kind: str, tmp_path: Path) -> None:
    of, cases = study(), hospital_cases()
    change, reason = BAD[kind]

    def spoil(site: str, ask: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if site == "site-2" and ask[0] == "fit" and "vector" in answer:
            return {**answer, "vector": change(answer)}
        return answer

    side, noted = run(of, tmp_path, Hospitals(of, cases, spoil))
    assert side.progress.sites["site-2"].state == "refused"
    assert side.progress.sites["site-1"].state == side.progress.sites["site-3"].state == "there"
    refused = [details for what, details in noted if what == "study.refused"]
    assert len(refused) == 3 and all(one["site"] == "site-2" and reason in one["reason"] for one in refused)
    assert read_progress(tmp_path).refusals == side.progress.refusals
    # It is the head of a study in which that hospital is away from there on.
    expected = train(of, cases, away=lambda site, ask: site == "site-2" and ask.kind in ("fit", "evaluate"))
    assert np.array_equal(read_result(tmp_path / "result.npz")["weights"], expected.head().weights)


def test_an_answer_to_another_question_or_with_other_keys_is_refused(tmp_path: Path) -> None:
    of, cases = study(), hospital_cases()

    def spoil(site: str, ask: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if site == "site-1" and ask == ["fit", 1] and "vector" in answer:
            return {**answer, "ask": ["fit", 0]}
        if site == "site-3" and ask == ["fit", 2] and "vector" in answer:
            return {"weights": answer["vector"]}
        return answer

    side, _ = run(of, tmp_path, Hospitals(of, cases, spoil))
    assert [one[:2] for one in side.progress.refusals] == [["site-1", "fit 1"], ["site-3", "fit 2"]]
    assert [one.state for one in side.progress.sites.values()] == ["there"] * 3


@pytest.mark.parametrize(
    "told",
    [
        {"trained": [10**9, 5, 5], "tested": [5, 5, 5], "patients": 9, "chosen_on": 1},
        {"trained": [-5, 50, 50], "tested": [5, 5, 5], "patients": 9, "chosen_on": 1},
        {"trained": [20, 20], "tested": [5, 5, 5], "patients": 9, "chosen_on": 1},
        {"trained": [20, 20, 20.5], "tested": [5, 5, 5], "patients": 9, "chosen_on": 1},
        {"trained": [20, 20, 20], "tested": [5, 5, 5], "patients": 61, "chosen_on": 1},
        {"trained": [20, 20, 20], "tested": [5, 5, 5], "patients": 9, "chosen_on": 60},
        {"trained": [1, 1, 1], "tested": [5, 5, 5], "patients": 3, "chosen_on": 1},
        {"trained": [20, 20, True], "tested": [5, 5, 5], "patients": 9, "chosen_on": 1},
        {"trained": "many", "tested": [5, 5, 5], "patients": 9, "chosen_on": 1},
        ["trained"],
        None,
    ],
)
def test_absurd_counts_are_refused(told: object) -> None:
    assert refuse_counts(told, study())


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["trained", "tested", "patients", "chosen_on", "x"]), inner, max_size=5),
    max_leaves=12,
))  # fmt: skip
def test_counts_of_any_kind_are_taken_or_refused_with_a_reason(told: object) -> None:
    assert isinstance(refuse_counts(told, study()), str)


def test_test_counts_that_do_not_add_up_are_refused() -> None:
    of, cases = study(), hospital_cases()
    training = train(of, cases)
    answer = Answerer(site="site-1", cases=cases["site-1"], noise=np.random.default_rng())
    good = np.asarray(answer.answer(training, Ask(kind="evaluate")), np.float32)
    counts = training.counts["site-1"]
    assert refuse_vector(good, Ask(kind="evaluate"), len(good), of, counts) == ""
    at = int(np.flatnonzero(good)[0])
    for change in (1, -1, 0.5):
        bad = good.copy()
        bad[at] += change
        assert refuse_vector(bad, Ask(kind="evaluate"), len(bad), of, counts)


def test_a_sum_far_from_the_others_is_out_of_line() -> None:
    counts = {name: counts_of(one, 3) for name, one in hospital_cases().items()}
    vectors = {name: np.full(9, 1.0) * one.cases for name, one in counts.items()}
    assert out_of_line(vectors, counts) == {}
    assert set(out_of_line({**vectors, "site-2": vectors["site-2"] * 1e5}, counts)) == {"site-2"}


def test_it_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    of, cases = study(), hospital_cases()

    def dies(_site: str, ask: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if ask == ["fit", 4]:
            raise KeyboardInterrupt
        return answer

    with pytest.raises(KeyboardInterrupt):
        run(of, tmp_path, Hospitals(of, cases, dies))
    again = Hospitals(of, cases)
    run(of, tmp_path, again)
    assert again.asked[0] == ("fit", 4) and ("moments", 0) not in again.asked
    assert np.array_equal(read_result(tmp_path / "result.npz")["weights"], train(of, cases).head().weights)


def test_too_few_hospitals_stop_it_and_what_was_reached_is_kept(tmp_path: Path) -> None:
    of, cases = study(least_hospitals=3), hospital_cases()

    def gone(site: str, ask: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return {} if site == "site-2" and ask == ["fit", 3] else answer

    with pytest.raises(EngineError, match="2 hospital"):
        run(of, tmp_path, Hospitals(of, cases, gone))
    progress = read_progress(tmp_path)
    assert progress.phase == "stopped" and progress.sites["site-2"].state == "away"
    run(of, tmp_path, Hospitals(of, cases))
    assert read_progress(tmp_path).phase == "done"
    assert np.array_equal(read_result(tmp_path / "result.npz")["weights"], train(of, cases).head().weights)


def test_a_spoilt_sum_stops_the_study_and_no_hospital_is_blamed(tmp_path: Path) -> None:
    of, cases = study(), hospital_cases()

    def stuck(_site: str, ask: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return {"state": "broken", "reason": "the sum of fit 2 is broken"} if ask == ["fit", 3] else answer

    with pytest.raises(EngineError, match="all hospitals say: the sum of fit 2 is broken"):
        run(of, tmp_path, Hospitals(of, cases, stuck))
    progress = read_progress(tmp_path)
    assert progress.phase == "stopped" and progress.refusals == []


def test_a_result_unlike_the_others_is_named(tmp_path: Path) -> None:
    of, cases = study(), hospital_cases()

    def lies(site: str, ask: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if site == "site-3" and ask[0] == "result" and "result" in answer:
            return {**answer, "result": {**answer["result"], "weights": answer["result"]["weights"] * 1.5}}
        return answer

    side, _ = run(of, tmp_path, Hospitals(of, cases, lies))
    assert side.progress.refusals == [["site-3", "result", "its result is not that of the others"]]
    assert unlike({"a": {}, "b": {}}) == ["a", "b"]


def test_a_course_is_kept_whole_and_damage_is_seen(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    for number in range(3):
        course.add(Step(ask=Ask(kind="fit", round=number), sites=("site-1",), content=np.arange(5.0) + number))
    course.add(Step(ask=Ask(kind="fit", round=3), sites=("site-1",), content=[b"abc", b"\0" * 9]))
    again = Course(tmp_path / "course")
    assert again.head == course.head and len(again) == 4
    assert again.step(3).content == [b"abc", b"\0" * 9]
    assert np.array_equal(again.step(1).content, np.arange(5.0) + 1)
    path = tmp_path / "course" / "00002.step"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InputError, match="damaged"):
        Course(tmp_path / "course")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80))
def test_any_bytes_for_a_step_are_an_error_that_says_so(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "fuzzed"
    folder.mkdir(exist_ok=True)
    (folder / "00001.step").write_bytes(content)
    with pytest.raises(InputError):
        Course(folder)


def test_progress_that_is_damaged_is_no_progress(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text(json.dumps({"phase": "running", "sites": {"a": {"odd": 1}}}))
    assert read_progress(tmp_path).phase == ""
