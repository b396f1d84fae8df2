"""What a report says as a document: the same bytes for the same content, and nothing read back that was not written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.errors import InputError
from consilium.laboratory.review import canonical
from consilium.laboratory.review.content import (
    CellLine,
    Check,
    Karyogram,
    Mosaicism,
    ReportContent,
    content_sha256,
    document,
    from_document,
)
from tests.laboratory.review.content_examples import CELLS, content

GOLDEN = "22f97a4b0694cda40c76ec170b64e4e6c6298689d9f41bb3355caee2bd231951"
BAD_KARYOGRAM = Karyogram(cell="a", karyotype="", sha256="AB" * 32, interactions=0, synthetic=False)
AMENDED = {"revision": 2, "supersedes": "12" * 32, "amendment_reason": "a line was missed"}


@pytest.mark.parametrize("entries", [{}, AMENDED, {"mosaicism": None, "checks": (), "karyograms": ()}])
def test_what_is_written_is_read_back(entries: dict[str, Any]) -> None:
    told = content(**entries)
    assert from_document(document(told), sha256=content_sha256(told)) == told


def test_the_hash_is_of_the_canonical_bytes_and_does_not_move() -> None:
    told = document(content())
    assert content_sha256(content()) == hashlib.sha256(told).hexdigest()
    assert told == json.dumps(json.loads(told), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    # A hash that moves would break every signature that was ever made: change it only with a way to read old ones.
    assert content_sha256(content()) == GOLDEN


@pytest.mark.parametrize("name", [one.name for one in fields(ReportContent) if one.name != "format"])
def test_every_entry_changes_the_hash(name: str) -> None:
    other: dict[str, Any] = {
        "revision": 3, "band_level": 400, "disagreements": 2, "unreviewed": 1, "sex": "withheld", "mosaicism": None,
        "interpretation": {"en": "x", "zh": "y"}, "limitations": {"en": (), "zh": ()}, "supersedes": "34" * 32,
        "received": "2026-03-02T09:30:00.000Z",
    }  # fmt: skip
    told = content(**AMENDED)
    before = getattr(told, name)
    after = other.get(name, () if isinstance(before, tuple) else f"{before}x")
    assert content_sha256(replace(told, **{name: after})) != content_sha256(told)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"laboratory": " "}, "laboratory"),
        ({"revision": 0}, "revision"),
        ({"revision": 2}, "supersedes"),
        ({"supersedes": "12" * 32}, "supersedes"),
        (AMENDED | {"amendment_reason": ""}, "reason"),
        (AMENDED | {"supersedes": "12"}, "no hash"),
        ({"interpretation": {"en": "x"}}, "both languages"),
        ({"cells_counted": ("a", "a")}, "twice"),
        ({"lines": (CellLine(iscn="46,XX", cells=("a",)), CellLine(iscn="46,XY", cells=("a",)))}, "two lines"),
        ({"karyograms": (BAD_KARYOGRAM,)}, "hash"),
        ({"received": "yesterday"}, "time"),
        ({"mosaicism": Mosaicism(cells=20, at_95=0.2, at_99=0.1)}, "mosaicism"),
        ({"mosaicism": Mosaicism(cells=20, at_95=0.13911, at_99=0.2)}, "4 places"),
        ({"checks": (Check(what="counted", asked=20, found=None, met=True, source="", reason=""),)}, "met"),
        ({"band_level": -1}, "below 0"),
    ],
)  # fmt: skip
def test_a_content_that_contradicts_itself_is_none(entries: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        content(**entries)


def test_another_content_than_was_signed_is_refused() -> None:
    with pytest.raises(InputError, match="not the one that was signed"):
        from_document(document(content(iscn="47,XX,+21")), sha256=content_sha256(content()))


@pytest.mark.parametrize(
    "bad",
    [b"", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"revision":1}', b"NaN", b'{"a":1e999}', b" " * 4_000_001],
)
def test_what_is_no_document_is_refused(bad: bytes) -> None:
    with pytest.raises(InputError):
        from_document(bad)


def altered(change: Any) -> bytes:
    plain = json.loads(document(content()))
    change(plain)
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain.pop("iscn"),
        lambda plain: plain.update(extra=1),
        lambda plain: plain.update(revision=True),
        lambda plain: plain.update(revision=1.0),
        lambda plain: plain.update(revision=2**60),
        lambda plain: plain.update(sex="other"),
        lambda plain: plain.update(iscn=None),
        lambda plain: plain.update(iscn="x" * 20_001),
        lambda plain: plain.update(iscn="a\x00b"),
        lambda plain: plain.update(iscn="e\u0301"),
        lambda plain: plain.update(cells_counted="01.png"),
        lambda plain: plain["mosaicism"].update(at_95=0.1391),
        lambda plain: plain["mosaicism"].update(at_95="0.13910"),
        lambda plain: plain["mosaicism"].update(at_95="-0.1391"),
        lambda plain: plain["mosaicism"].update(at_95="00.1391"),
        lambda plain: plain["mosaicism"].update(at_95="٠.١٣٩١"),
        lambda plain: plain["interpretation"].update(de="x"),
        lambda plain: plain["checks"][0].update(met="yes"),
    ],
)
def test_a_document_with_one_thing_wrong_is_refused(change: Any) -> None:
    with pytest.raises(InputError):
        from_document(altered(change))


def test_a_document_that_says_the_same_in_other_words_is_refused() -> None:
    told = document(content())
    spaced = json.dumps(json.loads(told), sort_keys=True, ensure_ascii=False).encode()
    escaped = json.dumps(json.loads(told), sort_keys=True, separators=(",", ":")).encode()
    doubled = told.replace(b'"revision":1', b'"revision":1,"revision":1')
    for one in (spaced, escaped, doubled, told + b"\n"):
        assert json.loads(one) == json.loads(told)
        with pytest.raises(InputError, match="canonically"):
            from_document(one)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)


@given(TEXT, TEXT, st.lists(TEXT.filter(str.strip), unique=True, max_size=4), st.integers(0, 2**53))
@settings(max_examples=200)
def test_any_text_comes_back_or_is_refused_when_it_is_written(
    indication: str, english: str, cells: list[str], band_level: int
) -> None:
    told = content(
        indication=indication, interpretation={"en": english, "zh": ""}, band_level=band_level,
        cells_counted=tuple(cells),
    )  # fmt: skip
    try:
        made = document(told)
    except InputError as refused:
        assert "NFC" in refused.what
        return
    assert from_document(made) == told


@given(st.data())
@settings(max_examples=300)
def test_altered_bytes_are_another_content_or_none(data: st.DataObject) -> None:
    told = document(content())
    at = data.draw(st.integers(0, len(told) - 1))
    cut = data.draw(st.integers(0, 6))
    bad = told[:at] + data.draw(st.binary(max_size=6)) + told[at + cut :]
    try:
        found = from_document(bad)
    except InputError:
        return
    assert document(found) == bad
    assert (found == content()) == (bad == told)


def test_a_kind_that_has_no_place_in_a_document_is_told() -> None:
    with pytest.raises(TypeError):
        canonical.read(bytes, b'"x"')
    assert CELLS[0] == "01.png"
