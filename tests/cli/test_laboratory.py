"""`consilium laboratory`: a specimen from its reception to a signed case, as one types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run

WHO = {"name": "Zzyzx 欧阳", "birth_date": "1999-09-09", "hospital_number": "HN-77077", "sex": "female"}


class Bench:
    """A laboratory in a folder, and people who type."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self._monkeypatch, self._capsys = home, monkeypatch, capsys
        monkeypatch.setenv("CONSILIUM_HOME", str(home))
        monkeypatch.delenv("CONSILIUM_LABORATORY", raising=False)

    def types(self, who: str, *words: str, ends: ExitCode = ExitCode.DONE) -> str:
        self._monkeypatch.setenv("CONSILIUM_PERSON", who)
        code = run(["laboratory", *words])
        out, err = self._capsys.readouterr()
        assert code == ends, err
        assert "Traceback" not in err
        return str(out if ends == ExitCode.DONE else out + err)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    for module in ("sqlalchemy", "alembic"):
        pytest.importorskip(module, reason=f"the laboratory needs {module} (extra laboratory)")
    made = Bench(tmp_path / "home", monkeypatch, capsys)
    made.types("ada", "init", "Laboratory of tests", "--zone", "Asia/Shanghai", "--role", "administrator")
    for name, role in (("tang", "technologist"), ("ren", "reviewer"), ("dai", "director")):
        made.types("ada", "staff", name, "--role", role)
    (tmp_path / "who.json").write_text(json.dumps(WHO))
    return made


def received(bench: Bench) -> list[str]:
    told = bench.types(
        "tang", "receive", "--specimen", "constitutional_blood", "--identity", str(bench.home.parent / "who.json"),
        "--received", "2026-03-02T09:00", "--indication", "short stature",
    )  # fmt: skip
    return told.strip().split("\t")


def test_from_reception_to_a_signed_case(bench: Bench) -> None:
    label, case, patient, due = received(bench)
    assert (label, case, patient) == ("S26-00001", "K26-00001", "P0000001")
    assert due.startswith("due: 2026-03-30 (blood, constitutional, routine: 28 days")
    culture = bench.types("tang", "prepare", "culture", label, "--how", "RPMI 1640").strip()
    cells = bench.types("tang", "prepare", "harvest", culture).strip()
    assert bench.types("tang", "prepare", "slide", cells).strip() == "S26-00001-C1-H1-S1"
    bench.types("ada", "place", "F1/B1/A1", "F1/B1/A2")
    bench.types("tang", "move", cells, "--place", "F1/B1/A1")
    bench.types("tang", "move", label, "--to", "ren")
    assert "working days" in bench.types("ren", "worklist", "--for", "technologist")
    bench.types("tang", "move", case, "--assign", "tang")
    assert case in bench.types("tang", "worklist", "--mine", "--within", "9999")
    for who, state in (("tang", "in culture"), ("tang", "harvested"), ("tang", "analysed"), ("ren", "reviewed")):
        bench.types(who, "move", case, "--state", state)
    bench.types("ren", "move", case, "--state", "signed", ends=ExitCode.NOT_ALLOWED)
    bench.types("dai", "move", case, "--state", "signed")
    assert bench.types("dai", "worklist") == ""
    shown: dict[str, Any] = json.loads(bench.types("ren", "show", case))
    assert shown["entries"]["state"] == "signed" and shown["entries"]["analysed_by"] == "tang"
    assert [one["who"] for one in shown["history"]] == ["tang"] * 5 + ["ren", "dai"]
    assert shown["history"][0]["local"].endswith("+08:00")
    assert json.loads(bench.types("ren", "show", cells))["place"] == "F1/B1/A1"
    assert json.loads(bench.types("ren", "show", label))["custody"][0]["receiver"] == "ren"
    assert "signed" in bench.types("ren", "list", "cases")
    assert f"F1/B1/A1\t{cells}" in bench.types("ren", "list", "places")
    assert "tang\ttechnologist" in bench.types("ren", "list", "staff")


def test_who_a_patient_is_stands_in_no_output_unless_it_is_asked_for(bench: Bench) -> None:
    label, case, patient, _ = received(bench)
    told = [bench.types("tang", "show", one) for one in (label, case, patient)]
    told += [bench.types("tang", "list", one) for one in ("cases", "specimens", "places", "disposal")]
    told.append(bench.types("tang", "worklist"))
    bench.types("ren", "export", "--out", str(bench.home / "t.csv"))
    told.append((bench.home / "t.csv").read_text(encoding="utf-8-sig"))
    told += [str(path) for path in bench.home.rglob("*")]
    for secret in ("Zzyzx", "欧阳", "1999-09-09", "HN-77077"):
        assert not any(secret in one for one in told)
    assert json.loads(bench.types("tang", "show", patient, "--identity"))["identity"]["name"] == WHO["name"]
    bench.types("ada", "show", patient, "--identity", ends=ExitCode.NOT_ALLOWED)
    bench.types("ren", "export", "--identity", "--out", str(bench.home / "t.csv"))
    assert WHO["name"] in (bench.home / "t.csv").read_text(encoding="utf-8-sig")


