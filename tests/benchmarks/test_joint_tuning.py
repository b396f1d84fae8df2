"""The benchmark of tuning together judges on what nobody learnt or chose from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch", reason="fine-tuning needs PyTorch (extra train)")
pytest.importorskip("onnx", reason="the encoder's weights are read by onnx (extra specialist)")
pytest.importorskip("tenseal", reason="the splits are those of a benchmark that encrypts (extra joint)")

from benchmarks import joint_tuning, joint_tuning_material
from benchmarks.joint_training import Cases
from benchmarks.joint_tuning_hospital import Ground
from benchmarks.joint_tuning_material import Shown
from consilium.generalist.looks import Looks, looking
from consilium.generalist.pictures import pictures
from consilium.generalist.shipped import WEIGHTS, shipped_encoder
from consilium.generalist.weights_file import read_weights
from consilium.specialist.head import fit_head
from consilium.specialist.tuning.rung import Material
from consilium.specialist.tuning.steps import Settings

COUNT = 240


def made_up() -> Shown:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((COUNT, 12)).astype(np.float32)
    nothing = np.zeros((COUNT, 1), np.float32)
    return Shown(
        cases=Cases(
            features=features, classes=np.arange(COUNT) % 2, patients=np.arange(COUNT) // 2, labels=("no", "yes")
        ),
        material=Material(frozen=features * 2, maps=nothing, below=nothing, digests=(), modality="us"),
        finer=nothing,
        below=nothing,
    )


def test_a_hospitals_rows_are_its_cases() -> None:
    of = made_up()
    deal = joint_tuning.dealt(of, 3)
    for site, one in deal.sites.items():
        assert np.array_equal(of.cases.features[deal.rows[site]], one.features)
    doubled = deal.features(of.material.frozen)
    assert all(np.array_equal(doubled[site].features, 2 * one.features) for site, one in deal.sites.items())
    assert np.array_equal(np.sort(np.concatenate([*deal.rows.values()])), np.arange(COUNT))


def test_choices_see_no_test_case_and_are_judged_on_what_was_left_out() -> None:
    for one in joint_tuning.dealt(made_up(), 1).sites.values():
        inner = joint_tuning.without_choices(one)
        tested = {row.tobytes() for row in one.features[one.tested]}
        assert not tested & {row.tobytes() for row in inner.features}
        assert inner.tested.sum() == one.chosen_on.sum() and not (inner.tested & inner.chosen_on).any()


def test_the_interval_is_students() -> None:
    mean, low, high = joint_tuning.interval(np.array([0.0, 0.01, 0.02]))
    # t of two degrees of freedom at 0.975 is 4.3027; the standard error 0.01 / sqrt(3).
    assert mean == pytest.approx(0.01) and high - mean == pytest.approx(4.302653 * 0.01 / 3**0.5, rel=1e-5)
    assert mean - low == pytest.approx(high - mean)
    both = joint_tuning.interval(np.array([0.0, 0.01, 0.02]), np.array([0.1, 0.11, 0.12]))
    # Twice the degrees of freedom (t 2.7764), and the mean of two is less uncertain than each.
    assert both[0] == pytest.approx(0.06) and both[2] - both[0] == pytest.approx(2.776445 * 0.01 / 6**0.5, rel=1e-5)


def test_before_any_step_the_features_are_those_of_a_study(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(2)
    files = []
    for number in range(3):
        rough = rng.random((9, 9, 3)).repeat(24, 0).repeat(24, 1)
        path = tmp_path / f"{number}.png"
        Image.fromarray((rough * 255).astype(np.uint8)).save(path)
        files.append((path,))
    encoder = shipped_encoder(threads=1)
    read = SimpleNamespace(files=files, digests=("a", "b", "c"))
    have = joint_tuning_material._maps(read, encoder, "us")  # type: ignore[arg-type]
    sides = (encoder.side, round(encoder.side * joint_tuning_material.FINER))
    shown = np.concatenate([pictures(path, sides[-1], "us") for (path,) in files])
    expected = looking(encoder, Looks(sides=sides, mirrored=True)).embed(shown, "us").image
    of = Shown(
        cases=made_up().cases,
        material=Material(frozen=have["frozen"], maps=have["maps"], below=have["fixed"], digests=(), modality="us"),
        finer=have["finer"],
        below=have["finer_fixed"],
    )
    head = fit_head(have["frozen"], np.array([0.0, 1.0, 0.0])[:, None, None], "logistic", np.array([2]))
    ground = Ground(
        weights=read_weights(WEIGHTS / "generalist.onnx"), row=2, head=head, penalty=1.0, settings=Settings(rounds=(1,))
    )
    assert np.abs(joint_tuning.looked(of, ground, ground.start()) - expected).max() < 2e-3
    assert expected.std() > 0.05
