"""What bundles of outlines and of boxes have in common: the card, and the facts for the report."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from consilium import __version__
from consilium.artefact.bundle import NETWORK
from consilium.artefact.card import Metric, ModelCard, Tensor, TrainingData, read_card
from consilium.generalist.shipped import WEIGHTS
from consilium.specialist.bundle_documents import today
from consilium.specialist.case_features import CaseFeatures
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.fit_facts import INTENDED, VERSION, missing_entries
from consilium.specialist.map_model import MapModel
from consilium.specialist.report.facts import Exclusion, ModelFacts, ReportedCase


def map_card(
    model: MapModel, looked_at: CaseFeatures, name: str, digest: str, *, task: str, cases: str, learner: str,
    arrays: str, metrics: Iterable[Metric], failures: Sequence[str],
) -> ModelCard:  # fmt: skip
    """The card of a model.

    Args:
        model: what was fitted.
        looked_at: the cases.
        name: of the model.
        digest: SHA-256 of its network.
        task: that fits it.
        cases: what they are called where their owner gave no name.
        learner: what learnt from them.
        arrays: file that keeps it.
        metrics: figures.
        failures: that only this kind of model has.
    """
    shipped = read_card(WEIGHTS / "generalist.json")
    origin = looked_at.dataset.origin.name
    outputs = tuple(
        Tensor(name="features" if one.name == "image" else one.name, shape=one.shape, dtype=one.dtype,
               meaning=one.meaning)
        for one in shipped.outputs
    )  # fmt: skip
    known = ["cases of another machine, site or population than those it was fitted on were not tried", *failures]
    if not model.validated:
        known.insert(0, "it was not validated: there were not enough cases; it abstains on every case")
    return ModelCard(
        name=name,
        version=VERSION,
        task=f"{task}: {', '.join(model.labels)}",
        file=Path(NETWORK).name,
        sha256=digest,
        inputs=(next(one for one in shipped.inputs if one.name == "images"),),
        outputs=outputs,
        trained_on=(
            TrainingData(
                name=origin or cases,
                licence="as the owner of the cases says",
                part=f"{len(model.trained_on)} cases, SHA-256 of each in specialist.json",
                use=f"the {learner} in {Path(arrays).name}; the encoder, which is this network, stays as it was",
            ),
        ),
        initialised_from=(f"encoder {model.encoder}, fingerprint {model.fingerprint}",),
        metrics=tuple(metrics),
        known_failures=tuple(known),
        intended_use=INTENDED,
        licence=f"encoder: Apache-2.0; {learner}: as the owner of the cases says",
        recipe=f"consilium specialist fit {origin} --task {task} --seed {model.seed}",
        modalities=() if model.modality is None else (model.modality,),
    )


def cross_validated(label: str, figures: Iterable[tuple[str, Estimate]], n: int) -> Iterator[Metric]:
    """The figures of a label as a card has them, less those that could not be told.

    Args:
        label: of which.
        figures: each with its name.
        n: patients.
    """
    for name, figure in figures:
        if all(math.isfinite(value) for value in (figure.value, figure.low, figure.high)):
            yield Metric(
                name=f"{name} of {label}, cross-validated", value=figure.value, low=min(figure.low, figure.value),
                high=max(figure.high, figure.value), n=n, data="the cases it was fitted on, out of fold", date=today(),
            )  # fmt: skip


def map_facts(
    model: MapModel, looked_at: CaseFeatures, name: str, network: bytes, cases: Iterable[ReportedCase], *, unused: str
) -> ModelFacts:
    """What the report needs beside the figures.

    Args:
        model: what was fitted.
        looked_at: the cases.
        name: of the model.
        network: the model's ONNX file.
        cases: as the report shows them.
        unused: why some could not be used.
    """
    skipped = looked_at.skipped
    return ModelFacts(
        name=name,
        version=VERSION,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        consilium_version=__version__,
        modality=model.modality or "",
        encoder=model.encoder,
        intended_use=INTENDED,
        names=model.labels,
        cases=tuple(cases),
        exclusions=(Exclusion(reason=unused, cases=len(skipped)),) if skipped else (),
        missing=missing_entries(looked_at.dataset),
        acquisition=(),
        hashes={
            "data": hashlib.sha256("".join(sorted(looked_at.digests)).encode()).hexdigest(),
            "model": hashlib.sha256(network).hexdigest(),
            "encoder": model.fingerprint,
        },
        versions=model.versions,
    )
