from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from consilium.errors import ConsiliumError, ImageOutOfBounds, InputError, NothingToDo, UnreadableImage
from consilium.imaging.grey import MAX_PIXELS, MAX_SIDE, MIN_SIDE
from consilium.imaging.read import find_images, read_image, sniff

Encode = Callable[..., bytes]
Ramp = NDArray[np.uint8]

KINDS = {
    "png": "png",
    "png16": "png",
    "jpeg": "jpeg",
    "tiff": "tiff",
    "tiff16": "tiff",
    "tiff_lzw": "tiff",
    "bmp": "bmp",
    "webp": "webp",
    "webp_lossy": "webp",
    "dicom": "dicom",
    "dicom_deflated": "dicom",
    "dicom_jpeg": "dicom",
}


def _put(folder: Path, content: bytes, name: str = "cell") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds next to nothing, as a decompression bomb does."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 4096)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_gives_the_same_levels(name: str, valid_files: dict[str, bytes], ramp: Ramp, tmp_path: Path) -> None:
    # The name without a suffix: the content alone must do.
    image = read_image(_put(tmp_path, valid_files[name]))
    assert image.kind == KINDS[name]
    assert image.path == tmp_path / "cell"
    assert image.pixels.shape == ramp.shape
    expected = ramp.astype(np.uint16) * 257 if "16" in name else ramp
    assert image.pixels.dtype == expected.dtype
    tolerance = 6 if name in ("jpeg", "webp_lossy", "dicom_jpeg") else 0
    assert np.abs(image.pixels.astype(int) - expected.astype(int)).max() <= tolerance


@pytest.mark.parametrize("wrong", ["cell.txt", "cell.dcm", "cell.jpg"])
def test_a_wrong_suffix_does_not_matter(wrong: str, valid_files: dict[str, bytes], tmp_path: Path) -> None:
    assert read_image(_put(tmp_path, valid_files["png"], wrong)).kind == "png"


class TestBounds:
    @pytest.mark.parametrize("size", [(1, 1), (MIN_SIDE - 1, 500), (500, MIN_SIDE - 1)])
    def test_too_small(self, size: tuple[int, int], encode: Encode, tmp_path: Path) -> None:
        path = _put(tmp_path, encode(Image.new("L", size), "png"))
        with pytest.raises(ImageOutOfBounds) as refused:
            read_image(path)
        assert f"{size[0]} x {size[1]}" in str(refused.value)
        assert str(MIN_SIDE) in str(refused.value)
        assert str(path) in str(refused.value)

    @pytest.mark.parametrize(
        "size", [(20_000, 20_000), (MAX_SIDE + 1, 100), (9_000, 9_000), (65_000, 65_000), (2**31 - 1, 2**31 - 1)]
    )
    def test_too_large_is_refused_before_decoding(self, size: tuple[int, int], tmp_path: Path) -> None:
        with pytest.raises(ImageOutOfBounds, match=f"{size[0]} x {size[1]}") as refused:
            read_image(_put(tmp_path, _png_header(*size)))
        assert str(MAX_SIDE) in str(refused.value)

    def test_the_limits_themselves_are_allowed(self, encode: Encode, tmp_path: Path) -> None:
        smallest = read_image(_put(tmp_path, encode(Image.new("L", (MIN_SIDE, MIN_SIDE)), "png")))
        assert smallest.pixels.shape == (MIN_SIDE, MIN_SIDE)
        widest = read_image(_put(tmp_path, encode(Image.new("L", (MAX_SIDE, MIN_SIDE)), "png")))
        assert widest.pixels.shape == (MIN_SIDE, MAX_SIDE)
        assert MAX_SIDE * MAX_SIDE > MAX_PIXELS

    @pytest.mark.parametrize("form", ["VP8X", "VP8L", "VP8 "])
    def test_webp_reserves_no_canvas_for_a_bomb(self, form: str, tmp_path: Path) -> None:
        side = 16_000
        size = {
            "VP8X": b"\0\0\0\0" + (side - 1).to_bytes(3, "little") * 2,
            "VP8L": b"\x2f" + ((side - 1) | (side - 1) << 14).to_bytes(4, "little") + b"\0" * 5,
            "VP8 ": b"\0\0\0\x9d\x01\x2a" + side.to_bytes(2, "little") * 2,
        }[form]
        content = b"RIFF" + struct.pack("<I", 1000) + b"WEBP" + form.encode() + struct.pack("<I", 900) + size
        with pytest.raises(ImageOutOfBounds, match="16000 x 16000"):
            read_image(_put(tmp_path, content))

    def test_a_file_of_gigabytes_is_not_opened(self, valid_files: dict[str, bytes], tmp_path: Path) -> None:
        path = _put(tmp_path, valid_files["tiff"])
        os.truncate(path, 3 << 30)  # sparse
        with pytest.raises(ImageOutOfBounds, match="3072 MiB"):
            read_image(path)


