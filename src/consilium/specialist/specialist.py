"""A fitted specialist: what it is, how it answers, how it is kept.

It answers with probabilities and says when it should not be asked: when a case is unlike those it learnt from (the
gate), when no single label or more than one fits (the conformal set), and when there were too few cases to find out how
good it is. Answering needs NumPy and ONNX Runtime, nothing that fitting needs.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.bundle import CARD, Bundle
from consilium.artefact.runtime import Model, load_model
from consilium.errors import ModelError
from consilium.generalist.encoder import Encoder, Level, Pictures, batches, check_pictures
from consilium.generalist.encoder import Features as EncoderFeatures
from consilium.generalist.looks import Looks, looking
from consilium.generalist.shipped import BATCH, PREPARATION
from consilium.specialist.case_features import Features, Pooling
from consilium.specialist.dataset import Task
from consilium.specialist.evidence.gate import Gate
from consilium.specialist.head import Head

RECORD = "specialist.json"
HEAD = "models/head.npz"
VALIDATION = "validation.json"
SHIPPED = "shipped"
_FORMAT = 2
_WAY_OUT = "Fit the model again with this version of consilium."

Why = Literal["unlike the training cases", "no label fits", "several labels fit", "not validated"]


@dataclass(frozen=True, kw_only=True)
class Specialist:
    """A model for one question.

    Attributes:
        task: binary, multiclass, multilabel or regress.
        labels: of the answers; of two, the second is looked for. Empty for regress.
        encoder: how it is named: "shipped", or what `hub_encoder` takes.
        fingerprint: of the encoder, looking as `looks` says.
        preparation: version of how pictures are made ready, of the shipped encoder.
        tuned: whether the encoder's last stage was trained on the cases too; then it is in the bundle alone.
        modality: what the encoder was told.
        side: pixels of the pictures.
        looks: over which features are the mean.
        pooling: of a case's pictures.
        head, gate: fitted.
        thresholds: least probability of each label to be in the set; of a multilabel task, to be told.
        half_width: of the interval around a quantity.
        validated: whether there were enough cases to find out how good it is.
        trained_on: SHA-256 of the cases it learnt from.
        seed: of the validation.
        versions: of the libraries it was fitted with.
    """

    task: Task
    labels: tuple[str, ...]
    encoder: str
    fingerprint: str
    preparation: int
    modality: str | None
    side: int
    pooling: Pooling
    head: Head
    gate: Gate
    thresholds: tuple[float, ...]
    half_width: float | None
    validated: bool
    trained_on: tuple[str, ...]
    seed: int
    versions: Mapping[str, str]
    looks: Looks
    tuned: bool = False

    def probabilities(self, features: Features) -> NDArray[np.float64]:
        """(m, labels) probabilities of cases (m, d), or (m, 1) values of a quantity."""
        found = self.head.predict(features)
        return np.column_stack([1 - found[:, 0], found[:, 0]]) if self.task == "binary" else found

    def answers(self, features: Features) -> list[Answer]:
        """What it says of cases (m, d)."""
        away = self.gate.turned_away(features)
        return [self._answer(row, far) for row, far in zip(self.probabilities(features), away.tolist(), strict=True)]

    def _answer(self, row: NDArray[np.float64], far: bool) -> Answer:
        why: list[Why] = ["unlike the training cases"] if far else []
        if not self.validated:
            why.append("not validated")
        if self.task == "regress":
            value, reach = float(row[0]), self.half_width
            interval = None if reach is None else (value - reach, value + reach)
            return Answer(label=None, value=value, interval=interval, why=tuple(why))
        fitting = tuple(label for label, p, least in zip(self.labels, row, self.thresholds, strict=True) if p >= least)
        if self.task == "multilabel":
            label = list(fitting)
        else:
            label = [self.labels[int(row.argmax())]]
            if self.validated and len(fitting) != 1:
                why.append("several labels fit" if fitting else "no label fits")
        return Answer(
            label=label if self.task == "multilabel" else label[0],
            probabilities=dict(zip(self.labels, row.tolist(), strict=True)),
            fitting=fitting,
            why=tuple(why),
        )

    def as_files(self) -> dict[str, bytes]:
        """What is kept of it, by name in the bundle."""
        import json

        record: dict[str, Any] = {
            "format": _FORMAT,
            "task": self.task,
            "labels": list(self.labels),
            "encoder": {
                "spec": self.encoder, "fingerprint": self.fingerprint, "preparation": self.preparation,
                "tuned": self.tuned,
            },
            "looks": {"sides": list(self.looks.sides), "mirrored": self.looks.mirrored},
            "modality": self.modality,
            "side": self.side,
            "pooling": self.pooling,
            "head": {"file": HEAD, "loss": self.head.loss, "strengths": list(self.head.strengths)},
            "gate": {"threshold": self.gate.threshold, "neighbours": self.gate.neighbours},
            "thresholds": dict(zip(self.labels, self.thresholds, strict=True)),
            "half_width": self.half_width,
            "validated": self.validated,
            "seed": self.seed,
            "versions": dict(self.versions),
            "trained_on": list(self.trained_on),
        }  # fmt: skip
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            mean=self.head.mean, scale=self.head.scale, weights=self.head.weights, intercepts=self.head.intercepts,
            gate_mean=self.gate.mean, gate_scale=self.gate.scale, gate_known=self.gate.known.astype(np.float32),
        )  # fmt: skip
        document = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return {RECORD: document.encode(), HEAD: buffer.getvalue()}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a specialist says of one case.

    Attributes:
        label: the likeliest; a list for a multilabel task, None for a quantity.
        probabilities: by label.
        fitting: the labels of the conformal set, or those told of a multilabel task.
        value, interval: of a quantity.
        why: why it should not be asked; empty where it may.
    """

    label: str | list[str] | None
    probabilities: Mapping[str, float] | None = None
    fitting: tuple[str, ...] = ()
    value: float | None = None
    interval: tuple[float, float] | None = None
    why: tuple[Why, ...] = ()

    @property
    def abstain(self) -> bool:
        """Whether the answer is to be left to a person."""
        return bool(self.why)

    def as_document(self, file: str) -> dict[str, Any]:
        """The answer as one JSON line."""
        found: dict[str, Any] = {"file": file}
        if self.probabilities is None:
            found |= {"value": self.value, "interval": None if self.interval is None else list(self.interval)}
        else:
            found |= {"label": self.label, "probabilities": dict(self.probabilities), "set": list(self.fitting)}
        return {**found, "abstain": self.abstain, "why": list(self.why)}


