"""Where two readers differ: what is compared, and what a decision settles."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.laboratory.review.differences import (
    Decision,
    Difference,
    Reading,
    differences,
    same,
    standing,
    unlike,
)

FIRST = Reading(cell="01.png", count=46, karyotype="46,XX", labels={"c0": "1", "c1": "2"})


def test_readers_who_agree_do_not_differ() -> None:
    assert differences(FIRST, FIRST) == ()
    assert differences(FIRST, Reading(cell="01.png", count=46)) == ()
    assert differences(FIRST, Reading(cell="01.png", karyotype=" 46,XX ")) == ()


def test_each_difference_says_which_cell_which_chromosomes_and_whose_value() -> None:
    second = Reading(cell="01.png", count=47, karyotype="47,XX,+21", labels={"c1": "3", "c0": "1", "c9": "X"})
    assert differences(FIRST, second) == (
        Difference(cell="01.png", what="count", first="46", second="47"),
        Difference(cell="01.png", what="karyotype", first="46,XX", second="47,XX,+21", chromosomes=("+21",)),
        Difference(cell="01.png", what="label", of="c1", first="2", second="3", chromosomes=("2", "3")),
        Difference(cell="01.png", what="label", of="c9", first="", second="X", chromosomes=("X",)),
    )


@pytest.mark.parametrize(
    ("one", "other", "parts"),
    [
        ("46,XX", "46,XY", ("XX", "XY")),
        ("47,XX,+21", "47,XX,+18", ("+21", "+18")),
        ("mos 47,XX,+21[3]/46,XX[17]", "46,XX[20]", ("+21",)),
        ("no karyotype", "46,XX", ("XX",)),
    ],
)
def test_what_only_one_of_them_has(one: str, other: str, parts: tuple[str, ...]) -> None:
    assert unlike(one, other) == parts


def test_spelling_is_no_difference_and_the_content_is() -> None:
    assert same("47,XX,+21", " 47,XX,+21")
    assert not same("47,XX,+21", "47,XX,+22")
    assert not same("46,XX[20]", "46,XX[19]")


def decided(difference: Difference, kept: str, at: str = "2026-03-01T00:00:00.000Z") -> Decision:
    return Decision(
        cell=difference.cell, what=difference.what, of=difference.of, first=difference.first, second=difference.second,
        kept=kept, reason="seen together", by="ren", at=at,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_decision_settles_the_pair_of_values_that_it_was_about_and_no_other() -> None:
    (one,) = differences(FIRST, Reading(cell="01.png", count=47))
    assert [stand.standing for stand in standing([one], [])] == ["open"]
    assert [stand.standing for stand in standing([one], [decided(one, "first")])] == ["settled"]
    assert [stand.standing for stand in standing([one], [decided(one, "second")])] == ["to carry out"]
    # The newest holds, and the older one is still told.
    both = [decided(one, "second"), decided(one, "first", "2026-03-02T00:00:00.000Z")]
    assert standing([one], both)[0].standing == "settled"
    # The cell was edited to something else: the difference is another one.
    (now,) = differences(replace(FIRST, count=45), Reading(cell="01.png", count=47))
    assert standing([now], both)[0].standing == "open"
    # The cell was edited to what the second reader said: there is none.
    assert differences(replace(FIRST, count=47), Reading(cell="01.png", count=47)) == ()


LABELS = st.dictionaries(st.sampled_from(["c0", "c1", "c2"]), st.sampled_from(["1", "2", "X"]))


@given(LABELS, LABELS, st.integers(40, 50), st.integers(40, 50))
def test_differences_vanish_exactly_when_the_first_takes_over_what_the_second_said(
    first: dict[str, str], second: dict[str, str], one: int, other: int
) -> None:
    a, b = Reading(cell="a", count=one, labels=first), Reading(cell="a", count=other, labels=second)
    found = differences(a, b)
    assert len(found) == (one != other) + sum(first.get(name, "") != label for name, label in second.items())
    assert differences(replace(a, count=other, labels=first | second), b) == ()
