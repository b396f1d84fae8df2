"""Cells with known truth, from the real data that CONSILIUM_DATA points at.

`tseng2023` has boxes and names, `adir_mfish` and `bioimlab_qband` have masks, `gband612` has single crops, which are
laid side by side on one white canvas. The test part of `tseng2023` is opened here and nowhere else; development looks
at the validation part, which is one case in twenty of the train split (`training.cells.part_of`).
"""

from __future__ import annotations

import base64
import csv
import gzip
import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.karyotype.metaphase import CLASSES
from training.cells import Cell, data_folder, load_cells, part_of

Part = Literal["test", "validation"]
Placed = tuple[NDArray[np.bool_], tuple[int, int]]

NO_CLASS = -1
"""The label of what the annotators named none of the 24 classes (markers), or did not name at all."""

BETWEEN_CROPS = 24
"""Pixels of white between crops: more than half the width of a strip, so that no crop shows in another's."""

CANVAS_WIDTH = 1400


@dataclass(frozen=True, kw_only=True)
class AnnotatedCell:
    """One cell and what its annotators said.

    Attributes:
        name: of the image.
        case: the person or slide it came from: the unit of every interval.
        image: the image file's content, as published (for crops: the canvas as PNG).
        suffix: of the image file, e.g. ".webp".
        boxes: (N, 4) float32, xmin ymin xmax ymax, exclusive maxima.
        labels: (N,) int16 index into CLASSES, or `NO_CLASS`.
        masks: one (mask, (x, y)) for each object, or None where the set has none.
        status: "normal", "numerical" or "structural" as published; "" where nothing is said.
        abnormality: the classes that are abnormal, as published, e.g. "21".
        difficult: whether the publishers call the image difficult.
    """

    name: str
    case: str
    image: bytes
    suffix: str
    boxes: NDArray[np.float32]
    labels: NDArray[np.int16]
    masks: tuple[Placed, ...] | None = None
    status: str = ""
    abnormality: str = ""
    difficult: bool = False


