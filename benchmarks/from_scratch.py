"""Frozen features against a ResNet-18 taught from nothing: `python -m benchmarks.from_scratch` (hours; extra `train`).

The draws, the pictures and the judging are those of `benchmarks.generalist`, and what is compared with are the figures
that it wrote, draw by draw. The recipe (`training.from_scratch`) was set down beforehand and tried once, on other draws
of one set, which is not judged. All sets of a fold get their first draw before any gets its second, and each draw is a
line in `CONSILIUM_RUNS/generalist/from_scratch.jsonl`: a run that stops goes on where it was. What counts are the draws
that all sets of the first folds have, and sets that have as many. `--table` writes what there is and learns nothing.

The figures go to `benchmarks/results/from_scratch.json` and, as tables, to `from_scratch.md` beside it.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks import generalist
from benchmarks.generalist import CLASSIC, FOLDS, JudgedSet, read_set
from benchmarks.intervals import exact_binomial
from benchmarks.probe import DRAWS, Draw, macro_auc
from benchmarks.results import machine
from consilium.settings import DATA_VARIABLE, data_folder
from training.cells import RUNS

RESULTS = Path(__file__).parent / "results" / "from_scratch.json"
DEVELOPMENT = "ct_head_hemorrhage"
"""The set on which the recipe was tried; it is not judged."""

ORDER: tuple[tuple[str, ...], ...] = (("1", "never"), ("2",))
"""Folds; of the first ones there are networks of every way, so their draws come first."""

FREE = frozenset({"sm", "cyto", "smear", "dms", "op", "es"})
"""Modalities of these sets whose pictures have no upper side."""

FEWEST = 5
"""Draws of a set that say how sure a difference on it is."""

ASKED = 0.8
"""Share of sets on which frozen features are to be better."""


def kept_lines() -> Path:
    """Where the draws are kept."""
    return RUNS / "generalist" / "from_scratch.jsonl"


def taught(judged: JudgedSet, draw: Draw, number: int) -> dict[str, Any]:
    """Teach a network one draw and judge it."""
    import torch

    from training.from_scratch import Recipe, from_scratch

    torch.set_num_threads(1)
    start = time.process_time()
    probabilities = from_scratch(
        judged.pictures[draw.train], judged.labels[draw.train], judged.pictures[draw.test],
        any_way_up=judged.modality in FREE, seed=number,
    )  # fmt: skip
    return {
        "set": judged.name, "draw": number, "key": key_of(judged, draw), "recipe": asdict(Recipe()),
        "cases": len(draw.train), "steps": Recipe().steps(len(draw.train)),
        "auc": macro_auc(probabilities, judged.labels[draw.test]), "seconds": time.process_time() - start,
        "torch": torch.__version__,
    }  # fmt: skip


def key_of(judged: JudgedSet, draw: Draw) -> str:
    """What a line is good for: these pictures, these rows."""
    parts = (judged.pictures.tobytes(), judged.labels.tobytes(), draw.train.tobytes(), draw.test.tobytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()[:24]


Lines = dict[str, dict[int, dict[str, Any]]]
"""Set -> draw -> line."""


def read_lines(path: Path) -> Lines:
    """The lines that were written; one that was cut off by a stop is left out."""
    found: Lines = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            one = json.loads(line)
        except json.JSONDecodeError:
            continue
        found.setdefault(one["set"], {})[one["draw"]] = one
    return found


def complete(lines: Lines) -> tuple[int, list[str]]:
    """How many first draws all sets of the first folds have, and which sets have as many."""
    have = {name: next(n for n in range(len(by) + 1) if n not in by) for name, by in lines.items()}
    count = min((have.get(name, 0) for name in _names(ORDER[0])), default=0)
    return count, [name for folds in ORDER for name in _names(folds) if have.get(name, 0) >= count]


def _names(folds: Sequence[str]) -> list[str]:
    return [name for fold in folds for name in FOLDS[fold] if name != DEVELOPMENT]


def document_of(lines: Lines, judged: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of the draws that all sets have.

    Args:
        lines: of the networks taught from nothing.
        judged: the document of `benchmarks.generalist`.

    Raises:
        click.ClickException: a set of the first folds has no draw yet.
    """
    count, names = complete(lines)
    if not count:
        raise click.ClickException("a draw of every set is needed; learn more first")
    scratch = np.array([[lines[name][number]["auc"] for number in range(count)] for name in names])
    aucs: dict[str, dict[str, list[float]]] = {"from_scratch": dict(zip(names, scratch.tolist(), strict=True))}
    data = f"{len(names)} sets, the first {count} draws of each"
    figures = [_mean("auc_from_scratch", "mean AUC: ResNet-18 from scratch", scratch, data)]
    for way, by_set in judged["aucs"].items():
        here = [row for row, name in enumerate(names) if name in by_set]
        if way in ("scratch", "synthetic", "synthetic_multi") or len(here) < 2:
            continue
        values = np.array([by_set[names[row]][:count] for row in here])
        aucs[way] = {names[row]: one for row, one in zip(here, values.tolist(), strict=True)}
        data = f"{len(here)} sets, the first {count} draws of each"
        figures.append(_mean(f"auc_{way}", f"mean AUC: {way}", values, data))
        figures += _compared(way, "from_scratch", values, scratch[here], data)
        if way != CLASSIC and CLASSIC in judged["aucs"]:
            classic = np.array([judged["aucs"][CLASSIC][names[row]][:count] for row in here])
            figures += _compared(way, CLASSIC, values, classic, data)
            figures += _compared(way, "both", values, np.maximum(scratch[here].mean(1), classic.mean(1))[:, None], data)
    first = lines[names[0]][0]
    return {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "draws": count, "recipe": first["recipe"],
        "development": DEVELOPMENT,
        "versions": {"python": platform.python_version(), "torch": first["torch"], "numpy": version("numpy")},
        "seconds_a_draw": float(np.median([lines[name][n]["seconds"] for name in names for n in range(count)])),
        "figures": figures, "aucs": aucs,
        "sets": {name: {key: lines[name][0][key] for key in ("cases", "steps")} for name in names},
    }  # fmt: skip


