"""Tables that come from anywhere, and tables that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consilium.errors import InputError, OutputError
from consilium.laboratory import spreadsheet
from consilium.laboratory.spreadsheet import decoded, guarded, keep, lines, unguarded, written

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@given(TEXT)
@example("=1+1")
@example("'=1+1")
@example("''@x")
@example("＝1")
def test_a_cell_comes_back_and_is_no_formula(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


@given(st.lists(st.fixed_dictionaries({"a": TEXT, "b": TEXT}), max_size=5))
def test_a_table_comes_back_as_it_was_written(rows: list[dict[str, str]]) -> None:
    rows = [row for row in rows if any(cell.strip() for cell in row.values())]
    back = list(lines(decoded(written(("a", "b"), rows).encode("utf-8-sig")), ("a", "b")))
    assert [one.cells for one in back] == rows
    assert not any(one.refused for one in back)


@given(st.binary(max_size=300))
@example(b"a,b\n\x00,\x00\n")
@example(b'a,b\n"never closed,1\n2,3\n')
@example(b"\xff\xfea")
@example(b"a;b\n1;2\r3;4\n")
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    try:
        for one in lines(decoded(data), ("a", "b")):
            assert one.refused or set(one.cells) <= {"a", "b"}
    except InputError as refused:
        assert str(refused)


@given(st.binary(max_size=200), st.sampled_from(["gb18030", "utf-16", "latin-1", "rot13", "no such", "idna", "hex"]))
def test_any_bytes_in_any_encoding_are_text_or_refused(data: bytes, encoding: str) -> None:
    try:
        assert isinstance(decoded(data, encoding), str)
    except InputError as refused:
        assert refused.way_out


@pytest.mark.parametrize("between", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_hospitals_write_is_read(between: str, encoding: str) -> None:
    text = f'Order Number{between}name\r\n1{between}"李, 雷; ""x"""\r\n\r\n2{between}b\r\n'
    found = list(lines(decoded(text.encode(encoding)), ("order_number", "name")))
    assert [(one.number, one.cells["name"]) for one in found] == [(2, '李, 雷; "x"'), (4, "b")]


def test_chinese_of_other_programs_is_read_when_it_is_said() -> None:
    data = "name\r\n欧阳\r\n".encode("gb18030")
    with pytest.raises(InputError, match="not in utf-8") as refused:
        decoded(data)
    assert "gb18030" in refused.value.way_out
    assert next(lines(decoded(data, "gb18030"), ("name",))).cells == {"name": "欧阳"}


def test_a_line_that_does_not_fit_is_refused_and_the_next_is_read() -> None:
    found = list(lines("a,b\n1\n1,2,3\n1,2\n" + "x" * 9000 + ",2\n3,4\n", ("a", "b")))
    assert [bool(one.refused) for one in found] == [True, True, False, True, False]
    assert found[-1].cells == {"a": "3", "b": "4"}


def test_what_follows_a_quotation_mark_that_was_never_closed_is_not_guessed() -> None:
    found = list(lines('a,b\n1,2\n"3,4\n5,6\n', ("a", "b")))
    assert found[0].cells == {"a": "1", "b": "2"}
    assert len(found) == 2 and "from here on" in found[1].refused
    huge = list(lines('a,b\n"' + "x" * 200_000 + '",2\n3,4\n', ("a", "b")))
    assert len(huge) == 1 and "from here on" in huge[0].refused


@pytest.mark.parametrize("text", ["", "c\n1\n", "a,a\n1,2\n", '"a\n'])
def test_a_header_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        list(lines(text, ("a", "b")))


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "LARGEST", 10)
    with pytest.raises(InputError, match="too large"):
        decoded(b"a" * 11)


def test_a_table_is_kept_whole_for_its_owner_alone(tmp_path: Path) -> None:
    keep(tmp_path / "out" / "t.csv", written(("a",), [{"a": "=HYPERLINK(1)"}]))
    assert stat.S_IMODE((tmp_path / "out" / "t.csv").stat().st_mode) == 0o600
    text = (tmp_path / "out" / "t.csv").read_bytes().decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [["a"], ["'=HYPERLINK(1)"]]
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["t.csv"]
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        keep(tmp_path / "file" / "t.csv", "a")
