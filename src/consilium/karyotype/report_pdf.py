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
from typing import TYPE_CHECKING, Any

from consilium.errors import MissingExtra, MissingFont, OutputError
from consilium.karyotype.fonts import FONT_WAY_OUT, find_chinese_font, usual_font_folders
from consilium.karyotype.record import Record
from consilium.karyotype.report_wording import conclusion_words, report_words
from consilium.karyotype.wording import LANGUAGES, Language, phrase
from consilium.settings import font_folders as named_font_folders

if TYPE_CHECKING:
    from types import ModuleType

LATIN = "Libertinus Serif"
"""Comes with Typst, so that an English report looks the same on every machine."""

MOST_KARYOGRAMS = 4
"""Pages of karyograms: of more lines than these the HTML report shows them."""

REFERENCES_SHOWN = 3
"""References of a disorder that fit its column; case.json has all."""

_UNKNOWN = "—"
_STANDARD = "a-2u"


def report_pdf(
    record: Record,
    karyograms: Mapping[str, bytes],
    lang: Language,
    *,
    font_folders: Iterable[Path] | None = None,
) -> bytes:
    """Typeset the report of a case.

    Args:
        record: the case (`case_record`).
        karyograms: image name to the PNG file of that cell's karyogram; of each line the best cell is needed.
        lang: language of the report and of `record`.
        font_folders: where to look for a Chinese font; the platform's folders when left out.

    Returns:
        A PDF file; the same for the same record, karyograms and fonts.

    Raises:
        MissingFont: no font has the letters of the report: Chinese without a Chinese font, or a rare letter.
        MissingExtra: Typst is not installed.
        OutputError: Typst failed otherwise.
        KeyError: a line's best cell has no karyogram.
    """
    typst = _typst()
    chinese = find_chinese_font(usual_font_folders() if font_folders is None else font_folders)
    if chinese is None and lang == "zh":
        raise MissingFont("no font with Chinese characters was found", way_out=FONT_WAY_OUT)
    with tempfile.TemporaryDirectory(prefix="consilium-report-") as name:
        folder = Path(name)
        fonts = _with_fonts(folder, chinese)
        families = _families(typst, fonts)
        pages = _karyogram_pages(record, lang)
        for number, (image, _) in enumerate(pages):
            (folder / f"karyogram-{number}.png").write_bytes(karyograms[image])
        data = _data(record, lang)
        data["fonts"] = [*families, LATIN] if lang == "zh" else [LATIN, *families]
        data["karyograms"] = [
            {"file": f"karyogram-{number}.png", "caption": caption} for number, (_, caption) in enumerate(pages)
        ]
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        template = resources.files("consilium.karyotype").joinpath("report.typ").read_bytes()
        (folder / "report.typ").write_bytes(template)
        return _compiled(typst, folder, fonts, created=record["created"], chinese=chinese is not None)


def _typst() -> ModuleType:
    try:
        import typst
    except ImportError as missing:
        raise MissingExtra(
            "Typst, which makes the PDF, is not installed", way_out="Install it with `pip install typst`."
        ) from missing
    return typst


def _with_fonts(folder: Path, chinese: Path | None) -> list[Path]:
    """Folders with the fonts of the report: the Chinese one with its bold, and what somebody named, nothing else."""
    fonts = folder / "fonts"
    fonts.mkdir()
    if chinese is not None:
        family = chinese.stem.split("-")[0].lower()
        for file in sorted(chinese.parent.iterdir()):
            if file == chinese or (file.suffix == chinese.suffix and file.stem.lower() in (f"{family}-bold",)):
                (fonts / file.name).symlink_to(file.resolve())
    return [fonts, *(one for one in named_font_folders() if one.is_dir())]


def _families(typst: ModuleType, fonts: Sequence[Path]) -> list[str]:
    """Families to set letters in that the Latin face lacks, simplified Chinese first."""
    found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(one) for one in fonts])
    names = [name for name in dict.fromkeys(found.families()) if " Mono" not in name]
    simplified = [name for name in names if name.endswith(" SC")]
    others = [name for name in names if not name.endswith((" SC", " TC", " HK", " JP", " KR"))]
    return simplified + others or names


