"""The replay of hospitals: the load, and what is made of the figures; the clusters themselves are tested elsewhere."""

from __future__ import annotations

import pytest

from benchmarks.sharing import (
    CORES,
    DAYS,
    NODES,
    RIGHTS,
    Asked,
    Served,
    by_hospital,
    by_urgency,
    days,
    round_of,
    table,
    utilisation,
)


def served(asked: Asked, *, wait: float, preempted: int = 0, lost: float = 0.0) -> Served:
    return Served(
        asked=asked, turnaround=wait + asked.hours, wait=wait, first=wait, preempted=preempted, lost=lost
    )  # fmt: skip


def test_the_load_is_of_two_days_and_the_same_for_the_same_seed() -> None:
    load = days(3)
    assert load == days(3) and load != days(4)
    assert {one.hospital for one in load} == set(RIGHTS)
    assert sum(RIGHTS.values()) == NODES * CORES
    assert all(0 <= one.at < 24 * DAYS and one.hours > 0 for one in load)
    assert [one.at for one in load] == sorted(one.at for one in load)
    assert all(one.cores <= RIGHTS[one.hospital] for one in load)  # or it could not be run alone


def test_use_is_of_what_was_done_within_the_time() -> None:
    asked = Asked(hospital="imaging_1", urgency="clinical", cores=4, at=46.0, hours=4.0)
    assert utilisation([served(asked, wait=0.0)]) == pytest.approx(4 * 2 / (NODES * CORES * 48))
    assert utilisation([served(asked, wait=1.0)]) == pytest.approx(4 * 1 / (NODES * CORES * 48))
    assert utilisation([served(asked, wait=0.0)], until=50.0) == pytest.approx(4 * 4 / (NODES * CORES * 50))


def test_a_hospital_that_is_served_worse_is_named() -> None:
    load = days(3)
    alone = [served(one, wait=1.0) for one in load]
    shared = [served(one, wait=2.0 if one.hospital == "support_2" else 0.5, preempted=1, lost=0.1) for one in load]
    told = by_hospital(alone, shared)
    assert told["support_2"]["difference"] == pytest.approx(1.0) and told["support_2"]["low"] > 0
    assert told["imaging_1"]["difference"] == pytest.approx(-0.5)
    assert by_urgency(alone)["clinical"]["p95"] == pytest.approx(1.0)
    document = {
        "hour_s": 20, "rounds": [round_of(3, alone, shared)], "owner_s": [1.0, 2.0], "urgent_s": [0.5],
        "up_s": [4.0], "again_s": [2.0], "many": {},
        "date": "2026-11-26", "machine": "a machine",
    }  # fmt: skip
    text = table(document)
    assert "| 1 (1) | support_2 |" in text
    assert f"| {len(load)} |" in text
