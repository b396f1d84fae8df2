"""Specimens and cases from a table: each line is a transaction of its own, and each that is refused is told with why.

A table that was cut short by a crash is imported again as it is: lines with the number of an order are not recorded
twice. The report names lines and entries and never repeats what stands in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from consilium.errors import InputError
from consilium.laboratory.entry import entry
from consilium.laboratory.found import case_called, patient_called
from consilium.laboratory.journal import Change
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.reception import (
    Order,
    check_same_person,
    open_case,
    patient_of_hospital_number,
    receive_specimen,
    register,
)
from consilium.laboratory.spreadsheet import decoded, lines

IDENTITY = ("name", "birth_date", "hospital_number", "sex")
ORDER = (
    "specimen", "collected", "received", "condition", "note", "indication", "referrer", "urgency", "order_number",
)  # fmt: skip
COLUMNS = ("case", "patient", *IDENTITY, *ORDER)
"""`case` and `patient` are numbers of this laboratory: a further specimen of a case, a further case of a patient."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A line that was not recorded: its number in the file, and why."""

    line: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of a table.

    Attributes:
        taken: line and accession number of each specimen that was recorded.
        refused: the other lines.
    """

    taken: tuple[tuple[int, str], ...]
    refused: tuple[Refused, ...]


def import_table(laboratory: Laboratory, who: str, data: bytes, *, encoding: str = "") -> Report:
    """Record the specimens of a table.

    Args:
        laboratory: where to.
        who: imports them.
        data: the CSV file.
        encoding: that somebody told; empty: UTF-8, or what its first bytes say.

    Raises:
        NotAllowed: the person may not.
        InputError: it is no table, or has a column that is not known.
        EngineError: the database does not answer; lines before that are recorded.
    """
    with laboratory.looking(who) as look:
        look.require("record.import")
    taken, refused = [], []
    for line in lines(decoded(data, encoding), COLUMNS):
        why = line.refused
        if not why:
            try:
                with laboratory.changing(who) as change:
                    label = _take(change, line.cells)
                taken.append((line.number, label))
            except InputError as problem:
                why = str(problem)
        if why:
            refused.append(Refused(line=line.number, why=why))
    return Report(taken=tuple(taken), refused=tuple(refused))


def _take(change: Change, cells: Mapping[str, str]) -> str:
    """Record a line; gives the accession number."""
    change.require("record.import")
    told = {name: entry(f"the column {name}", cells.get(name, "")) for name in COLUMNS}
    order = Order(**{name: told[name] for name in ORDER if told[name]} | {"specimen": told["specimen"]})
    if told["case"]:
        if any(told[name] for name in ("patient", *IDENTITY, "indication", "referrer", "urgency", "order_number")):
            raise InputError(
                "a further specimen of a case has no patient and no order of its own",
                way_out="Leave the column case empty for a new case.",
            )
        return receive_specimen(change, case_called(change.session, told["case"]), order).label
    if not told["order_number"] and not told["patient"] and not told["hospital_number"] and not told["name"]:
        raise InputError("it tells no patient", way_out="Give patient, hospital_number, name or order_number.")
    patient = None
    if told["patient"]:
        if any(told[name] for name in IDENTITY):
            raise InputError("it tells both a patient of this laboratory and who that is", way_out="Tell one of them.")
        patient = patient_called(change.session, told["patient"])
    elif told["hospital_number"]:
        patient = patient_of_hospital_number(change, told["hospital_number"])
        if patient is not None:
            check_same_person(change, patient, told)
    if patient is None:
        patient = register(change, **{name: told[name] for name in IDENTITY})
    return receive_specimen(change, open_case(change, patient, order), order).label
