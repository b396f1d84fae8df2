"""Find what may be a chromosome in a metaphase: a dense detector's proposals, a look at each, a look at all together.

The detector proposes nearly every chromosome and, where they touch and cross, much that is none. The second look
gives each proposal its amodal mask, a better box and its worth; the third (`rescore`) sees it among the others. All
are asked in several positions of the picture, and what they say is averaged. Of proposals with nearly the same mask
the best is reported, the doubtful ones too: `choose` decides between them when it is known what the others are. Boxes
and masks are found at the models' scale and returned in pixels of the original image.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import expit, logit

from consilium.errors import ImageOutOfBounds, NoMetaphase
from consilium.karyotype.amodal import mask_crops, masks_from_logits
from consilium.karyotype.metaphase import Instance, Normalised
from consilium.karyotype.models import model
from consilium.karyotype.normalise import NOMINAL_WIDTH
from consilium.karyotype.positions import AS_IT_LIES, TURNED, UPRIGHT, Position
from consilium.karyotype.proposals import Placed, Proposals, box_iou, distinct
from consilium.karyotype.rescore import rescored

STRIDE = 4
"""Pixels of the detector's input between its answers."""

REDUCTION = 0.7
"""The detector reads cells of nominal scale reduced by this."""

USUAL_WIDTHS = (9.5, 24.0)
"""Chromosome widths, in pixels, that the models saw in training; a cell outside is rescaled to the nominal."""

FEWEST = 8
"""A spread with fewer chromosomes than this is not one that can be karyotyped (or not a spread at all)."""

WIDEST_FIELD = 300
"""Chromosome widths across which no picture is enlarged: a spread takes about 60, and memory grows with the square."""

SURE = 0.5
"""Objects worth less than this do not make a picture a metaphase."""

CLEAR = 0.8
"""Detector's score of a chromosome recognised without doubt: most of a cell at the right scale, few at another."""

LEAST_SCORE = 0.08
"""Detector's score from which a box is proposed: low, as what is not proposed is lost; about two a chromosome."""

SAME_BOX = 0.7
"""Boxes that share more than this are one proposal: hardly a chromosome is lost by it, and many crops are saved."""

SAME_OBJECT_TURNED = 0.5
"""Boxes of two positions that share more than this are of one object."""

NOT_PROPOSED = 0.05
"""Score of an object in a position in which nothing was proposed there: it was less than `LEAST_SCORE`."""

UNSURE = (0.2, 0.8)
"""Proposals worth as much after one look are looked at in the other positions too; the others would hardly move."""

LEAST_WORTH = 0.04
"""Objects worth less after two looks are not looked at among the others."""

NEARLY_ALIKE = 0.6
"""Masks with a larger intersection over union are one object, whatever the third look would say of them."""

_MASK_BATCH = 64


def find_chromosomes(normalised: Normalised, *, threads: int | None = None) -> tuple[Instance, ...]:
    """Find every object that may be a chromosome, crossings included; nuclei, debris and stain are left.

    Args:
        normalised: the cell.
        threads: processor threads one model run may use; None: all.

    Returns:
        The objects from top to bottom.

    Raises:
        ImageOutOfBounds: the objects are far too small for the picture to be one metaphase.
        NoMetaphase: fewer than `FEWEST` were found.
    """
    scale = _recognised_scale(normalised, threads=threads)
    darkness = normalised.darkness if scale == 1.0 else _resized(normalised.darkness, scale)
    width = normalised.chromosome_width * scale
    if not USUAL_WIDTHS[0] <= width <= USUAL_WIDTHS[1]:
        width = NOMINAL_WIDTH  # the estimate was not believed
    twice = seen_twice(darkness, threads=threads)
    seen = rescored(darkness, twice, width, threads=threads)
    kept = chromosomes_among(seen)
    _refuse_few(int((seen.worth[kept] > SURE).sum()))
    found = [
        _instance(seen.boxes[k], *seen.masks[k], float(seen.worth[k]), scale, normalised.darkness.shape) for k in kept
    ]
    return tuple(sorted(found, key=lambda i: (i.box[1], i.box[0])))


