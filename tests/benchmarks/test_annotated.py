"""The readers, on a made-up copy of the published layout."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.annotated import _with_masks, decode, gband612, tseng2023
from training.cells import Cell


def case_in(part: str, one_in: int) -> str:
    """The first number whose hash puts it into that part of the train split."""
    return next(
        str(n) for n in range(1000, 2000) if (zlib.crc32(str(n).encode()) % one_in == 0) == (part == "validation")
    )


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "chromosome" / "tseng2023"
    folder.mkdir(parents=True)
    held, trained = case_in("validation", 20), case_in("train", 20)
    rows = [
        f"{held}2,train,{held},normal,46,,0,60,50",
        f"{held}1,train,{held},numerical,47,21,1,60,50",
        f"{trained}1,train,{trained},normal,46,,0,60,50",
        "91,test,9,structural,46,9,0,60,50",
    ]
    header = "image,split,case,status,chromosome_count,abnormality,difficult,width,height"
    with gzip.open(folder / "images.csv.gz", "wt") as file:
        file.write("\n".join([header, *rows]))
    names = [row.split(",")[0] for row in rows]
    with gzip.open(folder / "boxes.csv.gz", "wt") as file:
        lines = [f"{name},{label},{x},5,{x + 8},30" for name in names for label, x in (("1", 4), ("X", 20))]
        file.write("\n".join(["image,chromosome,xmin,ymin,xmax,ymax", *lines]))
    for archive, own in (("train_1", names[:1]), ("train_2", names[1:3]), ("test", names[3:])):
        with zipfile.ZipFile(folder / f"{archive}.zip", "w") as file:
            for name in own:
                page = np.full((50, 60), int(name) % 200, np.uint8)
                file.writestr(f"{name}.webp", cv2.imencode(".webp", page, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes())
    monkeypatch.setenv("CONSILIUM_DATA", str(tmp_path))
    return tmp_path


def test_development_sees_the_validation_cases_of_the_train_split_only(data: Path) -> None:
    (data / "chromosome" / "tseng2023" / "test.zip").unlink()
    cells = tseng2023("validation")
    held = case_in("validation", 20)
    assert [cell.name for cell in cells] == [f"{held}1", f"{held}2"]
    assert {cell.case for cell in cells} == {held}


def test_the_test_part_is_the_test_split(data: Path) -> None:
    (cell,) = tseng2023("test")
    assert (cell.name, cell.case, cell.status, cell.abnormality, cell.difficult) == (
        "91",
        "9",
        "structural",
        "9",
        False,
    )
    assert decode(cell.image).shape == (50, 60)
    assert decode(cell.image)[0, 0] == 91
    assert cell.labels.tolist() == [0, 22]
    assert cell.boxes.tolist() == [[4, 5, 12, 30], [20, 5, 28, 30]]


def test_status_and_difficulty_are_read_for_each_image(data: Path) -> None:
    first, second = tseng2023("validation")
    assert (first.status, first.abnormality, first.difficult) == ("numerical", "21", True)
    assert (second.status, second.abnormality, second.difficult) == ("normal", "", False)


def test_crops_become_one_canvas_a_cell(data: Path) -> None:
    folder = data / "chromosome" / "gband612"
    folder.mkdir()
    page = np.full((40, 16), 255, np.uint8)
    page[3:37, 4:12] = 80
    content = cv2.imencode(".png", page)[1].tobytes()
    held, other = case_in("validation", 5), case_in("train", 5)
    with zipfile.ZipFile(folder / "crops.zip", "w") as file:
        for cell in (f"{held}.1", f"{other}.1", f"{other}.2"):
            for label in ("1", "X", "mar"):
                file.writestr(f"{cell}/{label}/crop_{label}.png", content)
    assert [cell.name for cell in gband612("validation")] == [f"{held}.1"]
    cells = gband612("test")
    assert len(cells) == 3
    assert {cell.case for cell in cells} == {held, other}
    assert cells[0].labels.tolist() == [0, 22, -1]


def test_a_held_out_image_without_truth_is_an_error() -> None:
    empty = np.zeros((0, 4), np.float32)
    truth = Cell(
        name="a",
        source="s",
        case="a",
        part="validation",
        width=10.0,
        darkness=np.zeros((4, 4), np.uint8),
        boxes=empty,
        labels=np.zeros(0, np.int16),
        masks=(),
    )
    assert [cell.name for cell in _with_masks({"a": truth}, {"a": b""}, ".png")] == ["a"]
    with pytest.raises(ValueError, match=r"differ: \['b'\]"):
        _with_masks({"a": truth}, {"a": b"", "b": b""}, ".png")
