"""A report as one HTML file: no script, nothing fetched from elsewhere, its pictures in it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from consilium.laboratory.review.content import Lang
from consilium.laboratory.review.printed import Report, printed
from consilium.laboratory.review.printed_pdf import checked_picture

if TYPE_CHECKING:
    from jinja2 import Template


def report_html(report: Report, pictures: Mapping[str, bytes], lang: Lang) -> str:
    """A revision of a report, laid out for a screen and for a printer.

    Args:
        report: with everything that is printed of it.
        pictures: PNG files of its karyograms, by their SHA-256.
        lang: of the report.

    Raises:
        StorageBroken: a picture is not the one that its hash names, or is missing.
    """
    data = printed(report, lang)
    for one in data["karyograms"]:
        one["picture"] = base64.b64encode(checked_picture(pictures, one["sha256"])).decode("ascii")
    return _template().render(**data)


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = resources.files("consilium.laboratory.review").joinpath("printed.html.j2").read_text(encoding="utf-8")
    return environment.from_string(text)
