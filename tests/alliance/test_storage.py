"""Stored studies: what comes out is what went in, or an error; nothing half, nothing for strangers."""

from __future__ import annotations

import base64
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tink", reason="Tink (extra `storage`) is not installed")

from consilium.alliance.hospital_keys import KeyFolder, master_key, new_master_key
from consilium.alliance.storage import StudyStore
from consilium.errors import ConsiliumError, InputError, OutputError, StorageBroken, StorageLocked

MASTER = bytes(range(32))
SEGMENT = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> StudyStore:
    return store_in(tmp_path)


def store_in(folder: Path, master: bytes = MASTER) -> StudyStore:
    return StudyStore(folder / "studies", KeyFolder(folder / "keys", master))


def read(store: StudyStore, hospital: str = "hospital_a", study: str = "1.2.840", name: str = "ct.dcm") -> bytes:
    with store.opened(hospital, study, name) as stream:
        content = b""
        while piece := stream.read(1 << 18):
            content += piece
        return content


def put(
    store: StudyStore, content: bytes, hospital: str = "hospital_a", study: str = "1.2.840", name: str = "ct.dcm"
) -> Path:
    return store.put(hospital, study, name, io.BytesIO(content)).path


@pytest.mark.parametrize("size", [0, 1, 4095, SEGMENT - 200, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT + 17])
def test_what_comes_out_is_what_went_in(store: StudyStore, size: int) -> None:
    content = os.urandom(size)
    path = put(store, content)
    assert read(store) == content
    assert size < 64 or content[:64] not in path.read_bytes()


@settings(max_examples=40)
@given(
    content=st.binary(max_size=5000),
    study=st.text(max_size=40),
    name=st.text(max_size=40),
    pieces=st.lists(st.integers(1, 700), min_size=1, max_size=5),
)
def test_any_names_and_pieces(content: bytes, study: str, name: str, pieces: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = store_in(Path(folder))
        path = put(store, content, study=study, name=name)
        found, turn = b"", 0
        with store.opened("hospital_a", study, name) as stream:
            while piece := stream.read(pieces[turn % len(pieces)]):
                found, turn = found + piece, turn + 1
        assert found == content
        (told,) = store.stored("hospital_a")
        assert (told.study, told.name, told.path) == (study, name, path)


def test_neither_names_nor_content_are_on_the_disk(store: StudyStore, tmp_path: Path) -> None:
    put(store, b"Zhang San, 46,XX" * 100, study="zhang-san", name="zhang.dcm")
    every = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert len(every) == 3  # the keys, the study, the lock
    for one in every:
        assert "zhang" not in str(one).lower()
        assert b"zhang" not in one.read_bytes()
        assert one.name == ".lock" or one.stat().st_mode & 0o777 == 0o600
    assert all(one.stat().st_mode & 0o077 == 0 for one in (tmp_path / "keys", tmp_path / "studies" / "hospital_a"))


def test_cut_off_at_any_byte(store: StudyStore) -> None:
    path = put(store, b"a small study" * 3)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(StorageBroken, match="changed, cut off or moved"):
            read(store)
    path.write_bytes(whole + b"x")
    with pytest.raises(StorageBroken):
        read(store)


def test_any_changed_byte(store: StudyStore) -> None:
    path = put(store, b"a small study" * 3)
    whole = bytearray(path.read_bytes())
    for place in range(len(whole)):
        changed = whole.copy()
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises((StorageBroken, StorageLocked)):
            read(store)


def test_segments_cannot_be_left_out_or_change_places(store: StudyStore, tmp_path: Path) -> None:
    content = os.urandom(4 * SEGMENT + 5)
    path = put(store, content)
    whole = path.read_bytes()
    line = whole.index(b"\n") + 1
    # Tink's stream: the first segment ends 1 MiB after the line, the others follow at each MiB.
    edges = [line, *range(line + SEGMENT, len(whole), SEGMENT), len(whole)]
    parts = [whole[a:b] for a, b in pairwise(edges)]
    assert len(parts) == 5
    for changed in (
        parts[:-1],
        parts[:2],
        [*parts[:1], parts[2], parts[1], *parts[3:]],
        [*parts[:2], *parts[3:]],
        [*parts, parts[-1]],
    ):
        path.write_bytes(whole[:line] + b"".join(changed))
        with pytest.raises(StorageBroken):
            read(store)
        with pytest.raises(StorageBroken):
            store.copy_out("hospital_a", "1.2.840", "ct.dcm", tmp_path / "out.dcm")
        assert not (tmp_path / "out.dcm").exists()
    path.write_bytes(whole)
    store.copy_out("hospital_a", "1.2.840", "ct.dcm", tmp_path / "out.dcm")
    assert (tmp_path / "out.dcm").read_bytes() == content


def test_a_study_in_another_ones_place_is_seen(store: StudyStore) -> None:
    mine = put(store, b"of patient 1", study="1")
    other = put(store, b"of patient 2", study="2")
    earlier = put(store, b"first", study="3").read_bytes()
    mine.write_bytes(other.read_bytes())
    with pytest.raises(StorageBroken):
        read(store, study="1")
    assert read(store, study="2") == b"of patient 2"
    with pytest.raises(StorageBroken):
        list(store.stored("hospital_a"))
    assert earlier


def test_no_hospital_opens_what_is_anothers(store: StudyStore, tmp_path: Path) -> None:
    mine = put(store, b"of a")
    theirs = put(store, b"of b", hospital="hospital_b")
    with pytest.raises(InputError, match="no such file"):
        read(store, study="other")
    theirs.write_bytes(mine.read_bytes())
    with pytest.raises(StorageBroken):
        read(store, hospital="hospital_b")
    # The key file of one under the name of the other does not open either.
    (tmp_path / "keys" / "hospital_b.json").write_bytes((tmp_path / "keys" / "hospital_a.json").read_bytes())
    with pytest.raises(StorageLocked):
        read(store, hospital="hospital_b")
    assert read(store) == b"of a"
    for name in ("../a", "A", "", "a/b", "."):
        with pytest.raises(InputError):
            put(store, b"", hospital=name)


def test_many_first_studies_at_once_have_one_key(store: StudyStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: put(store, b"x" * number, study=str(number)), range(24)))
    assert [read(store, study=str(number)) for number in range(24)] == [b"x" * number for number in range(24)]


