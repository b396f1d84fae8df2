"""Measure every figure that is quoted: `python -m benchmarks` (with CONSILIUM_DATA set; about 20 minutes).

The figures of the test part go to `benchmarks/results/`, those of the validation part (`--part validation`, the only
one to be looked at while something is developed) and of any sample (`--limit`) to `runs/benchmarks/`.

What needs no chromosomes has runs of its own, each with its results beside those: `python -m benchmarks.X`, X being
generalist, from_scratch, looks, breast, segmentation, coverage, fit_time, install, deidentify, iscn, iscn_fuzz,
lease_planning, library, joint_training, joint_tuning, editing, interactions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click
from rich.console import Console
from rich.markdown import Markdown

from benchmarks import (
    abnormality,
    changed,
    cost,
    cross_laboratory,
    detection,
    gallery,
    masks,
    naming,
    plots,
    results,
    structure,
)
from benchmarks.annotated import AnnotatedCell, Part, adir_mfish, bioimlab_qband, gband612, tseng2023
from benchmarks.figures import Section
from benchmarks.judged import Judged, judge, judge_given
from benchmarks.reading import Method, read_cells
from consilium.settings import DATA_VARIABLE, data_folder
from training.cells import RUNS

METHODS: tuple[Method, ...] = ("consilium", "classical")
CHANGED = 200
"""Pictures of which one chromosome is taken and to which one is added; evenly taken from the part."""

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One run over one part of the data; what several sections need is read once.

    Attributes:
        part: which cells of tseng2023.
        limit: only so many cells of each set, evenly taken; None: all.
        processes: cells read at once.
    """

    part: Part
    limit: int | None
    processes: int

    @cached_property
    def images(self) -> list[AnnotatedCell]:
        """The metaphases of the part."""
        return self._limited(tseng2023(self.part))

    @cached_property
    def read_images(self) -> dict[str, Sequence[Judged]]:
        """The metaphases of the part, judged, by method."""
        return self._judged(self.images, f"tseng2023_{self.part}")

    @cached_property
    def read_crops(self) -> Sequence[Judged]:
        """The cells of crops, named."""
        cells = self._limited(gband612(self.part))
        readings = read_cells(cells, "given", source="gband612", processes=self.processes)
        return [judge_given(cell, reading) for cell, reading in zip(cells, readings, strict=True)]

    def detection(self) -> Section:
        """Found, counted, read right as a whole."""
        return detection.measure(self.read_images, data=self._image_data)

    def changed(self) -> Section:
        """Counted when one chromosome more or less lies in the picture."""
        readings: dict[changed.Change, Sequence[Judged]] = {}
        for change, cells in changed.changed_cells(cost.evenly(self.images, CHANGED)).items():
            source = f"tseng2023_{self.part}_{change}"
            read = read_cells(cells, "consilium", source=source, processes=self.processes)
            readings[change] = [judge(cell, reading) for cell, reading in zip(cells, read, strict=True)]
        return changed.measure(readings, data=f"tseng2023, {self.part} part, {len(readings['lost'])} images")

    def naming(self) -> Section:
        """Confusion, calibration, flags."""
        return naming.measure(self.read_images, data=self._image_data)

    def abnormality(self) -> Section:
        """Gains and losses, by case and by cell of crops."""
        return abnormality.measure(
            self.read_images, self.read_crops, image_data=self._image_data, crop_data=self._crop_data
        )

    def masks(self) -> Section:
        """Mask AP50 on other stains."""
        sets = {"adir_mfish": self._limited(adir_mfish()), "bioimlab_qband": self._limited(bioimlab_qband())}
        data = {
            source: f"{source}, {len({c.case for c in cells})} held-out {unit}"
            for (source, cells), unit in zip(sets.items(), ("slides", "cells"), strict=True)
        }
        return masks.measure({source: self._judged(cells, source) for source, cells in sets.items()}, data=data)

    def cross_laboratory(self) -> Section:
        """Names and polarity on crops of another laboratory."""
        return cross_laboratory.measure(self.read_crops, data=self._crop_data)

    def structure(self) -> Section:
        """Structural prompts of normal cases, and real structural change, by case."""
        return structure.measure(
            self.images, tseng2023("structural"), part=self.part, processes=self.processes, data=self._image_data
        )

    def structure_built(self) -> Section:
        """Rearrangements built in normal cases; by far the slowest section."""
        return structure.measure_built(self.images, part=self.part, processes=self.processes, data=self._image_data)

    def cost(self) -> Section:
        """Time and memory."""
        return cost.measure(self.images, data=self._image_data)

    @property
    def _image_data(self) -> str:
        return f"tseng2023, {self.part} part, {len(self.images)} images"

    @property
    def _crop_data(self) -> str:
        return f"gband612, {len(self.read_crops)} cells"

    def _limited(self, cells: list[AnnotatedCell]) -> list[AnnotatedCell]:
        return cells if self.limit is None else cost.evenly(cells, self.limit)

    def _judged(self, cells: Sequence[AnnotatedCell], source: str) -> dict[str, Sequence[Judged]]:
        judged: dict[str, Sequence[Judged]] = {}
        for method in METHODS:
            readings = read_cells(cells, method, source=source, processes=self.processes)
            judged[method] = [judge(cell, reading) for cell, reading in zip(cells, readings, strict=True)]
        return judged


SECTIONS: dict[str, Callable[[Benchmark], Section]] = {
    "detection": Benchmark.detection,
    "changed": Benchmark.changed,
    "naming": Benchmark.naming,
    "abnormality": Benchmark.abnormality,
    "cross_laboratory": Benchmark.cross_laboratory,
    "masks": Benchmark.masks,
    "structure": Benchmark.structure,
    "structure_built": Benchmark.structure_built,
    "cost": Benchmark.cost,
}
"""In the order they are run: the cost last, when nothing else keeps the cores busy."""


@click.command(help=__doc__)
@click.option("--part", type=click.Choice(["test", "validation"]), default="test", show_default=True)
@click.option("--only", type=click.Choice(list(SECTIONS)), multiple=True, help="Only this section; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), help="Only so many cells of each set.")
@click.option("--processes", type=click.IntRange(min=1), default=2, show_default=True, help="Cells read at once.")
def main(part: Part, only: tuple[str, ...], limit: int | None, processes: int) -> None:
    """Run the sections one by one; each is written as soon as it is measured."""
    folder = data_folder()
    if folder is None or not folder.is_dir():
        raise click.UsageError(f"{DATA_VARIABLE} has to name the folder of real data")
    benchmark = Benchmark(part=part, limit=limit, processes=processes)
    name = part if limit is None else f"{part}_{limit}"
    pictures = RUNS / "benchmarks" / name
    out = RESULTS if name == "test" else pictures
    console = Console()
    document: results.Document = {}
    for section in [section for section in SECTIONS if not only or section in only]:
        console.rule(section)
        measured = SECTIONS[section](benchmark)
        document = results.write(out / "karyotype.json", part, {section: measured})
        if section == "naming":
            plots.plot_confusion(measured.tables, out / "confusion.png")
            plots.plot_calibration(measured.tables, out / "calibration.png")
            plots.plot_flags(measured.tables, out / "flags.png")
            gallery.draw_gallery(benchmark.read_images["consilium"], pictures / "worst_errors.png")
    console.print(Markdown(results.table(document)))
    console.print(f"Written: {out}, {pictures}", soft_wrap=True)


if __name__ == "__main__":
    main()
