"""How well outlines are learnt from 24 volumes or 150 pictures: `python -m benchmarks.segmentation` (15 minutes).

Three sets: one lesion a picture (breast ultrasound), many touching objects (nuclei), two classes in volumes
(hippocampus).
Cases are dealt out into four folds that no duplicate crosses; everything, the choice of the classifier and of the
threshold included, is learnt on three of them and measured on the fourth. Each figure is the mean over the cases with
the BCa bootstrap of groups.

The encoder is ImageNet MobileNetV2 as it came (`CONSILIUM_RUNS/generalist/imagenet.onnx`, see
docs/how-to/retrain-the-generalist.md), which has seen none of these sets. An encoder that was trained on them here
would give figures that are too good.

`benchmarks/results/segmentation.json` and `.md` get the figures; with `--overlays FOLDER`, the best, median and worst
cases are drawn there.
"""

from __future__ import annotations

import csv
import io
import json
import platform
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.probe import duplicate_groups
from benchmarks.results import machine
from consilium.generalist.encoder import Features, Level, Pictures
from consilium.generalist.pictures import as_square
from consilium.settings import DATA_VARIABLE, data_folder
from consilium.specialist.evidence.intervals import Estimate, bootstrap
from consilium.specialist.segmentation.mask_file import read_mask, read_volume, spread_volume
from consilium.specialist.segmentation.objects import edges_of
from consilium.specialist.segmentation.overlap import Labels, dice, objects_found, surface_agreement
from consilium.specialist.segmentation.pixel_classifier import draw_pixels
from consilium.specialist.segmentation.pixel_features import PixelFeatures, pixel_features
from consilium.specialist.segmentation.segmenter import (
    THRESHOLDS,
    Rule,
    Segmenter,
    apply_rule,
    fit_segmenter,
    segment_features,
)
from consilium.specialist.segmentation.volume_segmenter import fit_volume_segmenter, section_features, segment_volume
from consilium.specialist.splits import codes_of
from training.cells import RUNS

RESULTS = Path(__file__).parent / "results" / "segmentation.json"
FOLDS = 4
CASES, VOLUMES = 200, 32
SEED = 20261126
SIDE, SIDE_OF_VOLUMES = 256, 128
TOLERANCE = 2.0
TOLERANCE_MM = 1.0
COMPONENTS = 48
BOOSTED = ("us_busi_breast",)
"""Sets on which gradient boosting is measured beside it; it takes longer than all else together."""
PIXELS = 450

PUBLISHED = {
    "us_busi_breast": "BUS-Set (Med Phys 2023, PMID 36794706): Mask R-CNN, the best of nine, Dice 0.851 on 1,154"
    " pictures of four sets, read in the abstract; nnU-Net on BUSI about 0.80, not verified",
    "fluo_dsb2018": "StarDist 0.86 and U-Net 0.81 AP@0.5 on its fluorescence part (Schmidt et al. 2018), not verified;"
    " other pictures and sizes than here",
    "mr_hippocampus_nifti": "nnU-Net 0.90 anterior and 0.89 posterior (Medical Segmentation Decathlon), not verified;"
    " 260 cases to learn from",
}


class ImageNetEncoder:
    """MobileNetV2 as it came, which no picture of these sets has been shown to."""

    name = "ImageNet MobileNetV2"
    fingerprint = "imagenet"
    side = 128
    dimensions = 0
    levels = tuple(Level(stride=stride, channels=count) for stride, count in ((4, 24), (8, 32), (16, 96), (32, 320)))

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def embed(self, images: Pictures, modality: str | None = None, *, levels: bool = True) -> Features:
        """Levels only; the modality means nothing to it."""
        names = [f"level{level.stride}" for level in self.levels]
        told = np.full(len(images), 19, np.int64)
        found = self._session.run(names, {"images": np.ascontiguousarray(images), "modality": told})
        return Features(image=np.empty((len(images), 0), np.float32), levels=tuple(found) if levels else ())


@dataclass(frozen=True, kw_only=True)
class Cases:
    """Pictures or volumes with their masks, and which hang together."""

    shown: list[NDArray[np.float32]]
    masks: list[Labels]
    groups: NDArray[np.intp]


@dataclass(kw_only=True)
class Measured:
    """Figures of one set."""

    name: str
    cases: int
    groups: int
    taught: int
    figures: dict[str, Estimate] = field(default_factory=dict)
    spread: dict[str, list[float]] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    seconds_to_fit: float = 0.0
    seconds_a_case: float = 0.0


