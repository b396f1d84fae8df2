"""ISCN strings to trees and back."""

from __future__ import annotations

import json
import random
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.cytogenetics.iscn.parse import LONGEST, NotISCN, parse
from consilium.cytogenetics.iscn.tree import (
    Cells,
    Counted,
    Doubled,
    Node,
    Range,
    Rearrangement,
    Reference,
    Result,
    Sex,
    Span,
    Whole,
)
from consilium.cytogenetics.iscn.write import write
from consilium.settings import data_folder
from tests.cytogenetics.iscn.trees import results

WELL_FORMED = [
    "46,XX", "47,XY,+21", "45,X", "46,XX,t(2;7)(p13;q22)", "46,XY,del(5)(q13q33)[20]", "45,XY,-7,+mar[10]",
    "47,XX,+12[2]/47,sl,del(6)(q13q23)[17]/46,XX[1]", "47,XX,+8[5]/48,idem,+9[3]/46,XX[12]", "48,sdl1,+9,+11[3]",
    "46,XY,t(10;14)(q2?4;q?32.1),+12[20]", "46,XX,der(1)t(1;3)(p36;q21)t(1;7)(q25;q32)", "46,X,idic(X)(q13)",
    "46,XX,del(5)(pter->q13::q33->qter)", "46,XX,t(2;5)(2pter->2q21::5q31->5qter;5pter->5q31::2q21->2qter)",
    "46,XY,r(7)(::p22->q36::)", "mos 45,X[3]/46,XX[17]", "46,XX[10]//46,XY[5]", "//46,XY[20]", "92<4n>,XXYY,+8,+8",
    "45~48,XY,+2mar[cp5]", "48,XXYc,+X[20]", "46,XY,der(?)t(?;9)(?;q21)", "46,XX,add(19)(p13 or q13)",
    "46,XX,add(10)(q22) or del(10)(q24)", "46,XX,inv(9)(p12q13)c", "45,XX,der(14;21)(q10;q10)mat",
    "50(25,X,+X,+21)x2[5]", "46,XX,9qh+", "46,XY,21ps+", "46,XY,r(7)[10]", "45,XY,psu dic(15;17)(q10;q10)",
    "46,XX,del(1)(q21~q24)", "46,XX,hsr(8)(q24)", "46,XY,5~20dmin", "46,XX,>50dmin[3]", "46,XX,t(1;?)(q21;?)",
    "46,Y,t(X;8)(p11;q24)", "46,X,der(Y)t(Y;1)(q12;q21)", "46,XX,inc[2]", "47,XX,+mar dn", "46,U", "46,XX,?del(1)(q23)",
    "47,XX,+?8", "46,XX,dup(1)(q22q31)[3],del(5)(q13)[2][cp5]", "69,XXY", "47,XX,+mar1[4],+mar2[2][cp6]",
    "46,XX.ish del(22)(q11.2q11.2)(TBX1-)", "46,XY,trp(1)(q21q32)", "46,XX,ins(2;5)(p13;q31q22)", "46,XX,fra(16)(q22)",
    "46,XX,ider(9)(q10)t(9;22)(q34;q11.2)", "46,XX,rec(6)dup(6p)inv(6)(p22q25)dmat", "46,X?", "47,XY,+8x2",
    "46,idemx2,-5",
    "46,t(X;Y)(q22;q11)", "45,fra(X)(q27)", "46,XX[20]//", "46,XX,der(2)?t(2;3)(p22;q13)", "46,XX,~9dmin",
    "48,XX,+2mar,9~>40dmin[8]", "47,XX,+dic r(2;3)(p23q32;p24q26)", "46,XX,del(20)(q11.2-13.1q13.3)",
    "47,XX,+neo(10)(qter->q25::q25->q26->neo->q26->qter)", "55(27,X,+X,+10,+21)x2,+6[7]/46,XY[13]", "47,XY,-?21",
    "46,XX,tas(12;13)(12pter->12qter->13qter->13pter)",
]  # fmt: skip

MALFORMED = {
    "": 0, "46": 2, "46,": 3, "46 XX": 2, "46,XX,": 6, "46,,XX": 3, "46,XX,+21,": 10, "46,XX,foo(5)(q13)": 6,
    "46,XX,del(5)(q13": 16, "46,XX,del(5(q13)": 11, "46,XX,+23": 8, "46,XX,t(9;22)(x34;q11)": 14, "46,XX[": 5,
    "46,XX[x]": 5, "46,XX/": 6, "XX,46": 0, "46,XX,del5q": 6, "46,XX,+21[5": 9, "46,XX,(5)(q13)": 6,
}  # fmt: skip


@pytest.mark.parametrize("text", WELL_FORMED)
def test_what_is_well_formed_is_read_and_written_again(text: str) -> None:
    assert write(parse(text)) == text


@pytest.mark.parametrize(("text", "at"), MALFORMED.items())
def test_what_is_not_well_formed_is_refused_where_it_goes_wrong(text: str, at: int) -> None:
    with pytest.raises(NotISCN) as problem:
        parse(text)
    assert problem.value.start == at
    assert problem.value.what and problem.value.where == f"character {at + 1}"


