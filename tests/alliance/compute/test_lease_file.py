"""The file of leases: whole or as it was, and no hostile content gets through."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.alliance.compute.engine import Lease
from consilium.alliance.compute.lease_file import Agreed, LeaseFile
from consilium.alliance.compute.lease_hours import hours_of
from consilium.errors import InputError

NAMES = ["zone", "leases", "hospital", "cores", "hours"]
DAY = hours_of("Mon-Fri 08-18")


@pytest.fixture
def file(tmp_path: Path) -> LeaseFile:
    return LeaseFile(tmp_path / "compute" / "leases.json")


def told(file: LeaseFile) -> list[tuple[str, int, int]]:
    return [(one.hospital, one.cores, len(one.hours)) for one in file.agreed().leases]


def test_nothing_is_agreed_on_at_first(file: LeaseFile) -> None:
    assert file.agreed() == Agreed()
    with pytest.raises(InputError, match="no lease"):
        file.remove("a")


def test_a_lease_takes_the_place_of_what_was_there(file: LeaseFile, tmp_path: Path) -> None:
    file.set(Lease(hospital="a", cores=2))
    file.set(Lease(hospital="b", cores=9, gpus=1))
    file.set(Lease(hospital="a", cores=8, hours=DAY))
    assert told(file) == [("a", 2, 118), ("a", 8, 50), ("b", 9, 168)]
    file.remove("a", hours_of("Mon 08-18"))
    assert told(file) == [("a", 2, 118), ("a", 8, 40), ("b", 9, 168)]
    file.set(Lease(hospital="a", cores=0))
    assert told(file) == [("b", 9, 168)]
    path = tmp_path / "compute" / "leases.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["leases"][0]["hours"] == "always"


def test_many_at_once_lose_nothing(file: LeaseFile) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: file.set(Lease(hospital=f"h{n:02d}", cores=n + 1)), range(24)))
    assert told(file) == [(f"h{n:02d}", n + 1, 168) for n in range(24)]


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", '{"zone": "Asia/Shanghai"}', '{"zone": "Mars/Olympus", "leases": []}',
        '{"zone": 3, "leases": []}', '{"zone": "../../etc/passwd", "leases": []}',
        '{"zone": "UTC", "leases": [{"hospital": "a", "cores": -1, "hours": "always"}]}',
        '{"zone": "UTC", "leases": [{"hospital": "a", "cores": 1.5, "hours": "always"}]}',
        '{"zone": "UTC", "leases": [{"hospital": "a", "cores": true, "hours": "always"}]}',
        '{"zone": "UTC", "leases": [{"hospital": "", "cores": 1, "hours": "always"}]}',
        '{"zone": "UTC", "leases": [{"hospital": "a", "cores": 1, "hours": "Mon 9-8"}]}',
        '{"zone": "UTC", "leases": [{"hospital": "a", "cores": 1, "hours": 7}]}',
        '{"zone": "UTC", "leases": [7]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_and_left_alone(file: LeaseFile, tmp_path: Path, content: str) -> None:
    path = tmp_path / "compute" / "leases.json"
    path.parent.mkdir()
    path.write_text(content)
    for call in (file.agreed, lambda: file.set(Lease(hospital="a", cores=1)), lambda: file.replace(Agreed())):
        with pytest.raises(InputError, match="damaged") as refused:
            call()
        assert refused.value.where == str(path)
    assert path.read_text() == content


@settings(max_examples=80)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
        max_leaves=12,
    )
)
def test_any_json_is_leases_or_damaged(document: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "leases.json"
        path.write_text(json.dumps(document))
        try:
            LeaseFile(path).agreed()
        except InputError as problem:
            assert "damaged" in problem.what


def test_bad_leases_are_refused_before_anything_is_written(file: LeaseFile) -> None:
    file.set(Lease(hospital="a", cores=1))
    for bad in (Agreed(zone="Nowhere/Town"), Agreed(leases=(Lease(hospital="b", cores=-1),))):
        with pytest.raises(InputError):
            file.replace(bad)
    assert told(file) == [("a", 1, 168)]


def test_a_full_disk_leaves_what_was_there(file: LeaseFile, tmp_path: Path) -> None:
    file.set(Lease(hospital="a", cores=1))
    code = f"""
import resource, signal, pathlib
from consilium.alliance.compute.engine import Lease
from consilium.alliance.compute.lease_file import LeaseFile
from consilium.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
try:
    LeaseFile(pathlib.Path({str(tmp_path)!r}) / "compute" / "leases.json").set(Lease(hospital="b", cores=2))
except OutputError as problem:
    print(problem)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be written" in done.stdout
    assert told(file) == [("a", 1, 168)]
    assert {one.name for one in (tmp_path / "compute").iterdir()} == {"leases.json", ".leases.json.lock"}
