"""From strings to the chromosomes of each cell line."""

from __future__ import annotations

import json
import time
import timeit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.cytogenetics.iscn.balance import balanced, band_copies, breakpoints, imbalances, junctions
from consilium.cytogenetics.iscn.chromosomes import Unknown, centromeres, detailed
from consilium.cytogenetics.iscn.draw import karyograms
from consilium.cytogenetics.iscn.mean import CellLine, Meaning, NoMeaning, mean
from consilium.cytogenetics.iscn.parse import NotISCN, parse
from consilium.cytogenetics.iscn.places import length
from consilium.cytogenetics.iscn.tree import Range, Result
from consilium.settings import data_folder
from tests.cytogenetics.iscn.trees import KINDS, results


def lines(text: str) -> tuple[CellLine, ...]:
    return mean(parse(text)).lines


def names(line: CellLine) -> list[str]:
    return [one.name for one in line.abnormal]


def copies(line: CellLine, name: str) -> int:
    return sum(one.normal and one.name == name for one in line.chromosomes)


@pytest.mark.parametrize(
    ("text", "sex", "level"),
    [
        ("46,XX", "female", 2), ("46,XY", "male", 2), ("45,X", "female", 2), ("45,X,-Y", "male", 2),
        ("46,U", "unknown", 2),
        ("69,XXY", "male", 3), ("25,X,+Y,+21", "male", 1), ("92<4n>,XXXX", "female", 4), ("46,X,i(Y)(q10)", "male", 2),
        ("46,XX[9]//46,XY[3]", "female", 2), ("45,X[9]/46,XY[3]", "male", 2), ("50(25,X,+Y,+21)x2", "male", 2),
        ("58<2n>,XX,+1", "female", 2),
    ],
)  # fmt: skip
def test_sex_and_level(text: str, sex: str, level: int) -> None:
    first = lines(text)[0]
    assert (first.sex, first.level) == (sex, level)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("58<2n>,XX,+1[3]/59,idem,+8[2]", 2), ("46,XX[3]/92,slx2[2]", 4), ("24,X,+21[3]/48,idemx2[2]", 2),
        ("69,XXX[3]/67,sl,-X,-8[2]", 3), ("46,XX[3]/92<2n>,slx2[2]", 2),
    ],
)  # fmt: skip
def test_a_clone_has_the_level_of_that_it_starts_from(text: str, level: int) -> None:
    assert lines(text)[1].level == level


def test_a_normal_cell_has_its_pairs() -> None:
    (line,) = lines("46,XY")
    assert [one.name for one in line.chromosomes[:4]] == ["1", "1", "2", "2"]
    assert [one.name for one in line.chromosomes[-2:]] == ["X", "Y"]
    assert line.abnormal == () and line.doubtful == () and line.unread == ()


def test_a_change_replaces_a_normal_homologue() -> None:
    (line,) = lines("46,XX,t(4;12)(q21;p13)")
    assert names(line) == ["der(4)t(4;12)", "der(12)t(4;12)"]
    assert (copies(line, "4"), copies(line, "12"), copies(line, "5")) == (1, 1, 2)


def test_with_a_plus_it_is_additional() -> None:
    (line,) = lines("48,XX,+del(6)(q15)x2")
    assert names(line) == ["del(6)", "del(6)"] and copies(line, "6") == 2


def test_a_dicentric_replaces_two() -> None:
    (line,) = lines("45,XX,dic(4;10)(q31;q24)")
    assert (copies(line, "4"), copies(line, "10")) == (1, 1)


def test_an_abnormal_sex_chromosome_comes_to_those_written() -> None:
    assert copies(lines("46,X,i(X)(q10)")[0], "X") == 1
    assert copies(lines("45,Xc,t(X;8)(p11;q24)")[0], "X") == 0
    assert copies(lines("46,XX[3]/46,idem,i(X)(q10)[2]")[1], "X") == 1


def test_homologues_stand_before_their_derivatives() -> None:
    (line,) = lines("49,XX,del(6)(q15),+der(?)t(?;9)(?;q22),+r,+mar")
    assert [one.name for one in line.chromosomes if one.home == "6"] == ["6", "del(6)"]
    assert [one.name for one in line.chromosomes][-3:] == ["der(?)t(?;9)", "r", "mar"]


