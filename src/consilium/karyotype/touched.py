"""Which disorders the changes of a case are known in: evidence to read, never a diagnosis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consilium.cytogenetics.bands import bands
from consilium.cytogenetics.disorders import Evidence, aneuploidy, rearrangement, touching
from consilium.karyotype.metaphase import CLASSES

MOST_A_CHANGE = 4
"""Entries told of one change, strongest evidence first; a whole chromosome touches hundreds."""

WEAKEST = Evidence.NAMED_SYNDROME
"""Below, a whole chromosome touches something in any case, which says nothing about the change."""

_AUTOSOMES = frozenset(CLASSES[:22])


@dataclass(frozen=True, kw_only=True, slots=True)
class Touched:
    """One thing that is known about a change.

    Attributes:
        change: the change, or the karyotype as the table has it: "+21", "47,XXY".
        name, name_zh: the disorder, or the region or gene; in Chinese None where there is no established name.
        said, said_zh: the evidence as a sentence without a full stop.
        whole: it is about the aneuploidy itself and not about a part of the chromosome.
        source, licence: where it is from.
        references: e.g. "DOID:14250".
    """

    change: str
    name: str
    name_zh: str | None
    said: str
    said_zh: str
    whole: bool
    source: str
    licence: str
    references: tuple[str, ...]


def touched(
    changes: Sequence[tuple[str, str, str]], lines: Sequence[Mapping[str, int]], *, neoplastic: bool
) -> tuple[Touched, ...]:
    """Look up what is known.

    A constitutional line is looked up as a whole among the named aneuploidies, then the changed autosomes among the
    regions whose dosage matters. Regions of X and Y are left out: what they mean hangs on the sex, and on which X is
    inactive. For acquired changes the constitutional tables say nothing; those of tumours are used.

    Args:
        changes: of each clonal change how it is written, its chromosome ("" for none) and its kind.
        lines: of each constitutional line the copies of every class.
        neoplastic: whether the changes are acquired.
    """
    found: dict[tuple[str, str], Touched] = {}
    for copies in lines:
        known = {label: copies.get(label, 0) for label in CLASSES}
        for one in aneuploidy(known):
            found[one.karyotype, one.name] = Touched(
                change=one.karyotype,
                name=one.name,
                name_zh=one.name_zh,
                said="a named constitutional aneuploidy",
                said_zh="已命名的体质性非整倍体",
                whole=True,
                source=one.source,
                licence=one.licence,
                references=one.references,
            )
    for change, chromosome, kind in changes:
        if not chromosome or kind not in ("gain", "loss"):
            continue
        entries = _in_tumours(change, chromosome, kind) if neoplastic else _in_regions(change, chromosome, kind)
        for entry in entries:
            found.setdefault((entry.change, entry.name), entry)
    return tuple(found.values())


def _in_regions(change: str, chromosome: str, kind: str) -> list[Touched]:
    if chromosome not in _AUTOSOMES:
        return []
    length = bands(chromosome)[-1].bp_stop
    entries = touching(chromosome, 1, length, "gain" if kind == "gain" else "loss")
    strong = [one for one in entries if Evidence.WHOLE_CHROMOSOME < one.evidence <= WEAKEST]
    return [
        Touched(
            change=change,
            name=one.name,
            name_zh=one.name_zh,
            said=one.said,
            said_zh=one.said_zh,
            whole=False,
            source=one.source,
            licence=one.licence,
            references=one.references,
        )
        for one in strong[:MOST_A_CHANGE]
    ]


def _in_tumours(change: str, chromosome: str, kind: str) -> list[Touched]:
    return [
        Touched(
            change=change,
            name=disease.name,
            name_zh=disease.name_zh,
            said=f"recurrent in it as {one.written} (WHO Classification of Tumours: {disease.category})",
            said_zh=f"{one.written} 在其中反复出现（WHO 肿瘤分类：{disease.category}）",
            whole=True,
            source=one.source,
            licence=one.licence,
            references=disease.references,
        )
        for one in rearrangement("+" if kind == "gain" else "-", (chromosome,))
        for disease in one.known_in[:MOST_A_CHANGE]
    ]
