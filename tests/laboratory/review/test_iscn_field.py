"""A karyotype while it is typed: the fault, its place, its section, how it would be right, what it says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.laboratory.review.iscn_field import check_iscn


def test_a_right_one_is_explained() -> None:
    found = check_iscn(" 47,XY,+21 ", "en")
    assert (found.text, found.parsed, found.valid, found.canonical) == ("47,XY,+21", True, True, "47,XY,+21")
    assert found.faults == () and any("21" in one for one in found.sentences)
    assert check_iscn("47,XY,+21", "zh").sentences != found.sentences


def test_a_wrong_one_says_where_and_how_it_would_be_right() -> None:
    found = check_iscn("46,XX,+21", "en")
    assert found.parsed and not found.valid
    (fault,) = [one for one in found.faults if one.severity == "error"]
    assert fault.section and fault.message and (fault.start, fault.end) == (0, 2)
    assert fault.suggestion is None or check_iscn(fault.suggestion, "en").valid


@pytest.mark.parametrize("text", ["", "4", "46", "46,", "46,X", "46,XX,", "46,XX,t(9;22)(q34;q1"])
def test_half_a_karyotype_is_no_error_of_ours(text: str) -> None:
    assert isinstance(check_iscn(text, "zh").valid, bool)


@given(st.text(max_size=60) | st.text("46,XY+-()[];/tdelrpq12.?~ ", max_size=60))
@settings(max_examples=150)
def test_whatever_is_typed_is_answered(text: str) -> None:
    found = check_iscn(text, "en")
    assert all(0 <= one.start <= one.end <= len(found.text) for one in found.faults)
    assert found.valid == (not any(one.severity == "error" for one in found.faults))


def test_it_is_quick_enough_to_answer_while_one_types() -> None:
    long = "46,XX,t(9;22)(q34;q11.2),del(5)(q13q33),+8,inv(16)(p13q22),i(17)(q10)[12]/46,XX[8]"
    check_iscn(long, "en")
    begun = time.perf_counter()
    for _ in range(5):
        check_iscn(long, "en")
    assert (time.perf_counter() - begun) / 5 < 0.5
