r"""Bytes of HL7 version 2 to text and back: the character set that MSH-18 names, and escape sequences.

A message has to be decoded before it is taken apart: the second byte of a letter in GB 18030 may be that of `|`, `^`,
`~` or `\`. So the character set is one under which the message is readable and names that very set.
"""

from __future__ import annotations

import re

from consilium.errors import InputError
from consilium.laboratory.exchange.partners import CHARSETS

LARGEST = 16 * 2**20
"""Bytes of a message: a report as PDF is one field of it."""

LARGEST_ORDER = 2**20
"""Bytes of a message that asks for something."""

START, END = b"\x0b", b"\x1c\x0d"
"""Around a message on a line (MLLP)."""

_SEPARATORS = {"F": 0, "S": 1, "R": 2, "E": 3, "T": 4}
"""Letters of escape sequences (HL7 2.5.1, 2.7.1) by the place of what they stand for in MSH-1 and MSH-2."""


def decoded(data: bytes) -> tuple[str, str]:
    """A message as text, its lines parted by carriage returns, and the codec that it was in.

    Raises:
        InputError: it is no such message, is too large, or is not readable in the character set that it names.
    """
    if len(data) > LARGEST:
        raise InputError(f"the message is too large ({len(data)} bytes)", way_out=f"{LARGEST} bytes at most.")
    data = data.removeprefix(b"\xef\xbb\xbf").strip(b"\x0b\x1c\r\n ")
    if not data.startswith(b"MSH"):
        raise InputError("this is no HL7 message: it does not begin with MSH")
    asked: set[str] = set()
    for codec in ("utf-8", "gb18030", "iso8859-1"):
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        named = _named_charset(text)
        if named == "" and codec == "utf-8":
            return _lines(text), codec
        if (wanted := CHARSETS.get(named.upper())) in (codec, "ascii"):
            if wanted == "ascii" and not data.isascii():
                raise InputError("the message says that it is ASCII, and is not", way_out="Name its set in MSH-18.")
            return _lines(text), codec
        asked.add(named)
    told = next((one for one in sorted(asked) if one.upper() in CHARSETS), "")
    if told:
        raise InputError(f"the message is not readable as {told}, which it names in MSH-18")
    raise InputError(
        "the character set of the message is not known"
        if any(asked)
        else "the message is no UTF-8, and names no other",
        way_out=f"MSH-18 is one of {', '.join(CHARSETS)}.",
    )


def encoded(text: str, charset: str) -> bytes:
    """A message as bytes.

    Args:
        text: of the message.
        charset: as MSH-18 has it, one of `CHARSETS`.

    Raises:
        InputError: the set has no such letter.
    """
    try:
        return text.encode(CHARSETS[charset])
    except UnicodeEncodeError as problem:
        raise InputError(
            f"{charset} has no letter U+{ord(text[problem.start]):04X}, which the message needs",
            way_out="Settle another character set for this receiver, such as UNICODE UTF-8.",
        ) from problem


def escaped(text: str) -> str:
    r"""A value as it may stand between the usual separators; ends of lines become `\.br\`."""
    made = []
    for letter in text.replace("\r\n", "\n"):
        place = "|^~\\&".find(letter)
        if place >= 0:
            made.append(f"\\{'FSRET'[place]}\\")
        elif letter in "\n\r":
            made.append("\\.br\\")
        elif ord(letter) < 0x20 or ord(letter) == 0x7F:
            made.append(f"\\X{ord(letter):02X}\\")
        else:
            made.append(letter)
    return "".join(made)


def unescaped(text: str, separators: str = "|^~\\&", codec: str = "utf-8") -> str:
    """A value without escape sequences; the colours and indents of formatted text are left out.

    Args:
        text: the value.
        separators: of the message: field, component, repetition, escape, subcomponent.
        codec: of the message, for sequences of bytes.

    Raises:
        InputError: a sequence is none, or switches to a character set that is not known here.
    """
    escape = separators[3]
    if escape not in text:
        return text
    parts = text.split(escape)
    if len(parts) % 2 == 0:
        raise InputError("an escape sequence has no end")
    made, pending = [], b""
    for at, part in enumerate(parts):
        # Bytes of one letter may stand in several sequences, one after the other.
        if at % 2 and re.fullmatch(r"X([0-9A-Fa-f]{2})+", part):
            pending += bytes.fromhex(part[1:])
        elif at % 2 or part:
            made += [_letters(pending, codec), _meaning(part, separators) if at % 2 else part]
            pending = b""
    return "".join([*made, _letters(pending, codec)])


def _letters(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as problem:
        raise InputError("an escape sequence of bytes is no text") from problem


def _meaning(inner: str, separators: str) -> str:
    if inner in _SEPARATORS:
        return separators[_SEPARATORS[inner]]
    if inner in ("H", "N") or inner[:1] == "Z":
        return ""
    if re.fullmatch(r"\.(br|sp|ce)(\+?\d{1,3})?", inner):
        return "\n"
    if re.fullmatch(r"\.(fi|nf|in|ti|sk)([+-]?\d{1,3})?", inner):
        return " " if inner.startswith(".sk") else ""
    raise InputError("an escape sequence of the message is not known")


def _named_charset(text: str) -> str:
    header = re.split(r"[\r\n]", text, maxsplit=1)[0]
    if len(header) < 8:
        return ""
    fields = header.split(header[3])
    # MSH-1 is the separator itself, so MSH-18 is the eighteenth part.
    return re.split(re.escape(header[5]), fields[17])[0].strip() if len(fields) > 17 else ""


def _lines(text: str) -> str:
    return re.sub(r"\r\n|\n", "\r", text).rstrip("\r")
