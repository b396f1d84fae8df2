"""The report of a specialist: HTML, PDF and JSON, in Chinese or English. The verdict comes first, then the evidence.

Both papers lay out the same parts, and nothing is computed for one alone. A report that would lack a mandatory item
(`items.py`) is not written at all.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import MissingExtra, MissingFont, OutputError
from consilium.specialist.evidence.validation import as_document
from consilium.specialist.report.card import checklists
from consilium.specialist.report.chapters import chapters_of
from consilium.specialist.report.facts import ModelFacts
from consilium.specialist.report.html import report_html
from consilium.specialist.report.items import checked_document, mandatory_items
from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import Section, Text
from consilium.specialist.report.pdf import report_pdf
from consilium.specialist.report.plots import Pen
from consilium.specialist.report.verdict import Verdict
from consilium.specialist.report.wording import Language
from consilium.typesetting.fonts import FONT_WAY_OUT, find_chinese_font, usual_font_folders

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report before it is laid out.

    Attributes:
        matter: what it is written from.
        verdict: what comes first.
        sections: one a mandatory item, in order.
    """

    matter: Matter
    verdict: Verdict
    sections: tuple[Section, ...]


def report(
    validation: DataclassInstance | Mapping[str, Any],
    facts: ModelFacts,
    lang: Language,
    *,
    pictures: Mapping[int, NDArray[np.uint8]] | None = None,
    chinese: Path | None = None,
) -> Report:
    """Write down all that is to be said; arguments and errors as of `matter_of`."""
    matter = matter_of(validation, facts, lang, pictures=pictures, chinese=chinese)
    verdict = chapters_of(matter.said["task"]).verdict(matter)
    return Report(matter=matter, verdict=verdict, sections=tuple(_sections(matter)))


def matter_of(
    validation: DataclassInstance | Mapping[str, Any],
    facts: ModelFacts,
    lang: Language,
    *,
    pictures: Mapping[int, NDArray[np.uint8]] | None = None,
    chinese: Path | None = None,
) -> Matter:
    """Hold validation and facts to each other and to the list of what must be told.

    Args:
        validation: of the model, or its JSON values (`validation.as_document`).
        facts: of the model, made in the same fit.
        lang: of the report.
        pictures: of cases by number, (h, w) or (h, w, 3) uint8; where one is not at hand, its place says so.
        chinese: a font with Chinese, for the drawings.

    Raises:
        ModelError: validation and facts do not belong together, or a mandatory item cannot be told.
        MissingExtra: matplotlib is not installed.
        MissingFont: a name has a letter that no font has.
    """
    document = validation if isinstance(validation, Mapping) else as_document(validation)
    chapters = chapters_of(str(document.get("task")))
    said = checked_document(document, chapters.form)
    matter = Matter(
        said=said,
        facts=facts,
        items=mandatory_items(said, facts, chapters.lacking),
        lang=lang,
        pen=Pen(chinese),
        pictures=pictures or {},
    )
    chapters.refuse_strangers(matter)
    return matter


def _sections(matter: Matter) -> list[Section]:
    t = matter.t
    writers = chapters_of(matter.said["task"]).writers
    found = []
    for item in matter.items:
        if item.status == "given":
            parts = writers[item.key](matter)
        else:
            heads = {
                "not applicable": t("Not applicable", "不适用"),
                "not made": t("Not made for this kind of task", "此类任务未做"),
                "not enough cases": t("Not given", "不给出"),
                "left out": t("Left out by the maker", "制作者未做"),
            }
            parts = (Text(text=f"{heads[item.status]}{t(': ', '：')}{t(*item.reason)}{t('.', '。')}"),)
        found.append(Section(key=item.key, title=f"{item.number}. {t(*item.title)}", parts=parts))
    return found


def write_report(
    validation: DataclassInstance | Mapping[str, Any],
    facts: ModelFacts,
    folder: Path,
    lang: Language,
    *,
    pictures: Mapping[int, NDArray[np.uint8]] | None = None,
    pdf: bool = True,
    on_note: Callable[[str], None] = lambda _note: None,
) -> list[Path]:
    """Write report.html, report.pdf and report.json; all of them or none.

    Where Typst is not installed, the PDF is left out with a note, and the other two are written.

    Args:
        validation: as of `report`.
        facts: as of `report`.
        lang: as of `report`.
        pictures: as of `report`.
        folder: made if it is not there; reports in it are overwritten.
        pdf: whether the PDF is wanted.
        on_note: called with why there is no PDF.

    Returns:
        The files.

    Raises:
        ModelError: a mandatory item cannot be told, or facts and validation are of different fits.
        MissingExtra: matplotlib is not installed.
        MissingFont: there is no Chinese font for a Chinese report, or a name has a letter that no font has.
        OutputError: the folder cannot be written.
    """
    chinese = find_chinese_font(usual_font_folders())
    if chinese is None and lang == "zh":
        raise MissingFont("no font with Chinese characters was found", way_out=FONT_WAY_OUT)
    told = report(validation, facts, lang, pictures=pictures, chinese=chinese)
    made: dict[str, bytes] = {"report.html": report_html(told.matter, told.verdict, told.sections).encode("utf-8")}
    if pdf:
        try:
            made["report.pdf"] = report_pdf(told.matter, told.verdict, told.sections, chinese=chinese)
        except MissingExtra as problem:
            on_note(f"there is no PDF report: {problem}")
    made["report.json"] = (json.dumps(as_record(told), ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".report-", dir=folder) as scratch:
            for name, data in made.items():
                (Path(scratch) / name).write_bytes(data)
            return [(Path(scratch) / name).replace(folder / name) for name in made]
    except OSError as problem:
        raise OutputError(
            f"the report cannot be written ({problem.strerror})", where=str(folder), way_out="Name another folder."
        ) from problem


def as_record(told: Report) -> dict[str, Any]:
    """What report.json holds: verdict, items, checklists, facts and the whole validation."""
    matter = told.matter
    facts = asdict(matter.facts)
    return {
        "format": "consilium specialist report 1",
        "language": matter.lang,
        "report_version": version("consilium"),
        "verdict": asdict(told.verdict),
        "items": [
            {"number": one.number, "section": one.key, "title": matter.t(*one.title), "status": one.status,
             "reason": matter.t(*one.reason)}
            for one in matter.items
        ],
        "checklists": [asdict(one) for one in checklists(matter)],
        "facts": facts,
        "validation": dict(matter.said),
    }  # fmt: skip
