"""The PDF: a draft on every page, every name as it was told, three acts apart, in two languages."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest

from consilium.errors import MissingExtra, MissingFont, OutputError
from consilium.karyotype import report_pdf as module
from consilium.karyotype.arrange import arrange, to_png
from consilium.karyotype.metaphase import Case, Metaphase
from consilium.karyotype.record import ModelReference, case_record
from consilium.karyotype.report_pdf import FINER, MOST_KARYOGRAMS, report_pdf
from consilium.karyotype.report_suspects import shown_suspects, worth
from consilium.karyotype.request import Request
from consilium.karyotype.wording import Language
from consilium.typesetting.fonts import find_chinese_font, usual_font_folders
from tests.karyotype.test_suspect_record import suspected_case

Cell = Callable[..., Metaphase]
Labels = Callable[..., tuple[str, ...]]

MODEL = ModelReference(name="detector", version="1.2.3", sha256="ab" * 32)
HOSTILE = '#panic("x") ] [ } { $x$ \\ *b* _i_ @r `c` <l> "q" // /* = - + https://a.b ~ --'

needs_chinese_font = pytest.mark.skipif(
    find_chinese_font(usual_font_folders()) is None,
    reason="no font with Chinese characters is installed (apt-get install fonts-noto-cjk)",
)


def _record(case: Case, lang: Language = "en", **told: Any) -> dict[str, Any]:
    request = Request(**told)
    created = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return case_record(case, lang=lang, created=created, version="9.8.7", models=[MODEL], request=request)


def _pictures(case: Case, lang: Language = "en") -> dict[str, bytes]:
    return {cell.image: to_png(arrange(cell), lang, font_folders=()).data for cell in case.cells}


def _pdf(case: Case, lang: Language = "en", *, font_folders: Any = None, **told: Any) -> bytes:
    return report_pdf(_record(case, lang, **told), _pictures(case), lang, font_folders=font_folders)


def _pages(data: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.fixture
def trisomy(cell: Cell, labels: Labels) -> Case:
    """Five cells of 47,XY,+21."""
    one = cell((*labels("XY"), "21"), karyotype="47,XY,+21", gains=("21",))
    cells = tuple(replace(one, image=f"cell {number}.png") for number in range(5))
    return Case(name="G26-1", cells=cells, failures=(), modal_karyotype="47,XY,+21", disagreeing=())


def test_it_says_what_was_found_and_who_has_done_what(trisomy: Case) -> None:
    data = _pdf(trisomy, specimen="constitutional_blood", sex="male", laboratory="St. Elsewhere", case_number="26-7")
    pages = _pages(data)
    first = pages[0]
    for words in (
        "St. Elsewhere", "26-7", "blood, constitutional", "male", "ISCN 2024", "47,XY,+21", "Down syndrome",
        "G-banding", "Consilium 9.8.7", "detector 1.2.3", "400 bphs, estimated",
    ):  # fmt: skip
        assert words in first, words
    text = " ".join(" ".join(pages).split())
    assert re.search(r"Cells counted \(automatically\) 5 ", text)
    assert re.search(r"Cells analysed by a person 0 ", text)
    assert re.search(r"Cells karyotyped by a person 0 ", text)
    assert re.search(r"Cells counted \(automatically\) 20 5 no ", text), "the guideline check"
    assert "Structural changes" in text and "Checked and signed by" in text
    assert "ab" * 32 in _squeezed(text)
    assert "Karyogram of 47,XY,+21: cell 1, the best of 5" in text


def test_every_page_is_a_draft_with_its_number_and_its_patient(trisomy: Case) -> None:
    pages = _pages(_pdf(trisomy, patient_name="Doe, Jane", patient_id="0042"))
    assert len(pages) >= 3
    for number, page in enumerate(pages, start=1):
        assert "DRAFT" in page and "Draft: not signed by anybody." in page
        assert f"Page {number} of {len(pages)}" in page
        assert "Doe, Jane · 0042" in page
        assert "SYNTHETIC" in page


def test_a_photograph_is_not_called_synthetic(trisomy: Case) -> None:
    real = replace(trisomy, cells=tuple(replace(one, synthetic=False) for one in trisomy.cells))
    assert "SYNTHETIC" not in "".join(_pages(_pdf(real)))


@pytest.mark.parametrize(
    "key", ["laboratory", "case_number", "patient_name", "patient_id", "physician", "reason"]
)  # fmt: skip
def test_markup_in_what_was_told_is_text(trisomy: Case, key: str) -> None:
    assert _squeezed(HOSTILE) in _squeezed(_pages(_pdf(trisomy, **{key: HOSTILE}))[0])


def test_markup_in_names_of_images_and_case_is_text(trisomy: Case) -> None:
    hostile = replace(
        trisomy, name=HOSTILE, cells=(replace(trisomy.cells[0], image=f"{HOSTILE}.png"), *trisomy.cells[1:])
    )
    text = _squeezed("".join(_pages(_pdf(hostile))))
    assert text.count(_squeezed(HOSTILE)) >= 3
    assert _squeezed(f"{HOSTILE}.png") in text


def test_long_names_without_a_space_stay_on_the_page(trisomy: Case) -> None:
    long = "x" * 300
    data = _pdf(trisomy, patient_name=long, laboratory=long, reason=long, physician=long)
    assert _squeezed("".join(_pages(data))).count(long) >= 3


def test_it_is_the_same_each_time(trisomy: Case) -> None:
    assert _pdf(trisomy, patient_name="A") == _pdf(trisomy, patient_name="A")
    dated = pypdf.PdfReader(io.BytesIO(_pdf(trisomy))).metadata
    assert dated is not None and dated.creation_date == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_its_properties_name_no_patient(trisomy: Case) -> None:
    metadata = pypdf.PdfReader(io.BytesIO(_pdf(trisomy, patient_name="Jane Doe", patient_id="0042"))).metadata
    assert "Jane" not in str(metadata) and "0042" not in str(metadata)


def test_without_a_karyotype_it_says_why(cell: Cell, labels: Labels) -> None:
    cells = tuple(cell((*labels(), extra), image=f"{extra}.png") for extra in ("9", "10", "11"))
    case = Case(name="c", cells=cells, failures=(), modal_karyotype="46,XX", disagreeing=())
    text = " ".join(" ".join(_pages(_pdf(case))).split())
    assert "not written" in text and "No karyotype can be written" in text
    assert "no guideline was checked" in text


def test_a_case_without_cells() -> None:
    case = Case(name="c", cells=(), failures=(), modal_karyotype="", disagreeing=())
    assert "No image could be used" in " ".join(_pages(_pdf(case)))


def test_one_karyogram_a_line_and_not_too_many(cell: Cell, labels: Labels) -> None:
    kinds = ("1", "2", "3", "4", "5", "6")
    cells = tuple(cell((*labels(), extra), image=f"{extra}-{number}.png") for extra in kinds for number in range(3))
    case = Case(name="c", cells=cells, failures=(), modal_karyotype="46,XX", disagreeing=())
    text = " ".join(" ".join(_pages(_pdf(case, neoplastic=True))).split())
    assert text.count("Karyogram of ") == MOST_KARYOGRAMS
    assert "Further lines have their karyograms in the HTML report" in text
    with pytest.raises(KeyError):
        report_pdf(_record(case), {}, "en")


class TestFonts:
    def test_chinese_without_a_font_names_what_to_install(self, trisomy: Case, tmp_path: Path) -> None:
        with pytest.raises(MissingFont) as error:
            _pdf(trisomy, "zh", font_folders=[tmp_path])
        assert "fonts-noto-cjk" in str(error.value) and "CONSILIUM_FONTS" in str(error.value)

    def test_a_chinese_name_without_a_font_is_no_empty_box(self, trisomy: Case, tmp_path: Path) -> None:
        with pytest.raises(MissingFont) as error:
            _pdf(trisomy, font_folders=[tmp_path], patient_name="张三")
        assert "fonts-noto-cjk" in str(error.value)
        assert "张" not in str(error.value), "the name goes into no message"

    def test_a_letter_that_no_font_has(self, trisomy: Case) -> None:
        with pytest.raises(MissingFont) as error:
            _pdf(trisomy, patient_name="\U00012000")
        assert "\U00012000" not in str(error.value)

    def test_without_typst(self, trisomy: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "typst", None)
        with pytest.raises(MissingExtra, match=r"pip install 'consilium\[pdf\]'"):
            _pdf(trisomy)

    @needs_chinese_font
    def test_chinese(self, trisomy: Case) -> None:
        pages = _pages(_pdf(trisomy, "zh", specimen="bone_marrow", patient_name="张三 #[x]", laboratory="第一医院"))
        for number, page in enumerate(pages, start=1):
            assert "草稿" in page and f"第 {number} 页，共 {len(pages)} 页" in page
            assert "张三 #[x]" in page
        text = _squeezed("".join(pages))
        for words in ("染色体核型报告", "第一医院", "骨髓", "47,XY,+21[5]", "人工分析细胞数0", "局限性", "审核签发者"):
            assert words in text, words
        assert "Cells" not in text

    @needs_chinese_font
    def test_a_chinese_name_in_an_english_report(self, trisomy: Case) -> None:
        assert "Zoë 张三" in _pages(_pdf(trisomy, patient_name="Zoë 张三"))[0]

    @needs_chinese_font
    def test_the_font_may_lie_where_somebody_says(
        self, trisomy: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        font = find_chinese_font(usual_font_folders())
        assert font is not None
        (tmp_path / font.name).symlink_to(font)
        monkeypatch.setenv("CONSILIUM_FONTS", str(tmp_path))
        assert usual_font_folders()[0] == tmp_path
        assert find_chinese_font(usual_font_folders()) == tmp_path / font.name
        assert "张三" in _pages(_pdf(trisomy, "zh", patient_name="张三"))[0]


def test_what_typst_says_goes_no_further(trisomy: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    # Its messages quote the text they are about.
    monkeypatch.setattr(module, "_template", lambda: b'#panic(json("data.json").head)')
    with pytest.raises(OutputError) as error:
        _pdf(trisomy, patient_name="Jane")
    assert "Jane" not in str(error.value) and error.value.__suppress_context__


class TestSuspects:
    """A suspected chromosome stands in the PDF as it does in the HTML report."""

    def _pdf(self, case: Case, lang: Language = "en") -> bytes:
        record = _record(case, lang)
        return report_pdf(record, _pictures(case), lang, suspects=shown_suspects(case, record, lang))

    def test_it_says_which_where_in_how_many_and_what_that_is_worth(self, cell: Cell, labels: Labels) -> None:
        case = suspected_case(cell, labels)
        data = self._pdf(case)
        pages = [" ".join(page.split()) for page in _pages(data)]
        (page,) = [page for page in pages if "Chromosomes that look structurally changed" in page]
        first, last = (f"5{band}" for band in case.suspects[0].bands)
        for words in (
            "5, long arm (q) likelier", f"{first} to {last}", "3 of 3 cells", "cell numbers 1, 2, 3", "chr5:",
            "loss of a piece 70%", "Cell 1", "Cell 3", "Ideogram",
        ):  # fmt: skip
            assert words in page, words
        assert _squeezed(worth("en")) in _squeezed(page)
        assert "Chromosome 5 looks structurally changed" in pages[0], "the first page leads there"
        assert b"pdfaid" in data and data == self._pdf(case), "PDF/A, and the same each time"

    def test_both_homologues_of_each_cell_are_in_it(self, cell: Cell, labels: Labels) -> None:
        case = suspected_case(cell, labels)
        (page,) = [
            page
            for page in pypdf.PdfReader(io.BytesIO(self._pdf(case))).pages
            if "Chromosomes that look" in page.extract_text()
        ]
        record = _record(case)
        (one,) = shown_suspects(case, record, "en")
        heights = sorted(image.image.height for image in page.images if image.image is not None)
        pictures = [picture for told in one.cells for picture in (told.own, told.other) if picture is not None]
        wanted = {FINER * picture.shape[0] for picture in pictures}
        assert set(heights) == wanted, "equal pictures are kept once"

    def test_a_lone_homologue_is_called_so(self, cell: Cell, labels: Labels) -> None:
        case = suspected_case(cell, labels)
        second = [index for index, one in enumerate(case.cells[0].chromosomes) if one.label == "5"][1]
        cells = tuple(
            replace(one, chromosomes=one.chromosomes[:second] + one.chromosomes[second + 1 :]) for one in case.cells
        )
        text = " ".join(" ".join(_pages(self._pdf(replace(case, cells=cells)))).split())
        assert text.count("no homologue to compare with") == 3

    def test_a_usual_case_has_no_such_page(self, trisomy: Case) -> None:
        assert "structurally changed" not in "".join(_pages(self._pdf(trisomy)))

    @needs_chinese_font
    def test_chinese(self, cell: Cell, labels: Labels) -> None:
        text = _squeezed("".join(_pages(self._pdf(suspected_case(cell, labels), "zh"))))
        for words in (
            "疑似结构异常的染色体", "长臂（q）可能性较大", "可能的断裂点", "第1号细胞", "模式图",
            _squeezed(worth("zh")),
        ):  # fmt: skip
            assert words in text, words
