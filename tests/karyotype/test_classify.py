"""Naming and orienting strips, with a network whose answers are known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from consilium.karyotype import classify as stage
from consilium.karyotype.classify import classify
from consilium.karyotype.metaphase import CLASSES, Instance, Normalised
from consilium.karyotype.render import Rendered, karyotype_set, render_metaphase
from consilium.karyotype.strip import strips

Floats = NDArray[np.float32]


class TopHeavy:
    """Says that the darker end is the short arm, and that the class is the object's place in the cell."""

    def __init__(self, *, temperature: float = 1.0, prefers: float = 4.0) -> None:
        self.card = SimpleNamespace(constants={"temperature": temperature})
        self.prefers = prefers
        self.calls: list[dict[str, Floats]] = []

    def run(self, **arrays: Floats) -> dict[str, Floats]:
        self.calls.append(arrays)
        images = arrays["strips"]
        half = images.shape[2] // 2
        logits = np.zeros((len(images), 24), np.float32)
        logits[np.arange(len(images)), np.arange(len(images)) % 24] = self.prefers
        below, above = images[:, 0, half:].sum((1, 2)), images[:, 0, :half].sum((1, 2))
        return {"logits": logits, "alone": logits, "upside_down": (below - above).astype(np.float32)}


def two_rods() -> tuple[Normalised, list[Instance]]:
    """Two upright rods; the first has its dark half on top, the second at the bottom."""
    page = np.zeros((120, 100), np.float32)
    page[20:100, 20:30] = page[20:100, 60:70] = 0.3
    page[20:60, 20:30] = page[60:100, 60:70] = 1.0
    instances = [
        Instance(box=(x, 20.0, x + 10.0, 100.0), mask=np.ones((80, 10), np.bool_), origin=(int(x), 20), score=1.0)
        for x in (20.0, 60.0)
    ]
    return Normalised(darkness=page, inverted=False, chromosome_width=10.0), instances


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> TopHeavy:
    made = TopHeavy()
    monkeypatch.setattr(stage, "model", lambda name, *, threads=None: {"classifier": made}[name])
    return made


def test_the_angle_puts_the_short_arm_up(network: TopHeavy) -> None:
    read = classify(*two_rods())
    # Cosines, because an angle a little under 360 is a little under 0.
    assert np.cos(np.radians(read.angles)) == pytest.approx([1.0, -1.0], abs=0.01)
    assert ((read.angles >= 0) & (read.angles < 360)).all()
    assert (read.polarity > 0.99).all()


def test_every_strip_is_read_both_ways_round(network: TopHeavy) -> None:
    classify(*two_rods())
    upright, turned = network.calls
    assert np.array_equal(turned["strips"], upright["strips"][:, :, ::-1, ::-1])
    assert np.array_equal(turned["geometry"], upright["geometry"])
    assert all(array.dtype == np.float32 for call in network.calls for array in call.values())


def test_the_whole_cell_is_read_at_once(network: TopHeavy) -> None:
    normalised, instances = two_rods()
    many = instances * 23
    read = classify(normalised, many)
    assert [len(call["strips"]) for call in network.calls] == [46, 46]
    assert read.probabilities.argmax(axis=1).tolist() == [index % 24 for index in range(46)]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_of_the_card_softens(temperature: float, monkeypatch: pytest.MonkeyPatch) -> None:
    made = TopHeavy(temperature=temperature, prefers=3.0)
    monkeypatch.setattr(stage, "model", lambda name, *, threads=None: made)
    best = classify(*two_rods()).probabilities.max(axis=1)
    expected = np.exp(3.0 / temperature) / (np.exp(3.0 / temperature) + 23)
    assert best == pytest.approx([expected] * 2, abs=1e-5)


def test_equal_ends_are_a_coin_toss(network: TopHeavy) -> None:
    normalised, instances = two_rods()
    flat = Normalised(darkness=normalised.darkness * 0, inverted=False, chromosome_width=10.0)
    assert classify(flat, instances).polarity == pytest.approx([0.5, 0.5])


