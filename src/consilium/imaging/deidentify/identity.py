"""What in a file tells who the patient is, and whether it is still there in what was made of the file.

The rules say what is removed; this is the second line. Whatever stood under a rule as a name, a number, an address, a
date or a UID is searched for in every text that is kept and, after writing, in every byte of the header, in each of
the usual character sets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from consilium.imaging.deidentify.dates import moved_date
from consilium.imaging.deidentify.policy import Policy
from consilium.imaging.deidentify.rules import UID_PREFIX, Action, rule_of
from consilium.imaging.deidentify.vocabulary import imaging_words

MAX_DEPTH = 24
"""Sequences within sequences; the deepest that the standard's own modules define is under ten."""

ENCODINGS = (
    "utf-8", "latin-1", "iso8859-2", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "gb18030",
    "shift_jis", "iso2022_jp", "euc_jp", "euc_kr", "big5", "tis-620", "utf-16-le", "utf-16-be",
)  # fmt: skip
"""The character sets of PS3.3 C.12.1.1.2 and those that files hold without saying so."""

_TELLING = re.compile(
    r"Name|ID$|IDs$|Identifier|Number|Address|Telephone|Title|Institution|Department|Location|Residence|Insurance|Trial"
    r"|Label$"
)
"""Keywords of attributes under a rule whose text says who or where; the others describe, and their words are usual
ones."""
_TEXT = frozenset({"LO", "SH", "AE", "ST", "LT", "UT", "UC", "PN", "CS"})
_PLACEHOLDERS = frozenset(
    {"anonymous", "anonymized", "anonymised", "removed", "none", "unknown", "null", "test", "patient", "empty", "name",
     "deidentified", "de-identified", "unspecified", "not available", "n/a", "xxxx", "hospital", "institution",
     "doctor"}
)  # fmt: skip
_DUMMY_DATES_UNTIL = "19000101"
_UID_IN_TEXT = re.compile(r"(?<![\d.])\d{1,64}(?:\.\d{1,64}){2,}")
_UID_IN_BYTES = re.compile(rb"(?<![\d.])\d{1,64}(?:\.\d{1,64}){2,}")
"""Bounded, and begun only where a number begins, or a long run of digits would take for ever."""
_LETTERS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What tells who the patient of one file is.

    Attributes:
        words: names, parts of names, numbers, addresses, in folded letters.
        dates: as YYYYMMDD.
        uids: all but those that the standard registers.
        raw: non-ASCII names as the bytes that stood in the file.
    """

    words: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()
    uids: frozenset[str] = frozenset()
    raw: frozenset[bytes] = field(default_factory=frozenset)

    def told_by(self, text: str, *, strict: bool) -> bool:
        """Whether a text has any of it.

        Args:
            text: any text.
            strict: whether words of imaging count too where the patient is called so ("Hand"); they do in descriptions,
                and do not where only such a word can stand, as in a part of the body.
        """
        folded = _folded(text)
        found = self._all_words if strict else self._rare_words
        if found is not None and found.search(folded):
            return True
        return any(uid in self.uids for uid in _UID_IN_TEXT.findall(text))

    def in_bytes(self, content: bytes, *, long_only: bool = False) -> bool:
        """Whether bytes hold any of it, in any of the usual character sets.

        Args:
            content: the bytes.
            long_only: leave out what is shorter than `LONG` bytes and would be met by chance in compressed pixels.
        """
        pattern = self._long_bytes if long_only else self._bytes
        if pattern is not None and pattern.search(content):
            return True
        if not self.uids:
            return False
        return any(one.decode("ascii") in self.uids for one in _UID_IN_BYTES.findall(content))

    @cached_property
    def _all_words(self) -> re.Pattern[str] | None:
        return _text_pattern(self.words, self.dates)

    @cached_property
    def _rare_words(self) -> re.Pattern[str] | None:
        return _text_pattern(self.words - imaging_words(), self.dates)

    @cached_property
    def _bytes(self) -> re.Pattern[bytes] | None:
        return self._byte_pattern(1)

    @cached_property
    def _long_bytes(self) -> re.Pattern[bytes] | None:
        return self._byte_pattern(LONG)

    def _byte_pattern(self, shortest: int) -> re.Pattern[bytes] | None:
        bounded: set[bytes] = set()
        free: set[bytes] = {raw for raw in self.raw if len(raw) >= shortest}
        for word in self.words - imaging_words():
            for spelling in {word, word.upper(), word.title()}:
                for encoding in ENCODINGS:
                    try:
                        encoded = spelling.encode(encoding)
                    except UnicodeEncodeError:
                        continue
                    if len(encoded) < shortest:
                        continue
                    # Two letters in an 8-bit set are met by chance; the text itself was searched before.
                    if encoded.isascii():
                        (bounded if len(encoded) < LONG else free).add(encoded)
                    elif len(encoded) >= 4:
                        free.add(encoded)
        parts = []
        if bounded:
            parts.append(rb"(?<![0-9A-Za-z])(?:" + _any_of(bounded) + rb")(?![0-9A-Za-z])")
        if free:
            parts.append(_any_of(free))
        if self.dates:
            parts.append(rb"(?<!\d)(?:" + _any_of({one.encode("ascii") for one in _spelt(self.dates)}) + rb")")
        return re.compile(b"|".join(parts), re.IGNORECASE) if parts else None


LONG = 6
"""Letters: a shorter word is looked for as a word of its own, a longer one within others too ("Wexboroughs")."""


def _any_of(found: Iterable[bytes]) -> bytes:
    return b"|".join(re.escape(one) for one in sorted(found, key=lambda one: (-len(one), one)))


def _text_pattern(words: Iterable[str], dates: frozenset[str]) -> re.Pattern[str] | None:
    ascii_words = [re.escape(word) for word in words if word.isascii() and len(word) < LONG]
    other = [re.escape(word) for word in words if not word.isascii() or len(word) >= LONG]
    parts = []
    if ascii_words:
        parts.append(rf"(?<![0-9a-z])(?:{'|'.join(ascii_words)})(?![0-9a-z])")
    parts.extend(other)
    if dates:
        parts.append(rf"(?<!\d)(?:{'|'.join(re.escape(one) for one in _spelt(dates))})")
    return re.compile("|".join(parts)) if parts else None


def _spelt(dates: Iterable[str]) -> Iterator[str]:
    for one in dates:
        yield one
        for sign in "-./":
            yield f"{one[:4]}{sign}{one[4:6]}{sign}{one[6:]}"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def identity_of(data: Dataset, policy: Policy, *, days: int) -> Identity:
    """What tells who the patient of a data set is.

    Args:
        data: as it was read; sequences are searched through.
        policy: what is kept on purpose is not searched for.
        days: by which dates are moved; a date that another was moved to is none to be searched for.
    """
    words: set[str] = set()
    dates: set[str] = set()
    uids: set[str] = set()
    raw: set[bytes] = set()
    for tag, element, stored in _elements(data, 0):
        if stored is not None and not stored.isascii():
            raw.update(part for part in re.split(rb"[\^=\\ ,\0]+", stored) if len(part) >= 4 and not part.isascii())
        rule = rule_of(tag)
        if element is None or (rule is None and element.VR != "PN"):
            continue
        keyword = keyword_for_tag(tag)
        if rule is not None and policy.action(rule, tag, sop_class="", within="")[0] is Action.KEEP:
            continue
        for text in _texts(element.value):
            if element.VR == "PN":
                words.update(_name_words(text))
            elif element.VR in ("DA", "DT"):
                dates.update(_date_in(text))
            elif element.VR == "UI" and not text.startswith(UID_PREFIX):
                uids.add(text)
            elif element.VR in _TEXT and keyword and _TELLING.search(keyword):
                words.update(_whole(text))
    moved = {moved_date(one, days) for one in dates}
    kept = {one for one in dates if one > _DUMMY_DATES_UNTIL and one not in moved}
    return Identity(
        words=frozenset(words), dates=frozenset(kept), uids=frozenset(one for one in uids if one.count(".") >= 2),
        raw=frozenset(raw),
    )  # fmt: skip


def _elements(data: Dataset, depth: int) -> Iterator[tuple[int, DataElement | None, bytes | None]]:
    """Every element, with the bytes of those that name somebody; None for one that cannot be read."""
    for tag in list(data.keys()):
        if tag.group % 2 or tag.group in (0x7FE0,) or tag.group & 0xFF00 in (0x5000, 0x6000):
            continue
        item: Any = data.get_item(tag)
        stored = None
        if isinstance(item, RawDataElement) and isinstance(item.value, bytes) and len(item.value) <= 1024:
            keyword = keyword_for_tag(tag)
            stored = item.value if rule_of(tag) and _TELLING.search(keyword) else None
        try:
            element = data[tag]
            is_sequence = element.VR == "SQ"
            items = list(element.value) if is_sequence else []
        except Exception:
            # What cannot be read is not kept; its bytes are searched for all the same.
            yield tag, None, stored
            continue
        if not is_sequence:
            yield tag, element, stored
        elif depth < MAX_DEPTH:
            for one in items:
                yield from _elements(one, depth + 1)


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, (bytes, bytearray)):
        return []
    # A person's name is iterable too, letter by letter.
    several: bool = isinstance(value, (MultiValue, list, tuple))
    return [str(one) for one in value] if several else [str(value)]


def _name_words(text: str) -> Iterator[str]:
    """A person's name whole, in both orders, and its parts (PS3.5, section 6.2.1)."""
    for written in text.split("="):
        parts = [part for part in re.split(r"[\^ ,;]+", _folded(written)) if part]
        if not parts or " ".join(parts) in _PLACEHOLDERS:
            continue
        for joint in ("^", " ", ", ", ""):
            for order in (parts[:2], parts[1::-1], parts):
                joined = joint.join(order)
                if len(order) > 1 and len(joined) >= (4 if joined.isascii() else 2):
                    yield joined
        for part in parts:
            enough = 3 if part.isascii() else 2
            if part not in _PLACEHOLDERS and len(part) >= enough and len(_LETTERS.findall(part)) >= 2:
                yield part


def _whole(text: str) -> Iterator[str]:
    """A number or an address as a whole, where it is long enough to be no other number by chance."""
    plain = " ".join(_folded(text).replace("\0", " ").split())
    if plain in _PLACEHOLDERS:
        return
    letters = len(_LETTERS.findall(plain))
    if (letters and len(plain) >= 4) or (not plain.isascii() and len(plain) >= 2) or len(re.sub(r"\D", "", plain)) >= 5:
        yield plain


def _date_in(text: str) -> Iterator[str]:
    plain = moved_date(text.strip()[:10] if "." in text[:8] else text.strip()[:8], 0)
    if plain:
        yield plain
