"""Specialists that answer with labels or a quantity, as the verbs see them; see `specialty.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from consilium.artefact.bundle import CARD, NETWORK, Bundle
from consilium.errors import InputError, MissingExtra, UnusableDataset
from consilium.generalist.cache import FeatureCache
from consilium.generalist.embedding import NotEmbedded
from consilium.generalist.encoder import Encoder
from consilium.generalist.inputs import Entry
from consilium.generalist.pictures import pictures
from consilium.specialist.bundle_documents import bundle_files
from consilium.specialist.case_features import CaseFeatures, case_features
from consilium.specialist.compare import Comparison, compare, refuse_unlike
from consilium.specialist.dataset import Dataset, read_dataset
from consilium.specialist.evidence.summary import summary
from consilium.specialist.evidence.validate import Plan
from consilium.specialist.explain import explain, overlay
from consilium.specialist.fit import Wish, fit
from consilium.specialist.fit_facts import facts_of
from consilium.specialist.memory import memory_of_fit
from consilium.specialist.predict import predict
from consilium.specialist.specialist import encoder_of, read_specialist
from consilium.specialist.specialty import Drawn, Made, NotUsed, OnTuning, OnWork, Order, Say, problem_of


class Labels:
    """Classes, several labels a case, or a quantity."""

    def refuse(self, order: Order) -> None:
        """See `Specialty.refuse`."""
        if order.instances or order.labels or order.tolerance is not None:
            raise InputError(
                "--instances, --label and --tolerance are of outlines, and this task has none",
                way_out="Leave them out, or say --task segment.",
            )

    def memory(self, dataset: Dataset, encoder: Encoder) -> int:
        """See `Specialty.memory`."""
        return memory_of_fit(len(dataset.cases), encoder.dimensions, max(len(dataset.labels), 1))

    def work(self, dataset: Dataset) -> float:
        """See `Specialty.work`."""
        return len(dataset.cases)

    def fit(
        self, dataset: Dataset, encoder: Encoder, order: Order, name: str, *, terms: str, cache: FeatureCache | None,
        on_work: OnWork, on_tuning: OnTuning, say: Say,
    ) -> Made:  # fmt: skip
        """See `Specialty.fit`."""

        def embedded(cases: CaseFeatures) -> None:
            count = len(cases.features)
            say(
                f"{count} cases embedded ({cases.cached} from the cache); validating ...",
                f"已提取 {count} 例的特征（{cases.cached} 个取自缓存）；正在验证……",
            )

        wish = Wish(
            encoder=order.encoder, modality=order.modality, case_column=order.case_column, fine_tune=order.fine_tune,
            mirrored=order.mirrored, finer=order.finer, plan=Plan(seed=order.seed),
        )  # fmt: skip
        on_estimate, on_step = on_tuning
        result = fit(
            dataset, encoder, wish, cache=cache, on_outcome=lambda outcome: on_work(1, problem_of(outcome)),
            on_embedded=embedded, on_estimate=on_estimate, on_step=on_step,
        )  # fmt: skip
        files = bundle_files(result, name, terms=terms)
        return Made(
            files=files,
            facts=facts_of(result, name, files[NETWORK]),
            beside={},
            summary={
                "zh": summary(result.validation, result.cases, "zh"),
                "en": summary(result.validation, result.cases, "en"),
            },
        )

    def answers(
        self, bundle: Bundle, entries: Sequence[Entry], *, out: Path | None, by_group: bool, cache: FeatureCache | None
    ) -> Iterator[dict[str, Any] | NotUsed]:
        """See `Specialty.answers`."""
        if out is not None:
            raise InputError(
                "this model answers with labels and writes no files", way_out="Leave out --out; answers are printed."
            )
        ready = read_specialist(bundle)
        for one in predict(ready, encoder_of(ready, bundle), entries, by_group=by_group, cache=cache):
            if isinstance(one, NotEmbedded):
                yield NotUsed(file=one.entry.file, message=one.message)
            else:
                yield one.answer.as_document(one.name)

    def explained(self, bundle: Bundle, entries: Sequence[Entry], *, label: str | None) -> Iterator[Drawn | NotUsed]:
        """See `Specialty.explained`."""
        ready = read_specialist(bundle)
        encoder = encoder_of(ready, bundle)
        for entry in entries:
            try:
                shown = pictures(entry.path, ready.side, ready.modality)
            except (InputError, MissingExtra) as problem:
                yield NotUsed(file=entry.file, message=str(problem))
                continue
            found = explain(ready, encoder, shown, label)
            yield Drawn(picture=overlay(found), told=found.label or "value")

    def network_files(self) -> tuple[str, ...]:
        """See `Specialty.network_files`."""
        return NETWORK, CARD

    def compared(self, first: Bundle, second: Bundle, dataset: Path, *, group: str) -> Comparison:
        """See `Specialty.compared`: AUCs, their difference by DeLong."""
        bundles = (first, second)
        ready = [read_specialist(bundle) for bundle in bundles]
        cases = read_dataset(dataset, task="multilabel" if ready[0].task == "multilabel" else "classify", group=group)
        refuse_unlike(ready[0], ready[1], cases)
        scores = []
        for one, bundle in zip(ready, bundles, strict=True):
            found = case_features(cases, encoder_of(one, bundle), modality=one.modality, cache=FeatureCache())
            refuse_skipped(found.skipped)
            scores.append(one.probabilities(found.in_form(one.pooling)))
        return compare(scores[0], scores[1], cases, ready[0].labels)


def refuse_skipped(skipped: Sequence[tuple[Path, str]]) -> None:
    """Refuse a comparison of models on different cases.

    Raises:
        UnusableDataset: a file could not be used.
    """
    if skipped:
        file, reason = skipped[0]
        raise UnusableDataset(
            f"{len(skipped)} case(s) cannot be read ({reason})", where=str(file), way_out="Leave them out."
        )
