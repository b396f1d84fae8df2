"""What a report of each kind of task is made of: the one place where reports branch by task.

The list of what must be told is the same for all (`items.py`), and so are ledger, counts, gate and card. What a task
adds, and by what its verdict goes, stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import ModelError
from consilium.specialist.detection.validation import BoxValidation
from consilium.specialist.evidence.validation import Validation
from consilium.specialist.report import (
    boxes,
    evidence,
    limits,
    mistakes,
    outline_limits,
    outline_procedure,
    outlines,
    sections,
)
from consilium.specialist.report.box_pictures import BoxedPictures
from consilium.specialist.report.box_verdict import box_verdict
from consilium.specialist.report.card import card
from consilium.specialist.report.facts import ModelFacts
from consilium.specialist.report.items import lacking_of_labels
from consilium.specialist.report.matter import Matter, refuse_strangers
from consilium.specialist.report.outline_pictures import OutlinedPictures
from consilium.specialist.report.outline_verdict import outline_verdict
from consilium.specialist.report.parts import Part
from consilium.specialist.report.pictures import PicturesOfFiles
from consilium.specialist.report.verdict import Verdict, verdict
from consilium.specialist.segmentation.validation import OutlineValidation

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Writer = Callable[[Matter], tuple[Part, ...]]


@dataclass(frozen=True, kw_only=True)
class Chapters:
    """What belongs to the report of a kind of task.

    Attributes:
        form: the dataclass that its validation was.
        lacking: what the item of a number lacks in the JSON values of one; empty where nothing is missing.
        writers: of the sections, by key of `items.ITEMS`; those that never apply are left out.
        verdict: says what comes first.
        refuse_strangers: holds facts and figures to each other.
        pictures: of the cases, from the facts, their folder, and the folders where files may lie.
    """

    form: type[DataclassInstance]
    lacking: Callable[[str, Mapping[str, Any]], str]
    writers: Mapping[str, Writer]
    verdict: Callable[[Matter], Verdict]
    refuse_strangers: Callable[[Matter], None]
    pictures: Callable[[ModelFacts, Path, Sequence[Path]], Mapping[int, NDArray[np.uint8]]]


_ALL: Mapping[str, Writer] = {
    "ledger": sections.ledger,
    "counts": sections.counts,
    "gate": limits.gate,
    "card": card,
}
_LABELS = Chapters(
    form=Validation,
    lacking=lacking_of_labels,
    writers={
        **_ALL,
        "procedure": sections.procedure,
        "discrimination": evidence.discrimination,
        "baselines": evidence.baselines,
        "calibration": evidence.calibration,
        "sets": limits.sets,
        "subgroups": limits.subgroups,
        "more": limits.more,
        "errors": mistakes.errors,
        "chance": limits.chance,
    },
    verdict=verdict,
    refuse_strangers=refuse_strangers,
    pictures=lambda facts, _folder, folders: PicturesOfFiles([case.file for case in facts.cases], folders),
)
_OUTLINES = Chapters(
    form=OutlineValidation,
    lacking=outlines.lacking_of_outlines,
    writers={
        **_ALL,
        "procedure": outline_procedure.procedure,
        "baselines": outline_procedure.baselines,
        "subgroups": outline_limits.subgroups,
        "more": outline_limits.more,
        "errors": outline_limits.errors,
        "outlines": outlines.outlines,
    },
    verdict=outline_verdict,
    refuse_strangers=outlines.refuse_strangers,
    pictures=OutlinedPictures,
)
_BOXES = Chapters(
    form=BoxValidation,
    lacking=boxes.lacking_of_boxes,
    writers={
        **_ALL,
        "procedure": boxes.procedure,
        "errors": boxes.errors,
        "outlines": boxes.boxes,
    },
    verdict=box_verdict,
    refuse_strangers=boxes.refuse_strangers,
    pictures=BoxedPictures,
)
_BY_TASK: Mapping[str, Chapters] = {
    **dict.fromkeys(("binary", "multiclass", "multilabel", "regress"), _LABELS),
    "segment": _OUTLINES,
    "detect": _BOXES,
}


def chapters_of(task: str) -> Chapters:
    """What belongs to the report of a task.

    Raises:
        ModelError: this version knows no such task.
    """
    if task not in _BY_TASK:
        raise ModelError(
            f"the validation is of the task {task!r}, which this version cannot report",
            where="validation.json",
            way_out="Fit the model again with this version of Consilium.",
        )
    return _BY_TASK[task]
