from __future__ import annotations

from pathlib import Path

import pytest

from consilium.artefact.bundle import MANIFEST, is_bundle, open_bundle, refuse_place, write_bundle
from consilium.errors import ModelError, OutputError

FILES = {"LICENSE": b"free", "configs/metadata.json": b'{"a": 1}'}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_bundle(FILES, tmp_path / "model")
    return tmp_path / "model"


def test_what_was_written_is_opened(bundle: Path) -> None:
    found = open_bundle(bundle)
    assert found.files == tuple(sorted(FILES)) and found.document("configs/metadata.json") == {"a": 1}
    assert found.path("LICENSE").read_bytes() == b"free"
    assert [one.name for one in bundle.parent.iterdir()] == ["model"]
    with pytest.raises(ModelError, match="has no docs"):
        found.path("docs")


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_altered_file_is_refused(bundle: Path, name: str) -> None:
    (bundle / name).write_bytes(FILES[name] + b" ")
    with pytest.raises(ModelError, match=f"{name} was altered"):
        open_bundle(bundle)
    (bundle / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        open_bundle(bundle)


@pytest.mark.parametrize("name", ["../LICENSE", "/etc/hostname", "a\\b", ""])
def test_a_manifest_that_points_out_of_the_folder_is_refused(bundle: Path, name: str) -> None:
    text = (bundle / MANIFEST).read_text().replace('"LICENSE"', f'"{name}"'.replace("\\", "\\\\"))
    (bundle / MANIFEST).write_text(text)
    with pytest.raises(ModelError, match="names no files"):
        open_bundle(bundle)


def test_what_is_no_bundle_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        open_bundle(tmp_path / "nothing")
    for content in ("", "[]", "{}"):
        (tmp_path / MANIFEST).write_text(content)
        assert not is_bundle(tmp_path)
        with pytest.raises(ModelError, match="not a model of Consilium"):
            open_bundle(tmp_path)


def test_places_that_are_taken(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="--overwrite"):
        write_bundle(FILES, bundle)
    write_bundle({"LICENSE": b"other"}, bundle, overwrite=True)
    assert open_bundle(bundle).files == ("LICENSE",)
    assert [one.name for one in tmp_path.iterdir()] == ["model"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    (tmp_path / "file").write_text("")
    for taken in ("full", "file"):
        with pytest.raises(OutputError):
            refuse_place(tmp_path / taken, overwrite=True)
    assert (tmp_path / "full" / "mine").exists()


def test_a_seal_that_fails_leaves_what_was_there(bundle: Path, tmp_path: Path) -> None:
    def refuse(folder: Path) -> None:
        assert open_bundle(folder).files == ("LICENSE",)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_bundle({"LICENSE": b"other"}, bundle, overwrite=True, seal=refuse)
    assert open_bundle(bundle).path("LICENSE").read_bytes() == b"free"
    assert [one.name for one in tmp_path.iterdir()] == ["model"]
