"""Touching objects come apart again."""

from __future__ import annotations

import numpy as np

from consilium.specialist.segmentation.objects import EDGE, INNER, edges_of, objects_of
from consilium.specialist.segmentation.overlap import objects_found


def _two_discs() -> np.ndarray:
    rows, columns = np.mgrid[:40, :60]
    labels = np.zeros((40, 60), np.intp)
    labels[np.hypot(rows - 20, columns - 18) < 12] = 1
    labels[(np.hypot(rows - 20, columns - 40) < 12) & (labels == 0)] = 2
    return labels


def _certain(classes: np.ndarray) -> np.ndarray:
    return np.stack([classes == number for number in range(3)]).astype(np.float32)


def test_edges_lie_between_and_around() -> None:
    labels = _two_discs()
    edges = edges_of(labels)
    assert ((edges > 0) == (labels > 0)).all()
    # Wherever two objects touch, both sides are edge.
    touching = (labels[:, :-1] != labels[:, 1:]) & (labels[:, :-1] > 0) & (labels[:, 1:] > 0)
    assert touching.any()
    assert (edges[:, :-1][touching] == EDGE).all() and (edges[:, 1:][touching] == EDGE).all()


def test_touching_objects_come_apart_and_keep_their_size() -> None:
    labels = _two_discs()
    found = objects_of(_certain(edges_of(labels)), threshold=0.5, smallest=5)
    assert objects_found(found, labels, least=0.9).hits == 2
    assert ((found > 0) == (labels > 0)).all()


def test_without_edges_they_stay_one() -> None:
    labels = _two_discs()
    found = objects_of(_certain(np.where(labels > 0, INNER, 0)), threshold=0.5, smallest=5)
    assert found.max() == 1


def test_what_has_no_inner_part_is_an_object_unless_it_is_too_small() -> None:
    classes = np.zeros((20, 20), np.intp)
    classes[3:5, 3:5] = EDGE
    assert objects_of(_certain(classes), threshold=0.5, smallest=1).max() == 1
    assert objects_of(_certain(classes), threshold=0.5, smallest=5).max() == 0
    assert objects_of(_certain(np.zeros((20, 20), np.intp)), threshold=0.5, smallest=1).max() == 0
