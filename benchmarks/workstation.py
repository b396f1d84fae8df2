"""How fast the workstation answers fifty people at once: `python -m benchmarks.workstation` (six minutes).

A database of 2,000 cases and 40,000 cells is filled (`workstation_records`), `consilium serve` serves it as a process
of its own, and fifty simulated people sign in and work for two and a half minutes (`workstation_people`): worklist,
page of a case with its thumbnails, a cell in the editor with its pictures, commands that are stored before they are
answered, three seconds to think on average. They come in one by one in the first half minute, which is not counted.
What counts is the time from the request to the last byte of the answer, seen from the browser's side, on loopback. The
people are simulated on the same cores. Intervals are 95 %, from resampling the people.

The figures go to `benchmarks/results/workstation.json` and, as a table, to `workstation.md` beside it.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import httpx
import numpy as np
from sqlalchemy import func, select

from benchmarks.results import machine
from benchmarks.workstation_people import THINK_SECONDS, Answer, crowd
from benchmarks.workstation_records import fill, person
from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.tables import CellRow
from consilium.laboratory.laboratory import Laboratory
from consilium.laboratory.tables import CaseRow
from consilium.settings import HOME_VARIABLE, LABORATORY_VARIABLE
from consilium.web.security.accounts import Accounts, all_accounts, change_password, reset_password

RESULTS = Path(__file__).parent / "results" / "workstation.json"
PEOPLE, CASES, CELLS, SECONDS, WARM_UP = 50, 2000, 20, 150, 40
SEED = 20261126
ASKED: Mapping[str, float] = {"case page": 0.3, "command": 0.05}
"""Seconds that 95 of 100 answers may take at most."""
ORDER = (
    "worklist",
    "case page",
    "command",
    "cell",
    "editor page",
    "thumbnail",
    "picture of the editor",
    "picture of a chromosome",
)
DRAWS = 1000
_START_WITHIN = 60.0


def prepared(folder: Path, *, people: int, cases: int, cells: int) -> tuple[str, dict[str, str]]:
    """A filled laboratory in a folder: URL of its records, and the passwords of its people."""
    url = f"sqlite:///{folder / 'records.db'}"
    records = Laboratory(url)
    try:
        with records.reading() as session:
            there = session.scalar(select(func.count()).select_from(CaseRow)) or 0
        if not there:
            fill(records, Files(folder / "laboratory" / "files"), people=people, cases=cases, cells=cells)
    finally:
        records.close()
    accounts = Accounts(url)
    passwords = {name: f"correct horse {name} battery staple" for name in map(person, range(people))}
    try:
        known = {one.person for one in all_accounts(accounts)}
        for name in passwords.keys() - known:
            reset_password(accounts, name, by="benchmark")
            change_password(accounts, name, new=passwords[name])
    finally:
        accounts.close()
    return url, passwords


@contextmanager
def serving(folder: Path, url: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`consilium serve` on a port of loopback; where it is."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {HOME_VARIABLE: str(folder), LABORATORY_VARIABLE: url}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "consilium", "serve", "--port", str(port)], env=environment, stdout=log, stderr=log
        )
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + _START_WITHIN
    try:
        while True:
            try:
                if httpx.get(f"{address}/api/v1/health", trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "server.log").read_text(errors="replace")[-2000:])
            time.sleep(0.1)
        yield address, process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measured(answers: Sequence[Answer], warm_up: float) -> dict[str, dict[str, Any]]:
    """By what was asked: how many answers, percentiles of their seconds, and the interval of the 95th."""
    found = {}
    for what in ORDER:
        some = [one for one in answers if one.what == what and one.at >= warm_up]
        if not some:
            continue
        seconds = np.array([one.seconds for one in some])
        p50, p95, p99 = np.percentile(seconds, [50, 95, 99])
        low, high = _interval(some)
        found[what] = {
            "n": len(some), "p50": p50, "p95": p95, "p95_low": low, "p95_high": high, "p99": p99,
            "longest": float(seconds.max()), "asked_p95": ASKED.get(what),
            "failed": dict(Counter(str(one.status) for one in some if one.status >= 400)),
        }  # fmt: skip
    return found


def _interval(answers: Sequence[Answer]) -> tuple[float, float]:
    """95 % interval of the 95th percentile: people are drawn, not answers, since those of one person resemble."""
    people = sorted({one.person for one in answers})
    by_person = [np.array([one.seconds for one in answers if one.person == who]) for who in people]
    rng = np.random.default_rng(SEED)
    drawn = [
        np.percentile(np.concatenate([by_person[one] for one in rng.integers(0, len(people), len(people))]), 95)
        for _ in range(DRAWS)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def run(folder: Path, *, people: int, cases: int, cells: int, seconds: float, warm_up: float) -> dict[str, Any]:
    """Fill, serve, let people work; the document."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    url, passwords = prepared(folder, people=people, cases=cases, cells=cells)
    filled = time.perf_counter() - began
    records = Laboratory(url)
    with records.reading() as session:
        numbers = list(session.scalars(select(CaseRow.number).order_by(CaseRow.id)))
        there = session.scalar(select(func.count()).select_from(CellRow)) or 0
    records.close()
    load = os.getloadavg()[0]
    before = resource.getrusage(resource.RUSAGE_SELF)
    with serving(folder, url) as (address, process):
        start = time.perf_counter()
        answers = asyncio.run(crowd(address, passwords, numbers, seconds=seconds, ramp=0.75 * warm_up, seed=SEED))
        took = time.perf_counter() - start
        worked, memory = _process(process.pid)
    after = resource.getrusage(resource.RUSAGE_SELF)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "load_before": load,
        "versions": {"python": platform.python_version()}
        | {one: version(one) for one in ("consilium", "fastapi", "uvicorn", "sqlalchemy")},
        "database": "SQLite, write-ahead log, synchronous = FULL", "people": people, "cases": len(numbers),
        "cells": there, "seconds": took, "think_seconds": THINK_SECONDS, "filled_in_seconds": filled,
        "requests": len(answers), "requests_per_second": len(answers) / took,
        "server_processor_seconds": worked, "server_memory_mb": memory, "people_processor_seconds": own,
        "answers": measured(answers, warm_up),
    }  # fmt: skip


