"""Names that stand for others: the same for the same patient in every run, and not to be undone without the site key.

Each is an HMAC-SHA256 (RFC 2104) of what it stands for, with a word for the purpose, so that a patient's number and an
accession number that happen to be alike get pseudonyms that are not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
import uuid
from dataclasses import dataclass

from consilium.imaging.deidentify.site_key import SiteKey

MAX_DAYS = 3650
"""Dates are moved by up to ten years, always back, so that none lies in the future."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patient:
    """What stands for one patient.

    Attributes:
        pseudonym: in place of name and number.
        days: by which all of the patient's dates are moved back, 1 to `MAX_DAYS`.
    """

    pseudonym: str
    days: int


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes pseudonyms with one site key."""

    key: SiteKey

    def patient(self, identity: str) -> Patient:
        """What stands for the patient that `identity` tells."""
        days = 1 + int.from_bytes(self._digest("days", identity)[:8], "big") % MAX_DAYS
        return Patient(pseudonym=f"P{self._letters('patient', identity, 16)}", days=days)

    def number(self, purpose: str, value: str) -> str:
        """In place of an accession number or a code: a letter and 15 more, which fits VR SH."""
        return purpose[0].upper() + self._letters(purpose, value, 15)

    def uid(self, value: str) -> str:
        """In place of a UID: one made of a UUID (PS3.5, annex B.2), of version 8 (RFC 9562, section 5.8)."""
        raw = bytearray(self._digest("uid", value)[:16])
        raw[6], raw[8] = raw[6] & 0x0F | 0x80, raw[8] & 0x3F | 0x80
        return f"2.25.{uuid.UUID(bytes=bytes(raw)).int}"

    def file(self, content: bytes) -> str:
        """The name of a file that says nothing of its own about whose it is; for the same content the same."""
        return self._letters("file", hashlib.sha256(content).hexdigest(), 20).lower()

    def _letters(self, purpose: str, value: str, count: int) -> str:
        return base64.b32encode(self._digest(purpose, value)).decode("ascii")[:count]

    def _digest(self, purpose: str, value: str) -> bytes:
        # Spaces around a value do not count in DICOM, and one letter may be composed in two ways.
        plain = unicodedata.normalize("NFC", value).strip(" \0")
        return hmac.new(
            self.key.secret, f"{purpose}\0{plain}".encode("utf-8", "surrogatepass"), hashlib.sha256
        ).digest()
