"""A lead and two hospitals on installations of their own, which share nothing but the files that are handed over."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from consilium.alliance.joint_training import flare_processes
from consilium.alliance.joint_training.membership import read_membership
from consilium.alliance.joint_training.register import Register
from consilium.alliance.joint_training.results import read_result
from consilium.alliance.joint_training.simulation import train
from consilium.alliance.joint_training.site_cases import read_cases
from consilium.alliance.joint_training.site_policy import SitePolicy, write_policy
from consilium.alliance.ledger import entries
from consilium.alliance.permissions import Person
from consilium.alliance.roster import Hospital, Roster
from consilium.cli.exit_codes import ExitCode
from consilium.cli.main import run
from consilium.settings import HOME_VARIABLE
from tests.specialist.drawn_pictures import two_classes

pytest.importorskip("nvflare", reason="NVIDIA FLARE is not installed: pip install 'consilium[joint]'")
pytest.importorskip("onnx", reason="onnx is not installed: pip install 'consilium[specialist]'")

LEAD, HOSPITALS = "centre", ("hospital_a", "hospital_b")
Call = Callable[..., tuple[ExitCode, str]]


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """An installation for each; what was started in one ends with the test."""
    found = {}
    for hospital in (LEAD, *HOSPITALS):
        found[hospital] = tmp_path / "homes" / hospital
        roster = Roster(found[hospital] / "roster.json")
        roster.put_hospital(Hospital(id=hospital))
        for role in ("lead", "data_officer", "member"):
            roster.put_person(Person(name=role, hospital=hospital, roles=frozenset({role})))  # type: ignore[arg-type]
    yield found
    for home in found.values():
        for started in home.rglob(flare_processes._FILE):
            flare_processes.stop(started.parent)


@pytest.fixture
def call(homes: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def called(where: str, person: str, *arguments: str | Path) -> tuple[ExitCode, str]:
        monkeypatch.setenv(HOME_VARIABLE, str(homes[where]))
        monkeypatch.setenv("CONSILIUM_PERSON", person)
        code = run(["study", *map(str, arguments)])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return called


@pytest.fixture
def post(tmp_path: Path) -> Path:
    """Where the files lie that are handed over."""
    found = tmp_path / "post"
    found.mkdir()
    return found


def done(told: tuple[ExitCode, str]) -> str:
    assert told[0] == ExitCode.DONE, told[1]
    return told[1]


def made(call: Call, *more: str) -> None:
    asked = [word for one in HOSPITALS for word in ("--hospital", one)]
    done(
        call(
            LEAD, "lead", "create", "discs", "--disease", "large discs", *asked, "--label", "normal", "--label",
            "tumour", "--no-finer", "--no-mirror", "--least-cases", "8", "--rounds", "6", *more,
        )
    )  # fmt: skip


def fingerprint_in(told: str) -> str:
    return next(line.rpartition(": ")[2] for line in told.splitlines() if line.startswith("fingerprint"))


def invited(call: Call, post: Path, hospital: str, name: str = "") -> Path:
    """The hospital takes its invitation, with the fingerprint that the lead told."""
    file = post / (name or f"{hospital}.invitation")
    told = done(call(LEAD, "lead", "invite", "discs", hospital, "--out", file))
    assert "digest" in done(call(hospital, "data_officer", "take", file, "--fingerprint", fingerprint_in(told)))
    return file


def asked(
    call: Call, homes: dict[str, Path], tmp_path: Path, post: Path, hospital: str, name: str = ""
) -> tuple[Path, str]:
    """The hospital joins, approves and asks; the file, and its key's fingerprint."""
    write_policy(SitePolicy(least_cases=8), homes[hospital] / "hospitals" / hospital / "policy.json")
    pictures = tmp_path / "pictures" / hospital
    if not pictures.exists():
        two_classes(pictures, 30, first_seed=5000 * HOSPITALS.index(hospital))
    done(call(hospital, "data_officer", "join", "discs", "--data", pictures))
    done(call(hospital, "data_officer", "approve", "discs", "--yes"))
    file = post / (name or f"{hospital}.request")
    return file, fingerprint_in(done(call(hospital, "data_officer", "request", "discs", "--out", file)))


def admitted(call: Call, post: Path, hospital: str, request: Path, fingerprint: str) -> Path:
    file = post / f"{hospital}.admission"
    done(call(LEAD, "lead", "admit", request, "--fingerprint", fingerprint, "--out", file))
    return file


def until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


