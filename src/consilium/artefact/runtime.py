"""Shipped models, checked against their cards and run by ONNX Runtime on the CPU.

ONNX Runtime is imported when the first model is loaded: most of what Consilium does needs none.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from consilium.artefact.card import ModelCard, read_card
from consilium.errors import ModelError

_WAY_OUT = "Install consilium again, or take the model from where it was published."
_ERRORS_ONLY = 3


class Model:
    """A model that is ready to run. Made by `load_model`; safe to share between threads.

    Attributes:
        card: what is known about it.
    """

    def __init__(self, card: ModelCard, session: Any) -> None:
        self.card = card
        self._session = session

    def run(self, **arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Runs the model once.

        Args:
            **arrays: one array for each input of the card, of its dtype and shape.

        Returns:
            One array for each output of the card, by name.

        Raises:
            ModelError: an input is missing, surplus, or of another dtype or shape than the model takes.
        """
        expected = {tensor.name for tensor in self.card.inputs}
        if set(arrays) != expected:
            raise self._misfit(f"it takes {_listed(expected)}, not {_listed(set(arrays))}")
        names = [tensor.name for tensor in self.card.outputs]
        try:
            results = self._session.run(names, arrays)
        except Exception as problem:
            # ONNX Runtime has its own exceptions, one for each status, without a public parent.
            shapes = ", ".join(f"{name} {array.dtype} {array.shape}" for name, array in arrays.items())
            raise self._misfit(f"it failed on {shapes} ({_first_line(problem)})") from problem
        return dict(zip(names, results, strict=True))

    def _misfit(self, what: str) -> ModelError:
        return ModelError(what, where=f"model {self.card.name} {self.card.version}")


class ModelCache:
    """Loaded models by card, number of threads and process.

    A session does not survive a fork, because its threads do not; so a child process loads its own.
    """

    def __init__(self) -> None:
        self._models: dict[tuple[Path, int | None, int], Model] = {}
        self._lock = threading.Lock()

    def get(self, card_path: Path, *, threads: int | None) -> Model:
        """The model of a card, loaded when this process asks for it first."""
        key = (card_path.resolve(), threads, os.getpid())
        with self._lock:
            if key not in self._models:
                self._models[key] = _load(card_path, threads)
            return self._models[key]

    def clear(self) -> None:
        """Lets go of every model."""
        with self._lock:
            self._models.clear()


PROCESS_CACHE = ModelCache()
"""The cache that `load_model` uses unless it is given another."""


def load_model(card_path: Path, *, threads: int | None = None, cache: ModelCache = PROCESS_CACHE) -> Model:
    """Loads the model that a card describes, once per process.

    Args:
        card_path: the JSON file of the card; the ONNX file lies beside it.
        threads: how many threads one run may use; None leaves it to ONNX Runtime (one per core).
        cache: where loaded models are kept.

    Raises:
        ModelError: the card or the file is missing or malformed, the file is not the one that the card names, or
            its inputs and outputs are not those of the card.
    """
    return cache.get(card_path, threads=threads)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _load(card_path: Path, threads: int | None) -> Model:
    card = read_card(card_path)
    path = card_path.parent / card.file
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise ModelError(
            f"the model file cannot be read ({problem.strerror})", where=str(path), way_out=_WAY_OUT
        ) from problem
    # What was hashed is what is run: the file is not opened again.
    return model_of(card, content, path, threads=threads)


def model_of(card: ModelCard, content: bytes, path: Path, *, threads: int | None = None) -> Model:
    """A model whose file is in memory, such as one that was just trained.

    Args:
        card: of it.
        content: of the ONNX file.
        path: where it is from, for messages.
        threads: how many threads one run may use; None leaves it to ONNX Runtime.

    Raises:
        ModelError: the content is not what the card describes.
    """
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise ModelError("the model file is not the one its card describes", where=str(path), way_out=_WAY_OUT)
    session = _session(content, path, threads)
    for what, tensors, found in (
        ("inputs", card.inputs, session.get_inputs()),
        ("outputs", card.outputs, session.get_outputs()),
    ):
        named, real = {tensor.name for tensor in tensors}, {tensor.name for tensor in found}
        if named != real:
            raise ModelError(
                f"the card names the {what} {_listed(named)}, the model has {_listed(real)}",
                where=str(path),
                way_out=_WAY_OUT,
            )
    return Model(card, session)


def _session(content: bytes, path: Path, threads: int | None) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Threads that wait by turning keep the cores from whoever else needs them, this process's other threads included.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as problem:
        # As in `Model.run`: one exception class for each status, without a public parent.
        raise ModelError(
            f"the model cannot be loaded ({_first_line(problem)})", where=str(path), way_out=_WAY_OUT
        ) from problem


def _first_line(problem: Exception) -> str:
    lines = str(problem).strip().splitlines()
    return lines[0][:200] if lines else type(problem).__name__


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
