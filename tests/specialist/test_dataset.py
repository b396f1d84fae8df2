from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.errors import ConsiliumError, UnusableDataset
from consilium.specialist.dataset import Dataset, read_dataset
from consilium.specialist.label_names import in_order


def _files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def _table(folder: Path, *rows: tuple[str, ...], name: str = "cases.csv", encoding: str = "utf-8") -> Path:
    """A table of rows, the first with names; every file it names is made."""
    place = rows[0].index("file") if "file" in rows[0] else None
    for row in rows[1:]:
        if place is not None and len(row) > place and row[place]:
            _files(folder, row[place])
    with (folder / name).open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return folder / name


def _refused(path: Path, match: str, **options: str) -> None:
    with pytest.raises(UnusableDataset, match=match) as caught:
        read_dataset(path, **options)  # type: ignore[arg-type]
    assert caught.value.where and caught.value.way_out


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    _files(tmp_path, "normal/a.png", "normal/b.png", "abnormal/c.png", "abnormal/d.png", "readme.txt", ".hidden/x.png")
    _files(tmp_path, "abnormal/notes.txt", "abnormal/.DS_Store")
    found = read_dataset(tmp_path)
    assert (found.task, found.labels, found.grouped) == ("binary", ("normal", "abnormal"), False)
    assert found.targets().tolist() == [1, 1, 0, 0]
    assert len(set(found.groups.tolist())) == 4


def test_folders_below_a_class_are_patients(tmp_path: Path) -> None:
    _files(tmp_path, "x/p1/1.png", "x/p1/2.png", "x/p2/1.png", "y/p1/1.png")
    found = read_dataset(tmp_path)
    assert found.grouped
    assert found.groups.tolist() == ["x/p1", "x/p1", "x/p2", "y/p1"]


def test_masks_beside_their_pictures_are_no_cases(tmp_path: Path) -> None:
    _files(tmp_path, "benign/benign (1).png", "benign/benign (1)_mask.png", "benign/benign (1)_mask_1.png")
    _files(tmp_path, "malignant/m.nii.gz", "malignant/m_seg.nii.gz", "malignant/lonely_mask.png")
    found = read_dataset(tmp_path)
    assert [case.file.name for case in found.cases] == ["benign (1).png", "lonely_mask.png", "m.nii.gz"]
    assert [len(case.masks) for case in found.cases] == [2, 0, 1]
    assert found.task == "binary"


def test_a_table_with_everything(tmp_path: Path) -> None:
    path = _table(
        tmp_path,
        ("File", "label", "patient", "split", "sex", "age"),
        ("a.png", "no", "p1", "train", "f", "40"),
        ("b.png", "yes", "p2", "", "", "50"),
        ("c.png", "yes", "p3", "that challenge/Testing", "m", "60"),
    )
    _files(tmp_path, "a.png", "b.png", "c.png")
    found = read_dataset(path, group="patient")
    assert found.described == {"sex": ("f", "", "m"), "age": ("40", "50", "60")}
    assert found.set_aside.tolist() == [False, False, True]
    assert found.groups.tolist() == ["p1", "p2", "p3"]
    assert found.grouped


def test_a_column_of_patients_that_nobody_filled_in_is_none(tmp_path: Path) -> None:
    found = read_dataset(_table(tmp_path, ("file", "label", "group"), ("a.png", "x", ""), ("b.png", "y", "")))
    assert not found.grouped
    assert found.groups.tolist() == ["a.png", "b.png"]
    assert found.described == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_tables_of_office_programmes(tmp_path: Path, encoding: str) -> None:
    path = _table(
        tmp_path, ("file", "label", "医院"), ("a.png", "恶性", "甲"), ("b.png", "良性", "乙"), encoding=encoding
    )
    found = read_dataset(path)
    assert found.labels == ("良性", "恶性")
    assert found.described == {"医院": ("甲", "乙")}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    _files(tmp_path, "a.png", "b.png")
    (tmp_path / "t.csv").write_text(f"file{delimiter}label\na.png{delimiter}x\nb.png{delimiter}y\n")
    assert read_dataset(tmp_path / "t.csv").labels == ("x", "y")


def test_what_is_to_be_learnt_is_read_off_the_labels(tmp_path: Path) -> None:
    def task(*labels: str, **more: str) -> str:
        rows = [(f"{number}.png", label, *more.values()) for number, label in enumerate(labels)]
        path = _table(tmp_path, ("file", "label", *more), *rows)
        _files(tmp_path, "m.png")
        return read_dataset(path).task

    assert task("a", "b") == "binary"
    assert task("a", "b", "c") == "multiclass"
    assert task("a;b", "b", "") == "multilabel"
    assert task(*(f"{number / 7:.2f}" for number in range(20))) == "regress"
    assert task("1", "2", "3", "1") == "multiclass"
    assert task("", "", mask="m.png") == "segment"
    assert task("lesion", "lesion", mask="m.png") == "segment"
    assert task("", "", boxes="1,2,3,4") == "detect"
    assert task("a", "b", mask="m.png") == "binary"


