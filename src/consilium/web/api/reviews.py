"""Second reading, report, signature and amendment for programs and for the pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from consilium.errors import NotFound, RecordChanged
from consilium.laboratory.found import case_called
from consilium.laboratory.journal import Change
from consilium.laboratory.permissions import allowed
from consilium.laboratory.review.content import document
from consilium.laboratory.review.differences import Difference
from consilium.laboratory.review.iscn_field import check_iscn
from consilium.laboratory.review.prepared import Prepared, Survey, prepare, survey
from consilium.laboratory.review.printed import Report
from consilium.laboratory.review.printed_html import report_html
from consilium.laboratory.review.printed_pdf import report_pdf
from consilium.laboratory.review.printing import preview_to_print, signed_to_print
from consilium.laboratory.review.readings import check_may_see, decide, may_see_first, record_reading
from consilium.laboratory.review.release import review_blockers
from consilium.laboratory.review.signed import newest_revision, signed_report, verify
from consilium.laboratory.review.signing import reopen, reviewed, sign
from consilium.laboratory.review.tables import SecondReadingRow
from consilium.laboratory.review.texts import write_text
from consilium.laboratory.tables import CaseRow
from consilium.web.api.review_documents import (
    CheckedOut,
    DifferenceIn,
    IscnIn,
    PreparedOut,
    ReadingIn,
    ReadingOut,
    ReasonIn,
    ReviewedCell,
    ReviewOut,
    SeenIn,
    SignatureIn,
    SignedOut,
    TextIn,
    VerifiedOut,
    blocker_out,
    checked_out,
    signed_out,
    stand_out,
    verified_out,
)
from consilium.web.context import Asking, Cells, People, Records
from consilium.web.reporting import SealKept, proven
from consilium.web.wording.language import Language

router = APIRouter(tags=["reports"])

Number = Annotated[str, Path(max_length=40, description="Number of the case.")]
Revision = Annotated[int, Path(ge=1, le=10_000, description="Of the report, from 1.")]
Kind = Literal["pdf", "html"]
FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}, "text/html": {}}}}


@router.post("/iscn/check")
def check(asking: Asking, given: IscnIn) -> CheckedOut:
    """Judge and explain a karyotype as one types."""
    return checked_out(check_iscn(given.iscn, given.lang or asking.lang, band_level=given.band_level))


@router.get("/cases/{number}/review")
def review(number: Number, asking: Asking, records: Records, opened: Cells) -> ReviewOut:
    """A case under review: its cells, both readings as far as the reader may see them, where they differ."""
    with records.looking(asking.person) as look:
        case = case_called(look.session, number)
        return review_of(look, survey(look, opened, case), case)


@router.post("/cases/{number}/review/readings", status_code=201)
def read_again(number: Number, given: ReadingIn, asking: Asking, records: Records) -> ReadingOut:
    """Say what one sees of a cell, or of the case, as the second reader."""
    with records.changing(asking.person) as change:
        case = case_called(change.session, number)
        check_cell(change, case, given.cell)
        row = record_reading(
            change, case, given.cell, count=given.count, karyotype=given.karyotype, labels=given.labels,
            note=given.note,
        )  # fmt: skip
        return reading_out(row)


@router.post("/cases/{number}/review/decisions", status_code=201)
def settle(number: Number, given: DifferenceIn, asking: Asking, records: Records, opened: Cells) -> ReviewOut:
    """Decide where both readers differ; the difference has to be the one that was shown."""
    with records.changing(asking.person) as change:
        change.require("review.decide")
        case = case_called(change.session, number)
        check_may_see(change, case)
        difference = shown_difference(survey(change, opened, case), given)
        decide(change, case, given.cell, difference, kept=given.kept, reason=given.reason)
    return review(number, asking, records, opened)


@router.post("/cases/{number}/review/done")
def done(number: Number, given: SeenIn, asking: Asking, records: Records, opened: Cells) -> ReviewOut:
    """Bring a case to reviewed."""
    with records.changing(asking.person) as change:
        case = case_called(change.session, number)
        reviewed(change, opened, case, seen=given.seen)
    return review(number, asking, records, opened)


@router.get("/cases/{number}/report")
def preview(number: Number, asking: Asking, records: Records, opened: Cells) -> PreparedOut:
    """What the report would say at this moment, the hash to sign, and what stands in the way."""
    with records.looking(asking.person) as look:
        case = case_called(look.session, number)
        check_may_see(look, case)
        return prepared_out(case, prepare(look, opened, case))


@router.patch("/cases/{number}/report")
def write(number: Number, given: TextIn, asking: Asking, records: Records, opened: Cells) -> PreparedOut:
    """Write into a report before it is signed."""
    with records.changing(asking.person) as change:
        case = case_called(change.session, number)
        check_may_see(change, case)
        write_text(
            change, case, seen=given.seen, drafted=survey(change, opened, case).draft.iscn, iscn=given.iscn,
            iscn_override=given.iscn_override, withhold_sex=given.withhold_sex, interpretation=given.interpretation,
            reasons=given.reasons, karyograms=given.karyograms,
        )  # fmt: skip
    return preview(number, asking, records, opened)


@router.post("/cases/{number}/report/signature", status_code=201)
def put_signature(
    number: Number, given: SignatureIn, request: Request, asking: Asking, records: Records, people: People,
    opened: Cells, seal: SealKept,
) -> SignedOut:  # fmt: skip
    """Sign what was shown, after proving once more to be oneself. A program cannot."""
    with records.looking(asking.person) as look:
        look.require("case.sign")
        # What has to be drawn is drawn before others wait for this signature.
        prepare(look, opened, case_called(look.session, number))
    method = proven(request, asking, people, given.password)
    with records.changing(asking.person) as change:
        case = case_called(change.session, number)
        return signed_out(sign(change, opened, case, shown=given.shown, method=method, seal=seal))


@router.post("/cases/{number}/report/reopening", status_code=201)
def open_again(number: Number, given: ReasonIn, asking: Asking, records: Records, opened: Cells) -> PreparedOut:
    """Open a case whose report is out, for an amended one."""
    with records.changing(asking.person) as change:
        case = case_called(change.session, number)
        reopen(change, case, reason=given.reason, seen=given.seen)
    return preview(number, asking, records, opened)


@router.get("/cases/{number}/report/file.{kind}", response_class=Response, responses=FILE)
def preview_file(
    number: Number, kind: Kind, asking: Asking, records: Records, opened: Cells,
    lang: Annotated[Language | None, Query()] = None, named: bool = False,
) -> Response:  # fmt: skip
    """The preliminary report. With the patient's name it leaves a line in the record of who looked."""
    with records.looking(asking.person) as look:
        # What has to be drawn is drawn before others wait for the line that a look at a name leaves.
        preview_to_print(look, opened, case_called(look.session, number), named=False)
    with records.changing(asking.person) if named else records.looking(asking.person) as change:
        report, pictures = preview_to_print(change, opened, case_called(change.session, number), named=named)
    return _file(report_file(report, pictures, kind, lang or asking.lang), kind, f"{number}-preliminary")


