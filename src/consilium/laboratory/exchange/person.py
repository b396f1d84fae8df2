"""The name of a person as other systems take it apart, and as a record writes it."""

from __future__ import annotations

import unicodedata


def person_name(family: str, *given: str) -> str:
    """A name as one text: family name first and without a blank where it is written in Han letters, else last."""
    parts = [one.strip() for one in (family, *given) if one.strip()]
    if parts and all(_han(one) for one in parts):
        return "".join(parts)
    return " ".join([*(one.strip() for one in given if one.strip()), family.strip()]).strip()


def _han(text: str) -> bool:
    return all(unicodedata.name(letter, "").startswith("CJK UNIFIED") for letter in text)
