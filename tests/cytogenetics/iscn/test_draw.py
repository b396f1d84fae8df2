"""Ideogram karyograms: valid, complete, the same every time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings

from consilium.cytogenetics.iscn.chromosomes import normal
from consilium.cytogenetics.iscn.draw import karyogram, karyograms, wrapped
from consilium.cytogenetics.iscn.draw_wording import WORDS
from consilium.cytogenetics.iscn.ideogram import COLOURS, SCALE, linear_shape, normal_shape, piece_length
from consilium.cytogenetics.iscn.mean import NoMeaning, mean
from consilium.cytogenetics.iscn.parse import parse
from consilium.cytogenetics.iscn.places import CHROMOSOMES, centromere, length
from consilium.cytogenetics.iscn.ring_drawing import is_round, ring_shape
from consilium.cytogenetics.iscn.slots import empty_slot, slot_of
from consilium.cytogenetics.iscn.tree import Result
from consilium.errors import InputError
from tests.cytogenetics.iscn.golden_drawings import DRAWINGS, FOLDER, drawing
from tests.cytogenetics.iscn.trees import results

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(svg).iter(f"{SVG}text")]


def ideograms(svg: str) -> list[str]:
    return [one.attrib["href"].removeprefix("#ideogram-") for one in ET.fromstring(svg).iter(f"{SVG}use")]


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_those_that_were_looked_at(name: str) -> None:
    assert drawing(name) == (FOLDER / f"{name}.svg").read_text(encoding="utf-8")


def test_every_normal_chromosome_is_there() -> None:
    drawn = ideograms(karyogram(parse("47,XY,+21")))
    assert sorted(drawn) == sorted([*[str(n) for n in range(1, 23)] * 2, "21", "X", "Y"])


def test_an_abnormal_chromosome_has_its_name_its_origins_and_its_breakpoints() -> None:
    written = texts(karyogram(parse("46,XX,t(4;12)(q21;p13)")))
    assert written[0] == "46,XX,t(4;12)(q21;p13)"
    for wanted in ("der(4)", "t(4;12)", "der(12)", "4q21", "12p13"):
        assert wanted in written
    assert written.count("4") >= 3 and written.count("12") >= 3  # the class and a part in either derivative


def test_a_tooltip_tells_the_detailed_form() -> None:
    told = [one.text for one in ET.fromstring(karyogram(parse("46,XX,t(4;12)(q21;p13)"))).iter(f"{SVG}title")]
    assert told[0] == "der(4)t(4;12): 4pter->4q21::12p13->12pter"


def test_gains_are_marked_and_lost_homologues_leave_their_place() -> None:
    svg = karyogram(parse("46,XX,-5,+8"))
    assert "+8" in texts(svg) and ideograms(svg).count("8") == 3
    assert empty_slot("5").svg in svg
    assert empty_slot("5").svg not in karyogram(parse("47,XX,+8"))


def test_the_short_arm_is_up_and_the_centromere_on_the_line() -> None:
    for name in CHROMOSOMES:
        shape = normal_shape(name)
        assert shape.top == pytest.approx(-centromere(name) * SCALE)
        assert shape.bottom - shape.top == pytest.approx(length(name) * SCALE)


def test_sizes_are_in_proportion() -> None:
    (short,) = mean(parse("46,XX,del(6)(q15)")).lines[0].abnormal
    assert linear_shape(short).top == normal_shape("6").top
    assert sum(map(piece_length, short.pieces)) < sum(map(piece_length, normal("6").pieces))


def test_a_ring_is_round() -> None:
    ring, *_ = mean(parse("46,XX,r(18)(p11.3q22)")).lines[0].abnormal
    assert is_round(ring) and "A" in ring_shape(ring).svg and "<circle" in ring_shape(ring).svg
    assert "q22::p11.3" in texts(karyogram(parse("46,XX,r(18)(p11.3q22)")))


@pytest.mark.parametrize("text", ["46,XX,add(3)(q27)", "47,XX,+mar", "47,XX,+r", "46,U", "47,XX,+der(?)t(?;9)(?;q22)"])
def test_unknown_material_is_hatched(text: str) -> None:
    body = karyogram(parse(text)).partition("</defs>")[2]
    assert 'fill="url(#unknown-origin)"/></g>' in body or body.count("url(#unknown-origin)") > 1


def test_what_could_not_be_read_is_framed_and_said() -> None:
    svg = karyogram(parse("46,XX,del(5)(q99)"))
    assert any(text.startswith("Not read: del(5)(q99): chromosome 5 has no band") for text in texts(svg))
    assert "not read" in texts(svg)
    (unread,) = mean(parse("46,XX,del(5)(q99)")).lines[0].abnormal
    assert 'opacity=".3"' in slot_of(unread, "en").svg


def test_all_lines_have_a_panel_with_their_cells() -> None:
    said = " ".join(texts(karyograms(parse("47,XX,+8[5]/48,sl,+9[3]/46,XX[12]"))))
    for wanted in ("47,XX,+8[5]", "48,sl,+9[3]", "46,XX[12]", "cell line 2 of 3", "5 cells", "12 cells"):
        assert wanted in said


def test_captions_are_in_both_languages() -> None:
    assert set(WORDS["en"]) == set(WORDS["zh"])
    said = " ".join(texts(karyogram(parse("45,XX,-7[1]"), lang="zh")))
    assert "依据 ISCN 描述绘制" in said and "1 个细胞" in said and "Drawn" not in said


def test_colours_are_all_different() -> None:
    assert len({COLOURS[name] for name in CHROMOSOMES}) == len(CHROMOSOMES)


@pytest.mark.parametrize("line", [-1, 1])
def test_a_line_that_is_not_there_is_refused(line: int) -> None:
    with pytest.raises(InputError, match="no cell line"):
        karyogram(parse("46,XX"), line)


def test_without_a_karyotype_there_is_nothing_to_draw() -> None:
    with pytest.raises(InputError, match="no karyotype"):
        karyograms(Result(()))


def test_long_titles_are_broken_and_lose_nothing() -> None:
    rows = wrapped("46,XX," + ",".join(["t(4;12)(q21;p13)"] * 9), 17, 700)
    assert len(rows) > 1 and "".join(rows) == "46,XX," + ",".join(["t(4;12)(q21;p13)"] * 9)
    assert wrapped("", 12, 100) == [""] and len(wrapped("x" * 500, 17, 700)) > 4


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(results())
def test_any_tree_is_drawn_as_valid_xml_or_has_the_one_error(result: Result) -> None:
    try:
        cells = mean(result).lines
    except NoMeaning:
        return
    svg = karyograms(result) if cells else ""
    if cells:
        root = ET.fromstring(svg)
        assert svg == karyograms(result)
        assert not re.search(r"nan|inf[^o]", re.sub(r"<text.*?</text>|aria-label=\"[^\"]*\"", "", svg))
        defined = {one.attrib["id"] for one in root.iter() if "id" in one.attrib}
        assert {f"ideogram-{name}" for name in ideograms(svg)} <= defined
