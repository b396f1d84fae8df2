"""The report as one HTML file, without script or outside resource."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np
from jinja2 import Environment, StrictUndefined, Template
from numpy.typing import NDArray
from PIL import Image

from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import Section, plain
from consilium.specialist.report.verdict import Verdict
from consilium.specialist.report.wording import NOT_A_DEVICE

THUMBNAIL = 240
"""Longest side of a picture in a gallery, pixels."""


def report_html(matter: Matter, verdict: Verdict, sections: Sequence[Section]) -> str:
    """Lay out a report; all names are escaped."""
    t = matter.t
    return _template().render(
        lang="zh-Hans" if matter.lang == "zh" else "en",
        t=t,
        title=t("How good is this specialist?", "专科模型验证报告"),
        name=plain(matter.facts.name),
        version=plain(matter.facts.version),
        created=matter.facts.created,
        consilium=matter.facts.consilium_version,
        notice=t(*NOT_A_DEVICE),
        verdict=verdict,
        sections=[(section, [(type(part).__name__.lower(), part) for part in section.parts]) for section in sections],
    )


def thumbnail(picture: NDArray[np.uint8]) -> bytes:
    """PNG file of a picture, (h, w) or (h, w, 3), made small."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    page = io.BytesIO()
    image.save(page, "PNG", optimize=True)
    return page.getvalue()


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["sha256"] = _style_hash
    environment.filters["svg_uri"] = lambda svg: _uri(svg.encode("utf-8"), "svg+xml")
    environment.filters["png_uri"] = lambda picture: _uri(thumbnail(picture), "png")
    text = resources.files("consilium.specialist.report").joinpath("report.html.j2").read_text(encoding="utf-8")
    return environment.from_string(text)


def _style_hash(style: str) -> str:
    """Return the hash by which a content security policy admits one inline style sheet (CSP level 2)."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")


def _uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
