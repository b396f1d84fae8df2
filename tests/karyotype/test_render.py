"""The synthetic metaphase: its truth must be the picture's."""

from __future__ import annotations

import doctest
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from consilium.cytogenetics.bands import centromere_index, iscn_length, profile
from consilium.errors import ConsiliumError, InputError, OutputError
from consilium.karyotype import short_arm_up
from consilium.karyotype.demo_case import CELLS, demo_cells, write_demo_case
from consilium.karyotype.metaphase import CLASSES
from consilium.karyotype.render import (
    DrawnChromosome,
    Rendered,
    is_synthetic,
    karyotype_set,
    render_metaphase,
    save_synthetic,
)
from consilium.karyotype.render_chromosome import draw_chromosome


def draw(seed: int = 0, name: str = "normal female", **dials: float) -> Rendered:
    return render_metaphase(karyotype_set(name), np.random.default_rng(seed), **dials)  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=[0.0, 0.3, 1.0], ids=lambda crowding: f"crowding {crowding}")
def cell(request: pytest.FixtureRequest) -> Rendered:
    return draw(7, "47,XY,+21", crowding=request.param)


def place_mask(chromosome: DrawnChromosome, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    whole = np.zeros(shape, bool)
    (x, y), (height, width) = chromosome.origin, chromosome.mask.shape
    whole[y : y + height, x : x + width] = chromosome.mask
    return whole


def darkness(cell: Rendered) -> NDArray[np.float64]:
    grey = cell.pixels.astype(float)
    return grey if cell.inverted else 255.0 - grey


# Truth


def test_every_chromosome_asked_for_is_drawn_once(cell: Rendered) -> None:
    assert [chromosome.label for chromosome in cell.truth] == karyotype_set("47,XY,+21")


def test_boxes_are_the_extents_of_the_masks(cell: Rendered) -> None:
    for chromosome in cell.truth:
        rows, columns = np.nonzero(place_mask(chromosome, cell.pixels.shape))
        assert chromosome.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_nothing_touches_the_border_of_the_image(cell: Rendered) -> None:
    height, width = cell.pixels.shape
    for chromosome in cell.truth:
        xmin, ymin, xmax, ymax = chromosome.box
        assert min(xmin, ymin, width - xmax, height - ymax) > 0


def test_a_mask_is_one_piece(cell: Rendered) -> None:
    for chromosome in cell.truth:
        parts, _ = cv2.connectedComponents(chromosome.mask.astype(np.uint8))
        assert parts == 2, chromosome.label  # the background and the chromosome


def test_chromosomes_are_darker_than_what_surrounds_them(cell: Rendered) -> None:
    dark = darkness(cell)
    everything = np.any([place_mask(chromosome, dark.shape) for chromosome in cell.truth], axis=0)
    free = ~cv2.dilate(everything.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    background = np.median(dark[free])
    for chromosome in cell.truth:
        inside = dark[place_mask(chromosome, dark.shape)]
        assert np.median(inside) > background + 40
        assert np.mean(inside > background + 12) > 0.9


def test_where_no_mask_lies_the_field_is_empty() -> None:
    cell = draw(3, nuclei=0, debris=0.0, noise=0.0)
    everything = np.any([place_mask(chromosome, cell.pixels.shape) for chromosome in cell.truth], axis=0)
    away = ~cv2.dilate(everything.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    assert np.ptp(cell.pixels[away].astype(int)) < 25


def test_visible_is_the_share_of_pixels_that_only_this_chromosome_covers(cell: Rendered) -> None:
    masks = np.array([place_mask(chromosome, cell.pixels.shape) for chromosome in cell.truth])
    alone = masks.sum(axis=0) == 1
    for chromosome, mask in zip(cell.truth, masks, strict=True):
        assert chromosome.visible == pytest.approx(alone[mask].mean())


def test_crowding_goes_from_all_apart_to_many_crossing() -> None:
    shared = [sum(each.visible < 1 for each in draw(5, crowding=crowding).truth) for crowding in (0.0, 0.3, 1.0)]
    assert shared[0] == 0
    assert 4 <= shared[1] < shared[2]


def test_where_two_cross_it_is_darker_than_either_alone() -> None:
    cell = draw(2, crowding=0.8, noise=0.0)
    masks = np.array([place_mask(chromosome, cell.pixels.shape) for chromosome in cell.truth])
    count, dark = masks.sum(axis=0), darkness(cell)
    both = cv2.erode((count >= 2).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    single = cv2.erode((count == 1).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    assert both.sum() > 100
    assert np.median(dark[both]) > np.median(dark[single]) + 15


# Shape and bands


@pytest.mark.parametrize("label", CLASSES)
def test_length_and_width_are_those_asked_for(label: str) -> None:
    length = 160.0 * iscn_length(label) / iscn_length("1")
    drawing = draw_chromosome(label, np.random.default_rng(1), width_px=18.0, length_px=length)
    along = np.linalg.norm(np.diff(drawing.axis, axis=0), axis=1).sum()
    assert along == pytest.approx(length, abs=2.5)
    assert 0.7 * 18 < drawing.mask.sum() / length < 1.15 * 18


def bands_along_the_axis(label: str, seed: int) -> NDArray[np.float64]:
    """(120,) darkness of a drawn chromosome, from pter to qter."""
    drawing = draw_chromosome(label, np.random.default_rng(seed), width_px=18.0, length_px=150.0)
    steps = np.arange(len(drawing.axis))
    at = np.linspace(0, len(drawing.axis) - 1, 120)
    points = np.stack([np.interp(at, steps, drawing.axis[:, side]) for side in (0, 1)], axis=1).astype(np.float32)
    smooth = cv2.GaussianBlur(drawing.darkness, (0, 0), 2.5)
    return np.asarray(cv2.remap(smooth, points[None], None, cv2.INTER_LINEAR), dtype=np.float64).ravel()


def best_agreement(seen: NDArray[np.float64], label: str, *, upside_down: bool = False) -> float:
    """Highest correlation with the ideogram, whose short arm may be squeezed: satellites vary in length."""
    fine, centromere = profile(label, 2400, 850), centromere_index(label, 850)
    agreement = []
    for squeeze in np.linspace(0.3, 1.1, 17):
        place = np.interp(np.linspace(0, 1, 120), [0, squeeze * centromere, 1], [0, centromere, 1])
        expected = cv2.GaussianBlur(np.interp(place, np.linspace(0, 1, 2400), fine)[None], (0, 0), 2.0).ravel()
        inner = slice(6, -6)  # the tips fade whatever band lies there
        agreement.append(np.corrcoef(seen[inner], expected[::-1][inner] if upside_down else expected[inner])[0, 1])
    return float(max(agreement))


@pytest.mark.parametrize("label", CLASSES)
def test_the_bands_along_the_axis_are_those_of_the_ideogram(label: str) -> None:
    seen = np.mean([bands_along_the_axis(label, seed) for seed in range(10)], axis=0)
    assert best_agreement(seen, label) > 0.65
    # 19 is nearly the same upside down: dark around a middle centromere, pale elsewhere.
    assert best_agreement(seen, label) > best_agreement(seen, label, upside_down=True) + 0.04


@pytest.mark.parametrize("label", ["13", "14", "15"])
def test_an_acrocentric_is_thin_and_pale_at_the_short_arm(label: str) -> None:
    for seed in range(5):
        drawing = draw_chromosome(label, np.random.default_rng(seed), width_px=18.0, length_px=70.0, bend=0.0)
        nearest = np.linalg.norm(np.argwhere(drawing.mask)[:, None, ::-1] - drawing.axis[None], axis=2).argmin(axis=1)
        width = np.bincount(nearest, minlength=len(drawing.axis))
        assert width[4:10].mean() < 0.8 * width[-16:-10].mean()


# Angle


def test_the_convention_of_the_angle() -> None:
    result = doctest.testmod(short_arm_up)
    assert result.attempted >= 4
    assert result.failed == 0


def rotate(image: NDArray[np.float32], angle_deg: float) -> NDArray[np.float32]:
    side = int(2 * np.hypot(*image.shape)) | 1
    canvas = np.zeros((side, side), np.float32)
    y, x = (side - image.shape[0]) // 2, (side - image.shape[1]) // 2
    canvas[y : y + image.shape[0], x : x + image.shape[1]] = image
    turn = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), angle_deg, 1.0)
    return np.asarray(cv2.warpAffine(canvas, turn, (side, side), flags=cv2.INTER_LINEAR), dtype=np.float32)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("label", ["13", "14", "15"])
def test_turning_by_the_angle_puts_the_thin_short_arm_of_an_acrocentric_on_top(label: str, seed: int) -> None:
    cell = render_metaphase([label], np.random.default_rng(seed), nuclei=0, debris=0)
    turned = rotate(cell.truth[0].mask.astype(np.float32), cell.truth[0].angle_deg)
    # Area of the end, not its width: a bent end lies across the rows.
    rows = np.flatnonzero((turned > 0.5).any(axis=1))
    end = len(rows) // 6
    assert turned[rows[:end]].sum() < turned[rows[-end:]].sum()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("label", ["18", "Y"])
def test_turning_by_the_angle_puts_the_dark_long_arm_below(label: str, seed: int) -> None:
    cell = render_metaphase([label], np.random.default_rng(seed), nuclei=0, debris=0, noise=0)
    xmin, ymin, xmax, ymax = (int(side) for side in cell.truth[0].box)
    dark = (255.0 - cell.pixels[ymin:ymax, xmin:xmax]).astype(np.float32) * cell.truth[0].mask
    rows = rotate(dark, cell.truth[0].angle_deg).sum(axis=1)
    ends = np.flatnonzero(rows > 0.05 * rows.max())
    middle = (ends[0] + ends[-1]) // 2
    assert rows[middle:].sum() > rows[:middle].sum()


def test_after_turning_pter_lies_straight_above_qter(cell: Rendered) -> None:
    for chromosome in cell.truth:
        turn = cv2.getRotationMatrix2D((0.0, 0.0), chromosome.angle_deg, 1.0)[:, :2]
        upwards = turn @ (chromosome.axis[0] - chromosome.axis[-1])
        assert upwards[1] < 0
        assert abs(upwards[0]) < 0.01 * abs(upwards[1])
        assert 0 <= chromosome.angle_deg < 360


@pytest.mark.parametrize("angle", [0.0, 12.5, 90.0, 179.0, 270.0, 359.0])
def test_angle_and_direction_are_inverse(angle: float) -> None:
    assert short_arm_up.angle_to_short_arm_up(*short_arm_up.short_arm_direction(angle)) == pytest.approx(angle)


def test_no_direction_no_angle() -> None:
    with pytest.raises(ValueError, match="length zero"):
        short_arm_up.angle_to_short_arm_up(0, 0)


# Dials


def test_the_same_generator_draws_the_same_picture() -> None:
    first, second, other = draw(11), draw(11), draw(12)
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert [each.box for each in first.truth] == [each.box for each in second.truth]
    assert first.pixels.shape != other.pixels.shape or (first.pixels != other.pixels).any()


def test_inverted_is_the_negative() -> None:
    np.testing.assert_array_equal(255 - draw(4).pixels, draw(4, inverted=True).pixels)


def test_contrast_spreads_the_bands() -> None:
    def spread(contrast: float) -> float:
        cell = draw(9, contrast=contrast, crowding=0.0, noise=0.0)
        inner = [cv2.erode(place_mask(c, cell.pixels.shape).astype(np.uint8), np.ones((9, 9))) for c in cell.truth]
        return float(cell.pixels[np.any(inner, axis=0)].std())

    assert spread(0.4) < 0.75 * spread(1.0) < spread(1.0) < spread(1.4)


def test_scale_follows_the_width() -> None:
    small, large = (sum(each.mask.sum() for each in draw(6, width_px=width).truth) for width in (10.0, 20.0))
    assert large / small == pytest.approx(4.0, rel=0.15)


def test_nuclei_lie_beside_the_chromosomes() -> None:
    without, with_two = draw(8, nuclei=0), draw(8, nuclei=2)
    assert (darkness(with_two) > 60).sum() > 1.15 * (darkness(without) > 60).sum()


def test_everything_drawn_says_it_is_synthetic() -> None:
    assert draw(1).synthetic is True


@pytest.mark.parametrize(
    ("karyotype", "dials"),
    [
        (["23"], {}),
        ([], {}),
        ({"1": 0}, {}),
        (["1"], {"width_px": 2.0}),
        (["1"], {"band_level": 500}),
        (["1"], {"crowding": 1.5}),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_way_out(karyotype: list[str], dials: dict[str, float]) -> None:
    with pytest.raises(InputError) as refusal:
        render_metaphase(karyotype, np.random.default_rng(0), **dials)  # type: ignore[arg-type]
    assert refusal.value.way_out


# Karyotypes


@pytest.mark.parametrize(
    ("name", "count", "odd"),
    [
        ("normal female", 46, {"X": 2}),
        ("normal male", 46, {"X": 1, "Y": 1}),
        ("45,X", 45, {"X": 1}),
        ("47,XXY", 47, {"X": 2, "Y": 1}),
        ("47,XXX", 47, {"X": 3}),
        ("47,XYY", 47, {"X": 1, "Y": 2}),
        ("47,XY,+21", 47, {"21": 3, "X": 1, "Y": 1}),
        ("46,XX,+8,-7", 46, {"8": 3, "7": 1, "X": 2}),
        ("trisomy 18", 47, {"18": 3, "X": 2}),
        ("Trisomy 13 male", 47, {"13": 3, "X": 1, "Y": 1}),
        ("monosomy 7", 45, {"7": 1, "X": 2}),
        ("monosomy X", 45, {"X": 1}),
        ("trisomy X", 47, {"X": 3}),
    ],
)
def test_karyotypes_by_name(name: str, count: int, odd: dict[str, int]) -> None:
    labels = karyotype_set(name)
    expected = dict.fromkeys(CLASSES[:22], 2) | odd
    assert Counter(labels) == expected
    assert len(labels) == count
    assert labels == sorted(labels, key=CLASSES.index)


@pytest.mark.parametrize("name", ["46,XX,+21", "47,XY,+23", "43,XX,-21,-21,-21", "t(9;22)", "", "trisomy 30"])
def test_wrong_karyotypes_are_refused(name: str) -> None:
    with pytest.raises(InputError):
        karyotype_set(name)


# Files


def test_the_file_carries_the_mark_and_the_pixels(tmp_path: Path) -> None:
    cell = draw(1)
    save_synthetic(cell, tmp_path / "cell.png")
    assert is_synthetic(tmp_path / "cell.png")
    with Image.open(tmp_path / "cell.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), cell.pixels)


def test_other_files_are_not_synthetic(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "photograph.png")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "photograph.jpg")
    (tmp_path / "text.png").write_text("Consilium-Synthetic: yes")
    save_synthetic(draw(1), tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:20])
    for name in ("photograph.png", "photograph.jpg", "text.png", "cut.png", "absent.png"):
        assert not is_synthetic(tmp_path / name), name


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="absent"):
        save_synthetic(draw(1), tmp_path / "absent" / "cell.png")


def test_the_demo_case_is_five_cells_of_trisomy_21_and_one_with_a_loss(tmp_path: Path) -> None:
    files = write_demo_case(tmp_path / "demo")
    assert [file.name for file in files] == [f"synthetic_{number:02d}.png" for number in range(1, CELLS + 1)]
    assert all(is_synthetic(file) for file in files)
    cells = demo_cells()
    counts = [Counter(chromosome.label for chromosome in cell.truth) for cell in cells]
    assert [sum(count.values()) for count in counts] == [47, 47, 47, 47, 47, 46]
    assert all(count["21"] == 3 for count in counts)
    with Image.open(files[0]) as picture:
        np.testing.assert_array_equal(np.asarray(picture), cells[0].pixels)


def test_a_demo_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConsiliumError, match="cannot be made"):
        write_demo_case(tmp_path / "file" / "demo")
