"""Outlines cross-validated: every case is outlined once, by a model that has not seen its patient, and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from consilium.errors import UnusableDataset
from consilium.generalist.encoder import Encoder
from consilium.specialist.duplicates import Duplicate, merged, same_features
from consilium.specialist.evidence.enough import FEWEST, NotEnough
from consilium.specialist.evidence.gate import Gate, GateReport, fit_gate
from consilium.specialist.evidence.intervals import proportion
from consilium.specialist.evidence.validation import Counts, Ledger
from consilium.specialist.segmentation.baselines import fit_simple_ways, simple_ways_of
from consilium.specialist.segmentation.judge import (
    case_means,
    figures_of,
    mean_of,
    objects_of_cases,
    paired_gain,
    score_of,
    subgroups_of,
)
from consilium.specialist.segmentation.mask_file import mask_bytes, read_volume, spread_volume
from consilium.specialist.segmentation.outlined_cases import OutlinedCases
from consilium.specialist.segmentation.overlap import Labels, dice
from consilium.specialist.segmentation.pixel_features import PixelFeatures
from consilium.specialist.segmentation.segment_file import whole_mask
from consilium.specialist.segmentation.segmenter import (
    WAYS,
    Kind,
    Segmenter,
    fit_segmenter,
    kind_of,
    segment_probabilities,
)
from consilium.specialist.segmentation.validation import (
    CaseScore,
    MoreCases,
    OutlineBaseline,
    OutlineCurve,
    OutlineExternal,
    OutlineValidation,
)
from consilium.specialist.segmentation.volume_segmenter import (
    Sections,
    VolumeSegmenter,
    fit_volume_segmenter,
    kind_of_volumes,
    section_features,
    volume_probabilities,
)
from consilium.specialist.segmentation.working_grid import reduced_volume
from consilium.specialist.splits import FOLDS, Folds, codes_of, grouped_folds

Codes = NDArray[np.intp]
Array = NDArray[np.float64]
_WORTHWHILE = 0.02
"""Dice that a doubling of the cases has to bring to be worth collecting them."""
_SAME_OUTLINE = 0.7
"""Dice below which the outlines of two copies are not the same."""
HALF_WEIGHT = 0.25
"""Time of learning from half the cases by one way, against that from all by two."""


@dataclass(frozen=True, kw_only=True)
class OutlinePlan:
    """How to validate.

    Attributes:
        seed: of every lot that is drawn.
        tolerance: distance of outlines that does not count; None: by the size of each case.
        curve: whether half the cases are learnt from too.
    """

    seed: int = 0
    tolerance: float | None = None
    curve: bool = True


def taken_by(segmenter: Segmenter | VolumeSegmenter) -> str:
    """The way, or the ways across the axes, that a segmenter was made by."""
    several = segmenter.axes if isinstance(segmenter, VolumeSegmenter) else (segmenter,)
    return ", ".join(dict.fromkeys(one.choice.taken for one in several if one.choice is not None))


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A case made ready to be outlined.

    Attributes:
        row: of the case.
        features: of all its pixels; of a volume, of all its sections.
        grey: (H, W) or (planes, rows, columns) on the working grid, 0..1.
        true: its mask, of the size of the file.
        spacing: of a volume, millimetres.
    """

    row: int
    features: PixelFeatures | Sections
    grey: NDArray[np.float32]
    true: Labels
    spacing: tuple[float, float, float] | None


