"""Choose thresholds and calibrate confidences on validation cells: `python -m training.calibrate`.

Runs the shipped pipeline (so: after `python -m training.export`) over the validation part of the train split and
writes `runs/calibration.json`; a second `python -m training.export` puts it into the cards. The test part is
never opened.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
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

SAME_OBJECT = (0.4, 0.45, 0.5, 0.6)
"""Limits of mask IoU to choose from; lower would drop a short chromosome lying on one three times as long (0.33)."""


@dataclass(frozen=True)
class Seen:
    """What the pipeline saw in one validation cell, before any threshold."""

    cell: Cell
    proposals: find.Proposals

    def kept(self, threshold: float, same_object: float) -> list[int]:
        """Proposals that are reported."""
        return find.chromosomes_among(self.proposals, threshold=threshold, same_object=same_object)


def see(cell: Cell) -> Seen:
    cv2.setNumThreads(1)
    darkness = cell.darkness.astype(np.float32) / DARKNESS_SCALE
    return Seen(cell, find.look_again(darkness, *find.propose(darkness, threads=1), threads=1))


def name(seen: Seen, kept: list[int]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Logits (n, 24) of the objects that were kept, and their true classes, -1 where there is none."""
    darkness = seen.cell.darkness.astype(np.float32) / DARKNESS_SCALE
    read = strips(darkness, [_instance(seen, k) for k in kept])
    network = model("classifier", threads=1)
    upright = network.run(strips=read.images, geometry=read.geometry)
    turned = network.run(strips=np.ascontiguousarray(read.images[:, :, ::-1, ::-1]), geometry=read.geometry)
    truth = np.full(len(kept), -1, np.intp)
    for found, true in match(seen.proposals.boxes[kept], seen.proposals.worth[kept], seen.cell.boxes):
        truth[found] = seen.cell.labels[true]
    return np.asarray((upright["logits"] + turned["logits"]) / 2, np.float32), truth


def _instance(seen: Seen, k: int) -> Instance:
    mask, origin = seen.proposals.masks[k]
    xmin, ymin, xmax, ymax = (float(v) for v in seen.proposals.boxes[k])
    return Instance(box=(xmin, ymin, xmax, ymax), mask=mask, origin=origin, score=float(seen.proposals.worth[k]))


def detection(cells: list[Seen]) -> dict[str, float]:
    """Worth and mask IoU of one object with the best F1; ties: the most cells counted exactly."""
    tried = []
    true = sum(len(s.cell.boxes) for s in cells)
    for same_object in SAME_OBJECT:
        for threshold in np.arange(0.3, 0.61, 0.025):
            kept = [seen.kept(float(threshold), same_object) for seen in cells]
            hits = sum(
                len(match(s.proposals.boxes[k], s.proposals.worth[k], s.cell.boxes))
                for s, k in zip(cells, kept, strict=True)
            )
            found = sum(map(len, kept))
            exact = np.mean([len(k) == len(s.cell.boxes) for s, k in zip(cells, kept, strict=True)])
            tried.append((2 * hits / (found + true), float(exact), same_object, round(float(threshold), 3)))
            print(
                f"same object {same_object} threshold {threshold:.3f} recall {hits / true:.4f} "
                f"precision {hits / found:.4f} exact {exact:.3f}"
            )
    _, _, same_object, threshold = max(tried)
    return {"threshold": threshold, "same_object": same_object}


def naming(matched: list[tuple[NDArray[np.float32], NDArray[np.intp]]]) -> dict[str, float]:
    """Temperature by likelihood, cost of an extra copy by accuracy, confidence by logistic regression."""
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
        kept = [one.kept(chosen["threshold"], chosen["same_object"]) for one in seen]
        chosen |= naming(list(pool.map(name, seen, kept, chunksize=8)))
    print(chosen)
    by_model = {
        "amodal": {key: chosen.pop(key) for key in ("threshold", "same_object")},
        "classifier": chosen,
    }
    (RUNS / "calibration.json").write_text(json.dumps(by_model, indent=2) + "\n")


if __name__ == "__main__":
    main()
