"""The benchmark of examples draws whole groups, and tells the figure that a report leads with."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest

from benchmarks.specialists import EXAMPLES, drawn, leading
from consilium.imaging.modalities import modalities


def packed(path: Path, rows: list[dict[str, str]] | None, names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name)
        if rows is not None:
            lines = [
                "file,label,group,split,mask",
                *(f"{r['file']},{r['label']},{r['group']},,{r['mask']}" for r in rows),
            ]
            archive.writestr("manifest.csv", "\n".join(lines))
    return path


def listed(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_whole_groups_are_drawn_the_same_ones_each_time(tmp_path: Path) -> None:
    rows = [
        {"file": f"images/{k}.webp", "label": "a", "group": f"g{k // 3}", "mask": f"masks/{k}.png"} for k in range(30)
    ]
    names = [row[one] for row in rows for one in ("file", "mask")]
    archive = packed(tmp_path / "set.zip", rows, names)
    for outlines in (False, True):
        first = listed(drawn(archive, tmp_path / f"first{outlines}", 10, outlines=outlines))
        assert first == listed(drawn(archive, tmp_path / f"second{outlines}", 10, outlines=outlines))
        groups = [row["group"] for row in first]
        assert len(first) == 12 and all(groups.count(one) == 3 for one in groups)
        assert all((tmp_path / f"first{outlines}" / row["file"]).is_file() for row in first)
        assert (tmp_path / f"first{outlines}" / "masks").exists() is outlines


def test_volumes_without_a_list_are_paired_by_name(tmp_path: Path) -> None:
    names = ["images/a.nii.gz", "labels/a.nii.gz", "images/b.nii.gz", "images/c.nii.gz", "labels/c.nii.gz"]
    rows = listed(drawn(packed(tmp_path / "set.zip", None, names), tmp_path / "out", 9, outlines=True))
    assert sorted((row["file"], row["mask"]) for row in rows) == [
        ("images/a.nii.gz", "labels/a.nii.gz"), ("images/c.nii.gz", "labels/c.nii.gz"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("validation", "told"),
    [
        ({"task": "segment", "dice": {"value": 0.5}}, ("Dice", {"value": 0.5})),
        ({"task": "segment", "dice": None}, ("Dice", {})),
        ({"task": "multiclass", "macro_auc": {"value": 0.8}, "figures": []}, ("mean AUC", {"value": 0.8})),
        ({"task": "binary", "macro_auc": None, "figures": [{"auc": {"value": 0.7}}]}, ("AUC", {"value": 0.7})),
        ({"task": "binary", "macro_auc": None, "figures": []}, ("AUC", {})),
    ],
)
def test_the_leading_figure(validation: dict[str, object], told: tuple[str, dict[str, float]]) -> None:
    assert leading(validation) == told


def test_every_modality_with_data_has_an_example() -> None:
    known = {one.id for one in modalities()}
    there = {one.modality for one in EXAMPLES}
    assert there <= known
    assert known - there == {"nm", "karyo"}  # no set at hand; a page of its own
