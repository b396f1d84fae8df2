"""Who uses which version.

A hospital sees its own use. The publisher of a model sees how many hospitals use each version and how often, and no
name. The operator sees all, since he has to reach those who run what was taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from consilium.alliance.library.catalogue import now
from consilium.alliance.library.library import Library, Release, version_in
from consilium.alliance.permissions import Person, allowed, require

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True)
class Use:
    """How much a version is used.

    Attributes:
        name, version: of the model.
        hospital: that uses it; empty where several are counted together.
        hospitals: how many.
        pulls, runs: how often.
        last: the newest of them; empty where that is not told.
    """

    name: str
    version: str
    hospital: str
    hospitals: int
    pulls: int
    runs: int
    last: str


def count_use(session: Session, release: Release, hospital: str, what: Literal["pull", "run"]) -> None:
    """Count a pull or a run of a hospital."""
    from consilium.alliance.library.tables import UseRow

    row = session.get(UseRow, (release.row, hospital))
    if row is None:
        row = UseRow(release_id=release.row, hospital=hospital, pulls=0, runs=0, first=now(), last=now())
        session.add(row)
    row.pulls, row.runs, row.last = row.pulls + (what == "pull"), row.runs + (what == "run"), now()
    session.flush()


def usage(library: Library, person: Person) -> tuple[Use, ...]:
    """What a person may know of the use of models: by hospital where he may, counted together where he published.

    Raises:
        NotAllowed: nothing.
    """
    from sqlalchemy import select

    from consilium.alliance.library.tables import ReleaseRow, UseRow

    require(person, "library.usage", of=person.hospital)
    found: list[Use] = []
    with library.catalogue.reading() as session:
        rows = session.execute(select(UseRow, ReleaseRow).join(ReleaseRow, UseRow.release_id == ReleaseRow.id)).all()
        by_release: dict[int, list[tuple[UseRow, ReleaseRow]]] = {}
        for use, release in rows:
            by_release.setdefault(release.id, []).append((use, release))
        for members in by_release.values():
            release = members[0][1]
            title = {"name": release.model.name, "version": str(version_in(release))}
            if person.hospital == release.model.hospital and allowed(person, "library.publish", of=person.hospital):
                uses = [use for use, _ in members]
                found.append(
                    Use(
                        **title, hospital="", hospitals=len(uses), pulls=sum(one.pulls for one in uses),
                        runs=sum(one.runs for one in uses), last="",
                    )
                )  # fmt: skip
            found += [
                Use(**title, hospital=use.hospital, hospitals=1, pulls=use.pulls, runs=use.runs, last=use.last)
                for use, _ in members
                if allowed(person, "library.usage", of=use.hospital)
            ]
    return tuple(sorted(found, key=lambda one: (one.name, one.version, one.hospital)))
