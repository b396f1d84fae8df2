"""Signing a report, and reopening it: what was shown is what is signed, all of it in one transaction or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilium.errors import InputError, RecordChanged
from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.casework import move
from consilium.laboratory.entry import entry, one_of
from consilium.laboratory.journal import Change
from consilium.laboratory.review.content import document
from consilium.laboratory.review.prepared import Prepared, prepare, survey
from consilium.laboratory.review.release import Blocker, review_blockers
from consilium.laboratory.review.signature import METHODS, Method, Signature, signature_sha256
from consilium.laboratory.review.signed import SignedReport, newest_revision, signed_report
from consilium.laboratory.review.texts import begin_amendment

if TYPE_CHECKING:
    from consilium.laboratory.review.seal import Seal
    from consilium.laboratory.tables import CaseRow


def sign(
    change: Change, opened: OpenCells, case: CaseRow, *, shown: str, method: Method, seal: Seal | None = None
) -> SignedReport:
    """Sign the report of a case.

    The caller has just made the person prove to be herself. Pictures are whole on the disk before anything is recorded.

    Args:
        change: the transaction.
        opened: cells that this process has open, with the files beside the database.
        case: as its session has it.
        shown: hash of the content that the person had before her.
        method: how she proved to be herself.
        seal: of the laboratory; None where it has none.

    Raises:
        NotAllowed: the person may not sign.
        RecordChanged: the report says something else by now; nothing was signed.
        InputError: something stands in the way.
        OutputError: a picture cannot be kept, or a file of the laboratory is missing.
    """
    change.require("case.sign")
    one_of("the method", method, METHODS)
    prepared = prepare(change, opened, case)
    if prepared.sha256 != shown:
        raise RecordChanged(
            f"the report of {case.number} says something else by now", where=f"shown {shown[:16]}"[:40],
            way_out="Nothing was signed. Read it again, then decide.",
        )  # fmt: skip
    refuse(prepared.blockers, case)
    for digest, data in prepared.pictures.items():
        if opened.files.keep(data) != digest:
            raise AssertionError("a picture with another hash than its own")
    return _recorded(change, case, prepared, method, seal)


def refuse(found: tuple[Blocker, ...], case: CaseRow) -> None:
    """See that nothing stands in the way.

    Raises:
        InputError: something does; the message tells the first, and how many more there are.
    """
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise InputError(f"{found[0].what('en').rstrip('.')}{more}", where=case.number, way_out=found[0].way_out("en"))


def reviewed(change: Change, opened: OpenCells, case: CaseRow, *, seen: int | None = None) -> None:
    """Bring a case from analysed to reviewed, once both readers are done.

    Raises:
        NotAllowed: the person may not, or analysed it.
        RecordChanged: somebody changed it since.
        InputError: something of the cells or of both readings is missing.
    """
    change.require("case.review")
    refuse(review_blockers(survey(change, opened, case).facts, change.profile.release), case)
    move(change, case, "reviewed", seen=seen, by_report=True)


def reopen(change: Change, case: CaseRow, *, reason: str, seen: int | None = None) -> None:
    """Open a case whose report is out, for an amended report. What was signed stays as it is, and stays readable.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody changed it since.
        InputError: no reason was told, or its report is not out.
    """
    change.require("case.amend")
    why = entry("a reason", reason, needed=True)
    move(change, case, "reopened", reason=why, seen=seen, by_report=True)
    begin_amendment(change, case, why)


def _recorded(change: Change, case: CaseRow, prepared: Prepared, method: Method, seal: Seal | None) -> SignedReport:
    from consilium.laboratory.review.tables import ReportRow, SignatureRow

    before = newest_revision(change.session, case)
    revision = before + 1
    previous = signed_report(change.session, case, before).sha256 if before else ""
    signature = Signature(
        case_number=case.number, revision=revision, content_sha256=prepared.sha256, signer=change.worker.name,
        at=change.at, method=method, previous=previous,
    )  # fmt: skip
    digest = signature_sha256(signature)
    change.session.add(
        ReportRow(
            case_id=case.id, revision=revision, content_sha256=prepared.sha256,
            document=document(prepared.content).decode("utf-8"),
        )
    )  # fmt: skip
    change.session.add(
        SignatureRow(
            case_id=case.id, revision=revision, content_sha256=prepared.sha256, signer=signature.signer,
            at=signature.at, meaning=signature.meaning, method=method, previous=previous, sha256=digest,
            seal="" if seal is None else seal.sealed(digest), seal_key="" if seal is None else seal.public,
        )
    )  # fmt: skip
    change.session.flush()
    move(change, case, "amended" if case.amendments else "signed", by_report=True)
    return signed_report(change.session, case, revision)
