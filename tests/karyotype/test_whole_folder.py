"""A folder of results is there as a whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from consilium.errors import OutputError
from consilium.karyotype.whole_folder import FORMER, NEW, refuse_unfit, visible_entries, whole_folder

OURS = "ours.txt"


def _is_ours(folder: Path) -> bool:
    return [entry.name for entry in visible_entries(folder)] == [OURS]


def _write(out: Path, text: str = "new") -> None:
    with whole_folder(out, is_former=_is_ours, what="a test") as folder:
        (folder / OURS).write_text(text)


def _left(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if entry.name.endswith((NEW, FORMER))]


def test_it_is_made_with_the_folders_above_it(tmp_path: Path) -> None:
    _write(tmp_path / "a" / "b" / "out")
    assert (tmp_path / "a/b/out" / OURS).read_text() == "new"
    assert _left(tmp_path / "a/b") == []


def test_nothing_is_there_until_it_is_complete(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with whole_folder(out, is_former=_is_ours, what="a test") as folder:
        (folder / OURS).write_text("x")
        assert not out.exists()
        assert folder.parent == tmp_path
    assert out.is_dir()


@pytest.mark.parametrize("prepared", ["empty", "former", "former and litter"])
def test_an_empty_folder_or_a_former_result_is_replaced(tmp_path: Path, prepared: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    if "former" in prepared:
        (out / OURS).write_text("former")
    if "litter" in prepared:
        (out / ".DS_Store").write_text("")
    _write(out)
    assert (out / OURS).read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), ValueError("x"), OSError(errno.ENOSPC, "No space left")])
def test_after_an_exception_what_was_there_is_untouched(tmp_path: Path, problem: BaseException) -> None:
    out = tmp_path / "out"
    _write(out, "former")
    expected = OutputError if isinstance(problem, OSError) else type(problem)

    def write_half() -> None:
        with whole_folder(out, is_former=_is_ours, what="a test") as folder:
            (folder / OURS).write_text("half")
            raise problem

    with pytest.raises(expected):
        write_half()
    assert (out / OURS).read_text() == "former"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="No space left on device") as raised,
        whole_folder(tmp_path / "out", is_former=_is_ours, what="a test"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "Free the disk" in raised.value.way_out
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_may_not_grow_is_like_a_full_disk(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from consilium.errors import OutputError\n"
        "from consilium.karyotype.whole_folder import whole_folder\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    with whole_folder(Path(sys.argv[1]), is_former=lambda _: False, what='a test') as folder:\n"
        "        (folder / 'small').write_bytes(bytes(10))\n"
        "        (folder / 'large').write_bytes(bytes(100_000))\n"
        "except OutputError as error:\n"
        "    sys.exit(f'said: {error}')\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")], capture_output=True, text=True)
    assert "said: " in run.stderr and "File too large" in run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["notes.txt", "folder/notes.txt", ".hidden"])
def test_what_others_wrote_is_never_replaced(tmp_path: Path, content: str) -> None:
    out = tmp_path / "out"
    (out / content).parent.mkdir(parents=True)
    (out / content).write_text("precious")
    for attempt in (lambda: _write(out), lambda: refuse_unfit(out, is_former=_is_ours, what="a test")):
        with pytest.raises(OutputError, match="something other than a test") as raised:
            attempt()
        assert raised.value.where == str(out)
    assert (out / content).read_text() == "precious"


def test_what_somebody_puts_there_during_the_work_is_not_replaced_either(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _write(out, "former")

    def write_meanwhile() -> None:
        with whole_folder(out, is_former=_is_ours, what="a test") as folder:
            (folder / OURS).write_text("new")
            (out / "notes.txt").write_text("precious")

    with pytest.raises(OutputError, match="something other"):
        write_meanwhile()
    assert (out / "notes.txt").read_text() == "precious"
    assert (out / OURS).read_text() == "former"


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious")
    with pytest.raises(OutputError, match="a file, not a folder"):
        _write(tmp_path / "out")
    with pytest.raises(OutputError, match="nothing can be written there"):
        _write(tmp_path / "out" / "below")
    assert (tmp_path / "out").read_text() == "precious"


def test_a_place_where_nothing_can_be_made() -> None:
    # /proc refuses even the superuser.
    with pytest.raises(OutputError):
        _write(Path("/proc/consilium/out"))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="nothing can be written there"):
            refuse_unfit(tmp_path / "out", is_former=_is_ours, what="a test")
    finally:
        tmp_path.chmod(0o700)


def test_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    _write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / OURS).read_text() == "new"
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing" / "deep")
    with pytest.raises(OutputError, match="leads nowhere"):
        refuse_unfit(tmp_path / "nowhere", is_former=_is_ours, what="a test")


@pytest.mark.parametrize("name", ["核型 报告 " * 14, "a" * 255, "-rf", "a [1]*"])
def test_long_and_odd_names(tmp_path: Path, name: str) -> None:
    _write(tmp_path / name)
    _write(tmp_path / name, "again")
    assert (tmp_path / name / OURS).read_text() == "again"


def test_a_name_that_no_disk_takes(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        _write(tmp_path / ("a" * 300))
    assert list(tmp_path.iterdir()) == []


def test_the_result_is_as_readable_as_anything_new(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    _write(tmp_path / "out")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def _killed_writer(out: Path) -> None:
    """Kill a process in the middle of writing."""
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from consilium.karyotype.whole_folder import whole_folder\n"
        "with whole_folder(Path(sys.argv[1]), is_former=lambda _: True, what='a test') as folder:\n"
        "    (folder / 'half').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(out)]).returncode == -signal.SIGKILL


def test_a_killed_writer_leaves_no_half_result_and_is_cleaned_up_after(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _write(out, "former")
    _killed_writer(out)
    assert (out / OURS).read_text() == "former"
    assert len(_left(tmp_path)) == 1
    _write(tmp_path / "another")
    assert len(_left(tmp_path)) == 1, "another place's leftovers are none of its business"
    _write(out)
    assert (out / OURS).read_text() == "new"
    assert _left(tmp_path) == []


def test_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with whole_folder(out, is_former=_is_ours, what="a test") as folder:
        (folder / OURS).write_text("first")
        _write(out, "second")
        assert (folder / OURS).read_text() == "first"
        assert (out / OURS).read_text() == "second"
    assert (out / OURS).read_text() == "first"
    assert _left(tmp_path) == []


def test_a_former_result_comes_back_when_its_replacement_was_killed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _write(out, "former")
    _killed_writer(out)
    [new] = _left(tmp_path)
    # What a kill between the two renames leaves.
    out.rename(tmp_path / new.replace(NEW, FORMER))
    with pytest.raises(ValueError, match="not today"), whole_folder(out, is_former=_is_ours, what="a test"):
        raise ValueError("not today")
    assert (out / OURS).read_text() == "former"
    assert _left(tmp_path) == []


def test_a_failing_last_step_puts_the_former_result_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    _write(out, "former")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(NEW):
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OutputError, match="Input/output error"):
        _write(out)
    assert (out / OURS).read_text() == "former"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_mounted_folder_is_filled_file_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.mkdir()
    node = out.stat().st_ino
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == out)

    def write(names: list[str]) -> None:
        with whole_folder(out, is_former=lambda _: True, what="a test") as folder:
            for name in names:
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(name)

    write(["case", "parts/1", "parts/2"])
    write(["case", "parts/2", "parts/3"])
    files = sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())
    assert files == ["case", "parts/2", "parts/3"]
    assert out.stat().st_ino == node
    assert _left(out) == [] and _left(tmp_path) == []
