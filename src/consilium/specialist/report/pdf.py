"""The report as PDF/A: the same parts as the HTML, laid out by Typst from `report.typ`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from consilium.specialist.report.html import thumbnail
from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import Figure, Gallery, Part, Section, Table, Text, plain
from consilium.specialist.report.verdict import Verdict
from consilium.specialist.report.wording import NOT_A_DEVICE
from consilium.typesetting.pdf import LATIN, compiled, families_in, fonts_beside, typst_module


def report_pdf(matter: Matter, verdict: Verdict, sections: Sequence[Section], *, chinese: Path | None) -> bytes:
    """Lay out a report.

    Returns:
        A PDF file, the same for the same report and fonts.

    Raises:
        MissingExtra: Typst is not installed.
        MissingFont: no font has a letter of the report.
        OutputError: Typst failed otherwise.
    """
    typst_module()
    with tempfile.TemporaryDirectory(prefix="consilium-report-") as name:
        folder = Path(name)
        fonts = fonts_beside(folder, chinese)
        families = families_in(fonts)
        data = _data(matter, verdict)
        data["fonts"] = [*families, LATIN] if matter.lang == "zh" else [LATIN, *families]
        data["sections"] = [{"title": section.title, "parts": list(_laid(section, folder))} for section in sections]
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        (folder / "report.typ").write_bytes(_template())
        return compiled(folder / "report.typ", fonts, created=matter.facts.created, chinese=chinese is not None)


def _template() -> bytes:
    return resources.files("consilium.specialist.report").joinpath("report.typ").read_bytes()


def _laid(section: Section, folder: Path) -> Iterator[dict[str, Any]]:
    """Parts as JSON values; drawings and pictures are written into the folder."""
    for place, part in enumerate(section.parts):
        yield laid(part, f"{section.key}-{place}", folder)


def laid(part: Part, key: str, folder: Path) -> dict[str, Any]:
    """A part as JSON values for a template of Typst.

    Args:
        part: of any kind.
        key: begins the names of its drawings and pictures.
        folder: where these are written.
    """
    match part:
        case Text():
            return {"is": "text", "kind": part.kind, "text": part.text}
        case Table():
            return {"is": "table", "columns": part.columns, "rows": part.rows, "widths": part.widths}
        case Figure():
            (folder / f"{key}.svg").write_text(part.svg, encoding="utf-8")
            return {"is": "figure", "file": f"{key}.svg", "caption": part.caption, "width": part.width}
        case Gallery():
            tiles = []
            for number, tile in enumerate(part.tiles):
                file = ""
                if tile.picture is not None:
                    file = f"{key}-{number}.png"
                    (folder / file).write_bytes(thumbnail(tile.picture))
                tiles.append({"file": file, "title": tile.title, "lines": tile.lines})
            return {"is": "gallery", "tiles": tiles}


def _data(matter: Matter, verdict: Verdict) -> dict[str, Any]:
    t, facts = matter.t, matter.facts
    moment = datetime.fromisoformat(facts.created)
    return {
        "lang": matter.lang,
        "title": t("How good is this specialist?", "专科模型验证报告"),
        "name": plain(facts.name),
        "made": f"{plain(facts.version)} · {facts.created} · Consilium {facts.consilium_version}",
        "notice": t(*NOT_A_DEVICE),
        "moment": [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second],
        "page": t("Page {page} of {pages}", "第 {page} 页，共 {pages} 页"),
        "contents": t("Contents", "目录"),
        "verdict": {
            "title": t("Verdict", "结论"),
            "doubt": verdict.grade not in {"fair", "good", "very good"},
            "headline": verdict.headline,
            "parts": [
                [t("How good", "有多好"), verdict.how_good],
                [t("How sure", "有多确定"), verdict.how_sure],
                [t("What next", "下一步"), verdict.next],
            ],
            "not_for": [t("What it may not be used for", "不得用于"), list(verdict.not_for)],
        },
    }
