"""The drawings of a report on outlines: how cases are spread, and how well sizes agree; colours as in `plots.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from consilium.specialist.report.plots import BLUE, INK, ORANGE, RED, SOFT, WASH, Array, Pen


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """True and found sizes of one label.

    Attributes:
        name: of the label.
        true, found: (n,) of the cases that have it.
        bias, low, high: mean difference and limits of agreement.
    """

    name: str
    true: Array
    found: Array
    bias: float
    low: float
    high: float


def spread(
    pen: Pen, panels: Sequence[tuple[str, Sequence[tuple[str, Array]]]], *, missed: Sequence[int], cases: str
) -> str:
    """Every case as a dot above its quartiles: one panel a figure, one row a label.

    Args:
        pen: draws.
        panels: name of the figure, and values 0..1 of each label.
        missed: cases of each label of which nothing was hit; they are among those of value 0.
        cases: what the bars count.
    """
    rows = len(panels[0][1])

    def draw(figure: Any) -> None:
        grid = figure.subplots(rows, len(panels), squeeze=False, sharex=True)
        for column, (name, labels) in enumerate(panels):
            for row, (label, values) in enumerate(labels):
                axes = grid[row][column]
                counts, edges = np.histogram(values, bins=20, range=(0, 1))
                axes.bar(edges[:-1], counts, width=0.05, align="edge", color=BLUE, alpha=0.85, ec="white", lw=0.6)
                # Cases that were missed outright are a finding of their own, not the left end of a spread.
                if missed[row]:
                    axes.bar([0], [missed[row]], width=0.05, align="edge", color=RED, ec="white", lw=0.6, hatch="///")
                low, middle, high = np.percentile(values, [25, 50, 75])
                top = max(int(counts.max()), 1)
                axes.plot([low, high], [-0.09 * top] * 2, color=INK, lw=3.2, solid_capstyle="butt")
                axes.plot(middle, -0.09 * top, "o", ms=5, mfc="white", mec=INK, mew=1.3)
                axes.set(xlim=(-0.01, 1.01), ylim=(-0.18 * top, 1.12 * top))
                axes.locator_params(axis="y", integer=True, nbins=5)
                axes.set_yticks([one for one in axes.get_yticks() if 0 <= one <= top])
                if row == 0:
                    axes.set_title(name)
                if column == 0:
                    axes.set_ylabel(f"{label}\n{cases}" if label else cases)

    return pen.drawn((6.7, 0.7 + 1.55 * rows), draw)


def agreement_of_sizes(pen: Pen, panels: Sequence[Sizes], *, across: str, up: str) -> str:
    """Difference against mean of true and found size, with bias and limits of agreement, one panel a label."""
    columns = min(len(panels), 2)
    lines = -(-len(panels) // columns)

    def draw(figure: Any) -> None:
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        for axes, one in zip(grid, panels, strict=False):
            missed = one.found == 0
            middle, gap = (one.true + one.found) / 2, one.found - one.true
            axes.axhspan(one.low, one.high, color=BLUE, alpha=0.10, lw=0)
            axes.axhline(0, color=SOFT, lw=0.8, ls=(0, (2, 3)))
            axes.axhline(one.bias, color=BLUE, lw=1.3)
            for level in (one.low, one.high):
                axes.axhline(level, color=BLUE, lw=0.9, ls="--")
            axes.plot(middle[~missed], gap[~missed], "o", ms=3.6, mfc="white", mec=ORANGE, mew=1.0)
            axes.plot(middle[missed], gap[missed], "x", ms=4.6, color=RED, mew=1.2)
            axes.set(xlabel=across, ylabel=up, title=one.name)
            axes.grid(color=WASH, lw=0.8)
            axes.set_axisbelow(True)

    return pen.drawn((6.7 if columns > 1 else 4.6, 2.9 * lines), draw)
