"""Cells whose truth and reading are made by hand: a grid of rods, read with chosen mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from benchmarks.annotated import AnnotatedCell
from benchmarks.judged import Judged, judge
from benchmarks.reading import Reading
from consilium.karyotype.count import count_cell
from consilium.karyotype.metaphase import CLASSES, Chromosome, Flag, Instance, Metaphase, Quality

PITCH = 40
WIDTH, HEIGHT = 10, 30


def place(index: int) -> tuple[int, int]:
    return 20 + PITCH * (index % 10), 20 + PITCH * (index // 10)


def annotated(
    labels: Sequence[str],
    *,
    name: str = "1001",
    case: str = "100",
    status: str = "normal",
    abnormality: str = "",
    difficult: bool = False,
) -> AnnotatedCell:
    """Return a cell with one rod a label, ten a row, drawn and boxed."""
    page = np.full((40 + PITCH * (len(labels) // 10 + 1), 40 + PITCH * 10), 230, np.uint8)
    boxes, masks = [], []
    for index in range(len(labels)):
        x, y = place(index)
        page[y : y + HEIGHT, x : x + WIDTH] = np.linspace(40, 150, HEIGHT).astype(np.uint8)[:, None]
        boxes.append((x, y, x + WIDTH, y + HEIGHT))
        masks.append((np.ones((HEIGHT, WIDTH), np.bool_), (x, y)))
    return AnnotatedCell(
        name=name,
        case=case,
        image=cv2.imencode(".png", page)[1].tobytes(),
        suffix=".png",
        boxes=np.asarray(boxes, np.float32).reshape(-1, 4),
        labels=np.asarray([CLASSES.index(label) for label in labels], np.int16),
        masks=tuple(masks),
        status=status,
        abnormality=abnormality,
        difficult=difficult,
    )


def found_at(
    index: int, label: str, *, confidence: float = 0.9, angle_deg: float = 0.0, flags: Sequence[str] = ()
) -> Chromosome:
    """Return the rod with that index, named."""
    x, y = place(index)
    probabilities = np.full(24, (1 - confidence) / 23, np.float32)
    if label in CLASSES:
        probabilities[CLASSES.index(label)] = confidence
    box = (float(x), float(y), float(x + WIDTH), float(y + HEIGHT))
    return Chromosome(
        instance=Instance(box=box, mask=np.ones((HEIGHT, WIDTH), np.bool_), origin=(x, y), score=0.9),
        label=label,
        confidence=confidence,
        probabilities=probabilities,
        angle_deg=angle_deg,
        polarity=0.9,
        flags=tuple(Flag(code=code) for code in flags),
    )


def reading_of(chromosomes: Sequence[Chromosome], *, flags: Sequence[str] = ()) -> Reading:
    """Return what a method would have handed back."""
    count, karyotype, gains, losses = count_cell(one.label for one in chromosomes)
    metaphase = Metaphase(
        image="made by hand",
        pixels=np.zeros((0, 0), np.uint8),
        inverted=False,
        synthetic=True,
        chromosomes=tuple(chromosomes),
        count=count,
        karyotype=karyotype,
        gains=gains,
        losses=losses,
        quality=Quality(score=0.8, spread=1.0, overlap=0.0, sharpness=1.0, band_level=400),
        flags=tuple(Flag(code=code) for code in flags),
    )
    return Reading(metaphase=metaphase)


def judged(labels: Sequence[str], chromosomes: Sequence[Chromosome] | None = None, **truth: object) -> Judged:
    """Return a cell read with the given chromosomes; perfectly, when none are given."""
    cell = annotated(labels, **truth)  # type: ignore[arg-type]
    if chromosomes is None:
        chromosomes = [found_at(index, label) for index, label in enumerate(labels)]
    return judge(cell, reading_of(chromosomes))


Make = Callable[..., Judged]

NORMAL = (*(label for label in CLASSES[:22] for _ in range(2)), "X", "Y")


@pytest.fixture
def make() -> Make:
    return judged


@pytest.fixture
def rod() -> Callable[..., Chromosome]:
    return found_at


@pytest.fixture
def normal() -> tuple[str, ...]:
    return NORMAL


@pytest.fixture
def truth() -> Callable[..., AnnotatedCell]:
    return annotated


@pytest.fixture
def reading() -> Callable[..., Reading]:
    return reading_of