def read_specialist(bundle: Bundle) -> Specialist:
    """The specialist in a bundle.

    Raises:
        ModelError: the bundle holds none, or one of another version.
    """
    record = bundle.document(RECORD)
    try:
        if record["format"] != _FORMAT or record["task"] not in get_args(Task):
            raise ModelError(
                f"a specialist of format {record['format']} cannot be read", where=str(bundle.folder), way_out=_WAY_OUT
            )
        with np.load(bundle.path(HEAD), allow_pickle=False) as arrays:
            kept = {name: np.asarray(arrays[name], np.float32) for name in arrays.files}
        return Specialist(
            task=record["task"],
            labels=tuple(record["labels"]),
            encoder=record["encoder"]["spec"],
            fingerprint=record["encoder"]["fingerprint"],
            preparation=record["encoder"]["preparation"],
            tuned=record["encoder"].get("tuned", False),
            modality=record["modality"],
            side=record["side"],
            pooling=record["pooling"],
            head=Head(
                mean=kept["mean"], scale=kept["scale"], weights=kept["weights"], intercepts=kept["intercepts"],
                strengths=tuple(record["head"]["strengths"]), loss=record["head"]["loss"],
            ),
            gate=Gate(
                mean=kept["gate_mean"], scale=kept["gate_scale"], known=kept["gate_known"],
                threshold=record["gate"]["threshold"], neighbours=record["gate"]["neighbours"],
            ),
            thresholds=tuple(record["thresholds"][label] for label in record["labels"]),
            half_width=record["half_width"],
            validated=record["validated"],
            trained_on=tuple(record["trained_on"]),
            seed=record["seed"],
            versions=record["versions"],
            looks=Looks(sides=tuple(record["looks"]["sides"]), mirrored=record["looks"]["mirrored"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, OSError) as problem:
        raise ModelError(
            f"its {RECORD} does not describe a specialist ({problem})", where=str(bundle.folder), way_out=_WAY_OUT
        ) from problem


def encoder_of(specialist: Specialist, bundle: Bundle, *, threads: int | None = None) -> Encoder:
    """The encoder that a specialist stands on; of a shipped one, the copy in the bundle.

    Raises:
        ModelError: pictures are made ready in another way now, or the encoder is no longer the same.
        MissingExtra: an encoder of the hub needs its extra.
    """
    if specialist.encoder == SHIPPED:
        if specialist.preparation != PREPARATION:
            raise ModelError(
                f"pictures were made ready in way {specialist.preparation}, it is {PREPARATION} now",
                where=str(bundle.folder),
                way_out=_WAY_OUT,
            )
        return BundledEncoder(load_model(bundle.path(CARD), threads=threads), specialist)
    from consilium.generalist.hub import hub_encoder

    found = looking(hub_encoder(specialist.encoder), specialist.looks)
    if found.fingerprint != specialist.fingerprint:
        raise ModelError(
            f"the encoder {specialist.encoder} is not the one it was fitted on",
            where=str(bundle.folder),
            way_out="Bring back that version of the encoder, or fit again.",
        )
    return found


class BundledEncoder:
    """The encoder inside a bundle's network, as an `Encoder`; the modality is fixed in it."""

    def __init__(self, model: Model, specialist: Specialist) -> None:
        self._model = model
        self._specialist = specialist

    @property
    def name(self) -> str:
        """Name and version of the bundle's network."""
        return f"{self._model.card.name} {self._model.card.version}"

    @property
    def fingerprint(self) -> str:
        """That of the encoder it was fitted on, whose features it gives."""
        return self._specialist.fingerprint

    @property
    def side(self) -> int:
        """Pixels of a side."""
        return self._specialist.side

    @property
    def dimensions(self) -> int:
        """Length of the image vector."""
        return len(self._specialist.head.mean) // (3 if self._specialist.pooling == "pooled" else 1)

    @property
    def levels(self) -> tuple[Level, ...]:
        """None: the pyramid is not in the bundle."""
        return ()

    def embed(self, images: Pictures, modality: str | None = None, *, levels: bool = True) -> EncoderFeatures:
        """The image vectors of some pictures; see `Encoder.embed`."""
        check_pictures(images, multiple=32)
        image = np.empty((len(images), self.dimensions), np.float32)
        for part in batches(len(images), BATCH):
            image[part] = self._model.run(images=np.ascontiguousarray(images[part]))["features"]
        return EncoderFeatures(image=image)
