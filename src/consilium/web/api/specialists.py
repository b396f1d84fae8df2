"""Specialists for programs: have one built from cases, watch it, ask it, publish it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Query, Request, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from consilium.alliance.workshop.build import Build, Language, Options
from consilium.alliance.workshop.roots import listed_below, place_below
from consilium.alliance.workshop.workshop import Workshop
from consilium.errors import InputError
from consilium.web.alliance import Member, library_for, workshop_of
from consilium.web.context import Asking, Run, Signed
from consilium.web.handed_in import Handed, HandedIn

router = APIRouter(tags=["specialists"])


class Specialist(BaseModel):
    """A specialist that was asked for, and how far it is."""

    name: str
    person: str
    asked: str
    job: int
    cases: int
    files: int
    left_out: list[str]
    uploaded: bool
    state: Literal["waiting", "running", "done", "failed", "cancelled", "lost"]
    reason: str
    share: float | None = Field(description="Of the work that is counted, 0 to 1.")
    seconds_left: float | None
    ready: bool
    output: str = Field(description="The end of what the job wrote.")
    reports: dict[str, bool] = Field(description="Whether its report is there, by language.")


class Listed(BaseModel):
    """What lies in a folder that may be pointed to."""

    named: str
    folders: list[str]
    tables: list[str]
    files: int


class Terms(BaseModel):
    """What a publisher states of a model."""

    version: str = ""
    licence: str = Field(default="", description="SPDX expression, where its card states none.")
    data_licence: str = Field(default="", description="SPDX expression, of training data that state none.")
    licence_text: str = Field(default="", max_length=200_000)
    case_features_may_leave: bool = False


class Published(BaseModel):
    """What is in the library now."""

    name: str
    version: str
    channel: str


_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "archive": {"type": "string", "format": "binary", "description": "The cases, as .zip."},
                        "place": {"type": "string", "description": "Or a folder or table, as /datasets names it."},
                        **{one: {"type": "string"} for one in ("task", "group", "case", "modality", "labels")},
                        **{one: {"type": "string"} for one in ("instances", "tolerance", "fine_tune", "seed", "lang")},
                        **{one: {"type": "string"} for one in ("no_mirror", "no_finer")},
                    },
                }
            }
        },
    }
}


@router.get("/datasets")
def datasets(run: Run, person: Member, below: Annotated[str, Query(max_length=1000)] = "") -> Listed:
    """What may be pointed to: folders that an administrator named, and what lies in them."""
    workshop_of(person).builds()  # whoever may not see jobs may not see what lies here
    return Listed(**asdict(listed_below(run.datasets, below)))


@router.get("/specialists")
def specialists(person: Member) -> list[Specialist]:
    """Those of one's hospital, newest first."""
    workshop = workshop_of(person)
    return [told(workshop, one) for one in workshop.builds()]


@router.post("/specialists", status_code=201, openapi_extra=_FORM)
def build(handed: Handed, run: Run, signed: Asking, person: Member) -> Specialist:
    """Hand cases in, or name a folder that has them, and have a specialist built."""
    workshop = workshop_of(person)
    return told(workshop, begun(workshop, handed, run.datasets, signed))


@router.get("/specialists/{name}")
def specialist(name: str, person: Member) -> Specialist:
    """How far one is."""
    workshop = workshop_of(person)
    return told(workshop, workshop.build(name))


@router.post("/specialists/{name}/cancel")
def cancel(name: str, person: Member) -> Specialist:
    """End its fit."""
    workshop = workshop_of(person)
    return told(workshop, workshop.cancel(name))


@router.delete("/specialists/{name}", status_code=204)
def remove(name: str, person: Member) -> None:
    """Take it away, with the cases that were handed in; what was published stays in the library."""
    workshop_of(person).remove(name)


@router.post("/specialists/{name}/report")
def ask_for_report(name: str, person: Member, lang: Language = "en") -> Specialist:
    """Have its report written in a language."""
    workshop = workshop_of(person)
    return told(workshop, workshop.ask_for_report(name, lang))


@router.get("/specialists/{name}/report.pdf", response_class=FileResponse)
def report(name: str, person: Member, lang: Language = "en") -> FileResponse:
    """Its report."""
    workshop = workshop_of(person)
    return report_file(workshop, workshop.build(name), lang)


@router.post("/specialists/{name}/answers")
def answer(name: str, run: Run, person: Member, picture: Annotated[UploadFile, File()]) -> dict[str, Any]:
    """Ask it about one file: label, probabilities, and whether it should be silent."""
    return answered(workshop_of(person), name, picture, run.largest_upload)


