"""Whether a study of an archive is of the patient of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilium.errors import InputError
from consilium.laboratory.exchange.dicom.archive import FoundStudy
from consilium.laboratory.exchange.order import number_parts
from consilium.laboratory.exchange.partners import Partners
from consilium.laboratory.journal import Change
from consilium.laboratory.reception import identity_of

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow


def check_belongs(change: Change, case: CaseRow, study: FoundStudy, partners: Partners) -> None:
    """See that a study is of the patient of a case, by a number that both have.

    Raises:
        NotAllowed: the person may not see who the patient is.
        InputError: no number of the study is one of the case or of its patient.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import SpecimenRow

    hospital = identity_of(change, case.patient).hospital_number
    patients = {case.patient.number, hospital, number_parts(hospital, partners)[0]} - {""}
    labels = change.session.scalars(select(SpecimenRow.label).where(SpecimenRow.case_id == case.id))
    orders = {case.number, *labels}
    if case.order_number:
        orders |= {case.order_number, number_parts(case.order_number, partners)[0]}
    right = study.patient in patients if study.patient else study.accession in orders
    if not right:
        raise InputError(
            f"the study is not of the patient of {case.number}",
            where=study.uid, way_out="Neither its patient's number nor its accession number is known there.",
        )  # fmt: skip
