"""`consilium library`, with models that are real: a fitted specialist, and the karyotyping models."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from consilium.alliance.ledger import entries, verify
from consilium.alliance.permissions import Person
from consilium.alliance.roster import Hospital, Roster
from consilium.artefact.bundle import write_bundle
from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.karyotype.bundle import bundle_files
from consilium.karyotype.demo_case import write_demo_case
from tests.specialist.drawn_pictures import draw, two_classes

STATED = ["--licence", "CC-BY-4.0", "--data-licence", "LicenseRef-owner-consents", "--case-features-may-leave"]


@pytest.fixture(scope="module", autouse=True)
def extras() -> None:
    for module in ("sqlalchemy", "alembic", "packaging", "cryptography", "model_signing"):
        pytest.importorskip(module, reason=f"the library needs {module} (extra library)")
    pytest.importorskip("onnx", reason="the network of a bundle is written by onnx (extra specialist)")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A specialist of two classes of 12."""
    folder = tmp_path_factory.mktemp("fitted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSILIUM_HOME", str(folder / "home"))
        data = two_classes(folder / "data", 12)
        assert run(["specialist", "fit", str(data), "--out", str(folder / "discs"), "--lang", "en"]) == ExitCode.DONE
    return folder / "discs"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONSILIUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CONSILIUM_PERSON", "zhang")
    monkeypatch.delenv("CONSILIUM_LIBRARY", raising=False)
    monkeypatch.delenv("CONSILIUM_LIBRARY_STORE", raising=False)
    return tmp_path / "home"


def call(*arguments: str | Path, person: str = "zhang") -> ExitCode:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSILIUM_PERSON", person)
        return run(["library", *map(str, arguments)])


def done(*arguments: str | Path, person: str = "zhang") -> None:
    assert call(*arguments, person=person) == ExitCode.DONE


def test_a_specialist_goes_the_whole_way(
    fitted: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = draw(tmp_path / "new" / "1.png", large=True, seed=77)
    assert run(["specialist", "predict", str(fitted), str(picture)]) == ExitCode.DONE
    expected = json.loads(capsys.readouterr().out)

    assert call("publish", fitted, *STATED) == ExitCode.UNUSABLE_INPUT
    assert "library key make" in capsys.readouterr().err
    done("key", "make")
    private = home / "keys" / "library.key.pem"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600 and not private.is_relative_to(home / "library")
    assert call("publish", fitted) == ExitCode.UNUSABLE_INPUT
    assert "features of 24 training cases" in capsys.readouterr().err
    assert call("publish", fitted, "--case-features-may-leave") == ExitCode.MODEL_OR_OUTPUT
    assert "states no" in capsys.readouterr().err
    done("publish", fitted, *STATED)
    assert "discs 1.0.0: candidate, Apache-2.0 AND CC-BY-4.0" in capsys.readouterr().out

    assert call("run", "discs", picture) == ExitCode.MODEL_OR_OUTPUT
    assert "no version of discs is approved" in capsys.readouterr().err
    assert call("approve", "discs@1.0.0") == ExitCode.NOT_ALLOWED
    capsys.readouterr()
    done("run", "discs@candidate", picture)
    told = capsys.readouterr()
    assert json.loads(told.out) == expected and "nobody has approved it" in told.err
    done("approve", "discs@1.0.0", person="li")
    capsys.readouterr()
    done("run", "discs", picture)
    told = capsys.readouterr()
    assert json.loads(told.out) == expected and "note" not in told.err

    capsys.readouterr()
    done("search", "tumour", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["channel"], found["current"]) == ("discs", "approved", True)
    done("show", "discs")
    shown = capsys.readouterr().out
    assert "LicenseRef-owner-consents" in shown and "learnt" in shown and "approved" in shown
    done("pull", "discs", "--out", tmp_path / "copy")
    assert run(["specialist", "predict", str(tmp_path / "copy"), str(picture)]) == ExitCode.DONE
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["label"] == expected["label"]
    done("verify", tmp_path / "copy")
    done("verify", "discs")
    assert call("pull", "discs", "--out", tmp_path / "copy") == ExitCode.MODEL_OR_OUTPUT
    capsys.readouterr()

    done("publish", fitted, "--version", "1.1.0", *STATED)
    done("subscribe", "discs", person="wang")
    done("approve", "discs@1.1.0", person="li")
    done("run", "discs", picture)
    assert call("rollback", "discs") == ExitCode.USAGE
    done("rollback", "discs", "--reason", "worse", person="li")
    assert "approved is discs 1.0.0 again" in capsys.readouterr().out
    done("notices", "--json", person="wang")
    told_of = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["version"], one["what"]) for one in told_of] == [("1.1.0", "approved"), ("1.1.0", "rolled back")]
    done("notices", "--ack-all", person="wang")
    done("notices", person="wang")
    assert capsys.readouterr().err.endswith("no notices\n")
    done("retire", "discs@1.0.0", "--reason", "labels were wrong")
    assert call("run", "discs@1.0.0", picture) == ExitCode.MODEL_OR_OUTPUT
    assert "was retired: labels were wrong" in capsys.readouterr().err
    done("usage")
    assert "discs 1.0.0" in capsys.readouterr().out

    acts = [one.what for one in entries(home / "ledger.jsonl")]
    assert verify(home / "ledger.jsonl").entries == len(acts)
    for act in ("key", "trust", "publish", "approve", "run", "pull", "subscribe", "rollback", "acknowledge", "retire"):
        assert f"library.{act}" in acts


