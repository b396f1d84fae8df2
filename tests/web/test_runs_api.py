"""Pictures that are handed in, runs on the real engine, and results that come into the records whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI

pytest.importorskip("hyperqueue", reason="runs need the compute engine (extra compute)")

from consilium.alliance.compute.engines import engine_in
from consilium.laboratory.found import case_called
from consilium.settings import HOME_VARIABLE
from consilium.web.app import create_app
from tests.laboratory.conftest import received
from tests.web.conftest import Client


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with an engine of its own, ended at the end."""
    folder = tmp_path_factory.mktemp("h")
    monkeypatch.setenv(HOME_VARIABLE, str(folder))
    yield folder
    engine_in(folder).stop()


@pytest.fixture
def number(app: FastAPI, stand_in_command: list[str]) -> str:
    app.state.runs.command = tuple(stand_in_command)
    return received(app.state.records)[1]


def eventually(ask: Callable[[], Any], within: float = 60) -> Any:
    deadline = time.monotonic() + within
    while not (found := ask()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.2)
    return found


def pictures(
    stand_in: ModuleType, folder: Path, cells: int = 2, **more: Any
) -> list[tuple[str, tuple[str, bytes, str]]]:
    kinds = [stand_in.NORMAL, stand_in.TRISOMY_21, (*stand_in.NORMAL, "8")]
    found = []
    for index in range(cells):
        path = stand_in.save(folder / f"p{index}.png", kinds[index], **more)
        found.append(("files", (path.name, path.read_bytes(), "image/png")))
    return found


def state_of(asked: Any, number: str, wanted: str) -> Callable[[], Any]:
    def ask() -> Any:
        run = asked.get(f"/api/v1/cases/{number}/runs").json()[0]
        assert run["state"] in ("waiting", "running", wanted), run
        return run if run["state"] == wanted else None

    return ask


def test_pictures_come_in_are_read_and_become_cells(
    client: Client, number: str, stand_in: ModuleType, tmp_path: Path, app: FastAPI
) -> None:
    asked = client("tang")
    files = pictures(stand_in, tmp_path)
    answer = asked.post(f"/api/v1/cases/{number}/images", files=files)
    assert answer.status_code == 201 and [one["name"] for one in answer.json()] == ["p0.png", "p1.png"]
    run = asked.post(f"/api/v1/cases/{number}/runs", json={})
    assert run.status_code == 201 and run.json()["job"] == "1" and run.json()["images"] == 2
    done = eventually(state_of(asked, number, "done"))
    assert done["message"] == "" and done["progress"] is None and done["models"]
    cells = asked.get(f"/api/v1/cases/{number}/cells").json()
    assert {(one["image"], one["karyotype"]) for one in cells} == {("p0.png", "46,XX"), ("p1.png", "47,XX,+21")}
    cell = asked.get(f"/api/v1/cells/{cells[0]['cell']}").json()
    assert asked.get(cell["objects"][0]["sprite"]).status_code == 200
    # Nothing is left lying about, and nothing is read twice.
    eventually(lambda: not list((app.state.analysis.files.folder / "runs").iterdir()))
    again = asked.post(f"/api/v1/cases/{number}/runs", json={})
    assert again.status_code == 422 and again.json()["error"]["kind"] == "NothingToDo"


def test_what_is_handed_in_comes_in_whole_or_not_at_all(
    client: Client, number: str, stand_in: ModuleType, tmp_path: Path, app: FastAPI
) -> None:
    asked, at = client("tang"), f"/api/v1/cases/{number}/images"
    files = pictures(stand_in, tmp_path)
    for spoilt in (b"GIF89a nothing", b"", b"<script>alert(1)</script>"):
        answer = asked.post(at, files=[*files, ("files", ("x.png", spoilt, "image/png"))])
        assert answer.status_code == 422 and answer.json()["error"]["where"] == "x.png"
        assert asked.get(at).json() == []
    assert asked.post(at, files=[*files, files[0]]).status_code == 422
    assert asked.post(at, files=[("files", ("..", files[0][1][1], "image/png"))]).status_code == 422
    assert asked.post(at).status_code == 422
    assert asked.get(at).json() == []
    assert client("ada").post(at, files=files).status_code == 403
    object.__setattr__(app.state.settings, "largest_upload", 1000)
    answer = asked.post(at, files=files)
    assert answer.status_code == 422 and "at most" in answer.json()["error"]["what"]


def test_a_picture_is_withdrawn(client: Client, number: str, stand_in: ModuleType, tmp_path: Path) -> None:
    asked = client("tang")
    (image, _) = asked.post(f"/api/v1/cases/{number}/images", files=pictures(stand_in, tmp_path)).json()
    assert asked.post(f"/api/v1/images/{image['image']}/withdrawal", json={"reason": ""}).status_code == 422
    assert asked.post(f"/api/v1/images/{image['image']}/withdrawal", json={"reason": "mixed up"}).status_code == 200
    assert [one["name"] for one in asked.get(f"/api/v1/cases/{number}/images").json()] == ["p1.png"]
    assert asked.post("/api/v1/images/999/withdrawal", json={"reason": "x"}).status_code == 404


