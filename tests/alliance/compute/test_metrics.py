"""Metrics: what Prometheus can read, with the figures of the jobs and without anybody's name."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import replace

import pytest

pytest.importorskip("prometheus_client", reason="prometheus-client (extra `metrics`) is not installed")

from prometheus_client.parser import text_string_to_metric_families

from consilium.alliance.compute.engine import Capacity
from consilium.alliance.compute.health import Node, alarms
from consilium.alliance.compute.metrics import Seen, exposition, serve
from consilium.alliance.compute.storage_quota import Filled, Quota
from consilium.errors import OutputError
from tests.alliance.compute.histories import job

THERE = Capacity(cores=16, memory_mb=100, gpus=2, cores_held=4, memory_held_mb=10, gpus_held=1, running=1, waiting=1)
SECRET = {"name": "zhang san", "person": "dr-li", "command": ("consilium", "karyotype", "zhang"), "folder": "/zhang"}
JOBS = (
    job(1, submitted=0.0, started=5.0, ended=3605.0, cores=2, **SECRET),
    job(2, submitted=0.0, started=100.0, ended=200.0, state="failed", urgency="clinical", **SECRET),
    job(3, submitted=0.0, started=None, ended=None, state="waiting", hospital="hospital_b", **SECRET),
)
NODES = (Node(name="secret-host", state="up"), Node(name="n2", state="down", reason="dr-li pulled the plug"))
STORAGE = (Filled(quota=Quota(hospital="hospital_a", bytes=1000, folders=()), used=990),)
SEEN = Seen(
    jobs=JOBS, capacity=THERE, nodes=NODES, storage=STORAGE,
    alarms=alarms(JOBS, THERE, now=1e6, nodes=NODES, storage=STORAGE),
)  # fmt: skip


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_figures_are_those_of_the_jobs() -> None:
    found = samples(exposition(SEEN))
    assert found["consilium_cores",] == 16 and found["consilium_cores_held",] == 4
    assert found["consilium_memory_bytes",] == 100 << 20
    assert found["consilium_jobs", "hospital_a", "done", "research"] == 1
    assert found["consilium_jobs", "hospital_a", "failed", "clinical"] == 1
    assert found["consilium_jobs", "hospital_b", "waiting", "research"] == 1
    assert found["consilium_jobs", "hospital_b", "running", "research"] == 0
    assert found["consilium_core_seconds_total", "hospital_a", "own"] == 7300
    assert found["consilium_wait_seconds_count", "research"] == 1
    assert found["consilium_wait_seconds_sum", "clinical"] == 100
    assert found["consilium_wait_seconds_bucket", "60.0", "clinical"] == 0
    assert found["consilium_wait_seconds_bucket", "300.0", "clinical"] == 1
    assert found["consilium_nodes", "down"] == 1
    assert found["consilium_storage_bytes", "hospital_a"] == 990
    assert found["consilium_alarms", "node.down", "warning"] == 1
    assert found["consilium_alarms", "storage.filling", "critical"] == 1


def test_nobody_is_named() -> None:
    text = exposition(SEEN)
    for word in ("zhang", "dr-li", "karyotype", "secret-host", "plug"):
        assert word not in text


def test_it_is_served_on_loopback_and_looks_anew() -> None:
    held = [4]

    def look() -> Seen:
        return replace(SEEN, capacity=replace(THERE, cores_held=held[0]))

    port, end = serve(look, 0)
    try:
        for cores in (4, 9):
            held[0] = cores
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                assert answer.headers["Content-Type"].startswith("text/plain")
                assert samples(answer.read().decode())["consilium_cores_held",] == cores
        with pytest.raises(OutputError, match="cannot be opened"):
            serve(look, port)
    finally:
        end()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)
