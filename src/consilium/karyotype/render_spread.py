"""Where the chromosomes of a synthetic metaphase lie: a loose disc, with touches and crossings as dialled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.render_chromosome import Drawing

_TRIES = 40
_EDGE = 6  # pixels between any chromosome and the border of the image


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """The first pixel (x, y) of a drawing's patch in the image, and its height and width."""

    x: int
    y: int
    height: int
    width: int

    @property
    def window(self) -> tuple[slice, slice]:
        """The part of the image that the patch covers."""
        return np.s_[self.y : self.y + self.height, self.x : self.x + self.width]


def spread(
    drawings: Sequence[Drawing],
    rng: np.random.Generator,
    *,
    crowding: float,
    width_px: float,
    room_for_nuclei: bool,
) -> tuple[tuple[int, int], list[Placed]]:
    """Place drawings in a loose disc by rejection sampling.

    Each chromosome is dealt one of three wishes, in proportions that `crowding` sets: to lie apart from all others,
    to touch one, or to cross one. A wish that cannot be met in `_TRIES` places becomes "apart", and if there is no
    free place either, the place with the least overlap is taken.

    Args:
        drawings: what to place.
        rng: source of the places.
        crowding: 0 all apart .. 1 mostly touching and crossing.
        width_px: chromosome width in pixels, which sets the distances.
        room_for_nuclei: leave more empty field around the disc.

    Returns:
        (H, W) of the image that holds them, and one place a drawing.
    """
    area = sum(float(drawing.mask.sum()) for drawing in drawings)
    radius = np.sqrt(area / (np.pi * (0.19 + 0.17 * crowding)))
    longest = max(max(drawing.mask.shape) for drawing in drawings)
    margin = _EDGE + longest / 2 + width_px * rng.uniform(0.2, 5.0 if room_for_nuclei else 2.0, 4)
    stretch = float(np.exp(rng.normal(0.0, 0.12)))
    semi = np.array([radius * stretch, radius / stretch])
    width, height = (2 * semi + margin[:2] + margin[2:]).astype(int)
    centre = semi + margin[:2]
    taken = np.zeros((height, width), np.uint8)
    in_disc = _points_in_disc(centre, semi, rng)
    places: list[Placed | None] = [None] * len(drawings)
    axes: list[NDArray[np.float32]] = []
    # The long ones first: they find no room once the field is full.
    for index in sorted(range(len(drawings)), key=lambda at: -drawings[at].mask.sum()):
        drawing = drawings[index]
        place = _place(drawing, taken, axes, rng, crowding, width_px, in_disc)
        taken[place.window] += drawing.mask
        axes.append(drawing.axis + np.array([place.x, place.y], np.float32))
        places[index] = place
    return (int(height), int(width)), [place for place in places if place is not None]


def _points_in_disc(
    centre: NDArray[np.float64], semi: NDArray[np.float64], rng: np.random.Generator
) -> Callable[[], tuple[float, float]]:
    """A sampler of points in the disc, a little denser in the middle; one in sixteen strays."""

    def sample() -> tuple[float, float]:
        far = rng.uniform(0.9, 1.3) if rng.random() < 1 / 16 else rng.random() ** 0.55
        angle = rng.uniform(0.0, 2 * np.pi)
        x, y = centre + semi * far * np.array([np.cos(angle), np.sin(angle)])
        return float(x), float(y)

    return sample


def _place(
    drawing: Drawing,
    taken: NDArray[np.uint8],
    axes: Sequence[NDArray[np.float32]],
    rng: np.random.Generator,
    crowding: float,
    width_px: float,
    in_disc: Callable[[], tuple[float, float]],
) -> Placed:
    """Find a place that meets the chromosome's wish."""
    size = float(drawing.mask.sum())
    gap = int(np.ceil(0.2 * width_px))
    around = cv2.dilate(drawing.mask.astype(np.uint8), np.ones((2 * gap + 1, 2 * gap + 1), np.uint8)) > 0
    wish = rng.choice(["apart", "touch", "cross"], p=[1 - 0.85 * crowding, 0.45 * crowding, 0.40 * crowding])
    if wish != "apart" and axes:
        for _ in range(_TRIES):
            place = _beside(drawing, axes, taken.shape, width_px if wish == "touch" else 0.0, rng)
            part = taken[place.window]
            shared = float((part[drawing.mask] > 0).sum()) / size
            piled = bool((part[drawing.mask] > 1).any())
            if wish == "cross" and 0.04 < shared < 0.3 and not piled:
                return place
            if wish == "touch" and shared < 0.04 and (part[around] > 0).any():
                return place
    best, least = _at(drawing, *in_disc(), taken.shape), np.inf
    for _ in range(_TRIES * 3):
        place = _at(drawing, *in_disc(), taken.shape)
        part = taken[place.window]
        if not (part[around] > 0).any():
            return place
        shared = float(part[drawing.mask].sum())
        if shared < least:
            best, least = place, shared
    return best


def _beside(
    drawing: Drawing,
    axes: Sequence[NDArray[np.float32]],
    shape: tuple[int, ...],
    distance: float,
    rng: np.random.Generator,
) -> Placed:
    """Bring a random point of the chromosome's axis to (or `distance` pixels from) a random point of another's."""
    other = axes[int(rng.integers(len(axes)))]
    x, y = other[int(rng.integers(len(other)))]
    angle = rng.uniform(0.0, 2 * np.pi)
    own = drawing.axis[int(rng.integers(len(drawing.axis)))]
    middle_x, middle_y = drawing.mask.shape[1] / 2, drawing.mask.shape[0] / 2
    x += distance * np.cos(angle) - own[0] + middle_x
    y += distance * np.sin(angle) - own[1] + middle_y
    return _at(drawing, float(x), float(y), shape)


def _at(drawing: Drawing, x: float, y: float, shape: tuple[int, ...]) -> Placed:
    """Centre the patch at (x, y), moved inwards as far as needed to lie inside the image."""
    height, width = drawing.mask.shape
    left = int(np.clip(x - width / 2, _EDGE, shape[1] - _EDGE - width))
    top = int(np.clip(y - height / 2, _EDGE, shape[0] - _EDGE - height))
    return Placed(x=left, y=top, height=height, width=width)
