"""How each kind of task goes through the verbs: labels, outlines, boxes. The one place where tasks branch.

`fit`, `predict`, `explain`, `export` and `compare` ask for the specialty of a task, or of the model in a bundle, and do
with it what they do with every other; what differs stands behind this protocol, beside the model it belongs to. The
report has its counterpart in `report/chapters.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.bundle import Bundle
from consilium.errors import ModelError, UnusableDataset
from consilium.generalist.cache import FeatureCache
from consilium.generalist.embedding import NotEmbedded, Outcome
from consilium.generalist.encoder import Encoder
from consilium.generalist.inputs import Entry
from consilium.specialist.compare import Comparison
from consilium.specialist.dataset import Dataset
from consilium.specialist.report.facts import ModelFacts
from consilium.specialist.specialist import RECORD, SHIPPED
from consilium.specialist.tuning.nested import Step
from consilium.specialist.tuning.rung import Estimate

Language = Literal["zh", "en"]
OnWork = Callable[[float, str], None]
"""Called with the work done since the last call, and what could not be used (empty where all could)."""
OnTuning = tuple[Callable[[Estimate], None], Callable[[Step], None]]
"""Called before a fine-tuning with what it will take, and after each of its networks."""
Say = Callable[[str, str], None]
"""Called with a sentence in English and in Chinese."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a person asks of a fit.

    Attributes:
        encoder: its name, "shipped" or of the hub.
        modality: how the pictures were made.
        seed: of every lot that is drawn.
        case_column: names the case of each file, where a case has several.
        labels: names of the numbers in masks, in their order.
        instances: whether numbers in masks tell objects apart.
        tolerance: distance of outlines that does not count, pixels or (volumes) millimetres.
        fine_tune: whether fine-tuning is tried and taken where it is better by more than a standard error.
        mirrored: whether mirror images are looked at too; not where left and right matter.
        finer: whether the shipped encoder looks at single pictures in a finer size too.
    """

    encoder: str = SHIPPED
    modality: str | None = None
    seed: int = 0
    case_column: str | None = None
    labels: tuple[str, ...] = ()
    instances: bool = False
    tolerance: float | None = None
    fine_tune: bool = False
    mirrored: bool = True
    finer: bool = True


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a fit makes.

    Attributes:
        files: of the bundle, by name, all but its manifest.
        facts: for the report.
        beside: further files beside the facts, by name.
        summary: the sentences at the end, by language.
    """

    files: Mapping[str, bytes]
    facts: ModelFacts
    beside: Mapping[str, bytes]
    summary: Mapping[Language, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class NotUsed:
    """A file that could not be used, and why."""

    file: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A drawing that explains an answer.

    Attributes:
        picture: (H, W, 3) uint8.
        told: what was answered, in a word.
    """

    picture: NDArray[np.uint8]
    told: str


class Specialty(Protocol):
    """What the verbs need of a kind of task."""

    def refuse(self, order: Order) -> None:
        """Refuse an order before the long work.

        Raises:
            InputError: it asks for what this kind of task has not.
        """
        ...

    def memory(self, dataset: Dataset, encoder: Encoder) -> int:
        """Bytes at the peak of a fit, roughly."""
        ...

    def work(self, dataset: Dataset) -> float:
        """How much `fit` will report to `on_work` in all."""
        ...

    def fit(
        self, dataset: Dataset, encoder: Encoder, order: Order, name: str, *, terms: str, cache: FeatureCache | None,
        on_work: OnWork, on_tuning: OnTuning, say: Say,
    ) -> Made:  # fmt: skip
        """Fit and validate a model that is called `name` and handed on under `terms`.

        Raises:
            UnusableDataset: the cases cannot be used.
            InputError: there is no such modality.
            ModelError: the encoder fails.
        """
        ...

    def answers(
        self, bundle: Bundle, entries: Sequence[Entry], *, out: Path | None, by_group: bool, cache: FeatureCache | None
    ) -> Iterator[dict[str, Any] | NotUsed]:
        """Answer about files, in their order: one JSON document each; what is written goes to `out`.

        Raises:
            InputError: `out` or `by_group` mean nothing here, or `out` is lacking.
            ModelError: the model in the bundle cannot be used.
        """
        ...

    def explained(self, bundle: Bundle, entries: Sequence[Entry], *, label: str | None) -> Iterator[Drawn | NotUsed]:
        """Draw what answers hang on, in the order of the files.

        Raises:
            InputError: there is no such label.
        """
        ...

    def network_files(self) -> tuple[str, ...]:
        """Names of the files of a bundle that another program needs to run its network.

        Raises:
            InputError: the network alone is not the model.
        """
        ...

    def compared(self, first: Bundle, second: Bundle, dataset: Path, *, group: str) -> Comparison:
        """Compare two models on cases that neither has seen.

        Raises:
            InputError: the models do not answer the same question.
            UnusableDataset: one of them has learnt from a case, or there are not enough.
        """
        ...


def specialty_of(task: str) -> Specialty:
    """The specialty of a task of `Dataset`.

    Raises:
        UnusableDataset: there is no such task.
    """
    if task == "segment":
        from consilium.specialist.segmentation.outlines import Outlines

        return Outlines()
    if task == "detect":
        from consilium.specialist.detection.finds import Finds

        return Finds()
    if task not in ("binary", "multiclass", "multilabel", "regress"):
        raise UnusableDataset(f"there is no task {task!r}", way_out="Choose one with --task.")
    from consilium.specialist.labels import Labels

    return Labels()


def problem_of(outcome: Outcome) -> str:
    """Why a file could not be used; empty where it could."""
    return f"{outcome.entry.file}: not used: {outcome.message}" if isinstance(outcome, NotEmbedded) else ""


def specialty_in(bundle: Bundle) -> Specialty:
    """The specialty of the model in a bundle.

    Raises:
        ModelError: the bundle does not say its task, or one that this version does not know.
    """
    task = bundle.document(RECORD).get("task")
    try:
        return specialty_of(str(task))
    except UnusableDataset as problem:
        raise ModelError(
            f"this version cannot use a model of the task {task!r}",
            where=str(bundle.folder),
            way_out="Install a newer version of consilium.",
        ) from problem
