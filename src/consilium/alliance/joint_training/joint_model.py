"""The result of a study as a specialist in a bundle, which `consilium specialist predict` uses like any other.

It differs from one that was fitted in one place in what it may hold. Its gate knows the means of the classes in place
of the training cases; it lists no digests of cases, since with one anybody who has a picture could ask whether it was
among them; and its figures come from counts of all hospitals' test cases.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from consilium.alliance.joint_training.evaluation import Pooled
from consilium.alliance.joint_training.site_cases import Counts
from consilium.alliance.joint_training.study import Study
from consilium.artefact.bundle import CARD, METADATA, NETWORK
from consilium.artefact.card import Metric, ModelCard, Tensor, TrainingData
from consilium.generalist.looks import Looks
from consilium.generalist.shipped import PREPARATION
from consilium.specialist.bundle_documents import as_json, licence_text, monai_metadata, shipped_network, today
from consilium.specialist.evidence.enough import FEWEST
from consilium.specialist.evidence.gate import Gate
from consilium.specialist.fit import library_versions
from consilium.specialist.fit_facts import INTENDED, VERSION
from consilium.specialist.graph import whole_graph
from consilium.specialist.head import Head
from consilium.specialist.specialist import SHIPPED, Specialist

STUDY_RECORD = "study.json"


def specialist_of(study: Study, result: Mapping[str, Any]) -> Specialist:
    """The specialist that a study made.

    Args:
        study: what was agreed.
        result: as `results.read_result` gives it.
    """
    contract, figures = study.contract, result["pooled"]
    binary = len(contract.labels) == 2
    head = Head(
        mean=result["mean"], scale=result["scale"], weights=result["weights"], intercepts=result["intercepts"],
        strengths=(float(result["strength"]),), loss="logistic" if binary else "softmax",
    )  # fmt: skip
    gate = Gate(
        mean=result["mean"], scale=result["scale"], known=result["known"], threshold=figures.reach, neighbours=1
    )
    return Specialist(
        task="binary" if binary else "multiclass",
        labels=contract.labels,
        encoder=SHIPPED,
        fingerprint=contract.encoder,
        preparation=PREPARATION,
        modality=contract.modality,
        side=contract.sides[-1],
        pooling="single",
        head=head,
        gate=gate,
        thresholds=figures.thresholds,
        half_width=None,
        validated=min(figures.cases) >= FEWEST and figures.macro_auc is not None,
        trained_on=(),
        seed=0,
        versions=library_versions(),
        looks=Looks(sides=contract.sides, mirrored=contract.mirrored),
    )


def bundle_files_of(
    study: Study, result: Mapping[str, Any], counts: Mapping[str, Counts], name: str
) -> dict[str, bytes]:
    """Every file of the bundle but its manifest.

    Args:
        study: what was agreed.
        result: as `results.read_result` gives it.
        counts: of the hospitals, by pseudonym.
        name: of the model.

    Raises:
        MissingExtra: onnx is not installed.
    """
    specialist = specialist_of(study, result)
    file, row = shipped_network(specialist.modality)
    network = whole_graph(
        file.read_bytes(), row, specialist.head, "single", answers=len(specialist.labels), looks=specialist.looks
    )
    card = _card(study, specialist, result, counts, name, hashlib.sha256(network).hexdigest())
    record = {
        "study": study.id, "digest": study.digest, "disease": study.disease,
        "hospitals": {site: {"trained": list(one.trained), "tested": list(one.tested)} for site, one in counts.items()},
        "privacy": asdict(study.privacy), "questions": result["rounds"], "pooled": asdict(result["pooled"]),
    }  # fmt: skip
    return {
        NETWORK: network,
        CARD: as_json(json.loads(json.dumps(asdict(card)))),
        METADATA: as_json(_metadata(study, specialist, card, name)),
        "docs/README.md": _readme(study, result["pooled"], counts, name).encode(),
        "LICENSE": licence_text(""),
        STUDY_RECORD: as_json(json.loads(json.dumps(record))),
        **specialist.as_files(),
    }


def privacy_in_words(study: Study) -> str:
    """What was done for patients' sake, in a line."""
    privacy = study.privacy
    told = ["sums added under encryption (CKKS)" if privacy.encrypted else "sums added in the clear"]
    if privacy.epsilon is not None:
        told.append(f"differential privacy for each patient, epsilon {privacy.epsilon:g}, delta {privacy.delta:g}")
    else:
        told.append("no differential privacy")
    return ", ".join(told)


