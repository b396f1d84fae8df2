"""From image files to a case: every stage in its order, cell by cell, and what the cells say together."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from consilium.errors import ConsiliumError, InputError, NothingToDo
from consilium.imaging.read import read_image
from consilium.karyotype.assign import Assigned, assign
from consilium.karyotype.choose import Chosen, choose
from consilium.karyotype.classify import Classified, classify
from consilium.karyotype.count import count_cell, modal_karyotype
from consilium.karyotype.find import find_chromosomes
from consilium.karyotype.flags import PROBABLY_PRESENT, case_flags, cell_flags, chromosome_flags
from consilium.karyotype.image_names import image_names, plain_text
from consilium.karyotype.metaphase import (
    Appearance,
    Case,
    Chromosome,
    Failure,
    Instance,
    Metaphase,
    Normalised,
    Suspect,
)
from consilium.karyotype.models import model_references, using
from consilium.karyotype.normalise import normalise
from consilium.karyotype.quality import assess
from consilium.karyotype.record import ModelReference
from consilium.karyotype.structure import look, suspects
from consilium.karyotype.synthetic import is_synthetic
from consilium.karyotype.workers import available_cores, map_in_processes

CORES_A_WORKER = 2
"""A model run keeps two cores busy; more workers than half the cores only take more memory."""

MOST_WORKERS = 8
"""Each worker holds its own models, about 0.3 GB."""

REASONS_LISTED = 5
"""How many unusable images one message names before it becomes unreadable."""

DISPLAY_WINDOW = (0.05, 99.95)
"""Percentiles of a 16-bit picture that become black and white: a single hot pixel must not darken the rest."""


class Finder(Protocol):
    """Finds what may be a chromosome of a cell (see `find_chromosomes`)."""

    def __call__(self, normalised: Normalised, *, threads: int | None = None) -> tuple[Instance, ...]:
        """Return the objects of a cell."""


class Classifier(Protocol):
    """Reads and orients the objects of a cell (see `classify`)."""

    def __call__(
        self, normalised: Normalised, instances: Sequence[Instance], *, threads: int | None = None
    ) -> Classified:
        """Return probabilities, angles and polarity for every object."""


class Chooser(Protocol):
    """Decides which of the objects are chromosomes (see `choose`)."""

    def __call__(self, probabilities: NDArray[np.float32], objects: Sequence[Instance]) -> Chosen:
        """Return which are kept, and how likely each is a chromosome."""


class Assigner(Protocol):
    """Names the objects of a cell, all considered at once (see `assign`)."""

    def __call__(self, probabilities: NDArray[np.float32]) -> Assigned:
        """Return labels and confidences for every object."""


class Looker(Protocol):
    """Judges how rearranged each chromosome looks (see `structure`)."""

    def __call__(
        self, read: Classified, kept: NDArray[np.intp], labels: Sequence[str], *, threads: int | None = None
    ) -> tuple[Appearance | None, ...]:
        """Return one for each kept object, None where it was not judged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stages:
    """The stages that hang on models, and which models those are; others can take their place.

    Attributes:
        models: names the models; raises ModelError where one is missing.
    """

    find: Finder
    classify: Classifier
    choose: Chooser
    assign: Assigner
    structure: Looker
    suspects: Callable[[Sequence[Metaphase]], tuple[Suspect, ...]]
    models: Callable[[], tuple[ModelReference, ...]]


def shipped_stages() -> Stages:
    """The stages with the models that come with Consilium."""
    return Stages(
        find=find_chromosomes, classify=classify, choose=choose, assign=assign,
        structure=look, suspects=suspects, models=model_references,
    )  # fmt: skip


def stages_with(weights: Path) -> Stages:
    """The same stages with the models of another folder; worker processes find them too."""
    shipped = shipped_stages()
    return Stages(**{name: _With(weights, getattr(shipped, name)) for name in Stages.__slots__})


@dataclass(frozen=True, slots=True)
class _With:
    weights: Path
    stage: Callable[..., Any]

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        with using(self.weights):
            return self.stage(*arguments, **named)


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """One more image is done.

    Attributes:
        done: images done so far, this one included.
        total: images of the case.
        outcome: the cell, or why the image could not be used.
    """

    done: int
    total: int
    outcome: Metaphase | Failure


