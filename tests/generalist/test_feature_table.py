from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from consilium.errors import InputError, MissingExtra, OutputError
from consilium.generalist import feature_table as module
from consilium.generalist.embedding import Embedded
from consilium.generalist.feature_table import FeatureTable, refuse_table, write_table
from consilium.generalist.inputs import Entry


@pytest.fixture
def table() -> FeatureTable:
    rng = np.random.default_rng(0)
    rows = [
        Embedded(
            entry=Entry(path=Path(f"{name}.png"), file=f"{name}.png", label=label, group="p1"),
            image=rng.random((count, 7)).astype(np.float32), cached=False,
        )
        for name, label, count in (("染色", "ill", 1), ("b", "well", 3))
    ]  # fmt: skip
    return FeatureTable(rows=rows, encoder="tiny 1.0.0", fingerprint="f" * 64, modality="us", side=64)


def test_several_pictures_of_a_file_are_their_mean(table: FeatureTable) -> None:
    assert table.features[1] == pytest.approx(table.rows[1].image.mean(0), abs=1e-6)
    assert table.columns["pictures"] == [1, 3]


def test_npz(table: FeatureTable, tmp_path: Path) -> None:
    write_table(table, tmp_path / "f.npz")
    with np.load(tmp_path / "f.npz", allow_pickle=False) as found:
        assert np.array_equal(found["features"], table.features)
        assert found["files"].tolist() == ["染色.png", "b.png"] and found["labels"].tolist() == ["ill", "well"]
        assert str(found["encoder"]) == "tiny 1.0.0" and str(found["side"]) == "64"


def test_csv(table: FeatureTable, tmp_path: Path) -> None:
    write_table(table, tmp_path / "f.csv")
    with (tmp_path / "f.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["file"] for row in rows] == ["染色.png", "b.png"]
    read = np.asarray([[float(row[f"f{number}"]) for number in range(7)] for row in rows])
    assert read == pytest.approx(table.features, rel=1e-6)


def test_parquet(table: FeatureTable, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet is written by pyarrow (extra specialist)")
    write_table(table, tmp_path / "f.parquet")
    found = parquet.read_table(tmp_path / "f.parquet")
    assert np.asarray(found["features"].to_pylist(), np.float32) == pytest.approx(table.features)
    assert found["group"].to_pylist() == ["p1", "p1"] and found.schema.metadata[b"modality"] == b"us"


def test_without_pyarrow_the_extra_is_named(
    table: FeatureTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"consilium\[specialist\].*\.npz"):
        write_table(table, tmp_path / "f.parquet")
    write_table(table, tmp_path / "f.npz")


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="says no format"):
        refuse_table(tmp_path / "features.xlsx")
    with pytest.raises(OutputError, match="nothing can be written"):
        refuse_table(tmp_path / "absent" / "f.npz")
    (tmp_path / "f.csv").mkdir()
    with pytest.raises(OutputError):
        refuse_table(tmp_path / "f.csv")


def test_a_write_that_fails_leaves_what_was_there(
    table: FeatureTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f.npz").write_bytes(b"before")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.np, "savez", full)
    with pytest.raises(OutputError, match="No space left"):
        write_table(table, tmp_path / "f.npz")
    assert (tmp_path / "f.npz").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["f.npz"]
