"""A trained example of every modality that there is data for: `python -m benchmarks.specialists` (half an hour).

Each set goes through the code of `consilium specialist fit` as a user's would, with at most `CLASSES` labelled
pictures, `OUTLINES` outlined ones or `VOLUMES` drawn by seed; what is told is the figure that the report leads with.
The encoder has seen neither pictures nor labels of the set: it is the one that ships where that is so, else the
ImageNet network that it started from. Of models on the encoder that ships the card is kept in
`benchmarks/results/specialists/`; no weights are.

One JSON file a set: a run that stops goes on where it was; `--again NAME` measures one anew.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from benchmarks.breast import encoder_from
from benchmarks.results import machine
from consilium.artefact.bundle import CARD
from consilium.errors import UnusableDataset
from consilium.generalist.cache import FeatureCache
from consilium.imaging.modalities import modality
from consilium.settings import data_folder
from consilium.specialist.dataset import Asked, read_dataset
from consilium.specialist.specialist import VALIDATION
from consilium.specialist.specialty import Order, specialty_of
from training.cells import RUNS

RESULTS = Path(__file__).parent / "results" / "specialists"
TABLE = RESULTS.with_suffix(".md")
CLASSES, OUTLINES, VOLUMES = 200, 40, 16
SEED = 0
SHIPS, STARTED_FROM = "multi_1.onnx", "imagenet.onnx"


@dataclass(frozen=True, kw_only=True)
class Example:
    """A set and what is asked of it.

    Attributes:
        name: of the set.
        modality: how it was made.
        task: as of `--task`.
        seen: whether the encoder that ships learnt from it.
        labels: of the numbers in masks.
        instances: whether numbers in masks tell objects apart.
        grey: whether masks have soft edges or are 0 and 1 in part; each is cut at half its highest level first.
    """

    name: str
    modality: str
    task: Asked = "classify"
    seen: bool = False
    labels: tuple[str, ...] = ()
    instances: bool = False
    grey: bool = False


_segment: dict[str, Any] = {"task": "segment"}
EXAMPLES: tuple[Example, ...] = (
    Example(name="us_busi_breast", modality="us"),
    Example(name="us_carotid", modality="us", seen=True, **_segment),
    Example(name="xr_kermany_pneumonia", modality="xr", seen=True),
    Example(name="px_dental_caries", modality="dx-dental", **_segment),
    Example(name="mg_minimias", modality="mg"),
    Example(name="ct_head_hemorrhage", modality="ct", seen=True),
    Example(name="mr_hippocampus_nifti", modality="mr", seen=True, labels=("anterior", "posterior"), **_segment),
    Example(name="pt_soft_tissue_sarcoma", modality="pt", seen=True, grey=True, **_segment),
    Example(name="xa_coronary_stenosis", modality="xa", seen=True, grey=True, **_segment),
    Example(name="opt_octa_faz", modality="opt", seen=True, grey=True, **_segment),
    Example(name="op_odir_cataract", modality="op"),
    Example(name="op_chase_vessels", modality="op", seen=True, **_segment),
    Example(name="es_capsule_bleeding", modality="es"),
    Example(name="dms_isic2017_melanoma", modality="dms", seen=True),
    Example(name="xc_foot_ulcer", modality="xc", grey=True, **_segment),
    Example(name="sm_oral_scc", modality="sm"),
    Example(name="cyto_lbc_pap", modality="cyto"),
    Example(name="smear_aml15", modality="smear"),
    Example(name="fluo_dsb2018", modality="fluo", seen=True, instances=True, **_segment),
)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What came out.

    Attributes:
        name, modality, task: of the example.
        cases: that were asked for.
        figure: which one the report leads with.
        value, low, high: it; None where there were not enough cases.
        said: the sentences at the end of the fit.
        seconds: of the processor.
        encoder: "shipped", or what it started from.
        date, machine: of the measurement.
    """

    name: str
    modality: str
    task: str
    cases: int
    figure: str
    value: float | None
    low: float | None
    high: float | None
    said: Sequence[str]
    seconds: float
    encoder: str
    date: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())
    machine: str = field(default_factory=machine)


def drawn(archive: Path, folder: Path, most: int, *, outlines: bool) -> Path:
    """Unpack some cases of a set, whole groups, drawn by seed; gives the table."""
    with zipfile.ZipFile(archive) as packed:
        rows = _rows(packed)
        groups = [row["group"] or row["file"] for row in rows]
        chosen: set[str] = set()
        for group in np.random.default_rng(SEED).permutation(sorted(set(groups))):
            if sum(one in chosen for one in groups) >= most:
                break
            chosen.add(str(group))
        rows = [row for row, group in zip(rows, groups, strict=True) if group in chosen]
        columns = ["file", "mask", "group"] if outlines else ["file", "label", "group"]
        packed.extractall(folder, [row[one] for row in rows for one in columns[: 2 if outlines else 1] if row[one]])
    table = folder / "cases.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return table


def _rows(packed: zipfile.ZipFile) -> list[dict[str, str]]:
    """What a set lists; of volumes that it does not list, pairs of image and mask by their names."""
    names = packed.namelist()
    if "manifest.csv" in names:
        return list(csv.DictReader(io.TextIOWrapper(packed.open("manifest.csv"), encoding="utf-8")))
    masks = {Path(one).name: one for one in names if one.endswith(".nii.gz") and "/labels" in f"/{one}"}
    images = {Path(one).name: one for one in names if one.endswith(".nii.gz") and "/images" in f"/{one}"}
    return [{"file": images[name], "mask": masks[name], "group": name} for name in sorted(masks) if name in images]


