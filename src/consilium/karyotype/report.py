"""The report a person reads: one HTML file, without script or outside resource, in Chinese or English."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from consilium.karyotype.arrange import picture
from consilium.karyotype.karyogram_svg import image_key, png_uri
from consilium.karyotype.metaphase import CLASSES, UNSURE, Case, Chromosome, Metaphase
from consilium.karyotype.record import Record
from consilium.karyotype.report_suspects import ShownSuspect, shown_suspects, worth
from consilium.karyotype.report_tables import UNKNOWN, findings_tables, identity_rows, method_tables
from consilium.karyotype.report_wording import conclusion_words, report_words
from consilium.karyotype.straighten import dark_on_light
from consilium.karyotype.wording import LANGUAGES, Language, percentage, phrase, sentence

THUMBNAIL = 96
"""Longest side of a thumbnail, pixels."""

CROP_MARGIN = 8
"""Pixels of surroundings shown around a doubtful chromosome: a neighbour often explains the doubt."""

CROP_ENLARGEMENT = 1.6
"""How much larger than their pixels the crops are shown, so that three fit side by side."""

OVERVIEW_QUALITY = 88
"""JPEG quality of the outlined metaphase, which is for orientation; crops are lossless."""


def report_html(case: Case, record: Record, karyograms: Mapping[str, str], lang: Language) -> str:
    """Write the report of a case.

    Args:
        case: the case, best cell first.
        record: its record (`case_record`), which holds versions, models and outlines.
        karyograms: image name to the SVG that `to_svg` made of that cell.
        lang: language of the report.

    Returns:
        A complete HTML document. All names and messages are escaped; no script runs in it.

    Raises:
        KeyError: if a cell has no karyogram.
    """
    cells = [
        _cell(cell, cell_record, Markup(karyograms[cell.image]), lang, number=number, modal=case.modal_karyotype)
        for number, (cell, cell_record) in enumerate(zip(case.cells, record["cells"], strict=True), start=1)
    ]
    return _template().render(
        t=report_words(lang),
        lang="zh-Hans" if lang == "zh" else "en",
        case=case,
        record=record,
        cells=cells,
        suspects=[_suspect(one, lang) for one in shown_suspects(case, record, lang)],
        worth=worth(lang) if case.suspects else "",
        case_reasons=[sentence(flag, lang) for flag in case.flags],
        doubtful_number=sum(len(cell["doubtful"]) for cell in cells),
        synthetic_word=" · ".join(dict.fromkeys([phrase("synthetic", "en"), phrase("synthetic", lang)])),
        any_synthetic=any(cell.synthetic for cell in case.cells),
        said=record["conclusion"],
        c=conclusion_words(lang),
        identity=_told(record, lang),
        findings=findings_tables(record, lang),
        method=method_tables(record, lang),
        places={cell["image"]: cell["key"] for cell in reversed(cells)},
        prompts=[phrase("prompt", one) for one in sorted(LANGUAGES, key=lambda language: language != lang)],
    )


def _told(record: Record, lang: Language) -> list[tuple[str, str]]:
    """What was told of the case; the HTML report shows no empty fields."""
    laboratory = record["conclusion"]["request"]["identifiers"].get("laboratory", UNKNOWN)
    rows = [(conclusion_words(lang)["laboratory"], laboratory), *identity_rows(record, lang)]
    return [(name, value) for name, value in rows if value != UNKNOWN]


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["sha256"] = _style_hash
    folder = resources.files("consilium.karyotype")
    return environment.from_string(folder.joinpath("report.html.j2").read_text(encoding="utf-8"))


def _style_hash(style: str) -> str:
    """Return the hash by which a content security policy admits one inline style sheet (CSP level 2)."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")


