"""Studies in real processes of NVIDIA FLARE with mTLS on loopback: they agree with one process, and survive faults."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consilium.alliance.joint_training import flare_processes
from consilium.alliance.joint_training.authority import authority_in, new_key, public_key_of
from consilium.alliance.joint_training.conduct import Conductor, start_site, write_job
from consilium.alliance.joint_training.membership import read_membership
from consilium.alliance.joint_training.progress import Progress, read_progress
from consilium.alliance.joint_training.results import read_result
from consilium.alliance.joint_training.simulation import train
from consilium.alliance.joint_training.site_policy import SitePolicy, write_policy
from consilium.alliance.joint_training.study import Privacy
from consilium.alliance.ledger import entries, verify
from tests.alliance.joint_training.places import hospital_cases, running, study

pytest.importorskip("nvflare", reason="NVIDIA FLARE is not installed: pip install 'consilium[joint]'")
pytest.importorskip("tenseal", reason="TenSEAL is not installed: pip install 'consilium[joint]'")
pytestmark = pytest.mark.timeout(240)

SECONDS = 120.0


@pytest.fixture
def conductors() -> Iterator[list[Conductor]]:
    """Whatever a test starts ends with it."""
    found: list[Conductor] = []
    yield found
    for one in found:
        one.stop()
        kits = [one.places.kits["server"], *(Path(read_membership(f).kit) for f in one.places.sites.values())]
        assert [pid for kit in kits for pid in flare_processes._family(kit)] == []


def seen_through(conductor: Conductor) -> Progress:
    conductor.up()
    return conductor.wait(conductor.submit(), lambda _progress: None, seconds=SECONDS)


def head_of(conductor: Conductor) -> Any:
    return read_result(conductor.places.folder / "result.npz")["weights"]


def until(conductor: Conductor, kind: str, number: int) -> None:
    """Wait until a question is being asked, or a later one of its kind."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ask = read_progress(conductor.places.folder).ask
        if ask and ask.split()[0] == kind and int(ask.split()[1]) >= number:
            return
        time.sleep(0.05)
    raise AssertionError(f"{kind} {number} was never asked")


def test_processes_agree_with_one_process_and_nothing_but_sums_leaves(
    tmp_path: Path, conductors: list[Conductor]
) -> None:
    of, cases = study(contribution="shapley"), hospital_cases()
    conductor = running(of, cases, tmp_path / "run")
    conductors.append(conductor)
    progress = seen_through(conductor)
    expected = train(of, cases)
    assert np.array_equal(head_of(conductor), expected.head().weights)
    assert [one.state for one in progress.sites.values()] == ["there"] * 3
    result = read_result(conductor.places.folder / "result.npz")
    assert len(result["worth"]) == 7
    assert sum(result["pooled"].cases) == sum(int(one.tested.sum()) for one in cases.values())

    # No one else on the machine can read anything of it.
    for path in (tmp_path / "run").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    # The server's side holds no row of a hospital's features, and neither does another hospital.
    row = cases["site-1"].features[0].tobytes()
    for place in (tmp_path / "run" / "server", tmp_path / "run" / "hospital_b"):
        assert not any(row in path.read_bytes() for path in place.rglob("*") if path.is_file())
    # Every answer is in the hospital's own record, and in nobody else's.
    record = list(entries(tmp_path / "run" / "hospital_a" / "ledger.jsonl"))
    assert {one.what for one in record} == {"study.answer"} and {one.who for one in record} == {"site-1"}


def test_the_server_listens_on_loopback_alone_and_takes_only_the_certificates_of_the_study(
    tmp_path: Path, conductors: list[Conductor]
) -> None:
    of = study(hospitals=2)
    conductor = running(of, hospital_cases(sizes=(60, 80)), tmp_path / "run")
    conductors.append(conductor)
    conductor.server_up()
    kit = conductor.places.kits["server"]
    told = json.loads((kit / "startup" / "fed_server.json").read_text())
    port = int(told["servers"][0]["service"]["target"].rpartition(":")[2])
    pid = flare_processes.alive(kit)
    inodes = {str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir() if one.is_symlink()}
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                listening.append(fields[1].split(":")[0])
    assert listening
    assert set(listening) <= {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}

    def answered(context: ssl.SSLContext) -> bytes:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            secure.settimeout(5)
            secure.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
            if not (found := secure.recv(64)):
                raise ConnectionResetError
            return found

    def context(identity: Path | None) -> ssl.SSLContext:
        found = ssl.create_default_context(cafile=str(kit / "startup" / "rootCA.pem"))
        found.set_alpn_protocols(["h2"])
        if identity is not None:
            found.load_cert_chain(identity / "startup" / "client.crt", identity / "startup" / "client.key")
        return found

    site = Path(read_membership(conductor.places.sites["site-1"]).kit)
    assert answered(context(site))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        answered(context(None))
    # A certificate of the same name, but of another study's authority.
    (tmp_path / "other" / "startup").mkdir(parents=True)
    key = new_key()
    (tmp_path / "other" / "startup" / "client.key").write_text(key)
    foreign = authority_in(tmp_path / "other").certify("site-1", public_key_of(key))
    (tmp_path / "other" / "startup" / "client.crt").write_text(foreign)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        answered(context(tmp_path / "other"))


