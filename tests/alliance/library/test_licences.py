from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.alliance.library.contents import refuse_data
from consilium.alliance.library.licences import (
    PLACEHOLDER,
    canonical,
    expression_of,
    forbidding_words,
    outside,
    read_rules,
)
from consilium.artefact.card import read_card, shipped_cards
from consilium.errors import InputError, NotTrusted
from consilium.karyotype.bundle import _TERMS

RULES = read_rules()


def test_statements_begin_with_an_expression() -> None:
    assert expression_of("CC-BY-4.0 (not stated where it was taken from)") == "CC-BY-4.0"
    assert expression_of("mpl-2.0 (annotations)") == "MPL-2.0"
    assert expression_of("Apache-2.0, drawn by this project") == "Apache-2.0"
    assert expression_of("Apache-2.0 AND (MIT OR CC0-1.0)") == "Apache-2.0 AND (MIT OR CC0-1.0)"
    assert expression_of("open data paper (Scientific Data 10:104)") is None
    assert expression_of("CC BY 4.0") is None
    assert expression_of("") is None
    assert canonical("CC-BY-4.0 (words)") is None


@pytest.mark.parametrize(
    ("expression", "strange"),
    [
        ("MIT", ()),
        ("GPL-3.0-only", ("GPL-3.0-only",)),
        ("MIT OR GPL-3.0-only", ()),
        ("GPL-3.0-only OR MIT", ()),
        ("MIT AND GPL-3.0-only", ("GPL-3.0-only",)),
        ("(GPL-3.0-only OR MIT) AND Apache-2.0", ()),
        ("GPL-3.0-only AND (MIT OR Apache-2.0)", ("GPL-3.0-only",)),
        ("GPL-3.0-only OR CC-BY-NC-4.0", ("GPL-3.0-only", "CC-BY-NC-4.0")),
        ("Apache-2.0 WITH LLVM-exception", ()),
        ("GPL-3.0-only WITH GCC-exception-3.1 OR MIT", ()),
        ("LicenseRef-mine", ("LicenseRef-mine",)),
    ],
)
def test_what_is_not_let_in_is_named(expression: str, strange: tuple[str, ...]) -> None:
    assert canonical(expression) == expression
    assert outside(expression, RULES.models) == strange


@given(st.recursive(st.sampled_from(["MIT", "GPL-3.0-only", "Apache-2.0"]), lambda one: st.builds(
    lambda a, how, b: f"({a} {how} {b})", one, st.sampled_from(["AND", "OR"]), one), max_leaves=8))  # fmt: skip
def test_an_expression_is_let_in_where_logic_says_so(expression: str) -> None:
    told = expression.replace("AND", "and").replace("OR", "or")
    for name, value in (("MIT", True), ("GPL-3.0-only", False), ("Apache-2.0", True)):
        told = told.replace(name, str(value))
    assert (outside(expression, ["MIT", "Apache-2.0"]) == ()) == eval(told)


@pytest.mark.parametrize(
    "words",
    [
        "CC BY-NC 4.0", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "evaluate only", "for evaluation", "Non-Commercial use",
        "none stated", "research only", "all rights reserved", "no licence", "noncommercial",
    ],
)  # fmt: skip
def test_words_that_forbid_are_found(words: str) -> None:
    assert forbidding_words(words, RULES)


def test_words_of_cards_that_allow_are_no_prohibition() -> None:
    for path in shipped_cards():
        for data in read_card(path).trained_on:
            assert not forbidding_words(data.licence, RULES), data.licence
    assert not forbidding_words("CC0-1.0 (not stated where it was taken from)", RULES)


def test_data_of_the_karyotyping_models_may_be_handed_on() -> None:
    for path in shipped_cards():
        if path.parent.parent.name == "karyotype":
            for data in read_card(path).trained_on:
                stated = f"{_TERMS[data.name]} ({data.licence})" if data.name in _TERMS else data.licence
                refuse_data(data.name, stated, RULES, where=path.name)


@pytest.mark.parametrize(
    ("licence", "why"),
    [
        (PLACEHOLDER, "nobody said"),
        ("open data paper", "nobody said"),
        ("CC-BY-NC-4.0", "forbids"),
        ("CC0-1.0 (evaluate only)", "forbids"),
        ("GPL-3.0-only", "is not let in"),
    ],
)
def test_data_that_may_not_be_handed_on_is_refused(licence: str, why: str) -> None:
    with pytest.raises(NotTrusted, match=why) as refused:
        refuse_data("cases", licence, RULES, where="card")
    assert refused.value.way_out


def test_a_hospital_may_have_its_own_rules(tmp_path: Path) -> None:
    own = tmp_path / "licences.json"
    assert read_rules(own) == RULES
    own.write_text(json.dumps({"models": {"MIT": ""}, "data": {}, "forbidden": ["x"]}))
    assert dict(read_rules(own).models) == {"MIT": ""}
    for text in (
        "",
        "[]",
        "{}",
        '{"models": [], "data": {}, "forbidden": ["("]}',
        '{"models": {}, "data": {}, "forbidden": 3}',
    ):
        own.write_text(text)
        with pytest.raises(InputError):
            read_rules(own)
    own.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError):
        read_rules(own)


def test_every_own_term_says_what_it_means() -> None:
    for name, meaning in itertools.chain(RULES.models.items(), RULES.data.items()):
        assert canonical(name) == name
        assert bool(meaning) == name.startswith("LicenseRef-")