def test_another_master_key_opens_nothing(store: StudyStore, tmp_path: Path) -> None:
    put(store, b"of a")
    with pytest.raises(StorageLocked, match="master key"):
        read(store_in(tmp_path, bytes(32)))
    with pytest.raises(StorageLocked):
        put(store_in(tmp_path, bytes(32)), b"overwritten?")
    assert read(store) == b"of a"


def test_the_master_key_can_be_changed_and_that_can_be_cut_short(store: StudyStore, tmp_path: Path) -> None:
    for hospital in ("hospital_a", "hospital_b", "hospital_c"):
        put(store, hospital.encode(), hospital=hospital)
    new = os.urandom(32)
    old = KeyFolder(tmp_path / "keys", MASTER)
    KeyFolder(tmp_path / "keys", new)._write(old.opened("hospital_b"))  # as far as a crash let it come
    old.under(new)
    for hospital in ("hospital_a", "hospital_b", "hospital_c"):
        assert read(store_in(tmp_path, new), hospital=hospital) == hospital.encode()
        with pytest.raises(StorageLocked):
            read(store, hospital=hospital)


def test_keys_are_changed_and_the_old_ones_open_nothing(store: StudyStore, tmp_path: Path) -> None:
    contents = {f"study {number}": os.urandom(300_000 * number) for number in range(6)}
    for study, content in contents.items():
        put(store, content, study=study)
    old_keys = (tmp_path / "keys" / "hospital_a.json").read_bytes()
    assert store.rotate("hospital_a") == 6
    assert {one.key for one in store.stored("hospital_a")} == {2}
    for study, content in contents.items():
        assert read(store, study=study) == content
    (tmp_path / "keys" / "hospital_a.json").write_bytes(old_keys)
    with pytest.raises(StorageLocked, match="no key 2"):
        read(store, study="study 1")


