"""Features of pixels: those that are drawn are those that are projected."""

from __future__ import annotations

import numpy as np
import pytest

from consilium.errors import ModelError
from consilium.specialist.segmentation.pixel_classifier import draw_pixels, fit_pixel_classifier
from consilium.specialist.segmentation.pixel_features import FINE, fine_channels, pixel_features
from tests.specialist.shapes import MeansEncoder, discs


def test_drawn_features_are_those_of_the_projection() -> None:
    pictures, _ = discs(1)
    (features,) = pixel_features(MeansEncoder(), pictures, side=64, modality=None)
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((features.width, 4)).astype(np.float32)
    rows, columns = rng.integers(0, 50, 200), rng.integers(0, 70, 200)
    rows[:4], columns[:4] = (0, 0, 49, 49), (0, 69, 0, 69)
    expected = features.at(rows, columns) @ weights
    assert np.allclose(features.projected(weights)[rows, columns], expected, atol=2e-2)


def test_fine_channels_say_where_and_how_bright() -> None:
    pictures, _ = discs(1)
    channels = fine_channels(pictures[0])
    assert channels.shape == (FINE, 50, 70)
    assert np.allclose(channels[0], pictures[0][:, :, 0], atol=1e-3)
    assert channels[-5, 0, 0] == -1 and channels[-5, 49, 0] == 1 and channels[-4, 0, 69] == 1


def test_an_encoder_without_a_pyramid_is_refused() -> None:
    encoder = MeansEncoder()
    encoder.levels = ()  # type: ignore[assignment]
    with pytest.raises(ModelError, match="pyramid"):
        pixel_features(encoder, discs(1)[0], side=64, modality=None)


@pytest.mark.parametrize("hidden", [0, 8])
def test_a_classifier_learns_and_is_the_same_each_time(hidden: int) -> None:
    pictures, masks = discs(8)
    features = pixel_features(MeansEncoder(), pictures, side=64, modality=None)
    targets = [(mask > 0).astype(np.intp) for mask in masks]
    drawn, truth = draw_pixels(features[:6], targets[:6], most=300, rng=np.random.default_rng(0))
    # Both classes are drawn alike, though a disc is a small part of its picture.
    assert 0.4 < truth.mean() < 0.6
    first, second = (fit_pixel_classifier(drawn, truth, classes=2, hidden=hidden, epochs=30) for _ in range(2))
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first.layers, second.layers, strict=True))
    assert first.classes == 2
    probabilities = first.probabilities(features[7])
    assert np.allclose(probabilities.sum(0), 1, atol=1e-5)
    assert ((probabilities[1] > 0.5) == (targets[7] > 0)).mean() > 0.95


def test_only_a_hidden_layer_learns_what_no_line_parts() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((4000, 2)).astype(np.float32)
    truth = (drawn[:, 0] * drawn[:, 1] > 0).astype(np.intp)
    rights = {}
    for hidden in (0, 16):
        classifier = fit_pixel_classifier(drawn, truth, classes=2, hidden=hidden, epochs=60)
        values = drawn
        for number, (weights, offset) in enumerate(classifier.layers):
            values = (np.maximum(values, 0) if number else values) @ weights + offset
        rights[hidden] = (values.argmax(1) == truth).mean()
    assert rights[0] < 0.7
    assert rights[16] > 0.9
