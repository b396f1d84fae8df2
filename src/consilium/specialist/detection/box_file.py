"""Boxes as people hand them in: Pascal VOC (XML), COCO (JSON), the JSON that `predict` writes, and tables (CSV).

Files come from strangers: nothing in one may expand, recurse or reserve memory before it was looked at. XML with a
document type is refused, which is where entity bombs and references to other files live.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from consilium.errors import UnusableDataset

MAX_BYTES = 128 << 20
MAX_BOXES = 100_000
"""Boxes of one picture."""
_DEEPEST = 32
_LARGEST = 1e7
"""Pixels; no picture that is read is wider."""
_EDGES = ("xmin", "ymin", "xmax", "ymax")
_WAY_OUT = "Write Pascal VOC XML, COCO JSON, or a table with columns label, xmin, ymin, xmax, ymax."


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedBox:
    """One box as a file has it.

    Attributes:
        label: of what is in it.
        corners: left, top, right, bottom, pixels; edges (VOC's pixel numbers from 1 are turned into them).
        size: rows and columns of the picture that the file tells; None where it does not.
    """

    label: str
    corners: tuple[float, float, float, float]
    size: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class BoxFile:
    """What is in a file of boxes.

    Attributes:
        pictures: the boxes of each picture by its file name; the name "" where the file speaks of one picture only.
    """

    pictures: Mapping[str, tuple[NamedBox, ...]]

    def of(self, picture: Path) -> tuple[NamedBox, ...] | None:
        """The boxes of a picture, None where the file does not know it; the ending of its name does not count."""
        if set(self.pictures) == {""}:
            return self.pictures[""]
        named = self.pictures.get(picture.name)
        if named is not None:
            return named
        alike = [name for name in self.pictures if PurePosixPath(name).stem == picture.stem]
        return self.pictures[alike[0]] if len(alike) == 1 else None


def read_box_file(path: Path) -> BoxFile:
    """Read a file of boxes; its ending says which kind it is.

    Raises:
        UnusableDataset: there is no such file, it is damaged, hostile, too large, or holds what is no box.
    """
    where = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UnusableDataset(
                f"it has {path.stat().st_size >> 20} MiB; at most {MAX_BYTES >> 20} are read",
                where=where,
                way_out="Write one file a picture.",
            )
        content = path.read_bytes()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise UnusableDataset(
            f"the boxes cannot be read ({reason})", where=where, way_out="Check the name."
        ) from problem
    kind = path.suffix.lower()
    if kind not in (".xml", ".json", ".csv"):
        raise UnusableDataset(f"boxes do not come as {kind or 'a file without ending'}", where=where, way_out=_WAY_OUT)
    try:
        found = {".xml": _voc, ".json": _json, ".csv": _table}[kind](content)
    except _Unfit as problem:
        raise UnusableDataset(str(problem), where=where, way_out=_WAY_OUT) from problem
    for boxes in found.values():
        if len(boxes) > MAX_BOXES:
            raise UnusableDataset(
                f"{len(boxes)} boxes are in one picture; at most {MAX_BOXES} are read", where=where, way_out=_WAY_OUT
            )
    return BoxFile(pictures={name: tuple(boxes) for name, boxes in found.items()})


class _Unfit(Exception):
    """What a file says cannot be taken for boxes; the message says why."""


def _number(told: object, name: str) -> float:
    """A finite number of a sensible size."""
    try:
        value = float(str(told).strip())
    except ValueError:
        value = math.nan
    # float() knows "1_0" and truth values are numbers to it; a table or document means neither.
    if isinstance(told, bool) or "_" in str(told) or not abs(value) <= _LARGEST:
        raise _Unfit(f"{name} is {str(told)[:40]!r}, no number of pixels")
    return value


def _label(told: object) -> str:
    label = str(told if told is not None else "").strip()
    if not label or len(label) > 200 or not label.isprintable():
        raise _Unfit(f"a box has the label {label[:40]!r}")
    return label


def _ordered(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    if right < left or bottom < top:
        raise _Unfit(f"a box ends before it begins: {left:g}, {top:g} to {right:g}, {bottom:g}")
    return left, top, right, bottom


def _voc(content: bytes) -> dict[str, list[NamedBox]]:
    _refuse_hostile(content)
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as problem:
        raise _Unfit(f"it is no proper XML ({problem})") from problem
    if root.tag != "annotation":
        raise _Unfit(f"it begins with <{root.tag[:40]}>; Pascal VOC begins with <annotation>")
    rows, columns = (root.findtext(f"size/{name}") for name in ("height", "width"))
    size = None
    if rows and columns:
        size = int(_number(rows, "height")), int(_number(columns, "width"))
        # Some programmes write 0 where they did not look.
        size = size if min(size) > 0 else None
    boxes = []
    for thing in root.findall("object"):
        edges = [_number(thing.findtext(f"bndbox/{name}"), name) for name in _EDGES]
        left, top, right, bottom = _ordered(*edges)
        # VOC counts pixels from 1 and names the last one that belongs to the box.
        boxes.append(
            NamedBox(label=_label(thing.findtext("name")), corners=(left - 1, top - 1, right, bottom), size=size)
        )
    return {"": boxes}


def _refuse_hostile(content: bytes) -> None:
    """Look through XML without building anything: no document type, no great depth."""
    depth = 0

    def document_type(*_: object) -> None:
        raise _Unfit("it has a document type (DOCTYPE), which boxes do not need and which could do harm")

    def start(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise _Unfit(f"its elements lie more than {_DEEPEST} deep")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = document_type
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as problem:
        raise _Unfit(f"it is no proper XML ({problem})") from problem


def _json(content: bytes) -> dict[str, list[NamedBox]]:
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as problem:
        raise _Unfit(f"it is no proper JSON ({str(problem)[:80]})") from problem
    if isinstance(document, dict) and "annotations" in document:
        return _coco(document)
    # "found" is what `predict` writes.
    boxes = document.get("boxes", document.get("found")) if isinstance(document, dict) else None
    if not isinstance(boxes, list):
        raise _Unfit('it is neither COCO ("images", "annotations", "categories") nor an object with "boxes" or "found"')
    return {"": [_plain(one) for one in boxes]}


def _plain(one: object) -> NamedBox:
    if not isinstance(one, dict) or not isinstance(one.get("box"), list) or len(one["box"]) != 4:
        raise _Unfit('each of "boxes" has to be {"label": ..., "box": [left, top, right, bottom]}')
    edges = [_number(told, name) for told, name in zip(one["box"], _EDGES, strict=True)]
    return NamedBox(label=_label(one.get("label")), corners=_ordered(*edges))


def _coco(document: Mapping[str, Any]) -> dict[str, list[NamedBox]]:
    names = {_key(one): _label(one.get("name")) for one in _rows(document, "categories")}
    images: dict[object, tuple[str, tuple[int, int] | None]] = {}
    for one in _rows(document, "images"):
        name = PurePosixPath(str(one.get("file_name", "")).replace("\\", "/")).name
        if not name:
            raise _Unfit('one of "images" has no "file_name"')
        size = None
        if one.get("height") and one.get("width"):
            size = int(_number(one["height"], "height")), int(_number(one["width"], "width"))
        images[_key(one)] = name, size
    found: dict[str, list[NamedBox]] = {name: [] for name, _ in images.values()}
    if len(found) < len(images):
        raise _Unfit('two of "images" have the same file name')
    for one in _rows(document, "annotations"):
        image, category, box = one.get("image_id"), one.get("category_id"), one.get("bbox")
        if not isinstance(image, int | str) or image not in images:
            raise _Unfit(f"an annotation is of the image {str(image)[:40]!r}, which is not listed")
        if not isinstance(category, int | str) or category not in names:
            raise _Unfit(f"an annotation is of the category {str(category)[:40]!r}, which is not listed")
        if not isinstance(box, list) or len(box) != 4:
            raise _Unfit('a "bbox" is not [left, top, width, height]')
        left, top, width, height = (_number(told, "bbox") for told in box)
        name, size = images[image]
        corners = _ordered(left, top, left + width, top + height)
        found[name].append(NamedBox(label=names[category], corners=corners, size=size))
    return found


def _key(one: Mapping[str, Any]) -> int | str:
    key = one.get("id")
    if not isinstance(key, int | str):
        raise _Unfit('an entry has no "id"')
    return key


def _rows(document: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    rows = document.get(name)
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise _Unfit(f'"{name}" is not a list of objects')
    yield from rows


def _table(content: bytes) -> dict[str, list[NamedBox]]:
    try:
        text = content.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        heads = list(reader.fieldnames or ())
        lines = list(reader)
    except (UnicodeDecodeError, csv.Error) as problem:
        raise _Unfit(f"it is no proper CSV table ({problem})") from problem
    _refuse_columns(heads)
    found: dict[str, list[NamedBox]] = {} if "file" in heads else {"": []}
    for line in lines:
        if None in line or None in line.values():
            raise _Unfit("a line has another number of fields than the first")
        name = PurePosixPath(line.get("file", "").replace("\\", "/")).name
        boxes = found.setdefault(name, [])
        if "file" in heads and not any(line[edge].strip() for edge in _EDGES):
            # A line without a box says that nothing is in that picture.
            continue
        edges = [_number(line[edge], edge) for edge in _EDGES]
        boxes.append(NamedBox(label=_label(line["label"]), corners=_ordered(*edges)))
    return found


def _refuse_columns(heads: Sequence[str]) -> None:
    missing = [name for name in ("label", *_EDGES) if name not in heads]
    if missing:
        raise _Unfit(f"there is no column {missing[0]!r}")
