"""How far a study is and how each hospital fares, as the server keeps it and `study status` shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from consilium.alliance.joint_training.refusal import counts_from
from consilium.alliance.joint_training.site_cases import Counts

PROGRESS, COUNTS = "progress.json", "counts.json"


@dataclass
class SiteState:
    """How a hospital fares.

    Attributes:
        state: "there", "away" (did not answer), "refused" (bad answers), "vetoed" (its own policy).
        reason: of the last two; what was wrong with the last bad answer.
        since: question from which on it is so.
        strikes: bad answers.
        seconds: processor seconds it worked.
        sent, received: bytes of payload from and to it.
        answers: that were taken.
    """

    state: str = "there"
    reason: str = ""
    since: str = ""
    strikes: int = 0
    seconds: float = 0.0
    sent: int = 0
    received: int = 0
    answers: int = 0


@dataclass
class Progress:
    """What `study status` shows.

    Attributes:
        phase: "running", "done", "stopped".
        ask: the question that is being asked.
        sites: by pseudonym.
        refusals: every bad answer: [site, question, reason].
        round_seconds: of every question that was answered.
        why: of "stopped".
    """

    phase: str = "running"
    ask: str = ""
    sites: dict[str, SiteState] = field(default_factory=dict)
    refusals: list[list[str]] = field(default_factory=list)
    round_seconds: list[float] = field(default_factory=list)
    why: str = ""


def read_progress(folder: Path) -> Progress:
    """The progress in a study's folder; an empty one before it began."""
    try:
        told = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
        sites = {name: SiteState(**one) for name, one in told.pop("sites").items()}
        return Progress(**told, sites=sites)
    except (OSError, ValueError, TypeError, KeyError):
        return Progress(phase="")


def read_counts(folder: Path) -> dict[str, Counts]:
    """The counts of the hospitals that take part, by pseudonym; none before they were asked."""
    path = folder / COUNTS
    if not path.is_file():
        return {}
    return {site: counts_from(told) for site, told in json.loads(path.read_text(encoding="utf-8")).items()}
