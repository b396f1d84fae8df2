"""Where the sex is not to be reported, nothing that leaves the laboratory tells it; case.json does."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pypdf
import pytest

from consilium.cytogenetics.iscn.validate import validate
from consilium.karyotype.conclusion import conclude
from consilium.karyotype.flags import case_flags
from consilium.karyotype.metaphase import Case, Flag, Metaphase
from consilium.karyotype.record import check_record
from consilium.karyotype.report_wording import conclusion_words
from consilium.karyotype.request import Request
from consilium.karyotype.structure import suspects
from consilium.karyotype.withheld_sex import disclosed_iscn, disclosure, withhold
from consilium.karyotype.wording import LANGUAGES, Language
from consilium.karyotype.write import write_case
from tests.karyotype.test_structure import looking

Cell = Callable[..., Metaphase]
Labels = Callable[..., tuple[str, ...]]

ASKED = Request(specimen="amniotic_flask", withhold_sex=True)
TELLING = re.compile(r"(?<![A-Za-z])(X{1,3}Y{0,2}|Y{1,2})(?![A-Za-z])|\b(fe)?male\b|男|女|data-label=\"[XY]\"")


def _case(cell: Cell, *kinds: tuple[tuple[str, ...], str], flags: tuple[Flag, ...] = ()) -> Case:
    cells = tuple(
        cell(labels, image=f"{number}.png", karyotype=karyotype, synthetic=False)
        for number, (labels, karyotype) in enumerate(kinds)
    )
    return Case(name="case", cells=cells, failures=(), modal_karyotype=kinds[0][1], disagreeing=(), flags=flags)


def _trisomy(cell: Cell, labels: Labels, sex: str = "XY") -> Case:
    """Four cells of a trisomy 21; in one of them the first sex chromosome and an autosome carry flags."""
    case = _case(cell, *[((*labels(sex), "21"), f"47,{sex},+21")] * 4)
    close = Flag(code="second_choice_close", values={"label": "21", "second": "Y", "probability": 0.4})
    low = Flag(code="low_confidence", values={"label": sex[1], "confidence": 0.5})
    odd = Flag(code="unusual_sex_chromosomes", values={"sex": sex})
    chromosomes = list(case.cells[0].chromosomes)
    chromosomes[45] = replace(chromosomes[45], flags=(low,))
    chromosomes[46] = replace(chromosomes[46], flags=(close,))
    first = replace(case.cells[0], chromosomes=tuple(chromosomes), flags=(odd,))
    return replace(case, cells=(first, *case.cells[1:]))


def _written(case: Case, folder: Path, lang: Language = "en", request: Request = ASKED) -> tuple[str, str, dict]:  # type: ignore[type-arg]
    """The text of the HTML report with its attributes, that of the PDF, and case.json."""
    write_case(
        case, folder, lang=lang, created=datetime(2026, 1, 2, tzinfo=UTC), models=[], request=request, pdf=True,
        on_note=lambda note: pytest.fail(note),
    )  # fmt: skip
    page = (folder / "report.html").read_text(encoding="utf-8")
    page = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    page = html.unescape(re.sub(r'data:image/[^"]*|<path[^>]*>', "", page))
    pages = pypdf.PdfReader(io.BytesIO((folder / "report.pdf").read_bytes())).pages
    record = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    check_record(record)
    return page, " ".join(one.extract_text() for one in pages), record


@pytest.mark.parametrize("sex", ["XX", "XY"])
def test_no_report_tells_the_sex(cell: Cell, labels: Labels, tmp_path: Path, sex: str) -> None:
    told = replace(ASKED, sex="female" if sex == "XX" else "male")
    page, paper, record = _written(_trisomy(cell, labels, sex), tmp_path / "out", request=told)
    for text in (page, paper):
        assert not TELLING.search(text), TELLING.search(text)
        assert "47,U,+21" in text and "not reported" in text and "Down syndrome" in text
    for drawing in (tmp_path / "out" / "karyograms").glob("*.svg"):
        text = re.sub(r'data:image/[^"]*|<path[^>]*>', "", drawing.read_text(encoding="utf-8"))
        assert not TELLING.search(text) and "sex chromosomes not shown" in text
    assert record["conclusion"]["iscn"] == f"47,{sex},+21"
    assert record["conclusion"]["disclosed"] == {"sex": "withheld", "iscn": "47,U,+21"}
    assert record["conclusion"]["request"]["withhold_sex"] is True
    assert {one["label"] for one in record["cells"][0]["chromosomes"]} >= set(sex), (
        "the laboratory's own record has all"
    )


def test_what_reports_show_is_the_same_for_both_sexes(cell: Cell, labels: Labels, tmp_path: Path) -> None:
    shown = [_written(_trisomy(cell, labels, sex), tmp_path / sex) for sex in ("XX", "XY")]
    assert shown[0][1] == shown[1][1]
    assert shown[0][0] == shown[1][0]


def test_without_being_asked_nothing_is_withheld(cell: Cell, labels: Labels, tmp_path: Path) -> None:
    page, paper, record = _written(_trisomy(cell, labels), tmp_path / "out", request=Request(sex="male"))
    assert "47,XY,+21" in page and "47,XY,+21" in paper and TELLING.search(paper)
    assert record["conclusion"]["disclosed"] == {"sex": "stated", "iscn": "47,XY,+21"}


def test_a_mosaic_keeps_its_order_and_its_cells(cell: Cell, labels: Labels) -> None:
    case = _case(cell, *[((*labels("XY"), "21"), "47,XY,+21")] * 8, *[(labels("XY"), "46,XY")] * 12)
    conclusion = conclude(case, ASKED)
    assert disclosure(conclusion) == "withheld"
    written = disclosed_iscn(conclusion)
    assert written == conclusion.iscn.replace("XY", "U") and "47,U,+21[8]" in written
    assert not [one for one in validate(written).findings if one.severity == "error"]
    _, said = withhold(case, conclusion)
    assert [line.written for line in said.lines] == ["47,U,+21[8]", "46,U[12]"]


def test_a_change_of_the_sex_chromosomes_is_reported(cell: Cell, labels: Labels, tmp_path: Path) -> None:
    case = _case(cell, *[((*labels("XY"), "X"), "47,XXY")] * 6)
    page, paper, record = _written(case, tmp_path / "out")
    assert "47,XXY" in page and "47,XXY" in paper
    assert "The sex was not to be reported" in page and "The sex was not to be reported" in " ".join(paper.split())
    assert record["conclusion"]["disclosed"] == {"sex": "stated", "iscn": "47,XXY"}


def test_a_doubtful_one_gives_nothing_away(cell: Cell, labels: Labels, tmp_path: Path) -> None:
    case = _case(cell, *[(labels("XY"), "46,XY")] * 6, *[((*labels("XY"), "Y"), "47,XYY")] * 2)
    conclusion = conclude(case, ASKED)
    assert any(line.few for line in conclusion.lines)
    page, paper, record = _written(case, tmp_path / "out")
    for text in (page, paper):
        assert not TELLING.search(text), TELLING.search(text)
        assert conclusion_words("en")["no_iscn"] in text
    assert record["conclusion"]["disclosed"] == {"sex": "pending", "iscn": ""}
    assert "XYY" in record["conclusion"]["iscn"]


def test_two_sexes_are_for_the_laboratory_alone(cell: Cell, labels: Labels, tmp_path: Path) -> None:
    case = _case(cell, *[(labels("XY"), "46,XY")] * 4, *[(labels("XX"), "46,XX")] * 4)
    page, paper, record = _written(case, tmp_path / "out")
    assert not TELLING.search(page) and not TELLING.search(paper)
    assert record["conclusion"]["disclosed"]["sex"] == "pending"


def test_a_suspected_x_is_not_shown_and_a_suspected_autosome_is(cell: Cell, labels: Labels, tmp_path: Path) -> None:
    cells = tuple(
        looking(cell(labels("XX"), image=f"{number}.png", karyotype="46,XX", synthetic=False), {"X": 9.0, "5": 7.0})
        for number in range(4)
    )
    found = suspects(cells)
    assert {one.chromosome for one in found} == {"X", "5"}
    case = Case(
        name="case", cells=cells, failures=(), modal_karyotype="46,XX", disagreeing=(),
        flags=case_flags(cells, found), suspects=found,
    )  # fmt: skip
    page, paper, record = _written(case, tmp_path / "out")
    for text in (page, " ".join(paper.split())):
        assert not TELLING.search(text), TELLING.search(text)
        assert "Chromosome 5 looks structurally changed" in text
        assert "Something about the sex chromosomes has to be looked at" in text
    assert {one["chromosome"] for one in record["suspects"]} == {"X", "5"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_cell_that_lost_one_differs_by_its_count_alone(cell: Cell, labels: Labels, lang: Language) -> None:
    case = _case(cell, *[(labels("XY"), "46,XY")] * 9, (labels("XY")[:-1], "45,X"), (labels("XX"), "46,XX"))
    shown, said = withhold(replace(case, disagreeing=("9.png", "10.png")), conclude(case, ASKED))
    assert [one.karyotype for one in shown.cells[8:]] == ["46,U", "45,U", "46,U"]
    assert shown.disagreeing == ("9.png",)
    assert said.iscn == "46,U" and said.disclosed == "withheld"
