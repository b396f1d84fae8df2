"""Keys in the catalogue: which hospital one belongs to, and whether it still counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.alliance.library.catalogue import now
from consilium.alliance.library.library import Library
from consilium.alliance.library.trust import PublicKey, private_key, public_key_of
from consilium.alliance.permissions import Person, require
from consilium.errors import InputError, NotTrusted

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.alliance.library.tables import KeyRow


@dataclass(frozen=True, kw_only=True)
class KnownKey:
    """A key of the catalogue.

    Attributes:
        fingerprint: of it.
        hospital: whose it is.
        added: since when.
        revoked: since when it counts no longer; empty while it does.
        reason: why.
        met: whether this hospital has met it.
    """

    fingerprint: str
    hospital: str
    added: str
    revoked: str
    reason: str
    met: bool


def trust_key(library: Library, person: Person, key: PublicKey, *, hospital: str) -> None:
    """Enter a key as that of a hospital.

    Raises:
        NotAllowed: the person does not keep the catalogue.
        InputError: it is another hospital's, or was revoked.
    """
    from consilium.alliance.library.tables import KeyRow

    require(person, "library.trust", of=hospital)
    with library.catalogue.writing() as session:
        there = session.get(KeyRow, key.fingerprint)
        if there is not None and there.revoked:
            raise InputError("this key was revoked", way_out="Make a new one: consilium library key make.")
        if there is not None and there.hospital != hospital:
            raise InputError("this key is of another hospital already", way_out="Every hospital makes its own.")
        if there is None:
            session.add(KeyRow(fingerprint=key.fingerprint, hospital=hospital, pem=key.pem, added=now()))
            session.flush()
            library.note("library.trust", f"key {key.fingerprint[:16]}", hospital=hospital)
    if hospital == person.hospital:
        library.pins.add(hospital, key)


def revoke_key(library: Library, person: Person, fingerprint: str, *, reason: str) -> KnownKey:
    """Say that a key counts no longer: what it signed does not run any more.

    Raises:
        NotAllowed: the person does not keep the catalogue.
        InputError: there is no such key.
    """
    with library.catalogue.writing() as session:
        row = _row(session, fingerprint)
        require(person, "library.trust", of=row.hospital)
        if not row.revoked:
            row.revoked, row.reason = now(), reason
            session.flush()
            library.note("library.revoke", f"key {row.fingerprint[:16]}", hospital=row.hospital, reason=reason)
        return _known(library, row)


def accept_key(library: Library, person: Person, fingerprint: str) -> KnownKey:
    """Let this hospital take models that another key of a publisher signed.

    Raises:
        NotAllowed: the person may not.
        InputError: the catalogue has no such key.
        NotTrusted: it was revoked.
    """
    require(person, "library.accept_key", of=person.hospital)
    with library.catalogue.reading() as session:
        row = _row(session, fingerprint)
    if row.revoked:
        raise NotTrusted(f"the key was revoked ({row.reason})", where=row.fingerprint[:16])
    library.note("library.accept_key", f"key {row.fingerprint[:16]}", hospital=row.hospital)
    library.pins.add(row.hospital, PublicKey(pem=row.pem, fingerprint=row.fingerprint))
    return _known(library, row)


def keys(library: Library) -> tuple[KnownKey, ...]:
    """The keys of the catalogue, by hospital."""
    from sqlalchemy import select

    from consilium.alliance.library.tables import KeyRow

    with library.catalogue.reading() as session:
        rows = session.scalars(select(KeyRow).order_by(KeyRow.hospital, KeyRow.added)).all()
    return tuple(_known(library, row) for row in rows)


def own_key(library: Library, person: Person, path: Path) -> PublicKey:
    """The public key of a private one that a person publishes with.

    Raises:
        InputError: there is no private key, others can read it, or the catalogue does not know it.
        NotTrusted: it is another hospital's, or was revoked.
    """
    from consilium.alliance.library.tables import KeyRow

    try:
        content = private_key(path).read_bytes()
    except OSError as problem:
        raise InputError(f"the key cannot be read ({problem.strerror})", where=str(path)) from problem
    if b"PRIVATE KEY" not in content:
        raise InputError("it is no private key", where=str(path), way_out="Make one: consilium library key make.")
    key = public_key_of(content, where=str(path))
    with library.catalogue.reading() as session:
        row = session.get(KeyRow, key.fingerprint)
    if row is None:
        raise InputError(
            f"the catalogue does not know the key {key.fingerprint[:16]}... yet", where=str(path),
            way_out=f"The operator enters it: consilium library key trust FILE --hospital {person.hospital}.",
        )  # fmt: skip
    if row.revoked or row.hospital != person.hospital:
        raise NotTrusted(
            f"this key was revoked ({row.reason})" if row.revoked else "this key is of another hospital",
            where=str(path), way_out="Make a new one: consilium library key make.",
        )  # fmt: skip
    return key


def _row(session: Session, fingerprint: str) -> KeyRow:
    from sqlalchemy import select

    from consilium.alliance.library.tables import KeyRow

    wanted = fingerprint.lower().removesuffix("...")
    found = [one for one in session.scalars(select(KeyRow)) if one.fingerprint.startswith(wanted)]
    if len(wanted) < 8 or len(found) != 1:
        raise InputError(
            f"{fingerprint[:70]!r} names {len(found) if len(wanted) >= 8 else 'no'} keys",
            way_out="Give the first 16 digits of its fingerprint; `consilium library key list` shows them.",
        )
    return found[0]


def _known(library: Library, row: KeyRow) -> KnownKey:
    return KnownKey(
        fingerprint=row.fingerprint, hospital=row.hospital, added=row.added, revoked=row.revoked or "",
        reason=row.reason or "", met=row.fingerprint in library.pins.known(row.hospital),
    )  # fmt: skip
