"""The machine's reading of a cell: its entry in case.json, schema 1.2, as a cell that can be edited.

The entry has outlines and not masks: a region is its outline, filled, border included. What a reading says is hostile
until it was read: it may come from another machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jsonschema import Draft202012Validator

from consilium.errors import InputError
from consilium.karyotype.editing.cell import CellObject, EditedCell, closed_up
from consilium.karyotype.editing.region import filled
from consilium.karyotype.metaphase import CLASSES, Quality
from consilium.karyotype.record import case_schema

LARGEST_SIDE = 20_000


def read_cell(entry: Mapping[str, Any], *, checked: bool = False) -> EditedCell:
    """The cell of an entry in case.json.

    Args:
        entry: the entry.
        checked: it was held against the schema before and not changed since.

    Raises:
        InputError: it is none of schema 1.2, or an outline holds no pixel of the picture.
    """
    if not checked:
        _check(entry)
    width, height = entry["width"], entry["height"]
    if max(width, height) > LARGEST_SIDE:
        raise InputError(f"a picture of {width} by {height} pixels is no metaphase", where=entry["image"])
    quality = entry["quality"]
    objects = [_object(f"c{index}", one, width, height) for index, one in enumerate(entry["chromosomes"])]
    # The more certain homologue stands on the left, as in every karyogram of the house.
    ranked = sorted(range(len(objects)), key=lambda index: (-objects[index].confidence, index))
    place = {index: rank for rank, index in enumerate(ranked)}
    return EditedCell(
        image=entry["image"], width=width, height=height, inverted=entry["inverted"], synthetic=entry["synthetic"],
        quality=Quality(
            score=quality["score"], spread=quality["spread"], overlap=quality["overlap"],
            sharpness=quality["sharpness"], band_level=quality["band_level"],
        ),
        left_out=sum(int(flag["values"].get("objects", 1)) for flag in entry["flags"] if flag["code"] == "left_out"),
        objects=closed_up(replace(one, place=place[index]) for index, one in enumerate(objects)),
    )  # fmt: skip


def _object(id_: str, entry: Mapping[str, Any], width: int, height: int) -> CellObject:
    region = filled([(float(x), float(y)) for x, y in entry["polygon"]], width, height)
    if region is None:
        raise InputError("its outline lies outside of the picture", where=id_)
    xmin, ymin, xmax, ymax = map(float, entry["box"])
    return CellObject(
        id=id_, label=entry["label"], place=0, region=region, box=(xmin, ymin, xmax, ymax),
        confidence=float(entry["confidence"]),
        probabilities=tuple(float(entry["probabilities"][label]) for label in CLASSES),
        angle_deg=float(entry["angle_deg"]), polarity=float(entry["polarity"]), score=float(entry["detection_score"]),
    )  # fmt: skip


def _check(entry: Mapping[str, Any]) -> None:
    schema = case_schema()
    one_cell = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": "#/$defs/cell"}
    try:
        fault = next(iter(Draft202012Validator(one_cell).iter_errors(entry)), None)
    except RecursionError as problem:
        raise InputError("this is no entry of case.json") from problem
    if fault is not None:
        raise InputError(
            "this is no cell of a case.json of schema 1.2", where=fault.json_path[:100],
            way_out="Karyotype the image again with this version.",
        )  # fmt: skip
