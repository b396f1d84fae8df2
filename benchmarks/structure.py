"""Are structurally altered chromosomes noticed, case by case, and how often is a normal case suspected?

The data hold few structural cases, so rearrangements are built: in every cell of a normal case one homologue of a
chromosome is cut at the same bands and joined anew, and the cell is named again, wrongly where the altered one looks
like another. What is usual and the thresholds are those of the shipped card, chosen on normal cases of the validation
part. The structural cases of the data, train part included, were kept from the recipe of this network and are reported
as they are. Each cell is judged by itself, too, as there are cases of one cell.
"""

from __future__ import annotations

import multiprocessing
import pickle
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.annotated import AnnotatedCell, decode
from benchmarks.figures import Figure, Section
from benchmarks.intervals import Estimate, exact_binomial, fraction, ratio
from benchmarks.reading import KEPT, fingerprint
from consilium.errors import InputError
from consilium.karyotype.assign import assign
from consilium.karyotype.choose import choose
from consilium.karyotype.classify import classify_strips
from consilium.karyotype.find import find_chromosomes
from consilium.karyotype.metaphase import CLASSES, FAMILIES, Appearance
from consilium.karyotype.normalise import normalise
from consilium.karyotype.rearranged import lying
from consilium.karyotype.strip import NOMINAL_AREA, Strips, strips
from consilium.karyotype.structure import appearances, calibration, case_score
from training.rearrangements import Plan, built, drawn

SPECIFICITY = 0.915
"""Of normal validation cases, at which the threshold is set: that of the published system (iMedImage, 12 hospitals)."""

SIZES = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 99))
"""Bands at 550 bphs by which sensitivity is told apart."""

STAGES = ("normalise", "find", "amodal", "strip", "straighten", "classify", "choose", "assign")
"""Modules that a reading here depends on."""

FEWEST_CELLS = 2
PLANS_A_CASE = 3


@dataclass(frozen=True, kw_only=True)
class ReadCell:
    """One cell as the pipeline reads it: what structure is judged from.

    Attributes:
        images: (N, 2, 128, 24) float16, strips with the short arm up.
        geometry: (N, 7) float32 of the strips.
        labels: names of the chromosomes.
    """

    name: str
    case: str
    status: str
    abnormality: str
    images: NDArray[np.float16]
    geometry: NDArray[np.float32]
    labels: tuple[str, ...]


def read_cell(cell: AnnotatedCell) -> ReadCell | None:
    """Read one cell on one thread; None where the pipeline refuses it."""
    cv2.setNumThreads(1)
    try:
        normalised = normalise(decode(cell.image))
        objects = find_chromosomes(normalised, threads=1)
    except InputError:
        return None
    if not objects:
        return None
    read = strips(normalised.darkness, objects)
    classified = classify_strips(read, threads=1)
    kept = np.flatnonzero(choose(classified.probabilities, objects).kept)
    named = assign(classified.probabilities[kept])
    images = read.images[kept]
    down = classified.upside_down[kept]
    images[down] = images[down][:, :, ::-1, ::-1]
    return ReadCell(
        name=cell.name, case=cell.case, status=cell.status, abnormality=cell.abnormality,
        images=images.astype(np.float16), geometry=read.geometry[kept], labels=tuple(named.labels),
    )  # fmt: skip


def read_cells(cells: Sequence[AnnotatedCell], *, source: str, processes: int) -> list[ReadCell]:
    """Read many cells, or take up what an earlier run of the same models and code has read of them."""
    folder = KEPT / fingerprint(STAGES) / f"structure_{source}"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [cell for cell in cells if not (folder / f"{cell.name}.pickle").exists()]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for cell, read in zip(missing, pool.map(read_cell, missing, chunksize=2), strict=True):
            partial = folder / f"{cell.name}.partial"
            partial.write_bytes(zlib.compress(pickle.dumps(read, protocol=5), 1))
            partial.replace(folder / f"{cell.name}.pickle")
    found = [pickle.loads(zlib.decompress((folder / f"{cell.name}.pickle").read_bytes())) for cell in cells]
    return [read for read in found if read is not None]


