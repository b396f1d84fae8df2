"""All that hangs on a case: its specimens, what was made of them, where it is and through whose hands it went.

A case is told in a handful of questions, however much was made of its specimens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consilium.laboratory.barcode import kind_of
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow, Labelled


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A thing with a label on it, and what was made of it.

    Attributes:
        kind: specimen, culture, harvest or slide.
        label: that stands on it.
        version: of the record, for whoever changes it from here.
        at: when it was received, started, harvested or made, ISO 8601 in UTC.
        what: kind of a specimen, medium of a culture, method of a harvest, banding of a slide.
        note: on it.
        collected, condition, disposed: of a specimen.
        withdrawn: when it was; None while it counts.
        withdrawn_reason: why.
        place: where it is; empty where that is not recorded.
        holder: who has it by the chain of custody; empty where nobody took it over.
        made: of it, in the order of their labels.
    """

    kind: str
    label: str
    version: int
    at: str
    what: str
    note: str
    collected: str | None = None
    condition: str = ""
    disposed: str | None = None
    withdrawn: str | None = None
    withdrawn_reason: str | None = None
    place: str = ""
    holder: str = ""
    made: tuple[Piece, ...] = field(default=())


def pieces(change: Change, case: CaseRow) -> tuple[Piece, ...]:
    """The specimens of a case with what was made of them, those that were withdrawn too.

    Raises:
        NotAllowed: the person may not see records.
    """
    change.require("record.see")
    rows = things_of(change, case)
    labels = [row.label for row in rows]
    places, holders = _places(change, labels), _holders(change, labels)
    below: dict[str, list[Piece]] = {}
    for row in sorted(rows, key=lambda one: (one.label.count("-"), _numbers(one.label)), reverse=True):
        made = tuple(reversed(below.pop(row.label, [])))
        parent = row.label.rpartition("-")[0] if kind_of(row.label) != "specimen" else ""
        told = _told(row) | {"place": places.get(row.label, ""), "holder": holders.get(row.label, "")}
        below.setdefault(parent, []).append(Piece(**told, made=made))
    return tuple(reversed(below.get("", [])))


def piece(change: Change, thing: Labelled) -> Piece:
    """One thing with a label; what was made of it is left out.

    Raises:
        NotAllowed: the person may not see records.
    """
    change.require("record.see")
    label = thing.label
    place, holder = _places(change, [label]).get(label, ""), _holders(change, [label]).get(label, "")
    return Piece(**_told(thing) | {"place": place, "holder": holder})


def children(change: Change, thing: Labelled) -> tuple[Piece, ...]:
    """What was made of a thing, and of that.

    Raises:
        NotAllowed: the person may not see records.
    """
    from consilium.laboratory.found import specimen_of

    below = pieces(change, specimen_of(change.session, thing).case)
    while below:
        for one in below:
            if one.label == thing.label:
                return one.made
        below = tuple(made for one in below for made in one.made)
    return ()


def things_of(change: Change, case: CaseRow) -> Sequence[Labelled]:
    """Everything of a case that has a label."""
    from sqlalchemy import select
    from sqlalchemy.orm import lazyload

    from consilium.laboratory.tables import CultureRow, HarvestRow, SlideRow, SpecimenRow

    session = change.session
    specimens = select(SpecimenRow).options(lazyload(SpecimenRow.case)).where(SpecimenRow.case_id == case.id)
    found: list[Labelled] = list(session.scalars(specimens))
    ids = [one.id for one in found]
    found += session.scalars(select(CultureRow).where(CultureRow.specimen_id.in_(ids)))
    harvests = list(session.scalars(select(HarvestRow).where(HarvestRow.specimen_id.in_(ids))))
    slides = select(SlideRow).where(SlideRow.harvest_id.in_([one.id for one in harvests]))
    return [*found, *harvests, *session.scalars(slides)]


def _told(row: Labelled) -> dict[str, Any]:
    from consilium.laboratory.tables import CultureRow, HarvestRow, SlideRow, SpecimenRow

    told: dict[str, Any] = {
        "kind": kind_of(row.label), "label": row.label, "version": row.version, "withdrawn": row.withdrawn,
        "withdrawn_reason": row.withdrawn_reason,
    }  # fmt: skip
    if isinstance(row, SpecimenRow):
        return told | {
            "at": row.received, "what": row.kind, "note": row.note, "collected": row.collected,
            "condition": row.condition, "disposed": row.disposed,
        }  # fmt: skip
    if isinstance(row, CultureRow):
        return told | {"at": row.started, "what": row.medium, "note": row.note}
    if isinstance(row, HarvestRow):
        return told | {"at": row.harvested, "what": row.method, "note": row.note}
    assert isinstance(row, SlideRow)
    return told | {"at": row.made, "what": row.banding, "note": row.note}


def _places(change: Change, labels: Iterable[str]) -> dict[str, str]:
    from sqlalchemy import select

    from consilium.laboratory.tables import PlaceRow

    asked = select(PlaceRow).where(PlaceRow.holds.in_(list(labels)))
    return {row.holds: row.title for row in change.session.scalars(asked) if row.holds is not None}


def _holders(change: Change, labels: Iterable[str]) -> dict[str, str]:
    from sqlalchemy import select

    from consilium.laboratory.tables import CustodyRow

    asked = select(CustodyRow.label, CustodyRow.receiver).where(CustodyRow.label.in_(list(labels)))
    return {row.label: row.receiver for row in change.session.execute(asked.order_by(CustodyRow.id))}


def _numbers(label: str) -> tuple[str | int, ...]:
    """Parts of a label, so that C10 comes after C2."""
    first, *made = label.replace("-", "\0", 1).split("-")
    return (first, *(part for one in made for part in (one[:1], int(one[1:] or 0))))
