"""Finding models: by words, by how the images are made, by where a version stands."""

from __future__ import annotations

from consilium.alliance.library.library import Library, Release, current_row, model_called, releases_of, told
from consilium.alliance.library.reference import Channel
from consilium.alliance.permissions import Person, require


def search(
    library: Library, person: Person, *words: str, modality: str = "", channel: Channel | None = None
) -> tuple[Release, ...]:
    """One version of every model that fits: the approved one, else the newest that is not retired, else the newest.

    Args:
        library: to look in.
        person: who looks.
        *words: each has to be in its name, task, intended use, or data.
        modality: identifier, as `consilium modalities` lists them.
        channel: where the version has to stand.

    Raises:
        NotAllowed: the person may not.
    """
    from sqlalchemy import select

    from consilium.alliance.library.tables import ModelRow

    require(person, "library.search", of=person.hospital)
    found: list[Release] = []
    with library.catalogue.reading() as session:
        for model in session.scalars(select(ModelRow).order_by(ModelRow.name)):
            current = current_row(session, model)
            every = [told(session, one, current=one.id == current) for one in releases_of(session, model)]
            fitting = [one for one in every if channel is None or one.channel == channel]
            fitting.sort(key=lambda one: (one.current, one.channel != "retired", one.version), reverse=True)
            if fitting and _fits(fitting[0], words, modality):
                found.append(fitting[0])
    return tuple(found)


def versions(library: Library, person: Person, name: str) -> tuple[Release, ...]:
    """All versions of a model, newest first.

    Raises:
        NotAllowed: the person may not.
        InputError: there is no such model.
    """
    require(person, "library.search", of=person.hospital)
    with library.catalogue.reading() as session:
        model = model_called(session, name)
        current = current_row(session, model)
        return tuple(told(session, one, current=one.id == current) for one in releases_of(session, model))


def as_document(release: Release, person: Person) -> dict[str, object]:
    """A version as JSON. Names of people are for their own hospital and the operator; hospitals are for all."""
    near = person.hospital == release.hospital or "operator" in person.roles
    approver_near = person.hospital == release.approver_hospital or "operator" in person.roles
    return {
        "name": release.name, "version": str(release.version), "channel": release.channel, "current": release.current,
        "kind": release.kind, "task": release.task, "licence": release.licence, "hospital": release.hospital,
        "publisher": release.publisher if near else None, "published": release.published,
        "approver": release.approver if approver_near else None,
        "approver_hospital": release.approver_hospital or None, "approved": release.approved or None,
        "reason": release.reason or None, "digest": release.digest, "key": release.key.fingerprint,
        "key_revoked": release.key_revoked or None, "size": release.size, "files": dict(release.files),
        "cards": [dict(card) for card in release.cards],
    }  # fmt: skip


def _fits(release: Release, words: tuple[str, ...], modality: str) -> bool:
    cards = release.cards
    if modality and not any(modality in card.get("modalities", ()) for card in cards):
        return False
    text = " ".join(
        [release.name, release.task, release.hospital]
        + [str(card.get(part, "")) for card in cards for part in ("name", "task", "intended_use", "modalities")]
        + [str(data["name"]) for card in cards for data in card.get("trained_on", ())]
    ).casefold()
    return all(word.casefold() in text for word in words)
