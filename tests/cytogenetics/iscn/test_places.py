"""Where written bands lie."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.cytogenetics.bands import LEVELS, bands
from consilium.cytogenetics.iscn.places import (
    CHROMOSOMES,
    UnknownBand,
    band_at,
    bands_of,
    base_pair,
    centromere,
    length,
    resolve,
    resolve_breakpoint,
)
from consilium.cytogenetics.iscn.tree import Breakpoint, Point


def edges(chromosome: str, first: str, last: str) -> tuple[int, int]:
    rows = {f"{band.arm}{band.name}": band for band in bands(chromosome, 850)}
    return rows[first].iscn_start, rows[last].iscn_stop


@pytest.mark.parametrize(
    ("chromosome", "point", "first", "last"),
    [
        ("9", "q34", "q34.11", "q34.3"), ("5", "q13", "q13.1", "q13.3"), ("22", "q11.2", "q11.21", "q11.23"),
        ("22", "q11", "q11.1", "q11.23"), ("1", "q12", "q12", "q12"), ("Y", "q11.22", "q11.221", "q11.223"),
        ("1", "p36", "p36.33", "p36.11"), ("13", "p11", "p11.2", "p11.1"), ("X", "p11.2", "p11.23", "p11.21"),
        ("1", "q2?4", "q21.1", "q25.3"), ("14", "q3?2.1", "q31.1", "q32.33"), ("1", "q?", "q11", "q44"),
        ("1", "p", "p36.33", "p11.1"), ("1", "?", "p36.33", "q44"), ("1", "?q24", "p36.33", "q44"),
        ("1", "q24?", "q24.1", "q24.3"), ("6", "?p", "p25.3", "q27"),
    ],
)  # fmt: skip
def test_a_name_covers_its_sub_bands(chromosome: str, point: str, first: str, last: str) -> None:
    place = resolve(chromosome, point)
    assert (place.start, place.stop) == edges(chromosome, first, last)
    assert place.doubtful == ("?" in point or len(point) < 2)


def test_base_pairs_are_those_of_the_bands() -> None:
    rows = [band for band in bands("9", 850) if band.arm == "q" and band.name.startswith("34")]
    place = resolve("9", "q34")
    assert (place.bp_start, place.bp_stop) == (rows[0].bp_start, rows[-1].bp_stop)


@pytest.mark.parametrize(("point", "at"), [("pter", 0), ("qter", 15100), ("cen", 7335), ("p10", 7335), ("q10", 7335)])
def test_ends_and_centromere_are_exact(point: str, at: int) -> None:
    place = resolve("1", point)
    assert (place.start, place.at, place.stop, place.doubtful) == (at, at, at, False)
    assert 1 <= place.bp_start <= place.bp_stop


@pytest.mark.parametrize(("point", "likely"), [("q2?4", "q24"), ("?q24", "q24"), ("q?24", "q24"), ("?p3?2", "p32")])
def test_what_is_doubted_is_likeliest_what_is_written(point: str, likely: str) -> None:
    assert resolve("1", point).at == resolve("1", likely).at


@pytest.mark.parametrize(
    ("chromosome", "point", "nearest"),
    [
        ("5", "q99", "5q35.3"), ("1", "q5", "1q11"), ("1", "q11.1", "1q11"), ("21", "q23", "21q22.3"),
        ("9", "q34.5", "9q34.3"), ("X", "p23", "Xp22.33"), ("18", "q2?9", "18q23"), ("18", "p1?4", "18p11.32"),
    ],
)  # fmt: skip
def test_an_unknown_band_names_what_exists(chromosome: str, point: str, nearest: str) -> None:
    with pytest.raises(UnknownBand) as problem:
        resolve(chromosome, point)
    assert nearest in problem.value.nearest and nearest in str(problem.value)
    assert pickle.loads(pickle.dumps(problem.value)).nearest == problem.value.nearest


def test_an_unknown_chromosome_is_refused() -> None:
    with pytest.raises(UnknownBand, match="Chromosomes are"):
        resolve("23", "q11")


def test_an_interval_and_alternatives_hold_all_that_is_told() -> None:
    both = Breakpoint((Point("q21"), Point("24")), "~")
    place = resolve_breakpoint("1", both)
    assert (place.start, place.stop, place.doubtful) == (*edges("1", "q21.1", "q24.3"), True)
    other = resolve_breakpoint("19", Breakpoint((Point("p13"), Point("q13")), "or"))
    assert (other.start, other.stop) == edges("19", "p13.3", "q13.43")
    assert not resolve_breakpoint("1", Breakpoint((Point("q21"),))).doubtful


@given(st.sampled_from(CHROMOSOMES), st.sampled_from(LEVELS), st.data())
def test_every_band_of_every_level_resolves_to_itself(chromosome: str, level: int, data: st.DataObject) -> None:
    band = data.draw(st.sampled_from(bands(chromosome, level)))
    place = resolve(chromosome, band.arm + band.name)
    assert 0 <= place.start < place.stop <= length(chromosome)
    assert place.start <= place.at <= place.stop
    assert place.bp_start <= place.bp_stop
    assert (place.stop <= centromere(chromosome)) == (band.arm == "p")
    if level == 850:
        assert (place.start, place.stop) == (band.iscn_start, band.iscn_stop)
        assert (place.bp_start, place.bp_stop) == (band.bp_start, band.bp_stop)
        assert band_at(chromosome, place.at) == band


@given(st.sampled_from(CHROMOSOMES), st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_base_pairs_rise_with_iscn_units(chromosome: str, shares: list[float]) -> None:
    low, high = (round(share * length(chromosome)) for share in sorted(shares))
    assert 0 <= base_pair(chromosome, low) <= base_pair(chromosome, high) <= bands_of(chromosome)[-1].bp_stop
