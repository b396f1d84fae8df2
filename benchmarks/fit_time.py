"""How long a specialist of 200 pictures takes, report included: `python -m benchmarks.fit_time` (CONSILIUM_DATA).

200 pictures of breast ultrasound go through `consilium specialist fit` and `consilium specialist report`, as processes
of their own with an empty feature cache, several times. What counts is the time on the clock, as long as nothing else
runs; beside it stands what the processors worked, which others who use the machine change little, and the load when
each run began. Consilium lets linear algebra have one thread; a run with a thread a core, which is what NumPy does by
itself, stands beside it.

The figures go to `benchmarks/results/fit_time.json` and, as a table, to `fit_time.md` beside it.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np

from benchmarks.breast import SET, unpack
from benchmarks.results import machine
from consilium.settings import DATA_VARIABLE, HOME_VARIABLE, data_folder

RESULTS = Path(__file__).parent / "results" / "fit_time.json"
CASES = 200
ASKED, AIM = 60, 20
SEED = 0
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

WAYS: Mapping[str, Mapping[str, str]] = {
    "as installed": {},
    "a thread a core for linear algebra": {"OPENBLAS_NUM_THREADS": str(os.cpu_count() or 1)},
}
STEPS = ("fit", "report")


def cases_table(archive: Path, folder: Path) -> Path:
    """A table of 200 of the pictures, by lot."""
    whole = unpack(archive, folder)
    with whole.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    chosen = sorted(np.random.default_rng(SEED).permutation(len(rows))[:CASES].tolist())
    table = folder / "some.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[one] for one in chosen)
    return table


def timed(arguments: list[str], environment: Mapping[str, str]) -> dict[str, float]:
    """Seconds on the clock and of the processors of one call."""
    load = os.getloadavg()[0]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "consilium", *arguments], env=dict(environment), check=True, capture_output=True
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "processor": worked, "load": load}


def one_run(table: Path, threads: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Fit and report with an empty home."""
    with TemporaryDirectory(prefix="consilium-fit-") as name:
        folder = Path(name)
        environment = {key: value for key, value in os.environ.items() if key not in _THREADS}
        environment |= {HOME_VARIABLE: str(folder / "home"), **threads}
        model = str(folder / "model")
        fit = timed(["specialist", "fit", str(table), "--out", model], environment)
        report = timed(["specialist", "report", model, "--images", str(table.parent), "--lang", "en"], environment)
        return {"fit": fit, "report": report}


def summary(runs: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Median, least and most of each measure, fit and report added up."""
    found = {}
    for measure in ("wall", "processor"):
        values = np.array([sum(run[step][measure] for step in STEPS) for run in runs])
        found[measure] = {"median": float(np.median(values)), "least": float(values.min()), "most": float(values.max())}
    return found


def table_of(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        f"# A specialist of {CASES} pictures, report included", "",
        "Written by `python -m benchmarks.fit_time`; do not edit. Medians (least to most) of both together.", "",
        "| way | runs | seconds on the clock | processor seconds | of those fit, report | load when it began |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, runs in document["runs"].items():
        told = summary(runs)
        wall, worked = (
            f"{told[key]['median']:.1f} ({told[key]['least']:.1f} to {told[key]['most']:.1f})"
            for key in ("wall", "processor")
        )
        parts = ", ".join(f"{np.median([run[step]['processor'] for run in runs]):.1f}" for step in STEPS)
        load = ", ".join(f"{run['fit']['load']:.1f}" for run in runs)
        lines.append(f"| {name} | {len(runs)} | {wall} | {worked} | {parts} | {load} |")
    lines += [
        "",
        f"Asked: {ASKED} s on two cores, aim {AIM} s. A load above 2 means that others waited for the same two",
    ]
    lines += [
        "cores: seconds on the clock are then those of the crowd. Half of the processor seconds are what two idle"
    ]
    lines += ["cores would need at best; all of them, what one would need."]
    lines += ["", f"Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


@click.command(help=__doc__)
@click.option("--runs", "count", type=click.IntRange(min=1), default=3, show_default=True)
def main(count: int) -> None:
    """Time and write."""
    data = data_folder()
    if data is None or not (data / "medical").is_dir():
        raise click.UsageError(f"{DATA_VARIABLE} has to name the folder of real data")
    runs: dict[str, list[dict[str, dict[str, float]]]] = {name: [] for name in WAYS}
    with TemporaryDirectory(prefix="consilium-fit-data-") as name:
        table = cases_table(data / "medical" / f"{SET}.zip", Path(name))
        for number in range(count):
            # What is slow by far on a busy machine is shown once.
            for way, threads in list(WAYS.items())[: 1 if number else None]:
                runs[way].append(one_run(table, threads))
                told = summary(runs[way][-1:])
                click.echo(f"{way}: {told['wall']['median']:.1f} s, {told['processor']['median']:.1f} s of processor")
    document = {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "cases": CASES,
        "versions": {"python": platform.python_version()}
        | {one: version(one) for one in ("consilium", "numpy", "scipy", "onnxruntime")},
        "runs": runs,
    }  # fmt: skip
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table_of(document), encoding="utf-8")
    click.echo(f"Written: {RESULTS}")


if __name__ == "__main__":
    main()
