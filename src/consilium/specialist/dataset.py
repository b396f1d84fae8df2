"""Labelled cases, from a folder for each class or from a table.

A folder: every subfolder is a class; a file in it is a case of its own, files in a folder below it are one patient's
(`class/patient/image.png`). A file called `NAME_mask.*` or `NAME_mask_1.*` beside `NAME.*` is the mask of that case,
not a case. A folder with `images/` and `annotations/` in it has boxes: each picture with the file of its name, or all
with the only JSON file there.

A table (CSV, UTF-8, first line with names): `file` (relative to the table), `label`, and optionally `group` (patient),
`split` (train or test), `mask`, `boxes` (a file, or left,top,right,bottom); every further column describes the case
(sex, age, site, vendor) and serves subgroups and the metadata baseline. Several labels of one case are joined by a
semicolon.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from consilium.errors import UnusableDataset

Task = Literal["binary", "multiclass", "multilabel", "regress", "segment", "detect"]
Asked = Literal["auto", "classify", "multilabel", "regress", "segment", "detect"]
Split = Literal["", "train", "test"]

COLUMNS = ("file", "label", "group", "split", "mask", "boxes")
"""Columns with a meaning of their own; all others describe the case."""

JOINED = ";"
MAX_TABLE_BYTES = 64 << 20
FEWEST_VALUES_OF_A_NUMBER = 12
"""Labels that are all numbers are a quantity when there are more different ones than this; fewer are grades."""

_NO_CASE = frozenset(
    {".csv", ".tsv", ".txt", ".md", ".json", ".xml", ".html", ".pdf", ".py", ".yaml", ".yml", ".db", ".ini"}
)
_SPLITS: dict[str, Split] = {
    "": "",
    **dict.fromkeys(("train", "training", "val", "valid", "validation"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Cases of a validation part are trained on: what they are for, choosing, is done inside the training folds."""
_MASK = re.compile(r"^(?P<case>.+?)[_-](?:mask|seg)(?:[_-]?\d+)?$", re.IGNORECASE)
_BOX_FILES = (".xml", ".json", ".csv")
_WITHOUT = frozenset(
    {"0", "n", "no", "none", "false", "negative", "neg", "norm", "normal", "healthy", "control", "controls", "benign"}
    | {"absent", "uninfected", "unaffected", "否", "无", "阴性", "正常", "健康", "对照", "良性"}
)
"""Names of the class that does not have what is looked for."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One labelled case.

    Attributes:
        file: the image, volume, or folder of a study.
        labels: one; several or none of a multilabel case; none where only masks or boxes are given.
        group: patient, or what else stays together; the file's own name where nothing is told.
        split: "test" where the table sets the case aside, "train" or "" otherwise.
        masks: files.
        boxes: a file, as a path that can be opened; or numbers, as written in the table.
        described: the further columns.
    """

    file: Path
    labels: tuple[str, ...]
    group: str
    split: Split = ""
    masks: tuple[Path, ...] = ()
    boxes: str = ""
    described: Mapping[str, str] = field(default_factory=dict)


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
            pairs = task in ("auto", "detect") and _has_annotations(path)
            cases, grouped = tuple(_cases_with_annotations(path) if pairs else _cases_of_folder(path)), False
            grouped = not pairs and any(case.group != _own_group(case.file, path) for case in cases)
        elif path.is_file():
            cases, grouped = _cases_of_table(path, group)
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


