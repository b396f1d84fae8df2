"""From a picture file to what is found in it: a document for one JSON line, and a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.generalist.encoder import Encoder
from consilium.specialist.detection.boxes import Boxes
from consilium.specialist.detection.detector import (
    Detection,
    Detector,
    detect_all,
    detections,
    reported,
)
from consilium.specialist.detection.draw import draw_boxes
from consilium.specialist.detection.pyramid import pyramid_features
from consilium.specialist.segmentation.segment_file import read_picture
from consilium.specialist.two_sides import Picture


def find_in_file(detector: Detector, encoder: Encoder, path: Path) -> tuple[Picture, Boxes]:
    """The picture in a file, and the boxes that are reported, the surest first.

    Raises:
        InputError: the file holds several pictures.
        UnreadableImage: not an image, or damaged.
        ModelError: the detector was fitted with another encoder.
    """
    detector.check(encoder)
    picture = read_picture(path)
    (features,) = pyramid_features(encoder, [picture], side=detector.side, modality=detector.modality)
    return picture, reported(detector, detect_all(detector, features))


def answer_of(file: str, found: Sequence[Detection]) -> dict[str, Any]:
    """What is found in a file; `read_box_file` reads it again."""
    return {
        "file": file,
        "boxes": [
            {
                "label": one.label,
                "score": round(one.score, 4),
                "box": [round(edge, 1) for edge in one.corners],
            }
            for one in found
        ],
    }


def answer_file(detector: Detector, encoder: Encoder, path: Path) -> dict[str, Any]:
    """What is found in a file; errors as `find_in_file`."""
    return answer_of(str(path), detections(detector, find_in_file(detector, encoder, path)[1]))


def drawn_file(detector: Detector, encoder: Encoder, path: Path) -> NDArray[np.uint8]:
    """The picture of a file with its boxes, (H, W, 3) uint8; errors as `find_in_file`."""
    picture, boxes = find_in_file(detector, encoder, path)
    return draw_boxes(picture, boxes, detector.labels)
