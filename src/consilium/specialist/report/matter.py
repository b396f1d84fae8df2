"""What sections are written from: the validation, the facts, and the cases behind both as arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import ModelError
from consilium.specialist.duplicates import Duplicate, merged
from consilium.specialist.report.facts import ModelFacts
from consilium.specialist.report.items import Item
from consilium.specialist.report.parts import plain
from consilium.specialist.report.plots import Pen
from consilium.specialist.report.wording import Language, Tongue, of_validation, tongue

Codes = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Matter:
    """Everything that a report is written from.

    Attributes:
        said: the validation as JSON values.
        facts: of the model.
        items: what must be told, held to the validation.
        lang: of the report.
        pen: draws.
        pictures: of cases, by number, (h, w) or (h, w, 3) uint8.
    """

    said: Mapping[str, Any]
    facts: ModelFacts
    items: tuple[Item, ...]
    lang: Language
    pen: Pen
    pictures: Mapping[int, NDArray[np.uint8]]

    @property
    def t(self) -> Tongue:
        """Takes a sentence in both languages."""
        return tongue(self.lang)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels, as they can be shown."""
        return tuple(plain(str(one)) for one in self.said["labels"])

    @property
    def numbers(self) -> Codes:
        """(n,) numbers of the cross-validated cases among those given."""
        return np.array(self.said["ledger"]["cases"], np.intp)

    @property
    def predicted(self) -> NDArray[np.float64]:
        """(n, k) out of fold."""
        return np.array(self.said["predicted"], np.float64)

    @property
    def targets(self) -> NDArray[np.float64]:
        """(n, k) 0 and 1 of each label of the validation (of outlines and boxes, 1 where a case has it), or values."""
        told = np.array([self.facts.cases[number].target for number in self.numbers], np.float64)
        if self.said["task"] in ("regress", "segment", "detect"):
            return told
        if self.said["task"] == "multilabel":
            return told[:, [self.facts.names.index(name) for name in self.said["labels"]]]
        return np.eye(len(self.said["labels"]))[told[:, 0].astype(np.intp)]

    @property
    def truth(self) -> Codes:
        """(n,) class."""
        return np.asarray(self.targets.argmax(1), np.intp)

    @property
    def groups(self) -> Codes:
        """(n,) patients, copies merged."""
        told = np.unique([case.group for case in self.facts.cases], return_inverse=True)[1].astype(np.intp)
        joined = merged(told, [Duplicate(**one) for one in self.said["ledger"]["duplicates"]])
        return np.unique(joined[self.numbers], return_inverse=True)[1].astype(np.intp)

    def word(self, words: str) -> str:
        """Words of the validation in the language of the report."""
        return of_validation(words, self.lang)

    def file(self, case: int) -> str:
        """Name of a case: its file, without the folder that all cases are in."""
        return plain(self.facts.cases[case].file[self._folder :])

    @cached_property
    def _folder(self) -> int:
        """Letters that the names of all files begin with, up to a folder."""
        files = [Path(one.file) for one in self.facts.cases]
        try:
            common = os.path.commonpath([one.parent for one in files])
        except ValueError:  # no cases, or some of them with a full path and some without
            return 0
        return len(common.rstrip(os.sep)) + 1 if common else 0


def refuse_strangers(matter: Matter) -> None:
    """Hold the cases of the facts to the figures of the validation.

    Raises:
        ModelError: they are not those that were validated.
    """
    said = matter.said
    if said["ledger"] is None:
        return
    way_out = "Take facts.json and validation.json of the same fit."
    place = matter.facts.name
    if max(said["ledger"]["cases"]) >= len(matter.facts.cases):
        raise ModelError("the facts list fewer cases than were validated", where=place, way_out=way_out)
    wanted = set(said["labels"]) - set(matter.facts.names)
    if wanted:
        raise ModelError("the facts name other labels than the validation", where=place, way_out=way_out)
    try:
        targets = matter.targets
    except (ValueError, IndexError) as problem:
        raise ModelError(
            "the labels of the facts are not those of the validation", where=place, way_out=way_out
        ) from problem
    for figures in said["figures"]:
        share = targets[:, said["labels"].index(figures["label"])].mean()
        if abs(share - figures["prevalence"]) > 1e-9:
            raise ModelError("the labels of the facts are not those of the validation", where=place, way_out=way_out)
