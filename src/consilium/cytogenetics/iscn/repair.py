"""From dirty laboratory text to the ISCN string that was probably meant: a suggestion, with what was changed and why.

Only signs, spaces and upper or lower case are changed, and words around a karyotype left out: no number, no band and no
letter of what stays is ever altered or added, so a repair cannot invent a finding. What a string says wrongly is not
mended here; that is for `validate`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from types import MappingProxyType

from consilium.cytogenetics.iscn.parse import LONGEST, NotISCN, parse
from consilium.cytogenetics.iscn.rules import Language
from consilium.cytogenetics.iscn.tree import Whole
from consilium.cytogenetics.iscn.validate_line import names_sex

WHY = MappingProxyType({
    "glyphs": ("signs of a word processor, a web page or an input method", "文字处理软件、网页或输入法的符号"),
    "words": ("words around the karyotype", "核型之外的文字"),
    "case": ("upper and lower case", "大小写"),
    "cells": ("how numbers of cells are written", "细胞数的写法"),
    "spaces": ("spaces", "空格"),
    "separators": ("missing or doubled commas, semicolons and slashes", "缺少或重复的逗号、分号、斜线"),
    "brackets": ("brackets that do not close", "未闭合的括号"),
    "signs": ("one sign put in, taken out or changed where reading stopped", "在读取中断处增删或更改一个符号"),
})  # fmt: skip
"""Kinds of change, in English and Chinese."""

_GLYPHS = str.maketrans({
    "\N{FULLWIDTH COMMA}": ",", "、": ",", "；": ";", "：": ":", "（": "(", "）": ")", "［": "[", "］": "]", "【": "[",
    "】": "]", "＋": "+", "－": "-", "／": "/", "？": "?", "～": "~", "〜": "~", "＜": "<", "＞": ">", "．": ".",
    "。": ".",
    "—": "-", "―": "-", "‒": "-", "\N{EN DASH}": "-", "\N{MINUS SIGN}": "-", "\N{HYPHEN}": "-", "­": "", "˗": "-",
    "∼": "~", "×": "x", "✕": "x", "⟶": "->", "→": "->", "⇒": "->", "∕": "/", "⁄": "/", "﹣": "-", "﹢": "+",
    "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "", "\u00a0": " ", "\u3000": " ", "\u2009": " ", "\u202f": " ",
    "\n": " ", "\r": " ", "\t": " ", "“": "", "”": "", "‘": "", "’": "", '"': "", "`": "", "*": "",
})  # fmt: skip

_START = re.compile(
    r"(?:(?:mos|chi)\s+|//\s*)?(?<![\w.;(])\d{2,3}\s*(?:[~-]\s*\d{1,3}\s*)?(?:<[^>]{1,5}>\s*)?"
    r"(?:\([^)]*|[,.; ]\s*(?:[XYUxyu?]|idem|s[ld]|der|t\())"
    r"|(?:(?:mos|chi)\s+)?(?<![\w.;(])\d{2,3}[XYxy]{1,4}\b"
)
_NOT_CLONAL = re.compile(r"\s*/\s*nonl?-?c?lonal(?:\s+w/?[^\[\]]*)?\s*(?:\[\d+\])?", re.IGNORECASE)
_LINE = re.compile(r"(?<![\d.;(])\d{2,3}(?:[~-]\d{1,3})?(?:<[^>]{1,5}>)?[,. ]{0,2}(?=[XYU]|idem|sd?l)", re.IGNORECASE)
_KINDS = (
    "add", "del", "dup", "trp", "qdp", "inv", "ins", "idic", "dic", "ider", "der", "rec", "rob", "tas", "trc", "hsr",
    "fra", "fis", "neo", "mar", "dmin", "inc", "idem", "sdl", "mos", "chi", "psu", "mat", "pat", "inh", "dmat", "dpat",
    "dinh", "cen", "pter", "qter", "ish", "nuc", "arr", "ogm", "rsa", "seq",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between a text and its repair.

    Attributes:
        start, end: characters of the text.
        before, after: what stood there, what the repair has.
    """

    start: int
    end: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Repair:
    """What was probably meant.

    Attributes:
        text: as it came.
        suggestion: a string that can be read; None where none was found. Equal to `text` where nothing was wrong.
        changes: what differs, from left to right.
        why: kinds of change, keys of `WHY`.
    """

    text: str
    suggestion: str | None
    changes: tuple[Change, ...] = ()
    why: tuple[str, ...] = ()

    def reasons(self, language: Language = "en") -> tuple[str, ...]:
        """The kinds of change in words."""
        return tuple(WHY[kind][1 if language == "zh" else 0] for kind in self.why)


