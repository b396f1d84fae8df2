"""Where Consilium keeps things and where it looks for them; the environment decides, nothing is created here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

HOME_VARIABLE = "CONSILIUM_HOME"
DATA_VARIABLE = "CONSILIUM_DATA"
LIBRARY_VARIABLE = "CONSILIUM_LIBRARY"
STORE_VARIABLE = "CONSILIUM_LIBRARY_STORE"
LABORATORY_VARIABLE = "CONSILIUM_LABORATORY"
FONTS_VARIABLE = "CONSILIUM_FONTS"
DATASETS_VARIABLE = "CONSILIUM_DATASETS"


def home_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The folder for everything that Consilium keeps between calls.

    Args:
        environ: the environment to read; the process's own when left out.

    Returns:
        `CONSILIUM_HOME`, or else the platform's user data folder for `consilium`; it need not exist yet.
    """
    named = (os.environ if environ is None else environ).get(HOME_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_data_path("consilium", appauthor=False)


def data_folder(environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder of real test data.

    Args:
        environ: the environment to read; the process's own when left out.

    Returns:
        `CONSILIUM_DATA` as given, whether or not it exists, or None when the variable is unset or empty.
    """
    named = (os.environ if environ is None else environ).get(DATA_VARIABLE, "").strip()
    return Path(named).expanduser() if named else None


def dataset_folders(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Folders with cases that people of a workstation may point to; no other place of the disk may be named.

    Args:
        environ: the environment to read; the process's own when left out.

    Returns:
        The folders in `CONSILIUM_DATASETS`, which are parted as those in `PATH` are; empty when it is unset.
    """
    named = (os.environ if environ is None else environ).get(DATASETS_VARIABLE, "")
    return tuple(Path(one.strip()).expanduser() for one in named.split(os.pathsep) if one.strip())


def font_folders(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Folders with fonts that somebody named, before those of the platform.

    Args:
        environ: the environment to read; the process's own when left out.

    Returns:
        The folders in `CONSILIUM_FONTS`, which are parted as those in `PATH` are; empty when it is unset.
    """
    named = (os.environ if environ is None else environ).get(FONTS_VARIABLE, "")
    return tuple(Path(one.strip()).expanduser() for one in named.split(os.pathsep) if one.strip())
