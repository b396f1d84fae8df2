"""Where two readers differ, and what was decided about it: pure, and nothing of it is ever overwritten.

A difference is recomputed from what both readers say now; a decision settles exactly the pair of values that it was
about. So a cell that is edited to what the second reader said differs no longer, and one that is edited to something
else differs anew, whatever was decided before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from consilium.cytogenetics.iscn.parse import NotISCN, parse
from consilium.cytogenetics.iscn.write import write

What = Literal["count", "karyotype", "label"]
Kept = Literal["first", "second"]
KEPT: tuple[Kept, ...] = get_args(Kept)

Standing = Literal["open", "settled", "to carry out"]
"""Nobody decided; the first reading stays; the second is right and the cell does not say so yet."""

CASE = ""
"""In place of a cell's name: the case as a whole."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one reader says of a cell, or of the case.

    Attributes:
        cell: name of the cell, or `CASE`.
        count: number of chromosomes; None where only the karyotype is said.
        karyotype: as ISCN writes it; empty where only the count is said.
        labels: classes of single objects, by the object's id: those that this reader names herself.
    """

    cell: str
    count: int | None = None
    karyotype: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that the readers say differently.

    Attributes:
        cell: name of the cell, or `CASE`.
        what: of which kind.
        of: id of the object where it is its label, else empty.
        first, second: what each says.
        chromosomes: the chromosomes that it is about, as ISCN names them ("21", "+21", "XX").
    """

    cell: str
    what: What
    of: str = ""
    first: str
    second: str
    chromosomes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided about a difference.

    Attributes:
        cell, what, of, first, second: the difference, as it was then.
        kept: whose value is right.
        reason: why.
        by: who decided.
        at: when, ISO 8601 in UTC.
    """

    cell: str
    what: What
    of: str
    first: str
    second: str
    kept: Kept
    reason: str
    by: str
    at: str


@dataclass(frozen=True, kw_only=True)
class Stand:
    """A difference and where it stands; `decision` is the newest about it."""

    difference: Difference
    standing: Standing
    decision: Decision | None = None


def differences(first: Reading, second: Reading) -> tuple[Difference, ...]:
    """What two readers of one cell, or of the case, say differently.

    Only what the second one said is compared: a count, a karyotype, labels of single objects.

    Args:
        first: the reading that stands.
        second: the independent one.
    """
    found = []
    if second.count is not None and first.count is not None and second.count != first.count:
        found.append(Difference(cell=second.cell, what="count", first=str(first.count), second=str(second.count)))
    if second.karyotype and not same(first.karyotype, second.karyotype):
        found.append(
            Difference(
                cell=second.cell, what="karyotype", first=first.karyotype, second=second.karyotype,
                chromosomes=unlike(first.karyotype, second.karyotype),
            )
        )  # fmt: skip
    for name, label in sorted(second.labels.items()):
        had = first.labels.get(name, "")
        if had != label:
            classes = tuple(dict.fromkeys(one for one in (had, label) if one))
            found.append(
                Difference(cell=second.cell, what="label", of=name, first=had, second=label, chromosomes=classes)
            )
    return tuple(found)


def standing(found: Iterable[Difference], decisions: Sequence[Decision]) -> tuple[Stand, ...]:
    """Where each difference stands.

    Args:
        found: as both readings are now.
        decisions: oldest first; the newest about a difference holds.
    """
    newest = {(one.cell, one.what, one.of, one.first, one.second): one for one in decisions}
    told = []
    for one in found:
        decision = newest.get((one.cell, one.what, one.of, one.first, one.second))
        state: Standing = "open"
        if decision is not None:
            state = "settled" if decision.kept == "first" else "to carry out"
        told.append(Stand(difference=one, standing=state, decision=decision))
    return tuple(told)


def same(one: str, other: str) -> bool:
    """Whether two karyotypes say the same, however they are spelt; numbers of cells are no part of it."""
    return _spelt(one) == _spelt(other)


def unlike(one: str, other: str) -> tuple[str, ...]:
    """The parts of two karyotypes that only one of them has, in the order of the strings; counts are left out."""
    first, second = _parts(one), _parts(other)
    return tuple(
        dict.fromkeys(
            [*(part for part in first if part not in second), *(part for part in second if part not in first)]
        )
    )


def _spelt(text: str) -> str:
    bare = text.strip()
    try:
        return write(parse(bare))
    except NotISCN:
        return bare


def _parts(text: str) -> list[str]:
    return [part for line in _spelt(text).split("/") for part in line.split("[")[0].split(",")[1:]]
