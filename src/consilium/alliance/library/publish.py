"""Publishing: what passes everything that stands before a run is kept in the store, then entered in the catalogue.

The entry is the last step. A call that is killed before it has published nothing: files that nobody names are in the
store at most, and the next call takes them up. What was published never changes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.alliance.library.catalogue import now
from consilium.alliance.library.contents import Contents, Expected, verify
from consilium.alliance.library.half import half_folder
from consilium.alliance.library.keys import own_key
from consilium.alliance.library.library import Library, Release, find, releases_of, version_in
from consilium.alliance.library.pack import Terms, pack, stated_version
from consilium.alliance.library.reference import Reference, Version, name_of
from consilium.alliance.permissions import Person, require
from consilium.artefact.runtime import model_of, sha256_of
from consilium.errors import InputError, ModelError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def publish(
    library: Library,
    person: Person,
    folder: Path,
    *,
    name: str,
    key: Path,
    version: Version | None = None,
    terms: Terms | None = None,
    signed_by: Path | None = None,
) -> Release:
    """Hand a bundle on as a candidate.

    Args:
        library: to publish in.
        person: who does; the model will be of this person's hospital.
        folder: of the bundle.
        name: of the model.
        key: private key of the hospital.
        version: of the model; None: the one that the bundle gives itself.
        terms: what is stated of it.
        signed_by: public key that a signed bundle is held against.

    Returns:
        What is in the catalogue now; the same as before where exactly this was published already.

    Raises:
        NotAllowed: the person may not publish.
        NotTrusted: the model is damaged, or something else about it would keep it from running.
        InputError: the name is another hospital's, the version has other content already, or something is not stated.
        OutputError, EngineError: the store or the catalogue cannot be written.
    """
    require(person, "library.publish", of=person.hospital)
    name_of(name)
    terms = terms or Terms()
    if terms.cases_may_leave:
        require(person, "library.share_cases", of=person.hospital)
    public = own_key(library, person, key)
    version = stated_version(folder) if version is None else version
    with half_folder(library.half) as half:
        package = half / "package"
        expected = Expected(name=name, version=version, publisher=person.hospital, key=public)
        try:
            pack(
                folder, package, name=name, version=version, publisher=person.hospital, key=key, public=public,
                terms=terms, rules=library.rules, signed_by=signed_by,
            )  # fmt: skip
            contents = verify(package, expected, library.rules)
            _refuse_unloadable(contents)
        except ModelError as problem:
            # The person knows the folder that was handed in, not the one that was made of it.
            where = problem.where.replace(str(package), str(folder))
            raise type(problem)(problem.what, where=where, way_out=problem.way_out) from problem
        # Refused before the long work; what counts is looked at again when it is entered.
        with library.catalogue.reading() as session:
            there = _already(session, expected, contents)
        if there is not None:
            return there
        files = contents.files()
        digests = {title: sha256_of(path) for title, path in files.items()}
        library.store.put(name, contents.digest, files, digests)
        return _enter(library, person, expected, contents, digests)


def _refuse_unloadable(contents: Contents) -> None:
    """See that every network loads, with the inputs and outputs of its card.

    Raises:
        ModelError: one does not.
    """
    for name, card in contents.cards.items():
        path = contents.bundle.folder / Path(name).parent / card.file
        model_of(card, path.read_bytes(), path, threads=1)


def _already(session: Session, expected: Expected, contents: Contents) -> Release | None:
    """What is in the catalogue under this name and version.

    Raises:
        InputError: something else, or the name is another hospital's.
    """
    from sqlalchemy import select

    from consilium.alliance.library.tables import ModelRow

    model = session.scalar(select(ModelRow).where(ModelRow.name == expected.name))
    if model is None:
        return None
    if model.hospital != expected.publisher:
        raise InputError(f"the name {expected.name} is another hospital's", way_out="Choose another name.")
    if not any(version_in(row) == expected.version for row in releases_of(session, model)):
        return None
    found = find(session, Reference(name=expected.name, version=expected.version))
    if found.digest != contents.digest:
        raise InputError(
            f"{found.title} was published with other content; what was published never changes",
            way_out="Give it the next version: --version.",
        )
    return found


def _enter(
    library: Library, person: Person, expected: Expected, contents: Contents, digests: dict[str, str]
) -> Release:
    from sqlalchemy import select

    from consilium.alliance.library.tables import FileRow, ModelRow, ReleaseRow

    with library.catalogue.writing() as session:
        # Writers wait for each other, so nobody enters the same between this look and the end of the block.
        there = _already(session, expected, contents)
        if there is not None:
            return there
        model = session.scalar(select(ModelRow).where(ModelRow.name == expected.name))
        if model is None:
            model = ModelRow(name=expected.name, hospital=person.hospital)
            session.add(model)
            session.flush()
        version = expected.version
        # As they come back: in JSON, tuples are lists.
        cards = json.loads(json.dumps([asdict(card) for card in contents.cards.values()]))
        row = ReleaseRow(
            model_id=model.id, major=version.major, minor=version.minor, patch=version.patch, digest=contents.digest,
            key=expected.key.fingerprint, kind=contents.kind, task=_task(contents), licence=contents.licence,
            cards=cards, channel="candidate", publisher=person.name,
            published=now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        sizes = {title: path.stat().st_size for title, path in contents.files().items()}
        session.add_all(
            FileRow(release_id=row.id, name=title, sha256=digest, size=sizes[title])
            for title, digest in digests.items()
        )
        session.flush()
        library.note(
            "library.publish", f"{expected.name} {version}", hospital=person.hospital, digest=contents.digest,
            licence=contents.licence,
        )  # fmt: skip
        return find(session, Reference(name=expected.name, version=version))


def _task(contents: Contents) -> str:
    if contents.kind == "karyotype":
        return "karyotype: metaphase images to karyograms"
    return "; ".join(card.task for card in contents.cards.values())