class TestUnreadable:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "empty"),
            (b"The patient's karyotype is normal.\n", "not an image"),
            (b"%PDF-1.7 and so on", "PDF"),
            (b"GIF89a" + b"\0" * 50, "GIF"),
            (b"\x89PNG\r\n\x1a\n", "damaged or truncated"),
            (b"\xff\xd8\xff\xe0", "damaged or truncated"),
            (b"II*\0\xff\xff\xff\xff", "damaged or truncated"),
            (b"RIFF\0\0\0\0WEBP", "damaged or truncated"),
            (b"\0" * 128 + b"DICM", "without a picture"),
        ],
    )
    def test_what_is_no_image(self, content: bytes, reason: str, tmp_path: Path) -> None:
        path = _put(tmp_path, content)
        with pytest.raises(UnreadableImage, match=reason) as refused:
            read_image(path)
        assert refused.value.where == str(path)
        assert refused.value.way_out

    @pytest.mark.parametrize("name", KINDS)
    def test_half_a_file(self, name: str, valid_files: dict[str, bytes], tmp_path: Path) -> None:
        content = valid_files[name]
        with pytest.raises(ConsiliumError):
            read_image(_put(tmp_path, content[: len(content) // 2]))

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableImage, match="a folder"):
            read_image(tmp_path)

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableImage, match="no such file"):
            read_image(tmp_path / "gone.png")

    def test_a_pipe_does_not_hang(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(UnreadableImage, match="not a regular file"):
            read_image(tmp_path / "pipe")

    def test_a_link_to_itself(self, tmp_path: Path) -> None:
        (tmp_path / "loop").symlink_to("loop")
        with pytest.raises(UnreadableImage, match="cannot be opened"):
            read_image(tmp_path / "loop")

    def test_a_file_that_may_not_be_read(
        self, valid_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = _put(tmp_path, valid_files["png"])

        def refuse(self: Path, *_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied", str(self))

        # The rights of a file do not stop root, as whom tests in a container often run.
        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(UnreadableImage, match="not permitted"):
            read_image(path)

    @pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
    def test_several_pictures(self, kind: str, encode: Encode, ramp: Ramp, tmp_path: Path) -> None:
        pages = [Image.fromarray(ramp), Image.fromarray(255 - ramp)]
        content = encode(pages[0], kind, save_all=True, append_images=pages[1:])
        with pytest.raises(UnreadableImage, match="several pictures"):
            read_image(_put(tmp_path, content))


def test_sniff_takes_any_prefix(valid_files: dict[str, bytes]) -> None:
    for name, content in valid_files.items():
        assert sniff(content[:132]) == KINDS[name]
        for length in range(12):
            assert sniff(content[:length]) in (None, KINDS[name])


def test_a_dicom_file_whose_preamble_is_a_tiff_header_is_dicom(
    valid_files: dict[str, bytes], ramp: Ramp, tmp_path: Path
) -> None:
    content = b"II*\0" + valid_files["dicom"][4:]
    image = read_image(_put(tmp_path, content))
    assert image.kind == "dicom"
    np.testing.assert_array_equal(image.pixels, ramp)


class TestFind:
    @pytest.fixture
    def png(self, valid_files: dict[str, bytes]) -> bytes:
        return valid_files["png"]

    def test_folders_are_searched_and_sorted_naturally(self, png: bytes, tmp_path: Path) -> None:
        (tmp_path / "slide 2").mkdir()
        for name in ("cell 10.png", "cell 2.png", "Cell 1.PNG", "slide 2/cell 3.png"):
            _put(tmp_path, png, name)
        found = [str(path.relative_to(tmp_path)) for path in find_images([tmp_path])]
        assert found == ["Cell 1.PNG", "cell 2.png", "cell 10.png", "slide 2/cell 3.png"]

    def test_only_images_hidden_ones_excepted(self, png: bytes, valid_files: dict[str, bytes], tmp_path: Path) -> None:
        (tmp_path / ".thumbnails").mkdir()
        for name in (".cell.png", ".thumbnails/a.png"):
            _put(tmp_path, png, name)
        _put(tmp_path, b"notes", "notes.txt")
        _put(tmp_path, valid_files["dicom"], "IM0001")
        _put(tmp_path, b"cut short", "damaged.tif")
        assert [path.name for path in find_images([tmp_path])] == ["damaged.tif", "IM0001"]

    def test_a_named_file_is_taken_whatever_it_is(self, tmp_path: Path) -> None:
        notes = _put(tmp_path, b"notes", ".notes.txt")
        assert find_images([notes]) == [notes]

    def test_each_file_once_in_the_order_of_the_inputs(self, png: bytes, tmp_path: Path) -> None:
        first, second = _put(tmp_path, png, "a.png"), _put(tmp_path, png, "b.png")
        assert find_images([second, tmp_path, first]) == [second, first]

    @pytest.mark.timeout(20)
    def test_a_circle_of_links_ends(self, png: bytes, tmp_path: Path) -> None:
        (tmp_path / "inner").mkdir()
        cell = _put(tmp_path, png, "inner/cell.png")
        # Three links: a search that followed the circle would branch until long after the time-out.
        for name in ("up", "again", "once more"):
            (tmp_path / "inner" / name).symlink_to(tmp_path)
        (tmp_path / "self").symlink_to("self")
        assert find_images([tmp_path]) == [cell]

    def test_a_linked_folder_is_followed(self, png: bytes, tmp_path: Path) -> None:
        for name in ("archive", "case"):
            (tmp_path / name).mkdir()
        _put(tmp_path, png, "archive/cell.png")
        (tmp_path / "case" / "scans").symlink_to(tmp_path / "archive")
        assert find_images([tmp_path / "case"]) == [tmp_path / "case" / "scans" / "cell.png"]

    def test_a_missing_input_is_an_error(self, png: bytes, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no such file or folder") as missing:
            find_images([_put(tmp_path, png, "a.png"), tmp_path / "gone"])
        assert missing.value.where == str(tmp_path / "gone")

    @pytest.mark.parametrize("nested", [False, True])
    def test_no_image_is_an_error(self, nested: bool, tmp_path: Path) -> None:
        if nested:
            (tmp_path / "empty").mkdir()
        with pytest.raises(NothingToDo) as nothing:
            find_images([tmp_path])
        assert str(tmp_path) in str(nothing.value)

    def test_natural_order_takes_any_digits(self, png: bytes, tmp_path: Path) -> None:
        # "²" is a digit to some string functions and no number to int().
        names = ["cell ².png", "cell ٣.png", "cell 1.png", "1.png", "a1b2.png"]
        for name in names:
            _put(tmp_path, png, name)
        assert len(find_images([tmp_path])) == len(names)
