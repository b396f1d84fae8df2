"""The records of review and report. What was read, decided, reported and signed is never changed (`APPEND_ONLY`)."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consilium.laboratory.tables import Table, Thing


class SecondReadingRow(Table):
    """What the second reader says of a cell, or, without one, of the case; the newest one holds.

    Attributes:
        revision: of the report that it is for; an amended report is read anew.
        blind: she had not been shown what the first reader said.
    """

    __tablename__ = "laboratory_second_reading"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("laboratory_case.id"), index=True)
    cell_id: Mapped[int | None] = mapped_column(ForeignKey("laboratory_cell.id"), index=True)
    revision: Mapped[int]
    count: Mapped[int | None]
    karyotype: Mapped[str] = mapped_column(String(2000))
    labels: Mapped[dict[str, str]] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(String(2000))
    blind: Mapped[bool]
    reader: Mapped[str] = mapped_column(String(255))
    at: Mapped[str] = mapped_column(String(32))


class DecisionRow(Table):
    """What was decided where both readers differ; it is about exactly the two values that stand in it."""

    __tablename__ = "laboratory_review_decision"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("laboratory_case.id"), index=True)
    cell_id: Mapped[int | None] = mapped_column(ForeignKey("laboratory_cell.id"), index=True)
    revision: Mapped[int]
    what: Mapped[str] = mapped_column(String(16))
    of: Mapped[str] = mapped_column(String(40))
    first: Mapped[str] = mapped_column(String(2000))
    second: Mapped[str] = mapped_column(String(2000))
    kept: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(2000))
    by: Mapped[str] = mapped_column(String(255))
    at: Mapped[str] = mapped_column(String(32))


class ReportTextRow(Thing):
    """What people wrote into the report of a case that is being made.

    Attributes:
        iscn: the karyotype; empty until somebody settled it.
        iscn_override: why it stands although the validator finds an error.
        drafted: what the cells said when it was settled.
        withhold_sex: the sex is not to be told.
        interpretation: by language.
        reasons: why a figure of a guideline is missed, by figure.
        karyograms: ids of the cells whose karyograms stand in the report; empty: the best of each line.
        amendment_reason: why there is a further revision.
    """

    __tablename__ = "laboratory_report_text"
    case_id: Mapped[int] = mapped_column(ForeignKey("laboratory_case.id"), unique=True)
    iscn: Mapped[str] = mapped_column(String(2000))
    iscn_override: Mapped[str] = mapped_column(String(2000))
    drafted: Mapped[str] = mapped_column(String(2000))
    withhold_sex: Mapped[bool]
    interpretation: Mapped[dict[str, str]] = mapped_column(JSON)
    reasons: Mapped[dict[str, str]] = mapped_column(JSON)
    karyograms: Mapped[list[int]] = mapped_column(JSON)
    amendment_reason: Mapped[str] = mapped_column(String(2000))

    @property
    def title(self) -> str:
        """Its number."""
        return f"report text {self.id}"


class ReportRow(Table):
    """A revision of a report that was signed: the document itself, as canonical JSON."""

    __tablename__ = "laboratory_report"
    __table_args__ = (UniqueConstraint("case_id", "revision", name="laboratory_report_once"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("laboratory_case.id"), index=True)
    revision: Mapped[int]
    content_sha256: Mapped[str] = mapped_column(String(64), index=True)
    document: Mapped[str] = mapped_column(Text)


class SignatureRow(Table):
    """A signature under a revision.

    Attributes:
        previous: `sha256` of the revision before; empty for the first.
        sha256: of the signature's own record (`signature.signature_sha256`).
        seal: of the laboratory over `sha256`, base64; empty where it has none.
        seal_key: its public key, base64.
    """

    __tablename__ = "laboratory_signature"
    __table_args__ = (UniqueConstraint("case_id", "revision", name="laboratory_signature_once"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("laboratory_case.id"), index=True)
    revision: Mapped[int]
    content_sha256: Mapped[str] = mapped_column(String(64))
    signer: Mapped[str] = mapped_column(String(255))
    at: Mapped[str] = mapped_column(String(32))
    meaning: Mapped[str] = mapped_column(String(32))
    method: Mapped[str] = mapped_column(String(32))
    previous: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str] = mapped_column(String(100))
    seal_key: Mapped[str] = mapped_column(String(64))


APPEND_ONLY: tuple[str, ...] = (
    "laboratory_second_reading", "laboratory_review_decision", "laboratory_report", "laboratory_signature",
)  # fmt: skip