def karyotype_image(
    path: Path, *, image: str | None = None, threads: int | None = None, stages: Stages | None = None
) -> Metaphase:
    """Karyotype one metaphase.

    Args:
        path: the image file.
        image: the name it goes by; the file's own when left out.
        threads: processor threads a model run may use; None: all.
        stages: how chromosomes are found and named; with the shipped models when left out.

    Raises:
        UnreadableImage: the file is no image, or a damaged one.
        ImageOutOfBounds: it is too small or too large to be one metaphase.
        NoMetaphase: no chromosome spread is in it.
        ModelError: a model is missing or was altered.
    """
    try:
        return _karyotype(path, image or path.name, threads, stages or shipped_stages())
    except ConsiliumError as error:
        if error.where:
            raise
        raise _located(error, path) from error


def karyotype_case(
    paths: Sequence[Path],
    *,
    name: str,
    workers: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stages: Stages | None = None,
) -> Case:
    """Karyotype the cells of one case.

    An image that cannot be used becomes a failure of the case. With several workers, so does an image whose process
    was killed. An interruption ends the workers and is passed on.

    Args:
        paths: the image files.
        name: what the case is called.
        workers: processes that share the images; 1 works in this one; chosen by cores when left out.
        on_progress: called after each image.
        stages: how chromosomes are found and named; with the shipped models when left out.

    Returns:
        The case, best cell first.

    Raises:
        NothingToDo: no image could be used; the message says why.
        ConsiliumError: the only image could not be used, or none could and a model is to blame.
    """
    images = image_names(paths)
    cells: dict[int, Metaphase] = {}
    errors: dict[int, Exception] = {}
    workers = min(workers or usual_workers(), max(len(paths), 1))
    outcomes = _outcomes(paths, images, workers, stages or shipped_stages())
    with closing(outcomes):
        for done, (index, outcome) in enumerate(outcomes, start=1):
            if isinstance(outcome, Exception):
                errors[index] = outcome
            else:
                cells[index] = outcome
            if on_progress:
                shown = _failure(images[index], paths[index], outcome) if isinstance(outcome, Exception) else outcome
                on_progress(Progress(done=done, total=len(paths), outcome=shown))
    failures = tuple(_failure(images[index], paths[index], errors[index]) for index in sorted(errors))
    if not cells:
        raise _nothing_usable(errors, failures)
    ranked = tuple(cells[index] for index in sorted(cells, key=lambda index: (-cells[index].quality.score, index)))
    karyotype, disagreeing = modal_karyotype(ranked)
    suspected = (stages or shipped_stages()).suspects(ranked)
    return Case(
        name=name,
        cells=ranked,
        failures=failures,
        modal_karyotype=karyotype,
        disagreeing=disagreeing,
        flags=case_flags(ranked, suspected),
        suspects=suspected,
    )


