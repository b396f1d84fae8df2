"""Every word of the pages in both languages, found by its key: "room.word".

Each module of this folder but `language` and this one has `WORDS`, for the pages of one room.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

import consilium.web.wording as folder
from consilium.web.wording.language import LANGUAGES, Language


@cache
def words() -> Mapping[str, tuple[str, str]]:
    """All words: key -> (English, Chinese).

    Raises:
        ValueError: two modules have one key; a defect.
    """
    found: dict[str, tuple[str, str]] = {}
    for module in pkgutil.iter_modules(folder.__path__):
        if module.name in ("language", "words"):
            continue
        for key, both in importlib.import_module(f"{folder.__name__}.{module.name}").WORDS.items():
            if key in found:
                raise ValueError(f"{key} stands twice among the words")
            found[key] = both
    return found


def say(key: str, lang: Language, **values: object) -> str:
    """A word or sentence.

    Args:
        key: "room.word".
        lang: of whoever reads.
        values: what its {gaps} are filled with.

    Raises:
        KeyError: there is no such key, or a gap has no value; a defect.
    """
    text = words()[key][LANGUAGES.index(lang)]
    return text.format(**values) if values else text
