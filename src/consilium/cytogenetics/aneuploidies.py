"""Named constitutional aneuploidies and polyploidies, by how many copies of each chromosome there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consilium.cytogenetics.bands import AUTOSOMES
from consilium.cytogenetics.disorder_table import references, sources, table
from consilium.cytogenetics.dosage_evidence import Change
from consilium.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Aneuploidy:
    """A constitutional aneuploidy or polyploidy with a name.

    Attributes:
        karyotype: what of it is unusual, e.g. "+21", or all of it, e.g. "47,XXY".
        name, name_zh: in English and Chinese.
        source, licence: where it is from.
        references: Disease Ontology terms, what they refer to, and the chapter of ICD-10.
    """

    karyotype: str
    name: str
    name_zh: str
    source: str
    licence: str
    references: tuple[str, ...]


def aneuploidy(copies: Mapping[str, int]) -> tuple[Aneuploidy, ...]:
    """Which named constitutional aneuploidies a chromosome count is.

    Args:
        copies: number of copies by chromosome. An autosome that is left out counts as two; X and Y are given both or
            not at all, and without them nothing is said about sex chromosomes or ploidy.

    Returns:
        Those that fit, autosomes first; 48,XXY,+21 is both Down and Klinefelter syndrome. Empty where the count is
        usual, or is none of those in the table.

    Raises:
        InputError: for an unknown chromosome, a negative number, or only one of X and Y.
    """
    for chromosome, number in copies.items():
        if chromosome not in (*AUTOSOMES, "X", "Y") or number < 0:
            raise InputError(
                f"{number} copies of chromosome {chromosome!r} cannot be",
                way_out="Chromosomes are 1 to 22, X and Y; copies are counted from 0.",
            )
    if ("X" in copies) != ("Y" in copies):
        raise InputError("only one of X and Y was counted", way_out="Give both, or neither.")
    autosomes = {copies.get(name, 2) for name in AUTOSOMES}
    ploidy = autosomes.pop() if len(autosomes) == 1 else None
    sex = (copies["X"], copies["Y"]) if "X" in copies else None
    found = []
    for row in table()["aneuploidies"]:
        its = row["copies"]
        if "autosomes" in its:
            fits = ploidy == its["autosomes"] and sex is not None and sum(sex) == its["X+Y"]
        elif "X" in its:
            fits = ploidy in (2, None) and sex == (its["X"], its["Y"])
        else:
            fits = ploidy is None and all(copies.get(name, 2) == number for name, number in its.items())
        if fits:
            found.append(
                Aneuploidy(
                    karyotype=row["karyotype"],
                    name=row["en"],
                    name_zh=row["zh"],
                    **sources_of(row),
                    references=references_of(row),
                )
            )
    return tuple(found)


def one_more_or_less(copies: Mapping[str, int], chromosome: str) -> Change | None:
    """Whether an aneuploidy is one copy of this chromosome more or less than usual."""
    if chromosome in AUTOSOMES:
        return "gain" if copies == {chromosome: 3} else None
    # What one more, or one fewer, X or Y makes of 46,XX or 46,XY.
    made: dict[tuple[int, int], dict[str, Change]] = {
        (1, 0): {"X": "loss"},
        (3, 0): {"X": "gain"},
        (2, 1): {"X": "gain"},
        (1, 2): {"Y": "gain"},
    }
    return made.get((copies.get("X", -1), copies.get("Y", -1)), {}).get(chromosome)


def sources_of(row: dict[str, Any]) -> dict[str, str]:
    """The fields `source` and `licence` of a row: the ontology where it has the term."""
    return sources(*(("ontology", "consilium") if row["terms"] else ("consilium",)))


def references_of(row: dict[str, Any]) -> tuple[str, ...]:
    """Its terms, what they refer to, and the category of ICD-10."""
    return (*references(row["terms"]), f"ICD10:{row['icd10']}")
