"""Nothing half is left, whatever stops a call: killed at every step that reaches the disk, or no room on it."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import which

import pytest

from consilium.alliance.library.channels import approve
from consilium.alliance.library.publish import publish
from consilium.alliance.library.pull import copy_of, pull, ready_to_run, verify_copy
from consilium.alliance.library.reference import Reference, Version
from consilium.alliance.library.search import search
from consilium.alliance.library.use import usage
from consilium.errors import ConsiliumError, OutputError
from tests.alliance.library.conftest import LI, TERMS, WANG, ZHANG, place_in
from tests.alliance.library.small_bundle import small_bundle

SMALL = Reference(name="small", version=Version(1, 0, 0))

CHILD = """
import os, signal, sys
from pathlib import Path
at, what, home, bundle = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
steps = 0

def counted(name, real):
    def call(*arguments, **named):
        global steps
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    return call

from consilium.alliance.library.publish import publish
from consilium.alliance.library.pull import pull
from tests.alliance.library.conftest import LI, TERMS, ZHANG, place_in
from tests.alliance.library.test_crash import SMALL
place = place_in(home)
import sqlalchemy.orm.session, sqlalchemy.engine
for name in ("fsync", "replace", "rename", "mkdir", "link"):
    setattr(os, name, counted(name, getattr(os, name)))
sqlalchemy.engine.Connection._commit_impl = counted("commit", sqlalchemy.engine.Connection._commit_impl)
if what == "publish":
    publish(place.library, ZHANG, bundle, name="small", key=place.key, terms=TERMS)
else:
    pull(place.library, LI, SMALL)
