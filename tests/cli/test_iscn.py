"""`consilium iscn` as it is called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from consilium.cytogenetics.iscn.rules import rules


def call(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "consilium", "iscn", *words], input=stdin, capture_output=True, timeout=60, check=False
    )


def objects(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]


def test_valid_strings_end_with_0_and_one_that_is_not_with_1() -> None:
    assert call("check", "47,XY,+21", "46,XX,t(4;11)(q21;q23)[20]").returncode == 0
    done = call("check", "47,XY,+21", "46,XX,+21")
    assert done.returncode == 1
    assert b"47,XY,+21  valid" in done.stdout and b"suggestion: 47,XX,+21" in done.stdout


def test_json_lines_say_all_that_was_found() -> None:
    done = call("check", "--json", "--lang", "en", "46,XX,t(11;4)(q23;q21)", "46,XX,foo", "47,XY,+21")
    wrong, broken, right = objects(done)
    assert done.returncode == 1
    assert right == {"input": "47,XY,+21", "parsed": True, "valid": True, "canonical": "47,XY,+21", "findings": []}
    assert not broken["parsed"] and not broken["valid"] and broken["canonical"] is None
    assert [finding["rule"] for finding in broken["findings"]] == ["syntax"]
    assert wrong["canonical"] == "46,XX,t(4;11)(q21;q23)"
    assert wrong["findings"] == [
        {
            "rule": "partner-order", "section": "5.4.1i", "severity": "error", "start": 6, "end": 22,
            "message": "sex chromosomes first, then the lowest number: t(4;11)(q21;q23)",
            "suggestion": "46,XX,t(4;11)(q21;q23)",
        }
    ]  # fmt: skip


def test_lines_of_standard_input_are_read_one_by_one() -> None:
    done = call("check", "--json", "-", stdin="47,XY,+21\r\n\n45,X\n46,XX,del(5)(q99)\n\xff46,XX\n".encode("latin-1"))
    assert [one["valid"] for one in objects(done)] == [True, True, False, False]
    assert done.returncode == 1


def test_an_abnormality_known_from_before_needs_one_cell() -> None:
    text = "46,XX,t(9;22)(q34;q11.2)[1]/46,XX[19]"
    assert call("check", text).returncode == 1
    assert call("check", text, "--known", "t(9;22)").returncode == 0


def test_chinese_is_spoken() -> None:
    done = call("check", "--lang", "zh", "46,XX,+21")
    assert "无效" in done.stdout.decode() and "条染色体" in done.stdout.decode()


def test_repair_suggests_and_says_what_it_changed() -> None:
    done = call("repair", "--lang", "en", "46 XX", "47,XX+21")
    assert done.returncode == 0 and done.stdout.decode().split() == ["46,XX", "47,XX,+21"]
    assert b"changed: " in done.stderr
    (told,) = objects(call("repair", "--json", "46 XX"))
    assert told["suggestion"] == "46,XX" and told["changes"][0] == {"start": 2, "end": 3, "before": " ", "after": ","}
    assert call("repair", "nothing here").returncode == 1


def test_explain_says_what_a_string_means() -> None:
    done = call("explain", "--lang", "en", "47,XY,+21")
    assert done.returncode == 0 and b"an extra chromosome 21" in done.stdout
    (told,) = objects(call("explain", "--json", "--lang", "zh", "46,XX,+21"))
    assert not told["valid"] and any("21" in sentence for sentence in told["sentences"])
    assert call("explain", "46,XX,").returncode == 1


def test_draw_makes_an_svg_a_string(tmp_path: Path) -> None:
    done = call("draw", "47,XY,+21")
    assert done.returncode == 0 and done.stdout.startswith(b"<svg")
    assert call("draw", "47,XY,+21", "--out", str(tmp_path / "one.svg")).returncode == 0
    assert call("draw", "47,XY,+21", "45,X", "--out", str(tmp_path / "many")).returncode == 0
    drawings = [tmp_path / "one.svg", tmp_path / "many" / "001.svg", tmp_path / "many" / "002.svg"]
    assert all(ElementTree.parse(path).getroot().tag.endswith("svg") for path in drawings)
    (tmp_path / "file").write_text("")
    refused = call("draw", "45,X", "--out", str(tmp_path / "file" / "a.svg"))
    assert refused.returncode == 5 and b"cannot be written" in refused.stderr
    assert call("draw", "46,XX,").returncode == 1


def test_write_puts_items_and_partners_in_order() -> None:
    done = call("write", "49,XX,+8,+5,t(11;4)(q23;q21),+X")
    assert done.stdout.decode().strip() == "49,XX,+X,t(4;11)(q21;q23),+5,+8"
    assert call("write", "46,XX,").returncode == 1
    (told,) = objects(call("write", "--json", "46,XX,del(5)(q33q13)"))
    assert told == {"input": "46,XX,del(5)(q33q13)", "canonical": "46,XX,del(5)(q13q33)", "valid": False}


def test_write_makes_the_string_of_a_case_from_its_cells(tmp_path: Path) -> None:
    case = {
        "neoplastic": True, "sex": "XY",
        "cells": [
            {"iscn": "46,XY,t(9;22)(q34;q11.2)", "times": 6},
            {"sex": "XY", "gains": ["8"], "structural": ["t(9;22)(q34;q11.2)"], "times": 5},
            {"name": "odd", "iscn": "45,XY,-17,t(9;22)(q34;q11.2)"},
        ],
    }  # fmt: skip
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case), encoding="utf-8")
    done = call("write", "--cells", str(path), "--lang", "en")
    assert done.returncode == 0
    assert done.stdout.decode().strip() == "46,XY,t(9;22)(q34;q11.2)[7]/47,sl,+8[5]"
    assert b"taken for chance" in done.stderr
    (told,) = objects(call("write", "--cells", "-", "--json", "--style", "idem", stdin=path.read_bytes()))
    assert told["iscn"] == "46,XY,t(9;22)(q34;q11.2)[7]/47,idem,+8[5]" and told["valid"] and not told["findings"]
    assert [one["role"] for one in told["clones"]] == ["stemline", "sideline"] and len(told["clones"][1]["cells"]) == 5
    (aside,) = told["set_aside"]
    assert aside["cell"] == "odd" and aside["seen"] == ["-17"] and aside["counted"] and told["reasons"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"neoplastic": true, "cells": [{"iscn": "46,XX,+8"}]}', b"cell 1: the findings add up to 47"),
        (b"nonsense", b"not JSON"),
        (b"\xff", b"UTF-8"),
        (b'{"neoplastic": true, "cells": []}', b"no cell"),
    ],
)
def test_cells_that_cannot_be_used_end_with_4(text: bytes, said: bytes) -> None:
    done = call("write", "--cells", "-", stdin=text)
    assert done.returncode == 4 and said in done.stderr
    assert b"standard input" in done.stderr or said == b"no cell"


def test_cells_that_are_not_there_end_with_4_and_strings_beside_them_with_2(tmp_path: Path) -> None:
    assert call("write", "--cells", str(tmp_path / "none.json")).returncode == 4
    assert call("write", "46,XX", "--cells", str(tmp_path / "none.json")).returncode == 2


def test_a_band_level_tells_what_cannot_be_seen() -> None:
    done = call("check", "46,XX,del(5)(q13.2q33)", "--band-level", "400", "--lang", "en")
    assert done.returncode == 0 and b"at 400 bphs it is 5q13" in done.stdout and b"band-unseen" in done.stdout
    assert call("check", "46,XX", "--band-level", "0").returncode == 2


@pytest.mark.parametrize("words", [["check"], ["check", "--nonsense", "46,XX"], ["nonsense"], ["repair"], ["write"]])
def test_a_command_line_that_cannot_be_understood_ends_with_2(words: list[str]) -> None:
    assert call(*words).returncode == 2


def test_every_rule_speaks_both_languages() -> None:
    for name, rule in rules().items():
        assert rule.en and any("\u4e00" <= letter <= "\u9fff" for letter in rule.zh), name
        assert rule.section[0].isdigit() and rule.severity in ("error", "warning", "note"), name
