"""A fitted specialist for outlines: what it is, how it answers, how it is kept.

It outlines, and says when a person has to look: when the case is unlike those it learnt from (the gate), when it finds
nothing, which may be true or a miss, and when there were too few cases to find out how good it is.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.bundle import CARD, Bundle
from consilium.artefact.runtime import Model, load_model
from consilium.errors import ModelError
from consilium.generalist.encoder import Encoder, Features, Level, Pictures, batches, check_pictures
from consilium.generalist.shipped import BATCH, PREPARATION
from consilium.specialist.case_features import Pooling
from consilium.specialist.evidence.gate import Gate
from consilium.specialist.segmentation.mask_scheme import MaskScheme
from consilium.specialist.segmentation.overlap import Labels
from consilium.specialist.segmentation.segmenter import Segmenter, segmenter_of, segmenter_state
from consilium.specialist.segmentation.volume_segmenter import (
    VolumeSegmenter,
    volume_segmenter_of,
    volume_segmenter_state,
)
from consilium.specialist.specialist import RECORD

ARRAYS = "models/outlines.npz"
TASK = "segment"
_FORMAT = 1
_WAY_OUT = "Fit the model again with this version of consilium."

Why = Literal["unlike the training cases", "nothing found", "not validated"]


@dataclass(frozen=True, kw_only=True)
class Outliner:
    """A model that outlines.

    Attributes:
        segmenter: of pictures, or of volumes.
        scheme: what the numbers in its masks mean.
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

    segmenter: Segmenter | VolumeSegmenter
    scheme: MaskScheme
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
        """What it outlines."""
        return self.scheme.labels

    def why_not(self, mask: Labels, vector: NDArray[np.float32]) -> tuple[Why, ...]:
        """What speaks against the mask of a case with this image vector (d,)."""
        found: list[Why] = []
        if self.gate.turned_away(vector[None])[0]:
            found.append("unlike the training cases")
        if not mask.any():
            found.append("nothing found")
        if not self.validated:
            found.append("not validated")
        return tuple(found)

    def as_files(self) -> dict[str, bytes]:
        """What is kept of it, by name in the bundle."""
        if isinstance(self.segmenter, VolumeSegmenter):
            document, arrays = volume_segmenter_state(self.segmenter)
        else:
            document, arrays = segmenter_state(self.segmenter)
        record: dict[str, Any] = {
            "format": _FORMAT,
            "task": TASK,
            "labels": list(self.scheme.labels),
            "values": list(self.scheme.values),
            "instances": self.scheme.instances,
            "volumes": self.scheme.volumes,
            "encoder": {"spec": self.encoder, "fingerprint": self.fingerprint, "preparation": self.preparation},
            "modality": self.modality,
            "side": self.side,
            "pooling": self.pooling,
            "segmenter": document,
            "arrays": ARRAYS,
            "gate": {"threshold": self.gate.threshold, "neighbours": self.gate.neighbours},
            "validated": self.validated,
            "seed": self.seed,
            "versions": dict(self.versions),
            "trained_on": list(self.trained_on),
        }
        buffer = io.BytesIO()
        kept: dict[str, NDArray[np.float32]] = {
            **arrays,
            "gate_mean": self.gate.mean,
            "gate_scale": self.gate.scale,
            "gate_known": self.gate.known.astype(np.float32),
        }
        np.savez_compressed(buffer, **kept)  # type: ignore[arg-type]
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return {RECORD: text.encode(), ARRAYS: buffer.getvalue()}


def read_outliner(bundle: Bundle) -> Outliner:
    """The model of outlines in a bundle.

    Raises:
        ModelError: the bundle holds none, or one of another version.
    """
    record = bundle.document(RECORD)
    try:
        if record["format"] != _FORMAT or record["task"] != TASK:
            raise ValueError(f"format {record['format']}, task {record['task']!r}")
        with np.load(bundle.path(ARRAYS), allow_pickle=False) as arrays:
            kept = {name: np.asarray(arrays[name], np.float32) for name in arrays.files}
        own = {name: one for name, one in kept.items() if not name.startswith("gate_")}
        back = volume_segmenter_of if record["volumes"] else segmenter_of
        return Outliner(
            segmenter=back(record["segmenter"], own),
            scheme=MaskScheme(
                values=tuple(record["values"]), labels=tuple(record["labels"]), instances=record["instances"],
                volumes=record["volumes"],
            ),
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
            f"its {RECORD} does not describe a model of outlines ({problem})",
            where=str(bundle.folder),
            way_out=_WAY_OUT,
        ) from problem


class MadeOn(Protocol):
    """What a model says of the encoder in its bundle; see `Outliner`."""

    @property
    def fingerprint(self) -> str:
        """Of the encoder."""
        ...

    @property
    def preparation(self) -> int:
        """Version of how pictures are made ready."""
        ...

    @property
    def side(self) -> int:
        """Pixels of the pictures that make the image vector."""
        ...


def encoder_of(outliner: MadeOn, bundle: Bundle, *, threads: int | None = None) -> Encoder:
    """The encoder in a bundle, with its pyramid.

    Raises:
        ModelError: pictures are made ready in another way now, or the network is not that of the card.
    """
    if outliner.preparation != PREPARATION:
        raise ModelError(
            f"pictures were made ready in way {outliner.preparation}, it is {PREPARATION} now",
            where=str(bundle.folder),
            way_out=_WAY_OUT,
        )
    return BundledPyramid(load_model(bundle.path(CARD), threads=threads), outliner)


class BundledPyramid:
    """The encoder inside a bundle's network, as an `Encoder` with its maps; the modality is fixed in it."""

    def __init__(self, model: Model, outliner: MadeOn) -> None:
        self._model = model
        self._outliner = outliner
        shapes = {one.name: one.shape for one in model.card.outputs}
        self._dimensions = int(shapes["features"][1])
        strides = sorted(int(name.removeprefix("level")) for name in shapes if name.startswith("level"))
        self._levels = tuple(Level(stride=one, channels=int(shapes[f"level{one}"][1])) for one in strides)

    @property
    def name(self) -> str:
        """Name and version of the bundle's network."""
        return f"{self._model.card.name} {self._model.card.version}"

    @property
    def fingerprint(self) -> str:
        """That of the encoder it was fitted on, whose features it gives."""
        return self._outliner.fingerprint

    @property
    def side(self) -> int:
        """Pixels of a side."""
        return self._outliner.side

    @property
    def dimensions(self) -> int:
        """Length of the image vector."""
        return self._dimensions

    @property
    def levels(self) -> tuple[Level, ...]:
        """The maps, finest first."""
        return self._levels

    def embed(self, images: Pictures, modality: str | None = None, *, levels: bool = True) -> Features:
        """The features of some pictures; see `Encoder.embed`."""
        check_pictures(images, multiple=32)
        image = np.empty((len(images), self._dimensions), np.float32)
        side = images.shape[1]
        maps = [
            np.empty((len(images) if levels else 0, one.channels, side // one.stride, side // one.stride), np.float32)
            for one in self._levels
        ]
        for part in batches(len(images), BATCH):
            found = self._model.run(images=np.ascontiguousarray(images[part]))
            image[part] = found["features"]
            if levels:
                for level, kept in zip(self._levels, maps, strict=True):
                    kept[part] = found[f"level{level.stride}"]
        return Features(image=image, levels=tuple(maps) if levels else ())
