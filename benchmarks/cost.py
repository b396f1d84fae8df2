"""How long does a metaphase take, and how much memory a case?

These are measured alone, after everything else, because the two cores are all there is.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.annotated import AnnotatedCell
from benchmarks.figures import Figure, Section
from benchmarks.intervals import Estimate, Weights, case_numbers, estimate
from consilium.errors import InputError
from consilium.karyotype.arrange import arrange, to_png, to_svg
from consilium.karyotype.case import karyotype_image

THREADS = 2
TIMED = 60
"""Metaphases that are timed, evenly taken from the part."""

CASE_SIZE = 20
RUNS_OF_A_CASE = 3
_POLL_SECONDS = 0.02


def measure(cells: Sequence[AnnotatedCell], *, data: str) -> Section:
    """Time single metaphases in this process, then whole cases as commands.

    Args:
        cells: of the part, in any order.
        data: what they are, in words.
    """
    chosen = evenly(cells, TIMED)
    first, seconds = time_metaphases(chosen)
    numbers, count = case_numbers([cell.case for cell, _ in seconds])
    values = np.asarray([value for _, value in seconds])

    def median(weights: Weights) -> float:
        return weighted_median(values, weights[numbers])

    case = evenly(cells, CASE_SIZE)
    peaks, wall = zip(*(_run_case(case) for _ in range(RUNS_OF_A_CASE)), strict=True)
    runs = f"{len(case)} cells, {RUNS_OF_A_CASE} runs, interval from least to most; processes of the command added up"
    figures = (
        Figure(
            name="seconds_per_metaphase",
            estimate=estimate(median, count),
            data=data,
            note=f"{len(values)} metaphases, {THREADS} threads, read to SVG and PNG written; "
            f"slowest {values.max(initial=0.0):.2f} s",
        ),
        Figure(name="seconds_first_metaphase", estimate=_spread([first], first), data=data, note="one measurement"),
        Figure(name="memory_gb", estimate=_spread(peaks, max(peaks)), data=data, note=f"{runs}; value is the most"),
        Figure(
            name="seconds_per_case",
            estimate=_spread(wall, float(np.median(wall))),
            data=data,
            note=f"{runs}; value is the median",
        ),
    )
    return Section(figures=figures, tables={})


def evenly(cells: Sequence[AnnotatedCell], number: int) -> list[AnnotatedCell]:
    """Take `number` of them (all, if there are fewer), evenly spaced in the order of their names."""
    ordered = sorted(cells, key=lambda cell: cell.name)
    number = min(number, len(ordered))
    return [ordered[index * len(ordered) // number] for index in range(number)]


def time_metaphases(cells: Sequence[AnnotatedCell]) -> tuple[float, list[tuple[AnnotatedCell, float]]]:
    """Seconds of the first metaphase, which loads the models, and of each (the first read again).

    Images that the pipeline refuses are not timed: refusing is quick.
    """
    cv2.setNumThreads(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        paths = _write(cells, Path(folder))
        first = next((value for path in paths if (value := _seconds(path)) is not None), math.nan)
        timed = [
            (cell, value) for cell, path in zip(cells, paths, strict=True) if (value := _seconds(path)) is not None
        ]
    return first, timed


def _seconds(path: Path) -> float | None:
    began = time.perf_counter()
    try:
        karyogram = arrange(karyotype_image(path, threads=THREADS))
    except InputError:
        return None
    path.with_suffix(".svg").write_text(to_svg(karyogram, "en"), encoding="utf-8")
    path.with_suffix(".out.png").write_bytes(to_png(karyogram, "en").data)
    return time.perf_counter() - began


def _write(cells: Sequence[AnnotatedCell], folder: Path) -> list[Path]:
    paths = [folder / f"{cell.name}{cell.suffix}" for cell in cells]
    for cell, path in zip(cells, paths, strict=True):
        path.write_bytes(cell.image)
    return paths


def weighted_median(values: Sequence[float] | np.ndarray, weights: Weights) -> float:
    """The least value at or below which half of the weight lies; NaN without weight."""
    order = np.argsort(values)
    cumulated = np.cumsum(np.asarray(weights, np.float64)[order])
    if not len(cumulated) or not cumulated[-1]:
        return math.nan
    return float(np.asarray(values)[order][np.searchsorted(cumulated, cumulated[-1] / 2)])


def _run_case(cells: Sequence[AnnotatedCell]) -> tuple[float, float]:
    """Peak memory, GB, and seconds of one `consilium karyotype` on these cells."""
    with tempfile.TemporaryDirectory() as folder:
        paths = _write(cells, Path(folder))
        command = [sys.executable, "-m", "consilium", "karyotype", *map(str, paths), "--out", f"{folder}/out"]
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            peak = 0
            while process.poll() is None:
                peak = max(peak, resident_bytes(process.pid))
                time.sleep(_POLL_SECONDS)
            complaint = process.stderr.read() if process.stderr else ""
        # 3: done, but some of the images could not be used (`consilium.cli.exit_codes`).
        if process.returncode not in (0, 3):
            raise RuntimeError(f"consilium karyotype ended with {process.returncode}: {complaint.strip()[-500:]}")
        return peak / 1e9, time.perf_counter() - began


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants (Linux); pages they share are counted for each of them."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
        children = [
            child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return total  # it ended while it was looked at
    return total + sum(resident_bytes(int(child)) for child in children)


def _spread(values: Sequence[float], value: float) -> Estimate:
    return Estimate(value=value, low=min(values), high=max(values), n=len(values))
