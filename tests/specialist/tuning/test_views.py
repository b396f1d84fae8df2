from __future__ import annotations

import numpy as np

from consilium.specialist.tuning.views import VIEWS, views_of


def picture() -> np.ndarray:
    """Dark above, bright below, with a little noise."""
    rng = np.random.default_rng(0)
    levels = np.linspace(0.1, 0.9, 64)[:, None, None] + 0.02 * rng.random((64, 64, 3))
    return levels.astype(np.float32)


def brighter_side(view: np.ndarray) -> str:
    grey = view.mean(2)
    halves = {"below": grey[32:], "above": grey[:32], "left": grey[:, :32], "right": grey[:, 32:]}
    return max(halves, key=lambda side: halves[side].mean())


def test_the_first_is_the_picture_and_the_second_its_mirror_image() -> None:
    found = views_of(picture(), "us", seed=1)
    assert found.shape == (VIEWS, 64, 64, 3) and found.dtype == np.float32
    assert np.array_equal(found[0], picture()) and np.array_equal(found[1], picture()[:, ::-1])
    assert found.min() >= 0 and found.max() <= 1
    assert all(np.abs(found[0] - other).max() > 0.05 for other in found[2:])


def test_what_has_an_upper_side_keeps_it() -> None:
    for told in ("us", "xr", None):
        views = [view for seed in range(5) for view in views_of(picture(), told, seed=seed)]
        assert {brighter_side(view) for view in views} == {"below"}
    turned = {brighter_side(view) for seed in range(5) for view in views_of(picture(), "sm", seed=seed)}
    assert turned == {"below", "above", "left", "right"}


def test_views_are_the_same_each_time() -> None:
    assert np.array_equal(views_of(picture(), "sm", seed=3), views_of(picture(), "sm", seed=3))
    assert not np.array_equal(views_of(picture(), "sm", seed=3), views_of(picture(), "sm", seed=4))
