"""What every store must do. A kind of store is an entry of `KINDS` here and of `STORES` in library.py."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consilium.alliance.library.folder_store import FolderStore
from consilium.alliance.library.library import STORES, store_at
from consilium.alliance.library.store import Store
from consilium.errors import InputError, NotTrusted, OutputError

KINDS = ("folder", *STORES)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], Store]:
    """Makes a store of a place; each call another client of the same."""
    if kind == "folder":
        return lambda: store_at(str(tmp_path / "store"))
    pytest.importorskip("oras", reason="oras is not installed: the store in a registry is not tested")
    host = request.getfixturevalue("registry")
    return lambda: store_at(f"oci://{host}/{tmp_path.name.replace('_', '-').lower()}")


def written(folder: Path, **contents: bytes) -> tuple[dict[str, Path], dict[str, str]]:
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, content in contents.items():
        files[f"sub/{name}"] = folder / name
        files[f"sub/{name}"].write_bytes(content)
    return files, {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


PACKAGE = "a" * 64


def test_what_was_put_comes_back(make: Callable[[], Store], tmp_path: Path) -> None:
    files, digests = written(tmp_path / "in", a=b"one", b=bytes(range(256)) * 9000, empty=b"")
    make().put("model", PACKAGE, files, digests)
    for name, digest in digests.items():
        assert make().has("model", digest)
        make().fetch("model", digest, tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == files[name].read_bytes()
        (tmp_path / "out").unlink()


def test_putting_it_again_changes_nothing(make: Callable[[], Store], tmp_path: Path) -> None:
    files, digests = written(tmp_path / "in", a=b"one", b=b"two")
    for _ in range(2):
        make().put("model", PACKAGE, files, digests)
    more, more_digests = written(tmp_path / "in2", a=b"one", c=b"three")
    make().put("model", "b" * 64, more, more_digests)
    for digest in (*digests.values(), *more_digests.values()):
        assert make().has("model", digest)


def test_what_is_not_there_is_said(make: Callable[[], Store], tmp_path: Path) -> None:
    assert not make().has("model", "0" * 64)
    with pytest.raises(OutputError, match=r"not (in the store|there)") as problem:
        make().fetch("model", "0" * 64, tmp_path / "out")
    assert problem.value.way_out and problem.value.where == make().place
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_what_its_digest_says_is_not_kept(make: Callable[[], Store], tmp_path: Path) -> None:
    files, digests = written(tmp_path / "in", a=b"one")
    files["sub/a"].write_bytes(b"two")
    with pytest.raises(NotTrusted):
        make().put("model", PACKAGE, files, digests)
    for digest in (*digests.values(), hashlib.sha256(b"two").hexdigest()):
        assert not make().has("model", digest)


def test_nothing_is_written_over(make: Callable[[], Store], tmp_path: Path) -> None:
    files, digests = written(tmp_path / "in", a=b"one")
    make().put("model", PACKAGE, files, digests)
    (tmp_path / "out").write_bytes(b"mine")
    with pytest.raises(OutputError):
        make().fetch("model", digests["sub/a"], tmp_path / "out")


def test_what_the_store_altered_does_not_come_out(
    kind: str, make: Callable[[], Store], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    files, digests = written(tmp_path / "in", a=b"one" * 1000)
    digest = digests["sub/a"]
    make().put("model", PACKAGE, files, digests)
    if kind == "folder":
        altered = tmp_path / "store" / "sha256" / digest[:2] / digest
    else:
        config = request.getfixturevalue("tmp_path_factory").getbasetemp() / "registry0" / "data"
        (altered,) = config.rglob(f"blobs/sha256/{digest[:2]}/{digest}/data")
    altered.chmod(0o644)
    altered.write_bytes(b"two" * 1000)
    with pytest.raises(NotTrusted, match="altered"):
        make().fetch("model", digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_several_put_the_same_at_once(make: Callable[[], Store], tmp_path: Path) -> None:
    files, digests = written(tmp_path / "in", **{f"f{n}": bytes([n]) * 50_000 for n in range(6)})
    problems: list[BaseException] = []

    def put() -> None:
        try:
            make().put("model", PACKAGE, files, digests)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=put) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert problems == []
    for name, digest in digests.items():
        make().fetch("model", digest, tmp_path / f"out-{digest[:8]}")
        assert (tmp_path / f"out-{digest[:8]}").read_bytes() == files[name].read_bytes()


def test_a_folder_that_was_left_half_is_swept_and_one_in_use_is_not(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    files, digests = written(tmp_path / "in", a=b"one")
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom consilium.alliance.library.half import half_folder\n"
        f"with half_folder(Path({str(tmp_path / 'store' / 'half')!r})) as one:\n"
        "    (one / 'x').write_text('half')\n    print(one, flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        left = Path(other.stdout.readline().strip())
        store.put("model", PACKAGE, files, digests)
        assert (left / "x").exists()
        other.kill()
    store.put("model", PACKAGE, files, digests)
    assert not left.exists() and list((tmp_path / "store" / "half").iterdir()) == []


def test_a_damaged_file_is_mended_by_putting_it_again(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    files, digests = written(tmp_path / "in", a=b"one")
    store.put("model", PACKAGE, files, digests)
    (kept,) = (tmp_path / "store" / "sha256").rglob(digests["sub/a"])
    assert kept.stat().st_mode & 0o222 == 0
    kept.chmod(0o644)
    kept.write_bytes(b"two")
    store.put("model", PACKAGE, files, digests)
    assert kept.read_bytes() == b"one"


def test_a_registry_that_does_not_answer_is_said(tmp_path: Path) -> None:
    pytest.importorskip("oras", reason="oras is not installed: the store in a registry is not tested")
    store = store_at("oci://127.0.0.1:9/consilium")
    files, digests = written(tmp_path / "in", a=b"one")
    for act in (
        lambda: store.put("model", PACKAGE, files, digests),
        lambda: store.fetch("model", digests["sub/a"], tmp_path / "out"),
        lambda: store.has("model", digests["sub/a"]),
    ):
        with pytest.raises(OutputError, match="does not answer"):
            act()


@pytest.mark.parametrize("place", ["oci://", "oci://host", "oci:///x", "oci://user:secret@host/x", "s3://bucket/x"])
def test_a_place_that_is_none_is_refused(place: str) -> None:
    pytest.importorskip("oras", reason="oras is not installed: the store in a registry is not tested")
    with pytest.raises(InputError):
        store_at(place)


def test_only_this_machine_is_spoken_to_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("oras", reason="oras is not installed: the store in a registry is not tested")

    def prefix(place: str) -> Any:
        return store_at(place)._registry.prefix  # type: ignore[attr-defined]

    assert [prefix(f"oci://{host}/x") for host in ("127.0.0.1:5000", "localhost", "[::1]:5000")] == ["http"] * 3
    assert [
        prefix(f"oci://{host}/x") for host in ("registry.example.org", "127.0.0.1.example.org", "10.0.0.1:5000")
    ] == ["https"] * 3
