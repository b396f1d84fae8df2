"""The specialists of a hospital on this installation: begun as jobs, watched, read, asked, handed on.

    specialists/HOSPITAL/NAME/build.json      what was asked for
                              data/           the cases, where they were handed in
                              model/NAME/     the model, whole or not there
                              model/NAME-report/  its report in the language that was asked for
                              report-LANG/    its report in the other

What one hospital builds is as if it were not there for the others.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal, get_args

from consilium.alliance.compute.job import LIVE, Job, Request, State
from consilium.alliance.compute.machine import machine_memory_mb
from consilium.alliance.compute.permitted import PermittedEngine
from consilium.alliance.compute.storage_quota import refuse_without_room
from consilium.alliance.joint_training.membership import private_folder
from consilium.alliance.library.reference import name_of
from consilium.alliance.permissions import Person, require
from consilium.alliance.workshop.build import Build, Language, Options, read_build, write_build
from consilium.alliance.workshop.unpack import Unpacked
from consilium.errors import InputError
from consilium.specialist.report.facts import read_json

_PROGRESS = re.compile(r"^\[(\d+)/(\d+)\]", re.MULTILINE)
_TAIL = 20_000
"""Characters of what a job wrote that are shown."""

_HALF = ".half-"
_CUT_OFF_SECONDS = 60.0

Unpack = Callable[[Path], Unpacked]
"""Is told a folder that does not exist, and makes it of what was handed in."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a specialist is.

    Attributes:
        state: of the job; "lost" where the engine does not know it.
        reason: why it failed or waits.
        share: of the work that is counted, 0 to 1; None before any is told.
        seconds_left: by the pace so far; None where that cannot be told.
        output: the end of what the job wrote.
        ready: whether the model is there, and what fitted it is over: it says last how good the model is.
    """

    state: State | Literal["lost"]
    reason: str
    share: float | None
    seconds_left: float | None
    output: str
    ready: bool


class Workshop:
    """What a person may do with the specialists of his hospital.

    Args:
        home: `CONSILIUM_HOME`.
        engine: as the person may use it.
        person: who asks.
        note: leaves an entry in the ledger.
    """

    def __init__(self, home: Path, engine: PermittedEngine, person: Person, note: Callable[..., None]) -> None:
        self._home, self._engine, self._person, self._note = home, engine, person, note
        self._folder = home / "specialists" / person.hospital

    def builds(self) -> list[Build]:
        """Those of the person's hospital, newest first.

        Raises:
            NotAllowed: the person may not see jobs of it.
        """
        require(self._person, "job.see", of=self._person.hospital)
        found = [read_build(path.parent) for path in self._folder.glob("*/build.json")]
        return sorted(found, key=lambda one: one.asked, reverse=True)

    def build(self, name: str) -> Build:
        """One of them.

        Raises:
            InputError: there is none of that name.
            NotAllowed: as of `builds`.
        """
        require(self._person, "job.see", of=self._person.hospital)
        return read_build(self._folder / name_of(name))

    def model(self, name: str) -> Path:
        """Where the model of a build is, or will be."""
        return self._folder / name_of(name) / "model" / name

    def finished(self, name: str) -> Path:
        """Where a model is that may be used: what fitted it has told how good it is.

        Raises:
            InputError: there is no such build, or its model is not there yet.
        """
        build = self.build(name)
        if not self._is_ready(build, self._job(build.job)):
            raise InputError(f"the model of {name} is not there yet", way_out="Wait until it is built.")
        return self.model(name)

    def begin(self, name: str, options: Options, *, data: Path | None = None, unpack: Unpack | None = None) -> Build:
        """Take cases in and have a specialist fitted to them.

        Whatever can be refused is refused before a job is made; then nothing of it stays.

        Args:
            name: of the model.
            options: how it is fitted.
            data: a folder or table on this machine (`roots.py` says which may be named).
            unpack: makes a folder of what was handed in, where no place is named.

        Raises:
            NotAllowed: the person may not submit jobs.
            InputError: the name is taken or none, or there is no room.
            UnusableDataset: the cases cannot be learnt from.
            MissingExtra: what a fit needs is not installed.
        """
        from consilium.specialist.graph import need_onnx

        require(self._person, "job.submit", of=self._person.hospital)
        need_onnx()
        folder = self._folder / name_of(name)
        refuse_without_room(self._person.hospital, self._home / "compute" / "quotas.json")
        self._refuse_taken(folder)
        private_folder(self._folder)
        with tempfile.TemporaryDirectory(prefix=_HALF, dir=self._folder) as half:
            kept = unpack(Path(half) / "data") if unpack is not None else None
            place = kept.dataset if kept is not None else data
            if place is None:
                raise InputError("there are no cases", way_out="Hand them in, or name a folder that has them.")
            cases, memory = _refused_or_sized(place, options)
            told = str(place.relative_to(half)) if kept is not None else str(place)
            self._refuse_taken(folder)
            folder.mkdir(mode=0o700)
            try:
                if kept is not None:
                    (Path(half) / "data").rename(folder / "data")
                job = self._engine.submit(self._fit(name, folder, told, options, memory))
                made = Build(
                    name=name, hospital=self._person.hospital, person=self._person.name,
                    asked=datetime.now(UTC).isoformat(timespec="seconds"), job=job.number, data=told,
                    uploaded=kept is not None, files=0 if kept is None else kept.files,
                    left_out=() if kept is None else kept.left_out, cases=cases, options=options, reports={},
                )  # fmt: skip
                write_build(made, folder)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        self._note("specialist.build", f"specialist {name}", hospital=made.hospital, job=job.number, cases=cases)
        return made

    def standing(self, build: Build) -> Standing:
        """How far a build is."""
        job = self._job(build.job)
        ready = self._is_ready(build, job)
        if job is None:
            return Standing(state="lost", reason="", share=None, seconds_left=None, output="", ready=ready)
        output = "".join(self._engine.output(job.number))[-_TAIL:]
        counted = _PROGRESS.findall(output)
        share = min(int(counted[-1][0]) / max(int(counted[-1][1]), 1), 1.0) if counted else None
        left = None
        if share and share < 1 and job.state == "running" and job.started is not None:
            left = (datetime.now(UTC).timestamp() - job.started) * (1 - share) / share
        return Standing(
            state=job.state, reason=job.reason, share=share, seconds_left=left, output=output, ready=ready
        )  # fmt: skip

    def cancel(self, name: str) -> Build:
        """End the fit of a build.

        Raises:
            NotAllowed: the person may not.
            InputError: there is no such build.
        """
        build = self.build(name)
        self._engine.cancel(build.job)
        self._note("specialist.cancel", f"specialist {name}", hospital=build.hospital, job=build.job)
        return build

    def remove(self, name: str) -> None:
        """Take a build away: cases that were handed in, model, report. What was published stays in the library.

        Raises:
            InputError: there is none, or its job is not over.
        """
        build = self.build(name)
        require(self._person, "job.cancel", of=build.hospital)
        for number in (build.job, *build.reports.values()):
            job = self._job(number)
            if job is not None and job.state in LIVE:
                raise InputError(f"{name} is being built", way_out="Cancel that first, and wait until it has ended.")
        shutil.rmtree(self._folder / build.name)
        self._note("specialist.remove", f"specialist {name}", hospital=build.hospital)

    def ask_for_report(self, name: str, lang: Language) -> Build:
        """Have the report written in a language, by a job.

        Raises:
            InputError: there is no model yet.
        """
        build = self.build(name)
        require(self._person, "job.submit", of=build.hospital)
        self.finished(name)
        if self.report(build, lang) is not None or (lang in build.reports and self._runs(build.reports[lang])):
            return build
        folder = self._folder / name
        command = (
            *_CONSILIUM, "specialist", "report", f"model/{name}", f"--lang={lang}", f"--out=report-{lang}",
        )  # fmt: skip
        job = self._engine.submit(self._request(command, folder, f"report of {name}", memory=1024))
        made = replace(build, reports={**build.reports, lang: job.number})
        write_build(made, folder)
        return made

    def report(self, build: Build, lang: Language, kind: Literal["html", "pdf"] = "html") -> Path | None:
        """The report of a build in a language; None where it is not there."""
        first = lang == build.options.lang
        folder = self._folder / build.name / (f"model/{build.name}-report" if first else f"report-{lang}")
        path = folder / f"report.{kind}"
        return path if path.is_file() else None

    def verdict(self, build: Build, lang: Language) -> str:
        """What its report says first: whether it may be used at all. In another language where only that is there."""
        for one in (lang, *(other for other in get_args(Language) if other != lang)):
            page = self.report(build, one)
            if page is not None:
                said = read_json(page.with_name("report.json")).get("verdict", {})
                return str(said.get("headline", ""))
        return ""

    def answer(self, name: str, picture: IO[bytes], filename: str) -> dict[str, Any]:
        """Ask a specialist about one file.

        Args:
            name: of the build.
            picture: content.
            filename: as it was handed in; its ending says of which kind it is.

        Returns:
            What the model answers, as `consilium specialist predict` writes it.

        Raises:
            InputError: there is no model yet, or the file cannot be used.
            ModelError: the model was altered.
        """
        from consilium.artefact.bundle import open_bundle
        from consilium.generalist.inputs import Entry
        from consilium.specialist.specialty import NotUsed, specialty_in

        build = self.build(name)
        bundle = open_bundle(self.finished(name))
        ending = "".join(Path(filename.replace("\\", "/")).suffixes[-2:]).lower()
        ending = ending if re.fullmatch(r"(\.[a-z0-9]{1,10}){0,2}", ending) else ""
        with tempfile.TemporaryDirectory(prefix="consilium-") as place:
            path = Path(place) / f"picture{ending}"
            with path.open("wb") as stream:
                shutil.copyfileobj(picture, stream)
            specialty = specialty_in(bundle)
            entries = [Entry(path=path, file=Path(filename.replace("\\", "/")).name[:200])]
            out = Path(place) / "masks" if build.options.task == "segment" or _outlines(bundle) else None
            (found,) = specialty.answers(bundle, entries, out=out, by_group=False, cache=None)
        if isinstance(found, NotUsed):
            raise InputError(found.message.replace(str(path), entries[0].file), where=entries[0].file)
        return {key: value for key, value in found.items() if key != "mask"}

    def _refuse_taken(self, folder: Path) -> None:
        """See that a name is free. What somebody was cut off from asking for is nobody's: he begins again."""
        with suppress(FileNotFoundError):
            if not (folder / "build.json").exists() and time.time() - folder.stat().st_mtime > _CUT_OFF_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise InputError(f"there is a specialist {folder.name!r} already", way_out="Give this one another name.")

    def _is_ready(self, build: Build, job: Job | None) -> bool:
        over = job is None or job.state not in LIVE
        return over and (self.model(build.name) / "manifest.json").is_file()

    def _fit(self, name: str, folder: Path, data: str, options: Options, memory: int) -> Request:
        command = (*_CONSILIUM, "specialist", "fit", data, f"--out=model/{name}", "--report", *options.words())
        return self._request(command, folder, f"specialist {name}", memory=memory)

    def _request(self, command: tuple[str, ...], folder: Path, name: str, *, memory: int) -> Request:
        return Request(
            command=command, folder=str(folder), hospital=self._person.hospital, person=self._person.name, name=name,
            memory_mb=memory,
        )  # fmt: skip

    def _job(self, number: int) -> Job | None:
        try:
            return self._engine.job(number)
        except InputError:
            return None

    def _runs(self, number: int) -> bool:
        job = self._job(number)
        return job is not None and job.state in LIVE


_CONSILIUM = (sys.executable, "-m", "consilium")


def _refused_or_sized(place: Path, options: Options) -> tuple[int, int]:
    """How many files a fit reads, and the memory it is held to need, MiB; refuses what cannot be fitted to."""
    from consilium.generalist.shipped import shipped_encoder
    from consilium.specialist.dataset import read_dataset
    from consilium.specialist.specialty import Order, specialty_of

    read = read_dataset(place, task=options.task, group=options.group)
    specialty = specialty_of(read.task)
    specialty.refuse(
        Order(
            modality=options.modality or None, seed=options.seed, case_column=options.case or None,
            labels=options.labels, instances=options.instances, tolerance=options.tolerance,
            fine_tune=options.fine_tune, mirrored=options.mirror, finer=options.finer,
        )
    )  # fmt: skip
    memory = (specialty.memory(read, shipped_encoder()) >> 20) + 256
    return len(read.cases), min(max(memory, 1024), machine_memory_mb())


def _outlines(bundle: Any) -> bool:
    return bool(bundle.document("specialist.json").get("task") == "segment")
