from __future__ import annotations

from collections import Counter

from consilium.specialist.report.card import checklists
from consilium.specialist.report.items import ITEMS
from consilium.specialist.report.write import matter_of
from tests.specialist.reported import reported


def test_every_item_of_both_checklists_has_an_answer() -> None:
    told = checklists(matter_of(*reported("binary"), "en"))
    # CLAIM 2020 has 42 items; TRIPOD+AI 27, some in parts: 52.
    assert Counter(one.checklist for one in told) == {"CLAIM": 42, "TRIPOD+AI": 52}
    assert [one.number for one in told if one.checklist == "CLAIM"] == [str(number) for number in range(1, 43)]
    numbers = [one.number for one in told if one.checklist == "TRIPOD+AI"]
    assert list(dict.fromkeys(int(one.rstrip("abcdefg")) for one in numbers)) == list(range(1, 28))
    assert len(set(numbers)) == 52
    assert {one.where for one in told} <= {key for _, key, _, _ in ITEMS} | {"verdict", ""}
    assert all(one.answer for one in told)
    ethics = next(one for one in told if (one.checklist, one.number) == ("TRIPOD+AI", "17"))
    assert (ethics.answer, ethics.status) == ("approved, 2025-17", "told")
    funding = next(one for one in told if (one.checklist, one.number) == ("CLAIM", "42"))
    assert funding.status == "not stated"


def test_what_was_not_given_is_not_told() -> None:
    told = checklists(matter_of(*reported("few"), "en"))
    accuracy = next(one for one in told if (one.checklist, one.number) == ("CLAIM", "36"))
    assert accuracy.status == "not enough cases" and "not enough cases" in accuracy.answer