print(steps)
"""


def child(at: int, what: str, home: Path, bundle: Path) -> subprocess.CompletedProcess[str]:
    """A call that kills itself before its step `at`; 0: it does not."""
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(at), what, str(home), str(bundle)],
        capture_output=True,
        text=True,
        timeout=100,
    )


def whole_or_absent(home: Path) -> bool:
    """Whether the model is there; what is there is right to the last byte, and no file of the store is half."""
    place = place_in(home)
    try:
        for path in (home / "library" / "files").glob("sha256/*/*"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        found = search(place.library, ZHANG)
        if found:
            verify_copy(place.library, ZHANG, SMALL)
        for folder in (home / "library" / "pulled").glob("small/*"):
            assert found and folder == copy_of(place.library, found[0])
        return bool(found)
    finally:
        place.library.catalogue.close()


@pytest.mark.timeout(400)
def test_a_publish_that_is_killed_at_any_step_has_published_all_or_nothing(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "bundle")
    place_in(tmp_path / "whole").library.catalogue.close()
    run = child(0, "publish", tmp_path / "whole", bundle)
    assert run.returncode == 0, run.stderr
    steps = int(run.stdout)
    assert steps > 20 and whole_or_absent(tmp_path / "whole")
    for at in sorted({1, 2, steps - 2, steps - 1, steps, *range(5, steps, 7)}):
        home = tmp_path / str(at)
        place_in(home).library.catalogue.close()
        assert child(at, "publish", home, bundle).returncode == -signal.SIGKILL
        assert not whole_or_absent(home), at
        place = place_in(home)
        publish(place.library, ZHANG, bundle, name="small", key=place.key, terms=TERMS)
        pull(place.library, LI, SMALL)
        place.library.catalogue.close()
        assert whole_or_absent(home)
        assert (
            list((home / "library" / "half").iterdir()) == list((home / "library" / "files" / "half").iterdir()) == []
        )


@pytest.mark.timeout(400)
def test_a_pull_that_is_killed_at_any_step_has_left_all_or_nothing(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "bundle")

    def ready(home: Path) -> Path:
        place = place_in(home)
        publish(place.library, ZHANG, bundle, name="small", key=place.key, terms=TERMS)
        place.library.catalogue.close()
        return home

    run = child(0, "pull", ready(tmp_path / "whole"), bundle)
    assert run.returncode == 0, run.stderr
    steps = int(run.stdout)
    assert steps > 15
    for at in sorted({1, 2, steps - 2, steps - 1, steps, *range(5, steps, 7)}):
        home = ready(tmp_path / str(at))
        assert child(at, "pull", home, bundle).returncode == -signal.SIGKILL
        assert whole_or_absent(home)
        place = place_in(home)
        assert pull(place.library, LI, SMALL).contents.bundle.folder.is_dir()
        assert list((home / "library" / "half").iterdir()) == []
        place.library.catalogue.close()


def test_the_command_that_is_killed_at_any_time_leaves_all_or_nothing(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "bundle")
    home = tmp_path / "home"
    place_in(home).library.catalogue.close()
    (home / "keys" / "own.pem").rename(home / "keys" / "library.key.pem")
    environment = {**os.environ, "CONSILIUM_HOME": str(home), "CONSILIUM_PERSON": "zhang"}
    command = [sys.executable, "-m", "consilium", "library", "publish", str(bundle), "--name", "small"]
    rng = random.Random(0)
    for number in range(6):
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as one:
            time.sleep(rng.uniform(0.2, 1.2))
            one.send_signal(signal.SIGKILL)
        for path in (home / "library" / "files").glob("sha256/*/*"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name, number


def test_two_that_pull_the_same_at_once_both_have_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    place = place_in(home)
    publish(place.library, ZHANG, small_bundle(tmp_path / "b"), name="small", key=place.key, terms=TERMS)
    several = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, "0", "pull", str(home), "x"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]
    for one in several:
        _, told = one.communicate(timeout=100)
        assert one.returncode == 0, told.decode()
    assert whole_or_absent(home)
    (use,) = usage(place.library, LI)
    assert use.pulls == 4
    place.library.catalogue.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> object:
    """A disk of its own of 400 kB."""
    if os.geteuid() != 0 or which("mount") is None:
        pytest.skip("only root can mount a small disk to fill")
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here ({done.stderr.strip()})")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, *, but: int) -> None:
    """Leave so many bytes free."""
    (disk / "filler").unlink(missing_ok=True)
    free = os.statvfs(disk)
    (disk / "filler").write_bytes(b"x" * max(free.f_bavail * free.f_bsize - but, 0))


def test_a_full_disk_is_said_and_leaves_nothing_half(tmp_path: Path, small_disk: Path) -> None:
    place = place_in(small_disk / "home")
    bundle = small_bundle(tmp_path / "bundle")
    refused = 0
    for room in (0, 4096, 8192, 16384, 24576, 32768, 49152):
        fill(small_disk, but=room)
        try:
            publish(place.library, ZHANG, bundle, name="small", key=place.key, terms=TERMS)
        except OutputError as problem:
            refused += 1
            assert "No space" in str(problem) or "full" in str(problem) or "room" in str(problem)
            assert search(place.library, ZHANG) == ()
            assert not list((small_disk / "home" / "library" / "half").glob("*/*"))
        else:
            break
    assert refused >= 3
    (small_disk / "filler").unlink()
    publish(place.library, ZHANG, bundle, name="small", key=place.key, terms=TERMS)
    for room in (0, 8192):
        fill(small_disk, but=room)
        with pytest.raises(OutputError):
            pull(place.library, LI, SMALL)
        assert not list((small_disk / "home" / "library" / "pulled").glob("small/*"))
    (small_disk / "filler").unlink()
    pull(place.library, LI, SMALL)
    place.library.catalogue.close()


def test_the_whole_way_on_postgresql_and_a_registry(tmp_path: Path, database: str, registry: str) -> None:
    """Publish at one hospital, approve, run at another, take back: through a shared catalogue and store."""
    store = f"oci://{registry}/whole-way"
    a = place_in(tmp_path / "a", catalogue=database, store=store)
    b = place_in(tmp_path / "b", catalogue=database, store=store, with_key=False)
    publish(a.library, ZHANG, small_bundle(tmp_path / "1"), name="small", key=a.key, terms=TERMS)
    approve(a.library, LI, SMALL)
    pulled = ready_to_run(b.library, WANG, Reference(name="small"))
    assert pulled.first_key and pulled.contents.bundle.folder.is_relative_to(tmp_path / "b")
    with pytest.raises(ConsiliumError, match="never changes"):
        publish(a.library, ZHANG, small_bundle(tmp_path / "2", seed=2), name="small", key=a.key, terms=TERMS)
    for one in (a, b):
        one.library.catalogue.close()


def test_a_catalogue_that_went_away_lets_nothing_run(tmp_path: Path) -> None:
    place = place_in(tmp_path / "home")
    publish(place.library, ZHANG, small_bundle(tmp_path / "b"), name="small", key=place.key, terms=TERMS)
    ready_to_run(place.library, LI, SMALL)
    place.library.catalogue.close()
    database = tmp_path / "home" / "library" / "catalogue.db"
    database.rename(database.with_suffix(".away"))
    with pytest.raises(ConsiliumError):
        ready_to_run(place.library, LI, SMALL)
