"""Each flag is raised by exactly what it names, and a clean cell carries none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import pytest

from consilium.karyotype.flags import (
    CONTACT_DISTANCE,
    CROSSING_SHARE,
    case_flags,
    cell_flags,
    chromosome_flags,
    crossings,
    length_of,
    touching,
)
from consilium.karyotype.metaphase import CLASSES, UNSURE, Chromosome, Metaphase
from consilium.karyotype.wording import FLAGS, LANGUAGES, sentence

Cell = Callable[..., Metaphase]
Labels = Callable[..., tuple[str, ...]]
Make = Callable[..., Chromosome]

SHAPE = (400, 400)


def _codes(chromosomes: list[Chromosome], index: int, shape: tuple[int, int] = SHAPE) -> list[str]:
    flags = chromosome_flags(chromosomes, shape=shape)
    assert len(flags) == len(chromosomes)
    for flag in flags[index]:
        assert all(sentence(flag, lang) for lang in LANGUAGES)
    return [flag.code for flag in flags[index]]


def _bar(length: int = 40, width: int = 10) -> np.ndarray:
    return np.ones((length, width), dtype=bool)


def _with(one: Chromosome, **probabilities: float) -> Chromosome:
    vector = np.zeros(24, np.float32)
    for label, probability in probabilities.items():
        vector[CLASSES.index(label.removeprefix("c"))] = probability
    return replace(one, probabilities=vector)


@pytest.mark.parametrize("sex", ["XX", "XY"])
def test_a_clean_cell_has_no_flag(cell: Cell, labels: Labels, sex: str) -> None:
    clean = cell(labels(sex))
    assert set(chromosome_flags(clean.chromosomes, shape=clean.pixels.shape)) == {()}
    assert cell_flags(clean.chromosomes, shape=clean.pixels.shape, quality=clean.quality) == ()


def test_low_confidence(chromosome: Make) -> None:
    assert _codes([chromosome(_bar(), (50, 50), "9", confidence=0.89)], 0) == ["low_confidence"]
    assert _codes([chromosome(_bar(), (50, 50), "9", confidence=0.91)], 0) == []


def test_close_second_choice_even_where_the_cell_outvoted_the_crop(chromosome: Make) -> None:
    one = chromosome(_bar(), (50, 50), "9", confidence=0.95)
    assert _codes([_with(one, c9=0.7, c12=0.3)], 0) == ["second_choice_close"]
    outvoted = chromosome_flags([_with(one, c9=0.2, c12=0.8)], shape=SHAPE)[0]
    assert [flag.code for flag in outvoted] == ["second_choice_close"]
    assert outvoted[0].values["second"] == "12"


def test_unsure_class_names_the_best_guess(chromosome: Make) -> None:
    one = _with(chromosome(_bar(), (50, 50), UNSURE, confidence=0.3), c21=0.4, c22=0.35, Y=0.25)
    flags = chromosome_flags([one], shape=SHAPE)[0]
    assert [(flag.code, flag.values["best"]) for flag in flags] == [("unsure_class", "21")]


def test_polarity(chromosome: Make) -> None:
    assert _codes([chromosome(_bar(), (50, 50), "20", polarity=0.6)], 0) == ["polarity_unsure"]


@pytest.mark.parametrize("origin", [(1, 50), (50, 0), (389, 50), (50, 359)])
def test_edge(chromosome: Make, origin: tuple[int, int]) -> None:
    assert _codes([chromosome(_bar(), origin, "1")], 0) == ["touches_edge"]
    assert _codes([chromosome(_bar(), (2, 2), "1")], 0) == []


@pytest.mark.parametrize(("gap", "contacts"), [(-5, 1), (0, 1), (1, 1), (2, 0), (9, 0)])
def test_contact_is_counted_within_two_pixels(chromosome: Make, gap: int, contacts: int) -> None:
    pair = [chromosome(_bar(), (50, 50), "1"), chromosome(_bar(), (60 + gap, 60), "2")]
    assert touching(pair) == (contacts, contacts)


def test_crossing_is_flagged_and_contact_is_not(chromosome: Make) -> None:
    cross = [chromosome(_bar(), (50, 50), "1"), chromosome(_bar(10, 40), (35, 65), "2")]
    assert _codes(cross, 0) == _codes(cross, 1) == ["crossing"]
    side_by_side = [chromosome(_bar(), (50, 50), "1"), chromosome(_bar(), (60, 50), "2")]
    assert _codes(side_by_side, 0) == []


def test_boxes_that_cross_without_their_masks_are_no_contact(chromosome: Make) -> None:
    diagonal = np.eye(60, dtype=bool)
    corner = chromosome(_bar(8, 8), (50, 100), "21")
    assert touching([chromosome(diagonal, (50, 50), "1"), corner]) == (0, 0)


def test_homologues_of_different_length(chromosome: Make) -> None:
    pair = [chromosome(_bar(60), (50, 50), "4"), chromosome(_bar(36), (90, 50), "4")]
    assert _codes(pair, 0) == _codes(pair, 1) == ["odd_pair"]
    like = [chromosome(_bar(60), (50, 50), "4"), chromosome(_bar(50), (90, 50), "4")]
    assert _codes(like, 0) == []


def test_homologues_of_different_likeness(chromosome: Make) -> None:
    pair = [
        _with(chromosome(_bar(), (50, 50), "9"), c9=0.95, c12=0.05),
        _with(chromosome(_bar(), (90, 50), "9"), c9=0.4, c12=0.6),
    ]
    assert "odd_pair" in _codes(pair, 0)


def test_x_and_y_are_not_compared(chromosome: Make) -> None:
    assert _codes([chromosome(_bar(60), (50, 50), "X"), chromosome(_bar(20), (90, 50), "Y")], 0) == []


def test_bends_do_not_shorten(chromosome: Make) -> None:
    y, x = np.mgrid[0:60, 0:60] - 30.0
    arch = (np.abs(np.hypot(x, y) - 22) <= 5) & (y < 0)
    assert length_of(chromosome(arch, (0, 0), "1")) == pytest.approx(np.pi * 22, rel=0.08)
    assert length_of(chromosome(_bar(60, 10), (0, 0), "1")) == pytest.approx(60, rel=0.05)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda labels: (*labels, "21"), {"count_not_46"}),
        (lambda labels: labels[1:], {"count_not_46"}),
        (lambda labels: (*labels, *["1"] * 6), {"count_not_46", "possible_touching_cells"}),
        (lambda labels: (*labels, "X"), {"count_not_46", "unusual_sex_chromosomes"}),
        (lambda labels: (*labels[:45], "9"), {"unusual_sex_chromosomes"}),
        (lambda labels: ("9", *labels[1:]), {"gain_and_loss"}),
        (lambda labels: (UNSURE, *labels[1:]), {"unsure_objects"}),
        (lambda labels: (*labels, UNSURE), {"count_not_46"}),
    ],
)
def test_cell_flags(
    cell: Cell, labels: Labels, change: Callable[[tuple[str, ...]], tuple[str, ...]], expected: set[str]
) -> None:
    made = cell(change(labels()))
    flags = cell_flags(made.chromosomes, shape=made.pixels.shape, quality=made.quality)
    assert {flag.code for flag in flags} == expected
    assert all(sentence(flag, lang) for flag in flags for lang in LANGUAGES)


def test_missing_chromosomes_and_an_edge_are_put_together(cell: Cell, labels: Labels) -> None:
    made = cell(labels()[:45])
    cut = (made.pixels.shape[0] - 20, made.pixels.shape[1])
    codes = {flag.code for flag in cell_flags(made.chromosomes, shape=cut, quality=made.quality)}
    assert "possible_missing_near_edge" not in codes
    # The longest chromosome of the last row ends 118 rows from the foot.
    at_edge = (int(max(one.instance.box[3] for one in made.chromosomes)), made.pixels.shape[1])
    codes = {flag.code for flag in cell_flags(made.chromosomes, shape=at_edge, quality=made.quality)}
    assert "possible_missing_near_edge" in codes


def test_an_object_that_only_the_cell_wanted_is_pointed_out(chromosome: Make) -> None:
    one = chromosome(_bar(), (50, 50), "9")
    doubtful = replace(one, instance=replace(one.instance, score=0.4))
    assert _codes([doubtful], 0) == ["doubtful_object"]
    assert _codes([replace(one, instance=replace(one.instance, score=0.6))], 0) == []


def test_objects_that_were_not_counted_are_told(cell: Cell, labels: Labels) -> None:
    made = cell(labels())
    flags = cell_flags(made.chromosomes, shape=made.pixels.shape, quality=made.quality, left_out=2)
    assert [(flag.code, flag.values["objects"]) for flag in flags] == [("left_out", 2)]


def test_poor_quality(cell: Cell, labels: Labels) -> None:
    made = cell(labels(), score=0.2)
    assert [flag.code for flag in cell_flags(made.chromosomes, shape=made.pixels.shape, quality=made.quality)] == [
        "poor_quality"
    ]


def test_case_flags(cell: Cell, labels: Labels) -> None:
    trisomy = cell((*labels(), "8"), karyotype="47,XX,+8", gains=("8",))
    flags = case_flags([trisomy, cell(labels()), cell(labels())])
    assert [(flag.code, flag.values["change"]) for flag in flags] == [("single_cell_change", "+8")]
    assert case_flags([trisomy, trisomy]) == ()


def test_every_sentence_of_the_table_belongs_to_a_flag_that_can_be_raised() -> None:
    from pathlib import Path

    import consilium.karyotype.flags as module

    source = Path(module.__file__).read_text(encoding="utf-8")
    assert {code for code in FLAGS if f'"{code}"' in source} == set(FLAGS)


@pytest.mark.parametrize("seed", range(8))
def test_who_meets_whom_is_what_whole_pages_say(chromosome: Make, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pages, rods = [], []
    for _ in range(30):
        mask = rng.random(tuple(rng.integers(4, 40, 2))) < 0.9
        x, y = map(int, rng.integers(10, 200, 2))
        page = np.zeros((250, 250), np.uint8)
        page[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
        pages.append(page)
        rods.append(chromosome(mask, (x, y), "1"))
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * CONTACT_DISTANCE + 1,) * 2)
    grown = [cv2.dilate(page, reach.astype(np.uint8)) for page in pages]
    crossed, touched = [0] * len(rods), [0] * len(rods)
    for first, second in combinations(range(len(rods)), 2):
        both = int((pages[first] & pages[second]).sum())
        least = max(CROSSING_SHARE * min(int(pages[first].sum()), int(pages[second].sum())), 1)
        for one in (first, second):
            crossed[one] += both >= least
            touched[one] += bool((grown[first] & pages[second]).any())
    assert crossings(rods) == tuple(crossed) and touching(rods) == tuple(touched)
    assert 0 < sum(crossed) <= sum(touched)
    assert crossings([]) == touching([]) == ()
