"""The cells of a case as a JSON file: what each metaphase shows, and what is known of the case beside it.

    {"neoplastic": true, "sex": "XY", "previous": ["t(9;22)(q34;q11.2)"],
     "cells": [{"iscn": "47,XY,+8", "times": 12},
               {"name": "slide 2, 14", "sex": "XY", "gains": ["8"], "structural": ["del(5)(q13q33)"]}]}

A cell is told in one of three ways: as it is written on the bench ("iscn"), by its findings ("sex", "gains", "losses",
"structural", "ploidy", "count", "incomplete"; see `cell.Cell`), or by how many chromosomes of each class were counted
("counts", "unsure", "ploidy"). All may have "name", "culture", "colony" and "times", the number of such cells. What
stands beside "cells" are the attributes of `setting.Setting`; "neoplastic" has to be told.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

from consilium.cytogenetics.clones.cell import Cell, cell_from_counts, cell_from_iscn
from consilium.cytogenetics.clones.setting import Setting
from consilium.cytogenetics.iscn.order import CHROMOSOMES
from consilium.errors import InputError

MOST_CELLS = 2000
"""Cells of one case: more is another kind of file."""

_ANY: Mapping[str, type] = {"name": str, "culture": str, "colony": str, "times": int}
_WAYS: Mapping[str, Mapping[str, type]] = {
    "iscn": {"iscn": str},
    "counts": {"counts": dict, "unsure": int, "ploidy": int},
    "sex": {
        "sex": str, "gains": list, "losses": list, "structural": list, "ploidy": int, "count": int, "incomplete": bool,
    },
}  # fmt: skip
_CASE: Mapping[str, type] = {
    "neoplastic": bool, "sex": str, "constitutional": list, "constitutional_mosaic": bool, "previous": list,
    "confirmed": list, "amniotic": bool, "composite_numbers": bool, "masked": bool, "prefix": str, "cells": list,
}  # fmt: skip
_KINDS = {str: "text", int: "a whole number", bool: "true or false", list: "a list of texts", dict: "an object"}


@dataclass(frozen=True, kw_only=True, slots=True)
class CellsFile:
    """What a file tells.

    Attributes:
        cells: in the order of the file; one without a name has its number.
        setting: what is known of the case.
    """

    cells: tuple[Cell, ...]
    setting: Setting


def read_cells(text: str, *, where: str) -> CellsFile:
    """Read the cells of a case.

    Args:
        text: the JSON object.
        where: what the text is called in messages, e.g. the path of its file.

    Raises:
        InputError: it is no such object, or a cell contradicts itself; the message says which one.
    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise InputError(f"not JSON: {problem}", where=where, way_out="Write one JSON object with cells.") from None
    _check(told, _CASE, where)
    for key in ("neoplastic", "cells"):
        if key not in told:
            raise InputError(f"{key!r} is missing", where=where, way_out="Tell at least neoplastic and cells.")
    if told.get("prefix", "") not in ("", "mos", "chi"):
        raise InputError("'prefix' is neither mos nor chi", where=where)
    sex = told.get("sex")
    if sex is not None and (not sex or sex != "X" * sex.count("X") + "Y" * sex.count("Y")):
        raise InputError(f"{sex!r} are no sex chromosomes", where=where, way_out="Write XX or XY, X before Y.")
    cells: list[Cell] = []
    for number, one in enumerate(told["cells"], start=1):
        cells += _cells(one, number, f"{where}, cell {number}")
        if len(cells) > MOST_CELLS:
            raise InputError(f"more than {MOST_CELLS} cells", where=where)
    names = {one.name for one in fields(Setting)}
    known: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in told.items() if key in names
    }
    return CellsFile(cells=tuple(cells), setting=Setting(**known))


def _cells(told: Any, number: int, where: str) -> list[Cell]:
    ways = [way for way in _WAYS if isinstance(told, dict) and way in told]
    if len(ways) != 1:
        raise InputError(
            "a cell is told by one of iscn, counts and sex", where=where,
            way_out='Write {"iscn": "47,XX,+8"}, or {"sex": "XX", "gains": ["8"]}.',
        )  # fmt: skip
    _check(told, {**_WAYS[ways[0]], **_ANY}, where)
    times = told.get("times", 1)
    if not 1 <= times <= MOST_CELLS:
        raise InputError(f"{times} such cells cannot be", where=where, way_out=f"Write 1 to {MOST_CELLS}.")
    name = told.get("name", f"{number:03d}")
    names = [name] if times == 1 else [f"{name}.{at:03d}" for at in range(1, times + 1)]
    try:
        return [_cell(told, ways[0], one) for one in names]
    except InputError as problem:
        raise InputError(problem.what, where=where, way_out=problem.way_out) from None


def _cell(told: Mapping[str, Any], way: str, name: str) -> Cell:
    place: dict[str, Any] = {key: told[key] for key in ("culture", "colony") if key in told}
    if way == "iscn":
        return cell_from_iscn(name, told["iscn"], **place)
    if way == "counts":
        for label, copies in told["counts"].items():
            whole = isinstance(copies, int) and not isinstance(copies, bool) and 0 <= copies <= 100
            if label not in CHROMOSOMES or not whole:
                raise InputError(f"{label!r}: {copies!r} is no number of chromosomes", way_out='Write "21": 3.')
        return cell_from_counts(name, told["counts"], unsure=told.get("unsure", 0), ploidy=told.get("ploidy"), **place)
    findings: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in told.items() if key in _WAYS["sex"]
    }
    cell = Cell(name=name, **findings, **place)
    if cell.summed < 0:
        raise InputError("more chromosomes are lost than there are")
    return cell


def _check(told: Any, wanted: Mapping[str, type], where: str) -> None:
    """Whether an object has no other entries than those, each of its kind."""
    if not isinstance(told, dict):
        raise InputError("not a JSON object", where=where, way_out='Write {"neoplastic": true, "cells": [...]}.')
    for key, value in told.items():
        if key not in wanted:
            raise InputError(f"{key!r} is not known", where=where, way_out=f"Known are {_listed(wanted)}.")
        kind = wanted[key]
        right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if kind is list and right and key != "cells":
            right = all(isinstance(one, str) for one in value)
        if not right:
            raise InputError(f"{key!r} is not {_KINDS[kind]}", where=where)


def _listed(names: Collection[str]) -> str:
    return ", ".join(names)
