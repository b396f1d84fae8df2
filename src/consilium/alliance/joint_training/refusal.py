"""What a server takes from a hospital: each answer is held against what it must be, and a bad one is named.

Of an encrypted answer the server can tell form and size only; that its numbers are sound shows when the hospitals
decrypt the sum (`training.Training.take`), and then it is not known whose they were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from consilium.alliance.joint_training.descent import Array
from consilium.alliance.joint_training.evaluation import tally_length
from consilium.alliance.joint_training.problems import number_of_final
from consilium.alliance.joint_training.site_cases import Counts
from consilium.alliance.joint_training.study import Study
from consilium.alliance.joint_training.training import LONGEST_ROW, Ask

_OUT_OF_LINE = 1000.0
"""A hospital's sum per case by the median of the others, above which it is not taken for one of images."""


def refuse_counts(told: object, study: Study) -> str:
    """Why counts of a hospital are not taken; empty where they are."""
    labels = len(study.contract.labels)
    if not isinstance(told, Mapping) or set(told) != {"trained", "tested", "patients", "chosen_on"}:
        return "counts are not what was asked for"
    kinds = [*_listed(told["trained"]), *_listed(told["tested"]), told["patients"], told["chosen_on"]]
    if len(kinds) != 2 * labels + 2 or any(isinstance(one, bool) or not isinstance(one, int) for one in kinds):
        return "counts are not what was asked for"
    counts = counts_from(told)
    contract = study.contract
    if min(kinds) < 0 or not 1 <= counts.patients <= counts.cases or counts.chosen_on >= counts.cases:
        return "absurd case counts"
    if not contract.least_cases <= counts.cases <= contract.most_cases:
        return "absurd case counts" if counts.cases > contract.most_cases else "fewer cases than agreed"
    tested = sum(counts.tested)
    if tested > contract.most_cases:
        return "absurd case counts"
    return "fewer test cases than agreed" if tested < contract.least_tested else ""


def counts_from(told: Mapping[str, Any]) -> Counts:
    """Counts from JSON values."""
    return Counts(
        trained=tuple(told["trained"]), tested=tuple(told["tested"]), patients=told["patients"],
        chosen_on=told["chosen_on"],
    )  # fmt: skip


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def refuse_vector(vector: object, ask: Ask, length: int, study: Study, counts: Counts) -> str:
    """Why a plain answer is not taken; empty where it is."""
    if not isinstance(vector, np.ndarray) or vector.dtype != np.float32:
        return "no vector"
    if vector.shape != (length,):
        return f"wrong shape: {vector.shape[0] if vector.ndim == 1 else vector.shape} for {length}"
    if not np.isfinite(vector).all():
        return "not finite (NaN or infinity)"
    if ask.kind == "evaluate":
        return _refuse_tally(np.asarray(vector, np.float64), study, counts)
    if ask.kind in ("choose", "fit") and study.privacy.epsilon is None:
        problems = len(study.strengths) if ask.kind == "choose" else number_of_final(study)
        most = counts.cases * math.sqrt(2.0 * problems) * LONGEST_ROW
        if float(np.linalg.norm(np.asarray(vector, np.float64))) > most:
            return "huge norm"
    if ask.kind in ("judge", "extent") and float(vector[0]) < 0:
        return "a negative sum of squares or losses"
    return ""


def out_of_line(vectors: Mapping[str, Array], counts: Mapping[str, Counts]) -> dict[str, str]:
    """Whose sums are far longer, case by case, than those of at least two others."""
    if len(vectors) < 3:
        return {}
    lengths = {site: float(np.linalg.norm(one)) / counts[site].cases for site, one in vectors.items()}
    found = {}
    for site, length in lengths.items():
        middle = float(np.median([other for name, other in lengths.items() if name != site]))
        if length > _OUT_OF_LINE * max(middle, 1e-12) and length > 1e-3:
            found[site] = "huge norm"
    return found


def _refuse_tally(vector: Array, study: Study, counts: Counts) -> str:
    """Each head has every test case in its counts once, by label; what does not add up is made up."""
    labels, problems = len(study.contract.labels), number_of_final(study)
    if (vector < 0).any() or (vector != np.floor(vector)).any():
        return "counts that are not whole"
    each = tally_length(labels)
    tested = np.array(counts.tested, np.float64)
    sums = vector[: problems * each].reshape(problems, labels, 2, -1).sum(3)
    own = (sums[:, :, 1] == tested).all()
    other = (sums[:, :, 0] == tested.sum() - tested).all()
    rest = vector[problems * each :]
    confusion = (rest[: labels * labels].reshape(labels, labels).sum(1) == tested).all()
    return "" if own and other and confusion and rest[labels * labels :].sum() == tested.sum() else "absurd test counts"
