"""What structural changes make, told in the detailed system and worked out by hand."""

from __future__ import annotations

import pytest

from consilium.cytogenetics.iscn.chromosomes import centromeres, detailed
from consilium.cytogenetics.iscn.mean import CellLine, mean
from consilium.cytogenetics.iscn.parse import parse


def cell(text: str) -> CellLine:
    (line,) = mean(parse(text)).lines
    return line


TRUTHS = {
    # one chromosome
    "46,XX,del(6)(q15)": ["pter->q15:"],
    "46,XX,del(6)(p21.1)": [":p21.1->qter"],
    "46,XX,del(6)(q15q22)": ["pter->q15::q22->qter"],
    "46,XX,del(6)(p24p21.1)": ["pter->p24::p21.1->qter"],
    "46,XX,del(8)(p10)": [":p10->qter"],
    "46,XX,del(8)(q10)": ["pter->q10:"],
    "46,XX,dup(4)(q21q31)": ["pter->q31::q21->qter"],
    "46,XX,dup(4)(q31q21)": ["pter->q31::q31->q21::q31->qter"],
    "46,XX,dup(4)(p16p14)": ["pter->p14::p16->qter"],
    "46,XX,dup(4)(p14p16)": ["pter->p14::p14->p16::p14->qter"],
    "46,XX,trp(4)(q21q31)": ["pter->q31::q21->q31::q21->qter"],
    "46,XX,trp(4)(q31q21)": ["pter->q31::q31->q21::q21->qter"],
    "46,XX,qdp(4)(q21q31)": ["pter->q31::q21->q31::q21->q31::q21->qter"],
    "46,XX,inv(7)(p15q32)": ["pter->p15::q32->p15::q32->qter"],
    "46,XX,inv(7)(q11.2q32)": ["pter->q11.2::q32->q11.2::q32->qter"],
    "46,XX,ins(7)(p15q22q31)": ["pter->p15::q22->q31::p15->q22::q31->qter"],
    "46,XX,ins(7)(p15q31q22)": ["pter->p15::q31->q22::p15->q22::q31->qter"],
    "46,XX,ins(7)(q31p21p15)": ["pter->p21::p15->q31::p21->p15::q31->qter"],
    "46,XX,add(3)(q27)": ["3pter->3q27::?"],
    "46,XX,add(3)(p25)": ["?::3p25->3qter"],
    "46,XX,i(18)(p10)": ["pter->p10::p10->pter"],
    "46,XX,i(18)(q10)": ["qter->q10::q10->qter"],
    "46,X,i(Y)(p10)": ["pter->p10::p10->pter"],
    "46,X,idic(X)(q21)": ["pter->q21::q21->pter"],
    "46,XX,idic(17)(p12)": ["qter->p12::p12->qter"],
    "46,XX,psu idic(21)(q22)": ["pter->q22::q22->pter"],
    "46,XX,r(18)(p11.3q22)": ["::p11.3->q22::"],
    "46,XX,r(18)(q22p11.3)": ["::p11.3->q22::"],
    "46,XX,hsr(2)(p24)": ["2pter->2p24::hsr::2p24->2qter"],
    "46,XX,fra(16)(q22)": ["pter->qter"],
    "46,XX,inv dup(15)(q13)": ["pter->q13::q13->pter"],
    "47,XX,-4,+fis(4)(p10),+fis(4)(q10)": ["pter->p10:", ":q10->qter"],
    # two and more, balanced
    "46,XX,t(4;12)(q21;p13)": ["4pter->4q21::12p13->12pter", "4qter->4q21::12p13->12qter"],
    "46,XX,t(4;12)(p16;p13)": ["12pter->12p13::4p16->4qter", "4pter->4p16::12p13->12qter"],
    "46,Y,t(X;4)(q22;q21)": ["4pter->4q21::Xq22->Xqter", "Xpter->Xq22::4q21->4qter"],
    "46,XX,t(1;6;12)(q25;p21;q13)": [
        "1pter->1q25::12q13->12qter", "1qter->1q25::6p21->6qter", "12pter->12q13::6p21->6pter",
    ],
    "46,XX,t(5;12)(p10;q10)": ["5pter->5p10::12q10->12qter", "12pter->12p10::5q10->5qter"],
    "46,XX,t(5;12)(p10;p10)": ["5pter->5p10::12p10->12pter", "5qter->5q10::12q10->12qter"],
    "46,XX,ins(4;9)(q21;p24p13)": ["4pter->4q21::9p24->9p13::4q21->4qter", "pter->p24::p13->qter"],
    "46,XX,ins(4;9)(q21;p13p24)": ["4pter->4q21::9p13->9p24::4q21->4qter", "pter->p24::p13->qter"],
    "46,XX,ins(3;8)(p21p14;q13q22)": [
        "3pter->3p21::8q13->8q22::3p14->3qter", "8pter->8q13::3p21->3p14::8q22->8qter",
    ],
    "46,XX,tas(3;9)(q29;p24)": ["3pter->3qter::9pter->9qter"],
    "46,Y,tas(X;4;9)(p22.3;q35p16;p24)": ["Xqter->Xpter::4qter->4pter::9pter->9qter"],
    # fused
    "45,XX,der(15;22)(q10;q10)": ["15qter->15q10::22q10->22qter"],
    "45,XX,rob(15;22)(q10;q10)": ["15qter->15q10::22q10->22qter"],
    "46,XX,+22,der(22;22)(q10;q10)": ["qter->q10::q10->qter"],
    "45,XX,der(3;11)(p10;q10)": ["3pter->3p10::11q10->11qter"],
    "45,XX,dic(7;12)(p11.2;p12)": ["7qter->7p11.2::12p12->12qter"],
    "45,XX,dic(4;10)(q31;q24)": ["4pter->4q31::10q24->10pter"],
    "45,XX,psu dic(16;14)(p13;q24)": ["16qter->16p13::14q24->14pter"],
    "47,XX,+dic(6;?)(q24;?)": ["6pter->6q24::?"],
    "44,XX,trc(3;11;8)(q27;q22p14;p21)": ["3pter->3q27::11q22->11p14::8p21->8qter"],
    # derivatives
    "46,XX,der(11)t(4;11)(q21;q23)": ["11pter->11q23::4q21->4qter"],
    "46,XX,der(4)t(4;11)(q21;q23)": ["4pter->4q21::11q23->11qter"],
    "46,XX,der(4)t(4;11)(p15;q23)": ["11qter->11q23::4p15->4qter"],
    "46,Y,der(X)t(X;4)(p11;q31)": ["4qter->4q31::Xp11->Xqter"],
    "46,XX,der(6)t(1;6;12)(q25;p21;q13)": ["1qter->1q25::6p21->6qter"],
    "46,XX,der(2)t(2;8)(p23;q22)t(2;15)(q33;q24)": ["8qter->8q22::2p23->2q33::15q24->15qter"],
    "46,XX,der(2)t(2;8)(p23;q22)t(8;15)(q24;q24)": ["15qter->15q24::8q24->8q22::2p23->2qter"],
    "46,XX,der(2)t(2;8)(p23;q22)dup(2)(q21q33)": ["8qter->8q22::2p23->2q33::2q21->2qter"],
    "46,XX,der(2)del(2)(p23)del(2)(q33)": [":p23->q33:"],
    "46,XX,der(2)del(2)(p23)t(2;8)(q33;q22)": [":2p23->2q33::8q22->8qter"],
    "46,XX,der(2)inv(2)(p23p13)del(2)(q21q33)": ["pter->p23::p13->p23::p13->q21::q33->qter"],
    "46,XX,der(2)ins(2;8)(q21;q13q22)": ["2pter->2q21::8q13->8q22::2q21->2qter"],
    "46,XX,der(8)ins(2;8)(q21;q13q22)": ["pter->q13::q22->qter"],
    "46,XX,der(2)del(2)(q21q33)ins(2;8)(q21;q22q13)": ["2pter->2q21::8q22->8q13::2q33->2qter"],
    "46,XX,der(2)ins(2;?)(q33;?)t(2;8)(q33;q22)": ["2pter->2q33::?::8q22->8qter"],
    "46,XX,der(2)t(2;8)(q33;p21)hsr(2;8)(q33;p21)": ["2pter->2q33::hsr::8p21->8pter"],
    "46,XX,der(5)r(5;9)(p14q31;q13q32)": ["::5p14->5q31::9q13->9q32::"],
    "46,XX,der(5)r(5;9)(p14q31;q32q13)": ["::5p14->5q31::9q32->9q13::"],
    "46,XX,der(5)r(5;?)(p14q31;?)": ["::5p14->5q31::?::"],
    "46,XX,der(5)t(5;11)(p10;q10)": ["11qter->11q10::5p10->5qter"],
    "45,XX,der(4;9)t(4;9)(q31;p22)t(2;9)(p21;q32)": ["4pter->4q31::9p22->9q32::2p21->2pter"],
    "45,XX,der(4;9)t(2;4)(q14;q31)t(2;9)(q34;p22)": ["4pter->4q31::2q14->2q34::9p22->9qter"],
    "45,XX,der(9;9)(q10;q10)del(9)(q31)t(9;20)(q33;q12)": [":9q31->9q10::9q10->9q33::20q12->20qter"],
    "47,XX,+der(?)t(?;9)(?;q22)": ["?::9q22->9qter"],
    "47,XX,+der(?)t(?;9)(?;q22)t(?;5)(?;p13)": ["5pter->5p13::?::9q22->9qter"],
    "46,XX,ider(11)(q10)t(4;11)(q21;q23)": ["4qter->4q21::11q23->11q10::11q10->11q23::4q21->4qter"],
    "46,XX,ider(20)(q10)del(20)(q12q13.1)": ["qter->q13.1::q12->q10::q10->q12::q13.1->qter"],
    "46,XX,rec(7)dup(7p)inv(7)(p15q32)": ["pter->q32::p15->pter"],
    "46,XX,rec(7)dup(7q)inv(7)(p15q32)": ["qter->p15::q32->qter"],
    "46,XX,rec(13)del(13)ins(13)(p12q14q22)": ["pter->q14::q22->qter"],
    "46,XX,rec(13)dup(13)ins(13)(p12q14q22)": ["pter->p12::q14->q22::p12->q14::q14->q22::q22->qter"],
    # the detailed system
    "46,XX,del(6)(pter->q15:)": ["pter->q15:"],
    "46,XX,der(2)(8qter->8q22::2p23->2qter)": ["8qter->8q22::2p23->2qter"],
    "46,XX,r(7)(::p15->q32::)": ["::p15->q32::"],
    "46,XX,hsr(2)(pter->p24::hsr::p24->qter)": ["2pter->2p24::hsr::2p24->2qter"],
    "46,XX,t(4;12)(4pter->4q21::12p13->12pter;4qter->4q21::12p13->12qter)": [
        "4pter->4q21::12p13->12pter", "4qter->4q21::12p13->12qter",
    ],
    "46,XX,der(5)(::5p14->5q31::?::)": ["::5p14->5q31::?::"],
    "46,XX,i(18)(qter->q10::q10->qter)": ["qter->q10::q10->qter"],
    # breakpoints that were told before
    "46,XX,der(2)t(2;8)(q33;q22)inv(2)(p23q21),der(8)t(2;8)": [
        "2pter->2p23::2q21->2p23::2q21->2q33::8q22->8qter", "8pter->8q22::2q33->2qter",
    ],
    "47,XX,t(4;11)(q21;q23),+der(4)t(4;11)": [
        "4pter->4q21::11q23->11qter", "4pter->4q21::11q23->11qter", "11pter->11q23::4q21->4qter",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("text", "made"), TRUTHS.items())
def test_a_change_makes_these_chromosomes(text: str, made: list[str]) -> None:
    line = cell(text)
    assert line.unread == ()
    assert sorted(detailed(one) for one in line.abnormal) == sorted(made)
    assert sum(one.counted for one in line.chromosomes) == line.line.count.low


@pytest.mark.parametrize(
    "text",
    [text for text in TRUTHS if "->" not in text and "hsr" not in text and "?" not in text and "fis" not in text],
)
def test_the_detailed_form_says_the_same(text: str) -> None:
    for one in cell(text).abnormal:
        if one.name.startswith(("fra", "tas")) or one.home == "?":
            continue
        again = cell(f"46,XX,der({one.home})({detailed(one)})").abnormal
        assert [detailed(other) for other in again] == [detailed(one)]
        assert again[0].ring == one.ring


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("46,XX,t(4;12)(q21;p13)", 1), ("46,XX,i(18)(q10)", 1), ("46,XX,idic(17)(p12)", 2), ("46,XX,r(7)(p15q32)", 1),
        ("45,XX,der(15;22)(q10;q10)", 1), ("45,XX,dic(4;10)(q31;q24)", 2), ("44,XX,trc(3;11;8)(q27;q22p14;p21)", 3),
        ("47,XX,+mar", 1), ("46,XX,t(5;12)(p10;q10)", 1), ("46,XX,inv(7)(p15q32)", 1),
        ("47,XX,+der(?)t(?;9)(?;q22)", 1),
    ],
)  # fmt: skip
def test_each_chromosome_has_its_centromeres(text: str, number: int) -> None:
    assert {centromeres(one) for one in cell(text).abnormal} == {number}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("46,XX,del(5)(q99)", "no band 'q99'"), ("46,XX,t(4;12)(q21;q99)", "no band 'q99'"),
        ("46,XX,del(5)(?)", "which arm"), ("46,XX,dup(5)(q13)", "two breakpoints"),
        ("46,XX,inv(5)(q13)", "two breakpoints"),
        ("46,XX,t(4;12)", "breakpoint"), ("46,XX,i(17)", "which arm"), ("46,XX,tan(17)(q12)", "no reading"),
        ("46,XX,del(5)(q13;q33)", "told on 2"), ("46,XX,der(5)", "not told"),
        ("46,XX,ins(5)(p13q31)", "three breakpoints"),
        ("46,XX,der(5)t(7;9)(q22;q34)", "names no chromosome"),
        ("46,XX,del(5)(q13)t(5;7)(q22;q31)", "stands behind"),
        ("46,XX,der(5)del(5)(q13)t(5;7)(q31;q31)", "no longer there"), ("46,XX,t(4)(q21)", "at least two"),
        ("45,XX,der(5;7)t(5;9)(q31;q22)", "do not join"), ("46,XX,der(1)(1pter->2q21)", "no stretch runs"),
        ("46,XX,rec(1)dup(5q)ins(1;5)(q32;q11.2q22)", "detailed system"),
        ("46,XX,del(1;3)(q21;q21)", "no agreed reading"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_listed_with_the_reason(text: str, why: str) -> None:
    line = cell(text)
    assert why in line.unread[0].why and line.unread[0].text in text
    assert all(not one.read for one in line.abnormal)
    assert set(line.unread[0].chromosomes)


@pytest.mark.parametrize(
    "text",
    [
        "46,XX,del(5)(q?)",
        "46,XX,del(1)(q21~q24)",
        "46,XX,add(19)(p13 or q13)",
        "46,XX,?del(1)(q23)",
        "46,XX,t(4;?)(q21;?)",
        "46,XX,del(5)(q1?3)",
        "46,XX,add(10)(q22) or del(10)(q24)",
        "47,XX,+1~2mar",
    ],
)
def test_doubt_is_told(text: str) -> None:
    assert cell(text).doubtful


def test_breakpoints_told_in_two_ways_are_not_chosen_between() -> None:
    (unread,) = cell("47,XX,del(5)(q13),del(5)(q31),+del(5)").unread
    assert unread.text == "+del(5)" and "different breakpoints" in unread.why
    (unread,) = cell("47,XX,t(4;11)(q21;q23),t(4;11)(q31;q13),+der(4)t(4;11)").unread
    assert unread.text == "+der(4)t(4;11)" and "different breakpoints" in unread.why
    assert cell("47,XX,del(5)(q13)x2,+del(5)").unread == ()


def test_what_lies_in_one_band_is_not_lost() -> None:
    segment = cell("46,XX,del(12)(q22q22)").abnormal[0].segments
    assert segment[0].stop.at < segment[1].start.at
    again = cell("46,XX,del(12)(pter->q22::q22->qter)").abnormal[0].segments
    assert again[0].stop.at < again[1].start.at
    doubled = cell("46,XX,dup(12)(q22q22)").abnormal[0].segments
    assert doubled[0].stop.at > doubled[1].start.at