def _compiled(typst: ModuleType, folder: Path, fonts: Sequence[Path], *, created: str, chinese: bool) -> bytes:
    try:
        data: bytes = typst.compile(
            str(folder / "report.typ"),
            root=str(folder),
            font_paths=[str(one) for one in fonts],
            ignore_system_fonts=True,
            pdf_standards=[_STANDARD],
            timestamp=datetime.fromisoformat(created),
        )
    except typst.TypstError as error:
        # Its message may quote the text, and so the patient's name: it goes no further.
        if "could not be displayed" in str(error.message):
            way_out = FONT_WAY_OUT if not chinese else "Spell it otherwise, or add a font that has it (CONSILIUM_FONTS)."
            raise MissingFont("a name or text has a letter that no font at hand has", way_out=way_out) from None
        raise OutputError(
            "the PDF report could not be typeset", way_out="This is a fault of Consilium; please report it."
        ) from None
    return data


def _karyogram_pages(record: Record, lang: Language) -> list[tuple[str, str]]:
    """Image and caption of each page: the best cell of every line, as far as `MOST_KARYOGRAMS` goes."""
    words = conclusion_words(lang)
    numbers = _numbers(record)
    lines = record["conclusion"]["lines"]
    return [
        (
            line["cells"][0],
            words["best_cell"].format(
                line=line["iscn"], number=numbers[line["cells"][0]], cells=len(line["cells"])
            ),
        )
        for line in lines[:MOST_KARYOGRAMS]
    ]


def _numbers(record: Record) -> dict[str, int]:
    return {cell["image"]: number for number, cell in enumerate(record["conclusion"]["cells"], start=1)}


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
        "identity": _identity(record, words),
        "iscn_title": words["iscn"].format(edition=said["iscn_edition"]),
        "iscn": said["iscn"],
        "no_iscn": words["no_iscn"],
        "attention": {"title": words["attention"], "items": [one["reason"] for one in said["attention"]]},
        "interpretation": {"title": words["interpretation"], "items": said["interpretation"]},
        "findings": [_lines(record, words), _findings(record, words), _disorders(record, words)],
        "method": [_figures(record, words), _checks(record, words)],
        "limitations": {"title": words["limitations"], "items": said["limitations"]},
        "signature": {
            "title": words["signature"],
            "columns": [words["name"], words["date"], words["sign_here"]],
            "rows": [words["analysed_by"], words["signed_by"]],
        },
        "more_lines": words["more_lines"].format(lines=", ".join(one["iscn"] for one in said["lines"][MOST_KARYOGRAMS:]))
        if len(said["lines"]) > MOST_KARYOGRAMS
        else "",
        "appendix": [_cells(record, words, lang), _models(record, lang)],
        "reasoning": {"title": words["reasoning"], "items": said["reasoning"]},
    }


def _identity(record: Record, words: Mapping[str, str]) -> list[list[str]]:
    request = record["conclusion"]["request"]
    told = request["identifiers"]
    sex = words[request["sex"]] if request["sex"] else ""
    aim = words["acquired" if request["neoplastic"] else "constitutional"]
    known = {**told, "sex": sex, "specimen": request["specimen_name"], "looked_for": aim, "case_name": record["name"]}
    keys = (
        "patient_name", "case_number", "patient_id", "case_name", "birth_date", "specimen", "sex", "looked_for",
        "physician", "received", "reason", "reported",
    )  # fmt: skip
    return [[words[key], known.get(key, "") or _UNKNOWN] for key in keys]


def _table(title: str, columns: Sequence[str], widths: Sequence[str], rows: list[list[str]], note: str = "") -> Record:
    return {"title": title, "columns": list(columns), "widths": list(widths), "rows": rows, "note": note}


def _lines(record: Record, words: Mapping[str, str]) -> Record:
    return _table(
        words["lines"],
        [words["line"], words["cells"], words["cell_numbers"].split("(")[0].split("（")[0].strip(), words["support"]],
        ["3fr", "auto", "2fr", "2.4fr"],
        [
            [
                line["iscn"],
                str(len(line["cells"])),
                ", ".join(str(_numbers(record)[image]) for image in line["cells"]),
                words["prompt_only" if line["prompt_only"] else support(line)],
            ]
            for line in record["conclusion"]["lines"]
        ],
    )


def support(line: Record) -> str:
    """The word for what a firm line rests on: enough cells, or, for a normal one, the reading alone."""
    return "beyond_mistakes" if len(line["cells"]) >= line["cells_beyond_mistakes"] else "as_read"


