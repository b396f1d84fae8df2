from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import generalist as module
from benchmarks.generalist import BASELINE, FOLDS, WAYS, figures_of, interval_over_sets, network_file, read_set, table


def test_every_set_is_judged_once_and_what_is_only_judged_is_in_no_fold_of_training() -> None:
    named = [name for names in FOLDS.values() for name in names]
    assert len(named) == len(set(named)) >= 8
    assert set(FOLDS["never"]) == {"mg_minimias", "op_odir_cataract", "es_capsule_bleeding"}


@pytest.mark.parametrize(
    ("way", "fold", "name"),
    [
        (BASELINE, "2", "imagenet.onnx"), ("imagenet", "1", "imagenet.onnx"), ("multi", "2", "multi_2.onnx"),
        ("multi_0.5", "2", "multi_2_0.5.onnx"), ("scratch", "never", "scratch_1.onnx"),
        ("synthetic", "1", "synthetic.onnx"), ("synthetic_multi", "never", "synthetic_multi_1.onnx"),
    ],
)  # fmt: skip
def test_each_way_is_judged_by_the_network_that_left_the_set_out(way: str, fold: str, name: str) -> None:
    assert network_file(way, fold).name == name


def test_a_way_is_compared_on_the_sets_it_was_judged_on() -> None:
    aucs = {
        "classic": {"a": [0.6, 0.6], "b": [0.7, 0.7], "c": [0.1, 0.1]},
        BASELINE: {"a": [0.7, 0.7], "b": [0.8, 0.8], "c": [0.9, 0.9]},
        "multi": {"a": [0.8, 0.8], "b": [0.7, 0.7]},
    }
    found = {one["name"]: one for one in figures_of(aucs)}
    assert found["auc_multi"]["value"] == pytest.approx(0.75) and found["auc_multi"]["n"] == 2
    assert found[f"gain_multi_{BASELINE}"]["value"] == pytest.approx(0)
    assert found[f"sets_multi_{BASELINE}"]["value"] == 0.5
    assert found["gain_multi_classic"]["value"] == pytest.approx(0.1)
    assert all(one["low"] <= one["value"] <= one["high"] for one in found.values())


def test_the_interval_widens_with_what_sets_differ_by() -> None:
    rng = np.random.default_rng(0)
    alike, unlike = (
        0.8 + 0.001 * rng.standard_normal((8, 10)),
        0.8 + 0.1 * rng.standard_normal((8, 1)) + np.zeros((8, 10)),
    )
    widths = [high - low for low, high in (interval_over_sets(alike), interval_over_sets(unlike))]
    assert widths[0] < 0.01 < widths[1]


def test_the_table_tells_everything() -> None:
    aucs = {"classic": {"a": [0.5, 0.6]}, BASELINE: {"a": [0.7, 0.8]}, "multi": {}}
    document = {
        "figures": figures_of({k: v for k, v in aucs.items() if v}), "aucs": aucs, "training": "Two minutes each.",
        "sets": {"a": {"pictures": 300, "groups": 280, "drawn": 200, "fold": "1"}}, "date": "2026-11-26",
        "machine": "M",
    }  # fmt: skip
    text = table(document)
    assert "| a | 300 | 280 | 200 | 0.5500 | 0.7500 |  |" in text
    assert "Two minutes each." in text and WAYS[BASELINE] in text and "2026-11-26, M" in text


@pytest.mark.real_data
def test_a_real_set_is_read(real_data: Path) -> None:
    found = read_set(real_data / "medical" / "mg_minimias.zip", "never")
    assert found.pictures.shape == (322, 128, 128, 3) and found.modality == "mg"
    assert len(np.unique(found.groups)) <= 161 and set(found.labels) == {0, 1, 2}
    drawn = found.draws(3)
    assert len(drawn) == 3 and all(len(one.train) <= module.CASES for one in drawn)
