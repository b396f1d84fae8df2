"""Nothing half is left, whatever stops a call: killed at every step that reaches the disk, or no room on it."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
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
import json, os, random, signal, sys, time
from pathlib import Path
what, bundle, tasks = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
import sqlalchemy.engine
from consilium.alliance.library.publish import publish
from consilium.alliance.library.pull import pull
from tests.alliance.library.conftest import LI, TERMS, ZHANG, place_in
from tests.alliance.library.test_crash import SMALL
import model_signing, onnxruntime, alembic.command

def one(at, home):
    steps = 0

    def counted(name, real):
        def call(*arguments, **named):
            nonlocal steps
            steps += 1
            if steps == at:
                os.kill(os.getpid(), signal.SIGKILL)
            if at < 0:
                time.sleep(random.random() / 20)
            return real(*arguments, **named)
        return call

    place = place_in(Path(home))
    for name in ("fsync", "replace", "rename", "mkdir", "link"):
        setattr(os, name, counted(name, getattr(os, name)))
    sqlalchemy.engine.Connection._commit_impl = counted("commit", sqlalchemy.engine.Connection._commit_impl)
    if what == "publish":
        publish(place.library, ZHANG, bundle, name="small", key=place.key, terms=TERMS)
    else:
        pull(place.library, LI, SMALL)
    print(steps, flush=True)

for at, home in tasks:
    # A process of its own for each, without the seconds that the imports take.
    child = os.fork()
    if child == 0:
        try:
            one(at, home)
        except BaseException as problem:
            print(repr(problem), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


def killed(what: str, bundle: Path, tasks: list[tuple[int, Path]]) -> list[int]:
    """Calls, each in its home, that kill themselves before a step (0: at none): exit statuses; steps where it ended."""
    told = subprocess.run(
        [sys.executable, "-c", CHILD, what, str(bundle), json.dumps([(at, str(home)) for at, home in tasks])],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert told.returncode == 0 and not told.stderr, told.stderr
    return [int(line) for line in told.stdout.split()]


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
@pytest.mark.parametrize("what", ["publish", "pull"])
def test_a_call_that_is_killed_at_any_step_has_done_all_or_nothing(tmp_path: Path, what: str) -> None:
    bundle = small_bundle(tmp_path / "bundle")
    before = place_in(tmp_path / "before")
    if what == "pull":
        publish(before.library, ZHANG, bundle, name="small", key=before.key, terms=TERMS)
    before.library.catalogue.close()
    shutil.copytree(tmp_path / "before", tmp_path / "whole")
    steps, status = killed(what, bundle, [(0, tmp_path / "whole")])
    assert status == 0 and steps > 15 and whole_or_absent(tmp_path / "whole")
    tried = sorted({1, 2, *range(4, steps, 4), steps - 2, steps - 1, steps})
    tasks = [(at, tmp_path / str(at)) for at in tried]
    for _, home in tasks:
        shutil.copytree(tmp_path / "before", home)
    assert killed(what, bundle, tasks) == [-signal.SIGKILL] * len(tried)
    for at, home in tasks:
        assert whole_or_absent(home) == (what == "pull"), at
        place = place_in(home)
        publish(place.library, ZHANG, bundle, name="small", key=place.key, terms=TERMS)
        pull(place.library, LI, SMALL)
        place.library.catalogue.close()
        assert whole_or_absent(home)
        for half in (home / "library" / "half", home / "library" / "files" / "half"):
            assert what == "pull" or list(half.iterdir()) == []
        assert list((home / "library" / "half").iterdir()) == []


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


@pytest.mark.parametrize("there", ["nothing", "a damaged copy"])
def test_several_that_pull_the_same_at_once_all_have_it(tmp_path: Path, there: str) -> None:
    """Each waits at random before every step that reaches the disk, so that they meet at all of them."""
    homes = [tmp_path / str(number) for number in range(3)]
    for home in homes:
        place = place_in(home)
        publish(place.library, ZHANG, small_bundle(tmp_path / "b"), name="small", key=place.key, terms=TERMS)
        if there != "nothing":
            copy = pull(place.library, LI, SMALL).contents.bundle.folder
            (copy / "package.json").write_text("{}", encoding="utf-8")
        place.library.catalogue.close()
        shutil.rmtree(tmp_path / "b")
    tasks = json.dumps([(-1, str(home)) for home in homes])
    call = [sys.executable, "-c", CHILD, "pull", "x", tasks]
    with ExitStack() as stack:
        several = [
            stack.enter_context(subprocess.Popen(call, stderr=subprocess.PIPE, stdout=subprocess.PIPE))
            for _ in range(4)
        ]
        told = [one.communicate(timeout=100) for one in several]
    assert all(out.split()[1::2] == [b"0"] * 3 and not error for out, error in told), told
    for home in homes:
        assert whole_or_absent(home)
        place = place_in(home)
        (use,) = usage(place.library, LI)
        assert use.pulls == 4 + (there != "nothing")
        place.library.catalogue.close()


def test_a_copy_that_somebody_else_pulled_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_in(tmp_path / "home")
    publish(place.library, ZHANG, small_bundle(tmp_path / "b"), name="small", key=place.key, terms=TERMS)
    fetched = place.library.store.fetch
    theirs: list[int] = []

    def slow(name: str, digest: str, target: Path) -> None:
        if not theirs:
            monkeypatch.undo()
            theirs.append(pull(place.library, LI, SMALL).contents.bundle.folder.stat().st_ino)
        fetched(name, digest, target)

    monkeypatch.setattr(place.library.store, "fetch", slow)
    ours = pull(place.library, LI, SMALL).contents.bundle.folder
    assert ours.stat().st_ino == theirs[0]
    assert list((tmp_path / "home" / "library" / "half").iterdir()) == []
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
