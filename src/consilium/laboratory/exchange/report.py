"""A signed report on its way out: what it says, who signed it, and who the patient is where that may be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consilium.cytogenetics.iscn.order import is_normal
from consilium.cytogenetics.iscn.parse import parse
from consilium.errors import InputError
from consilium.laboratory.disclosure import disclose
from consilium.laboratory.journal import Change
from consilium.laboratory.review.content import ReportContent, content_sha256

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow

LOINC = "http://loinc.org"
ISCN_SYSTEM = "https://iscn.karger.com"
LOCAL = "99CSL"
"""How this laboratory's own codes are marked where no published one says the same."""

LOCAL_SYSTEM = "https://consilium.invalid/codes"

PANEL = ("62355-3", "Chromosome analysis panel by Banding")
ISCN_RESULT = ("62356-1", "Chromosome analysis result in ISCN expression")
BAND_LEVEL = ("62358-7", "ISCN band level")
VARIANT = ("69548-6", "Genetic variant assessment")
VARIANT_ISCN = ("81291-7", "Variant ISCN")
OVERALL = ("51968-6", "Discrete variation analysis overall interpretation")
"""LOINC, as HL7's genomics reporting guide and THO's entry for ISCN use them."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who a patient is; empty entries are not known."""

    name: str = ""
    birth_date: str = ""
    hospital_number: str = ""
    sex: str = ""


@dataclass(frozen=True, kw_only=True)
class OutgoingReport:
    """A report that is out.

    Attributes:
        content: what it says.
        sha256: hash of the content, that was signed.
        signer: who signed.
        at: when, ISO 8601 in UTC.
        meaning: of the signature.
        person: who the patient is; None where whoever gets it is not told.
        pdf: the report as people read it; None where it is not sent.
        pictures: karyograms as PNG, by the name of their cell.

    Raises:
        InputError: the content is not the one that was signed, or a picture is not the one that is in it.
    """

    content: ReportContent
    sha256: str
    signer: str
    at: str
    meaning: str = "approved"
    person: Person | None = None
    pdf: bytes | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from hashlib import sha256

        if content_sha256(self.content) != self.sha256:
            raise InputError(
                "the content of this report is not the one that was signed", where=self.content.case_number,
                way_out="Nothing was sent. Compare with the copy that was sent before.",
            )  # fmt: skip
        known = {one.cell: one.sha256 for one in self.content.karyograms}
        for cell, picture in self.pictures.items():
            if sha256(picture).hexdigest() != known.get(cell):
                raise InputError("a karyogram is not the one that was signed", where=cell, way_out="Nothing was sent.")

    @property
    def amended(self) -> bool:
        """Whether it takes the place of an earlier one."""
        return self.content.revision > 1


def normal(iscn: str) -> bool | None:
    """Whether a karyotype has no change in any of its lines; None where that cannot be told from the string."""
    try:
        found = parse(iscn)
    except InputError:
        return None
    lines = [line for person in found.persons for line in person]
    if not lines or found.others or found.techniques:
        return None
    return all(map(is_normal, lines))


def person_of(change: Change, case: CaseRow, *, why: str) -> Person:
    """Who the patient of a case is, noted as told.

    Args:
        change: a transaction, since a line is left that it was told.
        case: whose.
        why: to whom, on which occasion.

    Raises:
        NotAllowed: the person may not see it.
    """
    found = disclose(change, case.patient, why=why)
    return Person(
        name=found.name, birth_date=found.birth_date, hospital_number=found.hospital_number, sex=case.patient.sex
    )
