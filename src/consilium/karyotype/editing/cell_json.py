"""An edited cell as JSON values; addresses and pictures are added by whoever serves it."""

from __future__ import annotations

from typing import Any

from consilium.karyotype.editing.cell import CellObject
from consilium.karyotype.editing.region import outlines
from consilium.karyotype.editing.told import Told
from consilium.karyotype.metaphase import CLASSES, Flag
from consilium.karyotype.wording import Language, sentence

BEST = 5
"""Classes of which the probability is told."""


def object_document(one: CellObject, says: Told, lang: Language = "en") -> dict[str, Any]:
    """An object as JSON values.

    Args:
        one: the object.
        says: what its cell says.
        lang: language of the reasons.
    """
    ranked = sorted(range(len(CLASSES)), key=lambda index: (-one.probabilities[index], index))
    return {
        "id": one.id,
        "label": one.label,
        "home": one.home,
        "place": one.place,
        "confidence": round(one.confidence, 4),
        "probabilities": {CLASSES[index]: round(one.probabilities[index], 4) for index in ranked[:BEST]}
        if one.read
        else {},
        "read": one.read,
        "named": one.named,
        "confirmed": one.confirmed,
        "doubtful": one.id in says.doubtful,
        "flags": [flag_document(flag, lang) for flag in says.flags[one.id]],
        "polygons": [[[x, y] for x, y in outline] for outline in outlines(one.region)],
        "box": [round(side, 2) for side in one.region.box],
        "angle_deg": one.angle_deg,
        "straight": one.straight,
        "upside_down": one.upside_down,
        "mirrored": one.mirrored,
        "note": one.note,
    }


def flag_document(flag: Flag, lang: Language = "en") -> dict[str, Any]:
    """A flag as JSON values."""
    return {"code": flag.code, "reason": sentence(flag, lang)}
