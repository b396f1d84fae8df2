"""A fitted model of boxes as the files of a bundle, and the facts for its report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from consilium import __version__
from consilium.artefact.bundle import CARD, METADATA, NETWORK
from consilium.artefact.card import Metric, ModelCard
from consilium.specialist.bundle_documents import as_json, licence_text, monai_metadata, readme, shipped_network
from consilium.specialist.detection.boxes import Boxes
from consilium.specialist.detection.finder import ARRAYS, TASK, Finder
from consilium.specialist.detection.fit import BoxResult, present
from consilium.specialist.detection.summary import box_summary
from consilium.specialist.evidence.summary import LANGUAGES
from consilium.specialist.evidence.validation import as_document
from consilium.specialist.graph import pyramid_graph
from consilium.specialist.map_bundle import cross_validated, map_card, map_facts
from consilium.specialist.report.facts import ModelFacts, ReportedCase
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
    missed = [one for one in result.validation.figures if one.sensitivity.value < 1]
    return map_card(
        finder, result.cases.looked_at, name, digest,
        task=TASK,
        cases="cases with boxes",
        learner="detector",
        arrays=ARRAYS,
        metrics=_metrics(result),
        failures=[f"of {one.label}, {1 - one.sensitivity.value:.0%} of objects were not found" for one in missed],
    )  # fmt: skip


def _metrics(result: BoxResult) -> Iterator[Metric]:
    patients = result.validation.counts.patients_of_label
    for one in result.validation.figures:
        told = (("AP50", one.ap50), ("AP@[.5:.95]", one.ap), ("sensitivity per object", one.sensitivity))
        yield from cross_validated(one.label, told, patients[one.label])


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
    told = {lang: box_summary(result.validation, result.cases.looked_at, lang) for lang in LANGUAGES}
    return readme(name, told, call=f"consilium specialist predict {name} INPUT...", arrays=ARRAYS)


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
    cases = (
        ReportedCase(
            file=str(case.file),
            group=case.group,
            target=tuple(map(float, has[row])),
            found="" if result.found[row] is None else f"{BOXES}/{row:05d}.json",
        )
        for row, case in enumerate(read.cases)
    )
    return map_facts(finder, looked_at, name, network, cases, unused="not readable")


def boxes_beside(result: BoxResult, facts: ModelFacts) -> dict[str, bytes]:
    """The boxes that the facts name, by name beside them: corners of the true ones, and of those that were found."""

    def corners(boxes: Boxes) -> list[list[float]]:
        return [[round(edge, 2) for edge in one] for one in boxes.corners.tolist()]

    return {
        case.found: as_json({"true": corners(true), "found": corners(found)})
        for case, true, found in zip(facts.cases, result.cases.boxes, result.found, strict=True)
        if found is not None
    }
