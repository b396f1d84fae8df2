from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from consilium.artefact.bundle import open_bundle, write_bundle
from consilium.errors import ModelError, UnusableDataset
from consilium.generalist.cache import FeatureCache
from consilium.generalist.encoder import Encoder
from consilium.generalist.looks import Looks, looking, shrunk
from consilium.generalist.shipped import WEIGHTS, shipped_encoder
from consilium.specialist.bundle_documents import bundle_files
from consilium.specialist.dataset import read_dataset
from consilium.specialist.evidence.summary import summary
from consilium.specialist.evidence.validate import Plan
from consilium.specialist.fit import Result, Wish, fit
from consilium.specialist.specialist import encoder_of, read_specialist
from consilium.specialist.specialty import specialty_of
from tests.imaging.made_files import nifti, write_series
from tests.specialist.drawn_pictures import draw, two_classes

pytest.importorskip("onnx", reason="the network of a bundle is written by onnx (extra specialist)")
QUICK = Plan(repeats=2, shuffles=19, curve=False)
TWICE = Looks(sides=(128,), mirrored=True)


def fitted(
    origin: Path,
    home: Path,
    *,
    task: str = "auto",
    case_column: str | None = None,
    mirrored: bool = True,
    finer: bool = False,
) -> Result:
    wish = Wish(plan=QUICK, case_column=case_column, modality="us", mirrored=mirrored, finer=finer)
    dataset = read_dataset(origin, task=task)  # type: ignore[arg-type]
    return fit(dataset, shipped_encoder(threads=1), wish, cache=FeatureCache(home))


def table(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Result]:
    """Two classes of 20, a home, and what was fitted to them."""
    folder = tmp_path_factory.mktemp("classes")
    data, home = two_classes(folder / "data", 20), folder / "home"
    return data, home, fitted(data, home)


def test_two_classes_are_told_apart(classes: tuple[Path, Path, Result], tmp_path: Path) -> None:
    _, _, result = classes
    assert result.validation.macro_auc is not None and result.validation.macro_auc.value > 0.95
    specialist = result.specialist
    assert specialist.labels == ("normal", "tumour") and specialist.validated and specialist.pooling == "single"
    assert len(specialist.trained_on) == 40
    new = two_classes(tmp_path, 10, first_seed=5000)
    seen = fit_features(new, classes[1])
    right = [answer.label for answer in specialist.answers(seen)] == ["normal"] * 10 + ["tumour"] * 10
    assert right


def fit_features(folder: Path, home: Path) -> np.ndarray:
    from consilium.specialist.case_features import case_features

    return case_features(
        read_dataset(folder), looking(shipped_encoder(threads=1), TWICE), modality="us", cache=FeatureCache(home)
    ).features


def test_a_bundle_answers_as_what_was_fitted(classes: tuple[Path, Path, Result], tmp_path: Path) -> None:
    _, _, result = classes
    write_bundle(bundle_files(result, "model"), tmp_path / "model")
    bundle = open_bundle(tmp_path / "model")
    found = read_specialist(bundle)
    assert [one.as_document("") for one in found.answers(result.cases.features)] == [
        one.as_document("") for one in result.specialist.answers(result.cases.features)
    ]
    # The whole network says what encoder and head say one after the other.
    encoder = encoder_of(found, bundle, threads=1)
    pictures = np.random.default_rng(0).random((3, found.side, found.side, 3), np.float32)
    features = encoder.embed(pictures).image
    shipped = shipped_encoder(threads=1)
    twice = (shipped.embed(pictures, "us").image + shipped.embed(pictures[:, :, ::-1].copy(), "us").image) / 2
    assert features == pytest.approx(twice, abs=1e-5)
    assert encoder.fingerprint == looking(shipped, TWICE).fingerprint != shipped.fingerprint
    import onnxruntime

    session = onnxruntime.InferenceSession(str(tmp_path / "model" / "models" / "model.onnx"))
    whole = session.run(["probabilities"], {"images": pictures})[0]
    assert whole == pytest.approx(found.probabilities(features), abs=1e-4)
    again = fitted(classes[0], classes[1])
    files, same = bundle_files(result, "model"), bundle_files(again, "model")
    assert again.cases.cached == 40 and files == same