def _compared(way: str, other: str, values: Any, others: Any, data: str) -> list[dict[str, Any]]:
    """The mean difference, and on how many sets it is above nothing."""
    gain = values - others
    better = int((gain.mean(1) > 0).sum())
    low, high = exact_binomial(better, len(gain))
    figures = []
    if other != "both":
        figures.append(_mean(f"gain_{way}_{other}", f"mean AUC, {way} less {other}", gain, data))
    if other != "both" and gain.shape[1] >= FEWEST:
        sure = int(sum(np.percentile(one, 2.5) > 0 for one in _resampled(gain)))
        meaning = f"sets on which {way} is surely better than {other} (interval over its draws above 0)"
        figures.append(_figure(f"surely_{way}_{other}", meaning, sure / len(gain), *exact_binomial(sure, len(gain)),
                               len(gain), data))  # fmt: skip
    meaning = f"sets on which {way} is better than {'each of from_scratch and classic' if other == 'both' else other}"
    return [*figures, _figure(f"sets_{way}_{other}", meaning, better / len(gain), low, high, len(gain), data)]


def _resampled(gain: Any) -> Any:
    """(sets, resamplings) means of a set's draws."""
    rng = np.random.default_rng(generalist.SEED)
    return gain[:, rng.integers(0, gain.shape[1], (generalist.RESAMPLINGS, gain.shape[1]))].mean(2)


def _mean(name: str, meaning: str, values: Any, data: str) -> dict[str, Any]:
    return _figure(name, meaning, float(values.mean()), *generalist.interval_over_sets(values), len(values), data)


