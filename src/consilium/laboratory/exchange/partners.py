"""With whom the laboratory exchanges, and what its partners' codes mean here: one document that an administrator keeps.

No code is guessed. Blood may be asked about for a child or for a leukaemia, and the turnaround hangs on it: what the
other system's code means is settled here, or the order is refused with the code in the message.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consilium.cytogenetics.guidelines import load
from consilium.errors import InputError, NotFound
from consilium.laboratory.entry import entry

if TYPE_CHECKING:
    from consilium.laboratory.journal import Change

CHARSETS: Mapping[str, str] = {
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "GB 18030-2000": "gb18030",
    "GB18030": "gb18030",
    "GB2312": "gb18030",
    "GBK": "gb18030",
    "ASCII": "ascii",
    "8859/1": "iso8859-1",
}
"""What MSH-18 may say (HL7 table 0211, and what is written instead of it) and the codec."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A system that gets results by HL7 over MLLP.

    Attributes:
        host, port: where it listens.
        application, facility: MSH-5 and MSH-6.
        charset: MSH-18, one of `CHARSETS`.
        identity: whether it is told who the patient is; otherwise the laboratory's number alone.
        pdf: language of the report as PDF that it gets too, en or zh; empty: none.
    """

    host: str
    port: int
    application: str = ""
    facility: str = ""
    charset: str = "UNICODE UTF-8"
    identity: bool = False
    pdf: str = ""

    def __post_init__(self) -> None:
        _check_place(self.host, self.port)
        if self.pdf not in ("", "en", "zh"):
            raise InputError(f"there is no PDF in {self.pdf!r}", way_out="en, zh, or nothing.")
        if self.charset not in CHARSETS:
            raise InputError(f"there is no character set {self.charset!r}", way_out=f"One of {', '.join(CHARSETS)}.")


@dataclass(frozen=True, kw_only=True)
class Archive:
    """An archive of pictures (PACS).

    Attributes:
        host, port, title: where it listens and its AE title.
        ours: the AE title that the laboratory calls itself.
        web: URL of its DICOMweb service; empty where it has none, and then DIMSE is spoken.
        identity: whether what is stored there tells who the patient is.
    """

    host: str = "127.0.0.1"
    port: int = 104
    title: str = "ANY-SCP"
    ours: str = "CONSILIUM"
    web: str = ""
    identity: bool = False

    def __post_init__(self) -> None:
        _check_place(self.host, self.port)
        for name in (self.title, self.ours):
            # PS3.8: sixteen letters of the default repertoire, not blanks alone, no backslash.
            if not (1 <= len(name) <= 16 and name.isascii() and name.isprintable() and name.strip()) or "\\" in name:
                raise InputError("this is no AE title", way_out="At most 16 ASCII letters without a backslash.")
        if self.web and not self.web.startswith(("http://", "https://")):
            raise InputError("this is no URL of a DICOMweb service", way_out="As in https://pacs.hospital/dicom-web.")


@dataclass(frozen=True, kw_only=True)
class Partners:
    """Everything that is settled about the exchange.

    Attributes:
        application, facility: how the laboratory calls itself (MSH-3, MSH-4).
        authority: whose numbers of patients and orders are written bare; those of others get @AUTHORITY.
        services: codes of what is ordered (OBR-4, ServiceRequest.code), to kinds of the guidelines.
        specimens: codes of specimens (SPM-4, OBR-15, Specimen.type), to kinds of the guidelines.
        processing: what MSH-11 may be: P, or T and D too where a system is tried out.
        receivers: by name.
        archives: by name.
    """

    application: str = "CONSILIUM"
    facility: str = ""
    authority: str = ""
    services: Mapping[str, str] = field(default_factory=dict)
    specimens: Mapping[str, str] = field(default_factory=dict)
    processing: tuple[str, ...] = ("P",)
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    archives: Mapping[str, Archive] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = load().specimens
        for meaning in (*self.services.values(), *self.specimens.values()):
            if meaning not in known:
                raise InputError(f"{meaning!r} is no kind of specimen", way_out=f"One of {', '.join(known)}.")
        if not self.processing or set(self.processing) - {"P", "T", "D"}:
            raise InputError("processing is of P (production), T (training) and D (debugging)")
        for name in ("application", "facility", "authority"):
            entry(name, getattr(self, name), longest=100)

    def receiver(self, name: str) -> Receiver:
        """A receiver by its name.

        Raises:
            NotFound: there is none.
        """
        found: Receiver = _named(self.receivers, name, "receiver")
        return found

    def archive(self, name: str) -> Archive:
        """An archive by its name.

        Raises:
            NotFound: there is none.
        """
        found: Archive = _named(self.archives, name, "archive")
        return found


def to_json(partners: Partners) -> str:
    """The settings as they stand in the records."""
    return json.dumps(dataclasses.asdict(partners), ensure_ascii=False, sort_keys=True)


def from_json(text: str) -> Partners:
    """The settings from the records, or from a file that a person wrote.

    Raises:
        InputError: they are none; the message says which entry.
    """
    try:
        told = json.loads(text)
        if not isinstance(told, dict):
            raise TypeError("not an object")
        told["receivers"] = {name: _made(Receiver, one) for name, one in told.get("receivers", {}).items()}
        told["archives"] = {name: _made(Archive, one) for name, one in told.get("archives", {}).items()}
        told["processing"] = tuple(told.get("processing", ("P",)))
        found: Partners = _made(Partners, told)
        return found
    except (ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise InputError(f"these are no settings of an exchange ({problem})") from problem


def partners_in(change: Change) -> Partners:
    """What is settled; the defaults where nothing is."""
    from sqlalchemy import select

    from consilium.laboratory.exchange.tables import ExchangeRow

    row = change.session.scalar(select(ExchangeRow).limit(1))
    return Partners() if row is None else from_json(row.document)


def settle(change: Change, partners: Partners, *, reason: str) -> None:
    """Settle the exchange anew.

    Raises:
        NotAllowed: the person may not.
        InputError: no reason was told.
    """
    from sqlalchemy import select

    from consilium.laboratory.exchange.tables import ExchangeRow

    why = entry("a reason", reason, needed=True)
    row = change.session.scalar(select(ExchangeRow).limit(1))
    if row is None:
        change.add(ExchangeRow(document=to_json(partners)), "exchange.settle", reason=why)
    else:
        change.edit(row, "exchange.settle", reason=why, document=to_json(partners))


def _made(kind: Any, told: Any) -> Any:
    if not isinstance(told, dict):
        raise TypeError(f"a {kind.__name__.lower()} is an object")
    fields = {one.name: one for one in dataclasses.fields(kind)}
    if unknown := sorted(set(told) - set(fields)):
        raise InputError(f"there is no entry {unknown[0]!r}", way_out=f"There are {', '.join(fields)}.")
    wanted = {"str": str, "int": int, "bool": bool}
    for name, value in told.items():
        right = wanted.get(str(fields[name].type))
        if right is not None and type(value) is not right:
            raise InputError(f"the entry {name} is no {right.__name__}")
        if fields[name].type == "Mapping[str, str]" and not (
            isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
        ):
            raise InputError(f"the entry {name} is no object of texts")
    return kind(**told)


def _named(known: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in known:
        names = ", ".join(sorted(known)) or "none yet"
        raise NotFound(f"there is no {what} of this name", way_out=f"Settled are: {names}.")
    return known[name]


def _check_place(host: str, port: int) -> None:
    if not host.strip() or not host.isprintable() or len(host) > 253:
        raise InputError("a host is needed", way_out="A name or an address.")
    if type(port) is not int or not 1 <= port <= 65535:
        raise InputError(f"{port} is no port", way_out="From 1 to 65535.")
