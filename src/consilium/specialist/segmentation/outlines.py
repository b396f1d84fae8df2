"""Specialists that outline, as the verbs see them; see `specialty.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.bundle import NETWORK, Bundle, open_bundle
from consilium.errors import InputError, MissingExtra
from consilium.generalist.cache import FeatureCache
from consilium.generalist.encoder import Encoder
from consilium.generalist.inputs import Entry
from consilium.generalist.shipped import PREPARATION
from consilium.specialist.compare import Comparison
from consilium.specialist.dataset import Dataset, read_dataset
from consilium.specialist.fit import library_versions
from consilium.specialist.map_model import encoder_of, image_vector
from consilium.specialist.segmentation.bundle_documents import masks_beside, outline_bundle, outline_facts
from consilium.specialist.segmentation.compare import compare_outlines, refuse_unlike_outlines
from consilium.specialist.segmentation.cross_validation import OutlinePlan
from consilium.specialist.segmentation.explain import drawn_outline
from consilium.specialist.segmentation.fit import fit_outlines, fits_of
from consilium.specialist.segmentation.mask_file import is_volume_file, mask_bytes, write_whole
from consilium.specialist.segmentation.outlined_cases import memory_of_outlines, outlined_cases
from consilium.specialist.segmentation.outliner import Outliner, read_outliner
from consilium.specialist.segmentation.overlap import Labels
from consilium.specialist.segmentation.segment_file import Outline, outline_file
from consilium.specialist.segmentation.summary import outline_summary
from consilium.specialist.specialist import SHIPPED
from consilium.specialist.specialty import Drawn, Made, NotUsed, OnTuning, OnWork, Order, Say, problem_of

_FEATURES = 1.0
"""Work of making the features of a case's pixels, against learning from it once."""


