"""A fitted specialist for boxes: what it is, how it answers, how it is kept.

It finds, and says when a person has to look: when the case is unlike those it learnt from (the gate), when it finds
nothing, which may be true or a miss, and when there were too few cases to find out how good it is.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.bundle import Bundle
from consilium.errors import ModelError
from consilium.specialist.case_features import Pooling
from consilium.specialist.detection.boxes import Boxes
from consilium.specialist.detection.detector import Detector, detector_of, detector_state
from consilium.specialist.evidence.gate import Gate
from consilium.specialist.specialist import RECORD

ARRAYS = "models/boxes.npz"
TASK = "detect"
_FORMAT = 1

Why = Literal["unlike the training cases", "nothing found", "not validated"]


@dataclass(frozen=True, kw_only=True)
class Finder:
    """A model that finds.

    Attributes:
        detector: of pictures.
        encoder: how it is named.
        fingerprint: of the encoder.
        preparation: version of how pictures are made ready.
        modality: what the encoder was told.
        side: pixels of the pictures that make the image vector, which the gate reads.
        pooling: of a case's pictures.
        gate: fitted.
        validated: whether there were enough cases to find out how good it is.
        trained_on: SHA-256 of the cases it learnt from.
        seed: of the validation.
        versions: of the libraries it was fitted with.
    """

    detector: Detector
    encoder: str
    fingerprint: str
    preparation: int
    modality: str | None
    side: int
    pooling: Pooling
    gate: Gate
    validated: bool
    trained_on: tuple[str, ...]
    seed: int
    versions: Mapping[str, str]

    @property
    def labels(self) -> tuple[str, ...]:
        """What it finds."""
        return self.detector.labels

    def why_not(self, found: Boxes, vector: NDArray[np.float32]) -> tuple[Why, ...]:
        """What speaks against the boxes of a case with this image vector (d,)."""
        reasons: list[Why] = []
        if self.gate.turned_away(vector[None])[0]:
            reasons.append("unlike the training cases")
        if not len(found):
            reasons.append("nothing found")
        if not self.validated:
            reasons.append("not validated")
        return tuple(reasons)

    def as_files(self) -> dict[str, bytes]:
        """What is kept of it, by name in the bundle."""
        document, arrays = detector_state(self.detector)
        record: dict[str, Any] = {
            "format": _FORMAT,
            "task": TASK,
            "labels": list(self.labels),
            "encoder": {"spec": self.encoder, "fingerprint": self.fingerprint, "preparation": self.preparation},
            "modality": self.modality,
            "side": self.side,
            "pooling": self.pooling,
            "detector": document,
            "arrays": ARRAYS,
            "gate": {"threshold": self.gate.threshold, "neighbours": self.gate.neighbours},
            "validated": self.validated,
            "seed": self.seed,
            "versions": dict(self.versions),
            "trained_on": list(self.trained_on),
        }
        buffer = io.BytesIO()
        kept: dict[str, NDArray[np.generic]] = {
            **arrays,
            "gate_mean": self.gate.mean,
            "gate_scale": self.gate.scale,
            "gate_known": self.gate.known.astype(np.float32),
        }
        np.savez_compressed(buffer, **kept)  # type: ignore[arg-type]
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return {RECORD: text.encode(), ARRAYS: buffer.getvalue()}


def read_finder(bundle: Bundle) -> Finder:
    """The model of boxes in a bundle.

    Raises:
        ModelError: the bundle holds none, or one of another version.
    """
    record = bundle.document(RECORD)
    try:
        if record["format"] != _FORMAT or record["task"] != TASK:
            raise ValueError(f"format {record['format']}, task {record['task']!r}")
        with np.load(bundle.path(ARRAYS), allow_pickle=False) as arrays:
            kept = {name: np.asarray(arrays[name]) for name in arrays.files}
        own = {name: one for name, one in kept.items() if not name.startswith("gate_")}
        return Finder(
            detector=detector_of(record["detector"], own),
            encoder=record["encoder"]["spec"],
            fingerprint=record["encoder"]["fingerprint"],
            preparation=record["encoder"]["preparation"],
            modality=record["modality"],
            side=record["side"],
            pooling=record["pooling"],
            gate=Gate(
                mean=kept["gate_mean"], scale=kept["gate_scale"], known=kept["gate_known"],
                threshold=record["gate"]["threshold"], neighbours=record["gate"]["neighbours"],
            ),
            validated=record["validated"],
            trained_on=tuple(record["trained_on"]),
            seed=record["seed"],
            versions=record["versions"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, OSError) as problem:
        raise ModelError(
            f"its {RECORD} does not describe a model of boxes ({problem})",
            where=str(bundle.folder),
            way_out="Fit the model again with this version of consilium.",
        ) from problem
