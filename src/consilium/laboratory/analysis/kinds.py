"""The states of a run, and the acts on a cell."""

from __future__ import annotations

from typing import Literal, get_args

RunState = Literal["waiting", "running", "done", "failed", "cancelled"]
"""Of a run: "done" is one whose cells are in the records."""

RUN_STATES: tuple[RunState, ...] = get_args(RunState)
UNFINISHED: tuple[RunState, ...] = ("waiting", "running")

CellAct = Literal["counted", "analysed", "karyotyped"]
CELL_ACTS: tuple[CellAct, ...] = get_args(CellAct)
