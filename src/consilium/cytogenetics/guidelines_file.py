"""The form of a guidelines file: what may stand in it, and how it is read and checked.

`guidelines.json` beside this module is the one that comes with the package. A laboratory copies it, puts in its own
figures and sources, and loads that; `guidelines` says what a case still lacks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from consilium.errors import InputError

Kind = Literal["guideline", "laboratory", "teaching", "study"]
Unit = Literal["days", "working days"]

FIGURES = (
    "counted",
    "analysed",
    "karyotyped",
    "band_level",
    "cultures",
    "mosaic_count",
    "mosaic_count_at_most",
    "colonies",
    "cells_per_colony_at_most",
    "turnaround_days",
    "urgent_turnaround_days",
)
"""What may be asked of a specimen."""

_LARGEST = 100_000
_TIMES = ("turnaround_days", "urgent_turnaround_days")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a figure is from.

    Attributes:
        title: what it is.
        kind: "guideline" binds most, "laboratory" is what one publishes for itself, "teaching" and "study" inform.
        where: where it can be read.
    """

    title: str
    kind: Kind
    where: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A number that is asked for, and who asks; `unit` counts for the turnaround alone."""

    figure: int
    source: Source
    unit: Unit = "days"


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """What is asked of one kind of specimen; None where no source gives a figure.

    Attributes:
        specimen: its key, e.g. "amniotic_in_situ".
        name, name_zh: in English and Chinese.
        counted, analysed, karyotyped: cells, at least.
        band_level: bands per haploid set, at least.
        cultures: independent cultures, at least.
        mosaic_count: to how many cells the count is extended where mosaicism is suspected, at least.
        mosaic_count_at_most: to how many it is extended at most.
        colonies: colonies, at least.
        cells_per_colony_at_most: counted cells from one colony, at most.
        turnaround_days, urgent_turnaround_days: until the report, at most.
    """

    specimen: str
    name: str
    name_zh: str
    counted: Figure | None
    analysed: Figure | None
    karyotyped: Figure | None
    band_level: Figure | None
    cultures: Figure | None
    mosaic_count: Figure | None
    mosaic_count_at_most: Figure | None
    colonies: Figure | None
    cells_per_colony_at_most: Figure | None
    turnaround_days: Figure | None
    urgent_turnaround_days: Figure | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A rule that is no number."""

    text: str
    text_zh: str
    source: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Guidelines:
    """A set of requirements.

    Attributes:
        name: whose they are.
        specimens: requirements by specimen.
        notes: rules that are no numbers.
    """

    name: str
    specimens: Mapping[str, Requirement]
    notes: tuple[Note, ...]


def load(path: Path | None = None) -> Guidelines:
    """Read a laboratory's guidelines, or those that come with the package.

    Args:
        path: a JSON file of the form of `guidelines.json`; the package's own when left out.

    Raises:
        InputError: the file cannot be read, is no JSON, or says something that is no guideline: it names the place.
    """
    if path is None:
        return _own()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as broken:
        raise InputError(
            f"the guidelines cannot be read: {broken}", where=str(path), way_out="Give a JSON file in UTF-8."
        ) from None
    return _read(text, str(path))


@cache
def _own() -> Guidelines:
    text = resources.files("consilium.cytogenetics").joinpath("guidelines.json").read_text(encoding="utf-8")
    return _read(text, "guidelines.json")


