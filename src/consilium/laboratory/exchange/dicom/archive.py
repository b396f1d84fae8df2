"""An archive of pictures (PACS): what is asked of one, in whichever way it is spoken to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from consilium.errors import MissingExtra
from consilium.laboratory.exchange.partners import Archive

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MOST_FOUND = 1000
"""Studies or pictures of one answer; whoever asks for more asks too widely."""

Take = Callable[["Dataset"], None]
"""Takes one object that was fetched."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What studies are looked for by; empty entries are not asked about. `*` and `?` stand for letters.

    Attributes:
        patient: its number.
        accession: number of the order, as the archive calls it.
        study: UID.
        day: YYYYMMDD, or FIRST-LAST.
    """

    patient: str = ""
    accession: str = ""
    study: str = ""
    day: str = ""


@dataclass(frozen=True, kw_only=True)
class FoundStudy:
    """A study that an archive has."""

    uid: str
    patient: str
    accession: str
    day: str
    description: str
    modalities: str
    instances: int


@dataclass(frozen=True, kw_only=True)
class FoundInstance:
    """An object of a study."""

    uid: str
    series: str
    kind: str
    modality: str


class Spoken(Protocol):
    """An archive that is spoken to. Each call raises EngineError where it does not answer, or not wholly."""

    def echo(self) -> None:
        """See that it answers."""

    def studies(self, wanted: Wanted) -> tuple[FoundStudy, ...]:
        """Studies that it has."""

    def instances(self, study: str) -> tuple[FoundInstance, ...]:
        """Objects of a study."""

    def fetch(self, study: str, instances: Sequence[FoundInstance], take: Take) -> None:
        """Have objects given, each to `take` as it comes."""

    def store(self, objects: Sequence[Dataset]) -> None:
        """Store objects; those that it has stay as they are."""


def spoken(archive: Archive, *, seconds: float = 30.0) -> Spoken:
    """An archive, by DICOMweb where it has a URL, else by DIMSE.

    Raises:
        MissingExtra: what speaks to it is not installed.
    """
    module = "dicomweb_client" if archive.web else "pynetdicom"
    if find_spec(module) is None:
        raise MissingExtra(
            f"{module} is needed to speak to an archive", way_out="Install it: pip install 'consilium[exchange]'."
        )
    if archive.web:
        from consilium.laboratory.exchange.dicom.web import Web

        return Web(archive, seconds=seconds)
    from consilium.laboratory.exchange.dicom.dimse import Dimse

    return Dimse(archive, seconds=seconds)