def _findings(record: Record, words: Mapping[str, str]) -> Record:
    numbers, cells = _numbers(record), len(record["cells"])
    return _table(
        words["findings"],
        [words["change"], words["shown_by"], words["cell_numbers"]],
        ["2.4fr", "2fr", "5fr"],
        [
            [
                one["change"],
                words["of_cells"].format(cells=len(one["cells"]), all=cells),
                ", ".join(f"{numbers[cell['image']]}{'!' if cell['doubtful'] else ''}" for cell in one["cells"]),
            ]
            for one in record["conclusion"]["abnormalities"]
        ],
    )


def _disorders(record: Record, words: Mapping[str, str]) -> Record:
    said = record["conclusion"]["disorders"]
    sources = dict.fromkeys(one["source"] for one in said)
    return _table(
        words["disorders"],
        [words["change"], words["disorder"], words["evidence"], words["references"]],
        ["auto", "3fr", "4fr", "2.2fr"],
        [
            [one["change"], one["name"], one["evidence"], ", ".join(one["references"][:REFERENCES_SHOWN])]
            for one in said
        ],
        " ".join([words["no_diagnosis"], words["sources"].format(sources="; ".join(sources))]),
    )


def _figures(record: Record, words: Mapping[str, str]) -> Record:
    said = record["conclusion"]
    figures, mosaicism = said["figures"], said["mosaicism_excluded"]
    inverted = sum(cell["inverted"] for cell in record["cells"])
    models = ", ".join(f"{model['name']} {model['version']}" for model in record["models"])
    method = words["method_q" if inverted else "method_g"].format(
        version=record["consilium_version"], models=models, inverted=inverted, all=len(record["cells"])
    )
    level = words["told" if figures["band_level_told"] else "estimated"].format(level=figures["band_level"])
    excluded = words["mosaicism_none"]
    if mosaicism:
        percent = f"{100 * mosaicism['proportion']:.1f}"
        excluded = words["mosaicism_from"].format(percent=percent, cells=mosaicism["cells"])
    return _table(
        words["figures"],
        [],
        ["2.2fr", "5fr"],
        [
            [words["method"], method],
            [words["band_level_row"], level if figures["band_level"] else _UNKNOWN],
            [words["cells_read"], str(len(record["cells"]))],
            [words["counted"], str(figures["cells_counted"])],
            [words["analysed"], str(figures["cells_analysed"])],
            [words["karyotyped"], str(figures["cells_karyotyped"])],
            [words["mosaicism"], excluded],
        ],
    )


def check_rows(record: Record, words: Mapping[str, str]) -> list[list[str]]:
    """The guideline checks as rows: what, asked, found, enough, source."""
    answers = {True: words["yes"], False: words["no"], None: _UNKNOWN}
    return [
        [
            words["band_level_row" if one["what"] == "band_level" else one["what"]],
            str(one["asked"]),
            words["not_told"] if one["found"] is None else str(one["found"]),
            answers[one["met"]],
            one["source"],
        ]
        for one in record["conclusion"]["guideline_checks"]
    ]


def _checks(record: Record, words: Mapping[str, str]) -> Record:
    specimen = record["conclusion"]["request"]["specimen_name"]
    return _table(
        f"{words['checks']}: {specimen}" if specimen else words["checks"],
        [words["counted"].split("(")[0].split("（")[0] and "", words["asked"], words["found"], words["enough"],
         words["source"]],
        ["3fr", "auto", "auto", "auto", "5fr"],
        check_rows(record, words),
        "" if specimen else words["no_checks"],
    )  # fmt: skip


def _cells(record: Record, words: Mapping[str, str], lang: Language) -> Record:
    fixed = report_words(lang)
    rows = []
    for number, (cell, read) in enumerate(
        zip(record["cells"], record["conclusion"]["cells"], strict=True), start=1
    ):
        rows.append(
            [
                str(number),
                cell["image"],
                str(cell["count"]),
                cell["karyotype"],
                f"{cell['quality']['score']:.2f}",
                str(read["line"] or _UNKNOWN),
                "; ".join(why["reason"] for why in read["incomplete"]) or "",
            ]
        )
    return _table(
        words["cells_list"],
        ["", fixed["image"], fixed["count"], words["as_counted"], fixed["quality"], words["line"], words["not_wholly"]],
        ["auto", "2.6fr", "auto", "3fr", "auto", "auto", "2.6fr"],
        rows,
    )


def _models(record: Record, lang: Language) -> Record:
    words = report_words(lang)
    return _table(
        words["models"],
        [words["model"], words["version"], "SHA-256"],
        ["auto", "auto", "1fr"],
        [[model["name"], model["version"], model["sha256"]] for model in record["models"]],
    )
