"""Whether there seems to be writing in a picture: rows of marks that look alike as letters do.

Letters are thin strokes of one brightness that stand out of what is around them, of about one height, on one line,
close together. Strokes are what a top-hat leaves (bright on dark) or a black-hat (dark on bright); marks are their
connected parts, once as they are and once with small gaps closed, because a Chinese character is several strokes.
Nothing is read: this finds that there is writing, for a person to look at. How much it finds, and how often it is
wrong, stands in `benchmarks/results/deidentify.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

MIN_HEIGHT, MAX_HEIGHT = 6, 96
"""Pixels: smaller letters cannot be read, larger ones fill a picture."""
LARGEST_SIDE = 2600
"""Pixels: a larger picture is made smaller, in which letters of a readable size are still found."""
SMALL_SIDE = 1200
"""Pixels: a picture up to this size is searched at twice its size too."""
MIN_CONTRAST = 34
"""Of 255 levels, between a stroke and what is around it."""
ABOVE_USUAL = 3.0
"""How often the contrast that half of the picture has; of pure noise one pixel in some thousands reaches it."""
MIN_LETTERS = 4
"""In a row; fewer are a side marker, which names nobody."""
STROKES = (9, 25)
"""Pixels: sizes of the top-hats; a stroke is thinner than the one that finds it."""

_MAX_MARKS = 6000

Grey = NDArray[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Marks:
    """What may be letters: boxes (n, 4) as x, y, w, h, and the brightness (n,) of their strokes."""

    boxes: NDArray[np.float64]
    level: NDArray[np.float64]


def suspected_text(picture: Grey) -> list[tuple[int, int, int, int]]:
    """Rows of marks that look like writing.

    Args:
        picture: (H, W), any number type; colour as the brightest of its channels.

    Returns:
        Boxes (x0, y0, x1, y1) in pixels of the picture, the first outside last; empty where nothing is suspected.
    """
    return list(_everywhere(picture))


def seems_written_on(picture: Grey) -> bool:
    """Whether `suspected_text` would find anything; done at the first row that is found."""
    return next(_everywhere(picture), None) is not None


def _everywhere(picture: Grey) -> Iterator[tuple[int, int, int, int]]:
    if min(picture.shape) < MIN_HEIGHT:
        return
    longest = max(picture.shape)
    # Small letters run into each other; in a picture twice the size the gaps between them are wide enough to be seen.
    scales = (1.0, 2.0) if longest <= SMALL_SIDE else (min(1.0, LARGEST_SIDE / longest),)
    for scale in scales:
        for x0, y0, x1, y1 in _found(picture, scale):
            yield round(x0 / scale), round(y0 / scale), round(x1 / scale), round(y1 / scale)


def _found(picture: Grey, scale: float) -> Iterator[tuple[float, float, float, float]]:
    for levels in _levels(picture, scale):
        for size in STROKES:
            kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (size, size))
            for operation in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
                strokes = cv2.morphologyEx(levels, operation, kernel)
                for marks in _marks(levels, strokes, size):
                    yield from _rows(marks)


def _levels(picture: Grey, scale: float) -> Iterator[NDArray[np.uint8]]:
    """The picture as 8 bits: from darkest to brightest and, where that hides most of it, without outliers."""
    values: Grey = np.nan_to_num(np.asarray(picture, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if scale != 1:
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        values = cv2.resize(values, None, fx=scale, fy=scale, interpolation=how)
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return
    yield _stretched(values, low, high)
    within = np.percentile(values, [1.0, 99.0])
    if within[1] - within[0] < 0.6 * (high - low) and within[1] > within[0]:
        yield _stretched(values, float(within[0]), float(within[1]))


def _stretched(values: Grey, low: float, high: float) -> NDArray[np.uint8]:
    scaled: NDArray[np.uint8] = np.clip((values - low) * (255.0 / (high - low)), 0, 255).astype(np.uint8)
    return scaled


def _marks(levels: NDArray[np.uint8], strokes: NDArray[Any], size: int) -> Iterator[_Marks]:
    shares = np.cumsum(np.bincount(strokes.ravel(), minlength=256)) / strokes.size
    usual, peak = (int(np.searchsorted(shares, share)) for share in (0.5, 0.998))
    # In noise and in tissue everything stands out a little; letters stand out more than that.
    least = max(MIN_CONTRAST, round(ABOVE_USUAL * usual))
    for threshold in sorted({max(least, round(part * peak)) for part in (0.3, 0.55)}):
        raw = (strokes >= threshold).astype(np.uint8)
        share = float(raw.mean())
        if not 0 < share < 0.25:
            continue
        distance = cv2.distanceTransform(raw, cv2.DIST_L2, 3)
        for closing in (1, 3):
            solid = (
                raw if closing == 1 else cv2.morphologyEx(raw, cv2.MORPH_CLOSE, np.ones((closing, closing), np.uint8))
            )
            count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
            if 1 < count <= _MAX_MARKS * 8:
                yield _letters(levels, raw, distance, labels, stats, size)


def _letters(
    levels: NDArray[np.uint8], raw: NDArray[np.uint8], distance: Grey, labels: Grey, stats: Grey, size: int
) -> _Marks:
    boxes = stats[:, :4].astype(np.float64)
    width, height = boxes[:, 2], boxes[:, 3]
    fill = stats[:, 4] / (width * height)
    likely = (height >= MIN_HEIGHT) & (height <= MAX_HEIGHT) & (width <= 2.2 * height) & (width >= 1)
    likely &= (fill >= 0.12) & (fill <= 0.95) & ((fill <= 0.8) | (width <= 0.45 * height))
    likely[0] = False
    chosen = np.flatnonzero(likely)[:_MAX_MARKS]
    kept, brightness = [], []
    for label in chosen:
        x, y, w, h = (int(side) for side in stats[label, :4])
        part = (labels[y : y + h, x : x + w] == label) & (raw[y : y + h, x : x + w] > 0)
        inside = distance[y : y + h, x : x + w][part]
        if inside.size < 5 or 2 * float(inside.max()) > max(0.5 * h, 3.0) + 1:
            continue
        core = levels[y : y + h, x : x + w][part][inside >= 0.6 * float(inside.max())]
        if float(core.std()) > 26:
            continue
        kept.append(label)
        brightness.append(float(np.median(core)))
    return _Marks(boxes=boxes[kept], level=np.asarray(brightness))


def _rows(marks: _Marks) -> Iterator[tuple[float, float, float, float]]:
    """Boxes around the rows that at least `MIN_LETTERS` marks make."""
    if len(marks.boxes) < MIN_LETTERS:
        return
    order = np.argsort(marks.boxes[:, 0], kind="stable")
    boxes, level = marks.boxes[order], marks.level[order]
    left, top, width, height = boxes.T
    bottom, right = top + height, left + width
    following = np.full(len(boxes), -1)
    for i in range(len(boxes)):
        reach = np.searchsorted(left, right[i] + 1.3 * height[i], side="right")
        near = np.arange(i + 1, reach)
        if near.size == 0:
            continue
        taller = np.maximum(height[near], height[i])
        fits = np.minimum(height[near], height[i]) >= 0.5 * taller
        fits &= left[near] >= right[i] - 0.25 * taller
        fits &= (np.abs(bottom[near] - bottom[i]) <= 0.16 * taller + 1) | (np.abs(top[near] - top[i]) <= 0.12 * taller)
        fits &= np.minimum(bottom[near], bottom[i]) - np.maximum(top[near], top[i]) >= 0.45 * taller
        fits &= np.abs(level[near] - level[i]) <= 28
        if fits.any():
            following[i] = near[np.flatnonzero(fits)[0]]
    yield from _chains(boxes, level, following)


def _chains(boxes: Grey, level: Grey, following: Grey) -> Iterator[tuple[float, float, float, float]]:
    started = {int(i) for i in following if i >= 0}
    for first in range(len(boxes)):
        if first in started:
            continue
        chain, at = [first], int(following[first])
        while at >= 0:
            chain.append(at)
            at = int(following[at])
        if len(chain) >= MIN_LETTERS and _looks_written(boxes[chain], level[chain]):
            x, y, w, h = boxes[chain].T
            yield float(x.min()), float(y.min()), float((x + w).max()), float((y + h).max())


def _looks_written(boxes: Grey, level: Grey) -> bool:
    """Whether the marks of a row stand on one line, are of like height, evenly close and of one brightness."""
    x, y, w, h = boxes.T
    tall = float(np.median(h))
    bottoms = y + h
    slope = np.polyfit(x + w / 2, bottoms, 1) if np.ptp(x) > 0 else np.zeros(2)
    off_line = np.abs(bottoms - np.polyval(slope, x + w / 2))
    on_line = float((off_line <= max(1.2, 0.1 * tall)).mean())
    gaps = x[1:] - (x + w)[:-1]
    return bool(
        abs(float(slope[0])) <= 0.03
        and on_line >= (0.7 if len(boxes) >= 6 else 0.8)
        and float(level.std()) <= 14
        and float((gaps <= 0.8 * tall).mean()) >= 0.7
        and float(x.max() - x.min()) >= 1.2 * tall
    )
