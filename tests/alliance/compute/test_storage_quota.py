"""Quotas: counted as the disk counts, refused when over."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.alliance.compute.storage_quota import (
    Filled,
    Quota,
    filled,
    in_words,
    read_quotas,
    refuse_over,
    refuse_without_room,
    size_of,
)
from consilium.errors import InputError


def test_what_lies_there_is_counted_once(tmp_path: Path) -> None:
    folder, other, outside = tmp_path / "a", tmp_path / "b", tmp_path / "outside"
    for one in (folder / "deep" / "er", other, outside):
        one.mkdir(parents=True)
    (folder / "deep" / "er" / "x").write_bytes(os.urandom(100_000))
    (other / "y").write_bytes(os.urandom(50_000))
    (outside / "z").write_bytes(os.urandom(900_000))
    quota = Quota(hospital="h", bytes=1 << 20, folders=(folder, other, tmp_path / "not there"))
    before = filled(quota)
    assert 150_000 <= before.used < 250_000 and before.unread == 0
    (folder / "again").hardlink_to(other / "y")
    (folder / "link").symlink_to(outside)
    (folder / "round").symlink_to(folder)
    assert filled(quota).used == pytest.approx(before.used, abs=8192)
    with (folder / "hole").open("wb") as stream:
        stream.truncate(1 << 30)  # takes no room
    assert filled(quota).used < 300_000


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
def test_what_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o000)
    assert filled(Quota(hospital="h", bytes=1, folders=(tmp_path,))).unread == 1


def test_only_who_is_over_is_refused() -> None:
    def at(used: int, hospital: str = "a") -> Filled:
        return Filled(quota=Quota(hospital=hospital, bytes=1000, folders=()), used=used)

    assert [at(used).fill for used in (0, 799, 800, 949, 950, 1000, 1001)] == [
        "free", "free", "filling", "filling", "nearly full", "nearly full", "over",
    ]  # fmt: skip
    refuse_over("a", [at(1000), at(5000, "b")])
    refuse_over("a", [])
    with pytest.raises(InputError, match="a fills 110% of its storage") as refused:
        refuse_over("a", [at(1100)])
    assert refused.value.way_out


def test_quotas_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "quotas.json"
    assert read_quotas(path) == ()
    path.write_text(
        json.dumps({"b": {"size": "1.5 GiB", "folders": ["/b"]}, "a": {"size": "500M", "folders": ["/a", "~/a"]}})
    )
    first, second = read_quotas(path)
    assert (first.hospital, first.bytes, len(first.folders)) == ("a", 500 << 20, 2)
    assert (second.bytes, second.folders) == (3 << 29, (Path("/b"),))
    bad: list[object] = [
        [],
        {"a": 1},
        {"a": {"size": "1G"}},
        {"a": {"folders": ["/a"]}},
        {"a": {"size": "1G", "folders": []}},
    ]
    bad += [
        {"a": {"size": "1G", "folders": "/a"}},
        {"a": {"size": "1G", "folders": ["a"]}},
        {"a": {"size": "0", "folders": ["/a"]}},
    ]
    for document in bad:
        path.write_text(json.dumps(document))
        with pytest.raises(InputError):
            read_quotas(path)


def test_a_job_is_refused_by_the_file_of_quotas(tmp_path: Path) -> None:
    path, full = tmp_path / "quotas.json", tmp_path / "full"
    refuse_without_room("a", path)
    full.mkdir()
    (full / "x").write_bytes(os.urandom(50_000))
    path.write_text(
        json.dumps({"a": {"size": "20k", "folders": [str(full)]}, "b": {"size": "1M", "folders": [str(full)]}})
    )
    refuse_without_room("b", path)
    refuse_without_room("c", path)
    with pytest.raises(InputError, match="a fills"):
        refuse_without_room("a", path)


@given(st.text(max_size=12))
def test_any_text_is_a_size_or_an_error(text: str) -> None:
    with contextlib.suppress(InputError):
        assert size_of(text) >= 1


def test_sizes() -> None:
    assert [size_of(one) for one in ("7", "7B", "1k", "1KiB", "2.5 GB", "1T")] == [7, 7, 1024, 1024, 5 << 29, 1 << 40]
    assert [in_words(one) for one in (7, 1536, 3 << 29, 5 << 50)] == ["7 bytes", "1.5 KiB", "1.5 GiB", "5120.0 TiB"]