def repair(text: str) -> Repair:
    """Suggest the ISCN string that a text probably means. It is never applied by itself.

    Args:
        text: one result as it stands in a record: stray spaces and signs, words around it, missing commas.
    """
    if len(text) > LONGEST:
        return Repair(text, None)
    if _reads(text):
        return Repair(text, text)
    why: list[str] = []
    mended = text
    for kind, step in _STEPS:
        after = step(mended)
        if after != mended:
            why.append(kind)
            mended = after
        if _reads(mended):
            return _found(text, mended, why)
    searched = _search(mended)
    if searched is None:
        return Repair(text, None)
    return _found(text, searched, [*why, "signs"])


def _found(text: str, suggestion: str, why: list[str]) -> Repair:
    if not _is_karyotype(suggestion):
        return Repair(text, None)  # words or numbers that were taken for one
    if len(_LINE.findall(suggestion)) < len(_LINE.findall(_NOT_CLONAL.sub("", _glyphs(text)))):
        return Repair(text, None)  # a clone must not get lost among words
    return Repair(text, suggestion, tuple(_differences(text, suggestion)), tuple(why))


_COMPARED = 600
"""Letters between the first and the last difference that are compared one by one: the time grows with their cube."""


def _differences(text: str, suggestion: str) -> Iterator[Change]:
    """What differs, from left to right; as one change where it is too far apart to be compared letter by letter."""
    start = _alike(text, suggestion)
    left = min(len(text), len(suggestion)) - start
    alike = min(_alike(text[::-1], suggestion[::-1]), left)
    stop = len(text) - alike
    before, after = text[start:stop], suggestion[start : len(suggestion) - alike]
    if max(len(before), len(after)) > _COMPARED:
        yield Change(start, stop, before, after)
        return
    for how, one, end, other, until in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if how != "equal":
            yield Change(start + one, start + end, before[one:end], after[other:until])


