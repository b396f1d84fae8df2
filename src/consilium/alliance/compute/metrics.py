"""Figures for Prometheus: how full, how long, how much, by hospital and urgency.

No metric and no label holds the name or command of a job, a person, a folder or a patient; hospitals go by their id.
Exposition: https://prometheus.io/docs/instrumenting/exposition_formats/, written by prometheus-client (extra
`metrics`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consilium.alliance.compute.billing import billed_seconds
from consilium.alliance.compute.engine import Capacity
from consilium.alliance.compute.health import Alarm, Node
from consilium.alliance.compute.job import URGENCIES, Job
from consilium.alliance.compute.storage_quota import Filled
from consilium.errors import MissingExtra, OutputError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_STATES = ("waiting", "running", "done", "failed", "cancelled")
_WAITS = (1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 24 * 3600.0)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen at one moment; see `health.alarms`."""

    jobs: Sequence[Job]
    capacity: Capacity
    alarms: Sequence[Alarm]
    nodes: Sequence[Node] = ()
    storage: Sequence[Filled] = ()


def exposition(seen: Seen) -> str:
    """The metrics as text.

    Raises:
        MissingExtra: prometheus-client is not installed.
    """
    return str(_client().generate_latest(registry(lambda: seen)).decode("utf-8"))


def serve(look: Callable[[], Seen], port: int) -> tuple[int, Callable[[], None]]:
    """Serve the metrics on the loopback interface, looking anew at each request.

    Args:
        look: sees.
        port: 0: any that is free.

    Returns:
        The port, and what ends it.

    Raises:
        MissingExtra: prometheus-client is not installed.
        OutputError: the port is taken.
    """
    try:
        server, thread = _client().start_http_server(port, addr="127.0.0.1", registry=registry(look))
    except OSError as problem:
        raise OutputError(
            f"port {port} cannot be opened ({problem.strerror})", way_out="Choose another, or end what has it."
        ) from problem

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return server.server_port, end


def registry(look: Callable[[], Seen]) -> CollectorRegistry:
    """A registry that looks when it is asked, for whoever serves metrics itself.

    Raises:
        MissingExtra: prometheus-client is not installed.
    """
    client = _client()

    class Collector:
        def collect(self) -> Iterator[Any]:
            yield from _families(look())

    found = client.CollectorRegistry(auto_describe=False)
    found.register(Collector())
    return found  # type: ignore[no-any-return]


def _client() -> Any:
    try:
        import prometheus_client
    except ImportError as missing:
        raise MissingExtra(
            "metrics are written by prometheus-client, which is not installed",
            way_out="Install it: pip install 'consilium[metrics]'.",
        ) from missing
    return prometheus_client


def _families(seen: Seen) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    there, jobs = seen.capacity, seen.jobs
    for what, (total, held) in {
        "cores": (there.cores, there.cores_held), "gpus": (there.gpus, there.gpus_held),
        "memory_bytes": (there.memory_mb << 20, there.memory_held_mb << 20),
    }.items():  # fmt: skip
        yield GaugeMetricFamily(f"consilium_{what}", f"{what} in all", value=total)
        yield GaugeMetricFamily(f"consilium_{what}_held", f"{what} held by jobs", value=held)

    hospitals = sorted({one.request.hospital for one in jobs})
    count: Counter[tuple[str, str, str]] = Counter(
        (one.request.hospital, one.request.urgency, one.state) for one in jobs
    )
    live = GaugeMetricFamily("consilium_jobs", "jobs by state", labels=["hospital", "urgency", "state"])
    for hospital in hospitals:
        for urgency in URGENCIES:
            for state in _STATES:
                live.add_metric([hospital, urgency, state], count[hospital, urgency, state])
    yield live

    spent = CounterMetricFamily("consilium_core_seconds", "of jobs that ended", labels=["hospital", "kind"])
    for hospital in hospitals:
        told = [billed_seconds(one) for one in jobs if one.request.hospital == hospital]
        for kind, place in (("own", 0), ("borrowed", 1), ("lost", 2)):
            spent.add_metric([hospital, kind], sum(one[place] for one in told))
    yield spent

    waits = HistogramMetricFamily("consilium_wait_seconds", "from submission to the last start", labels=["urgency"])
    for urgency in URGENCIES:
        times = [
            max(one.started - one.submitted, 0.0)
            for one in jobs
            if one.request.urgency == urgency and one.started is not None
        ]
        buckets = [(str(edge), float(sum(time <= edge for time in times))) for edge in _WAITS]
        waits.add_metric([urgency], [*buckets, ("+Inf", float(len(times)))], sum(times))
    yield waits

    if seen.nodes:
        nodes = GaugeMetricFamily("consilium_nodes", "nodes by state", labels=["state"])
        for node_state in ("up", "drained", "down", "off"):
            nodes.add_metric([node_state], sum(one.state == node_state for one in seen.nodes))
        yield nodes
    if seen.storage:
        used = GaugeMetricFamily("consilium_storage_bytes", "filled", labels=["hospital"])
        quota = GaugeMetricFamily("consilium_storage_quota_bytes", "at most", labels=["hospital"])
        for one in seen.storage:
            used.add_metric([one.quota.hospital], one.used)
            quota.add_metric([one.quota.hospital], one.quota.bytes)
        yield used
        yield quota
    raised = GaugeMetricFamily("consilium_alarms", "alarms that stand", labels=["severity", "rule"])
    for (severity, rule), number in sorted(Counter((one.severity, one.rule) for one in seen.alarms).items()):
        raised.add_metric([severity, rule], number)
    yield raised
