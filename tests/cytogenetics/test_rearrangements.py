"""Recurrent rearrangements, by the ways in which reports write their breakpoints."""

from __future__ import annotations

import itertools
import json
import re
from importlib import resources

import pytest

from consilium.cytogenetics.base_pairs import base_pairs
from consilium.cytogenetics.rearrangements import Exactness, rearrangement
from consilium.errors import InputError

TABLE = json.loads(
    resources.files("consilium.cytogenetics").joinpath("rearrangements.json").read_text(encoding="utf-8")
)
ROWS = TABLE["rearrangements"]


def genes(kind: str, chromosomes: str, bands: str = "") -> list[str]:
    return [one.genes or one.written for one in rearrangement(kind, chromosomes.split(), bands.split())]


@pytest.mark.parametrize(
    ("kind", "chromosomes", "bands", "first", "disease"),
    [
        ("t", "9 22", "q34 q11.2", "BCR::ABL1", "chronic myeloid leukaemia"),
        ("t", "15 17", "q24 q21", "PML::RARA", "promyelocytic"),
        ("t", "15 17", "q22 q12", "PML::RARA", "promyelocytic"),
        ("t", "8 21", "q22 q22", "RUNX1::RUNX1T1", "acute myeloid leukaemia"),
        ("inv", "16", "p13.1 q22", "CBFB::MYH11", "acute myeloid leukaemia"),
        ("t", "16 16", "p13.1 q22", "CBFB::MYH11", "acute myeloid leukaemia"),
        ("inv", "3", "q21 q26.2", "GATA2, MECOM", "MECOM"),
        ("t", "12 21", "p13 q22", "ETV6::RUNX1", "B-lymphoblastic"),
        ("t", "1 19", "q23 p13.3", "TCF3::PBX1", "B-lymphoblastic"),
        ("t", "4 11", "q21 q23", "KMT2A::AFF1", "KMT2A"),
        ("t", "14 18", "q32 q21", "IGH::BCL2", "follicular lymphoma"),
        ("t", "11 14", "q13 q32", "IGH::CCND1", "mantle cell lymphoma"),
        ("t", "8 14", "q24 q32", "IGH::MYC", "Burkitt"),
        ("t", "2 8", "p12 q24", "IGK::MYC", "Burkitt"),
        ("t", "2 5", "p23 q35", "NPM1::ALK", "anaplastic"),
        ("t", "11 22", "q24 q12", "EWSR1::FLI1", "Ewing"),
        ("t", "X 18", "p11.2 q11.2", "SS18::SSX1, SS18::SSX2", "synovial"),
        ("t", "2 13", "q35 q14", "PAX3::FOXO1", "alveolar rhabdomyosarcoma"),
        ("t", "12 16", "q13 p11", "FUS::DDIT3", "myxoid liposarcoma"),
        ("der", "1 19", "q10 p10", "t(1;19)(q10;p10)", "oligodendroglioma"),
        ("i", "7", "q10", "i(7)(q10)", "hepatosplenic"),
        ("del", "5", "q13 q33", "del(5)(q31q33)", "myelodysplastic"),
        ("del", "20", "q11.2", "del(20)(q11.2q13.1)", "myelodysplastic"),
        ("-", "7", "", "-7", "myelodysplastic"),
        ("der", "14 21", "q10 q10", "rob(14;21)(q10;q10)", "Robertsonian"),
    ],
)
def test_what_every_tumour_laboratory_knows(kind: str, chromosomes: str, bands: str, first: str, disease: str) -> None:
    found = rearrangement(kind, chromosomes.split(), bands.split())[0]
    assert (found.genes or found.written) == first
    assert found.exactness <= Exactness.WITHIN and not found.variant
    assert any(disease in known.name for known in found.known_in)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}({';'.join(row[1])})-{row[3]}")
def test_every_row_finds_itself_in_every_writing(row: list[str]) -> None:
    kind, chromosomes, bands = row[:3]
    for writing in itertools.product(*(band.split("|") for band in bands)):
        same = [one for one in rearrangement(kind, chromosomes, writing) if one.genes == row[3]]
        assert any(one.exactness is Exactness.SAME for one in same)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}({';'.join(row[1])})-{row[3]}")
def test_every_row_is_whole(row: list[str]) -> None:
    kind, chromosomes, bands, _, diseases, seen = row
    assert kind in {"t", "inv", "del", "i", "idic", "dic", "rob", "+", "-"}
    assert seen in {"plain", "subtle", "cryptic"}
    for chromosome, band in zip(list(chromosomes) * (len(bands) if len(chromosomes) == 1 else 1), bands, strict=True):
        assert all(base_pairs(chromosome, one) for one in band.split("|"))
    for disease in diseases:
        name, name_zh, term, label, volume, category = TABLE["diseases"][disease]
        assert name and category and volume in TABLE["volumes"]
        assert (term is None) == (label is None)
        assert name_zh is None or re.search("[一-鿿]", name_zh)


