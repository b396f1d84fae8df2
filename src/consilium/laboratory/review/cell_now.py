"""A cell as a report needs it: what people made of it by now, and which acts hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from consilium.karyotype.metaphase import Metaphase


@dataclass(frozen=True, kw_only=True)
class CellNow:
    """A cell of a case.

    Attributes:
        id: of its record.
        name: by which the report calls it; no other cell of the case has it.
        version: number of commands that were stored for it.
        metaphase: as it is now, named `name`; its flags are those that nobody looked at.
        acts: those that hold: "counted", "analysed", "karyotyped".
        doubtful: ids of its flagged chromosomes that nobody looked at.
        labels: class of each object, by id.
        interactions: acts of a person that it took.
    """

    id: int
    name: str
    version: int
    metaphase: Metaphase
    acts: frozenset[str]
    doubtful: tuple[str, ...]
    labels: Mapping[str, str]
    interactions: int
