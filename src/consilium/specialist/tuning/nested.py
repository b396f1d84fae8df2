"""Frozen or tuned: both out of fold on the same folds, the choice inside every training part, then the last one.

The inner folds of an outer fold are the other outer folds, as in `head.py`: a network that leaves out folds i and j
serves twice, so five folds need ten networks for the choices inside and five for the test, and one more learns from
all. What is chosen inside a training part is how long the network is trained, the penalty of the head fitted anew to
its features, and which of the two rungs is taken; the test fold has a part in none of it. So the figures are those of
the whole procedure, choice included, and the last choice, on all cases, is the same procedure once more.

Nothing here knows PyTorch: a `Tuner` trains. Each part that is done is kept, and a call that was interrupted goes on
with the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from consilium.specialist.evidence.gate import NEIGHBOURS, distance_to
from consilium.specialist.head import Features, OutOfFold
from consilium.specialist.ladder import Choice, Rung, choose_rung
from consilium.specialist.penalised import STRENGTHS, Array, Loss, basis_of, losses, path

Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

FROZEN, TUNED = "frozen features", "fine-tuned last stage"


class Tuner(Protocol):
    """Trains the encoder further on some of the cases."""

    @property
    def rounds(self) -> tuple[int, ...]:
        """After how many rounds over the cases there is a candidate."""
        ...

    @property
    def name(self) -> str:
        """Changes with everything that the outcome hangs on besides cases and labels."""
        ...

    def train(self, trained: Mask, targets: Array, loss: Loss, seed: int) -> Sequence[Features]:
        """(n, d) features of all cases for each candidate, learnt from those that `trained` (n,) names."""
        ...


class Store(Protocol):
    """Keeps what is done; `FeatureCache` is one."""

    def get(self, key: str) -> NDArray[np.float32] | None:
        """What was kept under a key."""
        ...

    def put(self, key: str, image: NDArray[np.float32]) -> bool:
        """Keep something."""
        ...


@dataclass(frozen=True, kw_only=True)
class Step:
    """How far the training is, told after each network.

    Attributes:
        done, parts: networks.
        kept: whether it had been trained before.
    """

    done: int
    parts: int
    kept: bool


@dataclass(frozen=True, kw_only=True)
class Climbed:
    """Both rungs on the same folds.

    Attributes:
        choice: on all cases.
        inside: the rung that each training part took.
        nested: mean loss of the procedure, choices made inside.
        out: its predictions.
        tuned: those of the second rung alone.
        candidate: place among the tuner's rounds, of the last network.
        strengths: (problems,) index of the penalty of its head.
        distances: (n,) mean distance of each case to its nearest training cases in the features of the network that
            had not seen it, for the gate.
    """

    choice: Choice
    inside: tuple[str, ...]
    nested: float
    out: OutOfFold
    tuned: OutOfFold
    candidate: int
    strengths: NDArray[np.intp]
    distances: Array

    @property
    def is_tuned(self) -> bool:
        """Whether the second rung was taken at the end."""
        return self.choice.taken == TUNED


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The network that learnt from all cases.

    Attributes:
        network: the encoder's ONNX file with its new weights.
        fingerprint: of the tuned encoder.
        images: (n, D) image vectors of all cases.
    """

    network: bytes
    fingerprint: str
    images: Features


class Second(Protocol):
    """The second rung as a validation needs it; `rung.SecondRung` is one."""

    @property
    def rounds(self) -> tuple[int, ...]:
        """After how many rounds over the cases there is a candidate."""
        ...

    def climb(
        self, used: Mask, targets: Array, groups: Codes, fold: NDArray[np.integer], loss: Loss, frozen: OutOfFold
    ) -> Climbed:
        """Hold both rungs against each other on the cases that take part, `used` (n,); see `climb`."""
        ...

    def finish(self, used: Mask, targets: Array, loss: Loss, candidate: int) -> Finished:
        """Learn from all cases that take part."""
        ...


