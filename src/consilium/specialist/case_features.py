"""From labelled files to one row of features a case, and to what the validation wants to know besides.

A case is a file, or all files that carry the same name in a column of the table. Where any case has several pictures
(volumes, runs, several files), all cases are pooled; where none has, the vector of the one picture is taken as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError, MissingExtra, UnusableDataset
from consilium.generalist.cache import FeatureCache, content_hash
from consilium.generalist.cases import pool
from consilium.generalist.embedding import Embedded, NotEmbedded, Outcome, embed_files
from consilium.generalist.encoder import Encoder
from consilium.generalist.inputs import Entry
from consilium.generalist.pictures import middle_picture
from consilium.imaging.open_study import open_study
from consilium.specialist.case import Case
from consilium.specialist.classic_features import classic_features
from consilium.specialist.dataset import Dataset
from consilium.specialist.duplicates import Duplicate, looks, same_bytes, same_looks

Features = NDArray[np.float32]
Pooling = Literal["single", "pooled"]
_LOOK = "look 1"
"""Version of `_look`, part of the name under which it is kept."""
_LOOK_SIDE = 128
_SIZES = ("height", "width", "planes", "brightness")


@dataclass(frozen=True, kw_only=True)
class CaseFeatures:
    """Cases that could be read, row by row.

    Attributes:
        dataset: one `Case` a row; of several files the first stands for all.
        files: of each case.
        images: of each case, (N, D) vectors of its pictures.
        pooling: pooled where any case has several pictures.
        digests: SHA-256 of each case's content.
        duplicates: pairs with the same bytes or looks.
        metadata: columns for the shortcut alarm: what the table describes, picture size, kind of file, brightness.
        classic: (n, 52) features that nobody had to learn.
        skipped: files that could not be used, with the reason.
        cached: files whose features had been computed before.
    """

    dataset: Dataset
    files: tuple[tuple[Path, ...], ...]
    images: tuple[Features, ...]
    pooling: Pooling
    digests: tuple[str, ...]
    duplicates: tuple[Duplicate, ...]
    metadata: dict[str, tuple[str | float, ...]]
    classic: Features
    skipped: tuple[tuple[Path, str], ...]
    cached: int

    @property
    def features(self) -> Features:
        """(n, d) float32; d is that of the encoder, three times as many where cases are pooled."""
        return self.in_form(self.pooling)

    def in_form(self, pooling: Pooling) -> Features:
        """(n, d) as a model with that pooling takes them."""
        return np.stack([one_vector(image, pooling) for image in self.images])


def joined_cases(dataset: Dataset, column: str | None) -> list[tuple[Case, tuple[Path, ...]]]:
    """Each case with its files: one file, or those of the same name in a column.

    Raises:
        UnusableDataset: there is no such column, or files of a case differ in label, patient or split.
    """
    if column is None:
        return [(case, (case.file,)) for case in dataset.cases]
    if not all(column in case.described for case in dataset.cases):
        raise UnusableDataset(
            f"there is no column {column!r} that names the cases",
            where=str(dataset.origin),
            way_out="A table can have one; leave out --case where every file is a case.",
        )
    members: dict[str, list[Case]] = {}
    for number, case in enumerate(dataset.cases):
        members.setdefault(case.described[column] or f"{number} {case.file}", []).append(case)
    found = []
    for name, cases in members.items():
        if len({(case.labels, case.group if dataset.grouped else "", case.split) for case in cases}) > 1:
            raise UnusableDataset(
                f"the files of case {name!r} differ in label, patient or split",
                where=str(dataset.origin),
                way_out="Give all files of a case the same.",
            )
        described = {key: value for key, value in cases[0].described.items() if key != column}
        found.append((replace(cases[0], described=described), tuple(case.file for case in cases)))
    return found


def case_features(
    dataset: Dataset,
    encoder: Encoder,
    *,
    modality: str | None = None,
    case_column: str | None = None,
    cache: FeatureCache | None = None,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
) -> CaseFeatures:
    """Features of labelled cases.

    Args:
        dataset: as read; its task must have labels.
        encoder: what makes the features.
        modality: how the pictures were made.
        case_column: names the case of each file, where a case has several.
        cache: where features are kept, so that an interrupted run goes on where it stopped.
        on_outcome: called for each file as soon as its features are there.

    Raises:
        UnusableDataset: no case could be read, or the cases contradict themselves.
        InputError: there is no such modality.
        ModelError: the encoder fails.
    """
    cases = joined_cases(dataset, case_column)
    entries = [Entry(path=file, file=str(file)) for _, files in cases for file in files]
    outcomes = iter(embed_files(entries, encoder, modality=modality, cache=cache, on_outcome=on_outcome))
    kept: list[tuple[Case, tuple[Path, ...]]] = []
    images: list[Features] = []
    skipped: list[tuple[Path, str]] = []
    seen: list[_Look] = []
    cached = 0
    for case, files in cases:
        read: list[Embedded] = []
        for outcome in (next(outcomes) for _ in files):
            if isinstance(outcome, NotEmbedded):
                skipped.append((outcome.entry.path, outcome.message))
            else:
                read.append(outcome)
        if not read:
            continue
        try:
            seen.append(_look([one.entry.path for one in read], modality, cache))
        except (InputError, MissingExtra, OSError) as problem:
            skipped.append((read[0].entry.path, str(problem)))
            continue
        kept.append((case, tuple(one.entry.path for one in read)))
        images.append(np.concatenate([one.image for one in read]))
        cached += sum(one.cached for one in read)
    if not kept:
        way_out = skipped[0][1] if skipped else ""
        raise UnusableDataset("none of the cases could be used", where=str(dataset.origin), way_out=way_out)
    pooling: Pooling = "pooled" if any(len(image) > 1 for image in images) else "single"
    chosen = replace(dataset, cases=tuple(case for case, _ in kept))
    digests = tuple(look.digest for look in seen)
    described = {name: values for name, values in chosen.described.items() if name != case_column}
    sizes = {name: tuple(look.sizes[name] for look in seen) for name in _SIZES}
    kinds = tuple(case.file.suffix.lower() or "folder" for case, _ in kept)
    return CaseFeatures(
        dataset=chosen,
        files=tuple(files for _, files in kept),
        images=tuple(images),
        pooling=pooling,
        digests=digests,
        duplicates=(*same_bytes(digests), *_unlisted(digests, same_looks([look.hash for look in seen]))),
        metadata={**described, **sizes, "file kind": kinds},
        classic=np.stack([look.classic for look in seen]),
        skipped=tuple(skipped),
        cached=cached,
    )


def one_vector(image: Features, pooling: Pooling) -> Features:
    """The row of one case: pictures (N, D) to (D,), their mean, or to (3 D,), see `generalist.cases.pool`."""
    if pooling == "pooled":
        return pool(image)
    return np.asarray(image.mean(0, dtype=np.float64), np.float32)


def _unlisted(digests: Sequence[str], found: Sequence[Duplicate]) -> list[Duplicate]:
    return [one for one in found if digests[one.first] != digests[one.second]]


@dataclass(frozen=True, kw_only=True)
class _Look:
    digest: str
    hash: int
    sizes: dict[str, float]
    classic: Features


def _look(files: Sequence[Path], modality: str | None, cache: FeatureCache | None) -> _Look:
    """What is to be known of a case besides its features; of its middle picture, where it has several."""
    contents = [content_hash(file) for file in files]
    digest = contents[0] if len(contents) == 1 else hashlib.sha256("".join(contents).encode()).hexdigest()
    key = hashlib.sha256(f"{_LOOK} {contents[len(contents) // 2]} {modality}".encode()).hexdigest()
    row = cache.get(key) if cache is not None else None
    if row is None or row.shape[0] != 1 or row.shape[1] < 8 + len(_SIZES):
        file = files[len(files) // 2]
        shape = open_study(file, modality=modality).shape
        picture = middle_picture(file, _LOOK_SIDE, modality)
        # One section of a volume may look like another's, as all heads do in the middle; 0 is like no other.
        octets = list((looks(picture) if shape[0] == 1 else 0).to_bytes(8, "big"))
        sizes = [shape[1], shape[2], shape[0], float(picture.mean())]
        row = np.concatenate([np.array([*octets, *sizes], np.float32), classic_features(picture)])[None]
        if cache is not None:
            cache.put(key, row)
    octets = [int(one) for one in row[0, :8]]
    return _Look(
        digest=digest,
        hash=int.from_bytes(bytes(octets), "big"),
        sizes={name: float(value) for name, value in zip(_SIZES, row[0, 8 : 8 + len(_SIZES)], strict=True)},
        classic=row[0, 8 + len(_SIZES) :],
    )
