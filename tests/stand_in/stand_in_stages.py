"""Plain stand-ins for the stages that hang on models, and the cells they can read.

A cell is upright rods on a grid; the length of a rod is its class. Called as a program, this is the command
`consilium` with these stages, so that its process can be killed:

    STAND_IN_SECONDS          seconds that finding takes, for every image
    STAND_IN_WRITING_SECONDS  seconds that drawing a karyogram takes
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from consilium.errors import NoMetaphase
from consilium.karyotype import case as pipeline
from consilium.karyotype import write
from consilium.karyotype.assign import Assigned, assign
from consilium.karyotype.choose import keep_all
from consilium.karyotype.classify import Classified
from consilium.karyotype.metaphase import CLASSES, Appearance, Instance, Metaphase, Normalised, Suspect
from consilium.karyotype.record import ModelReference

SHORTEST, STEP, WIDTH = 40, 4, 11
BACKGROUND = 225
NORMAL = (*(label for label in CLASSES[:22] for _ in range(2)), "X", "X")
TRISOMY_21 = (*NORMAL, "21")
CORNER = 8


def draw(labels: Sequence[str] = NORMAL, *, deadly: bool = False) -> NDArray[np.uint8]:
    """(H, W) uint8 with one rod a label; a deadly picture kills the process that looks for chromosomes in it."""
    across, pitch_x, pitch_y, margin = 10, 40, 150, 30
    page = np.full((margin + pitch_y * -(-len(labels) // across), 2 * margin + pitch_x * across), BACKGROUND, np.uint8)
    for index, label in enumerate(labels):
        length = SHORTEST + STEP * CLASSES.index(label)
        x, y = margin + pitch_x * (index % across), margin + pitch_y * (index // across)
        bands = 100 + 40 * np.sin(np.arange(length) / 3)
        page[y : y + length, x : x + WIDTH] = bands[:, None].astype(np.uint8)
    if deadly:
        page[:CORNER, :CORNER] = 0
    return page


def save(path: Path, labels: Sequence[str] = NORMAL, *, deadly: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw(labels, deadly=deadly)).save(path)
    return path


def find(normalised: Normalised, *, threads: int | None = None) -> tuple[Instance, ...]:
    assert threads is None or threads >= 1
    time.sleep(float(os.environ.get("STAND_IN_SECONDS", "0")))
    if normalised.darkness[:CORNER, :CORNER].min() > 0.9:
        os.kill(os.getpid(), signal.SIGKILL)
    _, parts, stats, _ = cv2.connectedComponentsWithStats((normalised.darkness > 0.3).astype(np.uint8))
    found = []
    for number, (x, y, width, height, _) in enumerate(stats.tolist()):
        if number == 0 or height < SHORTEST - STEP or width > height:
            continue
        mask = parts[y : y + height, x : x + width] == number
        box = (float(x), float(y), float(x + width), float(y + height))
        found.append(Instance(box=box, mask=mask, origin=(x, y), score=0.99))
    if len(found) < 8:
        raise NoMetaphase(f"only {len(found)} rods were found", way_out="Draw more.")
    return tuple(found)


def classify(normalised: Normalised, instances: Sequence[Instance], *, threads: int | None = None) -> Classified:
    probabilities = np.full((len(instances), 24), 0.02 / 23, np.float32)
    for row, instance in enumerate(instances):
        length = instance.mask.shape[0]
        probabilities[row, int(np.clip(round((length - SHORTEST) / STEP), 0, 23))] = 0.98
    count = len(instances)
    return Classified(
        probabilities=probabilities,
        angles=np.zeros(count, np.float32),
        polarity=np.full(count, 0.97, np.float32),
        upside_down=np.zeros(count, np.bool_),
    )


def assign_without_card(probabilities: NDArray[np.float32]) -> Assigned:
    return assign(probabilities, extra_copy=1.0, margin_scale=1.0, margin_offset=0.0)


def models() -> tuple[ModelReference, ...]:
    return (ModelReference(name="stand-in", version="1", sha256="0" * 64),)


def structure(
    read: Classified, kept: NDArray[np.intp], labels: Sequence[str], *, threads: int | None = None
) -> tuple[Appearance | None, ...]:
    return (None,) * len(labels)


def suspects(cells: Sequence[Metaphase]) -> tuple[Suspect, ...]:
    return ()


STAGES = pipeline.Stages(
    find=find, classify=classify, choose=keep_all, assign=assign_without_card, structure=structure, suspects=suspects,
    models=models,
)  # fmt: skip


def run_as_command() -> None:
    from consilium.cli.main import main

    pipeline.shipped_stages = lambda: STAGES
    drawn_at_once = write.to_png

    def drawn_slowly(*arguments: object, **named: object) -> object:
        time.sleep(float(os.environ.get("STAND_IN_WRITING_SECONDS", "0")))
        return drawn_at_once(*arguments, **named)  # type: ignore[arg-type]

    write.to_png = drawn_slowly  # type: ignore[assignment]
    main()


if __name__ == "__main__":
    run_as_command()