def _own_group(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()


def _cases_of_folder(root: Path) -> Iterator[Case]:
    classes = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    for folder in classes:
        files = sorted(
            file
            for file in folder.rglob("*")
            if file.is_file()
            and file.suffix.lower() not in _NO_CASE
            and not any(part.startswith(".") for part in file.relative_to(root).parts)
        )
        stems = {file.with_name(_stem(file)) for file in files}
        masks: dict[Path, list[Path]] = defaultdict(list)
        for file in files:
            owner = _MASK.match(_stem(file))
            if owner and file.with_name(owner["case"]) in stems:
                masks[file.with_name(owner["case"])].append(file)
        are_masks = {mask for several in masks.values() for mask in several}
        for file in files:
            if file in are_masks:
                continue
            patient = file.parent if file.parent != folder else file
            yield Case(
                file=file,
                labels=(folder.name,),
                group=patient.relative_to(root).as_posix(),
                masks=tuple(masks.get(file.with_name(_stem(file)), ())),
            )


def _has_annotations(root: Path) -> bool:
    beside = root / "annotations"
    return (root / "images").is_dir() and beside.is_dir() and any(_is_box_file(file) for file in beside.iterdir())


def _is_box_file(file: Path) -> bool:
    return file.suffix.lower() in _BOX_FILES


def _cases_with_annotations(root: Path) -> Iterator[Case]:
    """Pictures in `images/`, each with its file of boxes in `annotations/`."""
    files = {file.stem: file for file in sorted((root / "annotations").iterdir()) if _is_box_file(file)}
    of_all = [file for file in files.values() if file.suffix.lower() == ".json"] if len(files) == 1 else []
    for file in sorted((root / "images").iterdir()):
        if file.is_file() and not file.name.startswith(".") and file.suffix.lower() not in _NO_CASE:
            boxes = files.get(file.stem, of_all[0] if of_all else None)
            yield Case(file=file, labels=(), group=_own_group(file, root), boxes=str(boxes) if boxes else "")


def _stem(file: Path) -> str:
    """Name without its endings; `.nii.gz` is one ending."""
    name = file.name
    return name[: -len(".nii.gz")] if name.lower().endswith(".nii.gz") else file.stem


def _cases_of_table(path: Path, group: str) -> tuple[tuple[Case, ...], bool]:
    rows = _rows(path)
    names = set(rows[0]) if rows else set()
    if group not in names and group != "group":
        listed = ", ".join(sorted(names))
        raise UnusableDataset(f"there is no column {group!r}", where=str(path), way_out=f"Its columns are {listed}.")
    if rows and "file" not in names:
        raise UnusableDataset(
            "there is no column 'file'", where=str(path), way_out="Name the columns in the first line: file, label, ..."
        )
    if not any(row.get(group) for row in rows):
        # A column that nobody filled in is as good as none.
        names.discard(group)
        rows = [{name: value for name, value in row.items() if name != group} for row in rows]
    cases = tuple(_case(row, line, path, group) for line, row in enumerate(rows, start=2))
    missing = [(line, case.file) for line, case in enumerate(cases, start=2) if not case.file.exists()]
    missing += [(line, mask) for line, case in enumerate(cases, start=2) for mask in case.masks if not mask.exists()]
    missing += [
        (line, Path(case.boxes))
        for line, case in enumerate(cases, start=2)
        if _is_box_file(Path(case.boxes)) and not Path(case.boxes).exists()
    ]
    if missing:
        line, file = missing[0]
        raise UnusableDataset(
            f"{len(missing)} file(s) do not exist, the first is {file}",
            where=f"{path}, line {line}",
            way_out=f"Names are relative to the table's folder, {path.parent}.",
        )
    listed_twice = [file for file, times in Counter(case.file for case in cases).items() if times > 1]
    if listed_twice:
        raise UnusableDataset(
            f"{len(listed_twice)} file(s) are listed more than once, the first is {listed_twice[0]}",
            where=str(path),
            way_out="Keep one line a file; join several labels by a semicolon.",
        )
    return cases, group in names


def _rows(path: Path) -> list[dict[str, str]]:
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise UnusableDataset(
            f"the table has {path.stat().st_size >> 20} MiB; at most {MAX_TABLE_BYTES >> 20} are read",
            where=str(path),
            way_out="Is it a table of cases?",
        )
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        # Tables saved by a Chinese office programme are often GB 18030, which is not UTF-8 nearly always.
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise UnusableDataset(
                "it is not a text table", where=str(path), way_out="Save it as CSV in UTF-8."
            ) from problem
    if "\0" in text:
        raise UnusableDataset("it is not a text table", where=str(path), way_out="Save it as CSV in UTF-8.")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        lines = [line for line in reader if any(cell.strip() for cell in line)]
    except csv.Error as problem:
        raise UnusableDataset(
            f"it is not a proper CSV table ({problem})", where=str(path), way_out="Save it again as CSV."
        ) from problem
    if not lines:
        return []
    names = [name.strip() for name in lines[0]]
    names = [name.lower() if name.lower() in COLUMNS else name for name in names]
    twice = [name for name, times in Counter(names).items() if times > 1 or not name]
    if twice:
        raise UnusableDataset(
            f"column name {twice[0]!r} is empty or used twice",
            where=f"{path}, line 1",
            way_out="Name each column once.",
        )
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(names):
            raise UnusableDataset(
                f"{len(line)} fields where the first line names {len(names)}",
                where=f"{path}, line {number}",
                way_out="Put a field with a comma in it between double quotes.",
            )
    return [dict(zip(names, (cell.strip() for cell in line), strict=True)) for line in lines[1:]]


def _case(row: Mapping[str, str], line: int, path: Path, group: str) -> Case:
    where = f"{path}, line {line}"
    if not row["file"]:
        raise UnusableDataset("no file is named", where=where, way_out="Fill in the column file.")
    told = row.get("split", "")
    # Collections name their parts "Training" or "that challenge/test".
    split = _SPLITS.get(told.rpartition("/")[2].strip().lower())
    if split is None:
        raise UnusableDataset(f"unknown split {told!r}", where=where, way_out="Use train, test or nothing.")
    patient = row.get(group, "")
    if group in row and not patient:
        raise UnusableDataset(
            f"the column {group!r} is empty",
            where=where,
            way_out="Name the patient of every case, or leave the column out.",
        )
    named = [label.strip() for label in row.get("label", "").split(JOINED)]
    masks = [mask.strip() for mask in row.get("mask", "").split(JOINED)]
    return Case(
        file=path.parent / row["file"],
        labels=tuple(dict.fromkeys(label for label in named if label)),
        group=patient or row["file"],
        split=split,
        masks=tuple(path.parent / mask for mask in masks if mask),
        boxes=_boxes(row.get("boxes", ""), path),
        described={key: value for key, value in row.items() if key not in COLUMNS and key != group},
    )


def _boxes(told: str, table: Path) -> str:
    """Numbers as they are, the name of a file as a path that can be opened."""
    return str(table.parent / told) if re.search(r"[^\d\s.,;+-]", told) else told


def _checked(origin: Path, cases: tuple[Case, ...], asked: Asked, *, grouped: bool) -> Dataset:
    task = _task(cases, asked, origin)
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if task in ("binary", "multiclass", "multilabel"):
        counts = Counter(label for case in cases for label in case.labels)
        _refuse_spellings(counts, origin)
        notes = tuple(_suspected_spellings(counts))
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


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Sort labels naturally ("grade 2" before "grade 10"), what lacks the disease first: "normal", "non-tumour"."""
    named = tuple(labels)
    others = {_folded(label) for label in named}

    def lacks(label: str) -> bool:
        folded = _folded(label)
        return folded in _WITHOUT or any(
            folded.removeprefix(no) in others - {folded} for no in ("non", "not", "no", "无")
        )

    def key(label: str) -> tuple[bool, list[tuple[int, float, str]]]:
        parts = re.split(r"(\d+)", label.casefold())
        natural = [(0, float(part), "") if part.isdecimal() else (1, 0.0, part) for part in parts if part]
        return not lacks(label), natural

    return tuple(sorted(named, key=lambda label: (key(label), label)))


def _folded(label: str) -> str:
    """A label without what a person does not mean by it: case, width, spaces, dashes."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", label).casefold()) or label


def _refuse_spellings(counts: Mapping[str, int], origin: Path) -> None:
    alike: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        alike[_folded(label)].append(label)
    for labels in alike.values():
        if len(labels) > 1:
            named = " and ".join(f"{label!r} ({counts[label]})" for label in sorted(labels))
            raise UnusableDataset(
                f"the labels {named} differ in spelling only", where=str(origin), way_out="Write one label one way."
            )


def _suspected_spellings(counts: Mapping[str, int]) -> Iterator[str]:
    for label in sorted(counts):
        for other in sorted(counts):
            rare = counts[label] <= 2 and counts[other] >= 10 * counts[label]
            letters = re.sub(r"\d", "", label) != re.sub(r"\d", "", other)
            if rare and letters and difflib.SequenceMatcher(None, _folded(label), _folded(other)).ratio() >= 0.8:
                yield f"label {label!r} ({counts[label]}) may be a misspelling of {other!r} ({counts[other]})"


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
