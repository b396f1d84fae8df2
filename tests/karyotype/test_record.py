"""case.json keeps its promise: it fits the published schema and points at the right pixels."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jsonschema import Draft202012Validator

from consilium.errors import OutputError
from consilium.karyotype.metaphase import CLASSES, Case, Failure, Flag, Instance, Metaphase
from consilium.karyotype.record import (
    ModelReference,
    Record,
    case_record,
    case_schema,
    check_record,
    karyogram_files,
    polygon,
)
from consilium.karyotype.wording import LANGUAGES, Language

MODEL = ModelReference(name="detector", version="1", sha256="0" * 64)
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _record(case: Case, lang: Language = "en") -> Record:
    return case_record(case, lang=lang, created=CREATED, version="0.1.0", models=[MODEL])


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(case_schema())
    assert case_schema()["$id"].endswith(":1.2")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_case_fits_the_schema_also_after_json(case: Case, lang: Language) -> None:
    failure = Failure(image="x.png", error="UnreadableImage", message="x.png: truncated")
    full = replace(
        case,
        failures=(failure,),
        flags=(Flag(code="single_cell_change", values={"change": "+21", "cells": 1, "needed": 2}),),
    )
    record = json.loads(json.dumps(_record(full, lang), allow_nan=False))
    check_record(record)
    assert record["name"] == "case 1"
    assert record["created"] == "2026-01-02T03:04:05+00:00"
    assert record["failures"] == [{"image": "x.png", "error": "UnreadableImage", "message": "x.png: truncated"}]
    assert record["models"] == [{"name": "detector", "version": "1", "sha256": "0" * 64}]
    assert record["disagreeing"] == ["b.png"]
    assert [cell["karyotype"] for cell in record["cells"]] == ["46,XX", "47,XX,+21"]


def test_flags_carry_code_reason_and_figures(case: Case) -> None:
    flagged = _record(case)["cells"][1]["chromosomes"][42]["flags"]
    assert flagged == [
        {
            "code": "low_confidence",
            "reason": "Named 21 with a confidence of only 60%",
            "values": {"label": "21", "confidence": 0.6},
        }
    ]
    assert _record(case)["cells"][1]["flags"][0]["values"] == {"count": 47}


def test_probabilities_keep_their_classes_and_sum(case: Case) -> None:
    for one in _record(case)["cells"][0]["chromosomes"]:
        assert list(one["probabilities"]) == list(CLASSES)
        assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert max(one["probabilities"], key=one["probabilities"].get) == one["label"]


def test_box_and_polygon_lie_on_the_chromosome(cell: Callable[..., Metaphase], case: Case) -> None:
    metaphase = case.cells[0]
    for one, recorded in zip(metaphase.chromosomes, _record(case)["cells"][0]["chromosomes"], strict=True):
        filled = np.zeros(metaphase.pixels.shape, np.uint8)
        cv2.fillPoly(filled, [np.array(recorded["polygon"], np.int32)], 1)
        rows, columns = np.nonzero(filled)
        assert recorded["box"] == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert (metaphase.pixels[filled > 0] < 200).all()
        assert filled.sum() == one.instance.mask.sum()


@given(mask=arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_polygon_is_the_border_of_the_largest_part(mask: np.ndarray) -> None:
    traced = polygon(Instance(box=(3.0, 4.0, 15.0, 16.0), mask=mask, origin=(3, 4), score=1.0))
    assert len(traced) >= 3
    canvas = np.zeros((20, 20), np.uint8)
    cv2.fillPoly(canvas, [np.array(traced, np.int32)], 1)
    if mask.any():
        count, _, _, _ = cv2.connectedComponentsWithStats(canvas, connectivity=8)
        assert count == 2
        for x, y in traced:
            assert mask[y - 4, x - 3]


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: record.pop("models"),
        lambda record: record.update(schema_version="2.0"),
        lambda record: record["cells"][0]["chromosomes"][0].update(label="23"),
        lambda record: record["cells"][0]["chromosomes"][0]["probabilities"].pop("X"),
        lambda record: record["cells"][0]["chromosomes"][0].update(confidence=1.2),
        lambda record: record["cells"][0]["chromosomes"][0].update(polygon=[[1, 2]]),
        lambda record: record["cells"][0].update(surprise=1),
        lambda record: record["models"][0].update(sha256="abc"),
    ],
)
def test_a_damaged_record_is_refused(case: Case, damage: Callable[[Record], object]) -> None:
    record = deepcopy(_record(case))
    damage(record)
    with pytest.raises(OutputError, match="does not fit its schema"):
        check_record(record)


def test_a_time_without_zone_is_refused(case: Case) -> None:
    with pytest.raises(ValueError, match="time zone"):
        case_record(case, lang="en", created=datetime(2026, 1, 2), version="0.1.0", models=[])


@pytest.mark.parametrize("image", ["a.png", "../../etc/passwd", "染色体 1.tif", "..", "", 'q"<b>.png', "C:\\x\\y.png"])
def test_karyogram_files_stay_in_their_folder(image: str) -> None:
    files = karyogram_files(image, number=3)
    for kind in ("svg", "png"):
        folder, name = files[kind].split("/")
        assert folder == "karyograms"
        assert name.startswith("03-") and name.endswith(f".{kind}") and len(name) > len(f"03-.{kind}")
        assert not set(name) & set('<>:"/\\|?*')
