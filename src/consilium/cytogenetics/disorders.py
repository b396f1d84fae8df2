"""What a gain or a loss of a chromosome or of a region is known to mean: evidence to read, never a diagnosis.

`disorders.json` beside this module is written by `training/derive_disorders.py` from ClinGen Dosage Sensitivity
(25 Apr 2026; CC0) and the Human Disease Ontology (31 Jul 2026; CC0), with names and a few placements by hand. Places
are GRCh38. Reachable from a region are 1,769 disease terms of the ontology, 504 curated regions and 1,632 curated genes
(`counted`; a test holds these figures). Of the ontology's 12,246 terms only those are placed whose definition or label
names a gene that ClinGen places, or a band; the definitions at hand are those of its rare-disease subset.

Three kinds of statement are kept apart by `Evidence`: that the dosage itself is curated as harmful, that a syndrome is
defined as the loss or gain of a band, and that the causing gene of some disease merely lies there.

Not in here: DECIPHER, whose terms restrict redistribution, and the GRCh37 literature lists, which would need a
liftover. Recurrent rearrangements of tumours are in `rearrangements`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

from consilium.cytogenetics.aneuploidies import Aneuploidy, aneuploidy, one_more_or_less, references_of, sources_of
from consilium.cytogenetics.bands import bands
from consilium.cytogenetics.disorder_table import counted, references, sources, table
from consilium.cytogenetics.dosage_evidence import SCORES, Change, Evidence, partly, sentence
from consilium.cytogenetics.rearrangements import Recurrence, rearrangement
from consilium.errors import InputError

__all__ = ["Aneuploidy", "Evidence", "Finding", "Recurrence", "aneuploidy", "counted", "rearrangement", "touching"]

WHOLE_CHROMOSOME = 0.9
"""From which part of a chromosome (of the long arm of an acrocentric one) a change counts as the whole of it; ours."""

_ACROCENTRIC = ("13", "14", "15", "21", "22")


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is known about a region that a gain or a loss touches.

    Attributes:
        name: the disorder; the region or the gene where no disorder is named.
        name_zh: its established Chinese name; None where there is none.
        evidence: how strong, and of which kind.
        said, said_zh: the evidence as a sentence without a full stop.
        note, note_zh: what has to be known beside it, e.g. a parent of origin; may be empty.
        change: "gain" or "loss", as asked.
        chromosome, bp_start, bp_stop: the disorder's own region on GRCh38, one-based, inclusive.
        locus: as the source writes it, e.g. "22q11.21"; empty where it gives the gene alone.
        region: what ClinGen calls the region; empty where the finding is about none.
        placed_by: whether the region's ends are known in base pairs, are a gene's, or are those of whole bands.
        gene: the gene, where the finding is about one.
        overlap: which part of the disorder's region lies in what was asked, 0..1.
        inside: whether the region, or the gene, lies in it "whole" or in "part"; "unknown" where only the band is
            known and not all of the band is in it.
        score: ClinGen's score for this change; None where there is none.
        source, licence: where it is from.
        references: e.g. "DOID:11198", "MIM:188400", "ClinGen:ISCA-37446", "PMID:...".
    """

    name: str
    name_zh: str | None
    evidence: Evidence
    said: str
    said_zh: str
    note: str = ""
    note_zh: str = ""
    change: Change
    chromosome: str
    bp_start: int
    bp_stop: int
    locus: str
    region: str = ""
    placed_by: Literal["base pairs", "gene", "band"]
    gene: str | None = None
    overlap: float
    inside: Literal["whole", "part", "unknown"]
    score: int | None = None
    source: str
    licence: str
    references: tuple[str, ...]


class _Entry(NamedTuple):
    bp_start: int
    bp_stop: int
    kind: Literal["region", "gene", "locus", "aneuploidy"]
    row: list[Any]


def _whole(chromosome: str) -> tuple[int, int]:
    rows = bands(chromosome)
    first = next(band for band in rows if band.arm == "q") if chromosome in _ACROCENTRIC else rows[0]
    return first.bp_start, rows[-1].bp_stop


