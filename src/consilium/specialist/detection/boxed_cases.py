"""Cases with boxes, from a table to what a detector learns from: boxes, features of pictures, who is whose copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from consilium.errors import InputError, MissingExtra, UnusableDataset
from consilium.generalist.cache import FeatureCache
from consilium.generalist.embedding import Outcome
from consilium.generalist.encoder import Encoder
from consilium.specialist.case import Case
from consilium.specialist.case_features import CaseFeatures, case_features
from consilium.specialist.dataset import Dataset
from consilium.specialist.detection.boxes import Boxes
from consilium.specialist.detection.detector import SIDE
from consilium.specialist.detection.labelled_boxes import read_case_boxes
from consilium.specialist.detection.pyramid import PyramidFeatures, pyramid_features
from consilium.specialist.segmentation.segment_file import read_picture

_BASE = 600 << 20
"""Bytes of the interpreter, the libraries, the encoder at work and the examples that are drawn."""
_OF_PICTURE = 2 << 20
"""Bytes of a picture itself, at full size and halved."""


@dataclass(frozen=True, kw_only=True)
class BoxedCases:
    """Cases whose boxes and pictures fit each other.

    Attributes:
        looked_at: files, image vectors, copies and what could not be used; row by row as below.
        labels: of the boxes.
        boxes: true ones.
        features: of the pictures.
        side: pixels at which the encoder saw them.
    """

    looked_at: CaseFeatures
    labels: tuple[str, ...]
    boxes: tuple[Boxes, ...]
    features: tuple[PyramidFeatures, ...]
    side: int


def memory_of_boxes(dataset: Dataset, encoder: Encoder) -> int:
    """Bytes at the peak of a fit, roughly: the maps of every picture at two sizes, in half precision."""
    maps = sum(2 * level.channels * (SIDE // level.stride) ** 2 for level in encoder.levels) * 5 // 4
    return _BASE + len(dataset.cases) * (maps + _OF_PICTURE)


def boxed_cases(
    dataset: Dataset,
    encoder: Encoder,
    *,
    modality: str | None = None,
    cache: FeatureCache | None = None,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
    on_features: Callable[[], None] = lambda: None,
) -> BoxedCases:
    """Read cases with boxes.

    Args:
        dataset: as read, every case with boxes.
        encoder: that has a pyramid.
        modality: how the pictures were made.
        cache: of image vectors.
        on_outcome: called for each file when its image vector is there.
        on_features: called for each case when its features are there.

    Raises:
        UnusableDataset: no picture can be read, or what `read_case_boxes` refuses.
        InputError: there is no such modality.
        ModelError: the encoder fails, or has no pyramid.
    """
    fitting: list[Case] = []
    shapes: list[tuple[int, int]] = []
    skipped: list[tuple[Path, str]] = []
    for case in dataset.cases:
        try:
            rows, columns = read_picture(case.file).shape[:2]
        except (InputError, MissingExtra, OSError) as problem:
            skipped.append((case.file, str(problem)))
            continue
        fitting.append(case)
        shapes.append((rows, columns))
    if not fitting:
        raise UnusableDataset(
            "none of the pictures can be read", where=str(dataset.origin), way_out=skipped[0][1] if skipped else ""
        )
    known = read_case_boxes(fitting, shapes)
    chosen = replace(dataset, labels=known.labels, cases=tuple(fitting), notes=(*dataset.notes, *known.notes))
    looked_at = case_features(chosen, encoder, modality=modality, cache=cache, on_outcome=on_outcome)
    # A file may stand in the table twice, so a case is known by itself and not by its name.
    boxes_of = {id(case): one for case, one in zip(fitting, known.boxes, strict=True)}
    features: list[PyramidFeatures] = []
    for case in looked_at.dataset.cases:
        features += pyramid_features(encoder, [read_picture(case.file)], side=SIDE, modality=modality)
        on_features()
    return BoxedCases(
        looked_at=replace(looked_at, skipped=(*skipped, *looked_at.skipped)),
        labels=known.labels,
        boxes=tuple(boxes_of[id(case)] for case in looked_at.dataset.cases),
        features=tuple(features),
        side=SIDE,
    )
