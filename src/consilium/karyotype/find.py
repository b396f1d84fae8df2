"""Find the chromosomes of a metaphase: dense detection of boxes, then an amodal mask for each.

The detector reports each chromosome at one place of its own body (one-to-one), so that two which cross are
told apart without box suppression; what is left to remove is the same object reported twice, which its mask
shows. Boxes and masks are found at the models' scale and returned in pixels of the original image.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.errors import ImageOutOfBounds, NoMetaphase
from consilium.karyotype.amodal import mask_crops, masks_from_logits
from consilium.karyotype.metaphase import Instance, Normalised
from consilium.karyotype.models import model
from consilium.karyotype.normalise import NOMINAL_WIDTH

STRIDE = 4
"""Pixels of the detector's input between its answers."""

REDUCTION = 0.5
"""The detector reads cells of nominal scale at half their size."""

USUAL_WIDTHS = (9.5, 24.0)
"""Chromosome widths, in pixels, that the models saw in training; a cell outside is rescaled to the nominal."""

FEWEST = 8
"""A spread with fewer chromosomes than this is not one that can be karyotyped (or not a spread at all)."""

WIDEST_FIELD = 300
"""Chromosome widths across which no picture is enlarged: a spread takes about 60, and memory grows with the square."""

_MASK_BATCH = 64

Placed = tuple[NDArray[np.bool_], tuple[int, int]]
"""A mask (h, w) bool and the (x, y) of its first pixel in the image."""


def find_chromosomes(normalised: Normalised, *, threads: int | None = None) -> tuple[Instance, ...]:
    """Find every chromosome, crossings included; nuclei, debris and stain are left.

    Args:
        normalised: the cell.
        threads: processor threads one model run may use; None: all.

    Returns:
        The objects from top to bottom.

    Raises:
        ImageOutOfBounds: the objects are far too small for the picture to be one metaphase.
        NoMetaphase: fewer than `FEWEST` were found.
    """
    scale = working_scale(normalised.chromosome_width)
    darkness = normalised.darkness
    if scale > 1.0 and darkness.size > (WIDEST_FIELD * normalised.chromosome_width) ** 2:
        raise ImageOutOfBounds(
            f"its objects are about {normalised.chromosome_width:.0f} pixels wide in a picture of "
            f"{darkness.shape[1]} x {darkness.shape[0]}, which is far more than one metaphase",
            way_out="Cut the metaphase out and save it as an image of its own, scanned larger if that can be done",
        )
    if scale != 1.0:
        darkness = _resized(darkness, scale)
    boxes, scores = detect(darkness, threads=threads)
    _refuse_few(len(boxes))
    masks = segment(darkness, boxes, threads=threads)
    kept = distinct(masks, scores)
    _refuse_few(len(kept))
    found = [_instance(boxes[k], *masks[k], float(scores[k]), scale, normalised.darkness.shape) for k in kept]
    return tuple(sorted(found, key=lambda i: (i.box[1], i.box[0])))


def _refuse_few(count: int) -> None:
    if count < FEWEST:
        raise NoMetaphase(
            f"only {count} chromosome-like objects were found",
            way_out="Hand in an image of one metaphase spread, at the magnification it was captured with.",
        )


def working_scale(chromosome_width: float) -> float:
    """Factor that brings an unusual magnification to the models' own; 1 within the usual range."""
    low, high = USUAL_WIDTHS
    return 1.0 if low <= chromosome_width <= high else NOMINAL_WIDTH / chromosome_width