def _process(pid: int) -> tuple[float, float]:
    """Processor seconds and peak memory in MB of a process; zeros where the system does not say."""
    try:
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0.0, 0.0
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) / 1024


def table_of(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        f"# {document['people']} people at once", "",
        "Written by `python -m benchmarks.workstation`; do not edit. Milliseconds from the request to the last byte of",
        "the answer, on loopback; the interval is 95 %, from resampling the people.", "",
        "| what | n | p50 | p95 (interval) | p99 | longest | asked of p95 | reached | failed |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for what, one in document["answers"].items():
        asked = one["asked_p95"]
        reached = (
            "" if asked is None else "yes" if one["p95"] < asked else f"no: {one['p95'] / asked:.1f} times as long"
        )
        failed = ", ".join(f"{number} with {status}" for status, number in one["failed"].items()) or "none"
        lines.append(
            f"| {what} | {one['n']} | {_ms(one['p50'])} | {_ms(one['p95'])} ({_ms(one['p95_low'])} to "
            f"{_ms(one['p95_high'])}) | {_ms(one['p99'])} | {_ms(one['longest'])} | "
            f"{'' if asked is None else '< ' + _ms(asked)} | {reached} | {failed} |"
        )
    lines += [
        "",
        f"{document['cases']} cases, {document['cells']} cells; {document['database']}.",
        f"{document['requests']} requests in {document['seconds']:.0f} s,",
        f"{document['requests_per_second']:.0f} a second; {document['think_seconds']:.0f} s to think on average.",
        f"The server worked {document['server_processor_seconds']:.0f} processor seconds and needed",
        f"{document['server_memory_mb']:.0f} MB; the simulated people, on the same cores, worked",
        f"{document['people_processor_seconds']:.0f}.",
        f"Load of the machine before: {document['load_before']:.1f}. A load above 0 means that others used it too.",
        "",
        f"Measured on {document['date']}, {document['machine']}.",
        "",
    ]
    return "\n".join(lines)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f}" if seconds >= 0.01 else f"{1000 * seconds:.1f}"


@click.command(help=__doc__)
@click.option("--folder", type=click.Path(path_type=Path), help="Where the laboratory is, or is kept for another run.")
@click.option("--seconds", type=click.IntRange(min=10), default=SECONDS, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(folder: Path | None, seconds: int, out: Path) -> None:
    """Measure and write."""
    with TemporaryDirectory(prefix="consilium-load-") as name:
        document = run(
            folder or Path(name), people=PEOPLE, cases=CASES, cells=CELLS, seconds=seconds, warm_up=WARM_UP
        )  # fmt: skip
    out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    out.with_suffix(".md").write_text(table_of(document), encoding="utf-8")
    click.echo(table_of(document))


if __name__ == "__main__":
    main()
