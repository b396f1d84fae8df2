"""Files in, files without names out: each is cleaned, written beside its place, read again, searched, and put in place.

A file that is refused, or that anything goes wrong with, is never seen in the output. What the run knows of names
stays in memory; the report and the names of files are made of pseudonyms and counts.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import warnings
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from consilium.errors import ConsiliumError, InputError, NotDeidentified, OutputError
from consilium.imaging.deidentify.clean_file import CleanFile
from consilium.imaging.deidentify.policy import Policy
from consilium.imaging.deidentify.pseudonyms import Pseudonyms
from consilium.imaging.deidentify.refusal import Reason, Refused, refused
from consilium.imaging.deidentify.report import Outcome, Report
from consilium.imaging.deidentify.site_key import SiteKey
from consilium.imaging.grey import MAX_FILE_BYTES
from consilium.imaging.read import sniff

Progress = Callable[[Path, Outcome], None]
_HEAD_BYTES = 132


def clean_file(path: Path, policy: Policy, pseudonyms: Pseudonyms) -> CleanFile:
    """De-identifies one file in memory.

    Args:
        path: the file; its content decides what it is, its name does not matter and is not used.
        policy: what is kept, and what is done about pixels.
        pseudonyms: made with the site's key.

    Raises:
        NotDeidentified: it is not handed on, with what, where and the way out.
    """
    # Imported here, because decoders take a while that `--help` has not got.
    from consilium.imaging.deidentify.dicom_file import clean_dicom
    from consilium.imaging.deidentify.nifti_file import clean_nifti, is_nifti
    from consilium.imaging.deidentify.raster_file import clean_raster

    try:
        content = _content(path)
        kind = sniff(content[:_HEAD_BYTES])
        with warnings.catch_warnings():
            # Decoders warn about oddities in metadata, which are not kept.
            warnings.simplefilter("ignore")
            if kind == "dicom":
                return clean_dicom(content, policy, pseudonyms)
            if kind is not None:
                return clean_raster(content, kind, policy, pseudonyms)
            if is_nifti(content[:1024]):
                return clean_nifti(content, policy, pseudonyms)
        raise refused(Reason.UNKNOWN_KIND)
    except Refused as problem:
        problem.where = str(path)
        raise
    except Exception as problem:
        # Decoders are the work of many hands: whatever one raises means that the file is damaged. What it says may
        # hold a value of the file, so it is not passed on.
        found = refused(Reason.NESTED_TOO_DEEP if isinstance(problem, RecursionError) else Reason.DAMAGED)
        found.where = str(path)
        raise found from problem


def _content(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise refused(Reason.NOT_READABLE)
        if status.st_size > MAX_FILE_BYTES:
            raise refused(Reason.TOO_LARGE)
        return path.read_bytes()
    except OSError as problem:
        raise refused(Reason.NOT_READABLE) from problem


def deidentify(
    paths: Sequence[Path],
    out: Path,
    *,
    policy: Policy,
    key: SiteKey,
    created: datetime,
    dry_run: bool = False,
    on_progress: Progress = lambda _path, _outcome: None,
) -> Report:
    """De-identifies files into a folder.

    Args:
        paths: the files.
        out: the folder, made when it is missing; a file of an earlier run with the same pseudonym is replaced.
        policy: what is kept, and what is done about pixels.
        key: the site's.
        created: the time that the report tells.
        dry_run: do all but write.
        on_progress: called after each file; the path it gets is for the screen of whoever runs it, and for nothing
            else.

    Raises:
        OutputError: the folder cannot be written to.
    """
    pseudonyms = Pseudonyms(key)
    taken: dict[str, str] = {}
    outcomes = []
    for number, path in enumerate(paths, start=1):
        try:
            clean = clean_file(path, policy, pseudonyms)
            digest = hashlib.sha256(clean.content).hexdigest()
            if taken.get(clean.place, digest) != digest:
                raise refused(Reason.SAME_NAME)
            if dry_run:
                _check(clean, clean.content)
            else:
                _put_in_place(clean, out)
            taken[clean.place] = digest
            # The bytes are written; to hold those of a whole study would fill the memory.
            outcome = Outcome(number=number, became=_without_content(clean))
        except NotDeidentified as problem:
            outcome = Outcome(number=number, reason=getattr(problem, "reason", Reason.DAMAGED))
        outcomes.append(outcome)
        on_progress(path, outcome)
    return Report(policy=policy, outcomes=outcomes, created=created, dry_run=dry_run)


def _without_content(clean: CleanFile) -> CleanFile:
    return CleanFile(
        kind=clean.kind,
        content=b"",
        place=clean.place,
        actions=clean.actions,
        attributes=clean.attributes,
        masked=clean.masked,
        notes=clean.notes,
        check=lambda _content: None,
    )


def _put_in_place(clean: CleanFile, out: Path) -> None:
    """Writes under a passing name, reads that, searches it, and gives it its name.

    Raises:
        Refused: what was written still tells who the patient is.
        OutputError: it cannot be written.
    """
    target = out / clean.place
    passing = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            passing.write_bytes(clean.content)
            _check(clean, passing.read_bytes())
            passing.replace(target)
        finally:
            passing.unlink(missing_ok=True)
    except OSError as problem:
        raise OutputError(
            f"the result cannot be written ({problem.strerror})", where=str(out), way_out="Choose another folder."
        ) from problem


def _check(clean: CleanFile, written: bytes) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            clean.check(written)
    except ConsiliumError:
        raise
    except Exception as problem:
        raise refused(Reason.DAMAGED) from problem


def refuse_places(inputs: Sequence[Path], out: Path, key_file: Path, report: Path | None) -> None:
    """Refuses an output that would mix with the input, and a key that would travel with the output.

    Raises:
        InputError: the output lies in the input or the other way round, or the key lies in the output.
        OutputError: the output, or the place of the report, is something else than a folder and a file.
    """
    place = Path(os.path.realpath(out))
    for entry in inputs:
        source = Path(os.path.realpath(entry))
        if place == source or place.is_relative_to(source) or source.is_relative_to(place):
            raise InputError(
                "input and output lie in one another", where=str(out), way_out="Choose another folder with --out."
            )
    if Path(os.path.realpath(key_file)).is_relative_to(place):
        raise InputError(
            "the site key lies in the output and would be handed on with it",
            where=str(key_file),
            way_out="Keep it elsewhere and name it with --key.",
        )
    if out.exists() and not out.is_dir():
        raise OutputError("this is not a folder", where=str(out), way_out="Choose another with --out.")
    if report is not None and report.is_dir():
        raise OutputError("this is a folder", where=str(report), way_out="Name a file for the report.")


def write_report(report: Report, path: Path) -> None:
    """Writes the report as JSON, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    passing = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            passing.write_text(report.as_json(), encoding="utf-8")
            passing.replace(path)
        finally:
            passing.unlink(missing_ok=True)
    except OSError as problem:
        raise OutputError(
            f"the report cannot be written ({problem.strerror})", where=str(path), way_out="Choose another place."
        ) from problem
