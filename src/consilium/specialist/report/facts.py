"""What a report tells of a model beside its validation: what it is for, what it was made of, and from which cases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from consilium.errors import ModelError

_WAY_OUT = "Fit the model again with this version of Consilium."

STATED = (
    "purpose", "users", "population", "setting", "dates", "eligibility", "reference_standard", "annotators",
    "annotation_tools", "agreement_of_raters", "sample_size", "hypothesis", "clinical_background", "title", "summary",
    "treatments", "blinding", "deidentification", "ethics", "funding", "conflicts", "protocol", "registration",
    "data_sharing", "code_sharing", "involvement", "inequalities",
)  # fmt: skip
"""What only the maker of a study can say; the checklists ask for each, and what is not said is told as not said."""


@dataclass(frozen=True, kw_only=True)
class ReportedCase:
    """One case as it was given, cross-validated or set aside.

    Attributes:
        file: its name, as people know it.
        group: patient.
        target: class number, value, or 0 and 1 of each label that was named; of outlines and boxes, whether the
            case has it.
        masks: files of the true mask, where there are outlines.
        found: file of the mask that a model gave that had not seen the case, relative to the folder of the facts; of
            boxes, the file (JSON) with the true ones and those of the model.
    """

    file: str
    group: str
    target: tuple[float, ...]
    masks: tuple[str, ...] = ()
    found: str = ""


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """Cases that were left out before anything else.

    Attributes:
        reason: in words, e.g. "not readable".
        cases: how many.
    """

    reason: str
    cases: int


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """Everything of a model that its figures do not say.

    Attributes:
        name, version: of the model.
        created: ISO 8601 with the time zone; the reports bear it, so that they have the same bytes each time.
        consilium_version: that made it.
        modality: how the images were made.
        encoder: what made the features.
        intended_use: in the maker's words.
        names: labels in the order of `ReportedCase.target`, of a multilabel task; else the classes.
        cases: all that were given, in order.
        exclusions: none is a statement too.
        missing: column to number of cases without an entry.
        acquisition: one row a kind of device: what is known of it and "cases"; empty: nothing is known.
        hashes: what to SHA-256: data, model, encoder.
        versions: library to version.
        stated: keys of `STATED` to the maker's words.
        not_made: numbers of mandatory items to the reason for which they were left out on purpose.
    """

    name: str
    version: str
    created: str
    consilium_version: str
    modality: str
    encoder: str
    intended_use: str
    names: tuple[str, ...]
    cases: tuple[ReportedCase, ...]
    exclusions: tuple[Exclusion, ...]
    missing: Mapping[str, int]
    acquisition: tuple[Mapping[str, str], ...]
    hashes: Mapping[str, str]
    versions: Mapping[str, str]
    stated: Mapping[str, str] = field(default_factory=dict)
    not_made: Mapping[str, str] = field(default_factory=dict)


def facts_file(model: Path) -> Path:
    """Where the facts of a model are kept: beside it, since they name files and patients and a model is handed on."""
    return model.resolve().with_name(f"{model.resolve().name}-report") / "facts.json"


def write_facts(facts: ModelFacts, path: Path) -> None:
    """Write facts as JSON, in the form that `read_facts` reads."""
    path.write_text(json.dumps(asdict(facts), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_facts(path: Path) -> ModelFacts:
    """Read the facts of a model.

    Raises:
        ModelError: the file is not there, or not such a file; the message names the entry.
    """
    document = read_json(path)
    known = {one.name for one in fields(ModelFacts)}
    odd = sorted(known - {"stated", "not_made"} - set(document)) or sorted(set(document) - known)
    if odd:
        raise ModelError(f"entry {odd[0]!r} is missing or not known", where=str(path), way_out=_WAY_OUT)
    try:
        made = dict(document)
        made["names"] = tuple(str(one) for one in document["names"])
        made["cases"] = tuple(
            ReportedCase(
                file=str(one["file"]),
                group=str(one["group"]),
                target=tuple(float(part) for part in one["target"]),
                masks=tuple(map(str, one.get("masks", ()))),
                found=str(one.get("found", "")),
            )
            for one in document["cases"]
        )
        made["exclusions"] = tuple(Exclusion(**one) for one in document["exclusions"])
        made["acquisition"] = tuple(dict(one) for one in document["acquisition"])
        datetime.fromisoformat(document["created"])
        return ModelFacts(**made)
    except (KeyError, TypeError, ValueError) as problem:
        raise ModelError(f"an entry is malformed ({problem})", where=str(path), way_out=_WAY_OUT) from problem


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ModelError: the file is not there or holds something else.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise ModelError("there is no such file in the model", where=str(path), way_out=_WAY_OUT) from problem
    except (OSError, ValueError, RecursionError) as problem:
        raise ModelError(f"it cannot be read ({problem})", where=str(path), way_out=_WAY_OUT) from problem
    if not isinstance(document, dict):
        raise ModelError("it holds no JSON object", where=str(path), way_out=_WAY_OUT)
    return document
