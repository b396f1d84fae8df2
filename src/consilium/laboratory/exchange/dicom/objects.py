"""A signed report as DICOM objects: its karyograms as secondary captures, what it says as a structured report.

All UIDs are made of the hash of what was signed (2.25 and a UUID, PS3.5 B.2), so storing a revision again stores the
same objects, and an amendment is another series of the same study.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from consilium.errors import InputError, MissingExtra
from consilium.laboratory.exchange.report import BAND_LEVEL, ISCN_RESULT, LOCAL, OVERALL, OutgoingReport, normal

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MANUFACTURER = "Consilium"
_CAPTURES, _REPORTS = 9000, 9100
"""Series numbers, above those of instruments; the revision is added."""

_LONGEST_SH, _LONGEST_LO = 16, 64


def uid(*parts: str) -> str:
    """A UID that is always the same for the same parts."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, 'consilium:' + chr(0).join(parts)).int}"


def study_uid(report: OutgoingReport) -> str:
    """The study of a case, in which all revisions of its report are."""
    return uid("study", report.content.laboratory, report.content.case_number)


def captures(report: OutgoingReport) -> tuple[Dataset, ...]:
    """The karyograms of a report that are at hand, as secondary captures in its order.

    Raises:
        InputError: a picture is none.
        MissingExtra: highdicom is not installed.
    """
    check_extra()
    from highdicom import SpecimenDescription
    from highdicom.sc import SCImage

    content, when = report.content, datetime.fromisoformat(report.at)
    label = content.specimens[0].label if content.specimens else content.case_number
    made = []
    for number, one in enumerate((one for one in content.karyograms if one.cell in report.pictures), start=1):
        pixels = _pixels(report.pictures[one.cell], one.cell)
        image = SCImage(
            pixel_array=pixels,
            photometric_interpretation="RGB" if pixels.ndim == 3 else "MONOCHROME2",
            bits_allocated=8,
            coordinate_system="SLIDE",
            container_identifier=label[:_LONGEST_LO],
            specimen_descriptions=[
                SpecimenDescription(label[:_LONGEST_LO], uid("specimen", content.laboratory, label))
            ],
            series_instance_uid=uid("captures", report.sha256),
            series_number=_CAPTURES + content.revision,
            sop_instance_uid=uid("capture", report.sha256, one.cell),
            instance_number=number,
            manufacturer=MANUFACTURER,
            **_common(report),
        )
        image.SeriesDescription = f"Karyograms, revision {content.revision}"
        image.ImageComments = f"{one.karyotype}{' (drawn by a program)' if one.synthetic else ''}"
        image.BurnedInAnnotation = "NO"
        _date(image, when)
        made.append(_settled(image, report))
    return tuple(made)


def structured(report: OutgoingReport, evidence: Sequence[Dataset]) -> Dataset:
    """What a report says, as an Enhanced SR.

    Args:
        report: what is told.
        evidence: its karyograms, as `captures` makes them; one at least.

    Raises:
        InputError: no karyogram is at hand.
        MissingExtra: highdicom is not installed.
    """
    check_extra()
    from highdicom.sr import EnhancedSR

    if not evidence:
        raise InputError("a structured report needs a karyogram to refer to", where=report.content.case_number)
    content, when = report.content, datetime.fromisoformat(report.at)
    made = EnhancedSR(
        evidence=evidence,
        content=_tree(report, evidence),
        series_instance_uid=uid("report series", report.sha256),
        series_number=_REPORTS + content.revision,
        sop_instance_uid=uid("report", report.sha256),
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=True,
        is_verified=True,
        institution_name=content.laboratory[:_LONGEST_LO],
        verifying_observer_name=_name(report.signer),
        verifying_organization=content.laboratory[:_LONGEST_LO],
    )
    made.SeriesDescription = f"Report, revision {content.revision}"
    made.VerifyingObserverSequence[0].VerificationDateTime = f"{when:%Y%m%d%H%M%S}+0000"
    if report.amended:
        made.CompletionFlagDescription = f"Amended: {content.amendment_reason}"[:_LONGEST_LO]
        made.PredecessorDocumentsSequence = [_before(report)]
    _date(made, when)
    return _settled(made, report)