def parts_of(folds: int) -> int:
    """Networks that `climb` trains."""
    return folds * (folds - 1) // 2 + folds


@dataclass(frozen=True, kw_only=True)
class _Tested:
    """What the candidates of one network say of cases it has not seen.

    Attributes:
        logits: (candidates, strengths, m, problems, columns).
        distances: (candidates, m).
    """

    logits: Array
    distances: Array


def climb(
    tuner: Tuner,
    targets: Array,
    groups: Codes,
    fold: NDArray[np.integer],
    loss: Loss,
    frozen: OutOfFold,
    *,
    seed: int = 0,
    store: Store | None = None,
    on_step: Callable[[Step], None] = lambda _step: None,
) -> Climbed:
    """Cross-validate the second rung beside the first and choose.

    Args:
        tuner: of the cases.
        targets: (n, problems, columns).
        groups: (n,) patients.
        fold: (n,) in which fold a case is tested; no group crosses.
        loss: of the head.
        frozen: the first rung on the same folds.
        seed: of the training.
        store: where finished parts are kept.
        on_step: called after each network.
    """
    names = np.unique(fold)
    count = len(names)
    shape = (len(tuner.rounds), len(STRENGTHS), *targets.shape)
    inner = np.full((count, *shape), np.nan)
    outer, distances = np.empty(shape), np.empty((len(tuner.rounds), len(targets)))
    done = 0

    def without(*left_out: int) -> tuple[Mask, _Tested]:
        nonlocal done
        tested = np.isin(fold, names[list(left_out)])
        found, kept = _trained(tuner, targets, tested, loss, seed, store)
        done += 1
        on_step(Step(done=done, parts=parts_of(count), kept=kept))
        return tested, found

    for first, second in combinations(range(count), 2):
        tested, found = without(first, second)
        for own, other in ((first, second), (second, first)):
            inner[own][:, :, fold == names[other]] = found.logits[:, :, fold[tested] == names[other]]
    for number in range(count):
        tested, found = without(number)
        outer[:, :, tested], distances[:, tested] = found.logits, found.distances
    return _chosen(inner, outer, distances, targets, groups, fold, loss, frozen)


def _trained(
    tuner: Tuner, targets: Array, tested: Mask, loss: Loss, seed: int, store: Store | None
) -> tuple[_Tested, bool]:
    """One network and its heads, or what is kept of them."""
    shape = (len(tuner.rounds), len(STRENGTHS), int(tested.sum()), *targets.shape[1:])
    key = _key(tuner, targets, tested, loss, seed)
    size = int(np.prod(shape))
    kept = store.get(key) if store is not None else None
    if kept is None or kept.shape != (1, size + shape[0] * shape[2]):
        found = [_heads(one, targets, tested, loss) for one in tuner.train(~tested, targets, loss, seed)]
        flat = [np.stack([logits for logits, _ in found]).ravel(), np.stack([far for _, far in found]).ravel()]
        # Rounded before it is used, so that a run that went on says the same as one that was never interrupted.
        row = np.concatenate(flat).astype(np.float32)[None]
        if store is not None:
            store.put(key, row)
    else:
        row = kept
    wide = row[0].astype(np.float64)
    read = _Tested(logits=wide[:size].reshape(shape), distances=wide[size:].reshape(shape[0], shape[2]))
    return read, kept is not None


def _heads(features: Features, targets: Array, tested: Mask, loss: Loss) -> tuple[Array, Array]:
    """Logits (strengths, m, problems, columns) of heads fitted anew, and distances (m,) for the gate."""
    basis = basis_of(features[~tested])
    components = basis.project(features[tested])
    shape = (len(components), *targets.shape[1:])
    logits = [
        (components @ coefficients.reshape(len(coefficients), -1)).reshape(shape) + intercept
        for intercept, coefficients in path(basis, targets[~tested], loss)
    ]
    return np.stack(logits), distance_to(basis.standardised(features[tested]), basis.rows, NEIGHBOURS)


