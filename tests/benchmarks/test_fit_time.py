from __future__ import annotations

import sys

import pytest

from benchmarks import fit_time as module
from benchmarks.fit_time import WAYS, summary, table_of, timed

RUN = {
    "fit": {"wall": 20.0, "processor": 12.0, "load": 3.0},
    "report": {"wall": 5.0, "processor": 4.0, "load": 3.0},
}


def test_fit_and_report_are_added_up() -> None:
    slower = {step: {**values, "wall": 2 * values["wall"]} for step, values in RUN.items()}
    found = summary([RUN, slower, slower])
    assert found["wall"] == {"median": 50.0, "least": 25.0, "most": 50.0}
    assert found["processor"]["median"] == 16.0


def test_the_table_tells_the_load() -> None:
    text = table_of({"runs": {name: [RUN, RUN] for name in WAYS}, "date": "2026-11-26", "machine": "M"})
    assert "| as installed | 2 | 25.0 (25.0 to 25.0) | 16.0 (16.0 to 16.0) | 12.0, 4.0 | 3.0, 3.0 |" in text


def test_a_call_is_timed_with_what_its_process_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    # `python -m timeit` stands for `python -m consilium`.
    monkeypatch.setattr(module.sys, "executable", sys.executable)
    real = module.subprocess.run

    def run(command: list[str], **options: object) -> object:
        return real([command[0], "-c", "sum(range(10_000_000))"], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(module.subprocess, "run", run)
    found = timed(["specialist"], {})
    assert found["processor"] > 0.05 and found["wall"] > 0.05 and found["load"] >= 0
