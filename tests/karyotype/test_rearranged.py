"""Rearrangements built from strips: the right pieces, in the right order, of the right length."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from consilium.karyotype.rearranged import KINDS, Kind, Lying, band_edges, centromere, lying, rearranged
from consilium.karyotype.strip import COLUMNS, PITCH, ROWS


def rod(length: int, *, phase: float = 0.0) -> NDArray[np.float32]:
    """A strip with a rod whose darkness rises along it, so that each place can be told."""
    image = np.zeros((2, ROWS, COLUMNS), np.float32)
    first = (ROWS - length) // 2
    image[0, first : first + length, 6:18] = phase + np.linspace(0.2, 1.0, length)[:, None]
    image[1, first : first + length, 6:18] = 1.0
    return image


def placed(image: NDArray[np.float32], length: int) -> Lying:
    own = lying(image, float(np.log(length * PITCH / 60)))
    assert own is not None
    return own


def along(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Darkness along the axis of what is covered."""
    rows = image[1, :, 12] > 0.5
    return np.asarray(image[0, rows, 12])


@pytest.fixture
def own() -> Lying:
    return placed(rod(80), 80)


def test_a_chromosome_is_found_where_it_lies(own: Lying) -> None:
    assert (own.first, own.last) == (23.5, 103.5) and own.length == pytest.approx(80 * PITCH)
    assert lying(np.zeros((2, ROWS, COLUMNS), np.float32), 0.0) is None


@pytest.mark.parametrize(
    ("kind", "breaks", "share"), [("del", (0.3, 0.5), 0.8), ("dup", (0.3, 0.5), 1.2), ("inv", (0.3, 0.6), 1.0)]
)
def test_the_length_is_that_of_the_pieces(own: Lying, kind: Kind, breaks: tuple[float, float], share: float) -> None:
    built = rearranged(kind, own, breaks)
    assert len(along(built.image)) == pytest.approx(80 * share, abs=2)
    assert len(built.seams) == {"del": 1, "dup": 1, "inv": 2}[kind]


def test_what_is_deleted_is_gone_and_what_is_inverted_runs_back(own: Lying) -> None:
    kept = along(rearranged("del", own, (0.3, 0.5)).image)
    assert not ((kept > 0.49) & (kept < 0.55)).any() and kept.min() < 0.25 and kept.max() > 0.95
    turned = along(rearranged("inv", own, (0.3, 0.6)).image)
    inner = turned[28:44]
    assert np.all(np.diff(inner) < 0) and np.all(np.diff(turned[5:20]) > 0)


@pytest.mark.parametrize("end", ["p", "q"])
def test_a_terminal_loss_keeps_a_natural_end(own: Lying, end: str) -> None:
    built = rearranged("del_terminal", own, (0.4,), end=end)  # type: ignore[arg-type]
    left = along(built.image)
    assert len(left) == pytest.approx(80 * (0.4 if end == "q" else 0.6) + 2, abs=3)
    assert (left.max() > 0.9) and (left.min() < 0.3), "both tips are those of the chromosome"


def test_another_end_is_attached_the_right_way_round(own: Lying) -> None:
    other = placed(rod(60, phase=2.0), 60)
    tail = along(rearranged("add", own, (0.5,), end="q", other=other, other_break=0.7, other_end="q").image)
    given = tail[tail > 1.9]
    assert len(given) == pytest.approx(18, abs=2) and np.all(np.diff(given[2:-1]) > 0)
    turned = along(rearranged("add", own, (0.5,), end="q", other=other, other_break=0.3, other_end="p").image)
    given = turned[turned > 1.9]
    assert np.all(np.diff(given[2:-1]) < 0), "a short arm's end points away from the break"


def test_a_sham_of_the_same_chromosome_changes_nothing(own: Lying) -> None:
    sham = rearranged("sham", own, (0.5,), end="q", other=own, other_break=0.5, other_end="q").image
    assert np.abs(sham - own.image).max() < 0.05


def test_a_long_one_is_sampled_more_coarsely_instead_of_being_cut(own: Lying) -> None:
    long = placed(rod(118), 118)
    built = rearranged("dup", long, (0.1, 0.9))
    assert built.image[1, 0].max() == 0 and built.image[1, -1].max() == 0
    assert 118 <= len(along(built.image)) <= ROWS - 3


def test_what_is_missing_is_said(own: Lying) -> None:
    with pytest.raises(ValueError, match="another chromosome"):
        rearranged("add", own, (0.5,))
    with pytest.raises(ValueError, match="two breaks"):
        rearranged("inv", own, (0.5,))
    assert set(KINDS) == {"sham", "del", "del_terminal", "dup", "inv", "add"}


def test_bands_and_centromere_are_fractions() -> None:
    edges = band_edges("1")
    assert edges[0] == 0 and edges[-1] == 1 and np.all(np.diff(edges) > 0)
    assert 0.4 < centromere("1") < 0.6 and centromere("13") < 0.3
