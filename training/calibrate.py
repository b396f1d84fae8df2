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
from scipy.special import logit

from consilium.karyotype import find
from consilium.karyotype.assign import assign
from consilium.karyotype.choose import choose
from consilium.karyotype.classify import _softmax
from consilium.karyotype.metaphase import CLASSES, Instance
from consilium.karyotype.models import model
from consilium.karyotype.proposals import Proposals, box_iou
from consilium.karyotype.rescore import rescored
from consilium.karyotype.strip import strips
from training.cells import CORES, DARKNESS_SCALE, RUNS, Cell, load_cells
from training.matching import match

SAME_OBJECT = (0.4, 0.45, 0.5, 0.6)
"""Limits of mask IoU to choose from; lower would drop a short chromosome lying on one three times as long (0.33)."""

CANDIDATE = 0.2
"""Worth from which an object may be a chromosome: on validation cells, less was never needed to complete a cell."""

PART_OF = 0.3
"""An object that shares this much with a true chromosome goes when that chromosome is taken out of the cell."""


@dataclass(frozen=True)
class Seen:
    """What the pipeline saw in one validation cell, before any threshold."""

    cell: Cell
    proposals: Proposals

    def kept(self, threshold: float, same_object: float) -> list[int]:
        """Proposals that are reported."""
        return find.chromosomes_among(self.proposals, threshold=threshold, same_object=same_object)


def see(cell: Cell) -> Seen:
    cv2.setNumThreads(1)
    darkness = cell.darkness.astype(np.float32) / DARKNESS_SCALE
    return Seen(cell, rescored(darkness, find.seen_twice(darkness, threads=1), cell.width, threads=1))


@dataclass(frozen=True)
class Named:
    """What may be a chromosome in one cell, and what each is.

    Attributes:
        logits: (n, 24) float32 of the classifier.
        objects: the objects, with their worth as score.
        truth: (n,) the true class, -1 where it is none.
        nearest: (n,) the true chromosome most of it is, -1 where it is hardly any.
        labels: the true classes of the cell.
    """

    logits: NDArray[np.float32]
    objects: list[Instance]
    truth: NDArray[np.intp]
    nearest: NDArray[np.intp]
    labels: NDArray[np.intp]

    def of(self, kept: NDArray[np.intp] | NDArray[np.bool_]) -> Named:
        """Some of the objects."""
        chosen = np.arange(len(self.truth))[kept]
        objects = [self.objects[k] for k in chosen]
        return Named(self.logits[chosen], objects, self.truth[chosen], self.nearest[chosen], self.labels)


def name(seen: Seen, kept: list[int]) -> Named:
    """Read the objects that may be chromosomes."""
    darkness = seen.cell.darkness.astype(np.float32) / DARKNESS_SCALE
    objects = [_instance(seen, k) for k in kept]
    read = strips(darkness, objects)
    network = model("classifier", threads=1)
    upright = network.run(strips=read.images, geometry=read.geometry)
    turned = network.run(strips=np.ascontiguousarray(read.images[:, :, ::-1, ::-1]), geometry=read.geometry)
    boxes, labels = seen.proposals.boxes[kept], np.asarray(seen.cell.labels, np.intp)
    truth = np.full(len(kept), -1, np.intp)
    for found, true in match(boxes, seen.proposals.worth[kept], seen.cell.boxes):
        truth[found] = labels[true]
    shared = box_iou(boxes, seen.cell.boxes)
    nearest = np.where(shared.max(1) > PART_OF, shared.argmax(1), -1)
    return Named(np.asarray((upright["logits"] + turned["logits"]) / 2, np.float32), objects, truth, nearest, labels)


def one_lost(named: Named, rng: np.random.Generator) -> Named:
    """The cell without one of its chromosomes and whatever was seen of it."""
    lost = int(rng.integers(len(named.labels)))
    rest = named.of(named.nearest != lost)
    return Named(rest.logits, rest.objects, rest.truth, rest.nearest, np.delete(named.labels, lost))


def one_gained(named: Named, other: Named, rng: np.random.Generator) -> Named:
    """The cell with one more chromosome, as it was seen in another cell."""
    gained = int(rng.integers(len(other.labels)))
    more = other.of(other.nearest == gained)
    return Named(
        np.concatenate([named.logits, more.logits]),
        [*named.objects, *more.objects],
        np.concatenate([named.truth, more.truth]),
        np.concatenate([named.nearest, np.full(len(more.truth), len(named.labels))]),
        np.append(named.labels, other.labels[gained]),
    )


def _instance(seen: Seen, k: int) -> Instance:
    mask, origin = seen.proposals.masks[k]
    xmin, ymin, xmax, ymax = (float(v) for v in seen.proposals.boxes[k])
    return Instance(box=(xmin, ymin, xmax, ymax), mask=mask, origin=origin, score=float(seen.proposals.worth[k]))


def detection(cells: list[Seen]) -> dict[str, float]:
    """Mask IoU of one object, by the F1 that the best limit of worth gives with it."""
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
    _, _, same_object, _ = max(tried)
    return {"threshold": CANDIDATE, "same_object": same_object}


