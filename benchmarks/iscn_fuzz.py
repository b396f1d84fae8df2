"""What broken text does to the ISCN language: `python -m benchmarks.iscn_fuzz --minutes 60`.

Strings of the tests' corpus are damaged at random; each is judged, explained, drawn, repaired and given its meaning.
A crash is any exception that the functions do not promise; a hang is a string that takes more than five seconds of
processor time; unsteady is a string whose canonical form is not read again as it was written. Every run is added to
`benchmarks/results/iscn_fuzz.json`, with what it found and the digest of the code it ran on.
"""

from __future__ import annotations

import hashlib
import json
import platform
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any

import click

import consilium.cytogenetics.iscn
from benchmarks.iscn import corpus
from benchmarks.results import machine
from consilium.cytogenetics.iscn.draw import karyograms
from consilium.cytogenetics.iscn.explain import explain
from consilium.cytogenetics.iscn.mean import NoMeaning, mean
from consilium.cytogenetics.iscn.parse import LONGEST
from consilium.cytogenetics.iscn.repair import repair
from consilium.cytogenetics.iscn.validate import validate

RESULTS = Path(__file__).parent / "results" / "iscn_fuzz.json"
LIMIT = 5.0
"""Seconds of processor time that all five may take together for one string."""
KEPT = 20
"""Faults of each kind that are written down; the others are counted."""
SHOWN = 300
"""Characters of a faulty string that are written down."""

Damage = Callable[[str, random.Random, Sequence[str]], str]


class Hang(BaseException):  # not an Exception: what the language catches must not swallow it
    """A string took longer than `LIMIT`."""


@dataclass(kw_only=True, slots=True)
class Run:
    """What one run found.

    Attributes:
        source: first twelve hexadecimal digits of the SHA-256 of the code of the language.
        wall_seconds, cpu_seconds: how long it ran, and how much of that it had a processor.
        strings: how many were tried; `parsed`: how many of them were well formed.
        slowest_seconds: processor time of the slowest string, which is `slowest`.
        crashes, hangs, unsteady: how many strings did that.
        faults: the first of each kind, [kind, exception, string].
    """

    date: str
    machine: str
    versions: dict[str, str]
    source: str
    seed: int
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    strings: int = 0
    parsed: int = 0
    crashes: int = 0
    hangs: int = 0
    unsteady: int = 0
    slowest_seconds: float = 0.0
    slowest: str = ""
    faults: list[tuple[str, str, str]] = field(default_factory=list)

    def note(self, kind: str, what: str, text: str) -> None:
        """Count a fault, and write it down where there are few of its kind."""
        setattr(self, kind, getattr(self, kind) + 1)
        if sum(one[0] == kind for one in self.faults) < KEPT:
            self.faults.append((kind, what, text[:SHOWN]))


_LETTERS = "0123456789XYpqcr+-?~;:,./()[]<> xnmtdeifsulaobhg"
_STRANGE = "\u00e9\u0660\u00d7\u2013\u2192\u2028\u200b\ud800\U0001f9ec\uff08\uff0c\u0000\u202e\u00b2\u2167中臂"


def _swapped(text: str, dice: random.Random, _: Sequence[str]) -> str:
    one, other = sorted((dice.randrange(len(text)), dice.randrange(len(text))))
    return text if one == other else text[:one] + text[other] + text[one + 1 : other] + text[one] + text[other + 1 :]


def _replaced(text: str, dice: random.Random, _: Sequence[str]) -> str:
    at = dice.randrange(len(text))
    return text[:at] + dice.choice(_LETTERS) + text[at + 1 :]


def _flipped(text: str, dice: random.Random, _: Sequence[str]) -> str:
    raw = bytearray(text.encode("utf-8", errors="surrogatepass"))
    raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    return raw.decode("utf-8", errors="replace")


def _deleted(text: str, dice: random.Random, _: Sequence[str]) -> str:
    at = dice.randrange(len(text))
    return text[:at] + text[at + dice.choice((1, 1, 2, 5)) :]


def _inserted(text: str, dice: random.Random, _: Sequence[str]) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(_LETTERS) + text[at:]


def _doubled(text: str, dice: random.Random, _: Sequence[str]) -> str:
    start = dice.randrange(len(text))
    stop = min(len(text), start + dice.randrange(1, 30))
    return text[:stop] + text[start:stop] * dice.choice((1, 1, 1, 3, 40)) + text[stop:]


def _spliced(text: str, dice: random.Random, strings: Sequence[str]) -> str:
    other = dice.choice(strings)
    return text[: dice.randrange(len(text) + 1)] + other[dice.randrange(len(other)) :]


def _joined(text: str, dice: random.Random, strings: Sequence[str]) -> str:
    return text + dice.choice(("/", "//", ",", " or ", "", " ", "\n")) + dice.choice(strings)


def _nested(text: str, dice: random.Random, _: Sequence[str]) -> str:
    at, deep = dice.randrange(len(text) + 1), dice.choice((3, 50, 2000))
    opening = dice.choice(("(", "[", "<", "der(1)", "46(", "t(1;2)(p1;q1)"))
    return text[:at] + opening * deep + text[at:] + (")" * deep if dice.random() < 0.5 else "")


