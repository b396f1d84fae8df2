"""The fuzzing of the ISCN language, and that the language stands a short one."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import iscn_fuzz
from benchmarks.iscn import corpus
from benchmarks.iscn_fuzz import Run, damaged, fuzz, main, table, tried

STRINGS = [text for text, _ in corpus()]


def empty_run() -> Run:
    return Run(date="2026-01-01", machine="a machine", versions={}, source="0" * 12, seed=3)


def test_damaged_strings_are_survived() -> None:
    dice = random.Random(11)
    read = 0
    for _ in range(150):
        text = damaged(dice, STRINGS)
        parsed, changed = tried(text)
        assert not changed, text
        read += parsed
    assert read > 5, "some damage leaves a string well formed"


def test_every_kind_of_damage_is_done_and_comes_back_the_same() -> None:
    one, other = random.Random(5), random.Random(5)
    texts = [damaged(one, STRINGS) for _ in range(300)]
    assert texts == [damaged(other, STRINGS) for _ in range(300)]
    assert max(map(len, texts)) > 1000 and any(not text.isascii() for text in texts)


@pytest.mark.parametrize(("kind", "what"), [("crashes", "ValueError('nonsense')"), ("hangs", "Hang")])
def test_what_crashes_or_hangs_is_written_down(kind: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def bad(_text: str) -> tuple[bool, str]:
        if kind == "crashes":
            raise ValueError("nonsense")
        while True:
            pass

    monkeypatch.setattr(iscn_fuzz, "tried", bad)
    monkeypatch.setattr(iscn_fuzz, "LIMIT", 0.05)
    run = empty_run()
    fuzz(run, 0.005, STRINGS)
    assert getattr(run, kind) == run.strings > 0 and run.faults[0][:2] == (kind, what)
    assert run.slowest and run.cpu_seconds > 0


def test_a_canonical_form_that_does_not_come_back_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iscn_fuzz, "tried", lambda _text: (True, "becomes 46,XX"))
    run = empty_run()
    fuzz(run, 0.001, STRINGS)
    assert run.unsteady == run.parsed == run.strings and len(run.faults) <= iscn_fuzz.KEPT


def test_runs_are_added_to_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iscn_fuzz, "RESULTS", tmp_path / "fuzz.json")
    for seed in ("1", "2"):
        done = CliRunner().invoke(main, ["--minutes", "0.002", "--seed", seed])
        assert done.exit_code == 0, done.output
    runs = json.loads((tmp_path / "fuzz.json").read_text(encoding="utf-8"))["runs"]
    assert [one["seed"] for one in runs] == [1, 2] and runs[0]["source"] == runs[1]["source"]
    assert (tmp_path / "fuzz.md").read_text(encoding="utf-8") == table(runs)
