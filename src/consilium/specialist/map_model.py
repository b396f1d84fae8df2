"""What every specialist is that reads the encoder's maps, whatever it makes of them: outlines or boxes.

It answers, and says when a person has to look: when the case is unlike those it learnt from (the gate), when it finds
nothing, which may be true or a miss, and when there were too few cases to find out how good it is.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.bundle import CARD, Bundle
from consilium.artefact.runtime import Model, load_model
from consilium.errors import InputError, ModelError
from consilium.generalist.cache import FeatureCache
from consilium.generalist.embedding import NotEmbedded, embed_files
from consilium.generalist.encoder import Encoder, Features, Level, Pictures, batches, check_pictures
from consilium.generalist.inputs import Entry
from consilium.generalist.shipped import BATCH, PREPARATION
from consilium.specialist.case_features import Pooling, one_vector
from consilium.specialist.evidence.gate import Gate
from consilium.specialist.specialist import RECORD

WAY_OUT = "Fit the model again with this version of consilium."
_FORMAT = 1

Why = Literal["unlike the training cases", "nothing found", "not validated"]
Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, kw_only=True)
class MapModel:
    """A model on the maps of an encoder.

    Attributes:
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
        raise NotImplementedError

    def doubts(self, vector: NDArray[np.float32], *, nothing: bool) -> tuple[Why, ...]:
        """What speaks against an answer.

        Args:
            vector: (d,) the image vector of the case.
            nothing: whether nothing was found in it.
        """
        found: list[Why] = []
        if self.gate.turned_away(vector[None])[0]:
            found.append("unlike the training cases")
        if nothing:
            found.append("nothing found")
        if not self.validated:
            found.append("not validated")
        return tuple(found)

    def kept(
        self, task: str, name: str, own: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> dict[str, bytes]:
        """What is kept of it, by name in the bundle.

        Args:
            task: what it does.
            name: of the file of its arrays.
            own: what only this kind of model has to say.
            arrays: of this kind.
        """
        record = {
            "format": _FORMAT,
            "task": task,
            "labels": list(self.labels),
            "encoder": {"spec": self.encoder, "fingerprint": self.fingerprint, "preparation": self.preparation},
            "modality": self.modality,
            "side": self.side,
            "pooling": self.pooling,
            **own,
            "arrays": name,
            "gate": {"threshold": self.gate.threshold, "neighbours": self.gate.neighbours},
            "validated": self.validated,
            "seed": self.seed,
            "versions": dict(self.versions),
            "trained_on": list(self.trained_on),
        }
        buffer = io.BytesIO()
        known = self.gate.known.astype(np.float32)
        gate = {"gate_mean": self.gate.mean, "gate_scale": self.gate.scale, "gate_known": known}
        np.savez_compressed(buffer, **arrays, **gate)  # type: ignore[arg-type]
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return {RECORD: text.encode(), name: buffer.getvalue()}


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a bundle holds of such a model.

    Attributes:
        record: its document.
        arrays: of its kind.
        common: entries of a `MapModel`, by name.
    """

    record: Mapping[str, Any]
    arrays: Arrays
    common: dict[str, Any]


def read_kept(bundle: Bundle, task: str, name: str) -> Kept:
    """What a bundle holds, to be made a model of.

    Raises:
        ModelError: it holds none, or one of another version.
    """
    record = bundle.document(RECORD)
    try:
        if record["format"] != _FORMAT or record["task"] != task:
            raise ValueError(f"format {record['format']}, task {record['task']!r}")
        with np.load(bundle.path(name), allow_pickle=False) as file:
            arrays = {one: np.asarray(file[one]) for one in file.files}
        gate = Gate(
            mean=arrays["gate_mean"], scale=arrays["gate_scale"], known=arrays["gate_known"],
            threshold=record["gate"]["threshold"], neighbours=record["gate"]["neighbours"],
        )  # fmt: skip
        encoder = record["encoder"]
        special = {"encoder": encoder["spec"], "fingerprint": encoder["fingerprint"], "gate": gate,
                   "preparation": encoder["preparation"], "trained_on": tuple(record["trained_on"])}  # fmt: skip
        common = {one.name: record[one.name] for one in fields(MapModel) if one.name not in special} | special
    except (KeyError, TypeError, ValueError, OSError) as problem:
        raise not_such_a_model(bundle, task, problem) from problem
    own = {one: array for one, array in arrays.items() if not one.startswith("gate_")}
    return Kept(record=record, arrays=own, common=common)


def not_such_a_model(bundle: Bundle, task: str, problem: Exception) -> ModelError:
    """The error for a document that does not describe what it should."""
    return ModelError(
        f"its {RECORD} does not describe a model that can {task} ({problem})", where=str(bundle.folder), way_out=WAY_OUT
    )


def image_vector(made: MapModel, encoder: Encoder, entry: Entry, cache: FeatureCache | None) -> NDArray[np.float32]:
    """The image vector of a file, (d,), which the gate reads.

    Raises:
        InputError: it cannot be made.
    """
    # All files are read as the training cases were, whatever a manifest says of one.
    asked = Entry(path=entry.path, file=entry.file)
    (outcome,) = embed_files([asked], encoder, modality=made.modality, side=made.side, cache=cache)
    if isinstance(outcome, NotEmbedded):
        raise InputError(outcome.message, where=entry.file)
    return one_vector(outcome.image, made.pooling)


def encoder_of(made: MapModel, bundle: Bundle, *, threads: int | None = None) -> Encoder:
    """The encoder in a bundle, with its pyramid.

    Raises:
        ModelError: pictures are made ready in another way now, or the network is not that of the card.
    """
    if made.preparation != PREPARATION:
        raise ModelError(
            f"pictures were made ready in way {made.preparation}, it is {PREPARATION} now",
            where=str(bundle.folder),
            way_out=WAY_OUT,
        )
    return BundledPyramid(load_model(bundle.path(CARD), threads=threads), made)


class BundledPyramid:
    """The encoder inside a bundle's network, as an `Encoder` with its maps; the modality is fixed in it."""

    def __init__(self, model: Model, made: MapModel) -> None:
        self._model = model
        self._made = made
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
        return self._made.fingerprint

    @property
    def side(self) -> int:
        """Pixels of a side."""
        return self._made.side

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