def test_targets_of_several_labels_and_of_quantities(tmp_path: Path) -> None:
    path = _table(tmp_path, ("file", "label"), ("0.png", "a;b"), ("1.png", "b"), ("2.png", ""))
    assert read_dataset(path).targets().tolist() == [[1, 1], [0, 1], [0, 0]]
    path = _table(tmp_path, ("file", "label"), ("0.png", "1.5"), ("1.png", "-2"))
    assert read_dataset(path, task="regress").targets().tolist() == [1.5, -2]
    path = _table(tmp_path, ("file", "mask"), ("0.png", "0.png"))
    with pytest.raises(UnusableDataset, match="masks or boxes"):
        read_dataset(path).targets()


def test_what_cannot_be_used_is_refused_with_a_way_out(tmp_path: Path) -> None:
    _refused(tmp_path / "none", "no such folder")
    (tmp_path / "empty").mkdir()
    _refused(tmp_path / "empty", "no case")
    _refused(_table(tmp_path, ("name", "label"), ("a", "b")), "no column 'file'")
    _refused(_table(tmp_path, ("file", "label")), "no case")
    _refused(_table(tmp_path, ("file", "label"), ("a.png", "x"), ("b.png", "x")), "only the label 'x'")
    _refused(_table(tmp_path, ("file", "label"), ("a.png", "x"), ("b.png", "y"), ("c.png", "")), "no label")
    _refused(_table(tmp_path, ("file", "label"), ("a.png", "x"), ("a.png", "y")), "more than once")
    _refused(_table(tmp_path, ("file", "label"), ("a.png", "x", "z")), "3 fields")
    _refused(_table(tmp_path, ("file", "file"), ("a.png", "x")), "used twice")
    _refused(_table(tmp_path, ("file", "label", "split"), ("a.png", "x", "dev")), "unknown split")
    _refused(_table(tmp_path, ("file", "label", "group"), ("a.png", "x", ""), ("b.png", "y", "p")), "'group' is empty")
    _refused(
        _table(tmp_path, ("file", "label"), ("a.png", "x"), ("b.png", "y")), "no column 'patient'", group="patient"
    )
    _refused(_table(tmp_path, ("file", "label"), ("a.png", "x"), ("b.png", "y")), "not a number", task="regress")
    _refused(_table(tmp_path, ("file", "label"), ("a.png", "x"), ("b.png", "y")), "no mask", task="segment")
    rows = ("file", "label", "group", "split"), ("a.png", "x", "p", "train"), ("b.png", "y", "p", "test")
    _refused(_table(tmp_path, *rows), "train and test")
    path = _table(tmp_path, ("file", "label"), ("a.png", "x"), ("gone.png", "y"))
    (tmp_path / "gone.png").unlink()
    _refused(path, "do not exist")
    with pytest.raises(UnusableDataset, match="no task"):
        read_dataset(path, task="guess")  # type: ignore[arg-type]


def test_labels_that_differ_in_spelling_only_are_refused_and_likely_slips_are_noted(tmp_path: Path) -> None:
    _refused(_table(tmp_path, ("file", "label"), ("a.png", "Benign"), ("b.png", "benign ")), "spelling only")
    _refused(_table(tmp_path, ("file", "label"), ("a.png", "非-典型"), ("b.png", "非典型")), "spelling only")
    rows = [(f"{number}.png", "malignant" if number % 2 else "benign") for number in range(60)] + [
        ("x.png", "malignent")
    ]
    assert "misspelling of 'malignant'" in read_dataset(_table(tmp_path, ("file", "label"), *rows)).notes[0]
    rows = [(f"{number}.png", "grade 1") for number in range(60)] + [("x.png", "grade 2")]
    assert read_dataset(_table(tmp_path, ("file", "label"), *rows)).notes == ()


def test_labels_stand_in_natural_order_with_the_healthy_first() -> None:
    assert in_order(["grade 10", "grade 2"]) == ("grade 2", "grade 10")
    assert in_order(["abnormal", "normal"]) == ("normal", "abnormal")
    assert in_order(["1", "0"]) == ("0", "1")
    assert in_order(["bleeding", "non_bleeding"]) == ("non_bleeding", "bleeding")
    assert in_order(["异常", "正常"]) == ("正常", "异常")


def _below_names(text: str) -> bytes:
    return ("file,label\n" + text).encode("utf-8", "replace")


ODD = ["a", "B", "b", "", "1", "nan", "inf", "a;b", ";", "é", "e\u0301"]


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=200).map(lambda text: ("file,label\n" + text).encode("utf-8", "replace")),
    )
)
def test_hostile_tables_give_an_error_of_ours_or_cases(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hostile.csv"
    path.write_bytes(content)
    try:
        found = read_dataset(path)
    except ConsiliumError as refused:
        assert str(refused)
    else:
        assert isinstance(found, Dataset) and found.cases


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=st.lists(st.sampled_from(ODD), min_size=1, max_size=6))
def test_odd_labels_give_an_error_of_ours_or_finite_targets(tmp_path: Path, labels: list[str]) -> None:
    rows = [(f"{number}.png", label) for number, label in enumerate(labels)]
    try:
        found = read_dataset(_table(tmp_path, ("file", "label"), *rows))
    except ConsiliumError as refused:
        assert str(refused)
    else:
        assert np.isfinite(found.targets()).all()
