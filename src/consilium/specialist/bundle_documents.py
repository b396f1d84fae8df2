"""A fitted specialist as the files of a bundle: network, card, what MONAI reads, what a person reads."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consilium.artefact.bundle import CARD, METADATA, NETWORK
from consilium.artefact.card import Metric, ModelCard, Tensor, TrainingData, read_card
from consilium.generalist.shipped import WEIGHTS
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.evidence.summary import LANGUAGES, Language, summary
from consilium.specialist.evidence.validation import as_document
from consilium.specialist.fit import Result
from consilium.specialist.fit_facts import INTENDED, VERSION
from consilium.specialist.graph import head_graph, whole_graph
from consilium.specialist.specialist import HEAD, SHIPPED, VALIDATION

_MONAI = "1.6.1"
"""The release that was seen to run such a bundle."""
_SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20220324.json"


def bundle_files(result: Result, name: str, *, terms: str = "") -> dict[str, bytes]:
    """Every file of the bundle but its manifest.

    Args:
        result: of a fit.
        name: of the model.
        terms: under which the owner of the cases hands the model on.

    Raises:
        MissingExtra: onnx is not installed.
    """
    network = _network(result)
    card = _card(result, name, hashlib.sha256(network).hexdigest())
    return {
        NETWORK: network,
        CARD: as_json(json.loads(json.dumps(asdict(card)))),
        METADATA: as_json(_metadata(result, name, card)),
        "configs/inference.json": as_json(_inference(result)),
        "docs/README.md": _readme(result, name).encode(),
        "LICENSE": licence_text(terms),
        VALIDATION: as_json(as_document(result.validation)),
        **result.specialist.as_files(),
    }


def as_json(document: Any) -> bytes:
    """A document as it stands in a bundle."""
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _network(result: Result) -> bytes:
    specialist = result.specialist
    if specialist.encoder != SHIPPED:
        return head_graph(specialist.head, specialist.pooling, answers=_answers(result))
    file, row = shipped_network(specialist.modality)
    encoder = file.read_bytes() if result.network is None else result.network
    return whole_graph(
        encoder, row, specialist.head, specialist.pooling, answers=_answers(result), looks=specialist.looks
    )


def shipped_network(modality: str | None) -> tuple[Path, int]:
    """The ONNX file of the shipped encoder, and the row of a modality in its table."""
    card = read_card(WEIGHTS / "generalist.json")
    rows = str(card.constants["rows"]).split()
    return WEIGHTS / card.file, len(rows) if modality is None else rows.index(modality)


def _answers(result: Result) -> int:
    return max(len(result.specialist.labels), 1)


def _card(result: Result, name: str, digest: str) -> ModelCard:
    specialist, read = result.specialist, result.cases.dataset
    labels = ", ".join(specialist.labels) or "a quantity"
    width = len(specialist.head.mean) // (3 if specialist.pooling == "pooled" else 1)
    side = specialist.side
    rows: int | str = 1 if specialist.pooling == "pooled" else "N"
    answer = Tensor(
        name="probabilities", shape=(rows, _answers(result)), dtype="float32",
        meaning=f"of {labels}, in this order; of pooled cases one row for all pictures",
    )  # fmt: skip
    if specialist.encoder == SHIPPED:
        inputs = Tensor(
            name="images", shape=("N", side, side, 3), dtype="float32",
            meaning="RGB 0..1, a grey picture three times, pressed into the square",
        )  # fmt: skip
        features = Tensor(name="features", shape=("N", width), dtype="float32", meaning="of the encoder")
        outputs: tuple[Tensor, ...] = (features, answer)
    else:
        inputs = Tensor(
            name="image", shape=("N", width), dtype="float32", meaning=f"features of the encoder {specialist.encoder}"
        )
        outputs = (answer,)
    return ModelCard(
        name=name,
        version=VERSION,
        task=f"{specialist.task}: {labels}",
        file=Path(NETWORK).name,
        sha256=digest,
        inputs=(inputs,),
        outputs=outputs,
        trained_on=(
            TrainingData(
                name=read.origin.name or "labelled cases",
                licence="as the owner of the cases says",
                part=f"{len(specialist.trained_on)} cases, SHA-256 of each in specialist.json",
                use=_learnt(result),
            ),
        ),
        initialised_from=(_origin(result),),
        metrics=tuple(_metrics(result)),
        known_failures=_failures(result),
        intended_use=INTENDED,
        licence="encoder: Apache-2.0; head: as the owner of the cases says",
        recipe=f"consilium specialist fit {read.origin.name} --seed {specialist.seed}"
        + ("" if result.validation.ways is None else " --fine-tune auto")
        + ("" if specialist.looks.mirrored else " --no-mirror")
        + (" --no-finer" if specialist.encoder == SHIPPED and len(specialist.looks.sides) == 1 else ""),
        modalities=() if specialist.modality is None else (specialist.modality,),
    )


def _learnt(result: Result) -> str:
    ways = result.validation.ways
    if ways is None or not result.specialist.tuned:
        return "the head; the encoder stays as it was"
    choice = ways.choice
    frozen, tuned = choice.steps
    return (
        f"the head and the last stage of the encoder, in {ways.rounds} rounds: loss {tuned.loss:.4f} out of fold, of "
        f"frozen features {frozen.loss:.4f}, standard error of the difference {frozen.error:.4f}"
    )


def _origin(result: Result) -> str:
    specialist = result.specialist
    if specialist.tuned:
        return f"encoder {read_card(WEIGHTS / 'generalist.json').sha256}, fine-tuned to {specialist.fingerprint}"
    return f"encoder {specialist.encoder}, fingerprint {specialist.fingerprint}"


def _metrics(result: Result) -> Iterator[Metric]:
    validation = result.validation
    figures: dict[str, Estimate | None] = {
        "AUC, cross-validated": validation.macro_auc,
        "accuracy, cross-validated": validation.accuracy,
    }
    if validation.regression is not None:
        figures |= {
            "R squared, cross-validated": validation.regression.r_squared,
            "mean absolute error, cross-validated": validation.regression.mean_absolute_error,
        }
    for name, one in figures.items():
        if one is not None and all(math.isfinite(value) for value in (one.value, one.low, one.high)):
            yield Metric(
                name=name, value=one.value, low=min(one.low, one.value), high=max(one.high, one.value),
                n=validation.counts.patients, data="the cases it was fitted on, out of fold", date=today(),
            )  # fmt: skip


def _failures(result: Result) -> tuple[str, ...]:
    found = ["cases of another machine, site or population than those it was fitted on were not tried"]
    if not result.specialist.validated:
        found.insert(0, "it was not validated: there were not enough cases; it abstains on every case")
    return tuple(found)


def today() -> str:
    """The date of a figure."""
    return datetime.now(UTC).strftime("%Y-%m-%d")


def _metadata(result: Result, name: str, card: ModelCard) -> dict[str, Any]:
    specialist = result.specialist
    shape = list(card.inputs[0].shape)
    return monai_metadata(
        card,
        name,
        description=f"A linear head on the encoder {specialist.encoder}"
        + (", its last stage fine-tuned" if specialist.tuned else "")
        + ", fitted by Consilium.",
        data_source=result.cases.dataset.origin.name,
        modality=specialist.modality,
        label_classes=", ".join(specialist.labels) or "a quantity",
        pred_classes="probabilities in the order of the labels",
        versions=specialist.versions,
        spatial_shape=shape[1:3] if len(shape) == 4 else shape[1:],
        pred={
            "type": "probabilities",
            "format": "classes",
            "num_channels": _answers(result),
            "spatial_shape": [],
            "dtype": "float32",
            "value_range": [0, 1],
            "is_patch_data": False,
            "channel_def": {str(number): label for number, label in enumerate(specialist.labels)},
        },
    )


def monai_metadata(
    card: ModelCard,
    name: str,
    *,
    description: str,
    data_source: str,
    modality: str | None,
    label_classes: str,
    pred_classes: str,
    versions: Mapping[str, str],
    spatial_shape: Sequence[Any],
    pred: Mapping[str, Any],
) -> dict[str, Any]:
    """What the MONAI bundle specification asks for; `pred` describes the output."""
    needed = {"onnxruntime": versions.get("onnxruntime", ""), "pillow": "11.2.1"}
    return {
        "schema": _SCHEMA,
        "version": VERSION,
        "changelog": {VERSION: "first fit"},
        "monai_version": _MONAI,
        "pytorch_version": "2.4.0",
        "numpy_version": versions.get("numpy", ""),
        "optional_packages_version": needed,
        "required_packages_version": needed,
        "name": name,
        "task": card.task,
        "description": description,
        "authors": "the owner of the cases",
        "copyright": "see LICENSE",
        "data_source": data_source,
        "data_type": "image files",
        "image_classes": modality or "not named",
        "label_classes": label_classes,
        "pred_classes": pred_classes,
        "eval_metrics": {one.name: one.value for one in card.metrics},
        "intended_use": card.intended_use,
        "references": [],
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "rgb",
                    "modality": modality or "n/a",
                    "num_channels": 3,
                    "spatial_shape": list(spatial_shape),
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {"0": "red", "1": "green", "2": "blue"},
                }
            },
            "outputs": {"pred": dict(pred)},
        },
    }


def _inference(result: Result) -> dict[str, Any]:
    """A MONAI workflow: `monai.bundle run --config_file configs/inference.json --files "['a.png']"`."""
    specialist = result.specialist
    found: dict[str, Any] = {
        "imports": ["$import numpy as np", "$import onnxruntime", "$from PIL import Image"],
        "bundle_root": ".",
        "device": "cpu",
        "files": [],
        "side": specialist.side,
        "network_def": "$onnxruntime.InferenceSession(@bundle_root + '/" + NETWORK + "')",
        "initialize": [],
    }
    if specialist.encoder == SHIPPED:
        # As `generalist.pictures.as_square`: area means for shrinking, linear for enlarging.
        how = "Image.Resampling.BOX if min(image.size) >= @side else Image.Resampling.BILINEAR"
        found["squared"] = f"$lambda image: np.asarray(image.resize((@side, @side), {how}), np.float32) / 255"
        found["images"] = "$np.stack([@squared(Image.open(one).convert('RGB')) for one in @files])"
        given = "{'images': @images}"
    else:
        found["images"] = "$np.stack([np.load(one) for one in @files])"
        given = "{'image': @images.astype(np.float32)}"
    found["probabilities"] = f"$@network_def.run(['probabilities'], {given})[0]"
    found["run"] = ["$@probabilities"]
    found["finalize"] = []
    return found


def _readme(result: Result, name: str) -> str:
    told = {lang: summary(result.validation, result.cases, lang) for lang in LANGUAGES}
    return readme(name, told, call=f"consilium specialist predict {name} INPUT...", arrays=HEAD)


def readme(name: str, told: Mapping[Language, Sequence[str]], *, call: str, arrays: str) -> str:
    """The page to read first.

    Args:
        name: of the model.
        told: sentences about the fit, by language.
        call: that uses it.
        arrays: file in which the gate keeps features of the training cases.
    """
    lines = [f"# {name}", ""]
    for lang, title in (("zh", "## 摘要"), ("en", "## Summary")):
        lines += [title, *(f"- {line}" for line in told[lang]), ""]  # type: ignore[index]
    lines += [
        "## 使用 / Use",
        "仅供研究；不是医疗器械，不得用于诊断。",
        INTENDED,
        "",
        "```",
        call,
        "```",
        "",
        "`specialist.json` says what it is, `validation.json` how good it is, `models/model.json` is its card.",
        f"The gate keeps the features of the training cases in `{arrays}`: treat the folder like the cases.",
        f"门控保存了训练病例的特征（`{arrays}`）：请像对待病例一样对待本文件夹。",
        "",
    ]
    return "\n".join(lines)


def licence_text(terms: str) -> bytes:
    """The file LICENSE: of the encoder, and the terms of the owner of the cases."""
    return (_LICENCE + (terms or _NO_TERMS)).encode()


_LICENCE = """The encoder in models/model.onnx is part of Consilium and licensed under the Apache License, Version 2.0
(https://www.apache.org/licenses/LICENSE-2.0); an encoder of another origin is licensed as its publisher says.

The head was learnt from cases of the person who fitted it. For it and the rest of this folder:

"""
_NO_TERMS = "No terms were stated; ask the owner of the cases before it is handed on or used.\n"
