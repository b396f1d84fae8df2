"""Many files in, their image vectors out, what was computed before taken from the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError, MissingExtra
from consilium.generalist.cache import FeatureCache, content_hash, feature_key
from consilium.generalist.encoder import Encoder, Pictures
from consilium.generalist.inputs import Entry
from consilium.generalist.pictures import pictures


@dataclass(frozen=True, kw_only=True, slots=True)
class Embedded:
    """One file's features.

    Attributes:
        entry: the file and what is known of it.
        image: (N, D) float32, one vector for each picture in it.
        cached: whether they had been computed before.
    """

    entry: Entry
    image: NDArray[np.float32]
    cached: bool

    @property
    def vector(self) -> NDArray[np.float32]:
        """(D,) float32, the mean over its pictures."""
        mean: NDArray[np.float32] = self.image.mean(0, dtype=np.float64).astype(np.float32)
        return mean


@dataclass(frozen=True, kw_only=True, slots=True)
class NotEmbedded:
    """A file that could not be used, and why."""

    entry: Entry
    message: str


Outcome = Embedded | NotEmbedded


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiting:
    """Pictures that wait for a full batch."""

    place: int
    key: str
    pictures: Pictures


def embed_files(
    entries: Sequence[Entry],
    encoder: Encoder,
    *,
    modality: str | None = None,
    side: int | None = None,
    batch: int = 32,
    cache: FeatureCache | None = None,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
) -> list[Outcome]:
    """The features of files.

    Args:
        entries: the files.
        encoder: what makes the features.
        modality: of those whose manifest says nothing; None where it is not known.
        side: pixels; what the encoder does best with when left out.
        batch: pictures that are embedded at once.
        cache: where features are kept; None keeps none.
        on_outcome: called for each file as soon as it is done; not in the order of the files.

    Returns:
        One outcome a file, in their order.

    Raises:
        InputError: the modality or the side is one that the encoder does not take.
        ModelError: the encoder fails.
    """
    side = side or encoder.side
    encoder.embed(np.zeros((0, side, side, 3), np.float32), modality, levels=False)
    outcomes: dict[int, Outcome] = {}
    waiting: dict[str | None, list[_Waiting]] = {}

    def finish(place: int, outcome: Outcome) -> None:
        outcomes[place] = outcome
        on_outcome(outcome)

    def flush(told: str | None) -> None:
        group = waiting.pop(told, [])
        if not group:
            return
        vectors = encoder.embed(np.concatenate([one.pictures for one in group]), told, levels=False).image
        start = 0
        for one in group:
            image = vectors[start : start + len(one.pictures)]
            start += len(one.pictures)
            if cache is not None:
                cache.put(one.key, image)
            finish(one.place, Embedded(entry=entries[one.place], image=image, cached=False))

    for place, entry in enumerate(entries):
        told = entry.modality or modality
        try:
            key = _key(entry, encoder, told, side)
            kept = cache.get(key) if cache is not None else None
            if kept is not None and kept.ndim == 2 and kept.shape[1] == encoder.dimensions and len(kept):
                finish(place, Embedded(entry=entry, image=kept, cached=True))
                continue
            if told is not None and told != modality:
                encoder.embed(np.zeros((0, side, side, 3), np.float32), told, levels=False)
            found = pictures(entry.path, side, told)
        except (InputError, MissingExtra) as problem:
            finish(place, NotEmbedded(entry=entry, message=str(problem)))
            continue
        waiting.setdefault(told, []).append(_Waiting(place=place, key=key, pictures=found))
        if sum(len(one.pictures) for one in waiting[told]) >= batch:
            flush(told)
    for told in list(waiting):
        flush(told)
    return [outcomes[place] for place in range(len(entries))]


def _key(entry: Entry, encoder: Encoder, modality: str | None, side: int) -> str:
    try:
        content = content_hash(entry.path)
    except OSError:
        content = ""  # `pictures` says what is wrong with it, in words
    return feature_key(content, encoder, modality, side)
