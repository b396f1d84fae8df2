"""The verbs of the alliance: who is in it, and a private Slurm from nothing to a job and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from consilium.alliance.compute.slurm_cluster import PACKAGES, missing_programs


def verb(home: Path, *words: str, person: str = "zhao", check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CONSILIUM_HOME": str(home), "CONSILIUM_PERSON": person, "CONSILIUM_IDLE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "consilium", *words], env=environment, capture_output=True, text=True, check=check,
        timeout=110,
    )  # fmt: skip


def test_the_first_hospital_has_an_operator_and_nobody_else_may_do_anything(tmp_path: Path) -> None:
    assert "operator" in verb(tmp_path, "alliance", "member", "hospital_a", "--name", "第一医院", "--cores", "6").stderr
    verb(tmp_path, "alliance", "member", "hospital_b")
    verb(tmp_path, "alliance", "person", "li", "--hospital", "hospital_b", "--role", "member")
    told = [json.loads(line) for line in verb(tmp_path, "alliance", "members", "--json").stdout.splitlines()]
    assert [one["id"] for one in told] == ["hospital_a", "hospital_b"]
    assert told[0]["people"] == [{"name": "zhao", "roles": ["member", "operator"]}]
    assert "第一医院: 6 cores" in verb(tmp_path, "alliance", "members").stdout
    seen = verb(tmp_path, "alliance", "members", person="li").stdout
    assert "hospital_b" in seen and "hospital_a" not in seen
    for words in (
        ("member", "hospital_c"), ("person", "li", "--hospital", "hospital_b", "--role", "operator"), ("up", "--dev"),
        ("down",), ("status",),
    ):  # fmt: skip
        for person in ("li", "nobody"):
            assert verb(tmp_path, "alliance", *words, person=person, check=False).returncode == 6
    assert verb(tmp_path, "ledger", "verify").stdout.startswith("3 entries, unbroken")


def test_bad_names_are_refused(tmp_path: Path) -> None:
    for words in (("member", "Hospital A"), ("member", "a;b"), ("person", "li", "--hospital", "nowhere")):
        done = verb(tmp_path, "alliance", *words, check=False)
        assert done.returncode == 4 and done.stderr.count("\n") == 1
    assert not (tmp_path / "roster.json").exists()


@pytest.mark.skipif(bool(missing_programs()), reason=f"Slurm is not installed: apt-get install {PACKAGES}")
def test_a_slurm_from_nothing_to_a_job_and_back(tmp_path: Path) -> None:
    verb(tmp_path, "alliance", "member", "hospital_a", "--cores", "2")
    try:
        up = verb(tmp_path, "alliance", "up", "--dev", "--nodes", "2", "--cores", "2", "--memory", "2000")
        assert "slurmctld" in up.stderr
        submitted = verb(
            tmp_path, "compute", "submit", "--wait", "--memory", "256", "--", "consilium", "iscn", "check", "47,XX,+21"
        )
        assert "47,XX,+21" in submitted.stdout
        status = json.loads(verb(tmp_path, "alliance", "status", "--json").stdout)
        assert status["engine"] == "slurm" and status["process"]
        assert [one["name"] for one in status["nodes"]] == ["n1", "n2"]
        assert "n1: idle, 0 of 2 cores" in verb(tmp_path, "alliance", "status").stdout
        assert "consilium_nodes" in verb(tmp_path, "compute", "metrics").stdout
        assert oct((tmp_path / "slurm").stat().st_mode & 0o777) == "0o700"
        for secret in ("munge/munge.key", "etc/slurmdbd.conf"):
            assert oct((tmp_path / "slurm" / secret).stat().st_mode & 0o777) == "0o600"
    finally:
        verb(tmp_path, "alliance", "down")
    after = json.loads(verb(tmp_path, "alliance", "status", "--json").stdout)
    assert (after["engine"], after["daemons"]) == ("embedded", {})
    again = verb(tmp_path, "compute", "submit", "--wait", "--", "true")  # job 2, on this machine
    assert again.returncode == 0
    jobs = [json.loads(line) for line in verb(tmp_path, "compute", "list", "--all", "--json").stdout.splitlines()]
    assert [(one["number"], one["state"]) for one in jobs] == [(1, "done"), (2, "done")]