def presence(named: list[Named]) -> dict[str, float]:
    """Worth to log-odds of being one whole chromosome, by logistic regression."""
    worth = logit(np.clip([one.score for n in named for one in n.objects], 1e-3, 1 - 1e-3))
    scale, offset = _logistic(worth, np.concatenate([n.truth for n in named]) >= 0)
    return {"presence_scale": scale, "presence_offset": offset}


def choosing(named: list[Named], temperature: float, present: dict[str, float]) -> dict[str, float]:
    """Costs with which most cells are counted exactly in which one chromosome was lost or one was gained.

    Cells as they are do not vote: nearly all are normal, and calling every cell normal would count them best.
    """
    rng = np.random.default_rng(0)
    others = rng.permutation(len(named))
    kinds = {
        "as they are": named,
        "one lost": [one_lost(n, rng) for n in named],
        "one gained": [one_gained(n, named[k], rng) for n, k in zip(named, others, strict=True)],
    }
    best = (-1.0, 0.0, 0.0)
    for weight in (0.4, 0.6, 0.8, 1.0, 1.3):
        for unusual in (0.0, 1.0, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0):
            exact: dict[str, float] = {}
            for kind, cells in kinds.items():
                hits = []
                for n in cells:
                    probabilities = _softmax(n.logits / temperature)
                    chosen = choose(probabilities, n.objects, unusual_copy=unusual, class_weight=weight, **present)
                    hits.append(int(chosen.kept.sum()) == len(n.labels))
                exact[kind] = round(float(np.mean(hits)), 4)
            print(f"class weight {weight} unusual copy {unusual}: exact {exact}")
            best = max(best, (exact["one lost"] + exact["one gained"], -unusual, weight))
    return {"unusual_copy": -best[1], "class_weight": best[2]}


def _logistic(x: NDArray[np.float64], true: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of the log-odds of `true` by maximum likelihood."""

    def loss(p: NDArray[np.float64]) -> float:
        z = p[0] * x + p[1]
        return float(np.mean(np.logaddexp(0, -np.where(true, z, -z))))

    slope, offset = minimize(loss, [1.0, 0.0], method="Nelder-Mead").x
    return round(float(slope), 4), round(float(offset), 4)


def temperature_of(named: list[Named]) -> float:
    """By likelihood."""
    logits, truth = np.concatenate([n.logits for n in named]), np.concatenate([n.truth for n in named])
    known = truth >= 0

    def cost(t: float) -> float:
        return -float(np.log(_softmax(logits[known] / t)[np.arange(known.sum()), truth[known]] + 1e-12).mean())

    return round(float(minimize_scalar(cost, bounds=(0.3, 4), method="bounded").x), 4)


def naming(named: list[Named], temperature: float) -> dict[str, float]:
    """Cost of an extra copy by accuracy, confidence by logistic regression."""
    known = sum(int((n.truth >= 0).sum()) for n in named)
    best = (-1.0, 0.0)
    for extra in (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0):
        ok = [right(n, temperature, extra)[1] for n in named]
        share = sum(int(o.sum()) for o in ok) / known
        print(f"extra copy costs {extra}: right {share:.4f} cells all right {np.mean([o.all() for o in ok]):.3f}")
        if share > best[0] + 1e-9:
            best = (share, extra)
    margins, ok = zip(*(right(n, temperature, best[1]) for n in named), strict=True)
    slope, offset = _logistic(np.clip(np.concatenate(margins), 0, 12), np.concatenate(ok))
    return {"extra_copy": best[1], "margin_scale": round(1 / slope, 4), "margin_offset": offset}


def right(named: Named, temperature: float, extra: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Margin of each name in nats, and whether it is right."""
    given = assign(_softmax(named.logits / temperature), extra_copy=extra, margin_scale=1, margin_offset=0)
    ok = [t >= 0 and n == CLASSES[t] for n, t in zip(given.labels, named.truth, strict=True)]
    return logit(np.clip(given.confidences.astype(np.float64), 1e-6, 1 - 1e-6)), np.asarray(ok, np.bool_)


def main() -> None:
    held = [c for c in load_cells("tseng2023") if c.part == "validation"]
    with ProcessPoolExecutor(CORES) as pool:
        seen = list(pool.map(see, held, chunksize=8))
        finding = detection(seen)
        kept = [one.kept(finding["threshold"], finding["same_object"]) for one in seen]
        named = list(pool.map(name, seen, kept, chunksize=8))
    temperature, present = temperature_of(named), presence(named)
    costs = choosing(named, temperature, present)
    chosen = [n.of(choose(_softmax(n.logits / temperature), n.objects, **costs, **present).kept) for n in named]
    by_model = {
        "amodal": finding,
        "classifier": {"temperature": temperature, **naming(chosen, temperature), **costs, **present},
    }
    print(by_model)
    (RUNS / "calibration.json").write_text(json.dumps(by_model, indent=2) + "\n")


if __name__ == "__main__":
    main()
