"""Which chromosomes a named karyotype has."""

from __future__ import annotations

import re

from consilium.errors import InputError
from consilium.karyotype.metaphase import CLASSES

_NAMED = {
    "normal female": "46,XX",
    "normal male": "46,XY",
    "turner": "45,X",
    "klinefelter": "47,XXY",
    "triple x": "47,XXX",
    "jacobs": "47,XYY",
}
_WORDS = re.compile(r"(trisomy|monosomy) (\d+|x)(?: (female|male))?")
_ISCN = re.compile(r"(\d+),([XY]{1,5})((?:,[+-](?:\d+|X|Y))*)")

_WAY_OUT = (
    "Write 'normal female', 'normal male', 'trisomy 21', 'monosomy 7 male', or whole chromosomes in ISCN such as "
    "'45,X', '47,XXY' or '47,XY,+21'."
)


def karyotype_set(name: str) -> list[str]:
    """The chromosomes of a karyotype without structural changes.

    Args:
        name: a name ("normal female", "trisomy 21 male", "monosomy X") or ISCN of whole chromosomes
            ("47,XY,+21", "45,X", "47,XYY").

    Returns:
        Labels in the order of `CLASSES`, e.g. ["1", "1", "2", ..., "X", "Y"].

    Raises:
        InputError: if the name is not understood, or its chromosome count is not what its changes add up to.
    """
    count, sexes, changes = _parse(name.strip())
    copies = dict.fromkeys(CLASSES[:22], 2) | {"X": sexes.count("X"), "Y": sexes.count("Y")}
    for change in changes:
        sign, label = change[0], change[1:]
        if label not in copies:
            raise InputError(f"there is no chromosome {label!r}", where=name, way_out=_WAY_OUT)
        copies[label] += 1 if sign == "+" else -1
        if copies[label] < 0:
            raise InputError(f"chromosome {label} is lost more often than it is there", where=name, way_out=_WAY_OUT)
    chromosomes = [label for label in CLASSES for _ in range(copies[label])]
    if len(chromosomes) != count:
        raise InputError(f"the changes add up to {len(chromosomes)} chromosomes, not {count}", where=name)
    return chromosomes


def _parse(name: str) -> tuple[int, str, list[str]]:
    """Return (count, sex chromosomes, signed whole-chromosome changes)."""
    lowered = " ".join(name.lower().split())
    if words := _WORDS.fullmatch(lowered):
        kind, label, sex = words.groups()
        if label == "x":
            return (47, "XXX", []) if kind == "trisomy" else (45, "X", [])
        change = f"+{label}" if kind == "trisomy" else f"-{label}"
        return 47 if kind == "trisomy" else 45, "XY" if sex == "male" else "XX", [change]
    if iscn := _ISCN.fullmatch(_NAMED.get(lowered, name.replace(" ", "").upper())):
        return int(iscn[1]), iscn[2], [change for change in iscn[3].split(",") if change]
    raise InputError(f"the karyotype {name!r} is not understood", way_out=_WAY_OUT)