def seen_twice(darkness: NDArray[np.float32], *, threads: int | None = None) -> Proposals:
    """What may be a chromosome by the looks of each, every object once, the best first.

    Args:
        darkness: the cell at its working scale.
        threads: processor threads.

    Raises:
        NoMetaphase: fewer than `FEWEST` are proposed.
    """
    boxes, scores = propose(darkness, threads=threads, positions=TURNED)
    _refuse_few(len(boxes))
    seen = look_again(darkness, boxes, scores, threads=threads, positions=UPRIGHT)
    kept = np.flatnonzero(seen.worth > LEAST_WORTH)
    once = kept[distinct([seen.masks[k] for k in kept], seen.worth[kept], same_object=NEARLY_ALIKE)]
    return Proposals(boxes=seen.boxes[once], worth=seen.worth[once], masks=[seen.masks[k] for k in once])


def _refuse_few(count: int) -> None:
    if count < FEWEST:
        raise NoMetaphase(
            f"only {count} chromosome-like objects were found",
            way_out="Hand in an image of one metaphase spread, at the magnification it was captured with.",
        )


def _recognised_scale(normalised: Normalised, *, threads: int | None) -> float:
    """`working_scale`, unless the picture is to be enlarged and shows more clear chromosomes as it is.

    The grain of nuclei and fine dirt pass for narrow chromosomes: where there is much of them the width is estimated
    too small (one training cell in 150), and in an enlarged metaphase hardly a chromosome is recognised.
    """
    darkness, width = normalised.darkness, normalised.chromosome_width
    scale = working_scale(width)
    if scale <= 1.0:
        return scale
    if darkness.size > (WIDEST_FIELD * width) ** 2:
        raise ImageOutOfBounds(
            f"its objects are about {width:.0f} pixels wide in a picture of {darkness.shape[1]} x {darkness.shape[0]}, "
            "which is far more than one metaphase",
            way_out="Cut the metaphase out and save it as an image of its own, scanned larger if that can be done",
        )
    as_it_is, enlarged = (
        len(_without_repeats(*detect(picture, threads=threads, threshold=CLEAR))[0])
        for picture in (darkness, _resized(darkness, scale))
    )
    return 1.0 if as_it_is > enlarged else scale


def working_scale(chromosome_width: float) -> float:
    """Factor that brings an unusual magnification to the models' own; 1 within the usual range."""
    low, high = USUAL_WIDTHS
    return 1.0 if low <= chromosome_width <= high else NOMINAL_WIDTH / chromosome_width


