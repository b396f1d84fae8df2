from __future__ import annotations

import io
import stat
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.alliance.workshop.unpack import Limits, dataset_in, keep_files, safe_path, unpack_zip
from consilium.errors import ConsiliumError, InputError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


def packed(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    page = io.BytesIO()
    with zipfile.ZipFile(page, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    page.seek(0)
    return page


def test_a_folder_for_each_class_comes_out_as_it_was_packed(tmp_path: Path) -> None:
    archive = packed({
        "images/正常/p1/a.png": PNG, "images/tumour/b.png": PNG, "images/notes.docx": b"x",
        "__MACOSX/images/._b.png": b"x", "images/.DS_Store": b"x", "images/run.sh": b"#!/bin/sh",
        "images/inner.zip": packed({"a.png": PNG}).read(),
    })  # fmt: skip
    kept = unpack_zip(archive, tmp_path / "data")
    assert kept.dataset == tmp_path / "data" / "images"
    assert sorted(str(one.relative_to(kept.dataset)) for one in kept.dataset.rglob("*") if one.is_file()) == [
        "tumour/b.png", "正常/p1/a.png",
    ]  # fmt: skip
    assert kept.files == 2
    assert set(kept.left_out) == {"images/notes.docx", "images/run.sh", "images/inner.zip"}
    assert [one.name for one in tmp_path.iterdir()] == ["data"]


def test_a_table_is_what_the_fit_begins_with_and_two_are_refused(tmp_path: Path) -> None:
    kept = unpack_zip(packed({"set/cases.csv": b"file,label\n", "set/a.png": PNG}), tmp_path / "one")
    assert kept.dataset == tmp_path / "one" / "set" / "cases.csv"
    with pytest.raises(InputError, match="2 tables"):
        unpack_zip(packed({"a.csv": b"x", "b.csv": b"x"}), tmp_path / "two")
    assert not (tmp_path / "two").exists()


def test_dicom_is_known_by_its_content_whatever_it_is_called(tmp_path: Path) -> None:
    dicom = bytes(128) + b"DICM" + bytes(20)
    kept = unpack_zip(packed({"a/1.2.840.113": dicom, "b/IM0001": dicom, "b/readme": b"no"}), tmp_path / "data")
    assert kept.files == 2
    assert kept.left_out == ("b/readme",)


@pytest.mark.parametrize(
    "name",
    [
        "../a.png", "a/../../b.png", "/etc/a.png", "C:/a.png", "C:\\a.png", "..\\a.png", "a\\..\\..\\b.png", "a//b.png",
        "./a.png", "a/\x00.png", "a/\u202egnp.exe.png", "a/\n.png", "", "x" * 300 + ".png",
        "/".join("abcdefghijkl") + "/a.png",
    ],
)  # fmt: skip
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        safe_path(name)
    with pytest.raises(InputError):
        keep_files([("a/ok.png", io.BytesIO(PNG)), (name, io.BytesIO(PNG))], tmp_path / "in" / "data")
    assert not list(tmp_path.rglob("*.png"))


def test_an_archive_cannot_write_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leads out"):
        unpack_zip(packed({"ok/a.png": PNG, "../outside.png": PNG}), tmp_path / "in" / "data")
    assert not list(tmp_path.rglob("*.png"))


def test_links_are_refused(tmp_path: Path) -> None:
    page = io.BytesIO()
    with zipfile.ZipFile(page, "w") as archive:
        link = zipfile.ZipInfo("a/passwd.png")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    page.seek(0)
    with pytest.raises(InputError, match="link"):
        unpack_zip(page, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_what_counts_is_what_was_unpacked_and_not_what_the_archive_says(tmp_path: Path) -> None:
    limits = Limits(bytes=1 << 20, files=5)
    bomb = packed({"a/bomb.png": bytes(50 << 20)})
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(InputError, match="more than 1 MB"):
        unpack_zip(bomb, tmp_path / "told", limits=limits)
    # The same archive, that says of itself that it is small: the sizes in the directory and before the content.
    content = bytearray(bomb.getvalue())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = content.find(signature)
        struct.pack_into("<I", content, place + offset, 100)
    with pytest.raises(InputError):
        unpack_zip(io.BytesIO(bytes(content)), tmp_path / "untold", limits=limits)
    with pytest.raises(InputError, match="more than 5 files"):
        unpack_zip(packed({f"a/{number}.png": PNG for number in range(6)}), tmp_path / "many", limits=limits)
    with pytest.raises(InputError, match="more than 1 MB"):
        keep_files([("a.png", io.BytesIO(bytes(2 << 20)))], tmp_path / "files", limits=limits)
    assert list(tmp_path.iterdir()) == []


def test_names_of_chinese_windows_are_read(tmp_path: Path) -> None:
    """Its archives hold GBK and do not say so."""
    content = bytearray(packed({"aaaa/a.png": PNG, "bbbb/b.png": PNG}).getvalue())
    for ascii_, gbk in ((b"aaaa", "正常".encode("gbk")), (b"bbbb", "肿瘤".encode("gbk"))):
        while (place := content.find(ascii_ + b"/")) >= 0:
            content[place : place + 4] = gbk
    kept = unpack_zip(io.BytesIO(bytes(content)), tmp_path / "data")
    assert sorted(one.name for one in kept.dataset.iterdir()) == ["正常", "肿瘤"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive", PNG])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="no ZIP"):
        unpack_zip(io.BytesIO(content), tmp_path / "data")


def test_a_member_without_a_name_is_refused(tmp_path: Path) -> None:
    nameless = bytearray(packed({"a": PNG}).getvalue())
    for signature, offset in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):
        # Its one letter becomes part of what may follow a name.
        struct.pack_into("<HH", nameless, nameless.find(signature) + offset, 0, 1)
    with pytest.raises(InputError, match="or is none"):
        unpack_zip(io.BytesIO(bytes(nameless)), tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_a_dataset_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image") as caught:
        unpack_zip(packed({"a.docx": b"x"}), tmp_path / "data")
    assert "folder for each class" in caught.value.way_out


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one name"):
        keep_files([("a/x.png", io.BytesIO(PNG)), ("A/X.png", io.BytesIO(PNG))], tmp_path / "data")
    with pytest.raises(InputError, match="one name"):
        keep_files([("a.png", io.BytesIO(PNG)), ("a.png/b.png", io.BytesIO(PNG))], tmp_path / "data")


def test_folders_that_hold_one_folder_are_passed_through(tmp_path: Path) -> None:
    (tmp_path / "a" / "b" / "normal").mkdir(parents=True)
    (tmp_path / "a" / "b" / "tumour").mkdir()
    assert dataset_in(tmp_path) == tmp_path / "a" / "b"


_WHOLE = packed({"normal/a.png": PNG * 20, "tumour/b.png": bytes(200), "cases.csv": b"file,label\n"}).getvalue()


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(_WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_a_damaged_archive_gives_an_error_or_files_and_leaves_nothing_half(changes: list[tuple[int, int]]) -> None:
    content = bytearray(_WHOLE)
    for place, value in changes:
        content[place] = value
    with tempfile.TemporaryDirectory() as place_:
        out = Path(place_) / "in" / "data"
        try:
            unpack_zip(io.BytesIO(bytes(content)), out, limits=Limits(bytes=1 << 20))
        except ConsiliumError:
            assert not out.exists()
        left = [one for one in Path(place_).rglob("*") if ".half" in one.name]
        assert not left
        assert all(one.is_relative_to(out) or one == out.parent for one in Path(place_).rglob("*"))


@settings(max_examples=300)
@given(st.text(max_size=40))
def test_any_name_stays_below_the_folder_or_is_refused(name: str) -> None:
    try:
        path = safe_path(name)
    except InputError:
        return
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert Path("/in").joinpath(path).resolve().is_relative_to("/in")
