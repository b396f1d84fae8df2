"""Would a case with a chromosome too many or too few stand out?

The score of a case is the product's own: the strongest evidence for any gain or loss of one chromosome, all cells
together (`karyotype.numerical`). From `SUSPECTED` on a reader is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure, Section
from benchmarks.intervals import Estimate, Weights, case_numbers, estimate, exact_binomial, fraction
from benchmarks.judged import Judged
from consilium.karyotype.count import modal_karyotype
from consilium.karyotype.metaphase import CLASSES, Chromosome, Metaphase
from consilium.karyotype.numerical import SUSPECTED, numerical_evidence

SPECIFICITY = 0.95

FEW = 30
"""With fewer positive cases than this, resampling says little and the exact binomial interval is given."""

SEED = 0

NORMAL = frozenset({"46,XX", "46,XY"})
X, Y = CLASSES.index("X"), CLASSES.index("Y")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """How abnormal a case or cell looks.

    Attributes:
        name: of the unit.
        case: the person it came from.
        score: the strongest evidence, in nats.
        changed: the class it is about.
        abnormal: the truth.
        truly_changed: the classes that truly are abnormal, where that is known.
    """

    name: str
    case: str
    score: float
    changed: str
    abnormal: bool
    truly_changed: frozenset[str]


def surplus(copies: NDArray[np.floating]) -> NDArray[np.float64]:
    """(24,) how many copies of each class there are over the usual: XY where there is a Y, otherwise XX."""
    over = np.asarray(copies, np.float64) - 2.0
    if copies[Y] >= 0.5:
        over[[X, Y]] += 1.0
    else:
        over[Y] += 2.0
    return over


def strongest(cells: Sequence[Metaphase | None]) -> tuple[float, str]:
    """The strongest evidence in cells of one case, in nats, and the class it is about; none where none was read."""
    evidence = numerical_evidence([cell for cell in cells if cell])
    return (evidence[0].nats, evidence[0].change[1:]) if evidence else (0.0, "")


def sensitivity_at(
    scores: NDArray[np.floating],
    abnormal: NDArray[np.bool_],
    weights: NDArray[np.floating],
    *,
    specificity: float = SPECIFICITY,
) -> float:
    """Share of the abnormal at or above the lowest threshold that leaves enough of the normal below it.

    Args:
        scores: (N,) higher is more abnormal.
        abnormal: (N,).
        weights: (N,).
        specificity: the least share of the normal below the threshold.

    Returns:
        0..1; NaN where the weights leave no normal or no abnormal unit.
    """
    normal_weight, abnormal_weight = weights[~abnormal].sum(), weights[abnormal].sum()
    if not normal_weight or not abnormal_weight:
        return float("nan")
    for threshold in [*np.unique(scores), np.inf]:
        if weights[~abnormal & (scores < threshold)].sum() >= specificity * normal_weight:
            return float(weights[abnormal & (scores >= threshold)].sum() / abnormal_weight)
    raise AssertionError("above the highest score all of the normal are below the threshold")


def sensitivity(units: Sequence[Evidence]) -> tuple[Estimate, str]:
    """Sensitivity at `SPECIFICITY` with its interval, and a note on how many positives it rests on."""
    numbers, count = case_numbers([one.case for one in units])
    scores = np.asarray([one.score for one in units])
    abnormal = np.asarray([one.abnormal for one in units], np.bool_)

    def statistic(weights: Weights) -> float:
        return sensitivity_at(scores, abnormal, weights[numbers])

    value = estimate(statistic, count)
    positives = int(abnormal.sum())
    note = f"{positives} abnormal of {len(units)}"
    if 0 < positives < FEW:
        low, high = exact_binomial(round(value.value * positives), positives)
        return replace(value, low=low, high=high), f"{note}; exact binomial interval over the abnormal"
    return value, note


def class_named(units: Sequence[Evidence]) -> tuple[Estimate, str]:
    """Of the abnormal units whose change is published, how many have their strongest evidence in that class."""
    known = [one for one in units if one.abnormal and one.truly_changed]
    right = [one.changed in one.truly_changed for one in known]
    value = fraction([one.case for one in known], right)
    if 0 < len(known) < FEW:
        low, high = exact_binomial(sum(right), len(known))
        value = replace(value, low=low, high=high)
    return value, f"{len(known)} abnormal units"


def by_case(cells: Sequence[Judged]) -> dict[str, list[Judged]]:
    """The cells of each case."""
    cases: dict[str, list[Judged]] = defaultdict(list)
    for one in cells:
        cases[one.cell.case].append(one)
    return dict(cases)


def case_evidence(cells: Sequence[Judged]) -> list[Evidence]:
    """One unit a case; cases that are only structurally abnormal are left out, as their count says nothing."""
    units = []
    for case, own in by_case(cells).items():
        statuses = {one.cell.status for one in own}
        if "numerical" not in statuses and statuses != {"normal"}:
            continue
        score, changed = strongest([one.reading.metaphase for one in own])
        truly = {name for one in own for name in one.cell.abnormality.split(",")} & set(CLASSES)
        units.append(
            Evidence(
                name=case,
                case=case,
                score=score,
                changed=changed,
                abnormal="numerical" in statuses,
                truly_changed=frozenset(truly),
            )
        )
    return units


def cell_evidence(cells: Sequence[Judged]) -> list[Evidence]:
    """One unit a cell; cells whose truth is neither 46 in pairs nor a wrong count are left out."""
    units = []
    for one in cells:
        if not one.cell.status:
            continue
        score, changed = strongest([one.reading.metaphase])
        copies = np.bincount(one.cell.labels, minlength=len(CLASSES)).astype(np.float64)
        truly = {CLASSES[index] for index in np.flatnonzero(surplus(copies))}
        units.append(
            Evidence(
                name=one.cell.name,
                case=one.cell.case,
                score=score,
                changed=changed,
                abnormal=one.cell.status == "numerical",
                truly_changed=frozenset(truly),
            )
        )
    return units


def agreement(cells: Sequence[Judged], units: Sequence[Evidence]) -> dict[str, tuple[Estimate, str]]:
    """Of how many cases the product tells a numerical change: by the modal karyotype, and by that or a flag.

    Args:
        cells: the judged cells.
        units: the evidence of their cases.
    """
    said: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    cases = by_case(cells)
    for unit in units:
        read = [one.reading.metaphase for one in cases[unit.case] if one.reading.metaphase]
        voted = modal_karyotype(read).karyotype not in NORMAL
        kind = "sensitivity" if unit.abnormal else "specificity"
        said[f"modal_{kind}"].append((unit.case, voted == unit.abnormal))
        said[f"told_{kind}"].append((unit.case, (voted or unit.score >= SUSPECTED) == unit.abnormal))
    results = {}
    for name, rows in said.items():
        value = fraction([case for case, _ in rows], [right for _, right in rows])
        if len(rows) < FEW:
            low, high = exact_binomial(sum(right for _, right in rows), len(rows))
            value = replace(value, low=low, high=high)
        results[name] = value, f"{len(rows)} cases"
    return results


def built(cells: Sequence[Judged], *, seed: int = SEED) -> dict[str, list[Evidence]]:
    """Normal cases with one chromosome more or fewer, by kind of change: abnormal ones are too few to tell much.

    What was read stays as it is; a chromosome of another case is added as it was read there (missed ones are as often
    missed), or one is taken away. Whether the networks would have read the rest otherwise is left out of account; the
    section "changed" looks at that.

    Returns:
        "gained", "lost": in every cell; "mosaic": gained in half of four cells or more.
    """
    rng = np.random.default_rng(seed)
    donors: dict[int, list[tuple[str, Chromosome | None]]] = defaultdict(list)
    for one in cells:
        found_as = {true: found for found, true in one.pairs}
        for index, label in enumerate(one.cell.labels):
            read = one.found[found_as[index]] if index in found_as else None
            donors[int(label)].append((one.cell.case, read))
    kinds: dict[str, list[Evidence]] = {"gained": [], "lost": [], "mosaic": []}
    for case, own in by_case(cells).items():
        if {one.cell.status for one in own} != {"normal"}:
            continue
        gain = int(rng.integers(len(CLASSES)))
        others = [read for donor, read in donors[gain] if donor != case]
        given = [others[index] for index in rng.integers(len(others), size=len(own))]
        gained = [_with(one, more) for one, more in zip(own, given, strict=True)]
        loss = int(rng.choice(np.unique(own[0].cell.labels)))
        half = len(own) // 2
        changed = {"gained": (gain, gained), "lost": (loss, [_without(one, loss, rng) for one in own])}
        if half >= 2:
            changed["mosaic"] = gain, [*gained[:half], *(one.reading.metaphase for one in own[half:])]
        for kind, (label, as_read) in changed.items():
            score, named = strongest(as_read)
            kinds[kind].append(
                Evidence(
                    name=f"{case} {kind}", case=case, score=score, changed=named, abnormal=True,
                    truly_changed=frozenset({CLASSES[label]}),
                )
            )  # fmt: skip
    return kinds


def _with(one: Judged, more: Chromosome | None) -> Metaphase | None:
    cell = one.reading.metaphase
    return replace(cell, chromosomes=(*cell.chromosomes, more)) if cell and more else cell


def _without(one: Judged, label: int, rng: np.random.Generator) -> Metaphase | None:
    cell = one.reading.metaphase
    of_class = np.flatnonzero(one.cell.labels == label)
    if cell is None or not len(of_class):
        return cell
    lost = int(rng.choice(of_class))
    gone = {found for found, true in one.pairs if true == lost}
    return replace(cell, chromosomes=tuple(o for index, o in enumerate(cell.chromosomes) if index not in gone))


def _built_figures(cells: Sequence[Judged], units: Sequence[Evidence]) -> dict[str, tuple[Estimate, str]]:
    normal = [one for one in units if not one.abnormal]
    kinds = built(cells)
    results = {
        f"built_{kind}_sensitivity": (sensitivity([*normal, *changed])[0], f"{len(changed)} built")
        for kind, changed in kinds.items()
        if changed
    }
    every = [one for changed in kinds.values() for one in changed]
    if every:
        right = [one.score >= SUSPECTED and one.changed in one.truly_changed for one in every]
        results["built_told"] = fraction([one.case for one in every], right), f"{len(every)} built"
    return results


def measure(
    images: Mapping[str, Sequence[Judged]], crops: Sequence[Judged], *, image_data: str, crop_data: str
) -> Section:
    """Measure every method on whole cases, and the naming alone on the crops.

    Args:
        images: the judged cells by method.
        crops: cells of crops, given to the classifier.
        image_data: what `images` are, in words.
        crop_data: what `crops` are, in words.
    """
    figures: list[Figure] = []
    tables: dict[str, object] = {}
    for method, cells in images.items():
        units = case_evidence(cells)
        measured = {
            "abnormal_sensitivity": sensitivity(units),
            "abnormal_class_named": class_named(units),
            **agreement(cells, units),
        }
        if method == "consilium":
            measured |= _built_figures(cells, units)
        figures += [
            Figure(name=name, estimate=value, data=image_data, method=method, note=note)
            for name, (value, note) in measured.items()
        ]
        tables[f"cases_{method}"] = _listed(units)
    units = cell_evidence(crops)
    on_crops = {
        "gband612_abnormal_sensitivity": sensitivity(units),
        "gband612_abnormal_class_named": class_named(units),
    }
    figures += [
        Figure(name=name, estimate=value, data=crop_data, note=note) for name, (value, note) in on_crops.items()
    ]
    tables["crops"] = _listed(units)
    return Section(figures=tuple(figures), tables=tables)


def _listed(units: Sequence[Evidence]) -> list[dict[str, object]]:
    """The abnormal units, and the normal ones that look most abnormal."""
    normal = sorted((one for one in units if not one.abnormal), key=lambda one: -one.score)[:10]
    return [
        {
            "name": one.name,
            "abnormal": one.abnormal,
            "score": round(one.score, 3),
            "changed": one.changed,
            "truly_changed": sorted(one.truly_changed),
        }
        for one in [*(one for one in units if one.abnormal), *normal]
    ]
