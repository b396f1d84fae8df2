"""Which chromosomes of a case are suspected, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from consilium.karyotype import structure
from consilium.karyotype.flags import case_flags
from consilium.karyotype.metaphase import FAMILIES, Appearance, Metaphase
from consilium.karyotype.structure import appearances, calibration, case_score, suspects, threshold_for
from consilium.karyotype.wording import sentence

Cell = Callable[..., Metaphase]
Labels = Callable[..., tuple[str, ...]]


def looking(cell: Metaphase, strange: dict[str, float], *, place: float = 0.7) -> Metaphase:
    """The cell with every chromosome judged: usual ones, and one homologue of each of `strange` with that score."""
    usual, _ = calibration()
    left = dict(strange)
    chromosomes = []
    for one in cell.chromosomes:
        score = left.pop(one.label, usual[one.label][0])
        look = Appearance(score=score, families=(0.7, 0.1, 0.1, 0.1), place=place, paired=True)
        chromosomes.append(replace(one, appearance=look))
    return replace(cell, chromosomes=tuple(chromosomes))


def test_a_usual_case_has_no_suspect(cell: Cell, labels: Labels) -> None:
    assert suspects([looking(cell(labels()), {}) for _ in range(5)]) == ()
    assert suspects([cell(labels())]) == (), "what was not judged is not suspected"


def test_a_chromosome_that_looks_strange_in_every_cell_is_suspected(cell: Cell, labels: Labels) -> None:
    found = suspects([looking(cell(labels()), {"5": 6.0}) for _ in range(3)])
    assert [one.chromosome for one in found] == ["5"]
    assert found[0].arm == "q" and found[0].family == "loss" and found[0].cells == (0, 1, 2) and found[0].of == 3
    assert found[0].bands[0].startswith("q")


def test_the_most_unusual_comes_first_and_one_cell_of_many_is_not_enough(cell: Cell, labels: Labels) -> None:
    both = [looking(cell(labels()), {"5": 5.0, "9": 8.0}, place=0.1) for _ in range(3)]
    found = suspects(both)
    assert [one.chromosome for one in found] == ["9", "5"] and found[0].arm == "p"
    once = [looking(cell(labels()), {"5": 5.0}), *(looking(cell(labels()), {}) for _ in range(9))]
    assert suspects(once) == ()


def test_many_slightly_unusual_cells_still_name_one(cell: Cell, labels: Labels) -> None:
    mean, deviation = calibration()[0]["5"]
    found = suspects([looking(cell(labels()), {"5": mean + 0.9 * deviation}) for _ in range(30)])
    assert [one.chromosome for one in found] == ["5"] and len(found[0].cells) == 1


def test_one_cell_can_be_suspected_and_has_a_threshold_of_its_own(cell: Cell, labels: Labels) -> None:
    mean, deviation = calibration()[0]["5"]
    one, two, more = (threshold_for(cells) for cells in (1, 2, 3))
    assert one > more and threshold_for(40) == more, "one cell has the longer tail"
    for cells, threshold in ((1, one), (2, two), (3, more)):
        shown = {"5": mean + 1.01 * threshold * deviation / cells**0.5}
        (found,) = suspects([looking(cell(labels()), shown) for _ in range(cells)])
        assert (found.chromosome, found.threshold, found.of) == ("5", threshold, cells)
        short = {"5": mean + 0.99 * threshold * deviation / cells**0.5}
        assert suspects([looking(cell(labels()), short) for _ in range(cells)]) == ()
    with pytest.raises(ValueError, match="no cell"):
        threshold_for(0)


def test_a_break_is_told_with_its_interval(cell: Cell, labels: Labels) -> None:
    places = (0.5, 0.6, 0.7, 0.9)
    cells = [looking(cell(labels()), {"5": 8.0 - at}, place=place) for at, place in enumerate(places)]
    (found,) = suspects(cells)
    assert found.place == pytest.approx(0.55), "of the clearer half"
    assert found.interval == pytest.approx((0.50, 0.60))
    (lone,) = suspects([looking(cell(labels()), {"5": 8.0}, place=0.99)])
    assert lone.interval == pytest.approx((0.96, 1.0)), "never narrower than the network can tell, never off the end"


def test_evidence_grows_with_the_root_of_the_cells() -> None:
    assert case_score([1.0], (0.0, 2.0)) == 0.5
    assert case_score([1.0] * 16, (0.0, 2.0)) == pytest.approx(2.0)


def test_a_suspect_is_a_flag_of_the_case_in_both_languages(cell: Cell, labels: Labels) -> None:
    cells = [looking(cell(labels()), {"5": 6.0}) for _ in range(3)]
    (flag,) = [flag for flag in case_flags(cells, suspects(cells)) if flag.code == "structure_suspected"]
    assert flag.values["chromosome"] == "5" and str(flag.values["place"]).startswith("5q")
    assert "Chromosome 5" in sentence(flag, "en") and "染色体 5" in sentence(flag, "zh")


def test_the_network_judges_what_has_a_name() -> None:
    rng = np.random.default_rng(0)
    images = np.zeros((4, 2, 128, 24), np.float32)
    images[:3, :, 30:90, 6:18] = rng.uniform(0.4, 1.0, (3, 1, 60, 1))
    images[:3, 1, 30:90, 6:18] = 1.0
    looks = appearances(images, np.zeros(4, np.float32), ("7", "7", "unsure", "8"), threads=1)
    assert looks[2] is None and looks[3] is None, "no class, no chromosome"
    for one in looks[:2]:
        assert one is not None and one.paired and 0 <= one.place <= 1
        assert sum(one.families) == pytest.approx(1) and len(one.families) == len(FAMILIES)
    assert appearances(images[:0], np.zeros(0, np.float32), ()) == ()


def test_a_third_copy_has_to_look_unlike_both_others(monkeypatch: pytest.MonkeyPatch) -> None:
    class Answers:
        def run(self, **inputs: np.ndarray) -> dict[str, np.ndarray]:
            pairs = len(inputs["own"])
            return {
                "rearranged": np.arange(pairs, dtype=np.float32), "breaks": np.zeros((pairs, 64), np.float32),
                "kinds": np.zeros((pairs, 4), np.float32),
            }  # fmt: skip

    monkeypatch.setattr(structure, "model", lambda name, threads=None: Answers())
    images = np.ones((3, 2, 128, 24), np.float32)
    looks = appearances(images, np.zeros(3, np.float32), ("21", "21", "21"))
    assert [one and one.score for one in looks] == [0.0, 2.0, 4.0]
