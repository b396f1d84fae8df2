"""A recipe goes on with the weights, the moments and the rate it stopped at."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")

import torch

from training.checkpoint import resume, save
from training.schedule import Schedule


def parts(seed: int) -> tuple[torch.nn.Module, torch.optim.Optimizer, Schedule]:
    torch.manual_seed(seed)
    network = torch.nn.Linear(3, 2)
    return network, torch.optim.AdamW(network.parameters(), 0.1), Schedule(0.1, 20)


def step(network: torch.nn.Module, optimiser: torch.optim.Optimizer, schedule: Schedule) -> None:
    optimiser.zero_grad()
    network(torch.ones(1, 3)).square().sum().backward()
    optimiser.step()
    for group in optimiser.param_groups:
        group["lr"] = schedule.advance()


def test_a_run_that_was_stopped_ends_where_one_that_was_not_ends(tmp_path: Path) -> None:
    whole = parts(0)
    for _ in range(6):
        step(*whole)
    stopped = parts(0)
    for _ in range(3):
        step(*stopped)
    save(tmp_path / "kept.pt", *stopped)
    went_on = parts(1)
    assert resume(tmp_path / "kept.pt", *went_on)
    for _ in range(3):
        step(*went_on)
    for one, other in zip(whole[0].parameters(), went_on[0].parameters(), strict=True):
        assert torch.equal(one, other)
    assert whole[2].step == went_on[2].step == 6
    assert [path.name for path in tmp_path.iterdir()] == ["kept.pt"]


def test_without_a_state_it_begins_anew(tmp_path: Path) -> None:
    assert not resume(tmp_path / "none.pt", *parts(0))
