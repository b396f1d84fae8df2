"""The G-bands of the human chromosomes: where they lie and how dark they stain.

Source: the ideogram tables of NCBI for GRCh38 at 400, 550 and 850 bands per haploid set (bphs), as collected by the
ideogram.js project (https://github.com/eweitz/ideogram, commit feb34c3d), which dedicates its work to the public
domain (CC0 1.0). `bands.json` beside this module is written from them by `training/derive_bands.py`; the source,
the licence and the one correction made stand inside it.

Lengths "in ISCN units" are the drawing lengths of the published ideograms: relative, comparable between chromosomes
and between levels (chromosome 1 is 15,100 units at every level).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError

LEVELS = (400, 550, 850)
"""The resolutions for which bands are known, in bands per haploid set (bphs)."""

AUTOSOMES = tuple(str(number) for number in range(1, 23))

Stain = Literal["gneg", "gpos", "acen", "gvar", "stalk"]

LIGHTEST_BAND = 0.25
"""Darkness of a G-negative band, where the darkest band is 1: chromatin is never as light as the background."""

_HETEROCHROMATIN = MappingProxyType(
    {"1q12": 0.8, "3q11.2": 0.75, "9q12": 0.35, "16q11.2": 0.9, "19p12": 0.75, "19q12": 0.75, "Yq12": 0.75}
)
# How the variable regions look after GTG banding: dark at 1q12, 16q11.2, Yq12 and around the centromere of 19, pale
# at 9q12 (Gardner and Amor, Chromosome Abnormalities and Genetic Counseling; ISCN, heteromorphisms).
_ACROCENTRIC_HETEROCHROMATIN = 0.55
_CENTROMERE = 0.55
_STALK = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """One band of the ideogram.

    Attributes:
        chromosome: "1".."22", "X" or "Y".
        arm: "p" (short) or "q" (long).
        name: region, band and sub-band without chromosome and arm, e.g. "11.2".
        iscn_start, iscn_stop: ISCN units from pter, half-open.
        bp_start, bp_stop: base pairs on GRCh38, one-based, inclusive.
        stain: "gneg" light, "gpos" dark, "acen" next to the centromere, "gvar" variable heterochromatin, "stalk".
        density: 25, 50, 75 or 100 for "gpos"; 0 otherwise.
    """

    chromosome: str
    arm: Literal["p", "q"]
    name: str
    iscn_start: int
    iscn_stop: int
    bp_start: int
    bp_stop: int
    stain: Stain
    density: int

    def __str__(self) -> str:
        """The name as ISCN writes it, e.g. "13q14.2"."""
        return f"{self.chromosome}{self.arm}{self.name}"

    @property
    def darkness(self) -> float:
        """How dark the band looks, from `LIGHTEST_BAND` (G-negative) to 1 (gpos 100); a stalk is paler still."""
        if self.stain == "gpos":
            return LIGHTEST_BAND + (1.0 - LIGHTEST_BAND) * self.density / 100.0
        if self.stain == "gvar":
            return _HETEROCHROMATIN.get(str(self), _ACROCENTRIC_HETEROCHROMATIN)
        return {"acen": _CENTROMERE, "stalk": _STALK}.get(self.stain, LIGHTEST_BAND)


@cache
def _tables() -> dict[str, dict[str, list[tuple[str, str, int, int, int, int, str, int]]]]:
    text = resources.files("consilium.cytogenetics").joinpath("bands.json").read_text(encoding="utf-8")
    levels: dict[str, dict[str, list[tuple[str, str, int, int, int, int, str, int]]]] = json.loads(text)["levels"]
    return levels


@cache
def bands(chromosome: str, level: int = 550) -> tuple[Band, ...]:
    """The bands of one chromosome from pter to qter.

    Args:
        chromosome: "1".."22", "X" or "Y".
        level: resolution in bphs, one of `LEVELS`.

    Raises:
        InputError: for a chromosome or a level that has no table.
    """
    try:
        rows = _tables()[str(level)][chromosome]
    except KeyError:
        raise InputError(
            f"no bands are known for chromosome {chromosome!r} at {level} bphs",
            way_out=f"Chromosomes are 1 to 22, X and Y; levels are {', '.join(map(str, LEVELS))}.",
        ) from None
    return tuple(
        Band(
            chromosome=chromosome,
            arm="p" if arm == "p" else "q",
            name=name,
            iscn_start=iscn_start,
            iscn_stop=iscn_stop,
            bp_start=bp_start,
            bp_stop=bp_stop,
            stain=stain,  # type: ignore[arg-type]  # the five stains are held by a test
            density=density,
        )
        for arm, name, iscn_start, iscn_stop, bp_start, bp_stop, stain, density in rows
    )


def iscn_length(chromosome: str) -> int:
    """Length of a chromosome in ISCN units (the same at every level).

    Raises:
        InputError: for an unknown chromosome.
    """
    return bands(chromosome)[-1].iscn_stop


def centromere_index(chromosome: str, level: int = 550) -> float:
    """Length of the short arm over the whole length, in ISCN units: 0.5 is metacentric.

    The ideograms draw the satellites of the acrocentrics long, so 21 and 22 come out higher than on a slide.

    Raises:
        InputError: for an unknown chromosome or level.
    """
    rows = bands(chromosome, level)
    return next(band.iscn_start for band in rows if band.arm == "q") / rows[-1].iscn_stop


def relative_length(chromosome: str) -> float:
    """Length as a fraction of the haploid autosomal length (1 to 22), the unit of the Paris Conference (1971).

    Raises:
        InputError: for an unknown chromosome.
    """
    return iscn_length(chromosome) / sum(iscn_length(autosome) for autosome in AUTOSOMES)


def profile(chromosome: str, length: int, level: int = 550) -> NDArray[np.float32]:
    """Expected G-band darkness along a chromosome, from pter to qter.

    Each sample is the mean darkness over its stretch of the chromosome, so a short profile is the block mean of a
    long one and no narrow band is skipped.

    Args:
        chromosome: "1".."22", "X" or "Y".
        length: number of samples, at least 1.
        level: resolution in bphs, one of `LEVELS`.

    Returns:
        (length,) float32, 0..1: `Band.darkness` resampled.

    Raises:
        InputError: for an unknown chromosome or level, or a length below 1.
    """
    if length < 1:
        raise InputError(f"a profile of {length} samples was asked for", way_out="Ask for at least one sample.")
    rows = bands(chromosome, level)
    edges = np.array([0, *(band.iscn_stop for band in rows)], dtype=np.float64)
    cumulative = np.concatenate([[0.0], np.cumsum(np.diff(edges) * [band.darkness for band in rows])])
    at = np.linspace(0.0, edges[-1], length + 1)
    mean: NDArray[np.float32] = (np.diff(np.interp(at, edges, cumulative)) * length / edges[-1]).astype(np.float32)
    return mean
