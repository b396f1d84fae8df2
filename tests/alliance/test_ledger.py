"""The ledger: nothing can be changed unseen, and no crash loses an entry that was acknowledged."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.alliance.ledger import START, append, entries, verify
from consilium.errors import LedgerBroken, OutputError


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "alliance" / "ledger.jsonl"
    for number in range(6):
        append(path, who="李娜", what="job.submit", on=f"job {number}", details={"cores": number, "note": "a\nb"})
    return path


def test_a_chain_verifies(ledger: Path) -> None:
    found = verify(ledger)
    assert (found.entries, found.unfinished, found.clock_went_back) == (6, 0, ())
    every = list(entries(ledger))
    assert found.head == every[-1].digest
    assert every[0].previous == START
    assert every[3].details == {"cores": 3, "note": "a\nb"}
    assert oct(ledger.stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize("line", range(6))
def test_a_changed_field_is_found_at_its_line(ledger: Path, line: int) -> None:
    lines = ledger.read_text(encoding="utf-8").splitlines(keepends=True)
    told = json.loads(lines[line])
    told["who"] = "somebody else"
    lines[line] = json.dumps(told) + "\n"
    ledger.write_text("".join(lines), encoding="utf-8")
    with pytest.raises(LedgerBroken, match=f"line {line + 1}:"):
        verify(ledger)


@pytest.mark.parametrize("line", range(5))
def test_a_line_that_is_gone_or_moved_is_found(ledger: Path, line: int) -> None:
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:line] + lines[line + 1 :]))
    with pytest.raises(LedgerBroken):
        verify(ledger)
    ledger.write_bytes(b"".join([*lines[:line], lines[line + 1], lines[line], *lines[line + 2 :]]))
    with pytest.raises(LedgerBroken):
        verify(ledger)


def test_only_a_kept_digest_shows_that_the_end_was_cut_off(ledger: Path) -> None:
    head = verify(ledger).head
    append(ledger, who="a", what="b", on="c")
    assert verify(ledger, head=head).entries == 7  # it grew, and still has what was kept
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:4]))
    assert verify(ledger).entries == 4
    with pytest.raises(LedgerBroken, match="kept"):
        verify(ledger, head=head)


def test_a_torn_line_is_moved_aside_and_the_chain_goes_on(ledger: Path) -> None:
    whole = ledger.read_bytes()
    ledger.write_bytes(whole + b'{"number": 7, "time": "20')
    assert verify(ledger).unfinished == 25
    append(ledger, who="a", what="b", on="c")
    assert verify(ledger).entries == 7
    assert ledger.read_bytes().startswith(whole)
    (aside,) = ledger.parent.glob("*.torn-at-*")
    assert aside.read_bytes() == b'{"number": 7, "time": "20'


def test_nothing_is_added_to_a_broken_ledger(ledger: Path) -> None:
    content = ledger.read_bytes().replace(b"job 5", b"job 6")
    ledger.write_bytes(content)
    with pytest.raises(LedgerBroken, match="last line"):
        append(ledger, who="a", what="b", on="c")
    assert ledger.read_bytes() == content


def test_a_clock_that_went_back_is_told_and_breaks_nothing(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consilium.alliance.ledger._now", lambda: "2001-01-01T00:00:00.000Z")
    append(ledger, who="a", what="b", on="c")
    assert verify(ledger).clock_went_back == (7,)


def test_a_full_disk_leaves_the_file_as_it_was(ledger: Path) -> None:
    before = ledger.read_bytes()
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from consilium.alliance.ledger import append\n"
        "from consilium.errors import OutputError\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 40}, {resource.RLIM_INFINITY}))\n"
        "try:\n"
        f"    append(Path({str(ledger)!r}), who='a', what='b', on='c')\n"
        "except OutputError as problem:\n"
        "    print(problem)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be written" in done.stdout
    assert ledger.read_bytes() == before
    assert verify(ledger).unfinished == 0


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        append(tmp_path / "file" / "ledger.jsonl", who="a", what="b", on="c")


def test_writers_that_are_killed_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from consilium.alliance.ledger import append\n"
        "while True:\n"
        f"    entry = append(Path({str(path)!r}), who=sys.argv[1], what='x', on='y', details={{'z': 'w' * 300}})\n"
        "    print(entry.number, entry.digest, flush=True)\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(k)], stdout=subprocess.PIPE, text=True) for k in range(3)
    ]
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (not path.exists() or path.stat().st_size < 60_000):
        time.sleep(0.05)
    acknowledged = {}
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
        told, _ = writer.communicate()
        for line in told.splitlines():
            if len(line.split()) == 2 and len(line.split()[1]) == 64:
                acknowledged[int(line.split()[0])] = line.split()[1]
    append(path, who="after", what="x", on="y")
    kept = {entry.number: entry.digest for entry in entries(path)}
    assert len(acknowledged) > 50
    assert acknowledged.items() <= kept.items()
    assert verify(path).entries == len(kept)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400), place=st.integers(0, 2000))
def test_hostile_bytes_never_crash_it(ledger: Path, content: bytes, place: int) -> None:
    whole = ledger.read_bytes()
    changed = whole[: place % len(whole)] + content + whole[place % len(whole) :]
    path = ledger.with_name("changed.jsonl")
    path.write_bytes(changed)
    try:
        verify(path)
    except LedgerBroken as problem:
        assert problem.way_out
    else:
        # Only what adds nothing to a line, or stands after the last one, may pass.
        assert [entry.digest for entry in entries(path)] == [entry.digest for entry in entries(ledger)]
