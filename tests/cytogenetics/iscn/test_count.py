"""Chromosome numbers that entries imply, worked out by hand."""

from __future__ import annotations

import timeit

import pytest
from hypothesis import HealthCheck, given, settings

from consilium.cytogenetics.iscn.count import NoMeaning, count, counts, level
from consilium.cytogenetics.iscn.parse import parse
from consilium.cytogenetics.iscn.tree import Range, Result
from tests.cytogenetics.iscn.trees import results

RIGHT = [
    "46,XX", "45,X", "47,XXY", "69,XXY", "92,XXYY", "47,XY,+21", "45,XX,-7", "48,XXYc,+X", "46,XXYc,-X", "45,X,-Y",
    "46,Xc,+21", "45,Xc,t(X;8)(p11;q24)", "47,XX,+X",
    "69<3n>,XXX", "70<3n>,XXX,+8", "67<3n>,XX,-X,-5", "67<3n>,XX,-5",
    "23<1n>,X", "23,X", "26<1n>,X,+4,+X,+21", "24,X,+21",
    "30,X,-X,-1,-3,-4,-5,-7,-8,-9,-11,-12,-13,-14,-15,-16,-17,-19",
    "46,XX,t(2;7)(p13;q22)", "46,Y,t(X;8)(p11;q24)", "46,X,t(X;8)(p11;q24)", "46,X,i(X)(q10)", "46,X,idic(Y)(q12)",
    "45,XX,der(13;15)(q10;q10)", "45,XX,rob(13;15)(q10;q10)", "45,XX,dic(3;9)(p21;p13)", "45,X,dic(X;15)(q11;q11)",
    "45,XY,psu dic(15;13)(q12;q12)", "44,XX,trc(5;11;8)(q31;q22p13;q24)", "46,XX,tas(2;9)(q37;q34)",
    "46,Y,tas(X;7)(q28;q36)", "46,XX,idic(20)(q11)", "45,XX,dic(13;13)(q14;q32)", "46,XX,i(17)(q10)",
    "46,XX,der(8)t(8;X)(p23;p22)", "46,XX,ins(3;6)(p21;q25q22)", "46,Y,ins(X;6)(q22;p21p23)",
    "46,XX,+8,der(13;15)(q10;q10)", "46,XY,+13,der(13;14)(q10;q10)", "47,XY,+der(1)t(1;3)(q21;p21)", "47,XX,+mar",
    "48,XX,+2mar", "48,XX,+marx2", "46,XX,dmin", "46,XX,9~34dmin", "46,XX,>50dmin", "47,XX,+r", "46,XX,-3,+mar",
    "47,XX,+del(6)(q13)", "48,XX,+del(6)(q13)x2", "46,XX,del(6)(q13)x2", "47,XY,+i(12)(p10)",
    "46,XX,del(5)(q13q33),inc", "46,XY,upd(15)mat", "46,XX,9qh+", "47,XY,-10,+fis(10)(p10),+fis(10)(q10)", "46,U",
    "47,U,+21", "46,XX,inv(9)(p12q13)c", "47,XX,+?8", "50(25,X,+X,+21)x2", "46,X,?i(X)(q10)", "90<4n>,XXYY,-3,-3",
    "45,XX,der(5)del(5)(p14)t(5;9)(q13;q22),-9",
]  # fmt: skip


@pytest.mark.parametrize("text", RIGHT)
def test_the_number_of_a_right_string_is_its_own(text: str) -> None:
    (line,) = parse(text).persons[0]
    assert count(line) == (line.doubled.count if line.doubled else line.count)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("45,XY,-Y", 46, None), ("46,XX,+21", 47, None), ("46,XY,der(13;14)(q10;q10)", 45, None),
        ("47,XX,+8,+9[cp4]", 46, 48), ("45~47,XX,-5,+8[3],del(7)(q22)[cp5]", 45, 47), ("48,XX,+1~3mar", 47, 49),
        ("46,XX,+8 or +9", 47, None), ("46,XX,-7 or del(7)(q22)", 45, 46), ("46,X?", 45, 46),
        ("46,XX,i(X)(q10)", 47, None),
        ("45,XX,dic(5;?)(q13;?)", 45, 46), ("46,X,Yqh+", 45, 46), ("45,XX,r(1;3)(p36q23;q21q27)", 45, 46),
    ],
)  # fmt: skip
def test_the_number_of_others_is_what_their_entries_make(text: str, low: int, high: int | None) -> None:
    (line,) = parse(text).persons[0]
    assert count(line) == Range(low, high)


@pytest.mark.parametrize(
    "text",
    [
        "47,XX,+12[2]/47,sl,del(6)(q13q23)[17]/48,sdl1,+9[3]/46,XX[1]",
        "46,XX,t(8;21)(q22;q22)[12]/45,idem,-X[19]/46,idem,-X,+8[5]",
        "46,XY,t(9;22)(q34;q11)[3]/47,sl,+8[17]/48,sdl1,+9[3]/49,sdl2,+11[12]",
        "47,XX,+der(9)t(9;22)(q34;q11)[3]/46,sl,-der(9)t(9;22)[4]/94,idemx2[5]",
        "45,X,-Y[3]/90,slx2[2]/45,sl,i(17)(q10)[9]",
        "46,XX,del(5)(q13q33)[3]/45,X,-X[4]/47,sl2,+21,+8[2]",
    ],
)
def test_clones_count_from_those_they_refer_to(text: str) -> None:
    (lines,) = parse(text).persons
    assert counts(lines) == tuple(line.count for line in lines)


@pytest.mark.parametrize("text", ["46,idem", "47,sl,+8", "46,XX[2]/47,sdl1,+8[3]", "46,XX/47,sl,+8/48,sdl2,+9"])
def test_a_clone_that_is_not_there_is_told(text: str) -> None:
    with pytest.raises(NoMeaning, match="a clone that is not there"):
        counts(parse(text).persons[0])


@pytest.mark.parametrize(
    ("text", "number"),
    [("46,XX", 2), ("69,XXX", 3), ("92,XXYY", 4), ("23,X", 1), ("34,X,-X,-5", 2), ("45<3n>,XX", 3), ("60,XX,+8", 3)],
)
def test_the_level_is_told_by_the_count_where_it_is_not_written(text: str, number: int) -> None:
    assert level(parse(text).persons[0][0]) == number


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(results())
def test_any_tree_has_a_number_or_the_one_error(result: Result) -> None:
    for lines in result.persons:
        for at, line in enumerate(lines):
            try:
                found = count(line, lines[:at])
            except NoMeaning:
                continue
            assert found.low >= 0 and (found.high is None or found.high > found.low)


def test_counting_is_fast() -> None:
    (line,) = parse("46,XY,-3,del(5)(q13q33),-7,+8,der(9)t(9;22)(q34;q11),+21,+mar1,+mar2,+3mar,dmin").persons[0]
    assert min(timeit.repeat(lambda: count(line), number=100, repeat=3)) / 100 < 0.0003
