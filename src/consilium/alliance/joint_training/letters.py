"""What a lead and a hospital on an installation of its own hand to each other: three small files, and nothing else.

    invitation   lead -> hospital   the study, where its server listens, the authority's certificate, a token
    request      hospital -> lead   the data officer's approval, counts of cases, a public key
    admission    lead -> hospital   a certificate for that key

Each is JSON and signed over its whole body: the lead's by the study's authority, the request by the key that it brings,
with a MAC of the invitation's token besides, so that only who was invited can ask. They come from outside: a file is
read only so far as it can be sound, and whatever is not exactly right is refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from consilium.errors import ConsiliumError, InputError

Kind = Literal["invitation", "request", "admission"]
_FORMAT = "consilium study"
_VERSION = 1
_MOST_BYTES = 256 * 1024
_DEEPEST = 12


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A file that was handed over, of sound form; its signature is still to be held against a key.

    Attributes:
        kind: what it is.
        body: what it says.
        signature: of the whole body.
        mac: of the body with the invitation's token; requests only.
    """

    kind: Kind
    body: Mapping[str, Any]
    signature: bytes
    mac: str = ""

    @property
    def signed(self) -> bytes:
        """The bytes that signature and MAC are of."""
        return _canonical(self.kind, self.body)

    @property
    def digest(self) -> str:
        """SHA-256 of what is signed."""
        return hashlib.sha256(self.signed).hexdigest()

    def is_of_token(self, token: str) -> bool:
        """Whether its writer knew the token of the invitation."""
        return hmac.compare_digest(self.mac, _mac(token, self.signed))


def sealed(kind: Kind, body: Mapping[str, Any], sign: Callable[[bytes], bytes], *, token: str = "") -> bytes:
    """The bytes of a file to hand over.

    Args:
        kind: what it is.
        body: what it says, JSON values.
        sign: the key's signature of some bytes.
        token: of the invitation; for a request.
    """
    signed = _canonical(kind, body)
    return _document(kind, body, sign(signed), _mac(token, signed) if token else "")


def written_again(letter: Letter) -> bytes:
    """The bytes of a letter that was read, in our own form."""
    return _document(letter.kind, letter.body, letter.signature, letter.mac)


def _document(kind: Kind, body: Mapping[str, Any], signature: bytes, mac: str) -> bytes:
    document = {
        "format": _FORMAT, "version": _VERSION, "kind": kind, "body": body,
        "signature": base64.b64encode(signature).decode(), **({"mac": mac} if mac else {}),
    }  # fmt: skip
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def read_letter(path: Path) -> Letter:
    """A file that was handed over.

    Raises:
        InputError: it cannot be read or is none.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as problem:
        raise InputError(f"the file cannot be read ({problem.strerror})", where=str(path)) from problem
    try:
        return letter_from(content)
    except ConsiliumError as problem:
        raise InputError(problem.what, where=str(path), way_out=problem.way_out) from problem


def letter_from(content: bytes) -> Letter:
    """A letter from the bytes of a file.

    Raises:
        InputError: it is none.
    """
    if len(content) > _MOST_BYTES:
        raise unfit("it is too long")
    try:
        told = json.loads(content.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        raise unfit("it is no JSON") from problem
    if not isinstance(told, dict) or told.get("format") != _FORMAT:
        raise unfit("it is of another kind")
    if told.get("version") != _VERSION:
        raise InputError(
            "it is of another version of Consilium", way_out="Lead and hospitals need the same version of Consilium."
        )
    kind, body, mac = told.get("kind"), told.get("body"), told.get("mac", "")
    if kind not in ("invitation", "request", "admission") or not isinstance(body, dict) or _depth(body) > _DEEPEST:
        raise unfit("it does not say what it is")
    if set(told) - {"format", "version", "kind", "body", "signature", "mac"} or not isinstance(mac, str):
        raise unfit("there is more in it than belongs there")
    if not mac.isascii() or not isinstance(told.get("signature"), str):
        raise unfit("it is not signed")
    try:
        signature = base64.b64decode(told["signature"], validate=True)
        found = Letter(kind=kind, body=body, signature=signature, mac=mac)
        found.signed  # noqa: B018  a lone surrogate has no bytes
    except ValueError as problem:
        raise unfit("its signature cannot be read") from problem
    return found


def _canonical(kind: str, body: Mapping[str, Any]) -> bytes:
    document = {"format": _FORMAT, "version": _VERSION, "kind": kind, "body": body}
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _mac(token: str, signed: bytes) -> str:
    return hmac.new(token.encode(), signed, hashlib.sha256).hexdigest()


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(told: str) -> float:
    raise ValueError(f"{told} is no number")


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def unfit(why: str) -> InputError:
    """The error of a file that is not what it must be."""
    return InputError(
        f"this is no file that `consilium study` hands over: {why}",
        way_out="Ask for it again; it must arrive as it was written.",
    )
