"""A fitted model of outlines as the files of a bundle, and the facts for its report."""

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
from consilium.specialist.evidence.summary import LANGUAGES
from consilium.specialist.evidence.validation import as_document
from consilium.specialist.graph import pyramid_graph
from consilium.specialist.map_bundle import cross_validated, map_card, map_facts
from consilium.specialist.report.facts import ModelFacts, ReportedCase
from consilium.specialist.segmentation.fit import OutlineResult
from consilium.specialist.segmentation.outliner import ARRAYS, TASK, Outliner
from consilium.specialist.segmentation.summary import outline_summary
from consilium.specialist.specialist import VALIDATION

MASKS = "masks"
"""Folder beside the facts with the mask that each case got from a model that had not seen it."""


def outline_bundle(outliner: Outliner, result: OutlineResult, name: str, *, terms: str = "") -> dict[str, bytes]:
    """Every file of the bundle but its manifest.

    Args:
        outliner: the model.
        result: of its fit.
        name: of the model.
        terms: under which the owner of the cases hands the model on.

    Raises:
        MissingExtra: onnx is not installed.
    """
    file, row = shipped_network(outliner.modality)
    network = pyramid_graph(file.read_bytes(), row)
    card = _card(outliner, result, name, hashlib.sha256(network).hexdigest())
    return {
        NETWORK: network,
        CARD: as_json(json.loads(json.dumps(asdict(card)))),
        METADATA: as_json(_metadata(outliner, result, name, card)),
        "configs/inference.json": as_json(_inference()),
        "docs/README.md": _readme(result, name).encode(),
        "LICENSE": licence_text(terms),
        VALIDATION: as_json(as_document(result.validation)),
        **outliner.as_files(),
    }


def _card(outliner: Outliner, result: OutlineResult, name: str, digest: str) -> ModelCard:
    missed = [one for one in result.validation.figures if one.missed.value > 0]
    return map_card(
        outliner, result.cases.looked_at, name, digest,
        task=TASK,
        cases="outlined cases",
        learner="pixel classifier",
        arrays=ARRAYS,
        metrics=_metrics(result),
        failures=[f"of {one.label}, {one.missed.value:.0%} of cases were missed outright" for one in missed],
    )  # fmt: skip


def _metrics(result: OutlineResult) -> Iterator[Metric]:
    for one in result.validation.figures:
        told = (("Dice", one.dice), ("normalised surface distance", one.surface), ("missed outright", one.missed))
        yield from cross_validated(one.label, told, one.patients)


def _metadata(outliner: Outliner, result: OutlineResult, name: str, card: ModelCard) -> dict[str, Any]:
    scheme = outliner.scheme
    values = (0, *scheme.values) if scheme.values else (0, 1)
    meanings = ("background", *scheme.labels)
    found = monai_metadata(
        card,
        name,
        description="A pixel classifier on the maps of the encoder and on the picture, fitted by Consilium. "
        "The network here is the encoder; `consilium specialist predict` makes the outline.",
        data_source=result.cases.looked_at.dataset.origin.name,
        modality=outliner.modality,
        label_classes=", ".join(scheme.labels),
        pred_classes="numbers of single objects" if scheme.instances else "one number a label, see channel_def",
        versions=outliner.versions,
        spatial_shape=["*", "*", "*"] if scheme.volumes else ["*", "*"],
        pred={
            "type": "image",
            "format": "instance segmentation" if scheme.instances else "segmentation",
            "num_channels": 1,
            "spatial_shape": ["*", "*", "*"] if scheme.volumes else ["*", "*"],
            "dtype": "int64",
            "value_range": [] if scheme.instances else [min(values), max(values)],
            "is_patch_data": False,
            "channel_def": {str(value): told for value, told in zip(values, meanings, strict=True)},
        },
    )
    # The outline needs what stands around the network, which is not written in ONNX.
    return {**found, "required_packages_version": {**found["required_packages_version"], "consilium": __version__}}


def _inference() -> dict[str, Any]:
    """A MONAI workflow: `monai.bundle run --config_file configs/inference.json --files "['a.png']"`."""
    return {
        "imports": ["$from pathlib import Path", "$import consilium.specialist.segmentation.outlines"],
        "bundle_root": ".",
        "device": "cpu",
        "files": [],
        "network_def": "$consilium.specialist.segmentation.outlines.opened(Path(@bundle_root))",
        "initialize": [],
        "masks": "$[@network_def.mask(Path(one)) for one in @files]",
        "run": ["$@masks"],
        "finalize": [],
    }


def _readme(result: OutlineResult, name: str) -> str:
    told = {lang: outline_summary(result.validation, result.cases.looked_at, lang) for lang in LANGUAGES}
    return readme(name, told, call=f"consilium specialist predict {name} INPUT... --out masks", arrays=ARRAYS)


def outline_facts(outliner: Outliner, result: OutlineResult, name: str, network: bytes) -> ModelFacts:
    """What the report needs beside the figures: cases with their true masks, and the masks they got.

    Args:
        outliner: the model.
        result: of its fit.
        name: of the model.
        network: the model's ONNX file.
    """
    looked_at = result.cases.looked_at
    read = looked_at.dataset
    scheme = outliner.scheme
    ending = "nii.gz" if scheme.volumes else "png"
    cases = []
    for row, case in enumerate(read.cases):
        has = tuple(map(float, result.cases.present[row]))
        found = "" if result.masks[row] is None else f"{MASKS}/{row:05d}.{ending}"
        cases.append(
            ReportedCase(
                file=str(case.file), group=case.group, target=has, masks=tuple(map(str, case.masks)), found=found
            )
        )
    return map_facts(outliner, looked_at, name, network, cases, unused="not readable, or its mask does not fit it")


def masks_beside(result: OutlineResult, facts: ModelFacts) -> dict[str, bytes]:
    """The masks that the facts name, by name beside them."""
    return {case.found: mask for case, mask in zip(facts.cases, result.masks, strict=True) if mask is not None}
