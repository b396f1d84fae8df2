"""Strings in plain sentences."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from consilium.cytogenetics.iscn.explain import explain
from consilium.cytogenetics.iscn.parse import parse
from consilium.cytogenetics.iscn.tree import Result
from tests.cytogenetics.iscn.test_parse import WELL_FORMED
from tests.cytogenetics.iscn.trees import results

SAID = {
    "47,XY,+21": ["47 chromosomes", "an extra chromosome 21", "chromosome 21 (3 copies for 2)", "hyperdiploid"],
    "45,X": ["sex chromosomes X", "Lost in sum: chromosome X (1 copy for 2)"],
    "46,XX,t(4;11)(q21;q23)[18]/47,sl,+8[2]": [
        "Cell line 2", "translocation between 4q21 and 11q23", "Balanced", "with all of the stemline", "in 2 cells",
        "Abnormalities counted over all clones: 2",
    ],
    "46,XY,del(7)(q22q34)": ["loss of 7q22 to 7q34", "Lost in sum: 7q22q34"],
    "46,XY,del(7)(q22)": ["loss of the end of 7q from 7q22 on"],
    "45,XX,der(13;22)(q10;q10)pat": ["Robertsonian", "inherited from the father", "without known effect"],
    "46,X,i(X)(q10)": ["Xq twice, no Xp", "Gained in sum: Xq10qter"],
    "46,XX,inv(4)(p13q21)": ["inversion of 4p13 to 4q21, around the centromere"],
    "46,XX,inv(4)(q21q31)": ["within one arm"],
    "46,XX,ins(3;6)(p21;q21q24)": ["6q21 to 6q24 inserted at 3p21", "Balanced"],
    "46,XX,add(8)(p21)": ["material of unknown origin in place of 8p from 8p21 on"],
    "46,XX,dup(3)(q21q25)": ["3q21 to 3q25 is there twice in a row"],
    "46,XY,der(2)t(2;6)(q33;q21)": ["derivative chromosome 2, made by translocation between 2q33 and 6q21"],
    "46,XX,t(2;9;5)(p21;q22;q23)": ["translocation of 3 chromosomes", "2p21 to 9q22 to 5q23 to 2p21"],
    "46,XX[5]//46,XY[9]": ["Recipient", "Donor"],
    "48,XX,+2mar,5~9dmin,inc[cp4]": ["2 marker", "5 to 9 double minutes", "together in 4 cells", "could not be ident"],
    "47,XX,+?8": ["uncertain"],
    "47,sl2,+8": ["cannot be told"],
    "46,U": ["sex not disclosed"],
    "50(25,X,+8,+21)x2[6]": ["a set of 25 doubled"],
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), SAID.items())
def test_what_a_string_says_is_said(text: str, said: list[str]) -> None:
    sentences = "\n".join(explain(parse(text)))
    for part in said:
        assert part in sentences, sentences


@pytest.mark.parametrize("text", WELL_FORMED)
def test_chinese_says_the_same_things(text: str) -> None:
    english, chinese = explain(parse(text), "en"), explain(parse(text), "zh")
    assert len(english) == len(chinese)
    for sentence in chinese:
        if not sentence.lstrip().startswith(("其他技术",)):
            assert re.search("[\u4e00-\u9fff]", sentence), sentence
    # What is only English words in an English sentence must not stand in a Chinese one.
    left = re.findall(r"\b(?:chromosomes?|loss|gained|between|cells?|copies)\b", "\n".join(chinese))
    assert not left


@settings(max_examples=120)
@given(results())
def test_any_tree_is_explained(result: Result) -> None:
    for language in ("en", "zh"):
        said = explain(result, language)  # type: ignore[arg-type]
        lines = sum(map(len, result.persons))
        assert len(said) >= lines and all(sentence.strip() for sentence in said)