def test_where_left_and_right_matter_each_picture_is_seen_once(
    classes: tuple[Path, Path, Result], tmp_path: Path
) -> None:
    result = fitted(classes[0], classes[1], mirrored=False)
    write_bundle(bundle_files(result, "model"), tmp_path / "model")
    bundle = open_bundle(tmp_path / "model")
    encoder = encoder_of(read_specialist(bundle), bundle, threads=1)
    pictures = np.random.default_rng(0).random((2, encoder.side, encoder.side, 3), np.float32)
    shipped = shipped_encoder(threads=1)
    assert encoder.embed(pictures).image == pytest.approx(shipped.embed(pictures, "us").image, abs=1e-5)
    assert encoder.fingerprint == shipped.fingerprint
    assert bundle.document("models/model.json")["recipe"].endswith(" --no-mirror --no-finer")
    # The cache keeps the two apart: nothing of the run that looked twice was taken.
    assert result.cases.cached == 0


def test_single_pictures_are_looked_at_in_two_sizes_and_the_bundle_does_the_same(
    classes: tuple[Path, Path, Result], tmp_path: Path
) -> None:
    result = fitted(classes[0], classes[1], finer=True)
    assert result.specialist.side == 224 and result.specialist.looks == Looks(sides=(128, 224), mirrored=True)
    write_bundle(bundle_files(result, "model"), tmp_path / "model")
    bundle = open_bundle(tmp_path / "model")
    found = read_specialist(bundle)
    pictures = np.random.default_rng(0).random((2, 224, 224, 3), np.float32)
    shipped = shipped_encoder(threads=1)
    sizes = [shrunk(pictures, 128), pictures]
    expected = np.mean(
        [shipped.embed(one[:, :, ::step].copy(), "us").image for one in sizes for step in (1, -1)], axis=0
    )
    encoder = encoder_of(found, bundle, threads=1)
    assert encoder.embed(pictures).image == pytest.approx(expected, abs=2e-5)
    assert encoder.fingerprint == looking(shipped, found.looks).fingerprint
    assert not bundle.document("models/model.json")["recipe"].endswith("--no-finer")
    # The weights are there once.
    assert bundle.path("models/model.onnx").stat().st_size < 1.1 * WEIGHTS.joinpath("generalist.onnx").stat().st_size


def test_noise_is_turned_away(classes: tuple[Path, Path, Result]) -> None:
    side = classes[2].specialist.side
    noise = np.random.default_rng(1).random((5, side, side, 3), np.float32)
    answers = classes[2].specialist.answers(looking(shipped_encoder(threads=1), TWICE).embed(noise, "us").image)
    assert all(answer.abstain and "unlike the training cases" in answer.why for answer in answers)


def test_copies_are_found_and_kept_together(tmp_path: Path) -> None:
    data = two_classes(tmp_path / "data", 14)
    copy = data / "normal" / "000 copy.png"
    copy.write_bytes((data / "normal" / "000.png").read_bytes())
    (data / "tumour" / "wrong.png").write_bytes((data / "normal" / "001.png").read_bytes())
    result = fitted(data, tmp_path / "home")
    ledger = result.validation.ledger
    assert ledger is not None and {one.how for one in ledger.duplicates} >= {"same bytes"}
    assert len({(one.first, one.second) for one in ledger.contradictions}) == 1
    told = "\n".join(summary(result.validation, result.cases, "en"))
    assert "pairs of duplicates" in told and "different labels" in told
    assert "标签不同" in "\n".join(summary(result.validation, result.cases, "zh"))
    place = {case: number for number, case in enumerate(ledger.cases)}
    files = [case.file for case in result.cases.dataset.cases]
    one, other = place[files.index(copy)], place[files.index(data / "normal" / "000.png")]
    assert all(row[one] == row[other] for row in ledger.assigned)


