"""Numbers of specimens and cases: a series for each year, without gap and without double.

A number is taken from its series in the transaction that writes the record, so what is rolled back takes none away, and
writers take turns. Nothing that has a number is ever deleted: a number that was given is found for good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from consilium.errors import InputError

_PREFIX = re.compile(r"[A-Z][A-Z0-9]{0,7}")


@dataclass(frozen=True, kw_only=True)
class Series:
    """How numbers look: PREFIX, two digits of the year, a hyphen, the number: S26-00017.

    Attributes:
        prefix: capital letters and digits, a letter first, 8 at most.
        digits: of the number, with leading zeros.
    """

    prefix: str
    digits: int = 5

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise InputError(
                f"{self.prefix!r} cannot begin an accession number",
                way_out="Capital letters and digits, a letter first, 8 at most.",
            )
        if type(self.digits) is not int or not 3 <= self.digits <= 9:
            raise InputError(f"{self.digits} digits are too few or too many", way_out="From 3 to 9.")

    def write(self, year: int, number: int) -> str:
        """An accession number.

        Raises:
            InputError: the series of the year is used up, or the year is none of this century.
        """
        if not 2000 <= year <= 2099:
            raise InputError(f"{year} is no year for an accession number", way_out="From 2000 to 2099.")
        if not 0 < number < 10**self.digits:
            raise InputError(
                f"the series {self.prefix} of {year} has no number {number}",
                way_out="An administrator gives the series more digits.",
            )
        return f"{self.prefix}{year % 100:02d}-{number:0{self.digits}d}"

    def read(self, text: str) -> tuple[int, int]:
        """Year and number of an accession number.

        Raises:
            InputError: it is none of this series.
        """
        found = re.fullmatch(rf"{self.prefix}(\d\d)-(\d{{{self.digits}}})", text, re.ASCII)
        if found is None or int(found[2]) == 0:
            raise InputError("this is no number of this series", way_out=f"As in {self.write(2026, 17)}.")
        return 2000 + int(found[1]), int(found[2])
