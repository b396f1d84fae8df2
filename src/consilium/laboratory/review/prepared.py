"""A report before it is signed: what it would say at this moment, and what still stands in its way."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from consilium import __version__
from consilium.cytogenetics.iscn.validate import validate
from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.analysis.tally import request_of
from consilium.laboratory.case_states import REPORTED
from consilium.laboratory.journal import Change
from consilium.laboratory.review.cell_now import CellNow
from consilium.laboratory.review.cells import cells_of, models_of, pixels_of
from consilium.laboratory.review.content import (
    LANGS,
    Check,
    Karyogram,
    Lang,
    ReportContent,
    Specimen,
    content_sha256,
)
from consilium.laboratory.review.differences import CASE, Difference, Reading, Stand, differences, standing
from consilium.laboratory.review.drafted import (
    Draft,
    draft,
    drafted_interpretation,
    limitations,
    lines_of,
    mosaicism,
    settled_iscn,
)
from consilium.laboratory.review.karyogram_picture import karyogram_picture
from consilium.laboratory.review.readings import decisions, newest_readings, reading_of
from consilium.laboratory.review.release import Blocker, Facts, blockers
from consilium.laboratory.review.signed import newest_revision, signed_report
from consilium.laboratory.review.texts import text_row

if TYPE_CHECKING:
    from consilium.laboratory.review.tables import ReportTextRow, SecondReadingRow
    from consilium.laboratory.tables import CaseRow

USUAL_KARYOGRAMS = 2
"""Of a case with one line, where nobody chose."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a case has for its report; nothing was drawn for it.

    Attributes:
        facts: what the case has.
        draft: what the cells say.
        text: what people wrote, and its version; None before anybody wrote.
        readings: of the second reader, by cell; under None that of the case.
    """

    facts: Facts
    draft: Draft
    text: ReportTextRow | None
    readings: Mapping[int | None, SecondReadingRow]

    @property
    def stands(self) -> tuple[Stand, ...]:
        """Where both readers differ."""
        return self.facts.stands


@dataclass(frozen=True, kw_only=True)
class Prepared(Survey):
    """A report before it is signed.

    Attributes:
        content: what it would say.
        sha256: of it; a signature is bound to this.
        pictures: PNG files of its karyograms, by their hash.
        blockers: what stands in the way of a signature.
        drafted: the interpretation that the cells give, by language.
    """

    content: ReportContent
    sha256: str
    pictures: Mapping[str, bytes]
    blockers: tuple[Blocker, ...]
    drafted: Mapping[Lang, str]


def survey(change: Change, opened: OpenCells, case: CaseRow) -> Survey:
    """See what a case has for its report.

    Args:
        change: a look, or a transaction.
        opened: cells that this process has open, with the files beside the database.
        case: as its session has it.

    Raises:
        NotAllowed: the person may not see records.
        OutputError: a file of the laboratory is missing or was changed.
    """
    change.require("record.see")
    text = text_row(change.session, case)
    found = case_draft(change, opened, case, text)
    return Survey(
        facts=_facts(change, case, found, text),
        draft=found,
        text=text,
        readings=newest_readings(change.session, case),
    )


def prepare(change: Change, opened: OpenCells, case: CaseRow) -> Prepared:
    """See what the report of a case would say at this moment; of one that is out, what it says.

    Karyograms are drawn for it, which takes a second or two where nobody looked at them before: in a transaction, which
    keeps everybody else from writing, it is called after a look.

    Args:
        change: a look, or a transaction.
        opened: cells that this process has open, with the files beside the database.
        case: as its session has it.

    Raises:
        NotAllowed: the person may not see records.
        OutputError: a file of the laboratory is missing or was changed.
    """
    seen = survey(change, opened, case)
    if case.state in REPORTED and newest_revision(change.session, case):
        content = signed_report(change.session, case).content
        pictures = {one.sha256: opened.files.read(one.sha256) for one in content.karyograms}
    else:
        drawing = _Pictures(change, opened, seen.draft)
        content, pictures = _content(change, case, seen.draft, seen.text, seen.facts, drawing), drawing.drawn
    return Prepared(
        facts=seen.facts,
        draft=seen.draft,
        text=seen.text,
        readings=seen.readings,
        content=content,
        sha256=content_sha256(content),
        pictures=pictures,
        blockers=blockers(seen.facts, change.profile.release),
        drafted=drafted_interpretation(seen.draft),
    )


def case_draft(change: Change, opened: OpenCells, case: CaseRow, text: ReportTextRow | None) -> Draft:
    """What the cells of a case say."""
    from sqlalchemy import func, select

    from consilium.laboratory.tables import CultureRow, SpecimenRow

    cultures = change.session.scalar(
        select(func.count())
        .select_from(CultureRow)
        .join(SpecimenRow, SpecimenRow.id == CultureRow.specimen_id)
        .where(SpecimenRow.case_id == case.id, CultureRow.withdrawn.is_(None), SpecimenRow.withdrawn.is_(None))
    )
    withheld = case.specimen in change.profile.release.withhold_sex_of if text is None else text.withhold_sex
    request = replace(request_of(case), withhold_sex=withheld)
    return draft(case.number, cells_of(change, opened, case), request, cultures=cultures or None)


def case_stands(change: Change, case: CaseRow, found: Draft, iscn: str) -> tuple[Stand, ...]:
    """Where both readers of a case differ, and what was decided.

    Args:
        change: a look, or a transaction.
        case: whose.
        found: what the cells say.
        iscn: the karyotype that was settled, or drafted.
    """
    readings = newest_readings(change.session, case)
    cells = {one.id: one for one in found.cells}
    differing: list[Difference] = []
    for cell_id, row in readings.items():
        if cell_id is None:
            differing += differences(Reading(cell=CASE, karyotype=iscn), reading_of(row, CASE))
        elif cell_id in cells:
            differing += differences(first_reading(cells[cell_id]), reading_of(row, cells[cell_id].name))
    return standing(differing, decisions(change.session, case, {one.id: one.name for one in found.cells}))


def first_reading(cell: CellNow) -> Reading:
    """What the first reader says of a cell: what it is by now."""
    return Reading(
        cell=cell.name, count=cell.metaphase.count, karyotype=cell.metaphase.karyotype, labels=dict(cell.labels)
    )


def _facts(change: Change, case: CaseRow, found: Draft, text: ReportTextRow | None) -> Facts:
    """What a case has at this moment."""
    readings = newest_readings(change.session, case)
    iscn = text.iscn if text else ""
    _, clear = settled_iscn(iscn or found.iscn, found)
    names = {one.id: one.name for one in found.cells}
    analysed = [one for one in found.cells if "analysed" in one.acts]
    return Facts(
        state=case.state,
        unreviewed={one.name: one.doubtful for one in analysed if one.doubtful},
        second_reader=change.profile.second_reader,
        read_again=frozenset(names[cell] for cell in readings if cell is not None and cell in names),
        case_read_again=None in readings,
        analysed=tuple(one.name for one in analysed),
        counted=sum(bool(one.acts) for one in found.cells),
        stands=case_stands(change, case, found, iscn or found.iscn),
        iscn=iscn,
        iscn_valid=bool(iscn) and validate(iscn).valid,
        iscn_override=text.iscn_override if text else "",
        drafted=found.iscn,
        drafted_then=text.drafted if text and iscn else found.iscn,
        interpretation={lang: (text.interpretation if text else {}).get(lang, "") for lang in LANGS},
        checks=_checks(found, text),
        sex_pending=bool(iscn or found.iscn) and not clear,
        sex_withheld=found.disclosed == "withheld",
        karyograms=len(_shown_cells(found, text)),
    )


def _checks(found: Draft, text: ReportTextRow | None) -> tuple[Check, ...]:
    reasons = text.reasons if text else {}
    return tuple(
        Check(
            what=one.what, asked=one.asked, found=one.found, met=one.met, source=one.source,
            reason="" if one.met else reasons.get(one.what, ""),
        )
        for one in found.checks
    )  # fmt: skip


def _shown_cells(found: Draft, text: ReportTextRow | None) -> list[CellNow]:
    """The cells whose karyograms stand in the report: those that were chosen, else the best of each line."""
    karyotyped = {one.name: one for one in found.cells if "karyotyped" in one.acts}
    if text and text.karyograms:
        by_id = {one.id: one for one in karyotyped.values()}
        return [by_id[cell] for cell in text.karyograms if cell in by_id]
    lines = found.whole.lines
    if len(lines) > 1:
        best = [next((name for name in line.cells if name in karyotyped), "") for line in lines]
        return [karyotyped[name] for name in best if name]
    return list(karyotyped.values())[:USUAL_KARYOGRAMS]


class _Pictures:
    """Karyograms, drawn as they may be given out and kept by their hash."""

    def __init__(self, change: Change, opened: OpenCells, found: Draft) -> None:
        self.drawn: dict[str, bytes] = {}
        self._session, self._files = change.session, opened.files
        self._shown = {one.image: one for one in found.shown_case.cells}

    def karyogram(self, cell: CellNow) -> Karyogram:
        """The karyogram of a cell, as it stands in a content."""
        shown = self._shown[cell.name]
        data = _drawn(self, cell)
        digest = hashlib.sha256(data).hexdigest()
        self.drawn[digest] = data
        return Karyogram(
            cell=cell.name, karyotype=shown.karyotype, sha256=digest, interactions=cell.interactions,
            synthetic=cell.metaphase.synthetic,
        )  # fmt: skip

    def draw(self, cell: CellNow) -> bytes:
        """Its PNG file."""
        pixels = pixels_of(self._session, self._files, cell.id)
        return karyogram_picture(self._shown[cell.name], pixels)

    def key(self, cell: CellNow) -> _Key:
        """What a karyogram depends on; the newest command stands for all before it."""
        from sqlalchemy import select

        from consilium.laboratory.analysis.tables import CommandRow

        newest = select(CommandRow.key).where(CommandRow.cell_id == cell.id).order_by(CommandRow.sequence.desc())
        shown = self._shown[cell.name]
        command = self._session.scalar(newest.limit(1)) or ""
        return str(self._files.folder), cell.id, command, shown.sex_withheld, shown.analysed


_Key = tuple[str, int, str, bool, bool]
_KEPT: dict[_Key, bytes] = {}
_MOST_KEPT = 200


def _drawn(pictures: _Pictures, cell: CellNow) -> bytes:
    """A karyogram, drawn once for each version of its cell."""
    key = pictures.key(cell)
    data = _KEPT.get(key)
    if data is None:
        data = pictures.draw(cell)
        while len(_KEPT) >= _MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)), None)
        _KEPT[key] = data
    return data


def _content(
    change: Change, case: CaseRow, found: Draft, text: ReportTextRow | None, facts: Facts, pictures: _Pictures
) -> ReportContent:
    newest = newest_revision(change.session, case)
    before = signed_report(change.session, case, newest) if newest else None
    given, _ = settled_iscn(facts.iscn or found.iscn, found)
    readers = sorted({row.reader for row in newest_readings(change.session, case).values()})
    return ReportContent(
        laboratory=change.profile.name,
        zone=change.profile.zone,
        case_number=case.number,
        revision=newest + 1,
        patient_number=case.patient.number,
        specimen=case.specimen,
        specimens=_specimens(change, case),
        received=case.received,
        indication=case.indication,
        referrer=case.referrer,
        order_number=case.order_number or "",
        iscn=given,
        iscn_override="" if facts.iscn_valid else facts.iscn_override,
        sex="withheld" if found.disclosed != "stated" else "stated",
        cells_counted=tuple(one.name for one in found.cells if one.acts),
        cells_analysed=found.acted("analysed"),
        cells_karyotyped=found.acted("karyotyped"),
        banding=_banding(change, case),
        band_level=found.whole.band_level,
        lines=lines_of(given, found),
        interpretation=facts.interpretation,
        limitations=limitations(),
        mosaicism=mosaicism(found),
        checks=facts.checks,
        karyograms=tuple(pictures.karyogram(one) for one in _shown_cells(found, text)),
        analysed_by=case.analysed_by,
        reviewed_by=", ".join(readers) if change.profile.second_reader else "",
        disagreements=sum(one.standing == "settled" for one in facts.stands),
        unreviewed=sum(map(len, facts.unreviewed.values())),
        amendment_reason=text.amendment_reason if text and before else "",
        supersedes=before.signature.content_sha256 if before else "",
        models=models_of(change.session, case),
        consilium=__version__,
    )


def _specimens(change: Change, case: CaseRow) -> tuple[Specimen, ...]:
    from sqlalchemy import select

    from consilium.laboratory.tables import SpecimenRow

    asked = select(SpecimenRow).where(SpecimenRow.case_id == case.id, SpecimenRow.withdrawn.is_(None))
    return tuple(
        Specimen(
            label=row.label, kind=row.kind, condition=row.condition, collected=row.collected or "",
            received=row.received,
        )
        for row in change.session.scalars(asked.order_by(SpecimenRow.label))
    )  # fmt: skip


def _banding(change: Change, case: CaseRow) -> tuple[str, ...]:
    from sqlalchemy import select

    from consilium.laboratory.tables import HarvestRow, SlideRow, SpecimenRow

    asked = (
        select(SlideRow.banding)
        .join(HarvestRow, HarvestRow.id == SlideRow.harvest_id)
        .join(SpecimenRow, SpecimenRow.id == HarvestRow.specimen_id)
        .where(SpecimenRow.case_id == case.id, SlideRow.withdrawn.is_(None))
    )
    return tuple(sorted({one for one in change.session.scalars(asked) if one}))
