"""The figures of `benchmarks.joint_training` as a table and a plot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

NAMES = {
    "us_busi_breast": "breast, ultrasound",
    "sm_oral_scc": "oral cancer, histology",
    "cyto_lbc_pap": "cervix, cytology",
    "op_odir_cataract": "cataract, fundus",
}


def table(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        "# Hospitals that train together",
        "",
        "Written by `python -m benchmarks.joint_training`; do not edit. AUC is the mean over the labels on the test",
        f"cases of all {document['hospitals']} hospitals, mean over the splits (least to most). Labels are dealt to",
        f"hospitals by a Dirichlet distribution of {document['concentration']}. *Gap closed*: share of the way from a",
        "hospital alone to all cases in one place, with its 95 % interval (bootstrap of the splits).",
        "",
    ]
    if document.get("splits"):
        lines += _splits(document)
    if document.get("processes"):
        lines += _processes(document["processes"])
    if document.get("attack"):
        lines += _attack(document)
    lines += ["", f"Measured on {document['date']}, {document['machine']}.", ""]
    return "\n".join(lines)


def _splits(document: Mapping[str, Any]) -> Iterator[str]:
    from benchmarks.joint_training import AIM, gap_closed, ways

    yield "| set | cases, patients, labels | splits | " + " | ".join(_told(one) for one in ways()) + " |"
    yield "|---|---|---|" + "---|" * len(ways())
    for name, runs in document["splits"].items():
        if len(runs) < 2:
            continue
        cells = []
        for way in ways():
            values = np.array([run[way] for run in runs])
            cells.append(f"{values.mean():.3f} ({values.min():.3f} to {values.max():.3f})")
        mark = " (choices were made on it)" if name == document["developed_on"] else ""
        size = document["sets"][name]
        sizes = f"{size['cases']}, {size['patients']}, {size['labels']}"
        yield f"| {NAMES[name]}{mark} | {sizes} | {len(runs)} | " + " | ".join(cells) + " |"
    yield ""
    yield "Differential privacy is for patients, not for pictures: where there are few patients, whatever the number of"
    yield "pictures, nothing can be learnt under it."
    yield ""
    middle = [one for one in ways() if one not in ("alone", "pooled")]
    yield f"| gap closed (aim {AIM:.0%}) | " + " | ".join(_told(one) for one in middle) + " |"
    yield "|---|" + "---|" * len(middle)
    for name, runs in document["splits"].items():
        if len(runs) < 2:
            continue
        found = [gap_closed(runs, way) for way in middle]
        cells = [f"{one['value']:.0%} ({one['low']:.0%} to {one['high']:.0%})" for one in found]
        yield f"| {NAMES[name]} | " + " | ".join(cells) + " |"
    yield ""


def _told(way: str) -> str:
    return {
        "alone": "alone",
        "federated": "together",
        "encrypted": "together, encrypted",
        "pooled": "in one place",
    }.get(way, f"together, {way}")


def _processes(found: Mapping[str, Any]) -> Iterator[str]:
    yield "## In real processes (NVIDIA FLARE, mTLS, loopback; 4,656 features, 3 labels)"
    yield ""
    yield (
        "| study | questions | seconds in all, start included | seconds a question, median (least to most) | MB sent, "
        "received by a hospital | processor seconds of a hospital | weights, largest difference from one process |"
    )
    yield "|---|---|---|---|---|---|---|"
    for name, one in found.items():
        worked = f"{min(one['processor_seconds']):.1f} to {max(one['processor_seconds']):.1f}"
        yield (
            f"| {name} | {one['questions']} | {one['seconds']:.0f} | {one['seconds_a_question']:.2f} "
            f"({one['seconds_least']:.2f} to {one['seconds_most']:.2f}) | {one['sent_mb']:.1f}, "
            f"{one['received_mb']:.1f} | {worked} | {one['largest_difference']:.1e} |"
        )
    yield ""
    for one in found.values():
        if "shares" in one:
            yield "| hospital | cases | AUC of its own head | brought in (Shapley) | share of the common cost |"
            yield "|---|---|---|---|---|"
            for share in one["shares"]:
                yield (
                    f"| {share['site']} | {share['cases']} | {share['alone']:.3f} | {share['contribution']:+.3f} | "
                    f"{share['cost']:.0%} |"
                )
            yield ""


def _attack(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## Who was trained on? (LiRA, 64 shadows, 16 targets)"
    yield ""
    yield "| set | epsilon | AUC of the attack ± 2 standard errors | no attack exceeds | caught at 1 % false alarms |"
    yield "|---|---|---|---|---|"
    for name, kinds in document["attack"].items():
        for epsilon, one in kinds.items():
            most = "" if epsilon == "none" else f"{one['most_auc']:.3f}"
            yield (
                f"| {NAMES[name]} | {epsilon} | {one['auc']:.3f} ± {2 * one['auc_error']:.3f} | {most} | "
                f"{one['caught_at_1_percent']:.1%} ± {2 * one['caught_error']:.1%} |"
            )
    yield ""


def plot(document: Mapping[str, Any], path: Path) -> None:
    """AUC of every way, a panel a set, a dot a split."""
    from matplotlib.figure import Figure

    from benchmarks.joint_training import ways

    figure = Figure(figsize=(11, 3.4), layout="constrained")
    panels = figure.subplots(1, len(document["splits"]), sharey=True, squeeze=False)[0]
    shades = {"alone": "#8a8f98", "pooled": "#1b1e23", "federated": "#1769aa", "encrypted": "#3d8fce"}
    for panel, (name, runs) in zip(panels, document["splits"].items(), strict=True):
        for number, way in enumerate(ways()):
            values = [run[way] for run in runs]
            shade = shades.get(way, "#c26a1a")
            panel.scatter([number] * len(values), values, s=14, color=shade, alpha=0.45, linewidths=0)
            panel.plot([number - 0.3, number + 0.3], [np.mean(values)] * 2, color=shade, linewidth=2.2)
        panel.set_title(NAMES[name], fontsize=10)
        names = [_told(way).removeprefix("together, ") for way in ways()]
        panel.set_xticks(range(len(names)), names, rotation=55, ha="right", fontsize=8)
        panel.grid(axis="y", linewidth=0.4, alpha=0.6)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("mean AUC, test cases of all hospitals", fontsize=9)
    figure.savefig(path, dpi=130)
