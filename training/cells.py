"""Real cells as the recipes see them: darkness, boxes, labels and, where they exist, masks.

Every set is read from `CONSILIUM_DATA`; a cell is normalised once and kept in `runs/cells/` so that the
recipes start in seconds. `tseng2023` is split by case: its test part is never opened here, and one case in
twenty of its train part is kept for validation.
"""

from __future__ import annotations

import base64
import csv
import gzip
import json
import os
import pickle
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.errors import ConsiliumError
from consilium.karyotype.metaphase import CLASSES
from consilium.karyotype.normalise import normalise
from training.rendered import draw

DARKNESS_SCALE = 160
"""Darkness is kept as uint8: 160 stands for 1.0."""

SHARDS = 16
"""Parts in which a set is read; each is one process' work."""

CORES = os.cpu_count() or 1

RUNS = Path(os.environ.get("CONSILIUM_RUNS", "runs"))


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training cell.

    Attributes:
        darkness: (H, W) uint8, `DARKNESS_SCALE` = 1.0.
        boxes: (N, 4) float32, xmin ymin xmax ymax, exclusive maxima.
        labels: (N,) int16 index into CLASSES, -1 unknown.
        masks: per object (mask (h, w) bool, (x, y)) or None where only the box is known.
        part: "train" or "validation".
    """

    name: str
    source: str
    case: str
    part: str
    width: float
    darkness: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int16]
    masks: tuple[tuple[NDArray[np.bool_], tuple[int, int]] | None, ...]


def data_folder() -> Path:
    return Path(os.environ["CONSILIUM_DATA"]) / "chromosome"


def part_of(case: str, *, one_in: int = 20) -> str:
    """Validation for about one case in `one_in`, by a hash of its name, so that every recipe agrees."""
    return "validation" if zlib.crc32(case.encode()) % one_in == 0 else "train"


def half_of(case: str) -> int:
    """0 or 1, by a hash of the name: looks that follow one another learn each half from what has not learnt of it."""
    return zlib.crc32(f"half {case}".encode()) % 2


def runs(without: int | None = None) -> Path:
    """The folder of what was trained on everything, or without a half of the cases."""
    folder = RUNS if without is None else RUNS / f"without_{without}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def learnt(cells: list[Cell], without: int | None = None) -> list[Cell]:
    """The cells that a look learns from: those of the train part, less those of a half of the G-banded cases.

    Of other stains, and of drawn cells, there are too few to leave out half.
    """
    return [
        cell for cell in cells if cell.part == "train" and (cell.source != "tseng2023" or half_of(cell.case) != without)
    ]


def unlearnt_half(cell: Cell) -> int | None:
    """Which looks have not learnt from a cell: those without that half; None: those that have learnt from all."""
    return half_of(cell.case) if cell.source == "tseng2023" and cell.part == "train" else None


def abnormal_images() -> frozenset[str]:
    """Names of the images of tseng2023 whose case is published as numerically or structurally abnormal."""
    with gzip.open(data_folder() / "tseng2023" / "images.csv.gz", "rt") as file:
        return frozenset(row["image"] for row in csv.DictReader(file) if row["status"] != "normal")


def load_cells(source: str) -> list[Cell]:
    """All cells of one set: "tseng2023", "adir_mfish", "bioimlab_qband", or the drawn ones, "rendered"."""
    kept = RUNS / "cells" / f"{source}.pickle"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        # Not forked: whoever asks may have threads of ONNX Runtime and OpenCV, whose locks a fork would keep for ever.
        with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as pool:
            cells = [c for part in pool.map(_read, *zip(*_shards(source), strict=True)) for c in part]
        partial = kept.with_suffix(".partial")
        partial.write_bytes(pickle.dumps(cells, protocol=5))
        partial.rename(kept)
    cells = pickle.loads(kept.read_bytes())  # written by this module a moment ago, never a download
    assert isinstance(cells, list)
    return cells


def _shards(source: str) -> list[tuple[str, int]]:
    return [(source, shard) for shard in range(SHARDS)]


def _read(source: str, shard: int) -> list[Cell]:
    cv2.setNumThreads(1)
    reader = {"tseng2023": _tseng, "adir_mfish": _adir, "bioimlab_qband": _bioimlab, "rendered": _rendered}[source]
    return list(reader(shard))


def _grey(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def _darkness(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float] | None:
    try:
        normalised = normalise(pixels)
    except ConsiliumError:
        return None
    return np.clip(normalised.darkness * DARKNESS_SCALE, 0, 255).astype(np.uint8), normalised.chromosome_width


def _tseng(shard: int) -> Iterator[Cell]:
    folder = data_folder() / "tseng2023"
    with gzip.open(folder / "images.csv.gz", "rt") as file:
        images = {row["image"]: row for row in csv.DictReader(file) if row["split"] == "train"}
    boxes: dict[str, list[tuple[str, list[float]]]] = defaultdict(list)
    with gzip.open(folder / "boxes.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if row["image"] in images:
                box = [float(row[k]) for k in ("xmin", "ymin", "xmax", "ymax")]
                boxes[row["image"]].append((row["chromosome"], box))
    for archive in ("train_1.zip", "train_2.zip"):
        with zipfile.ZipFile(folder / archive) as file:
            for member in sorted(file.namelist())[shard::SHARDS]:
                name = member.removesuffix(".webp")
                found = _darkness(_grey(file.read(member)))
                if found is None:
                    continue
                truth = np.asarray([b for _, b in boxes[name]], np.float32)
                labels = np.asarray([CLASSES.index(c) for c, _ in boxes[name]], np.int16)
                case = images[name]["case"]
                masks = tuple(isolated_masks(found[0], truth))
                yield Cell(
                    name=name, source="tseng2023", case=case, part=part_of(case), width=found[1],
                    darkness=found[0], boxes=truth, labels=labels, masks=masks,
                )  # fmt: skip


def isolated_masks(
    darkness: NDArray[np.uint8], boxes: NDArray[np.float32]
) -> Iterator[tuple[NDArray[np.bool_], tuple[int, int]] | None]:
    """The mask of each chromosome that lies alone in its box, by threshold; None for the others."""
    foreground = (cv2.GaussianBlur(darkness, (0, 0), 0.8) > 0.24 * DARKNESS_SCALE).astype(np.uint8)
    _, components, stats, _ = cv2.connectedComponentsWithStats(foreground, connectivity=8)
    for index, (xmin, ymin, xmax, ymax) in enumerate(boxes.astype(int)):
        inside = components[max(ymin, 0) : ymax, max(xmin, 0) : xmax]
        if inside.size == 0:
            yield None
            continue
        counts = np.bincount(inside.ravel(), minlength=len(stats))
        counts[0] = 0
        main = int(counts.argmax())
        x, y, w, h, area = (int(v) for v in stats[main])
        fits = x >= xmin - 3 and y >= ymin - 3 and x + w <= xmax + 3 and y + h <= ymax + 3
        large = w * h >= 0.55 * (xmax - xmin) * (ymax - ymin) and area >= 150
        others = np.delete(boxes, index, axis=0)
        centres = (others[:, :2] + others[:, 2:]) / 2
        sharing = [
            components[int(np.clip(cy, 0, darkness.shape[0] - 1)), int(np.clip(cx, 0, darkness.shape[1] - 1))] == main
            for cx, cy in centres
        ]
        overlap = np.minimum(others[:, 2:], (x + w, y + h)) - np.maximum(others[:, :2], (x, y))
        covered = float((np.clip(overlap, 0, None).prod(1) / (others[:, 2:] - others[:, :2]).prod(1)).max(initial=0))
        if not (fits and large) or any(sharing) or covered > 0.5:
            yield None
            continue
        mask = (components[y : y + h, x : x + w] == main).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        filled = cv2.drawContours(np.zeros_like(mask), contours, -1, 1, cv2.FILLED)
        yield filled.astype(bool), (x, y)


def _adir(shard: int) -> Iterator[Cell]:
    with zipfile.ZipFile(data_folder() / "adir_mfish" / "dapi_labels.zip") as file:
        members = sorted(n for n in file.namelist() if n.endswith("_dapi.png"))
        for member in members[shard::SHARDS]:
            found = _darkness(_grey(file.read(member)))
            if found is None:
                continue
            masks, labels = label_map_instances(_grey(file.read(member.replace("_dapi", "_labels"))))
            slide = member[:3]
            yield Cell(
                name=member.removesuffix("_dapi.png"), source="adir_mfish", case=slide, part=part_of(slide, one_in=5),
                width=found[1], darkness=found[0], boxes=boxes_of(masks), labels=labels, masks=tuple(masks),
            )  # fmt: skip


Masks = list[tuple[NDArray[np.bool_], tuple[int, int]]]


def label_map_instances(labels: NDArray[np.uint8]) -> tuple[Masks, NDArray[np.int16]]:
    """Instances of an ADIR label map: pieces of one class joined through the overlap blobs (255) they touch."""
    masks: Masks = []
    names: list[int] = []
    _, blobs = cv2.connectedComponents((labels == 255).astype(np.uint8), connectivity=8)
    for value in range(1, 25):
        own = (labels == value).astype(np.uint8)
        if not own.any():
            continue
        near = np.unique(blobs[cv2.dilate(own, np.ones((3, 3), np.uint8)) > 0])
        joined = (own > 0) | np.isin(blobs, near[near > 0])
        count, components, stats, _ = cv2.connectedComponentsWithStats(joined.astype(np.uint8), connectivity=8)
        for index in range(1, count):
            x, y, w, h, _ = (int(v) for v in stats[index])
            mask = components[y : y + h, x : x + w] == index
            if (mask & (own[y : y + h, x : x + w] > 0)).sum() >= 40:
                masks.append((mask, (x, y)))
                names.append(value - 1)
    return masks, np.asarray(names, np.int16)


def boxes_of(masks: Masks) -> NDArray[np.float32]:
    rows = [(x, y, x + m.shape[1], y + m.shape[0]) for m, (x, y) in masks]
    return np.asarray(rows, np.float32).reshape(-1, 4)


def _bioimlab(shard: int) -> Iterator[Cell]:
    with zipfile.ZipFile(data_folder() / "bioimlab_qband" / "labelme.zip") as file:
        for member in sorted(n for n in file.namelist() if n.endswith(".json"))[shard::SHARDS]:
            record = json.loads(file.read(member))
            found = _darkness(_grey(base64.b64decode(record["imageData"])))
            if found is None:
                continue
            masks: Masks = []
            for shape in record["shapes"]:
                points = np.round(np.asarray(shape["points"])).astype(np.int32)
                if len(points) < 3:
                    continue
                low = np.maximum(points.min(0), 0)
                size = np.minimum(points.max(0) + 1, found[0].shape[::-1]) - low
                mask = cv2.fillPoly(np.zeros(size[::-1], np.uint8), [points - low], 1)
                if mask.sum() >= 40:
                    masks.append((mask.astype(bool), (int(low[0]), int(low[1]))))
            name = member.rsplit("/", 1)[-1].removesuffix(".json")
            yield Cell(
                name=name, source="bioimlab_qband", case=name, part=part_of(name, one_in=5), width=found[1],
                darkness=found[0], boxes=boxes_of(masks), labels=np.full(len(masks), -1, np.int16), masks=tuple(masks),
            )  # fmt: skip


def _rendered(shard: int, count: int = 45) -> Iterator[Cell]:
    return drawn_cells([7, shard], count)


def drawn_cells(seed: list[int], count: int) -> Iterator[Cell]:
    """Drawn cells; another seed draws others."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        drawn = draw(rng)
        found = _darkness(drawn.pixels)
        if found is None:
            continue
        masks = [(one.mask, one.origin) for one in drawn.truth]
        # People draw boxes with a margin, and boxes drawn by people are what the detector is to report.
        slack = rng.uniform(0, 6, (len(masks), 4)) * (-1, -1, 1, 1)
        name = f"rendered {seed[-1]}.{number}"
        yield Cell(
            name=name, source="rendered", case=name, part="train", width=found[1], darkness=found[0],
            boxes=(boxes_of(masks) + slack).astype(np.float32), masks=tuple(masks),
            labels=np.asarray([CLASSES.index(one.label) for one in drawn.truth], np.int16),
        )  # fmt: skip
