"""The cases of one hospital, as the training needs them, held against what was agreed; nothing of it leaves.

A patient is in the training or in the test, never in both; pictures that are copies of each other count as of one
patient. Where the hospital's table does not say who is tested, a hash of study and patient does, so that it is the same
at every start.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consilium.alliance.joint_training.study import Contract, Study
from consilium.errors import InputError, UnusableDataset
from consilium.specialist.case_features import CaseFeatures
from consilium.specialist.duplicates import merged, same_features
from consilium.specialist.splits import codes_of

Features = NDArray[np.float32]
Codes = NDArray[np.intp]

_CHOSEN_ON = 0.2
"""Share of the training patients on which the penalty is chosen."""


@dataclass(frozen=True, kw_only=True)
class SiteCases:
    """Cases of one hospital.

    Attributes:
        features: (n, d) of the encoder.
        classes: (n,) number of the label in the contract.
        patients: (n,) codes.
        tested: (n,) kept for the test.
        chosen_on: (n,) trained on, but not while the penalty is chosen.
    """

    features: Features
    classes: Codes
    patients: Codes
    tested: NDArray[np.bool_]
    chosen_on: NDArray[np.bool_]

    @property
    def shares(self) -> NDArray[np.float64]:
        """(n,) 1 by the number of cases of its patient in the same part: what a patient weighs in all is 1."""
        whose = self.patients * 2 + self.tested
        _, member, times = np.unique(whose, return_inverse=True, return_counts=True)
        return np.asarray(1.0 / times[member], np.float64)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many cases there are; all that is told of them before the training.

    Attributes:
        trained, tested: by label, in the order of the contract.
        patients: trained on.
        chosen_on: cases on which the penalty is chosen.
    """

    trained: tuple[int, ...]
    tested: tuple[int, ...]
    patients: int
    chosen_on: int

    @property
    def cases(self) -> int:
        """Trained on."""
        return sum(self.trained)


def counts_of(cases: SiteCases, labels: int) -> Counts:
    """Count cases."""
    trained, tested = cases.classes[~cases.tested], cases.classes[cases.tested]
    return Counts(
        trained=tuple(np.bincount(trained, minlength=labels).tolist()),
        tested=tuple(np.bincount(tested, minlength=labels).tolist()),
        patients=len(np.unique(cases.patients[~cases.tested])),
        chosen_on=int(cases.chosen_on.sum()),
    )


def cases_for(study: Study, read: CaseFeatures) -> SiteCases:
    """The cases of a hospital for a study.

    Raises:
        UnusableDataset: they are not what was agreed; the message says where, for the hospital alone.
    """
    contract, dataset = study.contract, read.dataset
    where = str(dataset.origin)
    if read.pooling != "single":
        raise UnusableDataset("a study takes cases of one picture each", where=where, way_out="One file a case.")
    found = {one for case in dataset.cases for one in case.labels}
    if strange := sorted(found - set(contract.labels)):
        raise UnusableDataset(
            f"the study has no label {strange[0]!r}",
            where=where,
            way_out=f"Its labels are {', '.join(contract.labels)}: rename or leave out those cases.",
        )
    number = {label: index for index, label in enumerate(contract.labels)}
    classes = np.array([number[case.labels[0]] for case in dataset.cases], np.intp)
    names = dataset.groups
    patients = merged(codes_of(names), [*read.duplicates, *same_features(read.features)])
    told = any(case.split for case in dataset.cases)
    lots = {int(code): _lot(study.id, min(names[patients == code])) for code in np.unique(patients)}
    lot = np.array([lots[int(code)] for code in patients])
    tested = dataset.set_aside if told else lot < contract.held_out
    # A second lot, from the same hash: what lies above the share of the test is even between there and 1.
    rest = (lot - contract.held_out) / (1 - contract.held_out) if not told else lot
    cases = SiteCases(
        features=read.features,
        classes=classes,
        patients=patients,
        tested=tested,
        chosen_on=~tested & (rest < _CHOSEN_ON),
    )
    hold_contract(contract, cases, where=where)
    return cases


def _lot(study: str, patient: str) -> float:
    """A number in [0, 1) that hangs on study and patient alone."""
    return int.from_bytes(hashlib.sha256(f"{study}\0{patient}".encode()).digest()[:7], "big") / 2**56


def hold_contract(contract: Contract, cases: SiteCases, *, where: str = "") -> Counts:
    """Hold cases against what was agreed.

    Raises:
        UnusableDataset: they are not so; the message names the first point.
    """
    features = cases.features
    counts = counts_of(cases, len(contract.labels))
    both = np.intersect1d(cases.patients[cases.tested], cases.patients[~cases.tested])
    wrong = {
        f"features have {features.shape[-1]} numbers, {contract.dimensions} were agreed": (
            features.ndim != 2 or features.shape[1] != contract.dimensions
        ),
        "features are not finite numbers": not np.isfinite(features).all(),
        "a label is not one of the study": bool(
            len(cases.classes) and (cases.classes.min() < 0 or cases.classes.max() >= len(contract.labels))
        ),
        f"{len(both)} patient(s) are in training and test (or pictures there are copies)": len(both) > 0,
        f"{counts.cases} cases to train on, {contract.least_cases} at least were agreed": (
            counts.cases < contract.least_cases
        ),
        f"{counts.cases} cases to train on, {contract.most_cases} at most were agreed": (
            counts.cases > contract.most_cases
        ),
        f"{sum(counts.tested)} cases to test on, {contract.least_tested} at least were agreed": (
            sum(counts.tested) < contract.least_tested
        ),
    }
    for what, is_so in wrong.items():
        if is_so:
            raise UnusableDataset(what, where=where, way_out="The study was told nothing. Put it right and join again.")
    return counts


def write_cases(cases: SiteCases, path: Path) -> str:
    """Keep cases at the hospital, for its owner's eyes alone; their SHA-256, which the approval names."""
    buffer = io.BytesIO()
    np.savez(
        buffer, features=cases.features, classes=cases.classes, patients=cases.patients, tested=cases.tested,
        chosen_on=cases.chosen_on,
    )  # fmt: skip
    content = buffer.getvalue()
    half = path.with_name(f".{path.name}.half")
    with open(half, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    half.replace(path)
    return hashlib.sha256(content).hexdigest()


def read_cases(path: Path, digest: str) -> SiteCases:
    """The cases that were approved.

    Raises:
        InputError: they are not there, or others than were approved.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise InputError("the cases of the study are gone", where=str(path), way_out="Join again.") from problem
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(
            "these are not the cases that were approved", where=str(path), way_out="Join and approve again."
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return SiteCases(**{name: arrays[name] for name in arrays.files})