def as_files(report: OutgoingReport) -> dict[str, bytes]:
    """All objects of a report as files, by name.

    Raises:
        InputError: no karyogram is at hand, or one is no picture.
        MissingExtra: highdicom is not installed.
    """
    images = captures(report)
    made = {}
    for one in (*images, structured(report, images)):
        stream = io.BytesIO()
        one.save_as(stream, enforce_file_format=True)
        made[f"{one.SOPInstanceUID}.dcm"] = stream.getvalue()
    return made


def check_extra() -> None:
    """See that what makes these objects is installed.

    Raises:
        MissingExtra: it is not.
    """
    if find_spec("highdicom") is None:
        raise MissingExtra(
            "highdicom is needed for DICOM objects", way_out="Install it: pip install 'consilium[exchange]'."
        )


def _common(report: OutgoingReport) -> dict[str, Any]:
    content, person, when = report.content, report.person, datetime.fromisoformat(report.at)
    number = content.patient_number if person is None else person.hospital_number or content.patient_number
    sex = person.sex if person is not None and content.sex == "stated" else ""
    return {
        "study_instance_uid": study_uid(report),
        "patient_id": number[:_LONGEST_LO],
        # A picture without a name is easily taken for another's: the laboratory's number stands for it.
        "patient_name": _name(content.patient_number if person is None or not person.name else person.name),
        "patient_birth_date": person.birth_date.replace("-", "") or None if person is not None else None,
        "patient_sex": {"female": "F", "male": "M"}.get(sex),
        "accession_number": content.case_number if len(content.case_number) <= _LONGEST_SH else None,
        "study_id": content.case_number if len(content.case_number) <= _LONGEST_SH else None,
        "study_date": when.date(),
        "study_time": when.time().replace(microsecond=0, tzinfo=None),
        "referring_physician_name": None,
        "specific_character_set": "ISO_IR 192",
    }


def _settled(made: Dataset, report: OutgoingReport) -> Dataset:
    made.StudyDescription = "Chromosome analysis"
    if report.person is None:
        made.PatientIdentityRemoved = "YES"
        made.DeidentificationMethod = "Number of the laboratory instead of the patient"
    return made


def _date(made: Dataset, when: datetime) -> None:
    """All dates are that of the signature: an object that is made again is the same to the byte."""
    for name in ("Content", "InstanceCreation", "Series"):
        if f"{name}Date" in made:
            setattr(made, f"{name}Date", f"{when:%Y%m%d}")
            setattr(made, f"{name}Time", f"{when:%H%M%S}")
    for one in made.get("ContributingEquipmentSequence", ()):
        one.ContributionDateTime = f"{when:%Y%m%d%H%M%S}+0000"
    for name in ("DateOfSecondaryCapture", "TimeOfSecondaryCapture"):
        if name in made:
            setattr(made, name, f"{when:%Y%m%d}" if name.startswith("Date") else f"{when:%H%M%S}")