def _lengthened(text: str, dice: random.Random, _: Sequence[str]) -> str:
    return dice.choice(("", text)) + dice.choice((text + "/", text + ",", text)) * dice.choice((10, 100, LONGEST // 20))


def _strange(text: str, dice: random.Random, _: Sequence[str]) -> str:
    at = dice.randrange(len(text) + 1)
    letter = dice.choice(_STRANGE) if dice.random() < 0.7 else chr(dice.randrange(0x110000))
    return text[:at] + letter + text[at + dice.randrange(2) :]


def _renumbered(text: str, dice: random.Random, _: Sequence[str]) -> str:
    places = [at for at, letter in enumerate(text) if letter.isdigit()]
    if not places:
        return text
    at = dice.choice(places)
    return text[:at] + dice.choice(("0", "9", "00", "999", "9" * 40)) + text[at + 1 :]


_OFTEN: tuple[Damage, ...] = (
    _swapped,
    _replaced,
    _flipped,
    _deleted,
    _inserted,
    _doubled,
    _spliced,
    _joined,
    _renumbered,
)
_SELDOM: tuple[Damage, ...] = (_nested, _lengthened, _strange)


def damaged(dice: random.Random, strings: Sequence[str]) -> str:
    """A string of the corpus with one to six damages."""
    text = dice.choice(strings)
    for _ in range(dice.choice((1, 1, 2, 3, 6))):
        kinds = _SELDOM if dice.random() < 0.04 else _OFTEN
        text = dice.choice(kinds)(text or "46,XX", dice, strings)
    return text[: 2 * LONGEST]


def tried(text: str) -> tuple[bool, str]:
    """Put one string through all of the language.

    Returns:
        Whether it is well formed, and how its canonical form fails to come back; empty where it does.

    Raises:
        Exception: what the language does not promise.
    """
    judgement = validate(text)
    for finding in judgement.findings:
        finding.message("en"), finding.message("zh")
    suggestion = repair(text).suggestion
    if suggestion is not None:
        validate(suggestion)
    if judgement.result is None:
        return False, ""
    assert judgement.canonical is not None
    explain(judgement.result, "en"), explain(judgement.result, "zh")
    for work in (mean, karyograms):
        with suppress(NoMeaning):
            work(judgement.result)
    again = validate(judgement.canonical)
    return True, "" if again.canonical == judgement.canonical else f"becomes {str(again.canonical)[:SHOWN]}"


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def fuzz(run: Run, minutes: float, strings: Sequence[str]) -> None:
    """Try damaged strings for so many minutes, and note in `run` what they do."""
    dice = random.Random(run.seed)
    start, used = time.monotonic(), time.process_time()
    while (elapsed := time.monotonic() - start) < 60 * minutes:
        text = damaged(dice, strings)
        began = time.process_time()
        try:
            with _limited(LIMIT):
                parsed, changed = tried(text)
            run.parsed += parsed
            if changed:
                run.note("unsteady", changed, text)
        except Hang:
            run.note("hangs", "Hang", text)
        except Exception as problem:
            run.note("crashes", repr(problem), text)
        took = time.process_time() - began
        run.strings += 1
        if took > run.slowest_seconds:
            run.slowest_seconds, run.slowest = took, text[:SHOWN]
    run.wall_seconds, run.cpu_seconds = elapsed, time.process_time() - used


def source() -> str:
    """Digest of the modules and tables of the language."""
    digest = hashlib.sha256()
    for folder in consilium.cytogenetics.iscn.__path__:
        for path in sorted(Path(folder).iterdir()):
            if path.suffix in (".py", ".lark", ".toml"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def table(runs: Sequence[dict[str, Any]]) -> str:
    """The runs as Markdown."""
    lines = ["# ISCN strings: broken text", "", "Written by `python -m benchmarks.iscn_fuzz`; do not edit.", ""]
    lines += [
        "| date | code | minutes (of processor) | strings | well formed | crashes | hangs | unsteady | slowest |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        minutes = f"{run['wall_seconds'] / 60:.1f} ({run['cpu_seconds'] / 60:.1f})"
        faults = f"{run['crashes']} | {run['hangs']} | {run['unsteady']}"
        lines.append(
            f"| {run['date']} | {run['source']} | {minutes} | {run['strings']} | {run['parsed']} | {faults} "
            f"| {run['slowest_seconds']:.2f} s |"
        )
    lines += ["", *(__doc__ or "").partition("\n\n")[2].splitlines()]
    lines += ["", "Machines: " + "; ".join(sorted({run["machine"] for run in runs})) + ".", ""]
    return "\n".join(lines)


@click.command(help=__doc__)
@click.option("--minutes", type=click.FloatRange(min=0.0), default=60.0, show_default=True, help="How long.")
@click.option("--seed", type=int, default=None, help="Of the damage.  [default: from the clock]")
def main(minutes: float, seed: int | None) -> None:
    """Fuzz and write."""
    now = datetime.now(UTC)
    run = Run(
        date=now.date().isoformat(), machine=machine(), source=source(),
        seed=int(now.timestamp()) if seed is None else seed,
        versions={"python": platform.python_version(), **{name: version(name) for name in ("consilium", "lark")}},
    )  # fmt: skip
    fuzz(run, minutes, [text for text, _ in corpus()])
    runs = json.loads(RESULTS.read_text(encoding="utf-8"))["runs"] if RESULTS.exists() else []
    runs.append(asdict(run))
    RESULTS.write_text(json.dumps({"runs": runs}, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(runs), encoding="utf-8")
    click.echo(table(runs))


if __name__ == "__main__":
    main()