def by_case(cells: Sequence[ReadCell]) -> dict[str, list[ReadCell]]:
    """The cells of each case."""
    cases: defaultdict[str, list[ReadCell]] = defaultdict(list)
    for cell in cells:
        cases[cell.case].append(cell)
    return dict(cases)


def looks(cell: ReadCell) -> tuple[Appearance | None, ...]:
    """How rearranged each chromosome of a cell looks."""
    return appearances(cell.images.astype(np.float32), cell.geometry[:, 0], cell.labels)


Scores = dict[str, list[float]]
"""Of a case: for each class, how rearranged its more unusual homologue looks in each cell."""


def scores(cells: Sequence[ReadCell]) -> Scores:
    """The scores of a case."""
    out: defaultdict[str, list[float]] = defaultdict(list)
    for cell in cells:
        best: dict[str, float] = {}
        for label, one in zip(cell.labels, looks(cell), strict=True):
            if one is not None:
                best[label] = max(best.get(label, -np.inf), one.score)
        for label, score in best.items():
            out[label].append(score)
    return dict(out)


def usual(cases: Sequence[Scores]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of one cell's score, by class, over normal cases."""
    pooled: defaultdict[str, list[float]] = defaultdict(list)
    for case in cases:
        for label, values in case.items():
            pooled[label] += values
    return {
        label: (float(np.mean(values)), max(float(np.std(values)), 1e-3))
        for label, values in pooled.items()
        if len(values) >= 10
    }


def evidence(case: Scores, known: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """How unusual each chromosome of a case is."""
    return {label: case_score(values, known[label]) for label, values in case.items() if label in known}


Limits = tuple[float, float, float]
"""From which evidence on a chromosome is suspected that one cell, two cells, and more cells show."""


def thresholds(cases: Sequence[Sequence[Scores]], known: Mapping[str, tuple[float, float]]) -> Limits:
    """The evidence above which `1 - SPECIFICITY` of normal cases of one cell, of two, and of more have a suspect.

    Args:
        cases: of each normal case the scores of each cell.
        known: what is usual.
    """
    ones = [cell for case in cases for cell in case]
    twos = [pooled(case[at : at + 2]) for case in cases for at in range(0, len(case) - 1, 2)]
    more = [pooled(case) for case in cases if len(case) > 2]
    one, two, several = (
        float(np.quantile([max(evidence(case, known).values(), default=-np.inf) for case in some], SPECIFICITY))
        for some in (ones, twos, more)
    )
    return one, two, several


def pooled(cells: Sequence[Scores]) -> Scores:
    """The scores of several cells as those of one case."""
    out: defaultdict[str, list[float]] = defaultdict(list)
    for cell in cells:
        for label, values in cell.items():
            out[label] += values
    return dict(out)


def suspected(case: Scores, known: Mapping[str, tuple[float, float]], limits: Limits) -> dict[str, float]:
    """The suspected chromosomes of a case with their evidence, the most unusual first."""
    told = evidence(case, known)
    return dict(
        sorted(
            ((label, score) for label, score in told.items() if score >= limits[min(len(case[label]), 3) - 1]),
            key=lambda item: -item[1],
        )
    )


def planned(case: str, cells: Sequence[ReadCell]) -> list[Plan]:
    """Rearrangements to build in a case: by lot, the same ones in every run."""
    rng = np.random.default_rng(zlib.crc32(case.encode()))
    common = [
        k for k, name in enumerate(CLASSES)
        if sum(cell.labels.count(name) >= 1 for cell in cells) >= max(2 * len(cells) / 3, FEWEST_CELLS)
    ]  # fmt: skip
    plans: list[Plan] = []
    for _ in range(100):
        if len(plans) == PLANS_A_CASE or len(common) < 2:
            break
        label = int(rng.choice(common))
        plan = drawn(label, rng, donors=[k for k in common if k != label])
        if plan is not None:
            plans.append(plan)
    return plans


def altered(cell: ReadCell, plan: Plan) -> ReadCell | None:
    """The cell with one homologue rearranged, named anew; None where it has none, or no donor."""
    name = CLASSES[plan.label]
    members = [k for k, label in enumerate(cell.labels) if label == name]
    givers = [k for k, label in enumerate(cell.labels) if plan.donor >= 0 and label == CLASSES[plan.donor]]
    if not members or (plan.kind == "add" and not givers):
        return None
    images = cell.images.astype(np.float32)
    own = lying(images[members[0]], float(cell.geometry[members[0], 0]))
    donor = lying(images[givers[0]], float(cell.geometry[givers[0], 0])) if givers else None
    if own is None or (plan.kind == "add" and donor is None):
        return None
    images[members[0]] = built(plan, own, donor).image
    geometry = cell.geometry.copy()
    geometry[members[0]] = measured(images[members[0]], own.pitch, geometry[members[0]])
    again = classify_strips(
        Strips(images=images, geometry=geometry, angles=np.zeros(len(images), np.float32)), threads=1
    )
    labels = assign(again.probabilities).labels
    images[again.upside_down] = images[again.upside_down][:, :, ::-1, ::-1]
    return replace(cell, images=images.astype(np.float16), geometry=geometry, labels=tuple(labels))


def measured(image: NDArray[np.float32], pitch: float, before: NDArray[np.float32]) -> NDArray[np.float32]:
    """The geometry of a built chromosome; what lies around it is as before."""
    cover, inside = image[1], image[0][image[1] > 0.5]
    rows = np.flatnonzero(cover.sum(1) > 0.25 * float(np.percentile(cover.sum(1), 95)))
    length, area = max(len(rows) * pitch, 1.0), max(float(cover.sum()) * pitch**2, 1.0)
    mean, deviation = (float(inside.mean()), float(inside.std())) if inside.size else (0.0, 0.0)
    return np.asarray(
        [np.log(length / 60), np.log(area / NOMINAL_AREA), area / length / 16, mean, deviation, *before[5:]], np.float32
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one built rearrangement.

    Attributes:
        found: some chromosome of the case is suspected.
        named: the most unusual chromosome is the altered one.
        in_one_cell: whether some chromosome is suspected in the first cell alone.
    """

    case: str
    plan: Plan
    found: bool
    named: bool
    in_one_cell: bool


def outcomes(
    cases: Mapping[str, Sequence[ReadCell]], known: Mapping[str, tuple[float, float]], limits: Limits
) -> list[Outcome]:
    """Build the planned rearrangements of every case and judge them."""
    out = []
    for case, cells in cases.items():
        for plan in planned(case, cells):
            changed = [again for cell in cells if (again := altered(cell, plan)) is not None]
            if len(changed) < FEWEST_CELLS:
                continue
            each = [scores([cell]) for cell in changed]
            told = suspected(pooled(each), known, limits)
            out.append(
                Outcome(
                    case=case, plan=plan, found=bool(told), named=next(iter(told), "") == CLASSES[plan.label],
                    in_one_cell=bool(suspected(each[0], known, limits)),
                )
            )  # fmt: skip
    return out


def figures(
    normal: Mapping[str, Sequence[Scores]],
    real: Mapping[str, tuple[Scores, str]],
    known: Mapping[str, tuple[float, float]],
    limits: Limits,
    *,
    data: str,
) -> Iterator[Figure]:
    """Specificity and false prompts of normal cases, and what becomes of the real structural ones.

    Args:
        normal: of each normal case the scores of each cell.
        real: of each structural case its scores and the chromosomes that are published as altered.
        known: what is usual.
        limits: from where on a case is suspected.
        data: what the normal ones are.
    """
    names = list(normal)
    prompts = [len(suspected(pooled(normal[name]), known, limits)) for name in names]
    yield Figure(name="structure_specificity", estimate=fraction(names, [not n for n in prompts]), data=data)
    yield Figure(name="structure_false_prompts", estimate=ratio(names, prompts, [1.0] * len(names)), data=data)
    cells = [(name, cell) for name in names for cell in normal[name]]
    clear = [not suspected(cell, known, limits) for _, cell in cells]
    yield Figure(
        name="structure_specificity_one_cell", estimate=fraction([name for name, _ in cells], clear), data=data,
        note=f"{len(cells)} cells",
    )  # fmt: skip
    told = {case: suspected(case_scores, known, limits) for case, (case_scores, _) in real.items()}
    named = [any(label in told[case] for label in altered_ones.split(",")) for case, (_, altered_ones) in real.items()]
    for name, hits in (("structure_real_cases", list(map(bool, told.values()))), ("structure_real_named", named)):
        lower, upper = exact_binomial(sum(hits), len(hits))
        yield Figure(
            name=name, data=f"tseng2023, {len(hits)} structural cases, train part included",
            estimate=Estimate(value=sum(hits) / max(len(hits), 1), low=lower, high=upper, n=len(hits)),
        )  # fmt: skip


def built_figures(built_ones: Sequence[Outcome], *, data: str) -> Iterator[Figure]:
    """Sensitivity to built rearrangements: all, by size, by kind, and in one cell alone."""
    built_data = f"{data}, {len(built_ones)} built rearrangements"

    def share(name: str, chosen: Sequence[Outcome], hits: Sequence[bool]) -> Figure:
        estimate = fraction([one.case for one in chosen], hits)
        return Figure(name=name, estimate=estimate, data=built_data, note=f"{len(chosen)} built")

    yield share("structure_sensitivity", built_ones, [one.found for one in built_ones])
    yield share("structure_named", built_ones, [one.named for one in built_ones])
    yield share("structure_sensitivity_one_cell", built_ones, [one.in_one_cell for one in built_ones])
    for low, high in SIZES:
        chosen = [one for one in built_ones if low <= one.plan.bands <= high]
        if chosen:
            yield share(f"structure_sensitivity_{low}_bands", chosen, [one.found for one in chosen])
    for family, kind in enumerate(FAMILIES):
        chosen = [one for one in built_ones if one.plan.family == family]
        if chosen:
            yield share(f"structure_sensitivity_{kind}", chosen, [one.found for one in chosen])


def measure(
    cells: Sequence[AnnotatedCell], structural: Sequence[AnnotatedCell], *, part: str, processes: int, data: str
) -> Section:
    """Judge the normal cases of the part and the real structural ones as the shipped package does."""
    known, limits = calibration()
    judged = by_case(read_cells(cells, source=part, processes=processes))
    others = by_case(read_cells(structural, source="structural", processes=processes))
    normal = {case: [scores([cell]) for cell in group] for case, group in judged.items() if group[0].status == "normal"}
    real = {
        case: (scores(group), group[0].abnormality)
        for case, group in [*judged.items(), *others.items()]
        if group[0].status == "structural"
    }
    table = {
        "thresholds": list(limits),
        "usual": {label: list(values) for label, values in sorted(known.items())},
        "real_cases": [
            {"case": case, "abnormality": told, "cells": max(map(len, group.values()), default=0),
             "suspected": list(suspected(group, known, limits)),
             "evidence": dict(sorted(evidence(group, known).items(), key=lambda item: -item[1])[:3])}
            for case, (group, told) in sorted(real.items())
        ],
    }  # fmt: skip
    return Section(figures=tuple(figures(normal, real, known, limits, data=data)), tables={"structure": table})


def measure_built(cells: Sequence[AnnotatedCell], *, part: str, processes: int, data: str) -> Section:
    """Build rearrangements in the normal cases of several cells, and judge them as the shipped package does."""
    known, limits = calibration()
    judged = by_case(read_cells(cells, source=part, processes=processes))
    several = {
        case: group for case, group in judged.items() if group[0].status == "normal" and len(group) >= FEWEST_CELLS
    }
    made = outcomes(several, known, limits)
    return Section(
        figures=tuple(built_figures(made, data=data)), tables={"structure_built": {"thresholds": list(limits)}}
    )
