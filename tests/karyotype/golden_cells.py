"""The cells behind the golden karyograms: drawn ones, named by their truth, and what is kept of their karyograms."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from consilium.karyotype.arrange import arrange, to_png
from consilium.karyotype.count import count_cell
from consilium.karyotype.flags import cell_flags, chromosome_flags
from consilium.karyotype.karyogram import Karyogram
from consilium.karyotype.metaphase import CLASSES, Chromosome, Instance, Metaphase
from consilium.karyotype.normalise import normalise
from consilium.karyotype.quality import assess
from consilium.karyotype.render import karyotype_set, render_metaphase

FOLDER = Path(__file__).parent / "golden"

CELLS: Mapping[str, tuple[str, int]] = {
    "normal_female": ("46,XX", 101),
    "trisomy_21": ("47,XY,+21", 102),
    "turner": ("45,X", 103),
}
"""Name of a golden -> karyotype and seed."""

PICTURE_WIDTH = 600
GREYS = 32


@cache
def golden_cell(name: str) -> Metaphase:
    """Draw a cell and name its chromosomes by the truth, as a faultless reader would."""
    karyotype, seed = CELLS[name]
    drawn = render_metaphase(karyotype_set(karyotype), np.random.default_rng(seed), width_px=14, crowding=0.15)
    chromosomes = []
    for index, one in enumerate(drawn.truth):
        probabilities = np.full(24, 0.001, np.float32)
        probabilities[CLASSES.index(one.label)] = 1 - 0.023
        chromosomes.append(
            Chromosome(
                instance=Instance(box=one.box, mask=one.mask, origin=one.origin, score=1.0),
                label=one.label,
                # All different, so that the order of homologues does not hang on a tie.
                confidence=0.999 - 0.001 * index,
                probabilities=probabilities,
                angle_deg=one.angle_deg,
                polarity=0.99,
            )
        )
    shape = (drawn.pixels.shape[0], drawn.pixels.shape[1])
    count, written, gains, losses = count_cell(one.label for one in chromosomes)
    seen = normalise(drawn.pixels)
    quality = assess(seen, chromosomes)
    flags = chromosome_flags(chromosomes, shape=shape)
    return Metaphase(
        image=f"{name}.png",
        pixels=drawn.pixels,
        inverted=seen.inverted,
        synthetic=True,
        chromosomes=tuple(replace(one, flags=own) for one, own in zip(chromosomes, flags, strict=True)),
        count=count,
        karyotype=written,
        gains=gains,
        losses=losses,
        quality=quality,
        flags=cell_flags(chromosomes, shape=shape, quality=quality),
    )


def layout(karyogram: Karyogram) -> dict[str, Any]:
    """Which label stands where, in whole canvas units, row by row and from left to right."""
    rows = sorted({round(y) for _, _, y in karyogram.centromere_lines})
    places = sorted(karyogram.places, key=lambda place: (place.centromere_y, place.x))
    return {
        "count": karyogram.count,
        "karyotype": karyogram.karyotype,
        "synthetic": karyogram.synthetic,
        "size": [round(karyogram.width), round(karyogram.height)],
        "centromere_lines": rows,
        "places": [
            {
                "label": place.label,
                "row": rows.index(round(place.centromere_y)),
                "empty": place.index is None,
                "at": [round(place.x), round(place.y), round(place.width), round(place.height)],
            }
            for place in places
        ],
        "brackets": [
            {"kind": one.kind, "text": one.text, "from": round(one.left), "to": round(one.right)}
            for one in sorted(karyogram.brackets, key=lambda one: (one.kind, one.y, one.left))
        ],
    }


def picture(metaphase: Metaphase) -> NDArray[np.uint8]:
    """A small grey copy of the PNG karyogram, (H, 600) uint8, in 32 grey levels."""
    # No fonts: the face that comes with Pillow looks the same on every machine.
    data = to_png(arrange(metaphase), "en", font_folders=()).data
    with Image.open(io.BytesIO(data)) as drawn:
        size = (PICTURE_WIDTH, round(drawn.height * PICTURE_WIDTH / drawn.width))
        grey = np.asarray(drawn.convert("L").resize(size, Image.Resampling.BOX))
    step = 255 / (GREYS - 1)
    return np.round(np.round(grey / step) * step).astype(np.uint8)
