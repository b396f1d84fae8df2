"""From labelled cases to a specialist in a bundle.

Features, then everything that `validated` finds out, then the files. Where there are not enough cases, a model is still
made, with a penalty that nobody chose, and marked: it never answers without saying that it was not validated.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consilium.errors import ConsiliumError, UnusableDataset
from consilium.generalist.cache import FeatureCache
from consilium.generalist.embedding import Outcome
from consilium.generalist.encoder import Encoder
from consilium.generalist.looks import Looks, looking
from consilium.generalist.shipped import PREPARATION
from consilium.imaging.open_study import open_study
from consilium.specialist.case_features import CaseFeatures, case_features
from consilium.specialist.dataset import Dataset
from consilium.specialist.duplicates import merged, same_features
from consilium.specialist.evidence.gate import fit_gate
from consilium.specialist.evidence.validate import Fitted, Plan, validated
from consilium.specialist.evidence.validation import Validation
from consilium.specialist.head import fit_head
from consilium.specialist.labelled import labelled
from consilium.specialist.specialist import SHIPPED, Specialist
from consilium.specialist.splits import codes_of
from consilium.specialist.tuning.nested import Step
from consilium.specialist.tuning.rung import Estimate, need_train, refuse_other_encoder, second_rung

_UNCHOSEN = 1
"""Of `STRENGTHS`, where there are too few cases to choose: C of 0.1, which keeps close to the prevalence."""
_FINER = (7, 4)
"""The finer size by the encoder's own: 224 pixels by 128."""

_LIBRARIES = ("consilium", "numpy", "scipy", "onnxruntime", "onnx")


