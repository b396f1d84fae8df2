"""What hospitals agree on before they train together: one document, and its digest.

Every approval names the digest, every task that a hospital is given names it, and a hospital answers none of another
study than the one that its data officer approved. So nothing of it can be changed after the fact.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from consilium.errors import InputError

Contribution = Literal["none", "leave_one_out", "shapley"]
_ID = re.compile(r"[a-z][a-z0-9_]{0,40}")
_MOST_OF_SHAPLEY = 5
"""Hospitals: of five there are 31 groups, each a head that is trained in the same rounds."""


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """What is done so that nobody learns of a patient.

    Attributes:
        encrypted: whether sums are added under encryption (CKKS), so that the server sees none of one hospital.
        epsilon: of differential privacy for each patient; None without.
        delta: chance with which epsilon may not hold.
    """

    encrypted: bool = False
    epsilon: float | None = None
    delta: float = 1e-3


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What the cases of each hospital must be like.

    Attributes:
        labels: the classes, in order; of two, the second is looked for.
        modality: how the images were made.
        least_cases, most_cases: of a hospital, to train on.
        least_tested: cases a hospital keeps for the test.
        held_out: share of the patients kept for the test where the table of a hospital does not say.
        dimensions: of the features.
        encoder: fingerprint of the encoder that makes them, looks included.
        sides: in which sizes it looks at a picture, pixels.
        mirrored: whether it looks at the mirror image too.
    """

    labels: tuple[str, ...]
    modality: str | None
    encoder: str
    dimensions: int
    sides: tuple[int, ...]
    mirrored: bool = True
    least_cases: int = 20
    most_cases: int = 100_000
    least_tested: int = 5
    held_out: float = 0.25


@dataclass(frozen=True, kw_only=True)
class Study:
    """A question that hospitals train a model for together.

    Attributes:
        id: lower-case letters, digits and underscores.
        disease: what it is about, in words.
        hospitals: who is asked, ids; their order is that of the pseudonyms.
        contract: what cases must be like.
        privacy: what is done for patients' sake.
        rounds: most rounds of a training.
        choice_rounds: rounds of the training that chooses the penalty.
        strengths: C of the penalty to choose from; the first without a choice where privacy is differential.
        contribution: how much each hospital brought in is measured.
        least_hospitals: below which no round counts.
        round_seconds: how long a hospital is waited for.
        budget_seconds: processor seconds that a hospital gives at most.
        site_figures: whether figures of single hospitals may be shown to the others.
        lead: hospital whose lead made the study; the model goes there.
    """

    id: str
    disease: str
    hospitals: tuple[str, ...]
    contract: Contract
    lead: str
    privacy: Privacy = field(default_factory=Privacy)
    rounds: int = 60
    choice_rounds: int = 30
    strengths: tuple[float, ...] = (0.1, 1.0, 10.0)
    contribution: Contribution = "shapley"
    least_hospitals: int = 2
    round_seconds: int = 60
    budget_seconds: int = 3600
    site_figures: bool = False

    def __post_init__(self) -> None:
        _refuse_unfit(self)

    @property
    def digest(self) -> str:
        """SHA-256 of the whole document."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def pseudonyms(self) -> dict[str, str]:
        """What each hospital is called in the traffic, the card and the results: site-1, site-2, ..."""
        return {hospital: f"site-{number}" for number, hospital in enumerate(self.hospitals, start=1)}

    def hospital_of(self, site: str) -> str:
        """The hospital behind a pseudonym."""
        return {site: hospital for hospital, site in self.pseudonyms.items()}[site]

    def as_document(self) -> dict[str, Any]:
        """The study as JSON values."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return found


def study_of(document: Mapping[str, Any]) -> Study:
    """A study from JSON values.

    Raises:
        InputError: something is missing, unknown, of the wrong kind or unfit.
    """
    try:
        told = dict(document)
        contract = _filled(Contract, dict(told.pop("contract")), ("labels", "sides"))
        privacy = _filled(Privacy, dict(told.pop("privacy", {})), ())
        found: Study = _filled(Study, {**told, "contract": contract, "privacy": privacy}, ("hospitals", "strengths"))
    except (TypeError, ValueError, KeyError, AttributeError) as problem:
        raise InputError(
            f"it does not describe a study ({problem})", way_out="`consilium study create` writes one."
        ) from problem
    return found


def _filled(kind: type[Any], told: dict[str, Any], listed: tuple[str, ...]) -> Any:
    if unknown := set(told) - {one.name for one in fields(kind)}:
        raise ValueError(f"there is no {sorted(unknown)[0]!r} in it")
    for name in listed:
        if name in told:
            if isinstance(told[name], str):
                raise TypeError(f"{name} must be a list")
            told[name] = tuple(told[name])
    return kind(**told)


def _refuse_unfit(study: Study) -> None:
    """Hold a study against what can be done.

    Raises:
        InputError: it cannot.
    """
    contract, privacy = study.contract, study.privacy
    hospitals = len(study.hospitals)
    wrong = {
        f"{study.id!r} cannot be the id of a study": not (isinstance(study.id, str) and _ID.fullmatch(study.id)),
        "a study needs two hospitals at least, each once": hospitals < 2 or len(set(study.hospitals)) < hospitals,
        "two classes at least, each once": len(contract.labels) < 2 or len(set(contract.labels)) < len(contract.labels),
        "least_hospitals must lie between 2 and their number": not 2 <= study.least_hospitals <= hospitals,
        "rounds must lie between 1 and 1000": not (1 <= study.rounds <= 1000 and 1 <= study.choice_rounds <= 1000),
        "strengths must be one to eight positive numbers": not (
            1 <= len(study.strengths) <= 8 and all(_positive(one) for one in study.strengths)
        ),
        "epsilon must be positive, delta between 0 and 0.1": not (
            (privacy.epsilon is None or _positive(privacy.epsilon)) and 0 < privacy.delta < 0.1
        ),
        f"there is no contribution {study.contribution!r}": study.contribution not in get_args(Contribution),
        f"the Shapley value is for {_MOST_OF_SHAPLEY} hospitals at most; more have leave_one_out": (
            study.contribution == "shapley" and hospitals > _MOST_OF_SHAPLEY
        ),
        "held_out must lie between 0.05 and 0.5": not 0.05 <= contract.held_out <= 0.5,
        "numbers of cases must be positive and in order": not 4 <= contract.least_cases <= contract.most_cases,
        "a hospital keeps one case for the test at least": contract.least_tested < 1,
        "features need dimensions and sizes": contract.dimensions < 1 or not contract.sides,
        "seconds must be positive": min(study.round_seconds, study.budget_seconds) < 1,
        "under differential privacy each further head would cost patients more: contribution must be none": (
            privacy.epsilon is not None and study.contribution != "none"
        ),
    }
    for what, is_so in wrong.items():
        if is_so:
            raise InputError(what, where=f"study {study.id}", way_out="See docs/how-to/train-together.md.")


def _positive(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0
