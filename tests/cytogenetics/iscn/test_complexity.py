"""Ploidy classes and numbers of abnormalities."""

from __future__ import annotations

import pytest
from hypothesis import given

from consilium.cytogenetics.iscn.complexity import (
    abnormality_count,
    abnormality_counts,
    near_ploidy,
    ploidy_classes,
)
from consilium.cytogenetics.iscn.count import NoMeaning
from consilium.cytogenetics.iscn.parse import parse
from consilium.cytogenetics.iscn.tree import Range, Result
from tests.cytogenetics.iscn.trees import results


@pytest.mark.parametrize(
    ("number", "name", "near"),
    [
        (21, "hypohaploid", "near-haploid"), (23, "haploid", "near-haploid"), (24, "hyperhaploid", "near-haploid"),
        (34, "hyperhaploid", "near-haploid"), (35, "hypodiploid", "near-diploid"), (45, "hypodiploid", "near-diploid"),
        (46, "diploid", "near-diploid"), (47, "hyperdiploid", "near-diploid"), (57, "hyperdiploid", "near-diploid"),
        (58, "hypotriploid", "near-triploid"), (69, "triploid", "near-triploid"),
        (80, "hypertriploid", "near-triploid"),
        (81, "hypotetraploid", "near-tetraploid"), (92, "tetraploid", "near-tetraploid"),
        (103, "hypertetraploid", "near-tetraploid"), (104, "hypopentaploid", "near-pentaploid"),
        (126, "hyperpentaploid", "near-pentaploid"), (149, "hyperhexaploid", "near-hexaploid"),
        (172, "hyperheptaploid", "near-heptaploid"), (195, "hyperoctaploid", "near-octaploid"),
        (196, "polyploid", "polyploid"),
    ],
)  # fmt: skip
def test_ploidy_classes(number: int, name: str, near: str) -> None:
    assert ploidy_classes(Range(number)) == (name,) and near_ploidy(number) == near


def test_an_interval_of_numbers_may_lie_in_several_classes() -> None:
    assert ploidy_classes(Range(44, 48)) == ("hypodiploid", "diploid", "hyperdiploid")
    assert ploidy_classes(Range(60, 64)) == ("hypotriploid",)
    assert ploidy_classes(Range(500, 900)) == ("polyploid",)


COUNTS = {
    "46,XX[20]": 0, "47,XX,+9[20]": 1, "45,X,-Y[12]": 1, "46,XX,-5,+9[8]": 2, "46,XX,t(4;11)(q21;q23)[20]": 1,
    "46,XX,t(1;6;12)(q25;p21;q13)[20]": 1, "46,XX,inv(3)(p13q21)[9]": 1, "46,XX,ins(4;9)(q21;p13p24)[9]": 1,
    "46,XX,i(18)(q10)[9]": 1, "46,XX,del(6)(q15)[9]": 1, "46,XX,der(6)del(6)(p23)del(6)(q15)[9]": 1,
    "46,XX,dup(4)(q21q31)[9]": 1, "46,XX,r(18)(p11.3q22)[9]": 1, "46,XX,add(3)(q27)[9]": 1, "46,XX,idic(17)(p12)[9]": 1,
    "46,XX,hsr(8)(q24)[9]": 1, "46,XX,4~30dmin[9]": 1, "47,XX,+mar[9]": 1, "48,XX,+2mar[9]": 2, "48,XX,+13,+13[9]": 2,
    "46,XX,qdp(4)(q21q31)[9]": 2, "46,XX,ider(11)(q10)del(11)(q22q23)[9]": 2, "46,XX,der(11)t(4;11)(q21;q23)[9]": 2,
    "46,XX,der(2)ins(2;8)(q21;q13q22)[9]": 2, "46,XX,der(2)t(2;8)(p23;q22)t(2;15)(q33;q24)[9]": 2,
    "46,XX,der(5)r(5;9)(p14q31;q13q32)[9]": 2, "69,XXX[9]": 1, "92,XXYY,del(6)(q15)[9]": 2,
    "46,XX,+3,der(3;11)(p10;q10)[9]": 2, "45,XX,der(3;11)(p10;q10)[9]": 2, "45,XX,dic(4;10)(q31;q24)[9]": 2,
    "47,XX,t(4;11)(q21;q23),+der(4)t(4;11)[9]": 2, "47,XX,+13c[9]": 0, "48,XX,+9,+13c[9]": 1, "48,XXYc,+9[9]": 1,
    "46,XX,t(4;11)(q21;q23)mat[9]": 0, "46,XX,inv(9)(p12q13)c,del(6)(q15)[9]": 1, "47~48,XX,+9,+12,+14[cp8]": 3,
    "47,XX,+9[7]/47,idem,del(6)(q15)[5]": 2, "47,XX,+9[7]/45,XX,-5[5]/46,XX[8]": 2,
    "47,XX,+9[7]/48,XX,+9,+13[5]": 2, "46,XX,t(4;11)(q21;q23)[7]/47,XX,t(4;11),+9[5]": 2, "47,XX,+9[7]/48,sl,+9[5]": 2,
    "45,XX,-3[7]/46,sl,+3[6]": 1, "46,XX,del(6)(q15)[7]/92,slx2[5]": 2, "46,XX,fra(16)(q22)[9]": 0, "46,XX,9qh+[9]": 0,
    "46,XX,der(2)add(2)(p23)t(2;8)(q33;q22),der(8)t(2;8)[9]": 2, "46,XX,+9,-5//46,XY[5]": 2, "//46,XY[20]": 0,
    "44,XX,-5,del(6)(q15),-7,der(11)t(4;11)(q21;q23),-17,+mar[14]/43,sl,-20[6]": 8,
}  # fmt: skip


@pytest.mark.parametrize(("text", "number"), COUNTS.items())
def test_abnormalities_of_all_clones(text: str, number: int) -> None:
    assert abnormality_count(parse(text)) == number


def test_abnormalities_of_each_clone() -> None:
    assert abnormality_counts(parse("47,XX,+9[7]/47,idem,del(6)(q15)[5]/46,XX[8]")) == ((1, 2, 0),)


@given(results())
def test_any_tree_has_a_count_or_the_one_error(result: Result) -> None:
    try:
        counts = abnormality_counts(result)
    except NoMeaning:
        return
    assert all(number >= 0 for lines in counts for number in lines)
    assert abnormality_count(result) >= max(counts[0], default=0) if counts else abnormality_count(result) == 0
