"""What is known about gains and losses, against syndromes that every cytogeneticist knows."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.cytogenetics.bands import AUTOSOMES, bands
from consilium.cytogenetics.base_pairs import base_pairs
from consilium.cytogenetics.disorders import Evidence, Finding, aneuploidy, counted, touching
from consilium.errors import InputError

CHROMOSOMES = (*AUTOSOMES, "X", "Y")
LENGTH = {name: bands(name)[-1].bp_stop for name in CHROMOSOMES}


def at(chromosome: str, first: str, last: str = "") -> tuple[str, int, int]:
    found = base_pairs(chromosome, first, last)
    assert found is not None
    return chromosome, *found


def named(findings: tuple[Finding, ...], part: str) -> Finding:
    found = [finding for finding in findings if part.lower() in finding.name.lower()]
    assert found, f"{part} is not among {[finding.name for finding in findings[:10]]}"
    return found[0]


# Chromosome, megabases, change, a part of the name, a reference that it has to carry.
KNOWN = [
    ("22", 18.9, 21.1, "loss", "22q11.2 deletion syndrome", "DOID:11198"),
    ("22", 18.9, 21.1, "gain", "22q11.2 microduplication syndrome", "DOID:0060436"),
    ("17", 0.1, 3.5, "loss", "Miller-Dieker", "DOID:0060469"),
    ("X", 153.9, 154.2, "gain", "MECP2 duplication", "DOID:0060799"),
    ("7", 73.0, 75.0, "loss", "Williams-Beuren", "DOID:1928"),
    ("7", 73.0, 75.0, "gain", "7q11.23 duplication", "DOID:0080926"),
    ("15", 23.0, 28.5, "loss", "Prader-Willi", "DOID:11983"),
    ("15", 23.0, 28.5, "loss", "Angelman", "DOID:1932"),
    ("17", 16.8, 20.5, "loss", "Smith-Magenis", "DOID:0060768"),
    ("17", 16.8, 20.5, "gain", "Potocki-Lupski", "DOID:0060853"),
    ("17", 14.1, 15.6, "gain", "Charcot-Marie-Tooth disease type 1A", "DOID:0110148"),
    ("17", 14.1, 15.6, "loss", "pressure palsies", "DOID:0060843"),
    ("4", 0.1, 4.0, "loss", "Wolf-Hirschhorn", "MIM:194190"),
    ("1", 0.1, 7.0, "loss", "1p36 deletion", "DOID:0060410"),
    ("11", 31.0, 33.0, "loss", "WAGR", "DOID:14515"),
    ("5", 176.0, 178.0, "loss", "Sotos", "DOID:14748"),
    ("16", 29.6, 30.2, "loss", "16p11.2 deletion", "DOID:0070515"),
    ("22", 16.5, 18.2, "gain", "cat eye", "MONDO:0007276"),
]


@pytest.mark.parametrize(("chromosome", "start", "stop", "change", "name", "reference"), KNOWN)
def test_well_known_syndromes_are_found_first(
    chromosome: str, start: float, stop: float, change: str, name: str, reference: str
) -> None:
    findings = touching(chromosome, int(start * 1e6), int(stop * 1e6), change)  # type: ignore[arg-type]
    finding = named(findings, name)
    assert reference in finding.references
    assert finding.evidence is Evidence.REGION_ESTABLISHED and finding.score == 3
    assert finding.overlap > 0.95
    assert finding.name_zh


@pytest.mark.parametrize(
    ("region", "change", "name"),
    [
        (at("5", "p15.2", "pter"), "loss", "cri du chat"),
        (at("4", "p16", "pter"), "loss", "Wolf-Hirschhorn"),
        (at("11", "q23.3", "qter"), "loss", "Jacobsen"),
        (at("22", "q13.3", "qter"), "loss", "Phelan-McDermid"),
        (at("18", "p"), "loss", "18p deletion"),
        (at("2", "q37", "qter"), "loss", "2q37 deletion"),
        (at("9", "q34.3"), "loss", "Kleefstra syndrome 1"),
        (at("8", "q23", "q24.1"), "loss", "trichorhinophalangeal syndrome type II"),
        (at("10", "q26", "qter"), "loss", "distal 10q deletion"),
        (at("13", "q14"), "loss", "13q14 deletion"),
    ],
)
def test_deletions_that_banding_shows_are_found_by_their_bands(
    region: tuple[str, int, int], change: str, name: str
) -> None:
    finding = named(touching(*region, change), name)  # type: ignore[arg-type]
    assert finding.evidence <= Evidence.NAMED_SYNDROME


@pytest.mark.parametrize(
    ("chromosome", "change", "names"),
    [
        ("21", "gain", {"Down syndrome (trisomy 21)"}),
        ("18", "gain", {"Edwards syndrome (trisomy 18)"}),
        ("13", "gain", {"Patau syndrome (trisomy 13)"}),
        ("X", "loss", {"Turner syndrome (monosomy X)"}),
        ("X", "gain", {"Klinefelter syndrome (47,XXY)", "triple X syndrome (47,XXX)"}),
        ("Y", "gain", {"47,XYY syndrome"}),
        ("21", "loss", set()),
        ("1", "gain", set()),
        ("Y", "loss", set()),
    ],
)
def test_a_whole_chromosome_is_the_aneuploidy(chromosome: str, change: str, names: set[str]) -> None:
    findings = touching(chromosome, 1, LENGTH[chromosome], change)  # type: ignore[arg-type]
    whole = [finding for finding in findings if finding.evidence is Evidence.WHOLE_CHROMOSOME]
    assert {finding.name for finding in whole} == names
    assert list(findings[: len(whole)]) == whole, "it comes first"


def test_the_long_arm_of_an_acrocentric_counts_as_all_of_it_and_half_of_it_does_not() -> None:
    assert named(touching(*at("21", "q"), "gain"), "Down").overlap == 1.0
    half = touching("21", 13_000_000, 30_000_000, "gain")
    assert all(finding.evidence is not Evidence.WHOLE_CHROMOSOME for finding in half)


def test_a_loss_does_not_find_what_a_gain_means() -> None:
    assert not any("duplication" in finding.name for finding in touching(*at("7", "q11.23"), "loss"))
    gains = touching(*at("22", "q13"), "gain")
    assert not any("Phelan" in finding.name for finding in gains)
    assert named(gains, "22q13 duplication").evidence is Evidence.NAMED_SYNDROME


def test_dosage_a_curated_gene_and_a_disease_whose_gene_lies_here_are_told_apart() -> None:
    findings = touching("22", 50_600_000, 50_800_000, "loss")
    shank3 = next(finding for finding in findings if finding.name == "SHANK3")
    assert shank3.evidence is Evidence.GENE_ESTABLISHED and shank3.inside == "whole"
    recessive = named(touching("15", 44_550_000, 44_680_000, "loss"), "hereditary spastic paraplegia 11")
    assert recessive.evidence is Evidence.CAUSE_LIES_HERE
    assert "not established" in recessive.said and "尚未确立" in recessive.said_zh
    assert "homozygous" in recessive.said or "mutation" in recessive.said


def test_the_score_beside_a_disease_is_that_of_its_gene_for_the_change_that_was_asked() -> None:
    lost, gained = (named(touching("X", 154_000_000, 154_100_000, c), "due to MECP2") for c in ("loss", "gain"))
    assert (lost.score, gained.score) == (3, 0)
    assert "score of MECP2 for this change: 3" in lost.said and "for this change: 0" in gained.said


def test_a_gene_that_needs_both_copies_is_not_called_harmful_alone() -> None:
    for finding in touching(*at("15", "q21"), "loss"):
        if finding.score == 30 and finding.gene == finding.name:
            assert finding.evidence is Evidence.RECESSIVE
            break
    else:
        pytest.fail("no recessive gene was found at 15q21")


def test_what_lies_only_partly_inside_says_so_and_is_never_rounded_to_all() -> None:
    part = named(touching("22", 20_000_000, 20_500_000, "loss"), "22q11.2 deletion syndrome")
    assert part.inside == "part" and 0.2 < part.overlap < 0.25
    assert "only 23 % of the region" in part.said and "仅23 %" in part.said_zh
    almost = named(touching("22", 18_924_719, 21_111_383, "loss"), "22q11.2 deletion syndrome")
    assert almost.overlap < 1.0 and "only 99 %" in almost.said
    gene = next(f for f in touching("22", 50_700_000, 50_818_468, "loss") if f.name == "SHANK3")
    assert gene.inside == "part" and "of the gene" in gene.said


def test_a_population_variant_is_listed_only_where_all_of_the_change_lies_inside_it() -> None:
    inside = touching("1", 248_560_000, 248_563_000, "loss")
    assert any(f.evidence is Evidence.UNLIKELY and f.placed_by == "base pairs" for f in inside)
    larger = touching("1", 240_000_000, LENGTH["1"], "loss")
    assert not any("population" in finding.name for finding in larger)
    assert not any("population" in finding.name for finding in touching("1", 248_560_000, 248_563_000, "gain"))


def test_tar_needs_a_second_variant_and_is_not_called_established() -> None:
    tar = named(touching("1", 145_600_000, 146_100_000, "loss"), "thrombocytopenia-absent radius")
    assert tar.evidence is Evidence.NO_EVIDENCE and "RBM8A" in tar.note and "RBM8A" in tar.note_zh


def test_a_curated_finding_on_a_sex_chromosome_says_that_sex_matters() -> None:
    assert "patient's sex" in named(touching(*at("X", "p22.3"), "loss"), "X-linked ichthyosis").said


@pytest.mark.parametrize("chromosome", CHROMOSOMES)
def test_every_finding_has_a_source_a_licence_and_a_place_that_agrees(chromosome: str) -> None:
    for change in ("gain", "loss"):
        findings = touching(chromosome, 1, LENGTH[chromosome], change)
        assert [finding.evidence for finding in findings] == sorted(finding.evidence for finding in findings)
        for finding in findings:
            assert finding.source and ("CC0" in finding.licence or finding.licence == "Apache-2.0")
            assert finding.references and finding.said and finding.said_zh
            assert "{" not in finding.said + finding.said_zh
            assert 1 <= finding.bp_start <= finding.bp_stop <= LENGTH[chromosome] + 60_000
            assert (finding.score == 3) or finding.evidence not in (
                Evidence.REGION_ESTABLISHED,
                Evidence.GENE_ESTABLISHED,
            )


@settings(max_examples=150)
@given(
    chromosome=st.sampled_from(CHROMOSOMES),
    ends=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    change=st.sampled_from(["gain", "loss"]),
)
def test_exactly_what_overlaps_is_found_and_overlap_is_a_proportion(
    chromosome: str, ends: tuple[float, float], change: str
) -> None:
    start, stop = sorted(1 + int(end * (LENGTH[chromosome] - 1)) for end in ends)
    findings = touching(chromosome, start, stop, change)  # type: ignore[arg-type]
    for finding in findings:
        assert finding.bp_start <= stop and start <= finding.bp_stop
        assert 0.0 < finding.overlap <= 1.0
        assert (finding.inside == "whole") == (start <= finding.bp_start and finding.bp_stop <= stop)
    everything = touching(chromosome, 1, LENGTH[chromosome], change)  # type: ignore[arg-type]
    expected = {
        (finding.name, finding.bp_start, finding.locus)
        for finding in everything
        if finding.bp_start <= stop
        and start <= finding.bp_stop
        and finding.evidence not in (Evidence.WHOLE_CHROMOSOME, Evidence.UNLIKELY)
    }
    found = {
        (finding.name, finding.bp_start, finding.locus)
        for finding in findings
        if finding.evidence not in (Evidence.WHOLE_CHROMOSOME, Evidence.UNLIKELY)
    }
    assert found == expected


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("23", 1, 2, "loss"), "no bands are known"),
        (("1", 0, 10, "loss"), "no region"),
        (("1", 20, 10, "loss"), "no region"),
        (("21", 1, 60_000_000, "gain"), "no region"),
        (("1", 1, 10, "lost"), "no change"),
    ],
)
def test_what_there_is_not_is_an_error_with_a_way_out(arguments: tuple[str, int, int, str], what: str) -> None:
    with pytest.raises(InputError, match=what) as raised:
        touching(*arguments)  # type: ignore[arg-type]
    assert raised.value.way_out


@pytest.mark.parametrize(
    ("copies", "names"),
    [
        ({"21": 3}, ["Down syndrome (trisomy 21)"]),
        ({"21": 3, "X": 2, "Y": 1}, ["Down syndrome (trisomy 21)", "Klinefelter syndrome (47,XXY)"]),
        ({"X": 1, "Y": 0}, ["Turner syndrome (monosomy X)"]),
        ({"X": 1, "Y": 2}, ["47,XYY syndrome"]),
        ({"X": 3, "Y": 0}, ["triple X syndrome (47,XXX)"]),
        ({"X": 2, "Y": 0}, []),
        ({"X": 1, "Y": 1}, []),
        ({}, []),
        ({"21": 4}, []),
        ({"1": 3}, []),
        (dict.fromkeys(AUTOSOMES, 3) | {"X": 2, "Y": 1}, ["triploidy"]),
        (dict.fromkeys(AUTOSOMES, 3) | {"X": 3, "Y": 0}, ["triploidy"]),
        (dict.fromkeys(AUTOSOMES, 4) | {"X": 2, "Y": 2}, ["tetraploidy"]),
    ],
)
def test_aneuploidies_by_count(copies: dict[str, int], names: list[str]) -> None:
    found = aneuploidy(copies)
    assert [one.name for one in found] == names
    assert all(one.source and one.licence and one.name_zh and one.references for one in found)


@pytest.mark.parametrize("copies", [{"X": 1}, {"Y": 1}, {"24": 3}, {"21": -1}])
def test_a_count_that_cannot_be_is_an_error(copies: dict[str, int]) -> None:
    with pytest.raises(InputError) as raised:
        aneuploidy(copies)
    assert raised.value.way_out


def test_how_much_is_reachable_is_counted_and_not_claimed() -> None:
    # The module's docstring quotes these. They are disease terms of the ontology, not findings or genes.
    figures = counted()
    assert (figures["disease terms placed"], figures["ClinGen regions"], figures["ClinGen genes"]) == (1769, 504, 1632)
    reachable = {
        reference
        for chromosome in CHROMOSOMES
        for change in ("gain", "loss")
        for finding in touching(chromosome, 1, LENGTH[chromosome], change)
        for reference in finding.references
        if reference.startswith("DOID:")
    }
    assert len(reachable) == figures["disease terms placed"]
    text = (Path(__file__).parents[2] / "src/consilium/cytogenetics/disorders.py").read_text(encoding="utf-8")
    assert "1,769 disease terms" in text and "504 curated regions" in text and "1,632 curated genes" in text


def test_the_tables_are_small_and_load_fast() -> None:
    folder = resources.files("consilium.cytogenetics")
    names = ("disorders.json", "rearrangements.json", "guidelines.json")
    assert sum(len(folder.joinpath(name).read_bytes()) for name in names) < 2_000_000
    script = (
        "import time, consilium.cytogenetics.disorders as d; t = time.perf_counter();"
        "d.touching('1', 1, 1000, 'loss'); print(time.perf_counter() - t)"
    )
    fastest = min(
        float(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout)
        for _ in range(3)
    )
    assert fastest < 0.2, "0.03 s where nothing else runs"
    started = time.perf_counter()
    for _ in range(20):
        touching("22", 18_900_000, 21_100_000, "loss")
    assert time.perf_counter() - started < 1.0


@pytest.mark.real_data
def test_the_table_is_what_the_recipe_derives(real_data: Path) -> None:
    from training.derive_disorders import TARGET, derive, written

    assert written(*derive(real_data)) == TARGET.read_text(encoding="utf-8")


@pytest.mark.real_data
def test_every_term_named_by_hand_has_its_label_in_the_ontology(real_data: Path) -> None:
    from training.derive_disorders import read_ontology

    labels, _, _, _ = read_ontology(real_data / "tables" / "disease" / "disease_ontology")
    text = resources.files("consilium.cytogenetics").joinpath("rearrangements.json").read_text(encoding="utf-8")
    for name, _, term, label, *_ in json.loads(text)["diseases"].values():
        assert term is None or labels[term] == label, name
