"""What somebody asked for when he let a specialist be built, as it is kept beside the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from consilium.alliance.joint_training.membership import write_private
from consilium.errors import InputError
from consilium.specialist.dataset import Asked

FILE = "build.json"
Language = Literal["zh", "en"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a specialist is fitted; see `consilium specialist fit`.

    Attributes:
        task: what is learnt.
        group, case: columns that name patient and case; `case` is empty where each file is one.
        modality: how the images were made; empty where that is not said.
        labels: names of the numbers in masks.
        instances: each number in a mask is an object.
        tolerance: distance of outlines that does not count; None: the usual one.
        fine_tune: whether the encoder's last stage is tried too.
        mirror, finer: which looks are taken.
        seed: of every lot that is drawn.
        lang: of the report.
    """

    task: Asked = "auto"
    group: str = "group"
    case: str = ""
    modality: str = ""
    labels: tuple[str, ...] = ()
    instances: bool = False
    tolerance: float | None = None
    fine_tune: bool = False
    mirror: bool = True
    finer: bool = True
    seed: int = 0
    lang: Language = "en"

    def __post_init__(self) -> None:
        if self.task not in get_args(Asked) or self.lang not in get_args(Language):
            raise InputError("there is no such task or language", way_out=f"A task is one of {', '.join(_TASKS)}.")
        if not self.group.strip():
            raise InputError("the column that names patients needs a name", way_out="It is usually called group.")
        if self.seed < 0 or (self.tolerance is not None and not self.tolerance >= 0):
            raise InputError("a seed or a distance is less than nothing", way_out="Give 0 or more.")
        if any("\0" in one for one in (self.group, self.case, self.modality, *self.labels)):
            raise InputError("a name has a character that no column can have", way_out="Write it as in the table.")

    def words(self) -> tuple[str, ...]:
        """The options as the verb takes them; a value never stands alone, so that none is taken for an option."""
        said = [f"--task={self.task}", f"--group={self.group}", f"--seed={self.seed}", f"--lang={self.lang}"]
        said += [f"--case={self.case}"] if self.case else []
        said += [f"--modality={self.modality}"] if self.modality else []
        said += [f"--label={one}" for one in self.labels]
        said += ["--instances"] if self.instances else []
        said += [] if self.tolerance is None else [f"--tolerance={self.tolerance}"]
        said += ["--fine-tune=auto"] if self.fine_tune else []
        said += ["--mirror" if self.mirror else "--no-mirror", "--finer" if self.finer else "--no-finer"]
        return tuple(said)


_TASKS: tuple[str, ...] = get_args(Asked)


@dataclass(frozen=True, kw_only=True)
class Build:
    """A specialist that was asked for.

    Attributes:
        name: of the model.
        hospital, person: who asked.
        asked: when, ISO 8601.
        job: by which the engine knows the fit.
        data: what it is fitted to, from the folder of the build on, or from the root on.
        uploaded: whether the data were handed in; else they lie where people may point to.
        files: that were handed in; 0 of a folder that was pointed to.
        left_out: of those handed in, the names of what is no part of a dataset.
        cases: files that are fitted to.
        options: how.
        reports: jobs of reports in further languages, by language.
    """

    name: str
    hospital: str
    person: str
    asked: str
    job: int
    data: str
    uploaded: bool
    files: int
    left_out: tuple[str, ...]
    cases: int
    options: Options
    reports: Mapping[str, int]


def write_build(build: Build, folder: Path) -> None:
    """Keep what was asked for.

    Raises:
        OutputError: it cannot be written.
    """
    write_private(folder / FILE, json.dumps(asdict(build), ensure_ascii=False, indent=1).encode())


def read_build(folder: Path) -> Build:
    """What was asked for.

    Raises:
        InputError: there is no such build, or its file is damaged.
    """
    try:
        told: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        known = {one.name for one in fields(Options)}
        options = {name: value for name, value in told["options"].items() if name in known}
        options["labels"] = tuple(options.get("labels", ()))
        return Build(**{**told, "options": Options(**options), "left_out": tuple(told["left_out"])})
    except FileNotFoundError as problem:
        raise InputError(f"there is no specialist {folder.name!r} here", way_out="The list names them.") from problem
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise InputError(
            f"what was asked for cannot be read ({problem})",
            where=folder.name,
            way_out="Build it anew, by another name.",
        ) from problem
