"""Validated models of every task, small, and the facts beside them, for tests of the report."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from consilium.specialist.evidence.validate import Plan, validated
from consilium.specialist.evidence.validation import Validation
from consilium.specialist.report.facts import Exclusion, ModelFacts, ReportedCase

QUICK = Plan(repeats=2, shuffles=20)
TASKS = ("binary", "multiclass", "multilabel", "regress", "few", "useless")


def facts_of(names: tuple[str, ...], targets: np.ndarray, name: str = "demo") -> ModelFacts:
    return ModelFacts(
        name=name,
        version="1.2.3",
        created="2026-03-04T05:06:07+00:00",
        consilium_version="9.8.7",
        modality="us",
        encoder="an encoder, frozen",
        intended_use="A second look, for research.",
        names=names,
        cases=tuple(
            ReportedCase(file=f"case_{place:03d}.png", group=str(place), target=tuple(map(float, np.atleast_1d(one))))
            for place, one in enumerate(targets)
        ),
        exclusions=(Exclusion(reason="not readable", cases=3),),
        missing={"age": 4},
        acquisition=({"vendor": "Acme", "cases": "90"},),
        hashes={"data": "ab" * 32},
        versions={"numpy": "2.1"},
        stated={"ethics": "approved, 2025-17"},
    )


def features_of(cases: int, classes: int, apart: float) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(0)
    truth = np.arange(cases) % classes
    features = rng.normal(size=(cases, 40)).astype(np.float32)
    features[:, :classes] += np.float32(apart) * np.eye(classes, dtype=np.float32)[truth]
    return features, truth, rng


@cache
def reported(kind: str) -> tuple[Validation, ModelFacts]:
    if kind == "binary":
        features, truth, rng = features_of(120, 2, 2.0)
        features[3], features[8] = features[5], features[9]
        validation, _ = validated(
            features, truth, task="binary", names=("benign", "malignant"), set_aside=np.arange(120) >= 90,
            described={"sex": ["f", "m"] * 60, "site": ["A"] * 84 + ["B"] * 36},
            metadata={"width": rng.integers(300, 900, 120).tolist()},
            others={"classic features": rng.normal(size=(120, 5))},
            plan=replace(QUICK, prevalence=0.1),
        )  # fmt: skip
        return validation, facts_of(("benign", "malignant"), truth)
    if kind == "few":
        features, truth, _ = features_of(24, 2, 1.0)
        truth = (np.arange(24) < 6).astype(int)
        return validated(features, truth, task="binary", names=("benign", "malignant"))[0], facts_of(
            ("benign", "malignant"), truth
        )
    if kind == "regress":
        features, _, rng = features_of(60, 2, 0.0)
        values = features[:, 0] * 3 + 50
        return validated(features, values, task="regress", plan=QUICK)[0], facts_of((), values)
    features, truth, rng = features_of(90, 2 if kind == "useless" else 3, 0.0 if kind == "useless" else 1.6)
    beside = {"metadata": {"width": rng.normal(size=90).tolist()}, "others": {"classic features": features[:, :6]}}
    if kind == "multilabel":
        labels = np.column_stack([truth == 0, truth == 1, np.arange(90) < 6]).astype(float)
        names: tuple[str, ...] = ("effusion", "nodule", "rare")
        validation, _ = validated(features, labels, task="multilabel", names=names, plan=QUICK, **beside)
        return validation, facts_of(names, labels)
    names = ("no", "yes") if kind == "useless" else ("a", "b", "c")
    task = "binary" if kind == "useless" else "multiclass"
    validation, _ = validated(features, truth, task=task, names=names, plan=QUICK, **beside)
    return validation, facts_of(names, truth)