def read_pictures(path: Path, *, without: str = "") -> Cases:
    """Draw `CASES` pictures of a set, those with a label left out."""
    from PIL import Image

    with zipfile.ZipFile(path) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode())))
        rows = [row for row in rows if not without or row["label"] != without]
        chosen = np.sort(np.random.default_rng(SEED).permutation(len(rows))[:CASES])
        shown, masks = [], []
        for row in (rows[number] for number in chosen):
            picture = Image.open(io.BytesIO(archive.read(row["file"]))).convert("RGB")
            shown.append(np.asarray(picture, np.float32) / np.float32(255))
            masks.append(np.asarray(Image.open(io.BytesIO(archive.read(row["mask"])))).astype(np.intp))
    small = np.stack([(as_square(one, 64) * 255).astype(np.uint8) for one in shown])
    return Cases(shown=shown, masks=masks, groups=codes_of(duplicate_groups(small, [str(n) for n in chosen])))


def read_volumes(path: Path) -> Cases:
    """The first `VOLUMES` of the hippocampus set, values spread to 0..1."""
    shown, masks = [], []
    with TemporaryDirectory() as folder:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        for file in sorted(Path(folder, "images").iterdir())[:VOLUMES]:
            shown.append(spread_volume(read_volume(file)[0]))
            masks.append(read_mask(Path(folder, "labels", file.name)))
    return Cases(shown=shown, masks=masks, groups=np.arange(len(shown)))


