"""Whatever is flagged can be said, in both languages, with the same figures."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from string import Formatter

import pytest

import consilium
from consilium.karyotype.metaphase import Flag
from consilium.karyotype.report_wording import REPORT
from consilium.karyotype.wording import FLAGS, LANGUAGES, PHRASES, phrase, sentence

TABLES: dict[str, Mapping[str, Mapping[str, str]]] = {"flags": FLAGS, "phrases": PHRASES, "report": REPORT}
ENTRIES = [(table, key) for table, entries in TABLES.items() for key in entries]


def _fields(text: str) -> set[tuple[str, str]]:
    return {(name, form or "") for _, name, form, _ in Formatter().parse(text) if name is not None}


def _codes_in_source() -> set[str]:
    """Every literal that any module of the package passes as Flag(code=...)."""
    codes = set()
    for module in Path(consilium.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Flag":
                codes |= {
                    keyword.value.value
                    for keyword in node.keywords
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
                }
    return codes


@pytest.mark.parametrize(("table", "key"), ENTRIES)
def test_both_languages_say_the_same_figures(table: str, key: str) -> None:
    words = TABLES[table][key]
    assert set(words) == set(LANGUAGES)
    assert all(words.values())
    assert len({frozenset(_fields(text)) for text in words.values()}) == 1


@pytest.mark.parametrize(("table", "key"), ENTRIES)
def test_chinese_is_chinese_and_english_is_ascii(table: str, key: str) -> None:
    assert any("\u4e00" <= letter <= "\u9fff" for letter in TABLES[table][key]["zh"])
    assert TABLES[table][key]["en"].isascii()


def test_every_code_that_the_source_raises_has_a_sentence() -> None:
    assert _codes_in_source() <= set(FLAGS)


def test_a_sentence_carries_its_figures() -> None:
    flag = Flag(code="low_confidence", values={"label": "9", "confidence": 0.614})
    assert sentence(flag, "en") == "Named 9 with a confidence of only 61%"
    assert "61%" in sentence(flag, "zh")
    assert phrase("chromosomes", "en", count=46) == "46 chromosomes"


def test_a_missing_figure_is_an_error() -> None:
    with pytest.raises(KeyError):
        sentence(Flag(code="low_confidence", values={"label": "9"}), "en")
    with pytest.raises(KeyError):
        sentence(Flag(code="no_such_code"), "en")
