"""What a core-hour costs, as the hospitals agreed: a small JSON file."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from consilium.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Prices.

    Attributes:
        core_hour, gpu_hour: price of an hour of one; there is none that Consilium would know.
        currency: three letters, e.g. "CNY".
        borrowed: factor on hours of cores that were others' and lay idle, which could be taken back at any moment.
        digits: of the currency behind the point.
    """

    core_hour: Decimal
    gpu_hour: Decimal
    currency: str = "CNY"
    borrowed: Decimal = Decimal("0.25")
    digits: int = 2

    def __post_init__(self) -> None:
        if not (len(self.currency) == 3 and self.currency.isalpha() and self.currency.isascii()):
            raise InputError(f"{self.currency!r} is no currency", way_out="Three letters, such as CNY.")
        for one in (self.core_hour, self.gpu_hour, self.borrowed):
            if not one.is_finite() or one < 0:
                raise InputError("a price is less than nothing, or no number", way_out="Correct the rates.")
        if self.borrowed > 1:
            raise InputError(
                "borrowed hours cost more than own ones", way_out="Give a factor from 0 to 1: they may be taken back."
            )
        if not 0 <= self.digits <= 4:
            raise InputError("a currency has 0 to 4 digits behind the point", way_out="2 for most.")


def read_rates(path: Path) -> Rates:
    """Rates from a file such as {"currency": "CNY", "core_hour": "0.10", "gpu_hour": "4", "borrowed": "0.25"}.

    Raises:
        InputError: it cannot be read, or is something else.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        unknown = set(told) - {one.name for one in fields(Rates)}
        if unknown:
            raise InputError(f"there is no rate {sorted(unknown)[0]!r}", where=str(path), way_out="See docs/how-to.")
        prices = ("core_hour", "gpu_hour", "borrowed")
        values: dict[str, Any] = {
            name: Decimal(str(value)) if name in prices else value for name, value in told.items()
        }
        return Rates(**values)
    except FileNotFoundError as missing:
        raise InputError(
            "there are no prices yet", where=str(path), way_out="Write them as in docs/how-to/watch-the-alliance.md."
        ) from missing
    except (OSError, ValueError, TypeError, AttributeError, InvalidOperation, RecursionError) as problem:
        raise InputError(
            f"the rates cannot be read ({problem})",
            where=str(path),
            way_out="Write them as in docs/how-to/watch-the-alliance.md.",
        ) from problem