@cache
def _entries(chromosome: str) -> tuple[_Entry, ...]:
    whole_table = table()
    found = [_Entry(row[4], row[5], "region", row) for row in whole_table["regions"] if row[3] == chromosome]
    found += [_Entry(row[2], row[3], "gene", row) for row in whole_table["genes"] if row[1] == chromosome]
    found += [_Entry(row[2], row[3], "locus", row) for row in whole_table["loci"] if row[1] == chromosome]
    for aneuploid in whole_table["aneuploidies"]:
        change = one_more_or_less(aneuploid["copies"], chromosome)
        if change:
            found.append(_Entry(*_whole(chromosome), "aneuploidy", [aneuploid, chromosome, change]))
    return tuple(sorted(found, key=lambda entry: entry.bp_start))


def _of_region(row: list[Any], change: Change) -> dict[str, Any] | None:
    """A ClinGen region; None where it says nothing about this change."""
    identifier, name, band, _, _, _, loss, gain, loss_papers, gain_papers, loss_mondo, gain_mondo = row
    score, other = (loss, gain) if change == "loss" else (gain, loss)
    # A region that was curated as harmless in one direction says nothing by its zero in the other.
    if score is None or (score == 0 and other == 40):
        return None
    evidence = SCORES[score]
    named = table()["syndromes"].get(identifier, {}).get(change, {})
    papers, mondo = (loss_papers, loss_mondo) if change == "loss" else (gain_papers, gain_mondo)
    return {
        "name": named.get("en", name),
        "name_zh": named.get("zh"),
        "evidence": evidence,
        **sentence(evidence, change, band),
        "note": named.get("note", ""),
        "note_zh": named.get("note_zh", ""),
        "region": name,
        "locus": band,
        "placed_by": "base pairs",
        "score": score,
        **sources(*(("clingen", "ontology", "consilium") if named else ("clingen",))),
        "references": (
            f"ClinGen:{identifier}",
            *references(named.get("terms", [])),
            *([mondo] if mondo else []),
            *(f"PMID:{paper}" for paper in papers),
        ),
    }


def _of_gene(row: list[Any], change: Change) -> dict[str, Any] | None:
    """A ClinGen gene; None where nothing was found (score 0) or looked for."""
    symbol, _, _, _, loss, gain = row
    score = loss if change == "loss" else gain
    if not score:
        return None
    evidence = Evidence.GENE_ESTABLISHED if score == 3 else SCORES[score]
    return {
        "name": symbol,
        "name_zh": None,
        "evidence": evidence,
        **sentence(evidence, change, ""),
        "locus": "",
        "placed_by": "gene",
        "gene": symbol,
        "score": score,
        **sources("clingen"),
        "references": (f"ClinGen:{symbol}",),
    }


def _of_locus(row: list[Any], change: Change) -> dict[str, Any] | None:
    """A Disease Ontology term; None where it is a syndrome of the other change."""
    term, _, _, _, locus, gene, placed_by, basis, direction = row
    if direction and direction != change:
        return None
    whole_table = table()
    score = None
    addition = ("", "")
    if not direction:
        scores = whole_table["scores"].get(gene) if placed_by == "gene" else None
        score = None if scores is None else scores[change == "gain"]
        graded = f"; ClinGen's score of {gene} for this change: {score}" if score is not None else ""
        graded_zh = f"；ClinGen对{gene}此种改变的评分：{score}" if score is not None else ""
        addition = (f" ({basis}){graded}", f"（{basis}）{graded_zh}")
    evidence = Evidence.NAMED_SYNDROME if direction else Evidence.CAUSE_LIES_HERE
    by_hand = whole_table["by_hand"].get(term)
    return {
        "name": whole_table["diseases"][term][0],
        "name_zh": by_hand[0] if by_hand else None,
        "evidence": evidence,
        **sentence(evidence, change, locus, addition),
        "note": f"placed by hand: {by_hand[1]}" if by_hand else "",
        "locus": locus,
        "placed_by": placed_by,
        "gene": gene,
        "score": score,
        **sources("ontology", *(("clingen",) if placed_by == "gene" else ()), *(("consilium",) if by_hand else ())),
        "references": references([term]),
    }


