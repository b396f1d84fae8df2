"""Read annotated cells with a method, two at a time, and keep what was read.

A reading is kept under `runs/benchmarks/readings/`, in a folder named by the hash of the models and of the code that
made it; a run that was interrupted goes on where it stopped, and nothing stale is ever used.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import pickle
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import consilium
from benchmarks.annotated import AnnotatedCell
from benchmarks.classical import find_classically
from consilium.artefact.card import read_card
from consilium.errors import InputError
from consilium.karyotype.case import Stages, karyotype_image, shipped_stages
from consilium.karyotype.choose import keep_all
from consilium.karyotype.metaphase import Instance, Metaphase, Normalised
from consilium.karyotype.models import WEIGHTS
from training.cells import RUNS

Method = Literal["consilium", "classical", "given"]
"""The pipeline as shipped; the classical finder before the same names; the objects given, only the names wanted."""

KEPT = RUNS / "benchmarks" / "readings"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a method made of a cell.

    Attributes:
        metaphase: the result, without its pixels; None where the method refused the image.
        error: why it refused, "" where it did not.
    """

    metaphase: Metaphase | None
    error: str = ""


def read_cell(cell: AnnotatedCell, method: Method) -> Reading:
    """Read one cell on one thread."""
    cv2.setNumThreads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{cell.name}{cell.suffix}"
            path.write_bytes(cell.image)
            metaphase = karyotype_image(path, threads=1, stages=_stages(cell, method))
    except InputError as problem:
        return Reading(metaphase=None, error=f"{type(problem).__name__}: {problem.what}")
    return Reading(metaphase=replace(metaphase, pixels=np.zeros((0, 0), np.uint8)))


def read_cells(cells: Sequence[AnnotatedCell], method: Method, *, source: str, processes: int) -> list[Reading]:
    """Read many cells, or take up what an earlier run of the same models and code has read of them.

    Args:
        cells: whose names differ.
        method: how.
        source: the data set, for the progress bar and the folder.
        processes: how many cells are read at once, each on one thread.
    """
    folder = KEPT / fingerprint() / f"{method}_{source}"
    folder.mkdir(parents=True, exist_ok=True)
    paths = {cell.name: folder / f"{cell.name}.pickle" for cell in cells}
    missing = [cell for cell in cells if not paths[cell.name].exists()]
    with _progress() as progress:
        task = progress.add_task(f"{source}, {method}", total=len(cells), completed=len(cells) - len(missing))
        for cell, reading in _read_all(missing, method, processes):
            _keep(reading, paths[cell.name])
            progress.advance(task)
    return [_kept(paths[cell.name]) for cell in cells]


def _read_all(
    cells: Sequence[AnnotatedCell], method: Method, processes: int
) -> Iterator[tuple[AnnotatedCell, Reading]]:
    if processes == 1 or len(cells) < 2:
        for cell in cells:
            yield cell, read_cell(cell, method)
        return
    # A forked child would inherit threads that it cannot use.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(read_cell, cell, method): cell for cell in cells}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (TextColumn("{task.description:<30}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        yield progress


def _keep(reading: Reading, path: Path) -> None:
    partial = path.with_suffix(".partial")
    partial.write_bytes(zlib.compress(pickle.dumps(reading, protocol=5), 1))
    partial.replace(path)


def _kept(path: Path) -> Reading:
    reading = pickle.loads(zlib.decompress(path.read_bytes()))  # written by `_keep`, never a download
    assert isinstance(reading, Reading)
    return reading


@cache
def fingerprint(stages: tuple[str, ...] = ()) -> str:
    """16 hexadecimal digits that change with every model, threshold and line of code a reading depends on.

    Args:
        stages: modules of `karyotype` that it depends on; empty: all of them, and what they stand on.
    """
    package = Path(consilium.__file__).parent
    here = Path(__file__).parent
    code = [package / "karyotype" / f"{name}.py" for name in stages]
    if not stages:
        code += [*package.glob("karyotype/*.py"), *package.glob("imaging/*.py"), *package.glob("cytogenetics/*.py")]
    if not stages:
        code += [here / f"{name}.py" for name in ("annotated", "classical", "reading")]
    digest = hashlib.sha256()
    for path in sorted(code):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    # Of a card only what is computed with: its figures are what this benchmark itself writes.
    cards = sorted(WEIGHTS.glob("*.json"))
    if stages:
        cards = [path for path in cards if path.stem in ("detector", "amodal", "classifier")]
    for card in map(read_card, cards):
        digest.update(f"{card.name} {card.sha256} {sorted(card.constants.items())}".encode())
    return digest.hexdigest()[:16]


def _stages(cell: AnnotatedCell, method: Method) -> Stages:
    if method == "consilium":
        return shipped_stages()
    return replace(shipped_stages(), find=find_classically if method == "classical" else _Given(cell), choose=keep_all)


@dataclass(frozen=True)
class _Given:
    """A finder that knows where the objects of one cell are."""

    cell: AnnotatedCell

    def __call__(self, normalised: Normalised, *, threads: int | None = None) -> tuple[Instance, ...]:
        if self.cell.masks is None:
            raise ValueError(f"{self.cell.name} has no masks that could be given")
        return tuple(
            Instance(box=tuple(float(side) for side in box), mask=mask, origin=origin, score=1.0)  # type: ignore[arg-type]
            for box, (mask, origin) in zip(self.cell.boxes, self.cell.masks, strict=True)
        )
