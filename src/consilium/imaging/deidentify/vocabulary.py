"""Whether a description is made of words of imaging alone, so that it names nobody."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_PART = re.compile(r"[A-Za-z]+[0-9]?[A-Za-z]*|[0-9]+(?:\.[0-9]+)?(?:mm|cm|ms|s|kv|ma|t|d|x)?|[^\W\d_]+", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s\d.,;:+\-_/\\()\[\]*&%#=<>^~|、，。；：（）]*")
_LONGEST_NUMBER = 3
"""Digits: a longer number may be a date or belong to somebody."""
_LONGEST_RUN = 40
_LONGEST_TEXT = 1024


@cache
def imaging_words() -> frozenset[str]:
    """The words, in small letters."""
    text = (files("consilium.imaging.deidentify") / "vocabulary.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return frozenset(word.lower() for line in lines for word in line.split())


def only_imaging_words(text: str) -> bool:
    """Whether every word of a description is known and every number short; False for an empty one."""
    if len(text) > _LONGEST_TEXT:
        return False
    if any(len(number) > _LONGEST_NUMBER for number in re.findall(r"\d+", text)):
        return False
    words = [part for part in _PART.findall(text) if not part[0].isdigit()]
    rest = _PART.sub("", text)
    return bool(words) and _BETWEEN.fullmatch(rest) is not None and all(_known(word.lower()) for word in words)


def _known(word: str) -> bool:
    """Whether a word is known; Chinese is written without spaces, so several known words in a row count too."""
    if word in imaging_words() or word.isascii():
        return word in imaging_words()
    ends = [True] + [False] * len(word)
    for end in range(1, len(word) + 1):
        ends[end] = any(ends[start] and word[start:end] in imaging_words() for start in range(end))
    return len(word) <= _LONGEST_RUN and ends[-1]
