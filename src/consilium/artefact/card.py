"""The model card: what a model is for, what it learnt from, how good it is, and when it fails.

A card is a JSON file beside the ONNX file it describes; `card.schema.json` is its form. The models that come with
Consilium lie in the folder `weights/` of the room that uses them, each as NAME.onnx and NAME.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from consilium.errors import ModelError


@dataclass(frozen=True, kw_only=True, slots=True)
class Tensor:
    """One input or output of a model.

    Attributes:
        name: as in the ONNX file.
        shape: a number for a fixed side, a letter for a free one, e.g. (1, 3, "H", "W").
        dtype: NumPy's name of the element type.
        meaning: what it holds, with units and value range.
    """

    name: str
    shape: tuple[int | str, ...]
    dtype: str
    meaning: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingData:
    """One data set a model learnt from: which part of it, under which licence, and what for."""

    name: str
    licence: str
    part: str
    use: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One measured figure.

    Attributes:
        low, high: the 95 % interval.
        n: how many independent cases the interval rests on.
        data: what it was measured on.
        date: when, as YYYY-MM-DD.
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    data: str
    date: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCard:
    """What is to be known about one shipped model.

    Attributes:
        task: what it does, e.g. "find chromosomes in a metaphase".
        file: name of the ONNX file in the card's folder.
        sha256: of that file, 64 hexadecimal digits.
        modalities: ids of the imaging modalities it learnt from, as `consilium modalities` lists them.
        initialised_from: the published weights it started from; empty when it started from random numbers.
        recipe: the command that trains it again.
        constants: what the code around the model needs, such as thresholds chosen on validation data.
        modalities: identifiers of the imaging modalities it learnt from; empty where that is not said.
    """

    name: str
    version: str
    task: str
    file: str
    sha256: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    trained_on: tuple[TrainingData, ...]
    initialised_from: tuple[str, ...]
    metrics: tuple[Metric, ...]
    known_failures: tuple[str, ...]
    intended_use: str
    licence: str
    recipe: str
    constants: Mapping[str, float | str | Sequence[float]] = field(default_factory=dict)
    modalities: tuple[str, ...] = ()


def read_card(path: Path) -> ModelCard:
    """Reads and checks a card.

    Args:
        path: the JSON file.

    Raises:
        ModelError: it cannot be read, is not JSON, or is not a card; the message names the entry.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise ModelError(
            "there is no such model card", where=str(path), way_out="Install consilium again."
        ) from problem
    except (OSError, ValueError, RecursionError) as problem:
        raise ModelError(f"the model card cannot be read ({problem})", where=str(path), way_out=_WAY_OUT) from problem
    return _checked(document, path)


def card_of(document: Mapping[str, Any], where: Path) -> ModelCard:
    """A card that was kept elsewhere than in a file of its own.

    Args:
        document: as JSON.
        where: it is from, for messages.

    Raises:
        ModelError: it is not a card; the message names the entry.
    """
    return _checked(document, where)


def write_card(card: ModelCard, path: Path) -> None:
    """Writes a card in the form that `read_card` reads; training recipes end with this.

    Raises:
        ModelError: an entry is empty, malformed or contradicts another.
    """
    document = json.loads(json.dumps(asdict(card)))
    _checked(document, path)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def shipped_cards(package: Path | None = None) -> list[Path]:
    """The cards of the models that come with Consilium, sorted by room and name.

    Args:
        package: folder of the package; that of the running one when left out.
    """
    folder = Path(str(files("consilium"))) if package is None else package
    return sorted(folder.glob("*/weights/*.json"))


_WAY_OUT = "Compare it with card.schema.json, or install consilium again."


def _checked(document: Any, path: Path) -> ModelCard:
    from jsonschema.exceptions import best_match

    problem = best_match(_validator().iter_errors(document))
    if problem is not None:
        entry = problem.json_path.removeprefix("$").removeprefix(".") or "the card"
        raise ModelError(f"{entry}: {problem.message}", where=str(path), way_out=_WAY_OUT)
    for metric in document["metrics"]:
        if not metric["low"] <= metric["value"] <= metric["high"]:
            raise ModelError(
                f"metric {metric['name']!r}: {metric['value']} lies outside its interval "
                f"{metric['low']} to {metric['high']}",
                where=str(path),
                way_out=_WAY_OUT,
            )
    return _card(document)


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    schema = (files("consilium") / "artefact" / "card.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(schema))


def _card(document: Mapping[str, Any]) -> ModelCard:
    made: dict[str, Any] = dict(document)
    for key in ("inputs", "outputs"):
        made[key] = tuple(Tensor(**{**entry, "shape": tuple(entry["shape"])}) for entry in document[key])
    made["trained_on"] = tuple(TrainingData(**entry) for entry in document["trained_on"])
    made["metrics"] = tuple(Metric(**entry) for entry in document["metrics"])
    for key in ("initialised_from", "known_failures", "modalities"):
        made[key] = tuple(document.get(key, ()))
    return ModelCard(**made)
