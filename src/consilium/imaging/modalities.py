"""The nineteen modalities: what they are called, how DICOM names them, and how their pixels are evened out.

The table is `modalities.json`. Whether a modality is *trained* follows from the cards of the models at hand and is
never written down: `statuses` computes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from consilium.errors import InputError

NativeForm = Literal["plane", "volume", "frames", "slide", "channels"]
"""plane: one picture; volume: planes along an axis of space; frames: along time; slide: a pyramid of tiles; channels:
several grey pictures of one field."""

Status = Literal["trained", "accepted, untrained"]

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_CONE_BEAM = f"{_STORAGE}13.1.2"  # a cone-beam CT of the jaw may call itself "CT"
_ANY_MICROSCOPY = (f"{_STORAGE}77.1.2", f"{_STORAGE}77.1.3")


ANY_WAY_UP = frozenset({"sm", "cyto", "smear", "karyo", "fluo", "dms", "op", "opt"})
"""Modalities whose pictures have no upper side: whoever learns from them may turn them, others only mirror them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Modality:
    """One kind of medical picture.

    Attributes:
        id: short and lasting, e.g. "ct"; what manifests and cards say.
        dicom_modalities: values of Modality (0008,0060) that mean it, e.g. ("CR", "DX").
        sop_classes: UIDs of the storage classes that hold it.
        native_form: the form it usually comes in; a study says which it has.
        normaliser: in words, what `consilium.imaging.normalise` does with it.
    """

    id: str
    name_en: str
    name_zh: str
    dicom_modalities: tuple[str, ...]
    sop_classes: tuple[str, ...]
    native_form: NativeForm
    normaliser: str


@cache
def modalities() -> tuple[Modality, ...]:
    """All nineteen, in the order of the table."""
    table = json.loads((files("consilium") / "imaging" / "modalities.json").read_text(encoding="utf-8"))
    return tuple(
        Modality(
            id=entry["id"],
            name_en=entry["name_en"],
            name_zh=entry["name_zh"],
            dicom_modalities=tuple(entry["dicom_modalities"]),
            sop_classes=tuple(_STORAGE + suffix for suffix in entry["sop_classes"]),
            native_form=entry["native_form"],
            normaliser=entry["normaliser"],
        )
        for entry in table["modalities"]
    )


def modality(identifier: str) -> Modality:
    """The modality of that id.

    Raises:
        InputError: there is none; the message names those there are.
    """
    for entry in modalities():
        if entry.id == identifier:
            return entry
    raise InputError(
        f"there is no modality {identifier!r}",
        way_out=f"Choose one of {', '.join(entry.id for entry in modalities())}.",
    )


def modality_of_dicom(dicom_modality: str, sop_class: str = "") -> Modality | None:
    """The modality that a DICOM header names.

    Args:
        dicom_modality: value of Modality (0008,0060); may be empty.
        sop_class: the SOP class UID; may be empty.

    Returns:
        The one modality that both allow. None where the header leaves it open: "GM" is general microscopy, which
        may be cytology, a smear, chromosomes or fluorescence, and "OT" may be anything. A whole slide ("SM") is
        taken for histopathology, which nearly all are.
    """
    term = dicom_modality.strip().upper()
    if sop_class in _ANY_MICROSCOPY and term in ("", "GM"):
        return None
    by_class = [entry for entry in modalities() if sop_class in entry.sop_classes]
    by_term = [entry for entry in modalities() if term in entry.dicom_modalities]
    if sop_class == _CONE_BEAM:
        return modality("dx-dental")
    candidates = [entry for entry in by_class if entry in by_term] or by_term or by_class
    if [entry.id for entry in candidates] == ["sm", "cyto"]:
        return candidates[0]
    return candidates[0] if len(candidates) == 1 else None


def statuses(trained: Iterable[Iterable[str]]) -> dict[str, Status]:
    """Which modalities a shipped model has learnt from.

    Args:
        trained: for each model card, the ids under `modalities`.

    Returns:
        id -> status, for all nineteen in the order of the table.

    Raises:
        InputError: a card names a modality that there is not.
    """
    named = {modality(identifier).id for identifiers in trained for identifier in identifiers}
    return {entry.id: "trained" if entry.id in named else "accepted, untrained" for entry in modalities()}