def _alike(one: str, other: str) -> int:
    """How many letters two texts have in common before they differ."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))


def _is_karyotype(text: str) -> bool:
    """Whether every line tells its sex chromosomes, and every whole chromosome its sign."""
    persons = (lines for reading in parse(text).readings for lines in reading.persons)
    for line in (line for lines in persons for line in lines):
        told = [item for several in line.items for item in several]
        if line.base is None and not any(map(names_sex, told)):
            return False
        if any(isinstance(item.abnormality, Whole) and not item.sign for item in told):
            return False
    return True


def _reads(text: str) -> bool:
    try:
        parse(text)
    except NotISCN:
        return False
    return True


def _glyphs(text: str) -> str:
    text = html.unescape(text).translate(_GLYPHS)
    # Full-width letters and digits of an input method become plain ones; nothing else of NFKC is wanted.
    return "".join(
        unicodedata.normalize("NFKC", letter) if "！" <= letter <= "～" else letter for letter in text
    ).strip()


def _words(text: str) -> str:
    """Leave out what stands before the first and after the last line of a karyotype."""
    found = _START.search(text)
    if found is None:
        return text
    text = text[found.start() :]
    text = _NOT_CLONAL.sub("", text)
    # A sentence after the last bracket, or after a full stop that no band and no technique explains.
    text = re.sub(r"(\])\s*[.,;:]?\s+(?!ish|nuc|arr|ogm|rsa|seq|/)[A-Za-z\u4e00-\u9fff(].*$", r"\1", text)
    text = re.sub(r"\s+\(?(?:ISCN|karyotype|female|male|normal|cells?)\b.*$", "", text, flags=re.IGNORECASE)
    return re.sub(r"[\u4e00-\u9fff].*$", "", text).rstrip(" .,;:")


def _case(text: str) -> str:
    text = re.sub(r"(?<![a-zA-Z])[xyXY]{1,5}(?![a-zA-Z0-9])", lambda found: found[0].upper(), text)
    text = re.sub(
        rf"(?<![a-zA-Z])(?:{'|'.join(_KINDS)})(?![a-zA-Z])", lambda found: found[0].lower(), text, flags=re.IGNORECASE
    )
    text = re.sub(r"(?<![a-zA-Z])([TIR])(?=\s*\()", lambda found: found[0].lower(), text)
    text = re.sub(r"(?<=[(;\d])([PQ])(?=[\d?t])", lambda found: found[0].lower(), text)
    return re.sub(r"\[CP", "[cp", text, flags=re.IGNORECASE)


def _cells(text: str) -> str:
    text = re.sub(r"\[\s*(cp)?\s*(\d+)\s*(?:cells?|metaphases?|个|/\s*\d+)?\s*\]", r"[\1\2]", text, flags=re.IGNORECASE)
    text = re.sub(r"\{\s*(cp)?\s*(\d+)\s*\}", r"[\1\2]", text)
    text = re.sub(r"\(\s*(cp\d+)\s*\)", r"[\1]", text)
    text = re.sub(r"\[\s*(cp)?\s*(\d+)\s*,[^\[\]]*\]", r"[\1\2]", text, flags=re.IGNORECASE)
    return re.sub(r"(?<=[XY)\d])\s*\(\s*(\d{1,3})\s*\)(?=\s*(?:/|$))", r"[\1]", text)


def _spaces(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    kept = re.compile(
        r"(?<=\S) or (?=\S)|(?<=^mos) |(?<=^chi) |(?<=psu) (?=i?dic|trc)|(?<=dic) (?=r\()|(?<=trc) (?=r\()"
        r"|(?<=mar) (?=c\b|dn|mat|pat|inh)"
        r"|(?<=nuc) (?=ish)|(?<=ish) |(?<=arr) |(?<=\]) (?=\d+[pq]|\(?X)"
    )
    places = {found.start() for found in kept.finditer(text)}
    return "".join(letter for at, letter in enumerate(text) if letter != " " or at in places)


def _separators(text: str) -> str:
    text = re.sub(r"^((?:mos |chi )?\d{2,3}(?:[~-]\d{1,3})?(?:<\d+n[+-]?>)?)[.;:]?(?=[XYU])", r"\1,", text)
    text = re.sub(r"(?<=[/\]])(\d{2,3}(?:~\d{1,3})?)[.;:]?(?=(?:[XYU]|idem|sd?l))", r"\1,", text)
    text = re.sub(r"\](?=\d{2,3},)", "]/", text)
    text = re.sub(r"([,;/])(?:\s*[,;])+", r"\1", text)
    # A gain or loss after a bracket, a sex chromosome or a number needs its comma; so does a change after a bracket.
    text = re.sub(r"(?<=[)XYc\]])(?=[+-](?:\d|[XY]|mar|r\b|\??[a-z]+\())", ",", text)
    text = re.sub(r"(?<=[,][+-]\d)(?=[+-])|(?<=[,][+-]\d\d)(?=[+-])", ",", text)
    text = re.sub(r"(?<=[XY])(?=(?:add|del|dup|inv|ins|i?dic|i?der|t|i|r)\()", ",", text)
    # Partners and their breakpoints are parted by semicolons.
    text = re.sub(r"\((\d{1,2}|[XY])[,:.](\d{1,2}|[XY])\)", r"(\1;\2)", text)
    text = re.sub(r"\(([pq][\d.]+)[,:]([pq][\d.]+)\)", r"(\1;\2)", text)
    text = re.sub(r"(\((?:\d{1,2}|[XY]);(?:\d{1,2}|[XY])\)\([pq][\d.]+)(?=[pq])", r"\1;", text)
    text = re.sub(r",(?=\[|/|$)", "", text)
    return re.sub(r"[.,;:/]+$", "", text)


def _brackets(text: str) -> str:
    text = re.sub(r"(\([^()\[\],]*)(?=,|\[|/|$)", r"\1)", text)
    text = re.sub(r"(\([^()]*)(?=\()", r"\1)", text)
    text = re.sub(r"(\[(?:cp)?\d+)(?=/|$)", r"\1]", text)
    depth, out = 0, []
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            depth = 0
            continue
        out.append(letter)
    return "".join(out)


_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("glyphs", _glyphs),
    ("cells", _cells),
    ("words", _words),
    ("spaces", _spaces),
    ("case", _case),
    ("separators", _separators),
    ("brackets", _brackets),
)

_SIGNS = ",;()[]/"
_TRIES, _READ = 400, 200_000
"""How many strings are tried, and how many letters they may have together: each is read from its start."""


def _search(text: str) -> str | None:
    """Put in, take out or change one sign where reading stops, up to three times, on from what reads furthest."""
    best = [text]
    most = min(_TRIES, _READ // max(len(text), 1))
    tried: set[str] = set()
    for _ in range(3):
        reached: list[tuple[int, str]] = []
        for one in best:
            stopped = _stops(one)
            for edited in _edits(one, stopped):
                if edited in tried or len(tried) > most:
                    continue
                tried.add(edited)
                further = _stops(edited)
                if further is None:
                    return edited
                if stopped is not None and further > stopped:
                    reached.append((further, edited))
        best = [edited for _, edited in sorted(reached, reverse=True)[:4]]
        if not best:
            return None
    return None


def _stops(text: str) -> int | None:
    try:
        parse(text)
    except NotISCN as problem:
        return problem.start
    return None


def _edits(text: str, stopped: int | None) -> Iterator[str]:
    if stopped is None:
        return
    for at in (stopped, stopped - 1):
        if not 0 <= at <= len(text):
            continue
        for sign in _SIGNS:
            yield text[:at] + sign + text[at:]
        if at < len(text) and not text[at].isalnum():
            yield text[:at] + text[at + 1 :]
            for sign in _SIGNS:
                yield text[:at] + sign + text[at + 1 :]
