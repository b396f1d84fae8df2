"""The plots and the gallery are drawn from real counts, of cells with and without errors, and stay small."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.gallery import draw_gallery
from benchmarks.naming import measure
from benchmarks.plots import plot_calibration, plot_confusion, plot_flags

SMALL = 400_000
"""Bytes of a picture that is committed."""


def cells(make, rod, normal):
    found = [rod(index, label, confidence=0.8) for index, label in enumerate(normal[:-1])]
    found[4] = rod(4, "4", confidence=0.99, flags=["odd_pair"])
    found[5] = rod(5, "X", confidence=0.7, flags=["low_confidence", "crossing"])
    return [make(normal), make(normal, [*found, rod(48, "7")], name="1002", case="101")]


def test_the_plots_are_small_pictures_with_ink(make, rod, normal, tmp_path: Path) -> None:
    tables = measure({"consilium": cells(make, rod, normal)}, data="made").tables
    for draw in (plot_confusion, plot_calibration, plot_flags):
        path = tmp_path / f"{draw.__name__}.png"
        draw(tables, path)
        page = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert page.std() > 5
        assert path.stat().st_size < SMALL


def test_more_errors_give_another_confusion_plot(make, rod, normal, tmp_path: Path) -> None:
    pages = []
    for number, own in enumerate((cells(make, rod, normal), cells(make, rod, normal)[:1])):
        tables = measure({"consilium": own}, data="made").tables
        plot_confusion(tables, tmp_path / f"{number}.png")
        pages.append(cv2.imread(str(tmp_path / f"{number}.png")))
    assert pages[0].shape == pages[1].shape
    assert np.any(pages[0] != pages[1])


def test_the_gallery_shows_each_kind_of_error(make, rod, normal, tmp_path: Path) -> None:
    draw_gallery(cells(make, rod, normal), tmp_path / "made" / "errors.png")
    page = cv2.imread(str(tmp_path / "made" / "errors.png"))
    reddish = (page[..., 2] > 180) & (page[..., 1] < 90) & (page[..., 0] < 90)
    # No outline among the names; one around the missed Y, below it one around the false 7.
    rows = np.flatnonzero(reddish.any(1))
    gap = int(np.diff(rows).argmax())
    assert np.diff(rows)[gap] > page.shape[0] // 10
    assert reddish[: page.shape[0] // 4].sum() == 0
    assert reddish[: rows[gap] + 1].sum() > 50
    assert reddish[rows[gap + 1] :].sum() > 50


def test_without_errors_the_gallery_is_empty(make, normal, tmp_path: Path) -> None:
    draw_gallery([make(normal)], tmp_path / "none.png")
    page = cv2.imread(str(tmp_path / "none.png"))
    assert (page[page.shape[0] // 4 :] == 255).all()
