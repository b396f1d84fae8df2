"""The trained stage: it learns, it stays itself where it should, and its file says what it says."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs PyTorch (extra train)")
pytest.importorskip("onnx", reason="the encoder's weights are read by onnx (extra specialist)")

from consilium.artefact.card import read_card  # noqa: E402
from consilium.artefact.runtime import model_of  # noqa: E402
from consilium.generalist.cache import FeatureCache  # noqa: E402
from consilium.generalist.network import LAST_STAGE, rebuilt  # noqa: E402
from consilium.generalist.shipped import WEIGHTS, ShippedEncoder, shipped_encoder  # noqa: E402
from consilium.generalist.weights_file import read_weights, with_convolutions  # noqa: E402
from consilium.specialist.head import out_of_fold  # noqa: E402
from consilium.specialist.penalised import Array, Loss  # noqa: E402
from consilium.specialist.tuning import rung  # noqa: E402
from consilium.specialist.tuning.last_stage import Candidate, tuned  # noqa: E402
from consilium.specialist.tuning.rung import Material, material_of  # noqa: E402
from consilium.specialist.tuning.steps import Settings  # noqa: E402

FILE = WEIGHTS / "generalist.onnx"
US = 2


@cache
def pictures() -> np.ndarray:
    """(12, 64, 64, 3): bright above or below."""
    rng = np.random.default_rng(0)
    shown = rng.random((12, 64, 64, 3)).astype(np.float32) * 0.3
    for number, picture in enumerate(shown):
        picture[(slice(None, 32) if number % 2 else slice(32, None))] += 0.5
    return shown


@cache
def material() -> Material:
    return material_of(pictures(), shipped_encoder(threads=1), tuple("abcdefghijkl"), "us")


def learnt(targets: Array, loss: Loss, settings: Settings, seed: int = 0) -> list[Candidate]:
    have = material()
    trained = np.arange(12) < 8
    return list(
        tuned(have.maps, have.below, targets, trained, weights=read_weights(FILE), row=US, loss=loss,
              frozen=have.frozen, seed=seed, settings=settings)
    )  # fmt: skip


LABELS = (np.arange(12) % 2).astype(float)[:, None, None]
SHORT = Settings(rounds=(1, 2), batch=4)


def test_the_network_of_the_file_gives_what_the_file_gives() -> None:
    network = rebuilt(read_weights(FILE))
    shown = np.random.default_rng(1).random((3, 96, 96, 3)).astype(np.float32)
    encoder = shipped_encoder(threads=1)
    for told, row in (("us", US), (None, 19), ("mg", 4)):
        wanted = encoder.embed(shown, told)
        with torch.no_grad():
            found = network(torch.from_numpy(shown).permute(0, 3, 1, 2), torch.full((3,), row))
        assert np.abs(found.image().numpy() - wanted.image).max() < 1e-3
        for level, other in zip(found.levels, wanted.levels, strict=True):
            assert np.abs(level.numpy() - other).max() < 1e-3


def test_a_file_with_the_new_weights_gives_the_candidates_features() -> None:
    _, last = learnt(LABELS, "logistic", SHORT)
    content = with_convolutions(FILE.read_bytes(), last.convolutions)
    card = replace(read_card(FILE.with_suffix(".json")), sha256=hashlib.sha256(content).hexdigest())
    encoder = ShippedEncoder(model_of(card, content, FILE, threads=1))
    found = encoder.embed(pictures(), "us")
    assert np.abs(found.image - last.features).max() < 1e-3
    assert np.abs(found.image - material().frozen).max() > 1e-2
    assert encoder.fingerprint != shipped_encoder(threads=1).fingerprint
    # Below the trained stage nothing moved.
    for level, other in zip(found.levels[:3], shipped_encoder(threads=1).embed(pictures(), "us").levels, strict=False):
        assert np.array_equal(level, other)
    assert min(last.convolutions) == LAST_STAGE and len(last.convolutions) == 13


def test_longer_training_goes_farther_and_being_held_goes_less_far() -> None:
    def way(one: Candidate) -> float:
        return float(np.abs(one.features - material().frozen).mean())

    first, second = learnt(LABELS, "logistic", SHORT)
    assert (first.rounds, second.rounds) == (1, 2) and 0 < way(first) < way(second)
    assert way(learnt(LABELS, "logistic", replace(SHORT, near=0.5))[1]) < way(second)


def test_the_same_seed_gives_the_same_network_and_another_another() -> None:
    one, same, other = (learnt(LABELS, "logistic", SHORT, seed)[0].features for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("targets", "loss"),
    [(np.eye(3)[np.arange(12) % 3][:, None], "softmax"), (1000 * LABELS + 5, "squares"),
     (np.stack([LABELS[:, 0], 1 - LABELS[:, 0]], 1), "logistic")],
)  # fmt: skip
def test_every_kind_of_label_is_learnt(targets: Array, loss: Loss) -> None:
    found = learnt(targets, loss, SHORT)[1].features
    assert np.isfinite(found).all() and np.abs(found - material().frozen).max() > 1e-3


def test_the_rung_climbs_and_leaves_a_network_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rung, "ROUNDS", (1,))
    encoder = shipped_encoder(threads=1)
    shown = np.concatenate([pictures(), pictures()[:, :, ::-1]])
    frozen = encoder.embed(shown, "us", levels=False).image
    have = material_of(shown, encoder, tuple(str(number) for number in range(24)), "us")
    labels, groups, fold = np.tile(LABELS, (2, 1, 1)), np.arange(24), np.arange(24) // 2 % 5
    used = np.ones(24, np.bool_)
    done: list[int] = []

    def made() -> rung.SecondRung:
        return rung.SecondRung(
            have, lambda other: other.embed(shown, "us", levels=False).image, cache=FeatureCache(tmp_path),
            on_step=lambda step: done.append(step.done),
        )  # fmt: skip

    told = made().estimate()
    assert told.networks == 16 and told.seconds > 0 and told.memory == have.maps.nbytes
    first = out_of_fold(frozen, labels, fold, "logistic", roles=groups)
    found = made().climb(used, labels, groups, fold, "logistic", first)
    assert done == list(range(1, 16)) and np.isfinite(found.tuned.logits).all()
    finished = made().finish(used, labels, "logistic", found.candidate)
    (candidate,) = made().candidates(used, used, labels, "logistic", 0)
    assert np.abs(finished.images - candidate.features).max() < 1e-3
    assert finished.fingerprint != encoder.fingerprint
    # What is kept is known again, and belongs to these cases and this way of training.
    again = made().climb(used, labels, groups, fold, "logistic", first)
    assert np.array_equal(again.tuned.logits, found.tuned.logits)
    assert made().name(used) != made().name(np.arange(24) > 0)


def test_training_leaves_small_numbers_to_whoever_computes_next() -> None:
    test_longer_training_goes_farther_and_being_held_goes_less_far()
    assert np.float32(1e-40) * np.float32(1.0) > 0 and 5e-324 * 1.0 > 0
