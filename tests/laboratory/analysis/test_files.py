"""Files by content: whole or not at all, and noticed when changed."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from consilium.errors import OutputError
from consilium.laboratory.analysis.files import Files


def test_what_is_kept_is_read_again_under_its_hash(files: Files) -> None:
    digest = files.keep(b"a picture")
    assert digest == hashlib.sha256(b"a picture").hexdigest() == files.keep(b"a picture")
    assert files.read(digest) == b"a picture"
    packed = files.keep_packed(b"[1]" * 1000)
    assert files.read_packed(packed) == b"[1]" * 1000 and packed == files.keep_packed(b"[1]" * 1000)
    assert len(files.read(packed)) < 100


def test_a_changed_or_missing_file_is_noticed(files: Files) -> None:
    digest = files.keep(b"a picture")
    files.path(digest).write_bytes(b"another")
    with pytest.raises(OutputError, match="was changed"):
        files.read(digest)
    files.path(digest).unlink()
    with pytest.raises(OutputError, match="missing"):
        files.read(digest)
    for name in ("../../etc/passwd", "x" * 64, ""):
        with pytest.raises(ValueError, match="SHA-256"):
            files.path(name)


def test_where_nothing_can_be_written_nothing_half_written_stays(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("no folder")
    with pytest.raises(OutputError, match="cannot be written"):
        Files(tmp_path / "files").keep(b"x")


CHILD = """
import sys
from pathlib import Path
from consilium.laboratory.analysis.files import Files
files, number = Files(Path(sys.argv[1])), 0
print("ready", flush=True)
while True:
    number += 1
    print(files.keep(str(number).encode() * 200_000), flush=True)
"""


def test_killed_while_writing_every_named_file_is_whole(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "f")], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(6)][1:]
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    files = Files(tmp_path / "f")
    for line in told:
        files.read(line.strip())
    named = [one for one in (tmp_path / "f").rglob("*") if one.is_file() and not one.name.startswith(".half-")]
    assert len(named) >= len(told)
    for one in named:
        files.read(one.name)
