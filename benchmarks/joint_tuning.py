"""Does tuning the encoder together pay? `python -m benchmarks.joint_tuning` (CONSILIUM_DATA, extra `train`).

The sets, hospitals, splits and test cases are those of `benchmarks.joint_training`. On each split are compared, by mean
AUC and log loss on the test cases of all hospitals: the head of a study on the features of the encoder as it came; the
same after the last stage was trained in rounds of federated averaging; the same after it was trained on all cases in
one place; and what a study would take that keeps whichever is better on the cases left out for choices (there the stage
is trained without these first). All four in the looks of a study, two sizes and mirrored; the stage is trained at the
first size.

How many rounds, how many passes, how large the steps: chosen on the validation cases of `DEVELOPED_ON`, by `--choose`,
and of no other set. The rest of the settings are those of fine-tuning in one place.

The figures go to `benchmarks/results/joint_tuning.json`, a table beside it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.joint_training import (
    CONCENTRATION,
    DEVELOPED_ON,
    HOSPITALS,
    SETS,
    STRENGTHS,
    area,
    in_one,
    split,
    study_of,
    targets,
)
from benchmarks.joint_training_table import NAMES
from benchmarks.joint_tuning_hospital import Ground, Vector, features_of
from benchmarks.joint_tuning_material import Shown, shown
from benchmarks.joint_tuning_rounds import TunedOn, tune
from benchmarks.results import machine
from consilium.alliance.joint_training.simulation import train
from consilium.alliance.joint_training.site_cases import SiteCases
from consilium.artefact.card import read_card
from consilium.generalist.shipped import WEIGHTS
from consilium.generalist.weights_file import read_weights
from consilium.settings import DATA_VARIABLE, data_folder
from consilium.specialist.head import Head
from consilium.specialist.penalised import losses
from consilium.specialist.tuning.steps import Settings

RESULTS = Path(__file__).parent / "results" / "joint_tuning.json"
TUNED_SETS = ("us_busi_breast", "sm_oral_scc", "op_odir_cataract")
"""Those of the sets of which there are patients enough; of cervix there are 18."""
WAYS = ("head alone", "tuned together", "taken by validation", "tuned in one place")

HEADS = (
    "AUC, tuned together", "AUC, taken by validation", "AUC, tuned in one place", "log loss, tuned together",
    "log loss, taken by validation", "log loss, tuned in one place", "tuning taken", "seconds of a core",
)  # fmt: skip

Features = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How the stage is trained together.

    Attributes:
        rounds: how often the weights become one.
        settings: of a hospital's steps in a round.
    """

    rounds: int
    settings: Settings


def plan_of(rounds: int, passes: int, batch: int, **more: float) -> Plan:
    """A plan; the rest is as in one place."""
    return Plan(rounds=rounds, settings=Settings(rounds=(passes,), batch=batch, **more))  # type: ignore[arg-type]


CANDIDATES: Mapping[str, Plan] = {
    "6 rounds of 1 pass, steps of 32": plan_of(6, 1, 32),
    "6 rounds of 1 pass, steps of 8": plan_of(6, 1, 8),
    "6 rounds of 1 pass, steps of 8, head held": plan_of(6, 1, 8, head_rate=0.0),
    "6 rounds of 1 pass, steps of 8, FedProx 0.1": plan_of(6, 1, 8, proximal=0.1),
    "6 rounds of 1 pass, steps of 8, rate 0.0003": plan_of(6, 1, 8, rate=3e-4),
    "2 rounds of 3 passes, steps of 8": plan_of(2, 3, 8),
    "12 rounds of 1 pass, steps of 8": plan_of(12, 1, 8),
    "12 rounds of 1 pass, steps of 8, rate 0.0003": plan_of(12, 1, 8, rate=3e-4),
}
CHOSEN = "12 rounds of 1 pass, steps of 8, rate 0.0003"