def only(text: str) -> Any:
    line = parse(f"46,XX,{text}").persons[0][0]
    assert len(line.items) == 1 and len(line.items[0]) == 1
    return line.items[0][0]


def test_a_translocation() -> None:
    item = only("t(9;22)(q34;q11.2)mat")
    change = item.abnormality
    assert isinstance(change, Rearrangement) and change.kind == "t" and item.origins == ("mat",)
    assert [one.name for one in change.chromosomes] == ["9", "22"]
    assert [[point.text for b in on for point in b.points] for on in change.breakpoints] == [["q34"], ["q11.2"]]


def test_a_point_tells_arm_band_and_doubt() -> None:
    points = [b.points[0] for b in only("del(5)(q1?3p?)").abnormality.breakpoints[0]]
    assert [(p.arm, p.band, p.doubtful) for p in points] == [("q", "13", True), ("p", "", True)]


def test_a_derivative_is_a_chain() -> None:
    change = only("der(1)t(1;3)(p36;q21)del(1)(q31)").abnormality
    assert change.kind == "der" and [one.kind for one in change.then] == ["t", "del"]


def test_the_detailed_system() -> None:
    change = only("del(5)(pter->q13::q33->qter)").abnormality
    (strand,) = change.strands
    ends = [(p.start.point.text, p.end and p.end.point.text) for p in strand.pieces]
    assert ends == [("pter", "q13"), ("q33", "qter")] and strand.breaks == ("", "::", "")
    assert only("del(5)(:p12→qter)").abnormality.strands[0].breaks == (":", "")


def test_what_the_standard_prints_is_read_like_what_is_typed() -> None:
    printed = "48\u223c50,XX,\u22127,+8,+del(5)(pter\u2192q13:)\u00d72[cp4]"
    assert parse(printed) == parse("48~50,XX,-7,+8,+del(5)(pter->q13:)x2[cp4]")


def test_older_intervals_are_read_as_today() -> None:
    assert write(parse("50-54,XY[cp4]")) == "50~54,XY[cp4]"
    assert parse("50-54,XY[cp4]") == parse("50~54,XY[cp4]")


def test_clones_and_persons() -> None:
    result = parse("mos 47,XX,+8[5]/48,sdl2x2,+9[cp3]//46,XY[12]")
    assert result.prefix == "mos" and [len(lines) for lines in result.persons] == [2, 1]
    assert result.persons[0][1].base == Reference("sdl", 2, Range(2))
    assert result.persons[0][1].cells == Cells(3, composite=True)
    assert parse("//46,XY[20]").persons == ((), parse("46,XY[20]").persons[0])


def test_sex_count_and_ploidy() -> None:
    line = parse("45~48<2n>,X?c").persons[0][0]
    assert line.count == Range(45, 48) and line.ploidy == 2
    assert line.base == Sex("X", doubtful=True, constitutional=True)
    doubled = parse("50<2n>(25<1n>,X,+21)x2[5]").persons[0][0]
    assert doubled.doubled == Doubled(Range(50), Range(2), 2) and doubled.count == Range(25) and doubled.ploidy == 1


def test_counted_and_whole() -> None:
    assert only("+2~4mar2").abnormality == Counted("mar", Range(2, 4), 2)
    assert only(">5dmin").abnormality == Counted("dmin", Range(5), bound=">")
    assert only("+r").abnormality == Counted("r") and only("r(3)").abnormality.kind == "r"
    assert only("+1").abnormality == Whole("1") and only("-22").abnormality == Whole("22")


def test_techniques_are_cut_off_as_they_stand() -> None:
    result = parse("46,XX,del(22)(q11.2q11.2).ish del(22)(q11.2q11.2)(TBX1-).arr[GRCh38] 22q11.21(1_2)x1")
    assert [one.kind for one in result.techniques] == ["ish", "arr"]
    assert result.techniques[1].text == "[GRCh38] 22q11.21(1_2)x1"
    assert parse(".arr(1-22)x2,(X,Y)x1").persons == ()


def spans(node: Any, text: str, outer: Span) -> int:
    """Every node lies within its parent and reads, alone, as what it is; how many there are."""
    assert outer.start <= node.span.start < node.span.end <= outer.end, (node, text)
    count = 1
    for one in fields(node):
        value = getattr(node, one.name)
        for inner in value if isinstance(value, tuple) else (value,):
            for leaf in inner if isinstance(inner, tuple) and not isinstance(inner, Span) else (inner,):
                if isinstance(leaf, Node):
                    count += spans(leaf, text, node.span)
    return count


@pytest.mark.parametrize("text", WELL_FORMED)
def test_every_node_knows_its_place(text: str) -> None:
    result = parse(text)
    assert spans(result, text, Span(0, len(text))) > 3
    for lines in result.persons:
        for line in lines:
            for several in line.items:
                for item in several:
                    assert write(parse("46,XX," + text[slice(*item.span)])).endswith(text[slice(*item.span)])


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(results())
def test_what_is_written_is_read_as_the_same(result: Result) -> None:
    assert parse(write(result)) == result


