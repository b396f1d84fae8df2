"""What the benchmark writes: one JSON file that other documents quote, and one table for people, made from it."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.figures import ASKED, Figure, Section
from consilium.karyotype.models import model_references

Document = dict[str, Any]

_PACKAGES = ("consilium", "numpy", "onnxruntime", "opencv-python-headless", "scipy")


def section_of(section: Section) -> Document:
    """When, where and with what one section was measured, and its tables."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "models": {reference.name: reference.sha256 for reference in model_references()},
        "tables": dict(section.tables),
    }


def machine() -> str:
    """Processor, cores, memory and system; no name of the machine."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line.split(":", 1)[1].strip() for line in information.read_text().splitlines() if "model name" in line]
        processor = names[0] if names else processor
    memory = ""
    if hasattr(os, "sysconf"):
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    return f"{processor}, {os.cpu_count()} cores{memory}, {platform.system()}"


def _figure(figure: Figure, section: str, date: str) -> Document:
    asked = figure.asked
    return {
        "name": figure.key,
        "figure": figure.name,
        "section": section,
        "date": date,
        "meaning": asked.meaning,
        "method": figure.method,
        "subset": figure.subset,
        "value": _number(figure.estimate.value),
        "low": _number(figure.estimate.low),
        "high": _number(figure.estimate.high),
        "n": figure.estimate.n,
        "asked": asked.least,
        "aim": asked.aim,
        "less_is_better": asked.less_is_better,
        "reached": figure.reached if math.isfinite(figure.estimate.value) else None,
        "data": figure.data,
        "note": figure.note,
    }


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def write(path: Path, part: str, sections: Mapping[str, Section]) -> Document:
    """Write the sections into the JSON file, beside those it has, and the table beside it.

    Args:
        path: of the JSON file; the table gets the suffix .md.
        part: "test" or "validation".
        sections: the measured ones, by name.

    Returns:
        The whole document.
    """
    document: Document = {"part": part, "figures": [], "sections": {}}
    if path.exists():
        document = json.loads(path.read_text(encoding="utf-8"))
    document["figures"] = [figure for figure in document["figures"] if figure["section"] not in sections]
    for name, section in sections.items():
        measured = section_of(section)
        document["sections"][name] = measured
        document["figures"] += [_figure(figure, name, measured["date"]) for figure in section.figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    for target, text in (
        (path, json.dumps(document, indent=1, ensure_ascii=False) + "\n"),
        (path.with_suffix(".md"), table(document)),
    ):
        partial = target.with_name(target.name + ".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    return document


def table(document: Document) -> str:
    """The document as Markdown."""
    sections, figures = document["sections"], document["figures"]
    lines = [
        "# Karyotyping: asked and measured",
        "",
        "Written by `python -m benchmarks`; do not edit. Intervals are 95 %, from 1,000 resamplings of the cases",
        "unless the note says otherwise; *n* is the number of cases. A line that is not reached says by how much.",
        "",
    ]
    if document["part"] != "test":
        lines += [f"**Development figures, measured on the {document['part']} part.**", ""]
    if len({json.dumps(section["models"], sort_keys=True) for section in sections.values()}) > 1:
        lines += ["**The sections were not measured with the same models (see the end); measure them again.**", ""]
    lines += ["| figure | asked | aim | measured | n | reached | data and note |", "|---|---|---|---|---|---|---|"]
    lines += [_row(figure) for figure in _selected(figures, method="consilium", subset="all")]
    lines += ["", "## Difficult images, and the classical baseline (Otsu, watershed, the same names)", ""]
    lines += ["| figure | all | difficult | baseline, all | baseline, difficult |", "|---|---|---|---|---|"]
    lines += _comparison(figures)
    lines += _flags(sections.get("naming", {}).get("tables", {}))
    lines += ["", "## How it was measured", ""]
    for name, section in sections.items():
        models = ", ".join(f"{model} {digest[:12]}" for model, digest in section["models"].items())
        lines.append(f"- **{name}**: {section['date']}, {section['machine']}, models {models}")
    lines += ["", "To measure again: `CONSILIUM_DATA=/path/to/data make bench`.", ""]
    return "\n".join(lines)


def _selected(figures: Iterable[Document], *, method: str, subset: str) -> list[Document]:
    order = list(ASKED)
    chosen = [figure for figure in figures if figure["method"] == method and figure["subset"] == subset]
    return sorted(chosen, key=lambda figure: order.index(figure["figure"]))


def _row(figure: Document) -> str:
    reached = {True: "yes", False: f"no, by {_shortfall(figure)}", None: ""}[figure["reached"]]
    sign = "<= " if figure["less_is_better"] else ""
    asked, aim = (f"{sign}{value:g}" if value is not None else "" for value in (figure["asked"], figure["aim"]))
    note = "; ".join(part for part in (figure["data"], figure["note"]) if part)
    return f"| {figure['meaning']} | {asked} | {aim} | {shown(figure)} | {figure['n']} | {reached} | {note} |"


def _shortfall(figure: Document) -> str:
    if figure["value"] is None or figure["asked"] is None:
        return ""
    return f"{abs(figure['value'] - figure['asked']):.4f}"


def shown(figure: Document) -> str:
    """A value with its interval, e.g. "0.9871 (0.9850 to 0.9890)"."""
    if figure["value"] is None:
        return "not defined here"
    digits = 2 if figure["figure"].startswith(("seconds", "memory")) else 4
    value, low, high = ("?" if figure[key] is None else f"{figure[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _comparison(figures: list[Document]) -> list[str]:
    by_key = {(figure["figure"], figure["method"], figure["subset"]): figure for figure in figures}
    columns = [(method, subset) for method in ("consilium", "classical") for subset in ("all", "difficult")]
    lines = []
    for name, asked in ASKED.items():
        cells = [by_key.get((name, *column)) for column in columns]
        if any(cells[1:]):
            lines.append(f"| {asked.meaning} | " + " | ".join(shown(cell) if cell else "" for cell in cells) + " |")
    return lines


def _flags(tables: Document) -> list[str]:
    flags = tables.get("flags_consilium")
    if not flags:
        return []
    lines = ["", "## What the flags catch", ""]
    lines += [
        "| flag | share of all chromosomes | share of the wrong names | caught by it alone |",
        "|---|---|---|---|",
    ]
    for code, row in flags.items():
        shares = f"{row['share_of_all']:.4f} | {row['share_of_wrong']:.4f}"
        lines.append(f"| `{code}` | {shares} | {row['wrong_caught_by_it_alone']} |")
    return lines
