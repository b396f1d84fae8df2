"""Cells as an interface tells them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from consilium.karyotype.editing.cell import CellObject
from consilium.karyotype.editing.cell_json import flag_document, object_document
from consilium.karyotype.editing.told import Told
from consilium.karyotype.wording import Language
from consilium.laboratory.analysis.cells import ListedCell, OpenCell, RecordedAct, acts_of, case_of, told_act
from consilium.laboratory.analysis.commands import Stored
from consilium.laboratory.analysis.editable import editable
from consilium.laboratory.analysis.kinds import CellAct
from consilium.laboratory.analysis.tables import CellRow, ImageRow
from consilium.web.analysis import Analysis


class FlagOut(BaseModel):
    """What is doubtful, for machines and in words."""

    code: str
    reason: str


class ObjectOut(BaseModel):
    """An object of a cell. Coordinates are pixels of the original picture, x to the right, y down."""

    id: str
    label: str = Field(description='"1".."22", "X", "Y", "unsure", or an abnormal chromosome in ISCN: "mar", "der(9)".')
    home: str = Field(description='The class beside which it stands, or "others".')
    place: int = Field(description="Its order among those of the same home, from 0.")
    confidence: float = Field(description="Of the classifier in its own name, 0..1; 0 for what no classifier read.")
    probabilities: dict[str, float] = Field(description="The five likeliest classes; none for what no classifier read.")
    read: bool = Field(description="The classifier saw it in this shape.")
    named: bool = Field(description="A person gave it its name.")
    confirmed: bool = Field(description="A person found it right, or named it.")
    doubtful: bool = Field(description="It has a flag, and nobody has confirmed it.")
    flags: list[FlagOut]
    polygons: list[list[list[int]]] = Field(description="Outer borders of its pieces, the largest first.")
    box: list[float] = Field(description="[xmin, ymin, xmax, ymax], maxima exclusive.")
    angle_deg: float = Field(description="Counter-clockwise rotation that puts the short arm up.")
    straight: bool
    upside_down: bool
    mirrored: bool
    note: str
    sprite: str = Field(description="Address of its picture, dark on white; it changes with the picture.")
    sprite_width: int
    sprite_height: int
    centromere: int = Field(description="Row of the centromere in the picture, from 0.")


class ActOut(BaseModel):
    """That somebody counted, analysed or karyotyped a cell."""

    act: CellAct
    by: str
    at: str
    version: int = Field(description="Of the cell that she had before her; a cell with a later one was edited since.")


class CellOut(BaseModel):
    """A cell as it is after everything that was done to it."""

    cell: int
    case: str
    image: str
    number: int
    width: int
    height: int
    inverted: bool
    synthetic: bool
    picture: str
    version: int
    can_undo: bool
    can_redo: bool
    count: int
    karyotype: str
    unfinished: list[str] = Field(description="Names that lack the breakpoints which ISCN asks for.")
    band_level: int
    quality: float
    interactions: int
    locked: bool = Field(description="No command is taken: the report is out, or the cell or case was withdrawn.")
    acts: list[CellAct]
    acts_by: list[ActOut]
    flags: list[FlagOut]
    notes: list[str]
    objects: list[ObjectOut]
    doubtful: list[str] = Field(description="Ids, in the order in which to look.")


class StoredOut(BaseModel):
    """What a command changed; it is in the records."""

    version: int
    changed: list[ObjectOut]
    removed: list[str]
    count: int
    karyotype: str
    unfinished: list[str]
    can_undo: bool
    can_redo: bool
    interactions: int
    flags: list[FlagOut]
    notes: list[str]
    doubtful: list[str]


class LoggedOut(BaseModel):
    """A command in the log of a cell."""

    version: int
    who: str
    at: str
    command: dict[str, Any]
    undone: bool


class ListedOut(BaseModel):
    """A cell in the list of its case."""

    cell: int
    image: str
    number: int
    quality: float
    band_level: int
    synthetic: bool
    thumbnail: str
    version: int
    count: int
    karyotype: str
    doubtful: int = Field(description="Objects that somebody still has to look at.")
    flags: list[str]
    interactions: int
    acts: list[CellAct]
    acts_by: list[ActOut]


class OfClassOut(BaseModel):
    """The chromosomes of a class in one cell."""

    cell: int
    image: str
    version: int
    objects: list[ObjectOut]


def cell_out(session: Session, bench: Analysis, row: CellRow, opened: OpenCell, lang: Language) -> CellOut:
    """A whole cell."""
    case, state = case_of(session, row), opened.folded
    acts = [act_out(told) for told in map(told_act, acts_of(session, [row.id]).get(row.id, []))]
    return CellOut(
        cell=row.id,
        case=case.number,
        image=session.get_one(ImageRow, row.image_id).name,
        number=row.number,
        width=row.width,
        height=row.height,
        inverted=row.inverted,
        synthetic=row.synthetic,
        picture=f"/api/v1/cells/{row.id}/picture.png",
        band_level=row.band_level,
        quality=row.quality,
        locked=row.withdrawn is not None or not editable(case),
        acts=[one.act for one in acts],
        acts_by=acts,
        objects=objects_out(session, bench, row, opened.cell.objects, opened.says, lang),
        version=state.version,
        can_undo=bool(state.done),
        can_redo=bool(state.undone),
        interactions=state.interactions,
        **says_out(opened, lang),
    )


def stored_out(session: Session, bench: Analysis, row: CellRow, stored: Stored, lang: Language) -> StoredOut:
    """What a command changed."""
    opened = stored.opened
    return StoredOut(
        version=opened.folded.version,
        changed=objects_out(session, bench, row, stored.changed, opened.says, lang),
        removed=list(stored.removed),
        can_undo=bool(opened.folded.done),
        can_redo=bool(opened.folded.undone),
        interactions=opened.folded.interactions,
        **says_out(opened, lang),
    )


def says_out(opened: OpenCell, lang: Language) -> dict[str, Any]:
    """What a cell says."""
    says = opened.says
    return {
        "count": says.count, "karyotype": says.karyotype, "unfinished": list(says.unfinished),
        "flags": [FlagOut(**flag_document(flag, lang)) for flag in says.cell_flags], "notes": list(opened.cell.notes),
        "doubtful": list(says.doubtful),
    }  # fmt: skip


def sprite_address(cell: int, key: str) -> str:
    """Where the picture of an object is."""
    return f"/api/v1/cells/{cell}/sprites/{key}.png"


def objects_out(
    session: Session, bench: Analysis, row: CellRow, objects: Sequence[CellObject], says: Told, lang: Language
) -> list[ObjectOut]:
    """Objects with the addresses of their pictures."""
    drawn = bench.pictures.drawn(session, row, objects)
    return [
        ObjectOut(
            **object_document(one, says, lang),
            sprite=sprite_address(row.id, drawn[one.id].key),
            sprite_width=drawn[one.id].width,
            sprite_height=drawn[one.id].height,
            centromere=drawn[one.id].centromere,
        )
        for one in objects
    ]


def listed_out(one: ListedCell) -> ListedOut:
    """A cell in a list."""
    acts = [act_out(told) for told in one.acts]
    return ListedOut(
        cell=one.id, image=one.image, number=one.number, quality=one.quality, band_level=one.band_level,
        synthetic=one.synthetic, thumbnail=f"/api/v1/cells/{one.id}/thumbnail.png", version=one.commands,
        count=one.count, karyotype=one.karyotype, doubtful=one.doubtful, flags=list(one.flags),
        interactions=one.interactions, acts=[told.act for told in acts], acts_by=acts,
    )  # fmt: skip


def act_out(one: RecordedAct) -> ActOut:
    """An act."""
    return ActOut(act=one.act, by=one.by, at=one.at, version=one.commands)
