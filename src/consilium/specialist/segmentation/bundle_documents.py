"""A fitted model of outlines as the files of a bundle, and the facts for its report."""

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
from consilium.specialist.evidence.validation import as_document
from consilium.specialist.fit_facts import INTENDED, VERSION, missing_entries
from consilium.specialist.graph import pyramid_graph
from consilium.specialist.report.facts import Exclusion, ModelFacts, ReportedCase
from consilium.specialist.segmentation.fit import OutlineResult
from consilium.specialist.segmentation.outliner import Outliner
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
        task=f"segment: {', '.join(outliner.labels)}",
        file=Path(NETWORK).name,
        sha256=digest,
        inputs=(images,),
        outputs=outputs,
        trained_on=(
            TrainingData(
                name=origin or "outlined cases",
                licence="as the owner of the cases says",
                part=f"{len(outliner.trained_on)} cases, SHA-256 of each in specialist.json",
                use="the pixel classifier in outlines.npz; the encoder, which is this network, stays as it was",
            ),
        ),
        initialised_from=(f"encoder {outliner.encoder}, fingerprint {outliner.fingerprint}",),
        metrics=tuple(_metrics(result)),
        known_failures=_failures(outliner, result),
        intended_use=INTENDED,
        licence="encoder: Apache-2.0; pixel classifier: as the owner of the cases says",
        recipe=f"consilium specialist fit {origin} --task segment --seed {outliner.seed}",
        modalities=() if outliner.modality is None else (outliner.modality,),
    )


def _metrics(result: OutlineResult) -> Iterator[Metric]:
    for one in result.validation.figures:
        for name, figure in (
            ("Dice", one.dice), ("normalised surface distance", one.surface), ("missed outright", one.missed)
        ):  # fmt: skip
            if all(math.isfinite(value) for value in (figure.value, figure.low, figure.high)):
                yield Metric(
                    name=f"{name} of {one.label}, cross-validated", value=figure.value,
                    low=min(figure.low, figure.value), high=max(figure.high, figure.value), n=one.patients,
                    data="the cases it was fitted on, out of fold", date=today(),
                )  # fmt: skip


def _failures(outliner: Outliner, result: OutlineResult) -> tuple[str, ...]:
    found = ["cases of another machine, site or population than those it was fitted on were not tried"]
    missed = [one for one in result.validation.figures if one.missed.value > 0]
    found += [f"of {one.label}, {one.missed.value:.0%} of cases were missed outright" for one in missed]
    if not outliner.validated:
        found.insert(0, "it was not validated: there were not enough cases; it abstains on every case")
    return tuple(found)


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
    lines = [f"# {name}", ""]
    for lang, title in (("zh", "## 摘要"), ("en", "## Summary")):
        told = outline_summary(result.validation, result.cases.looked_at, lang)  # type: ignore[arg-type]
        lines += [title, *(f"- {line}" for line in told), ""]
    lines += [
        "## 使用 / Use",
        "仅供研究；不是医疗器械，不得用于诊断。",
        INTENDED,
        "",
        "```",
        f"consilium specialist predict {name} INPUT... --out masks",
        "```",
        "",
        "`specialist.json` says what it is, `validation.json` how good it is, `models/model.json` is the card.",
        "The gate keeps the features of the training cases in `models/outlines.npz`: treat the folder like the cases.",
        "门控保存了训练病例的特征（`models/outlines.npz`）：请像对待病例一样对待本文件夹。",
        "",
    ]
    return "\n".join(lines)


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
    skipped = looked_at.skipped
    return ModelFacts(
        name=name,
        version=VERSION,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        consilium_version=__version__,
        modality=outliner.modality or "",
        encoder=outliner.encoder,
        intended_use=INTENDED,
        names=scheme.labels,
        cases=tuple(cases),
        exclusions=(Exclusion(reason="not readable, or its mask does not fit it", cases=len(skipped)),)
        if skipped
        else (),
        missing=missing_entries(read),
        acquisition=(),
        hashes={
            "data": hashlib.sha256("".join(sorted(looked_at.digests)).encode()).hexdigest(),
            "model": hashlib.sha256(network).hexdigest(),
            "encoder": outliner.fingerprint,
        },
        versions=outliner.versions,
    )


def masks_beside(result: OutlineResult, facts: ModelFacts) -> dict[str, bytes]:
    """The masks that the facts name, by name beside them."""
    return {case.found: mask for case, mask in zip(facts.cases, result.masks, strict=True) if mask is not None}
