"""A fit with fine-tuning from files to a bundle that answers; PyTorch is needed by none of what comes after the fit."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from consilium.artefact.bundle import open_bundle, write_bundle
from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.errors import InputError, MissingExtra, UnusableDataset
from consilium.generalist.cache import FeatureCache
from consilium.generalist.shipped import shipped_encoder
from consilium.specialist.bundle_documents import bundle_files
from consilium.specialist.case_features import case_features
from consilium.specialist.dataset import read_dataset
from consilium.specialist.evidence.summary import summary
from consilium.specialist.evidence.validate import Plan
from consilium.specialist.evidence.validation import as_document
from consilium.specialist.explain import explain
from consilium.specialist.fit import Result, Wish, fit
from consilium.specialist.fit_facts import facts_of
from consilium.specialist.ladder import choose_rung
from consilium.specialist.report import sections
from consilium.specialist.report.wording import Language
from consilium.specialist.report.write import matter_of, report
from consilium.specialist.specialist import encoder_of, read_specialist
from consilium.specialist.tuning import nested, rung
from consilium.specialist.tuning.nested import FROZEN, TUNED, Step
from consilium.specialist.tuning.rung import (
    Estimate,
    SecondRung,
    need_train,
    refuse_other_encoder,
    refuse_several_pictures,
)
from tests.specialist.drawn_pictures import two_classes

pytest.importorskip("onnx", reason="the network of a bundle is written by onnx (extra specialist)")
QUICK = Plan(repeats=2, shuffles=19, curve=True)


class _Candidate:
    """The last convolution a little louder: what any training would leave behind, without PyTorch."""

    def __init__(self, features: np.ndarray, rounds: int, weights: object) -> None:
        self.rounds = rounds
        self.features = features * (1 + 0.05 * rounds)
        kernel, offset = weights.convolutions[-1]  # type: ignore[attr-defined]
        self.convolutions = {len(weights.convolutions) - 1: (kernel * 1.1, offset * 1.1)}  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def monkeymodule() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def without_pytorch(patch: pytest.MonkeyPatch, taken: str) -> None:
    """Training is made up, and the ladder takes what it is told to."""

    def candidates(self: SecondRung, used: np.ndarray, *_: object) -> Iterator[_Candidate]:
        for rounds in rung.ROUNDS:
            yield _Candidate(self._material.frozen[used], rounds, self._weights)

    def told(rungs: list, groups: np.ndarray):  # type: ignore[no-untyped-def,type-arg]
        return replace(choose_rung(rungs, groups), taken=taken)

    patch.setattr(rung, "find_spec", lambda _name: object())
    patch.setattr(SecondRung, "candidates", candidates)
    patch.setattr(SecondRung, "name", lambda _self, _used: "made up")
    patch.setattr(SecondRung, "estimate", lambda _self: Estimate(networks=16, seconds=90.0, memory=5 << 20))
    patch.setattr(nested, "choose_rung", told)


def fitted(data: Path, home: Path, steps: list[Step]) -> Result:
    wish = Wish(plan=QUICK, modality="us", fine_tune=True)
    told: list[Estimate] = []
    found = fit(
        read_dataset(data), shipped_encoder(threads=1), wish, cache=FeatureCache(home), on_estimate=told.append,
        on_step=steps.append,
    )  # fmt: skip
    assert [one.networks for one in told] == [16]
    return found


@pytest.fixture(scope="module")
def tuned(
    tmp_path_factory: pytest.TempPathFactory, monkeymodule: pytest.MonkeyPatch
) -> tuple[Path, Path, Result, list[Step]]:
    """Two classes of 14 and a fit of which the fine-tuned network was taken."""
    without_pytorch(monkeymodule, TUNED)
    folder, steps = tmp_path_factory.mktemp("tuned"), list[Step]()
    data = two_classes(folder / "data", 14)
    return data, folder, fitted(data, folder / "home", steps), steps


def test_what_is_told_of_it(tuned: tuple[Path, Path, Result, list[Step]]) -> None:
    _, _, result, steps = tuned
    validation = result.validation
    assert validation.ways is not None and validation.ledger is not None
    assert validation.ways.choice.taken == TUNED and validation.ways.rounds in rung.ROUNDS
    assert len(validation.ways.inside) == 5
    assert validation.ledger.repeats == 1 == len(validation.ledger.assigned)
    assert validation.learning_curve is None and validation.permutation is not None
    assert FROZEN in {one.name for one in validation.baselines}
    assert [(one.done, one.parts) for one in steps][-2:] == [(15, 15), (16, 16)]
    assert "fine-tuned: loss" in "\n".join(summary(validation, result.cases, "en"))
    assert "采用微调" in "\n".join(summary(validation, result.cases, "zh"))


def test_its_bundle_answers_explains_and_is_known_again(
    tuned: tuple[Path, Path, Result, list[Step]], tmp_path: Path
) -> None:
    data, folder, result, _ = tuned
    files = bundle_files(result, "model")
    write_bundle(files, tmp_path / "model")
    bundle = open_bundle(tmp_path / "model")
    found = read_specialist(bundle)
    assert found.tuned and found.fingerprint != shipped_encoder(threads=1).fingerprint
    encoder = encoder_of(found, bundle, threads=1)
    assert encoder.fingerprint == found.fingerprint
    # The same home: features of the encoder as it came lie in the cache and must not be taken for these.
    seen = case_features(read_dataset(data), encoder, modality="us", cache=FeatureCache(folder / "home"))
    assert seen.features == pytest.approx(result.cases.features, abs=1e-4)
    plain = case_features(read_dataset(data), shipped_encoder(threads=1), modality="us").features
    assert np.abs(plain - seen.features).max() > 1e-2
    assert [one.label for one in found.answers(seen.features)] == ["normal"] * 14 + ["tumour"] * 14
    shown = np.random.default_rng(0).random((2, found.side, found.side, 3), np.float32)
    import onnxruntime

    session = onnxruntime.InferenceSession(str(tmp_path / "model" / "models" / "model.onnx"))
    whole = session.run(["probabilities"], {"images": shown})[0]
    assert whole == pytest.approx(found.probabilities(encoder.embed(shown).image), abs=1e-4)
    assert explain(found, encoder, shown[:1]).label in found.labels
    card = files["models/model.json"].decode()
    assert "the last stage of the encoder" in card and "fine-tuned to" in card and "--fine-tune auto" in card


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_its_report_says_how_it_came_to_be(tuned: tuple[Path, Path, Result, list[Step]], lang: Language) -> None:
    pytest.importorskip("matplotlib", reason="drawings need matplotlib (extra specialist)")
    result = tuned[2]
    matter = matter_of(as_document(result.validation), facts_of(result, "model", b""), lang)
    words = {
        "zh": ("模型的几种做法", "微调编码器最后阶段（采用）", "可能略窄"),
        "en": ("Ways of making the model", "fine-tuned last stage (taken)", "somewhat narrow"),
    }[lang]
    procedure = str(sections.procedure(matter))
    assert all(one in procedure for one in words)
    left_out = next(item for item in matter.items if item.key == "more")
    assert left_out.status == "left out"
    assert ("重新微调" if lang == "zh" else "fine-tuning of its own") in matter.t(*left_out.reason)
    if lang == "en":
        told = {one.key: str(one.parts) for one in report(matter.said, matter.facts, lang).sections}
        assert "made with frozen features" in told["chance"] and "frozen features" in told["baselines"]
        assert "its last stage fine-tuned" in told["card"]


@pytest.fixture(scope="module")
def not_taken(tuned: tuple[Path, Path, Result, list[Step]]) -> Result:
    """The same cases, and the ladder takes frozen features."""
    with pytest.MonkeyPatch.context() as patch:
        without_pytorch(patch, FROZEN)
        return fitted(tuned[0], tuned[1] / "home", [])


def test_where_frozen_features_are_taken_the_model_is_as_without(
    tuned: tuple[Path, Path, Result, list[Step]], not_taken: Result
) -> None:
    wish = Wish(plan=QUICK, modality="us")
    encoder = shipped_encoder(threads=1)
    plain = fit(read_dataset(tuned[0]), encoder, wish, cache=FeatureCache(tuned[1] / "home"))
    assert not_taken.network is None and not not_taken.specialist.tuned
    assert not_taken.specialist.as_files() == plain.specialist.as_files()
    ways = not_taken.validation.ways
    assert ways is not None and ways.rounds == 0
    assert as_document(replace(not_taken.validation, ways=None)) == as_document(plain.validation)
    assert "not fine-tuned" in "\n".join(summary(not_taken.validation, not_taken.cases, "en"))


def test_a_report_of_frozen_features_says_so_and_one_of_before_is_still_read(not_taken: Result) -> None:
    pytest.importorskip("matplotlib", reason="drawings need matplotlib (extra specialist)")
    document, facts = as_document(not_taken.validation), facts_of(not_taken, "model", b"")
    assert "all figures are those of frozen features" in str(sections.procedure(matter_of(document, facts, "en")))
    del document["ways"]
    assert "Ways of making" not in str(sections.procedure(matter_of(document, facts, "en")))


def test_the_verbs_take_a_tuned_model_without_pytorch(
    tuned: tuple[Path, Path, Result, list[Step]],
    not_taken: Result,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CONSILIUM_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(sys.modules, "torch", None)
    model, plain = tmp_path / "model", tmp_path / "plain"
    write_bundle(bundle_files(tuned[2], "model"), model)
    write_bundle(bundle_files(not_taken, "plain"), plain)
    new = two_classes(tmp_path / "new", 12, first_seed=7000)
    picture = str(new / "tumour" / "000.png")
    for words in (
        ["predict", str(model), picture],
        ["explain", str(model), picture, "--out", str(tmp_path / "why")],
        ["export", str(model), str(tmp_path / "network"), "--to", "onnx"],
        ["compare", str(model), str(plain), "--data", str(new), "--json"],
    ):
        assert run(["specialist", *words]) == ExitCode.DONE
    told = capsys.readouterr().out.splitlines()
    assert json.loads(told[0])["label"] == "tumour"
    assert json.loads(told[-1])["cases"] == 24


def test_the_command_asks_for_pytorch_before_the_work(
    tuned: tuple[Path, Path, Result, list[Step]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(rung, "find_spec", lambda _name: None)
    words = ["specialist", "fit", str(tuned[0]), "--out", str(tmp_path / "m"), "--fine-tune", "auto"]
    assert run(words) == ExitCode.MODEL_OR_OUTPUT
    told = capsys.readouterr().err
    assert "consilium[train]" in told and "embedded" not in told and not (tmp_path / "m").exists()


def test_what_cannot_be_tuned_is_refused(tuned: tuple[Path, Path, Result, list[Step]]) -> None:
    cases, encoder = tuned[2].cases, shipped_encoder(threads=1)
    refuse_several_pictures(cases)
    refuse_other_encoder(encoder)
    with pytest.raises(UnusableDataset, match="one picture each"):
        refuse_several_pictures(replace(cases, pooling="pooled"))
    with pytest.raises(InputError, match="only the shipped encoder"):
        refuse_other_encoder(_Other())  # type: ignore[arg-type]


class _Other:
    name = "timm:tiny"


def test_without_pytorch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rung, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"consilium\[train\]"):
        need_train()
