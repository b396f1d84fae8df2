"""The models behind the stages: where they lie, and what a case says about them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from consilium.artefact.card import read_card
from consilium.artefact.runtime import Model, load_model
from consilium.karyotype.record import ModelReference

WEIGHTS = Path(__file__).parent / "weights"

NAMES = ("detector", "amodal", "classifier", "structure")


def model(name: str, *, threads: int | None = None) -> Model:
    """One of `NAMES`, loaded once per process.

    Raises:
        ModelError: its file is missing or is not the one its card describes.
    """
    return load_model(WEIGHTS / f"{name}.json", threads=threads)


@cache
def model_references() -> tuple[ModelReference, ...]:
    """Name, version and hash of every model, for case.json."""
    cards = [read_card(WEIGHTS / f"{name}.json") for name in NAMES]
    return tuple(ModelReference(name=c.name, version=c.version, sha256=c.sha256) for c in cards)
