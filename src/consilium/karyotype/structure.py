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
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilium.cytogenetics.bands import bands
from consilium.karyotype.metaphase import CLASSES
from consilium.karyotype.models import model
from consilium.karyotype.rearranged import BAND_LEVEL, centromere, lying

Family = Literal["loss", "gain", "inversion", "exchange"]
FAMILIES: tuple[Family, ...] = ("loss", "gain", "inversion", "exchange")
"""What is told apart: a piece is missing, doubled, turned, or replaced by other material."""

ROWS = 64
"""Places along a strip of which a break is told; each is two rows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Appearance:
    """How rearranged one chromosome looks.

    Attributes:
        score: log-odds as the network gives them; comparable within a class only.
        families: probability of each of `FAMILIES`, given that it is rearranged.
        place: where it most looks broken, as a fraction of the usual chromosome from pter.
        paired: there was a homologue to compare with.
    """

    score: float
    families: tuple[float, ...]
    place: float
    paired: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspect:
    """A chromosome of a case that looks rearranged in cell after cell.

    Attributes:
        chromosome: "1".."22", "X", "Y".
        arm: "p" or "q", the likelier.
        family: the likeliest kind of change.
        bands: first and last band at 550 bphs between which the break probably lies.
        score: mean over cells of how rearranged the more unusual homologue looks, in standard deviations of normal
            cases.
        cells: indices of the cells that show it, the clearest first.
        of: cells in which the chromosome could be judged.
    """

    chromosome: str
    arm: Literal["p", "q"]
    family: Family
    bands: tuple[str, str]
    score: float
    cells: tuple[int, ...]
    of: int


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
        place = _place(images[index], float(log_lengths[index]), out["breaks"][at], labels[index])
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


def _place(image: NDArray[np.float32], log_length: float, breaks: NDArray[np.float32], label: str) -> float | None:
    own = lying(image, log_length)
    if own is None:
        return None
    row = 2 * float(np.argmax(breaks)) + 0.5
    return float(np.clip((row - own.first) / max(own.last - own.first, 1.0), 0.0, 1.0))


def suspects(
    cells: Sequence[tuple[Sequence[str], Sequence[Appearance | None]]],
    *,
    usual: dict[str, tuple[float, float]],
    threshold: float,
) -> tuple[Suspect, ...]:
    """Find the chromosomes of a case that look rearranged.

    Args:
        cells: labels and appearances of every cell.
        usual: for each class, mean and standard deviation over normal cases of the statistic of one cell.
        threshold: standard deviations, shrunk by the number of cells, from which a chromosome is told.

    Returns:
        The most unusual first.
    """
    out = []
    for name in CLASSES:
        told = [
            (
                at,
                max((one for label, one in zip(*cell, strict=True) if label == name and one), key=_score, default=None),
            )
            for at, cell in enumerate(cells)
        ]
        seen = [(at, one) for at, one in told if one is not None]
        if name not in usual or not seen:
            continue
        score = case_score([one.score for _, one in seen], usual[name])
        if score >= threshold:
            out.append(_suspect(name, seen, score))
    return tuple(sorted(out, key=lambda one: -one.score))


def _score(one: Appearance) -> float:
    return one.score


def case_score(scores: Sequence[float], usual: tuple[float, float]) -> float:
    """How unusual a chromosome of a case is: the mean over its cells, in standard errors of normal cells.

    Args:
        scores: of the more unusual homologue in each cell.
        usual: mean and standard deviation of that in normal cells.
    """
    mean, deviation = usual
    return float((np.mean(scores) - mean) / deviation * np.sqrt(len(scores)))


def _suspect(name: str, seen: list[tuple[int, Appearance]], score: float) -> Suspect:
    seen = sorted(seen, key=lambda told: -told[1].score)
    clearest = [one for _, one in seen[: max(len(seen) // 2, 1)]]
    place = float(np.median([one.place for one in clearest]))
    spread = max(float(np.std([one.place for one in clearest])), 0.03)
    families = np.mean([one.families for one in clearest], axis=0)
    rows = bands(name, BAND_LEVEL)
    edges = np.asarray([band.iscn_stop for band in rows]) / rows[-1].iscn_stop
    low, high = np.searchsorted(edges, np.clip([place - spread, place + spread], 0.0, 1.0 - 1e-9))
    return Suspect(
        chromosome=name, arm="p" if place < centromere(name) else "q", family=FAMILIES[int(families.argmax())],
        bands=(f"{rows[low].arm}{rows[low].name}", f"{rows[high].arm}{rows[high].name}"), score=score,
        cells=tuple(at for at, one in seen if one.score > 0), of=len(seen),
    )  # fmt: skip
