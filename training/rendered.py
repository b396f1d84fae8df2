"""Drawn cells of every camera and stain the renderer knows: exact truth, and not always 46 chromosomes."""

from __future__ import annotations

import numpy as np

from consilium.karyotype.karyotype_set import karyotype_set
from consilium.karyotype.metaphase import CLASSES
from consilium.karyotype.render import Rendered, render_metaphase

RENDERED_REPEATS = 3
"""How often a drawn cell is shown for each showing of a real one: there are few, and they must be read too."""


def draw(rng: np.random.Generator) -> Rendered:
    """One cell with random magnification, band level, crowding, contrast, blur and noise."""
    return render_metaphase(
        complement(rng),
        rng,
        width_px=rng.uniform(13, 21),
        band_level=int(rng.choice([400, 550, 850])),
        crowding=rng.uniform(0.1, 0.6),
        contrast=rng.uniform(0.7, 1.3),
        blur=rng.uniform(0.5, 1.6),
        noise=rng.uniform(0.4, 2.0),
    )


def complement(rng: np.random.Generator) -> list[str]:
    """A normal set, now and then with a chromosome too many or too few."""
    labels = list(karyotype_set(str(rng.choice(["normal female", "normal male"]))))
    change = rng.random()
    if change < 0.2:
        labels.append(str(rng.choice(CLASSES)))
    elif change < 0.4:
        labels.pop(int(rng.integers(len(labels))))
    return labels
