from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.errors import ConsiliumError, UnusableDataset
from consilium.specialist.detection.box_file import NamedBox, read_box_file

VOC = """<annotation><filename>a.jpg</filename><size><width>640</width><height>480</height><depth>3</depth></size>
<object><name>cell</name><bndbox><xmin>1</xmin><ymin>11</ymin><xmax>20</xmax><ymax>30.5</ymax></bndbox></object>
<object><name>platelet</name><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>7</xmax><ymax>8</ymax></bndbox></object>
</annotation>"""
COCO = {
    "images": [{"id": 7, "file_name": "x/a.png", "width": 64, "height": 48}, {"id": "8", "file_name": "b.png"}],
    "categories": [{"id": 1, "name": "cell"}],
    "annotations": [{"image_id": 7, "category_id": 1, "bbox": [1, 2, 30, 40]}],
}


def _file(folder: Path, name: str, content: str | bytes) -> Path:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def _refused(path: Path, match: str) -> None:
    with pytest.raises(UnusableDataset, match=match) as caught:
        read_box_file(path)
    assert caught.value.where == str(path) and caught.value.way_out


def test_pascal_voc_counts_from_one_and_includes_the_last_pixel(tmp_path: Path) -> None:
    found = read_box_file(_file(tmp_path, "a.xml", VOC)).of(Path("whatever.webp"))
    assert found == (
        NamedBox(label="cell", corners=(0, 10, 20, 30.5), size=(480, 640)),
        NamedBox(label="platelet", corners=(4, 5, 7, 8), size=(480, 640)),
    )


def test_coco_knows_its_pictures_by_name(tmp_path: Path) -> None:
    found = read_box_file(_file(tmp_path, "all.json", json.dumps(COCO)))
    assert found.of(Path("pictures/a.png")) == (NamedBox(label="cell", corners=(1, 2, 31, 42), size=(48, 64)),)
    assert found.of(Path("b.webp")) == ()
    assert found.of(Path("c.png")) is None


def test_what_predict_writes_is_read_again(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.json", json.dumps({"boxes": [{"label": "细胞", "box": [0, 1.5, 2, 3], "score": 0.5}]}))
    assert read_box_file(path).of(Path("a.png")) == (NamedBox(label="细胞", corners=(0, 1.5, 2, 3)),)


def test_a_table_of_one_picture_or_of_many(tmp_path: Path) -> None:
    one = _file(tmp_path, "one.csv", "label,xmin,ymin,xmax,ymax\ncell,0,1,2,3\n")
    assert read_box_file(one).of(Path("any.png")) == (NamedBox(label="cell", corners=(0, 1, 2, 3)),)
    many = _file(tmp_path, "many.csv", "file,label,xmin,ymin,xmax,ymax\nx/a.png,cell,0,1,2,3\nb.png,,,,,\n")
    found = read_box_file(many)
    assert found.of(Path("a.png")) == (NamedBox(label="cell", corners=(0, 1, 2, 3)),)
    assert found.of(Path("b.png")) == ()


BOMB = '<?xml version="1.0"?><!DOCTYPE annotation [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.xml", BOMB + "<annotation><object><name>&b;</name></object></annotation>", "DOCTYPE"),
        ("a.xml", (BOMB + "<annotation/>").encode("utf-16"), "DOCTYPE|proper XML"),
        ("a.xml", '<!DOCTYPE annotation SYSTEM "file:///etc/passwd"><annotation/>', "DOCTYPE"),
        ("a.xml", "<annotation>" + "<a>" * 100_000, "deep"),
        ("a.xml", VOC[:200], "proper XML"),
        ("a.xml", VOC.replace(">20<", ">nan<"), "'nan'"),
        ("a.xml", VOC.replace(">20<", ">1e999<"), "'1e999'"),
        ("a.xml", VOC.replace(">20<", ">2_0<"), "'2_0'"),
        ("a.xml", VOC.replace("<xmax>20</xmax>", ""), "xmax is 'None'"),
        ("a.xml", VOC.replace(">20<", ">0<"), "ends before it begins"),
        ("a.xml", VOC.replace("<name>cell</name>", "<name> </name>"), "label"),
        ("a.xml", "<html/>", "<html>"),
        ("a.xml", "<?xml version='1.0' encoding='klingon'?><annotation/>", "proper XML"),
        ("a.json", "[" * 200_000, "proper JSON"),
        ("a.json", "[1, 2]", "neither COCO"),
        ("a.json", '{"boxes": [{"label": "x", "box": [0, 0, 1, true]}]}', "no number"),
        ("a.json", '{"boxes": [{"label": "x", "box": [0, 0, 1]}]}', "boxes"),
        ("a.json", json.dumps({**COCO, "images": []}), "not listed"),
        ("a.json", json.dumps({**COCO, "categories": [{"id": [1], "name": "cell"}]}), '"id"'),
        ("a.json", json.dumps({**COCO, "annotations": {"a": 1}}), "list of objects"),
        ("a.json", json.dumps({**COCO, "images": [{"id": 1, "file_name": ""}]}), "file_name"),
        ("a.csv", "label,xmin,ymin,xmax\ncell,0,1,2\n", "no column 'ymax'"),
        ("a.csv", "label,xmin,ymin,xmax,ymax\ncell,0,1,2\n", "number of fields"),
        ("a.csv", b"\xff\xfe\x00", "CSV"),
        ("a.csv", "", "no column"),
        ("a.txt", "0 0.5 0.5 1 1", "do not come as .txt"),
        ("missing.xml/a.xml", None, "cannot be read"),
    ],
)
def test_what_is_no_box_or_hostile_is_refused(
    tmp_path: Path, name: str, content: str | bytes | None, match: str
) -> None:
    _refused(tmp_path / name if content is None else _file(tmp_path, name, content), match)


SEEDS = [
    ("a.xml", VOC.encode()),
    ("a.json", json.dumps(COCO).encode()),
    ("a.csv", b"file,label,xmin,ymin,xmax,ymax\na.png,cell,0,1,2,3\n"),
]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.integers(0, 2),
    cut=st.floats(0, 1),
    place=st.floats(0, 1),
    inserted=st.one_of(st.binary(max_size=12), st.sampled_from([b"<a>", b"]", b"{", b'"', b"-1e400", b"&a;", b"\0"])),
)
def test_damaged_files_give_boxes_or_an_error(
    tmp_path: Path, which: int, cut: float, place: float, inserted: bytes
) -> None:
    name, seed = SEEDS[which]
    at = int(place * len(seed))
    damaged = (seed[:at] + inserted + seed[at:])[: max(int(cut * 2 * len(seed)), 1)]
    try:
        found = read_box_file(_file(tmp_path, name, damaged))
    except ConsiliumError as error:
        assert str(error)
    else:
        for boxes in found.pictures.values():
            for box in boxes:
                assert box.label and box.corners[0] <= box.corners[2] and abs(box.corners[3]) < 2e7