@dataclass(frozen=True, kw_only=True)
class Dealt:
    """A set dealt to hospitals.

    Attributes:
        of: the set.
        sites: cases of each, as a study has them.
        rows: (n,) of each, their numbers in the set.
    """

    of: Shown
    sites: dict[str, SiteCases]
    rows: dict[str, NDArray[np.intp]]

    def features(self, everything: Features) -> dict[str, SiteCases]:
        """The same cases with other features (n, D) of the whole set."""
        return {site: replace(one, features=everything[self.rows[site]]) for site, one in self.sites.items()}


def dealt(of: Shown, seed: int) -> Dealt:
    """The split of `benchmarks.joint_training` with that seed."""
    numbered = replace(of.cases, features=np.arange(len(of.cases.classes), dtype=np.float32)[:, None])
    rows = {site: one.features[:, 0].astype(np.intp) for site, one in split(numbered, seed).items()}
    return Dealt(of=of, sites=split(of.cases, seed), rows=rows)


def ground_of(deal: Dealt, head: Head, strength: float, cases: int, settings: Settings) -> Ground:
    """What hospitals of a split have alike."""
    card = read_card(WEIGHTS / "generalist.json")
    row = str(card.constants["rows"]).split().index(str(deal.of.material.modality))
    weights = read_weights(WEIGHTS / "generalist.onnx")
    return Ground(weights=weights, row=row, head=head, penalty=1 / (strength * cases), settings=settings)


def looked(of: Shown, ground: Ground, vector: Vector) -> Features:
    """(n, D) features by the tuned encoder, the mean over the looks of a study."""
    have = of.material
    looks = [(have.maps[:, at], have.below[:, at]) for at in (0, 1)]
    looks += [(of.finer[:, at], of.below[:, at]) for at in (0, 1)]
    total = np.zeros(have.frozen.shape, np.float64)
    for maps, below in looks:
        total += features_of(ground, vector, maps, below)
    return np.asarray(total / len(looks), np.float32)


def tuned_features(deal: Dealt, plan: Plan, *, left_out: bool, pooled: bool = False) -> tuple[Features, dict[str, Any]]:
    """Features of all cases after tuning, and what it took.

    Args:
        deal: the hospitals.
        plan: how.
        left_out: whether the cases for choices are not learnt from.
        pooled: whether all cases are in one place, which takes as many passes and larger steps.
    """
    begun = time.process_time()
    labels = len(deal.of.cases.labels)
    # The head that tuning starts from is of one look, as the maps are; it is a study's too.
    start = train(study_of(deal.of.cases), single(deal, left_out))
    used = {
        site: deal.rows[site][~one.tested & ~(one.chosen_on if left_out else False)] for site, one in deal.sites.items()
    }
    settings, rounds = plan.settings, plan.rounds
    if pooled:
        used = {"site-1": np.concatenate(list(used.values()))}
        # Its steps are as many as those that a hospital of middle size takes.
        settings, rounds = replace(settings, rounds=(settings.rounds[-1] * rounds,), batch=32), 1
    count = sum(map(len, used.values()))
    ground = ground_of(deal, start.head(), start.strength, count, settings)
    truth, _ = targets(deal.of.cases.classes, labels)
    have = deal.of.material
    hospitals = {
        site: TunedOn(maps=have.maps[at], below=have.below[at], targets=truth[at]) for site, at in used.items()
    }
    found = tune(ground, hospitals, rounds=rounds)
    if found.refused:
        raise RuntimeError(f"an honest update was refused: {found.refused}")
    return looked(deal.of, ground, found.vector), {"seconds_of_a_core": time.process_time() - begun}


def single(deal: Dealt, left_out: bool) -> dict[str, SiteCases]:
    """The hospitals' cases with features of one look; without those for choices, where they are left out."""
    sites = deal.features(deal.of.material.frozen)
    return {site: without_choices(one) for site, one in sites.items()} if left_out else sites


def without_choices(one: SiteCases) -> SiteCases:
    """A hospital that tests on the cases left for choices, and chooses its penalty on a fifth of the others."""
    kept = ~one.tested
    inner = one.patients[kept] % 5 == 0
    return SiteCases(
        features=one.features[kept], classes=one.classes[kept], patients=one.patients[kept],
        tested=one.chosen_on[kept], chosen_on=inner & ~one.chosen_on[kept],
    )  # fmt: skip


