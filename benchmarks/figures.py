"""What a figure is, and what was asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.intervals import Estimate


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a figure has to reach and what it should.

    Attributes:
        meaning: one line for the table.
        least: the figure asked for; None where it is only to be reported.
        aim: what the best published system or a laboratory's patience would ask.
        less_is_better: for times, sizes and errors.
    """

    meaning: str
    least: float | None = None
    aim: float | None = None
    less_is_better: bool = False


ASKED: Mapping[str, Asked] = {
    "detection_recall": Asked(meaning="detection recall", least=0.985, aim=0.999),
    "detection_precision": Asked(meaning="detection precision", least=0.985, aim=0.999),
    "class_accuracy": Asked(meaning="class accuracy of matched chromosomes", least=0.975, aim=0.995),
    "map50": Asked(meaning="24-class mAP50 (COCO)", least=0.95, aim=0.996),
    "cells_counted_exactly": Asked(meaning="cells counted exactly", least=0.75, aim=0.97),
    "cells_wholly_right": Asked(meaning="cells wholly right (all found, none extra, all named)", least=0.50, aim=0.90),
    "counted_exactly_unchanged": Asked(meaning="counted exactly: the pictures as they are, of those changed below"),
    "counted_exactly_lost": Asked(meaning="counted exactly: one chromosome painted over"),
    "counted_as_before_lost": Asked(
        meaning="one chromosome painted over, and counted as if it were there", less_is_better=True
    ),
    "counted_as_before_told_lost": Asked(meaning="of those, flagged: the cell outvoted an object's looks"),
    "counted_exactly_gained": Asked(meaning="counted exactly: one chromosome copied into the picture"),
    "counted_as_before_gained": Asked(
        meaning="one chromosome copied in, and counted as if it were not there", less_is_better=True
    ),
    "counted_as_before_told_gained": Asked(
        meaning="of those, cells with a flag that an object was made up or left out"
    ),
    "images_refused": Asked(meaning="images refused", less_is_better=True),
    "gband612_polarity": Asked(meaning="short arm up, crops of another laboratory", least=0.93, aim=0.98),
    "gband612_accuracy": Asked(meaning="class accuracy, crops of another laboratory", least=0.85, aim=0.98),
    "gband612_markers_unsure": Asked(meaning="marker chromosomes left unnamed"),
    "abnormal_sensitivity": Asked(
        meaning="numerical abnormality per case: sensitivity at specificity >= 0.95", aim=0.99
    ),
    "gband612_abnormal_sensitivity": Asked(
        meaning="numerical abnormality per cell of crops: sensitivity at specificity >= 0.95", aim=0.99
    ),
    "abnormal_class_named": Asked(meaning="the changed class is the one with the strongest evidence, cases"),
    "gband612_abnormal_class_named": Asked(meaning="the changed class is the one with the strongest evidence, crops"),
    "modal_sensitivity": Asked(meaning="abnormal cases whose modal karyotype is not 46,XX or 46,XY"),
    "modal_specificity": Asked(meaning="normal cases whose modal karyotype is 46,XX or 46,XY"),
    "told_sensitivity": Asked(meaning="abnormal cases with a prompt: such a modal karyotype, or a flag on the case"),
    "told_specificity": Asked(meaning="normal cases with neither"),
    "built_gained_sensitivity": Asked(
        meaning="one chromosome added to every cell of a normal case: sensitivity at specificity >= 0.95"
    ),
    "built_lost_sensitivity": Asked(meaning="one taken from every cell: sensitivity at specificity >= 0.95"),
    "built_mosaic_sensitivity": Asked(meaning="one added to half of the cells: sensitivity at specificity >= 0.95"),
    "built_told": Asked(meaning="of all those, the strongest evidence is of the right class and enough for a prompt"),
    "structure_sensitivity": Asked(meaning="cases with a built rearrangement that are suspected", aim=0.9275),
    "structure_specificity": Asked(meaning="normal cases without any suspected structural change", aim=0.915),
    "structure_false_prompts": Asked(meaning="suspected chromosomes a normal case", less_is_better=True),
    "structure_named": Asked(meaning="built rearrangements suspected with the altered chromosome first"),
    "structure_sensitivity_1_bands": Asked(meaning="of those, changes of 1 band at 550 bphs"),
    "structure_sensitivity_2_bands": Asked(meaning="of 2 bands"),
    "structure_sensitivity_3_bands": Asked(meaning="of 3 to 4 bands"),
    "structure_sensitivity_5_bands": Asked(meaning="of 5 to 8 bands"),
    "structure_sensitivity_9_bands": Asked(meaning="of 9 bands and more"),
    "structure_sensitivity_loss": Asked(meaning="deletions"),
    "structure_sensitivity_gain": Asked(meaning="duplications"),
    "structure_sensitivity_inversion": Asked(meaning="inversions"),
    "structure_sensitivity_exchange": Asked(meaning="ends replaced by those of other chromosomes"),
    "structure_specificity_one_cell": Asked(meaning="normal cells, each a case by itself, without any suspect"),
    "structure_sensitivity_one_cell": Asked(meaning="built rearrangements suspected in one cell alone"),
    "structure_real_cases": Asked(meaning="real structural cases that are suspected", aim=0.9275),
    "structure_real_named": Asked(meaning="real structural cases in which an altered chromosome is suspected"),
    "mask_ap50_adir": Asked(meaning="mask AP50, DAPI (held-out slides)", aim=0.98),
    "mask_ap50_bioimlab": Asked(meaning="mask AP50, Q-band (held-out cells)", aim=0.98),
    "mask_iou_adir": Asked(meaning="mean IoU of matched masks, DAPI"),
    "mask_iou_bioimlab": Asked(meaning="mean IoU of matched masks, Q-band"),
    "mask_recall_adir": Asked(meaning="chromosomes whose mask is found, DAPI"),
    "mask_recall_bioimlab": Asked(meaning="chromosomes whose mask is found, Q-band"),
    "errors_flagged": Asked(meaning="wrongly named chromosomes that carry a flag", least=0.90),
    "false_flagged": Asked(meaning="false detections that carry a flag"),
    "missed_in_flagged_cells": Asked(meaning="missed chromosomes in a cell that carries a flag"),
    "chromosomes_flagged": Asked(meaning="chromosomes that carry a flag", less_is_better=True),
    "calibration_error": Asked(meaning="expected calibration error of the names", less_is_better=True),
    "seconds_per_metaphase": Asked(
        meaning="seconds per metaphase, median, reading to karyogram", least=1.5, aim=0.5, less_is_better=True
    ),
    "seconds_first_metaphase": Asked(meaning="seconds of the first metaphase, models loaded", less_is_better=True),
    "memory_gb": Asked(meaning="memory of a 20-cell case, GB", least=1.5, aim=0.6, less_is_better=True),
    "seconds_per_case": Asked(meaning="seconds of that 20-cell case, whole command", less_is_better=True),
}
"""Every figure, in the order of the table."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured figure.

    Attributes:
        name: a key of `ASKED`.
        method: "consilium" or "classical" (the baseline).
        subset: "all" or "difficult".
        data: what it was measured on.
        note: what a reader has to know to read it right.
    """

    name: str
    estimate: Estimate
    data: str
    method: str = "consilium"
    subset: str = "all"
    note: str = ""

    @property
    def key(self) -> str:
        """Its name in the results: alone for what Consilium does with everything, otherwise with method and subset."""
        usual = {"consilium", "all"}
        return "_".join([self.name, *(word for word in (self.method, self.subset) if word not in usual)])

    @property
    def asked(self) -> Asked:
        """What was asked of it."""
        return ASKED[self.name]

    @property
    def reached(self) -> bool | None:
        """Whether the value is at least what was asked; None where nothing was."""
        if self.asked.least is None:
            return None
        better = self.estimate.value - self.asked.least
        return bool(better <= 0 if self.asked.less_is_better else better >= 0)


@dataclass(frozen=True, kw_only=True)
class Section:
    """What one part of the benchmark measured.

    Attributes:
        figures: numbers with intervals.
        tables: counts that a figure cannot hold, ready for JSON, by name.
    """

    figures: tuple[Figure, ...]
    tables: Mapping[str, object]
