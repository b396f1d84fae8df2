from __future__ import annotations

import io

import pytest

from consilium.cli.tuning_progress import tuning_progress
from consilium.specialist.tuning.nested import Step
from consilium.specialist.tuning.rung import Estimate

LONG = Estimate(networks=16, seconds=150.0, memory=40 << 20)


def test_elsewhere_than_on_a_terminal_it_is_a_line_a_network(capsys: pytest.CaptureFixture[str]) -> None:
    with tuning_progress("en") as (estimate, step):
        estimate(LONG)
        step(Step(done=1, parts=15, kept=False))
        step(Step(done=2, parts=15, kept=True))
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("fine-tuning: 16 networks, about 2.5 minutes, 40 MB") and "where it stopped" in told[0]
    assert told[1:] == ["[1/15]", "[2/15] (from the cache)"]
    with tuning_progress("zh") as (estimate, step):
        estimate(LONG)
        step(Step(done=1, parts=15, kept=True))
    told = capsys.readouterr().err.splitlines()
    assert "16 个网络，约 2.5 分钟" in told[0] and told[1] == "[1/15] (取自缓存)"


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    with tuning_progress("en") as (estimate, step):
        estimate(LONG)
        step(Step(done=3, parts=15, kept=False))
    assert "about 2.5 minutes" in screen.getvalue() and "Fine-tuning" in screen.getvalue()
