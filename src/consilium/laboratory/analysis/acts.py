"""That a person counted, analysed or karyotyped a cell: three different acts, recorded apart (ACMG 2006, E3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilium.errors import InputError, RecordChanged
from consilium.laboratory.analysis.cells import case_of
from consilium.laboratory.analysis.editable import check_editable
from consilium.laboratory.analysis.kinds import CELL_ACTS
from consilium.laboratory.entry import one_of
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from consilium.laboratory.analysis.tables import ActRow, CellRow


def record_act(change: Change, row: CellRow, act: str, *, seen: int) -> ActRow:
    """Record an act on a cell as it is.

    Args:
        change: the transaction.
        row: the cell.
        act: "counted", "analysed" or "karyotyped".
        seen: version of the cell that the person had before her.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody edited the cell since.
        InputError: there is no such act, it holds already, or the case is closed.
    """
    from consilium.laboratory.analysis.tables import ActRow, CellStateRow

    change.require("cell.record")
    kind = one_of("the act", act, CELL_ACTS)
    case = case_of(change.session, row)
    check_editable(case)
    if row.withdrawn is not None:
        raise InputError(f"{row.title} was withdrawn", way_out="Its history tells why.")
    state = change.session.get_one(CellStateRow, row.id)
    if state.commands != seen:
        raise RecordChanged(
            f"{row.title} was edited since it was read", way_out=f"It is at version {state.commands}: look again."
        )
    if holding(change, row, kind) is not None:
        raise InputError(f"{row.title} was {kind} before", way_out="Withdraw that record first, with the reason.")
    made = ActRow(
        case_id=case.id, cell_id=row.id, act=kind, by=change.worker.name, at=change.at, commands=state.commands,
        count=state.count, karyotype=state.karyotype,
    )  # fmt: skip
    return change.add(made, "cell.record")


def withdraw_act(change: Change, row: CellRow, act: str, *, reason: str) -> None:
    """Let a record of an act count no longer. It stays, with the reason.

    Raises:
        NotAllowed: the person may not.
        InputError: no such record holds, no reason was told, or the case is closed.
    """
    kind = one_of("the act", act, CELL_ACTS)
    check_editable(case_of(change.session, row))
    found = holding(change, row, kind)
    if found is None:
        raise InputError(f"nobody has {kind} {row.title}", way_out="Read the cell again.")
    change.withdraw(found, "cell.withdraw", reason=reason)


def holding(change: Change, row: CellRow, act: str) -> ActRow | None:
    """The record of an act that holds."""
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import ActRow

    return change.session.scalar(
        select(ActRow).where(ActRow.cell_id == row.id, ActRow.act == act, ActRow.withdrawn.is_(None))
    )
