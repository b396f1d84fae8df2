"""Reports that were signed: what they said, who signed, and whether all of it is still what was signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from consilium.errors import ConsiliumError, InputError, NotFound, OutputError, StorageBroken
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.review.content import ReportContent, from_document
from consilium.laboratory.review.signature import Signature, broken_links, signature_sha256

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.review.tables import ReportRow, SignatureRow
    from consilium.laboratory.tables import CaseRow

Problem = Literal[
    "document missing", "document altered", "signature altered", "signature out of chain", "picture altered",
    "seal broken", "state differs",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SignedReport:
    """A revision that was signed.

    Attributes:
        content: what it says.
        signature: under it.
        sha256: of the signature's record.
        seal: of the laboratory, base64; empty where it had none.
        seal_key: its public key, base64.
        superseded_by: the revision after it; None for the newest.
    """

    content: ReportContent
    signature: Signature
    sha256: str
    seal: str
    seal_key: str
    superseded_by: int | None


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What a tamper check found about a revision; nothing is wrong where `problems` is empty."""

    revision: int
    content_sha256: str
    signer: str
    at: str
    problems: tuple[Problem, ...]


def reported_here(session: Session, case: CaseRow) -> bool:
    """Whether the report of a case is written here, since its cells are."""
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import CellRow

    return session.scalar(select(CellRow.id).where(CellRow.case_id == case.id).limit(1)) is not None


def newest_revision(session: Session, case: CaseRow) -> int:
    """The newest signed revision of a case; 0 for none."""
    return max((row.revision for row, _ in _rows(session, case)), default=0)


def signed_report(session: Session, case: CaseRow, revision: int | None = None) -> SignedReport:
    """A signed revision, the newest where none is named.

    Raises:
        NotFound: there is none.
        StorageBroken: what is kept is not what was signed.
    """
    rows = {row.revision: (row, report) for row, report in _rows(session, case)}
    wanted = max(rows, default=0) if revision is None else revision
    if wanted not in rows:
        told = f"a signed report of revision {wanted}" if wanted else "a signed report"
        raise NotFound(f"{case.number} does not have {told}", way_out="The page of its report names the revisions.")
    row, report = rows[wanted]
    if report is None or report.content_sha256 != row.content_sha256:
        raise _broken("the document of this report is missing or another one", case)
    try:
        content = from_document(report.document.encode("utf-8", "surrogatepass"), sha256=row.content_sha256)
    except InputError as problem:
        raise _broken(problem.what, case) from problem
    return SignedReport(
        content=content, signature=signature_of(row, case.number), sha256=row.sha256, seal=row.seal,
        seal_key=row.seal_key, superseded_by=wanted + 1 if wanted + 1 in rows else None,
    )  # fmt: skip


def _broken(what: str, case: CaseRow) -> StorageBroken:
    return StorageBroken(
        what, where=case.number, way_out="Do not use it. Compare with a backup and with what was sent."
    )


def signature_of(row: SignatureRow, case_number: str) -> Signature:
    """A signature as a value."""
    return Signature(
        case_number=case_number, revision=row.revision, content_sha256=row.content_sha256, signer=row.signer, at=row.at,
        meaning=row.meaning, method=row.method, previous=row.previous,  # type: ignore[arg-type]
    )  # fmt: skip


def verify(session: Session, case: CaseRow, files: Files) -> tuple[Verified, ...]:
    """See whether everything that was signed of a case is what was signed, oldest revision first.

    Args:
        session: to look with.
        case: whose.
        files: with the pictures.
    """
    from consilium.laboratory.case_states import REPORTED

    rows = _rows(session, case)
    signatures = [signature_of(row, case.number) for row, _ in rows]
    unchained = set(broken_links(signatures))
    found = []
    for (row, report), signature in zip(rows, signatures, strict=True):
        problems = _problems(row, report, signature, files)
        if row.revision in unchained:
            problems.append("signature out of chain")
        newest = row is rows[-1][0]
        if newest and case.state in REPORTED and row.at != case.reported:
            problems.append("state differs")
        found.append(
            Verified(
                revision=row.revision, content_sha256=row.content_sha256, signer=row.signer, at=row.at,
                problems=tuple(problems),
            )
        )  # fmt: skip
    return tuple(found)


def _problems(row: SignatureRow, report: ReportRow | None, signature: Signature, files: Files) -> list[Problem]:
    problems: list[Problem] = []
    if report is None:
        problems.append("document missing")
    else:
        try:
            content = from_document(report.document.encode("utf-8", "surrogatepass"), sha256=row.content_sha256)
        except ConsiliumError:
            problems.append("document altered")
        else:
            right = (content.case_number, content.revision) == (signature.case_number, signature.revision)
            if not right or report.content_sha256 != row.content_sha256:
                problems.append("document altered")
            if not all(_has(files, one.sha256) for one in content.karyograms):
                problems.append("picture altered")
    if signature_sha256(signature) != row.sha256:
        problems.append("signature altered")
    if row.seal:
        from consilium.laboratory.review.seal import holds

        if not holds(row.seal, row.seal_key, signature_sha256(signature)):
            problems.append("seal broken")
    return problems


def _has(files: Files, sha256: str) -> bool:
    try:
        files.read(sha256)
    except OutputError:
        return False
    return True


def _rows(session: Session, case: CaseRow) -> list[tuple[SignatureRow, ReportRow | None]]:
    from sqlalchemy import and_, select

    from consilium.laboratory.review.tables import ReportRow, SignatureRow

    same = and_(ReportRow.case_id == SignatureRow.case_id, ReportRow.revision == SignatureRow.revision)
    asked = (
        select(SignatureRow, ReportRow)
        .outerjoin(ReportRow, same)
        .where(SignatureRow.case_id == case.id)
        .order_by(SignatureRow.revision)
    )
    return [(row, report) for row, report in session.execute(asked)]