class Outlines:
    """Masks of pictures and volumes."""

    def refuse(self, order: Order) -> None:
        """See `Specialty.refuse`."""
        if order.case_column is not None:
            raise InputError("--case is not for outlines: each file has a mask of its own", way_out="Leave it out.")
        if order.encoder != SHIPPED:
            raise InputError(
                f"outlines are learnt on the shipped encoder, whose network goes into the model, not on "
                f"{order.encoder!r}",
                way_out="Leave out --encoder.",
            )
        if order.fine_tune:
            raise InputError("outlines are not fine-tuned", way_out="Leave out --fine-tune.")
        if order.tolerance is not None and not 0 < order.tolerance < float("inf"):
            raise InputError("a tolerance is more than 0", way_out="Give pixels, or millimetres of volumes.")

    def memory(self, dataset: Dataset, encoder: Encoder) -> int:
        """See `Specialty.memory`."""
        return memory_of_outlines(dataset, encoder)

    def work(self, dataset: Dataset) -> float:
        """See `Specialty.work`."""
        return len(dataset.cases) * (1 + _FEATURES) + fits_of(len(dataset.cases))

    def fit(
        self, dataset: Dataset, encoder: Encoder, order: Order, name: str, *, terms: str, cache: FeatureCache | None,
        on_work: OnWork, on_tuning: OnTuning, say: Say,
    ) -> Made:  # fmt: skip
        """See `Specialty.fit`."""
        cases = outlined_cases(
            dataset, encoder, modality=order.modality, labels=order.labels, instances=order.instances, cache=cache,
            on_outcome=lambda outcome: on_work(1, problem_of(outcome)), on_features=lambda: on_work(_FEATURES, ""),
        )  # fmt: skip
        count, named = len(cases.cases), ", ".join(cases.scheme.labels)
        say(f"{count} cases with {named}; validating ...", f"{count} 例，轮廓：{named}；正在验证……")
        plan = OutlinePlan(seed=order.seed, tolerance=order.tolerance)
        result = fit_outlines(cases, encoder, plan, modality=order.modality, on_work=lambda amount: on_work(amount, ""))
        digests = np.array(cases.looked_at.digests)
        outliner = Outliner(
            segmenter=result.segmenter,
            scheme=cases.scheme,
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
        files = outline_bundle(outliner, result, name, terms=terms)
        facts = outline_facts(outliner, result, name, files[NETWORK])
        return Made(
            files=files,
            facts=facts,
            beside=masks_beside(result, facts),
            summary={
                "zh": outline_summary(result.validation, cases.looked_at, "zh"),
                "en": outline_summary(result.validation, cases.looked_at, "en"),
            },
        )

    def answers(
        self, bundle: Bundle, entries: Sequence[Entry], *, out: Path | None, by_group: bool, cache: FeatureCache | None
    ) -> Iterator[dict[str, Any] | NotUsed]:
        """See `Specialty.answers`: a mask a file in `out`, and what is in it."""
        if by_group:
            raise InputError("--by-group is not for outlines: each file gets its own mask", way_out="Leave it out.")
        if out is None:
            raise InputError("this model writes masks and needs a folder for them", way_out="Say --out DIR.")
        ready = _Ready(bundle)
        targets = _targets(entries, out)
        for entry, target in zip(entries, targets, strict=True):
            try:
                outline = outline_file(ready.outliner.segmenter, ready.encoder, entry.path)
                vector = ready.vector(entry, cache)
            except (InputError, MissingExtra) as problem:
                yield NotUsed(file=entry.file, message=str(problem))
                continue
            write_whole(mask_bytes(ready.outliner.scheme.written(outline.mask), like=entry.path), target)
            why = ready.outliner.why_not(outline.mask, vector)
            yield {
                "file": entry.file,
                "mask": str(target),
                "found": _sizes(ready.outliner, outline),
                "abstain": bool(why),
                "why": list(why),
            }

    def explained(self, bundle: Bundle, entries: Sequence[Entry], *, label: str | None) -> Iterator[Drawn | NotUsed]:
        """See `Specialty.explained`: the outline and its probability."""
        ready = _Ready(bundle)
        labels = ready.outliner.labels
        if label is not None and label not in labels:
            raise InputError(f"there is no label {label!r}", way_out=f"Use one of {', '.join(labels)}.")
        for entry in entries:
            try:
                outline = outline_file(ready.outliner.segmenter, ready.encoder, entry.path)
            except (InputError, MissingExtra) as problem:
                yield NotUsed(file=entry.file, message=str(problem))
                continue
            told = ", ".join(labels) if label is None else label
            yield Drawn(
                picture=drawn_outline(outline, ready.outliner.scheme, label),
                told=told if outline.mask.any() else "nothing found",
            )

    def network_files(self) -> tuple[str, ...]:
        """See `Specialty.network_files`."""
        raise InputError(
            "the network of this model gives maps, not outlines: the pixel classifier that reads them together with "
            "the picture is not written in ONNX",
            way_out="Use --to monai, which takes the whole model along, or `consilium specialist predict`.",
        )

    def compared(self, first: Bundle, second: Bundle, dataset: Path, *, group: str) -> Comparison:
        """See `Specialty.compared`: mean Dice, the difference paired by patient."""
        ready = [_Ready(bundle) for bundle in (first, second)]
        cases = read_dataset(dataset, task="segment", group=group)
        refuse_unlike_outlines(ready[0].outliner, ready[1].outliner, cases)

        def outlined(one: _Ready) -> Callable[[Path], Labels]:
            return lambda file: outline_file(one.outliner.segmenter, one.encoder, file).mask

        return compare_outlines(outlined(ready[0]), outlined(ready[1]), ready[0].outliner.scheme, cases)


class _Ready:
    """A model of outlines that was opened, with its encoder."""

    def __init__(self, bundle: Bundle) -> None:
        self.outliner = read_outliner(bundle)
        self.encoder: Encoder = encoder_of(self.outliner, bundle)

    def mask(self, file: Path) -> NDArray[np.intp]:
        """The mask of a file, with the numbers of the training masks."""
        return self.outliner.scheme.written(outline_file(self.outliner.segmenter, self.encoder, file).mask)

    def vector(self, entry: Entry, cache: FeatureCache | None) -> NDArray[np.float32]:
        """The image vector of a file, (d,); see `image_vector`."""
        return image_vector(self.outliner, self.encoder, entry, cache)


def opened(folder: Path) -> _Ready:
    """A model of outlines ready to outline files: what a MONAI workflow calls; see `_Ready.mask`.

    Raises:
        ModelError: the folder holds no such model, or it was altered.
    """
    return _Ready(open_bundle(folder))


def _targets(entries: Sequence[Entry], out: Path) -> list[Path]:
    """Where the mask of each file goes: called like it, with a number where two are called alike."""
    found: list[Path] = []
    for entry in entries:
        volume = is_volume_file(entry.path)
        stem = entry.path.name.lower().removesuffix(".gz").removesuffix(".nii") if volume else entry.path.stem
        stem = entry.path.name[: len(stem)]
        ending = ".nii.gz" if volume else ".png"
        target, number = out / f"{stem}{ending}", 1
        while target in found:
            number += 1
            target = out / f"{stem}_{number}{ending}"
        if target.resolve() == entry.path.resolve():
            raise InputError(
                "the mask would take the place of the picture", where=str(target), way_out="Choose another --out."
            )
        found.append(target)
    return found


def _sizes(outliner: Outliner, outline: Outline) -> dict[str, dict[str, float | int]]:
    """Of each label: pixels, and area or volume where the file says how large a pixel is."""
    scheme = outliner.scheme
    found = {}
    for number, label in zip(scheme.numbers, scheme.labels, strict=True):
        count = int(scheme.of_label(outline.mask, number).sum())
        told: dict[str, float | int] = {"voxels" if scheme.volumes else "pixels": count}
        if scheme.instances:
            told["objects"] = len(np.unique(outline.mask[outline.mask > 0]))
        if outline.spacing is not None:
            told["mm3" if scheme.volumes else "mm2"] = round(count * float(np.prod(outline.spacing)), 3)
        found[label] = told
    return found
