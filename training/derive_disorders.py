"""Write `src/consilium/cytogenetics/disorders.json` from the ClinGen and Disease Ontology tables.

    CONSILIUM_DATA=... python training/derive_disorders.py

- ClinGen dosage regions and genes (GRCh38) are taken over with their scores. Regions without a place ("tbd"), and those
  whose place and band lie on different chromosomes, are left out and counted.
- Disease Ontology terms are placed by what their definition says: "mutation in the WNT4 gene on chromosome 1p36.12".
  Where ClinGen knows the gene and agrees on the chromosome arm, the gene's base pairs are used; otherwise the whole
  band. A definition that says no more than a chromosome or an arm places nothing, unless it is the term for the loss or
  gain of that arm. Deletion and duplication terms are placed by their label.
- Names and the few placements made by hand stand in `disorders_named.json`; every term in it is checked here.

DECIPHER, and the literature lists of rCNV2 built on it, are left out: DECIPHER's terms restrict redistribution, and
the lists are GRCh37, which would need a liftover.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consilium.cytogenetics.bands import AUTOSOMES
from consilium.cytogenetics.base_pairs import BasePairs, base_pairs

HERE = Path(__file__).resolve().parent
NAMED = HERE / "disorders_named.json"
TARGET = HERE.parent / "src" / "consilium" / "cytogenetics" / "disorders.json"
CHROMOSOMES = (*AUTOSOMES, "X", "Y")

CHROMOSOME = r"(?:1[0-9]|2[0-2]|[1-9]|X|Y)"
PLACE = r"[pq](?:ter|\d+(?:\.\d+)?)?"
LOCUS = re.compile(
    rf"(?<![\w.:/;(])({CHROMOSOME})({PLACE})(?:\s?[-–]\s?{CHROMOSOME}?({PLACE}|ter|\d+(?:\.\d+)?))?(?![\w/])"
)
SYMBOL = r"[A-Z][A-Z0-9]+(?:orf\d+)?(?:-[A-Z0-9]+)?"
GENE_BEFORE = re.compile(
    rf"\b({SYMBOL})\)?(?:[- ]gene)?,?(?: \([^)]*\))?,? (?:located )?(?:on|at|in|to) (?:the )?"
    r"(?:(?:long|short) arm of )?(?:chromosome )?(?:band |region )?$"
)
GENE_ALONE = re.compile(
    r"\b(?:mutations?|variants?|variation|haploinsufficiency|deletions?|duplications?)\b"
    rf"[^.;]{{0,60}}?\b({SYMBOL})[- ]gene\b"
)
GENE_IN_LABEL = re.compile(
    rf"\b({SYMBOL})(?:-(?:related|associated)|[- ]deficien(?:t|cy)|[- ]mutation)|\b(?:mutated|mutation of) ({SYMBOL})\b"
)
ROMAN = re.compile(r"[IVX]+")
NOT_DOSAGE = re.compile(r"translocation between")
NO_GENE = {"DNA", "RNA", "HLA", "TRNA", "MRNA"}
BASIS_STARTS = re.compile(r"has_material_basis_in |caused by |influenced by |results? from |due to |associated with ")
BASIS_STOPS = re.compile(
    r"\.\s+(?=[A-Z])|,? and (?:that )?(?:is |are )?(?:has_material|characterized)|,? (?:that|which) is characterized|;"
)
KEPT_REFERENCES = ("MIM", "ORDO", "ICD10CM", "GARD")


def read_regions(path: Path, left_out: Counter[str]) -> Iterator[list[Any]]:
    """ClinGen regions, each with the columns that `written` names."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = next(index for index, line in enumerate(lines) if line.startswith("#ISCA ID"))
    for row in csv.DictReader(lines[head:], delimiter="\t"):
        at = re.fullmatch(r"chr(\w+):(\d+)-(\d+)", row["Genomic Location"].strip())
        band = row["cytoBand"].strip()
        if at is None:
            left_out["ClinGen regions without a place"] += 1
            continue
        if band[: len(at[1])] != at[1] or band[len(at[1])] not in "pq":
            left_out["ClinGen regions whose band is on another chromosome"] += 1
            continue
        scores, papers, terms = [], [], []
        for kind in ("Haploinsufficiency", "Triplosensitivity"):
            scores.append(int(row[f"{kind} Score"]) if row[f"{kind} Score"].strip() else None)
            papers.append([row[f"{kind} PMID{n}"].strip() for n in range(1, 7) if row[f"{kind} PMID{n}"].strip()])
            terms.append(row[f"{kind} Disease ID"].strip())
        name = re.sub(r"\s+", " ", row["ISCA Region Name"].strip())
        yield [row["#ISCA ID"], name, band, at[1], int(at[2]), int(at[3]), *scores, *papers, *terms]


