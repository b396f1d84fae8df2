"""Specialists in pages and interface: handed in, fitted by a real engine, read, asked, published, approved."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from consilium.alliance.ledger import entries
from consilium.alliance.library.keys import trust_key
from consilium.alliance.library.library import open_library
from consilium.alliance.library.trust import make_key, own_key_file
from consilium.specialist import graph
from consilium.web.settings import Settings
from tests.specialist.drawn_pictures import draw, two_classes
from tests.web.an_alliance import ALONE_ALL, home, put_people
from tests.web.conftest import Client

__all__ = ["home"]
API = "/api/v1"


@pytest.fixture(autouse=True)
def extras() -> None:
    for module, extra in (("hyperqueue", "compute"), ("onnx", "specialist"), ("matplotlib", "specialist")):
        pytest.importorskip(module, reason=f"a specialist is built with {module} (extra {extra})")


def archive(folder: Path, **more: bytes) -> bytes:
    page = io.BytesIO()
    with zipfile.ZipFile(page, "w") as opened:
        for path in sorted(folder.rglob("*.png")):
            opened.write(path, f"images/{path.relative_to(folder)}")
        for name, content in more.items():
            opened.writestr(name.replace("__", "/").replace("DOT", "."), content)
    return page.getvalue()


def ended(asked: TestClient, name: str) -> dict[str, Any]:
    until = time.monotonic() + 110
    while True:
        told: dict[str, Any] = asked.get(f"{API}/specialists/{name}").json()
        if told["state"] not in ("waiting", "running"):
            return told
        assert time.monotonic() < until, told
        time.sleep(0.2)


def until_there(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + 110
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.2)


def test_from_a_zip_to_an_approved_model(home: Path, client: Client, tmp_path: Path) -> None:
    """Alone: one hospital with all roles, and still a second person to approve."""
    pytest.importorskip("model_signing", reason="publishing needs model_signing (extra library)")
    asked = client("tang")
    assert "There is no specialist yet" in asked.get("/specialists").text
    content = archive(two_classes(tmp_path / "drawn", 12), images__notesDOTdocx=b"x")
    made = asked.post("/specialists", data={"name": "discs"}, files={"archive": ("images.zip", content)})
    assert (made.status_code, made.headers["location"]) == (303, "/specialists/discs"), made.text
    running = asked.get("/specialists/discs")
    assert 'data-watch="/api/v1/specialists/discs"' in running.text or "How good it is" in running.text
    told = ended(asked, "discs")
    assert (told["state"], told["ready"], told["cases"], told["left_out"]) == ("done", True, 24, ["images/notes.docx"])
    assert told["reports"] == {"en": True, "zh": False}

    shown = asked.get("/specialists/discs").text
    assert "Do not use: how the images were made tells the label just as well" in shown, "before any figure"
    assert "AUC, cross-validated" in shown and "<svg" in shown and "notes.docx" in shown
    report = asked.get("/specialists/discs/report/en")
    assert report.status_code == 200 and "How good is this specialist" in report.text and "discs" in report.text
    policy = report.headers["content-security-policy"]
    assert policy.startswith("sandbox;") and "script-src" not in policy and "default-src 'none'" in policy
    assert asked.get("/specialists/discs/report/en/pdf").content.startswith(b"%PDF")
    assert asked.get(f"{API}/specialists/discs/report.pdf").content.startswith(b"%PDF")
    assert asked.get("/specialists/discs/report/zh").status_code == 422
    assert asked.post("/specialists/discs/report", data={"lang": "zh"}).status_code == 303
    until_there(lambda: asked.get(f"{API}/specialists/discs").json()["reports"]["zh"])
    assert "专科模型验证报告" in asked.get("/specialists/discs/report/zh").text

    picture = draw(tmp_path / "new.png", large=True, seed=77).read_bytes()
    answer = asked.post(f"{API}/specialists/discs/answers", files={"picture": ("new.png", picture)}).json()
    assert (answer["label"], answer["abstain"]) == ("tumour", False)
    page = asked.post("/specialists/discs/answers", files={"picture": ("new.png", picture)})
    assert page.status_code == 200 and "<strong>tumour</strong>" in page.text and "not a diagnosis" in page.text
    noise = asked.post("/specialists/discs/answers", files={"picture": ("no.png", b"Dear colleague")})
    assert noise.status_code == 422 and 'role="alert"' in noise.text
    assert asked.post(f"{API}/specialists/discs/answers", files={"picture": ("no.png", b"")}).status_code == 422

    without = asked.post("/specialists/discs/publish", data={"licence": "CC-BY-4.0"})
    assert without.status_code == 422 and "library key make" in without.text
    opened = open_library(home, note=lambda *told, **more: None)
    trust_key(opened, ALONE_ALL, make_key(own_key_file(home)), hospital="own")
    opened.catalogue.close()
    stated = {"licence": "CC-BY-4.0", "data_licence": "CC-BY-4.0"}
    kept = asked.post("/specialists/discs/publish", data=stated)
    assert kept.status_code == 422 and "features of 24 training cases" in kept.text
    done = asked.post("/specialists/discs/publish", data={**stated, "case_features_may_leave": "yes"})
    assert (done.status_code, done.headers["location"]) == (303, "/models/discs"), done.text
    assert client("ren").post("/models/discs/approve", data={"version": "1.0.0"}).status_code == 303
    assert asked.get(f"{API}/models?channel=approved").json()[0]["name"] == "discs"

    wrong = asked.post("/specialists/discs/remove", data={"sure": "disc"})
    assert wrong.status_code == 422
    assert asked.post("/specialists/discs/remove", data={"sure": "discs"}).headers["location"] == "/specialists"
    assert asked.get(f"{API}/specialists").json() == []
    acts = [(one.who, one.what) for one in entries(home / "ledger.jsonl")]
    for act in (
        ("tang", "specialist.build"),
        ("tang", "library.publish"),
        ("ren", "library.approve"),
        ("tang", "specialist.remove"),
    ):
        assert act in acts


def test_a_folder_below_a_named_root_is_fitted_to_and_a_fit_is_cancelled(
    home: Path, client: Client, tmp_path: Path
) -> None:
    two_classes(tmp_path / "sets" / "breast", 40)
    asked = client("tang")
    assert asked.get(f"{API}/datasets").json()["folders"] == ["sets"]
    assert asked.get(f"{API}/datasets?below=sets").json()["folders"] == ["sets/breast"]
    shown = asked.get("/specialists?below=sets/breast").text
    assert 'value="sets/breast" selected' in shown
    made = asked.post(f"{API}/specialists", files={"name": (None, "breast"), "place": (None, "sets/breast")})
    assert made.status_code == 201, made.text
    assert (made.json()["cases"], made.json()["uploaded"]) == (80, False)
    assert asked.post(f"{API}/specialists/breast/cancel").status_code == 200
    assert ended(asked, "breast")["state"] == "cancelled"
    assert "Somebody cancelled it" in asked.get("/specialists/breast").text
    assert asked.delete(f"{API}/specialists/breast").status_code == 204


@pytest.mark.parametrize("place", ["sets/../secret", "/etc", "sets/out", "..", "secret", "sets/nothing"])
def test_no_other_place_of_the_disk_can_be_named(home: Path, client: Client, tmp_path: Path, place: str) -> None:
    two_classes(tmp_path / "secret", 12)
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "out").symlink_to(tmp_path / "secret")
    asked = client("tang")
    refused = asked.post(f"{API}/specialists", files={"name": (None, "x"), "place": (None, place)})
    assert refused.status_code == 422
    assert refused.json()["error"]["what"] == "there is no such folder among those that may be used"
    assert asked.get(f"{API}/datasets", params={"below": place}).status_code == 422
    shown = asked.get("/specialists", params={"below": place})
    assert shown.status_code == 422 and "normal" not in shown.text.partition("Or point to a folder")[2]
    assert asked.get(f"{API}/specialists").json() == []


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"name": (None, "x"), "archive": ("a.zip", b"no archive")}, "no ZIP archive"),
        ({"name": (None, "../x"), "archive": ("a.zip", b"x")}, "cannot be the name"),
        ({"name": (None, "x")}, "there are no cases"),
        ({"name": (None, "x"), "seed": (None, "-1"), "place": (None, "sets")}, "less than nothing"),
        ({"name": (None, "x"), "tolerance": (None, "nan"), "place": (None, "sets")}, "less than nothing"),
        ({"name": (None, "x"), "seed": (None, "one"), "place": (None, "sets")}, "no number"),
        ({"name": (None, "x"), "task": (None, "guess"), "place": (None, "sets")}, "no such task"),
        ({"name": (None, "x"), "files": ("../../a.png", b"x")}, "leads out"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_told_and_the_form_keeps_what_was_given(
    home: Path, client: Client, tmp_path: Path, files: dict[str, Any], words: str
) -> None:
    (tmp_path / "sets").mkdir()
    asked = client("tang")
    refused = asked.post(f"{API}/specialists", files=files)
    assert refused.status_code == 422 and words in refused.json()["error"]["what"], refused.text
    page = asked.post("/specialists", files=files)
    assert page.status_code == 422 and words in page.text and 'id="build"' in page.text
    assert not list(home.rglob("*.png")) and asked.get(f"{API}/specialists").json() == []


def test_too_much_is_refused_before_it_is_read(home: Path, client: Client, settings: Settings) -> None:
    asked = client("tang")
    told = {"content-length": str(settings.largest_dataset * 2), "content-type": "multipart/form-data; boundary=x"}
    for path in (f"{API}/specialists", "/specialists"):
        refused = asked.post(path, content=b"--x--", headers=told)
        assert refused.status_code == 413 and "too large" in refused.text


def test_what_a_hospital_builds_is_not_there_for_others(home: Path, client: Client, tmp_path: Path) -> None:
    put_people(home)
    two_classes(tmp_path / "sets", 12)
    asked = client("tang")
    assert asked.post(f"{API}/specialists", files={"name": (None, "discs"), "place": (None, "sets")}).status_code == 201
    assert asked.post(f"{API}/specialists/discs/cancel").status_code == 200
    ended(asked, "discs")
    colleague, stranger, operator = client("ren"), client("dai"), client("ada")
    assert colleague.get(f"{API}/specialists/discs").status_code == 200
    for path in ("", "/report/en", "/report/en/pdf"):
        assert stranger.get(f"/specialists/discs{path}").status_code == 422
    for act in ("cancel", "report", "publish"):
        body = {} if act == "publish" else None
        assert stranger.post(f"{API}/specialists/discs/{act}", json=body).status_code == 422
    assert stranger.delete(f"{API}/specialists/discs").status_code == 422
    assert stranger.get(f"{API}/specialists").json() == []
    assert operator.get(f"{API}/specialists").status_code == 403
    assert operator.get(f"{API}/datasets").status_code == 403


def test_without_the_extra_the_page_says_what_to_install(
    home: Path, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    two_classes(tmp_path / "sets", 12)
    asked = client("tang")
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "onnx" else real(name, *more))
    shown = asked.get("/specialists")
    assert shown.status_code == 200 and "consilium[specialist]" in shown.text and 'id="build"' not in shown.text
    monkeypatch.setattr(graph, "find_spec", lambda _name: None)
    refused = asked.post(f"{API}/specialists", files={"name": (None, "discs"), "place": (None, "sets")})
    assert refused.status_code == 503 and "consilium[specialist]" in refused.json()["error"]["way_out"]
