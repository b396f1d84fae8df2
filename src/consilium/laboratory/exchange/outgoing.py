"""A signed report from the records, with as much beside it as whoever gets it may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilium.errors import InputError
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.exchange.report import OutgoingReport, Person, person_of
from consilium.laboratory.journal import Change
from consilium.laboratory.review.content import LANGS
from consilium.laboratory.review.printed import Identity, Report
from consilium.laboratory.review.printed_pdf import report_pdf
from consilium.laboratory.review.signed import SignedReport, signed_report

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow


def outgoing(
    change: Change, files: Files, case: CaseRow, *, revision: int | None = None, identity: bool = False, pdf: str = "",
    pictures: bool = False,
) -> OutgoingReport:  # fmt: skip
    """A report that is signed, as it goes out.

    Args:
        change: a transaction; a look is enough where nobody is told who the patient is.
        files: beside the database, where its karyograms lie.
        case: whose.
        revision: which; the newest when left out.
        identity: whether who the patient is goes with it.
        pdf: language in which it goes along as PDF; empty: it does not.
        pictures: whether its karyograms go along.

    Raises:
        NotAllowed: the person may not send, or not see who the patient is.
        InputError: there is no such report, or it is not the one that was signed.
        OutputError: a karyogram is missing or was changed.
        MissingExtra: what sets a PDF is not installed.
    """
    change.require("exchange.send")
    if pdf and pdf not in LANGS:
        raise InputError(f"there is no PDF in {pdf!r}", way_out=f"One of {', '.join(LANGS)}.")
    found = signed_report(change.session, case, revision)
    told = f"report {found.content.revision} of {case.number}, for another system"
    person = person_of(change, case, why=told) if identity else None
    drawn = {one.cell: files.read(one.sha256) for one in found.content.karyograms} if pictures or pdf else {}
    return OutgoingReport(
        content=found.content,
        sha256=found.signature.content_sha256,
        signer=found.signature.signer,
        at=found.signature.at,
        meaning=found.signature.meaning,
        person=person,
        pdf=_pdf(found, person, drawn, pdf) if pdf else None,
        pictures=drawn if pictures else {},
    )


def _pdf(found: SignedReport, person: Person | None, drawn: dict[str, bytes], lang: str) -> bytes:
    who = None
    if person is not None:
        who = Identity(
            name=person.name, birth_date=person.birth_date, hospital_number=person.hospital_number, sex=person.sex
        )
    report = Report(
        content=found.content, signature=found.signature, seal=found.seal, superseded_by=found.superseded_by,
        identity=who,
    )  # fmt: skip
    by_hash = {one.sha256: drawn[one.cell] for one in found.content.karyograms}
    return report_pdf(report, by_hash, "zh" if lang == "zh" else "en")
