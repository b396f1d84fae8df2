"""How versions are printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consilium.alliance.library.library import Release
    from consilium.alliance.permissions import Person


def listed(releases: Sequence[Release]) -> Iterator[str]:
    """One line each, in columns."""
    if not releases:
        return
    rows = [("NAME", "VERSION", "CHANNEL", "HOSPITAL", "LICENCE", "MB", "TASK")]
    rows += [
        (
            one.name, str(one.version), one.channel, one.hospital, one.licence, f"{one.size / 1e6:.1f}",
            one.task if len(one.task) <= 60 else f"{one.task[:57]}...",
        )
        for one in releases
    ]  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def described(releases: Sequence[Release], person: Person) -> Iterator[str]:
    """All versions, then the cards of the one that is approved, or the newest.

    Names of people are for their own hospital and the operator.
    """
    from consilium.alliance.library.search import as_document

    for one in releases:
        told = as_document(one, person)
        by = f" by {told['publisher']}" if told["publisher"] else ""
        line = f"{one.title}: {one.channel}{' (current)' if one.current else ''}, published {one.published[:10]}{by}"
        if one.approved:
            approver = told["approver"] or "somebody"
            line += f", approved {one.approved[:10]} by {approver} of {one.approver_hospital}"
        yield line + (f", {one.reason}" if one.reason else "")
    shown = next((one for one in releases if one.current), releases[0])
    yield ""
    yield f"{shown.title} of {shown.hospital}, {shown.kind}, {shown.licence}, {len(shown.files)} files"
    yield f"  digest    {shown.digest}"
    yield f"  key       {shown.key.fingerprint}" + (f", revoked: {shown.key_revoked}" if shown.key_revoked else "")
    for card in shown.cards:
        yield ""
        yield from _card(card, shown.title)


def _card(card: Mapping[str, Any], title: str) -> Iterator[str]:
    from consilium.artefact.card import card_of
    from consilium.cli.models import describe

    yield from describe(card_of(card, Path(title))).splitlines()