def test_a_stale_edit_and_a_withdrawal(bench: Bench) -> None:
    label, case, patient, _ = received(bench)
    bench.types("tang", "move", case, "--state", "in culture", "--seen", "1")
    told = bench.types("tang", "move", case, "--state", "harvested", "--seen", "1", ends=ExitCode.UNUSABLE_INPUT)
    assert "was changed since" in told and "state by tang" in told
    assert "reason" in bench.types("ren", "withdraw", label, ends=ExitCode.UNUSABLE_INPUT)
    bench.types("ren", "withdraw", label, "--reason", "mislabelled")
    assert "withdrawn" in bench.types("tang", "list", "specimens")
    bench.types("ren", "withdraw", patient, "--reason", "x", ends=ExitCode.UNUSABLE_INPUT)
    bench.types("ren", "withdraw", case, "--disposed", "--reason", "x", ends=ExitCode.UNUSABLE_INPUT)
    bench.types("tang", "move", case, "--state", "signed", "--out", ends=ExitCode.USAGE)


def test_a_consent_and_a_further_specimen(bench: Bench) -> None:
    _, case, patient, _ = received(bench)
    told = bench.types(
        "tang", "consent", patient, "--purpose", "storage", "--purpose", "research", "--given", "2026-03-01"
    )
    assert told == "consent 1: research, storage\n"
    further = bench.types("tang", "receive", "--specimen", "skin_fibroblasts", "--case", case)
    assert further.split("\t")[1] == case
    assert bench.types("tang", "list", "disposal") == ""


def test_the_profile_is_printed_and_settled_anew(bench: Bench, tmp_path: Path) -> None:
    told = json.loads(bench.types("tang", "profile"))
    assert told["zone"] == "Asia/Shanghai" and told["weekend"] == [5, 6]
    (tmp_path / "p.json").write_text(json.dumps(told | {"holidays": ["2026-03-30"]}))
    words = ("profile", "--set", str(tmp_path / "p.json"), "--reason", "a holiday")
    bench.types("tang", *words, ends=ExitCode.NOT_ALLOWED)
    bench.types("ada", *words[:3], ends=ExitCode.UNUSABLE_INPUT)
    bench.types("ada", *words)
    assert received(bench)[3].startswith("due: 2026-03-27")
    (tmp_path / "p.json").write_text('{"name": "L", "colour": "red"}')
    assert "colour" in bench.types("ada", *words, ends=ExitCode.UNUSABLE_INPUT)


def test_a_table_with_a_bad_line(bench: Bench, tmp_path: Path) -> None:
    table = tmp_path / "orders.csv"
    table.write_text("order_number,specimen,received\nA1,bone_marrow,2026-03-02\nA2,moon_dust,2026-03-02\n")
    told = bench.types("tang", "import", str(table), ends=ExitCode.PARTLY_DONE)
    assert "2\tS26-00001" in told and "line 3: the specimen is none that is known" in told
    table.write_bytes("order_number,specimen,note\nA3,bone_marrow,骨髓\n".encode("gb18030"))
    assert "gb18030" in bench.types("tang", "import", str(table), ends=ExitCode.UNUSABLE_INPUT)
    assert bench.types("tang", "import", str(table), "--encoding", "gb18030").startswith("2\tS")


@pytest.mark.parametrize("text", ["[]", "{", '{"name": 1}', '{"password": "x"}', "[" * 99_999])
def test_an_identity_that_is_none_is_refused(bench: Bench, tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    told = bench.types(
        "tang", "receive", "--specimen", "bone_marrow", "--identity", str(tmp_path / "bad.json"),
        ends=ExitCode.UNUSABLE_INPUT,
    )  # fmt: skip
    assert "identity" in told


def test_nobody_is_let_in_who_does_not_work_here_and_nothing_before_it_is_founded(bench: Bench, tmp_path: Path) -> None:
    assert "works in this laboratory" in bench.types("eve", "list", "cases", ends=ExitCode.NOT_ALLOWED)
    assert "founded before" in bench.types("eve", "init", "Another", ends=ExitCode.UNUSABLE_INPUT)
    elsewhere = os.environ | {"CONSILIUM_LABORATORY": f"sqlite:///{tmp_path / 'other.db'}"}
    ended = subprocess.run(
        [sys.executable, "-m", "consilium", "laboratory", "list", "cases"],
        capture_output=True,
        text=True,
        env=elsewhere,
    )
    assert ended.returncode == ExitCode.UNUSABLE_INPUT and "consilium laboratory init NAME" in ended.stderr
