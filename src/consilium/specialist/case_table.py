"""Labelled cases of a table (CSV, UTF-8, first line with names).

`file` (relative to the table), `label`, and optionally `group` (patient), `split` (train or test), `mask`, `boxes` (a
file, or left,top,right,bottom); every further column describes the case (sex, age, site, vendor) and serves subgroups
and the metadata baseline. Several labels of one case are joined by a semicolon.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from consilium.errors import UnusableDataset
from consilium.specialist.case import JOINED, Case, Split, is_box_file

COLUMNS = ("file", "label", "group", "split", "mask", "boxes")
"""Columns with a meaning of their own; all others describe the case."""


MAX_TABLE_BYTES = 64 << 20

_SPLITS: dict[str, Split] = {
    "": "",
    **dict.fromkeys(("train", "training", "val", "valid", "validation"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Cases of a validation part are trained on: what they are for, choosing, is done inside the training folds."""


def cases_of_table(path: Path, group: str) -> tuple[tuple[Case, ...], bool]:
    """The cases of a table, and whether it names patients.

    Args:
        path: the table.
        group: the column that names the patient.

    Raises:
        UnusableDataset: it is no such table, or files that it names are not there; the message names the first.
    """
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
        if is_box_file(Path(case.boxes)) and not Path(case.boxes).exists()
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