def _pixels(picture: bytes, cell: str) -> Any:
    import numpy as np
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture), formats=["PNG"]) as opened:
            levels = np.asarray(opened.convert("L" if opened.mode in ("1", "L", "I;16") else "RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise InputError("this karyogram is no PNG", where=cell) from problem
    if levels.ndim == 3 and (levels[..., 0] == levels[..., 1]).all() and (levels[..., 1] == levels[..., 2]).all():
        levels = levels[..., 0]
    return np.ascontiguousarray(levels)


def _tree(report: OutgoingReport, evidence: Sequence[Dataset]) -> Dataset:
    from highdicom.sr import (
        CodeContentItem,
        CodedConcept,
        ContainerContentItem,
        ContentSequence,
        ImageContentItem,
        NumContentItem,
        TextContentItem,
    )

    content = report.content

    def own(code: str, told: str) -> Any:
        return CodedConcept(code, LOCAL, told)

    def loinc(code: tuple[str, str]) -> Any:
        return CodedConcept(code[0], "LN", code[1])

    def text(name: Any, told: str) -> Any:
        return TextContentItem(name, told, relationship_type="CONTAINS")

    def number(name: Any, value: float, unit: tuple[str, str]) -> Any:
        return NumContentItem(name, value, CodedConcept(unit[0], "UCUM", unit[1]), relationship_type="CONTAINS")

    root = ContainerContentItem(own("CHROMOSOME-ANALYSIS", "Chromosome analysis report"), is_content_continuous=False)
    items: list[Any] = [
        CodeContentItem(
            CodedConcept("121049", "DCM", "Language of Content Item and Descendants"),
            CodedConcept("en", "RFC5646", "English"),
            relationship_type="HAS CONCEPT MOD",
        ),
        text(loinc(ISCN_RESULT), content.iscn),
        text(own("ISCN-EDITION", "Edition of the nomenclature"), content.iscn_edition),
    ]
    found = {True: "Negative", False: "Positive", None: "Indeterminate"}[normal(content.iscn)]
    items.append(text(loinc(OVERALL), found))
    items += [
        text(own("CELL-LINE", "Line of the karyotype"), f"{one.iscn}: {len(one.cells)} cells") for one in content.lines
    ]
    for code, told, cells in (
        ("CELLS-COUNTED", "Cells counted", content.cells_counted),
        ("CELLS-ANALYSED", "Cells analysed", content.cells_analysed),
        ("CELLS-KARYOTYPED", "Cells karyotyped", content.cells_karyotyped),
    ):
        items.append(number(own(code, told), len(cells), ("{cells}", "cells")))
    if content.band_level:
        items.append(number(loinc(BAND_LEVEL), content.band_level, ("{bands}", "bands")))
    finding = CodedConcept("121071", "DCM", "Finding")
    items += [text(finding, content.interpretation[lang]) for lang in ("en", "zh") if content.interpretation[lang]]
    items += [text(own("LIMITATION", "Limitation"), one) for lang in ("en", "zh") for one in content.limitations[lang]]
    if content.synthetic:
        items.append(text(own("SYNTHETIC", "Drawn by a program"), "Pictures of this report are of no patient."))
    items.append(text(own("CONTENT-SHA256", "Hash of the signed content"), report.sha256))
    items.append(text(own("SIGNATURE", "Signature"), f"{report.meaning} by {report.signer} at {report.at}"))
    items += [
        ImageContentItem(
            own("KARYOGRAM", "Karyogram"), one.SOPClassUID, one.SOPInstanceUID, relationship_type="CONTAINS"
        )
        for one in evidence
    ]
    root.ContentSequence = ContentSequence(items, is_root=False)
    return root


def _before(report: OutgoingReport) -> Dataset:
    from pydicom.dataset import Dataset
    from pydicom.uid import EnhancedSRStorage

    instance, series, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID = EnhancedSRStorage
    instance.ReferencedSOPInstanceUID = uid("report", report.content.supersedes)
    series.SeriesInstanceUID = uid("report series", report.content.supersedes)
    series.ReferencedSOPSequence = [instance]
    study.StudyInstanceUID = study_uid(report)
    study.ReferencedSeriesSequence = [series]
    return study


def _name(name: str) -> str:
    """A name as DICOM writes one (PS3.5, 6.2.1.2): its separators may not stand in it, each group has 64 letters."""
    plain = "".join(" " if one in "^=\\" else one for one in name)[: _LONGEST_LO - 1]
    # Letters that are not Latin belong into the second group; the caret says that there is one component on purpose.
    return f"{plain}^" if plain.isascii() else f"={plain}^"
