"""A few pages of an alliance's figures as PDF/A: paragraphs, tables, drawings, laid out by Typst (`sheet.typ`)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Literal

from consilium.specialist.report.parts import Figure, Table, Text
from consilium.specialist.report.pdf import laid
from consilium.typesetting.pdf import LATIN, compiled, families_in, fonts_beside, typst_module

Part = Text | Table | Figure
Language = Literal["zh", "en"]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What stands on the pages.

    Attributes:
        lang: of the text.
        title, subtitle: of the whole.
        notice: at the foot of each page.
        parts: one after the other; in a table, columns whose width is negative are numbers.
    """

    lang: Language
    title: str
    subtitle: str
    notice: str
    parts: Sequence[Part]


def sheet_pdf(sheet: Sheet, *, chinese: Path | None, created: str) -> bytes:
    """Lay out a sheet.

    Args:
        sheet: what stands on it.
        chinese: a font file with Chinese; None where there is none.
        created: ISO 8601, stamped into the file.

    Returns:
        A PDF file, the same for the same sheet and fonts.

    Raises:
        MissingExtra: Typst is not installed.
        MissingFont: no font has a letter of the sheet.
        OutputError: Typst failed otherwise.
    """
    typst_module()
    with tempfile.TemporaryDirectory(prefix="consilium-sheet-") as name:
        folder = Path(name)
        fonts = fonts_beside(folder, chinese)
        families = families_in(fonts)
        moment = datetime.fromisoformat(created)
        data = {
            "lang": sheet.lang, "title": sheet.title, "subtitle": sheet.subtitle, "notice": sheet.notice,
            "fonts": [*families, LATIN] if sheet.lang == "zh" else [LATIN, *families],
            "page": "第 {page} 页，共 {pages} 页" if sheet.lang == "zh" else "Page {page} of {pages}",
            "moment": [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second],
            "parts": [laid(part, f"part-{place}", folder) for place, part in enumerate(sheet.parts)],
        }  # fmt: skip
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        template = folder / "sheet.typ"
        template.write_bytes(resources.files("consilium.alliance.compute").joinpath("sheet.typ").read_bytes())
        return compiled(template, fonts, created=created, chinese=chinese is not None)