def _key(tuner: Tuner, targets: Array, tested: Mask, loss: Loss, seed: int) -> str:
    digest = hashlib.sha256(f"tuned 1 {tuner.name} {tuner.rounds} {STRENGTHS} {loss} {seed}".encode())
    for array in (np.asarray(targets, "<f8"), tested):
        digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _chosen(
    inner: Array,
    outer: Array,
    distances: Array,
    targets: Array,
    groups: Codes,
    fold: NDArray[np.integer],
    loss: Loss,
    frozen: OutOfFold,
) -> Climbed:
    """Choices inside the training parts, then the last one; see `climb` for the arrays."""
    names = np.unique(fold)
    tuned = np.empty(targets.shape)
    tuned_inner = np.full((len(names), *targets.shape), np.nan)
    far = np.empty(len(targets))
    inside = []
    logits, mixed_inner = frozen.logits.copy(), frozen.inner.copy()
    chosen_strengths = np.empty((len(names), targets.shape[1]), np.intp)
    for number, name in enumerate(names):
        tested, seen = fold == name, fold != name
        worth = np.full((*inner.shape[1:4], targets.shape[1]), np.nan)
        worth[:, :, seen] = [[losses(one[seen], targets[seen], loss) for one in row] for row in inner[number]]
        candidate, strengths = _best(worth[:, :, seen])
        tuned[tested] = _pick(outer[candidate], strengths)[tested]
        far[tested] = distances[candidate, tested]
        tuned_inner[number] = _pick(inner[number][candidate], strengths)
        chosen_strengths[number] = strengths
        # Held against the first rung by choices that did without the fold they are judged on, as at the end. The
        # penalty of the first rung was chosen on all of them, which leans toward it: it is the simpler one.
        honest = np.empty(targets.shape)
        for other in names[names != name]:
            judged = fold == other
            best, by_problem = _best(worth[:, :, seen & ~judged])
            honest[judged] = _pick(inner[number][best], by_problem)[judged]
        rungs = [
            Rung(name=FROZEN, losses=losses(frozen.inner[number][seen], targets[seen], loss).sum(1)),
            Rung(name=TUNED, losses=losses(honest[seen], targets[seen], loss).sum(1)),
        ]
        taken = choose_rung(rungs, groups[seen]).taken
        inside.append(taken)
        if taken == TUNED:
            logits[tested], mixed_inner[number] = tuned[tested], tuned_inner[number]
    second = replace(frozen, logits=tuned, inner=tuned_inner, chosen=chosen_strengths)
    worth = np.stack([[losses(one, targets, loss) for one in row] for row in outer])
    candidate, strengths = _best(worth)
    choice = choose_rung(
        [
            Rung(name=FROZEN, losses=losses(frozen.logits, targets, loss).sum(1)),
            Rung(name=TUNED, losses=losses(tuned, targets, loss).sum(1)),
        ],
        groups,
    )
    return Climbed(
        choice=choice,
        inside=tuple(inside),
        nested=float(losses(logits, targets, loss).sum(1).mean()),
        out=replace(frozen, logits=logits, inner=mixed_inner),
        tuned=second,
        candidate=candidate,
        strengths=strengths,
        distances=far,
    )


def _best(worth: Array) -> tuple[int, NDArray[np.intp]]:
    """The network and, for each problem, the penalty of least loss: (candidates, strengths, cases, problems) in.

    All problems share the network.
    """
    summed = worth.sum(2)
    candidate = int(summed.min(1).sum(1).argmin())
    return candidate, np.asarray(summed[candidate].argmin(0), np.intp)


def _pick(logits: Array, strengths: NDArray[np.intp]) -> Array:
    """(strengths, n, problems, columns) -> (n, problems, columns)."""
    return np.stack([logits[index, :, problem] for problem, index in enumerate(strengths)], axis=1)
