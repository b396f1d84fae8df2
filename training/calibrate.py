"""Choose thresholds and calibrate confidences on validation cells: `python -m training.calibrate`.

Runs the shipped pipeline (so: after `python -m training.export`) over the validation part of the train split and
writes `runs/calibration.json`; a second `python -m training.export` puts it into the cards. The test part is
never opened.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from consilium.karyotype import find
from consilium.karyotype.assign import assign
from consilium.karyotype.classify import _softmax
from consilium.karyotype.metaphase import CLASSES, Instance
from consilium.karyotype.models import model
from consilium.karyotype.strip import strips
from training.cells import DARKNESS_SCALE, RUNS, Cell, load_cells
from training.matching import match

LOWEST = 0.15
"""Detections under this score are never of interest."""


@dataclass(frozen=True)
class Seen:
    """What the pipeline saw in one validation cell, before any threshold."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    logits: NDArray[np.float32]
    truth: NDArray[np.float32]
    labels: NDArray[np.int16]


def see(cell: Cell) -> Seen:
    darkness = cell.darkness.astype(np.float32) / DARKNESS_SCALE
    boxes, scores = find.detect(darkness, threads=1, threshold=LOWEST)
    masks = find.segment(darkness, boxes, threads=1)
    kept = find.distinct(masks, scores)
    instances = [
        Instance(box=tuple(boxes[k].tolist()), mask=masks[k][0], origin=masks[k][1], score=float(scores[k]))
        for k in kept
    ]
    # Objects that a higher threshold will drop must not stand among those compared.
    usual = [i for i, k in enumerate(kept) if scores[k] > 0.35]
    logits = np.full((len(kept), len(CLASSES)), -20.0, np.float32)
    read = strips(darkness, [instances[i] for i in usual])
    network = model("classifier", threads=1)
    upright = network.run(strips=read.images, geometry=read.geometry)
    turned = network.run(strips=np.ascontiguousarray(read.images[:, :, ::-1, ::-1]), geometry=read.geometry)
    logits[usual] = (upright["logits"] + turned["logits"]) / 2
    return Seen(boxes[kept], scores[kept], logits, cell.boxes, cell.labels)


def detection(cells: list[Seen]) -> dict[str, float]:
    """The score threshold with the most cells counted exactly (ties: the better F1)."""
    best = (-1.0, -1.0, 0.35)
    for threshold in np.arange(0.2, 0.71, 0.025):
        exact = hits = found = true = 0
        for seen in cells:
            keep = seen.scores > threshold
            hits += len(match(seen.boxes[keep], seen.scores[keep], seen.truth))
            found += int(keep.sum())
            true += len(seen.truth)
            exact += int(keep.sum()) == len(seen.truth)
        f1 = 2 * hits / (found + true)
        share = exact / len(cells)
        print(f"threshold {threshold:.3f} recall {hits / true:.4f} precision {hits / found:.4f} exact {share:.3f}")
        best = max(best, (share, f1, float(threshold)))
    return {"threshold": round(best[2], 3)}


def naming(cells: list[Seen], threshold: float) -> dict[str, float]:
    """Temperature by likelihood, cost of an extra copy by accuracy, confidence by logistic regression."""
    matched = []
    for seen in cells:
        keep = seen.scores > max(threshold, 0.35)
        pairs = match(seen.boxes[keep], seen.scores[keep], seen.truth)
        truth = np.full(int(keep.sum()), -1)
        for found, true in pairs:
            truth[found] = seen.labels[true]
        matched.append((seen.logits[keep], truth))
    logits = np.concatenate([x for x, _ in matched])
    truth = np.concatenate([y for _, y in matched])
    known = truth >= 0

    def cost(t: float) -> float:
        return -float(np.log(_softmax(logits[known] / t)[np.arange(known.sum()), truth[known]] + 1e-12).mean())

    temperature = float(minimize_scalar(cost, bounds=(0.3, 4), method="bounded").x)
    best = (-1.0, 0.0)
    for extra in (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0):
        right = whole = 0
        for x, y in matched:
            names = assign(_softmax(x / temperature), extra_copy=extra, margin_scale=1, margin_offset=0).labels
            ok = [t >= 0 and n == CLASSES[t] for n, t in zip(names, y, strict=True)]
            right += sum(ok)
            whole += all(ok)
        print(f"extra copy costs {extra}: right {right / known.sum():.4f} cells all right {whole / len(matched):.3f}")
        if right / known.sum() > best[0] + 1e-9:
            best = (right / known.sum(), extra)
    margins, ok = [], []
    for x, y in matched:
        given = assign(_softmax(x / temperature), extra_copy=best[1], margin_scale=1, margin_offset=0)
        c = np.clip(given.confidences.astype(np.float64), 1e-6, 1 - 1e-6)
        margins.append(np.log(c / (1 - c)))
        ok.append([t >= 0 and n == CLASSES[t] for n, t in zip(given.labels, y, strict=True)])
    margin, right_name = np.clip(np.concatenate(margins), 0, 12), np.concatenate(ok)

    def logistic(p: NDArray[np.float64]) -> float:
        z = margin / p[0] + p[1]
        return float(np.mean(np.logaddexp(0, -np.where(right_name, z, -z))))

    scale, offset = minimize(logistic, [1.5, 0.0], method="Nelder-Mead").x
    return {
        "temperature": round(temperature, 4), "extra_copy": best[1],
        "margin_scale": round(float(scale), 4), "margin_offset": round(float(offset), 4),
    }  # fmt: skip


def main() -> None:
    held = [c for c in load_cells("tseng2023") if c.part == "validation"]
    with ProcessPoolExecutor(2) as pool:
        seen = list(pool.map(see, held, chunksize=8))
    chosen = detection(seen)
    chosen |= naming(seen, chosen["threshold"])
    print(chosen)
    (RUNS / "calibration.json").write_text(json.dumps(chosen, indent=2) + "\n")


if __name__ == "__main__":
    main()
