"""What a laboratory was told with a specimen: none of it is needed to read a case, all of it belongs in the report."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Literal

from consilium.cytogenetics.guidelines import load
from consilium.errors import InputError

Sex = Literal["", "female", "male"]
SEXES: tuple[Sex, ...] = ("female", "male")

NEOPLASTIC_SPECIMENS = frozenset({"bone_marrow", "lymph_node_or_solid_tumour"})
"""Specimens in which acquired changes are looked for, unless the laboratory says otherwise."""

AMNIOTIC_SPECIMENS = frozenset({"amniotic_in_situ", "amniotic_flask", "chorionic_villi"})
"""Specimens in which a change that one culture alone shows is pseudomosaicism."""

LONGEST = 300
"""Letters of one identifier: longer is a file in the wrong place, and would not fit a page's header."""

IDENTIFIERS = (
    "laboratory", "case_number", "patient_name", "patient_id", "birth_date", "physician", "reason", "received",
    "reported",
)  # fmt: skip
"""What identifies a case and its patient, in the order of the report. It stands in the report and in case.json only."""

_DATES = ("birth_date", "received", "reported")
_BAND_LEVELS = (100, 2000)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A specimen and the question that came with it; what was not told is empty.

    Attributes:
        specimen: a key of the guidelines, e.g. "constitutional_blood".
        neoplastic: whether acquired changes are looked for; None leaves it to the specimen.
        sex: of the patient.
        withhold_sex: the reports are not to tell it.
        band_level: bands per haploid set that a person counted.
        laboratory: its name, as it heads the report.
        case_number: the laboratory's number of the case.
        patient_name, patient_id: of the patient.
        birth_date, received, reported: dates, as YYYY-MM-DD.
        physician: who asked.
        reason: why.

    Raises:
        InputError: for an unknown specimen, a date that is none, and so on; the message names the entry and never
            repeats what it holds.
    """

    specimen: str = ""
    neoplastic: bool | None = None
    sex: Sex = ""
    withhold_sex: bool = False
    band_level: int | None = None
    laboratory: str = ""
    case_number: str = ""
    patient_name: str = ""
    patient_id: str = ""
    birth_date: str = ""
    physician: str = ""
    reason: str = ""
    received: str = ""
    reported: str = ""

    def __post_init__(self) -> None:
        for key in ("specimen", "sex", *IDENTIFIERS):
            _check_text(key, getattr(self, key))
        if self.specimen and self.specimen not in load().specimens:
            raise InputError("'specimen' is none that is known", way_out=f"Known are {', '.join(load().specimens)}.")
        if self.sex and self.sex not in SEXES:
            raise InputError("'sex' is none that is known", way_out="Write female or male, or leave it out.")
        if not isinstance(self.withhold_sex, bool):
            raise InputError("'withhold_sex' is neither true nor false", way_out="Write true or false.")
        if self.neoplastic is not None and not isinstance(self.neoplastic, bool):
            raise InputError("'neoplastic' is neither true nor false", way_out="Write true or false.")
        for key in _DATES:
            _check_date(key, getattr(self, key))
        level = self.band_level
        if level is not None and (isinstance(level, bool) or not isinstance(level, int)):
            raise InputError("'band_level' is no whole number", way_out="Write the bands per haploid set, such as 550.")
        if level is not None and not _BAND_LEVELS[0] <= level <= _BAND_LEVELS[1]:
            raise InputError("'band_level' is no number of bands", way_out="Write the bands per haploid set: 550.")

    @property
    def looks_for_acquired(self) -> bool:
        """Whether acquired changes are looked for (ISCN 2024, chapter 6), not constitutional ones (chapter 5)."""
        return self.specimen in NEOPLASTIC_SPECIMENS if self.neoplastic is None else self.neoplastic

    @property
    def sex_chromosomes(self) -> str | None:
        """The sex chromosomes that go with the sex told; None where it was not told."""
        return {"female": "XX", "male": "XY"}.get(self.sex)


def read_request(
    path: Path | None,
    *,
    specimen: str = "",
    neoplastic: bool | None = None,
    sex: Sex = "",
    withhold_sex: bool | None = None,
) -> Request:
    """Read what was told, from a file and from what was said beside it.

    Args:
        path: a JSON object in UTF-8 with any of the attributes of `Request`; None for no file.
        specimen: told beside the file, as are the others.
        neoplastic: None for not told.
        sex: empty for not told.
        withhold_sex: None for not told.

    Raises:
        InputError: the file cannot be read, is no such object, or contradicts what was said beside it. No message
            repeats a value of the file.
    """
    told = {} if path is None else _read(path)
    beside = {"specimen": specimen, "neoplastic": neoplastic, "sex": sex, "withhold_sex": withhold_sex}
    for key, value in beside.items():
        if value in ("", None):
            continue
        if told.get(key, value) != value:
            raise InputError(
                f"{key!r} is another one than that of the command line",
                where=str(path),
                way_out="Leave one of the two out, and exclude a mix-up of specimens.",
            )
        told[key] = value
    try:
        return Request(**told)
    except InputError as error:
        raise InputError(error.what, where="" if path is None else str(path), way_out=error.way_out) from None


def _read(path: Path) -> dict[str, Any]:
    known = [one.name for one in fields(Request)]
    form = f"Write a JSON object with any of {', '.join(known)}."

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise InputError("an entry stands there twice", where=str(path), way_out="Leave one of the two.")
        return dict(pairs)

    try:
        table = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=once)
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        raise InputError(f"the file cannot be read: {why}", where=str(path), way_out=form) from None
    except (ValueError, RecursionError):
        # What is wrong is not quoted: it may be a patient's name.
        raise InputError("the file is no JSON in UTF-8", where=str(path), way_out=form) from None
    if not isinstance(table, dict):
        raise InputError("the file is no JSON object", where=str(path), way_out=form)
    unknown = [key for key in table if key not in known]
    if unknown:
        raise InputError(f"it has {unknown[0][:40]!r}, which is unknown", where=str(path), way_out=form)
    return table


def _check_text(key: str, value: object) -> None:
    if not isinstance(value, str):
        raise InputError(f"{key!r} is no text", way_out="Write it in quotation marks, or leave it out.")
    if len(value) > LONGEST:
        raise InputError(f"{key!r} is longer than {LONGEST} letters", way_out="Shorten it.")
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Cn", "Co") for letter in value):
        raise InputError(f"{key!r} holds a letter that cannot be printed", way_out="Write it on one line of text.")


def _check_date(key: str, value: str) -> None:
    try:
        right = not value or date.fromisoformat(value).isoformat() == value
    except ValueError:
        right = False
    if not right:
        raise InputError(f"{key!r} is no date", way_out="Write it as 2026-01-31.")
