"""Any ISCN string becomes a synthetic metaphase with exact truth."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.cytogenetics.bands import iscn_length
from consilium.errors import InputError
from consilium.karyotype.metaphase import CLASSES, UNSURE
from consilium.karyotype.render import Altered, DrawnChromosome, chromosomes_of, render_metaphase
from consilium.karyotype.render_chromosome import draw_pieces
from consilium.karyotype.render_straight import Stretch

STRINGS = {
    "46,XY,t(4;11)(q21;q23)": {"der(4)t(4;11)": "4", "der(11)t(4;11)": "11"},
    "46,XX,del(7)(q22q34)": {"del(7)": "7"},
    "46,XX,dup(3)(q21q25)": {"dup(3)": "3"},
    "46,XY,inv(4)(p13q21)": {"inv(4)": "4"},
    "46,X,i(X)(q10)": {"i(X)": "X"},
    "45,XX,der(13;22)(q10;q10)": {"der(13;22)": "13"},
    "46,XX,r(7)(p22q36)": {"r(7)": "7"},
    "46,XX,add(8)(p21)": {"add(8)": "8"},
    "45,XX,dic(5;9)(q33;p22)": {"dic(5;9)": "5"},
    "46,XX,ins(3;6)(p21;q21q24)": {"der(3)ins(3;6)": "3", "der(6)ins(3;6)": "6"},
    "46,XY,der(2)t(2;6)(q33;q21)t(2;8)(p21;q22)": {"der(2)t(2;6)t(2;8)": "2"},
    "47,XX,+mar": {"mar": UNSURE},
}


@pytest.mark.parametrize(("text", "altered"), STRINGS.items())
def test_a_string_becomes_its_chromosomes(text: str, altered: dict[str, str]) -> None:
    chromosomes = chromosomes_of(text)
    assert len(chromosomes) == int(text[:2])
    assert {one.name: one.label for one in chromosomes if isinstance(one, Altered)} == altered
    assert {one for one in chromosomes if isinstance(one, str)} <= set(CLASSES)


def drawn(text: str, seed: int = 3) -> tuple[DrawnChromosome, ...]:
    cell = render_metaphase(chromosomes_of(text), np.random.default_rng(seed), crowding=0.0, nuclei=0, debris=0)
    return cell.truth


def length(one: DrawnChromosome) -> float:
    return float(np.hypot(*np.diff(one.axis, axis=0).T).sum())


def test_the_truth_says_what_was_drawn() -> None:
    truth = drawn("46,XY,t(4;11)(q21;q23)")
    told = {one.name: one for one in truth if one.composition}
    assert told["der(4)t(4;11)"].composition == "4pter->4q21::11q23->11qter"
    assert told["der(4)t(4;11)"].label == "4" and len(truth) == 46
    assert all(one.name == one.label for one in truth if not one.composition)


@pytest.mark.parametrize(
    ("text", "name", "of", "share"),
    [("46,XX,del(7)(q22q34)", "del(7)", "7", 0.75), ("46,XX,dup(1)(q21q42)", "dup(1)", "1", 1.3),
     ("46,X,i(X)(q10)", "i(X)", "X", 1.23), ("46,XX,inv(2)(p13q21)", "inv(2)", "2", 1.0)],
)  # fmt: skip
def test_an_altered_chromosome_is_as_long_as_its_pieces(text: str, name: str, of: str, share: float) -> None:
    ratios = []
    for seed in range(6):
        truth = drawn(text, seed)
        altered = next(length(one) for one in truth if one.name == name)
        ratios.append(altered / np.mean([length(one) for one in truth if one.name == of]))
    assert np.mean(ratios) == pytest.approx(share, abs=0.14)


def test_a_ring_is_closed() -> None:
    ring = next(one for one in drawn("46,XX,r(2)(p25q37)") if one.name == "r(2)")
    padded = np.pad(ring.mask, 2).astype(np.uint8)
    _, hierarchy = cv2.findContours(padded, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[-2:]
    assert (hierarchy[0][:, 3] >= 0).any(), "a hole lies within"
    assert float(np.hypot(*(ring.axis[0] - ring.axis[-1]))) < 3


def test_an_inverted_piece_runs_the_other_way() -> None:
    whole = iscn_length("1")
    kwargs = {"width_px": 16.0, "px_per_unit": 140 / whole, "band_level": 550, "bend": 0.0}
    forward = draw_pieces([Stretch(label="1", start=0, stop=whole)], np.random.default_rng(1), **kwargs)  # type: ignore[arg-type]
    backward = draw_pieces([Stretch(label="1", start=whole, stop=0)], np.random.default_rng(1), **kwargs)  # type: ignore[arg-type]

    def along(drawing: object) -> np.ndarray:
        axis = np.round(drawing.axis).astype(int)  # type: ignore[attr-defined]
        return np.asarray(drawing.darkness[axis[:, 1], axis[:, 0]])  # type: ignore[attr-defined]

    one, other = along(forward), along(backward)
    assert np.corrcoef(one, other[::-1])[0, 1] > 0.8 > np.corrcoef(one, other)[0, 1] + 0.3


@pytest.mark.parametrize(("text", "line"), [("46,XX,foo", 0), ("46,XX", 1), ("46,XX,del(5)(q99)", 0)])
def test_what_cannot_be_drawn_is_refused(text: str, line: int) -> None:
    with pytest.raises(InputError):
        chromosomes_of(text, line=line)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(STRINGS)), st.integers(0, 99), st.sampled_from([400, 550, 850]))
def test_every_altered_chromosome_is_in_the_picture(text: str, seed: int, level: int) -> None:
    altered = [one for one in chromosomes_of(text) if isinstance(one, Altered)]
    cell = render_metaphase(altered, np.random.default_rng(seed), band_level=level, nuclei=0, debris=0)
    assert len(cell.truth) == len(altered)
    for one in cell.truth:
        x, y = one.origin
        window = cell.pixels[y : y + one.mask.shape[0], x : x + one.mask.shape[1]]
        assert one.mask.any() and window[one.mask].mean() < cell.pixels[0, 0] - 20
