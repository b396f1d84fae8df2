"""Does a chromosome look rearranged?

Each is compared with its homologue and with what its class usually looks like; a case speaks where the same chromosome
looks so in cell after cell.

The network (`Structure`, model "structure") was trained on real chromosomes cut and joined at bands (`rearranged`). One
cell proves little: chromosomes bend, cross and condense unevenly. What is reported is evidence for a reader, with
both homologues side by side; balanced changes that G-bands cannot show are not claimed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilium.cytogenetics.bands import bands
from consilium.karyotype.classify import Classified
from consilium.karyotype.metaphase import CLASSES, FAMILIES, Appearance, Metaphase, Suspect
from consilium.karyotype.models import constants, model
from consilium.karyotype.rearranged import BAND_LEVEL, centromere, lying

LEAST_SPREAD = 0.03
"""Of a break's place, as a fraction of the chromosome: a row of the network's answer stands for a sixty-fourth, and few
cells may agree by chance."""


def look(
    read: Classified, kept: NDArray[np.intp], labels: Sequence[str], *, threads: int | None = None
) -> tuple[Appearance | None, ...]:
    """Judge the chromosomes of one cell as the classifier read them.

    Args:
        read: what the classifier read.
        kept: (K,) which of its objects are chromosomes.
        labels: their names.
        threads: processor threads the model may use; None: all.
    """
    if read.strips is None or not len(kept):
        return (None,) * len(labels)
    images, down = read.strips.images[kept], read.upside_down[kept]
    images[down] = images[down][:, :, ::-1, ::-1]
    return appearances(images, read.strips.geometry[kept, 0], labels, threads=threads)


def appearances(
    images: NDArray[np.float32], log_lengths: NDArray[np.float32], labels: Sequence[str], *, threads: int | None = None
) -> tuple[Appearance | None, ...]:
    """Judge the chromosomes of one cell.

    Args:
        images: (N, 2, 128, 24) float32, strips with the short arm up.
        log_lengths: (N,) the first of each strip's `GEOMETRY`.
        labels: their names; those that are none of `CLASSES` are not judged.
        threads: processor threads the model may use; None: all.

    Returns:
        One for each, None where it cannot be judged.
    """
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        if label in CLASSES:
            by_name[label].append(index)
    pairs: list[tuple[int, int | None]] = []
    for members in by_name.values():
        for index in members:
            others: list[int | None] = [other for other in members if other != index]
            pairs += [(index, other) for other in others or [None]]
    if not pairs:
        return (None,) * len(labels)
    own = images[[index for index, _ in pairs]]
    other = np.stack([np.zeros_like(images[0]) if twin is None else images[twin] for _, twin in pairs])
    out = model("structure", threads=threads).run(
        own=own, other=other, paired=np.asarray([float(twin is not None) for _, twin in pairs], np.float32),
        label=np.asarray([CLASSES.index(labels[index]) for index, _ in pairs], np.int64),
    )  # fmt: skip
    found: dict[int, Appearance] = {}
    for at, (index, twin) in enumerate(pairs):
        place = _place(images[index], float(log_lengths[index]), out["breaks"][at])
        if place is None:
            continue
        families = np.exp(out["kinds"][at] - out["kinds"][at].max())
        one = Appearance(
            score=float(out["rearranged"][at]), families=tuple(map(float, families / families.sum())), place=place,
            paired=twin is not None,
        )  # fmt: skip
        # Beside two others it has to look unlike both: an extra copy is no rearrangement.
        if index not in found or one.score < found[index].score:
            found[index] = one
    return tuple(found.get(index) for index in range(len(labels)))


def _place(image: NDArray[np.float32], log_length: float, breaks: NDArray[np.float32]) -> float | None:
    own = lying(image, log_length)
    if own is None:
        return None
    row = 2 * float(np.argmax(breaks)) + 0.5
    return float(np.clip((row - own.first) / max(own.last - own.first, 1.0), 0.0, 1.0))


def suspects(cells: Sequence[Metaphase]) -> tuple[Suspect, ...]:
    """Find the chromosomes of a case that look rearranged.

    How unusual is too much, and what is usual, stands in the network's card; `training.calibrate_structure` put there
    what normal cases of the validation part show.

    Returns:
        The most unusual first.
    """
    usual, _ = calibration()
    out = []
    for name in CLASSES:
        seen: list[tuple[int, Appearance]] = []
        for at, cell in enumerate(cells):
            judged = cell.judged(name)
            if judged:
                seen.append((at, judged[0][1]))
        if name not in usual or not seen:
            continue
        score = case_score([one.score for _, one in seen], usual[name])
        if score >= threshold_for(len(seen)):
            out.append(_suspect(name, seen, score, usual[name]))
    return tuple(sorted(out, key=lambda one: -one.score))


def calibration() -> tuple[dict[str, tuple[float, float]], tuple[float, float, float]]:
    """What normal cells show of each class (mean and standard deviation), and from where on a case is suspected.

    The second is the threshold for one cell, for two, and for more: what one cell shows has a longer tail than a mean.
    """
    found = constants("structure")
    usual = {name: (float(found[f"mean_{name}"]), float(found[f"deviation_{name}"])) for name in CLASSES}
    one, two, more = (float(found[name]) for name in ("threshold_1", "threshold_2", "threshold"))
    return usual, (one, two, more)


def threshold_for(cells: int) -> float:
    """From which score on a chromosome is suspected that could be judged in so many cells.

    Raises:
        ValueError: for no cell.
    """
    if cells < 1:
        raise ValueError("a chromosome that no cell shows cannot be judged")
    _, thresholds = calibration()
    return thresholds[min(cells, len(thresholds)) - 1]


def case_score(scores: Sequence[float], usual: tuple[float, float]) -> float:
    """How unusual a chromosome of a case is: the mean over its cells, in standard errors of normal cells.

    Args:
        scores: of the more unusual homologue in each cell.
        usual: mean and standard deviation of that in normal cells.
    """
    mean, deviation = usual
    return float((np.mean(scores) - mean) / deviation * np.sqrt(len(scores)))


def _suspect(name: str, seen: list[tuple[int, Appearance]], score: float, usual: tuple[float, float]) -> Suspect:
    seen = sorted(seen, key=lambda told: -told[1].score)
    shown = [at for at, one in seen if one.score > sum(usual)]
    clearest = [one for _, one in seen[: max(len(seen) // 2, 1)]]
    place = float(np.median([one.place for one in clearest]))
    spread = max(float(np.std([one.place for one in clearest])), LEAST_SPREAD)
    low, high = max(place - spread, 0.0), min(place + spread, 1.0)
    families = np.mean([one.families for one in clearest], axis=0)
    rows = bands(name, BAND_LEVEL)
    edges = np.asarray([band.iscn_stop for band in rows]) / rows[-1].iscn_stop
    first, last = (rows[int(at)] for at in np.searchsorted(edges, np.clip([low, high], 0.0, 1.0 - 1e-9)))
    return Suspect(
        chromosome=name, arm="p" if place < centromere(name) else "q", family=FAMILIES[int(families.argmax())],
        place=place, interval=(low, high), bands=(f"{first.arm}{first.name}", f"{last.arm}{last.name}"), score=score,
        threshold=threshold_for(len(seen)), cells=tuple(shown or [seen[0][0]]), of=len(seen),
    )  # fmt: skip
