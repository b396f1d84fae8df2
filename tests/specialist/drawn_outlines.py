"""Outlined pictures and volumes as files with their table, drawn by tests."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image


def table(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def outlined_pictures(
    folder: Path, count: int, *, seed: int = 0, empty: int = 0, aside: int = 0, two: bool = False, scale: int = 1
) -> Path:
    """Discs brighter than the ground, two pictures a patient; the last `aside` are set aside.

    Args:
        folder: is made.
        count: of pictures.
        seed: of places and noise.
        empty: so many pictures have nothing in them.
        aside: cases of the test part.
        two: the right half of a disc is a class of its own, brighter; numbers are 128 and 255.
        scale: pixels of a side of each drawn pixel, of 48 x 64.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[:48, :64]
    rows: list[dict[str, object]] = []
    for number in range(count):
        row, column, radius = rng.integers(16, 32), rng.integers(18, 46), rng.uniform(7, 11)
        disc = np.hypot(down - row, across - column) < radius
        if number < empty:
            disc[:] = False
        right = disc & (across >= column) if two else np.zeros_like(disc)
        grey = 0.25 + 0.3 * disc + 0.25 * right + 0.07 * rng.standard_normal(disc.shape)
        levels = (np.clip(grey, 0, 1) * 255).astype(np.uint8).repeat(scale, 0).repeat(scale, 1)
        mask = np.where(right, 255, np.where(disc, 128 if two else 255, 0)).astype(np.uint8)
        Image.fromarray(levels).save(folder / f"{number:03d}.png")
        Image.fromarray(mask.repeat(scale, 0).repeat(scale, 1)).save(folder / f"{number:03d}_mask.png")
        rows.append(
            {
                "file": f"{number:03d}.png",
                "mask": f"{number:03d}_mask.png",
                "group": f"patient {number // 2}",
                "sex": "fm"[number // 2 % 2],
                "split": "test" if number >= count - aside else "",
            }
        )
    return table(folder / "cases.csv", rows)


def outlined_volumes(folder: Path, count: int, *, seed: int = 0) -> Path:
    """Balls in NIfTI volumes of 1.5 x 1 x 2 mm, a turned affine, label maps beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    grid = np.mgrid[:10, :12, :14].astype(np.float64)
    affine = np.array([[0, -1.5, 0, 5], [1, 0, 0, -7], [0, 0, 2, 11], [0, 0, 0, 1.0]])
    rows: list[dict[str, object]] = []
    for number in range(count):
        middle = np.array([rng.uniform(4, 6), rng.uniform(5, 7), rng.uniform(5, 9)])
        ball = np.linalg.norm(grid - middle[:, None, None, None], axis=0) < rng.uniform(2.8, 3.8)
        values = 40 + 120 * ball + 9 * rng.standard_normal(ball.shape)
        for name, array in ((f"{number}.nii.gz", values), (f"{number}_labels.nii.gz", ball)):
            image = nibabel.Nifti1Image(array.transpose(2, 1, 0).astype(np.int16), affine)
            image.set_sform(affine, 1)
            nibabel.save(image, folder / name)
        rows.append({"file": f"{number}.nii.gz", "mask": f"{number}_labels.nii.gz"})
    return table(folder / "cases.csv", rows)
