"""A fitted specialist for boxes: what it is, how it answers, how it is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.bundle import Bundle
from consilium.specialist.detection.boxes import Boxes
from consilium.specialist.detection.detector import Detector, detector_of, detector_state
from consilium.specialist.map_model import MapModel, Why, not_such_a_model, read_kept

ARRAYS = "models/boxes.npz"
TASK = "detect"


@dataclass(frozen=True, kw_only=True)
class Finder(MapModel):
    """A model that finds.

    Attributes:
        detector: of pictures.
    """

    detector: Detector

    @property
    def labels(self) -> tuple[str, ...]:
        """What it finds."""
        return self.detector.labels

    def why_not(self, found: Boxes, vector: NDArray[np.float32]) -> tuple[Why, ...]:
        """What speaks against the boxes of a case with this image vector (d,)."""
        return self.doubts(vector, nothing=not len(found))

    def as_files(self) -> dict[str, bytes]:
        """What is kept of it, by name in the bundle."""
        document, arrays = detector_state(self.detector)
        return self.kept(TASK, ARRAYS, {"detector": document}, arrays)


def read_finder(bundle: Bundle) -> Finder:
    """The model of boxes in a bundle.

    Raises:
        ModelError: the bundle holds none, or one of another version.
    """
    kept = read_kept(bundle, TASK, ARRAYS)
    try:
        return Finder(detector=detector_of(kept.record["detector"], kept.arrays), **kept.common)
    except (KeyError, TypeError, ValueError) as problem:
        raise not_such_a_model(bundle, TASK, problem) from problem