def _figure(name: str, meaning: str, value: float, low: float, high: float, n: int, data: str) -> dict[str, Any]:
    return {
        "name": name, "meaning": meaning, "value": round(value, 6), "low": round(low, 6), "high": round(high, 6),
        "n": n, "data": data,
    }  # fmt: skip


def table(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    recipe, ways = document["recipe"], list(document["aucs"])
    lines = [
        "# Frozen features against a ResNet-18 from scratch", "",
        "Written by `python -m benchmarks.from_scratch`; do not edit. Sets, draws and judging are those of",
        "`generalist.md`, which says what the other ways are; all are judged on the same cases, draw by draw.", "",
        "| figure | measured (95 % interval) | n | data |", "|---|---|---|---|",
    ]  # fmt: skip
    for one in document["figures"]:
        value, low, high = (f"{one[key]:.4f}" for key in ("value", "low", "high"))
        lines.append(f"| {one['meaning']} | {value} ({low} to {high}) | {one['n']} | {one['data']} |")
    lines += ["", "Intervals are from resampling the sets and the draws of each; of shares of sets they are those of"]
    lines += [f"Clopper and Pearson. Asked: better on {ASKED:.0%} of the sets."]
    lines += ["", "## Mean AUC by set", ""]
    lines += ["| set | drawn | steps | " + " | ".join(ways) + " |", "|---" * (3 + len(ways)) + "|"]
    for name, told in document["sets"].items():
        cells = [name, str(told["cases"]), str(told["steps"])]
        by_way = [document["aucs"][way].get(name) for way in ways]
        cells += ["" if one is None else f"{np.mean(one):.4f}" for one in by_way]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## How the ResNet-18 was taught", ""]
    lines += [f"64 pixels a side (frozen features: 128), {recipe['epochs']} epochs or {recipe['least_steps']} steps"]
    lines += [f"of {recipe['batch']}, whichever is more, cut, mirrored and brightened at random; stochastic gradient"]
    lines += [f"descent with momentum, rate {recipe['rate']} in one cycle, weight decay {recipe['decay']}, labels"]
    lines += [f"smoothed by {recipe['smoothing']}."]
    lines += [f"Set down beforehand, tried on other draws of {document['development']}, which is not judged."]
    lines += [f"A draw took {document['seconds_a_draw']:.0f} s of one core (median)."]
    lines += ["", f"Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


def _learn(sets: Sequence[JudgedSet], count: int) -> None:
    drawn = {one.name: one.draws(DRAWS) for one in sets}
    path = kept_lines()
    path.parent.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        for judged in sets:
            draw = drawn[judged.name][number]
            known = read_lines(path).get(judged.name, {}).get(number)
            if known is not None and known["key"] == key_of(judged, draw):
                continue
            line = taught(judged, draw, number)
            with path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
            click.echo(f"{number} {judged.name}: {line['auc']:.4f}, {line['seconds']:.0f} s")


@click.command(help=__doc__)
@click.option("--draws", "count", type=click.IntRange(1, DRAWS), default=DRAWS, show_default=True)
@click.option("--table", "only_table", is_flag=True, help="Write what there is, learn nothing.")
def main(count: int, only_table: bool) -> None:
    """Teach, judge and write."""
    folder = data_folder()
    if folder is None or not (folder / "medical").is_dir():
        raise click.UsageError(f"{DATA_VARIABLE} has to name the folder of real data")
    fold_of = {name: fold for fold, names in FOLDS.items() for name in names}
    for names in [] if only_table else map(_names, ORDER):
        _learn([read_set(folder / "medical" / f"{name}.zip", fold_of[name]) for name in names], count)
    judged = json.loads(generalist.RESULTS.read_text(encoding="utf-8"))
    document = document_of(read_lines(kept_lines()), judged)
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(document), encoding="utf-8")
    click.echo(f"Written: {RESULTS}")


if __name__ == "__main__":
    main()
