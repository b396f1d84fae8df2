"""Consilium: metaphase images in, karyograms out, with every doubtful chromosome pointed out.

Importing the package imports nothing else: each room is imported by whoever needs it.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> str:
    # Reading the installed metadata costs tens of milliseconds that most imports never need.
    if name == "__version__":
        from importlib.metadata import version

        return version("consilium")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
