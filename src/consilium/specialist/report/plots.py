"""The drawings of a report, as SVG: matplotlib (extra `specialist`), which is imported only when one is drawn.

Colours are Okabe and Ito's (2008, "Color universal design"), which colour-blind people tell apart; everything is told
apart by line or mark too, so that a grey print says the same. Letters are drawn as outlines: the same on every machine.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import MissingExtra, MissingFont
from consilium.specialist.report.curves import Curve
from consilium.typesetting.fonts import FONT_WAY_OUT, RARE_LETTER_WAY_OUT

Array = NDArray[np.float64]

BLUE, RED, GREEN, ORANGE, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"
INK, SOFT, HAIR, WASH = "#14181f", "#5b6675", "#c9d1db", "#eef1f5"
COLOURS = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY)
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a forest plot.

    Attributes:
        name: on the left.
        told: on the right, e.g. the figure in words, or why there is none.
        value, low, high: the figure; None where there is none.
        strong: drawn filled and bold.
    """

    name: str
    told: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    strong: bool = False


class Pen:
    """Draws; made once a report, with the font of its language.

    Args:
        chinese: a font file with Chinese; None: only what matplotlib's own font has.

    Raises:
        MissingExtra: matplotlib is not installed.
    """

    def __init__(self, chinese: Path | None) -> None:
        try:
            from matplotlib import font_manager
        except ImportError as missing:
            raise MissingExtra(
                "the drawings of a report need matplotlib",
                way_out="Install it with `pip install 'consilium[specialist]'`.",
            ) from missing
        self._families = ["DejaVu Sans"]
        self._chinese = chinese
        if chinese is not None:
            font_manager.fontManager.addfont(str(chinese))
            names = [one.name for one in font_manager.fontManager.ttflist if one.fname == str(chinese)]
            simplified = [one for one in names if one.endswith(" SC") and " Mono" not in one]
            self._families.append((simplified or names)[0])

    def drawn(self, size: tuple[float, float], draw: Callable[[Any], None]) -> str:
        """An SVG of a size in inches.

        Raises:
            MissingFont: a letter is in no font at hand.
        """
        import matplotlib
        from matplotlib.figure import Figure

        style: Any = {
            "font.family": self._families,
            "font.size": 8.5,
            "text.parse_math": False,
            "axes.unicode_minus": True,
            "svg.fonttype": "path",
            "svg.hashsalt": "consilium",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": SOFT,
            "axes.linewidth": 0.7,
            "axes.labelcolor": INK,
            "axes.titlesize": 9,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "xtick.color": SOFT,
            "ytick.color": SOFT,
            "xtick.labelcolor": INK,
            "ytick.labelcolor": INK,
            "text.color": INK,
            "legend.frameon": False,
            "legend.fontsize": 8,
            "figure.facecolor": "none",
            "axes.facecolor": "none",
        }
        page = io.BytesIO()
        with matplotlib.rc_context(style), _every_letter(self._chinese is not None):
            figure = Figure(figsize=size, layout="constrained")
            draw(figure)
            figure.savefig(page, format="svg", metadata={"Date": None, "Creator": None})
        text = page.getvalue().decode("utf-8")
        return text[text.index("<svg") :]

    def curves(
        self, panels: Sequence[tuple[str, str, Sequence[tuple[str, Curve]]]], *, titles: Sequence[str], chance: float
    ) -> str:
        """ROC and precision-recall side by side.

        Args:
            panels: label across, label up, and named curves of each panel.
            titles: of the panels.
            chance: precision by chance, drawn where there is one curve only.
        """

        def draw(figure: Any) -> None:
            for place, ((across, up, curves), axes) in enumerate(
                zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True)
            ):
                _square(axes, across, up, titles[place])
                if place == 0:
                    axes.plot([0, 1], [0, 1], color=SOFT, lw=0.7, ls=(0, (2, 3)))
                elif len(curves) == 1:
                    axes.axhline(chance, color=SOFT, lw=0.7, ls=(0, (2, 3)))
                for number, (name, curve) in enumerate(curves):
                    if len(curves) <= 2:
                        axes.fill_between(curve.across, curve.low, curve.high, color=COLOURS[number], alpha=0.18, lw=0)
                    axes.plot(curve.across, curve.up, color=COLOURS[number], ls=LINES[number], lw=1.7, label=name)
                if len(curves) > 1:
                    axes.legend(loc="lower right" if place == 0 else "lower left")

        return self.drawn((6.7, 3.35), draw)

    def forest(self, rows: Sequence[Row], *, label: str, reference: float | None, limits: tuple[float, float]) -> str:
        """Figures with intervals, one a line."""

        def draw(figure: Any) -> None:
            axes = figure.subplots()
            places = np.arange(len(rows))[::-1]
            if reference is not None:
                axes.axvline(reference, color=SOFT, lw=1.0, ls=(0, (2, 3)), zorder=1.5)
            for place, row in zip(places.tolist(), rows, strict=True):
                if row.value is None:
                    continue
                low = row.value if row.low is None else max(row.low, limits[0])
                high = row.value if row.high is None else min(row.high, limits[1])
                axes.plot([low, high], [place, place], color=BLUE, lw=2.2 if row.strong else 1.4)
                axes.plot(
                    row.value, place, marker="D" if row.strong else "o", ms=6, mec=BLUE, mew=1.3,
                    mfc=BLUE if row.strong else "white",
                )  # fmt: skip
            axes.set(xlim=limits, ylim=(-0.7, len(rows) - 0.3), xlabel=label)
            axes.set_yticks(places, [row.name for row in rows])
            for tick, row in zip(axes.get_yticklabels(), rows, strict=True):
                tick.set_fontweight("bold" if row.strong else "normal")
            axes.tick_params(axis="y", length=0)
            axes.spines["left"].set_visible(False)
            axes.grid(axis="x", color=WASH, lw=0.8, zorder=-1)
            axes.set_axisbelow(True)
            beside = axes.secondary_yaxis("right")
            beside.set_yticks(places, [row.told for row in rows])
            beside.tick_params(axis="y", length=0, labelcolor=INK)
            beside.spines["right"].set_visible(False)

        return self.drawn((6.7, 0.75 + 0.27 * len(rows)), draw)

    def confusion(self, table: Array, names: Sequence[str], *, across: str, up: str, whole: bool) -> str:
        """Numbers of cases, truth by answer; each row shaded by its share."""
        side = 1.5 + 0.62 * len(names)

        def draw(figure: Any) -> None:
            axes = figure.subplots()
            share = table / np.maximum(table.sum(1, keepdims=True), 1e-9)
            axes.imshow(share, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
            for row, column in np.ndindex(*table.shape):
                count = f"{table[row, column]:.0f}" if whole else f"{table[row, column]:.1f}"
                ink = "white" if share[row, column] > 0.6 else INK
                axes.text(column, row, f"{count}\n{share[row, column]:.0%}", ha="center", va="center", color=ink)
            axes.set_xticks(range(len(names)), names, rotation=25 if len(names) > 4 else 0, ha="center")
            axes.set_yticks(range(len(names)), names)
            axes.set(xlabel=across, ylabel=up)
            axes.tick_params(length=0)
            for one in axes.spines.values():
                one.set_visible(False)

        return self.drawn((min(side + 0.6, 6.7), min(side, 6.0)), draw)

    def reliability(self, panels: Sequence[tuple[str, Sequence[dict[str, Any]]]], *, across: str, up: str) -> str:
        """Observed share against probability, one panel a label."""
        columns = min(len(panels), 3)
        lines = -(-len(panels) // columns)

        def draw(figure: Any) -> None:
            grid = figure.subplots(lines, columns, squeeze=False).ravel()
            for axes in grid[len(panels) :]:
                axes.set_visible(False)
            for axes, (title, bins) in zip(grid, panels, strict=False):
                _square(axes, across, up, title)
                axes.plot([0, 1], [0, 1], color=SOFT, lw=0.8, ls=(0, (2, 3)))
                told = np.array([one["predicted"] for one in bins])
                seen = [one["observed"] for one in bins]
                middle, low, high = (np.array([one[key] for one in seen]) for key in ("value", "low", "high"))
                axes.fill_between(told, low, high, color=BLUE, alpha=0.18, lw=0)
                axes.errorbar(
                    told, middle, yerr=[middle - low, high - middle], color=BLUE, lw=1.3, elinewidth=0.8, marker="o",
                    ms=4, mfc="white", capsize=0,
                )  # fmt: skip

        return self.drawn((6.7 if columns > 1 else 3.7, 3.4 * lines if columns < 3 else 2.55 * lines), draw)

    def band(
        self, across: Array, up: Array, low: Array, high: Array, *, labels: tuple[str, str],
        limits: tuple[float, float], beyond: tuple[float, float, float, float] | None = None,
        baseline: float | None = None, percent: bool = False,
    ) -> str:  # fmt: skip
        """A line with intervals; `beyond` is one point more that is a guess: where, value, low, high."""

        def draw(figure: Any) -> None:
            axes = figure.subplots()
            axes.fill_between(across, low, high, color=BLUE, alpha=0.18, lw=0)
            axes.plot(across, up, color=BLUE, lw=1.6, marker="o", ms=4.5, mfc="white")
            if beyond is not None:
                place, value, bottom, top = beyond
                axes.fill_between(
                    [across[-1], place], [low[-1], bottom], [high[-1], top], facecolor="none", edgecolor=RED,
                    hatch="////", lw=0, alpha=0.45,
                )  # fmt: skip
                axes.plot([across[-1], place], [up[-1], value], color=RED, lw=1.4, ls="--")
                axes.errorbar(
                    [place], [value], yerr=[[value - bottom], [top - value]], color=RED, marker="D", ms=5, mfc="white"
                )
            if baseline is not None:
                axes.axhline(baseline, color=SOFT, lw=0.8, ls=(0, (2, 3)))
            axes.set(xlabel=labels[0], ylabel=labels[1], ylim=limits)
            if percent:
                axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
                axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
            axes.grid(color=WASH, lw=0.8)
            axes.set_axisbelow(True)

        return self.drawn((4.6, 2.8), draw)

    def histogram(self, values: Array, *, mark: float, told: str, label: str, count: str) -> str:
        """How values are spread, with one marked."""

        def draw(figure: Any) -> None:
            axes = figure.subplots()
            bins = max(min(round(np.sqrt(len(values)) * 2), 40), 8)
            axes.hist(values, bins=bins, color=SKY, ec="white", lw=0.5)
            axes.axvline(mark, color=RED, lw=1.8)
            low, high = axes.get_xlim()
            right = mark > (low + high) / 2
            axes.annotate(
                told, (mark, 1), xycoords=("data", "axes fraction"), xytext=(-5 if right else 5, -3),
                textcoords="offset points", ha="right" if right else "left", va="top", color=RED, fontweight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
            )  # fmt: skip
            axes.set(xlabel=label, ylabel=count)
            axes.locator_params(axis="y", integer=True, nbins=6)

        return self.drawn((4.6, 2.5), draw)

    def agreement(self, truth: Array, told: Array, *, half_width: float, across: str, up: str) -> str:
        """Predicted against true quantity, with the band that holds nine of ten."""

        def draw(figure: Any) -> None:
            axes = figure.subplots()
            ends = np.array([min(truth.min(), told.min()), max(truth.max(), told.max())])
            axes.fill_between(ends, ends - half_width, ends + half_width, color=BLUE, alpha=0.12, lw=0)
            axes.plot(ends, ends, color=SOFT, lw=0.8, ls=(0, (2, 3)))
            axes.plot(truth, told, "o", ms=3.5, mfc="white", mec=BLUE, mew=0.9)
            axes.set(xlabel=across, ylabel=up)

        return self.drawn((4.2, 3.6), draw)


def _square(axes: Any, across: str, up: str, title: str) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=across, ylabel=up, title=title, aspect="equal")
    axes.grid(color=WASH, lw=0.8)
    axes.set_axisbelow(True)


@contextmanager
def _every_letter(chinese: bool) -> Iterator[None]:
    """Turn matplotlib's warning of a missing letter into an error."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*missing from font", category=UserWarning)
            yield
    except UserWarning:
        way_out = RARE_LETTER_WAY_OUT if chinese else FONT_WAY_OUT
        raise MissingFont("a name of the report has a letter that no font at hand has", way_out=way_out) from None
