"""Traces in the Standard Workload Format, a small one made for the test."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from benchmarks.lease_planning import traced
from benchmarks.workload_trace import read_trace

HEAD = "; Version: 2.2\n; UnixStartTime: 1735862400\n; MaxProcs: 64\n"  # 3 January 2025, a Friday
WEEK = 7 * 86400


def line(submitted: int, *, wait: int = 60, ran: int = 1800, cores: int = 2, group: int = 1) -> str:
    return f"1 {submitted} {wait} {ran} {cores} -1 -1 {cores} -1 -1 1 5 {group} -1 1 -1 -1 -1\n"


def test_jobs_are_those_of_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.swf"
    path.write_text(
        HEAD + line(100) + line(200, wait=-1, group=2) + line(300, ran=-1) + line(400, cores=-1) + line(5, group=-1)
    )
    first, second = read_trace(path)
    assert (first.request.hospital, first.request.cores, first.core_seconds) == ("group_1", 2, 3600)
    assert first.submitted == 1735862400 + 100 and first.started == first.submitted + 60
    assert (second.request.hospital, second.started) == ("group_2", 1735862400 + 200)
    assert [one.request.hospital for one in read_trace(path, groups=1)] == ["group_1"]
    packed = tmp_path / "t.swf.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert len(read_trace(packed)) == 2


def test_what_is_no_trace_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.swf"
    for content, why in (
        (line(1), "when it began"),
        (HEAD + "1 2 3\n", "3 numbers"),
        (HEAD + "a b\n", "could not convert"),
    ):
        path.write_text(content)
        with pytest.raises(ValueError, match=why):
            read_trace(path)


def test_a_trace_is_judged_rolling(tmp_path: Path) -> None:
    path = tmp_path / "t.swf"
    hours = [hour * 3600 for hour in range(14 * 168) if 8 <= hour % 24 < 18]
    path.write_text(HEAD + "".join(line(hour, group=1 + hour // 3600 % 2) for hour in hours))
    found = traced(path, "UTC")
    assert found["groups"] == 2 and found["weeks"] == 13
    assert set(found["histories"]) == {"2", "4", "8"}
    assert found["histories"]["4"]["plans"] == 2
    # The same every week: nothing is ever short, and days cost less than peaks all week.
    assert found["histories"]["8"]["plan"]["shortage"]["value"] == 0
    assert found["histories"]["8"]["plan"]["cost"]["value"] < 0.7