@router.get("/cases/{number}/reports")
def reports(number: Number, asking: Asking, records: Records) -> list[SignedOut]:
    """Every signed revision, oldest first."""
    with records.looking(asking.person) as look:
        look.require("record.see")
        case = case_called(look.session, number)
        newest = newest_revision(look.session, case)
        return [signed_out(signed_report(look.session, case, one)) for one in range(1, newest + 1)]


@router.get("/cases/{number}/reports/verification")
def check_signatures(number: Number, asking: Asking, records: Records, opened: Cells) -> list[VerifiedOut]:
    """See whether everything that was signed is what was signed."""
    with records.looking(asking.person) as look:
        look.require("record.see")
        found = verify(look.session, case_called(look.session, number), opened.files)
    return [verified_out(one) for one in found]


@router.get("/cases/{number}/reports/{revision}")
def report(number: Number, revision: Revision, asking: Asking, records: Records) -> SignedOut:
    """A signed revision."""
    with records.looking(asking.person) as look:
        look.require("record.see")
        return signed_out(signed_report(look.session, case_called(look.session, number), revision))


@router.get("/cases/{number}/reports/{revision}/document")
def signed_document(number: Number, revision: Revision, asking: Asking, records: Records) -> Response:
    """The document that was signed, byte for byte: its SHA-256 is the one on the printed report."""
    with records.looking(asking.person) as look:
        look.require("record.see")
        found = signed_report(look.session, case_called(look.session, number), revision)
    return Response(document(found.content), media_type="application/json")


@router.get("/cases/{number}/reports/{revision}/file.{kind}", response_class=Response, responses=FILE)
def signed_file(
    number: Number, revision: Revision, kind: Kind, asking: Asking, records: Records, opened: Cells,
    lang: Annotated[Language | None, Query()] = None, named: bool = False,
) -> Response:  # fmt: skip
    """A signed report. With the patient's name it leaves a line in the record of who looked."""
    with records.changing(asking.person) if named else records.looking(asking.person) as change:
        found, pictures = signed_to_print(change, opened, case_called(change.session, number), revision, named=named)
    return _file(report_file(found, pictures, kind, lang or asking.lang), kind, f"{number}-{revision}")