def _cell(
    cell: Metaphase, record: Record, karyogram: Markup, lang: Language, *, number: int, modal: str
) -> dict[str, Any]:
    page = dark_on_light(cell.pixels, inverted=cell.inverted)
    letter = max(9.0, max(cell.pixels.shape) / 48)
    places = _label_places(cell, letter)
    doubtful = [index for index, one in enumerate(cell.chromosomes) if one.flags]
    doubtful.sort(key=lambda index: cell.chromosomes[index].confidence)
    return {
        "number": number,
        "key": f"cell-{image_key(cell.image)}-{number}",
        "image": cell.image,
        "synthetic": cell.synthetic,
        "count": cell.count,
        "karyotype": cell.karyotype,
        "agrees": cell.karyotype == modal,
        "quality": cell.quality,
        "reasons": [sentence(flag, lang) for flag in cell.flags],
        # Who looks for the sex chromosomes finds them in the photograph.
        "thumbnail": "" if cell.sex_withheld else _jpeg_uri(_shrunk(cell.pixels)),
        "overview": "" if cell.sex_withheld else _jpeg_uri(cell.pixels),
        "width": record["width"],
        "height": record["height"],
        "letter": letter,
        "outlines": [
            _outline(one, written, place, lang)
            for one, written, place in zip(cell.chromosomes, record["chromosomes"], places, strict=True)
        ],
        "karyogram": karyogram,
        "doubtful": [_doubtful(cell, page, index, lang) for index in doubtful],
        "doubtful_labels": ", ".join(_short(cell.chromosomes[index]) for index in sorted(doubtful)),
    }


def _outline(one: Chromosome, record: Record, place: tuple[float, float], lang: Language) -> dict[str, Any]:
    return {
        # Outlines run through the border pixels' middles.
        "points": " ".join(f"{x + 0.5:.1f},{y + 0.5:.1f}" for x, y in record["polygon"]),
        "x": place[0],
        "y": place[1],
        "label": _short(one),
        "flagged": bool(one.flags),
        "title": "\n".join([_headline(one, lang), *(sentence(flag, lang) for flag in one.flags)]),
    }


def _label_places(cell: Metaphase, letter: float) -> list[tuple[float, float]]:
    """Find a spot beside each chromosome for its label, so that it hides as few bands as possible.

    Args:
        cell: the metaphase.
        letter: height of the lettering, pixels.

    Returns:
        The middle of each label, (x, y) in pixels of the original image.
    """
    covered = np.zeros(cell.pixels.shape, dtype=np.float32)
    for one in cell.chromosomes:
        x, y = one.instance.origin
        window = covered[max(y, 0) : y + one.instance.mask.shape[0], max(x, 0) : x + one.instance.mask.shape[1]]
        window += one.instance.mask[max(-y, 0) :, max(-x, 0) :][: window.shape[0], : window.shape[1]]
    half = max(round(0.6 * letter), 1)
    crowd = np.asarray(cv2.blur(covered, (2 * half + 1, 2 * half + 1)), dtype=np.float32)
    places: list[tuple[float, float]] = []
    for one in cell.chromosomes:
        free = [_inside(spot, crowd.shape, half) for spot in _spots_beside(one, letter)]
        place = min(free, key=lambda spot: float(crowd[round(spot[1]), round(spot[0])]))
        places.append(place)
        left, top = (max(round(side) - 2 * half, 0) for side in place)
        # The next label must not be set on this one.
        crowd[top : round(place[1]) + 2 * half, left : round(place[0]) + 2 * half] += 1
    return places


def _inside(spot: tuple[float, float], shape: tuple[int, ...], margin: int) -> tuple[float, float]:
    """Move a spot as far into the image as its margin asks, or as the image allows."""
    height, width = shape
    x = min(max(spot[0], margin), max(width - 1 - margin, 0))
    y = min(max(spot[1], margin), max(height - 1 - margin, 0))
    return float(x), float(y)