def test_markers_rings_and_double_minutes() -> None:
    (line,) = lines("51,XX,+r1,+mar1x2,+2mar,8~20dmin")
    assert [one.name for one in line.abnormal] == ["r1", "mar1", "mar1", "mar", "mar"]
    assert line.abnormal[0].ring and line.abnormal[0].pieces == (Unknown("r", centric=True),)
    assert line.extras[0].kind == "dmin" and line.extras[0].number == Range(8, 20)
    assert lines("46,XX,>50dmin")[0].extras[0].more_than


@pytest.mark.parametrize(
    ("text", "at", "abnormal", "number"),
    [
        ("47,XX,+9[2]/47,sl,del(6)(q15)[7]/48,sdl1,+13[3]", 1, ["del(6)"], 47),
        ("47,XX,+9[2]/47,sl,del(6)(q15)[7]/48,sdl1,+13[3]", 2, ["del(6)"], 48),
        ("47,XX,del(6)(q15),+9[2]/46,sl,-del(6)[7]", 1, [], 46),
        ("46,XX,t(4;11)(q21;q23)[2]/45,idem,-der(11)t(4;11)[7]", 1, ["der(4)t(4;11)"], 45),
        ("46,XX,t(4;11)(q21;q23)[2]/44,idem,-t(4;11)[7]", 1, [], 44),
        ("48,XX,+mar1,+mar2[2]/47,sl,-mar2[7]", 1, ["mar1"], 47),
        ("46,XX,del(6)(q15)[2]/92,slx2[7]/93,sdl,+8[2]", 2, ["del(6)", "del(6)"], 93),
        ("45,XX,-7[4]/46,XX,t(4;11)(q21;q23)[3]/47,sl2,+8[2]", 2, ["der(4)t(4;11)", "der(11)t(4;11)"], 47),
        ("46,XX,t(4;11)(q21;q23)[3]/47,XX,t(4;11),+8[2]", 1, ["der(4)t(4;11)", "der(11)t(4;11)"], 47),
    ],
)  # fmt: skip
def test_clones_have_what_they_refer_to(text: str, at: int, abnormal: list[str], number: int) -> None:
    line = lines(text)[at]
    assert line.unread == () and names(line) == abnormal and len(line.chromosomes) == number