def test_the_table_is_as_large_as_it_says_and_no_row_stands_twice() -> None:
    assert len(ROWS) >= 120
    assert len({json.dumps(row[:4]) for row in ROWS}) == len(ROWS)
    assert {key for row in ROWS for key in row[4]} == set(TABLE["diseases"])


def test_a_coarser_band_a_finer_one_an_interval_and_the_next_one_are_told_apart() -> None:
    def grade(band: str) -> Exactness:
        return rearrangement("t", ("9", "22"), (band, "q11.2"))[0].exactness

    assert grade("q34.1") is Exactness.SAME
    assert grade("q34") is Exactness.WITHIN
    assert grade("q34.12") is Exactness.WITHIN
    assert grade("q33~34") is Exactness.WITHIN
    assert grade("q33 or q34") is Exactness.WITHIN
    assert grade("q?34.1") is Exactness.SAME
    assert grade("q33") is Exactness.NEIGHBOUR
    assert not rearrangement("t", ("9", "22"), ("q22", "q11.2"))
    assert not rearrangement("t", ("9", "22"), ("p13", "q11.2"))


def test_the_order_of_chromosomes_and_of_breakpoints_does_not_matter() -> None:
    assert genes("t", "22 9", "q11.2 q34") == genes("t", "9 22", "q34 q11.2")
    assert genes("inv", "3", "q26 q21") == genes("inv", "3", "q21 q26")


def test_a_three_way_translocation_is_a_variant_of_the_two_way_one() -> None:
    found = rearrangement("t", ("3", "9", "22"), ("p21", "q34", "q11.2"))
    assert [one.genes for one in found if one.variant] == ["BCR::ABL1"]


def test_two_translocations_between_the_same_bands_are_both_told() -> None:
    assert genes("t", "14 18", "q32 q21") == ["IGH::BCL2", "IGH::MALT1"]


def test_the_constitutional_t_11_22_is_not_taken_for_ewing_sarcoma() -> None:
    first, *others = rearrangement("t", ("11", "22"), ("q23.3", "q11.2"))
    assert "Emanuel" in first.known_in[0].name
    assert all(one.exactness is Exactness.NEIGHBOUR for one in others)


def test_a_deletion_holds_what_is_usually_lost_or_part_of_it_or_none() -> None:
    def grade(*bands: str) -> list[Exactness]:
        return [one.exactness for one in rearrangement("del", ("5",), bands)]

    assert grade("q31", "q33") == [Exactness.SAME]
    assert grade("q13", "q35") == [Exactness.WITHIN]
    assert grade("q13") == [Exactness.WITHIN], "to the end of the arm"
    assert grade("q33", "q34") == [Exactness.OVERLAP]
    assert grade("q31", "q32") == [Exactness.OVERLAP]
    assert grade("q32", "q33") == [Exactness.OVERLAP]
    assert grade("q32", "q32") == [Exactness.OVERLAP], "a part of it is not all of it"
    assert grade("p15.2") == []
    assert not rearrangement("del", ("4",), ("q12",)), "FIP1L1::PDGFRA needs both breakpoints"


def test_a_fusion_that_banding_does_not_show_says_so() -> None:
    assert rearrangement("t", ("12", "21"), ("p13", "q22"))[0].seen == "cryptic"


def test_an_isochromosome_of_the_other_arm_is_another_one() -> None:
    assert not rearrangement("i", ("7",), ("p10",))
    assert not rearrangement("i", ("12",), ("q10",))


@pytest.mark.parametrize(
    ("kind", "chromosomes", "bands"),
    [
        ("t", ("9", "22"), ("q34",)),
        ("t", (), ()),
        ("t", ("9", "Z"), ("q34", "q11")),
        ("t", ("9", "22"), ("q99", "q11")),
        ("t", ("9", "22"), ("", "q11")),
        ("t", ("1", "2"), ("what", "q11")),
        ("inv", ("3",), ()),
        ("+", ("8",), ("q24",)),
        ("-", ("7", "5"), ()),
    ],
)
def test_what_cannot_be_looked_up_is_an_error_with_a_way_out(
    kind: str, chromosomes: tuple[str, ...], bands: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as raised:
        rearrangement(kind, chromosomes, bands)
    assert raised.value.way_out


def test_what_is_not_recurrent_is_not_found() -> None:
    assert rearrangement("t", ("1", "2"), ("p12", "q12")) == ()
    assert rearrangement("+", ("1",)) == ()
    assert rearrangement("fis", ("1",), ("q10",)) == ()
