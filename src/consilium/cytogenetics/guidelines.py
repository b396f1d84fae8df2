"""How many cells a chromosome study asks for, and whether a case has them.

`guidelines.json` beside this module gives the figures by specimen, each with its source; where no source at hand gives
one it is null and is not checked. A laboratory may load a file of its own.

Counted, analysed and karyotyped are three different acts (ACMG 2006, E3.1.1): the chromosomes of a cell are counted;
all of its bands are compared; its chromosomes are cut out and paired.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from consilium.cytogenetics.guidelines_file import FIGURES, Figure, Guidelines, Note, Requirement, Source, load
from consilium.errors import InputError

__all__ = [
    "FIGURES",
    "Figure",
    "Guidelines",
    "Note",
    "Requirement",
    "Shortfall",
    "Source",
    "cells_needed",
    "check",
    "load",
    "mosaicism_excluded",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortfall:
    """One figure that a case misses.

    Attributes:
        what: which of `FIGURES`.
        asked, found: the figure asked for and the one found.
        source: who asks.
        message, message_zh: a sentence for the report's editor.
    """

    what: str
    asked: int
    found: int
    source: Source
    message: str
    message_zh: str


def mosaicism_excluded(cells: int, confidence: float = 0.95) -> float:
    """The smallest part of abnormal cells that this many cells, all alike, exclude.

    1 - (1 - c)^(1/n), where the chance of no abnormal cell among n is (1 - p)^n: E. B. Hook, Exclusion of chromosomal
    mosaicism, Am J Hum Genet 1977;29:94-97. It takes cells as drawn at random; those of one colony are not.

    Args:
        cells: cells looked at, at least 1.
        confidence: between 0 and 1, both excluded.

    Returns:
        A proportion: 0.139 for 20 cells at 95 %.

    Raises:
        InputError: for no cells, or a confidence that is none.
    """
    if isinstance(cells, bool) or cells < 1:
        raise InputError(f"{cells} cells exclude nothing", way_out="Give at least one cell.")
    _check_proportion(confidence, "a confidence", whole=False)
    return float(-math.expm1(math.log1p(-confidence) / cells))


def cells_needed(proportion: float, confidence: float = 0.95) -> int:
    """How many cells, all alike, exclude a mosaicism of this proportion or more.

    Args:
        proportion: of abnormal cells, above 0; 1 at most.
        confidence: between 0 and 1, both excluded.

    Returns:
        The smallest number for which `mosaicism_excluded` is not above `proportion`: 29 for 10 % at 95 %.

    Raises:
        InputError: for what is no proportion or no confidence.
    """
    _check_proportion(confidence, "a confidence", whole=False)
    _check_proportion(proportion, "a proportion of cells", whole=True)
    if proportion == 1.0:
        return 1
    cells = max(1, math.ceil(math.log1p(-confidence) / math.log1p(-proportion)))
    # The quotient may fall on the wrong side of a whole number by its last digit.
    while cells > 1 and mosaicism_excluded(cells - 1, confidence) <= proportion:
        cells -= 1
    while mosaicism_excluded(cells, confidence) > proportion:
        cells += 1
    return cells


def _check_proportion(number: float, what: str, *, whole: bool) -> None:
    if not (0.0 < number < 1.0 or (whole and number == 1.0)):
        raise InputError(f"{number} is not {what}", way_out="Give a number between 0 and 1, such as 0.95.")


_AT_LEAST = {
    "counted": ("cells counted", "计数细胞数"),
    "mosaic_count": ("cells counted, with mosaicism suspected", "疑似嵌合时计数细胞数"),
    "analysed": ("cells analysed", "分析细胞数"),
    "karyotyped": ("cells karyotyped", "核型排列细胞数"),
    "band_level": ("bands per haploid set", "单倍体条带数"),
    "cultures": ("independent cultures", "独立培养数"),
    "colonies": ("colonies", "克隆数"),
}


def check(
    specimen: str,
    *,
    counted: int | None = None,
    analysed: int | None = None,
    karyotyped: int | None = None,
    band_level: int | None = None,
    cells_per_colony: Sequence[int] | None = None,
    cultures: int | None = None,
    mosaicism_suspected: bool = False,
    guidelines: Guidelines | None = None,
) -> tuple[Shortfall, ...]:
    """What a case still lacks.

    Args:
        specimen: a key of `Guidelines.specimens`, e.g. "constitutional_blood".
        counted: cells counted; what is left out is not checked, here and below.
        analysed: cells analysed.
        karyotyped: cells karyotyped.
        band_level: bands per haploid set that were reached.
        cells_per_colony: for each colony how many of its cells were counted.
        cultures: independent cultures that the cells are from.
        mosaicism_suspected: whether the count has to be extended.
        guidelines: whose figures; those of the package when left out.

    Returns:
        Shortfalls in the order of the arguments; empty where all that was given is enough. A figure that the guidelines
        leave open gives none: an empty answer does not say that everything was asked.

    Raises:
        InputError: for an unknown specimen or a number below 0.
    """
    known = (guidelines or load()).specimens
    if specimen not in known:
        raise InputError(f"{specimen!r} is no specimen of these guidelines", way_out=f"Known are {', '.join(known)}.")
    asked = known[specimen]
    colonies = None if cells_per_colony is None else sum(cells > 0 for cells in cells_per_colony)
    given = {
        "counted": counted,
        "analysed": analysed,
        "karyotyped": karyotyped,
        "band_level": band_level,
        "colonies": colonies,
        "cultures": cultures,
    }
    for what, number in (*given.items(), *(("cells_per_colony", cells) for cells in cells_per_colony or ())):
        if number is not None and number < 0:
            raise InputError(f"{what} cannot be {number}", way_out="Numbers are counted from 0.")
    found = []
    for what, number in given.items():
        extended = what == "counted" and mosaicism_suspected and asked.mosaic_count is not None
        key = "mosaic_count" if extended else what
        figure: Figure | None = getattr(asked, key)
        if figure is not None and number is not None and number < figure.figure:
            found.append(_too_few(key, figure, number, asked))
        if what == "colonies" and cells_per_colony and asked.cells_per_colony_at_most is not None:
            most = max(cells_per_colony)
            if most > asked.cells_per_colony_at_most.figure:
                found.append(_crowded_colony(asked.cells_per_colony_at_most, most, asked))
    return tuple(found)


def _too_few(what: str, figure: Figure, found: int, asked: Requirement) -> Shortfall:
    words, words_zh = _AT_LEAST[what]
    at_most = asked.mosaic_count_at_most if what == "mosaic_count" else None
    beyond = f", up to {at_most.figure}" if at_most else ""
    beyond_zh = f"，至多{at_most.figure}" if at_most else ""
    return Shortfall(
        what=what,
        asked=figure.figure,
        found=found,
        source=figure.source,
        message=f"{asked.name}: {words}: {found}, asked for are {figure.figure}{beyond} ({figure.source.title}).",
        message_zh=f"{asked.name_zh}：{words_zh}为{found}，要求{figure.figure}{beyond_zh}（{figure.source.title}）。",
    )


def _crowded_colony(figure: Figure, found: int, asked: Requirement) -> Shortfall:
    return Shortfall(
        what="cells_per_colony_at_most",
        asked=figure.figure,
        found=found,
        source=figure.source,
        message=f"{asked.name}: {found} cells are from one colony, {figure.figure} at most ({figure.source.title}).",
        message_zh=f"{asked.name_zh}：同一克隆计数{found}个细胞，至多{figure.figure}个（{figure.source.title}）。",
    )
