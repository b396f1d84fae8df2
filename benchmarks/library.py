"""How long the verbs of the library take: `CONSILIUM_DATA=... python -m benchmarks.library` (five minutes).

Two real models, the karyotyping models and a specialist of 150 pictures of blood cells, are published, pulled,
verified and run by `consilium library`, each call a process of its own with the start of Python in it, `TIMES` times.
What a run costs more than the verb without the library is told by pairs of runs on the same picture. With SQLite and a
folder; with a registry too where `docker-registry` is installed. Medians, the shortest and the longest; what the
processors worked stands beside the time on the clock, since others who use the machine change it little.

The figures go to `benchmarks/results/library.json` and, as a table, to `library.md` beside it.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np

from benchmarks.results import machine
from consilium.artefact.bundle import write_bundle
from consilium.karyotype.bundle import bundle_files
from consilium.karyotype.demo_case import write_demo_case
from consilium.settings import HOME_VARIABLE, STORE_VARIABLE, data_folder
from training.library_opening import OPENING, drawn, files_of

RESULTS = Path(__file__).parent / "results" / "library.json"
TIMES = 5
PACKAGES = ("consilium", "model-signing", "sqlalchemy", "oras")
SPECIALIST = next(one for one in OPENING if one.name == "smear-leukaemia")
STATED = ("--licence", "Apache-2.0", "--case-features-may-leave")
TITLES: Mapping[str, str] = {
    "publish": "publish: state the terms, sign, verify, load, keep, enter",
    "pull": "pull: fetch, verify, keep",
    "verify": "verify a copy",
    "run": "run on one picture",
    "verb": "the same verb without the library",
    "overhead": "what the library adds to a run",
}


Seconds = tuple[float, float]
"""On the clock, and of the processors."""


def timed(environment: Mapping[str, str], *arguments: str | Path, person: str = "zhang") -> Seconds:
    """Seconds of one call of consilium.

    Raises:
        CalledProcessError: it fails.
    """
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "consilium", *map(str, arguments)], check=True, capture_output=True,
        env={**environment, "CONSILIUM_PERSON": person},
    )  # fmt: skip
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(
    model: Path, name: str, store: str, verb: Sequence[str | Path], run: Sequence[str | Path]
) -> dict[str, list[Seconds]]:
    """Seconds of each call of each step.

    Args:
        model: a bundle.
        name: in the library.
        store: place of its files; empty for a folder.
        verb: the words that use the model without the library.
        run: what follows `library run NAME`.
    """
    found: dict[str, list[Seconds]] = {step: [] for step in TITLES}
    with TemporaryDirectory(prefix="consilium-library-") as place:
        home = Path(place) / "home"
        environment = {**os.environ, HOME_VARIABLE: str(home), STORE_VARIABLE: store}
        timed(environment, "library", "key", "make")
        for number in range(TIMES):
            # Nothing of the number before is in the store, so every file is sent.
            title = f"{name}-{number}" if store else name
            reference = f"{title}@1.0.{number}"
            shutil.rmtree(home / "library" / "files", ignore_errors=True)
            words = ("library", "publish", model, "--name", title, "--version", f"1.0.{number}", *STATED)
            found["publish"].append(timed(environment, *words))
            found["pull"].append(timed(environment, "library", "pull", reference))
            found["verify"].append(timed(environment, "library", "verify", reference))
            if store:
                # Where the files came from does not matter to a copy that is here.
                continue
            found["run"].append(timed(environment, "library", "run", reference, *_into(run, Path(place) / "run")))
            found["verb"].append(timed(environment, *_into(verb, Path(place) / "verb")))
            (wall, worked), (wall_alone, worked_alone) = found["run"][-1], found["verb"][-1]
            found["overhead"].append((wall - wall_alone, worked - worked_alone))
    return {step: seconds for step, seconds in found.items() if seconds}


def _into(words: Sequence[str | Path], out: Path) -> list[str | Path]:
    return [out if word == "OUT" else word for word in words]


def told(seconds: Sequence[float]) -> dict[str, float]:
    """Median, the shortest and the longest."""
    low, middle, high = min(seconds), np.median(seconds), max(seconds)
    return {
        "median": round(float(middle), 3),
        "low": round(float(low), 3),
        "high": round(float(high), 3),
        "n": len(seconds),
    }


@contextmanager
def registry() -> Iterator[str]:
    """A registry on loopback: its store; empty where the program is not installed."""
    program = shutil.which("docker-registry")
    if program is None:
        yield ""
        return
    with TemporaryDirectory(prefix="consilium-registry-") as place, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        config = Path(place) / "config.yml"
        config.write_text(
            f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {place}/data}}}}\n"
            f"http: {{addr: '127.0.0.1:{port}'}}\n",
            encoding="utf-8",
        )
        server = subprocess.Popen([program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(1)
            yield f"oci://127.0.0.1:{port}/consilium"
        finally:
            server.terminate()
            server.wait(10)


def table(document: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["# How long the library takes", "", "Written by `python -m benchmarks.library`; do not edit.", ""]
    lines += [
        "Seconds of one call, the start of Python included: median (shortest to longest). On the clock they hang on"
    ]
    lines += ["what else the machine did; what the processors worked hardly does.", ""]
    for entry in document["models"]:
        lines += [f"## {entry['name']}: {entry['megabytes']:.1f} MB, {entry['files']} files, {entry['store']}", ""]
        lines += ["| step | of the processors | on the clock | calls |", "|---|---|---|---|"]
        for step, title in TITLES.items():
            if step in entry["wall"]:
                cells = [_cell(entry[way][step]) for way in ("processor", "wall")]
                lines.append(f"| {title} | {' | '.join(cells)} | {entry['wall'][step]['n']} |")
        lines.append("")
    lines += [f"Machine: {document['machine']}; load when it began {document['load']:.1f}. {document['date']}."]
    return "\n".join(
        [*lines, "Python " + ", ".join(f"{name} {one}" for name, one in document["versions"].items()) + ".", ""]
    )


def _cell(one: Mapping[str, float]) -> str:
    return f"{one['median']:.2f} ({one['low']:.2f} to {one['high']:.2f})"


@click.command()
def main() -> None:
    """Measure the verbs of the library."""
    data = data_folder()
    if data is None:
        raise click.UsageError("CONSILIUM_DATA names no folder of data")
    load = os.getloadavg()[0]
    models: list[dict[str, Any]] = []
    with TemporaryDirectory(prefix="consilium-models-") as place, registry() as shared:
        folder = Path(place)
        images = write_demo_case(folder / "images")
        write_bundle(bundle_files(), folder / "karyotype")
        archive = data / "medical" / f"{SPECIALIST.data}.zip"
        write_bundle(files_of(SPECIALIST, archive, folder / "cases"), folder / "specialist")
        picture = next(drawn(archive, folder / "again", SPECIALIST).parent.rglob("*.webp"))
        karyotyping = (images[0], "--out", "OUT", "--workers", "1", "--no-pdf")
        for name, verb, run in (
            ("karyotype", ("karyotype", *karyotyping), karyotyping),
            (
                "specialist",
                ("specialist", "predict", folder / "specialist", picture, "--no-cache"),
                (picture, "--no-cache"),
            ),
        ):
            for store in ("", shared) if shared else ("",):
                click.echo(f"{name}, {store or 'a folder'}")
                seconds = measured(folder / name, name, store, verb, run)
                files = [one for one in (folder / name).rglob("*") if one.is_file()]
                models.append(
                    {
                        "name": name, "store": "an OCI registry on loopback" if store else "a folder",
                        "files": len(files),
                        "megabytes": round(sum(one.stat().st_size for one in files) / 1e6, 2),
                        "wall": {step: told([one[0] for one in each]) for step, each in seconds.items()},
                        "processor": {step: told([one[1] for one in each]) for step, each in seconds.items()},
                    }
                )  # fmt: skip
    document = {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "load": load, "models": models,
        "versions": {"": platform.python_version(), **{one: version(one) for one in PACKAGES}},
    }  # fmt: skip
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(document), encoding="utf-8")
    click.echo(table(document))


if __name__ == "__main__":
    main()
