"""Where fonts with Chinese characters are: a Chinese report needs an installed one, none comes with Consilium."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from consilium.settings import FONTS_VARIABLE, font_folders

CJK_FONT_NAMES = (
    "notosanscjk",
    "notosanssc",
    "sourcehansans",
    "wqy",
    "msyh",
    "simhei",
    "simsun",
    "pingfang",
    "hiragino sans gb",
    "stheiti",
    "droidsansfallback",
    "uming",
)
"""Beginnings of file names of fonts with simplified Chinese, best first."""


FONT_WAY_OUT = (
    "Install one, on Debian or Ubuntu with `apt-get install fonts-noto-cjk`, or name the folder that holds one "
    f"in {FONTS_VARIABLE}."
)
"""What to do where no Chinese font is found."""

RARE_LETTER_WAY_OUT = f"Spell it otherwise, or name a folder with a font that has it in {FONTS_VARIABLE}."
"""What to do where the fonts lack a letter."""


def usual_font_folders() -> tuple[Path, ...]:
    """The folders of `CONSILIUM_FONTS`, then those in which this platform keeps its fonts; they need not exist."""
    home, named = Path.home(), font_folders()
    if sys.platform == "win32":
        windows = Path(os.environ.get("WINDIR", "C:/Windows"))
        return (*named, windows / "Fonts", home / "AppData/Local/Microsoft/Windows/Fonts")
    if sys.platform == "darwin":
        return (*named, Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts")
    return (
        *named,
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".local/share/fonts",
        home / ".fonts",
    )


def find_chinese_font(folders: Iterable[Path]) -> Path | None:
    """Look for a font with simplified Chinese, the best of `CJK_FONT_NAMES` first, a regular weight before others."""
    files = [
        file
        for folder in folders
        if folder.is_dir()
        for file in sorted(folder.rglob("*"), key=lambda file: (not _is_regular(file), file))
        if file.suffix.lower() in {".ttf", ".ttc", ".otf"}
    ]
    for beginning in CJK_FONT_NAMES:
        for file in files:
            if file.name.lower().startswith(beginning):
                return file
    return None


def _is_regular(file: Path) -> bool:
    return "-" not in file.stem or file.stem.lower().endswith("-regular")
