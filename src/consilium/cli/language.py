"""Which language a verb speaks when nobody says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

import click

LANGUAGES: tuple[Literal["zh", "en"], ...] = ("zh", "en")


def usual_language(environ: Mapping[str, str] | None = None) -> Literal["zh", "en"]:
    """Chinese where the locale is Chinese, otherwise English.

    Args:
        environ: the environment to read; the process's own when left out. The first of `LC_ALL`, `LC_MESSAGES` and
            `LANG` that is not empty decides (POSIX.1-2017, Base Definitions, section 8.2).
    """
    environ = os.environ if environ is None else environ
    named = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return "zh" if named.lower().startswith("zh") else "en"


language_option = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    default=usual_language,
    show_default="of the locale",
    help="Language of the report: Chinese or English.",
)
"""The option `--lang` of every verb that writes something to read."""
