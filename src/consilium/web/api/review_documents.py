"""What the interface of review and report says and takes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from consilium.laboratory.review.differences import Kept, Stand, What
from consilium.laboratory.review.iscn_field import LONGEST, Checked
from consilium.laboratory.review.release import Blocker
from consilium.laboratory.review.signed import SignedReport, Verified
from consilium.web.wording.language import Language

CellId = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Asked(BaseModel):
    """What is handed in: nothing that is not known is overlooked."""

    model_config = ConfigDict(extra="forbid")


class IscnIn(Asked):
    """A karyotype to judge."""

    iscn: str = Field(max_length=LONGEST)
    lang: Language | None = None
    band_level: int | None = Field(default=None, ge=1, le=5000)


class FaultOut(BaseModel):
    """A rule of ISCN that a karyotype breaks, and where: characters `start` to `end` of it."""

    rule: str
    section: str
    severity: Literal["error", "warning", "note"]
    start: int
    end: int
    message: str
    suggestion: str | None


class CheckedOut(BaseModel):
    """A karyotype as it was judged."""

    iscn: str
    parsed: bool
    valid: bool
    canonical: str | None
    faults: list[FaultOut]
    sentences: list[str]


class ReadingIn(Asked):
    """What a second reader says of a cell, or, without one, of the case."""

    cell: CellId | None = None
    count: int | None = Field(default=None, ge=1, le=250)
    karyotype: str = Field(default="", max_length=2000)
    labels: dict[str, str] = Field(default_factory=dict, max_length=300)
    note: str = Field(default="", max_length=2000)


class ReadingOut(BaseModel):
    """A second reading that was recorded."""

    cell: int | None
    count: int | None
    karyotype: str
    labels: dict[str, str]
    note: str
    blind: bool
    reader: str
    at: str


class DifferenceIn(Asked):
    """A difference as it was shown, and the decision about it."""

    cell: CellId | None = None
    what: What
    of: str = Field(default="", max_length=40)
    first: str = Field(max_length=2000)
    second: str = Field(max_length=2000)
    kept: Kept
    reason: str = Field(max_length=2000)


class DecisionOut(BaseModel):
    """What was decided about a difference."""

    kept: Kept
    reason: str
    by: str
    at: str


class StandOut(BaseModel):
    """A difference between both readers: on which cell, about which chromosomes, who says what, and where it stands."""

    cell: int | None
    name: str
    what: What
    of: str
    first: str
    second: str
    chromosomes: list[str]
    standing: Literal["open", "settled", "to carry out"]
    decision: DecisionOut | None


class ReviewedCell(BaseModel):
    """A cell under review; what the first reader said is null until the reader may see it."""

    cell: int
    name: str
    acts: list[str]
    hidden: bool
    count: int | None
    karyotype: str | None
    unreviewed: int | None
    second: ReadingOut | None


class BlockerOut(BaseModel):
    """One thing that stands in the way, where it is, and the way out, in both languages."""

    code: str
    place: Literal["cell", "review", "report", "case"]
    cell: int | None
    name: str
    objects: list[str]
    what: dict[str, str]
    way_out: dict[str, str]


class ReviewOut(BaseModel):
    """A case under review."""

    case: str
    state: str
    version: int
    may_read: bool
    hidden: bool
    karyotype: str | None
    second: ReadingOut | None
    cells: list[ReviewedCell]
    differences: list[StandOut]
    blockers: list[BlockerOut]


class TextIn(Asked):
    """What a person writes into a report; what is left out stays."""

    seen: int = Field(ge=0, le=2**31 - 1, description="Version of the text that she had before her; 0 before any.")
    iscn: str | None = Field(default=None, max_length=2000)
    iscn_override: str | None = Field(default=None, max_length=2000)
    withhold_sex: bool | None = None
    interpretation: dict[Literal["en", "zh"], Annotated[str, Field(max_length=10_000)]] | None = None
    reasons: dict[str, Annotated[str, Field(max_length=2000)]] | None = None
    karyograms: list[CellId] | None = Field(default=None, max_length=12)


class PreparedOut(BaseModel):
    """A report before it is signed: `content` is what a signature with `content_sha256` would be under."""

    case: str
    state: str
    text_version: int
    content: dict[str, Any]
    content_sha256: str
    settled_iscn: str
    drafted_iscn: str
    drafted_interpretation: dict[str, str]
    blockers: list[BlockerOut]


class SignatureIn(Asked):
    """A signature: the hash of what was shown, and the password, unless single sign-on was just now."""

    shown: str = Field(max_length=64)
    password: str = Field(default="", max_length=1024)


class ReasonIn(Asked):
    """Why; and the version of the case that the person had before her."""

    reason: str = Field(max_length=2000)
    seen: int | None = Field(default=None, ge=1, le=2**31 - 1)


class SeenIn(Asked):
    """The version of the case that the person had before her."""

    seen: int | None = Field(default=None, ge=1, le=2**31 - 1)


class SignedOut(BaseModel):
    """A signed revision of a report."""

    case: str
    revision: int
    content_sha256: str
    signer: str
    at: str
    meaning: str
    method: str
    previous: str
    signature_sha256: str
    seal: str
    seal_key: str
    superseded_by: int | None
    content: dict[str, Any]


class VerifiedOut(BaseModel):
    """What a tamper check found about a revision; nothing is wrong where there are no problems."""

    revision: int
    content_sha256: str
    signer: str
    at: str
    problems: list[str]


def checked_out(found: Checked) -> CheckedOut:
    """A judgement as it is told."""
    return CheckedOut(
        iscn=found.text, parsed=found.parsed, valid=found.valid, canonical=found.canonical,
        faults=[
            FaultOut(
                rule=one.rule, section=one.section, severity=one.severity, start=one.start, end=one.end,
                message=one.message, suggestion=one.suggestion,
            )
            for one in found.faults
        ],
        sentences=list(found.sentences),
    )  # fmt: skip


def stand_out(stand: Stand, ids: dict[str, int]) -> StandOut:
    """A difference as it is told; `ids` are those of the cells by name."""
    one, decision = stand.difference, stand.decision
    return StandOut(
        cell=ids.get(one.cell), name=one.cell, what=one.what, of=one.of, first=one.first, second=one.second,
        chromosomes=list(one.chromosomes), standing=stand.standing,
        decision=None
        if decision is None
        else DecisionOut(kept=decision.kept, reason=decision.reason, by=decision.by, at=decision.at),
    )  # fmt: skip


def blocker_out(one: Blocker, ids: dict[str, int]) -> BlockerOut:
    """Something that stands in the way, as it is told."""
    return BlockerOut(
        code=one.code, place=one.place, cell=ids.get(one.cell), name=one.cell, objects=list(one.objects),
        what={"en": one.what("en"), "zh": one.what("zh")}, way_out={"en": one.way_out("en"), "zh": one.way_out("zh")},
    )  # fmt: skip


def signed_out(found: SignedReport) -> SignedOut:
    """A signed revision as it is told."""
    import json

    from consilium.laboratory.review.content import document

    signature = found.signature
    return SignedOut(
        case=signature.case_number, revision=signature.revision, content_sha256=signature.content_sha256,
        signer=signature.signer, at=signature.at, meaning=signature.meaning, method=signature.method,
        previous=signature.previous, signature_sha256=found.sha256, seal=found.seal, seal_key=found.seal_key,
        superseded_by=found.superseded_by, content=json.loads(document(found.content)),
    )  # fmt: skip


def verified_out(found: Verified) -> VerifiedOut:
    """A tamper check as it is told."""
    return VerifiedOut(
        revision=found.revision, content_sha256=found.content_sha256, signer=found.signer, at=found.at,
        problems=list(found.problems),
    )  # fmt: skip