def _read(text: str, where: str) -> Guidelines:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for index, (key, _) in enumerate(pairs) if key in dict(pairs[:index]))
            raise InputError(f"{twice!r} stands there twice", where=where, way_out="Leave one of the two.")
        return found

    try:
        table = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as broken:
        raise InputError(
            f"this is no JSON: {broken}", where=where, way_out="Start from a copy of the guidelines.json of Consilium."
        ) from None
    place = _Place(where=where, path="")
    top = place.members(table, needed=("name", "sources", "specimens"), allowed=("about", "notes"))
    sources = {
        key: _source(one, place.inner(f"sources.{key}"))
        for key, one in place.inner("sources").named(top["sources"]).items()
    }
    specimens = {
        key: _requirement(key, one, sources, place.inner(f"specimens.{key}"))
        for key, one in place.inner("specimens").named(top["specimens"]).items()
    }
    if not specimens:
        raise place.inner("specimens").error("names no specimen", "Give at least one.")
    notes = top.get("notes", [])
    if not isinstance(notes, list):
        raise place.inner("notes").error("is no list", "Put the notes into square brackets.")
    return Guidelines(
        name=place.inner("name").text(top["name"]),
        specimens=MappingProxyType(specimens),
        notes=tuple(_note(one, sources, place.inner(f"notes[{index}]")) for index, one in enumerate(notes)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where in a file something stands, so that an error can name it."""

    where: str
    path: str

    def inner(self, path: str) -> _Place:
        return _Place(where=self.where, path=f"{self.path}.{path}" if self.path else path)

    def error(self, what: str, way_out: str) -> InputError:
        return InputError(f"{self.path or 'the file'} {what}", where=self.where, way_out=way_out)

    def named(self, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error("is no object", "Put names and values into braces.")
        return value

    def members(self, value: object, *, needed: Sequence[str], allowed: Sequence[str] = ()) -> dict[str, Any]:
        found = self.named(value)
        for key in needed:
            if key not in found:
                raise self.error(f"lacks {key!r}", f"It needs {', '.join(needed)}.")
        for key in found:
            if key not in (*needed, *allowed):
                raise self.error(f"has {key!r}, which is unknown", f"Known are {', '.join((*needed, *allowed))}.")
        return found

    def text(self, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.error("is no text", "Give some words in quotation marks.")
        return value

    def one_of(self, value: object, known: Sequence[str]) -> str:
        if value not in known:
            raise self.error(f"is {value!r}", f"Known are {', '.join(known)}.")
        return str(value)


def _source(value: object, place: _Place) -> Source:
    found = place.members(value, needed=("title", "kind", "where"))
    kind: Any = place.inner("kind").one_of(found["kind"], get_args(Kind))
    return Source(
        title=place.inner("title").text(found["title"]), kind=kind, where=place.inner("where").text(found["where"])
    )


def _known_source(key: object, sources: Mapping[str, Source], place: _Place) -> Source:
    return sources[place.one_of(key, tuple(sources))]


def _note(value: object, sources: Mapping[str, Source], place: _Place) -> Note:
    found = place.members(value, needed=("text", "text_zh", "source"))
    return Note(
        text=place.inner("text").text(found["text"]),
        text_zh=place.inner("text_zh").text(found["text_zh"]),
        source=_known_source(found["source"], sources, place.inner("source")),
    )


def _figure(key: str, value: object, sources: Mapping[str, Source], place: _Place) -> Figure | None:
    if value is None:
        return None
    found = place.members(value, needed=("figure", "source"), allowed=("unit",) if key in _TIMES else ())
    number = found["figure"]
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= _LARGEST:
        raise place.inner("figure").error(
            f"is {str(number)[:40]}", f"Give a whole number from 1 to {_LARGEST:,}, or null for the whole entry."
        )
    unit: Any = place.inner("unit").one_of(found.get("unit", "days"), get_args(Unit))
    return Figure(figure=number, source=_known_source(found["source"], sources, place.inner("source")), unit=unit)


def _requirement(specimen: str, value: object, sources: Mapping[str, Source], place: _Place) -> Requirement:
    found = place.members(value, needed=("name", "name_zh"), allowed=FIGURES)
    figures = {key: _figure(key, found.get(key), sources, place.inner(key)) for key in FIGURES}
    for fewer, more in (
        ("analysed", "counted"),
        ("karyotyped", "counted"),
        ("counted", "mosaic_count"),
        ("mosaic_count", "mosaic_count_at_most"),
    ):
        low, high = figures[fewer], figures[more]
        if low is not None and high is not None and low.figure > high.figure:
            raise place.error(
                f"asks for {fewer} {low.figure} and {more} {high.figure}", f"{more} cannot be below {fewer}."
            )
    return Requirement(
        specimen=specimen,
        name=place.inner("name").text(found["name"]),
        name_zh=place.inner("name_zh").text(found["name_zh"]),
        **figures,
    )
