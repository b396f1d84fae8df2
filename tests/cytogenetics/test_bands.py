"""The band tables against what cytogenetics knew before them."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from consilium.cytogenetics.bands import (
    AUTOSOMES,
    LEVELS,
    Band,
    bands,
    centromere_index,
    iscn_length,
    profile,
    relative_length,
)
from consilium.errors import InputError

CHROMOSOMES = (*AUTOSOMES, "X", "Y")

# Measured on slides by the Paris Conference (1971): relative length (%) and centromere index (%).
PARIS = {
    "1": (8.44, 48.4), "2": (8.02, 39.2), "3": (6.83, 46.9), "4": (6.30, 29.1), "5": (6.08, 29.2), "6": (5.90, 39.0),
    "7": (5.36, 39.0), "8": (4.93, 34.1), "9": (4.80, 35.4), "10": (4.59, 33.9), "11": (4.61, 40.1),
    "12": (4.66, 30.2), "13": (3.74, 17.1), "14": (3.56, 18.7), "15": (3.46, 20.3), "16": (3.36, 41.3),
    "17": (3.25, 33.9), "18": (2.93, 30.9), "19": (2.67, 46.5), "20": (2.56, 45.5), "21": (1.90, 30.9),
    "22": (2.04, 30.5), "X": (5.12, 40.1), "Y": (2.15, 27.2),
}  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("chromosome", CHROMOSOMES)
def test_bands_cover_the_chromosome_without_gap_or_overlap(chromosome: str, level: int) -> None:
    rows = bands(chromosome, level)
    assert (rows[0].iscn_start, rows[0].bp_start) == (0, 1)
    for before, after in itertools.pairwise(rows):
        assert before.iscn_stop == after.iscn_start
        assert before.bp_stop + 1 == after.bp_start
    assert all(band.iscn_start < band.iscn_stop for band in rows)
    assert "".join(band.arm for band in rows).lstrip("p").strip("q") == "", "p arm first, then q, each in one piece"
    assert rows[-1].iscn_stop == iscn_length(chromosome), "one length at every level"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("chromosome", CHROMOSOMES)
def test_the_two_centromere_bands_are_p11_and_q11_and_touch(chromosome: str, level: int) -> None:
    at = [index for index, band in enumerate(bands(chromosome, level)) if band.stain == "acen"]
    assert at == [at[0], at[0] + 1]
    short, long = (bands(chromosome, level)[index] for index in at)
    assert (short.arm, long.arm) == ("p", "q")
    # Region 1, band 1 (band 0 where the ideogram counts the centromere apart), and there the innermost sub-band.
    for band in (short, long):
        assert re.fullmatch(r"1[01](\.11?)?", band.name)


def test_higher_level_shows_more_bands_of_the_announced_order() -> None:
    counts = [sum(len(bands(name, level)) for name in CHROMOSOMES) for level in LEVELS]
    assert counts == sorted(counts)
    for level, count in zip(LEVELS, counts, strict=True):
        assert abs(count - level) <= 0.03 * level


@pytest.mark.parametrize("chromosome", ["1", "3", "16", "19", "20"])
def test_metacentric_chromosomes(chromosome: str) -> None:
    assert 0.40 <= centromere_index(chromosome) <= 0.50


@pytest.mark.parametrize("chromosome", ["2", "6", "7", "8", "9", "10", "11", "12", "17", "18", "X", "4", "5"])
def test_submetacentric_chromosomes(chromosome: str) -> None:
    assert 0.25 <= centromere_index(chromosome) <= 0.43


@pytest.mark.parametrize("level", LEVELS)
def test_only_the_acrocentric_autosomes_carry_stalks(level: int) -> None:
    with_stalk = {name for name in CHROMOSOMES for band in bands(name, level) if band.stain == "stalk"}
    assert with_stalk == {"13", "14", "15", "21", "22"}
    for name in with_stalk:
        assert [str(band) for band in bands(name, level) if band.stain == "stalk"] == [f"{name}p12"]


@pytest.mark.parametrize("chromosome", ["13", "14", "15", "21", "22", "Y"])
def test_the_centromere_of_an_acrocentric_lies_in_the_first_third_of_its_base_pairs(chromosome: str) -> None:
    rows = bands(chromosome)
    assert next(band.bp_start for band in rows if band.arm == "q") < rows[-1].bp_stop / 3


@pytest.mark.parametrize("chromosome", sorted(set(PARIS) - {"21", "22"}, key=CHROMOSOMES.index))
def test_centromere_index_agrees_with_measured_slides(chromosome: str) -> None:
    assert centromere_index(chromosome) * 100 == pytest.approx(PARIS[chromosome][1], abs=4)


@pytest.mark.parametrize("chromosome", CHROMOSOMES)
def test_relative_length_agrees_with_measured_slides(chromosome: str) -> None:
    assert relative_length(chromosome) * 100 == pytest.approx(PARIS[chromosome][0], rel=0.16)


def test_lengths_fall_from_1_to_22_with_the_known_exceptions() -> None:
    rises = {(a, b) for a, b in itertools.pairwise(AUTOSOMES) if iscn_length(b) >= iscn_length(a)}
    assert rises == {("9", "10"), ("21", "22")}
    assert iscn_length("8") > iscn_length("X") * 0.9 > iscn_length("13")
    assert sum(relative_length(name) for name in AUTOSOMES) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["1p31", "4q34", "7q21", "9p21", "11q22", "13q31", "18q22", "Xp21", "16q21"])
def test_landmark_bands_are_dark(name: str) -> None:
    band = next(band for band in bands(re.split("[pq]", name)[0], 400) if str(band).startswith(name))
    assert (band.stain, band.density) == ("gpos", 100)


@pytest.mark.parametrize("name", ["1p36.3", "4q35", "7q22", "9q34", "11q13", "17q25", "18q23", "22q13", "Xq28"])
def test_landmark_bands_are_light(name: str) -> None:
    found = [band for band in bands(re.split("[pq]", name)[0], 400) if str(band).startswith(name)]
    light = sum(band.iscn_stop - band.iscn_start for band in found if band.stain == "gneg")
    assert light > 0.5 * sum(band.iscn_stop - band.iscn_start for band in found) > 0


def test_9qh_is_pale_and_16qh_dark_after_gtg_banding() -> None:
    darkness = {str(band): band.darkness for name in ("9", "16") for band in bands(name)}
    assert darkness["9q12"] < 0.5 < darkness["16q11.2"]


def test_group_of_gene_poor_chromosomes_is_darker_than_gene_rich_ones() -> None:
    mean = {name: float(profile(name, 100).mean()) for name in CHROMOSOMES}
    assert min(mean[name] for name in ("4", "13", "18")) > max(mean[name] for name in ("17", "22", "19"))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("chromosome", CHROMOSOMES)
def test_profile_is_a_block_mean_of_a_finer_profile(chromosome: str, level: int) -> None:
    fine, coarse = profile(chromosome, 600, level), profile(chromosome, 60, level)
    assert (coarse.dtype, coarse.shape) == (np.float32, (60,))
    np.testing.assert_allclose(fine.reshape(60, 10).mean(axis=1), coarse, atol=1e-5)
    assert 0.0 <= fine.min() <= fine.max() <= 1.0


def test_profile_shows_the_band_it_passes_through() -> None:
    length = iscn_length("13")
    dense = profile("13", length)
    band = next(band for band in bands("13") if band.name == "21.3")
    assert dense[band.iscn_start : band.iscn_stop] == pytest.approx(1.0)
    stalk = next(band for band in bands("13") if band.stain == "stalk")
    assert dense[stalk.iscn_start : stalk.iscn_stop] == pytest.approx(dense.min())


def test_the_name_is_written_as_iscn_writes_it() -> None:
    assert {str(band) for band in bands("13")} >= {"13p11.2", "13q14.2", "13q34"}


@pytest.mark.parametrize(("chromosome", "level"), [("23", 550), ("", 550), ("1", 500)])
def test_unknown_chromosome_or_level_names_the_way_out(chromosome: str, level: int) -> None:
    with pytest.raises(InputError, match="1 to 22, X and Y; levels are 400, 550, 850"):
        bands(chromosome, level)


def test_empty_profile_is_refused() -> None:
    with pytest.raises(InputError, match="at least one sample"):
        profile("1", 0)


def test_bands_are_values() -> None:
    assert bands("X") is bands("X")
    with pytest.raises(AttributeError):
        bands("X")[0].name = "99"  # type: ignore[misc]
    assert all(isinstance(band, Band) for band in bands("X"))
