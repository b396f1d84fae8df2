"""The records as tables. A change here needs a step in `migrations/versions/`; a test holds the two together.

Times are text, ISO 8601 in UTC; days are text, ISO 8601, in the laboratory's zone. What a patient is called stands in
`IdentityRow` alone. No row of any table is ever deleted, and those of `APPEND_ONLY` never change: the database itself
refuses it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from consilium.laboratory.case_states import State
from consilium.laboratory.due_date import Urgency


class Table(DeclarativeBase):
    """What all have in common."""


class Thing(Table):
    """A record that changes, is withdrawn and has a history.

    Attributes:
        id: of the row.
        version: how often it was written; whoever changes it says which version was read.
        withdrawn: when it was; None while it counts.
        withdrawn_reason: why.
    """

    __abstract__ = True
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    withdrawn: Mapped[str | None] = mapped_column(String(32))
    withdrawn_reason: Mapped[str | None] = mapped_column(String(2000))

    @property
    def title(self) -> str:
        """How it is called in messages and in its history; tells no name of a patient."""
        raise NotImplementedError


class PatientRow(Thing):
    """A patient, by the laboratory's own number; `identity` is the revision of the identity that holds."""

    __tablename__ = "laboratory_patient"
    number: Mapped[str] = mapped_column(String(16), unique=True)
    sex: Mapped[str] = mapped_column(String(16))
    identity: Mapped[int]

    @property
    def title(self) -> str:
        """The laboratory's number."""
        return self.number


class IdentityRow(Table):
    """Who a patient is. A correction is a further revision."""

    __tablename__ = "laboratory_identity"
    patient_id: Mapped[int] = mapped_column(ForeignKey("laboratory_patient.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(300))
    birth_date: Mapped[str] = mapped_column(String(10))
    hospital_number: Mapped[str] = mapped_column(String(100), index=True)
    at: Mapped[str] = mapped_column(String(32))


class CaseRow(Thing):
    """A question about a patient that ends in a report."""

    __tablename__ = "laboratory_case"
    number: Mapped[str] = mapped_column(String(24), unique=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("laboratory_patient.id"), index=True)
    order_number: Mapped[str | None] = mapped_column(String(100), unique=True)
    specimen: Mapped[str] = mapped_column(String(64))
    indication: Mapped[str] = mapped_column(String(2000))
    referrer: Mapped[str] = mapped_column(String(300))
    urgency: Mapped[Urgency] = mapped_column(String(16))
    received: Mapped[str] = mapped_column(String(32))
    due: Mapped[str | None] = mapped_column(String(10), index=True)
    due_reason: Mapped[str] = mapped_column(String(1000))
    state: Mapped[State] = mapped_column(String(16), index=True)
    assigned: Mapped[str] = mapped_column(String(255))
    analysed_by: Mapped[str] = mapped_column(String(255))
    reported: Mapped[str | None] = mapped_column(String(32))
    amendments: Mapped[int]
    patient: Mapped[PatientRow] = relationship(lazy="joined")

    @property
    def title(self) -> str:
        """Its number."""
        return self.number


class Labelled(Thing):
    """A thing that one can hold, with a label on it."""

    __abstract__ = True
    label: Mapped[str] = mapped_column(String(40), unique=True)

    @property
    def title(self) -> str:
        """Its label."""
        return self.label


class SpecimenRow(Labelled):
    """What came from a patient."""

    __tablename__ = "laboratory_specimen"
    case_id: Mapped[int] = mapped_column(ForeignKey("laboratory_case.id"), index=True)
    kind: Mapped[str] = mapped_column(String(64))
    collected: Mapped[str | None] = mapped_column(String(32))
    received: Mapped[str] = mapped_column(String(32))
    condition: Mapped[str] = mapped_column(String(32))
    note: Mapped[str] = mapped_column(String(2000))
    disposed: Mapped[str | None] = mapped_column(String(32))
    case: Mapped[CaseRow] = relationship(lazy="joined")


class CultureRow(Labelled):
    """Cells of a specimen that grow."""

    __tablename__ = "laboratory_culture"
    specimen_id: Mapped[int] = mapped_column(ForeignKey("laboratory_specimen.id"), index=True)
    started: Mapped[str] = mapped_column(String(32))
    medium: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(String(2000))


class HarvestRow(Labelled):
    """Cells that were arrested and fixed, of a culture or of the specimen itself."""

    __tablename__ = "laboratory_harvest"
    specimen_id: Mapped[int] = mapped_column(ForeignKey("laboratory_specimen.id"), index=True)
    culture_id: Mapped[int | None] = mapped_column(ForeignKey("laboratory_culture.id"), index=True)
    harvested: Mapped[str] = mapped_column(String(32))
    method: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(String(2000))


class SlideRow(Labelled):
    """Cells of a harvest on glass."""

    __tablename__ = "laboratory_slide"
    harvest_id: Mapped[int] = mapped_column(ForeignKey("laboratory_harvest.id"), index=True)
    made: Mapped[str] = mapped_column(String(32))
    banding: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(2000))


class PlaceRow(Thing):
    """A position in a box in a freezer; it holds one thing, and a thing is in one place."""

    __tablename__ = "laboratory_place"
    __table_args__ = (UniqueConstraint("freezer", "box", "position", name="laboratory_place_once"),)
    freezer: Mapped[str] = mapped_column(String(64))
    box: Mapped[str] = mapped_column(String(64))
    position: Mapped[str] = mapped_column(String(64))
    holds: Mapped[str | None] = mapped_column(String(40), unique=True)

    @property
    def title(self) -> str:
        """Freezer, box, position."""
        return f"{self.freezer}/{self.box}/{self.position}"


class CustodyRow(Table):
    """Who handed what to whom."""

    __tablename__ = "laboratory_custody"
    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(String(40), index=True)
    giver: Mapped[str] = mapped_column(String(255))
    receiver: Mapped[str] = mapped_column(String(255))
    at: Mapped[str] = mapped_column(String(32))
    recorded_by: Mapped[str] = mapped_column(String(255))
    note: Mapped[str] = mapped_column(String(2000))


class DisclosureRow(Table):
    """Somebody looked who a patient is."""

    __tablename__ = "laboratory_disclosure"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(255))
    patient_id: Mapped[int] = mapped_column(ForeignKey("laboratory_patient.id"), index=True)
    revision: Mapped[int]
    why: Mapped[str] = mapped_column(String(300))