def detect(
    darkness: NDArray[np.float32], *, threads: int | None = None, threshold: float | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (N, 4) in pixels of `darkness` and their scores (N,), above `threshold` (None: that of the card)."""
    detector = model("detector", threads=threads)
    if threshold is None:
        threshold = float(detector.card.constants["threshold"])  # type: ignore[arg-type]
    image = _resized(darkness, REDUCTION)
    height, width = image.shape
    padded = np.zeros((-(-height // 32) * 32, -(-width // 32) * 32), np.float32)
    padded[:height, :width] = image
    answer = detector.run(darkness=padded[None, None])
    scores, distances = answer["scores"][0, 0], answer["distances"][0]
    rows, columns = np.nonzero(scores > threshold)
    centre = np.stack([columns, rows], 1).astype(np.float32) * STRIDE + STRIDE / 2
    reach = distances[:, rows, columns].T
    boxes = np.concatenate([centre - reach[:, :2], centre + reach[:, 2:]], 1) / REDUCTION
    limit = np.asarray([darkness.shape[1], darkness.shape[0]] * 2, np.float32)
    return np.clip(boxes, 0, limit).astype(np.float32), scores[rows, columns].astype(np.float32)


def segment(darkness: NDArray[np.float32], boxes: NDArray[np.float32], *, threads: int | None = None) -> list[Placed]:
    """The amodal mask of each box and the (x, y) it starts at."""
    network = model("amodal", threads=threads)
    logits = np.concatenate(
        [
            network.run(crops=mask_crops(darkness, boxes[start : start + _MASK_BATCH]))["logits"][:, 0]
            for start in range(0, len(boxes), _MASK_BATCH)
        ]
    )
    return masks_from_logits(logits, boxes, (darkness.shape[0], darkness.shape[1]))


def distinct(masks: Sequence[Placed], scores: NDArray[np.float32], *, same_object: float | None = None) -> list[int]:
    """Indices of the objects that remain when each reported twice keeps its better score.

    Args:
        masks: mask and (x, y) of each.
        scores: (N,) float32.
        same_object: masks whose intersection over union is more are one object; None: that of the card.
    """
    if same_object is None:
        same_object = float(model("detector").card.constants["same_object"])  # type: ignore[arg-type]
    kept: list[int] = []
    for k in np.argsort(-scores):
        if all(mask_iou(masks[k], masks[other]) < same_object for other in kept):
            kept.append(int(k))
    return kept


def mask_iou(first: Placed, second: Placed) -> float:
    """Intersection over union of two masks; a short chromosome on a long one shares little of the union."""
    (a, (ax, ay)), (b, (bx, by)) = first, second
    x0, y0 = max(ax, bx), max(ay, by)
    x1, y1 = min(ax + a.shape[1], bx + b.shape[1]), min(ay + a.shape[0], by + b.shape[0])
    if x0 >= x1 or y0 >= y1:
        return 0.0
    shared = int((a[y0 - ay : y1 - ay, x0 - ax : x1 - ax] & b[y0 - by : y1 - by, x0 - bx : x1 - bx]).sum())
    return shared / max(int(a.sum()) + int(b.sum()) - shared, 1)


def _resized(image: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=way), np.float32)


def _instance(
    box: NDArray[np.float32],
    mask: NDArray[np.bool_],
    origin: tuple[int, int],
    score: float,
    scale: float,
    shape: tuple[int, ...],
) -> Instance:
    if scale != 1.0:
        mask, origin = _original_size(mask, origin, scale, shape)
        box = np.clip(box / scale, 0, [shape[1], shape[0]] * 2)
    xmin, ymin, xmax, ymax = (float(v) for v in box)
    return Instance(box=(xmin, ymin, xmax, ymax), mask=mask, origin=origin, score=score)


def _original_size(mask: NDArray[np.bool_], origin: tuple[int, int], scale: float, shape: tuple[int, ...]) -> Placed:
    """A mask of the rescaled picture in pixels of the original, within it and not empty."""
    x, y = min(round(origin[0] / scale), shape[1] - 1), min(round(origin[1] / scale), shape[0] - 1)
    w = min(max(round(mask.shape[1] / scale), 1), shape[1] - x)
    h = min(max(round(mask.shape[0] / scale), 1), shape[0] - y)
    way = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    cover = np.asarray(cv2.resize(mask.astype(np.float32), (w, h), interpolation=way))
    # Where no pixel of the original is half covered, those that hold most of the object stand for it.
    return cover >= min(0.5, float(cover.max())), (x, y)
