"""Pulling and running: a copy is fetched whole, verified, and verified again before every run.

A copy is never trusted because it was fine once: disks fail, people edit, and a model may have been taken back since.
So the catalogue is asked each time; where it cannot be reached, nothing runs from the library.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from consilium.alliance.library.contents import STATEMENT, Contents, verify, whole
from consilium.alliance.library.half import half_folder, sweep
from consilium.alliance.library.library import Library, Release, find
from consilium.alliance.library.reference import Reference, name_of, version_of
from consilium.alliance.library.store import sync_folder, unwritable
from consilium.alliance.library.use import count_use
from consilium.alliance.permissions import Person, require
from consilium.artefact.bundle import refuse_place
from consilium.errors import NotTrusted


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """A copy that may be used.

    Attributes:
        release: which version.
        contents: what is in it.
        first_key: whether its publisher was met for the first time.
    """

    release: Release
    contents: Contents
    first_key: bool


def pull(library: Library, person: Person, reference: Reference) -> Pulled:
    """Take a copy of a version, or see that the one that is there is whole; a damaged one is replaced.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such version.
        NotTrusted: it must not be used; the message says why.
        OutputError: it cannot be fetched or kept; nothing half is left.
    """
    require(person, "library.pull", of=person.hospital)
    release = resolved(library, reference)
    first = refuse_untrusted(library, release)
    with suppress(OSError):
        sweep(library.half)
    contents = _kept(library, release)
    with library.catalogue.writing() as session:
        count_use(session, release, person.hospital, "pull")
        library.note("library.pull", release.title, hospital=person.hospital, digest=release.digest)
    library.pins.add(release.hospital, release.key)
    library.pins.add_model(release.name, release.hospital)
    return Pulled(release=release, contents=contents, first_key=first)


def ready_to_run(library: Library, person: Person, reference: Reference) -> Pulled:
    """The verified copy of a version, entered as a run of this hospital; pulled where it was not yet.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such version.
        NotTrusted: it must not run; the message says why. An altered copy is not replaced: somebody has to look.
        OutputError: it cannot be fetched.
    """
    require(person, "library.run", of=person.hospital)
    release = resolved(library, reference)
    first = refuse_untrusted(library, release)
    if not copy_of(library, release).exists():
        pulled = pull(library, person, Reference(name=release.name, version=release.version))
        first, contents = pulled.first_key, pulled.contents
    else:
        contents = verify(copy_of(library, release), release.expected(), library.rules)
    with library.catalogue.writing() as session:
        count_use(session, release, person.hospital, "run")
        library.note("library.run", release.title, hospital=person.hospital, digest=release.digest)
    library.pins.add(release.hospital, release.key)
    library.pins.add_model(release.name, release.hospital)
    return Pulled(release=release, contents=contents, first_key=first)


def verify_copy(library: Library, person: Person, reference: Reference) -> Pulled:
    """Verify the copy of this installation, or what the store has where there is none; nothing is changed.

    Raises:
        NotAllowed, InputError, NotTrusted, OutputError: as `pull`.
    """
    require(person, "library.search", of=person.hospital)
    release = resolved(library, reference)
    first = refuse_untrusted(library, release)
    if copy_of(library, release).exists():
        contents = verify(copy_of(library, release), release.expected(), library.rules)
    else:
        with half_folder(library.half) as half:
            _fetch(library, release, half / "package")
            contents = verify(half / "package", release.expected(), library.rules)
    return Pulled(release=release, contents=contents, first_key=first)


def verify_folder(library: Library, person: Person, folder: Path) -> Pulled:
    """Verify a package in any folder against what the catalogue says of it.

    Raises:
        NotTrusted: it is damaged, is no package, or must not be used.
        NotAllowed, InputError: as `pull`.
    """
    require(person, "library.search", of=person.hospital)
    bundle = whole(folder)
    if STATEMENT not in bundle.files:
        raise NotTrusted("it was not published in a library", where=str(folder), way_out="consilium library publish.")
    said = bundle.document(STATEMENT)
    wanted = Reference(name=name_of(str(said.get("name"))), version=version_of(str(said.get("version"))))
    release = resolved(library, wanted)
    first = refuse_untrusted(library, release)
    return Pulled(release=release, contents=verify(folder, release.expected(), library.rules), first_key=first)


def copy_to(library: Library, pulled: Pulled, out: Path) -> None:
    """Put a copy of a pulled package elsewhere, whole or not at all.

    Raises:
        OutputError: the place is taken or cannot be written.
        NotTrusted: what was written is not what was published.
    """
    refuse_place(out, overwrite=False)
    half = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        shutil.copytree(pulled.contents.bundle.folder, half)
        verify(half, pulled.release.expected(), library.rules)
        _sync(half)
        half.replace(out)
    except (OSError, shutil.Error) as problem:
        raise unwritable(out, problem if isinstance(problem, OSError) else OSError(str(problem))) from problem
    finally:
        shutil.rmtree(half, ignore_errors=True)


def resolved(library: Library, reference: Reference) -> Release:
    """The version that is meant.

    Raises:
        InputError, NotTrusted: there is none.
    """
    with library.catalogue.reading() as session:
        return find(session, reference)


def refuse_untrusted(library: Library, release: Release) -> bool:
    """See that nothing is known against a version; tells whether its publisher's key is met for the first time.

    Raises:
        NotTrusted: it was retired, its key was revoked, or is not the one that this hospital knows.
    """
    if release.channel == "retired":
        raise NotTrusted(
            f"{release.title} was retired: {release.reason}",
            way_out=f"Take the version that is approved: consilium library show {release.name}.",
        )
    if release.key_revoked:
        raise NotTrusted(
            f"the key that signed {release.title} was revoked: {release.key_revoked}",
            way_out="Wait for a version that is signed with a new key.",
        )
    library.pins.require_model(release.name, release.hospital)
    return library.pins.require(release.hospital, release.key)


def copy_of(library: Library, release: Release) -> Path:
    """Where the copy of a version lies on this installation, if it was pulled."""
    return library.folder / "pulled" / release.name / f"{release.version}-{release.digest[:12]}"


def _kept(library: Library, release: Release) -> Contents:
    """The copy of a version, fetched where there is none that is whole."""
    place = copy_of(library, release)
    if place.exists():
        try:
            return verify(place, release.expected(), library.rules)
        except NotTrusted:
            # Fetched anew below; what the store has is verified too.
            pass
    with half_folder(library.half) as half:
        new = half / "package"
        _fetch(library, release, new)
        verify(new, release.expected(), library.rules)
        try:
            _sync(new)
            place.parent.mkdir(parents=True, exist_ok=True)
            with _alone_in(place.parent):
                # Somebody else may have pulled the same meanwhile: one that is whole is never moved.
                if place.exists():
                    try:
                        return verify(place, release.expected(), library.rules)
                    except NotTrusted:
                        place.rename(half / "former")
                new.rename(place)
                sync_folder(place.parent)
        except OSError as problem:
            raise unwritable(place, problem) from problem
    return verify(place, release.expected(), library.rules)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until nobody else puts a copy into a folder; the lock dies with its process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _fetch(library: Library, release: Release, folder: Path) -> None:
    """Bring the files of a version together; each is held against its digest.

    Raises:
        NotTrusted: the store has another.
        OutputError: the store lacks one, or there is no room.
    """
    for name, digest in release.files.items():
        target = folder / name
        # Names come from the catalogue, which others write to.
        if not target.resolve().is_relative_to(folder.resolve()):
            raise NotTrusted(f"the catalogue names a file outside its package ({name[:80]!r})", where=release.title)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise unwritable(target.parent, problem) from problem
        library.store.fetch(release.name, digest, target)


def _sync(folder: Path) -> None:
    for place, _, _ in os.walk(folder):
        sync_folder(Path(place))