@pytest.mark.timeout(240)
def test_three_installations_train_one_head_and_only_letters_pass_between_them(
    call: Call, homes: dict[str, Path], tmp_path: Path, post: Path
) -> None:
    made(call)
    for hospital in HOSPITALS:
        invited(call, post, hospital)
        request, fingerprint = asked(call, homes, tmp_path, post, hospital)
        admission = admitted(call, post, hospital, request, fingerprint)
        assert "not admitted" in call(hospital, "data_officer", "site", "discs")[1]
        done(call(hospital, "data_officer", "take", admission))
        # Its client is started before there is a server, and waits for it.
        assert "does not answer yet" in done(call(hospital, "data_officer", "site", "discs"))
        assert "admitted, client runs" in done(call(hospital, "member", "status", "discs"))

    # One of them is killed, and comes back.
    killed = Register(homes[HOSPITALS[1]]).site_folder(HOSPITALS[1], "discs")
    for pid in flare_processes._family(Path(read_membership(killed).kit)):
        os.kill(pid, signal.SIGKILL)
    until(lambda: "client does not run" in done(call(HOSPITALS[1], "member", "status", "discs")), "it goes on")
    done(call(HOSPITALS[1], "data_officer", "site", "discs"))

    told = done(call(LEAD, "lead", "start", "discs", "--seconds", "150"))
    assert f"waiting for {', '.join(HOSPITALS)}" in told
    for hospital in HOSPITALS:
        assert "last answer" in done(call(hospital, "member", "status", "discs"))
        done(call(hospital, "data_officer", "stop", "discs"))

    # The head is that of all cases in one process.
    study = Register(homes[LEAD]).study("discs")
    cases = {}
    for hospital, site in study.pseudonyms.items():
        folder = Register(homes[hospital]).site_folder(hospital, "discs")
        cases[site] = read_cases(folder / "cases.npz", read_membership(folder).cases)
    result = read_result(homes[LEAD] / "studies" / "discs" / "result.npz")
    assert np.array_equal(result["weights"], train(study, cases).head().weights)
    # Each has the model, the hospitals from their own computing.
    done(call(LEAD, "member", "results", "discs", "--out", tmp_path / "centre" / "model"))
    for hospital in HOSPITALS:
        told = done(call(hospital, "member", "results", "discs", "--out", tmp_path / hospital / "model"))
        assert f"{study.pseudonyms[hospital]} (you)" in told
        assert "the model is here" in call(hospital, "member", "status", "discs")[1]
        for name in ("model.onnx", "model.json"):
            theirs = next((tmp_path / hospital / "model").rglob(name)).read_bytes()
            assert theirs == next((tmp_path / "centre" / "model").rglob(name)).read_bytes()

    # Nothing of a hospital but its letters is anywhere else, and no letter holds a key or a case.
    letters = {path.name: path.read_bytes() for path in post.iterdir()}
    assert len(letters) == 6
    for content in letters.values():
        assert b"PRIVATE" not in content and b".png" not in content
    for hospital, site in study.pseudonyms.items():
        folder = Register(homes[hospital]).site_folder(hospital, "discs")
        lines = (folder / "kit" / "startup" / "client.key").read_bytes().splitlines()
        secret, row = lines[len(lines) // 2], cases[site].features[0].tobytes()
        for other, home in homes.items():
            found = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
            at_home = other == hospital
            assert any(row in content for content in found) == at_home
            assert any(secret in content for content in found) == at_home
            assert (home / "hospitals" / hospital).exists() == at_home
        assert not any(secret in content or row in content for content in letters.values())
    authority = (homes[LEAD] / "studies" / "discs" / "authority.key").read_bytes().splitlines()[5]
    for hospital in HOSPITALS:
        assert not any(authority in path.read_bytes() for path in homes[hospital].rglob("*") if path.is_file())
    parts = [one for home in homes.values() for part in ("studies", "hospitals") for one in (home / part).rglob("*")]
    for path in [*post.iterdir(), *parts]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path

    acts = [one.what for one in entries(homes[LEAD] / "ledger.jsonl")]
    assert acts[:5] == ["study.create", *["study.invite", "study.admit"] * 2]
    acts = [one.what for one in entries(homes[HOSPITALS[0]] / "ledger.jsonl")]
    assert acts == [
        "study.take", "study.join", "study.approve", "study.request", "study.take", "study.site", "study.stop",
        "study.results",
    ]  # fmt: skip


def test_what_was_changed_is_for_another_or_comes_twice_is_refused(
    call: Call, homes: dict[str, Path], tmp_path: Path, post: Path
) -> None:
    made(call)
    first, second = HOSPITALS
    invitation = post / "first.invitation"
    told = done(call(LEAD, "lead", "invite", "discs", first, "--out", invitation))
    fingerprint = fingerprint_in(told)

    def refused(where: str, person: str, *arguments: str | Path) -> str:
        code, told = call(where, person, *arguments)
        assert code not in (ExitCode.DONE, ExitCode.UNEXPECTED), told
        return told

    def changed(file: Path, change: Callable[[dict[str, object]], None]) -> Path:
        document = json.loads(file.read_bytes())
        change(document["body"])
        found = post / f"changed.{len(list(post.iterdir()))}"
        found.write_text(json.dumps(document))
        return found

    # The invitation: changed, for another hospital, of another authority than was told, over an existing file.
    moved = changed(invitation, lambda body: body.update(server={"host": "evil.example.org", "port": 8002}))
    assert "was changed" in refused(first, "data_officer", "take", moved, "--yes")
    assert f"is for {first}" in refused(second, "data_officer", "take", invitation, "--yes")
    assert "another than was told" in refused(first, "data_officer", "take", invitation, "--fingerprint", "ab" * 32)
    assert "a file already" in refused(LEAD, "lead", "invite", "discs", first, "--out", invitation)
    assert "does not ask" in refused(LEAD, "lead", "invite", "discs", "hospital_z", "--out", post / "z")
    assert refused(first, "member", "take", invitation, "--yes")
    assert not (homes[first] / "studies").exists() and not (post / "z").exists()
    done(call(first, "data_officer", "take", invitation, "--fingerprint", fingerprint))
    assert "has approved" in refused_before_approval(call, homes, tmp_path, first, post)
    assert refused(first, "lead", "start", "discs")

    # The request: changed, of another token, twice; cases are not taken from the lead's installation either.
    assert f"{first}: invited until" in done(call(LEAD, "member", "status", "discs"))
    request, key = asked(call, homes, tmp_path, post, first)
    fewer = changed(request, lambda body: body.update(cases="0" * 64))
    assert "was changed" in refused(LEAD, "lead", "admit", fewer, "--yes", "--out", post / "n")
    assert "another than was told" in refused(
        LEAD, "lead", "admit", request, "--fingerprint", "ab" * 32, "--out", post / "n"
    )
    assert refused(LEAD, "data_officer", "admit", request, "--yes", "--out", post / "n")
    admission = admitted(call, post, first, request, key)
    assert f"{first}: admitted" in done(call(LEAD, "member", "status", "discs"))
    assert "already" in refused(LEAD, "lead", "admit", request, "--yes", "--out", post / "n")
    renewed = invited(call, post, first, "again.invitation")
    assert "last invitation" in refused(LEAD, "lead", "admit", request, "--yes", "--out", post / "n")
    assert not (post / "n").exists()
    assert renewed.exists() and "0 hospital(s) have approved" in refused(LEAD, "lead", "start", "discs")

    # The admission: changed, for another hospital, for an earlier key, of other cases.
    assert "was changed" in refused(first, "data_officer", "take", changed(admission, lambda body: body.update(
        server={"host": "evil.example.org", "port": 8002})))  # fmt: skip
    invited(call, post, second)
    asked(call, homes, tmp_path, post, second)
    assert f"is for {first}" in refused(second, "data_officer", "take", admission)
    done(call(first, "data_officer", "request", "discs", "--out", post / "newer.request"))
    assert "another key" in refused(first, "data_officer", "take", admission)
    assert "not admitted" in refused(first, "data_officer", "site", "discs")
    newest = post / "newest.admission"
    done(call(LEAD, "lead", "admit", post / "newer.request", "--yes", "--out", newest))
    pictures = tmp_path / "pictures" / "others"
    done(call(first, "data_officer", "join", "discs", "--data", two_classes(pictures, 24, first_seed=99)))
    assert "other cases" in refused(first, "data_officer", "take", newest)


def refused_before_approval(call: Call, homes: dict[str, Path], tmp_path: Path, hospital: str, post: Path) -> str:
    write_policy(SitePolicy(least_cases=8), homes[hospital] / "hospitals" / hospital / "policy.json")
    done(call(hospital, "data_officer", "join", "discs", "--data", two_classes(tmp_path / "pictures" / hospital, 30)))
    code, told = call(hospital, "data_officer", "request", "discs", "--out", post / "early")
    assert code == ExitCode.NOT_ALLOWED and not (post / "early").exists()
    return told


def test_an_encrypted_study_and_one_that_was_joined_here_have_no_invitation(call: Call, post: Path) -> None:
    made(call, "--encrypted")
    code, told = call(LEAD, "lead", "invite", "discs", HOSPITALS[0], "--out", post / "file")
    assert code == ExitCode.NOT_ALLOWED and "share one key" in told
    assert not (post / "file").exists()


def test_a_server_that_others_reach_needs_a_port_that_is_told(call: Call, homes: dict[str, Path]) -> None:
    asked = [word for one in HOSPITALS for word in ("--hospital", one)]
    words = ("create", "discs", "--disease", "x", *asked, "--label", "a", "--label", "b", "--server")
    assert "--port" in call(LEAD, "lead", *words, "lab.example.org")[1]
    code, told = call(LEAD, "lead", *words, "lab example", "--port", "8002")
    assert code != ExitCode.DONE and "cannot be the server's machine" in told
    done(call(LEAD, "lead", *words, "lab.example.org", "--port", "8002"))
    place = json.loads((homes[LEAD] / "studies" / "discs" / "server.json").read_text())
    assert place == {"host": "lab.example.org", "port": 8002}
