"""Whether fine-tuning helps, and whether the ladder knows: `python -m benchmarks.finetune`.

Sets that the shipped encoder has not seen (those that may only be judged on are judged as there); of each, 200 pictures
are drawn by patient or near-duplicate as in `benchmarks.generalist`. On a draw both rungs are fitted as
`consilium specialist fit --fine-tune auto` fits them (but for one look at each picture by both), the ladder chooses,
and both rungs, the one that was not taken too, are judged on what was not drawn. A draw is one line of
`CONSILIUM_RUNS/finetune.jsonl`; what is there is not done again. `--write` turns the lines into the tables in
`benchmarks/results/finetune.md`. How long the stage is trained was
chosen on other sets, with an encoder that had not seen those (`DEVELOPED_ON`).
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.generalist import JudgedSet, interval_over_sets, read_set
from benchmarks.probe import Draw, macro_auc
from benchmarks.results import machine
from consilium.artefact.card import read_card
from consilium.generalist.cache import FeatureCache
from consilium.generalist.encoder import Encoder
from consilium.generalist.shipped import WEIGHTS, shipped_encoder
from consilium.settings import DATA_VARIABLE, data_folder
from consilium.specialist.evidence.discrimination import cross_validated_auc, interval_of, mean_of
from consilium.specialist.head import Features, fit_head, out_of_fold
from consilium.specialist.labelled import labelled
from consilium.specialist.penalised import Array, losses
from consilium.specialist.splits import Folds, codes_of, grouped_folds
from consilium.specialist.tuning.nested import TUNED, Climbed
from consilium.specialist.tuning.rung import SecondRung, material_of
from training.cells import RUNS

SETS = ("sm_osteosarcoma", "op_odir_cataract", "us_busi_breast", "sm_oral_scc", "es_capsule_bleeding", "mg_minimias")
"""Those left out by the encoder's training of which a draw has five groups of every class, as five folds need:
`cyto_lbc_pap` and `smear_aml15` have not."""
DEVELOPED_ON = ("dms_isic2017_melanoma", "xr_kermany_pneumonia", "ct_head_hemorrhage")
RESULTS = Path(__file__).parent / "results" / "finetune.json"
LINES = RUNS / "finetune.jsonl"
_MOST_TESTED = 300


def judge(judged: JudgedSet, number: int, draw: Draw) -> dict[str, Any] | None:
    """Both rungs on one draw; None where there are too few patients of a class for five folds."""
    begun, burnt = time.perf_counter(), time.process_time()
    encoder = shipped_encoder(threads=1)
    rng = np.random.default_rng(number)
    tested = np.sort(rng.permutation(draw.test)[:_MOST_TESTED])
    rows = np.concatenate([draw.train, tested])
    used = np.arange(len(rows)) < len(draw.train)
    names = [str(one) for one in range(int(judged.labels.max()) + 1)]
    task = "binary" if len(names) == 2 else "multiclass"

    def embed(other: Encoder) -> Features:
        return other.embed(judged.pictures[rows], judged.modality, levels=False).image

    frozen = embed(encoder)
    everything = labelled(frozen, judged.labels[rows].astype(np.float64), judged.groups[rows], task, names)  # type: ignore[arg-type]
    targets, groups, loss = everything.targets, codes_of(everything.groups[used]), everything.loss
    folds = grouped_folds(everything.strata[used], groups)
    if not isinstance(folds, Folds):
        click.echo(f"{judged.name}, draw {number}: {folds}", err=True)
        return None
    repeated = [out_of_fold(frozen[used], targets[used], fold, loss, roles=groups) for fold in folds.assigned]
    strengths = np.asarray(np.sum([one.loss_of_strength for one in repeated], axis=0).argmin(0), np.intp)
    material = material_of(
        judged.pictures[rows], encoder, tuple(f"{judged.name} {row}" for row in rows), judged.modality
    )
    plain = time.process_time()
    rung = SecondRung(material, embed, cache=FeatureCache(RUNS / "finetune"))
    climbed = rung.climb(used, targets[used], groups, folds.assigned[0], loss, repeated[0])
    finished = rung.finish(used, targets[used], loss, climbed.candidate)
    taken = time.process_time() - plain
    heads = {
        "frozen": (frozen, fit_head(frozen[used], targets[used], loss, strengths)),
        "tuned": (finished.images, fit_head(finished.images[used], targets[used], loss, climbed.strengths)),
    }
    found: dict[str, Any] = {}
    for way, (features, head) in heads.items():
        logits = head.logits(features[~used]).reshape(targets[~used].shape)
        found[way] = {
            "auc": round(_auc(head.predict(features[~used]), judged.labels[rows][~used]), 6),
            "loss": round(float(losses(logits, targets[~used], loss).sum(1).mean()), 6),
        }
    return {
        "set": judged.name, "draw": number, "cases": int(used.sum()), "tested": int((~used).sum()),
        "patients": len(np.unique(groups)), "encoder": encoder_name(), "held_out": found, "ladder": _ladder(climbed),
        "rounds": rung.rounds[climbed.candidate],
        "procedure": _promised(climbed, targets[used], groups, folds),
        "seconds_of_a_core": round(taken, 1), "seconds_of_a_core_in_all": round(time.process_time() - burnt, 1),
        "seconds": round(time.perf_counter() - begun, 1), "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip


def _ladder(climbed: Climbed) -> dict[str, Any]:
    frozen, tuned = climbed.choice.steps
    return {
        "taken": climbed.choice.taken, "inside": list(climbed.inside), "loss_frozen": round(frozen.loss, 6),
        "loss_tuned": round(tuned.loss, 6), "behind": round(frozen.behind, 6), "error": round(frozen.error, 6),
        "nested": round(climbed.nested, 6),
    }  # fmt: skip


def _promised(climbed: Climbed, targets: Array, groups: NDArray[np.intp], folds: Folds) -> dict[str, float]:
    """The AUC that a report would give, with its interval."""
    once = Folds(assigned=folds.assigned[:1], count=folds.count)
    columns = range(targets.shape[2])
    parts = [
        cross_validated_auc([climbed.out], once, targets[:, 0, one] > 0.5, groups, problem=0, column=one)
        for one in columns
    ]
    rarest = min((targets[:, 0, one] > 0.5 for one in columns), key=lambda own: int(own.sum()))
    found = interval_of(mean_of(parts), rarest, groups)
    return {"auc": round(found.value, 6), "low": round(found.low, 6), "high": round(found.high, 6)}


def _auc(predicted: Array, labels: NDArray[np.intp]) -> float:
    both = np.column_stack([1 - predicted, predicted]) if predicted.shape[1] == 1 else predicted
    return macro_auc(both, labels)


def encoder_name() -> str:
    """Name, version and hash of what ships."""
    card = read_card(WEIGHTS / "generalist.json")
    return f"{card.name} {card.version} {card.sha256[:12]}"


def read_lines() -> list[dict[str, Any]]:
    """What was measured, by set and draw."""
    if not LINES.exists():
        return []
    found = [json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines()]
    return sorted(found, key=lambda one: (SETS.index(one["set"]), one["draw"], one["encoder"]))


def figures_of(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """What the lines say together."""
    gains: dict[str, list[float]] = {name: [] for name in SETS}
    for one in lines:
        gains[one["set"]].append(one["held_out"]["tuned"]["auc"] - one["held_out"]["frozen"]["auc"])
    gains = {name: values for name, values in gains.items() if values}
    fewest = min(len(values) for values in gains.values())
    even = np.asarray([values[:fewest] for values in gains.values()])
    low, high = interval_over_sets(even)
    tuned = [one["ladder"]["taken"] == TUNED for one in lines]
    better = [one["held_out"]["tuned"]["loss"] < one["held_out"]["frozen"]["loss"] for one in lines]
    kept = [
        one["held_out"]["tuned" if took else "frozen"]["auc"] - one["held_out"]["frozen"]["auc"]
        for one, took in zip(lines, tuned, strict=True)
    ]
    taken = ["tuned" if took else "frozen" for took in tuned]
    inside = [
        one["procedure"]["low"] <= one["held_out"][way]["auc"] <= one["procedure"]["high"]
        for one, way in zip(lines, taken, strict=True)
    ]
    return {
        "encoder": encoder_name(), "draws": len(lines), "gain": float(even.mean()), "low": low, "high": high,
        "of_each_set": fewest,
        "taken": sum(tuned), "right": sum(a == b for a, b in zip(tuned, better, strict=True)),
        "wrongly_taken": sum(a and not b for a, b in zip(tuned, better, strict=True)), "better": sum(better),
        "gain_of_ladder": float(np.mean(kept)), "worst_of_ladder": float(min(kept)),
        "promise_kept": sum(inside),
        "promise_less_held_out": float(
            np.mean([one["procedure"]["auc"] - one["held_out"][way]["auc"]
                     for one, way in zip(lines, taken, strict=True)])
        ),
        "minutes_of_a_core": float(np.median([one["seconds_of_a_core"] for one in lines])) / 60,
    }  # fmt: skip


def table(lines: list[dict[str, Any]], told: dict[str, Any]) -> str:
    """The lines as Markdown."""
    found = ["# Fine-tuning: measured", "", "Written by `python -m benchmarks.finetune --write`; do not edit.", ""]
    held = f"{told['low']:+.4f} to {told['high']:+.4f}; sets and draws resampled, {told['of_each_set']} of each set"
    of = f"of {told['draws']} draws"
    sentences = [
        (
            f"These sentences are of the encoder that ships, {told['encoder']}, on {told['draws']} draws; the table "
            "has those of encoders before it too."
        ),
        f"Fine-tuned less frozen, held-out AUC: {told['gain']:+.4f} ({held}).",
        (
            f"The fine-tuned network had the lower held-out loss on {told['better']} {of}; the ladder took it on "
            f"{told['taken']}, on {told['wrongly_taken']} of them although frozen features were better. What it took "
            f"had the lower held-out loss on {told['right']}."
        ),
        (
            f"Held-out AUC of what the ladder took, less that of frozen features: {told['gain_of_ladder']:+.4f} on "
            f"average, {told['worst_of_ladder']:+.4f} at worst."
        ),
        (
            f"The AUC that the report would promise is {told['promise_less_held_out']:+.4f} off the held-out one on "
            f"average, and its 95 % interval held the latter on {told['promise_kept']} {of}."
        ),
        f"Minutes of one core for all networks of a fit, median: {told['minutes_of_a_core']:.1f}.",
    ]
    heads = (
        "set", "draw", "encoder", "cases", "tested", "AUC frozen", "AUC tuned", "loss frozen", "loss tuned",
        "out of fold: frozen", "tuned", "standard error", "taken", "inside", "promised AUC", "core seconds",
    )  # fmt: skip
    found += [*(f"- {one}" for one in sentences), "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for one in lines:
        held, ladder, promise = one["held_out"], one["ladder"], one["procedure"]
        cells = [
            one["set"], str(one["draw"]), one["encoder"], str(one["cases"]), str(one["tested"]),
            *(f"{held[way][key]:.4f}" for key in ("auc", "loss") for way in ("frozen", "tuned")),
            *(f"{ladder[key]:.4f}" for key in ("loss_frozen", "loss_tuned")),
            f"{ladder['error']:.4f}" if ladder["behind"] else "frozen is better",
            "tuned" if ladder["taken"] == TUNED else "frozen", f"{ladder['inside'].count(TUNED)} of 5 tuned",
            f"{promise['auc']:.3f} ({promise['low']:.3f} to {promise['high']:.3f})", f"{one['seconds_of_a_core']:.0f}",
        ]  # fmt: skip
        found.append("| " + " | ".join(cells) + " |")
    promised = sum(one["ladder"]["loss_tuned"] < one["ladder"]["loss_frozen"] for one in lines)
    kept = sum(one["held_out"]["tuned"]["loss"] < one["held_out"]["frozen"]["loss"] for one in lines)
    found += [
        "",
        f"Over all lines of the table the fine-tuned network had the lower loss out of fold on {promised}, and",
    ]
    found += [f"the lower loss on what was held out on {kept}, of {len(lines)}."]
    found += [
        "",
        "Both rungs look at each picture once; a fit gives frozen features several looks (looks.md), which is not",
    ]
    found += ["in these figures and speaks for them."]
    hosts = sorted({one["machine"] for one in lines})
    found += ["", f"Losses are log losses in nats. Measured until {max(one['date'] for one in lines)}, {hosts[0]}."]
    return "\n".join([*found, ""])


@click.command(help=__doc__)
@click.option("--draws", "count", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--set", "names", type=click.Choice(SETS), multiple=True, help="Only this set.")
@click.option("--write", is_flag=True, help="Only write the tables of what was measured.")
def main(count: int, names: tuple[str, ...], write: bool) -> None:
    """Measure what is missing, or write."""
    if not write:
        folder = data_folder()
        if folder is None or not (folder / "medical").is_dir():
            raise click.UsageError(f"{DATA_VARIABLE} has to name the folder of real data")
        sets = [read_set(folder / "medical" / f"{name}.zip", "1") for name in names or SETS]
        drawn = [one.draws(count) for one in sets]
        for number in range(count):
            for judged, several in zip(sets, drawn, strict=True):
                key = (judged.name, number, encoder_name())
                if any((one["set"], one["draw"], one["encoder"]) == key for one in read_lines()):
                    continue
                found = judge(judged, number, several[number])
                if found is None:
                    continue
                line = json.dumps(found)
                LINES.parent.mkdir(parents=True, exist_ok=True)
                with LINES.open("a", encoding="utf-8") as stream:
                    stream.write(line + "\n")
                click.echo(line)
        return
    lines = read_lines()
    told = figures_of([one for one in lines if one["encoder"] == encoder_name()])
    document = {"figures": told, "developed_on": DEVELOPED_ON, "draws": lines}
    RESULTS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(lines, told), encoding="utf-8")
    click.echo(f"Written: {RESULTS}")


if __name__ == "__main__":
    main()