def judged(deal: Dealt, features: Features, *, strength: float | None = None) -> dict[str, float]:
    """AUC and log loss of the head of a study on the test cases.

    A penalty has to be given where the stage has learnt from the cases on which a study would choose it.
    """
    return _judged(deal, deal.features(features), STRENGTHS if strength is None else (strength,))


def validated(deal: Dealt, features: Features) -> dict[str, float]:
    """The same on the cases left out for choices, with the penalty that is best there."""
    sites = {site: without_choices(one) for site, one in deal.features(features).items()}
    found = [{"strength": one, **_judged(deal, sites, (one,))} for one in STRENGTHS]
    return min(found, key=lambda one: one["loss"])


def _judged(deal: Dealt, sites: Mapping[str, SiteCases], strengths: tuple[float, ...]) -> dict[str, float]:
    head = train(study_of(deal.of.cases, strengths=strengths), sites).head()
    rows, classes = in_one(sites, tested=True)
    truth, loss = targets(classes, len(deal.of.cases.labels))
    logits = head.logits(rows)[:, None]
    return {"auc": area(head, rows, classes), "loss": float(losses(logits, truth, loss).mean())}


def one_split(of: Shown, seed: int, plan: Plan) -> dict[str, Any]:
    """All ways on one split."""
    deal = dealt(of, seed)
    frozen = of.cases.features
    together, took = tuned_features(deal, plan, left_out=False)
    inner, _ = tuned_features(deal, plan, left_out=True)
    pooled, _ = tuned_features(deal, plan, left_out=False, pooled=True)
    choice = {"head alone": validated(deal, frozen), "tuned together": validated(deal, inner)}
    strength = choice["tuned together"]["strength"]
    found: dict[str, Any] = {
        "head alone": judged(deal, frozen),
        "tuned together": judged(deal, together, strength=strength),
        "tuned in one place": judged(deal, pooled, strength=strength),
    }
    taken = min(choice, key=lambda way: choice[way]["loss"])
    found["taken by validation"] = found[taken]
    return {"seed": seed, **found, "validation": choice, "taken": taken, **took}