@router.post("/specialists/{name}/publish")
def publish(name: str, terms: Terms, request: Request, signed: Asking, person: Member) -> Published:
    """Hand it to the library, as a candidate that a second person approves."""
    release = published(workshop_of(person).finished(name), name, terms, request, signed, person)
    return Published(name=release.name, version=str(release.version), channel=release.channel)


def told(workshop: Workshop, build: Build) -> Specialist:
    """A specialist as it is shown."""
    standing = workshop.standing(build)
    return Specialist(
        **asdict(standing), name=build.name, person=build.person, asked=build.asked, job=build.job, cases=build.cases,
        files=build.files, left_out=list(build.left_out), uploaded=build.uploaded,
        reports={lang: workshop.report(build, lang) is not None for lang in LANGS},
    )  # fmt: skip


LANGS: tuple[Language, ...] = ("en", "zh")


def begun(workshop: Workshop, handed: HandedIn, roots: tuple[Path, ...], signed: Signed) -> Build:
    """Have a specialist built from a form.

    Raises:
        ConsiliumError: as of `Workshop.begin`, `place_below` and `Options`.
    """
    fields = handed.fields
    name, place = fields.get("name", "").strip(), fields.get("place", "").strip()
    options = options_of({"lang": signed.lang} | fields)
    if handed.any:
        return workshop.begin(name, options, unpack=handed.unpack)
    if not place:
        raise InputError("there are no cases", way_out="Hand in an archive, or name a folder that has them.")
    return workshop.begin(name, options, data=place_below(roots, place))


def options_of(fields: Mapping[str, str]) -> Options:
    """Options from the fields of a form; a box that is not ticked is not among them.

    Raises:
        InputError: one is no such option.
    """
    labels = tuple(one.strip() for one in re.split(r"[,;，；]", fields.get("labels", "")) if one.strip())
    try:
        tolerance = fields.get("tolerance", "").strip()
        return Options(
            task=fields.get("task") or "auto",  # type: ignore[arg-type]
            group=fields.get("group", "").strip() or "group", case=fields.get("case", "").strip(),
            modality=fields.get("modality", "").strip(), labels=labels, instances="instances" in fields,
            tolerance=float(tolerance) if tolerance else None, fine_tune="fine_tune" in fields,
            mirror="no_mirror" not in fields, finer="no_finer" not in fields,
            seed=int(fields.get("seed", "").strip() or 0), lang=fields.get("lang") or "en",  # type: ignore[arg-type]
        )  # fmt: skip
    except (ValueError, OverflowError) as problem:
        raise InputError("a seed or a distance is no number", way_out="Write it in digits.") from problem


def answered(workshop: Workshop, name: str, picture: UploadFile, largest: int) -> dict[str, Any]:
    """What a specialist says about a file that was handed in.

    Raises:
        InputError: the file is too large, or cannot be used.
        ModelError: the model was altered.
    """
    if picture.size is None or picture.size > largest:
        raise InputError(f"the file is larger than {largest >> 20} MB", way_out="Ask about a smaller one.")
    if not picture.size:
        raise InputError("no file was chosen", way_out="Choose a picture.")
    return workshop.answer(name, picture.file, picture.filename or "picture")


def report_file(workshop: Workshop, build: Build, lang: Language) -> FileResponse:
    """The report as PDF.

    Raises:
        InputError: it is not there.
    """
    path = workshop.report(build, lang, "pdf")
    if path is None:
        raise InputError("the report is not there yet", way_out="Have it written in this language first.")
    return FileResponse(path, media_type="application/pdf", filename=f"{build.name}-{lang}.pdf")


def published(model: Path, name: str, terms: Terms, request: Request, signed: Signed, person: Member) -> Any:
    """Hand a model to the library.

    Raises:
        ConsiliumError: as of `publish`.
    """
    from consilium.alliance.library import pack
    from consilium.alliance.library.publish import publish as hand_on
    from consilium.alliance.library.reference import version_of
    from consilium.alliance.library.trust import own_key_file
    from consilium.settings import home_folder

    data = {"": terms.data_licence} if terms.data_licence else {}
    stated = pack.Terms(
        licence=terms.licence, text=terms.licence_text, data=data, cases_may_leave=terms.case_features_may_leave
    )
    return hand_on(
        library_for(request, signed), person, model, name=name, key=own_key_file(home_folder()), terms=stated,
        version=version_of(terms.version) if terms.version else None,
    )  # fmt: skip