@dataclass(frozen=True, kw_only=True)
class Result:
    """A fitted specialist and what is known of it.

    Attributes:
        specialist: the model.
        validation: how good it is.
        cases: what it was fitted on, with the features that the specialist takes.
        network: the ONNX file of a fine-tuned encoder; None where it stayed as it came.
    """

    specialist: Specialist
    validation: Validation
    cases: CaseFeatures
    network: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How to fit.

    Attributes:
        encoder: its name, "shipped" or of the hub.
        modality: how the pictures were made.
        case_column: names the case of each file, where a case has several.
        fine_tune: whether fine-tuning is tried and taken where it is better by more than a standard error.
        mirrored: whether mirror images are looked at too; not where left and right matter.
        finer: whether the shipped encoder looks at single pictures in a finer size too.
        plan: of the validation.
    """

    encoder: str = SHIPPED
    modality: str | None = None
    case_column: str | None = None
    fine_tune: bool = False
    mirrored: bool = True
    finer: bool = True
    plan: Plan = field(default_factory=Plan)


def fit(
    dataset: Dataset,
    encoder: Encoder,
    wish: Wish,
    *,
    cache: FeatureCache | None = None,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
    on_embedded: Callable[[CaseFeatures], None] = lambda _cases: None,
    on_estimate: Callable[[Estimate], None] = lambda _estimate: None,
    on_step: Callable[[Step], None] = lambda _step: None,
) -> Result:
    """Fit and validate a specialist.

    Args:
        dataset: labelled cases.
        encoder: makes the features.
        wish: how.
        cache: of features.
        on_outcome: called for each file when its features are there.
        on_embedded: called when all are, before the validation.
        on_estimate: called before the fine-tuning, with what it will take.
        on_step: called after each network that was fine-tuned.

    Raises:
        UnusableDataset: the cases cannot be used, or have no labels (segment, detect).
        InputError: there is no such modality.
        ModelError: the encoder fails.
        MissingExtra: fine-tuning needs PyTorch.
    """
    if wish.fine_tune:
        need_train()
        refuse_other_encoder(encoder)
    looks, cases = _looked_at(dataset, encoder, wish, cache, on_outcome)
    on_embedded(cases)
    read = cases.dataset
    second = None
    if wish.fine_tune:
        second = second_rung(cases, encoder, wish.modality, seed=wish.plan.seed, cache=cache, on_step=on_step)
        on_estimate(second.estimate())
    validation, fitted = validated(
        cases.features,
        read.targets(),
        read.groups,
        task=read.task,
        names=read.labels,
        set_aside=read.set_aside,
        described=read.described,
        metadata=cases.metadata,
        others={"classic features": cases.classic},
        duplicates=cases.duplicates,
        second=second,
        plan=wish.plan,
    )
    labels = validation.labels
    if fitted is None:
        fitted, labels = _unvalidated(cases)
    used = _used(cases)
    tuned = fitted.tuned
    if tuned is not None:
        cases = replace(cases, images=tuple(row[None] for row in tuned.images))
        looks = Looks(sides=(encoder.side,), mirrored=False)
    specialist = Specialist(
        task=read.task,
        labels=() if read.task == "regress" else labels,
        encoder=wish.encoder,
        fingerprint=looking(encoder, looks).fingerprint if tuned is None else tuned.fingerprint,
        tuned=tuned is not None,
        looks=looks,
        preparation=PREPARATION,
        modality=wish.modality,
        side=looks.sides[-1],
        pooling=cases.pooling,
        head=fitted.head,
        gate=fitted.gate,
        thresholds=_thresholds(validation, labels),
        half_width=None if validation.regression is None else validation.regression.half_width,
        validated=validation.ledger is not None,
        trained_on=tuple(digest for digest, one in zip(cases.digests, used, strict=True) if one),
        seed=wish.plan.seed,
        versions=library_versions(),
    )
    network = None if tuned is None else tuned.network
    return Result(specialist=specialist, validation=validation, cases=cases, network=network)


def _looked_at(
    dataset: Dataset,
    encoder: Encoder,
    wish: Wish,
    cache: FeatureCache | None,
    on_outcome: Callable[[Outcome], None],
) -> tuple[Looks, CaseFeatures]:
    """Features of the cases, and over which looks they are the mean.

    The finer size is for cases of one picture: of volumes and runs dozens are looked at for each case.
    """
    coarse = Looks(sides=(encoder.side,), mirrored=wish.mirrored)
    finer = Looks(sides=(encoder.side, encoder.side * _FINER[0] // _FINER[1]), mirrored=wish.mirrored)
    single = wish.finer and wish.encoder == SHIPPED and wish.case_column is None and _is_picture(dataset.cases[0].file)
    for looks in [finer, coarse] if single else [coarse]:
        cases = case_features(
            dataset, looking(encoder, looks), modality=wish.modality, case_column=wish.case_column, cache=cache,
            on_outcome=on_outcome,
        )  # fmt: skip
        if cases.pooling == "single":
            break
    return looks, cases


def _is_picture(file: Path) -> bool:
    """Whether a file is one picture; what cannot be read is said elsewhere."""
    try:
        return len(open_study(file)) == 1
    except ConsiliumError:
        return True


def _thresholds(validation: Validation, labels: tuple[str, ...]) -> tuple[float, ...]:
    if validation.task == "regress":
        return ()
    if validation.conformal is not None:
        return tuple(one.threshold for one in validation.conformal.classes)
    points = {one.label: one.operating_point for one in validation.figures}
    found = [points.get(label) for label in labels]
    # Half where nothing was measured; such a model says anyway that it was not validated.
    return tuple(0.5 if point is None else point.threshold for point in found)


def _used(cases: CaseFeatures) -> NDArray[np.bool_]:
    """(n,) cases that were trained on: not set aside, and no copies of such, as `validated` has it."""
    aside = cases.dataset.set_aside
    joined = merged(codes_of(cases.dataset.groups), [*cases.duplicates, *same_features(cases.features)])
    return np.asarray(~aside & ~np.isin(joined, np.unique(joined[aside])))


def _unvalidated(cases: CaseFeatures) -> tuple[Fitted, tuple[str, ...]]:
    """A head and a gate of too few cases, and the labels that the head tells.

    Raises:
        UnusableDataset: there is nothing to tell apart.
    """
    used = _used(cases)
    read = cases.dataset
    targets = read.targets()[used]
    present = _told_apart(targets, read.task == "multilabel")
    if len(targets) < 2 or not present:
        raise UnusableDataset(
            "the cases that could be used are all of one kind",
            where=str(read.origin),
            way_out="Cases of two kinds at least are needed, besides those that are set aside.",
        )
    names = read.labels
    if read.task == "multilabel":
        names = tuple(read.labels[number] for number in present)
        targets = targets[:, present]
    table = labelled(cases.features[used], targets, codes_of(read.groups)[used], read.task, names)
    chosen = np.full(table.targets.shape[1], _UNCHOSEN, np.intp)
    head = fit_head(table.features, table.targets, table.loss, chosen)
    # Each patient is a fold of its own; a single patient has no other to be compared with.
    folds = table.groups if len(np.unique(table.groups)) > 1 else np.arange(len(table.groups))
    gate, _ = fit_gate(table.features, table.groups, folds[None])
    return Fitted(head=head, gate=gate), table.labels


def _told_apart(targets: NDArray[np.float64], multilabel: bool) -> list[int]:
    if multilabel:
        return [number for number in range(targets.shape[1]) if len(np.unique(targets[:, number])) > 1]
    return [0] if len(np.unique(targets)) > 1 else []


def library_versions() -> dict[str, str]:
    """Python and the libraries that a model was fitted with."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
