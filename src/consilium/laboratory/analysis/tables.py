"""The records of the analysis, by the rules of `laboratory.tables`; their step is in `migrations/versions/`.

Pictures and readings lie in files that are named by what is in them (`files`); rows name them. What a cell is after all
commands stands in `CellStateRow`, so that a list of cells reads no file: it follows from the reading and the commands,
and is written in the transaction of each command.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consilium.laboratory.analysis.kinds import CellAct, RunState
from consilium.laboratory.tables import Table, Thing


class ImageRow(Thing):
    """A picture of a metaphase.

    Attributes:
        name: of the file as it came; one of its name a case.
        sha256: of its content, by which the file is found.
        kind: "png", "tiff" and so on, told from the content.
        size: bytes.
        width, height: pixels.
    """

    __tablename__ = "laboratory_image"
    case_id: Mapped[int] = mapped_column(ForeignKey("laboratory_case.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    size: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]

    @property
    def title(self) -> str:
        """Its number: what a file is called may tell who the patient is."""
        return f"image {self.id}"


class RunRow(Thing):
    """One reading of pictures of a case by the machine.

    Attributes:
        by: who asked for it.
        state: what became of it.
        job: number of the job, by which the compute engine knows it; empty where there is none.
        images: ids of the pictures.
        message: why it failed, or what was left out; empty where there is nothing to say.
        models: name, version and hash of each.
        version_of_consilium: that read.
        record: sha256 of its case.json; None until it was taken in.
    """

    __tablename__ = "laboratory_run"
    case_id: Mapped[int] = mapped_column(ForeignKey("laboratory_case.id"), index=True)
    by: Mapped[str] = mapped_column(String(255))
    asked: Mapped[str] = mapped_column(String(32))
    state: Mapped[RunState] = mapped_column(String(16), index=True)
    job: Mapped[str] = mapped_column(String(32))
    images: Mapped[list[int]] = mapped_column(JSON)
    message: Mapped[str] = mapped_column(String(2000))
    models: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    version_of_consilium: Mapped[str] = mapped_column(String(32))
    record: Mapped[str | None] = mapped_column(String(64))

    @property
    def title(self) -> str:
        """Its number."""
        return f"run {self.id}"


class CellRow(Thing):
    """A cell as the machine read it.

    Attributes:
        number: its place by quality among the cells of its run, from 1.
        quality: 0..1.
        band_level: estimated bands per haploid set.
        reading: sha256 of the file with its entry of case.json.
    """

    __tablename__ = "laboratory_cell"
    __table_args__ = (Index("laboratory_cell_by_case", "case_id", "withdrawn", "quality"),)
    case_id: Mapped[int] = mapped_column(ForeignKey("laboratory_case.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("laboratory_run.id"), index=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("laboratory_image.id"), index=True)
    number: Mapped[int]
    quality: Mapped[float] = mapped_column(Float)
    band_level: Mapped[int]
    synthetic: Mapped[bool]
    inverted: Mapped[bool]
    width: Mapped[int]
    height: Mapped[int]
    reading: Mapped[str] = mapped_column(String(64))

    @property
    def title(self) -> str:
        """Its number."""
        return f"cell {self.id}"


class CellStateRow(Table):
    """What a cell is after all its commands.

    Attributes:
        commands: how many there are, undo and redo included: the version that an editor has to have seen.
        doubtful: objects that somebody still has to look at.
        flags: codes of what is doubtful about the whole cell.
        interactions: see `karyotype.editing.log`.
    """

    __tablename__ = "laboratory_cell_state"
    cell_id: Mapped[int] = mapped_column(ForeignKey("laboratory_cell.id"), primary_key=True, autoincrement=False)
    commands: Mapped[int]
    count: Mapped[int]
    karyotype: Mapped[str] = mapped_column(String(500))
    doubtful: Mapped[int]
    flags: Mapped[list[str]] = mapped_column(JSON)
    interactions: Mapped[int]


class CommandRow(Table):
    """What a person did to a cell. Undo and redo are commands too; none is ever taken out.

    Attributes:
        sequence: its number in the log of the cell, from 1.
        key: made by whoever sent it, so that what is sent twice is done once.
        command: as `karyotype.editing.command_json` writes it.
    """

    __tablename__ = "laboratory_command"
    __table_args__ = (UniqueConstraint("cell_id", "sequence", name="laboratory_command_once"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    cell_id: Mapped[int] = mapped_column(ForeignKey("laboratory_cell.id"))
    sequence: Mapped[int]
    key: Mapped[str] = mapped_column(String(64), unique=True)
    who: Mapped[str] = mapped_column(String(255))
    at: Mapped[str] = mapped_column(String(32))
    command: Mapped[dict[str, Any]] = mapped_column(JSON)


class ActRow(Thing):
    """That a person counted, analysed or karyotyped a cell: three acts, each recorded by itself (ACMG 2006, E3.1).

    Attributes:
        act: which.
        by: who.
        at: when.
        commands: version of the cell that she had before her.
        count, karyotype: what the cell said then.
    """

    __tablename__ = "laboratory_cell_act"
    case_id: Mapped[int] = mapped_column(ForeignKey("laboratory_case.id"), index=True)
    cell_id: Mapped[int] = mapped_column(ForeignKey("laboratory_cell.id"), index=True)
    act: Mapped[CellAct] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(255))
    at: Mapped[str] = mapped_column(String(32))
    commands: Mapped[int]
    count: Mapped[int]
    karyotype: Mapped[str] = mapped_column(String(500))

    @property
    def title(self) -> str:
        """Its number."""
        return f"act {self.id}"


APPEND_ONLY = ("laboratory_command",)
