"""Labelled cases and what is to be learnt of them, from a folder (`case_folder.py`) or a table (`case_table.py`)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from consilium.errors import UnusableDataset
from consilium.specialist.case import Case
from consilium.specialist.case_folder import cases_of_folder, cases_with_annotations, has_annotations, own_group
from consilium.specialist.case_table import cases_of_table
from consilium.specialist.label_names import in_order, refuse_spellings, suspected_spellings

Task = Literal["binary", "multiclass", "multilabel", "regress", "segment", "detect"]
Asked = Literal["auto", "classify", "multilabel", "regress", "segment", "detect"]

FEWEST_VALUES_OF_A_NUMBER = 12
"""Labels that are all numbers are a quantity when there are more different ones than this; fewer are grades."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Labelled cases and what they are for.

    Attributes:
        origin: the folder or table they come from.
        task: what is to be learnt.
        labels: the classes; of two, the second is the one that is looked for. Empty for regress.
        cases: in the order of the table, or sorted.
        grouped: whether groups were told; if not, every file counts as a patient of its own.
        notes: what a person should look at, e.g. labels that look like misspellings.
    """

    origin: Path
    task: Task
    labels: tuple[str, ...]
    cases: tuple[Case, ...]
    grouped: bool
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> NDArray[np.str_]:
        """(n,) group of each case."""
        return np.array([case.group for case in self.cases], np.str_)

    @property
    def described(self) -> dict[str, tuple[str, ...]]:
        """The further columns, each with one value a case, "" where there is none."""
        names = dict.fromkeys(name for case in self.cases for name in case.described)
        return {name: tuple(case.described.get(name, "") for case in self.cases) for name in names}

    @property
    def set_aside(self) -> NDArray[np.bool_]:
        """(n,) whether a case is kept for a test that nothing is chosen on."""
        return np.array([case.split == "test" for case in self.cases], np.bool_)

    def targets(self) -> NDArray[np.float64]:
        """What a head learns: (n,) class numbers or values, or (n, labels) 0 and 1 of a multilabel task.

        Raises:
            UnusableDataset: the task has no labels (segment, detect).
        """
        if self.task == "regress":
            return np.array([float(case.labels[0]) for case in self.cases])
        if self.task in ("binary", "multiclass"):
            number = {label: index for index, label in enumerate(self.labels)}
            return np.array([number[case.labels[0]] for case in self.cases], np.float64)
        if self.task == "multilabel":
            return np.array([[float(label in case.labels) for label in self.labels] for case in self.cases])
        raise UnusableDataset(
            f"a {self.task} task has masks or boxes, no labels", where=str(self.origin), way_out="Use its own head."
        )


def read_dataset(path: Path, *, task: Asked = "auto", group: str = "group") -> Dataset:
    """Read labelled cases.

    Args:
        path: a folder with a folder for each class, or a table.
        task: what to learn; "auto" reads it off the labels, masks and boxes.
        group: the column of the table that names the patient.

    Raises:
        UnusableDataset: nothing there, files missing, one class only, labels that differ in spelling only, a group in
            train and test, or whatever else makes the cases unusable; the message names the first of them.
    """
    if task not in get_args(Asked):
        raise UnusableDataset(f"there is no task {task!r}", way_out=f"Use one of {', '.join(get_args(Asked))}.")
    try:
        if path.is_dir():
            pairs = task in ("auto", "detect") and has_annotations(path)
            cases, grouped = tuple(cases_with_annotations(path) if pairs else cases_of_folder(path)), False
            grouped = not pairs and any(case.group != own_group(case.file, path) for case in cases)
        elif path.is_file():
            cases, grouped = cases_of_table(path, group)
        else:
            raise UnusableDataset("there is no such folder or table", where=str(path), way_out="Check the name.")
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise UnusableDataset(
            f"it cannot be read ({reason})", where=str(path), way_out="Check its rights."
        ) from problem
    if not cases:
        raise UnusableDataset(
            "there is no case in it",
            where=str(path),
            way_out="Make a folder for each class with its images in it, or a CSV table with columns file and label.",
        )
    return _checked(path, cases, task, grouped=grouped)


def _checked(origin: Path, cases: tuple[Case, ...], asked: Asked, *, grouped: bool) -> Dataset:
    task = _task(cases, asked, origin)
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if task in ("binary", "multiclass", "multilabel"):
        counts = Counter(label for case in cases for label in case.labels)
        refuse_spellings(counts, origin)
        notes = tuple(suspected_spellings(counts))
        labels = in_order(counts)
        if len(labels) < 2 and task != "multilabel":
            only = f"only the label {labels[0]!r}" if labels else "no label"
            raise UnusableDataset(f"{only} is in it", where=str(origin), way_out="Two classes at least are needed.")
    if task not in ("multilabel", "segment", "detect"):
        _refuse_number_of_labels(cases, origin)
    _refuse_groups_in_both(cases, origin)
    dataset = Dataset(origin=origin, task=task, labels=labels, cases=cases, grouped=grouped, notes=notes)
    if task == "regress" and not np.isfinite(dataset.targets()).all():
        raise UnusableDataset(
            "a label is not a finite number", where=str(origin), way_out="Correct or leave out the case."
        )
    return dataset


def _task(cases: Sequence[Case], asked: Asked, origin: Path) -> Task:
    classes = {label for case in cases for label in case.labels}
    classify: Task = "binary" if len(classes) == 2 else "multiclass"
    if asked == "classify":
        return classify
    if asked in ("segment", "detect"):
        has = [bool(case.masks if asked == "segment" else case.boxes or case.masks) for case in cases]
        if not all(has):
            without = cases[has.index(False)].file
            raise UnusableDataset(
                f"{has.count(False)} case(s) have no mask or box, the first is {without}",
                where=str(origin),
                way_out="Name a mask, or a file of boxes, for every case; an empty one where there is nothing.",
            )
        return asked
    if asked == "regress":
        if not all(_is_number(label) for label in classes):
            other = next(label for label in sorted(classes) if not _is_number(label))
            raise UnusableDataset(
                f"the label {other!r} is not a number", where=str(origin), way_out="Or use --task classify."
            )
        return asked
    if asked == "multilabel":
        return asked
    if any(len(case.labels) > 1 for case in cases):
        return "multilabel"
    # One label that all cases share tells nothing apart; where there are outlines, they are what is to be learnt.
    if len(classes) < 2 and any(case.masks for case in cases):
        return _task(cases, "segment", origin)
    if not classes:
        if any(case.boxes for case in cases):
            return _task(cases, "detect", origin)
        raise UnusableDataset(
            "no case has a label, a mask or a box", where=str(origin), way_out="Add the column label."
        )
    if len(classes) > FEWEST_VALUES_OF_A_NUMBER and all(_is_number(label) for label in classes):
        return "regress"
    return classify


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _refuse_number_of_labels(cases: Sequence[Case], origin: Path) -> None:
    for case in cases:
        if len(case.labels) != 1:
            told = "no label" if not case.labels else f"{len(case.labels)} labels"
            raise UnusableDataset(
                f"{case.file} has {told}", where=str(origin), way_out="Give it one, or use --task multilabel."
            )


def _refuse_groups_in_both(cases: Sequence[Case], origin: Path) -> None:
    splits: dict[str, set[bool]] = defaultdict(set)
    for case in cases:
        splits[case.group].add(case.split == "test")
    both = sorted(group for group, found in splits.items() if len(found) > 1)
    if both:
        raise UnusableDataset(
            f"{len(both)} group(s) are in train and test, the first is {both[0]!r}",
            where=str(origin),
            way_out="Put all cases of a patient into the same split; otherwise the figures are too good.",
        )
