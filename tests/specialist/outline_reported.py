"""Validations of outlines of every kind, without a fit, and the facts beside them, for tests of their report."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from consilium.specialist.duplicates import Duplicate
from consilium.specialist.evidence.enough import NotEnough
from consilium.specialist.evidence.gate import GateReport
from consilium.specialist.evidence.intervals import proportion
from consilium.specialist.evidence.validation import Counts, Ledger
from consilium.specialist.report.facts import ModelFacts, ReportedCase
from consilium.specialist.segmentation.judge import (
    case_means,
    figures_of,
    mean_of,
    objects_of_cases,
    paired_gain,
    subgroups_of,
)
from consilium.specialist.segmentation.validation import (
    CaseScore,
    OutlineBaseline,
    OutlineCurve,
    OutlineExternal,
    OutlineValidation,
)
from tests.specialist.reported import facts_of

KINDS = ("lesion", "regions", "objects", "useless", "few")


@cache
def outline_reported(kind: str) -> tuple[OutlineValidation, ModelFacts]:
    """40 cases of 32 patients, all cross-validated but the last four."""
    rng = np.random.default_rng(5)
    labels = ("anterior", "posterior", "rare") if kind == "regions" else ("lesion",)
    volumes = kind == "regions"
    cases = 8 if kind == "few" else 40
    scores = [_score(number, kind, len(labels), rng) for number in range(cases)]
    groups = np.arange(cases) * 4 // 5
    has = {label: [score.true_size[place] > 0 for score in scores] for place, label in enumerate(labels)}
    facts = facts_of(labels, np.zeros((cases, len(labels))))
    facts = replace(
        facts,
        cases=tuple(
            ReportedCase(
                file=f"case_{number:03d}.png", group=str(groups[number]), masks=(f"case_{number:03d}_mask.png",),
                target=tuple(float(score.true_size[place] > 0) for place in range(len(labels))),
                found=f"masks/{number:05d}.png",
            )
            for number, score in enumerate(scores)
        ),
    )  # fmt: skip
    used = scores[:-4]
    own = groups[:-4]
    validation = OutlineValidation(
        task="segment",
        labels=labels,
        kind="regions" if volumes else "objects" if kind == "objects" else "one object",
        volumes=volumes,
        unit="mm3" if volumes else "px",
        tolerance=None,
        counts=Counts(
            cases=len(used),
            patients=len(np.unique(own)),
            cases_of_label={label: sum(there[:-4]) for label, there in has.items()},
            patients_of_label={label: len(np.unique(own[np.array(there[:-4])])) for label, there in has.items()},
        ),
        ledger=None,
        not_enough=(NotEnough(figure="any figure of lesion", counted="patients with lesion", found=3, needed=10),)
        if kind == "few"
        else (),
    )
    if kind == "few":
        return validation, facts
    overlap, surface = case_means(used), case_means(used, "surface")
    simple = overlap - rng.uniform(-0.3 if kind == "useless" else 0.1, 0.3, len(overlap))
    half = overlap - rng.uniform(0.0, 0.08, len(overlap))
    known = np.isfinite(overlap)
    copies = (Duplicate(first=2, second=3, how="same bytes"), Duplicate(first=4, second=9, how="same looks"))
    rare = NotEnough(figure="any figure of rare", counted="patients with rare", found=3, needed=10)
    return replace(
        validation,
        ledger=Ledger(
            folds=5, repeats=1, cases=tuple(range(len(used))), assigned=(tuple((own % 5).tolist()),),
            duplicates=copies, contradictions=copies[1:], patients_told=32, seed=0,
        ),
        not_enough=(rare,) if volumes else (),
        figures=figures_of(used, own, labels, seed=0),
        dice=mean_of(overlap, own, seed=0),
        surface=mean_of(surface, own, seed=0),
        missed=proportion((overlap[known] == 0).astype(float), own[known]),
        objects=objects_of_cases(used, own, seed=0) if kind == "objects" else None,
        baselines=(
            OutlineBaseline(
                name="mean shape", dice=mean_of(simple, own, seed=0), gain=paired_gain(overlap, simple, own)
            ),
        ),
        gate=GateReport(
            threshold=2.0, turned_away=proportion(np.zeros(len(used)), own),
            distances=tuple(rng.uniform(1, 2.2, len(used)).tolist()),
        ),
        subgroups=()
        if kind == "objects"
        else subgroups_of({"sex": ["f"] * 30 + ["m"] * 6}, overlap, own, seed=0),
        learning_curve=OutlineCurve(
            patients=(13.0, 26.0), half=mean_of(half, own, seed=0), whole=mean_of(overlap, own, seed=0),
            gain=paired_gain(overlap, half, own), verdict="more cases would help",
        ),
        external=OutlineExternal(
            cases=4, patients=4, dice=NotEnough(
                figure="Dice", counted="patients with something outlined, set aside", found=4, needed=10
            ),
            surface=NotEnough(
                figure="Dice", counted="patients with something outlined, set aside", found=4, needed=10
            ),
            turned_away=proportion(np.zeros(4), np.arange(4)), scores=tuple(scores[-4:]),
        )
        if kind == "lesion"
        else None,
        scores=tuple(used),
        taken=("linear", "hidden layer"),
    ), facts  # fmt: skip


def _score(number: int, kind: str, labels: int, rng: np.random.Generator) -> CaseScore:
    """Every seventh case has nothing, every tenth is missed; the third label is rare."""
    empty, missed = number % 7 == 6 and kind != "regions", number % 10 == 4
    dice, surface, true, found = [], [], [], []
    for place in range(labels):
        there = not empty and (place < 2 or number in (1, 11, 21))
        size = rng.uniform(1500, 4000) if there else 0.0
        own = 0.0 if missed else rng.uniform(0.5, 0.95)
        invented = not there and number == 13
        true.append(size)
        found.append(0.0 if missed or not (there or invented) else max(size, 900) * rng.uniform(0.7, 1.2))
        dice.append(own if there else 0.0 if invented else None)
        surface.append(own * 0.8 if there else 0.0 if invented else None)
    objects = (0, 0, 3) if missed else (5, number % 3, 1)
    return CaseScore(
        case=number, dice=tuple(dice), surface=tuple(surface), true_size=tuple(true), found_size=tuple(found),
        objects=objects if kind == "objects" else None,
    )  # fmt: skip
