"""What an ISCN string says, as values: results, lines, items, rearrangements, breakpoints.

Every node knows where it stands in the string (`span`, half-open, in characters); two nodes are equal when they say the
same, wherever they stand. Names are those of ISCN 2024.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Arm = Literal["p", "q", ""]


class Span(NamedTuple):
    """Characters [start, end) of the string a node was read from."""

    start: int
    end: int


NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Node:
    """What every part of a result has."""

    span: Span = field(default=NOWHERE, compare=False, kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class Range(Node):
    """A number, or an interval of numbers ("45~48")."""

    low: int
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Point(Node):
    """One place on a chromosome as it is written: "q34", "p?13.1", "qter", "cen", "?"."""

    text: str

    @property
    def arm(self) -> Arm:
        """The arm; empty where it is not known, or the centromere."""
        letter = self.text.lstrip("?")[:1]
        return letter if letter in ("p", "q") else ""  # type: ignore[return-value]

    @property
    def band(self) -> str:
        """Region, band and sub-band without question marks, e.g. "13.1"; "ter"; empty for a whole arm."""
        return self.text.replace("?", "")[1:] if self.arm else ""

    @property
    def doubtful(self) -> bool:
        """Whether a question mark stands in it."""
        return "?" in self.text


@dataclass(frozen=True, slots=True)
class Breakpoint(Node):
    """Where a chromosome broke: one place, or several.

    Attributes:
        points: in the order written.
        relation: of several places: "~" the ends of an interval, "-" bands that are one band at 300 bphs, "or".
    """

    points: tuple[Point, ...]
    relation: Literal["", "~", "-", "or"] = ""


@dataclass(frozen=True, slots=True)
class ChromosomeName(Node):
    """Which chromosome: "1".."22", "X", "Y", or "?"; alternatives joined by "or"; its arm in "dup(6p)"."""

    name: str
    doubtful: bool = False
    others: tuple[str, ...] = ()
    arm: Arm = ""


@dataclass(frozen=True, slots=True)
class Landmark(Node):
    """A place in the detailed system: a point and, where it is told, its chromosome."""

    point: Point
    chromosome: str = ""


@dataclass(frozen=True, slots=True)
class Piece(Node):
    """A stretch from one landmark to another, in the order in which it lies.

    Attributes:
        start: where it begins; alone it is a whole arm, "?" or "hsr".
        end: where it ends.
        via: what is named between ("neo", "cen", other bands), mostly nothing.
    """

    start: Landmark
    end: Landmark | None = None
    via: tuple[Landmark, ...] = ()


@dataclass(frozen=True, slots=True)
class Strand(Node):
    """One chromosome in the detailed system: pieces joined by "::" or ended by ":".

    Attributes:
        pieces: in their order.
        breaks: what stands before, between and after them: "", ":" or "::"; one more than there are pieces.
    """

    pieces: tuple[Piece, ...]
    breaks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whole(Node):
    """A whole chromosome gained or lost."""

    chromosome: str


@dataclass(frozen=True, slots=True)
class Variant(Node):
    """A variable region, e.g. "21ps+", "9qh-" (heteromorphism)."""

    chromosome: str
    region: str
    change: Literal["+", "-", ""] = ""


@dataclass(frozen=True, slots=True)
class Counted(Node):
    """Markers, rings, double minutes and acentric fragments of unknown origin.

    Attributes:
        kind: "mar", "r", "dmin", "ace" or "min".
        number: how many are written before it; None for one, unwritten.
        index: which of several different ones ("mar2"); None where there is but one kind.
        bound: ">" more than the number, "~" about it, "~>" from the lower number to more than the higher.
    """

    kind: str
    number: Range | None = None
    index: int | None = None
    bound: Literal["", ">", "~", "~>"] = ""


@dataclass(frozen=True, slots=True)
class Incomplete(Node):
    """The karyotype is incomplete: changes that could not be told stand for themselves in "inc"."""


@dataclass(frozen=True, slots=True)
class Rearrangement(Node):
    """A structural change.

    Attributes:
        kind: "t", "del", "der", "psu dic" ...
        chromosomes: in the order written.
        breakpoints: for each chromosome those on it, in the order written; empty where none are given.
        strands: in the detailed system, what each chromosome consists of; else empty.
        then: the other changes of the same derivative chromosome ("t(3;5)..." of "der(3)t(3;5)..."), which have none
            after them themselves.
        doubtful: a question mark stands before a later change ("der(1)?t(1;3)..."); that of the first is the item's.
        origin: "c", "mat" ... behind it where another change follows ("der(14;21)(q10;q10)c t(3;21)...": acquired, on a
            constitutional derivative; 6.4g); that of the whole is the item's.
    """

    kind: str
    chromosomes: tuple[ChromosomeName, ...]
    breakpoints: tuple[tuple[Breakpoint, ...], ...] = ()
    strands: tuple[Strand, ...] = ()
    then: tuple[Rearrangement, ...] = ()
    doubtful: bool = False
    origin: str = ""


Abnormality = Whole | Variant | Counted | Incomplete | Rearrangement


@dataclass(frozen=True, slots=True)
class Item(Node):
    """One entry of a line.

    Attributes:
        abnormality: what it is.
        sign: "+" gained, "-" lost.
        doubtful: a question mark stands before it.
        copies: "x2", "x2~3"; None for one.
        origins: "c", "mat", "pat", "inh", "dn", "dmat", "dpat", "dinh"; "?c" where it may be constitutional.
        cells: in how many cells of a composite it was seen.
    """

    abnormality: Abnormality
    sign: Literal["+", "-", ""] = ""
    doubtful: bool = False
    copies: Range | None = None
    origins: tuple[str, ...] = ()
    cells: Cells | None = None


@dataclass(frozen=True, slots=True)
class Cells(Node):
    """How many cells: "[12]", or "[cp7]" of a composite karyotype."""

    number: int
    composite: bool = False


@dataclass(frozen=True, slots=True)
class Sex(Node):
    """The sex chromosomes as written; "U" where they are not disclosed.

    Attributes:
        chromosomes: "XX", "XY", "X", "XXY", "U", "?".
        doubtful: a question mark stands after them.
        constitutional: "c" stands after them.
    """

    chromosomes: str
    doubtful: bool = False
    constitutional: bool = False


@dataclass(frozen=True, slots=True)
class Reference(Node):
    """The clone that a line starts from: "idem", "sl", "sdl1"; with "x2" where it was doubled."""

    kind: Literal["idem", "sl", "sdl"]
    index: int | None = None
    copies: Range | None = None


@dataclass(frozen=True, slots=True)
class Line(Node):
    """One cell line or clone.

    Attributes:
        count: chromosomes.
        base: normal sex chromosomes, or the clone it starts from; None where no sex chromosome is normal
            ("46,t(X;Y)...").
        items: each a tuple of alternatives ("or"), mostly one.
        cells: how many cells it was seen in.
        ploidy: the level that gains and losses are told against ("<3n>" is 3); None where it is the usual one.
        ploidy_sign: "+" or "-" after the level; empty mostly.
        doubled: the count and copies of the whole line where it is written as "count(line)x2".
    """

    count: Range
    base: Sex | Reference | None
    items: tuple[tuple[Item, ...], ...] = ()
    cells: Cells | None = None
    ploidy: int | None = None
    ploidy_sign: str = ""
    doubled: Doubled | None = None


@dataclass(frozen=True, slots=True)
class Doubled(Node):
    """A line within parentheses that a cell has twice ("50(25,X,+8,+21)x2").

    Attributes:
        count: of the cell.
        copies: how often it has the line.
        ploidy, ploidy_sign: level of the cell, where it is told.
        items: what came after the doubling.
    """

    count: Range
    copies: Range
    ploidy: int | None = None
    ploidy_sign: str = ""
    items: tuple[tuple[Item, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Technique(Node):
    """What another technique showed: ".ish ...", ".arr ...", as written.

    Attributes:
        kind: "ish", "nuc ish", "arr", "ogm", "rsa", "seq" ...
        text: what follows.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Result(Node):
    """A whole ISCN string.

    Attributes:
        persons: lines by the person they come from: one, or recipient and donor of a transplant ("//"); empty where no
            cell of that person was seen.
        prefix: "mos", "chi", "mos chi" or nothing.
        techniques: what follows the karyotype.
        others: what the whole karyotype may be instead ("or"; 6.4c), each with neither techniques nor others.
    """

    persons: tuple[tuple[Line, ...], ...]
    prefix: Literal["", "mos", "chi", "mos chi"] = ""
    techniques: tuple[Technique, ...] = ()
    others: tuple[Result, ...] = ()

    @property
    def readings(self) -> tuple[Result, ...]:
        """The karyotype and what it may be instead, in the order written."""
        return (self, *self.others)