@settings(max_examples=300)
@given(st.text(alphabet="46,XY+-?()[];qp13.t delrisnvcx/~<n>:", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        result = parse(text)
    except NotISCN as problem:
        assert 0 <= problem.start <= len(text)
    else:
        assert parse(write(result)) == result


def test_damaged_strings_are_read_or_refused() -> None:
    rng = random.Random(7)
    for _ in range(1500):
        text = rng.choice(WELL_FORMED)
        at = rng.randrange(len(text) + 1)
        letter = rng.choice("46,XY+-?()[];qp13.t/~<>:der ")
        text = rng.choice(
            [text[:at] + letter + text[at:], text[:at] + text[at + 1 :], text[:at] + letter + text[at + 1 :]]
        )
        try:
            result = parse(text)
        except NotISCN:
            continue
        assert parse(write(result)) == result, text


@pytest.mark.parametrize(
    "text",
    ["46,XX" + ",+8" * 5000, "(" * 5000, "46,XX,der(1)" * 500, "46,XX,t(" + "1;" * 5000, "9" * (LONGEST + 1),
     "46,XX,der(1)" + "del(1)(q21)" * 1700, "?" * 20000, "46,XX" + "/46,XX" * 3000, "46,XX,del(1)(" + "p1->" * 4000],
)  # fmt: skip
def test_long_strings_do_not_hang_or_break(text: str) -> None:
    began = time.monotonic()
    try:
        parse(text)
    except NotISCN as problem:
        assert problem.what
    assert time.monotonic() - began < 20


@pytest.mark.real_data
def test_strings_of_the_public_collections_are_read() -> None:
    folder = data_folder()
    if folder is None:
        pytest.skip("CONSILIUM_DATA is not set")
    folder = folder / "tables" / "iscn"
    valid = json.loads((folder / "iscn_authenticator" / "validity.json").read_text())["valid"]
    for one in valid:
        assert write(parse(one["input"])) == one["input"]
    rows = (Path(folder) / "karyoparser" / "example_karyotypes.tsv").read_text(encoding="utf-8").splitlines()
    clean = [row.split("\t")[1] for row in rows if int(row[2:5]) <= 77]
    refused = []
    for text in clean:
        try:
            parse(text)
        except NotISCN:
            refused.append(text)
    assert len(clean) == 77 and refused == []


def test_a_whole_karyotype_may_be_read_in_two_ways() -> None:
    text = "47,XXYc[7]/46,XY[12] or 47,XY,+X[7]/46,XY[12].ish (DXZ1)x2"
    result = parse(text)
    (other,) = result.others
    assert result.readings == (result, other)
    assert [len(one.persons[0]) for one in result.readings] == [2, 2]
    assert text[other.span.start : other.span.end] == "47,XY,+X[7]/46,XY[12]"
    assert result.techniques and not other.techniques and write(result) == text


def test_or_before_a_chromosome_that_cannot_be_a_count_joins_items() -> None:
    result = parse("47,XX,+8 or +9,inv(3)(p14q21)")
    assert not result.others and [len(several) for several in result.persons[0][0].items] == [2, 1]


def test_a_part_of_a_derivative_may_be_constitutional() -> None:
    what = parse("45,XX,der(14;22)(q10;q10)c t(8;22)(q24;q13)[6]").persons[0][0].items[0][0]
    assert not what.origins and isinstance(what.abnormality, Rearrangement)
    assert [one.origin for one in (what.abnormality, *what.abnormality.then)] == ["c", ""]


def test_long_chains_of_sidelines_are_no_karyotype() -> None:
    sidelines = "".join(f"/48,sdl{number},+9[3]" for number in range(1, 600))
    with pytest.raises(NotISCN, match="cell lines"):
        parse("47,XX,+8[4]/48,sl,+9[3]" + sidelines)


@pytest.mark.parametrize("number", ["1" * 7, "9" * 40])
@pytest.mark.parametrize(
    "text",
    ["46,XX,del(5)(q13)x{}[9]", "47,XX,+8x{}[9]", "92,XX,t(3;8)(q26;q24)[4]/92,slx{}[6]", "50(25,X,+8)x{}[9]",
     "46<{}n>,XX[9]", "46,XX[{}]", "46,XX,{}dmin[9]", "47,XX,+mar{}[9]", "46,XX,+{}mar[9]", "{},XX", "46,sl{},+8[3]"],
)  # fmt: skip
def test_numbers_that_no_cell_has_are_refused(text: str, number: str) -> None:
    with pytest.raises(NotISCN):
        parse(text.format(number))


@pytest.mark.parametrize("text", ["4\u0667,XX,+8", "48,XX,+8,+1\u0660", "46,XX,del(5)(q1\u0663)", "46,XX[\u0662]"])
def test_digits_of_other_scripts_are_none(text: str) -> None:
    with pytest.raises(NotISCN):
        parse(text)
