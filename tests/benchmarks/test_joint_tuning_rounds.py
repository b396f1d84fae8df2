"""Hospitals tune the encoder together: one alone does what it would do by itself, and nobody can spoil it unseen."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs PyTorch (extra train)")
pytest.importorskip("onnx", reason="the encoder's weights are read by onnx (extra specialist)")

from benchmarks.joint_tuning_averaging import Update, averaged  # noqa: E402
from benchmarks.joint_tuning_hospital import Ground, convolutions_of, features_of, moved  # noqa: E402
from benchmarks.joint_tuning_rounds import Tuned, TunedOn, tune  # noqa: E402
from consilium.errors import EngineError, InputError  # noqa: E402
from consilium.generalist.shipped import WEIGHTS, shipped_encoder  # noqa: E402
from consilium.generalist.weights_file import read_weights  # noqa: E402
from consilium.specialist.head import fit_head  # noqa: E402
from consilium.specialist.penalised import STRENGTHS  # noqa: E402
from consilium.specialist.tuning.last_stage import tuned  # noqa: E402
from consilium.specialist.tuning.rung import Material, material_of  # noqa: E402
from consilium.specialist.tuning.steps import Settings  # noqa: E402

US = 2
SETTINGS = Settings(rounds=(2,), batch=4)
SIZES = {"site-1": 10, "site-2": 6, "site-3": 4}
COUNT = sum(SIZES.values())
LABELS = (np.arange(COUNT) % 2).astype(float)[:, None, None]


@cache
def material() -> Material:
    """Pictures that are bright above or below."""
    rng = np.random.default_rng(0)
    shown = rng.random((COUNT, 64, 64, 3)).astype(np.float32) * 0.3
    for number, picture in enumerate(shown):
        picture[(slice(None, 32) if number % 2 else slice(32, None))] += 0.5
    return material_of(shown, shipped_encoder(threads=1), tuple(map(str, range(COUNT))), "us")


def ground(settings: Settings = SETTINGS) -> Ground:
    head = fit_head(material().frozen, LABELS, "logistic", np.array([settings.strength]))
    penalty = 1 / (STRENGTHS[settings.strength] * COUNT)
    return Ground(
        weights=read_weights(WEIGHTS / "generalist.onnx"), row=US, head=head, penalty=penalty, settings=settings
    )


def part(chosen: slice) -> TunedOn:
    return TunedOn(maps=material().maps[chosen], below=material().below[chosen], targets=LABELS[chosen])


def hospitals() -> dict[str, TunedOn]:
    ends = np.cumsum([*SIZES.values()])
    return {site: part(slice(end - size, end)) for (site, size), end in zip(SIZES.items(), ends, strict=True)}


def test_one_hospital_alone_does_what_fine_tuning_in_one_place_does() -> None:
    have = material()
    found = tune(ground(), {"site-1": part(slice(None))}, rounds=1, seed=5)
    (expected,) = tuned(
        have.maps, have.below, LABELS, np.ones(COUNT, np.bool_), weights=ground().weights, row=US, loss="logistic",
        frozen=have.frozen, seed=5, settings=SETTINGS,
    )  # fmt: skip
    assert np.array_equal(features_of(ground(), found.vector, have.maps[:, 0], have.below[:, 0]), expected.features)
    for number, (kernel, offset) in convolutions_of(ground(), found.vector).items():
        assert np.array_equal(kernel, expected.convolutions[number][0])
        assert np.array_equal(offset, expected.convolutions[number][1])
    assert np.abs(expected.features - have.frozen).max() > 1e-2


def test_rounds_go_on_from_the_mean_of_the_last() -> None:
    own = hospitals()
    found = tune(ground(), own, rounds=2, seed=1)
    common = ground().start()
    for seed in (1, 2):
        moves = {
            site: moved(ground(), common, one.maps, one.below, one.targets, seed=seed) for site, one in own.items()
        }
        common = averaged(moves, SIZES)
    assert np.array_equal(found.vector, common)
    assert found.took_part == (tuple(sorted(own)),) * 2 and not found.refused


def test_who_is_which_hospital_changes_nothing() -> None:
    own = hospitals()
    found = tune(ground(), own, rounds=2)
    backwards = tune(ground(), dict(reversed(own.items())), rounds=2)
    assert np.array_equal(found.vector, backwards.vector)
    renamed = tune(ground(), {f"site-{4 - int(site[-1])}": one for site, one in own.items()}, rounds=1)
    assert np.abs(renamed.vector - tune(ground(), own, rounds=1).vector).max() < 1e-6


def test_hospitals_of_the_same_cases_agree_with_one_of_them() -> None:
    same = {site: part(slice(0, 8)) for site in SIZES}
    found = tune(ground(), same, rounds=1)
    alone = tune(ground(), {"site-1": part(slice(0, 8))}, rounds=1)
    assert np.abs(found.vector - alone.vector).max() < 1e-6


def spoilt(update: Update, how: str) -> Update:
    vector = update.vector.copy()
    match how:
        case "nan":
            vector[3] = np.nan
            return replace(update, vector=vector)
        case "norm":
            return replace(update, vector=vector * 50)
        case "shape":
            return replace(update, vector=vector[1:])
    return replace(update, cases=10_000)


@pytest.mark.parametrize(
    ("how", "why"), [("nan", "not finite"), ("norm", "huge norm"), ("shape", "wrong shape"), ("counts", "absurd case")]
)
def test_a_bad_update_is_refused_and_the_others_go_on(how: str, why: str) -> None:
    found = tune(
        ground(), hospitals(), rounds=2,
        sent=lambda site, number, update: spoilt(update, how) if (site, number) == ("site-2", 1) else update,
    )  # fmt: skip
    (refused,) = found.refused
    assert (refused.round, refused.site) == (1, "site-2") and why in refused.why
    assert found.took_part == (("site-1", "site-2", "site-3"), ("site-1", "site-3"))
    assert np.array_equal(found.vector, without_in_the_second("site-2").vector)


def without_in_the_second(site: str) -> Tuned:
    return tune(ground(), hospitals(), rounds=2, away=lambda one, number: (one, number) == (site, 1))


def test_who_is_away_comes_back() -> None:
    own = hospitals()
    found = tune(ground(), own, rounds=3, away=lambda site, number: (site, number) == ("site-1", 1))
    assert found.took_part == (tuple(sorted(own)), ("site-2", "site-3"), tuple(sorted(own)))
    common = ground().start()
    for number, there in enumerate(found.took_part):
        moves = {
            site: moved(ground(), common, own[site].maps, own[site].below, own[site].targets, seed=number)
            for site in there
        }
        common = averaged(moves, SIZES)
    assert np.array_equal(found.vector, common)
    assert not np.array_equal(found.vector, tune(ground(), own, rounds=3).vector)


def test_too_few_stop_it_and_the_refused_are_named() -> None:
    with pytest.raises(EngineError, match="site-3 was refused: absurd case counts"):
        tune(
            ground(), hospitals(), rounds=2, least=2, away=lambda site, number: (site, number) == ("site-1", 1),
            sent=lambda site, number, update: spoilt(update, "counts") if (site, number) == ("site-3", 1) else update,
        )  # fmt: skip
    with pytest.raises(InputError, match="needs a round and a case"):
        tune(ground(), {"site-1": part(slice(0, 0))}, rounds=1)


def test_staying_near_the_common_weights_goes_less_far() -> None:
    start = ground().start()
    free, held = (tune(ground(replace(SETTINGS, proximal=one)), hospitals(), rounds=1).vector for one in (0.0, 0.3))
    assert 0 < np.linalg.norm(held - start) < 0.8 * np.linalg.norm(free - start)
