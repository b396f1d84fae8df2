"""Commands as JSON: what is written is read again, and nothing else is."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.errors import InputError
from consilium.karyotype.editing import command_json
from consilium.karyotype.editing.commands import COMMANDS, Add, Command, Confirm, Cut, Note, Reassign, Undo

EXAMPLES: list[dict[str, Any]] = [
    {"kind": "reassign", "object": "c3", "label": "21", "place": 0},
    {"kind": "reassign", "object": "c3", "label": "der(9)"},
    {"kind": "swap", "object": "c3", "other": "n17a"},
    {"kind": "flip", "object": "c3", "axis": "vertical"},
    {"kind": "rotate", "object": "c3", "degrees": -12.5},
    {"kind": "straighten", "object": "c3", "on": False},
    {"kind": "cut", "object": "c3", "line": [[0.0, 1.5], [10.0, 1.5]]},
    {"kind": "join", "objects": ["c3", "c4"]},
    {"kind": "separate", "object": "c3", "first": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]],
     "second": [[0.0, 0.0], [2.0, 0.0], [1.0, 1.0]]},
    {"kind": "add", "polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]},
    {"kind": "erase", "object": "c3", "polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]},
    {"kind": "restore", "object": "c3", "polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]},
    {"kind": "remove", "object": "c3", "reason": "other cell"},
    {"kind": "confirm", "objects": ["c3", "c4"]},
    {"kind": "note", "text": "长臂可能缺失", "object": "c3"},
    {"kind": "note", "text": "a good cell"},
    {"kind": "undo"},
    {"kind": "redo"},
]  # fmt: skip


@pytest.mark.parametrize("document", EXAMPLES, ids=lambda one: one["kind"])
def test_what_is_read_is_written_the_same(document: dict[str, Any]) -> None:
    command = command_json.read(document)
    assert command_json.written(command) == document
    assert command_json.read(json.loads(json.dumps(command_json.written(command)))) == command


def test_every_command_has_an_example() -> None:
    assert {one["kind"] for one in EXAMPLES} == {one.kind for one in COMMANDS}
    assert command_json.read({"kind": "undo"}) == Undo()
    assert command_json.read({"kind": "reassign", "object": "c1", "label": "X"}) == Reassign(object="c1", label="X")
    assert isinstance(command_json.read(EXAMPLES[6]), Cut)


@pytest.mark.parametrize(
    "document",
    [
        None, [], "undo", {}, {"kind": None}, {"kind": ["undo"]}, {"kind": "delete"}, {"kind": "undo", "object": "c1"},
        {"kind": "reassign", "object": "c1"}, {"kind": "reassign", "object": "c1", "label": "23"},
        {"kind": "reassign", "object": "c1", "label": "t(9;22)(q34;q11.2)"},
        {"kind": "reassign", "object": "c1", "label": "dmin"}, {"kind": "reassign", "object": "c1", "label": "+21"},
        {"kind": "reassign", "object": "c1", "label": "inc"}, {"kind": "reassign", "object": "c1", "label": "21c"},
        {"kind": "reassign", "object": "c1", "label": "mar,+8"},
        {"kind": "reassign", "object": "c1", "label": "der(9)x2"},
        {"kind": "reassign", "object": "c1", "label": "2mar"}, {"kind": "reassign", "object": "c1", "label": "?der(9)"},
        {"kind": "reassign", "object": "c1", "label": "der(" * 5}, {"kind": "reassign", "object": "c1", "label": 21},
        {"kind": "reassign", "object": "c1", "label": "<b>"}, {"kind": "reassign", "object": "c1", "label": "21 "},
        {"kind": "reassign", "object": "c1", "label": "21", "place": -1},
        {"kind": "reassign", "object": "c1", "label": "21", "place": True},
        {"kind": "reassign", "object": "c1", "label": "21", "place": 0.0},
        {"kind": "reassign", "object": "", "label": "21"}, {"kind": "reassign", "object": "c1\x00", "label": "21"},
        {"kind": "reassign", "object": "c" * 21, "label": "21"}, {"kind": "reassign", "object": "ｃ１", "label": "21"},
        {"kind": "flip", "object": "c1", "axis": "both"}, {"kind": "rotate", "object": "c1", "degrees": math.nan},
        {"kind": "rotate", "object": "c1", "degrees": 10**400}, {"kind": "rotate", "object": "c1", "degrees": "1"},
        {"kind": "rotate", "object": "c1", "degrees": 361}, {"kind": "straighten", "object": "c1", "on": 1},
        {"kind": "cut", "object": "c1", "line": [[0, 0]]}, {"kind": "cut", "object": "c1", "line": [[0, 0], [1]]},
        {"kind": "cut", "object": "c1", "line": [[0, 0], [1, math.inf]]}, {"kind": "cut", "object": "c1", "line": {}},
        {"kind": "cut", "object": "c1", "line": [[0, 0], [1e9, 1]]}, {"kind": "add", "polygon": [[0, 0]] * 1001},
        {"kind": "join", "objects": []}, {"kind": "join", "objects": ["c1", "c1"]}, {"kind": "join", "objects": "c1"},
        {"kind": "confirm", "objects": ["c1"] * 201}, {"kind": "remove", "object": "c1", "reason": "ugly"},
        {"kind": "note", "text": " "}, {"kind": "note", "text": "\ud800"}, {"kind": "note", "text": "x" * 1001},
        {"kind": "note", "text": "a\x00b"},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_command_is_refused(document: object) -> None:
    with pytest.raises(InputError) as refused:
        command_json.read(document)
    assert len(str(refused.value)) < 400


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ENTRIES = ("object", "other", "objects", "label", "place", "axis", "degrees", "on", "line", "first", "second",
           "polygon", "reason", "text")  # fmt: skip


@given(ANY)
def test_any_json_is_a_command_or_an_input_error(document: object) -> None:
    _read_or_refused(document)


@given(st.sampled_from(COMMANDS), st.dictionaries(st.sampled_from(ENTRIES), ANY, max_size=5))
def test_any_entries_are_a_command_or_an_input_error(kind: type[Command], entries: dict[str, object]) -> None:
    _read_or_refused({"kind": kind.kind} | entries)


@given(st.sampled_from(EXAMPLES), st.sampled_from(ENTRIES), ANY)
def test_a_command_with_one_entry_spoilt(document: dict[str, Any], name: str, value: object) -> None:
    _read_or_refused(document | {name: value})


@given(st.text(alphabet="0123456789XYmarderidic()?;.~pq+-, ", max_size=22))
def test_any_label_is_one_or_an_input_error(text: str) -> None:
    _read_or_refused({"kind": "reassign", "object": "c1", "label": text})


def _read_or_refused(document: object) -> None:
    try:
        command = command_json.read(document)
    except InputError:
        return
    assert command_json.read(command_json.written(command)) == command


def test_types_of_what_was_read() -> None:
    assert command_json.read(EXAMPLES[9]) == Add(polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)))
    assert command_json.read(EXAMPLES[13]) == Confirm(objects=("c3", "c4"))
    assert command_json.read({"kind": "note", "text": " a ", "object": None}) == Note(text="a")
