"""The karyogram is the laboratory's: every chromosome once, pairs together, centromeres on one line."""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from consilium.karyotype.arrange import arrange, to_png, to_svg
from consilium.karyotype.karyogram import Karyogram
from consilium.karyotype.metaphase import CLASSES, UNSURE, Flag, Metaphase
from consilium.karyotype.wording import LANGUAGES, Language
from consilium.typesetting.fonts import find_chinese_font

SVG = "{http://www.w3.org/2000/svg}"
Cell = Callable[..., Metaphase]
Labels = Callable[..., tuple[str, ...]]
DOUBT = Flag(code="low_confidence", values={"label": "21", "confidence": 0.6})


def _row_of(karyogram: Karyogram, label: str) -> float:
    rows = {place.centromere_y for place in karyogram.places if place.label == label}
    assert len(rows) == 1
    return rows.pop()


def test_every_chromosome_has_one_place_and_none_overlap(cell: Cell, labels: Labels) -> None:
    karyogram = arrange(cell(labels("XY")))
    assert Counter(place.index for place in karyogram.places) == Counter(range(46))
    for one in karyogram.places:
        assert one.x >= 0 and one.y >= 0
        assert one.x + one.width <= karyogram.width and one.y + one.height <= karyogram.height
        for other in karyogram.places:
            if one.index == other.index:
                continue
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y


def test_rows_and_order_are_the_standard_ones(cell: Cell, labels: Labels) -> None:
    karyogram = arrange(cell(labels("XY")))
    rows: dict[float, list[tuple[float, str]]] = {}
    for place in karyogram.places:
        rows.setdefault(place.centromere_y, []).append((place.x, place.label))
    read = [list(dict.fromkeys(label for _, label in sorted(row))) for _, row in sorted(rows.items())]
    assert read == [
        ["1", "2", "3", "4", "5"],
        ["6", "7", "8", "9", "10", "11", "12"],
        ["13", "14", "15", "16", "17", "18"],
        ["19", "20", "21", "22", "X", "Y"],
    ]
    letters = [bracket.text for bracket in karyogram.brackets if bracket.kind == "group"]
    assert letters == list("ABCDEFG")


def test_centromere_of_the_picture_lies_on_the_line(cell: Cell, labels: Labels) -> None:
    for place in arrange(cell(labels())).places:
        # The rods are waisted at 0.4 of their length, which is where the table's index lets it be found.
        if place.label in {"2", "4", "6", "7", "8", "10", "12", "X"}:
            assert place.centromere_y == pytest.approx(place.y + 0.4 * place.height, abs=0.06 * place.height)


def test_third_copy_stands_right_of_the_pair_and_is_the_doubtful_one(cell: Cell, labels: Labels) -> None:
    trisomy = cell((*labels(), "21"), chromosome_flags=(DOUBT,), flagged=40)
    copies = [place for place in arrange(trisomy).places if place.label == "21"]
    assert len(copies) == 3
    assert max(copies, key=lambda place: place.x).index == 40


def test_missing_homologue_leaves_an_empty_place(cell: Cell, labels: Labels) -> None:
    monosomy = [label for index, label in enumerate(labels()) if index != 13]
    empty = [place for place in arrange(cell(monosomy)).places if place.index is None]
    assert [place.label for place in empty] == ["7"]
    assert empty[0].picture is None


@pytest.mark.parametrize(
    ("sex", "empties"), [("XX", 0), ("XY", 0), ("X", 1), ("XXY", 0), ("Y", 1), ("", 2), ("YY", 0), ("XXXX", 0)]
)
def test_the_sex_chromosomes_are_a_pair_whichever_they_are(cell: Cell, labels: Labels, sex: str, empties: int) -> None:
    places = arrange(cell(labels(sex))).places
    assert sum(place.index is None for place in places) == empties
    assert Counter(place.label for place in places if place.label in "XY" and place.index is not None) == Counter(sex)


def test_unsure_objects_get_a_row_of_their_own_at_the_foot(cell: Cell, labels: Labels) -> None:
    karyogram = arrange(cell((*labels(), UNSURE, UNSURE)))
    foot = _row_of(karyogram, UNSURE)
    assert foot > max(_row_of(karyogram, label) for label in CLASSES[:22])
    assert [place.label for place in karyogram.places if place.centromere_y == foot] == [UNSURE, UNSURE]


