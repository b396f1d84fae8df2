"""Where a band, as it is written in a karyotype, lies in base pairs.

A coarser name is the whole of its finer bands: q34 runs from q34.11 to q34.3. Places are those of the ideogram on
GRCh38 at 850 bands (`bands`). What a breakpoint of a karyotype is, in ISCN units and with its doubts, is in
`iscn.places`.
"""

from __future__ import annotations

from typing import NamedTuple

from consilium.cytogenetics.bands import Band, bands


class BasePairs(NamedTuple):
    """Base pairs on GRCh38, one-based, inclusive."""

    bp_start: int
    bp_stop: int


def base_pairs(chromosome: str, first: str, last: str = "") -> BasePairs | None:
    """The base pairs of a band, an arm, or a run of bands.

    Args:
        chromosome: "1".."22", "X" or "Y".
        first: arm, region, band and sub-band: "q34.1", "p3", "q", "pter", "q10" (the centromere's side of q).
        last: the other end of a run: "q35", or without the arm "35" or "ter"; empty for `first` alone.

    Returns:
        From the first to the last base pair of what is named, whichever end was named first; None where the ideogram
        has no such band.

    Raises:
        InputError: for an unknown chromosome.
    """
    rows = bands(chromosome, 850)
    ends = (first,) if not last else (first, last if last[:1] in ("p", "q") else first[:1] + last)
    found: list[Band] = []
    for end in ends:
        inside = _named(rows, end)
        if not inside:
            return None
        found += inside
    return BasePairs(min(band.bp_start for band in found), max(band.bp_stop for band in found))


def _named(rows: tuple[Band, ...], name: str) -> list[Band]:
    arm, band_name = name[:1], name[1:]
    on_arm = [band for band in rows if band.arm == arm]
    if band_name == "ter":
        return on_arm[:1] if arm == "p" else on_arm[-1:]
    if band_name == "10":
        # ISCN's name for the side of the centromere that belongs to the arm.
        return [band for band in on_arm if band.stain == "acen"]
    inside = [band for band in on_arm if band.name.startswith(band_name)]
    # A name finer than the ideogram's, such as 15q11.11, lies in the band that its beginning names.
    return inside or [band for band in on_arm if "." in band.name and band_name.startswith(band.name)]