def test_an_empty_cell_needs_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **named: Any) -> None:
        raise AssertionError("a model was asked for")

    monkeypatch.setattr(stage, "model", refuse)
    read = classify(two_rods()[0], [])
    assert read.probabilities.shape == (0, len(CLASSES))
    assert read.angles.shape == read.polarity.shape == (0,)


@settings(max_examples=20)
@given(scale=st.floats(0.1, 200.0), rows=st.integers(1, 8), seed=st.integers(0, 1000))
def test_probabilities_sum_to_one_whatever_the_logits(scale: float, rows: int, seed: int) -> None:
    logits = (scale * np.random.default_rng(seed).normal(size=(rows, 24))).astype(np.float32)
    out = stage._softmax(logits)
    assert np.isfinite(out).all() and out.sum(axis=1) == pytest.approx(np.ones(rows), abs=1e-5)
    assert (out.argmax(axis=1) == logits.argmax(axis=1)).all()


# With the shipped network


@pytest.fixture(scope="module")
def drawn() -> Rendered:
    rng = np.random.default_rng(9)
    return render_metaphase(karyotype_set("46,XY"), rng, width_px=17, crowding=0, nuclei=0, debris=0)


def as_seen(cell: Rendered) -> tuple[Normalised, list[Instance]]:
    from consilium.karyotype.normalise import normalise

    instances = [Instance(box=one.box, mask=one.mask, origin=one.origin, score=1.0) for one in cell.truth]
    return normalise(cell.pixels), instances


def test_the_shipped_network_names_more_than_size_alone_would(shipped_models: None, drawn: Rendered) -> None:
    read = classify(*as_seen(drawn), threads=1)
    named = [CLASSES[best] for best in read.probabilities.argmax(axis=1)]
    right = np.mean([name == one.label for name, one in zip(named, drawn.truth, strict=True)])
    # The network never saw a drawn band, so the floor is low.
    assert right > 0.5
    assert read.probabilities.sum(axis=1) == pytest.approx(np.ones(46), abs=1e-4)
    assert ((read.polarity >= 0.5) & (read.polarity <= 1)).all()


def test_half_a_turn_of_the_picture_is_half_a_turn_of_every_angle(shipped_models: None, drawn: Rendered) -> None:
    normalised, instances = as_seen(drawn)
    height, width = normalised.darkness.shape
    turned_page = Normalised(
        darkness=np.ascontiguousarray(normalised.darkness[::-1, ::-1]),
        inverted=False,
        chromosome_width=normalised.chromosome_width,
    )
    turned = []
    for one in instances:
        (x, y), (h, w) = one.origin, one.mask.shape
        x0, y0, x1, y1 = one.box
        box = (width - x1, height - y1, width - x0, height - y0)
        turned.append(Instance(box=box, mask=one.mask[::-1, ::-1], origin=(width - x - w, height - y - h), score=1.0))
    first, second = classify(normalised, instances, threads=1), classify(turned_page, turned, threads=1)
    # A strip samples between pixels; only what is uncertain anyway may change its mind.
    sure = (first.polarity > 0.9) & (first.probabilities.max(axis=1) > 0.9)
    assert sure.sum() >= 10
    away = (second.angles - first.angles) % 360
    assert np.mean(np.abs(away - 180)[sure] < 10) > 0.9
    same = first.probabilities.argmax(axis=1) == second.probabilities.argmax(axis=1)
    assert same[sure].mean() > 0.9


def test_the_order_of_the_objects_does_not_matter(shipped_models: None, drawn: Rendered) -> None:
    normalised, instances = as_seen(drawn)
    order = np.random.default_rng(0).permutation(len(instances))
    straight = classify(normalised, instances, threads=1)
    shuffled = classify(normalised, [instances[k] for k in order], threads=1)
    assert shuffled.probabilities == pytest.approx(straight.probabilities[order], abs=1e-3)
    assert shuffled.angles == pytest.approx(straight.angles[order], abs=1e-3)


def test_strips_of_the_drawn_cell_hold_its_bands(drawn: Rendered) -> None:
    read = strips(*[as_seen(drawn)[0].darkness, as_seen(drawn)[1]])
    inside = read.images[:, 1] > 0.5
    assert read.images[:, 0][inside].mean() > 0.4
    assert read.images[:, 0][~inside].mean() < 0.1