def test_several_labels(tmp_path: Path) -> None:
    rows = []
    for number in range(40):
        large, second = number % 2 == 0, number % 4 < 2
        draw(tmp_path / f"{number}.png", large=large, second=second, seed=number)
        labels = [name for name, there in (("large", large), ("square", second)) if there]
        rows.append({"file": f"{number}.png", "label": ";".join(labels)})
    result = fitted(table(tmp_path / "cases.csv", rows), tmp_path / "home")
    assert result.specialist.task == "multilabel" and result.specialist.labels == ("large", "square")
    assert {one.label: one.auc.value > 0.9 for one in result.validation.figures} == {"large": True, "square": True}
    answers = result.specialist.answers(result.cases.features)
    assert answers[0].label == ["large", "square"] and answers[3].label == []
    assert bundle_files(result, "model")


def test_a_quantity(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for number, amount in enumerate(rng.random(60)):
        draw(tmp_path / f"{number}.png", amount=float(amount), large=True, seed=number)
        rows.append({"file": f"{number}.png", "label": f"{amount:.3f}"})
    result = fitted(table(tmp_path / "cases.csv", rows), tmp_path / "home")
    assert result.validation.regression is not None and result.validation.regression.correlation.value > 0.6
    document = result.specialist.answers(result.cases.features)[0].as_document("0.png")
    low, high = document["interval"]
    assert low < document["value"] < high and not document["abstain"]
    assert bundle_files(result, "model")


def test_several_files_a_case(tmp_path: Path) -> None:
    rows = []
    for number in range(24):
        for part in range(2):
            name = f"{number}_{part}.png"
            draw(tmp_path / name, large=number % 2 == 0, seed=100 * number + part)
            rows.append({"file": name, "label": "large" if number % 2 == 0 else "small", "scan": number})
    result = fitted(table(tmp_path / "cases.csv", rows), tmp_path / "home", case_column="scan")
    assert result.specialist.pooling == "pooled" and len(result.cases.features) == 24
    assert "scan" not in result.cases.metadata
    write_bundle(bundle_files(result, "model"), tmp_path / "model")
    import onnxruntime

    shown = np.random.default_rng(0).random((2, 128, 128, 3), np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "model" / "models" / "model.onnx"))
    features, whole = session.run(["features", "probabilities"], {"images": shown})
    from consilium.generalist.cases import pool

    assert whole == pytest.approx(result.specialist.probabilities(pool(features)[None]), abs=1e-3)
    rows[1]["label"] = "small"
    with pytest.raises(UnusableDataset, match="case '0' differ"):
        fitted(table(tmp_path / "cases.csv", rows), tmp_path / "home", case_column="scan")
    with pytest.raises(UnusableDataset, match="no column 'visit'"):
        fitted(tmp_path / "cases.csv", tmp_path / "home", case_column="visit")


def test_twelve_cases_are_not_enough_which_is_a_result(tmp_path: Path) -> None:
    result = fitted(two_classes(tmp_path / "data", 6), tmp_path / "home")
    assert result.validation.not_enough and not result.specialist.validated
    assert "NOT VALIDATED" in summary(result.validation, result.cases, "en")[1]
    answers = result.specialist.answers(result.cases.features)
    assert all(answer.why[-1] == "not validated" for answer in answers)
    assert bundle_files(result, "model")


def test_files_that_cannot_be_read_are_left_out_and_named(tmp_path: Path) -> None:
    data = two_classes(tmp_path / "data", 12)
    (data / "tumour" / "broken.png").write_text("no image")
    result = fitted(data, tmp_path / "home")
    assert [file.name for file, _ in result.cases.skipped] == ["broken.png"] and len(result.cases.features) == 24
    assert "broken.png" in summary(result.validation, result.cases, "en")[-1]


def test_one_kind_is_not_enough_for_anything(tmp_path: Path) -> None:
    data = two_classes(tmp_path / "data", 3)
    for file in (data / "tumour").iterdir():
        file.write_text("no image")
    with pytest.raises(UnusableDataset, match="all of one kind"):
        fitted(data, tmp_path / "home")