@given(chosen=st.lists(st.sampled_from([*CLASSES, UNSURE]), max_size=60))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_set_can_be_arranged(cell: Cell, chosen: list[str]) -> None:
    karyogram = arrange(cell(chosen))
    assert Counter(p.index for p in karyogram.places if p.index is not None) == Counter(range(len(chosen)))
    ElementTree.fromstring(to_svg(karyogram, "en"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_svg_stands_alone_and_names_every_chromosome(cell: Cell, labels: Labels, lang: Language) -> None:
    marked = cell(labels(), chromosome_flags=(DOUBT,), flagged=40)
    text = to_svg(arrange(marked), lang)
    root = ElementTree.fromstring(text)
    groups = [group for group in root.iter(f"{SVG}g") if group.get("data-index") is not None]
    assert sorted(int(group.get("data-index", "")) for group in groups) == list(range(46))
    assert len({group.get("id") for group in groups}) == 46
    flagged = [group for group in groups if group.get("class") == "chromosome flagged"]
    assert [group.get("data-index") for group in flagged] == ["40"]
    # The mark is a shape as well as a colour.
    assert flagged[0].find(f"{SVG}polygon") is not None
    title = flagged[0].findtext(f"{SVG}title") or ""
    assert "60%" in title and "21" in title
    assert ("confidence" in title) == (lang == "en")
    links = re.findall(r'(?:href|src)="([^"]*)"', text)
    assert len(links) == 46 and all(link.startswith("data:image/png;base64,") for link in links)
    assert "url(" not in text and "<script" not in text and "@import" not in text
    assert "not a diagnosis" in text and "不作为诊断" in text


def test_crops_in_the_svg_are_the_original_resolution(cell: Cell, labels: Labels) -> None:
    karyogram = arrange(cell(labels()))
    root = ElementTree.fromstring(to_svg(karyogram, "en"))
    for group in root.iter(f"{SVG}g"):
        if group.get("data-index") is None:
            continue
        uri = group.find(f"{SVG}image").get("href")
        crop = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))
        place = next(place for place in karyogram.places if str(place.index) == group.get("data-index"))
        np.testing.assert_array_equal(crop, place.picture)


def test_hostile_file_name_is_text(cell: Cell, labels: Labels) -> None:
    text = to_svg(arrange(cell(labels(), image='"><script>alert(1)</script>.png')), "en")
    root = ElementTree.fromstring(text)
    assert not list(root.iter(f"{SVG}script"))
    assert any("<script>alert(1)</script>.png" in (node.text or "") for node in root.iter(f"{SVG}text"))


def test_synthetic_cells_say_so_and_real_ones_do_not(cell: Cell, labels: Labels) -> None:
    assert "SYNTHETIC" in to_svg(arrange(cell(labels(), synthetic=True)), "zh")
    assert "SYNTHETIC" not in to_svg(arrange(cell(labels(), synthetic=False)), "zh")


def _png(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


def test_png_without_a_chinese_font_falls_back_to_english_and_says_so(
    cell: Cell, labels: Labels, tmp_path: Path
) -> None:
    karyogram = arrange(cell(labels(), image="细胞.png"))
    chinese = to_png(karyogram, "zh", font_folders=[tmp_path])
    english = to_png(karyogram, "en", font_folders=[tmp_path])
    assert chinese.note is not None and "English" in chinese.note
    assert english.note is None
    np.testing.assert_array_equal(_png(chinese.data), _png(english.data))


def test_png_marks_flagged_chromosomes_and_synthetic_cells(cell: Cell, labels: Labels, tmp_path: Path) -> None:
    def drawn(metaphase: Metaphase) -> np.ndarray:
        return _png(to_png(arrange(metaphase), "en", font_folders=[tmp_path]).data)

    plain = drawn(cell(labels(), synthetic=False))
    marked = drawn(cell(labels(), synthetic=False, chromosome_flags=(DOUBT,), flagged=40))
    orange = [(picture[..., 0] > picture[..., 2] + 120).sum() for picture in (plain, marked)]
    assert orange[1] > orange[0] > 0  # the legend's mark is always there
    synthetic = drawn(cell(labels(), synthetic=True))
    assert (synthetic[..., 2] > synthetic[..., 0] + 10).sum() > 10_000
    assert (plain[..., 2] > plain[..., 0] + 60).sum() == 0


def test_fonts_are_preferred_in_the_listed_order(tmp_path: Path) -> None:
    for name in ("wqy-zenhei.ttc", "NotoSansCJK-Regular.ttc", "DejaVuSans.ttf", "readme.txt"):
        (tmp_path / name).touch()
    assert find_chinese_font([tmp_path / "absent", tmp_path]) == tmp_path / "NotoSansCJK-Regular.ttc"
    assert find_chinese_font([tmp_path / "absent"]) is None
    (tmp_path / "NotoSansCJK-Bold.ttc").touch()
    assert find_chinese_font([tmp_path]) == tmp_path / "NotoSansCJK-Regular.ttc", "a regular weight before a bold one"


def test_inverted_cell_is_shown_dark_on_light(cell: Cell, labels: Labels) -> None:
    shown = [place.picture for place in arrange(cell(labels(), inverted=True)).places]
    assert all(picture is not None and picture.min() < 90 and picture.max() > 200 for picture in shown)