def read_genes(folder: Path) -> dict[str, list[Any]]:
    """ClinGen genes: symbol -> [chromosome, bp_start, bp_stop, loss score, gain score]; BED starts count from 0."""
    genes: dict[str, list[Any]] = {}
    for column, kind in enumerate(("haploinsufficiency", "triplosensitivity")):
        text = (folder / f"ClinGen_{kind}_gene_GRCh38.bed").read_text(encoding="utf-8")
        for line in text.splitlines():
            if line.startswith("chr"):
                chromosome, start, stop, symbol, score = line.split("\t")
                row = genes.setdefault(
                    symbol.strip(), [chromosome.removeprefix("chr"), int(start) + 1, int(stop), None, None]
                )
                row[3 + column] = int(score)
    return genes


def read_ontology(folder: Path) -> tuple[dict[str, str], dict[str, str], dict[str, list[str]], dict[str, set[str]]]:
    """Labels, definitions, cross references and parents' labels of the Disease Ontology, each by id."""
    labels: dict[str, str] = {}
    definitions: dict[str, str] = {}
    references: dict[str, set[str]] = {}
    parents: dict[str, set[str]] = {}
    with (folder / "HumanDO.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            labels[row["id"]] = row["label"]
            parents.setdefault(row["id"], set()).add(row["subClassOf"])
    for name in ("OMIM", "Orphanet", "ICD10", "GARD"):
        with (folder / f"{name}inDO.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                references.setdefault(row["id"], set()).update(re.split(r",\s*", row["xrefs"]))
    for term in (folder / "DO_rare_slim.obo").read_text(encoding="utf-8").split("\n[Term]\n")[1:]:
        term = term.split("\n[Typedef]")[0]
        identifier = re.search(r"^id: (DOID:\d+)", term, re.M)
        text = re.search(r'^def: "(.*?)(?<!\\)" \[', term, re.M)
        if identifier and text and not re.search(r"^is_obsolete: true", term, re.M):
            definitions[identifier[1]] = text[1].replace('\\"', '"')
            references.setdefault(identifier[1], set()).update(re.findall(r"^xref: (\S+)", term, re.M))
    kept = {
        identifier: sorted(x for x in found if x.split(":")[0] in KEPT_REFERENCES)
        for identifier, found in references.items()
    }
    return labels, definitions, kept, parents


def basis(definition: str, at: int) -> str:
    """The clause of a definition that says what lies at character `at`."""
    start = max((m.end() for m in re.finditer(r"\.\s+(?=[A-Z])", definition[:at])), default=0)
    start = max((m.start() for m in BASIS_STARTS.finditer(definition, start, at)), default=start)
    stop = BASIS_STOPS.search(definition, at)
    clause = definition[start : stop.start() if stop else len(definition)]
    return re.sub(r"\s+", " ", clause.replace("has_material_basis_in ", "").replace("_", " ")).strip(" .,")


def is_symbol(symbol: str) -> bool:
    """Whether capitals are a gene and not a numeral or an abbreviation."""
    return symbol not in NO_GENE and not ROMAN.fullmatch(symbol)


def loci(label: str, definition: str, genes: dict[str, list[Any]], count: Counter[str]) -> Iterator[list[Any]]:
    """Where a disease lies: [chromosome, bp_start, bp_stop, locus, gene, placed by, basis]."""
    placed = False
    done: set[tuple[str, str]] = set()
    for found in LOCUS.finditer(definition):
        chromosome, first, last = found[1], found[2], found[3] or ""
        before = definition[: found.start()]
        named = re.search(r"(?:chromosom\w*|region|bands?|and|or|,) (?:the )?(?:band |region )?$", before)
        if not named and (len(first) == 1 or not re.search(r" (?:on|at|of|in) $", before)):
            count["mentions of a band that are not a place"] += 1
            continue
        symbol = GENE_BEFORE.search(before)
        gene = symbol[1] if symbol and is_symbol(symbol[1]) and "respectively" not in definition else None
        interval = base_pairs(chromosome, first, last)
        if interval is None:
            count["bands that the ideogram does not have"] += 1
            continue
        locus = chromosome + first + (f"-{last}" if last else "")
        if (locus, gene or "") in done:
            continue
        done.add((locus, gene or ""))
        placed_by = "band"
        if gene in genes:
            row = genes[gene]
            arm = base_pairs(chromosome, first[0])
            if row[0] == chromosome and arm is not None and arm.bp_start <= row[1] <= arm.bp_stop:
                if row[2] < interval.bp_start or interval.bp_stop < row[1]:
                    count["genes that ClinGen places in another band of the arm (ClinGen's place is used)"] += 1
                interval, placed_by = BasePairs(row[1], row[2]), "gene"
            else:
                count["genes that ClinGen places on another arm (left out)"] += 1
                placed = True  # in doubt: not by the gene alone either
                continue
        if placed_by == "band" and len(first) == 1:
            count["places that are a whole arm (left out)"] += 1
            continue
        placed = True
        yield [chromosome, *interval, locus, gene, placed_by, basis(definition, found.start())]
    if not placed:
        alone = GENE_ALONE.search(definition)
        in_label = GENE_IN_LABEL.search(label)
        gene = alone[1] if alone else (in_label[1] or in_label[2]) if in_label else None
        if gene in genes:
            row = genes[gene]
            clause = basis(definition, alone.start(1)) if alone else f"the name of the disease names {gene}"
            yield [*row[:3], "", gene, "gene", clause]


def derive(data: Path) -> tuple[dict[str, Any], Counter[str]]:
    """Everything that goes into the file, and what was counted on the way.

    Raises:
        ValueError: a term named by hand is not in the ontology under that label, or a deletion or duplication term
            has no place.
    """
    disease = data / "tables" / "disease"
    named = json.loads(NAMED.read_text(encoding="utf-8"))
    count: Counter[str] = Counter()
    labels, definitions, references, parents = read_ontology(disease / "disease_ontology")
    genes = read_genes(disease / "clingen_schemabio")
    regions = list(read_regions(disease / "clingen_schemabio" / "ClinGen_region_curation_list_GRCh38.tsv", count))

    used: set[str] = set()

    def checked(terms: dict[str, str]) -> list[str]:
        for term, label in terms.items():
            if labels.get(term) != label:
                raise ValueError(f"{term} is not {label!r} in the ontology but {labels.get(term)!r}")
        used.update(terms)
        return list(terms)

    known = {row[0] for row in regions}
    syndromes: dict[str, dict[str, Any]] = {}
    for isca, sides in named["regions"].items():
        if isca not in known:
            raise ValueError(f"{isca} is not a ClinGen region")
        syndromes[isca] = {change: {**side, "terms": checked(side["terms"])} for change, side in sides.items()}
    aneuploidies = [{**row, "terms": checked(row["terms"])} for row in named["aneuploidies"]]

    directions = {
        term: change
        for term, above in parents.items()
        for change, branch in (("loss", "chromosomal deletion syndrome"), ("gain", "chromosomal duplication syndrome"))
        if branch in above
    } | {term: row["change"] for term, row in named["placed_by_hand"].items() if "change" in row}
    rows: list[list[Any]] = []
    for term, change in sorted(directions.items()):
        if term in used or term in named["not_a_gain_or_loss_of_one_region"]:
            continue
        by_hand = named["placed_by_hand"].get(term)
        if by_hand:
            checked({term: by_hand["label"]})
        text = by_hand["locus"] if by_hand else labels[term]
        found = LOCUS.search(text)
        interval = base_pairs(found[1], found[2], found[3] or "") if found else None
        if found is None or interval is None:
            raise ValueError(f"{term} {labels[term]!r} has no place: put it into {NAMED.name}")
        rows.append([term, found[1], *interval, found[0], None, "band", "", change])
        used.add(term)

    for term, label in sorted(labels.items()):
        # A term that stands for a region or an aneuploidy is not repeated as "a gene of it lies here".
        if term in used or (term in directions and term != "DOID:0070470"):
            continue
        if term in named["not_a_gain_or_loss_of_one_region"] and term != "DOID:0070470":
            continue
        definition = definitions.get(term, "")
        if NOT_DOSAGE.search(f"{label} {definition}"):
            count["terms of a translocation between genes (left to rearrangements.json)"] += 1
            continue
        found = list(loci(label, definition, genes, count))
        with_gene = {row[3] for row in found if row[4]}
        rows += [[term, *row, None] for row in found if row[4] or row[3] not in with_gene]

    shown = {row[0] for row in rows} | used
    count["disease terms placed"] = len({row[0] for row in rows} | {t for t in used if t in labels})
    count["of them by a gene's base pairs"] = len({row[0] for row in rows if row[6] == "gene"})
    count["of them by a band"] = len({row[0] for row in rows if row[6] == "band"})
    count["ClinGen regions"], count["ClinGen genes"] = len(regions), len(genes)
    table = {
        "regions": sorted(regions, key=lambda row: (CHROMOSOMES.index(row[3]), row[4], row[0])),
        "genes": sorted(
            ([symbol, *row] for symbol, row in genes.items()), key=lambda r: (CHROMOSOMES.index(r[1]), r[2])
        ),
        "loci": sorted(rows, key=lambda row: (CHROMOSOMES.index(row[1]), row[2], row[0], row[4])),
        "diseases": {term: [labels[term], references.get(term, [])] for term in sorted(shown)},
        "syndromes": syndromes,
        "by_hand": {t: [row["zh"], row["why"]] for t, row in named["placed_by_hand"].items()},
        "aneuploidies": aneuploidies,
    }
    return table, count


def written(table: dict[str, Any], count: Counter[str]) -> str:
    """The file's text: a head that says where it is from, then one row a line."""
    head = {
        "assembly": "GRCh38, base pairs one-based, inclusive",
        "sources": {
            "clingen": {
                "source": "ClinGen Dosage Sensitivity, curated regions and genes of 25 Apr 2026, "
                "as collected in SchemaBio/CNVAnno at 6ac49dc6",
                "licence": "CC0 1.0, attribution requested (clinicalgenome.org/docs/terms-of-use)",
            },
            "ontology": {
                "source": "Human Disease Ontology, release of 31 Jul 2026 "
                "(DiseaseOntology/HumanDiseaseOntology at 9fbefd66)",
                "licence": "CC0 1.0",
            },
            "consilium": {
                "source": "Consilium: names and placements by hand (training/disorders_named.json)",
                "licence": "Apache-2.0",
            },
        },
        "columns": {
            "regions": "id, name, band, chromosome, bp_start, bp_stop, score of a loss, score of a gain, "
            "PMIDs of a loss, PMIDs of a gain, MONDO term of a loss, MONDO term of a gain",
            "genes": "symbol, chromosome, bp_start, bp_stop, score of a loss, score of a gain",
            "loci": "Disease Ontology term, chromosome, bp_start, bp_stop, locus, gene, placed by, basis, "
            "change (of a deletion or duplication syndrome)",
        },
        "counted": dict(sorted(count.items())),
    }

    def compact(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    parts = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    for key, value in table.items():
        if isinstance(value, list):
            parts.append(f"{json.dumps(key)}: [\n" + ",\n".join(map(compact, value)) + "\n]")
        else:
            lines = (f"{json.dumps(name)}:{compact(row)}" for name, row in value.items())
            parts.append(f"{json.dumps(key)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> None:
    """Derive the package data; needs `CONSILIUM_DATA`."""
    folder = os.environ.get("CONSILIUM_DATA")
    if not folder:
        sys.exit("CONSILIUM_DATA is not set: point it at the folder that holds tables/disease.")
    table, count = derive(Path(folder))
    TARGET.write_text(written(table, count), encoding="utf-8", newline="\n")
    print(f"{TARGET}: {TARGET.stat().st_size / 1e6:.2f} MB")
    for what, number in sorted(count.items()):
        print(f"  {what}: {number}")


if __name__ == "__main__":
    main()
