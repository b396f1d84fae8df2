"""A fitted model of boxes as the files of a bundle, and the facts for its report."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consilium import __version__
from consilium.artefact.bundle import CARD, METADATA, NETWORK
from consilium.artefact.card import Metric, ModelCard, Tensor, TrainingData, read_card
from consilium.generalist.shipped import WEIGHTS
from consilium.specialist.bundle_documents import as_json, licence_text, monai_metadata, shipped_network, today
from consilium.specialist.detection.boxes import Boxes
from consilium.specialist.detection.finder import Finder
from consilium.specialist.detection.fit import BoxResult, present
from consilium.specialist.detection.summary import box_summary
from consilium.specialist.evidence.validation import as_document
from consilium.specialist.fit_facts import INTENDED, VERSION, missing_entries
from consilium.specialist.graph import pyramid_graph
from consilium.specialist.report.facts import Exclusion, ModelFacts, ReportedCase
from consilium.specialist.specialist import VALIDATION

BOXES = "boxes"
"""Folder beside the facts with the boxes of each case: the true ones, and those of a model that had not seen it."""


def box_bundle(finder: Finder, result: BoxResult, name: str, *, terms: str = "") -> dict[str, bytes]:
    """Every file of the bundle but its manifest.

    Args:
        finder: the model.
        result: of its fit.
        name: of the model.
        terms: under which the owner of the cases hands the model on.

    Raises:
        MissingExtra: onnx is not installed.
    """
    file, row = shipped_network(finder.modality)
    network = pyramid_graph(file.read_bytes(), row)
    card = _card(finder, result, name, hashlib.sha256(network).hexdigest())
    return {
        NETWORK: network,
        CARD: as_json(json.loads(json.dumps(asdict(card)))),
        METADATA: as_json(_metadata(finder, result, name, card)),
        "configs/inference.json": as_json(_inference()),
        "docs/README.md": _readme(result, name).encode(),
        "LICENSE": licence_text(terms),
        VALIDATION: as_json(as_document(result.validation)),
        **finder.as_files(),
    }


def _card(finder: Finder, result: BoxResult, name: str, digest: str) -> ModelCard:
    shipped = read_card(WEIGHTS / "generalist.json")
    origin = result.cases.looked_at.dataset.origin.name
    outputs = tuple(
        Tensor(name="features" if one.name == "image" else one.name, shape=one.shape, dtype=one.dtype,
               meaning=one.meaning)
        for one in shipped.outputs
    )  # fmt: skip
    images = next(one for one in shipped.inputs if one.name == "images")
    return ModelCard(
        name=name,
        version=VERSION,
        task=f"detect: {', '.join(finder.labels)}",
        file=Path(NETWORK).name,
        sha256=digest,
        inputs=(images,),
        outputs=outputs,
        trained_on=(
            TrainingData(
                name=origin or "cases with boxes",
                licence="as the owner of the cases says",
                part=f"{len(finder.trained_on)} cases, SHA-256 of each in specialist.json",
                use="the detector in boxes.npz; the encoder, which is this network, stays as it was",
            ),
        ),
        initialised_from=(f"encoder {finder.encoder}, fingerprint {finder.fingerprint}",),
        metrics=tuple(_metrics(result)),
        known_failures=_failures(finder, result),
        intended_use=INTENDED,
        licence="encoder: Apache-2.0; detector: as the owner of the cases says",
        recipe=f"consilium specialist fit {origin} --task detect --seed {finder.seed}",
        modalities=() if finder.modality is None else (finder.modality,),
    )


def _metrics(result: BoxResult) -> Iterator[Metric]:
    patients = result.validation.counts.patients_of_label
    for one in result.validation.figures:
        for name, figure in (("AP50", one.ap50), ("AP@[.5:.95]", one.ap), ("sensitivity per object", one.sensitivity)):
            if all(math.isfinite(value) for value in (figure.value, figure.low, figure.high)):
                yield Metric(
                    name=f"{name} of {one.label}, cross-validated", value=figure.value,
                    low=min(figure.low, figure.value), high=max(figure.high, figure.value), n=patients[one.label],
                    data="the cases it was fitted on, out of fold", date=today(),
                )  # fmt: skip


def _failures(finder: Finder, result: BoxResult) -> tuple[str, ...]:
    found = ["cases of another machine, site or population than those it was fitted on were not tried"]
    found += [
        f"of {one.label}, {1 - one.sensitivity.value:.0%} of objects were not found"
        for one in result.validation.figures
        if one.sensitivity.value < 1
    ]
    if not finder.validated:
        found.insert(0, "it was not validated: there were not enough cases; it abstains on every case")
    return tuple(found)


def _metadata(finder: Finder, result: BoxResult, name: str, card: ModelCard) -> dict[str, Any]:
    found = monai_metadata(
        card,
        name,
        description="A detector on the maps of the encoder, fitted by Consilium. The network here is the encoder; "
        "`consilium specialist predict` finds the boxes.",
        data_source=result.cases.looked_at.dataset.origin.name,
        modality=finder.modality,
        label_classes=", ".join(finder.labels),
        pred_classes="boxes with label and score; left, top, right, bottom in pixels of the picture",
        versions=finder.versions,
        spatial_shape=["*", "*"],
        pred={
            "type": "object",
            "format": "box",
            "num_channels": 4,
            "spatial_shape": ["n"],
            "dtype": "float64",
            "value_range": [],
            "is_patch_data": False,
            "channel_def": {"0": "left", "1": "top", "2": "right", "3": "bottom"},
        },
    )
    # What finds the boxes stands around the network and is not written in ONNX.
    return {**found, "required_packages_version": {**found["required_packages_version"], "consilium": __version__}}


def _inference() -> dict[str, Any]:
    """A MONAI workflow: `monai.bundle run --config_file configs/inference.json --files "['a.png']"`."""
    return {
        "imports": ["$from pathlib import Path", "$import consilium.specialist.detection.finds"],
        "bundle_root": ".",
        "device": "cpu",
        "files": [],
        "network_def": "$consilium.specialist.detection.finds.opened(Path(@bundle_root))",
        "initialize": [],
        "boxes": "$[@network_def.boxes(Path(one)) for one in @files]",
        "run": ["$@boxes"],
        "finalize": [],
    }


def _readme(result: BoxResult, name: str) -> str:
    lines = [f"# {name}", ""]
    for lang, title in (("zh", "## 摘要"), ("en", "## Summary")):
        told = box_summary(result.validation, result.cases.looked_at, lang)  # type: ignore[arg-type]
        lines += [title, *(f"- {line}" for line in told), ""]
    lines += [
        "## 使用 / Use",
        "仅供研究；不是医疗器械，不得用于诊断。",
        INTENDED,
        "",
        "```",
        f"consilium specialist predict {name} INPUT...",
        "```",
        "",
        "`specialist.json` says what it is, `validation.json` how good it is, `models/model.json` is the card.",
        "The gate keeps the features of the training cases in `models/boxes.npz`: treat the folder like the cases.",
        "门控保存了训练病例的特征（`models/boxes.npz`）：请像对待病例一样对待本文件夹。",
        "",
    ]
    return "\n".join(lines)


def box_facts(finder: Finder, result: BoxResult, name: str, network: bytes) -> ModelFacts:
    """What the report needs beside the figures: cases, and where the boxes of each are.

    Args:
        finder: the model.
        result: of its fit.
        name: of the model.
        network: the model's ONNX file.
    """
    looked_at = result.cases.looked_at
    read = looked_at.dataset
    has = present(result.cases.boxes, len(finder.labels))
    skipped = looked_at.skipped
    return ModelFacts(
        name=name,
        version=VERSION,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        consilium_version=__version__,
        modality=finder.modality or "",
        encoder=finder.encoder,
        intended_use=INTENDED,
        names=finder.labels,
        cases=tuple(
            ReportedCase(
                file=str(case.file),
                group=case.group,
                target=tuple(map(float, has[row])),
                found="" if result.found[row] is None else f"{BOXES}/{row:05d}.json",
            )
            for row, case in enumerate(read.cases)
        ),
        exclusions=(Exclusion(reason="not readable", cases=len(skipped)),) if skipped else (),
        missing=missing_entries(read),
        acquisition=(),
        hashes={
            "data": hashlib.sha256("".join(sorted(looked_at.digests)).encode()).hexdigest(),
            "model": hashlib.sha256(network).hexdigest(),
            "encoder": finder.fingerprint,
        },
        versions=finder.versions,
    )


def boxes_beside(result: BoxResult, facts: ModelFacts) -> dict[str, bytes]:
    """The boxes that the facts name, by name beside them: corners of the true ones, and of those that were found."""

    def corners(boxes: Boxes) -> list[list[float]]:
        return [[round(edge, 2) for edge in one] for one in boxes.corners.tolist()]

    return {
        case.found: as_json({"true": corners(true), "found": corners(found)})
        for case, true, found in zip(facts.cases, result.cases.boxes, result.found, strict=True)
        if found is not None
    }
