"""Features as a file for others: Parquet (extra `specialist`), NumPy's npz or CSV."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError, MissingExtra, OutputError
from consilium.generalist.embedding import Embedded

SUFFIXES = (".parquet", ".npz", ".csv")


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureTable:
    """Features and what they are features of.

    Attributes:
        rows: one a file.
        encoder, fingerprint: what made them.
        modality: what the encoder was told where a manifest said nothing; empty for nothing.
        side: pixels of a side at which it saw the pictures.
    """

    rows: Sequence[Embedded]
    encoder: str
    fingerprint: str
    modality: str
    side: int

    @property
    def features(self) -> NDArray[np.float32]:
        """(N, D) float32."""
        return np.stack([row.vector for row in self.rows])

    @property
    def columns(self) -> dict[str, list[str] | list[int]]:
        """What is known of each file, by column."""
        return {
            "file": [row.entry.file for row in self.rows],
            "label": [row.entry.label for row in self.rows],
            "group": [row.entry.group for row in self.rows],
            "pictures": [len(row.image) for row in self.rows],
        }

    @property
    def provenance(self) -> dict[str, str]:
        """What made them, for the file's own metadata."""
        return {
            "encoder": self.encoder, "fingerprint": self.fingerprint, "modality": self.modality, "side": str(self.side),
        }  # fmt: skip


def refuse_table(path: Path) -> None:
    """Says before the work starts what would keep a table from being written after it.

    Raises:
        InputError: the name ends in nothing that is written.
        MissingExtra: Parquet is wanted and pyarrow is not installed.
        OutputError: the folder does not exist or cannot be written to.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError("the name says no format", where=str(path), way_out=f"End it in {', '.join(SUFFIXES)}.")
    if path.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise MissingExtra(
            "pyarrow is needed to write Parquet",
            where=str(path),
            way_out="Install it (pip install 'consilium[specialist]'), or end the name in .npz or .csv.",
        )
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        raise OutputError("nothing can be written there", where=str(path), way_out="Name a file in a folder of yours.")


def write_table(table: FeatureTable, path: Path) -> None:
    """Write features; a file of that name is replaced, and only once the new one is whole.

    Raises:
        InputError, MissingExtra, OutputError: see `refuse_table`; the last one also when the disk is full.
    """
    refuse_table(path)
    writers: dict[str, Callable[[FeatureTable, Path], None]] = {
        ".parquet": _write_parquet, ".npz": _write_npz, ".csv": _write_csv,
    }  # fmt: skip
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        writers[path.suffix.lower()](table, partial)
        partial.replace(path)
    except OSError as problem:
        raise OutputError(
            f"the features cannot be written ({problem.strerror or problem})",
            where=str(path),
            way_out="Free some space.",
        ) from problem
    finally:
        partial.unlink(missing_ok=True)


def _write_parquet(table: FeatureTable, path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    features = table.features
    columns: dict[str, object] = dict(table.columns)
    columns["features"] = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(features.ravel()), features.shape[1])
    parquet.write_table(pyarrow.table(columns, metadata=table.provenance), str(path))


def _write_npz(table: FeatureTable, path: Path) -> None:
    # NumPy keeps the name "file" for itself.
    names = {"file": "files", "label": "labels", "group": "groups"}
    arrays: dict[str, Any] = {names.get(name, name): np.asarray(values) for name, values in table.columns.items()}
    arrays |= {name: np.asarray(value) for name, value in table.provenance.items()}
    with path.open("wb") as stream:
        np.savez(stream, **arrays, features=table.features)


def _write_csv(table: FeatureTable, path: Path) -> None:
    features = table.features
    columns = table.columns
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*columns, *(f"f{number}" for number in range(features.shape[1]))])
        for known, vector in zip(zip(*columns.values(), strict=True), features, strict=True):
            writer.writerow([*known, *(f"{value:.8g}" for value in vector.tolist())])