def detect(
    darkness: NDArray[np.float32], *, threads: int | None = None, threshold: float = LEAST_SCORE
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (N, 4) in pixels of `darkness` and their scores (N,), above `threshold`."""
    detector = model("detector", threads=threads)
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


def propose(
    darkness: NDArray[np.float32],
    *,
    threads: int | None = None,
    threshold: float = LEAST_SCORE,
    positions: Sequence[Position] = TURNED,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As `detect`, over several positions of the picture, best first, less the boxes that nearly repeat a better one.

    Args:
        darkness: the cell at its working scale.
        threads: processor threads.
        threshold: least score of a box in a position.
        positions: in which the detector sees it.
    """
    height, width = darkness.shape
    seen = []
    for position in positions:
        boxes, scores = _without_repeats(*detect(position.of(darkness), threads=threads, threshold=threshold))
        seen.append((position.boxes_back(boxes, width, height), scores))
    return _without_repeats(*_together(seen))


def _without_repeats(
    boxes: NDArray[np.float32], scores: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    order = np.argsort(-scores, kind="stable")
    boxes, scores = boxes[order], scores[order]
    shared = box_iou(boxes, boxes)
    kept: list[int] = []
    for k in range(len(boxes)):
        if (shared[k, kept] < SAME_BOX).all():
            kept.append(k)
    return boxes[kept], scores[kept]


def _together(
    seen: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The boxes of several positions as one set: mean of their sides, mean of the log-odds of their scores."""
    nothing = float(logit(NOT_PROPOSED))
    sides, count, odds = np.zeros((0, 4)), np.zeros(0), np.zeros(0)
    for number, (boxes, scores) in enumerate(seen):
        said = _log_odds(scores)
        shared = box_iou(sides / np.maximum(count, 1)[:, None], boxes)
        known, same = linear_sum_assignment(-np.where(shared >= SAME_OBJECT_TURNED, shared, 0))
        fits = shared[known, same] >= SAME_OBJECT_TURNED
        known, same = known[fits], same[fits]
        odds += nothing
        odds[known] += said[same] - nothing
        sides[known] += boxes[same]
        count[known] += 1
        new = np.setdiff1d(np.arange(len(boxes)), same)
        sides = np.concatenate([sides, boxes[new]])
        count = np.concatenate([count, np.ones(len(new))])
        odds = np.concatenate([odds, said[new] + number * nothing])
    means = sides / np.maximum(count, 1)[:, None]
    return means.astype(np.float32), expit(odds / max(len(seen), 1)).astype(np.float32)


def look_again(
    darkness: NDArray[np.float32],
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    *,
    threads: int | None = None,
    positions: Sequence[Position] = UPRIGHT,
) -> Proposals:
    """Look at each proposed box by itself: its amodal mask, where its sides should be, what it is worth.

    Args:
        darkness: the cell at its working scale.
        boxes: (N, 4) as proposed.
        scores: (N,) of the detector.
        threads: processor threads.
        positions: in which a proposal is looked at as long as it is `UNSURE`; the first one for all.
    """
    crops = mask_crops(darkness, boxes)
    logits, quality, shifts = _looked(crops, positions[0], threads)
    odds = _log_odds(scores)
    worth = expit((odds + quality) / 2)
    unsure = np.flatnonzero((worth > UNSURE[0]) & (worth < UNSURE[1]))
    for position in positions[1:] if len(unsure) else ():
        for sums, more in zip((logits, quality, shifts), _looked(crops[unsure], position, threads), strict=True):
            sums[unsure] += more
    for sums in (logits, quality, shifts):
        sums[unsure] /= len(positions)
    longest = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)
    limit = np.asarray([darkness.shape[1], darkness.shape[0]] * 2, np.float32)
    return Proposals(
        boxes=np.clip(boxes + shifts * longest, 0, limit).astype(np.float32),
        worth=expit((odds + quality) / 2).astype(np.float32),
        masks=masks_from_logits(logits, boxes, (darkness.shape[0], darkness.shape[1])),
    )


def _looked(
    crops: NDArray[np.float32], position: Position, threads: int | None
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Logits (N, 64, 64), quality (N,) and shifts (N, 4) of crops seen in a position, as they lie."""
    network = model("amodal", threads=threads)
    shown = crops if position == AS_IT_LIES else position.of(crops)
    answers = [network.run(crops=shown[start : start + _MASK_BATCH]) for start in range(0, len(shown), _MASK_BATCH)]
    logits, quality, shifts = (
        np.concatenate([answer[name] for answer in answers]) for name in ("logits", "quality", "shifts")
    )
    return np.array(position.back(logits[:, 0])), np.array(quality), position.sides_back(np.array(shifts))


def _log_odds(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(scores, 1e-3, 1 - 1e-3)), np.float64)


def chromosomes_among(
    proposals: Proposals, *, threshold: float | None = None, same_object: float | None = None
) -> list[int]:
    """Indices of the proposals that may be chromosomes, best first; what is left out comes from the card."""
    told = model("amodal").card.constants
    threshold = float(told["threshold"]) if threshold is None else threshold  # type: ignore[arg-type]
    same_object = float(told["same_object"]) if same_object is None else same_object  # type: ignore[arg-type]
    kept = np.flatnonzero(proposals.worth > threshold)
    order = distinct([proposals.masks[k] for k in kept], proposals.worth[kept], same_object=same_object)
    return [int(kept[k]) for k in order]


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
