"""Studies, policies, contracts, shares and sums under encryption: what is agreed is held."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.alliance.joint_training.contribution import cost_shares, leave_one_out, shapley
from consilium.alliance.joint_training.encryption import SLOTS, Cipher, new_context
from consilium.alliance.joint_training.messages import FIELDS
from consilium.alliance.joint_training.public_scaling import FIGURES, public_scaling
from consilium.alliance.joint_training.site_cases import counts_of, hold_contract, read_cases, write_cases
from consilium.alliance.joint_training.site_policy import (
    SitePolicy,
    flare_authorization,
    flare_classes,
    flare_privacy,
    hold,
    hold_output,
    read_policy,
    write_policy,
)
from consilium.alliance.joint_training.study import Privacy, study_of
from consilium.errors import InputError, NotAllowed, UnusableDataset
from tests.alliance.joint_training.places import contract, hospital_cases, study


def test_a_study_is_what_was_written_and_its_digest_holds_all_of_it() -> None:
    of = study(privacy=Privacy(encrypted=True))
    again = study_of(json.loads(json.dumps(of.as_document())))
    assert again == of and again.digest == of.digest
    changed = [replace(of, disease="other"), replace(of, rounds=9), replace(of, privacy=Privacy()),
               replace(of, contract=replace(of.contract, least_cases=11))]  # fmt: skip
    assert len({one.digest for one in [of, *changed]}) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "Two Words"}, {"hospitals": ["a"]}, {"hospitals": ["a", "a"]}, {"rounds": 0}, {"strengths": []},
        {"strengths": [float("inf")]}, {"privacy": {"epsilon": -1.0}}, {"contribution": "some"}, {"odd": 1},
        {"least_hospitals": 9}, {"privacy": {"epsilon": 1.0}, "contribution": "shapley"}, {"hospitals": "abc"},
        {"contract": {}}, {"contract": None}, {"round_seconds": 0},
        {"hospitals": list("abcdef"), "contribution": "shapley"},
    ],
)  # fmt: skip
def test_an_unfit_study_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        study_of({**study().as_document(), **wrong})


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(list(study().as_document())),
        st.none() | st.integers() | st.text(max_size=3) | st.lists(st.none(), max_size=2),
    )
)
def test_any_document_is_a_study_or_an_error_that_says_why(change: dict[str, Any]) -> None:
    try:
        study_of({**study().as_document(), **change})
    except InputError as problem:
        assert str(problem)


def test_a_contract_is_held() -> None:
    cases = hospital_cases()["site-1"]
    assert hold_contract(contract(), cases).cases == int((~cases.tested).sum())
    nan = cases.features.copy()
    nan[3, 3] = np.nan
    both = cases.patients.copy()
    both[int(np.flatnonzero(cases.tested)[0])] = both[int(np.flatnonzero(~cases.tested)[0])]
    wrong = {
        "numbers": (contract(width=61), cases),
        "finite": (contract(), replace(cases, features=nan)),
        "training and test": (contract(), replace(cases, patients=both)),
        "label": (contract(labels=2), cases),
        "at least": (contract(least_cases=90), cases),
        "at most": (contract(most_cases=20), cases),
        "to test on": (contract(least_tested=40), cases),
    }
    for told, (agreed, has) in wrong.items():
        with pytest.raises(UnusableDataset, match=told):
            hold_contract(agreed, has)


def test_cases_are_those_that_were_approved_and_nobody_else_reads_them(tmp_path: Path) -> None:
    cases = hospital_cases()["site-1"]
    path = tmp_path / "cases.npz"
    digest = write_cases(cases, path)
    assert path.stat().st_mode & 0o077 == 0
    assert np.array_equal(read_cases(path, digest).features, cases.features)
    write_cases(replace(cases, classes=cases.classes[::-1].copy()), path)
    with pytest.raises(InputError, match="not the cases that were approved"):
        read_cases(path, digest)


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (SitePolicy(leads=("hospital_c",)), "hospital_a"),
        (SitePolicy(encryption_required=True), "encryption"),
        (SitePolicy(epsilon_at_most=2.0), "epsilon 2"),
        (SitePolicy(least_cases=1000), "1000 cases"),
        (SitePolicy(contribution=False), "single hospitals"),
    ],
)
def test_a_policy_has_its_veto(policy: SitePolicy, why: str) -> None:
    counts = counts_of(hospital_cases()["site-1"], 3)
    of = study(contribution="shapley")
    hold(SitePolicy(), of, counts)
    with pytest.raises(NotAllowed, match=why):
        hold(policy, of, counts)


def test_a_policy_says_which_sums_leave_and_how_long_it_computes() -> None:
    hold_output(SitePolicy(), "fit", 1.0)
    with pytest.raises(NotAllowed, match="evaluate may not leave"):
        hold_output(SitePolicy(outputs=("moments", "fit")), "evaluate", 1.0)
    with pytest.raises(NotAllowed, match="used up"):
        hold_output(SitePolicy(budget_seconds=10), "fit", 11.0)


@given(
    st.text(max_size=60)
    | st.sampled_from(['{"leads": "all"}', '{"outputs": ["x"]}', '{"odd": 1}', '{"least_cases": 0}', "[]"])
)
def test_a_damaged_policy_allows_nothing(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.json"
        path.write_text(text, encoding="utf-8")
        try:
            found = read_policy(path)
        except InputError as problem:
            assert problem.way_out
        else:
            assert json.loads(text) == {} and found == SitePolicy()


def test_a_policy_is_kept(tmp_path: Path) -> None:
    policy = SitePolicy(epsilon_at_most=3.0, outputs=("fit",))
    write_policy(policy, tmp_path / "deep" / "policy.json")
    assert read_policy(tmp_path / "deep" / "policy.json") == policy
    assert read_policy(tmp_path / "none.json") == SitePolicy()


def test_the_policies_of_flare_let_nothing_else_in() -> None:
    permissions = flare_authorization("hospital_a")["permissions"]
    assert permissions["lead"]["submit_job"] == "o:hospital_a" and permissions["lead"]["byoc"] == "none"
    assert set(permissions) - {"lead"} and all(permissions[role] == "none" for role in permissions if role != "lead")
    assert all(one.startswith("consilium.alliance.joint_training.flare_site.") for one in flare_classes())
    assert flare_privacy()["default_scope"] == "study"


def test_the_filter_at_a_site_lets_only_answers_out() -> None:
    pytest.importorskip("nvflare", reason="NVIDIA FLARE is not installed: pip install 'consilium[joint]'")
    from nvflare.apis.filter import ContentBlockedException
    from nvflare.apis.fl_context import FLContext
    from nvflare.apis.shareable import Shareable

    from consilium.alliance.joint_training.flare_site import OnlySums, put

    good = {"study": "x", "ask": ["fit", 0], "state": "ok", "vector": np.zeros(3), "arrived": False, "seconds": 0.0}
    assert set(good) <= FIELDS
    assert OnlySums().process(put(good), FLContext())["consilium"] == good
    wordy, other = put({**good, "reason": "x" * 999}), Shareable()
    other["features"] = np.zeros((5, 5))
    beside = put(good)
    beside["features"] = np.zeros(3)
    for bad in (put({**good, "features": np.zeros(3)}), wordy, other, beside):
        with pytest.raises(ContentBlockedException):
            OnlySums().process(bad, FLContext())


def test_shapley_values_add_up_and_treat_equals_equally() -> None:
    rng = np.random.default_rng(0)
    sites = ["a", "b", "c", "d"]
    from itertools import combinations

    worth = {frozenset(one): float(rng.random()) for size in range(1, 5) for one in combinations(sites, size)}
    assert sum(shapley(worth, sites).values()) == pytest.approx(worth[frozenset(sites)])
    # A hospital that adds nothing to any group gets nothing; two that are alike get the same.
    glove = {one: float("a" in one and bool({"b", "c"} & one)) for one in worth}
    found = shapley(glove, sites)
    assert found["d"] == 0 and found["b"] == pytest.approx(found["c"]) and found["a"] == pytest.approx(2 / 3)
    assert leave_one_out(glove, sites) == {"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}


@given(st.dictionaries(st.sampled_from("abcde"), st.floats(-0.5, 0.5), min_size=2))
def test_shares_of_the_cost_add_up_and_grow_with_the_gain(gains: dict[str, float]) -> None:
    found = cost_shares(gains)
    assert sum(found.values()) == pytest.approx(1)
    assert min(found.values()) >= 0.5 / len(gains) - 1e-9
    assert found[max(gains, key=gains.__getitem__)] == pytest.approx(max(found.values()))


@pytest.fixture(scope="module")
def ciphers() -> tuple[Cipher, Cipher]:
    pytest.importorskip("tenseal", reason="TenSEAL is not installed: pip install 'consilium[joint]'")
    hospital, server = new_context()
    return Cipher(hospital), Cipher(server)


def test_the_server_adds_what_it_cannot_read(ciphers: tuple[Cipher, Cipher]) -> None:
    hospital, server = ciphers
    rng = np.random.default_rng(0)
    vectors = [rng.normal(0, scale, SLOTS + 77) for scale in (1e-3, 1.0, 100.0)]
    pieces = server.add([hospital.encrypt(one) for one in vectors])
    assert len(pieces) == 2
    assert np.abs(hospital.decrypt(pieces, SLOTS + 77) - np.sum(vectors, 0)).max() < 1e-4
    with pytest.raises(ValueError, match="secret"):
        server.decrypt(pieces, SLOTS + 77)


def test_what_is_no_ciphertext_of_the_study_is_refused(ciphers: tuple[Cipher, Cipher]) -> None:
    hospital, server = ciphers
    good = hospital.encrypt(np.ones(100))
    assert server.refuse(good, 100) == ""
    assert "shape" in server.refuse(good, 5000)
    assert "shape" in server.refuse(good, 99)
    for bad in (np.ones(100), [b"rubbish"], [1], None, [good[0][:1000]]):
        assert server.refuse(bad, 100)


def test_public_figures_are_those_of_the_encoder_that_ships() -> None:
    from consilium.alliance.joint_training.joining import contract_for
    from consilium.generalist.shipped import shipped_encoder

    told = json.loads(FIGURES.with_suffix(".json").read_text(encoding="utf-8"))
    encoder = shipped_encoder()
    assert told["encoder"] == encoder.fingerprint
    for mirrored in (True, False):
        for finer in (True, False):
            agreed = contract_for(encoder, ("a", "b"), None, mirrored=mirrored, finer=finer, least_cases=20)
            scaling = public_scaling(agreed.encoder)
            assert scaling.mean.shape == (agreed.dimensions,) and np.isfinite(scaling.mean).all()
            assert (scaling.scale > 0).all()
    with pytest.raises(InputError, match="no public figures"):
        public_scaling("another")
