"""How well boxes are learnt from 200 pictures: `python -m benchmarks.object_detection` (10 minutes on an idle core).

Blood smears (BCCD) with red cells, white cells and platelets. Near-duplicates are kept together; 200 pictures are drawn
to learn from, everything is chosen on folds of them, and the rest is opened once. Intervals are from the bootstrap
(BCa) of groups of pictures; what the set says of patients is nothing.

The encoder is ImageNet MobileNetV2 as it came (`CONSILIUM_RUNS/generalist/imagenet.onnx`, see
docs/how-to/retrain-the-generalist.md), since the one that ships has been taught the boxes of this set.

`benchmarks/results/object_detection.json` and `.md` get the figures; with `--pictures FOLDER`, the worst and a middle
one are drawn there. `--inner` judges on folds of the 200 instead, for whoever changes something.
"""

from __future__ import annotations

import json
import platform
import time
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.probe import duplicate_groups
from benchmarks.results import machine
from benchmarks.segmentation import ImageNetEncoder
from consilium.generalist.pictures import as_square
from consilium.settings import DATA_VARIABLE, data_folder
from consilium.specialist.dataset import read_dataset
from consilium.specialist.detection.average_precision import DetectionFigures, best_thresholds, detection_figures
from consilium.specialist.detection.boxes import Boxes, no_boxes, overlaps
from consilium.specialist.detection.cross_validate import validate_detector
from consilium.specialist.detection.detector import SIDE, detect_all, fit_detector
from consilium.specialist.detection.draw import draw_boxes
from consilium.specialist.detection.labelled_boxes import read_case_boxes
from consilium.specialist.detection.pyramid import PyramidFeatures, pyramid_features
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.segmentation.pixel_features import Picture
from consilium.specialist.segmentation.segment_file import read_picture
from consilium.specialist.splits import codes_of
from training.cells import RUNS

RESULTS = Path(__file__).parent / "results" / "object_detection.json"
TAUGHT = 200
SEED = 20261126

PUBLISHED = (
    "YOLOv8n mAP50 0.893 and YOLOv8m 0.918 on the validation part of another division of this set (their model cards,"
    " huggingface.co/keremberke/yolov8n-blood-cell-detection and yolov8m-blood-cell-detection, self-reported, read"
    " there); networks trained whole, on a graphics card, and on more pictures"
)


@dataclass(frozen=True, kw_only=True)
class Smears:
    """The set: pictures, true boxes, groups of near-duplicates, and which rows teach."""

    shown: list[Picture]
    boxes: tuple[Boxes, ...]
    labels: tuple[str, ...]
    groups: NDArray[np.intp]
    taught: NDArray[np.intp]
    asked: NDArray[np.intp]
    notes: tuple[str, ...]


def read_smears(path: Path) -> Smears:
    """Read the set and draw whole groups until 200 pictures are there to learn from."""
    with TemporaryDirectory() as folder:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        dataset = read_dataset(Path(folder), task="detect")
        shown = [read_picture(case.file) for case in dataset.cases]
        known = read_case_boxes(dataset.cases, [(one.shape[0], one.shape[1]) for one in shown])
    small = np.stack([(as_square(one, 64) * 255).astype(np.uint8) for one in shown])
    groups = codes_of(duplicate_groups(small, [case.group for case in dataset.cases]))
    order = np.random.default_rng(SEED).permutation(int(groups.max()) + 1)
    sizes = np.cumsum(np.bincount(groups)[order])
    drawn = np.isin(groups, order[: int(np.searchsorted(sizes, TAUGHT, side="right"))])
    return Smears(
        shown=shown, boxes=known.boxes, labels=known.labels, groups=groups, notes=known.notes,
        taught=np.flatnonzero(drawn), asked=np.flatnonzero(~drawn),
    )  # fmt: skip


