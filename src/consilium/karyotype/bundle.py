"""The karyotyping models as one bundle, so that they can be signed, handed on and taken back like any other model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consilium import __version__
from consilium.artefact.bundle import METADATA, Bundle
from consilium.artefact.card import read_card
from consilium.errors import ModelError
from consilium.karyotype.models import NAMES, WEIGHTS

RECORD = "karyotype.json"
"""Tells that a bundle holds karyotyping models, and in which form."""
_FORMAT = 1
_FOLDER = "models"
_MONAI_SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20220324.json"
)
_LICENCE = """The models in models/ are part of Consilium and licensed under the Apache License, Version 2.0
(https://www.apache.org/licenses/LICENSE-2.0). What they learnt from, and under which terms, stands in their cards.
Attribution: Advanced Digital Imaging Research, LLC (M-FISH images); Tseng et al. 2023 (Scientific Data 10:104).
"""
_TERMS = {
    "Tseng et al. 2023, doi 10.1038/s41597-023-02003-7": "LicenseRef-open-data-paper",
    "ADIR M-FISH, Advanced Digital Imaging Research, LLC": "LicenseRef-attribution",
}
"""In the words of SPDX, the terms of data whose cards tell them in others; those stand behind in brackets."""


def bundle_files() -> dict[str, bytes]:
    """The shipped models as the files of a bundle, all but its manifest.

    Raises:
        ModelError: a model or its card is missing or malformed.
    """
    files: dict[str, bytes] = {}
    cards: dict[str, Mapping[str, Any]] = {}
    for name in NAMES:
        path = WEIGHTS / f"{name}.json"
        card = read_card(path)
        files[f"{_FOLDER}/{card.file}"] = (WEIGHTS / card.file).read_bytes()
        cards[name] = json.loads(path.read_text(encoding="utf-8"))
        for data in cards[name]["trained_on"]:
            if data["name"] in _TERMS:
                data["licence"] = f"{_TERMS[data['name']]} ({data['licence']})"
        files[f"{_FOLDER}/{name}.json"] = _json(cards[name])
    return {
        **files,
        RECORD: _json({"format": _FORMAT, "models": list(NAMES)}),
        METADATA: _json(_metadata(cards)),
        "configs/inference.json": _json(_inference(cards)),
        "docs/README.md": _readme(cards).encode(),
        "LICENSE": _LICENCE.encode(),
    }


def weights_in(bundle: Bundle) -> Path:
    """The folder of a bundle that `karyotype.models.using` takes.

    Raises:
        ModelError: it holds no karyotyping models, or in a form that this version does not know.
    """
    record = bundle.document(RECORD)
    if record.get("format") != _FORMAT or record.get("models") != list(NAMES):
        raise ModelError(
            "this version cannot use these karyotyping models", where=str(bundle.folder),
            way_out="Install the version of consilium that they were made for.",
        )  # fmt: skip
    for name in NAMES:
        bundle.path(f"{_FOLDER}/{name}.json")
    return bundle.folder / _FOLDER


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _metadata(cards: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the MONAI bundle specification asks for; of the network that comes first on the way."""
    import numpy
    import onnxruntime

    versions = {"onnxruntime": onnxruntime.__version__}
    spread = {
        "type": "image", "format": "magnitude", "modality": "karyo", "num_channels": 1, "spatial_shape": ["*", "*"],
        "dtype": "float32", "value_range": [0, 1], "is_patch_data": False, "channel_def": {"0": "darkness"},
    }  # fmt: skip
    return {
        "schema": _MONAI_SCHEMA,
        "version": __version__,
        "changelog": {__version__: "as shipped with Consilium"},
        "monai_version": "1.6.1",
        "pytorch_version": "2.4.0",
        "numpy_version": numpy.__version__,
        "optional_packages_version": versions,
        "required_packages_version": versions,
        "name": "karyotype",
        "task": "karyotype: metaphase images to karyograms",
        "description": "; ".join(f"{one['name']}: {one['task']}" for one in cards.values()),
        "authors": "Consilium",
        "copyright": "see LICENSE",
        "data_source": "; ".join(sorted({data["name"] for one in cards.values() for data in one["trained_on"]})),
        "data_type": "image files",
        "image_classes": "karyo",
        "label_classes": "1 to 22, X, Y",
        "pred_classes": "1 to 22, X, Y",
        "eval_metrics": {one["name"]: one["value"] for card in cards.values() for one in card["metrics"]},
        "intended_use": "; ".join(dict.fromkeys(one["intended_use"] for one in cards.values())),
        "references": [],
        "network_data_format": {"inputs": {"darkness": spread}, "outputs": {"scores": spread}},
    }


def _inference(cards: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A MONAI workflow: what may be a chromosome in a prepared cell, `--file darkness.npy`.

    The whole way from an image to a karyogram is code of Consilium, as is how a cell is prepared.
    """
    return {
        "imports": ["$import numpy as np", "$import onnxruntime"],
        "bundle_root": ".",
        "file": "",
        "initialize": [],
        "darkness": "$np.load(@file)",
        "detector": f"$onnxruntime.InferenceSession(@bundle_root + '/{_FOLDER}/{cards['detector']['file']}')",
        "run": ["$@detector.run(None, {'darkness': @darkness})"],
        "finalize": [],
    }


def _readme(cards: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["# karyotype", "", "仅供研究；结果是给有资格的人员的提示，不是诊断。"]
    lines += ["For research. What comes out is a prompt for a qualified reader, not a diagnosis.", ""]
    lines += [f"- **{one['name']} {one['version']}**: {one['task']}" for one in cards.values()]
    lines += ["", "## 使用 / Use", "", "```", "consilium library run karyotype IMAGE... --out DIR", "```", ""]
    return "\n".join(
        [*lines, "What each learnt from, how good it is and where it fails stands in `models/NAME.json`.", ""]
    )
