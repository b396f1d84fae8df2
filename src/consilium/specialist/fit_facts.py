"""What a report tells of a fit beside its figures."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import numpy as np

from consilium import __version__
from consilium.specialist.dataset import Dataset
from consilium.specialist.fit import Result
from consilium.specialist.report.facts import Exclusion, ModelFacts, ReportedCase
from consilium.specialist.report.wording import INTENDED as USE

VERSION = "1.0.0"
INTENDED = USE[0]


def facts_of(result: Result, name: str, network: bytes) -> ModelFacts:
    """Put together what the report needs.

    Args:
        result: of the fit.
        name: of the model.
        network: the model's ONNX file.
    """
    cases, specialist = result.cases, result.specialist
    read = cases.dataset
    targets = np.asarray(read.targets(), np.float64).reshape(len(read.cases), -1)
    return ModelFacts(
        name=name,
        version=VERSION,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        consilium_version=__version__,
        modality=specialist.modality or "",
        encoder=specialist.encoder,
        intended_use=INTENDED,
        names=read.labels,
        cases=tuple(
            ReportedCase(file=str(files[0]), group=str(group), target=tuple(map(float, target)))
            for files, group, target in zip(cases.files, read.groups, targets, strict=True)
        ),
        exclusions=(Exclusion(reason="not readable", cases=len(cases.skipped)),) if cases.skipped else (),
        missing=missing_entries(read),
        acquisition=(),
        hashes={
            "data": hashlib.sha256("".join(sorted(cases.digests)).encode()).hexdigest(),
            "model": hashlib.sha256(network).hexdigest(),
            "encoder": specialist.fingerprint,
        },
        versions=specialist.versions,
    )


def missing_entries(dataset: Dataset) -> dict[str, int]:
    """Columns of the table and how many cases have no entry there."""
    columns = {column for case in dataset.cases for column in case.described}
    return {
        column: missing
        for column in sorted(columns)
        if (missing := sum(not str(case.described.get(column, "")).strip() for case in dataset.cases))
    }
