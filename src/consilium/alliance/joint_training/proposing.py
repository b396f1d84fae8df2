"""A study as a lead proposes it: what he asks for, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from consilium.alliance.joint_training.differential_privacy import ROUNDS
from consilium.alliance.joint_training.joining import contract_for
from consilium.alliance.joint_training.study import Contribution, Study, study_of
from consilium.generalist.encoder import Encoder

_MOST_OF_SHAPLEY = 5
"""Hospitals of which every group is tried where nothing else is asked for; of more, it is left out one at a time."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a lead asks for; see `Study` and `Contract`.

    Attributes:
        contribution: how it is measured; None: as is usual for so many hospitals and such privacy.
        finer: whether pictures are looked at in a finer size too.
    """

    id: str
    disease: str
    hospitals: Sequence[str]
    labels: Sequence[str]
    modality: str | None = None
    least_cases: int = 20
    rounds: int = 60
    encrypted: bool = False
    epsilon: float | None = None
    delta: float = 1e-3
    contribution: Contribution | None = None
    least_hospitals: int = 2
    round_seconds: int = 60
    budget_seconds: int = 3600
    site_figures: bool = False
    mirrored: bool = True
    finer: bool = True


def proposed(asked: Proposal, *, lead: str, encoder: Encoder) -> Study:
    """The study that a proposal means.

    Under differential privacy each round and each further head costs patients some of it: rounds are few, one penalty
    is taken, and contributions are not measured.

    Args:
        asked: by the lead.
        lead: his hospital.
        encoder: that makes the features.

    Raises:
        InputError: it cannot be done.
    """
    private = asked.epsilon is not None
    contract = contract_for(
        encoder, tuple(asked.labels), asked.modality, mirrored=asked.mirrored, finer=asked.finer,
        least_cases=asked.least_cases,
    )  # fmt: skip
    if private or asked.encrypted:
        usual: Contribution = "none"
    else:
        usual = "shapley" if len(asked.hospitals) <= _MOST_OF_SHAPLEY else "leave_one_out"
    return study_of(
        {
            "id": asked.id, "disease": asked.disease, "hospitals": list(asked.hospitals), "contract": asdict(contract),
            "lead": lead,
            "privacy": {"encrypted": asked.encrypted, "epsilon": asked.epsilon, "delta": asked.delta},
            "rounds": min(asked.rounds, ROUNDS) if private else asked.rounds,
            "contribution": asked.contribution or usual, "strengths": [1.0] if private else [0.1, 1.0, 10.0],
            "least_hospitals": asked.least_hospitals, "round_seconds": asked.round_seconds,
            "budget_seconds": asked.budget_seconds, "site_figures": asked.site_figures,
        }
    )  # fmt: skip
