"""What errors say has its Chinese: every message of the rooms that pages stand on, with the gaps that it has."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import consilium
from consilium import errors
from consilium.alliance.compute import health
from consilium.laboratory.due_date import WorkingDays, due
from consilium.web.messages.chinese import GAP, LONGEST, messages, told_in
from consilium.web.messages.values import ENTRIES, OTHERS, REASONS, TITLES

PACKAGE = Path(consilium.__file__).parent
ROOMS = ("laboratory", "web", "karyotype/editing")
ELSEWHERE = ("laboratory/exchange", "laboratory/backup", "laboratory/migrations", "web/settings_file.py")
"""What speaks with other systems, or on the command line: its messages reach no page in Chinese."""

KINDS = {
    name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.ConsiliumError)
}
GAPS = re.compile(r"{(\d+)}")


def sentences(node: ast.expr) -> Iterator[str]:
    """The sentences that an expression is, gaps as `{}`; none where it is worked out elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else GAP for one in values)
        case ast.IfExp(body=body, orelse=orelse):
            yield from sentences(body)
            yield from sentences(orelse)
        case ast.Subscript(value=value):
            yield from sentences(value)


def said(kinds: set[str], paths: list[Path], entries: tuple[str, ...]) -> dict[str, str]:
    """What calls of some names say: sentence -> where."""
    found = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
                continue
            if (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) not in kinds:
                continue
            told = [*node.args[:1], *(one.value for one in node.keywords if one.arg in entries)]
            for text in (text for one in told for text in sentences(one) if text.strip(" {}")):
                found[text] = f"{path.relative_to(PACKAGE)}:{node.lineno}"
    return found


def rooms() -> list[Path]:
    every = [path for room in ROOMS for path in sorted((PACKAGE / room).rglob("*.py"))]
    return [one for one in every if not str(one.relative_to(PACKAGE)).startswith(ELSEWHERE)]


def test_every_message_of_what_pages_stand_on_has_its_chinese() -> None:
    found = said(KINDS, rooms(), ("what", "way_out"))
    assert len(found) > 350, "the search itself"
    without = {
        text: where
        for text, where in found.items()
        if told_in("zh", text.replace(GAP, "x7")) == text.replace(GAP, "x7")
    }
    assert not without


def test_every_alarm_has_its_chinese() -> None:
    found = said({"Alarm"}, [Path(str(health.__file__))], ("what", "way_out"))
    assert len(found) > 15
    for text in found:
        assert told_in("zh", text.replace(GAP, "x7")) != text.replace(GAP, "x7"), text


@pytest.mark.parametrize("catalogue", [messages(), ENTRIES, OTHERS, REASONS, TITLES])
def test_the_chinese_has_the_gaps_of_the_english_and_no_others(catalogue: dict[str, str]) -> None:
    for english, chinese in catalogue.items():
        assert sorted(GAPS.findall(chinese)) == [str(number) for number in range(english.count(GAP))], english
        assert re.search("[一-鿿]", chinese), english
        assert not chinese.endswith("."), chinese
        if english.endswith("."):
            assert chinese.endswith(("。", "’")) or "pip install" in chinese, chinese


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("a reason is needed", "必须填写理由"),
        ("a case that is in culture cannot become signed", "状态为“培养中”的病例不能变为“已签发”"),
        ("It may become harvested or analysed.", "可以变为：已收获或已分析。"),
        (
            "cell 7 was edited since it was read (flip by tang at 2026-03-01; confirm by ren at 2026-03-02)",
            "细胞 7 在读取之后已被编辑（tang 于 2026-03-01：flip；ren 于 2026-03-02：confirm）",
        ),
        ("the birth date is no day. As in 2026-03-01.", "出生日期不是日期。例如 2026-03-01。"),
        ('As in {"kind": "undo"}.', '例如 {"kind": "undo"}。'),
        ("consent 2 of 2026-03-01, until 2027-03-01", "2026-03-01 的知情同意 2，至 2027-03-01"),
        ("consent 1 of 2026-03-01, until A, after B", "2026-03-01 的知情同意 1，至 A, after B"),
        ("what nobody has translated", "what nobody has translated"),
    ],
)
def test_a_message_is_told_in_chinese_with_what_stands_in_it(english: str, chinese: str) -> None:
    assert told_in("zh", english) == chinese
    assert told_in("en", english) == english


def test_why_a_report_is_due_is_told_in_chinese() -> None:
    from datetime import date

    from consilium.cytogenetics.guidelines_file import load

    for specimen, known in load().specimens.items():
        for urgency, word in (("routine", "常规"), ("urgent", "加急")):
            for day in range(1, 29):
                why = due(date(2026, 2, day), specimen, urgency, WorkingDays()).reason  # type: ignore[arg-type]
                told = told_in("zh", why)
                assert told.startswith(f"{known.name_zh}，{word}：" if " after " in why else known.name_zh), told
                assert " after 2026" not in told and "given" not in told and " days" not in told, told


@given(st.text(max_size=2 * LONGEST))
def test_whatever_a_message_says_it_is_told(text: str) -> None:
    assert told_in("en", text) == text
    assert isinstance(told_in("zh", text), str)
    assert told_in("zh", f"{text} is needed")
