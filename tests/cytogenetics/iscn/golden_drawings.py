"""The ideogram karyograms that are kept: what they show and where they lie."""

from __future__ import annotations

from pathlib import Path

from consilium.cytogenetics.iscn.draw import karyogram
from consilium.cytogenetics.iscn.draw_wording import Language
from consilium.cytogenetics.iscn.parse import parse

FOLDER = Path(__file__).parent / "golden"

DRAWINGS: dict[str, tuple[str, Language]] = {
    "translocation": ("46,XX,t(4;12)(q21;p13)", "en"),
    "complex": (
        "46,XY,-5,der(7)t(7;9)(q22;q13),+8,der(14;21)(q10;q10),add(16)(q22),r(18)(p11.3q22),+mar,6~20dmin[12]", "zh",
    ),
}  # fmt: skip


def drawing(name: str) -> str:
    """Draw one of them."""
    text, lang = DRAWINGS[name]
    return karyogram(parse(text), lang=lang)
