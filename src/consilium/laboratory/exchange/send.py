"""A signed report is given to a receiver: written, kept, and waiting to be sent, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consilium.laboratory.exchange import messages
from consilium.laboratory.exchange.hl7v2.result import KIND, control_of, result
from consilium.laboratory.exchange.partners import partners_in
from consilium.laboratory.exchange.report import OutgoingReport
from consilium.laboratory.exchange.tables import MessageRow
from consilium.laboratory.journal import Change

if TYPE_CHECKING:
    from consilium.laboratory.tables import CaseRow


def queue_result(change: Change, case: CaseRow, report: OutgoingReport, receiver: str) -> MessageRow:
    """Have a report sent by HL7 v2. The same revision is queued for a receiver once.

    Args:
        change: the transaction.
        case: of the report.
        report: with `person` and `pdf` where the receiver is told them.
        receiver: name of one that is settled.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such receiver, or its character set cannot write the report.
    """
    from sqlalchemy import select

    change.require("exchange.send")
    if report.person is not None:
        change.require("patient.identify")
    partners = partners_in(change)
    found = partners.receiver(receiver)
    key = f"{case.number}/{report.content.revision}/{receiver}"
    there = change.session.scalar(select(MessageRow).where(MessageRow.key == key))
    if there is not None:
        return there
    body = result(report, found, name=receiver, partners=partners, at=change.at)
    return messages.keep(
        change.session, at=change.at, direction="out", protocol="hl7", kind=KIND.rpartition("^")[0],
        control=control_of(report, receiver), peer=receiver, who=change.worker.name, body=body, state="waiting",
        case_id=case.id, key=key,
    )  # fmt: skip
