"""A fitted specialist for outlines: what it is, how it answers, how it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.bundle import Bundle
from consilium.specialist.map_model import MapModel, Why, not_such_a_model, read_kept
from consilium.specialist.segmentation.mask_scheme import MaskScheme
from consilium.specialist.segmentation.overlap import Labels
from consilium.specialist.segmentation.segmenter import Segmenter, segmenter_of, segmenter_state
from consilium.specialist.segmentation.volume_segmenter import (
    VolumeSegmenter,
    volume_segmenter_of,
    volume_segmenter_state,
)

ARRAYS = "models/outlines.npz"
TASK = "segment"


@dataclass(frozen=True, kw_only=True)
class Outliner(MapModel):
    """A model that outlines.

    Attributes:
        segmenter: of pictures, or of volumes.
        scheme: what the numbers in its masks mean.
    """

    segmenter: Segmenter | VolumeSegmenter
    scheme: MaskScheme

    @property
    def labels(self) -> tuple[str, ...]:
        """What it outlines."""
        return self.scheme.labels

    def why_not(self, mask: Labels, vector: NDArray[np.float32]) -> tuple[Why, ...]:
        """What speaks against the mask of a case with this image vector (d,)."""
        return self.doubts(vector, nothing=not mask.any())

    def as_files(self) -> dict[str, bytes]:
        """What is kept of it, by name in the bundle."""
        if isinstance(self.segmenter, VolumeSegmenter):
            document, arrays = volume_segmenter_state(self.segmenter)
        else:
            document, arrays = segmenter_state(self.segmenter)
        own: dict[str, Any] = {
            "values": list(self.scheme.values),
            "instances": self.scheme.instances,
            "volumes": self.scheme.volumes,
            "segmenter": document,
        }
        return self.kept(TASK, ARRAYS, own, arrays)


def read_outliner(bundle: Bundle) -> Outliner:
    """The model of outlines in a bundle.

    Raises:
        ModelError: the bundle holds none, or one of another version.
    """
    kept = read_kept(bundle, TASK, ARRAYS)
    record = kept.record
    try:
        back = volume_segmenter_of if record["volumes"] else segmenter_of
        arrays = {name: np.asarray(one, np.float32) for name, one in kept.arrays.items()}
        return Outliner(
            segmenter=back(record["segmenter"], arrays),
            scheme=MaskScheme(
                values=tuple(record["values"]), labels=tuple(record["labels"]), instances=record["instances"],
                volumes=record["volumes"],
            ),
            **kept.common,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as problem:
        raise not_such_a_model(bundle, TASK, problem) from problem
