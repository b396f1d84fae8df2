"""What is written to case.json: a case as plain values, as `case.schema.json` describes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import PurePath
from typing import Any

import cv2
import numpy as np
from jsonschema import Draft202012Validator

from consilium.errors import OutputError
from consilium.karyotype.conclusion import Conclusion, conclude
from consilium.karyotype.conclusion_record import conclusion_record
from consilium.karyotype.metaphase import CLASSES, Case, Chromosome, Flag, Instance, Metaphase
from consilium.karyotype.request import Request
from consilium.karyotype.suspect_record import suspect_record
from consilium.karyotype.wording import Language, phrase, sentence

SCHEMA_VERSION = "1.2"

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelReference:
    """Which model file a case was read with.

    Attributes:
        sha256: hash of the file, 64 lower-case hexadecimal digits.
    """

    name: str
    version: str
    sha256: str


def case_record(
    case: Case,
    *,
    lang: Language,
    created: datetime,
    version: str,
    models: Iterable[ModelReference],
    request: Request | None = None,
    conclusion: Conclusion | None = None,
) -> Record:
    """Turn a case into the values of case.json.

    Args:
        case: the case, best cell first.
        lang: language of the flags' reasons.
        created: when it was karyotyped, with a time zone.
        version: version of Consilium.
        models: the models that read it.
        request: what was told with the specimen; nothing when left out.
        conclusion: what the case says, where that is known already; drawn here when left out.

    Raises:
        ValueError: if `created` has no time zone: a record without one cannot be ordered among hospitals.
    """
    if created.tzinfo is None:
        raise ValueError("the time of a record needs a time zone")
    return {
        "schema_version": SCHEMA_VERSION,
        "consilium_version": version,
        "created": created.isoformat(timespec="seconds"),
        "lang": lang,
        "notice": phrase("prompt", lang),
        "name": case.name,
        "modal_karyotype": case.modal_karyotype,
        "disagreeing": list(case.disagreeing),
        "conclusion": conclusion_record(conclusion or conclude(case, request), lang),
        "suspects": [suspect_record(case, suspect) for suspect in case.suspects],
        "flags": _flags(case.flags, lang),
        "failures": [asdict(failure) for failure in case.failures],
        "models": [asdict(model) for model in models],
        "cells": [cell_record(cell, number=number, lang=lang) for number, cell in enumerate(case.cells, start=1)],
    }


def cell_record(cell: Metaphase, *, number: int, lang: Language) -> Record:
    """Turn a cell into plain values.

    Args:
        cell: the cell.
        number: its place in the case, from 1; part of its karyogram's file name.
        lang: language of the flags' reasons.
    """
    height, width = cell.pixels.shape
    return {
        "image": cell.image,
        "synthetic": cell.synthetic,
        "inverted": cell.inverted,
        "width": width,
        "height": height,
        "count": cell.count,
        "karyotype": cell.karyotype,
        "gains": list(cell.gains),
        "losses": list(cell.losses),
        "quality": {
            "score": _fraction(cell.quality.score),
            "spread": _fraction(cell.quality.spread),
            "overlap": _fraction(cell.quality.overlap),
            "sharpness": _fraction(cell.quality.sharpness),
            "band_level": int(cell.quality.band_level),
        },
        "flags": _flags(cell.flags, lang),
        "karyogram": karyogram_files(cell.image, number=number),
        "chromosomes": [_chromosome(one, lang) for one in cell.chromosomes],
    }


def karyogram_files(image: str, *, number: int) -> dict[str, str]:
    """Name a cell's karyogram files, relative to case.json.

    The number keeps two images of one name apart; letters that some file system refuses become underscores.

    Returns:
        {"svg": "karyograms/01-name.svg", "png": "karyograms/01-name.png"}.
    """
    readable = re.sub(r"[^\w-]+", "_", PurePath(image).stem).strip("_")[:60] or "cell"
    return {kind: f"karyograms/{number:02d}-{readable}.{kind}" for kind in ("svg", "png")}


def polygon(instance: Instance) -> list[list[int]]:
    """Trace the outer border of the largest part of a mask.

    Returns:
        At least three [x, y] pixel indices in the original image; filling them, border included, gives the
        largest part of the mask without its holes.
    """
    borders, _ = cv2.findContours(instance.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not borders:
        corners = np.array([instance.box[:2]] * 3)
        return [[int(x), int(y)] for x, y in corners]
    # The area inside a border counts no border pixels, so a line of pixels has none: its length breaks the tie.
    border = max(borders, key=lambda one: (cv2.contourArea(one), len(one))).reshape(-1, 2)
    border = border + np.array(instance.origin)
    points = [[int(x), int(y)] for x, y in border]
    return points + [points[-1]] * (3 - len(points))


@cache
def case_schema() -> Record:
    """Read the JSON schema of case.json."""
    text = resources.files("consilium.karyotype").joinpath("case.schema.json").read_text(encoding="utf-8")
    schema: Record = json.loads(text)
    return schema


def check_record(record: Record) -> None:
    """Hold a record against the published schema.

    Raises:
        OutputError: if it does not fit, naming the place and what is wrong there.
    """
    fault = next(iter(Draft202012Validator(case_schema()).iter_errors(record)), None)
    if fault is not None:
        raise OutputError(
            f"the case record does not fit its schema: {fault.message[:300]}",
            where=f"case.json {fault.json_path}",
            way_out="This is a defect of Consilium; please report it with this message.",
        )


def _chromosome(one: Chromosome, lang: Language) -> Record:
    return {
        "label": one.label,
        "confidence": _fraction(one.confidence),
        "probabilities": {
            label: round(float(probability), 6) for label, probability in zip(CLASSES, one.probabilities, strict=True)
        },
        "box": [round(float(side), 2) for side in one.instance.box],
        "polygon": polygon(one.instance),
        "angle_deg": round(float(one.angle_deg), 2),
        "polarity": _fraction(one.polarity),
        "detection_score": _fraction(one.instance.score),
        "flags": _flags(one.flags, lang),
    }


def _flags(flags: Sequence[Flag], lang: Language) -> list[Record]:
    return [{"code": flag.code, "reason": sentence(flag, lang), "values": _plain(flag)} for flag in flags]


def _plain(flag: Flag) -> Record:
    return {
        key: value if isinstance(value, str) else (int(value) if float(value).is_integer() else round(float(value), 4))
        for key, value in flag.values.items()
    }


def _fraction(value: float) -> float:
    return round(float(value), 4)
