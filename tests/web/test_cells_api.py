"""Cells over HTTP: what the editor does, what it is told, and what outlives a kill."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from consilium.karyotype.straighten import dark_on_light
from tests.karyotype.editing.test_command_json import ANY, ENTRIES, EXAMPLES
from tests.laboratory.analysis.conftest import NORMAL, TRISOMY, case_with_cells, cell_ids, drawn
from tests.web.conftest import Client


@pytest.fixture
def number(app: FastAPI, tmp_path: Any) -> str:
    return case_with_cells(app.state.records, app.state.analysis.files, tmp_path)


@pytest.fixture
def cell(app: FastAPI, number: str) -> int:
    return cell_ids(app.state.records, number)[0]


def command(asked: TestClient, cell: int, seen: int, key: str | None = None, **entries: Any) -> Any:
    document = {"key": key or str(uuid4()), "seen": seen, "command": entries}
    return asked.post(f"/api/v1/cells/{cell}/commands", json=document)


def picture(answer: Any) -> np.ndarray[Any, Any]:
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_a_cell_is_told_as_the_contract_says(client: Client, cell: int, number: str) -> None:
    asked = client("tang")
    told = asked.get(f"/api/v1/cells/{cell}").json()
    assert (told["cell"], told["case"], told["image"], told["number"]) == (cell, number, "00.png", 1)
    assert (told["version"], told["can_undo"], told["can_redo"], told["locked"]) == (0, False, False, False)
    assert (told["count"], told["karyotype"], told["interactions"], told["acts"]) == (46, "46,XX", 0, [])
    assert len(told["objects"]) == 46 and told["doubtful"] == [one["id"] for one in told["objects"] if one["doubtful"]]
    first = told["objects"][0]
    assert (first["id"], first["label"], first["home"], first["place"]) == ("c0", "1", "1", 0)
    assert len(first["probabilities"]) == 5 and first["confidence"] == 0.99
    for one in told["objects"][:6]:
        shown = picture(asked.get(one["sprite"]))
        assert shown.shape == (one["sprite_height"], one["sprite_width"])
        assert 0 < one["centromere"] < one["sprite_height"]
        x0, y0, x1, y1 = one["box"]
        xs, ys = zip(*one["polygons"][0], strict=True)
        assert (min(xs), min(ys), max(xs) + 1, max(ys) + 1) == (x0, y0, x1, y1)


def test_pictures_are_the_pixels_that_were_taken(client: Client, cell: int) -> None:
    asked = client("tang")
    taken = drawn(NORMAL, "00.png").pixels.copy()
    taken[0, 0] = 0
    np.testing.assert_array_equal(picture(asked.get(f"/api/v1/cells/{cell}/picture.png")), taken)
    small = picture(asked.get(f"/api/v1/cells/{cell}/thumbnail.png"))
    assert max(small.shape) == 360 and small.dtype == np.uint8
    one = asked.get(f"/api/v1/cells/{cell}").json()["objects"][10]
    shown, page = picture(asked.get(one["sprite"])), dark_on_light(taken, inverted=False)
    # The darkest band of the object is the darkest of its picture: nothing was made up.
    x0, y0, x1, y1 = (int(side) for side in one["box"])
    assert abs(int(shown.min()) - int(page[y0:y1, x0:x1].min())) <= 12


def test_commands_change_what_is_told(client: Client, cell: int) -> None:
    asked = client("tang")
    before = asked.get(f"/api/v1/cells/{cell}").json()
    answer = command(asked, cell, 0, kind="reassign", object="c0", label="mar")
    assert answer.status_code == 201
    told = answer.json()
    assert told["version"] == 1 and told["karyotype"] == "46,XX,-1,+mar" and told["interactions"] == 1
    moved = next(one for one in told["changed"] if one["id"] == "c0")
    assert (moved["label"], moved["home"], moved["confirmed"]) == ("mar", "others", True)
    assert moved["sprite"] != before["objects"][0]["sprite"]
    flipped = command(asked, cell, 1, kind="flip", object="c1", axis="horizontal").json()["changed"][0]
    was = picture(asked.get(before["objects"][1]["sprite"]))
    np.testing.assert_array_equal(picture(asked.get(flipped["sprite"])), was[:, ::-1])
    cut = command(asked, cell, 2, kind="cut", object="c2", line=[[0, 60], [400, 60]]).json()
    assert cut["removed"] == ["c2"] and {one["id"] for one in cut["changed"]} >= {"n3a", "n3b"}
    assert cut["count"] == 47
    back = command(asked, cell, 3, kind="undo").json()
    assert back["removed"] == ["n3a", "n3b"] and back["can_redo"] and back["count"] == 46
    now = asked.get(f"/api/v1/cells/{cell}").json()
    assert now["version"] == 4 and {one["id"] for one in now["objects"]} == {one["id"] for one in before["objects"]}
    assert now["doubtful"] == back["doubtful"]
    log = asked.get(f"/api/v1/cells/{cell}/commands").json()
    assert [(one["version"], one["command"]["kind"], one["undone"]) for one in log] == [
        (1, "reassign", False), (2, "flip", False), (3, "cut", True), (4, "undo", False)
    ]  # fmt: skip


def test_the_same_key_gets_the_same_answer(client: Client, cell: int) -> None:
    asked = client("tang")
    first = command(asked, cell, 0, key="one-and-only", kind="confirm", objects=["c0", "c1"])
    command(asked, cell, 1, kind="remove", object="c5", reason="dirt")
    again = command(asked, cell, 0, key="one-and-only", kind="confirm", objects=["c0", "c1"])
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"key": "k" * 9, "seen": 3, "command": {"kind": "undo"}}, 409, "RecordChanged"),
        ({"key": "k" * 9, "seen": 0, "command": {"kind": "undo"}}, 422, "InputError"),
        ({"key": "k" * 9, "seen": 0, "command": {"kind": "explode"}}, 422, "InputError"),
        ({"key": "k" * 9, "seen": 0, "command": {"kind": "reassign", "object": "c0", "label": "<b>"}},
         422, "InputError"),
        ({"key": "short", "seen": 0, "command": {"kind": "confirm", "objects": ["c0"]}}, 422, "InputError"),
        ({"key": "k" * 9, "seen": 0}, 422, "InputError"),
        ({"key": "k" * 9, "seen": 0, "command": {"kind": "undo"}, "more": 1}, 422, "InputError"),
        ({"key": "k" * 9, "seen": 0, "command": {"kind": "cut", "object": "c0", "line": [[0, 0], [1, 1]]}},
         422, "InputError"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_says_why(client: Client, cell: int, body: Any, status: int, kind: str) -> None:
    asked = client("tang")
    answer = asked.post(f"/api/v1/cells/{cell}/commands", json=body)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (status, kind)
    assert asked.get(f"/api/v1/cells/{cell}").json()["version"] == 0


def test_what_is_not_there_is_not_found(client: Client, cell: int) -> None:
    asked = client("tang")
    for path in (
        "/api/v1/cells/999", "/api/v1/cells/0", f"/api/v1/cells/{10**14}",
        f"/api/v1/cells/{cell}/sprites/{'0' * 40}.png",
        f"/api/v1/cells/{cell}/sprites/..%2F..%2Frecords.png", "/api/v1/cases/K26-0000099/cells",
    ):  # fmt: skip
        assert asked.get(path).status_code == 404, path


def test_who_may_not_is_refused(client: Client, cell: int, number: str) -> None:
    assert client().get(f"/api/v1/cells/{cell}").status_code == 401
    keeper = client("ada")
    assert keeper.get(f"/api/v1/cells/{cell}").status_code == 200
    assert command(keeper, cell, 0, kind="confirm", objects=["c0"]).status_code == 403
    act = {"act": "counted", "seen": 0}
    assert keeper.post(f"/api/v1/cells/{cell}/acts", json=act).status_code == 403
    assert keeper.post(f"/api/v1/cases/{number}/runs", json={}).status_code == 403


def test_acts_are_recorded_and_withdrawn(client: Client, cell: int) -> None:
    asked, at = client("ren"), f"/api/v1/cells/{cell}/acts"
    told = asked.post(at, json={"act": "counted", "seen": 0})
    assert told.status_code == 201 and told.json()["acts"] == ["counted"]
    assert told.json()["acts_by"][0]["by"] == "ren"
    assert asked.post(at, json={"act": "counted", "seen": 0}).status_code == 422
    assert asked.post(at, json={"act": "analysed", "seen": 1}).status_code == 409
    assert asked.post(at, json={"act": "admired", "seen": 0}).status_code == 422
    assert asked.request("DELETE", f"{at}/counted", json={"reason": ""}).status_code == 422
    assert asked.request("DELETE", f"{at}/counted", json={"reason": "miscounted"}).json()["acts"] == []


def test_a_signed_case_is_locked(app: FastAPI, client: Client, cell: int, number: str) -> None:
    from consilium.laboratory.found import case_called

    with app.state.records.changing("dai") as change:
        change.edit(case_called(change.session, number), "case.sign", state="signed")
    asked = client("tang")
    assert asked.get(f"/api/v1/cells/{cell}").json()["locked"] is True
    answer = command(asked, cell, 0, kind="confirm", objects=["c0"])
    assert answer.status_code == 422 and "report" in answer.json()["error"]["what"]


def test_the_cells_of_a_case_are_listed_and_compared(client: Client, number: str, cell: int) -> None:
    asked = client("tang")
    listed = asked.get(f"/api/v1/cases/{number}/cells").json()
    assert [(one["number"], one["count"], one["karyotype"]) for one in listed] == [
        (1, 46, "46,XX"), (2, 46, "46,XX"), (3, 47, "47,XX,+21")
    ]  # fmt: skip
    assert all(asked.get(one["thumbnail"]).status_code == 200 for one in listed)
    compared = asked.get(f"/api/v1/cases/{number}/chromosomes/21").json()
    assert [len(one["objects"]) for one in compared] == [2, 2, 3]
    assert {each["label"] for one in compared for each in one["objects"]} == {"21"}
    command(asked, cell, 0, kind="reassign", object="c0", label="der(21)")
    assert len(asked.get(f"/api/v1/cases/{number}/chromosomes/21").json()[0]["objects"]) == 3
    assert asked.get(f"/api/v1/cases/{number}/chromosomes/23").status_code == 422


def test_the_worksheet_is_told(client: Client, number: str) -> None:
    asked = client("tang")
    for one in asked.get(f"/api/v1/cases/{number}/cells").json():
        for act in ("counted", "analysed"):
            asked.post(f"/api/v1/cells/{one['cell']}/acts", json={"act": act, "seen": 0})
    told = asked.get(f"/api/v1/cases/{number}/worksheet").json()
    assert told["acts"] == {"counted": 3, "analysed": 3, "karyotyped": 0} and told["counts"] == {"46": 2, "47": 1}
    assert told["conclusion"]["draft"] is True and told["excluded"] == {}
    assert {one["what"] for one in told["checks"]} >= {"analysed", "karyotyped"}


def test_kinds_of_cells(client: Client, app: FastAPI, tmp_path: Any) -> None:
    other = case_with_cells(app.state.records, app.state.analysis.files, tmp_path, [TRISOMY])
    (one,) = client("tang").get(f"/api/v1/cases/{other}/cells").json()
    assert one["flags"] and one["acts"] == [] and one["synthetic"] is True


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(example=st.sampled_from(EXAMPLES), name=st.sampled_from(ENTRIES), value=ANY, seen=st.integers(-2, 2**70))
def test_any_command_is_done_or_refused_with_the_reason(
    client: Client, cell: int, example: dict[str, Any], name: str, value: Any, seen: int
) -> None:
    asked = client("tang")
    version = asked.get(f"/api/v1/cells/{cell}").json()["version"]
    for told in (version, seen):
        document = {"key": str(uuid4()), "seen": told, "command": example | {name: value}}
        # As a hostile client writes it: NaN, halves of letters, numbers without end.
        answer = asked.post(
            f"/api/v1/cells/{cell}/commands", content=json.dumps(document).encode(),
            headers={"content-type": "application/json"},
        )  # fmt: skip
        assert answer.status_code in (201, 409, 422), answer.text
        if answer.status_code != 201:
            assert answer.json()["error"]["what"]
            continue
        assert answer.json()["version"] == version + 1
        version += 1


def test_all_pictures_of_a_cell_come_at_once(client: Client, cell: int) -> None:
    asked = client("tang")
    objects = asked.get(f"/api/v1/cells/{cell}").json()["objects"]
    found = asked.get(f"/api/v1/cells/{cell}/sprites").json()
    assert set(found) == {one["sprite"] for one in objects}
    for address, content in found.items():
        assert b64decode(content) == asked.get(address).content
