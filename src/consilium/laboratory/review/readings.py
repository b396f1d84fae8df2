"""The second reading: somebody else says what she sees of a cell before she is shown what the first reader saw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from consilium.cytogenetics.iscn.parse import NotISCN, parse
from consilium.errors import InputError, NotAllowed
from consilium.laboratory.entry import entry, one_of
from consilium.laboratory.journal import Change
from consilium.laboratory.review.differences import CASE, KEPT, Decision, Difference, Kept, Reading

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.review.tables import SecondReadingRow
    from consilium.laboratory.tables import CaseRow

MOST_CHROMOSOMES = 250
MOST_LABELS = 300


def record_reading(
    change: Change,
    case: CaseRow,
    cell_id: int | None,
    *,
    count: int | None = None,
    karyotype: str = "",
    labels: Mapping[str, str] | None = None,
    note: str = "",
) -> SecondReadingRow:
    """Record what the second reader says of a cell, or of the case.

    Args:
        change: the transaction.
        case: as its session has it.
        cell_id: the cell; None for the case.
        count: chromosomes counted.
        karyotype: what she reads, in ISCN; of a case it is needed, of a cell it or a count.
        labels: classes of single objects that she names otherwise, by object.
        note: of hers.

    Raises:
        NotAllowed: the person may not, or analysed the case herself.
        InputError: nothing was said, the karyotype is none, or the case does not wait for a reviewer.
    """
    from consilium.laboratory.review.tables import SecondReadingRow

    change.require("review.read")
    check_reader(change, case)
    said = entry("the karyotype", karyotype, needed=cell_id is None)
    if said:
        _check_karyotype(said)
    if count is not None and not 1 <= count <= MOST_CHROMOSOMES:
        raise InputError(f"no cell has {count} chromosomes")
    named = _labels(labels or {})
    if cell_id is not None and count is None and not said and not named:
        raise InputError("a reading says something", way_out="Give the count, the karyotype, or both.")
    row = SecondReadingRow(
        case_id=case.id, cell_id=cell_id, revision=case.amendments + 1, count=count, karyotype=said, labels=named,
        note=entry("the note", note), blind=not may_see_first(change, case, cell_id), reader=change.worker.name,
        at=change.at,
    )  # fmt: skip
    change.session.add(row)
    change.session.flush()
    return row


def check_reader(change: Change, case: CaseRow) -> None:
    """See that a case waits for a second reader, and that this person may be one.

    Raises:
        NotAllowed: she analysed the case.
        InputError: it does not wait for one.
    """
    if case.withdrawn is not None or case.state != "analysed":
        raise InputError(
            f"{case.number} does not wait for a second reader", way_out="A case is read again after it was analysed."
        )
    if change.profile.second_reader and change.worker.name == case.analysed_by:
        raise NotAllowed(
            f"{change.worker.name} analysed this case and cannot read it again", way_out="Somebody else reads it."
        )


def may_see_first(change: Change, case: CaseRow, cell_id: int | None) -> bool:
    """Whether a person is shown what the first reader said of a cell, or of the case.

    Where the laboratory wants blind reading, whoever could be the second reader sees it once somebody has said a second
    one. The case's karyotype tells those of its cells, so it comes last.
    """
    from consilium.laboratory.permissions import allowed

    could_read = case.state == "analysed" and allowed(change.worker, "review.read")
    if not change.profile.release.blind or not change.profile.second_reader or not could_read:
        return True
    if change.worker.name == case.analysed_by:
        return True
    return cell_id in newest_readings(change.session, case)


def check_may_see(change: Change, case: CaseRow) -> None:
    """See that a person may be shown the report that is made.

    Raises:
        InputError: she could be the second reader, and nobody has read the case a second time yet.
    """
    if not may_see_first(change, case, None):
        raise InputError(
            f"{case.number} has to be read a second time first", where="second reading",
            way_out="Say on the page of the second reading what you see; then this is shown.",
        )  # fmt: skip


def newest_readings(session: Session, case: CaseRow) -> dict[int | None, SecondReadingRow]:
    """The reading of each cell that holds, and under None that of the case; only those for the report that is made.

    Whoever analysed the case meanwhile is no second reader of it any more.
    """
    from sqlalchemy import select

    from consilium.laboratory.review.tables import SecondReadingRow

    asked = (
        select(SecondReadingRow)
        .where(
            SecondReadingRow.case_id == case.id, SecondReadingRow.revision == case.amendments + 1,
            SecondReadingRow.reader != case.analysed_by,
        )
        .order_by(SecondReadingRow.id)
    )  # fmt: skip
    return {row.cell_id: row for row in session.scalars(asked)}


def reading_of(row: SecondReadingRow, cell: str) -> Reading:
    """A reading as it is compared; `cell` is the cell's name, or `CASE`."""
    return Reading(cell=cell, count=row.count, karyotype=row.karyotype, labels=dict(row.labels))


def decide(
    change: Change, case: CaseRow, cell_id: int | None, difference: Difference, *, kept: Kept, reason: str
) -> None:
    """Decide about a difference.

    Args:
        change: the transaction.
        case: as its session has it.
        cell_id: the cell; None for the case.
        difference: as it is at this moment.
        kept: whose value is right.
        reason: why.

    Raises:
        NotAllowed: the person may not.
        InputError: no reason was told, or the case is not under review.
    """
    from consilium.laboratory.review.tables import DecisionRow

    change.require("review.decide")
    if case.withdrawn is not None or case.state not in ("analysed", "reviewed"):
        raise InputError(f"{case.number} is {case.state}: nothing is decided about it")
    one_of("whose value is right", kept, KEPT)
    row = DecisionRow(
        case_id=case.id, cell_id=cell_id, revision=case.amendments + 1, what=difference.what, of=difference.of,
        first=difference.first, second=difference.second, kept=kept, reason=entry("a reason", reason, needed=True),
        by=change.worker.name, at=change.at,
    )  # fmt: skip
    change.session.add(row)
    change.session.flush()


def decisions(session: Session, case: CaseRow, names: Mapping[int, str]) -> tuple[Decision, ...]:
    """Everything that was decided for the report that is made, oldest first.

    Args:
        session: to look with.
        case: whose.
        names: of its cells, by id.
    """
    from sqlalchemy import select

    from consilium.laboratory.review.tables import DecisionRow

    asked = (
        select(DecisionRow)
        .where(DecisionRow.case_id == case.id, DecisionRow.revision == case.amendments + 1)
        .order_by(DecisionRow.id)
    )
    return tuple(
        Decision(
            cell=CASE if row.cell_id is None else names.get(row.cell_id, CASE), what=row.what,  # type: ignore[arg-type]
            of=row.of, first=row.first, second=row.second, kept=row.kept,  # type: ignore[arg-type]
            reason=row.reason, by=row.by, at=row.at,
        )
        for row in session.scalars(asked)
    )  # fmt: skip


def _check_karyotype(text: str) -> None:
    try:
        parse(text)
    except NotISCN as problem:
        raise InputError(
            f"this is no karyotype in ISCN (letter {problem.start + 1})", way_out="As in 46,XX or 47,XY,+21."
        ) from problem


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    if len(labels) > MOST_LABELS:
        raise InputError(f"a cell has no {len(labels)} objects")
    return {
        entry("an object", name, longest=40, needed=True): entry("a class", label, longest=20, needed=True)
        for name, label in labels.items()
    }