@pytest.mark.parametrize("text", ["46,idem", "46,XX[2]/47,sdl1,+8[3]", "999,XX,+8x999"])
def test_what_has_no_meaning_is_refused(text: str) -> None:
    with pytest.raises(NoMeaning):
        lines(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("43,XX,-8,-8,-8", "no normal chromosome 8 is left to lose"),
        ("46,XX,del(6)(q15)x3", "is left for it to replace"),
        ("47,XX,+9[3]/47,sl,-mar[2]", "no mar is there"), ("47,XX,+9[3]/46,sl,-del(6)(q15)[2]", "nothing like it"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_listed(text: str, why: str) -> None:
    assert why in lines(text)[-1].unread[0].why


def test_a_composite_or_incomplete_line_says_so() -> None:
    assert lines("45~47,XX,-5,+8[cp5]")[0].composite and lines("46,XX,inc")[0].incomplete


def test_persons_are_kept_apart() -> None:
    meaning = mean(parse("45,X,-Y[2]//46,XX[5]"))
    assert [len(person) for person in meaning.persons] == [1, 1]
    assert [line.sex for line in meaning.lines] == ["male", "female"]
    assert mean(parse("//46,XX[5]")).persons[0] == ()


def test_the_number_is_that_of_the_chromosomes() -> None:
    text = "45,X,-X,der(1)t(1;3)(p32;q21),-5,dic(7;12)(p11.2;p12),+8,+8,der(13;14)(q10;q10),i(17)(q10),-20,+r,+mar"
    (line,) = lines(text)
    assert line.unread == () and sum(one.counted for one in line.chromosomes) == line.number.low == 45


def _look_at(meaning: Meaning) -> None:
    for line in meaning.lines:
        assert all(one.least <= one.most for one in band_copies(line))
        imbalances(line), junctions(line), breakpoints(line), balanced(line)
        for one in line.chromosomes:
            assert one.pieces and centromeres(one) >= 0 and detailed(one)
            for segment in one.segments:
                assert 0 <= segment.low.at < segment.high.at <= length(segment.chromosome)
        certain = not (line.unread or line.composite or line.number.high or line.doubtful)
        if certain and all(alternatives[-1].cells is None for alternatives in line.line.items):
            assert sum(one.counted for one in line.chromosomes) == line.number.low


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(results())
def test_any_tree_has_a_meaning_or_the_one_error(result: Result) -> None:
    try:
        meaning = mean(result)
    except NoMeaning:
        return
    _look_at(meaning)


@pytest.mark.parametrize(
    "text",
    [
        "46,XX,der(1)" + "idic(1)(q21)" * 300, "46,XX,der(1)" + "dup(1)(q21q31)" * 300, "46,XX" + ",+8" * 900,
        "46,XX," + "del(5)(q13)x900", "46,XX,der(1)" + "t(1;3)(p36;q21)" * 300,
    ],
)  # fmt: skip
def test_absurd_strings_take_no_time(text: str) -> None:
    began = time.monotonic()
    (line,) = mean(parse(text)).lines
    assert line.unread or max(len(one.pieces) for one in line.chromosomes) < 5
    assert time.monotonic() - began < 5


def test_too_many_chromosomes_are_refused() -> None:
    with pytest.raises(NoMeaning, match="cannot be"):
        lines("46,XX" + ",+8" * 1000)


near = st.sampled_from(["4", "9", "X", "?"])
bands_near = st.sampled_from(
    ["p10", "q10", "p11.2", "p13", "q13", "q21", "q22", "q22", "q31", "q34", "q?", "?", "pter", "q2?1"]
)


@st.composite
def written_changes(draw: st.DrawFn, *, longest: int = 3) -> str:
    """Changes of few chromosomes and few bands, as text: most can be applied to each other."""
    kind = draw(st.sampled_from([*KINDS, "dicr", "inv dup", "psu idic", "t", "t", "ins", "ins", "der", "der"]))
    several = draw(st.lists(near, min_size=1, max_size=3))
    text = f"{kind}({';'.join(several)})"
    if draw(st.integers(0, 3)):
        groups = ["".join(draw(st.lists(bands_near, min_size=1, max_size=3))) for _ in several]
        text += f"({';'.join(groups)})"
    if longest and kind in ("der", "ider", "rec", "dic"):
        text += "".join(draw(written_changes(longest=0)) for _ in range(draw(st.integers(0, longest))))
    return text


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(["", "", "+", "-"]), written_changes()), max_size=3))
def test_any_changes_of_the_same_chromosomes_have_a_meaning(changes: list[tuple[str, str]]) -> None:
    try:
        result = parse(",".join(["46", "X", *(sign + change for sign, change in changes)]))
    except NotISCN:
        return
    meaning = mean(result)
    _look_at(meaning)
    assert karyograms(result)


@pytest.mark.real_data
def test_strings_of_the_public_collections_have_a_meaning() -> None:
    folder = data_folder()
    if folder is None:
        pytest.skip("CONSILIUM_DATA is not set")
    folder = folder / "tables" / "iscn"
    valid = json.loads((folder / "iscn_authenticator" / "validity.json").read_text(encoding="utf-8"))["valid"]
    rows = (folder / "karyoparser" / "example_karyotypes.tsv").read_text(encoding="utf-8").splitlines()
    texts = [one["input"] for one in valid] + [row.split("\t")[1] for row in rows if int(row[2:5]) <= 77]
    unread = []
    for text in texts:
        meaning = mean(parse(text))
        _look_at(meaning)
        unread += [one.text for line in meaning.lines for one in line.unread]
    # A derivative chromosome 1 of a translocation without a chromosome 1 in it.
    assert len(texts) == 94 and unread == ["der(1)t(2;3)(p11;q22)"]


def test_meaning_is_fast() -> None:
    result = parse("46,XY,-3,del(5)(q13q33),-7,+8,der(9)t(9;22)(q34;q11),+21,+mar1,+mar2,dmin[9]/47,idem,+9[3]")
    assert min(timeit.repeat(lambda: mean(result), number=20, repeat=5)) / 20 < 0.002
