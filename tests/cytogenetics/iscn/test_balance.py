"""Net gain and loss, junctions and breakpoints, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.cytogenetics.bands import AUTOSOMES, bands
from consilium.cytogenetics.iscn.balance import (
    arm_copies,
    balanced,
    band_copies,
    breakpoints,
    chromosome_copies,
    imbalances,
    junctions,
    unknown_material,
)
from consilium.cytogenetics.iscn.mean import CellLine, mean
from consilium.cytogenetics.iscn.parse import parse


def cell(text: str) -> CellLine:
    return mean(parse(text)).lines[-1]


def net(line: CellLine, **against: str) -> str:
    return " ".join(f"{'+' * one.change}{'-' * -one.change}{one}" for one in imbalances(line, **against))


NET = {
    "46,XX": "", "46,XY": "", "69,XXY": "", "69,XXX": "", "92,XXYY": "", "23,X": "", "45,X": "-X",
    "47,XY,+18": "+18", "45,XX,-7": "-7", "48,XX,+8,+8": "++8", "47,XXX": "+X", "47,XYY": "+Y", "47,XXY": "+X",
    "49,XXXXY": "+++X", "45,X,-Y": "-Y", "45,X,-X": "-X", "46,XXYc,-X": "", "48,XXYc,+X": "++X",
    "70,XXX,+8": "+8", "68,XX,-X": "-X", "67<3n>,XXX,-5,-9": "-5 -9", "69,XYY": "-X +Y", "91,XXYY,-3": "-3",
    "24,X,+21": "+21", "50(25,X,+X,+21)x2": "++21 ++X",
    "46,XX,t(4;12)(q21;p13)": "", "46,Y,t(X;4)(q22;q21)": "", "46,XX,t(1;6;12)(q25;p21;q13)": "",
    "46,XX,t(5;12)(p10;q10)": "", "46,XX,inv(7)(p15q32)": "", "46,XX,inv(7)(q11.2q32)": "",
    "46,XX,ins(7)(p15q22q31)": "", "46,XX,ins(4;9)(q21;p13p24)": "", "46,XX,ins(3;8)(p21p14;q13q22)": "",
    "46,XX,tas(3;9)(q29;p24)": "", "46,XX,fra(16)(q22)": "", "46,XX,16qh+": "", "46,XX,upd(15)mat": "",
    "46,XX,del(6)(q15)": "-6q15qter", "46,XX,del(6)(p21.1)": "-6pterp21.1", "46,XX,del(6)(q15q22)": "-6q15q22",
    "46,XX,del(8)(p10)": "-8pterp10", "46,XX,dup(4)(q21q31)": "+4q21q31", "46,XX,dup(4)(q31q21)": "+4q21q31",
    "46,XX,dup(4)(p16p14)": "+4p16p14", "46,XX,trp(4)(q21q31)": "++4q21q31", "46,XX,qdp(4)(q21q31)": "+++4q21q31",
    "46,XX,del(6)(q15)x2": "--6q15qter", "47,XX,+del(6)(q15)": "+6pterq15", "46,XX,add(3)(q27)": "-3q27qter",
    "46,XX,i(18)(p10)": "+18pterp10 -18p10qter", "46,X,i(X)(q10)": "-Xpterq10 +Xq10qter",
    "47,XY,+i(12)(p10)": "++12pterp10", "46,X,idic(X)(q21)": "+Xpterq21 -Xq21qter",
    "46,X,i(Y)(q10)": "-Ypterq10 +Yq10qter",
    "46,XX,r(18)(p11.3q22)": "-18pterp11.3 -18q22qter", "47,XX,+r(18)(p11.3q22)": "+18p11.3q22",
    "45,XX,der(15;22)(q10;q10)": "-15pterq10 -22pterq10", "46,XX,+22,der(15;22)(q10;q10)": "-15pterq10 +22q10qter",
    "46,XX,+22,der(22;22)(q10;q10)": "-22pterq10 +22q10qter",
    "45,XX,der(3;11)(p10;q10)": "-3p10qter -11pterq10", "46,XX,+3,der(3;11)(p10;q10)": "+3pterp10 -11pterq10",
    "45,XX,dic(4;10)(q31;q24)": "-4q31qter -10q24qter", "44,XX,trc(3;11;8)(q27;q22p14;p21)": "-3q27qter "
    "-8pterp21 -11pterp14 -11q22qter", "47,XX,+dic(6;?)(q24;?)": "+6pterq24",
    "46,XX,der(11)t(4;11)(q21;q23)": "+4q21qter -11q23qter", "45,XX,der(11)t(4;11)(q21;q23),-4": "-4pterq21 -11q23qter",
    "47,XX,t(4;11)(q21;q23),+der(4)t(4;11)": "+4pterq21 +11q23qter",
    "46,XX,der(2)t(2;8)(p23;q22)t(8;15)(q24;q24)": "-2pterp23 +8q22q24 +15q24qter",
    "46,XX,der(2)ins(2;8)(q21;q13q22)": "+8q13q22", "46,XX,der(8)ins(2;8)(q21;q13q22)": "-8q13q22",
    "46,XX,der(2)del(2)(q21q33)ins(2;8)(q21;q22q13)": "-2q21q33 +8q13q22",
    "46,XX,ider(11)(q10)t(4;11)(q21;q23)": "++4q21qter -11pterq10 +11q10q23 -11q23qter",
    "46,XX,rec(7)dup(7p)inv(7)(p15q32)": "+7pterp15 -7q32qter", "46,XX,rec(7)dup(7q)inv(7)(p15q32)": "-7pterp15 "
    "+7q32qter",
    "46,XX,del(6)(pter->q15::q22->qter)": "-6q15q22", "46,XY,-7,+mar": "-7",
    "47,XX,-4,+fis(4)(p10),+fis(4)(q10)": "", "47,XX,+del(6)(q15),del(6)(p23)": "+6p23q15",
    "47,XX,+8[5]/48,idem,+9[3]": "+8 +9",
    "46,XX,t(4;11)(q21;q23)[9]/47,sl,+8[4]/48,sdl1,+der(4)t(4;11)[2]": "+4pterq21 "
    "+8 +11q23qter", "47,XX,inv(6)(p21q25),+12[7]/47,sl,-inv(6),+mar[6]": "-6 +12",
    "45,XX,-3[4]/94,slx2,+3,+3,+3,+3[3]": "++3",
    "46,XX,del(6)(q15)[4]/92,slx2[3]": "--6q15qter",
}  # fmt: skip


@pytest.mark.parametrize(("text", "truth"), NET.items())
def test_net_gain_and_loss(text: str, truth: str) -> None:
    line = cell(text)
    assert line.unread == ()
    assert net(line) == truth


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("69,XXX,-1", " ".join(f"+{name}" for name in [*AUTOSOMES[1:], "X"])), ("46<2n>,XX,-5,+8", "-5 +8"),
        ("24,X,+21", " ".join(f"-{name}" for name in [*(n for n in AUTOSOMES if n != "21"), "X"])),
    ],
)  # fmt: skip
def test_gain_and_loss_against_the_diploid_set(text: str, truth: str) -> None:
    assert net(cell(text), against="diploid") == truth


def test_the_whole_band_named_is_partly_affected() -> None:
    partial = {str(one.band): (one.least, one.most) for one in band_copies(cell("46,XX,del(5)(q13q33)")) if one.partial}
    assert partial == {f"5{name}": (1, 2) for name in ("q13.1", "q13.2", "q13.3", "q33.1", "q33.2", "q33.3")}
    lost = [str(one.band) for one in band_copies(cell("46,XX,del(5)(q13q33)")) if one.most == 1]
    assert lost[0] == "5q14.1" and lost[-1] == "5q32" and len(lost) == 17


def test_a_deletion_within_one_band_affects_that_band_alone() -> None:
    line = cell("46,XX,del(12)(q22q22)")
    touched = [(str(one.band), one.least, one.most) for one in band_copies(line) if one.lost]
    assert touched == [("12q22", 1, 2)] and imbalances(line)[0].bp_inner is None


def test_an_interval_is_affected_as_a_whole() -> None:
    copies = {one.band.arm + one.band.name: one for one in chromosome_copies(cell("46,XX,del(1)(q23~q25)"), "1")}
    assert [copies[name].partial for name in ("q22", "q23.1", "q24.2", "q25.3", "q31.1")] == [False, *[True] * 3, False]
    assert copies["q31.1"].most == 1 and copies["q22"].least == 2


def test_base_pairs_of_a_loss() -> None:
    (loss,) = imbalances(cell("46,XX,del(5)(q14.3)"))
    band = next(one for one in bands("5", 850) if (one.arm, one.name) == ("q", "14.3"))
    assert band.bp_start <= loss.bp_start <= band.bp_stop and loss.bp_stop == bands("5", 850)[-1].bp_stop
    assert loss.bp_inner == (band.bp_stop + 1, loss.bp_stop) and loss.bp_outer == (band.bp_start, loss.bp_stop)
    (gain,) = imbalances(cell("47,XY,+21"))
    assert (gain.bp_start, gain.bp_stop, gain.whole) == (1, bands("21", 850)[-1].bp_stop, True)


def test_arms() -> None:
    arms = {(one.chromosome, one.arm): one for one in arm_copies(cell("46,XX,i(17)(q10),del(5)(q33)"))}
    assert (arms["17", "p"].least, arms["17", "p"].most, arms["17", "p"].lost) == (1, 1, 1.0)
    assert (arms["17", "q"].least, arms["17", "q"].gained) == (3, 1.0)
    assert (arms["5", "q"].least, arms["5", "q"].most) == (1, 2) and 0.15 < arms["5", "q"].lost < 0.3
    assert len(arms) == 48 and arms["X", "p"].least == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("46,XX,t(4;12)(q21;p13)", ["4q21::12p13", "12p13::4q21"]), ("46,XX,del(6)(q15)", []),
        ("46,XX,del(6)(q15q22)", ["6q15::6q22"]), ("46,XX,dup(4)(q21q31)", ["4q31::4q21"]),
        ("46,XX,inv(7)(p15q32)", ["7p15::7q32", "7p15::7q32"]), ("46,XX,add(3)(q27)", ["3q27::?"]),
        ("46,XX,r(18)(p11.3q22)", ["18q22::18p11.3"]), ("46,XX,i(18)(q10)", ["18q10::18q10"]),
        ("45,XX,der(15;22)(q10;q10)", ["15q10::22q10"]), ("47,XX,+8", []), ("47,XX,+mar", []), ("47,XX,+r", []),
        ("46,XX,ins(4;9)(q21;p13p24)", ["4q21::9p13", "9p24::4q21", "9p24::9p13"]),
    ],
)  # fmt: skip
def test_junctions(text: str, told: list[str]) -> None:
    joins = [str(one) for one in junctions(cell(text))]
    turned = ["::".join(reversed(one.split("::"))) for one in joins]
    assert len(joins) == len(told)
    for one, other, wanted in zip(joins, turned, told, strict=True):
        assert wanted in (one, other)


def test_breakpoints() -> None:
    line = cell("46,XX,t(4;12)(q21;p13),del(5)(q13q33),der(12)t(4;12)")
    assert [f"{one.chromosome}{one.text}" for one in breakpoints(line)] == ["4q21", "5q13", "5q33", "12p13"]


def test_what_is_unknown_is_counted_apart() -> None:
    line = cell("49,XX,add(3)(q27),hsr(8)(q24),+r,+2mar")
    assert unknown_material(line) == {"?": 1, "hsr": 1, "r": 1, "mar": 2}


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("46,XX", True), ("46,XX,t(4;12)(q21;p13)", True), ("45,XX,der(15;22)(q10;q10)", True), ("69,XXX", True),
        ("46,XX,inv(7)(p15q32)", True), ("46,XX,+22,der(15;22)(q10;q10)", False), ("47,XX,+8", False),
        ("46,XX,del(5)(q99)", None), ("46,XX,inc", None), ("46,U,t(4;12)(q21;p13)", True), ("46,XX,add(3)(q27)", False),
        ("46,XX,r(7)", None), ("46,XX,3dmin", False), ("46,XX,hsr(8)(q24)", False), ("46,XX,del(12)(q22q22)", False),
        ("45,U,der(X)t(X;4)(q22;q21)", False),
    ],
)  # fmt: skip
def test_balance(text: str, truth: bool | None) -> None:
    assert balanced(cell(text)) is truth


def test_a_robertsonian_carrier_has_lost_short_arms() -> None:
    assert balanced(cell("45,XX,der(15;22)(q10;q10)"), short_arms_of_acrocentrics=True) is False


def test_an_unread_change_makes_its_chromosomes_unknown() -> None:
    unknown = {one.band.chromosome for one in band_copies(cell("46,XX,t(4;12)(q21;p99)")) if not one.known}
    assert unknown == {"4", "12"}


names = st.sampled_from(AUTOSOMES)


@st.composite
def places(draw: st.DrawFn, chromosome: str, number: int) -> list[str]:
    rows = bands(chromosome, draw(st.sampled_from([400, 550, 850])))
    return [one.arm + one.name for one in draw(st.lists(st.sampled_from(rows), min_size=number, max_size=number))]


@st.composite
def balanced_changes(draw: st.DrawFn) -> str:
    one, other, third = draw(st.lists(names, min_size=3, max_size=3, unique=True))
    kind = draw(st.sampled_from(["t2", "t3", "inv", "ins1", "ins2", "ins4"]))
    if kind == "t2":
        return f"t({one};{other})({draw(places(one, 1))[0]};{draw(places(other, 1))[0]})"
    if kind == "t3":
        told = ";".join(draw(places(name, 1))[0] for name in (one, other, third))
        return f"t({one};{other};{third})({told})"
    if kind == "inv":
        return f"inv({one})({''.join(draw(places(one, 2)))})"
    if kind == "ins1":
        return f"ins({one})({''.join(draw(places(one, 3)))})"
    if kind == "ins2":
        return f"ins({one};{other})({draw(places(one, 1))[0]};{''.join(draw(places(other, 2)))})"
    return f"ins({one};{other})({''.join(draw(places(one, 2)))};{''.join(draw(places(other, 2)))})"


@given(balanced_changes())
def test_balanced_changes_gain_and_lose_nothing(change: str) -> None:
    line = cell(f"46,XX,{change}")
    # An insertion into the segment that is moved is no insertion: it is listed, everything else is built.
    assert all("no longer there" in one.why and change.startswith("ins") for one in line.unread)
    assert imbalances(line) == ()
    assert not any(one.partial or one.gained or one.lost for one in band_copies(line))
    assert balanced(line) is (None if line.unread else True)


@given(names, st.data())
def test_both_derivatives_of_a_translocation_are_each_others_opposite(one: str, data: st.DataObject) -> None:
    other = data.draw(names.filter(lambda name: name != one))
    a, b = data.draw(places(one, 1))[0], data.draw(places(other, 1))[0]
    first = {str(i): i.change for i in imbalances(cell(f"46,XX,der({one})t({one};{other})({a};{b})"))}
    second = {str(i): i.change for i in imbalances(cell(f"46,XX,der({other})t({one};{other})({a};{b})"))}
    assert first == {name: -change for name, change in second.items()}
