"""How the learning rate goes, by steps or by the clock."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field


@dataclass
class Schedule:
    """One cycle (Smith 2018): a short rise, then a cosine fall to nothing.

    Progress is counted in steps, so that a run can be repeated, or, where `minutes` is given, on the clock, so
    that a run on a machine of unknown speed ends with its rate at nothing when the time is over.
    """

    rate: float
    steps: int
    minutes: float | None = None
    rise: float = 0.1
    step: int = 0
    spent: float = 0.0
    _mark: float = field(default_factory=time.monotonic)

    def advance(self) -> float:
        """Count one step and give the rate of the next."""
        now = time.monotonic()
        self.step, self.spent, self._mark = self.step + 1, self.spent + now - self._mark, now
        return self.now()

    @property
    def progress(self) -> float:
        done = self.step / self.steps if self.minutes is None else self.spent / (60 * self.minutes)
        return min(done, 1.0)

    def now(self) -> float:
        p = self.progress
        if p < self.rise:
            return self.rate * (0.04 + 0.96 * p / self.rise)
        return self.rate * (0.5 + 0.5 * math.cos(math.pi * (p - self.rise) / (1 - self.rise))) + 1e-7

    @property
    def over(self) -> bool:
        return self.progress >= 1.0

    def state(self) -> dict[str, float]:
        return {"step": self.step, "spent": self.spent}

    def resume(self, state: dict[str, float]) -> None:
        self.step, self.spent, self._mark = int(state["step"]), state["spent"], time.monotonic()