class Trial:
    """One validation: the cases, and the steps that need all of them."""

    def __init__(
        self, *, cases: OutlinedCases, encoder: Encoder, plan: OutlinePlan, modality: str | None,
        on_work: Callable[[float], None],
    ) -> None:  # fmt: skip
        self.cases, self.encoder, self.plan = cases, encoder, plan
        self.modality, self.on_work = modality, on_work
        looked_at = cases.looked_at
        self.duplicates = (*looked_at.duplicates, *same_features(looked_at.features))
        told = codes_of(looked_at.dataset.groups)
        self.told = told
        self.groups = merged(told, self.duplicates)
        aside = looked_at.dataset.set_aside
        self.aside = np.flatnonzero(aside)
        # A copy of a case that is set aside would have been learnt from.
        self.used: NDArray[np.bool_] = np.asarray(~aside & ~np.isin(self.groups, np.unique(self.groups[aside])))
        self.rows = np.flatnonzero(self.used)
        used_masks = [cases.masks[row] for row in self.rows]
        if not any(mask.any() for mask in used_masks):
            raise UnusableDataset(
                "nothing is outlined in the cases that are not set aside",
                where=str(looked_at.dataset.origin),
                way_out="Outline some of them.",
            )
        scheme = cases.scheme
        self.kind: Kind = (
            kind_of_volumes(used_masks) if scheme.volumes else kind_of(used_masks, instances=scheme.instances)
        )
        self.outlined: NDArray[np.bool_] = np.asarray(cases.present.any(axis=1), np.bool_)

    def described(self) -> OutlineValidation:
        """What is to be said before anything is fitted."""
        scheme = self.cases.scheme
        own = self.groups[self.rows]
        has = dict(zip(scheme.labels, self.cases.present[self.rows].T, strict=True))
        patients = {label: len(np.unique(own[there])) for label, there in has.items()}
        short = [
            NotEnough(figure=f"any figure of {label}", counted=f"patients with {label}", found=found, needed=FEWEST)
            for label, found in patients.items()
            if found < FEWEST
        ]
        return OutlineValidation(
            task="segment",
            labels=scheme.labels,
            kind=self.kind,
            volumes=scheme.volumes,
            unit="mm3" if scheme.volumes else "px",
            tolerance=self.plan.tolerance,
            counts=Counts(
                cases=len(self.rows),
                patients=len(np.unique(own)),
                cases_of_label={label: int(there.sum()) for label, there in has.items()},
                patients_of_label=patients,
            ),
            ledger=None,
            not_enough=tuple(short) if len(short) == len(has) else (),
            seed=self.plan.seed,
        )

    def folds(self) -> Folds | NotEnough:
        """Folds of the used cases, with and without something outlined spread evenly."""
        groups = codes_of(self.groups[self.rows])
        strata = self.outlined[self.rows].astype(np.intp)
        if min(len(np.unique(groups[strata == kind])) for kind in np.unique(strata)) < FOLDS:
            strata = np.zeros_like(strata)
        return grouped_folds(codes_of(strata), groups, repeats=1, seed=self.plan.seed)

    def fitted(self, rows: NDArray[np.intp], ways: Sequence[str] | None = None) -> Segmenter | VolumeSegmenter:
        """A segmenter of some of the cases."""
        masks = [self.cases.masks[row] for row in rows]
        groups = codes_of(self.groups[rows])
        chosen = {name: units for name, units in WAYS.items() if ways is None or name in ways}
        if self.cases.scheme.volumes:
            return fit_volume_segmenter(
                self.encoder, [cast("Sections", self.cases.features[row]) for row in rows], masks, groups,
                side=self.cases.side, modality=self.modality, labels=self.cases.scheme.labels, kind=self.kind,
                thinned=True, ways=chosen, seed=self.plan.seed,
            )  # fmt: skip
        return fit_segmenter(
            self.encoder, [cast("PixelFeatures", self.cases.features[row]) for row in rows], masks, groups,
            side=self.cases.side, modality=self.modality, labels=self.cases.scheme.labels,
            instances=self.cases.scheme.instances, kind=self.kind, ways=chosen, seed=self.plan.seed,
        )  # fmt: skip

    def seen(self, row: int) -> _Seen:
        """A case made ready to be outlined, in full."""
        case, scheme = self.cases.cases[row], self.cases.scheme
        true = self.cases.true_mask(row)
        if scheme.volumes:
            values, spacing = read_volume(case.file)
            grey = reduced_volume(spread_volume(values), self.cases.side)
            features = section_features(self.encoder, grey, side=self.cases.side, modality=self.modality)
            return _Seen(row=row, features=features, grey=grey, true=true, spacing=spacing)
        pixels = cast("PixelFeatures", self.cases.features[row])
        colours = pixels.fine[:3].astype(np.float32)
        return _Seen(row=row, features=pixels, grey=colours.mean(0), true=true, spacing=None)

    def outlined_by(self, segmenter: Segmenter | VolumeSegmenter, seen: _Seen) -> Labels:
        """The mask of a case, of the size of its file."""
        if isinstance(segmenter, VolumeSegmenter):
            probabilities = volume_probabilities(segmenter, cast("Sections", seen.features))
        else:
            probabilities = segment_probabilities(segmenter, cast("PixelFeatures", seen.features))
        return whole_mask(segmenter, probabilities, seen.true.shape)

    def judged(self, mask: Labels, seen: _Seen) -> CaseScore:
        """How a case fares."""
        return score_of(
            mask, seen.true, self.cases.scheme, case=seen.row, spacing=seen.spacing,
            size_of_pixel=float(np.prod(seen.spacing)) if seen.spacing else 1.0, tolerance=self.plan.tolerance,
        )  # fmt: skip

    def as_file(self, mask: Labels, row: int) -> bytes:
        """A mask as its file."""
        return mask_bytes(self.cases.scheme.written(mask), like=self.cases.cases[row].file)

    def validated(self, before: OutlineValidation, folds: Folds, masks: list[bytes | None]) -> OutlineValidation:
        """The cross-validation."""
        rows, fold, seed = self.rows, folds.assigned[0], self.plan.seed
        groups = codes_of(self.groups[rows])
        scores: list[CaseScore | None] = [None] * len(rows)
        simple = {name: np.full(len(rows), np.nan) for name in simple_ways_of(self.cases.scheme)}
        half = np.full(len(rows), np.nan)
        taken, sizes = [], []
        for part in range(folds.count):
            taught, asked = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
            segmenter = self.fitted(rows[taught])
            taken.append(taken_by(segmenter))
            self.on_work(len(taught))
            fewer = self._half(taught, groups) if self.plan.curve else None
            less = None if fewer is None else self.fitted(rows[fewer], taken[-1].split(", ")[-1:])
            sizes.append((0 if fewer is None else len(np.unique(groups[fewer])), len(np.unique(groups[taught]))))
            simple_ways = fit_simple_ways([self.cases.masks[row] for row in rows[taught]], self.cases.scheme)
            for place in asked.tolist():
                row = int(rows[place])
                seen = self.seen(row)
                mask = self.outlined_by(segmenter, seen)
                scores[place] = self.judged(mask, seen)
                masks[row] = self.as_file(mask, row)
                for name, way in simple_ways.items():
                    simple[name][place] = way(seen.grey, self.cases.masks[row])
                if less is not None:
                    half[place] = case_means([self.judged(self.outlined_by(less, seen), seen)])[0]
            self.on_work(len(rows) / folds.count + (len(rows) * HALF_WEIGHT if self.plan.curve else 0))
        told = [score for score in scores if score is not None]
        overlap, surface = case_means(told), case_means(told, "surface")
        known = np.isfinite(overlap)
        described = self.cases.looked_at.dataset.described
        labels = {"label": tuple(";".join(case.labels) for case in self.cases.cases)}
        columns = {name: [values[row] for row in rows] for name, values in {**labels, **described}.items()}
        whole = mean_of(overlap, groups, seed=seed)
        return replace(
            before,
            ledger=self._ledger(folds),
            not_enough=self._short(before.counts),
            figures=figures_of(told, groups, before.labels, seed=seed),
            dice=whole,
            surface=mean_of(surface, groups, seed=seed),
            missed=proportion((overlap[known] == 0).astype(np.float64), groups[known]),
            objects=objects_of_cases(told, groups, seed=seed) if self.cases.scheme.instances else None,
            baselines=tuple(
                OutlineBaseline(
                    name=name, dice=mean_of(values, groups, seed=seed), gain=paired_gain(overlap, values, groups)
                )
                for name, values in simple.items()
            ),
            subgroups=subgroups_of(columns, overlap, groups, seed=seed),
            learning_curve=self._curve(half, overlap, sizes, groups) if self.plan.curve else None,
            scores=tuple(told),
            taken=tuple(taken),
        )

    def _half(self, taught: NDArray[np.intp], groups: Codes) -> NDArray[np.intp]:
        patients = np.unique(groups[taught])
        kept = np.random.default_rng(self.plan.seed).permutation(patients)[: max((len(patients) + 1) // 2, 4)]
        found = taught[np.isin(groups[taught], kept)]
        return found if any(self.cases.masks[self.rows[place]].any() for place in found) else taught

    def _curve(self, half: Array, whole: Array, sizes: list[tuple[int, int]], groups: Codes) -> OutlineCurve:
        gain = paired_gain(whole, half, groups)
        verdict: MoreCases = "cannot be said"
        if gain.low > 0:
            verdict = "more cases would help"
        elif gain.high < _WORTHWHILE:
            verdict = "more cases would not help"
        return OutlineCurve(
            patients=(float(np.mean([one for one, _ in sizes])), float(np.mean([one for _, one in sizes]))),
            half=mean_of(half, groups, seed=self.plan.seed),
            whole=mean_of(whole, groups, seed=self.plan.seed),
            gain=gain,
            verdict=verdict,
        )

    def _ledger(self, folds: Folds) -> Ledger:
        return Ledger(
            folds=folds.count,
            repeats=1,
            cases=tuple(self.rows.tolist()),
            assigned=tuple(tuple(one) for one in folds.assigned.tolist()),
            duplicates=self.duplicates,
            contradictions=self._disagreeing(),
            patients_told=len(np.unique(self.told)),
            seed=self.plan.seed,
        )

    def _disagreeing(self) -> tuple[Duplicate, ...]:
        """Copies whose outlines are not the same."""
        masks = self.cases.masks
        return tuple(
            pair
            for pair in self.cases.looked_at.duplicates
            if masks[pair.first].shape != masks[pair.second].shape
            or dice(masks[pair.first] > 0, masks[pair.second] > 0) < _SAME_OUTLINE
        )

    def _short(self, counts: Counts) -> tuple[NotEnough, ...]:
        return tuple(
            NotEnough(figure=f"any figure of {label}", counted=f"patients with {label}", found=found, needed=FEWEST)
            for label, found in counts.patients_of_label.items()
            if found < FEWEST
        )

    def gate(self, folds: Folds | None) -> tuple[Gate, GateReport]:
        """The gate on image vectors, and how it does; of too few cases each patient is a fold of its own."""
        vectors, groups = self.cases.looked_at.features[self.rows], codes_of(self.groups[self.rows])
        apart = groups if len(np.unique(groups)) > 1 else np.arange(len(groups))
        return fit_gate(vectors, groups, apart[None] if folds is None else folds.assigned)

    def external(
        self, final: Segmenter | VolumeSegmenter, gate: Gate, masks: list[bytes | None]
    ) -> OutlineExternal | None:
        """The cases that were set aside, outlined once."""
        if not len(self.aside):
            return None
        scores = []
        for row in self.aside.tolist():
            seen = self.seen(row)
            mask = self.outlined_by(final, seen)
            scores.append(self.judged(mask, seen))
            masks[row] = self.as_file(mask, row)
        groups = codes_of(self.groups[self.aside])
        overlap, surface = case_means(scores), case_means(scores, "surface")
        found = len(np.unique(groups[np.isfinite(overlap)]))
        short = NotEnough(
            figure="Dice", counted="patients with something outlined, set aside", found=found, needed=FEWEST
        )
        seed = self.plan.seed
        away = gate.turned_away(self.cases.looked_at.features[self.aside])
        return OutlineExternal(
            cases=len(self.aside),
            patients=len(np.unique(groups)),
            dice=short if found < FEWEST else mean_of(overlap, groups, seed=seed),
            surface=short if found < FEWEST else mean_of(surface, groups, seed=seed),
            turned_away=proportion(away.astype(np.float64), groups),
            scores=tuple(scores),
        )
