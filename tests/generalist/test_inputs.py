from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from consilium.errors import InputError, NothingToDo
from consilium.generalist.inputs import Entry, find_entries, read_manifest

Paint = Callable[..., Path]


def test_files_folders_and_manifests_may_be_mixed(paint: Paint, tmp_path: Path) -> None:
    single, inner = paint("one.png"), paint("folder/two.png")
    paint("listed/three.png")
    manifest = tmp_path / "list.csv"
    manifest.write_text("file,label,group,modality\nlisted/three.png,ill,p1,us\n", encoding="utf-8-sig")
    found = find_entries([manifest, single, tmp_path / "folder"])
    assert [entry.path for entry in found] == [single, inner, tmp_path / "listed" / "three.png"]
    assert found[2] == Entry(
        path=tmp_path / "listed" / "three.png", file="listed/three.png", label="ill", group="p1", modality="us"
    )


def test_a_manifest_may_know_little(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("file\na.png\n\nb.png\n", encoding="utf-8")
    assert [(entry.file, entry.label, entry.group) for entry in read_manifest(tmp_path / "list.csv")] == [
        ("a.png", "", ""), ("b.png", "", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"), [(b"name\na.png\n", "no column 'file'"), (b"file\n\xff\xfe\n", "cannot be read")]
)
def test_a_manifest_that_is_none_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_manifest(tmp_path / "list.csv")


def test_nothing_to_embed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("file\n", encoding="utf-8")
    for inputs in ([tmp_path / "list.csv"], [tmp_path]):
        with pytest.raises(NothingToDo):
            find_entries(inputs)
    with pytest.raises(InputError, match="no such file"):
        find_entries([tmp_path / "nothing"])


def test_volumes_and_runs_in_folders_are_found(tmp_path: Path) -> None:
    for name in ("a.png", "head.NII.gz", "deep/run.mp4", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert {entry.path.name for entry in find_entries([tmp_path])} == {"a.png", "head.NII.gz", "run.mp4"}
