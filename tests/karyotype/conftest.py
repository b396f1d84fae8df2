"""Drawn cells with known truth: plain banded rods, enough to test everything behind the models."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from consilium.karyotype.metaphase import (
    CLASSES,
    UNSURE,
    Case,
    Chromosome,
    Flag,
    Instance,
    Metaphase,
    Quality,
)

BACKGROUND = 225
WIDTH = 11
LENGTHS = dict(
    zip(
        CLASSES,
        (92, 90, 76, 72, 70, 66, 62, 57, 54, 53, 53, 52, 44, 42, 40, 38, 36, 34, 27, 28, 22, 24, 60, 25),
        strict=True,
    )
)
"""Drawn length of each class in pixels, roughly to scale."""


Rod = tuple[NDArray[np.uint8], NDArray[np.bool_]]


def draw_rod(length: int, *, constriction: float = 0.4, width: int = WIDTH) -> Rod:
    """Return an upright banded rod (length, width) uint8 and its mask, waisted at `constriction` of its length."""
    rows = np.arange(length)[:, None] + 0.5
    columns = np.arange(width)[None, :] + 0.5 - width / 2
    half = np.full((length, 1), width / 2)
    end = np.minimum(rows, length - rows)
    half = np.where(end < width / 2, np.sqrt(np.maximum(end * (width - end), 0.0)), half)
    half = half * (1 - 0.45 * np.exp(-(((rows - constriction * length) / 2.0) ** 2)))
    mask = np.abs(columns) <= half
    # The pattern is not symmetric, so that top and bottom can be told apart: darker towards the short arm's tip.
    grey = 110 + 50 * np.sin(2 * np.pi * rows / 9) + 30 * rows / length - 30 * (rows < 5) + 0 * columns
    return np.where(mask, grey, BACKGROUND).astype(np.uint8), mask


def quality(score: float = 0.8) -> Quality:
    return Quality(score=score, spread=0.9, overlap=0.0, sharpness=0.7, band_level=400)


def chromosome_at(
    mask: NDArray[np.bool_],
    origin: tuple[int, int],
    label: str,
    *,
    confidence: float = 0.99,
    angle_deg: float = 0.0,
    polarity: float = 0.99,
    flags: tuple[Flag, ...] = (),
) -> Chromosome:
    height, width = mask.shape
    probabilities = np.full(24, (1 - confidence) / 23, dtype=np.float32)
    if label in CLASSES:
        probabilities[CLASSES.index(label)] = confidence
    else:
        probabilities[:] = 1 / 24
    box = (float(origin[0]), float(origin[1]), float(origin[0] + width), float(origin[1] + height))
    return Chromosome(
        instance=Instance(box=box, mask=mask, origin=origin, score=0.98),
        label=label,
        confidence=confidence,
        probabilities=probabilities,
        angle_deg=angle_deg,
        polarity=polarity,
        flags=flags,
    )


def draw_cell(
    labels: Sequence[str],
    *,
    image: str = "cell.png",
    synthetic: bool = True,
    inverted: bool = False,
    flags: tuple[Flag, ...] = (),
    chromosome_flags: tuple[Flag, ...] = (),
    flagged: int | None = None,
    karyotype: str = "46,XX",
    gains: tuple[str, ...] = (),
    losses: tuple[str, ...] = (),
    score: float = 0.8,
) -> Metaphase:
    """Draw the labels as rods on a grid, ten a row; the one with index `flagged` carries `chromosome_flags`."""
    across, pitch_x, pitch_y, margin = 10, 40, 120, 20
    shape = (2 * margin + pitch_y * -(-len(labels) // across), 2 * margin + pitch_x * across)
    pixels = np.full(shape, BACKGROUND, dtype=np.uint8)
    chromosomes = []
    for index, label in enumerate(labels):
        rod, mask = draw_rod(LENGTHS.get(label, 30))
        x, y = margin + pitch_x * (index % across), margin + pitch_y * (index // across)
        window = pixels[y : y + rod.shape[0], x : x + rod.shape[1]]
        window[mask] = rod[mask]
        marked = chromosome_flags if index == flagged else ()
        confidence = 0.3 if label == UNSURE else (0.6 if marked else 0.99)
        chromosomes.append(chromosome_at(mask, (x, y), label, confidence=confidence, flags=marked))
    return Metaphase(
        image=image,
        pixels=np.invert(pixels) if inverted else pixels,
        inverted=inverted,
        synthetic=synthetic,
        chromosomes=tuple(chromosomes),
        count=len(labels),
        karyotype=karyotype,
        gains=gains,
        losses=losses,
        quality=quality(score),
        flags=flags,
    )


def normal_labels(sex: str = "XX") -> tuple[str, ...]:
    return tuple(label for label in CLASSES[:22] for _ in range(2)) + tuple(sex)


@pytest.fixture
def rod() -> Callable[..., Rod]:
    return draw_rod


@pytest.fixture
def cell() -> Callable[..., Metaphase]:
    return draw_cell


@pytest.fixture
def chromosome() -> Callable[..., Chromosome]:
    return chromosome_at


@pytest.fixture
def labels() -> Callable[..., tuple[str, ...]]:
    return normal_labels


@pytest.fixture
def case() -> Case:
    """Two cells: a normal female one, and one with a third chromosome 21 that carries a flag."""
    doubt = Flag(code="low_confidence", values={"label": "21", "confidence": 0.6})
    trisomy = (*normal_labels("XX")[:42], "21", *normal_labels("XX")[42:])
    first = draw_cell(normal_labels("XX"), image="a.png", score=0.9)
    second = draw_cell(
        trisomy,
        image="b.png",
        karyotype="47,XX,+21",
        gains=("21",),
        flags=(Flag(code="count_not_46", values={"count": 47}),),
        chromosome_flags=(doubt,),
        flagged=42,
        score=0.7,
    )
    return Case(
        name="case 1",
        cells=(first, second),
        failures=(),
        modal_karyotype="46,XX",
        disagreeing=("b.png",),
        flags=(),
    )
