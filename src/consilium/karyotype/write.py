"""The result of a case as files: the record, the report as HTML and PDF, and a karyogram for every cell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from consilium import __version__
from consilium.errors import ConsiliumError
from consilium.karyotype.arrange import arrange, to_png, to_svg
from consilium.karyotype.conclusion import conclude
from consilium.karyotype.metaphase import Case
from consilium.karyotype.models import model_references
from consilium.karyotype.record import ModelReference, Record, case_record, check_record, karyogram_files
from consilium.karyotype.report import report_html
from consilium.karyotype.report_suspects import shown_suspects
from consilium.karyotype.request import Request
from consilium.karyotype.whole_folder import refuse_unfit, visible_entries, whole_folder
from consilium.karyotype.withheld_sex import withhold
from consilium.karyotype.wording import Language

CASE_FILE, REPORT_FILE, PDF_FILE, KARYOGRAMS = "case.json", "report.html", "report.pdf", "karyograms"

_KARYOGRAM_FILE = re.compile(r"\d{2,}-.+\.(svg|png)")
_KIND = "a case"


def write_case(
    case: Case,
    out: Path,
    *,
    lang: Language,
    created: datetime,
    models: Iterable[ModelReference] | None = None,
    request: Request | None = None,
    pdf: bool = False,
    on_note: Callable[[str], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write `case.json`, `report.html` and the karyograms, all of them or nothing, and `report.pdf` where asked.

    Where the request asks for it, the reports and karyograms do not show the sex; `case.json` has it (`withheld_sex`).
    A PDF that cannot be made (no Chinese font, say) is a note and keeps nothing else from being written.

    Args:
        case: the case, best cell first.
        out: the folder; a case that was written there before is replaced, anything else is not.
        lang: language of the report and of the reasons in the record.
        created: when it was karyotyped, with a time zone.
        models: the models that read it; the shipped ones when left out.
        request: what was told with the specimen; nothing when left out.
        pdf: whether to write the PDF report too.
        on_note: called with what the user should know about the files, such as a missing font.
        on_progress: called after each cell's karyogram with (cells done, cells in all).

    Returns:
        The report.

    Raises:
        OutputError: `out` cannot be written or holds something else; what was there is untouched.
    """
    references = model_references() if models is None else models
    conclusion = conclude(case, request)
    recorded = partial(case_record, lang=lang, created=created, version=__version__, models=tuple(references))
    record = recorded(case, conclusion=conclusion)
    check_record(record)
    # Reports and karyograms are made of what may leave the laboratory, case.json of everything.
    shown, said = withhold(case, conclusion)
    told = recorded(shown, conclusion=said)
    drawings: dict[str, str] = {}
    with whole_folder(out, is_former=is_written_case, what=_KIND) as folder:
        (folder / KARYOGRAMS).mkdir()
        notes: dict[str, None] = {}
        pictures: dict[str, bytes] = {}
        for number, cell in enumerate(shown.cells, start=1):
            files = karyogram_files(cell.image, number=number)
            karyogram = arrange(cell)
            drawings[cell.image] = to_svg(karyogram, lang)
            (folder / files["svg"]).write_text(drawings[cell.image], encoding="utf-8")
            picture = to_png(karyogram, lang)
            (folder / files["png"]).write_bytes(picture.data)
            pictures[cell.image] = picture.data
            if picture.note:
                notes[picture.note] = None
            if on_progress:
                on_progress(number, len(case.cells))
        (folder / REPORT_FILE).write_text(report_html(shown, told, drawings, lang), encoding="utf-8")
        if pdf:
            _write_pdf(folder, shown, told, pictures, lang, notes)
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
        (folder / CASE_FILE).write_text(text + "\n", encoding="utf-8")
    for note in notes:
        if on_note:
            on_note(note)
    return out / REPORT_FILE


def _write_pdf(
    folder: Path, case: Case, record: Record, pictures: Mapping[str, bytes], lang: Language, notes: dict[str, None]
) -> None:
    # Typst takes a moment to load, and not every report is asked for as PDF.
    from consilium.karyotype.report_pdf import report_pdf

    try:
        suspects = shown_suspects(case, record, lang)
        (folder / PDF_FILE).write_bytes(report_pdf(record, pictures, lang, suspects=suspects, scratch=folder))
    except ConsiliumError as problem:
        notes[f"there is no PDF report: {problem}"] = None


def refuse_output(out: Path) -> None:
    """Find out before the work whether a case can be written to a folder.

    Raises:
        OutputError: it cannot; see `write_case`.
    """
    refuse_unfit(out, is_former=is_written_case, what=_KIND)


def is_written_case(folder: Path) -> bool:
    """Whether a folder holds a case that `write_case` wrote, and nothing else."""
    entries = {entry.name: entry for entry in visible_entries(folder)}
    if not {CASE_FILE} <= set(entries) <= {CASE_FILE, REPORT_FILE, PDF_FILE, KARYOGRAMS}:
        return False
    karyograms = entries.get(KARYOGRAMS)
    if karyograms is not None and not (
        karyograms.is_dir() and all(_KARYOGRAM_FILE.fullmatch(one.name) for one in visible_entries(karyograms))
    ):
        return False
    try:
        record = json.loads(entries[CASE_FILE].read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(record, dict) and {"schema_version", "consilium_version", "cells"} <= set(record)
