"""A few people at once on a small laboratory: the load test runs, and nobody is answered with an error."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("httpx", reason="the load test asks with httpx (extra dev)")
pytest.importorskip("uvicorn", reason="the load test runs the workstation (extra web)")

from benchmarks.workstation import run, table_of

GENEROUS_SECONDS = 5.0
"""Of the 95th percentile: machines that run tests do much else. `benchmarks/results/workstation.md` has the figures."""


@pytest.mark.timeout(400)
def test_people_work_at_once_and_none_of_their_requests_fails(tmp_path: Path) -> None:
    document = run(tmp_path, people=4, cases=12, cells=4, seconds=20, warm_up=2)
    assert document["cells"] >= 44
    answers = document["answers"]
    assert {"worklist", "case page"} <= set(answers)
    for what, one in answers.items():
        # A command that cannot be done, as swapping what has just changed, is refused with 422.
        assert set(one["failed"]) <= ({"422"} if what == "command" else set()), (what, one["failed"])
    assert answers["case page"]["p95"] < GENEROUS_SECONDS
    assert "4 people at once" in table_of(document)
