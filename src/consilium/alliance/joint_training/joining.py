"""A hospital brings its cases in: features are made where the pictures are, and held against study and policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from consilium.alliance.joint_training.hospital_side import CASES
from consilium.alliance.joint_training.membership import Membership, private_folder
from consilium.alliance.joint_training.register import Register
from consilium.alliance.joint_training.site_cases import Counts, cases_for, counts_of, write_cases
from consilium.alliance.joint_training.site_policy import hold, read_policy
from consilium.alliance.joint_training.study import Contract, Study
from consilium.errors import InputError
from consilium.generalist.cache import FeatureCache
from consilium.generalist.embedding import Outcome
from consilium.generalist.encoder import Encoder
from consilium.generalist.looks import Looks, looking
from consilium.specialist.case_features import case_features
from consilium.specialist.dataset import Dataset


def contract_for(
    encoder: Encoder, labels: tuple[str, ...], modality: str | None, *, mirrored: bool, finer: bool, least_cases: int
) -> Contract:
    """A contract for the encoder that is at hand, looking as `specialist fit` does."""
    sides = (encoder.side, encoder.side * 7 // 4) if finer else (encoder.side,)
    looks = looking(encoder, Looks(sides=sides, mirrored=mirrored))
    return Contract(
        labels=labels, modality=modality, encoder=looks.fingerprint, dimensions=looks.dimensions, sides=sides,
        mirrored=mirrored, least_cases=least_cases,
    )  # fmt: skip


def join(
    register: Register,
    study: Study,
    hospital: str,
    dataset: Dataset,
    encoder: Encoder,
    *,
    cache: FeatureCache | None = None,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
) -> Counts:
    """Make the features of a hospital's cases and keep them there; what is used is still to be approved.

    Raises:
        InputError: the encoder is another than was agreed, or the study runs already.
        UnusableDataset: the cases are not what was agreed.
        NotAllowed: the hospital's policy forbids such a study.
    """
    contract = study.contract
    looks = looking(encoder, Looks(sides=contract.sides, mirrored=contract.mirrored))
    if looks.fingerprint != contract.encoder:
        raise InputError(
            "the encoder here is not the one of the study", where=f"study {study.id}",
            way_out="All hospitals need the same version of Consilium.",
        )  # fmt: skip
    read = case_features(dataset, looks, modality=contract.modality, cache=cache, on_outcome=on_outcome)
    cases = cases_for(study, read)
    counts = counts_of(cases, len(contract.labels))
    hold(read_policy(register.policy(hospital)), study, counts)
    folder = register.site_folder(hospital, study.id)
    private_folder(folder)
    digest = write_cases(cases, folder / CASES)
    register.join(
        study,
        Membership(
            study=study.as_document(), site=study.pseudonyms[hospital], hospital=hospital,
            counts=json.loads(json.dumps(asdict(counts))), cases=digest, policy=str(register.policy(hospital)), kit="",
        ),
    )  # fmt: skip
    return counts
