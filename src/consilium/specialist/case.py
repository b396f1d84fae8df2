"""One labelled case, wherever it was told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Split = Literal["", "train", "test"]

JOINED = ";"
"""Between several labels, or masks, of one case."""

_BOX_FILES = (".xml", ".json", ".csv")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One labelled case.

    Attributes:
        file: the image, volume, or folder of a study.
        labels: one; several or none of a multilabel case; none where only masks or boxes are given.
        group: patient, or what else stays together; the file's own name where nothing is told.
        split: "test" where the table sets the case aside, "train" or "" otherwise.
        masks: files.
        boxes: a file, as a path that can be opened; or numbers, as written in the table.
        described: the further columns.
    """

    file: Path
    labels: tuple[str, ...]
    group: str
    split: Split = ""
    masks: tuple[Path, ...] = ()
    boxes: str = ""
    described: Mapping[str, str] = field(default_factory=dict)


def is_box_file(file: Path) -> bool:
    """Whether a file may hold boxes, by its name."""
    return file.suffix.lower() in _BOX_FILES
