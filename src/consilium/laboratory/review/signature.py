"""A signature: who approved exactly which content, when, how she proved to be herself, and what it follows.

A signature is of the hash of a content. Its own record has a hash too, and binds that of the revision before: whoever
takes one out or changes one breaks the chain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from consilium.laboratory.review import canonical

Method = Literal["password", "oidc"]
METHODS: tuple[Method, ...] = get_args(Method)
"""How a person proved, at the moment of signing, to be herself."""

APPROVED = "approved"
"""What a signature means: the signer has read the report and lets it out."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A signature under a revision of a report.

    Attributes:
        case_number: of the case.
        revision: of its report, from 1.
        content_sha256: of the content, as `content.content_sha256` gives it.
        signer: name of the person.
        at: when, ISO 8601 in UTC.
        meaning: of the signature.
        method: how the person proved to be herself.
        previous: `signature_sha256` of the revision before; empty for the first.
    """

    case_number: str
    revision: int
    content_sha256: str
    signer: str
    at: str
    meaning: str = APPROVED
    method: Method
    previous: str


def signature_sha256(signature: Signature) -> str:
    """The hash of a signature's canonical record, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(canonical.written(signature)).hexdigest()


def broken_links(signatures: Sequence[Signature]) -> tuple[int, ...]:
    """Revisions whose signature does not follow the one before.

    Args:
        signatures: of one case, oldest first.
    """
    wrong = []
    before = ""
    for number, one in enumerate(signatures, start=1):
        if one.revision != number or one.previous != before or one.case_number != signatures[0].case_number:
            wrong.append(one.revision)
        before = signature_sha256(one)
    return tuple(wrong)
