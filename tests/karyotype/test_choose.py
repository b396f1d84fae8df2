"""Which objects are the chromosomes of a cell: the cheapest choice is found exactly, clear evidence is kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from consilium.karyotype.assign import NO_CLASS_FITS
from consilium.karyotype.choose import CLEAR, keep_all
from consilium.karyotype.choose import choose as choose_with_card
from consilium.karyotype.metaphase import CLASSES, Instance

UNUSUAL, WEIGHT, SCALE, OFFSET = 1.5, 0.4, 1.5, 0.0
choose = partial(
    choose_with_card, unusual_copy=UNUSUAL, class_weight=WEIGHT, presence_scale=SCALE, presence_offset=OFFSET
)

NORMAL = (*(label for label in CLASSES[:22] for _ in range(2)), "X", "Y")


def objects(scores: Sequence[float]) -> list[Instance]:
    mask = np.ones((4, 4), np.bool_)
    return [Instance(box=(0.0, 0.0, 4.0, 4.0), mask=mask, origin=(0, 0), score=score) for score in scores]


def read_as(labels: Sequence[str], *, sure: float = 0.97) -> NDArray[np.float32]:
    out = np.full((len(labels), len(CLASSES)), (1 - sure) / (len(CLASSES) - 1), np.float32)
    for row, label in zip(out, labels, strict=True):
        row[CLASSES.index(label)] = sure
    return out


def kept(labels: Sequence[str], scores: Sequence[float]) -> list[bool]:
    return list(choose(read_as(labels), objects(scores)).kept)


def test_of_two_doubtful_objects_the_one_that_the_cell_lacks_is_counted() -> None:
    """The same looks, but one would be the second 17 and the other the third 18."""
    rest = [label for k, label in enumerate(NORMAL) if k != NORMAL.index("17")]
    assert kept([*rest, "17", "18"], [0.95] * 45 + [0.45, 0.45]) == [True] * 46 + [False]


@pytest.mark.parametrize("extra", ["21", "X", "Y", "1"])
def test_a_clear_extra_copy_is_counted(extra: str) -> None:
    assert all(kept([*NORMAL, extra], [0.9] * 47))


@pytest.mark.parametrize("unusual_copy", [3.0, 20.0])
def test_the_cell_decides_only_what_looks_leave_open(unusual_copy: float) -> None:
    at = [1 / (1 + np.exp(-(CLEAR + above) / SCALE)) for above in (0.1, -0.1)]
    for score, counted in zip(at, (True, False), strict=True):
        chosen = choose(read_as([*NORMAL, "21"]), objects([0.95] * 46 + [score]), unusual_copy=unusual_copy)
        assert chosen.kept.tolist() == [True] * 46 + [counted]


def test_three_clear_copies_of_every_chromosome_are_counted() -> None:
    triploid = [label for label in CLASSES[:22] for _ in range(3)] + ["X", "X", "Y"]
    assert all(kept(triploid, [0.9] * len(triploid)))


def test_what_the_cell_lacks_is_not_made_up_from_dirt() -> None:
    rest = [label for label in NORMAL if label != "Y"]
    assert kept([*rest, "Y"], [0.95] * 45 + [0.15]) == [True] * 45 + [False]


def test_a_clear_chromosome_that_fits_no_class_is_counted() -> None:
    probabilities = np.concatenate([read_as(NORMAL), np.full((1, 24), 1 / 24, np.float32)])
    assert choose(probabilities, objects([0.95] * 46 + [0.97])).kept.all()


def test_presence_is_what_the_looks_alone_say() -> None:
    chosen = choose(read_as(["1", "1", "1"]), objects([0.5, 0.9, 0.2]))
    assert chosen.presence == pytest.approx([0.5, 1 / (1 + 9**-SCALE), 1 / (1 + 4**SCALE)])


def test_nothing_is_chosen_from_nothing() -> None:
    assert len(choose(np.zeros((0, 24), np.float32), []).kept) == 0


def test_objects_that_are_known_are_kept_with_their_scores() -> None:
    chosen = keep_all(read_as(["1", "2"]), objects([0.1, 1.0]))
    assert chosen.kept.all() and chosen.presence == pytest.approx([0.1, 1.0])


def cost_of(places: Sequence[str | None], probabilities: NDArray[np.float32], scores: Sequence[float]) -> float:
    """What a choice costs, from its definition."""
    present = SCALE * np.log(np.asarray(scores) / (1 - np.asarray(scores))) + OFFSET
    surprise = WEIGHT * np.minimum(-np.log(np.maximum(probabilities, 1e-9)), NO_CLASS_FITS)
    total = 0.0
    for k, place in enumerate(places):
        total += min(present[k], CLEAR) if place is None else surprise[k, CLASSES.index(place)]

    def copies(usual: dict[str, int]) -> float:
        out = 0.0
        for label in CLASSES:
            beyond = sum(place == label for place in places) - usual.get(label, 2)
            out += UNUSUAL * (beyond * (beyond + 1) / 2 if beyond > 0 else -beyond)
        return out

    return float(total + min(copies({"X": 2, "Y": 0}), copies({"X": 1, "Y": 1})))


@settings(max_examples=60)
@given(rows=st.integers(1, 4), seed=st.integers(0, 10**6), sharpness=st.sampled_from([0.5, 2.0, 6.0]))
def test_no_other_choice_is_cheaper(rows: int, seed: int, sharpness: float) -> None:
    rng = np.random.default_rng(seed)
    probabilities = np.full((rows, 24), 1e-9)
    columns = [CLASSES.index(label) for label in ("21", "X", "Y")]
    probabilities[:, columns] = np.exp(sharpness * rng.normal(size=(rows, 3)))
    probabilities = (probabilities / probabilities.sum(1, keepdims=True)).astype(np.float32)
    scores = rng.uniform(0.05, 0.84, rows).tolist()  # never so clear that an object is kept without a place
    found = choose(probabilities, objects(scores)).kept
    tried = {places: cost_of(places, probabilities, scores) for places in product(("21", "X", "Y", None), repeat=rows)}
    same = [cost for places, cost in tried.items() if [p is not None for p in places] == found.tolist()]
    assert min(same) == pytest.approx(min(tried.values()), abs=1e-6)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_the_objects_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(24, 0.1), 50).astype(np.float32)
    scores = rng.uniform(0.1, 0.98, 50)
    order = rng.permutation(50)
    plain = choose(probabilities, objects(scores.tolist())).kept
    shuffled = choose(probabilities[order], objects(scores[order].tolist())).kept
    assert (plain[order] == shuffled).all()


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_scores_at_the_ends_are_taken(score: float) -> None:
    assert np.isfinite(choose(read_as(["3"]), objects([score])).presence).all()