def test_what_is_set_aside_is_not_trained_on(tmp_path: Path) -> None:
    rows = []
    for number in range(48):
        large = number % 2 == 0
        draw(tmp_path / f"{number}.png", large=large, seed=number)
        rows.append({"file": f"{number}.png", "label": "b" if large else "a", "split": "test" if number >= 24 else ""})
    result = fitted(table(tmp_path / "cases.csv", rows), tmp_path / "home")
    assert result.validation.external is not None and result.validation.external.cases == 24
    assert set(result.specialist.trained_on).isdisjoint(result.cases.digests[24:])


def test_tasks_without_labels_are_another_specialty(tmp_path: Path) -> None:
    data = two_classes(tmp_path / "data", 2)
    for file in [*data.glob("*/*.png")]:
        file.with_name(f"{file.stem}_mask.png").write_bytes(file.read_bytes())
    with pytest.raises(UnusableDataset, match="segment task has masks or boxes, no labels"):
        fitted(data, tmp_path / "home", task="segment")
    with pytest.raises(UnusableDataset, match="no task 'translate'"):
        specialty_of("translate")
    kinds = {type(specialty_of(task)) for task in ("segment", "detect", "binary")}
    assert len(kinds) == 3 and type(specialty_of("segment")) is not type(specialty_of("binary")) is type(
        specialty_of("regress")
    )


def test_volumes_and_series_are_cases(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    indices = np.stack(np.indices((20, 20, 20)))
    for number in range(20):
        radius = 8 if number % 2 else 3
        ball = np.linalg.norm(indices - rng.uniform(8, 12, (3, 1, 1, 1)), axis=0) < radius
        values = (rng.normal(40, 4, ball.shape) + 150 * ball).astype(np.int16)
        path = tmp_path / "data" / ("large" if number % 2 else "small") / f"{number}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(nifti(values, packed=True))
    result = fitted(tmp_path / "data", tmp_path / "home")
    assert result.specialist.pooling == "pooled" and not result.cases.skipped
    assert result.validation.macro_auc is not None and result.validation.macro_auc.value > 0.9
    rows: list[dict[str, object]] = []
    for number in range(4):
        write_series(tmp_path / f"s{number}", [0.0, 2.0, 4.0 + number])
        rows.append({"file": f"s{number}", "label": "ab"[number % 2]})
    series = fitted(table(tmp_path / "series.csv", rows), tmp_path / "home")
    assert len(set(series.cases.digests)) == 4 and series.specialist.pooling == "pooled"


def test_of_another_encoder_the_head_alone_is_the_network(
    classes: tuple[Path, Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, home, _ = classes
    wish = Wish(plan=QUICK, encoder="timm:tiny")
    result = fit(read_dataset(data), shipped_encoder(threads=1), wish, cache=FeatureCache(home))
    write_bundle(bundle_files(result, "model"), tmp_path / "model")
    import onnxruntime

    session = onnxruntime.InferenceSession(str(tmp_path / "model" / "models" / "model.onnx"))
    whole = session.run(None, {"image": result.cases.features})[0]
    assert whole == pytest.approx(result.specialist.probabilities(result.cases.features), abs=1e-4)
    bundle = open_bundle(tmp_path / "model")
    asked: list[str] = []

    def found(spec: str) -> Encoder:
        asked.append(spec)
        return shipped_encoder(threads=1)

    monkeypatch.setattr("consilium.generalist.hub.hub_encoder", found)
    assert encoder_of(read_specialist(bundle), bundle).name.startswith("generalist") and asked == ["timm:tiny"]
    monkeypatch.setattr("consilium.generalist.shipped.PREPARATION", -1)
    with pytest.raises(ModelError, match="not the one it was fitted on"):
        encoder_of(read_specialist(bundle), bundle)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    data, seen = two_classes(tmp_path / "data", 20), []

    def interrupt(outcome: object) -> None:
        seen.append(outcome)
        if len(seen) == 32:
            raise KeyboardInterrupt

    dataset, encoder, wish = read_dataset(data), shipped_encoder(threads=1), Wish(plan=QUICK)
    with pytest.raises(KeyboardInterrupt):
        fit(dataset, encoder, wish, cache=FeatureCache(tmp_path / "home"), on_outcome=interrupt)
    assert fit(dataset, encoder, wish, cache=FeatureCache(tmp_path / "home")).cases.cached == 32
