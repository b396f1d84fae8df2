from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_voi_lut

from consilium.imaging.normalise.levels import (
    BONE,
    BRAIN,
    LUNG,
    SOFT_TISSUE,
    as_displayed,
    between,
    through_table,
    through_window,
)
from consilium.imaging.study import LookUp, Plane, Window


@pytest.mark.parametrize(
    ("window", "low", "high"), [(BRAIN, 0, 80), (SOFT_TISSUE, -160, 240), (LUNG, -1350, 150), (BONE, -770, 1730)]
)
def test_hounsfield_windows_reach_from_edge_to_edge(window: Window, low: int, high: int) -> None:
    middle = (low + high) / 2
    shown = through_window(np.array([low - 500, low, middle, high, high + 500]), window)
    np.testing.assert_allclose(shown, [0.0, 0.0, 0.5, 1.0, 1.0], atol=1e-6)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [(2048, 4096), (100, 51.5), (0, 2)])
def test_window_functions_agree_with_pydicom(function: str, centre: float, width: float) -> None:
    values = np.linspace(-300, 5000, 700).astype(np.float32)
    header = Dataset()
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = centre, width, function
    # pydicom stretches over the range of the stored bits.
    header.PhotometricInterpretation, header.BitsStored, header.PixelRepresentation = "MONOCHROME2", 12, 0
    expected = apply_voi_lut(values, header) / 4095.0
    ours = through_window(values, Window(centre=centre, width=width, function=function))
    np.testing.assert_allclose(ours, expected, atol=2e-5)


def test_a_window_of_one_is_a_threshold() -> None:
    shown = through_window(np.array([9, 10, 11]), Window(centre=10.0, width=1.0))
    assert shown.tolist() == [0.0, 1.0, 1.0]


def test_a_table_is_entered_at_its_first_value_and_held_at_its_ends() -> None:
    table = LookUp(first=100, levels=np.array([0, 64, 255], np.uint16), top=255)
    shown = through_table(np.array([-5, 100, 101, 102, 999]), table)
    np.testing.assert_allclose(shown, np.array([0, 0, 64, 255, 255]) / 255)


class TestBetween:
    def test_is_a_share_of_the_way(self) -> None:
        assert between(np.array([5.0, 10.0, 15.0, 20.0, 30.0]), 10.0, 20.0).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]

    def test_of_a_flat_picture_is_black(self) -> None:
        assert between(np.array([7, 7]), 7.0, 7.0).tolist() == [0.0, 0.0]

    def test_makes_numbers_of_what_is_none(self) -> None:
        assert between(np.array([np.nan, np.inf, -np.inf]), 0.0, 1.0).tolist() == [0.0, 1.0, 0.0]


class TestAsDisplayed:
    def test_low_values_are_bright_in_monochrome1(self) -> None:
        values = np.array([[0, 100]], np.uint8)
        plane = Plane(index=0, pixels=values, white_is_low=True)
        assert as_displayed(values, plane, 0.0, 100.0).tolist() == [[1.0, 0.0]]

    def test_the_window_of_the_file_goes_before_percentiles(self) -> None:
        values = np.array([[0, 50, 100]], np.uint8)
        plane = Plane(index=0, pixels=values, voi=Window(centre=50.0, width=20.0, function="LINEAR_EXACT"))
        assert as_displayed(values, plane, 0.0, 100.0).tolist() == [[0.0, 0.5, 1.0]]
