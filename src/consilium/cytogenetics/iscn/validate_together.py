"""Rules of the entries of one line beside one another: what is gained, lost and replaced in the same cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from consilium.cytogenetics.iscn.count import derivatives, level
from consilium.cytogenetics.iscn.mend import without_item, without_sign
from consilium.cytogenetics.iscn.rules import Finding
from consilium.cytogenetics.iscn.tree import Counted, Incomplete, Item, Line, Rearrangement, Reference, Span, Whole
from consilium.cytogenetics.iscn.write import item as write_item


def judge_together(text: str, line: Line) -> Iterator[Finding]:
    """Items that cannot stand beside one another in the same cells."""
    single = [several[0] for several in line.items if len(several) == 1]
    whole = [item for item in single if isinstance(item.abnormality, Whole)]
    signs = {
        (item.abnormality.chromosome, item.sign, "c" in item.origins)
        for item in whole
        if isinstance(item.abnormality, Whole)
    }
    for item in whole:
        chromosome = item.abnormality.chromosome  # type: ignore[union-attr]
        constitutional = "c" in item.origins
        if item.sign == "-" and (chromosome, "+", constitutional) in signs:
            yield Finding("gain-and-loss", item.span, (("chromosome", chromosome),))
    seen: set[str] = set()
    alike = [
        item
        for item in single
        if isinstance(item.abnormality, Counted | Rearrangement | Incomplete) and not item.copies
    ]
    for item in alike if len(alike) > 1 else ():
        written = write_item(replace(item, cells=None))
        if written in seen:
            yield Finding("copies-repeated", item.span, (("text", written),))
        seen.add(written)
    if isinstance(line.base, Reference):
        return
    yield from _needless(text, single)
    yield from _lost_too_often(line, single)


def _needless(text: str, single: list[Item]) -> Iterator[Finding]:
    losses = {
        item.abnormality.chromosome: item
        for item in single
        if isinstance(item.abnormality, Whole) and item.sign == "-" and not item.origins
    }
    gained = Counter(
        own_chromosome(item.abnormality)
        for item in single
        if item.sign == "+" and isinstance(item.abnormality, Rearrangement)
    )
    for item in single:
        what = item.abnormality
        if item.sign != "+" or not isinstance(what, Rearrangement) or what.kind == "fis":
            continue
        own = own_chromosome(what)
        names = [own] if own else [one.name for one in what.chromosomes] if derivatives(what) == 1 else []
        lost = [losses[name] for name in dict.fromkeys(names) if name in losses]
        if lost and len(lost) == len(names) and (not own or gained[own] == 1):
            start, *_, stop = sorted((*lost, item), key=lambda one: one.span.start)
            edited = _without_losses(text, lost, item)
            yield Finding("minus-needless", Span(start.span.start, stop.span.end), (("today", edited),), edited)


def own_chromosome(what: Rearrangement) -> str:
    """The one chromosome that an altered chromosome stands for; empty where there are several, or it is not known."""
    name = what.chromosomes[0].name
    return name if len(what.chromosomes) == 1 and name != "?" else ""


def _without_losses(text: str, lost: list[Item], gained: Item) -> str:
    """The string without the losses and without the sign of the gain, the later place first."""
    for item in sorted((*lost, gained), key=lambda one: -one.span.start):
        text = without_sign(text, item) if item is gained else without_item(text, item)
    return text


def _lost_too_often(line: Line, single: list[Item]) -> Iterator[Finding]:
    whole = [(item.abnormality, item.sign) for item in single if isinstance(item.abnormality, Whole)]
    gained = Counter(what.chromosome for what, sign in whole if sign == "+")
    used = Counter[str]()
    number = level(line)
    for item in single:
        what = item.abnormality
        if isinstance(what, Whole) and item.sign == "-" and what.chromosome not in ("X", "Y"):
            used[what.chromosome] += 1
        elif isinstance(what, Rearrangement) and not item.sign:
            times = item.copies.low if item.copies else 1
            for one in what.chromosomes:
                if one.name not in ("X", "Y", "?") and not one.others and not one.doubtful:
                    used[one.name] += times
        else:
            continue
        for chromosome, times in used.items():
            have = number + gained[chromosome]
            if times > have:
                values = (("chromosome", chromosome), ("times", str(times)), ("present", str(have)))
                yield Finding("lost-too-often", item.span, values)
                return
