"""Work out which end of each training strip is the short arm: `python -m training.polarity` (after training.strips).

The training set does not say. But within a class all band profiles are one profile or its reverse, so two
templates settle it by expectation-maximisation, and the ideogram's expected darkness says which of the two is
the right way up: one bit a class. Strips whose two readings are too close keep "not known" (-1). A picture of
each class's template beside the ideogram is written, to be looked at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from consilium.cytogenetics.bands import profile
from consilium.karyotype.metaphase import CLASSES
from training.cells import RUNS
from training.classifier import load_strips

LENGTH = 64
MARGIN = 0.12
"""Least difference between the correlations of the two readings."""


def profiles(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 64) band profiles, zero mean and unit norm, first row first; zero where there is no chromosome."""
    out = np.zeros((len(images), LENGTH), np.float32)
    for index, (dark, cover) in enumerate(images):
        weight = (cover > 80).astype(np.float32)
        rows = np.flatnonzero(weight.sum(1) >= 3)
        if len(rows) < 12:
            continue
        mean = (dark * weight)[rows].sum(1) / weight[rows].sum(1)
        sampled = np.interp(np.linspace(0, len(rows) - 1, LENGTH), np.arange(len(rows)), mean)
        out[index] = unit(sampled)
    return out


def unit(x: NDArray[np.floating]) -> NDArray[np.float32]:
    """Zero mean and unit norm along the last axis."""
    x = x - x.mean(-1, keepdims=True)
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-6), np.float32)


def orient(
    own: NDArray[np.float32], expected: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Margin of "short arm first" for each profile, the template, and how much better it fits this way up."""
    template = unit(expected)
    for _ in range(12):
        margin = own @ template - own @ template[::-1]
        template = unit(np.where(margin[:, None] > 0, own, own[:, ::-1]).mean(0))
    smooth = unit(np.convolve(expected, np.ones(3) / 3, mode="same"))
    way_up = float(template @ smooth - template[::-1] @ smooth)
    if way_up < 0:
        template, margin = template[::-1], -margin
    return margin, template, abs(way_up)


def main() -> None:
    data = load_strips(rendered=False)
    own = profiles(data.images)
    labels = np.full(len(own), -1, np.float32)
    templates = {}
    for index, name in enumerate(CLASSES):
        members = np.flatnonzero((data.labels == index) & (np.abs(own).sum(1) > 0))
        expected = np.convolve(profile(name, 4 * LENGTH, level=850), np.ones(16) / 16, mode="same")[2::4]
        margin, template, way_up = orient(own[members], expected)
        sure = np.abs(margin) > MARGIN
        labels[members[sure]] = (margin[sure] < 0).astype(np.float32)
        templates[name] = (template, unit(expected))
        fit = float(template @ unit(expected))
        print(f"{name:>2} n {len(members)} sure {sure.mean():.3f} like the ideogram {fit:.3f} way up by {way_up:.3f}")
    np.save(RUNS / "strips" / "polarity.npy", labels)
    draw(templates)


def draw(templates: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(4, 6, figsize=(16, 9))
    for axis, (name, (template, expected)) in zip(axes.flat, templates.items(), strict=True):
        axis.plot(template, label="seen")
        axis.plot(expected, label="ideogram")
        axis.set_title(name)
    axes.flat[0].legend()
    figure.tight_layout()
    figure.savefig(RUNS / "strips" / "polarity.png")


if __name__ == "__main__":
    main()