def folds_of(groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """The fold of each case; groups stay together."""
    order = np.random.default_rng(SEED).permutation(int(groups.max()) + 1)
    return np.asarray(order[groups] % FOLDS, np.intp)


def mean_of(values: NDArray[np.float64], groups: NDArray[np.intp]) -> Estimate:
    """Mean over the cases with its interval."""
    return bootstrap(lambda weights: float(weights @ values / weights.sum()), groups)


def boosted(
    features: Sequence[PixelFeatures],
    masks: Sequence[Labels],
    taught: NDArray[np.intp],
    asked: NDArray[np.intp],
    rule: Rule,
) -> list[Labels]:
    """The same task by gradient boosting on principal components (scikit-learn); threshold by a fourth of the cases."""
    from sklearn.decomposition import PCA
    from sklearn.ensemble import HistGradientBoostingClassifier

    targets = [edges_of(mask) if rule.kind == "objects" else mask for mask in masks]
    rng = np.random.default_rng(SEED)

    def fitted(chosen: NDArray[np.intp]) -> Callable[[PixelFeatures], NDArray[np.float32]]:
        drawn, truth = draw_pixels([features[i] for i in chosen], [targets[i] for i in chosen], most=PIXELS, rng=rng)
        middle, scale = drawn.mean(0), drawn.std(0) + 1e-6
        components = PCA(COMPONENTS, random_state=0).fit((drawn - middle) / scale).components_.T / scale[:, None]
        components = components.astype(np.float32)
        trees = HistGradientBoostingClassifier(max_iter=80, random_state=0).fit(drawn @ components, truth)

        def probabilities(one: PixelFeatures) -> NDArray[np.float32]:
            found = trees.predict_proba(one.projected(components).reshape(-1, COMPONENTS))
            return np.asarray(found.T.reshape(-1, *one.shape), np.float32)

        return probabilities

    held = taught[::4]
    probabilities = fitted(np.setdiff1d(taught, held))
    seen = [probabilities(features[case]) for case in held]
    worth = [
        np.mean(
            [dice(apply_rule(one, _at(rule, cut)) > 0, masks[case] > 0) for one, case in zip(seen, held, strict=True)]
        )
        for cut in THRESHOLDS
    ]
    final = _at(rule, THRESHOLDS[int(np.argmax(worth))])
    probabilities = fitted(taught)
    return [apply_rule(probabilities(features[case]), final) for case in asked]


def _at(rule: Rule, threshold: float) -> Rule:
    return Rule(kind=rule.kind, threshold=threshold, smoothing=rule.smoothing, smallest=rule.smallest)


def measure_pictures(
    name: str, cases: Cases, encoder: ImageNetEncoder, *, instances: bool
) -> tuple[Measured, list[Labels]]:
    """Cross-validate on pictures, gradient boosting beside it on the same folds."""
    features = pixel_features(encoder, cases.shown, side=SIDE, modality=None)
    fold = folds_of(cases.groups)
    found: list[Labels] = [np.empty(0, np.intp)] * len(fold)
    trees: list[Labels] = list(found)
    measured = Measured(name=name, cases=len(fold), groups=int(cases.groups.max()) + 1, taught=int((fold != 0).sum()))
    for part in range(FOLDS):
        taught, asked = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
        start = time.perf_counter()
        segmenter: Segmenter = fit_segmenter(
            encoder, [features[i] for i in taught], [cases.masks[i] for i in taught], codes_of(cases.groups[taught]),
            side=SIDE, instances=instances,
        )  # fmt: skip
        measured.seconds_to_fit += (time.perf_counter() - start) / FOLDS
        assert segmenter.choice is not None
        measured.taken.append(segmenter.choice.taken)
        start = time.perf_counter()
        for case in asked:
            found[case] = segment_features(segmenter, features[case])
        measured.seconds_a_case += (time.perf_counter() - start) / len(fold)
        if name in BOOSTED:
            for case, mask in zip(asked, boosted(features, cases.masks, taught, asked, segmenter.rule), strict=True):
                trees[case] = mask
        click.echo(f"{name}: fold {part + 1} of {FOLDS}")
    ways = [("", found), (", gradient boosting", trees)]
    for suffix, masks in ways if name in BOOSTED else ways[:1]:
        _add(measured, f"Dice{suffix}", [dice(a > 0, b > 0) for a, b in zip(masks, cases.masks, strict=True)], cases)
        if instances:
            pairs = [objects_found(a, b) for a, b in zip(masks, cases.masks, strict=True)]
            _add(measured, f"AP@0.5{suffix}", [pair.precision for pair in pairs], cases)
            off = [abs(pair.surplus - pair.missed) / max(pair.hits + pair.missed, 1) for pair in pairs]
            _add(measured, f"relative error of the count{suffix}", off, cases)
    _add_surfaces(measured, "", found, cases, TOLERANCE)
    return measured, found


def measure_volumes(name: str, cases: Cases, encoder: ImageNetEncoder) -> tuple[Measured, list[Labels]]:
    """Cross-validate on volumes."""
    features = [section_features(encoder, one, side=SIDE_OF_VOLUMES, modality=None) for one in cases.shown]
    fold = folds_of(cases.groups)
    found: list[Labels] = [np.empty(0, np.intp)] * len(fold)
    measured = Measured(name=name, cases=len(fold), groups=len(fold), taught=int((fold != 0).sum()))
    for part in range(FOLDS):
        taught, asked = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
        start = time.perf_counter()
        segmenter = fit_volume_segmenter(
            encoder, [features[i] for i in taught], [cases.masks[i] for i in taught], np.arange(len(taught)),
            side=SIDE_OF_VOLUMES, labels=("anterior", "posterior"),
        )  # fmt: skip
        measured.seconds_to_fit += (time.perf_counter() - start) / FOLDS
        measured.taken += [one.choice.taken for one in segmenter.axes if one.choice]
        start = time.perf_counter()
        for case in asked:
            found[case] = segment_volume(segmenter, features[case])
        measured.seconds_a_case += (time.perf_counter() - start) / len(fold)
        click.echo(f"{name}: fold {part + 1} of {FOLDS}")
    for number, label in ((1, "anterior"), (2, "posterior")):
        ours, theirs = [one == number for one in found], [one == number for one in cases.masks]
        _add(measured, f"Dice, {label}", [dice(a, b) for a, b in zip(ours, theirs, strict=True)], cases)
        _add_surfaces(measured, f", {label}", ours, cases, TOLERANCE_MM, number=number)
    return measured, found


def _add(measured: Measured, name: str, values: Sequence[float], cases: Cases) -> None:
    array = np.asarray(values, np.float64)
    measured.figures[name] = mean_of(array, cases.groups)
    measured.spread[name] = [round(float(one), 4) for one in np.percentile(array, [0, 10, 25, 50, 75, 90, 100])]


def _add_surfaces(
    measured: Measured, suffix: str, found: Sequence[NDArray[Any]], cases: Cases, tolerance: float, *, number: int = 0
) -> None:
    true = [mask == number if number else mask > 0 for mask in cases.masks]
    pairs = [surface_agreement(a > 0, b, tolerance=tolerance) for a, b in zip(found, true, strict=True)]
    _add(measured, f"normalised surface distance{suffix}", [pair.normalised for pair in pairs], cases)
    _add(measured, f"HD95{suffix}", [pair.hausdorff95 for pair in pairs], cases)


def draw_overlays(folder: Path, name: str, cases: Cases, found: Sequence[Labels]) -> None:
    """Best, median and worst cases side by side: truth in green, ours in red."""
    from PIL import Image
    from scipy import ndimage

    order = np.argsort([dice(a > 0, b > 0) for a, b in zip(found, cases.masks, strict=True)])
    chosen = [*order[:4], *order[len(order) // 2 - 2 : len(order) // 2 + 2], *order[-4:]]
    tiles = []
    for case in chosen:
        shown, ours, true = cases.shown[case], found[case], cases.masks[case]
        if true.ndim == 3:
            at = int(np.argmax((true > 0).sum((1, 2))))
            shown, ours, true = np.repeat(shown[at][:, :, None], 3, 2), ours[at], true[at]
        colours = (as_square(np.ascontiguousarray(shown), 256) * 255).astype(np.uint8)
        for mask, colour in ((true, (0, 255, 0)), (ours, (255, 0, 0))):
            large = np.asarray(Image.fromarray(mask.astype(np.int32)).resize((256, 256), Image.Resampling.NEAREST))
            colours[ndimage.maximum_filter(large, 3) != ndimage.minimum_filter(large, 3)] = colour
        tiles.append(colours)
    rows = [np.hstack(tiles[start : start + 4]) for start in range(0, 12, 4)]
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(folder / f"{name}.png")


def write(measured: Measured) -> None:
    """Put the figures of a set into the file of results, beside the others, and the table beside it."""
    document: dict[str, Any] = {"sets": {}}
    if RESULTS.exists():
        document = json.loads(RESULTS.read_text(encoding="utf-8"))
    document["sets"][measured.name] = {
        **asdict(measured),
        "published": PUBLISHED[measured.name],
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{machine()}, one thread",
        "versions": {"python": platform.python_version(), **{one: version(one) for one in ("numpy", "onnxruntime")}},
    }
    RESULTS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(document), encoding="utf-8")


def table(document: dict[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        "# Segmentation from 24 volumes or 150 pictures",
        "",
        "Written by `python -m benchmarks.segmentation`; do not edit. Means over the cases with 95 % intervals (BCa",
        f"bootstrap of groups), {FOLDS} folds that no duplicate crosses. The encoder is ImageNet MobileNetV2 as it",
        "came, which has seen none of these sets. Distances are pixels of pictures at most 256 a side,",
        f"millimetres in volumes (tolerance {TOLERANCE:g} pixels, {TOLERANCE_MM:g} mm).",
        "",
        "| set | figure | mean | 10th percentile | median | 90th percentile |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in document["sets"].items():
        for figure, value in one["figures"].items():
            spread = one["spread"][figure]
            lines.append(
                f"| {name} | {figure} | {value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f}) |"
                f" {spread[1]:.3f} | {spread[3]:.3f} | {spread[5]:.3f} |"
            )
    lines += ["", "## Beside it, and how it was measured", ""]
    for name, one in document["sets"].items():
        taken = ", ".join(f"{way} {one['taken'].count(way)} times" for way in sorted(set(one["taken"])))
        lines.append(
            f"- **{name}**: {one['cases']} cases in {one['groups']} groups, {one['taught']} to learn from;"
            f" taken: {taken}; {one['seconds_to_fit']:.0f} s to fit, {one['seconds_a_case']:.2f} s a case,"
            f" features not counted; {one['date']}, {one['machine']}. Published: {one['published']}."
        )
    return "\n".join([*lines, ""])


SETS = ("us_busi_breast", "fluo_dsb2018", "mr_hippocampus_nifti")


@click.command()
@click.option("--set", "names", multiple=True, type=click.Choice(SETS), default=SETS, help="Only these sets.")
@click.option("--overlays", type=click.Path(path_type=Path), help="Folder for pictures of the outlines.")
def main(names: tuple[str, ...], overlays: Path | None) -> None:
    """Measure how well outlines are learnt."""
    data = data_folder()
    if data is None:
        raise click.UsageError(f"{DATA_VARIABLE} is not set: it names the folder of real data.")
    encoder = ImageNetEncoder(RUNS / "generalist" / "imagenet.onnx")
    for name in names:
        path = data / "medical" / f"{name}.zip"
        if name == "mr_hippocampus_nifti":
            cases = read_volumes(path)
            measured, found = measure_volumes(name, cases, encoder)
        else:
            cases = read_pictures(path, without="normal")
            if name == "us_busi_breast":
                cases = Cases(
                    shown=cases.shown, masks=[(m > 127).astype(np.intp) for m in cases.masks], groups=cases.groups
                )
            measured, found = measure_pictures(name, cases, encoder, instances=name == "fluo_dsb2018")
        write(measured)
        if overlays is not None:
            draw_overlays(overlays, name, cases, found)


if __name__ == "__main__":
    main()
