from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.deidentify import HEIGHTS, RESULTS, as_table, share, written_on


def test_a_share_comes_with_its_interval() -> None:
    figure = share("all", [True] * 9 + [False])
    assert figure.value == 0.9 and figure.n == 10
    assert 0.55 < figure.low < 0.56 and 0.997 < figure.high < 0.998


def test_writing_is_drawn_where_it_can_be_seen_and_nowhere_else() -> None:
    rng = np.random.default_rng(1)
    page = np.full((300, 400), 90, np.uint8)
    drawn = [one for one in (written_on(page, rng) for _ in range(20)) if one is not None]
    assert drawn and all((picture != page).any() and height in HEIGHTS for picture, _, height in drawn)
    assert written_on(np.zeros((20, 20), np.uint8), rng) is None


def test_the_table_is_made_of_the_figures() -> None:
    document = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert as_table(document) == RESULTS.with_suffix(".md").read_text(encoding="utf-8")
    assert sum(document["samples"]["as it is"].values()) == 114
    assert document["finder"]["writing found"][0]["value"] == pytest.approx(1, abs=0.1)
