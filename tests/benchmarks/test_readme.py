"""The README quotes what the benchmark wrote, and nothing else."""

from __future__ import annotations

import json

from benchmarks.readme import README, RESULTS, START, with_figures


def test_the_readme_quotes_the_figures_of_the_last_benchmark() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_figures(text, json.loads(RESULTS.read_text(encoding="utf-8"))) == text


def test_every_figure_of_the_readme_stands_in_the_written_part() -> None:
    before = README.read_text(encoding="utf-8").split(START)[0]
    assert "%" not in before