def test_a_picture_without_a_metaphase_is_told_and_the_others_are_read(
    client: Client, number: str, stand_in: ModuleType, tmp_path: Path
) -> None:
    asked = client("tang")
    one = stand_in.save(tmp_path / "few.png", ("1", "2"))
    files = [*pictures(stand_in, tmp_path, 1), ("files", ("few.png", one.read_bytes(), "image/png"))]
    images = asked.post(f"/api/v1/cases/{number}/images", files=files).json()
    asked.post(f"/api/v1/cases/{number}/runs", json={})
    done = eventually(state_of(asked, number, "done"))
    assert f"image {images[1]['image']}" in done["message"] and "few" not in done["message"].split(":")[0]
    assert len(asked.get(f"/api/v1/cases/{number}/cells").json()) == 1


def test_a_run_that_fails_says_why(client: Client, number: str, stand_in: ModuleType, tmp_path: Path) -> None:
    asked = client("tang")
    one = stand_in.save(tmp_path / "few.png", ("1", "2"))
    asked.post(f"/api/v1/cases/{number}/images", files=[("files", ("few.png", one.read_bytes(), "image/png"))])
    asked.post(f"/api/v1/cases/{number}/runs", json={})
    failed = eventually(state_of(asked, number, "failed"))
    assert "rods were found" in failed["message"]
    assert asked.get(f"/api/v1/cases/{number}/cells").json() == []


def test_a_run_is_seen_while_it_goes_on_and_cancelled(
    client: Client, number: str, stand_in: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_SECONDS", "2")
    asked = client("tang")
    asked.post(f"/api/v1/cases/{number}/images", files=pictures(stand_in, tmp_path, 3))
    run = asked.post(f"/api/v1/cases/{number}/runs", json={}).json()

    def seen() -> Any:
        (found,) = asked.get(f"/api/v1/cases/{number}/runs").json()
        far = found["progress"]
        return found if found["state"] == "running" and far is not None and far["done"] >= 1 else None

    found = eventually(seen)
    assert found["progress"]["total"] == 3 and found["progress"]["lines"]
    at = f"/api/v1/runs/{run['run']}/cancellation"
    assert client("ada").post(at, json={"reason": "x"}).status_code == 403
    assert asked.post(at, json={"reason": "wrong slide"}).json()["state"] == "cancelled"
    assert asked.post(at, json={"reason": "again"}).status_code == 422
    assert asked.post("/api/v1/runs/999/cancellation", json={"reason": "x"}).status_code == 404
    assert asked.get(f"/api/v1/cases/{number}/cells").json() == []


def test_without_an_engine_the_run_has_failed_and_says_so(
    client: Client, number: str, stand_in: ModuleType, tmp_path: Path, home: Path
) -> None:
    asked = client("tang")
    asked.post(f"/api/v1/cases/{number}/images", files=pictures(stand_in, tmp_path, 1))
    (home / "compute").mkdir(exist_ok=True)
    (home / "compute" / "engine.json").write_text("{not json")
    answer = asked.post(f"/api/v1/cases/{number}/runs", json={})
    assert answer.status_code == 422
    (home / "compute" / "engine.json").unlink()
    (run,) = asked.get(f"/api/v1/cases/{number}/runs").json()
    assert run["state"] == "failed" and "which engine" in run["message"]


SERVER = """
import sys
from pathlib import Path
from fastapi.testclient import TestClient
from consilium.web.app import create_app
from consilium.web.context import Signed
from consilium.web.settings import Settings
database, files, number, step, *pictures = sys.argv[1:]
settings = Settings(database=database, files=Path(files), hosts=("testserver",))
signed = Signed(person="tang", roles=frozenset({"technologist"}), csrf="csrf", lang="en")
app = create_app(settings, lambda request: signed)
app.state.runs.command = (sys.executable, STAND_IN)
if step == "before the number is noted":
    app.state.runs.__class__.submit.__globals__["note_job"] = lambda *_: (print("ready", flush=True), sys.stdin.read())
with TestClient(app) as client:
    files = [("files", (Path(one).name, Path(one).read_bytes(), "image/png")) for one in pictures]
    assert client.post(f"/api/v1/cases/{number}/images", files=files).status_code == 201
    assert client.post(f"/api/v1/cases/{number}/runs", json={}).status_code == 201
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("step", ["while the job runs", "before the number is noted"])
def test_a_workstation_that_was_killed_takes_the_result_in_when_it_starts_again(
    app: FastAPI, number: str, stand_in: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setenv("STAND_IN_SECONDS", "1")
    settings, command = app.state.settings, app.state.runs.command
    script = SERVER.replace("STAND_IN", repr(command[1]))
    paths = [stand_in.save(tmp_path / f"p{index}.png", kind) for index, kind in
             enumerate([stand_in.NORMAL, stand_in.TRISOMY_21])]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", script, settings.database, str(settings.files), number, step, *map(str, paths)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    again = create_app(settings)
    again.state.runs.command = command
    again.state.runs.start()

    def cells() -> Any:
        from consilium.laboratory.analysis.cells import cells_of

        with again.state.records.looking("tang") as change:
            return cells_of(change, case_called(change.session, number))

    try:
        assert sorted(one.karyotype for one in eventually(cells)) == ["46,XX", "47,XX,+21"]
        assert len(engine_in(Path(os.environ[HOME_VARIABLE])).jobs()) == 1
    finally:
        again.state.runs.stop()
        again.state.accounts.close()
        again.state.records.close()
