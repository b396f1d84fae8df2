from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from consilium.alliance.compute.engine import Lease
from consilium.alliance.compute.lease_hours import hours_of
from consilium.alliance.compute.week import by_class, sure_by_hour, used_by_hour
from consilium.alliance.roster import Hospital
from tests.alliance.compute.histories import job

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, tzinfo=ZONE).timestamp()
"""A Monday, midnight."""


def at(day: int, hour: float) -> float:
    """Seconds of a day and hour of the week before `NOW`."""
    return NOW - 7 * 86400 + day * 86400 + hour * 3600


def test_leases_hold_in_their_hours_and_what_is_brought_in_in_the_others() -> None:
    hospitals = [Hospital(id="a", cores=4), Hospital(id="b", cores=2), Hospital(id="c")]
    leases = [
        Lease(hospital="a", cores=10, hours=hours_of("Mon 08-10")),
        Lease(hospital="a", cores=1, hours=hours_of("Mon 09-10")),
        Lease(hospital="b", cores=0, hours=hours_of("Tue 00-24")), Lease(hospital="stranger", cores=9),
    ]  # fmt: skip
    found = sure_by_hour(hospitals, leases)
    assert list(found) == ["a", "b", "c"]
    assert found["a"][7:11].tolist() == [4, 10, 11, 4]
    assert found["b"][24:48].tolist() == [0] * 24
    assert found["b"][48] == 2
    assert found["c"].tolist() == [0] * 168


def test_cores_are_counted_in_the_hours_in_which_they_were_held() -> None:
    jobs = [
        job(1, hospital="a", cores=3, started=at(1, 8.5), ended=at(1, 10)),
        job(2, hospital="a", cores=1, started=at(1, 9), ended=at(1, 9.25)),
        job(3, hospital="b", cores=2, state="running", started=at(6, 22), ended=None),
        job(4, hospital="b", state="waiting", started=None, ended=None),
        job(5, hospital="b", cores=50, started=at(0, 0) - 60 * 86400, ended=at(0, 1) - 60 * 86400),
    ]
    found = used_by_hour(jobs, zone=ZONE, now=NOW, weeks=1)
    assert found["a"][24 + 8 : 24 + 11] == pytest.approx([1.5, 3.25, 0])
    assert found["a"].sum() == pytest.approx(3 * 1.5 + 0.25)
    assert np.flatnonzero(found["b"]).tolist() == [166, 167]
    assert found["b"][166:].tolist() == [2, 2]
    four = used_by_hour(jobs, zone=ZONE, now=NOW, weeks=4)
    assert four["a"] == pytest.approx(found["a"] / 4)


def test_jobs_are_counted_by_hospital_and_urgency() -> None:
    jobs = [
        job(1, hospital="a", urgency="clinical", state="waiting"),
        job(2, hospital="a", urgency="clinical", state="running"),
        job(3, hospital="b", state="waiting"), job(4, hospital="b", state="done"), job(5, hospital="c", state="failed"),
    ]  # fmt: skip
    assert by_class(jobs) == {("a", "clinical"): (1, 1), ("b", "research"): (1, 0)}
