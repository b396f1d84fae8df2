"""The second rung for a set of labelled cases: what it needs, how long it takes, what it leaves behind.

It needs the shipped encoder (another's graph is not known here), one picture a case, and PyTorch (extra `train`), which
is imported when the first network is trained. What it leaves behind is an ONNX file like the one it started from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.card import read_card
from consilium.artefact.runtime import model_of
from consilium.errors import InputError, MissingExtra, UnusableDataset
from consilium.generalist.cache import FeatureCache
from consilium.generalist.embedding import NotEmbedded, embed_files
from consilium.generalist.encoder import Encoder
from consilium.generalist.inputs import Entry
from consilium.generalist.pictures import pictures
from consilium.generalist.shipped import WEIGHTS, ShippedEncoder
from consilium.generalist.weights_file import read_weights, with_convolutions
from consilium.specialist.case_features import CaseFeatures
from consilium.specialist.head import Features, OutOfFold
from consilium.specialist.penalised import Array, Loss
from consilium.specialist.splits import FOLDS
from consilium.specialist.tuning.nested import Climbed, Finished, Mask, Step, climb, parts_of
from consilium.specialist.tuning.views import VIEWS, views_of

if TYPE_CHECKING:
    from consilium.specialist.tuning.last_stage import Candidate

Codes = NDArray[np.intp]

ROUNDS = (3, 6)
"""Rounds over the cases after which a candidate is kept; of 2 to 16, tried on single draws of three sets that are in no
benchmark of it, these few were hardly worse than more and cost less."""
_STRIDE = 16
"""Of the level that the trained stage begins with."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What fine-tuning will take, told before it begins.

    Attributes:
        networks: that are trained.
        seconds: on this machine as busy as it is now.
        memory: bytes of the maps, more than without.
    """

    networks: int
    seconds: float
    memory: int


def need_train() -> None:
    """Says what to install when PyTorch is not there.

    Raises:
        MissingExtra: it is not.
    """
    if find_spec("torch") is None:
        raise MissingExtra(
            "PyTorch is needed for fine-tuning",
            way_out="Install it: pip install 'consilium[train]' (first the CPU build, if there is no graphics card), "
            "or fit with --fine-tune never.",
        )


def refuse_other_encoder(encoder: Encoder) -> None:
    """Says so where the encoder is one whose inside is not known here.

    Raises:
        InputError: it is not the shipped one.
    """
    if not isinstance(encoder, ShippedEncoder):
        raise InputError(
            "only the shipped encoder can be fine-tuned", where=encoder.name, way_out="Fit with --fine-tune never."
        )


def refuse_several_pictures(cases: CaseFeatures) -> None:
    """Says so where cases are more than a picture.

    Raises:
        UnusableDataset: a case has several.
    """
    if cases.pooling != "single":
        raise UnusableDataset(
            "fine-tuning takes cases of one picture each, and some of these have several",
            where=str(cases.dataset.origin),
            way_out="Fit with --fine-tune never, or give one picture a case.",
        )


@dataclass(frozen=True, kw_only=True)
class Material:
    """What training needs of n cases; made once.

    Attributes:
        frozen: (n, D) image vectors of the encoder as it came, each picture looked at once.
        maps: (n, VIEWS, 96, h, w) of stride 16, the first view being the picture as it is.
        below: (n, VIEWS, d) the beginning of the image vector, which the trained stage has no part in.
        digests: SHA-256 of each case's content.
        modality: how the pictures were made.
    """

    frozen: Features
    maps: NDArray[np.float32]
    below: NDArray[np.float32]
    digests: tuple[str, ...]
    modality: str | None


def material_of(
    shown: Iterable[NDArray[np.float32]], encoder: Encoder, digests: tuple[str, ...], modality: str | None
) -> Material:
    """Look at all views of each picture, (S, S, 3) float32 0..1; see `Material` for the rest."""
    level = [one.stride for one in encoder.levels].index(_STRIDE)
    fixed = 2 * sum(one.channels for one in encoder.levels[: level + 1])
    frozen, maps, below = [], [], []
    for number, picture in enumerate(shown):
        found = encoder.embed(views_of(picture, modality, seed=number), modality)
        frozen.append(found.image[0])
        maps.append(found.levels[level])
        below.append(found.image[:, :fixed])
    return Material(
        frozen=np.stack(frozen), maps=np.stack(maps), below=np.stack(below), digests=digests, modality=modality
    )


class SecondRung:
    """Fine-tuning of the last stage, ready to be held against frozen features.

    Args:
        material: of the cases.
        embed: image vectors (n, D) of the same cases by another encoder.
        path: ONNX file of the encoder, its card beside it.
        seed: of the training.
        cache: keeps networks' outcomes, so that an interrupted call goes on where it stopped.
        on_step: called after each network.
    """

    def __init__(
        self,
        material: Material,
        embed: Callable[[Encoder], Features],
        *,
        path: Path = WEIGHTS / "generalist.onnx",
        seed: int = 0,
        cache: FeatureCache | None = None,
        on_step: Callable[[Step], None] = lambda _step: None,
    ) -> None:
        self._material, self._embed, self._path = material, embed, path
        self._seed, self._cache, self._on_step = seed, cache, on_step
        self._weights = read_weights(path)
        self._card = read_card(path.with_suffix(".json"))
        rows = str(self._card.constants["rows"]).split()
        self._row = len(rows) if material.modality is None else rows.index(material.modality)

    @property
    def rounds(self) -> tuple[int, ...]:
        """After how many rounds over the cases there is a candidate."""
        return ROUNDS

    def estimate(self) -> Estimate:
        """How long it will take; some steps are done to find out."""
        from consilium.specialist.tuning.last_stage import seconds_a_case

        maps = self._material.maps
        n = len(maps)
        # Of five folds a network learns from three, four or all: 11 n in sum.
        learnt = n * ((FOLDS - 1) * (FOLDS - 2) / 2 + FOLDS - 1 + 1) * ROUNDS[-1]
        looked_at = n * (parts_of(FOLDS) + 1) * len(ROUNDS)
        train, look = seconds_a_case(self._weights, maps[:, 0], self._row)
        return Estimate(
            networks=parts_of(FOLDS) + 1, seconds=float(learnt * train + looked_at * look), memory=maps.nbytes
        )

    def climb(
        self, used: Mask, targets: Array, groups: Codes, fold: NDArray[np.integer], loss: Loss, frozen: OutOfFold
    ) -> Climbed:
        """Hold both rungs against each other; see `nested.climb`. `used` (n,) are the cases that take part."""
        return climb(
            _Restricted(self, used), targets, groups, fold, loss, frozen, seed=self._seed, store=self._cache,
            on_step=self._on_step,
        )  # fmt: skip

    def finish(self, used: Mask, targets: Array, loss: Loss, candidate: int) -> Finished:
        """Learn from all the cases that take part, and look at every case with what came of it.

        Raises:
            UnusableDataset: a file cannot be read any more.
        """
        everything = np.ones(int(used.sum()), np.bool_)
        trained = self.candidates(used, everything, targets, loss, self._seed)
        found = next(one for one in trained if one.rounds == ROUNDS[candidate])
        self._on_step(Step(done=parts_of(FOLDS) + 1, parts=parts_of(FOLDS) + 1, kept=False))
        network = with_convolutions(self._path.read_bytes(), found.convolutions)
        card = replace(self._card, sha256=hashlib.sha256(network).hexdigest())
        encoder = ShippedEncoder(model_of(card, network, self._path))
        return Finished(network=network, fingerprint=encoder.fingerprint, images=self._embed(encoder))

    def candidates(self, used: Mask, trained: Mask, targets: Array, loss: Loss, seed: int) -> Iterator[Candidate]:
        """Train one network; (n,) cases that take part, and of these the ones to learn from."""
        from consilium.specialist.tuning.last_stage import tuned
        from consilium.specialist.tuning.steps import Settings

        have = self._material
        return tuned(
            have.maps[used], have.below[used], targets, trained, weights=self._weights, row=self._row, loss=loss,
            frozen=have.frozen[used], seed=seed, settings=Settings(rounds=ROUNDS),
        )  # fmt: skip

    def name(self, used: Mask) -> str:
        """Of the cases that take part, the encoder, and how it is trained."""
        from consilium.specialist.tuning.steps import Settings

        digests = "".join(digest for digest, one in zip(self._material.digests, used, strict=True) if one)
        told = f"{self._card.sha256} {self._row} {self._material.modality} {VIEWS} {Settings(rounds=ROUNDS)} {digests}"
        return hashlib.sha256(told.encode()).hexdigest()


class _Restricted:
    """The cases that take part in the cross-validation, as a `Tuner`."""

    def __init__(self, rung: SecondRung, used: Mask) -> None:
        self._rung, self._used = rung, used
        self.name = rung.name(used)
        self.rounds = ROUNDS

    def train(self, trained: Mask, targets: Array, loss: Loss, seed: int) -> Sequence[Features]:
        return [one.features for one in self._rung.candidates(self._used, trained, targets, loss, seed)]


def second_rung(
    cases: CaseFeatures,
    encoder: Encoder,
    modality: str | None,
    *,
    seed: int = 0,
    cache: FeatureCache | None = None,
    on_step: Callable[[Step], None] = lambda _step: None,
) -> SecondRung:
    """Make everything ready for labelled files.

    Args:
        cases: to be learnt from.
        encoder: the shipped one. Its last stage is trained at the side it does best with, on one look at each picture,
            whatever looks the features of the first rung are the mean of.
        modality: how the pictures were made.
        seed: of the training.
        cache: as of `SecondRung`.
        on_step: as of `SecondRung`.

    Raises:
        MissingExtra: PyTorch is not installed.
        InputError: the encoder is not the shipped one.
        UnusableDataset: a case has several pictures.
    """
    need_train()
    refuse_other_encoder(encoder)
    refuse_several_pictures(cases)

    def embed(other: Encoder) -> Features:
        entries = [Entry(path=files[0], file=str(files[0])) for files in cases.files]
        rows = []
        for one in embed_files(entries, other, modality=modality, cache=cache):
            if isinstance(one, NotEmbedded):
                raise UnusableDataset(one.message, where=one.entry.file, way_out="Leave it where it is until the end.")
            rows.append(one.image[0])
        return np.stack(rows)

    shown = (pictures(files[0], encoder.side, modality)[0] for files in cases.files)
    material = material_of(shown, encoder, cases.digests, modality)
    return SecondRung(material, embed, seed=seed, cache=cache, on_step=on_step)
