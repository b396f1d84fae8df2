"""Dirty laboratory text to a suggestion."""

from __future__ import annotations

import csv
import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.cytogenetics.iscn.parse import LONGEST, parse
from consilium.cytogenetics.iscn.repair import WHY, repair
from consilium.settings import data_folder
from tests.cytogenetics.iscn.test_parse import WELL_FORMED

DIRTY = {
    "46，XX，t（4；11）（q21；q23）［20］": ("46,XX,t(4;11)(q21;q23)[20]", "glyphs"),
    "46 XX": ("46,XX", "spaces"),
    "46XY": ("46,XY", "separators"),
    "47,XX+21": ("47,XX,+21", "separators"),
    "45,XY,-7-9": ("45,XY,-7,-9", "separators"),
    "45,X,\u2013Y{20}": ("45,X,-Y[20]", "cells"),
    "46,XX[20 cells]": ("46,XX[20]", "cells"),
    "46,XX,del(7)(q22)(15)": ("46,XX,del(7)(q22)[15]", "cells"),
    "46,XX[18, one is 4n]": ("46,XX[18]", "cells"),
    "46,xy,T(4;11)(Q21;Q23)": ("46,XY,t(4;11)(q21;q23)", "case"),
    "47,XY,+8[10]46,XY[10]": ("47,XY,+8[10]/46,XY[10]", "separators"),
    "46,XX,t(4,11)(q21,q23)": ("46,XX,t(4;11)(q21;q23)", "separators"),
    "46,XX,,del(7)(q22)": ("46,XX,del(7)(q22)", "separators"),
    "46,XX,del(7)(q22": ("46,XX,del(7)(q22)", "brackets"),
    "47,XX,del(7)(q22)),+8": ("47,XX,del(7)(q22),+8", "brackets"),
    "47,XX,del(7)q22),+8": ("47,XX,del(7)(q22),+8", "brackets"),
    "46, XX, inv(3)(p12q13) normal variant": ("46,XX,inv(3)(p12q13)", "words"),
    "染色体核型：46,XY，结果正常": ("46,XY", "words"),
    "Karyotype: 46, XX [5]. ISCN 2020": ("46,XX[5]", "words"),
    "46,XY,add(2)(p21)[3]/nonclonal w/clonal changes[1]/46,XY[15]": ("46,XY,add(2)(p21)[3]/46,XY[15]", "words"),
    "46,XX&nbsp;[20]": ("46,XX[20]", "glyphs"),
    "mos  45,X [3] / 46,XX [17]": ("mos 45,X[3]/46,XX[17]", "spaces"),
    "46,XX.ish  del(22)(q11.2q11.2) (TBX1-)": ("46,XX.ish del(22)(q11.2q11.2) (TBX1-)", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), DIRTY.items())
def test_dirty_text_becomes_what_was_meant(text: str, meant: tuple[str, str]) -> None:
    found = repair(text)
    if meant[1]:
        assert found.suggestion == meant[0]
        assert meant[1] in found.why and found.changes
    assert found.text == text
    assert found.suggestion is not None and parse(found.suggestion)


@pytest.mark.parametrize("text", WELL_FORMED)
def test_what_is_well_formed_is_left_alone(text: str) -> None:
    found = repair(text)
    assert found.suggestion == text and not found.changes and not found.why


@pytest.mark.parametrize(
    "text",
    ["", " ", "hello world", "-9", "normal female", "46,XX,foo(5)(q13)", "see report 2024-11-03", "12, 13 and 14 cells",
     "46,XX,del(7)(q22)[5]/nonclonal w/+8[1]/47,xq,+", "X" * (LONGEST + 1)],
)  # fmt: skip
def test_what_is_no_karyotype_gets_no_suggestion(text: str) -> None:
    assert repair(text).suggestion is None


def test_the_changes_lead_from_the_text_to_the_suggestion() -> None:
    for text in DIRTY:
        found = repair(text)
        assert found.suggestion is not None
        edited = text
        for one in reversed(found.changes):
            assert text[one.start : one.end] == one.before
            edited = edited[: one.start] + one.after + edited[one.end :]
        assert edited == found.suggestion


def test_reasons_are_told_in_both_languages() -> None:
    found = repair("46 XX")
    assert found.reasons("en") == tuple(WHY[kind][0] for kind in found.why)
    assert all(re.search("[\u4e00-\u9fff]", reason) for reason in found.reasons("zh"))


def letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isascii() and letter.isalnum())


def is_subsequence(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(letter in rest for letter in part)


def spoilt(rng: random.Random, text: str) -> str:
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text))
        kind = rng.randrange(4)
        if kind == 0:
            text = text[:at] + rng.choice([" ", "  ", "\u00a0", "\u200b"]) + text[at:]
        elif kind == 1 and text[at] in ",;()[]/":
            text = text[:at] + text[at + 1 :]
        elif kind == 2:
            text = text[:at] + text[at].translate(str.maketrans(",;()-", "，；（）\u2013")) + text[at + 1 :]
        else:
            text = text[:at] + text[at].upper() + text[at + 1 :]
    return text


def test_no_number_band_or_letter_is_altered_or_added() -> None:
    rng = random.Random(3)
    mended = 0
    for _ in range(800):
        text = spoilt(rng, rng.choice(WELL_FORMED))
        found = repair(text)
        if found.suggestion is not None:
            mended += 1
            assert is_subsequence(letters(found.suggestion), letters(text.replace("×", "x"))), text
            assert parse(found.suggestion)
    assert mended > 500


@settings(max_examples=300)
@given(st.text(alphabet="46,XY+-?()[];qp13.t delrisnvcx/~<n>:，（ 正常A", max_size=80))
def test_any_text_is_repaired_or_not(text: str) -> None:
    found = repair(text)
    if found.suggestion is not None:
        parse(found.suggestion)


@pytest.mark.real_data
def test_clinical_records_are_read_or_repaired_and_lose_no_clone() -> None:
    folder = data_folder()
    if folder is None:
        pytest.skip("CONSILIUM_DATA is not set")
    with (folder / "tables" / "iscn" / "rcytogps" / "clinical_strings_half.csv").open(encoding="utf-8") as file:
        texts = [row["Karyotype"] for row in csv.DictReader(file) if row["Karyotype"].strip() != "-9"]
    found = [repair(text) for text in texts]
    read = [one for one in found if one.suggestion is not None]
    assert len(read) / len(found) > 0.9
    for one in read:
        assert one.suggestion is not None
        told = re.sub(r"/\s*nonl?c?lonal[^\[\]]*\[\d+\]", "", one.text)
        assert one.suggestion.count("/") >= len(re.findall(r"/(?=\d\d[,~-])", told)), one.text


def test_a_long_text_of_repeated_parts_is_compared_in_no_time() -> None:
    text = "46,XX,inv(3)(q21q26)[5] " * 400
    began = time.process_time()
    repair(text)
    assert time.process_time() - began < 5.0


def test_changes_far_apart_are_told_as_one() -> None:
    text = "46 XX,-7" + ",+8" * 300 + ",inv(3) (q21q26)"
    found = repair(text)
    assert found.suggestion is not None
    (one,) = found.changes
    assert text[: one.start] + one.after + text[one.end :] == found.suggestion