def test_an_altered_copy_does_not_run_and_the_message_says_why(
    fitted: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = draw(tmp_path / "new" / "1.png", seed=7)
    done("key", "make")
    done("publish", fitted, *STATED)
    done("run", "discs@1.0.0", picture)
    (head,) = (home / "library" / "pulled").rglob("head.npz")
    content = head.read_bytes()
    head.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    capsys.readouterr()
    for verb in (("run", "discs@1.0.0", picture), ("verify", "discs@1.0.0")):
        assert call(*verb) == ExitCode.MODEL_OR_OUTPUT
        told = capsys.readouterr()
        assert "head.npz was altered" in told.err and told.out == ""
    done("pull", "discs@1.0.0")
    done("run", "discs@1.0.0", picture)


@pytest.mark.usefixtures("shipped_models")
def test_karyotyping_models_are_published_and_karyotype(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for spare in write_demo_case(tmp_path / "images")[1:]:
        spare.unlink()
    altered = bundle_files()
    card = json.loads(altered["models/classifier.json"])
    card["version"] = "9.9.9"
    write_bundle({**altered, "models/classifier.json": json.dumps(card).encode()}, tmp_path / "newer")
    assert run(["models", "--bundle", str(tmp_path / "shipped")]) == ExitCode.DONE
    done("key", "make")
    done("publish", tmp_path / "shipped", "--name", "karyotype")
    done("publish", tmp_path / "newer", "--name", "karyotype", "--version", "9.9.9")
    done("approve", "karyotype@9.9.9", person="li")
    assert call("run", "karyotype", tmp_path / "images") == ExitCode.USAGE
    assert "--out" in capsys.readouterr().err
    done(
        "run",
        "karyotype",
        tmp_path / "images",
        "--out",
        tmp_path / "out",
        "--no-pdf",
        "--workers",
        "1",
        "--sex",
        "female",
    )
    record = json.loads((tmp_path / "out" / "case.json").read_text(encoding="utf-8"))
    # What ran is what is in the package, not what is installed.
    assert {one["name"]: one["version"] for one in record["models"]}["classifier"] == "9.9.9"
    assert len(record["cells"]) == 1 and "female" in json.dumps(record)


def test_in_an_alliance_roles_decide(
    fitted: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = Roster(home / "roster.json")
    for one in ("hospital_a", "hospital_b"):
        roster.put_hospital(Hospital(id=one))
    people = {
        "zhang": ("hospital_a", {"member", "publisher", "data_officer"}), "li": ("hospital_b", {"member", "approver"}),
        "wang": ("hospital_b", {"member"}), "op": ("hospital_a", {"operator"}),
    }  # fmt: skip
    for name, (hospital, roles) in people.items():
        roster.put_person(Person(name=name, hospital=hospital, roles=frozenset(roles)))  # type: ignore[arg-type]
    done("key", "make")
    told = capsys.readouterr()
    assert "the operator enters it" in told.err and "PRIVATE" not in told.out + told.err
    (tmp_path / "public.pem").write_text(told.out)
    assert call("publish", fitted, *STATED) == ExitCode.UNUSABLE_INPUT
    assert call("key", "trust", tmp_path / "public.pem", "--hospital", "hospital_a") == ExitCode.NOT_ALLOWED
    assert (
        call("key", "trust", tmp_path / "public.pem", "--hospital", "nowhere", person="op") == ExitCode.UNUSABLE_INPUT
    )
    done("key", "trust", tmp_path / "public.pem", "--hospital", "hospital_a", person="op")
    assert call("publish", fitted, *STATED, person="wang") == ExitCode.NOT_ALLOWED
    done("publish", fitted, *STATED)
    assert call("approve", "discs@1.0.0", person="wang") == ExitCode.NOT_ALLOWED
    done("approve", "discs@1.0.0", person="li")
    done("pull", "discs", person="wang")
    capsys.readouterr()
    done("show", "discs", "--json", person="wang")
    shown = capsys.readouterr().out
    assert "zhang" not in shown and "hospital_a" in shown
    done("usage", person="zhang")
    assert (
        "1 hospitals in all" in (told_to_publisher := capsys.readouterr().out) and "hospital_b" not in told_to_publisher
    )
    done("usage", person="op")
    assert "hospital_b" in capsys.readouterr().out
    assert call("search", person="stranger") == ExitCode.NOT_ALLOWED
    done("key", "list", person="wang")
    fingerprint = capsys.readouterr().out.split()[0]
    done("key", "revoke", fingerprint, "--reason", "laptop lost", person="op")
    picture = draw(tmp_path / "new" / "1.png", seed=7)
    assert call("run", "discs", picture, person="wang") == ExitCode.MODEL_OR_OUTPUT
    assert "laptop lost" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["show", "nothing"], ExitCode.UNUSABLE_INPUT),
        (["pull", "No Name"], ExitCode.UNUSABLE_INPUT),
        (["run", "nothing@1", "x.png"], ExitCode.UNUSABLE_INPUT),
        (["verify", "nothing@1.0.0"], ExitCode.UNUSABLE_INPUT),
        (["approve", "nothing"], ExitCode.UNUSABLE_INPUT),
        (["subscribe", "nothing"], ExitCode.UNUSABLE_INPUT),
        (["rollback", "nothing", "--reason", "x"], ExitCode.UNUSABLE_INPUT),
        (["notices", "--ack", "7"], ExitCode.UNUSABLE_INPUT),
        (["key", "revoke", "abc", "--reason", "x"], ExitCode.UNUSABLE_INPUT),
        (["publish", "nowhere"], ExitCode.UNUSABLE_INPUT),
        (["--catalogue", "nonsense", "search"], ExitCode.UNUSABLE_INPUT),
        (["--store", "ftp://host/x", "search"], ExitCode.UNUSABLE_INPUT),
        (["search"], ExitCode.DONE),
        (["licences"], ExitCode.DONE),
        (["usage"], ExitCode.DONE),
    ],
)
def test_what_cannot_be_done_is_said(
    home: Path, arguments: list[str], code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments) == code
    told = capsys.readouterr()
    if code != ExitCode.DONE:
        assert told.err.splitlines()[-1].startswith("consilium: ") and "unexpected" not in told.err
        assert not (home / "ledger.jsonl").exists()


def test_nothing_that_is_kept_can_be_read_by_others(home: Path, fitted: Path) -> None:
    os.umask(0o022)
    done("key", "make")
    done("publish", fitted, *STATED)
    done("pull", "discs@1.0.0")
    for name in ("library", "keys", "trust"):
        assert stat.S_IMODE((home / name).stat().st_mode) & 0o077 == 0, name
    listed = subprocess.run(["find", str(home), "-name", "*.pem", "-perm", "/077"], capture_output=True, text=True)
    assert [one for one in listed.stdout.split() if "/trust/" not in one] == []
