"""What is made of a specimen: cultures, harvests, slides, each with a label that tells what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilium.errors import InputError
from consilium.laboratory.barcode import LETTERS, label
from consilium.laboratory.entry import entry, one_of
from consilium.laboratory.found import check_there, labelled, specimen_of
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from sqlalchemy.orm.attributes import InstrumentedAttribute

    from consilium.laboratory.tables import CultureRow, HarvestRow, SlideRow


def prepare(
    change: Change, made: str, of: str, *, how: str = "", note: str = "", at: str = ""
) -> CultureRow | HarvestRow | SlideRow:
    """Record what was made: a culture, a harvest or a slide.

    Args:
        change: the transaction.
        made: which of the three.
        of: label of what it is made of.
        how: medium of a culture, method of a harvest, banding of a slide.
        note: on it.
        at: when, as a person gives it; empty is now.

    Raises:
        NotAllowed: the person may not.
        InputError: it is none of the three, or cannot be made of that.
    """
    kind = one_of("what is made", made, tuple(LETTERS))
    if kind == "culture":
        return start_culture(change, of, medium=how, note=note, at=at)
    if kind == "harvest":
        return harvest(change, of, method=how, note=note, at=at)
    return make_slide(change, of, banding=how.strip() or "GTG", note=note, at=at)


def start_culture(change: Change, specimen: str, *, medium: str = "", note: str = "", at: str = "") -> CultureRow:
    """Record a culture of a specimen.

    Args:
        change: the transaction.
        specimen: label.
        medium: it grows in.
        note: on it.
        at: when it was started, as a person gives it; empty is now.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such specimen, or it cannot be worked with.
    """
    from consilium.laboratory.tables import CultureRow, SpecimenRow

    change.require("preparation.make")
    found = labelled(change.session, specimen)
    if not isinstance(found, SpecimenRow):
        raise InputError(f"{found.label} is no specimen", way_out="A culture is of a specimen.")
    check_there(found, found)
    number = _next(change, CultureRow.specimen_id, found.id)
    row = CultureRow(
        label=label(found.label, "culture", number), specimen_id=found.id, started=_when(change, at, found.received),
        medium=entry("the medium", medium, longest=200), note=entry("the note", note),
    )  # fmt: skip
    return change.add(row, "preparation.make")


def harvest(change: Change, of: str, *, method: str = "", note: str = "", at: str = "") -> HarvestRow:
    """Record a harvest of a culture, or of a specimen directly.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such thing, or it cannot be worked with.
    """
    from sqlalchemy import func, select

    from consilium.laboratory.tables import CultureRow, HarvestRow, SpecimenRow

    change.require("preparation.make")
    found = labelled(change.session, of)
    if not isinstance(found, CultureRow | SpecimenRow):
        raise InputError(f"{found.label} cannot be harvested", way_out="A harvest is of a culture or a specimen.")
    specimen = specimen_of(change.session, found)
    check_there(found, specimen)
    culture = found if isinstance(found, CultureRow) else None
    # What is harvested directly is counted apart from what is harvested of each culture.
    same = HarvestRow.culture_id.is_(None) if culture is None else HarvestRow.culture_id == culture.id
    there = select(func.count()).select_from(HarvestRow).where(HarvestRow.specimen_id == specimen.id, same)
    row = HarvestRow(
        label=label(found.label, "harvest", (change.session.scalar(there) or 0) + 1),
        specimen_id=specimen.id, culture_id=None if culture is None else culture.id,
        harvested=_when(change, at, specimen.received if culture is None else culture.started),
        method=entry("the method", method, longest=200), note=entry("the note", note),
    )  # fmt: skip
    return change.add(row, "preparation.make")


def make_slide(change: Change, of: str, *, banding: str = "GTG", note: str = "", at: str = "") -> SlideRow:
    """Record a slide of a harvest.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such harvest, or it cannot be worked with.
    """
    from consilium.laboratory.tables import HarvestRow, SlideRow

    change.require("preparation.make")
    found = labelled(change.session, of)
    if not isinstance(found, HarvestRow):
        raise InputError(f"{found.label} is no harvest", way_out="A slide is of a harvest.")
    check_there(found, specimen_of(change.session, found))
    row = SlideRow(
        label=label(found.label, "slide", _next(change, SlideRow.harvest_id, found.id)), harvest_id=found.id,
        made=_when(change, at, found.harvested), banding=entry("the banding", banding, longest=64),
        note=entry("the note", note),
    )  # fmt: skip
    return change.add(row, "preparation.make")


def _next(change: Change, column: InstrumentedAttribute[int], of: int) -> int:
    """Which of its kind the next one is; what was withdrawn keeps its number."""
    from sqlalchemy import func, select

    return (change.session.scalar(select(func.count()).where(column == of)) or 0) + 1


def _when(change: Change, text: str, not_before: str) -> str:
    if not text.strip():
        return change.at
    moment = change.profile.moment(text)
    if moment > change.at:
        raise InputError("it cannot have happened in the future")
    if moment < not_before and change.profile.day(moment) != change.profile.day(not_before):
        raise InputError("it cannot have happened before there was what it is made of")
    return moment