class ConsentRow(Thing):
    """What a patient agreed to, from when until when (days; no end where none was said)."""

    __tablename__ = "laboratory_consent"
    patient_id: Mapped[int] = mapped_column(ForeignKey("laboratory_patient.id"), index=True)
    purposes: Mapped[list[str]] = mapped_column(JSON)
    given: Mapped[str] = mapped_column(String(10))
    until: Mapped[str | None] = mapped_column(String(10))
    document: Mapped[str] = mapped_column(String(300))

    @property
    def title(self) -> str:
        """Its number."""
        return f"consent {self.id}"


class StaffRow(Thing):
    """Somebody who works in the laboratory."""

    __tablename__ = "laboratory_staff"
    name: Mapped[str] = mapped_column(String(255), unique=True)
    roles: Mapped[list[str]] = mapped_column(JSON)

    @property
    def title(self) -> str:
        """The name by which the machine knows the person."""
        return self.name


class ProfileRow(Thing):
    """What the laboratory has settled for itself; one row."""

    __tablename__ = "laboratory_profile"
    document: Mapped[str]

    @property
    def title(self) -> str:
        """There is one."""
        return "profile"


class SeriesRow(Table):
    """The newest number of a series in a year."""

    __tablename__ = "laboratory_series"
    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    newest: Mapped[int]


class EventRow(Table):
    """A change of a thing; `before` and `after` have the entries that changed."""

    __tablename__ = "laboratory_event"
    __table_args__ = (UniqueConstraint("kind", "of", "version", name="laboratory_event_once"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(255))
    what: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(32))
    of: Mapped[int]
    title: Mapped[str] = mapped_column(String(255))
    version: Mapped[int]
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    after: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(2000))


APPEND_ONLY = ("laboratory_event", "laboratory_identity", "laboratory_custody", "laboratory_disclosure")
