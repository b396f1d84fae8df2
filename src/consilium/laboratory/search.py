"""From what a scanner typed, or a person, to the thing and the case that it hangs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consilium.errors import InputError, NotFound
from consilium.laboratory.entry import entry
from consilium.laboratory.found import case_called, labelled, patient_called, place_called, specimen_of
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a number, label or place is of; the entries that do not apply are empty.

    Attributes:
        case: number of the case that it is or hangs on.
        label: of the thing.
        patient: number.
        place: FREEZER/BOX/POSITION.
    """

    case: str = ""
    label: str = ""
    patient: str = ""
    place: str = ""


def find(change: Change, text: str) -> Found:
    """The thing that has a number, label, order number or place.

    Raises:
        NotAllowed: the person may not see records.
        NotFound: nothing has.
    """
    change.require("record.see")
    asked = entry("what is looked for", text, longest=200, needed=True)
    if asked.count("/") == 2:
        try:
            return Found(place=place_called(change.session, asked).title)
        except InputError:
            pass
    for search in (_case, _thing, _patient, _order):
        try:
            return search(change, asked)
        except InputError:
            continue
    raise NotFound(
        "nothing here has this number, label or place",
        way_out="A case is called as K26-00017, a specimen as S26-00017, a patient as P0000017.",
    )


def _case(change: Change, text: str) -> Found:
    return Found(case=case_called(change.session, text).number)


def _thing(change: Change, text: str) -> Found:
    thing = labelled(change.session, text)
    return Found(case=specimen_of(change.session, thing).case.number, label=thing.label)


def _patient(change: Change, text: str) -> Found:
    return Found(patient=patient_called(change.session, text).number)


def _order(change: Change, text: str) -> Found:
    return Found(case=case_of_order(change, text).number)


def case_of_order(change: Change, order_number: str) -> CaseRow:
    """The case of an order.

    Raises:
        NotFound: none is of it.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import CaseRow

    found = change.session.scalar(select(CaseRow).where(CaseRow.order_number == order_number))
    if found is None:
        raise NotFound("no case is of this order")
    return found
