"""A suspected chromosome as plain values: the part `suspects` of case.json; both reports take their figures from it."""

from __future__ import annotations

from typing import Any

from consilium.cytogenetics.bands import Band, bands
from consilium.karyotype.metaphase import FAMILIES, Case, Suspect
from consilium.karyotype.rearranged import BAND_LEVEL

Record = dict[str, Any]

_SATELLITED = frozenset({"13", "14", "15", "21", "22"})


def suspect_record(case: Case, suspect: Suspect) -> Record:
    """Turn a suspected chromosome into plain values.

    Args:
        case: the case it is of.
        suspect: one of its suspects.
    """
    first, last = band_interval(suspect)
    low, high = suspect.interval
    return {
        "chromosome": suspect.chromosome,
        "arm": suspect.arm,
        "kind": suspect.family,
        "score": round(suspect.score, 4),
        "threshold": suspect.threshold,
        "breakpoint": {
            "bands": [str(first), str(last)],
            "fraction": round(suspect.place, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "grch38": [first.bp_start, last.bp_stop],
        },
        "variable_region": in_variable_region(suspect),
        "of": suspect.of,
        "cells": [_cell(case, at, suspect.chromosome) for at in suspect.cells],
    }


def band_interval(suspect: Suspect) -> tuple[Band, Band]:
    """The bands at 550 bphs in which the interval of the break begins and ends."""
    named = {f"{band.arm}{band.name}": band for band in bands(suspect.chromosome, BAND_LEVEL)}
    first, last = suspect.bands
    return named[first], named[last]


def in_variable_region(suspect: Suspect) -> bool:
    """Whether the break may lie where chromosomes of healthy people differ (ISCN 2024, 2.2.2 and table 1).

    These are heterochromatin of variable size (1q12, 9q12, 16q11.2, Yq12 and the like) and the short arms of the
    acrocentric chromosomes.
    """
    first, last = band_interval(suspect)
    within = [
        band
        for band in bands(suspect.chromosome, BAND_LEVEL)
        if first.iscn_start <= band.iscn_start and band.iscn_stop <= last.iscn_stop
    ]
    return any(
        band.stain in ("gvar", "stalk") or (band.arm == "p" and suspect.chromosome in _SATELLITED) for band in within
    )


def _cell(case: Case, at: int, chromosome: str) -> Record:
    cell = case.cells[at]
    judged = cell.judged(chromosome)
    index, looks = judged[0]
    return {
        "image": cell.image,
        "chromosome": index,
        "homologue": judged[1][0] if len(judged) > 1 else None,
        "score": round(looks.score, 4),
        "fraction": round(looks.place, 4),
        "kinds": {kind: round(share, 4) for kind, share in zip(FAMILIES, looks.families, strict=True)},
    }
