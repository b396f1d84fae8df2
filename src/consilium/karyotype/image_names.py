"""What the images of a case are called: short, unlike each other, and text that every record can hold."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

_NO_TEXT = frozenset({"Cc", "Cs"})
"""Unicode categories of control characters and of bytes of a file name that are no text."""


def image_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """Name each image by its file name, with as many folders before it as tell it from the others.

    Args:
        paths: the files; the same file twice gets a number behind its second name.

    Returns:
        One name a path, in their order, all different.
    """
    parts = [tuple(plain_text(part) for part in path.relative_to(path.anchor).parts) for path in paths]
    depths = [1] * len(paths)
    while True:
        names = ["/".join(one[-depth:]) for one, depth in zip(parts, depths, strict=True)]
        seen = Counter(names)
        deeper = [
            depth + (seen[name] > 1 and depth < len(one)) for name, one, depth in zip(names, parts, depths, strict=True)
        ]
        if deeper == depths:
            return _numbered(names)
        depths = deeper


def plain_text(name: str) -> str:
    """Put a replacement character for whatever of a file name is no text: records are UTF-8, SVG is XML."""
    return "".join("\ufffd" if unicodedata.category(letter) in _NO_TEXT else letter for letter in name)


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    given: dict[str, None] = {}
    for name in names:
        number, unlike = 1, name
        while unlike in given:
            number += 1
            unlike = f"{name} ({number})"
        given[unlike] = None
    return tuple(given)
