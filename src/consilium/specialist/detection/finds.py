"""Specialists that find objects and draw boxes round them, as the verbs see them; see `specialty.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.bundle import NETWORK, Bundle, open_bundle
from consilium.errors import InputError, MissingExtra, UnusableDataset
from consilium.generalist.cache import FeatureCache
from consilium.generalist.encoder import Encoder
from consilium.generalist.inputs import Entry
from consilium.generalist.shipped import PREPARATION
from consilium.specialist.compare import Comparison
from consilium.specialist.dataset import Dataset, read_dataset
from consilium.specialist.detection.boxed_cases import boxed_cases, memory_of_boxes
from consilium.specialist.detection.boxes import Boxes
from consilium.specialist.detection.bundle_documents import box_bundle, box_facts, boxes_beside
from consilium.specialist.detection.compare import compare_boxes, refuse_unlike_boxes
from consilium.specialist.detection.detector import detect_all, detections
from consilium.specialist.detection.draw import draw_boxes
from consilium.specialist.detection.find_file import answer_of, find_in_file
from consilium.specialist.detection.finder import Finder, read_finder
from consilium.specialist.detection.fit import FITS, fit_boxes
from consilium.specialist.detection.labelled_boxes import read_case_boxes
from consilium.specialist.detection.pyramid import pyramid_features
from consilium.specialist.detection.summary import box_summary
from consilium.specialist.fit import library_versions
from consilium.specialist.map_model import encoder_of, image_vector
from consilium.specialist.segmentation.segment_file import read_picture
from consilium.specialist.specialist import SHIPPED
from consilium.specialist.specialty import Drawn, Made, NotUsed, OnTuning, OnWork, Order, Say, problem_of

_FEATURES = 1.0
"""Work of making the maps of a case, against its image vector."""


class Finds:
    """Boxes round objects in pictures."""

    def refuse(self, order: Order) -> None:
        """See `Specialty.refuse`."""
        if order.case_column is not None:
            raise InputError("--case is not for boxes: each file has boxes of its own", way_out="Leave it out.")
        if order.encoder != SHIPPED:
            raise InputError(
                f"boxes are learnt on the shipped encoder, whose network goes into the model, not on {order.encoder!r}",
                way_out="Leave out --encoder.",
            )
        if order.fine_tune:
            raise InputError("models of boxes are not fine-tuned", way_out="Leave out --fine-tune.")
        if order.instances or order.labels or order.tolerance is not None:
            raise InputError(
                "--instances, --label and --tolerance are of outlines, and boxes have their labels beside them",
                way_out="Leave them out, or say --task segment.",
            )

    def memory(self, dataset: Dataset, encoder: Encoder) -> int:
        """See `Specialty.memory`."""
        return memory_of_boxes(dataset, encoder)

    def work(self, dataset: Dataset) -> float:
        """See `Specialty.work`."""
        return len(dataset.cases) * (1 + _FEATURES + FITS)

    def fit(
        self, dataset: Dataset, encoder: Encoder, order: Order, name: str, *, terms: str, cache: FeatureCache | None,
        on_work: OnWork, on_tuning: OnTuning, say: Say,
    ) -> Made:  # fmt: skip
        """See `Specialty.fit`."""
        cases = boxed_cases(
            dataset, encoder, modality=order.modality, cache=cache,
            on_outcome=lambda outcome: on_work(1, problem_of(outcome)), on_features=lambda: on_work(_FEATURES, ""),
        )  # fmt: skip
        count, named = len(cases.boxes), ", ".join(cases.labels)
        say(f"{count} cases with boxes of {named}; validating ...", f"{count} 例，目标：{named}；正在验证……")
        result = fit_boxes(
            cases, encoder, modality=order.modality, seed=order.seed, on_fit=lambda: on_work(len(dataset.cases), "")
        )
        digests = np.array(cases.looked_at.digests)
        finder = Finder(
            detector=result.detector,
            encoder=order.encoder,
            fingerprint=encoder.fingerprint,
            preparation=PREPARATION,
            modality=order.modality,
            side=encoder.side,
            pooling=cases.looked_at.pooling,
            gate=result.gate,
            validated=result.validation.ledger is not None,
            trained_on=tuple(digests[result.used].tolist()),
            seed=order.seed,
            versions=library_versions(),
        )
        files = box_bundle(finder, result, name, terms=terms)
        facts = box_facts(finder, result, name, files[NETWORK])
        return Made(
            files=files,
            facts=facts,
            beside=boxes_beside(result, facts),
            summary={
                "zh": box_summary(result.validation, cases.looked_at, "zh"),
                "en": box_summary(result.validation, cases.looked_at, "en"),
            },
        )

    def answers(
        self, bundle: Bundle, entries: Sequence[Entry], *, out: Path | None, by_group: bool, cache: FeatureCache | None
    ) -> Iterator[dict[str, Any] | NotUsed]:
        """See `Specialty.answers`."""
        if by_group:
            raise InputError("--by-group is not for boxes: each file gets its own", way_out="Leave it out.")
        if out is not None:
            raise InputError(
                "this model answers with boxes and writes no files", way_out="Leave out --out; answers are printed."
            )
        ready = _Ready(bundle)
        for entry in entries:
            try:
                _, found = find_in_file(ready.finder.detector, ready.encoder, entry.path)
                vector = ready.vector(entry, cache)
            except (InputError, MissingExtra) as problem:
                yield NotUsed(file=entry.file, message=str(problem))
                continue
            why = ready.finder.why_not(found, vector)
            told = answer_of(entry.file, detections(ready.finder.detector, found))
            yield {"file": told["file"], "found": told["boxes"], "abstain": bool(why), "why": list(why)}

    def explained(self, bundle: Bundle, entries: Sequence[Entry], *, label: str | None) -> Iterator[Drawn | NotUsed]:
        """See `Specialty.explained`: the picture with its boxes, of one label where it is named."""
        ready = _Ready(bundle)
        labels = ready.finder.labels
        if label is not None and label not in labels:
            raise InputError(f"there is no label {label!r}", way_out=f"Use one of {', '.join(labels)}.")
        for entry in entries:
            try:
                picture, found = find_in_file(ready.finder.detector, ready.encoder, entry.path)
            except (InputError, MissingExtra) as problem:
                yield NotUsed(file=entry.file, message=str(problem))
                continue
            if label is not None:
                found = found.chosen(found.classes == labels.index(label))
            names = [labels[number] for number in found.classes.tolist()]
            counts = ", ".join(f"{name} {names.count(name)}" for name in dict.fromkeys(names))
            yield Drawn(picture=draw_boxes(picture, found, labels), told=counts or "nothing found")

    def network_files(self) -> tuple[str, ...]:
        """See `Specialty.network_files`."""
        raise InputError(
            "the network of this model gives maps, not boxes: the detector that reads them is not written in ONNX",
            way_out="Use --to monai, which takes the whole model along, or `consilium specialist predict`.",
        )

    def compared(self, first: Bundle, second: Bundle, dataset: Path, *, group: str) -> Comparison:
        """See `Specialty.compared`: AP50, the difference paired by patient."""
        ready = [_Ready(bundle) for bundle in (first, second)]
        cases = read_dataset(dataset, task="detect", group=group)
        refuse_unlike_boxes(ready[0].finder, ready[1].finder, cases)
        pictures = [read_picture(case.file) for case in cases.cases]
        labels = ready[0].finder.labels
        known = read_case_boxes(cases.cases, [picture.shape[:2] for picture in pictures])
        unknown = sorted(set(known.labels) - set(labels))
        if unknown:
            raise UnusableDataset(
                f"the label {unknown[0]!r} is unknown to the models",
                where=str(cases.origin),
                way_out=f"Their labels are {', '.join(labels)}.",
            )
        numbers = np.array([labels.index(label) for label in known.labels], np.intp)
        true = [Boxes(corners=one.corners, classes=numbers[one.classes]) for one in known.boxes]
        found = [[one.every(picture) for picture in pictures] for one in ready]
        return compare_boxes(found[0], found[1], true, labels, cases)


class _Ready:
    """A model of boxes that was opened, with its encoder."""

    def __init__(self, bundle: Bundle) -> None:
        self.finder: Finder = read_finder(bundle)
        self.encoder: Encoder = encoder_of(self.finder, bundle)

    def boxes(self, file: Path) -> list[dict[str, Any]]:
        """What is found in a file: label, score and box of each, the surest first."""
        detector = self.finder.detector
        found = find_in_file(detector, self.encoder, file)[1]
        boxes: list[dict[str, Any]] = answer_of(str(file), detections(detector, found))["boxes"]
        return boxes

    def every(self, picture: NDArray[np.float32]) -> Boxes:
        """Every box of a picture (H, W, 3), also those that are not reported."""
        detector = self.finder.detector
        (features,) = pyramid_features(self.encoder, [picture], side=detector.side, modality=detector.modality)
        return detect_all(detector, features)

    def vector(self, entry: Entry, cache: FeatureCache | None) -> NDArray[np.float32]:
        """The image vector of a file, (d,); see `image_vector`."""
        return image_vector(self.finder, self.encoder, entry, cache)


def opened(folder: Path) -> _Ready:
    """A model of boxes ready to find: what a MONAI workflow calls; see `_Ready.boxes`.

    Raises:
        ModelError: the folder holds no such model, or it was altered.
    """
    return _Ready(open_bundle(folder))
