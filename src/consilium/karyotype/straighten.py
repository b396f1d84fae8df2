"""How a chromosome is cut out, turned upright and straightened for the eye.

Everything here is a display aid. A straightened chromosome is the original picture sampled along its own
axis: grey levels are interpolated between neighbouring pixels of the original and nothing else is added. What
a finding rests on is the raw crop (`upright`), which is only turned and freed from its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import UnivariateSpline
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from consilium.karyotype.metaphase import Chromosome, Instance

WHITE = 255

MIN_ELONGATION = 1.8
"""Length over width below which a mask has no axis worth following: its longest path may run corner to corner."""

AXIS_TOLERANCE = 0.07
"""How far, in widths, the smoothed axis may leave the pixel path: less follows the pixels' staircase, more cuts
the corner of a real bend."""

CENTROMERE_SPREAD = 0.05
"""Standard deviation of the measured centromere index around the table's, as a fraction of the length."""

CONSTRICTION_WEIGHT = 12.0
"""How much a full-depth constriction outweighs the distance from the expected centromere (log-odds)."""

MOST_FOLLOWED = 500
"""Axes that a process remembers: those of ten cells, a few megabytes with the masks they belong to."""

Points = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Straightened:
    """A chromosome sampled along its axis, short arm up (display only).

    Attributes:
        pixels: (L, W) uint8, dark on white, one row a pixel of arc length in the original image.
        centromere_row: estimated row of the centromere, 0..L-1.
        profile: (L,) float32, mean darkness across each row, 0 white .. 1 black.
        along_axis: False where no axis could be followed and the upright crop stands in.
    """

    pixels: NDArray[np.uint8]
    centromere_row: int
    profile: NDArray[np.float32]
    along_axis: bool


def dark_on_light(pixels: NDArray[np.uint8], *, inverted: bool) -> NDArray[np.uint8]:
    """Return a metaphase as laboratories print it: dark chromosomes, white background.

    One linear window for the whole image (background to white, the darkest 0.2 % to black), after inverting
    fluorescence images. Monotone, so no band appears or vanishes.

    Args:
        pixels: (H, W) uint8, original grey levels.
        inverted: whether the original shows bright chromosomes on a dark field.

    Returns:
        (H, W) uint8, a new array.
    """
    shown = np.invert(pixels) if inverted else pixels
    counts = np.bincount(shown.ravel(), minlength=256).astype(np.float64)
    smooth = np.convolve(counts, np.ones(5) / 5, mode="same")
    # An image cropped around its cell may hold much pure white padding; the peak is still the background.
    background = max(int(np.argmax(smooth)) - 2, 1)
    darkest = min(int(np.searchsorted(np.cumsum(counts), 0.002 * counts.sum())), background - 1)
    levels = (np.arange(256) - darkest) * (WHITE / (background - darkest))
    table = np.clip(levels, 0, WHITE).astype(np.uint8)
    return np.asarray(table[shown], dtype=np.uint8)


def upright(pixels: NDArray[np.uint8], chromosome: Chromosome) -> NDArray[np.uint8]:
    """Cut a chromosome out and turn it, short arm up, without bending it.

    Args:
        pixels: (H, W) uint8, dark on light.
        chromosome: where it is and by which angle it is turned.

    Returns:
        (h, w) uint8, its own pixels on white: neighbours are masked away, crossing pixels stay.
    """
    return _upright(pixels, chromosome.instance, chromosome.angle_deg)[0]


def straighten(
    pixels: NDArray[np.uint8],
    instance: Instance,
    angle_deg: float,
    *,
    expected_centromere: float | None = None,
    along_axis: bool = True,
) -> Straightened:
    """Sample a chromosome along its medial axis; fall back to the upright crop where it has none.

    Args:
        pixels: (H, W) uint8, dark on light.
        instance: the object's mask and place.
        angle_deg: counter-clockwise rotation that puts the short arm up; it decides which end is the top.
        expected_centromere: length of the short arm over the whole, 0..1, of the chromosome's label; None where
            the label is not known.
        along_axis: False for the upright crop, whatever axis there is.

    Returns:
        The straightened picture with its band profile and centromere row. Works for every non-empty mask.
    """
    axis = medial_axis(instance.mask) if along_axis else None
    if axis is None:
        shown, cover = _upright(pixels, instance, angle_deg)
    else:
        shown, cover = _sample_along(pixels, instance, _short_arm_first(axis, angle_deg))
    weight = cover.sum(axis=1)
    darkness = (1 - shown.astype(np.float32) / WHITE).sum(axis=1)
    profile = np.where(weight > 0, darkness / np.maximum(weight, 1e-6), 0).clip(0, 1).astype(np.float32)
    return Straightened(
        pixels=shown,
        centromere_row=centromere_row(weight, expected_centromere),
        profile=profile,
        along_axis=axis is not None,
    )