def _spots_beside(one: Chromosome, letter: float) -> list[tuple[float, float]]:
    """The four spots off the sides and ends of a mask, and its middle as the last resort."""
    rows, columns = np.nonzero(one.instance.mask)
    x, y = one.instance.origin
    if len(rows) < 3:
        return [(float(x), float(y))]
    points = np.column_stack([columns, rows]).astype(np.float64)
    middle = points.mean(axis=0)
    axes = np.linalg.eigh(np.cov((points - middle).T))[1].T
    spots = []
    for axis in axes:
        along = (points - middle) @ axis
        for reach in (along.max() + 0.7 * letter, along.min() - 0.7 * letter):
            spots.append(middle + reach * axis)
    return [(float(spot[0]) + x, float(spot[1]) + y) for spot in (*spots, middle)]


def _short(one: Chromosome) -> str:
    return "?" if one.label == UNSURE else one.label


def _suspect(suspect: ShownSuspect, lang: Language) -> dict[str, Any]:
    """A suspected chromosome for the template; all its pictures are enlarged alike."""
    words = report_words(lang)
    cells = []
    for cell in suspect.cells:
        shown = [_shown(one) for one in (cell.own, cell.other) if one is not None]
        shown[0]["line"] = CROP_ENLARGEMENT * (cell.row + 0.5)
        cells.append(
            {
                "image": cell.image,
                "title": words["suspected_cell"].format(number=cell.number),
                "alt": words["suspected_pictures"].format(chromosome=suspect.chromosome, number=cell.number),
                "pictures": shown,
                "kinds": cell.kinds,
            }
        )
    # Made here of numbers and the names of chromosomes alone.
    drawing = Markup(suspect.ideogram)
    return {"reason": suspect.reason, "facts": suspect.facts, "note": suspect.note, "ideogram": drawing, "cells": cells}


def _headline(one: Chromosome, lang: Language) -> str:
    name = phrase("unnamed", lang) if one.label == UNSURE else phrase("chromosome", lang, label=one.label)
    return f"{name}, {phrase('confidence', lang, confidence=percentage(one.confidence))}"


def _doubtful(cell: Metaphase, page: NDArray[np.uint8], index: int, lang: Language) -> dict[str, Any]:
    one = cell.chromosomes[index]
    homologue = _homologue(cell.chromosomes, index)
    best = np.argsort(-one.probabilities, kind="stable")[:3]
    return {
        "headline": _headline(one, lang),
        "reasons": [sentence(flag, lang) for flag in one.flags],
        "classes": [(CLASSES[position], float(one.probabilities[position])) for position in best],
        "raw": _shown(_raw_crop(cell.pixels, one)),
        "straightened": _shown(picture(page, one).pixels),
        "homologue": None if homologue is None else _shown(picture(page, homologue).pixels),
    }


def _homologue(chromosomes: Sequence[Chromosome], index: int) -> Chromosome | None:
    """Return the surest other chromosome of the same class."""
    own = chromosomes[index].label
    others = [
        one for position, one in enumerate(chromosomes) if position != index and one.label == own and own != UNSURE
    ]
    return max(others, key=lambda one: one.confidence, default=None)


def _raw_crop(pixels: NDArray[np.uint8], one: Chromosome) -> NDArray[np.uint8]:
    xmin, ymin, xmax, ymax = (round(side) for side in one.instance.box)
    top, left = max(ymin - CROP_MARGIN, 0), max(xmin - CROP_MARGIN, 0)
    return pixels[top : max(ymax + CROP_MARGIN, top + 1), left : max(xmax + CROP_MARGIN, left + 1)]


def _shown(pixels: NDArray[np.uint8]) -> dict[str, Any]:
    # The browser enlarges; the pixels sent are the original ones.
    height, width = (round(CROP_ENLARGEMENT * side) for side in pixels.shape)
    return {"uri": png_uri(pixels), "width": width, "height": height}


def _shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    return np.asarray(picture, dtype=np.uint8)


def _jpeg_uri(pixels: NDArray[np.uint8]) -> str:
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, format="JPEG", quality=OVERVIEW_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
