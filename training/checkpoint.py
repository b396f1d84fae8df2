"""Where a recipe stops, and where it goes on."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from training.schedule import Schedule


def save(path: Path, network: nn.Module, optimiser: torch.optim.Optimizer, schedule: Schedule) -> None:
    """Keep a state; whoever stops the recipe meanwhile finds the state before it."""
    state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state()}
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.rename(path)


def resume(path: Path, network: nn.Module, optimiser: torch.optim.Optimizer, schedule: Schedule) -> bool:
    """Take up a state that was kept; False where there is none."""
    if not path.exists():
        return False
    state = torch.load(path, weights_only=True, map_location="cpu")
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.resume(state["schedule"])
    return True