class Components:
    """The baseline: Otsu's threshold, watershed, and a name by size, colour and shape.

    Parts of the training pictures that cover a true box are its class, the others are background; each class is a
    normal distribution with a covariance of its own.
    """

    def __init__(self, shown: Sequence[Picture], boxes: Sequence[Boxes], classes: int) -> None:
        described: list[list[NDArray[np.float64]]] = [[] for _ in range(classes + 1)]
        for picture, true in zip(shown, boxes, strict=True):
            corners, about = parts_of(picture)
            if not len(corners):
                continue
            shared = overlaps(corners, true.corners)
            for row, best in enumerate(shared.argmax(1)):
                described[int(true.classes[best]) + 1 if shared[row, best] >= 0.5 else 0].append(about[row])
        width = len(next(rows for rows in described if rows)[0])
        self._means = [np.mean(rows, 0) if rows else np.zeros(width) for rows in described]
        self._spreads = [
            np.cov(np.array(rows).T) + 1e-3 * np.eye(width) if len(rows) > width else np.eye(width)
            for rows in described
        ]
        counts = np.array([len(rows) for rows in described], np.float64)
        self._priors = np.log(np.maximum(counts, 1e-9) / counts.sum())

    def find(self, picture: Picture) -> Boxes:
        """Boxes with scores."""
        corners, about = parts_of(picture)
        if not len(corners):
            return no_boxes()
        logs = np.stack(
            [
                prior - 0.5 * np.linalg.slogdet(spread)[1]
                - 0.5 * np.einsum("ni,ij,nj->n", about - mean, np.linalg.inv(spread), about - mean)
                for mean, spread, prior in zip(self._means, self._spreads, self._priors, strict=True)
            ],
            axis=1,
        )  # fmt: skip
        likely = np.exp(logs - logs.max(1, keepdims=True))
        likely /= likely.sum(1, keepdims=True)
        rows, numbers = np.nonzero(likely[:, 1:] >= 0.02)
        return Boxes(corners=corners[rows], classes=np.asarray(numbers, np.intp), scores=likely[rows, numbers + 1])


