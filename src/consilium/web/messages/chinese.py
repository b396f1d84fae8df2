"""A message in its reader's language."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

import consilium.web.messages as folder
from consilium.cytogenetics.guidelines_file import load
from consilium.laboratory.review.release_wording import BLOCKERS
from consilium.web.messages.parts import PARTS
from consilium.web.messages.values import ENTRIES, OTHERS, REASONS, TITLES
from consilium.web.wording.language import Language

GAP = "{}"
LONGEST = 1000
"""Letters; a longer message has something of somebody else's in it, and stays as it is."""

_NO_MESSAGES = ("chinese", "parts", "values")
_NAMED = re.compile(r"{(\w+)}")


class Sentence(NamedTuple):
    """A sentence with gaps.

    Attributes:
        pieces: what stands before, between and behind its gaps.
        chinese: with the same gaps, by number.
        one_word: whether what stands in a gap has no blank.
    """

    pieces: tuple[str, ...]
    chinese: str
    one_word: bool

    def gaps(self, text: str) -> tuple[str, ...] | None:
        """What stands in the gaps, each as little as can be and never nothing; None: `text` is another sentence.

        Each piece is looked for once, where a regular expression with as many gaps would try all places: a name that
        somebody typed must not keep the server busy.
        """
        first, *between, last = self.pieces
        if not (text.startswith(first) and text.endswith(last)):
            return None
        found, at = [], len(first)
        for piece in between:
            to = text.find(piece, at + 1)
            if to < 0:
                return None
            found.append(text[at:to])
            at = to + len(piece)
        end = len(text) - len(last)
        if end <= at:
            return None
        found.append(text[at:end])
        return None if self.one_word and any(map(str.isspace, "".join(found))) else tuple(found)


class Catalogue(NamedTuple):
    """Sentences without gaps, and those with gaps, whichever says most first."""

    whole: Mapping[str, str]
    with_gaps: tuple[Sentence, ...]

    def of(self, text: str) -> tuple[str, tuple[str, ...]] | None:
        """The Chinese of a sentence with its gaps, and what stands in them; None where there is none."""
        if text in self.whole:
            return self.whole[text], ()
        for sentence in self.with_gaps:
            if (found := sentence.gaps(text)) is not None:
                return sentence.chinese, found
        return None


def told_in(lang: Language, text: str) -> str:
    """What an error says, for whoever reads in a language; as it is where nobody has put it into that language.

    Args:
        lang: of the reader.
        text: `what` or `way_out` of an error, or both as an error is written (with where it was, or without), or what
            an alarm says.
    """
    if lang != "zh" or len(text) > LONGEST:
        return text
    if (told := _told(text)) is not None:
        return told
    where, colon, rest = text.partition(": ")
    told = _told(rest) if colon else None
    return text if told is None else f"{where}：{told}"


def _told(text: str) -> str | None:
    """A message, or one with its way out; None where there is no Chinese for it."""
    found = _messages().of(text) or _reasons().of(text) or _parts().of(text)
    if found is not None:
        return found[0].format(*map(_value, found[1]))
    what, stop, way_out = text.partition(". ")
    known = _messages().of(what) if stop else None
    return None if known is None else f"{known[0].format(*map(_value, known[1]))}。{_told(way_out) or way_out}"


@cache
def messages() -> Mapping[str, str]:
    """Every message: English with gaps -> Chinese with the same ones, by number.

    Raises:
        ValueError: two modules have one message in two ways; a defect.
    """
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(folder.__path__):
        if module.name in _NO_MESSAGES:
            continue
        for english, chinese in importlib.import_module(f"{folder.__name__}.{module.name}").MESSAGES.items():
            if found.setdefault(english, chinese) != chinese:
                raise ValueError(f"{english!r} stands twice among the messages")
    return found | _blockers()


def _blockers() -> dict[str, str]:
    """What stands in the way of a signature, which the laboratory says in both languages itself."""
    found = {}
    for told in BLOCKERS.values():
        for english, chinese in zip(told["en"], told["zh"], strict=True):
            names = _NAMED.findall(english)
            found[_NAMED.sub(GAP, english)] = _NAMED.sub(partial(_by_number, names), chinese)
        # An error has no full stop where it says what went wrong, and tells the first of several.
        what, was = (told[lang][0].rstrip(".。") for lang in ("en", "zh"))
        names = _NAMED.findall(what)
        what, was = _NAMED.sub(GAP, what), _NAMED.sub(partial(_by_number, names), was)
        found |= {what: was, f"{what} (and {GAP} more)": f"{was}（另有 {{{len(names)}}} 项）"}
    return found


def _by_number(names: Sequence[str], gap: re.Match[str]) -> str:
    return f"{{{names.index(gap[1])}}}"


def _value(text: str) -> str:
    """What stands in a gap: a word of ours in Chinese, lists of them too; whatever else as it is."""
    if (found := _reasons().of(text)) is not None:
        return found[0].format(*map(_value, found[1]))
    if "; " in text:
        return "；".join(map(_value, text.split("; ")))
    found = _values().of(text)
    if found is not None:
        return found[0].format(*map(_value, found[1]))
    for separator, chinese in ((" or ", "或"), (", ", "、")):
        parts = text.split(separator)
        told = list(map(_value, parts)) if len(parts) > 1 else parts
        # A list of our words; a title or a sentence of somebody else's keeps its own commas.
        if all(one != other for one, other in zip(parts, told, strict=True)):
            return chinese.join(told)
    return text


@cache
def _messages() -> Catalogue:
    return _catalogue(messages())


@cache
def _reasons() -> Catalogue:
    return _catalogue({**REASONS, **TITLES})


@cache
def _parts() -> Catalogue:
    return _catalogue(PARTS)


@cache
def _values() -> Catalogue:
    specimens = {one.name: one.name_zh for one in load().specimens.values()}
    return _catalogue({**ENTRIES, **OTHERS, **PARTS, **TITLES, **specimens})


def _catalogue(pairs: Mapping[str, str]) -> Catalogue:
    whole = {english: chinese for english, chinese in pairs.items() if GAP not in english}
    gaps = {english: chinese for english, chinese in pairs.items() if GAP in english}
    most_said = sorted(gaps, key=lambda english: -len(english.replace(GAP, "")))
    # A record calls itself by a number: "image file is truncated" is none of them.
    sentences = (Sentence(tuple(one.split(GAP)), gaps[one], one in TITLES) for one in most_said)
    return Catalogue(whole, tuple(sentences))