def test_encrypted_sums_give_the_same_head_to_six_digits(tmp_path: Path, conductors: list[Conductor]) -> None:
    of, cases = study(privacy=Privacy(encrypted=True)), hospital_cases()
    conductor = running(of, cases, tmp_path / "run")
    conductors.append(conductor)
    seen_through(conductor)
    expected = train(of, cases).head().weights
    assert np.abs(head_of(conductor) - expected).max() < 1e-5 * np.abs(expected).max()
    server = conductor.places.kits["server"]
    assert not (server / "startup" / "client_context.tenseal").exists()
    # The sums that the server keeps are nothing to whoever has no key.
    import tenseal

    step = sorted((conductor.places.folder / "course").glob("*.step"))[0].read_bytes()
    header = int.from_bytes(step[:8], "big")
    pieces = json.loads(step[8 : 8 + header])
    assert pieces["encrypted"]
    piece = step[8 + header : 8 + header + pieces["sizes"][0]]
    context = tenseal.context_from((server / "startup" / "server_context.tenseal").read_bytes())
    with pytest.raises(ValueError, match="secret"):
        tenseal.ckks_vector_from(context, piece).decrypt()


@pytest.mark.parametrize("apart", [False, True], ids=["here", "on an installation of its own"])
def test_a_hospital_that_is_killed_comes_back_and_the_head_is_that_of_all(
    apart: bool, tmp_path: Path, conductors: list[Conductor]
) -> None:
    of, cases = study(rounds=40, round_seconds=5), hospital_cases()
    conductor = running(of, cases, tmp_path / "run")
    conductors.append(conductor)
    folder = conductor.places.sites["site-2"]
    if apart:
        # The lead's side neither starts nor sees its process: what the server hears of it must do.
        conductors.append(Conductor(of, conductor.places, conductor._note))
        here = {site: path for site, path in conductor.places.sites.items() if site != "site-2"}
        conductor.places = replace(conductor.places, sites=here, apart=frozenset({"site-2"}))
        start_site(folder)
    conductor.up()
    job = conductor.submit()
    until(conductor, "fit", 2)
    kit = Path(read_membership(folder).kit)
    for pid in flare_processes._family(kit):
        os.kill(pid, signal.SIGKILL)
    seen: list[str] = []

    def watched(progress: Progress) -> None:
        state = progress.sites["site-2"].state
        if state == "away" and "away" not in seen:
            start_site(folder)
        if not seen or seen[-1] != state:
            seen.append(state)

    progress = conductor.wait(job, watched, seconds=SECONDS)
    assert seen == ["there", "away", "there"]
    assert progress.sites["site-2"].state == "there"
    acts = [one.what for one in entries(tmp_path / "run" / "ledger.jsonl")]
    assert "study.site_away" in acts and "study.site_back" in acts
    exact = train(study(rounds=300), cases).head().weights
    assert np.abs(head_of(conductor) - exact).max() < 0.02 * np.abs(exact).max()


def test_a_server_that_is_killed_goes_on_from_the_last_whole_round(tmp_path: Path, conductors: list[Conductor]) -> None:
    of, cases = study(rounds=12), hospital_cases()
    conductor = running(of, cases, tmp_path / "run")
    conductors.append(conductor)
    conductor.up()
    job = conductor.submit()
    until(conductor, "fit", 3)
    for pid in flare_processes._family(conductor.places.kits["server"]):
        os.kill(pid, signal.SIGKILL)
    kept = len(list((conductor.places.folder / "course").glob("*.step")))
    before = {path: path.read_bytes() for path in (conductor.places.folder / "course").glob("*.step")}
    conductor.wait(job, lambda _progress: None, seconds=SECONDS)
    assert kept >= 3
    assert all(path.read_bytes() == content for path, content in before.items())
    assert np.array_equal(head_of(conductor), train(of, cases).head().weights)
    assert verify(tmp_path / "run" / "ledger.jsonl").entries


