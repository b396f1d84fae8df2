"""An order of another system, whatever it was written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from consilium.errors import InputError
from consilium.laboratory.due_date import Urgency
from consilium.laboratory.exchange.partners import Partners

Action = Literal["new", "change", "cancel"]


@dataclass(frozen=True, kw_only=True)
class Code:
    """A code of another system; either part may be empty."""

    code: str = ""
    system: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderedPatient:
    """Who an order is about: the hospital's number, name, birth date as a day, sex as records write it."""

    number: str
    name: str = ""
    birth_date: str = ""
    sex: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderedSpecimen:
    """A specimen that comes with an order.

    Attributes:
        kinds: codes of what it is, the best first.
        collected, received: ISO 8601; empty where they were not told.
        note: on it.
    """

    kinds: tuple[Code, ...] = ()
    collected: str = ""
    received: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class IncomingOrder:
    """An order.

    Attributes:
        action: what is asked for.
        number: of whoever orders, with @AUTHORITY where it is not the laboratory's own hospital.
        patient: about whom.
        services: codes of what is ordered, the best first.
        specimens: that come with it; none where they come later.
        indication, referrer: as they stand in records.
        urgency: None where it was not told.
        reason: of a cancellation.
    """

    action: Action
    number: str
    patient: OrderedPatient
    services: tuple[Code, ...] = ()
    specimens: tuple[OrderedSpecimen, ...] = ()
    indication: str = ""
    referrer: str = ""
    urgency: Urgency | None = None
    reason: str = ""


def numbered(value: str, authority: str, partners: Partners) -> str:
    """A number of another system as records write it: bare for the laboratory's own hospital, else NUMBER@AUTHORITY."""
    value, authority = value.strip(), authority.strip()
    return value if not value or not authority or authority == partners.authority else f"{value}@{authority}"


def number_parts(number: str, partners: Partners) -> tuple[str, str]:
    """Value and authority of such a number."""
    value, at, authority = number.rpartition("@")
    return (value, authority) if at else (number, partners.authority)


def kind_of(services: tuple[Code, ...], kinds: tuple[Code, ...], partners: Partners) -> str:
    """What kind of specimen the guidelines would call it; what is ordered says more than what it is of.

    Raises:
        InputError: no code of it is settled.
    """
    for codes, meanings in ((services, partners.services), (kinds, partners.specimens)):
        for one in codes:
            for key in (f"{one.system}|{one.code}", one.code):
                if one.code and key in meanings:
                    return meanings[key]
    told = ", ".join(sorted({one.code for one in (*services, *kinds) if one.code})) or "none"
    raise InputError(
        f"what this specimen is cannot be told from its codes ({told[:200]})",
        way_out="An administrator settles what they mean: consilium laboratory partners --set FILE.",
    )
