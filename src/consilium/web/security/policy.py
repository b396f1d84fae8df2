"""How long sessions last and how often somebody may try to sign in."""

from __future__ import annotations

from dataclasses import dataclass, fields

from consilium.errors import InputError


@dataclass(frozen=True, kw_only=True)
class SignInPolicy:
    """What a laboratory asks of whoever signs in.

    Attributes:
        idle_minutes: after so long without a request a session is over.
        longest_hours: after so long it is over in any case.
        account_failures: wrong passwords for one name, after which one has to wait.
        address_failures: the same from one address, whatever the names; people behind one router share it.
        longest_wait_seconds: the wait doubles with each further failure, and ends here: nobody is locked out for good.
        forget_minutes: after so long without a failure earlier ones count no longer.
        one_time_days: how long a password that somebody else made is good for.
        token_days: how long a token of another system may be good for.
    """

    idle_minutes: int = 30
    longest_hours: int = 12
    account_failures: int = 5
    address_failures: int = 30
    longest_wait_seconds: int = 900
    forget_minutes: int = 60
    one_time_days: int = 7
    token_days: int = 366

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if type(value) is not int or not 1 <= value <= 1_000_000:
                raise InputError(f"{one.name} has to be a whole number from 1 on")
