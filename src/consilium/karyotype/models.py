"""The models behind the stages: where they lie, and what a case says about them.

They are those that come with Consilium, unless a call works with those of another folder (`using`), such as a bundle
from the library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from consilium.artefact.card import read_card
from consilium.artefact.runtime import Model, load_model
from consilium.karyotype.record import ModelReference

WEIGHTS = Path(__file__).parent / "weights"

NAMES = ("detector", "amodal", "rescorer", "classifier", "structure")

_USED: ContextVar[Path | None] = ContextVar("karyotyping models", default=None)


@contextmanager
def using(weights: Path | None) -> Iterator[None]:
    """Work with the models of another folder; None: with those that were used before."""
    before = _USED.set(weights or _USED.get())
    try:
        yield
    finally:
        _USED.reset(before)


def used() -> Path | None:
    """The folder whose models are used; None: those that come with Consilium."""
    return _USED.get()


def card_path(name: str) -> Path:
    """The card of one of `NAMES`, in the folder whose models are used."""
    return (used() or WEIGHTS) / f"{name}.json"


def model(name: str, *, threads: int | None = None) -> Model:
    """One of `NAMES`, loaded once per process.

    Raises:
        ModelError: its file is missing or is not the one its card describes.
    """
    return load_model(card_path(name), threads=threads)


def constants(name: str) -> Mapping[str, Any]:
    """What the card of one of `NAMES` tells the code around the model.

    Raises:
        ModelError: the card is missing or malformed.
    """
    return _constants(card_path(name))


@cache
def _constants(path: Path) -> Mapping[str, Any]:
    return read_card(path).constants


def model_references() -> tuple[ModelReference, ...]:
    """Name, version and hash of every model, for case.json."""
    return _references(tuple(card_path(name) for name in NAMES))


@cache
def _references(paths: tuple[Path, ...]) -> tuple[ModelReference, ...]:
    cards = [read_card(path) for path in paths]
    return tuple(ModelReference(name=c.name, version=c.version, sha256=c.sha256) for c in cards)
