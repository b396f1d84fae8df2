"""What the base install weighs and how fast it starts: `python -m benchmarks.install` (five minutes, needs an index).

A fresh environment gets this repository with pip and no extra, and once more with the extra `pdf`. Counted are the
files that pip lists for each package, Consilium's own included; pip itself is not. Byte code, which pip writes and
other installers leave to the first import, is told apart. Then `import consilium` and `consilium --help` are timed.

The figures go to `benchmarks/results/install.json` and, as a table, to `install.md` beside it.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
import venv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np

from benchmarks.results import machine

RESULTS = Path(__file__).parent / "results" / "install.json"
REPOSITORY = Path(__file__).parent.parent
RUNS = 9
ASKED = {"megabytes": (500, 300), "seconds": (0.5, 0.3)}
_SHIPPED_WITH_PYTHON = ("pip", "setuptools", "wheel")

_WEIGH = """
import json, sys
from importlib.metadata import distributions
found = {}
for one in distributions():
    files = [file.locate() for file in one.files or ()]
    sizes = [(str(file).endswith('.pyc'), file.stat().st_size) for file in files if file.is_file()]
    found[one.metadata['Name']] = [sum(s for byte_code, s in sizes if byte_code == kind) for kind in (False, True)]
print(json.dumps(found))
"""
"""Run by the interpreter of the new environment: bytes by package, without and of byte code."""


def installed(folder: Path, wanted: str) -> Path:
    """The interpreter of a new environment with the repository in it."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted], check=True)
    return python


def weighed(python: Path) -> dict[str, tuple[float, float]]:
    """Megabytes of each package, without byte code and of byte code, the heaviest first."""
    told = subprocess.run([python, "-c", _WEIGH], check=True, capture_output=True, text=True).stdout
    found = {
        name: (files / 1e6, byte_code / 1e6)
        for name, (files, byte_code) in json.loads(told).items()
        if name.lower() not in _SHIPPED_WITH_PYTHON
    }
    return dict(sorted(found.items(), key=lambda one: -sum(one[1])))


def seconds(command: Sequence[str | Path]) -> list[float]:
    """Seconds on the clock of a call, several times after one that warms the disk's cache."""
    found = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        found.append(time.perf_counter() - start)
    return found[1:]


def total(packages: Mapping[str, Sequence[float]]) -> tuple[float, float]:
    """Megabytes of all packages, with byte code and without."""
    return sum(sum(one) for one in packages.values()), sum(one[0] for one in packages.values())


def table(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        "# What the base install weighs, and how fast it starts", "",
        "Written by `python -m benchmarks.install`; do not edit.", "",
        "| figure | asked | aim | measured |", "|---|---|---|---|",
    ]  # fmt: skip
    base, bare = total(document["packages"])
    asked, aim = ASKED["megabytes"]
    lines.append(f"| base install as pip leaves it, MB | {asked} | {aim} | {base:.0f} |")
    lines.append(f"| the same without byte code (`pip install --no-compile`, uv), MB | {asked} | {aim} | {bare:.0f} |")
    with_pdf, bare_pdf = total(document["packages_with_pdf"])
    lines.append(f"| with the extra `pdf`, MB | | | {with_pdf:.0f} ({bare_pdf:.0f} without byte code) |")
    asked, aim = ASKED["seconds"]
    for name, values in document["seconds"].items():
        told = f"{np.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
        lines.append(f"| {name}, seconds | {asked} | {aim} | {told} |")
    lines += ["", f"Times are medians of {RUNS} runs, from least to most; load of the machine when they began"]
    lines[-1] += f" {document['load']:.1f} on {os.cpu_count()} cores. MB are 10^6 bytes."
    lines += ["", "| package | MB | of it byte code |", "|---|---|---|"]
    rest = [0.0, 0.0]
    for name, (files, byte_code) in document["packages"].items():
        if files + byte_code < 1:
            rest = [rest[0] + files, rest[1] + byte_code]
            continue
        lines.append(f"| {name} | {files + byte_code:.1f} | {byte_code:.1f} |")
    lines.append(f"| all others | {sum(rest):.1f} | {rest[1]:.1f} |")
    lines += ["", f"Python {document['python']}. Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


@click.command(help=__doc__)
def main() -> None:
    """Install, weigh, time and write."""
    with TemporaryDirectory(prefix="consilium-install-") as name:
        folder = Path(name)
        python = installed(folder / "base", str(REPOSITORY))
        packages, load = weighed(python), os.getloadavg()[0]
        times = {
            "nothing (`python -c pass`)": seconds([python, "-c", "pass"]),
            "`import consilium`": seconds([python, "-c", "import consilium"]),
            "`consilium --help`": seconds([python.with_name("consilium"), "--help"]),
        }
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{REPOSITORY}[pdf]"], check=True
        )
        document = {
            "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "python": platform.python_version(),
            "load": load, "packages": packages, "packages_with_pdf": weighed(python), "seconds": times,
        }  # fmt: skip
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(document), encoding="utf-8")
    click.echo(f"Written: {RESULTS}")


if __name__ == "__main__":
    main()