def measure(example: Example, archive: Path) -> tuple[Told, bytes]:
    """Fit one example; what is told of it, and its card."""
    outlines = example.task == "segment"
    most = CLASSES if not outlines else VOLUMES if example.name.endswith("nifti") else OUTLINES
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        network = STARTED_FROM if example.seen else SHIPS
        encoder = encoder_from(RUNS / "generalist" / network, folder)
        table = drawn(archive, folder, most, outlines=outlines)
        if example.grey:
            for mask in (folder / "masks").iterdir():
                levels = np.asarray(cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE))
                cv2.imwrite(str(mask), np.where(levels > levels.max() / 2, np.uint8(255), np.uint8(0)))
        dataset = read_dataset(table, task=example.task, group="group")
        specialty = specialty_of(dataset.task)
        order = Order(modality=example.modality, seed=SEED, labels=example.labels, instances=example.instances)
        specialty.refuse(order)
        began = time.process_time()
        made = specialty.fit(
            dataset, encoder, order, example.name, terms="", cache=FeatureCache(RUNS / "specialists"),
            on_work=lambda _amount, problem: click.echo(problem, err=True) if problem else None,
            on_tuning=(lambda _estimate: None, lambda _step: None),
            say=lambda english, _chinese: click.echo(english, err=True),
        )  # fmt: skip
        seconds = time.process_time() - began
    figure, interval = leading(json.loads(made.files[VALIDATION]))
    told = Told(
        name=example.name, modality=example.modality, task=dataset.task, cases=len(dataset.cases), figure=figure,
        value=interval.get("value"), low=interval.get("low"), high=interval.get("high"), said=made.summary["en"],
        seconds=round(seconds, 1), encoder="what it started from" if example.seen else "shipped",
    )  # fmt: skip
    return told, made.files[CARD]


def leading(validation: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The figure that a report leads with, and its interval; empty where there were not enough cases."""
    if validation["task"] == "segment":
        return "Dice", validation["dice"] or {}
    if validation["macro_auc"]:
        return "mean AUC", validation["macro_auc"]
    figures = validation["figures"]
    return "AUC", (figures[-1]["auc"] or {}) if figures else {}


def table(every: Sequence[Mapping[str, Any]]) -> str:
    """All examples as Markdown."""
    lines = ["# A trained example of each modality", ""]
    lines += ["Written by `python -m benchmarks.specialists`; do not edit.", ""]
    lines += [f"At most {CLASSES} labelled pictures, {OUTLINES} outlined ones or {VOLUMES} volumes of a set, cross-"]
    lines += [
        "validated by patient; 95 % intervals. The encoder has not seen the set: where the one that ships learnt from"
    ]
    lines += ["it, the ImageNet network that it started from stands in.", ""]
    lines += ["| modality | set | task | cases | figure | (95 %) | encoder | processor s | date |", "|---" * 9 + "|"]
    for one in every:
        value = "not enough cases" if one["value"] is None else f"{one['value']:.3f}"
        between = "" if one["low"] is None else f"{one['low']:.3f} to {one['high']:.3f}"
        lines.append(
            f"| {modality(one['modality']).name_en} | {one['name']} | {one['task']} | {one['cases']} | "
            f"{one['figure']} {value} | {between} | {one['encoder']} | {one['seconds']:.0f} | {one['date']} |"
        )
    lines += ["", "What each fit said at its end:", ""]
    for one in every:
        lines += [f"- **{one['name']}**: {'; '.join(one['said'])}"]
    lines += ["", f"Machine: {every[0]['machine']}. Chromosomes have their own page, `karyotype.md`; boxes in smears"]
    return "\n".join([*lines, "have `object_detection.md`. Scintigraphy has no set at hand.", ""])


@click.command()
@click.option("--again", multiple=True, metavar="NAME", help="Measure this set anew.")
@click.option("--only", multiple=True, metavar="NAME", help="Only these sets.")
def main(again: tuple[str, ...], only: tuple[str, ...]) -> None:
    """Fit an example of each modality."""
    folder = data_folder()
    if folder is None:
        raise click.UsageError("CONSILIUM_DATA names no folder of data")
    RESULTS.mkdir(exist_ok=True)
    for example in EXAMPLES:
        file = RESULTS / f"{example.name}.json"
        if (file.exists() and example.name not in again) or (only and example.name not in only):
            continue
        click.echo(example.name)
        try:
            told, card = measure(example, folder / "medical" / f"{example.name}.zip")
        except UnusableDataset as problem:
            click.echo(f"{example.name}: {problem}", err=True)
            continue
        document = {name: list(one) if name == "said" else one for name, one in vars(told).items()}
        file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if not example.seen:
            file.with_suffix(".card.json").write_bytes(card)
        click.echo(f"  {told.figure} {told.value} ({told.low} to {told.high}), {told.seconds} s")
    names = [one.name for one in EXAMPLES]
    found = [json.loads(one.read_text(encoding="utf-8")) for one in RESULTS.glob("*.json") if one.stem in names]
    if found:
        TABLE.write_text(table(sorted(found, key=lambda one: names.index(one["name"]))), encoding="utf-8")


if __name__ == "__main__":
    main()
