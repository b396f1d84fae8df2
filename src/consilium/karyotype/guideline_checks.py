"""What guidelines ask of an automatic draft, beside what it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from consilium.cytogenetics.guidelines import Figure, Guidelines, load

Asked = Literal["counted", "mosaic_count", "analysed", "karyotyped", "band_level", "cultures"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidelineCheck:
    """One figure that is asked for.

    Attributes:
        what: which one; "mosaic_count" is the count where mosaicism is suspected.
        asked: at least so many.
        found: so many; None where nobody told.
        source: who asks.
    """

    what: Asked
    asked: int
    found: int | None
    source: str

    @property
    def met(self) -> bool | None:
        """Whether it is enough; None where nobody told."""
        return None if self.found is None else self.found >= self.asked


def guideline_checks(
    specimen: str,
    *,
    counted: int,
    band_level: int | None,
    mosaic: bool,
    analysed: int = 0,
    karyotyped: int = 0,
    cultures: int | None = None,
    guidelines: Guidelines | None = None,
) -> tuple[GuidelineCheck, ...]:
    """Hold a draft against what is asked for its specimen.

    Analysing and karyotyping are acts of a person (ACMG 2006, E3.1.1), so an automatic draft has none of them and
    passes none.

    Args:
        specimen: its key; empty gives no checks.
        counted: cells that the reader counted.
        band_level: bands per haploid set, as told or estimated.
        mosaic: whether mosaicism is suspected, which asks for more cells.
        analysed: cells that a person analysed.
        karyotyped: cells that a person karyotyped.
        cultures: independent cultures; None where nobody told.
        guidelines: whose figures; those of the package when left out.
    """
    if not specimen:
        return ()
    asked = (guidelines or load()).specimens[specimen]
    extended = mosaic and asked.mosaic_count is not None
    figures: tuple[tuple[Asked, Figure | None, int | None], ...] = (
        ("mosaic_count", asked.mosaic_count, counted) if extended else ("counted", asked.counted, counted),
        ("analysed", asked.analysed, analysed),
        ("karyotyped", asked.karyotyped, karyotyped),
        ("band_level", asked.band_level, band_level),
        ("cultures", asked.cultures, cultures),
    )
    return tuple(
        GuidelineCheck(what=what, asked=figure.figure, found=found, source=figure.source.title)
        for what, figure, found in figures
        if figure is not None
    )