SABOTAGE = """
import numpy as np
import consilium.alliance.joint_training.answer as answer
whole = answer.Answerer.answer
def spoilt(self, training, ask):
    found = whole(self, training, ask)
    if ask.kind == "fit":
        found[:] = np.nan
    return found
answer.Answerer.answer = spoilt
"""


def changed_client(conductor: Conductor, site: str, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start a hospital's client whose code somebody changed: Python runs the file before anything else there."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    with monkeypatch.context() as only:
        only.setattr(flare_processes.sys, "path", [str(folder), *flare_processes.sys.path])
        start_site(conductor.places.sites[site])


def test_a_hospital_that_sends_rubbish_is_refused_and_named(
    tmp_path: Path, conductors: list[Conductor], monkeypatch: pytest.MonkeyPatch
) -> None:
    of, cases = study(), hospital_cases()
    conductor = running(of, cases, tmp_path / "run")
    conductors.append(conductor)
    changed_client(conductor, "site-3", SABOTAGE, tmp_path / "changed", monkeypatch)
    progress = seen_through(conductor)
    assert progress.sites["site-3"].state == "refused"
    assert [one[0] for one in progress.refusals] == ["site-3"] * 3
    assert {one[2] for one in progress.refusals} == {"not finite (NaN or infinity)"}
    named = [one.details for one in entries(tmp_path / "run" / "ledger.jsonl") if one.what == "study.refused"]
    assert named and {one["site"] for one in named} == {"site-3"}
    assert np.isfinite(head_of(conductor)).all()


LEAK = """
import consilium.alliance.joint_training.hospital_side as side
whole = side.HospitalSide.answer
side.HospitalSide.answer = lambda self, task: {**whole(self, task), "features": b"of a patient"}
"""


def test_flare_at_the_site_lets_nothing_out_that_is_no_answer_and_no_other_code_in(
    tmp_path: Path, conductors: list[Conductor], monkeypatch: pytest.MonkeyPatch
) -> None:
    of, cases = study(), hospital_cases()
    conductor = running(of, cases, tmp_path / "run")
    conductors.append(conductor)
    changed_client(conductor, "site-3", LEAK, tmp_path / "changed", monkeypatch)
    progress = seen_through(conductor)
    assert progress.sites["site-3"].answers == 0
    assert {one[0] for one in progress.refusals} == {"site-3"}
    assert not any(
        b"of a patient" in path.read_bytes() for path in conductor.places.folder.rglob("*") if path.is_file()
    )

    # A job of the lead that would have another class built: no hospital builds it.
    job = tmp_path / "other"
    write_job(of, job)
    client = job / "app" / "config" / "config_fed_client.json"
    told = json.loads(client.read_text())
    told["executors"][0]["executor"]["path"] = "nvflare.app_common.np.np_trainer.NPTrainer"
    client.write_text(json.dumps(told))
    session = conductor._session()
    try:
        number = session.submit_job(str(job))
        deadline = time.monotonic() + 60
        while not (state := str(session.get_job_meta(number).get("status"))).startswith("FINISHED"):
            assert time.monotonic() < deadline, state
            time.sleep(0.5)
    finally:
        session.close()
    logs = "".join(
        path.read_text(errors="ignore") for path in (tmp_path / "run" / "hospital_a" / "kit").rglob("*log*.txt")
    )
    assert "NPTrainer' at config path" in logs and "is not in allow_list" in logs


def test_a_veto_after_the_approval_holds_and_is_named(tmp_path: Path, conductors: list[Conductor]) -> None:
    of, cases = study(), hospital_cases()
    conductor = running(of, cases, tmp_path / "run")
    conductors.append(conductor)
    policy = Path(read_membership(conductor.places.sites["site-2"]).policy)
    write_policy(SitePolicy(epsilon_at_most=1.0), policy)
    progress = seen_through(conductor)
    assert progress.sites["site-2"].state == "vetoed"
    assert "differential privacy with epsilon 1 at most is required" in progress.sites["site-2"].reason
    assert list(read_result(conductor.places.folder / "result.npz")["groups"]) == [["site-1", "site-2", "site-3"]]
    record = [one.details for one in entries(tmp_path / "run" / "hospital_b" / "ledger.jsonl")]
    assert [one["state"] for one in record] == ["veto"]