@router.get("/cases/{number}/report/pictures/{sha256}.png", response_class=Response)
def picture(
    number: Number, sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], asking: Asking, records: Records,
    opened: Cells,
) -> Response:  # fmt: skip
    """A karyogram of the report that is made."""
    with records.looking(asking.person) as look:
        case = case_called(look.session, number)
        check_may_see(look, case)
        data = prepare(look, opened, case).pictures.get(sha256)
    if data is None:
        raise NotFound("the report has no such picture any more", way_out="Load the page again.")
    return Response(data, media_type="image/png", headers={"Cache-Control": "private, max-age=86400, immutable"})


def review_of(change: Change, prepared: Survey, case: CaseRow) -> ReviewOut:
    """A case under review, as far as the person may see it."""
    whole = may_see_first(change, case, None)
    ids = {one.name: one.id for one in prepared.draft.cells}
    cells = []
    seen = set()
    for one in prepared.draft.cells:
        if not one.acts:
            continue
        shown = may_see_first(change, case, one.id)
        seen |= {one.name} if shown else set()
        row = prepared.readings.get(one.id)
        cells.append(
            ReviewedCell(
                cell=one.id, name=one.name, acts=sorted(one.acts), hidden=not shown,
                count=one.metaphase.count if shown else None, karyotype=one.metaphase.karyotype if shown else None,
                unreviewed=len(one.doubtful) if shown else None, second=None if row is None else reading_out(row),
            )
        )  # fmt: skip
    second = prepared.readings.get(None)
    may_read = case.state == "analysed" and allowed(change.worker, "review.read")
    settled = prepared.facts.iscn or prepared.draft.iscn
    return ReviewOut(
        case=case.number, state=case.state, version=case.version,
        may_read=may_read and not (change.profile.second_reader and change.worker.name == case.analysed_by),
        hidden=not whole, karyotype=settled if whole else None,
        second=None if second is None else reading_out(second), cells=cells,
        differences=[stand_out(one, ids) for one in prepared.stands if whole or one.difference.cell in seen],
        blockers=[
            blocker_out(one, ids)
            for one in review_blockers(prepared.facts, change.profile.release)
            if whole or not one.code.startswith("disagreement") or one.cell in seen
        ],
    )  # fmt: skip


def prepared_out(case: CaseRow, prepared: Prepared) -> PreparedOut:
    """A report before it is signed, as it is told."""
    ids = {one.name: one.id for one in prepared.draft.cells}
    return PreparedOut(
        case=case.number, state=case.state, text_version=0 if prepared.text is None else prepared.text.version,
        content=json.loads(document(prepared.content)), content_sha256=prepared.sha256,
        settled_iscn=prepared.facts.iscn, drafted_iscn=prepared.draft.iscn,
        drafted_interpretation={str(lang): text for lang, text in prepared.drafted.items()},
        blockers=[blocker_out(one, ids) for one in prepared.blockers],
    )  # fmt: skip


def reading_out(row: SecondReadingRow) -> ReadingOut:
    """A second reading as it is told."""
    return ReadingOut(
        cell=row.cell_id, count=row.count, karyotype=row.karyotype, labels=dict(row.labels), note=row.note,
        blind=row.blind, reader=row.reader, at=row.at,
    )  # fmt: skip


def check_cell(change: Change, case: CaseRow, cell: int | None) -> None:
    """See that a cell is one of the case.

    Raises:
        NotFound: it is not.
    """
    from consilium.laboratory.analysis.tables import CellRow

    row = None if cell is None else change.session.get(CellRow, cell)
    if cell is not None and (row is None or row.case_id != case.id or row.withdrawn is not None):
        raise NotFound(f"{case.number} has no such cell", way_out="Load the page again.")


def shown_difference(prepared: Survey, given: DifferenceIn) -> Difference:
    """The difference that was shown, as it still is.

    Raises:
        RecordChanged: the readers no longer differ in this way.
    """
    names = {one.id: one.name for one in prepared.draft.cells}
    asked = ("" if given.cell is None else names.get(given.cell, "?"), given.what, given.of, given.first, given.second)
    for stand in prepared.stands:
        one = stand.difference
        if (one.cell, one.what, one.of, one.first, one.second) == asked:
            return one
    raise RecordChanged(
        "the readers no longer differ in this way", way_out="Nothing was recorded. Load the page again, then decide."
    )


def report_file(report: Report, pictures: Mapping[str, bytes], kind: Kind, lang: Language) -> bytes:
    """A report as a file."""
    if kind == "pdf":
        return report_pdf(report, pictures, lang)
    return report_html(report, pictures, lang).encode("utf-8")


def _file(data: bytes, kind: Kind, name: str) -> Response:
    # An HTML report has a style of its own in it, which no page of ours may have: it is a file to keep, not a page.
    shown = "inline" if kind == "pdf" else "attachment"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'{shown}; filename="{_plain(name)}.{kind}"'}
    media = "application/pdf" if kind == "pdf" else "text/html; charset=utf-8"
    return Response(data, media_type=media, headers=headers)


def _plain(name: str) -> str:
    return "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "-_"))[:60]