def _card(
    study: Study,
    specialist: Specialist,
    result: Mapping[str, Any],
    counts: Mapping[str, Counts],
    name: str,
    digest: str,
) -> ModelCard:
    side, width = specialist.side, len(specialist.head.mean)
    labels = ", ".join(specialist.labels)
    failures = [
        "its gate knows the means of the classes alone, and turns less away than one that knows its cases",
        "intervals take each test case for itself; with several of one patient they are too narrow",
    ]
    if not specialist.validated:
        failures.insert(0, "it was not validated: there were not enough test cases; it abstains on every case")
    return ModelCard(
        name=name,
        version=VERSION,
        task=f"{specialist.task}: {labels}",
        file=Path(NETWORK).name,
        sha256=digest,
        inputs=(
            Tensor(
                name="images", shape=("N", side, side, 3), dtype="float32",
                meaning="RGB 0..1, a grey picture three times, pressed into the square",
            ),
        ),
        outputs=(
            Tensor(name="features", shape=("N", width), dtype="float32", meaning="of the encoder"),
            Tensor(
                name="probabilities", shape=("N", len(specialist.labels)), dtype="float32",
                meaning=f"of {labels}, in this order",
            ),
        ),
        trained_on=tuple(
            TrainingData(
                name=site,
                licence="as the hospital says; the cases stayed there",
                part=f"{one.cases} cases of {one.patients} patients; {sum(one.tested)} more for the test",
                use="sums of gradients of the head; the encoder stays as it was",
            )
            for site, one in sorted(counts.items())
        ),
        initialised_from=(f"encoder {SHIPPED}, fingerprint {specialist.fingerprint}",),
        metrics=tuple(_metrics(result["pooled"], sorted(counts))),
        known_failures=tuple(failures),
        intended_use=INTENDED,
        licence="encoder: Apache-2.0; head: as the hospitals of the study say",
        recipe=f"consilium study start {study.id} (digest {study.digest[:16]}; {privacy_in_words(study)})",
        modalities=() if specialist.modality is None else (specialist.modality,),
    )  # fmt: skip


def _metrics(figures: Pooled, sites: list[str]) -> Iterator[Metric]:
    where = f"held-out cases of {', '.join(sites)}, counts added"
    for name, one in (("AUC", figures.macro_auc), ("accuracy", figures.accuracy)):
        if one is not None:
            yield Metric(
                name=name, value=one.value, low=one.low, high=one.high, n=sum(figures.cases), data=where, date=today()
            )


def _metadata(study: Study, specialist: Specialist, card: ModelCard, name: str) -> dict[str, Any]:
    return monai_metadata(
        card,
        name,
        description="A linear head on the shipped encoder, trained by hospitals together with Consilium.",
        data_source=f"study {study.id}",
        modality=specialist.modality,
        label_classes=", ".join(specialist.labels),
        pred_classes="probabilities in the order of the labels",
        versions=specialist.versions,
        spatial_shape=list(card.inputs[0].shape[1:3]),
        pred={
            "type": "probabilities", "format": "classes", "num_channels": len(specialist.labels), "spatial_shape": [],
            "dtype": "float32", "value_range": [0, 1], "is_patch_data": False,
            "channel_def": {str(number): label for number, label in enumerate(specialist.labels)},
        },
    )  # fmt: skip


def _readme(study: Study, figures: Pooled, counts: Mapping[str, Counts], name: str) -> str:
    auc, accuracy = figures.macro_auc, figures.accuracy
    area = "not given" if auc is None else f"{auc.value:.3f} ({auc.low:.3f} - {auc.high:.3f})"
    cases = ", ".join(f"{site} {one.cases}" for site, one in sorted(counts.items()))
    right = f"{accuracy.value:.3f} ({accuracy.low:.3f} - {accuracy.high:.3f})"
    return "\n".join(
        [
            f"# {name}",
            "",
            f"多家医院共同训练（病例未离开医院）：{study.disease}。",
            f"Trained by hospitals together, no case left its hospital: {study.disease}.",
            "",
            f"- study {study.id}, digest {study.digest}",
            f"- training cases / 训练病例: {cases}",
            f"- privacy / 隐私: {privacy_in_words(study)}",
            f"- AUC {area}, accuracy {right}, {sum(figures.cases)} held-out cases / 留出病例",
            "",
            "仅供研究；不是医疗器械，不得用于诊断。",
            INTENDED,
            "",
            "```",
            f"consilium specialist predict {name} INPUT...",
            "```",
            "",
        ]
    )
