"""The two languages of the pages, and which one a browser wants."""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
HTML_LANG = {"en": "en", "zh": "zh-CN"}
"""What `<html lang>` says (BCP 47)."""


def language_of(chosen: str, accepted: str) -> Language:
    """The language of a page.

    Args:
        chosen: what the reader chose; empty or unknown if she did not.
        accepted: the header Accept-Language, with weights (RFC 9110, 12.5.4).
    """
    for one in LANGUAGES:
        if chosen == one:
            return one
    best, found = 0.0, LANGUAGES[0]
    for part in accepted.split(","):
        name, _, weight = part.strip().partition(";q=")
        short = name.strip().lower()[:2]
        try:
            value = float(weight) if weight else 1.0
        except ValueError:
            continue
        for one in LANGUAGES:
            if short == one and value > best:
                best, found = value, one
    return found
