"""`consilium storage`: what was stored comes back to its hospital and to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tink", reason="Tink (extra `storage`) is not installed")

from consilium.alliance.ledger import entries
from consilium.alliance.permissions import Person
from consilium.alliance.roster import Hospital, Roster
from consilium.cli.main import run
from consilium.settings import HOME_VARIABLE


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv("CONSILIUM_PASSPHRASE", "correct horse battery staple")
    monkeypatch.delenv("CONSILIUM_MASTER_KEY", raising=False)
    monkeypatch.setenv("CONSILIUM_PERSON", "li")
    (tmp_path / "zhang.dcm").write_bytes(b"of Zhang San" * 1000)
    return tmp_path


def alliance(home: Path) -> None:
    roster = Roster(home / "home" / "roster.json")
    for name in ("hospital_a", "hospital_b"):
        roster.put_hospital(Hospital(id=name))
    roster.put_person(Person(name="li", hospital="hospital_a", roles=frozenset({"member"})))
    roster.put_person(Person(name="wang", hospital="hospital_b", roles=frozenset({"member", "data_officer"})))


def test_there_and_back(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["storage", "put", "1.2.3", str(home / "zhang.dcm")]) == 0
    assert run(["storage", "list"]) == 0
    assert capsys.readouterr().out == "stored: 1\n1.2.3\tzhang.dcm\n"
    assert run(["storage", "rotate"]) == 0
    assert run(["storage", "get", "1.2.3", "zhang.dcm", "--out", str(home / "back.dcm")]) == 0
    assert (home / "back.dcm").read_bytes() == (home / "zhang.dcm").read_bytes()
    ledger = home / "home" / "ledger.jsonl"
    assert [one.what for one in entries(ledger)] == ["storage.put", "storage.rotate", "storage.get"]
    assert b"zhang" not in ledger.read_bytes().lower()


def test_each_hospital_has_its_own(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alliance(home)
    assert run(["storage", "put", "1", str(home / "zhang.dcm")]) == 0
    assert run(["storage", "rotate"]) == 6  # it takes a data officer
    monkeypatch.setenv("CONSILIUM_PERSON", "wang")
    capsys.readouterr()
    for words in (["list"], ["get", "1", "zhang.dcm", "--out", str(home / "x")], ["put", "1", str(home / "zhang.dcm")],
                  ["rotate"], ["shred", "--yes"]):  # fmt: skip
        assert run(["storage", *words, "--hospital", "hospital_a"]) != 0
        assert "may not do this" in capsys.readouterr().err
    assert run(["storage", "get", "1", "zhang.dcm", "--out", str(home / "x")]) != 0
    assert not (home / "x").exists()
    monkeypatch.setenv("CONSILIUM_PERSON", "nobody")
    assert run(["storage", "list"]) != 0


def test_destroyed_for_good_and_only_when_meant(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["storage", "put", "1", str(home / "zhang.dcm")])
    assert run(["storage", "shred", "--hospital", "own"]) == 2
    assert run(["storage", "list"]) == 0
    assert run(["storage", "shred", "--hospital", "own", "--yes"]) == 0
    capsys.readouterr()
    assert run(["storage", "get", "1", "zhang.dcm", "--out", str(home / "x")]) == 5
    assert "were destroyed on 20" in capsys.readouterr().err


def test_keys_from_a_file_and_none_at_all(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CONSILIUM_PASSPHRASE")
    assert run(["storage", "put", "1", str(home / "zhang.dcm")]) == 5
    assert "there is no master key" in capsys.readouterr().err
    assert run(["storage", "new-key", str(home / "safe" / "key")]) == 0
    monkeypatch.setenv("CONSILIUM_MASTER_KEY", str(home / "safe" / "key"))
    assert run(["storage", "put", "1", str(home / "zhang.dcm")]) == 0
    assert run(["storage", "new-key", str(home / "safe" / "other")]) == 0
    monkeypatch.setenv("CONSILIUM_MASTER_KEY", str(home / "safe" / "other"))
    capsys.readouterr()
    assert run(["storage", "list"]) == 5
    assert "do not open with this master key" in capsys.readouterr().err