def decode(image: bytes) -> NDArray[np.uint8]:
    """(H, W) uint8 grey levels of an image file's content."""
    return np.asarray(cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def tseng2023(part: Part | Literal["structural"]) -> list[AnnotatedCell]:
    """The test part, or the validation part of the train split, in the order of the image names.

    "structural" is the structural cases of the train split, which the recipe of the network that looks for structural
    change leaves out (`training.structure`).
    """
    folder = data_folder() / "tseng2023"
    rows = [row for row in _table(folder / "images.csv.gz") if _in_part(row, part)]
    wanted = {row["image"] for row in rows}
    boxes: dict[str, list[list[float]]] = defaultdict(list)
    labels: dict[str, list[int]] = defaultdict(list)
    for row in _table(folder / "boxes.csv.gz"):
        if row["image"] in wanted:
            boxes[row["image"]].append([float(row[k]) for k in ("xmin", "ymin", "xmax", "ymax")])
            labels[row["image"]].append(CLASSES.index(row["chromosome"]))
    images: dict[str, bytes] = {}
    for archive in ("test.zip",) if part == "test" else ("train_1.zip", "train_2.zip"):
        with zipfile.ZipFile(folder / archive) as file:
            names = {member.removesuffix(".webp"): member for member in file.namelist()}
            images |= {name: file.read(names[name]) for name in wanted & names.keys()}
    return [
        AnnotatedCell(
            name=row["image"],
            case=row["case"],
            image=images[row["image"]],
            suffix=".webp",
            boxes=np.asarray(boxes[row["image"]], np.float32),
            labels=np.asarray(labels[row["image"]], np.int16),
            status=row["status"],
            abnormality=row["abnormality"],
            difficult=row["difficult"] == "1",
        )
        for row in sorted(rows, key=lambda row: row["image"])
    ]


def _table(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt") as file:
        return list(csv.DictReader(file))


def _in_part(row: dict[str, str], part: Part | Literal["structural"]) -> bool:
    if part == "test":
        return row["split"] == "test"
    if part == "structural":
        return row["split"] == "train" and row["status"] == "structural"
    return row["split"] == "train" and part_of(row["case"]) == "validation"


def gband612(part: Part) -> list[AnnotatedCell]:
    """Canvases of the crops of each cell: all of them, or for development one case in five."""
    with zipfile.ZipFile(data_folder() / "gband612" / "crops.zip") as file:
        members: dict[str, list[str]] = defaultdict(list)
        for name in sorted(file.namelist()):
            if name.endswith(".png"):
                members[name.split("/")[0]].append(name)
        return [
            canvas_of(cell, [decode(file.read(name)) for name in names], [name.split("/")[1] for name in names])
            for cell, names in members.items()
            if part == "test" or part_of(_case_of(cell), one_in=5) == "validation"
        ]


def _case_of(cell: str) -> str:
    return cell.split(".")[0]


def canvas_of(name: str, crops: Sequence[NDArray[np.uint8]], names: Sequence[str]) -> AnnotatedCell:
    """Lay the crops of one cell side by side on white.

    Args:
        name: of the cell; what precedes its first dot is the case.
        crops: grey crops on white, one chromosome each.
        names: of the chromosomes; what is none of the 24 classes becomes `NO_CLASS`.
    """
    places, x, y, row_height = [], BETWEEN_CROPS, BETWEEN_CROPS, 0
    for crop in crops:
        height, width = crop.shape
        if x + width + BETWEEN_CROPS > CANVAS_WIDTH:
            x, y, row_height = BETWEEN_CROPS, y + row_height + BETWEEN_CROPS, 0
        places.append((x, y))
        x, row_height = x + width + BETWEEN_CROPS, max(row_height, height)
    canvas = np.full((y + row_height + BETWEEN_CROPS, CANVAS_WIDTH), 255, np.uint8)
    masks: list[Placed] = []
    for crop, (left, top) in zip(crops, places, strict=True):
        canvas[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
        mask, (inner_x, inner_y) = crop_mask(crop)
        masks.append((mask, (left + inner_x, top + inner_y)))
    labels = [CLASSES.index(label) if label in CLASSES else NO_CLASS for label in names]
    return AnnotatedCell(
        name=name,
        case=_case_of(name),
        image=cv2.imencode(".png", canvas)[1].tobytes(),
        suffix=".png",
        boxes=_boxes(masks),
        labels=np.asarray(labels, np.int16),
        masks=tuple(masks),
        status="" if Counter(labels)[NO_CLASS] else status_of(labels),
    )


def crop_mask(crop: NDArray[np.uint8]) -> Placed:
    """The largest object on white, its light bands filled, and the (x, y) of its first pixel.

    The crops were cut out by hand: outside the cut they are exactly white, so anything darker belongs to it.
    """
    dark = (crop < 252).astype(np.uint8)
    borders, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(borders, key=cv2.contourArea)
    x, y, width, height = cv2.boundingRect(largest)
    mask = np.zeros((height, width), np.uint8)
    cv2.drawContours(mask, [largest - (x, y)], -1, (1,), cv2.FILLED)
    return mask.astype(bool), (x, y)


def status_of(labels: Sequence[int]) -> str:
    """Say "numerical" for a count other than 46, "normal" for 46 in pairs, "" for anything else.

    A cell of 46 with three of one class and one of another is a mistake in the truth as likely as a finding.
    """
    if len(labels) != 46:
        return "numerical"
    copies = Counter(labels)
    paired = all(copies[index] == 2 for index in range(22))
    sex = (copies[CLASSES.index("X")], copies[CLASSES.index("Y")])
    return "normal" if paired and sex in {(2, 0), (1, 1)} else ""


def adir_mfish() -> list[AnnotatedCell]:
    """The cells of the slides that no training saw."""
    held_out = _held_out("adir_mfish")
    with zipfile.ZipFile(data_folder() / "adir_mfish" / "dapi_labels.zip") as file:
        names = [n.removesuffix("_dapi.png") for n in sorted(file.namelist()) if n.endswith("_dapi.png")]
        images = {n: file.read(f"{n}_dapi.png") for n in names if part_of(n[:3], one_in=5) == "validation"}
    return _with_masks(held_out, images, ".png")


def bioimlab_qband() -> list[AnnotatedCell]:
    """The cells that no training saw."""
    held_out = _held_out("bioimlab_qband")
    images = {}
    with zipfile.ZipFile(data_folder() / "bioimlab_qband" / "labelme.zip") as file:
        for member in sorted(n for n in file.namelist() if n.endswith(".json")):
            name = member.rsplit("/", 1)[-1].removesuffix(".json")
            if part_of(name, one_in=5) == "validation":
                images[name] = base64.b64decode(json.loads(file.read(member))["imageData"])
    suffix = ".png" if all(image.startswith(b"\x89PNG") for image in images.values()) else ".jpg"
    return _with_masks(held_out, images, suffix)


def _held_out(source: str) -> dict[str, Cell]:
    return {cell.name: cell for cell in load_cells(source) if cell.part == "validation"}


def _with_masks(truth: dict[str, Cell], images: dict[str, bytes], suffix: str) -> list[AnnotatedCell]:
    """Join truth and images; a held-out image without truth would flatter the figures, so it is an error."""
    if truth.keys() != images.keys():
        raise ValueError(f"truth and images differ: {sorted(truth.keys() ^ images.keys())}")
    cells = []
    for name, image in images.items():
        masks = tuple(mask for mask in truth[name].masks if mask is not None)
        cells.append(
            AnnotatedCell(
                name=name,
                case=truth[name].case,
                image=image,
                suffix=suffix,
                boxes=truth[name].boxes,
                labels=truth[name].labels,
                masks=masks,
            )
        )
    return cells


def _boxes(masks: Sequence[Placed]) -> NDArray[np.float32]:
    rows = [(x, y, x + mask.shape[1], y + mask.shape[0]) for mask, (x, y) in masks]
    return np.asarray(rows, np.float32).reshape(-1, 4)
