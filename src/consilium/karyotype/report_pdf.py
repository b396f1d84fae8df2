"""The report that a physician signs, as PDF: typeset by Typst from `report.typ`, in Chinese or English, always a draft.

What is known of a case goes into the template as data, a JSON file beside it, and is never pasted into its text: a name
with `#` or `]` in it comes out as it is. The file is PDF/A-2u, for archives; that standard also refuses a letter that
no font has, which else would be an empty box in a patient's name.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from consilium.errors import MissingFont
from consilium.karyotype.karyogram_svg import png_bytes
from consilium.karyotype.record import Record
from consilium.karyotype.report_suspects import ShownSuspect, worth
from consilium.karyotype.report_tables import (
    appendix_tables,
    cell_numbers,
    findings_tables,
    identity_rows,
    method_tables,
)
from consilium.karyotype.report_wording import conclusion_words, report_words
from consilium.karyotype.wording import LANGUAGES, Language, phrase
from consilium.typesetting.fonts import FONT_WAY_OUT, find_chinese_font, usual_font_folders
from consilium.typesetting.pdf import LATIN, compiled, families_in, fonts_beside, typst_module

MOST_KARYOGRAMS = 4
"""Pages of karyograms: of more lines than these the HTML report shows them."""

FINER = 3
"""Pixels of the PDF in a row of one of a chromosome's picture."""


def report_pdf(
    record: Record,
    karyograms: Mapping[str, bytes],
    lang: Language,
    *,
    suspects: Sequence[ShownSuspect] = (),
    font_folders: Iterable[Path] | None = None,
    scratch: Path | None = None,
) -> bytes:
    """Typeset the report of a case.

    Args:
        record: the case (`case_record`).
        karyograms: image name to the PNG file of that cell's karyogram; of each line the best cell is needed.
        lang: language of the report and of `record`.
        suspects: the chromosomes that look structurally changed (`shown_suspects`).
        font_folders: where to look for a Chinese font; the platform's folders when left out.
        scratch: a folder in which what Typst reads lies for a moment, patient's name and all; the system's folder for
            temporary files when left out.

    Returns:
        A PDF file; the same for the same record, karyograms and fonts.

    Raises:
        MissingFont: no font has the letters of the report: Chinese without a Chinese font, or a rare letter.
        MissingExtra: Typst is not installed.
        OutputError: Typst failed otherwise.
        KeyError: a line's best cell has no karyogram.
    """
    typst_module()
    chinese = find_chinese_font(usual_font_folders() if font_folders is None else font_folders)
    if chinese is None and lang == "zh":
        raise MissingFont("no font with Chinese characters was found", way_out=FONT_WAY_OUT)
    with tempfile.TemporaryDirectory(prefix="consilium-report-", dir=scratch) as name:
        folder = Path(name)
        fonts = fonts_beside(folder, chinese)
        families = families_in(fonts)
        pages = _karyogram_pages(record, lang)
        for number, (image, _, _) in enumerate(pages):
            (folder / f"karyogram-{number}.png").write_bytes(karyograms[image])
        data = _data(record, lang)
        data["fonts"] = [*families, LATIN] if lang == "zh" else [LATIN, *families]
        data["karyograms"] = [
            {"file": f"karyogram-{number}.png", "caption": caption, "note": note}
            for number, (_, caption, note) in enumerate(pages)
        ]
        data["suspected"] = _suspected(suspects, folder, lang)
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        (folder / "report.typ").write_bytes(_template())
        return compiled(folder / "report.typ", fonts, created=record["created"], chinese=chinese is not None)


def _template() -> bytes:
    return resources.files("consilium.karyotype").joinpath("report.typ").read_bytes()


def _karyogram_pages(record: Record, lang: Language) -> list[tuple[str, str, str]]:
    """Image, caption and note of each page: the best cell of every line, as far as `MOST_KARYOGRAMS` goes."""
    words, numbers = conclusion_words(lang), cell_numbers(record)
    aside = {one["image"] for one in record["conclusion"]["set_aside"]}
    withheld = record["conclusion"]["disclosed"]["sex"] != "stated"
    karyotypes = {cell["image"]: cell["karyotype"] for cell in record["cells"]}
    pages = []
    for line in record["conclusion"]["lines"][:MOST_KARYOGRAMS]:
        image = line["cells"][0]
        caption = words["best_cell"].format(line=line["iscn"], number=numbers[image], cells=len(line["cells"]))
        # Without the sex there is no list of what was set aside: the strings tell as much.
        differs = karyotypes[image] != line["iscn"].split("[")[0] if withheld else image in aside
        note = words["differs_from_line"].format(karyotype=karyotypes[image]) if differs else ""
        pages.append((image, caption, note))
    return pages


