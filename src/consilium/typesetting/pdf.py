"""PDF files by Typst: a template, a folder of what it reads, the fonts it may use.

Values go into a template as data, a JSON file beside it, and are never pasted into its text: a name with `#` or `]` in
it comes out as it is. Files are PDF/A-2u, for archives; that standard also refuses a letter that no font has, which
else would be an empty box in a name.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.errors import MissingExtra, MissingFont, OutputError
from consilium.settings import font_folders as named_font_folders
from consilium.typesetting.fonts import FONT_WAY_OUT, RARE_LETTER_WAY_OUT

if TYPE_CHECKING:
    from types import ModuleType

LATIN = "Libertinus Serif"
"""Comes with Typst, so that an English report looks the same on every machine."""

_STANDARD = "a-2u"


def typst_module() -> ModuleType:
    """Typst itself.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import typst
    except ImportError as missing:
        raise MissingExtra(
            "Typst, which makes the PDF, is not installed", way_out="Install it: pip install 'consilium[pdf]'."
        ) from missing
    return typst


def fonts_beside(folder: Path, chinese: Path | None) -> list[Path]:
    """Folders with the fonts of a report: the Chinese one with its bold, and what somebody named, nothing else."""
    fonts = folder / "fonts"
    fonts.mkdir()
    if chinese is not None:
        family = chinese.stem.split("-")[0].lower()
        for file in sorted(chinese.parent.iterdir()):
            if file == chinese or file.stem.lower() == f"{family}-bold":
                _lay(file.resolve(), fonts / file.name)
    return [fonts, *(one for one in named_font_folders() if one.is_dir())]


def _lay(font: Path, place: Path) -> None:
    try:
        place.symlink_to(font)
    except OSError:
        # Windows lets not everybody make links.
        shutil.copyfile(font, place)


def families_in(fonts: Sequence[Path]) -> list[str]:
    """Families to set letters in that the Latin face lacks, simplified Chinese first."""
    found = typst_module().Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(one) for one in fonts]
    )
    names = [name for name in dict.fromkeys(found.families()) if " Mono" not in name]
    simplified = [name for name in names if name.endswith(" SC")]
    others = [name for name in names if not name.endswith((" SC", " TC", " HK", " JP", " KR"))]
    return simplified + others or names


def compiled(template: Path, fonts: Sequence[Path], *, created: str, chinese: bool) -> bytes:
    """Typeset a template.

    Args:
        template: what it reads lies in its folder.
        fonts: folders; fonts of the system are not looked at.
        created: ISO 8601, stamped into the file, so that it has the same bytes each time.
        chinese: whether there is a Chinese font; of no matter but for the way out of a missing letter.

    Raises:
        MissingFont: no font has a letter of the text.
        OutputError: Typst failed otherwise.
    """
    typst = typst_module()
    try:
        data: bytes = typst.compile(
            str(template),
            root=str(template.parent),
            font_paths=[str(one) for one in fonts],
            ignore_system_fonts=True,
            pdf_standards=[_STANDARD],
            timestamp=datetime.fromisoformat(created),
        )
    except typst.TypstError as error:
        # Its message may quote the text, and so the patient's name: it goes no further.
        if "could not be displayed" in str(error.message):
            way_out = RARE_LETTER_WAY_OUT if chinese else FONT_WAY_OUT
            raise MissingFont("a name or text has a letter that no font at hand has", way_out=way_out) from None
        raise OutputError(
            "the PDF report could not be typeset", way_out="This is a fault of Consilium; please report it."
        ) from None
    return data
