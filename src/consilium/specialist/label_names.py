"""Names of labels as people write them: their order, and which are meant to be the same."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from consilium.errors import UnusableDataset

_WITHOUT = frozenset(
    {"0", "n", "no", "none", "false", "negative", "neg", "norm", "normal", "healthy", "control", "controls", "benign"}
    | {"absent", "uninfected", "unaffected", "否", "无", "阴性", "正常", "健康", "对照", "良性"}
)
"""Names of the class that does not have what is looked for."""


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Sort labels naturally ("grade 2" before "grade 10"), what lacks the disease first: "normal", "non-tumour"."""
    named = tuple(labels)
    others = {_folded(label) for label in named}

    def lacks(label: str) -> bool:
        folded = _folded(label)
        return folded in _WITHOUT or any(
            folded.removeprefix(no) in others - {folded} for no in ("non", "not", "no", "无")
        )

    def key(label: str) -> tuple[bool, list[tuple[int, float, str]]]:
        parts = re.split(r"(\d+)", label.casefold())
        natural = [(0, float(part), "") if part.isdecimal() else (1, 0.0, part) for part in parts if part]
        return not lacks(label), natural

    return tuple(sorted(named, key=lambda label: (key(label), label)))


def _folded(label: str) -> str:
    """A label without what a person does not mean by it: case, width, spaces, dashes."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", label).casefold()) or label


def refuse_spellings(counts: Mapping[str, int], origin: Path) -> None:
    """Refuse labels that differ in spelling only.

    Args:
        counts: cases of each label.
        origin: where they come from, for the message.

    Raises:
        UnusableDataset: there are such labels.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        alike[_folded(label)].append(label)
    for labels in alike.values():
        if len(labels) > 1:
            named = " and ".join(f"{label!r} ({counts[label]})" for label in sorted(labels))
            raise UnusableDataset(
                f"the labels {named} differ in spelling only", where=str(origin), way_out="Write one label one way."
            )


def suspected_spellings(counts: Mapping[str, int]) -> Iterator[str]:
    """Say which rare labels may be misspellings of frequent ones."""
    for label in sorted(counts):
        for other in sorted(counts):
            rare = counts[label] <= 2 and counts[other] >= 10 * counts[label]
            letters = re.sub(r"\d", "", label) != re.sub(r"\d", "", other)
            if rare and letters and difflib.SequenceMatcher(None, _folded(label), _folded(other)).ratio() >= 0.8:
                yield f"label {label!r} ({counts[label]}) may be a misspelling of {other!r} ({counts[other]})"
