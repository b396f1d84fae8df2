"""How far a case is, and which steps it may take from there: one table.

Steps back need a reason. Whoever analysed a case does not review it where the laboratory wants a second reader, and
nothing that was signed is ever unsigned: the case is reopened, and an amended report takes the place of the one that is
out. A case whose report is written elsewhere becomes amended at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from consilium.errors import InputError, NotAllowed
from consilium.laboratory.permissions import Act, Role

State = Literal["received", "in culture", "harvested", "analysed", "reviewed", "signed", "reopened", "amended"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step that a case may take: the act that it is, and whether a reason has to be told."""

    act: Act
    reason: bool = False


STEPS: Mapping[tuple[State, State], Step] = {
    ("received", "in culture"): Step(act="case.culture"),
    # Marrow and villi may be harvested directly, without a culture.
    ("received", "harvested"): Step(act="case.harvest"),
    ("in culture", "harvested"): Step(act="case.harvest"),
    ("harvested", "analysed"): Step(act="case.analyse"),
    ("harvested", "in culture"): Step(act="case.culture", reason=True),
    ("analysed", "reviewed"): Step(act="case.review"),
    ("analysed", "harvested"): Step(act="case.return", reason=True),
    ("reviewed", "signed"): Step(act="case.sign"),
    ("reviewed", "analysed"): Step(act="case.return", reason=True),
    ("reviewed", "amended"): Step(act="case.sign"),
    ("signed", "reopened"): Step(act="case.amend", reason=True),
    ("amended", "reopened"): Step(act="case.amend", reason=True),
    ("reopened", "analysed"): Step(act="case.analyse"),
    ("signed", "amended"): Step(act="case.amend", reason=True),
    ("amended", "amended"): Step(act="case.amend", reason=True),
}

REPORTED: frozenset[State] = frozenset({"signed", "amended"})
"""States in which the report is out: the due date is kept or missed, and nothing is waited for."""

WAITS_FOR: Mapping[State, Role] = {
    "received": "technologist",
    "in culture": "technologist",
    "harvested": "technologist",
    "analysed": "reviewer",
    "reviewed": "director",
    "reopened": "technologist",
}
"""Whose turn it is."""


def step(state: State, to: State, *, reason: str) -> Step:
    """The step from one state to another.

    Args:
        state: where the case is.
        to: where it is to go.
        reason: why; may be empty where the table asks for none.

    Raises:
        InputError: there is no such step, or it needs a reason.
    """
    found = STEPS.get((state, to))
    if found is None:
        onward = [f"{after!r}" for before, after in STEPS if before == state]
        raise InputError(f"a case that is {state} cannot become {to}", way_out=f"It may become {' or '.join(onward)}.")
    if found.reason and not reason.strip():
        raise InputError(f"a case that is {state} becomes {to} only with a reason", way_out="Tell why.")
    return found


def check_second_reader(to: State, *, who: str, analysed_by: str, wanted: bool) -> None:
    """See that four eyes read a case.

    Args:
        to: where it is to go.
        who: wants to bring it there.
        analysed_by: whoever analysed it last.
        wanted: whether the laboratory wants a second reader.

    Raises:
        NotAllowed: the reviewer would be the one who analysed it.
    """
    if wanted and to == "reviewed" and who == analysed_by:
        raise NotAllowed(f"{who} analysed this case and cannot review it", way_out="Somebody else reads it again.")
