from __future__ import annotations

import numpy as np
import pytest

from consilium.errors import InputError
from consilium.generalist.encoder import Encoder, batches, check_pictures
from consilium.generalist.shipped import ShippedEncoder


def test_the_shipped_kind_is_an_encoder(tiny: ShippedEncoder) -> None:
    assert isinstance(tiny, Encoder)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((1, 64, 64), np.float32), "squares"),
        (np.zeros((1, 64, 32, 3), np.float32), "squares"),
        (np.zeros((1, 64, 64, 4), np.float32), "squares"),
        (np.zeros((1, 64, 64, 3), np.uint8), "squares"),
        (np.zeros((1, 48, 48, 3), np.float32), "multiple of 32"),
        (np.zeros((1, 0, 0, 3), np.float32), "multiple of 32"),
        (np.full((1, 64, 64, 3), 255, np.float32), "between 0 and 1"),
        (np.full((1, 64, 64, 3), np.nan, np.float32), "between 0 and 1"),
    ],
)
def test_pictures_of_another_form_are_refused(images: np.ndarray, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_pictures(images, multiple=32)


def test_no_picture_at_all_is_fine() -> None:
    check_pictures(np.zeros((0, 64, 64, 3), np.float32), multiple=32)


@pytest.mark.parametrize(("count", "expected"), [(0, []), (4, [4]), (5, [5]), (11, [5, 5, 1])])
def test_batches_cover_everything_once(count: int, expected: list[int]) -> None:
    parts = list(batches(count, 5))
    assert [part.stop - part.start for part in parts] == expected
    assert [row for part in parts for row in range(count)[part]] == list(range(count))
