"""What a case has to do with an archive: its pictures come from one, its signed report goes to one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from consilium.database.database import now
from consilium.errors import EngineError, InputError
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.images import add_image
from consilium.laboratory.exchange import messages
from consilium.laboratory.exchange.dicom.archive import FoundStudy, Spoken, Wanted, spoken
from consilium.laboratory.exchange.dicom.belongs import check_belongs
from consilium.laboratory.exchange.dicom.fetch import Fetched, fetch, only_study
from consilium.laboratory.exchange.dicom.objects import captures, structured
from consilium.laboratory.exchange.outgoing import outgoing
from consilium.laboratory.exchange.partners import Archive, partners_in
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def archive_called(laboratory: Laboratory, who: str, name: str) -> Archive:
    """An archive that is settled.

    Raises:
        NotAllowed: the person may not speak to archives.
        InputError: there is none of this name.
    """
    with laboratory.looking(who) as look:
        look.require("exchange.fetch")
        return partners_in(look).archive(name)


def find(laboratory: Laboratory, who: str, archive: str, wanted: Wanted) -> tuple[FoundStudy, ...]:
    """Look for studies.

    Raises:
        NotAllowed: the person may not: what is found tells numbers of patients.
        InputError: there is no such archive, or nothing was said to look for.
        EngineError: the archive does not answer.
    """
    with laboratory.looking(who) as look:
        look.require("patient.identify")
    if not any(vars(wanted).values()):
        raise InputError("say what to look for", way_out="A patient, an accession number, a study or a day.")
    return spoken(archive_called(laboratory, who, archive)).studies(wanted)


def fetch_for(
    laboratory: Laboratory, who: str, files: Files, archive: str, *, case: str, study: str, scratch: Path
) -> tuple[Fetched, int]:
    """Fetch the pictures of a study for a case. All of them are taken in, or none.

    Args:
        laboratory: whose.
        who: fetches.
        files: where pictures are kept.
        archive: its name.
        case: number.
        study: UID.
        scratch: where pictures wait until they are all there.

    Returns:
        What came, and how many pictures the case has more.

    Raises:
        NotAllowed: the person may not.
        InputError: the study is of another patient, or something in it cannot be taken in.
        EngineError: the archive does not answer, or gave less than it has; call again to go on.
    """
    line: Spoken = spoken(archive_called(laboratory, who, archive))
    with laboratory.looking(who) as look:
        look.require("image.add")
        row = case_called(look.session, case)
        found = only_study(line, study)
        check_belongs(look, row, found, partners_in(look))
    came = fetch(line, found.uid, scratch)
    with laboratory.changing(who) as change:
        row = case_called(change.session, case)
        new = [one for one in came.files if not _is_there(change.session, row.id, one.name)]
        for file in new:
            add_image(change, files, row, file.name, file.read_bytes())
    return came, len(new)


def store_report(
    laboratory: Laboratory, who: str, files: Files, archive: str, *, case: str, revision: int | None = None
) -> tuple[Dataset, ...]:
    """Store a signed report: its karyograms, and what it says.

    Who the patient is goes along where that is settled for this archive, and the person may see it.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such archive or report.
        EngineError: the archive does not answer, or does not take all; storing again goes on.
    """
    with laboratory.changing(who) as change:
        change.require("exchange.send")
        found = partners_in(change).archive(archive)
        row = case_called(change.session, case)
        case_id = row.id
        report = outgoing(change, files, row, revision=revision, identity=found.identity, pictures=True)
    images = captures(report)
    made = (*images, structured(report, images))
    names = "\n".join(str(one.SOPInstanceUID) for one in made).encode()
    problem = None
    try:
        spoken(found).store(made)
    except EngineError as failed:
        problem = failed
    with laboratory.writing() as session:
        messages.keep(
            session, at=now(), direction="out", protocol="dicom", kind="C-STORE" if not found.web else "STOW-RS",
            control=str(made[-1].SOPInstanceUID), peer=archive, who=who, body=names,
            state="sent" if problem is None else "refused", told="" if problem is None else str(problem),
            case_id=case_id,
        )  # fmt: skip
    if problem is not None:
        raise problem
    return made


def _is_there(session: object, case: int, name: str) -> bool:
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from consilium.laboratory.analysis.tables import ImageRow

    assert isinstance(session, Session)
    asked = select(ImageRow.id).where(ImageRow.case_id == case, ImageRow.name == name, ImageRow.withdrawn.is_(None))
    return session.scalar(asked) is not None
