"""The encoder that comes with Consilium: a compact convolutional pyramid that is told the modality, run by ONNX."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.runtime import Model, load_model
from consilium.errors import InputError, ModelError
from consilium.generalist.encoder import Features, Level, Pictures, batches, check_pictures

WEIGHTS = Path(__file__).parent / "weights"

PREPARATION = 2
"""Version of how pixels become what the network takes (`embed` here, `pictures`): part of the fingerprint."""

BATCH = 32
"""Pictures a run. More is no faster on a processor and takes more memory."""

_SIDES_OF = 32


class ShippedEncoder:
    """An ONNX file with a card, as an `Encoder`. Made by `shipped_encoder`; safe to share between threads.

    Of its card it needs the constants `side` (pixels), `rows` (identifiers of the modalities in the order of the
    network's table, parted by spaces; the row after them is that of an unknown one) and `strides`.
    """

    def __init__(self, model: Model, *, batch: int = BATCH) -> None:
        self._model = model
        self._batch = batch
        card = model.card
        try:
            self._rows = {name: row for row, name in enumerate(str(card.constants["rows"]).split())}
            self._side = int(float(str(card.constants["side"])))
            strides = [int(stride) for stride in np.atleast_1d(np.asarray(card.constants["strides"], np.float64))]
            shapes = {tensor.name: tensor.shape for tensor in card.outputs}
            self._dimensions = int(shapes["image"][1])
            self._levels = tuple(Level(stride=one, channels=int(shapes[f"level{one}"][1])) for one in strides)
        except (KeyError, ValueError, IndexError) as problem:
            raise ModelError(
                f"the card does not describe an encoder ({problem})",
                where=f"model {card.name} {card.version}",
                way_out="Install consilium again.",
            ) from problem

    @property
    def name(self) -> str:
        """Name and version, as the card has them."""
        return f"{self._model.card.name} {self._model.card.version}"

    @property
    def fingerprint(self) -> str:
        """Of the weights and of `PREPARATION`."""
        return hashlib.sha256(f"{self._model.card.sha256} {PREPARATION}".encode()).hexdigest()

    @property
    def side(self) -> int:
        """Pixels of a side that it was judged at."""
        return self._side

    @property
    def dimensions(self) -> int:
        """Length of the image vector."""
        return self._dimensions

    @property
    def levels(self) -> tuple[Level, ...]:
        """The four maps, finest first."""
        return self._levels

    @property
    def modalities(self) -> tuple[str, ...]:
        """Identifiers that it takes; of those it did not learn, it makes what it makes of an unknown one."""
        return tuple(self._rows)

    def embed(self, images: Pictures, modality: str | None = None, *, levels: bool = True) -> Features:
        """The features of some pictures, batch by batch; see `Encoder.embed`.

        Raises:
            InputError: the pictures have another form, a side is no multiple of 32, or there is no such modality.
            ModelError: the model fails.
        """
        check_pictures(images, multiple=_SIDES_OF)
        row = self._row(modality)
        side = images.shape[1]
        image = np.empty((len(images), self._dimensions), np.float32)
        maps: list[NDArray[np.float32]] = [
            np.empty((len(images) if levels else 0, one.channels, side // one.stride, side // one.stride), np.float32)
            for one in self._levels
        ]
        for part in batches(len(images), self._batch):
            shown = images[part]
            found = self._model.run(images=np.ascontiguousarray(shown), modality=np.full(len(shown), row, np.int64))
            image[part] = found["image"]
            if levels:
                for level, kept in zip(self._levels, maps, strict=True):
                    kept[part] = found[f"level{level.stride}"]
        return Features(image=image, levels=tuple(maps) if levels else ())

    def _row(self, modality: str | None) -> int:
        if modality is None:
            return len(self._rows)
        if modality not in self._rows:
            raise InputError(
                f"there is no modality {modality!r}",
                way_out=f"Use one of {', '.join(self._rows)}, or none.",
            )
        return self._rows[modality]


def shipped_encoder(*, threads: int | None = None, batch: int = BATCH) -> ShippedEncoder:
    """The encoder that comes with Consilium; its model is loaded once per process.

    Args:
        threads: of one run; None is one per core.
        batch: pictures a run.

    Raises:
        ModelError: its file is missing or is not the one its card describes.
    """
    return ShippedEncoder(load_model(WEIGHTS / "generalist.json", threads=threads), batch=batch)
