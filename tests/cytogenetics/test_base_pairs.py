"""Bands in base pairs, as karyotypes write them."""

from __future__ import annotations

import pytest

from consilium.cytogenetics.bands import AUTOSOMES, LEVELS, bands
from consilium.cytogenetics.base_pairs import base_pairs


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("chromosome", [*AUTOSOMES, "X", "Y"])
def test_every_band_of_every_level_is_found_within_a_band_of_where_the_table_has_it(
    chromosome: str, level: int
) -> None:
    for band in bands(chromosome, level):
        found = base_pairs(chromosome, band.arm + band.name)
        assert found is not None
        # A coarser level's band may hold sub-bands that take the name of their neighbour at the finer level.
        assert found.bp_start <= band.bp_stop and band.bp_start <= found.bp_stop


def test_a_coarser_name_is_the_whole_of_its_finer_ones() -> None:
    whole, first, last = base_pairs("9", "q34"), base_pairs("9", "q34.11"), base_pairs("9", "q34.3")
    assert whole and first and last
    assert (whole.bp_start, whole.bp_stop) == (first.bp_start, last.bp_stop)


def test_a_run_is_the_same_from_either_end_and_the_arm_need_not_be_repeated() -> None:
    assert base_pairs("5", "q13", "q33") == base_pairs("5", "q33", "q13") == base_pairs("5", "q13", "33")
    to_the_end = base_pairs("5", "p15.2", "pter")
    assert to_the_end and to_the_end.bp_start == 1
    assert base_pairs("11", "q23", "ter") == base_pairs("11", "q23", "qter")


def test_the_two_sides_of_the_centromere_touch() -> None:
    short, long = base_pairs("1", "p10"), base_pairs("1", "q10")
    assert short and long and short.bp_stop + 1 == long.bp_start


def test_arms_and_unknown_bands() -> None:
    arm = base_pairs("18", "p")
    assert arm and arm.bp_start == 1
    assert base_pairs("15", "q11.11") == base_pairs("15", "q11.1"), "finer than the ideogram"
    for name in ("q99", "", "z1", "12"):
        assert base_pairs("1", name) is None