def centromere_row(widths: NDArray[np.float32], expected: float | None) -> int:
    """Find the primary constriction along a straightened chromosome.

    A row is a constriction as far as it is narrower than the widest row on *both* sides, so that the rounded
    tips never win; the expected index pulls the choice where the constriction is faint (most acrocentrics).

    Args:
        widths: (L,) width of the chromosome at each row, pixels.
        expected: short arm over whole length, 0..1, or None.

    Returns:
        A row, 0..L-1.
    """
    length = len(widths)
    if length < 4:
        return length // 2
    smooth = np.convolve(np.pad(widths, 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
    shoulder = np.minimum(np.maximum.accumulate(smooth), np.maximum.accumulate(smooth[::-1])[::-1])
    depth = 1 - smooth / np.maximum(shoulder, 1e-6)
    if expected is None:
        return int(np.argmax(depth)) if depth.max() > 0 else length // 2
    position = (np.arange(length) + 0.5) / length
    score = CONSTRICTION_WEIGHT * depth - 0.5 * ((position - expected) / CENTROMERE_SPREAD) ** 2
    return int(np.argmax(score))


def medial_axis(mask: NDArray[np.bool_]) -> Points | None:
    """Follow the middle of an elongated mask from tip to tip.

    The two ends are the pixels farthest apart *inside* the mask, so that a folded chromosome is followed around
    its bend; between them the cheapest path keeps away from the border; a spline smooths it.

    Args:
        mask: (h, w) bool; only its largest connected part is looked at.

    Returns:
        (L, 2) float64 points (x, y) one pixel of arc length apart, in mask coordinates, not to be written to; None for
        blobs.
    """
    return _followed(np.ascontiguousarray(mask, np.bool_).tobytes(), mask.shape)


# The quality of a cell and its karyogram follow the same masks, and an editor those of each of its pictures again.
@lru_cache(maxsize=MOST_FOLLOWED)
def _followed(pixels: bytes, shape: tuple[int, ...]) -> Points | None:
    body = _largest_part(np.frombuffer(pixels, np.bool_).reshape(shape))
    depth = cv2.distanceTransform(np.pad(body, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    rows, columns = np.nonzero(body)
    if len(rows) < 12:
        return None
    inside = depth[rows, columns].astype(np.float64)
    path = _longest_path(body, rows, columns, inside)
    points = np.column_stack([columns, rows])[path].astype(np.float64)
    length = float(np.hypot(*np.diff(points, axis=0).T).sum())
    width = len(rows) / max(length, 1.0)
    radius = float(inside.max())
    if length < MIN_ELONGATION * max(width, 2 * radius) or len(points) < 3 * radius + 6:
        return None
    trim = max(round(0.8 * radius), 1)
    axis = _extend(_smooth(points[trim:-trim], AXIS_TOLERANCE * width), body, radius)
    axis.flags.writeable = False
    return axis


def _largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mask
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(parts == largest, dtype=np.bool_)


def _longest_path(
    body: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp], inside: NDArray[np.float64]
) -> list[int]:
    """Return the pixels (indices into `rows`) of a central path between the two ends of a connected body."""
    steps = _pixel_graph(body, rows, columns)
    size = len(rows)
    # SciPy 1.13, the floor, searches graphs with 32-bit indices only.
    ends = (steps[0].astype(np.int32), steps[1].astype(np.int32))
    plain = coo_array((steps[2], ends), shape=(size, size)).tocsr()
    first = int(np.argmax(dijkstra(plain, directed=False, indices=int(np.argmax(inside)))))
    second = int(np.argmax(dijkstra(plain, directed=False, indices=first)))
    cost = steps[2] * (inside.max() / np.minimum(inside[steps[0]], inside[steps[1]])) ** 2
    central = coo_array((cost, ends), shape=(size, size)).tocsr()
    _, before = dijkstra(central, directed=False, indices=first, return_predecessors=True)
    path = [second]
    while path[-1] != first:
        path.append(int(before[path[-1]]))
    return path[::-1]


def _pixel_graph(
    body: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return (from, to, distance) of all 8-neighbour pairs of true pixels, each pair once."""
    number = np.full((body.shape[0] + 2, body.shape[1] + 2), -1, dtype=np.intp)
    number[rows + 1, columns + 1] = np.arange(len(rows))
    starts, ends, lengths = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = number[rows + 1 + down, columns + 1 + right]
        linked = np.flatnonzero(other >= 0)
        starts.append(linked)
        ends.append(other[linked])
        lengths.append(np.full(len(linked), np.hypot(down, right)))
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(lengths)


def _smooth(points: Points, tolerance: float) -> Points:
    """Fit a smoothing spline and sample it one pixel of arc length apart."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    allowed = len(points) * tolerance**2
    order = min(3, len(points) - 1)
    splines = [UnivariateSpline(along, points[:, axis], k=order, s=allowed) for axis in (0, 1)]
    dense = np.linspace(0, along[-1], 4 * len(points))
    curve = np.column_stack([spline(dense) for spline in splines])
    return _at_unit_steps(curve)


def _at_unit_steps(curve: Points) -> Points:
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])
    wanted = np.arange(0, along[-1], 1.0)
    return np.column_stack([np.interp(wanted, along, curve[:, axis]) for axis in (0, 1)])


def _extend(curve: Points, body: NDArray[np.bool_], radius: float) -> Points:
    """Lengthen a curve at both ends, straight on, until it leaves the body."""
    span = max(min(round(1.5 * radius), len(curve) - 1), 1)
    return np.concatenate(
        [
            _straight_on(curve[0], curve[0] - curve[span], body, radius)[::-1],
            curve,
            _straight_on(curve[-1], curve[-1] - curve[-1 - span], body, radius),
        ]
    )


def _straight_on(start: Points, direction: Points, body: NDArray[np.bool_], radius: float) -> Points:
    unit = direction / max(float(np.hypot(*direction)), 1e-6)
    points = start + np.arange(1, int(np.ceil(3 * radius)) + 2)[:, None] * unit
    columns, rows = np.round(points).astype(int).T
    within = (rows >= 0) & (rows < body.shape[0]) & (columns >= 0) & (columns < body.shape[1])
    within[within] = body[rows[within], columns[within]]
    outside = np.flatnonzero(~within)
    return np.asarray(points[: outside[0] if len(outside) else len(points)], dtype=np.float64)


def _short_arm_first(axis: Points, angle_deg: float) -> Points:
    """Turn the axis so that it starts at the end which `angle_deg` puts on top."""
    turn = np.deg2rad(angle_deg)
    height = axis @ np.array([np.sin(turn), -np.cos(turn)])
    half = len(axis) // 2
    return axis if height[:half].mean() >= height[-half:].mean() else axis[::-1]


def _sample_along(
    pixels: NDArray[np.uint8], instance: Instance, axis: Points
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Sample image and mask on rows at right angles to the axis; returns (L, W) pixels and (L, W) cover, 0..1."""
    tangent = np.gradient(axis, axis=0)
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-6)[:, None]
    # With the axis running down the page, the normal points to the right: no mirror image is made.
    normal = np.column_stack([tangent[:, 1], -tangent[:, 0]])
    depth = cv2.distanceTransform(np.pad(instance.mask, 1).astype(np.uint8), cv2.DIST_L2, 5)
    reach = int(np.ceil(2.2 * float(depth.max()))) + 1
    offsets = np.arange(-reach, reach + 1, dtype=np.float64)
    places = axis[:, None, :] + offsets[None, :, None] * normal[:, None, :]
    cover = _remap(_soft(instance.mask), places, cv2.INTER_LINEAR, border=0.0)
    # Where the chromosome is folded, a row must not reach over into the other limb.
    nearest = cKDTree(axis).query(places.reshape(-1, 2))[1].reshape(cover.shape)
    cover[np.abs(nearest - np.arange(len(axis))[:, None]) > np.abs(offsets)[None, :] + 3] = 0
    grey = _remap(pixels.astype(np.float32), places + np.array(instance.origin), cv2.INTER_CUBIC, border=WHITE)
    return _trimmed(grey, cover)


def _soft(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Cover of a mask, 0..1, with its staircase edge smoothed over one pixel, so that enlarged crops show no steps."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.6), dtype=np.float32)


def _remap(image: NDArray[np.float32], places: Points, interpolation: int, *, border: float) -> NDArray[np.float32]:
    x, y = places[..., 0].astype(np.float32), places[..., 1].astype(np.float32)
    sampled = cv2.remap(image, x, y, interpolation, borderMode=cv2.BORDER_CONSTANT, borderValue=(border,))
    return np.asarray(sampled, dtype=np.float32)


def _upright(
    pixels: NDArray[np.uint8], instance: Instance, angle_deg: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Turn crop and mask together; returns (h, w) pixels on white and (h, w) cover, 0..1."""
    height, width = instance.mask.shape
    left, top = instance.origin
    side = int(np.ceil(np.hypot(height, width))) + 4
    middle = (left + (width - 1) / 2, top + (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(middle, angle_deg, 1.0)
    matrix[:, 2] += [(side - 1) / 2 - middle[0], (side - 1) / 2 - middle[1]]
    grey = cv2.warpAffine(pixels, matrix, (side, side), flags=cv2.INTER_CUBIC, borderValue=WHITE)
    # The same rotation, for an image whose first pixel is the mask's.
    matrix[:, 2] += matrix[:, :2] @ np.array([left, top])
    own = instance.mask.astype(np.float32)
    cover = cv2.warpAffine(own, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=0)
    return _trimmed(grey.astype(np.float32), np.asarray(cover, dtype=np.float32))


def _trimmed(grey: NDArray[np.float32], cover: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Fade to white outside the cover and cut the empty border off (at least one pixel stays)."""
    rows, columns = np.flatnonzero(cover.max(axis=1) > 0.5), np.flatnonzero(cover.max(axis=0) > 0.5)
    if not len(rows) or not len(columns):
        rows, columns = np.array([grey.shape[0] // 2]), np.array([grey.shape[1] // 2])
    inner = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    grey, cover = np.clip(grey[inner], 0, WHITE), cover[inner]
    shown = np.round(WHITE - cover * (WHITE - grey)).astype(np.uint8)
    return shown, cover
