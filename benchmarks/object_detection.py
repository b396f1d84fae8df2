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
import pickle
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
from consilium.specialist.detection.boxes import Boxes, merged, no_boxes, overlaps, within
from consilium.specialist.detection.cross_validate import validate_detector
from consilium.specialist.detection.detector import SIDE, detect_all, fit_detector
from consilium.specialist.detection.draw import draw_boxes
from consilium.specialist.detection.labelled_boxes import read_case_boxes
from consilium.specialist.detection.pyramid import PyramidFeatures, pyramid_features
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.segmentation.segment_file import read_picture
from consilium.specialist.splits import codes_of
from consilium.specialist.two_sides import Picture
from training.cells import RUNS

RESULTS = Path(__file__).parent / "results" / "object_detection.json"
TAUGHT = 200
TIMED = 10
SEED = 20261126

PUBLISHED = (
    "YOLOv8n mAP50 0.893 and YOLOv8m 0.918 on the validation part of a set with the same three classes, by its looks"
    " another division of this one (model cards, huggingface.co/keremberke/yolov8n-blood-cell-detection and"
    " yolov8m-blood-cell-detection, self-reported, read there); networks trained whole, other pictures than here"
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
    """The baseline: Otsu's thresholds, discs by the distance transform, and a name by size, colour and shape.

    Parts of the training pictures that overlap a true box (.3) are its class, the others are background; each class is
    a normal distribution with a covariance of its own, and its boxes are scaled by what they are mostly too small.
    """

    def __init__(self, shown: Sequence[Picture], boxes: Sequence[Boxes], classes: int) -> None:
        described: list[list[NDArray[np.float64]]] = [[] for _ in range(classes + 1)]
        sizes: list[list[NDArray[np.float64]]] = [[] for _ in range(classes)]
        for picture, true in zip(shown, boxes, strict=True):
            corners, about = parts_of(picture)
            if not len(corners):
                continue
            shared = overlaps(corners, true.corners)
            for row, best in enumerate(shared.argmax(1)):
                near = shared[row, best] >= 0.3
                number = int(true.classes[best])
                described[number + 1 if near else 0].append(about[row])
                if near:
                    sizes[number].append(_size(true.corners[best]) / _size(corners[row]))
        self._scales = np.array([np.median(one, 0) if one else np.ones(2) for one in sizes])
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
        middle = (corners[rows, :2] + corners[rows, 2:]) / 2
        half = (corners[rows, 2:] - corners[rows, :2]) / 2 * self._scales[numbers]
        scaled = within(np.concatenate([middle - half, middle + half], 1), (picture.shape[0], picture.shape[1]))
        found = Boxes(corners=scaled, classes=np.asarray(numbers, np.intp), scores=likely[rows, numbers + 1])
        return merged(found, apart=0.45, together=1.0, most=100)


def _size(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    return corners[2:] - corners[:2]


def parts_of(picture: Picture) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Boxes (n, 4) of discs darker than the ground in green and of what is stained deep, and what they look like."""
    import cv2

    levels = [picture[:, :, 1], 1 - np.clip(picture.max(2) - picture[:, :, 1], 0, 1)]
    dark, deep = (
        cv2.threshold(
            cv2.GaussianBlur((one * 255).astype(np.uint8), (0, 0), 2), 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU
        )[1]
        > 0
        for one in levels
    )
    corners: list[list[float]] = []
    filled = ndimage.binary_fill_holes(dark)
    away = ndimage.distance_transform_edt(filled)
    smooth = ndimage.gaussian_filter(away, 3)
    peaks, count = ndimage.label((smooth == ndimage.maximum_filter(smooth, 41)) & filled & (away >= 8))
    for row, column in ndimage.center_of_mass(peaks > 0, peaks, range(1, count + 1)):
        half = float(away[round(row), round(column)]) + 2
        corners.append([column - half, row - half, column + half, row + half])
    lumps, _ = ndimage.label(ndimage.binary_closing(np.pad(deep, 20), iterations=12)[20:-20, 20:-20])
    for place in ndimage.find_objects(lumps):
        if min(one.stop - one.start for one in place) >= 8:
            corners.append([place[1].start, place[0].start, place[1].stop, place[0].stop])
    boxes = within(np.array(corners, np.float64).reshape(-1, 4), (picture.shape[0], picture.shape[1]), smallest=4)
    about = []
    for left, top, right, bottom in boxes.astype(int).tolist():
        part = picture[top:bottom, left:right]
        about.append(
            [np.log((right - left) * (bottom - top)), np.log((right - left) / (bottom - top)),
             deep[top:bottom, left:right].mean(), *part.mean((0, 1)), *part.std((0, 1))]
        )  # fmt: skip
    return boxes, np.array(about, np.float64)


def kept_features(
    encoder: ImageNetEncoder, smears: Smears, rows: NDArray[np.intp]
) -> tuple[dict[int, PyramidFeatures], float]:
    """Features of some pictures, and the seconds one took; kept in `CONSILIUM_RUNS` for the next time.

    Those of `TIMED` pictures are always made anew: for the time, and to see that what was kept is still so.
    """
    start = time.process_time()
    timed = rows[:TIMED].tolist()
    fresh = pyramid_features(encoder, [smears.shown[row] for row in timed], side=SIDE, modality=None)
    seconds = (time.process_time() - start) / len(timed)
    features = dict(zip(timed, fresh, strict=True))
    file = RUNS / "object_detection" / f"features_{SIDE}.pickle"
    kept: dict[int, PyramidFeatures] = pickle.loads(file.read_bytes()) if file.exists() else {}
    for row in timed:
        old = kept.get(row)
        if old is not None and not all(
            np.allclose(ours, theirs, atol=0.05) for ours, theirs in zip(old.levels, features[row].levels, strict=True)
        ):
            raise click.ClickException(f"{file} has features of something else; delete it.")
    for row in rows.tolist():
        if row not in features:
            found = kept.get(row)
            if found is None:
                (found,) = pyramid_features(encoder, [smears.shown[row]], side=SIDE, modality=None)
            features[row] = found
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pickle.dumps({**kept, **features}, protocol=5))
    return features, seconds


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
    features, of_features = kept_features(encoder, smears, rows)
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
    text = json.dumps(_defined(measured), indent=1, ensure_ascii=False, allow_nan=False)
    RESULTS.write_text(text + "\n", encoding="utf-8")
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


def _defined(value: Any) -> Any:
    """Values that JSON knows: what is not defined becomes null."""
    if isinstance(value, dict):
        return {name: _defined(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_defined(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _told(estimate: Estimate | dict[str, Any]) -> str:
    one = estimate if isinstance(estimate, dict) else asdict(estimate)
    if any(one[name] is None or not np.isfinite(one[name]) for name in ("value", "low", "high")):
        return "not defined"
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
        rows_of(
            document["baseline"],
            "Baseline: Otsu's thresholds, discs by distance transform, named by size, colour and shape",
        ),
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
