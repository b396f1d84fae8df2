"""The pictures that are committed: plots of counts, without a pixel of anybody's image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Sheet

DPI = 110


def plot_confusion(tables: Mapping[str, Any], path: Path) -> None:
    """The confusion matrix as shares of each true class, wrong cells with their counts."""
    counts = np.asarray(tables["confusion_consilium"], np.float64)
    rows, columns = tables["confusion_rows"], tables["confusion_columns"]
    sizes = counts.sum(1, keepdims=True)
    # False detections have no class of their own: they are shown against a class of usual size.
    sizes[-1] = sizes[:-1].mean()
    shares = np.minimum(counts / np.maximum(sizes, 1), 1)
    sheet = Sheet(figsize=(11, 10), dpi=DPI, layout="constrained")
    axes = sheet.subplots()
    # The square root, because errors are a few in a thousand and would all be white.
    image = axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        if row != column:
            axes.text(column, row, f"{counts[row, column]:.0f}", ha="center", va="center", fontsize=7, color="#b03030")
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.set(xlabel="named as", ylabel="true class", title="Confusion of names (numbers: wrong ones)")
    bar = sheet.colorbar(image, ax=axes, shrink=0.7, ticks=np.sqrt([0, 0.01, 0.1, 0.5, 1]))
    bar.ax.set_yticklabels(["0", "1 %", "10 %", "50 %", "100 %"])
    sheet.savefig(path)


def plot_calibration(tables: Mapping[str, Any], path: Path) -> None:
    """Accuracy against confidence in groups of equal size, both on the scale of the odds of being wrong."""
    sheet = Sheet(figsize=(6.2, 5.6), dpi=DPI, layout="constrained")
    axes = sheet.subplots()
    axes.plot([1e-4, 1], [1e-4, 1], color="#888888", linewidth=1, label="perfect")
    for method, colour, name in (("consilium", "#1f5fa8", "Consilium"), ("classical", "#c07020", "classical baseline")):
        points: Sequence[Sequence[float]] = tables.get(f"reliability_{method}", [])
        if points:
            wrong = [max(1 - accuracy, 0.5 / number) for _, accuracy, number in points]
            axes.plot([max(1 - c, 1e-4) for c, _, _ in points], wrong, "o-", color=colour, label=name, markersize=4)
    axes.set(xscale="log", yscale="log", xlim=(1e-4, 1), ylim=(1e-4, 1))
    axes.set(xlabel="1 - confidence", ylabel="share of wrong names", title="Calibration (groups of equal size)")
    axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    axes.legend(frameon=False)
    sheet.savefig(path)


def plot_flags(tables: Mapping[str, Any], path: Path) -> None:
    """What each flag costs (share of all chromosomes) and brings (share of the wrong names)."""
    flags: Mapping[str, Mapping[str, float]] = tables["flags_consilium"]
    codes = list(flags)[::-1]
    sheet = Sheet(figsize=(7.5, 0.5 * len(codes) + 1.4), dpi=DPI, layout="constrained")
    axes = sheet.subplots()
    places = np.arange(len(codes))
    axes.barh(places + 0.2, [flags[c]["share_of_wrong"] for c in codes], 0.38, color="#b03030", label="of wrong names")
    axes.barh(places - 0.2, [flags[c]["share_of_all"] for c in codes], 0.38, color="#8fa8c8", label="of all")
    axes.set_yticks(places, codes)
    axes.set(xlim=(0, 1), xlabel="share of chromosomes that carry the flag")
    axes.legend(frameon=False)
    sheet.savefig(path)
