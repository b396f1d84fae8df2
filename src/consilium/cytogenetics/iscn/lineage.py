"""What a clone has in full, references to other clones followed, and what each abnormality is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from consilium.cytogenetics.iscn.count import clone_referred_to, level
from consilium.cytogenetics.iscn.names import bare, head, told_where
from consilium.cytogenetics.iscn.tree import Counted, Incomplete, Item, Line, Rearrangement, Reference, Sex, Whole
from consilium.cytogenetics.iscn.validate_line import names_sex
from consilium.cytogenetics.iscn.write import abnormality

INHERITED = frozenset({"c", "?c", "mat", "pat", "inh", "dn", "dmat", "dpat", "dinh"})
"""Origins of what is not acquired."""

_COUNTS_TWICE = frozenset({"der", "ider", "trp", "qdp"})
_ONE_OF_TWO = frozenset({"dic", "psu dic", "trc", "dic r", "trc r"})
# Unbalanced changes of several chromosomes, triplications and isoderivatives count for two (Table 7).


@dataclass(frozen=True, slots=True)
class Clone:
    """One line with what it has in full, references followed.

    Attributes:
        line: as written.
        has: its abnormalities, each under a name that is the same with and without breakpoints.
    """

    line: Line
    has: dict[str, Item]

    @property
    def cells(self) -> int:
        """How many cells it was seen in; 0 where that is not told."""
        return self.line.cells.number if self.line.cells is not None else 0

    @property
    def acquired(self) -> set[str]:
        """Names of what it has beyond the constitutional."""
        return {name for name, item in self.has.items() if not set(item.origins) & INHERITED}

    @property
    def constitutional(self) -> bool:
        """Whether it is abnormal by what is constitutional alone."""
        c = isinstance(self.line.base, Sex) and self.line.base.constitutional
        return (c or bool(self.has)) and not self.acquired

    @property
    def complexity(self) -> tuple[int, int]:
        """Number of abnormalities: one each, and as Table 7 counts them."""
        found = [self.has[name] for name in self.acquired]
        return len(found), sum(map(_counts_for, found))

    @property
    def composite(self) -> bool:
        """Whether it is a composite karyotype."""
        return self.line.cells is not None and self.line.cells.composite


def _counts_for(item: Item) -> int:
    what = item.abnormality
    if isinstance(what, Rearrangement):
        return 2 if what.kind in _COUNTS_TWICE or (len(what.chromosomes) > 1 and what.kind in _ONE_OF_TWO) else 1
    return what.number.low if isinstance(what, Counted) and what.number and what.kind != "dmin" else 1


def named(written: str) -> str:
    """The name of an abnormality without breakpoints: "t(9;22)" of "t(9;22)(q34;q11.2)"."""
    head, bracket, rest = written.strip().partition("(")
    if not bracket:
        return head
    return head + bracket + rest.partition(")")[0] + ")"


def bare_name(item: Item) -> str:
    """What an abnormality is called without breakpoints."""
    what = item.abnormality
    return bare(what) if isinstance(what, Rearrangement) else item.sign + abnormality(what)


def _full_name(item: Item, before: Sequence[Line]) -> str:
    """What an abnormality is called with its breakpoints: its own, or those of the line where it was named first."""
    what = item.abnormality
    if not isinstance(what, Rearrangement):
        return bare_name(item)
    if told_where(what):
        return abnormality(what)
    name = bare(what)
    for line in before:
        for several in line.items:
            if bare_name(several[0]) == name:
                return abnormality(several[0].abnormality)
    return name


def short_name(item: Item) -> str:
    """The name by which an abnormality may be called later: its head alone."""
    what = item.abnormality
    return head(what) if isinstance(what, Rearrangement) else bare_name(item)


def abnormalities(line: Line, before: Sequence[Line]) -> dict[str, Item]:
    """All abnormalities of a line by their names, those of the clone it starts from included.

    Raises:
        NoMeaning: it refers to a clone that `before`, the lines before it, does not hold.
    """
    have: dict[str, Item] = {}
    if isinstance(line.base, Reference):
        at = clone_referred_to(line, before)
        have = dict(abnormalities(before[at], before[:at]))
        if line.base.copies is not None:
            have["doubled"] = Item(Incomplete(), span=line.base.span)
    elif isinstance(line.base, Sex) and not line.base.constitutional:
        have.update(_sex(line))
    if line.doubled is not None:
        have["doubled"] = Item(Incomplete(), span=line.doubled.span)
    restored = {
        one[0].abnormality.chromosome
        for one in line.items
        if isinstance(one[0].abnormality, Whole) and one[0].sign == "+"
    }
    times: Counter[str] = Counter()
    for several in (*line.items, *(line.doubled.items if line.doubled else ())):
        item = several[0]
        if isinstance(item.abnormality, Incomplete):
            continue
        if isinstance(line.base, Reference) and item.sign == "-" and isinstance(item.abnormality, Rearrangement):
            gone = next((name for name, one in have.items() if short_name(one) == short_name(item)), None)
            if gone is not None:
                lost = have.pop(gone)
                # What stood in the place of a normal chromosome leaves its place empty (6.3.4, example of "-inv").
                single = lost.abnormality.chromosomes[0].name if isinstance(lost.abnormality, Rearrangement) else ""
                if not lost.sign and len(item.abnormality.chromosomes) == 1 and single not in restored | {"?"}:
                    have["-" + single] = Item(Whole(single), "-", span=item.span)
                continue
        if isinstance(line.base, Reference) and item.sign and isinstance(item.abnormality, Whole):
            opposite = ("-" if item.sign == "+" else "+") + item.abnormality.chromosome
            if have.pop(opposite, None) is not None:
                continue
        name = _full_name(item, before)
        times[name] += 1
        have[name if times[name] == 1 else f"{name} #{times[name]}"] = item
    return have


def _sex(line: Line) -> dict[str, Item]:
    """A constitutional sex chromosome too many or missing, as the gain or loss that it is."""
    base = line.base
    assert isinstance(base, Sex)
    if base.chromosomes in ("U", "?") or level(line) != 2:
        return {}
    touched = any(names_sex(item) for several in line.items for item in several)
    if touched:
        return {}
    if len(base.chromosomes) == 1:
        return {"sex -": Item(Whole("X"), "-", span=base.span)}
    extra = "Y" if base.chromosomes.count("Y") > 1 else "X"
    return {f"sex {base.chromosomes}": Item(Whole(extra), "+", span=base.span)} if len(base.chromosomes) > 2 else {}