def parts_of(picture: Picture) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Boxes (n, 4) of what is darker than the ground in green, and of what is stained deep, and what they look like."""
    import cv2

    grey = cv2.GaussianBlur((picture[:, :, 1] * 255).astype(np.uint8), (0, 0), 2)
    stain = cv2.GaussianBlur((np.clip(picture.max(2) - picture[:, :, 1], 0, 1) * 255).astype(np.uint8), (0, 0), 2)
    corners, about = [], []
    for levels, dark in ((grey, True), (stain, False)):
        kind = cv2.THRESH_BINARY_INV if dark else cv2.THRESH_BINARY
        mask = cv2.threshold(levels, 0, 255, kind + cv2.THRESH_OTSU)[1] > 0
        mask = ndimage.binary_fill_holes(ndimage.binary_opening(mask, iterations=2))
        away = ndimage.gaussian_filter(ndimage.distance_transform_edt(mask), 4)
        peaks = (away == ndimage.maximum_filter(away, 25)) & mask
        seeds = ndimage.label(peaks)[0].astype(np.int32)
        seeds[~mask] = seeds.max() + 1
        hills = np.repeat((255 - np.clip(away * 4, 0, 255)).astype(np.uint8)[:, :, None], 3, axis=2)
        labels = cv2.watershed(np.ascontiguousarray(hills), seeds.copy())
        labels = np.where(mask & (labels > 0), labels, 0)
        for number, place in enumerate(ndimage.find_objects(labels), start=1):
            if place is None:
                continue
            inside = labels[place] == number
            high, wide = inside.shape
            if min(high, wide) < 8:
                continue
            colour = picture[place][inside]
            corners.append([place[1].start, place[0].start, place[1].stop, place[0].stop])
            about.append([np.log(inside.sum()), np.log(wide / high), inside.mean(), *colour.mean(0), *colour.std(0)])
    return np.array(corners, np.float64).reshape(-1, 4), np.array(about, np.float64)


def worst_first(found: Sequence[Boxes], true: Sequence[Boxes], thresholds: NDArray[np.float64]) -> NDArray[np.intp]:
    """Pictures by how many of their boxes were missed or are surplus, in parts of their true ones."""
    wrong = []
    for ours, theirs in zip(found, true, strict=True):
        own = ours.chosen(ours.scores >= thresholds[ours.classes])
        same = own.classes[:, None] == theirs.classes[None]
        hits = ((overlaps(own.corners, theirs.corners) >= 0.5) & same).any(0).sum()
        wrong.append((len(own) + len(theirs) - 2 * hits) / max(len(theirs), 1))
    return np.argsort(-np.array(wrong), kind="stable")


@click.command()
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder for drawn pictures.")
@click.option("--inner", is_flag=True, help="Judge on folds of the training pictures; nothing is written.")
def main(pictures: Path | None, inner: bool) -> None:
    """Measure how well boxes are learnt."""
    data = data_folder()
    if data is None:
        raise click.UsageError(f"{DATA_VARIABLE} is not set: it names the folder of real data.")
    encoder = ImageNetEncoder(RUNS / "generalist" / "imagenet.onnx")
    smears = read_smears(data / "medical" / "smear_bccd_boxes.zip")
    rows = smears.taught if inner else np.concatenate([smears.taught, smears.asked])
    start = time.process_time()
    features = dict(
        zip(
            rows.tolist(),
            pyramid_features(encoder, [smears.shown[row] for row in rows], side=SIDE, modality=None),
            strict=True,
        )
    )
    of_features = (time.process_time() - start) / len(rows)
    click.echo(f"features: {of_features:.2f} s a picture")
    known, boxes = (
        [features[row] for row in smears.taught.tolist()],
        [smears.boxes[row] for row in smears.taught.tolist()],
    )
    groups = codes_of(smears.groups[smears.taught])
    if inner:
        validated = validate_detector(encoder, known, boxes, groups, side=SIDE, labels=smears.labels)
        click.echo(rows_of(validated.figures, "folds of the training pictures"))
        if pictures is not None:
            draw_worst(pictures, smears, smears.taught, validated.found, validated.thresholds[0])
        return
    measured = measure(encoder, smears, features, of_features, pictures)
    RESULTS.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(measured), encoding="utf-8")


def measure(
    encoder: ImageNetEncoder,
    smears: Smears,
    features: dict[int, PyramidFeatures],
    of_features: float,
    pictures: Path | None,
) -> dict[str, Any]:
    """Learn from the training pictures, and open the others once."""
    taught, asked = smears.taught.tolist(), smears.asked.tolist()
    boxes, true = [smears.boxes[row] for row in taught], [smears.boxes[row] for row in asked]
    start = time.process_time()
    detector = fit_detector(
        encoder, [features[row] for row in taught], boxes, codes_of(smears.groups[smears.taught]),
        side=SIDE, labels=smears.labels,
    )  # fmt: skip
    to_fit = time.process_time() - start
    click.echo(f"fitted in {to_fit:.0f} s: {detector.choice}")
    start = time.process_time()
    found = [detect_all(detector, features[row]) for row in asked]
    a_picture = (time.process_time() - start) / len(asked)
    start = time.process_time()
    baseline = Components([smears.shown[row] for row in taught], boxes, len(smears.labels))
    seen = [baseline.find(smears.shown[row]) for row in taught]
    cuts = best_thresholds(seen, boxes, len(smears.labels))
    by_baseline = [baseline.find(smears.shown[row]) for row in asked]
    groups = codes_of(smears.groups[smears.asked])
    click.echo("found; intervals are drawn")
    figures = [
        detection_figures(one, true, groups, labels=smears.labels, thresholds=np.array(cut))
        for one, cut in ((found, detector.thresholds), (by_baseline, cuts))
    ]
    if pictures is not None:
        draw_worst(pictures, smears, smears.asked, found, np.array(detector.thresholds))
    return {
        "set": "smear_bccd_boxes",
        "taught": len(taught),
        "asked": len(asked),
        "groups_asked": len(np.unique(groups)),
        "boxes_taught": {
            label: int(sum((one.classes == number).sum() for one in boxes))
            for number, label in enumerate(smears.labels)
        },
        "taken": detector.choice.taken if detector.choice else "",
        "steps": [asdict(step) for step in detector.choice.steps] if detector.choice else [],
        "detector": asdict(figures[0]),
        "baseline": asdict(figures[1]),
        "seconds_of_features_a_picture": round(of_features, 3),
        "seconds_to_fit": round(to_fit, 1),
        "seconds_a_picture": round(a_picture, 3),
        "side": SIDE,
        "notes": list(smears.notes),
        "published": PUBLISHED,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{machine()}, one thread",
        "versions": {"python": platform.python_version(), **{one: version(one) for one in ("numpy", "onnxruntime")}},
    }


def draw_worst(
    folder: Path, smears: Smears, rows: NDArray[np.intp], found: Sequence[Boxes], thresholds: NDArray[np.float64]
) -> None:
    """Draw the five worst pictures and one from the middle."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    true = [smears.boxes[row] for row in rows.tolist()]
    order = worst_first(found, true, thresholds)
    for place in [*range(5), len(order) // 2]:
        row = int(order[place])
        own = found[row].chosen(found[row].scores >= thresholds[found[row].classes])
        drawn = draw_boxes(smears.shown[int(rows[row])], own, smears.labels, true=true[row])
        Image.fromarray(drawn).save(folder / f"worst_{place + 1:03d}.png")


def _told(estimate: Estimate | dict[str, Any]) -> str:
    one = estimate if isinstance(estimate, dict) else asdict(estimate)
    return f"{one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})"


def rows_of(figures: DetectionFigures | dict[str, Any], title: str) -> str:
    """Figures as a Markdown table."""
    one = figures if isinstance(figures, dict) else asdict(figures)
    froc = "; ".join(
        f"{alarms:g}: {_told(found)}" for alarms, found in zip(one["false_alarms"], one["froc"], strict=True)
    )
    lines = [
        f"## {title}",
        "",
        "| class | boxes | AP50 | AP75 | AP@[.5:.95] | found | right | pictures with it: found | without: clear |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for entry in one["classes"]:
        parts = [
            _told(entry[name])
            for name in ("ap50", "ap75", "ap", "sensitivity", "precision", "patients_found", "patients_clear")
        ]
        lines.append(f"| {entry['label']} | {entry['objects']} in {entry['pictures']} | {' | '.join(parts)} |")
    means = " | ".join(_told(one[name]) for name in ("map50", "map75", "map"))
    lines.append(f"| **mean** | | {means} | | | | |")
    lines += [
        "",
        f"FROC, sensitivity (overlap .5) by false alarms a picture: {froc}; mean {_told(one['froc_mean'])}.",
        "",
    ]
    return "\n".join(lines)


def table(document: dict[str, Any]) -> str:
    """The document as Markdown."""
    taught = ", ".join(f"{count} {label}" for label, count in document["boxes_taught"].items())
    steps = "; ".join(f"{step['name']}: loss {step['loss']:.3f}" for step in document["steps"])
    lines = [
        "# Detection from 200 pictures",
        "",
        "Written by `python -m benchmarks.object_detection`; do not edit. 95 % intervals (BCa bootstrap of groups of",
        "near-duplicates; of pictures with and without a class, Wilson). The encoder is ImageNet MobileNetV2 as it",
        "came, since the one that ships has been taught the boxes of this set.",
        'Nothing was chosen on the pictures that are asked for here. "Found" and "right" are at the threshold that was',
        "chosen on training folds; the baseline's was chosen on the training pictures.",
        "",
        (
            f"{document['set']}: {document['taught']} pictures to learn from ({taught}), {document['asked']} asked, in"
            f" {document['groups_asked']} groups."
        ),
        "",
        rows_of(document["detector"], f"Detector ({document['taken']})"),
        rows_of(document["baseline"], "Baseline: Otsu's threshold, watershed, named by size, colour and shape"),
        "## How it was measured",
        "",
        f"- Taken: {document['taken']} ({steps}).",
        (
            f"- {document['seconds_to_fit']:.0f} s to fit and {document['seconds_a_picture']:.2f} s a picture,"
            f" and before both {document['seconds_of_features_a_picture']:.2f} s a picture for the features at"
            f" {document['side']} pixels (processor time)."
        ),
        f"- {document['date']}, {document['machine']}.",
        f"- Published: {document['published']}.",
        *[f"- {note}." for note in document["notes"]],
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
