"""Things by the number or label that a person gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from consilium.errors import InputError, NotFound
from consilium.laboratory.barcode import kind_of, scanned
from consilium.laboratory.entry import entry

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.tables import (
        CaseRow,
        Labelled,
        PatientRow,
        PlaceRow,
        SpecimenRow,
        Thing,
    )


def case_called(session: Session, number: str) -> CaseRow:
    """A case by its number.

    Raises:
        InputError: there is none.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import CaseRow

    found = session.scalar(select(CaseRow).where(CaseRow.number == _number(number)))
    if found is None:
        raise NotFound("there is no case of this number", way_out="`consilium laboratory list cases` names them.")
    return found


def patient_called(session: Session, number: str) -> PatientRow:
    """A patient by the laboratory's number.

    Raises:
        InputError: there is none.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import PatientRow

    found = session.scalar(select(PatientRow).where(PatientRow.number == _number(number)))
    if found is None:
        raise NotFound("there is no patient of this number", way_out="It is the laboratory's own, as P0000017.")
    return found


def _number(text: str) -> str:
    """A number as it was typed, without what a database cannot look for."""
    return entry("the number", text, longest=40).upper()


def labelled(session: Session, text: str) -> Labelled:
    """A specimen, culture, harvest or slide by its label.

    Raises:
        InputError: it is no label, or of nothing that is recorded.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import CultureRow, HarvestRow, SlideRow, SpecimenRow

    label = scanned(text)
    kinds: dict[str, type[Labelled]] = {
        "specimen": SpecimenRow, "culture": CultureRow, "harvest": HarvestRow, "slide": SlideRow,
    }  # fmt: skip
    kind = kinds[kind_of(label)]
    found = session.scalar(select(kind).where(kind.label == label))
    if found is None:
        raise NotFound(f"nothing here has the label {label}", way_out="See that it is a label of this laboratory.")
    return found


def specimen_of(session: Session, thing: Labelled) -> SpecimenRow:
    """The specimen that a thing is, or was made of."""
    from consilium.laboratory.tables import CultureRow, HarvestRow, SlideRow, SpecimenRow

    if isinstance(thing, SlideRow):
        thing = session.get_one(HarvestRow, thing.harvest_id)
    if isinstance(thing, HarvestRow | CultureRow):
        return session.get_one(SpecimenRow, thing.specimen_id)
    if not isinstance(thing, SpecimenRow):
        raise TypeError(f"{type(thing).__name__} is made of no specimen")
    return thing


def check_there(thing: Labelled, specimen: SpecimenRow) -> None:
    """See that a thing can still be worked with.

    Raises:
        InputError: it, or what it was made of, was withdrawn or disposed of.
    """
    for one in (thing, specimen, specimen.case):
        if one.withdrawn is not None:
            raise InputError(f"{one.title} was withdrawn", way_out="Its history tells why.")
    if specimen.disposed is not None:
        raise InputError(f"{specimen.label} was disposed of", way_out="Its history tells why.")


def place_called(session: Session, text: str) -> PlaceRow:
    """A place by FREEZER/BOX/POSITION.

    Raises:
        InputError: there is none.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import PlaceRow

    parts = [entry("a part of a place", one, longest=64) for one in text.split("/")]
    if len(parts) != 3 or not all(parts):
        raise InputError("this is no place", way_out="As in FREEZER/BOX/POSITION.")
    freezer, box, position = parts
    found = session.scalar(
        select(PlaceRow).where(PlaceRow.freezer == freezer, PlaceRow.box == box, PlaceRow.position == position)
    )
    if found is None:
        raise NotFound(
            "there is no such place",
            way_out="An administrator makes it: consilium laboratory place FREEZER/BOX/POSITION.",
        )
    return found


def anything(session: Session, text: str) -> Thing:
    """A case, patient, place or labelled thing, whichever has this number or label.

    Raises:
        InputError: nothing has.
    """
    if "/" in text:
        return place_called(session, text)
    for search in (case_called, patient_called):
        try:
            return search(session, text)
        except InputError:
            continue
    return labelled(session, text)


def every(session: Session, what: Literal["cases", "specimens", "places", "staff"]) -> tuple[Thing, ...]:
    """All things of a kind by number, label or place, those that were withdrawn too."""
    from sqlalchemy import select

    from consilium.laboratory.tables import CaseRow, PlaceRow, SpecimenRow, StaffRow

    asked = {
        "cases": select(CaseRow).order_by(CaseRow.number),
        "specimens": select(SpecimenRow).order_by(SpecimenRow.label),
        "places": select(PlaceRow).order_by(PlaceRow.freezer, PlaceRow.box, PlaceRow.position),
        "staff": select(StaffRow).order_by(StaffRow.name),
    }
    return tuple(session.scalars(asked[what]))