def test_a_change_of_keys_that_was_cut_short_goes_on(store: StudyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        put(store, bytes([number]) * 1000, study=str(number))
    put_one, calls = StudyStore._put, []

    def failing(self: StudyStore, *arguments: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise OutputError("the disk is full")
        return put_one(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(StudyStore, "_put", failing)
    with pytest.raises(OutputError):
        store.rotate("hospital_a")
    monkeypatch.undo()
    assert sorted(one.key for one in store.stored("hospital_a")) == [1, 1, 1, 2, 2]
    assert all(read(store, study=str(number)) == bytes([number]) * 1000 for number in range(5))
    assert store.rotate("hospital_a") == 3
    assert {one.key for one in store.stored("hospital_a")} == {2}


def test_a_changed_study_stops_the_change_of_keys_and_loses_nothing(store: StudyStore) -> None:
    good = put(store, b"good", study="good")
    bad = put(store, b"bad", study="bad")
    content = bytearray(bad.read_bytes())
    content[-1] ^= 1
    bad.write_bytes(content)
    with pytest.raises(StorageBroken):
        store.rotate("hospital_a")
    assert read(store, study="good") == b"good" and good.exists()
    assert bad.read_bytes() == bytes(content)


def test_destroyed_keys_leave_noise(store: StudyStore, tmp_path: Path) -> None:
    put(store, b"of b", hospital="hospital_b")
    kept = put(store, b"of a").read_bytes()
    store.shred("hospital_a")
    assert not list((tmp_path / "studies" / "hospital_a").glob("??/*"))
    for call in (lambda: read(store), lambda: put(store, b"again"), lambda: store.shred("hospital_a")):
        with pytest.raises(StorageLocked, match="destroyed on 20"):
            call()
    assert read(store, hospital="hospital_b") == b"of b"
    assert kept  # a copy of the file somewhere: nobody has its key


def test_a_source_that_breaks_leaves_what_was_there(store: StudyStore) -> None:
    put(store, b"the first")

    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 2 * SEGMENT:
                raise OSError("the network is gone")
            return super().read(size)

    with pytest.raises(OutputError, match="network is gone"):
        store.put("hospital_a", "1.2.840", "ct.dcm", Breaking(bytes(5 * SEGMENT)))
    assert read(store) == b"the first"
    (path,) = {one.path for one in store.stored("hospital_a")}
    assert list(path.parent.iterdir()) == [path]


WRITER = """
import sys, io, pathlib
from consilium.alliance.hospital_keys import KeyFolder
from consilium.alliance.storage import StudyStore
folder = pathlib.Path(sys.argv[1])
store = StudyStore(folder / "studies", KeyFolder(folder / "keys", bytes(range(32))))
print("ready", flush=True)
number = 0
while True:
    number += 1
    store.put("hospital_a", "study", "file", io.BytesIO(bytes([number % 256]) * (3 << 20)))
    print(number, flush=True)
"""


def test_a_killed_writer_leaves_the_last_whole_file(tmp_path: Path) -> None:
    for round_ in range(6):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(3):
            told = writer.stdout.readline()
        time.sleep(0.004 * round_)
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split()
        writer.wait()
        writer.stdout.close()
        last = int(rest[-1] if rest else told)
        content = read(store_in(tmp_path), study="study", name="file")
        assert content in {bytes([number % 256]) * (3 << 20) for number in (last, last + 1)}


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    code = f"""
import sys, io, pathlib, resource
sys.path.insert(0, {str(Path(__file__).parent)!r})
from consilium.alliance.hospital_keys import KeyFolder
from consilium.alliance.storage import StudyStore
folder = pathlib.Path({str(tmp_path)!r})
store = StudyStore(folder / "studies", KeyFolder(folder / "keys", bytes(range(32))))
class Zeros(io.RawIOBase):
    left = int(sys.argv[1]) << 20
    def read(self, size=-1):
        size = min(size, self.left); self.left -= size
        return bytes(size)
store.put("hospital_a", "s", "f", Zeros())
store.copy_out("hospital_a", "s", "f", folder / "out")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, (folder / "out").stat().st_size >> 20)
"""
    peaks = []
    for size in (8, 256):
        told = subprocess.run([sys.executable, "-c", code, str(size)], capture_output=True, text=True, check=True)
        peak, written = map(int, told.stdout.split())
        assert written == size
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 32


def test_master_keys_from_a_file_or_a_passphrase(tmp_path: Path) -> None:
    salt = tmp_path / "keys" / "salt"
    path = tmp_path / "master" / "key"
    key = new_master_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert master_key({"CONSILIUM_MASTER_KEY": str(path)}, salt) == key
    with pytest.raises(OutputError):
        new_master_key(path)  # none is ever overwritten
    path.chmod(0o644)
    with pytest.raises(StorageLocked, match="others may read"):
        master_key({"CONSILIUM_MASTER_KEY": str(path)}, salt)
    path.chmod(0o600)
    for bad in (b"", b"not base64!", base64.b64encode(bytes(31))):
        path.write_bytes(bad)
        with pytest.raises(StorageLocked):
            master_key({"CONSILIUM_MASTER_KEY": str(path)}, salt)
    told = {"CONSILIUM_PASSPHRASE": "correct horse battery staple"}
    first = master_key(told, salt)
    assert first == master_key(told, salt) and len(first) == 32
    assert master_key({"CONSILIUM_PASSPHRASE": "correct horse battery stable"}, salt) != first
    assert master_key(told, tmp_path / "elsewhere" / "salt") != first
    for none in ({}, {"CONSILIUM_PASSPHRASE": "short"}):
        with pytest.raises(StorageLocked):
            master_key(none, salt)


def test_keys_are_not_printed(tmp_path: Path) -> None:
    keys = KeyFolder(tmp_path, MASTER).opened("hospital_a", make=True)
    assert repr(keys) == "HospitalKeys(hospital='hospital_a')"


@settings(max_examples=60)
@given(content=st.binary(max_size=400))
def test_any_file_in_the_place_of_a_study_or_of_keys_is_an_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = store_in(folder)
        path = put(store, b"x")
        path.write_bytes(content)
        with pytest.raises(ConsiliumError):
            read(store)
        put(store, b"x")
        (folder / "keys" / "hospital_a.json").write_bytes(content)
        with pytest.raises(StorageLocked):
            read(store)
