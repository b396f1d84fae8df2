"""What server and hospitals say to each other, as plain values; FLARE carries them.

task     {"study": digest, "ask": [kind, round] or ["counts", 0], "counts": {site: counts}, "known": n, "head":
         digest of n steps, "steps": [step, ...] the newest of them, from "from" on}
answer   {"study": digest, "ask": ..., "state": "ok", "vector": ..., "arrived": bool, "seconds": s}
         {"state": "lacks", "from": n}    the hospital has only n steps
         {"state": "veto" or "broken", "reason": text}    it does not answer
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from consilium.alliance.joint_training.course import Step
from consilium.alliance.joint_training.training import Ask

State = Literal["ok", "lacks", "veto", "broken"]
TASK = "consilium_study"
FIELDS = frozenset({"study", "ask", "state", "vector", "arrived", "seconds", "from", "reason", "counts", "result"})
"""Of an answer; the hospital's filter lets nothing else through."""
LONGEST_REASON = 300


def step_document(step: Step) -> dict[str, Any]:
    """A step as it travels."""
    return {"ask": [step.ask.kind, step.ask.round], "sites": list(step.sites), "content": step.content}


def step_from(told: dict[str, Any]) -> Step:
    """A step that came.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    content = told["content"]
    if not isinstance(content, list):
        content = np.asarray(content, np.float64)
    return Step(ask=ask_from(told["ask"]), sites=tuple(told["sites"]), content=content)


def ask_from(told: list[Any]) -> Ask:
    """A question that came."""
    kind, number = told
    return Ask(kind=kind, round=int(number))


def size_of(value: object) -> int:
    """Bytes of payload: arrays and pieces as they are, text and numbers roughly."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, (bytes, str)):
        return len(value)
    if isinstance(value, dict):
        return sum(size_of(key) + size_of(one) for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return sum(size_of(one) for one in value)
    return 8
