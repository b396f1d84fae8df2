"""What stands in the way of a signature: every rule by itself, both languages, and nothing where all is done."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from consilium.errors import InputError
from consilium.laboratory.profile import Profile, from_json, to_json
from consilium.laboratory.review.content import LANGS, Check
from consilium.laboratory.review.differences import Difference, Stand
from consilium.laboratory.review.release import Facts, ReleaseRules, blockers, review_blockers, tells_sex
from consilium.laboratory.review.release_wording import BLOCKERS, TAKES

DONE = Facts(
    state="reviewed", unreviewed={"01.png": ()}, read_again=frozenset({"01.png", "02.png"}), case_read_again=True,
    analysed=("01.png", "02.png", "03.png"), counted=20, iscn="46,XX", iscn_valid=True, drafted="46,XX",
    drafted_then="46,XX", interpretation={"en": "Normal.", "zh": "正常。"}, karyograms=2,
    checks=(Check(what="counted", asked=20, found=20, met=True, source="ACMG", reason=""),),
)  # fmt: skip
MISSED = Check(what="analysed", asked=5, found=3, met=False, source="ACMG", reason="")
UNKNOWN = Check(what="cultures", asked=2, found=None, met=None, source="ECA", reason="")
COUNT = Difference(cell="01.png", what="count", first="46", second="47")
CASE = Difference(cell="", what="karyotype", first="46,XX", second="47,XX,+21", chromosomes=("+21",))


def codes(facts: Facts, rules: ReleaseRules | None = None) -> list[str]:
    return [one.code for one in blockers(facts, rules or ReleaseRules())]


def test_nothing_stands_in_the_way_of_a_case_that_has_all() -> None:
    assert codes(DONE) == []
    assert review_blockers(replace(DONE, state="analysed"), ReleaseRules()) == ()


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ({"counted": 0}, "no_cells"),
        ({"unreviewed": {"01.png": ("c3", "c17")}}, "flagged_unreviewed"),
        ({"read_again": frozenset({"01.png"})}, "second_reading_cells"),
        ({"read_again": frozenset({"01.png", "99.png"})}, "second_reading_cells"),
        ({"case_read_again": False}, "second_reading_case"),
        ({"stands": (Stand(difference=COUNT, standing="open"),)}, "disagreement_open_cell"),
        ({"stands": (Stand(difference=COUNT, standing="to carry out"),)}, "disagreement_to_carry_out_cell"),
        ({"stands": (Stand(difference=CASE, standing="open"),)}, "disagreement_open_case"),
        ({"stands": (Stand(difference=CASE, standing="to carry out"),)}, "disagreement_to_carry_out_case"),
        ({"iscn": ""}, "iscn_missing"),
        ({"iscn_valid": False}, "iscn_invalid"),
        ({"drafted": "47,XX,+21"}, "iscn_stale"),
        ({"interpretation": {"en": "Normal.", "zh": " "}}, "interpretation_missing_zh"),
        ({"interpretation": {"zh": "正常。"}}, "interpretation_missing_en"),
        ({"sex_withheld": True, "interpretation": {"en": "46,XX.", "zh": "正常。"}}, "interpretation_tells_sex_en"),
        ({"sex_withheld": True, "interpretation": {"en": "Normal.", "zh": "男性。"}}, "interpretation_tells_sex_zh"),
        ({"sex_pending": True}, "sex_pending"),
        ({"checks": (MISSED,)}, "guideline_missed"),
        ({"karyograms": 0}, "no_karyogram"),
        ({"state": "analysed"}, "not_reviewed"),
        ({"state": "reopened"}, "not_reviewed"),
        ({"state": "signed"}, "signed_already"),
    ],
)
def test_each_thing_that_is_missing_is_told_once(entries: dict[str, Any], code: str) -> None:
    (found,) = blockers(replace(DONE, **entries), ReleaseRules())
    assert found.code == code
    for lang in LANGS:
        assert "{" not in found.what(lang) + found.way_out(lang)
        assert found.what(lang) and found.way_out(lang)
    assert found.place == TAKES[code]


def test_every_code_has_its_words_and_its_place() -> None:
    assert set(BLOCKERS) == set(TAKES)
    assert all(set(both) == set(LANGS) for both in BLOCKERS.values())


def test_what_was_settled_or_told_stands_in_nobodys_way() -> None:
    settled = (Stand(difference=COUNT, standing="settled"),)
    told = replace(MISSED, reason="no more cells on the slides")
    done = replace(DONE, stands=settled, checks=(told, UNKNOWN), iscn_valid=False, iscn_override="seen by FISH before")
    assert codes(done) == []


def test_a_laboratory_may_want_less() -> None:
    less = ReleaseRules(flagged_reviewed=False, second_reading_cells=0, iscn_valid=False, guideline_reasons=False)
    lax = replace(
        DONE, unreviewed={"01.png": ("c3",)}, read_again=frozenset(), iscn_valid=False, checks=(MISSED,)
    )  # fmt: skip
    assert codes(lax, less) == []
    assert codes(lax) == ["flagged_unreviewed", "second_reading_cells", "iscn_invalid", "guideline_missed"]
    alone = replace(DONE, second_reader=False, read_again=frozenset(), case_read_again=False)
    assert codes(alone) == []
    # Of one analysed cell nobody can read two again.
    assert codes(replace(DONE, analysed=("01.png",), read_again=frozenset({"01.png"}))) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("46,XX", True), ("XY", True), ("47,XXY", True), ("a boy", True), ("a Female fetus", True), ("女胎", True),
        ("性染色体为XY型", True), ("Y染色体", True), ("chromosome Y", True), ("46,U", False),
        ("Extra copy of 21", False),
        ("未发现异常", False), ("XYlophone", False), ("性染色体", False), ("by the laboratory", False),
    ],
)  # fmt: skip
def test_a_text_that_tells_the_sex(text: str, told: bool) -> None:
    assert tells_sex(text) is told


def test_the_rules_are_kept_in_the_profile_and_an_older_profile_has_the_strict_ones() -> None:
    rules = ReleaseRules(second_reading_cells=5, blind=False, withhold_sex_of=frozenset({"amniotic_flask"}))
    assert from_json(to_json(Profile(name="x", release=rules))).release == rules
    assert from_json('{"name": "x"}').release == ReleaseRules()
    for bad in ({"blind": 1}, {"second_reading_cells": -1}, {"other": True}, {"withhold_sex_of": [1]}, 3):
        with pytest.raises(InputError):
            from_json(json.dumps({"name": "x", "release": bad}))
