from __future__ import annotations

import json
from pathlib import Path

import pytest

from consilium.errors import UnusableDataset
from consilium.specialist.case import Case
from consilium.specialist.dataset import read_dataset
from consilium.specialist.detection.labelled_boxes import read_case_boxes


def _voc(*boxes: tuple[str, int, int, int, int], size: tuple[int, int] = (50, 70)) -> str:
    things = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
        "</bndbox></object>"
        for label, x0, y0, x1, y1 in boxes
    )
    return f"<annotation><size><width>{size[1]}</width><height>{size[0]}</height></size>{things}</annotation>"


def _case(boxes: str, *, labels: tuple[str, ...] = ()) -> Case:
    return Case(file=Path("a.png"), labels=labels, group="a", boxes=boxes)


def _write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_a_folder_of_pictures_and_one_of_annotations(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _write(tmp_path / "images" / f"{name}.webp", "picture")
    _write(tmp_path / "annotations" / "a.xml", _voc(("wbc", 1, 1, 10, 10), ("rbc", 60, 40, 70, 50)))
    _write(tmp_path / "annotations" / "b.xml", _voc())
    dataset = read_dataset(tmp_path)
    assert (dataset.task, dataset.grouped) == ("detect", False)
    assert dataset.groups.tolist() == ["images/a.webp", "images/b.webp"]
    found = read_case_boxes(dataset.cases, [(50, 70)] * 2)
    assert found.labels == ("rbc", "wbc")
    assert found.boxes[0].corners.tolist() == [[0, 0, 10, 10], [59, 39, 70, 50]]
    assert found.boxes[0].classes.tolist() == [1, 0]
    assert len(found.boxes[1]) == 0


def test_a_picture_without_annotation_is_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _write(tmp_path / "images" / f"{name}.webp", "picture")
    _write(tmp_path / "annotations" / "a.xml", _voc())
    with pytest.raises(UnusableDataset, match=r"1 case.*b\.webp"):
        read_dataset(tmp_path, task="detect")


def test_one_coco_file_for_a_whole_folder(tmp_path: Path) -> None:
    _write(tmp_path / "images" / "a.png", "picture")
    document = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [5, 5, 10, 10]}],
    }
    _write(tmp_path / "annotations" / "all.json", json.dumps(document))
    dataset = read_dataset(tmp_path)
    assert read_case_boxes(dataset.cases, [(50, 70)]).boxes[0].corners.tolist() == [[5, 5, 15, 15]]
    _write(tmp_path / "images" / "z.png", "picture")
    with pytest.raises(UnusableDataset, match=r"z\.png is not in it"):
        read_case_boxes(read_dataset(tmp_path).cases, [(50, 70)] * 2)


def test_a_table_names_files_of_boxes_or_holds_them(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        _write(tmp_path / name, "picture")
    _write(tmp_path / "boxes" / "a.xml", _voc(("nodule", 1, 1, 10, 10)))
    _write(tmp_path / "t.csv", 'file,boxes,group\na.png,boxes/a.xml,p1\nb.png,"1,2,30,40; 5,5,9,9",p2\n')
    dataset = read_dataset(tmp_path / "t.csv")
    assert (dataset.task, dataset.groups.tolist()) == ("detect", ["p1", "p2"])
    found = read_case_boxes(dataset.cases, [(50, 70)] * 2)
    assert found.labels == ("nodule", "object")
    assert found.boxes[1].corners.tolist() == [[1, 2, 30, 40], [5, 5, 9, 9]]
    _write(tmp_path / "t.csv", "file,boxes\na.png,boxes/a.xml\nb.png,boxes/b.xml\n")
    with pytest.raises(UnusableDataset, match=r"b\.xml"):
        read_dataset(tmp_path / "t.csv")


def test_boxes_of_another_picture_are_refused(tmp_path: Path) -> None:
    larger = _write(tmp_path / "l.xml", _voc(("x", 1, 1, 9, 9), size=(100, 140)))
    with pytest.raises(UnusableDataset, match="140 by 100"):
        read_case_boxes([_case(larger)], [(50, 70)])
    for numbers in ("10,10,75,20", "10,10,20,69", "-9,0,5,5"):
        with pytest.raises(UnusableDataset, match="outside the picture") as caught:
            read_case_boxes([_case(numbers)], [(50, 70)])
        assert caught.value.where == "a.png" and caught.value.way_out
    with pytest.raises(UnusableDataset, match="no boxes"):
        read_case_boxes([_case("")], [(50, 70)])
    with pytest.raises(UnusableDataset, match="is no box"):
        read_case_boxes([_case("9,9,1,1")], [(50, 70)])
    with pytest.raises(UnusableDataset, match="no box in any"):
        read_case_boxes([_case(_write(tmp_path / "none.xml", _voc()))], [(50, 70)])


def test_a_pixel_over_the_border_is_cut_and_a_click_left_out() -> None:
    found = read_case_boxes([_case("-1,0,71,50; 5,5,5,5", labels=("lesion",))], [(50, 70)])
    assert found.labels == ("lesion",)
    assert found.boxes[0].corners.tolist() == [[0, 0, 70, 50]]
    assert "1 box(es) narrower" in found.notes[0]
