"""The validator against ISCN strings judged by hand from the standard (`corpus.tsv`), each right or with one fault."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from consilium.cytogenetics.iscn.rules import Finding, rules
from consilium.cytogenetics.iscn.validate import Judgement, validate

_AS_TYPED = str.maketrans({"×": "x", "∼": "~", "–": "-", "−": "-"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the corpus.

    Attributes:
        section: of ISCN 2024 by which the string was judged.
        string: what was judged.
        expected: rules that it breaks; none where it is right.
        near: the rule that it seems to break but does not, if that is why it is here.
    """

    section: str
    string: str
    expected: frozenset[str]
    near: str


@cache
def corpus() -> tuple[Entry, ...]:
    with Path(__file__).with_name("corpus.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return tuple(
        Entry(
            section=row["section"],
            string=row["string"],
            expected=frozenset(filter(None, row["expected"].split(","))),
            near=row["remark"].partition(";")[0].removeprefix("near ") if row["remark"].startswith("near ") else "",
        )
        for row in rows
    )


RIGHT = [entry for entry in corpus() if not entry.expected]
WRONG = [entry for entry in corpus() if entry.expected]
BY_LEVEL = {"band-unseen"}
"""Rules that the string alone does not break: they have tests of their own (`test_level`)."""
JUDGED = [name for name, rule in rules().items() if rule.severity != "note" and name not in BY_LEVEL]


def found(judgement: Judgement) -> list[Finding]:
    return [finding for finding in judgement.findings if finding.severity != "note"]


def as_typed(string: str) -> str:
    return string.translate(_AS_TYPED).replace("→", "->")


def test_the_corpus_is_large_and_no_string_is_in_it_twice() -> None:
    assert len(corpus()) >= 650 and len(RIGHT) >= 300 and len(WRONG) >= 300
    assert not [string for string, times in Counter(entry.string for entry in corpus()).items() if times > 1]


@pytest.mark.parametrize("entry", corpus(), ids=lambda entry: entry.string)
def test_a_string_breaks_the_rules_that_it_breaks_and_no_other(entry: Entry) -> None:
    judgement = validate(entry.string)
    assert {finding.rule for finding in found(judgement)} == entry.expected
    errors = {name for name in entry.expected if rules()[name].severity == "error"}
    assert judgement.valid == (not errors)


@pytest.mark.parametrize("name", JUDGED)
def test_every_rule_has_strings_that_break_it_alone_and_strings_that_nearly_do(name: str) -> None:
    assert sum(entry.expected == {name} for entry in corpus()) >= 4
    assert sum(entry.near == name and not entry.expected for entry in corpus()) >= 3


def test_the_corpus_speaks_of_rules_that_there_are() -> None:
    assert {name for entry in corpus() for name in (*entry.expected, *filter(None, [entry.near]))} <= set(JUDGED)


@pytest.mark.parametrize("name", JUDGED)
def test_without_its_rule_a_wrong_string_passes(name: str) -> None:
    broken = [entry.string for entry in WRONG if entry.expected == {name}]
    assert broken
    for string in broken:
        assert not found(validate(string, without={name})), string


@pytest.mark.parametrize("entry", WRONG, ids=lambda entry: entry.string)
def test_a_suggestion_mends_the_fault_for_which_it_is_made(entry: Entry) -> None:
    before = found(validate(entry.string))
    times = Counter(finding.rule for finding in before)
    for finding in before:
        if finding.suggestion is None:
            continue
        after = Counter(one.rule for one in found(validate(finding.suggestion)))
        assert after[finding.rule] < times[finding.rule], finding.suggestion
        assert not set(after) - set(times), finding.suggestion


@pytest.mark.parametrize("entry", RIGHT, ids=lambda entry: entry.string)
def test_the_canonical_form_of_a_right_string_is_itself(entry: Entry) -> None:
    assert validate(entry.string).canonical == as_typed(entry.string)