def usual_workers() -> int:
    """How many workers share a case when nobody says."""
    return min(max(available_cores() // CORES_A_WORKER, 1), MOST_WORKERS)


def display_levels(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Window (H, W) 16-bit grey levels to 8 bits for display; 8-bit levels stay as they are."""
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, np.uint8)
    low, high = np.percentile(pixels, DISPLAY_WINDOW)
    levels = np.arange(np.iinfo(np.uint16).max + 1, dtype=np.float32)
    table = np.clip(np.round((levels - low) * (255 / max(high - low, 1.0))), 0, 255).astype(np.uint8)
    return np.asarray(table[pixels], np.uint8)


def _karyotype(path: Path, image: str, threads: int | None, stages: Stages) -> Metaphase:
    pixels = read_image(path).pixels
    normalised = normalise(pixels)
    objects = stages.find(normalised, threads=threads)
    read = stages.classify(normalised, objects, threads=threads)
    chosen = stages.choose(read.probabilities, objects)
    kept = np.flatnonzero(chosen.kept)
    named = stages.assign(read.probabilities[kept])
    looks = stages.structure(read, kept, named.labels, threads=threads)
    plain = [
        Chromosome(
            instance=replace(objects[k], score=float(chosen.presence[k])),
            label=label,
            confidence=float(confidence),
            probabilities=read.probabilities[k],
            angle_deg=float(read.angles[k]),
            polarity=float(read.polarity[k]),
            appearance=appearance,
        )
        for k, label, confidence, appearance in zip(kept, named.labels, named.confidences, looks, strict=True)
    ]
    left_out = int((chosen.presence[~chosen.kept] > PROBABLY_PRESENT).sum())
    return _metaphase(path, image, pixels, normalised, plain, left_out)


def _metaphase(
    path: Path,
    image: str,
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    normalised: Normalised,
    chromosomes: Sequence[Chromosome],
    left_out: int,
) -> Metaphase:
    shape = (pixels.shape[0], pixels.shape[1])
    quality = assess(normalised, chromosomes)
    count, karyotype, gains, losses = count_cell(one.label for one in chromosomes)
    doubts = chromosome_flags(chromosomes, shape=shape)
    return Metaphase(
        image=image,
        pixels=display_levels(pixels),
        inverted=normalised.inverted,
        synthetic=is_synthetic(path),
        chromosomes=tuple(replace(one, flags=flags) for one, flags in zip(chromosomes, doubts, strict=True)),
        count=count,
        karyotype=karyotype,
        gains=gains,
        losses=losses,
        quality=quality,
        flags=cell_flags(chromosomes, shape=shape, quality=quality, left_out=left_out),
    )


_Task = tuple[Path, str]


def _outcomes(
    paths: Sequence[Path], images: Sequence[str], workers: int, stages: Stages
) -> Generator[tuple[int, Metaphase | Exception], None, None]:
    """The cell of each image, or what prevented it, as they are done."""
    tasks = list(zip(paths, images, strict=True))
    threads = max(available_cores() // workers, 1)
    if workers > 1:
        work = partial(_in_worker, threads=threads, stages=stages)
        with closing(map_in_processes(work, tasks, workers=workers)) as finished:
            for index, outcome in finished:
                yield index, _located(outcome, paths[index]) if isinstance(outcome, ConsiliumError) else outcome
        return
    for index, (path, image) in enumerate(tasks):
        yield index, _cell_or_error(path, image, threads, stages)


def _cell_or_error(path: Path, image: str, threads: int, stages: Stages) -> Metaphase | Exception:
    try:
        return karyotype_image(path, image=image, threads=threads, stages=stages)
    except Exception as error:
        _let_go(error)
        return error


def _let_go(error: BaseException | None) -> None:
    """Drop the images that the frames of a traceback hold; its lines stay."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _in_worker(task: _Task, *, threads: int, stages: Stages) -> Metaphase:
    path, image = task
    cv2.setNumThreads(threads)
    return karyotype_image(path, image=image, threads=threads, stages=stages)


def _located(error: ConsiliumError, path: Path) -> ConsiliumError:
    return error if error.where else type(error)(error.what, where=str(path), way_out=error.way_out)


def _failure(image: str, path: Path, error: Exception) -> Failure:
    if isinstance(error, ConsiliumError):
        # The record goes to other people, whom the folders of this machine do not concern.
        where = "" if error.where == str(path) else error.where
        message = str(ConsiliumError(error.what, where=where, way_out=error.way_out))
    elif isinstance(error, MemoryError):
        message = "the memory did not suffice. Close other programs, or cut the metaphase out of a larger picture."
    else:
        message = f"unexpected {type(error).__name__}: {error}. This is a fault of Consilium; please report it."
    return Failure(image=image, error=type(error).__name__, message=plain_text(message))


def _nothing_usable(errors: Mapping[int, Exception], failures: Sequence[Failure]) -> Exception:
    """What to say when a case has no cell: whatever is not the images' fault goes before what is."""
    if not failures:
        return NothingToDo("there is no image to karyotype")
    faults = [error for _, error in sorted(errors.items()) if not isinstance(error, InputError)]
    if faults or len(failures) == 1:
        return (faults or list(errors.values()))[0]
    listed = [f"{one.image}: {one.message.rstrip('.')}" for one in failures[:REASONS_LISTED]]
    if len(failures) > REASONS_LISTED:
        listed.append(f"and {len(failures) - REASONS_LISTED} more")
    return NothingToDo(f"none of the {len(failures)} images can be used ({'; '.join(listed)})")