def _suspected(suspects: Sequence[ShownSuspect], folder: Path, lang: Language) -> dict[str, Any]:
    """The section of suspected chromosomes; their pictures are written into the folder."""
    words = report_words(lang)
    shown = []
    for place, suspect in enumerate(suspects):
        drawing = f"ideogram-{place}.svg"
        (folder / drawing).write_text(suspect.ideogram, encoding="utf-8")
        cells = []
        for cell in suspect.cells:
            named = {"chromosome": suspect.chromosome, "number": cell.number}
            pictures = []
            for which, pixels in (("own", cell.own), ("other", cell.other)):
                if pixels is None:
                    continue
                file = f"suspect-{place}-{cell.number}-{which}.png"
                (folder / file).write_bytes(png_bytes(_fine(pixels)))
                pictures.append({"file": file, "height": pixels.shape[0], "width": pixels.shape[1]})
            cells.append(
                {
                    "title": words["suspected_cell"].format(**named),
                    "alt": words["suspected_pictures"].format(**named),
                    "pictures": pictures,
                    "at": cell.row + 0.5,
                    "lone": words["no_partner"] if cell.other is None else "",
                    "kinds": cell.kinds,
                }
            )
        shown.append(
            {
                "reason": suspect.reason,
                "facts": suspect.facts,
                "note": suspect.note,
                "ideogram": {"file": drawing, "title": words["ideogram"]},
                "cells": cells,
            }
        )
    notes = [worth(lang), f"{words['suspected_note']} {words['display_aid']}"] if suspects else []
    return {"title": words["suspected"], "notes": notes, "items": shown}


def _fine(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture with more pixels, (H, W) uint8: PDF/A forbids a reader to smooth an image, and squares hide bands."""
    size = (pixels.shape[1] * FINER, pixels.shape[0] * FINER)
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BICUBIC), np.uint8)


def _data(record: Record, lang: Language) -> dict[str, Any]:
    """Everything that stands in the report, in its words; the template only lays it out."""
    words, said = conclusion_words(lang), record["conclusion"]
    told = said["request"]["identifiers"]
    synthetic = any(cell["synthetic"] for cell in record["cells"])
    heads = [told.get(key, "") for key in ("case_number", "patient_name", "patient_id")]
    moment = datetime.fromisoformat(record["created"])
    return {
        "lang": lang,
        "title": report_words(lang)["title"],
        "case": record["name"],
        "laboratory": told.get("laboratory", ""),
        "head": " · ".join([one for one in heads if one] or [record["name"]]),
        "draft": words["draft"],
        "watermark": " ".join(dict.fromkeys([words["draft"], "DRAFT"])),
        "draft_note": words["draft_note"],
        "synthetic": " · ".join(dict.fromkeys([phrase("synthetic", lang), phrase("synthetic", "en")]))
        if synthetic
        else "",
        "made": f"Consilium {record['consilium_version']} · {report_words(lang)['created']} {record['created']}",
        "moment": [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second],
        "page": words["page"],
        "notice": " ".join(phrase("prompt", one) for one in sorted(LANGUAGES, key=lambda one: one != lang)[:1]),
        "identity": identity_rows(record, lang),
        "iscn_title": words["iscn"].format(edition=said["iscn_edition"]),
        "iscn": said["iscn"],
        "no_iscn": words["no_iscn"],
        "attention": {"title": words["attention"], "items": [one["reason"] for one in said["attention"]]},
        "interpretation": {"title": words["interpretation"], "items": said["interpretation"]},
        "findings": [table.plain() for table in findings_tables(record, lang)],
        "method": [table.plain() for table in method_tables(record, lang)],
        "limitations": {"title": words["limitations"], "items": said["limitations"]},
        "signature": {
            "title": words["signature"],
            "columns": [words["name"], words["date"], words["sign_here"]],
            "rows": [words["analysed_by"], words["signed_by"]],
        },
        "more_lines": words["more_lines"].format(
            lines=", ".join(one["iscn"] for one in said["lines"][MOST_KARYOGRAMS:])
        )
        if len(said["lines"]) > MOST_KARYOGRAMS
        else "",
        "appendix": [table.plain() for table in appendix_tables(record, lang)],
        "reasoning": {"title": words["reasoning"], "items": said["reasoning"]},
    }
