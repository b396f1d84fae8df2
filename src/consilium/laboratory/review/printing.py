"""A report for somebody who reads or prints it: signed or still to be, with the name of the patient or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilium.errors import OutputError, StorageBroken
from consilium.laboratory.analysis.cells import OpenCells
from consilium.laboratory.disclosure import disclose
from consilium.laboratory.journal import Change
from consilium.laboratory.review.prepared import prepare
from consilium.laboratory.review.printed import Identity, Report
from consilium.laboratory.review.readings import check_may_see
from consilium.laboratory.review.signed import signed_report

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow


def signed_to_print(
    change: Change, opened: OpenCells, case: CaseRow, revision: int | None, *, named: bool
) -> tuple[Report, dict[str, bytes]]:
    """A signed revision and its pictures by their hash.

    Args:
        change: a look; a transaction where the patient is named, since that leaves a line.
        opened: cells that this process has open, with the files beside the database.
        case: as its session has it.
        revision: which; the newest where none is named.
        named: whether the patient's name stands in it.

    Raises:
        NotAllowed: the person may not see records, or who the patient is.
        NotFound: there is no such revision.
        StorageBroken: what is kept is not what was signed.
    """
    change.require("record.see")
    found = signed_report(change.session, case, revision)
    pictures = {}
    for one in found.content.karyograms:
        try:
            pictures[one.sha256] = opened.files.read(one.sha256)
        except OutputError as problem:
            raise StorageBroken(
                "a karyogram of this report is missing or was changed", where=case.number, way_out=problem.way_out
            ) from problem
    report = Report(
        content=found.content, signature=found.signature, seal=found.seal, superseded_by=found.superseded_by,
        identity=_identity(change, case, f"report {found.content.revision} of {case.number}") if named else None,
    )  # fmt: skip
    return report, pictures


def preview_to_print(
    change: Change, opened: OpenCells, case: CaseRow, *, named: bool
) -> tuple[Report, dict[str, bytes]]:
    """The report as it would be signed at this moment, and its pictures.

    Args:
        change: a look; a transaction where the patient is named.
        opened: cells that this process has open.
        case: as its session has it.
        named: whether the patient's name stands in it.

    Raises:
        NotAllowed: the person may not see records, or who the patient is.
        InputError: she could be the second reader, and has not read the case yet.
        OutputError: a file of the laboratory is missing or was changed.
    """
    check_may_see(change, case)
    prepared = prepare(change, opened, case)
    identity = _identity(change, case, f"preliminary report of {case.number}") if named else None
    return Report(content=prepared.content, identity=identity), dict(prepared.pictures)


def _identity(change: Change, case: CaseRow, why: str) -> Identity:
    known = disclose(change, case.patient, why=why)
    return Identity(
        name=known.name, birth_date=known.birth_date, hospital_number=known.hospital_number, sex=case.patient.sex
    )
