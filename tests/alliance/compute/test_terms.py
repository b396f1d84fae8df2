"""Whose cores are whose: rules that hold for any jobs of any hospitals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consilium.alliance.compute.job import URGENCIES
from consilium.alliance.compute.terms import Claim, Right, beyond_their_right, terms_of

HOSPITALS = ("hospital_a", "hospital_b", "hospital_c")


def claim(
    number: int, hospital: str = "hospital_a", urgency: str = "research", cores: int = 1, **more: object
) -> Claim:
    return Claim(number=number, hospital=hospital, urgency=urgency, cores=cores, **more)  # type: ignore[arg-type]


def test_first_its_own_then_what_others_lend() -> None:
    claims = [claim(number) for number in range(5)]
    assert terms_of(claims, {"hospital_a": Right(cores=3)}) == {0: "own", 1: "own", 2: "own", 3: "borrow", 4: "borrow"}


def test_the_urgent_and_the_old_come_first_in_the_right() -> None:
    claims = [claim(1), claim(2), claim(3, urgency="clinical"), claim(4, urgency="idle")]
    assert terms_of(claims, {"hospital_a": Right(cores=2)}) == {3: "own", 1: "own", 2: "borrow", 4: "idle"}


def test_a_small_job_does_not_pass_a_large_one_in_the_right() -> None:
    claims = [claim(1, cores=4), claim(2, cores=1)]
    assert terms_of(claims, {"hospital_a": Right(cores=3)}) == {1: "borrow", 2: "borrow"}


def test_what_runs_counts_whatever_its_label() -> None:
    claims = [claim(1, running="borrow"), claim(2, running="own"), claim(3, running="idle"), claim(4), claim(5)]
    assert terms_of(claims, {"hospital_a": Right(cores=3)}) == {4: "own", 5: "borrow"}


def test_an_emergency_counts_against_its_own_hospital() -> None:
    claims = [
        claim(1, urgency="emergency", cores=2),
        claim(2, urgency="clinical"),
        claim(3, urgency="emergency", cores=2),
    ]
    assert terms_of(claims, {"hospital_a": Right(cores=3)}) == {1: "urgent", 3: "borrow", 2: "borrow"}


def test_a_hospital_without_a_right_borrows() -> None:
    assert terms_of([claim(1)], {}) == {1: "borrow"}
    assert terms_of([claim(1)], {}, lending=False) == {1: "own"}


def test_cards_are_part_of_the_right() -> None:
    claims = [claim(1, gpus=1), claim(2, gpus=1)]
    assert terms_of(claims, {"hospital_a": Right(cores=8, gpus=1)}) == {1: "own", 2: "borrow"}


def test_only_who_has_more_than_his_right_gives_back() -> None:
    rights = {"hospital_a": Right(cores=2), "hospital_b": Right(cores=2)}
    claims = [claim(number, running="borrow") for number in (1, 2)]
    assert beyond_their_right(claims, rights) == frozenset()
    claims += [claim(3, running="own"), claim(4, hospital="hospital_b", running="idle")]
    assert beyond_their_right(claims, rights) == {"hospital_a"}


claims_of_any = st.lists(
    st.builds(
        lambda hospital, urgency, cores, running: (hospital, urgency, cores, running),
        st.sampled_from(HOSPITALS), st.sampled_from(URGENCIES), st.integers(1, 5),
        st.sampled_from([None, None, "own", "borrow", "idle", "urgent"]),
    ),
    max_size=25,
)  # fmt: skip


@given(claims_of_any, st.lists(st.integers(0, 8), min_size=3, max_size=3))
def test_nobody_is_promised_more_than_his_right(rows: list[tuple[str, str, int, str | None]], cores: list[int]) -> None:
    claims = [claim(k, h, u, c, running=r) for k, (h, u, c, r) in enumerate(rows)]
    rights = {hospital: Right(cores=count) for hospital, count in zip(HOSPITALS, cores, strict=True)}
    found = terms_of(claims, rights)
    assert set(found) == {one.number for one in claims if one.running is None}
    for hospital in HOSPITALS:
        mine = [one for one in claims if one.hospital == hospital]
        runs = sum(one.cores for one in mine if one.running not in (None, "idle"))
        own = sum(one.cores for one in mine if found.get(one.number) == "own")
        urgent = sum(one.cores for one in mine if found.get(one.number) == "urgent")
        assert own == 0 or own + runs + urgent <= rights[hospital].cores
        assert urgent == 0 or urgent <= rights[hospital].cores
        # What is his is not left unused while something of his waits that would fit.
        waiting = sorted(
            (one for one in mine if one.running is None and one.urgency not in ("idle", "emergency")),
            key=lambda one: (URGENCIES.index(one.urgency), one.number),
        )
        if waiting and found[waiting[0].number] == "borrow":
            assert waiting[0].cores > rights[hospital].cores - runs - urgent
