"""A message comes in: taken, kept and committed, and only then acknowledged.

Whoever sends keeps an order until it is acknowledged, so the answer AA is a promise: the order is in the records
before it is made. What is refused is kept as well, in a transaction of its own, with why.
"""

from __future__ import annotations

from dataclasses import dataclass

from consilium.database.database import now
from consilium.errors import ConsiliumError, InputError, MissingExtra, NotAllowed
from consilium.laboratory.exchange import messages
from consilium.laboratory.exchange.hl7v2.acknowledge import Answer, Problem, acknowledgement
from consilium.laboratory.exchange.hl7v2.message import Message, message_of
from consilium.laboratory.exchange.hl7v2.orders import KINDS, orders_of
from consilium.laboratory.exchange.hl7v2.text import LARGEST_ORDER
from consilium.laboratory.exchange.partners import Partners, partners_in
from consilium.laboratory.exchange.reception import OrderConflict, Taken, UnknownOrder, take
from consilium.laboratory.laboratory import Laboratory

VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.2")
"""Versions (MSH-12) whose orders have these fields in these places."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered to a message.

    Attributes:
        answer: AA, AE or AR.
        data: the acknowledgement.
        taken: what became of each order; empty where the message was refused.
        why: of a refusal.
    """

    answer: Answer
    data: bytes
    taken: tuple[Taken, ...] = ()
    why: str = ""


class _Refused(Exception):
    def __init__(self, answer: Answer, problem: Problem) -> None:
        super().__init__(problem.told)
        self.answer, self.problem = answer, problem


def receive(laboratory: Laboratory, who: str, data: bytes, *, peer: str) -> Reply:
    """Take a message in, and answer it. Whatever is in it, nothing is raised but what is no fault of the message.

    Args:
        laboratory: where to.
        who: receives: a person of the laboratory, or an account for the other system.
        data: the message, without the bytes around it on a line.
        peer: where it came from, for the record.

    Raises:
        MissingExtra: the package `hl7` is not installed.
    """
    message, partners = None, Partners()
    try:
        if len(data) > LARGEST_ORDER:
            raise InputError(f"the message is too large ({len(data)} bytes)", way_out=f"{LARGEST_ORDER} bytes at most.")
        message = message_of(data)
        with laboratory.changing(who) as change:
            partners = partners_in(change)
            _check(message, partners)
            taken = tuple(take(change, one, partners) for one in orders_of(message, change.profile, partners))
            told = "; ".join(f"{one.what} as {one.case}" for one in taken)
            messages.keep(
                change.session, at=change.at, direction="in", protocol="hl7", kind=message.kind,
                control=message.control, peer=peer, who=who, body=data, state="taken", told=told,
                case_id=taken[0].case_id,
            )  # fmt: skip
        return Reply(answer="AA", data=_answer(message, partners, "AA", told=told), taken=taken)
    except MissingExtra:
        raise
    except _Refused as problem:
        answer, found = problem.answer, problem.problem
    except ConsiliumError as problem:
        answer, found = _refusal(message, problem)
    _keep_refused(laboratory, who, data, message, peer, f"{answer}: {found.told}")
    return Reply(answer=answer, data=_answer(message, partners, answer, problem=found), why=found.told)


def _check(message: Message, partners: Partners) -> None:
    header = message.header
    kind = message.kind
    if kind not in KINDS:
        known = [one.partition("^")[0] for one in KINDS]
        code = "201" if kind.partition("^")[0] in known else "200"
        raise _Refused("AR", Problem(code=code, told=f"taken are {', '.join(KINDS)}", where="MSH-9"))
    if not message.control:
        raise _Refused("AR", Problem(code="101", told="a message needs a number", where="MSH-10"))
    if header.value(11) not in partners.processing:
        told = f"taken are messages for {', '.join(partners.processing)}"
        raise _Refused("AR", Problem(code="202", told=told, where="MSH-11"))
    if header.value(12) not in VERSIONS:
        raise _Refused("AR", Problem(code="203", told=f"taken are versions {', '.join(VERSIONS)}", where="MSH-12"))


def _refusal(message: Message | None, problem: ConsiliumError) -> tuple[Answer, Problem]:
    told = f"{problem.what}. {problem.way_out}" if problem.way_out else problem.what
    if message is None:
        return "AR", Problem(code="100", told=told)
    if isinstance(problem, NotAllowed):
        return "AR", Problem(code="207", told=told)
    if not isinstance(problem, InputError):
        # The database, not the message: to be sent again as it is.
        return "AR", Problem(code="207", told="the records do not answer; nothing was recorded, send it again")
    code = {OrderConflict: "205", UnknownOrder: "204"}.get(type(problem), "")
    if not code:
        code = "101" if "missing" in problem.what else "103" if "no such" in problem.what else "102"
    return "AE", Problem(code=code, told=told, where=problem.where)


def _answer(
    message: Message | None, partners: Partners, answer: Answer, *, told: str = "", problem: Problem | None = None
) -> bytes:
    arguments = {"at": now(), "application": partners.application, "facility": partners.facility}
    problems = () if problem is None else (problem,)
    try:
        return acknowledgement(message, answer, told=told, problems=problems, **arguments)
    except InputError:
        # Its header cannot be read: what was meant for it goes without its number.
        return acknowledgement(None, answer, told=told, problems=problems, **arguments)


def _keep_refused(laboratory: Laboratory, who: str, data: bytes, message: Message | None, peer: str, why: str) -> None:
    kind = control = ""
    if message is not None:
        try:
            kind, control = message.kind, message.control
        except InputError:
            kind = ""
    try:
        with laboratory.writing() as session:
            messages.keep(
                session, at=now(), direction="in", protocol="hl7", kind=kind, control=control, peer=peer, who=who[:255],
                body=data, state="refused", told=why,
            )  # fmt: skip
    except ConsiliumError:
        # It is refused either way, and whoever sent it has it still.
        return
