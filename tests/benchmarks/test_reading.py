from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import reading
from benchmarks.annotated import AnnotatedCell
from benchmarks.reading import read_cell, read_cells
from consilium.errors import ModelError, NoMetaphase
from consilium.karyotype.assign import Assigned
from consilium.karyotype.case import Stages, shipped_stages
from consilium.karyotype.classify import Classified
from consilium.karyotype.metaphase import CLASSES, Instance, Normalised


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The shipped models replaced: every object is found where it is and called 1 or 2."""
    made: list[str] = []

    def stages(cell: AnnotatedCell, method: str) -> Stages:
        made.append(cell.name)

        def classify(normalised: Normalised, instances: object, *, threads: int | None = None) -> Classified:
            count = len(instances)  # type: ignore[arg-type]
            likely = np.full((count, 24), 1e-4, np.float32)
            likely[np.arange(count), np.arange(count) // 2] = 1.0
            zeros = np.zeros(count, np.float32)
            return Classified(probabilities=likely, angles=zeros, polarity=zeros + 0.9, upside_down=zeros > 0)

        def assign(probabilities: np.ndarray) -> Assigned:
            best = probabilities.argmax(1)
            return Assigned(labels=tuple(CLASSES[k] for k in best), confidences=probabilities.max(1))

        return replace(shipped_stages(), find=reading._Given(cell), classify=classify, assign=assign)

    monkeypatch.setattr(reading, "_stages", stages)
    monkeypatch.setattr(reading, "KEPT", tmp_path)
    return made


def test_a_reading_is_what_the_pipeline_made_of_the_file(calls: list[str], truth) -> None:
    got = read_cell(truth(["1", "1", "2", "2"]), "given")
    assert got.metaphase is not None
    assert [one.label for one in got.metaphase.chromosomes] == ["1", "1", "2", "2"]
    assert got.metaphase.pixels.size == 0


def test_what_was_read_is_not_read_again(calls: list[str], truth) -> None:
    cells = [truth(["1", "1"], name=name) for name in ("a", "b")]
    first = read_cells(cells, "given", source="made", processes=1)
    assert calls == ["a", "b"]
    again = read_cells([*cells, truth(["1"], name="c")], "given", source="made", processes=1)
    assert calls == ["a", "b", "c"]
    assert [r.metaphase.count for r in first if r.metaphase] == [r.metaphase.count for r in again[:2] if r.metaphase]


def test_other_models_or_code_read_again(calls: list[str], truth, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [truth(["1", "1"])]
    read_cells(cells, "given", source="made", processes=1)
    monkeypatch.setattr(reading, "fingerprint", lambda: "another")
    read_cells(cells, "given", source="made", processes=1)
    assert len(calls) == 2


def test_a_refused_image_is_a_result_and_a_missing_model_is_not(
    calls: list[str], truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(error: Exception):
        def find(normalised: Normalised, *, threads: int | None = None) -> tuple[Instance, ...]:
            raise error

        return lambda cell, method: replace(shipped_stages(), find=find)

    monkeypatch.setattr(reading, "_stages", refuse(NoMetaphase("only 3 objects")))
    got = read_cell(truth(["1"]), "consilium")
    assert got.metaphase is None
    assert got.error == "NoMetaphase: only 3 objects"
    monkeypatch.setattr(reading, "_stages", refuse(ModelError("missing")))
    with pytest.raises(ModelError):
        read_cell(truth(["1"]), "consilium")


def test_objects_can_only_be_given_where_their_masks_are_known(calls: list[str], truth) -> None:
    with pytest.raises(ValueError, match="no masks"):
        read_cell(replace(truth(["1", "1"]), masks=None), "given")


def test_the_fingerprint_follows_what_is_computed_with_and_not_what_a_card_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fingerprint_of(**card: object) -> str:
        (tmp_path / "detector.json").write_text("{}")
        usual = {"name": "detector", "sha256": "0" * 64, "constants": {"threshold": 0.5}, "metrics": ()}
        monkeypatch.setattr(reading, "read_card", lambda path: SimpleNamespace(**(usual | card)))
        return reading.fingerprint.__wrapped__()

    monkeypatch.setattr(reading, "WEIGHTS", tmp_path)
    usual = fingerprint_of()
    assert fingerprint_of(metrics=("recall",)) == usual
    assert len({usual, fingerprint_of(constants={"threshold": 0.4}), fingerprint_of(sha256="1" * 64)}) == 3
