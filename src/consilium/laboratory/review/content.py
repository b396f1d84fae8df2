"""What a report says: the one document that is shown, signed, printed and sent.

Who the patient is (name, birth date) is not in it, only the laboratory's number: identity is joined where a report is
made for somebody who may see it. Pictures stand in it by their hash. The hash of its canonical bytes is what a
signature binds; so everything that a reader of the report relies on has to be in here.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from consilium.errors import InputError
from consilium.laboratory.review import canonical

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = ("en", "zh")

ISCN_EDITION = "ISCN 2024"
"""The edition that strings are written in (ISCN 2024, 4.2a asks a report to say so)."""

Format = Literal["consilium-report-1"]
"""Which entries a content has: other entries are another format, and contents that were signed are never rewritten."""

Disclosed = Literal["stated", "withheld"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """A specimen that the report is about.

    Attributes:
        label: of the laboratory.
        kind: a key of the guidelines, e.g. "constitutional_blood".
        condition: as it came.
        collected: ISO 8601 in UTC; empty where it was not told.
        received: ISO 8601 in UTC.
    """

    label: str
    kind: str
    condition: str
    collected: str
    received: str


@dataclass(frozen=True, kw_only=True)
class CellLine:
    """A line of the karyotype.

    Attributes:
        iscn: the line as it is written.
        cells: names of its cells.
    """

    iscn: str
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Karyogram:
    """A karyogram that stands in the report.

    Attributes:
        cell: name of its cell.
        karyotype: what this cell shows.
        sha256: of its PNG file.
        interactions: how many acts of a person it took, confirmations included.
        synthetic: whether the cell was drawn by a program.
    """

    cell: str
    karyotype: str
    sha256: str
    interactions: int
    synthetic: bool


@dataclass(frozen=True, kw_only=True)
class Mosaicism:
    """What another line could be at most, where all cells are alike (Hook 1977), as parts of 1.

    Attributes:
        cells: that are alike.
        at_95, at_99: the smallest part of other cells that they exclude at 95 % and 99 % confidence.
    """

    cells: int
    at_95: float
    at_99: float


@dataclass(frozen=True, kw_only=True)
class Check:
    """A figure that a guideline asks for.

    Attributes:
        what: which (`cytogenetics.guidelines.FIGURES`).
        asked: the figure.
        found: what the case has; None where it is not known.
        met: whether that is enough; None where it is not known.
        source: who asks.
        reason: why the report goes out although it is missed, in the words of the person who says so; else empty.
    """

    what: str
    asked: int
    found: int | None
    met: bool | None
    source: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that read the cells."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ReportContent:
    """Everything that a report says.

    Attributes:
        laboratory: its name.
        zone: of its clocks, an IANA name: printed days and times are in it.
        case_number: the laboratory's number of the case.
        revision: 1 for the first report, 2 and so on for amendments.
        patient_number: the laboratory's number of the patient.
        specimen: what the case is of, a key of the guidelines.
        specimens: the specimens themselves.
        received: when the case came, ISO 8601 in UTC.
        indication, referrer, order_number: as they came with it; empty where they were not told.
        iscn: the karyotype that the person who reports has settled, as it may be given out.
        iscn_edition: of the nomenclature.
        iscn_override: why the string stands although the validator finds an error in it; else empty.
        sex: whether the sex chromosomes are stated, or U stands for them as was asked.
        cells_counted, cells_analysed, cells_karyotyped: names of cells, by the three acts.
        banding: how the slides were stained, e.g. "G"; empty where no slide was recorded.
        band_level: bands per haploid set; 0 where it is not known.
        lines: of the karyotype, in its order.
        interpretation: by language.
        limitations: by language.
        mosaicism: what is excluded; None where it does not apply.
        checks: figures of guidelines.
        karyograms: that stand in the report.
        analysed_by, reviewed_by: names of staff; the reviewer is empty where the laboratory wants none.
        disagreements: how many differences between both readers were settled.
        amendment_reason: why there is a further revision; empty for the first.
        supersedes: `content_sha256` of the revision before; empty for the first.
        unreviewed: flagged chromosomes of the analysed cells that nobody looked at.
        models: that read the cells.
        consilium: version of the program that made the document.
        format: of the document.

    Raises:
        InputError: entries contradict each other or are none.
    """

    laboratory: str
    zone: str
    case_number: str
    revision: int
    patient_number: str
    specimen: str
    specimens: tuple[Specimen, ...]
    received: str
    indication: str
    referrer: str
    order_number: str
    iscn: str
    iscn_edition: str = ISCN_EDITION
    iscn_override: str = ""
    sex: Disclosed = "stated"
    cells_counted: tuple[str, ...]
    cells_analysed: tuple[str, ...]
    cells_karyotyped: tuple[str, ...]
    banding: tuple[str, ...]
    band_level: int
    lines: tuple[CellLine, ...]
    interpretation: Mapping[Lang, str]
    limitations: Mapping[Lang, tuple[str, ...]]
    mosaicism: Mosaicism | None
    checks: tuple[Check, ...]
    karyograms: tuple[Karyogram, ...]
    analysed_by: str
    reviewed_by: str
    disagreements: int
    unreviewed: int
    amendment_reason: str = ""
    supersedes: str = ""
    models: tuple[Model, ...]
    consilium: str
    format: Format = "consilium-report-1"

    def __post_init__(self) -> None:
        for name in ("laboratory", "zone", "case_number", "patient_number", "specimen", "iscn_edition"):
            _check(bool(getattr(self, name).strip()), f"a report without {name}")
        _check(self.revision >= 1, "a revision below 1")
        _check((self.revision > 1) == bool(self.supersedes), "a revision that does not say what it supersedes")
        _check((self.revision > 1) == bool(self.amendment_reason.strip()), "an amendment without a reason")
        _check(not self.supersedes or _is_hash(self.supersedes), "something superseded that is no hash")
        _check(set(self.interpretation) == set(LANGS), "an interpretation that is not in both languages")
        _check(set(self.limitations) == set(LANGS), "limitations that are not in both languages")
        _check(min(self.band_level, self.disagreements, self.unreviewed) >= 0, "a number below 0")
        self._check_cells()
        self._check_parts()

    def _check_cells(self) -> None:
        for cells in (self.cells_counted, self.cells_analysed, self.cells_karyotyped):
            _check(all(cells) and not _twice(cells), "a cell that is named twice, or not at all")
        _check(not _twice(name for line in self.lines for name in line.cells), "a cell in two lines")
        _check(not _twice(one.cell for one in self.karyograms), "two karyograms of one cell")

    def _check_parts(self) -> None:
        for karyogram in self.karyograms:
            _check(_is_hash(karyogram.sha256) and karyogram.interactions >= 0, "a karyogram without its hash")
        _check(all(_is_hash(one.sha256) for one in self.models), "a model without its hash")
        times = [self.received, *(one.received for one in self.specimens)]
        times += [one.collected for one in self.specimens if one.collected]
        _check(all(_TIME.fullmatch(one) for one in times), "a time that is none")
        if self.mosaicism is not None:
            told = self.mosaicism
            _check(told.cells >= 1 and 0 < told.at_95 <= told.at_99 <= 1, "an excluded mosaicism that is none")
            # Else the content that is read back would be another one than was written.
            rounded = all(one == round(one, canonical.PLACES) for one in (told.at_95, told.at_99))
            _check(rounded, f"a fraction with more than {canonical.PLACES} places")
        for check in self.checks:
            _check(check.asked >= 0 and (check.found is None or check.found >= 0), "a figure below 0")
            _check((check.found is None) == (check.met is None), "a figure that is met and not known")

    @property
    def synthetic(self) -> bool:
        """Whether a karyogram of it was drawn by a program."""
        return any(one.synthetic for one in self.karyograms)


def document(content: ReportContent) -> bytes:
    """The canonical bytes of a content, UTF-8.

    Raises:
        InputError: a text in it cannot stand there.
    """
    return canonical.written(content)


def content_sha256(content: ReportContent) -> str:
    """The hash of what a report says, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(document(content)).hexdigest()


def from_document(told: bytes, *, sha256: str | None = None) -> ReportContent:
    """A content from its document.

    Args:
        told: its canonical bytes.
        sha256: that they must have; not looked at when left out.

    Raises:
        InputError: it is no such document, or another one than the hash says.
    """
    if sha256 is not None and hashlib.sha256(told).hexdigest() != sha256:
        raise InputError(
            "the content of this report is not the one that was signed",
            way_out="Do not use it; compare with the copy that was sent out.",
        )
    return canonical.read(ReportContent, told)


def _check(right: bool, told: str) -> None:
    if not right:
        raise InputError(f"a report cannot have {told}")


def _is_hash(text: str) -> bool:
    return _SHA256.fullmatch(text) is not None


def _twice(names: Iterable[str]) -> bool:
    return any(times > 1 for times in Counter(names).values())