def _of_aneuploidy(row: list[Any], change: Change) -> dict[str, Any] | None:
    aneuploid, chromosome, its_change = row
    if its_change != change:
        return None
    return {
        "name": aneuploid["en"],
        "name_zh": aneuploid["zh"],
        "evidence": Evidence.WHOLE_CHROMOSOME,
        **sentence(Evidence.WHOLE_CHROMOSOME, change, chromosome),
        "note": f"as {aneuploid['karyotype']}",
        "note_zh": f"核型{aneuploid['karyotype']}",
        "locus": chromosome,
        "placed_by": "base pairs",
        **sources_of(aneuploid),
        "references": references_of(aneuploid),
    }


_MAKE = {"region": _of_region, "gene": _of_gene, "locus": _of_locus, "aneuploidy": _of_aneuploidy}


def _inside(entry: _Entry, made: dict[str, Any], whole: bool) -> Literal["whole", "part", "unknown"]:
    if whole:
        return "whole"
    return "unknown" if entry.kind == "locus" and made["placed_by"] == "band" else "part"


def touching(chromosome: str, bp_start: int, bp_stop: int, change: Change) -> tuple[Finding, ...]:
    """What is known about a gained or a lost region.

    A region that ClinGen holds to be harmless (score 40) is listed only where all of what was asked lies inside it:
    that a larger change also contains a harmless stretch says nothing about it. A named aneuploidy is listed where at
    least `WHOLE_CHROMOSOME` of it is there.

    Args:
        chromosome: "1".."22", "X" or "Y".
        bp_start: where the region starts on GRCh38, one-based.
        bp_stop: its last base pair.
        change: "gain" or "loss".

    Returns:
        Findings, the strongest evidence first; of the same strength by how much of them lies inside, then from pter
        to qter.

    Raises:
        InputError: for a chromosome, a region or a change that there is not.
    """
    length = bands(chromosome)[-1].bp_stop
    if not 1 <= bp_start <= bp_stop <= length:
        raise InputError(
            f"{bp_start:,} to {bp_stop:,} is no region of chromosome {chromosome}",
            where=f"chromosome {chromosome}",
            way_out=f"It has the base pairs 1 to {length:,} on GRCh38; the start may not lie behind the stop.",
        )
    if change not in ("gain", "loss"):
        raise InputError(f"{change!r} is no change of dosage", way_out="Ask for a gain or a loss.")
    entries = _entries(chromosome)
    found = []
    for entry in entries[: bisect_right(entries, bp_stop, key=lambda entry: entry.bp_start)]:
        if entry.bp_stop < bp_start or (made := _MAKE[entry.kind](entry.row, change)) is None:
            continue
        shared = min(entry.bp_stop, bp_stop) - max(entry.bp_start, bp_start) + 1
        overlap = shared / (entry.bp_stop - entry.bp_start + 1)
        if made["evidence"] is Evidence.WHOLE_CHROMOSOME and overlap < WHOLE_CHROMOSOME:
            continue
        if entry.kind == "region" and made["evidence"] is Evidence.UNLIKELY and shared < bp_stop - bp_start + 1:
            continue
        inside = _inside(entry, made, shared == entry.bp_stop - entry.bp_start + 1)
        if inside != "whole" and made["evidence"] is not Evidence.UNLIKELY:
            addition, addition_zh = partly(overlap, made["placed_by"], change)
            made["said"], made["said_zh"] = made["said"] + addition, made["said_zh"] + addition_zh
        if chromosome in ("X", "Y") and entry.kind in ("region", "gene"):
            made["said"] += "; on a sex chromosome this depends on the patient's sex"
            made["said_zh"] += "；位于性染色体，意义取决于性别"
        found.append(
            Finding(
                change=change,
                chromosome=chromosome,
                bp_start=entry.bp_start,
                bp_stop=entry.bp_stop,
                overlap=overlap,
                inside=inside,
                **made,
            )
        )
    return tuple(sorted(found, key=lambda f: (f.evidence, f.score != 3, -f.overlap, f.bp_start, f.bp_stop, f.name)))
