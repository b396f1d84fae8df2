from __future__ import annotations

import cv2
import numpy as np
import pytest

from consilium.imaging.normalise.field import breast, chest_wall_is_right, lit_field, ultrasound_field, whole
from tests.imaging.made_files import disc


def test_the_field_of_a_fundus_camera() -> None:
    top, left, bottom, right = lit_field(disc(300, 100, level=180) / np.float32(255))
    assert top == pytest.approx(50, abs=3)
    assert left == pytest.approx(50, abs=3)
    assert bottom == pytest.approx(250, abs=3)
    assert right == pytest.approx(250, abs=3)


def test_the_black_border_of_an_endoscope_with_letters_in_it() -> None:
    frame = np.zeros((400, 600), np.float32)
    frame[40:360, 200:560] = 0.5
    letters = np.zeros(frame.shape, np.uint8)
    cv2.putText(letters, "12:30 A", (10, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1)
    frame = np.maximum(frame, letters / np.float32(255))
    assert lit_field(frame) == pytest.approx((40, 200, 360, 560), abs=2)


def test_the_fan_of_an_ultrasound_picture_without_letters_and_scale() -> None:
    frame = np.zeros((480, 640), np.uint8)
    cv2.ellipse(frame, (320, 40), (300, 300), 0, 45, 135, 120, -1)
    cv2.putText(frame, "HOSPITAL 12.3.2020", (20, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    cv2.putText(frame, "MI 1.1", (560, 100), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    for tick in range(40, 440, 40):
        cv2.line(frame, (625, tick), (632, tick), 255, 1)
    top, left, bottom, right = ultrasound_field(frame / np.float32(255))
    assert (top, left) == (pytest.approx(40, abs=25), pytest.approx(108, abs=10))
    assert (bottom, right) == (pytest.approx(340, abs=8), pytest.approx(532, abs=10))


def test_the_breast_without_the_label_beside_it() -> None:
    plate = np.zeros((400, 300), np.float32)
    y, x = np.mgrid[:400, :300]
    plate[(x / 160) ** 2 + ((y - 200) / 150) ** 2 < 1] = 0.4
    plate[20:40, 250:290] = 1.0
    top, left, bottom, right = breast(plate)
    assert left == 0
    assert right == pytest.approx(160, abs=6)
    assert top == pytest.approx(50, abs=6)
    assert bottom == pytest.approx(350, abs=6)


def test_on_which_side_the_chest_wall_is() -> None:
    plate = np.zeros((10, 20), np.float32)
    plate[:, 12:] = 1.0
    assert chest_wall_is_right(plate, (0, 12, 10, 20))
    assert not chest_wall_is_right(plate[:, ::-1], (0, 0, 10, 8))
    # Away from both edges the side with more of it decides.
    plate[:, 18:] = 0.0
    plate[:5, 12:15] = 0.0
    assert chest_wall_is_right(plate, (0, 12, 10, 18))
    assert not chest_wall_is_right(plate[:, ::-1], (0, 2, 10, 8))


@pytest.mark.parametrize("find", [lit_field, ultrasound_field, breast])
@pytest.mark.parametrize("level", [0.0, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (200, 2)])
def test_where_there_is_nothing_to_find_it_is_the_whole(find, level: float, shape: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    picture = np.full(shape, level, np.float32)
    assert find(picture) == whole(picture)