def choose(of: Shown, splits: int, done: set[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    """What each candidate gives on the cases left out for choices; what is done, by plan and split, is left out."""
    for seed in range(splits):
        deal = dealt(of, seed)
        if ("head alone", seed) not in done:
            yield {"plan": "head alone", "seed": seed, **validated(deal, of.cases.features)}
        for name, plan in CANDIDATES.items():
            if (name, seed) in done:
                continue
            features, took = tuned_features(deal, plan, left_out=True)
            yield {"plan": name, "seed": seed, **validated(deal, features), **took}


def interval(*sets: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean over sets of the mean over splits, with the 95 % interval by Student's t, spread pooled over the sets."""
    from scipy.stats import t

    mean = float(np.mean([values.mean() for values in sets]))
    free = sum(len(values) - 1 for values in sets)
    variance = sum(float(np.square(values - values.mean()).sum()) for values in sets) / free
    half = float(t.ppf(0.975, free)) * (variance * sum(1 / len(values) for values in sets)) ** 0.5 / len(sets)
    return mean, mean - half, mean + half


def table(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        "# Tuning the encoder together: does it pay?",
        "",
        "Written by `python -m benchmarks.joint_tuning`; do not edit. AUC is the mean over the labels on test cases",
        f"of all {document['hospitals']} hospitals, mean over the splits (least to most); the splits are those of",
        "joint_training.md. The stage is trained in",
        f"{CHOSEN}. *Taken by validation*: whichever had the lower loss on cases left",
        "out of training. All in the looks of a study (two sizes, mirrored). Had an honest update been refused,",
        "the run would have stopped.",
        "",
        "| set | splits | " + " | ".join(WAYS) + " |",
        "|---|---|" + "---|" * len(WAYS),
    ]
    for name, runs in document["splits"].items():
        if len(runs) < 2:
            continue
        cells = []
        for way in WAYS:
            values = np.array([one[way]["auc"] for one in runs])
            cells.append(f"{values.mean():.3f} ({values.min():.3f} to {values.max():.3f})")
        lines.append(f"| {_named(name, document)} | {len(runs)} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "Less the head alone, with 95 % intervals (Student's t over the splits, which share cases: a little narrow):",
        "",
        "| set | " + " | ".join(HEADS) + " |",
        "|---|" + "---|" * len(HEADS),
    ]
    for name, runs in document["splits"].items():
        if len(runs) < 2:
            continue
        cells = [_gain([runs], way, key) for key in ("auc", "loss") for way in WAYS[1:]]
        taken = sum(one["taken"] == "tuned together" for one in runs)
        seconds = float(np.median([one["seconds_of_a_core"] for one in runs]))
        lines.append(
            f"| {_named(name, document)} | " + " | ".join(cells) + f" | {taken} of {len(runs)} | {seconds:.0f} |"
        )
    several = [runs for runs in document["splits"].values() if len(runs) > 1]
    if several:
        cells = [_gain(several, way, key) for key in ("auc", "loss") for way in WAYS[1:]]
        lines.append("| mean of the sets | " + " | ".join(cells) + " | | |")
    if document.get("choices"):
        lines += ["", *_choices(document)]
    lines += ["", f"Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


def _named(name: str, document: Mapping[str, Any]) -> str:
    return NAMES[name] + (" (choices were made on it)" if name == document["developed_on"] else "")


def _gain(sets: list[list[dict[str, Any]]], way: str, key: str) -> str:
    mean, low, high = interval(*(np.array([one[way][key] - one["head alone"][key] for one in runs]) for runs in sets))
    return f"{mean:+.4f} ({low:+.4f} to {high:+.4f})"


def _choices(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"What the choice was made by: validation cases of {NAMES[document['developed_on']]}, mean over the splits."
    yield ""
    yield "| plan | AUC | log loss | splits |"
    yield "|---|---|---|---|"
    lines = document["choices"]
    for name in dict.fromkeys(one["plan"] for one in lines):
        own = [one for one in lines if one["plan"] == name]
        auc, loss = (float(np.mean([one[key] for one in own])) for key in ("auc", "loss"))
        yield f"| {name}{' (taken)' if name == CHOSEN else ''} | {auc:.4f} | {loss:.4f} | {len(own)} |"


@click.command(help=__doc__)
@click.option("--splits", type=click.IntRange(min=2), default=5, show_default=True)
@click.option("--choose", "choosing", is_flag=True, help="Only measure the plans on validation cases.")
@click.option("--write", is_flag=True, help="Only write the table again.")
def main(splits: int, choosing: bool, write: bool) -> None:
    """Measure and write."""
    data = data_folder()
    if data is None or not (data / "medical").is_dir():
        raise click.UsageError(f"{DATA_VARIABLE} has to name the folder of real data")
    document = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    if write:
        _write(document)
        return
    document |= {
        "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "hospitals": HOSPITALS,
        "concentration": CONCENTRATION, "developed_on": DEVELOPED_ON, "plan": CHOSEN,
        "versions": {one: version(one) for one in ("consilium", "numpy", "torch")},
    }  # fmt: skip
    document.setdefault("splits", {})
    if choosing:
        document.setdefault("choices", [])
        done = {(one["plan"], one["seed"]) for one in document["choices"]}
        for line in choose(shown(data, DEVELOPED_ON, SETS[DEVELOPED_ON]), splits, done):
            document["choices"].append(line)
            click.echo(json.dumps(line))
            _write(document)
        return
    sets = {name: shown(data, name, SETS[name]) for name in TUNED_SETS}
    document["splits"] = {name: [] for name in sets}
    for seed in range(splits):
        for name, of in sets.items():
            found = one_split(of, seed, CANDIDATES[CHOSEN])
            document["splits"][name].append(found)
            click.echo(f"{name} {seed}: " + ", ".join(f"{way} {found[way]['auc']:.4f}" for way in WAYS))
            _write(document)


def _write(document: dict[str, Any]) -> None:
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(document), encoding="utf-8")


if __name__ == "__main__":
    main()
