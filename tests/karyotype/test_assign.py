"""Names for a whole cell: the best naming is found exactly, and doubt about it is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from consilium.karyotype.assign import NO_CLASS_FITS, Assigned
from consilium.karyotype.assign import assign as assign_with_card
from consilium.karyotype.count import count_cell
from consilium.karyotype.karyotype_set import karyotype_set
from consilium.karyotype.metaphase import CLASSES, UNSURE

Floats = NDArray[np.float32]

EXTRA_COPY, SCALE, OFFSET = 1.0, 1.5, -0.4
assign = partial(assign_with_card, extra_copy=EXTRA_COPY, margin_scale=SCALE, margin_offset=OFFSET)


def read_as(labels: Sequence[str], *, sure: float = 0.98) -> Floats:
    """What a classifier says that gives each label `sure` and shares the rest among the others."""
    out = np.full((len(labels), len(CLASSES)), (1 - sure) / (len(CLASSES) - 1), np.float32)
    for row, label in zip(out, labels, strict=True):
        row[CLASSES.index(label)] = sure
    return out


def cost_of(names: Sequence[str], probabilities: Floats, *, extra_copy: float = EXTRA_COPY) -> float:
    """What a naming costs, from its definition: surprise, and more for each further copy beyond the usual."""
    surprise = sum(
        NO_CLASS_FITS if name == UNSURE else -np.log(max(float(row[CLASSES.index(name)]), 1e-9))
        for name, row in zip(names, probabilities, strict=True)
    )
    copies = Counter(names)

    def unusual(usual: dict[str, int]) -> float:
        beyond = [max(copies[label] - usual[label], 0) for label in CLASSES]
        return sum(extra_copy * more * (more + 1) / 2 for more in beyond)

    autosomes = dict.fromkeys(CLASSES[:22], 2)
    return float(surprise + min(unusual(autosomes | {"X": 2, "Y": 0}), unusual(autosomes | {"X": 1, "Y": 1})))


def unlike(rows: int, classes: Sequence[str], seed: int, sharpness: float) -> Floats:
    """Random readings that give only a few classes a chance, so that every naming can be tried."""
    rng = np.random.default_rng(seed)
    out = np.full((rows, len(CLASSES)), 1e-9)
    columns = [CLASSES.index(label) for label in classes]
    out[:, columns] = np.exp(sharpness * rng.normal(size=(rows, len(classes))))
    return np.asarray(out / out.sum(axis=1, keepdims=True), np.float32)


@settings(max_examples=60)
@given(
    rows=st.integers(1, 5),
    classes=st.sampled_from([("21", "22"), ("X", "Y"), ("7", "X", "Y"), ("4", "5", "X")]),
    seed=st.integers(0, 10**6),
    sharpness=st.sampled_from([0.3, 1.0, 4.0]),
    extra_copy=st.sampled_from([0.0, 0.5, 2.0]),
)
def test_no_other_naming_is_cheaper(
    rows: int, classes: tuple[str, ...], seed: int, sharpness: float, extra_copy: float
) -> None:
    probabilities = unlike(rows, classes, seed, sharpness)
    found = assign(probabilities, extra_copy=extra_copy)
    tried = product((*classes, UNSURE), repeat=rows)
    best = min(cost_of(names, probabilities, extra_copy=extra_copy) for names in tried)
    assert cost_of(found.labels, probabilities, extra_copy=extra_copy) == pytest.approx(best, abs=1e-6)


@settings(max_examples=30)
@given(
    rows=st.integers(1, 4),
    classes=st.sampled_from([("21", "22"), ("X", "Y"), ("7", "X", "Y")]),
    seed=st.integers(0, 10**6),
    sharpness=st.sampled_from([0.3, 1.0, 3.0]),
)
def test_a_confidence_is_what_the_best_other_naming_would_cost_more(
    rows: int, classes: tuple[str, ...], seed: int, sharpness: float
) -> None:
    probabilities = unlike(rows, classes, seed, sharpness)
    found = assign(probabilities)
    namings = [(cost_of(names, probabilities), names) for names in product((*classes, UNSURE), repeat=rows)]
    best = min(cost for cost, _ in namings)
    for index, confidence in enumerate(found.confidences):
        other = min(cost for cost, names in namings if names[index] != found.labels[index])
        expected = 1 / (1 + np.exp(-((other - best) / SCALE + OFFSET)))
        assert confidence == pytest.approx(expected, abs=1e-5)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), rows=st.integers(2, 50))
def test_the_order_of_the_objects_does_not_matter(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(24, 0.15), rows).astype(np.float32)
    order = rng.permutation(rows)
    straight, shuffled = assign(probabilities), assign(probabilities[order])
    assert shuffled.labels == tuple(straight.labels[index] for index in order)
    assert shuffled.confidences == pytest.approx(straight.confidences[order], abs=1e-5)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), rows=st.integers(0, 60), even=st.sampled_from([0.02, 0.3, 5.0]))
def test_every_object_gets_a_name_and_a_confidence(seed: int, rows: int, even: float) -> None:
    probabilities = np.random.default_rng(seed).dirichlet(np.full(24, even), rows).astype(np.float32)
    found = assign(probabilities)
    assert len(found.labels) == len(found.confidences) == rows
    assert set(found.labels) <= {*CLASSES, UNSURE}
    assert found.confidences.dtype == np.float32
    assert ((found.confidences >= 0) & (found.confidences <= 1)).all()


def test_an_empty_cell_has_no_names() -> None:
    found = assign(np.zeros((0, 24), np.float32))
    assert found.labels == () and found.confidences.shape == (0,)


KARYOTYPES = ("46,XX", "46,XY", "47,XY,+21", "45,X", "47,XXY", "47,XYY", "47,XXX", "45,XX,-7", "48,XX,+8,+21")


@pytest.mark.parametrize("karyotype", [*KARYOTYPES, "48,XX,+21,+21"])
def test_unusual_numbers_stay_visible(karyotype: str) -> None:
    labels = karyotype_set(karyotype)
    found = assign(read_as(labels))
    assert list(found.labels) == labels
    assert found.confidences.min() > 0.5
    assert count_cell(found.labels)[1] == karyotype


def test_a_third_copy_needs_more_than_a_hair_of_evidence() -> None:
    """Of three that look like 21, the one that looks most like 22 completes the pair of 22."""
    labels = karyotype_set("46,XX")
    probabilities = read_as(labels)
    odd = labels.index("22")
    probabilities[odd] = read_as(["21"], sure=0.5)
    probabilities[odd, CLASSES.index("22")] = 0.3
    assert assign(probabilities).labels[odd] == "22"
    probabilities[odd, CLASSES.index("22")] = 0.01
    assert assign(probabilities).labels[odd] == "21"


def test_one_x_and_one_y_are_as_usual_as_two_x() -> None:
    for karyotype in ("46,XX", "46,XY"):
        labels = karyotype_set(karyotype)
        probabilities = read_as(labels)
        assert cost_of(assign(probabilities).labels, probabilities) == pytest.approx(-46 * np.log(0.98), abs=1e-3)


def test_an_object_is_unsure_only_where_nothing_fits() -> None:
    labels = karyotype_set("46,XX")
    sensible = assign(np.concatenate([read_as(labels), np.full((1, 24), 1 / 24, np.float32)]))
    assert UNSURE not in sensible.labels
    impossible = np.concatenate([read_as(labels), np.full((1, 24), 1e-6, np.float32)])
    assert assign(impossible).labels == (*labels, UNSURE)


def test_the_eighth_copy_of_a_class_is_not_one_of_it() -> None:
    """Debris that all looks alike may not become a heap of one chromosome."""
    found = assign(read_as(["21"] * 12, sure=0.999))
    assert Counter(found.labels)["21"] <= 6
    assert Counter(found.labels)[UNSURE] > 0


def test_clearer_evidence_gives_more_confidence() -> None:
    labels = karyotype_set("46,XX")
    place = labels.index("13")
    seen = []
    for sure in (0.3, 0.5, 0.7, 0.9, 0.99):
        probabilities = read_as(labels)
        probabilities[place] = read_as(["13"], sure=sure)
        found = assign(probabilities)
        assert found.labels[place] == "13"
        seen.append(float(found.confidences[place]))
    assert seen == sorted(seen) and len(set(seen)) == len(seen)


def test_a_doubt_about_one_pair_leaves_the_others_sure() -> None:
    labels = karyotype_set("46,XX")
    probabilities = read_as(labels)
    pair = [index for index, label in enumerate(labels) if label in {"4", "5"}]
    probabilities[pair] = 0.001
    probabilities[np.ix_(pair, [3, 4])] = 0.489
    found = assign(probabilities)
    doubtful = {index for index, confidence in enumerate(found.confidences) if confidence < 0.6}
    assert doubtful == set(pair)
    assert Counter(found.labels[index] for index in pair) == {"4": 2, "5": 2}


def test_what_is_left_out_comes_from_the_card(shipped_models: None) -> None:
    labels = karyotype_set("47,XY,+21")
    found: Assigned = assign_with_card(read_as(labels))
    assert list(found.labels) == labels
    assert found.confidences.min() > 0.5
