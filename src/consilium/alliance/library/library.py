"""The library of an installation: its catalogue, its store, whom it trusts, and what every act on it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from consilium.alliance.library.catalogue import Catalogue
from consilium.alliance.library.contents import Expected
from consilium.alliance.library.folder_store import FolderStore
from consilium.alliance.library.licences import LicenceRules, read_rules
from consilium.alliance.library.reference import Channel, Reference, Version
from consilium.alliance.library.store import Store
from consilium.alliance.library.trust import Pins, PublicKey
from consilium.errors import InputError, NotTrusted

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.alliance.library.tables import ModelRow, ReleaseRow


class Note(Protocol):
    """Leaves an entry in the ledger: what was done, on what, with what details."""

    def __call__(self, what: str, on: str, **details: Any) -> None:
        """Returns when the entry is on the disk."""


@dataclass(frozen=True, kw_only=True)
class Library:
    """What acts on the library work with.

    Attributes:
        catalogue: which models there are.
        store: where their files lie.
        folder: of this installation, for copies that were pulled and for what is being written.
        pins: keys that this hospital has met.
        rules: on licences, of this hospital.
        note: leaves an entry in the ledger.
    """

    catalogue: Catalogue
    store: Store
    folder: Path
    pins: Pins
    rules: LicenceRules
    note: Note

    @property
    def half(self) -> Path:
        """Where packages lie that are being written."""
        return self.folder / "half"


def open_library(home: Path, *, catalogue: str = "", store: str = "", note: Note) -> Library:
    """The library of an installation.

    Args:
        home: `CONSILIUM_HOME`.
        catalogue: URL of a shared one; empty: SQLite in `home`.
        store: a shared folder, or oci://HOST/PREFIX; empty: a folder in `home`.
        note: leaves an entry in the ledger.

    Raises:
        MissingExtra: what it needs is not installed.
        InputError: the catalogue or the store cannot be such.
        EngineError: the catalogue does not answer.
    """
    folder = home / "library"
    return Library(
        catalogue=Catalogue(catalogue or f"sqlite:///{folder / 'catalogue.db'}"),
        store=store_at(store or str(folder / "files")),
        folder=folder,
        pins=Pins(home / "trust"),
        rules=read_rules(home / "licences.json"),
        note=note,
    )


def store_at(place: str) -> Store:
    """The store of a place; each kind has its scheme, a folder has none.

    Raises:
        InputError: there is no such kind.
        MissingExtra: the kind needs what is not installed.
    """
    scheme, found, _ = place.partition("://")
    if not found:
        return FolderStore(Path(place).expanduser())
    if scheme not in STORES:
        raise InputError(
            f"there is no store of the kind {scheme}://",
            way_out=f"A folder, or {', '.join(f'{one}://' for one in STORES)}.",
        )
    return STORES[scheme](place)


def _oci(place: str) -> Store:
    from consilium.alliance.library.oci_store import OciStore

    return OciStore(place)


STORES: Mapping[str, Callable[[str], Store]] = {"oci": _oci}
"""Makers of stores by scheme."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A version of a model, as the catalogue tells it.

    Attributes:
        row: in the catalogue.
        name, version: of the model.
        hospital: that published it.
        publisher: who did, there.
        published: when.
        channel: where it stands.
        current: whether it is what the channel "approved" gives now.
        digest: SHA-256 of the package's manifest.
        key: that signed it.
        key_revoked: why that key counts no longer; empty while it does.
        kind: "specialist" or "karyotype".
        task: what it does.
        licence: SPDX expression.
        cards: of its models.
        files: SHA-256 of each, by name.
        size: bytes of all files.
        approver, approver_hospital, approved: who let it in, and when; empty before.
        reason: why it was taken back.
    """

    row: int
    name: str
    version: Version
    hospital: str
    publisher: str
    published: str
    channel: Channel
    current: bool
    digest: str
    key: PublicKey
    key_revoked: str
    kind: str
    task: str
    licence: str
    cards: tuple[Mapping[str, Any], ...]
    files: Mapping[str, str]
    size: int
    approver: str
    approver_hospital: str
    approved: str
    reason: str

    @property
    def title(self) -> str:
        """How it is called in messages."""
        return f"{self.name} {self.version}"

    def expected(self) -> Expected:
        """What its package has to be."""
        return Expected(name=self.name, version=self.version, publisher=self.hospital, key=self.key, files=self.files)


def find(session: Session, reference: Reference) -> Release:
    """The version that a person means.

    Raises:
        InputError: there is none.
        NotTrusted: it was retired, or nothing is approved.
    """
    model = model_called(session, reference.name)
    rows = releases_of(session, model)
    current = current_row(session, model)
    if reference.version is not None:
        for row in rows:
            if version_in(row) == reference.version:
                return told(session, row, current=row.id == current)
        raise InputError(
            f"there is no {reference.name} {reference.version}",
            way_out=f"`consilium library show {reference.name}` lists them.",
        )
    if reference.channel == "approved":
        for row in rows:
            if row.id == current:
                return told(session, row, current=True)
        raise NotTrusted(
            f"no version of {reference.name} is approved",
            way_out=f"To try what waits for approval, say so: {reference.name}@candidate.",
        )
    for row in rows:
        if row.channel == "candidate":
            return told(session, row, current=False)
    raise InputError(f"no version of {reference.name} waits for approval")


def model_called(session: Session, name: str) -> ModelRow:
    """A model by its name.

    Raises:
        InputError: there is none.
    """
    from sqlalchemy import select

    from consilium.alliance.library.tables import ModelRow

    found = session.scalar(select(ModelRow).where(ModelRow.name == name))
    if found is None:
        raise InputError(f"there is no model {name!r} in the library", way_out="`consilium library search` lists them.")
    return found


def releases_of(session: Session, model: ModelRow) -> list[ReleaseRow]:
    """The versions of a model, newest first."""
    from sqlalchemy import select

    from consilium.alliance.library.tables import ReleaseRow

    rows = session.scalars(select(ReleaseRow).where(ReleaseRow.model_id == model.id))
    return sorted(rows, key=version_in, reverse=True)


def current_row(session: Session, model: ModelRow) -> int | None:
    """Id of the version that the channel "approved" of a model gives."""
    from sqlalchemy import select

    from consilium.alliance.library.tables import MoveRow

    newest = select(MoveRow).where(MoveRow.model_id == model.id).order_by(MoveRow.id.desc()).limit(1)
    found = session.scalar(newest)
    return None if found is None else found.release_id


def version_in(row: ReleaseRow) -> Version:
    """The version in a row."""
    return Version(row.major, row.minor, row.patch)


def told(session: Session, row: ReleaseRow, *, current: bool) -> Release:
    """A row as it is handed on."""
    from consilium.alliance.library.tables import KeyRow

    key = session.get_one(KeyRow, row.key)
    return Release(
        row=row.id,
        name=row.model.name,
        version=version_in(row),
        hospital=row.model.hospital,
        publisher=row.publisher,
        published=row.published,
        channel=row.channel,  # type: ignore[arg-type]
        current=current,
        digest=row.digest,
        key=PublicKey(pem=key.pem, fingerprint=key.fingerprint),
        key_revoked="" if key.revoked is None else key.reason or "no reason was given",
        kind=row.kind,
        task=row.task,
        licence=row.licence,
        cards=tuple(row.cards),
        files={one.name: one.sha256 for one in row.files},
        size=sum(one.size for one in row.files),
        approver=row.approver or "",
        approver_hospital=row.approver_hospital or "",
        approved=row.approved or "",
        reason=row.reason or "",
    )
