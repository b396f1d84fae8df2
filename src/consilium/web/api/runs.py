"""Pictures and runs of a case, and its worksheet, for programs and pages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from consilium.errors import InputError, NotFound
from consilium.karyotype.conclusion_record import conclusion_record
from consilium.laboratory.analysis.editable import check_editable
from consilium.laboratory.analysis.images import add_kept, keep_image, withdraw_image
from consilium.laboratory.analysis.kinds import UNFINISHED, RunState
from consilium.laboratory.analysis.runs import ask_for_run, cancel_run, images_of, runs_of
from consilium.laboratory.analysis.tables import ImageRow, RunRow
from consilium.laboratory.analysis.worksheet import Worksheet, worksheet
from consilium.laboratory.found import case_called
from consilium.web.analysis import Bench
from consilium.web.context import Asking, Records, Run
from consilium.web.runs import Runs

router = APIRouter(tags=["analysis"])

MOST_AT_ONCE = 100
"""Pictures that one request may bring."""


class Asked(BaseModel):
    """What is handed in: nothing that is not known is overlooked."""

    model_config = ConfigDict(extra="forbid")


class ImageOut(BaseModel):
    """A picture of a case."""

    image: int
    name: str
    kind: str
    width: int
    height: int
    size: int
    sha256: str
    version: int


class RunIn(Asked):
    """Which pictures are to be read; when empty, all that were not."""

    images: list[int] = Field(default_factory=list, max_length=500)


class ReasonIn(Asked):
    """Why."""

    reason: str = Field(max_length=2000)


class ProgressOut(BaseModel):
    """How far a run is."""

    done: int
    total: int
    lines: list[str]


class RunOut(BaseModel):
    """A run of a case."""

    run: int
    state: RunState
    by: str
    asked: str
    job: str
    images: int
    message: str
    models: list[dict[str, str]]
    consilium_version: str
    progress: ProgressOut | None = Field(description="While it waits or runs.")


class CheckOut(BaseModel):
    """What a guideline asks, and what was done."""

    what: str
    asked: int
    found: int | None
    met: bool | None
    source: str


class EffortOut(BaseModel):
    """Interactions of the karyotyped cells."""

    karyograms: int
    median: float
    low: float
    high: float
    most: int


class WorksheetOut(BaseModel):
    """What was done to the cells of a case, and what they say together."""

    acts: dict[str, int] = Field(description="How many cells were counted, analysed, karyotyped.")
    counts: dict[int, int] = Field(description="Of the counted cells, by number of chromosomes.")
    modal_count: int | None
    modal_karyotype: str
    excluded: dict[int, float] = Field(
        description="Smallest part of other cells that the counted ones exclude, by confidence in percent."
    )
    checks: list[CheckOut]
    conclusion: dict[str, Any] | None = Field(description="Of the analysed cells, as in case.json.")
    unfinished: list[str]
    effort: EffortOut | None
    doubtful: int


def runs_here(request: Request) -> Runs:
    """The runs of the workstation that is asked."""
    found: Runs = request.app.state.runs
    return found


Keeper = Annotated[Runs, Depends(runs_here)]


@router.post("/cases/{number}/images", status_code=201)
def upload(
    number: str, files: Annotated[list[UploadFile], File()], signed: Asking, records: Records, bench: Bench, run: Run
) -> list[ImageOut]:
    """Add pictures to a case: all of them, or none where one cannot be read."""
    if len(files) > MOST_AT_ONCE:
        raise InputError(f"{MOST_AT_ONCE} pictures at once", way_out="Hand them in in smaller parts.")
    kept = []
    with records.looking(signed.person) as change:
        change.require("image.add")
        check_editable(case_called(change.session, number))
    for one in files:
        content = one.file.read(run.largest_upload + 1)
        if len(content) > run.largest_upload:
            raise InputError(
                f"a picture has at most {run.largest_upload >> 20} MB", where=(one.filename or "")[:200],
                way_out="Cut the metaphase out of the scan.",
            )  # fmt: skip
        # Reading and keeping takes its time, during which others write.
        kept.append(keep_image(bench.files, one.filename or "", content))
    with records.changing(signed.person) as change:
        case = case_called(change.session, number)
        rows = [add_kept(change, case, one) for one in kept]
    return [_image(row) for row in rows]


@router.get("/cases/{number}/images")
def list_images(number: str, signed: Asking, records: Records) -> list[ImageOut]:
    """List the pictures of a case."""
    with records.looking(signed.person) as change:
        change.require("record.see")
        return [_image(row) for row in images_of(change.session, case_called(change.session, number))]


@router.post("/images/{image}/withdrawal")
def withdraw(image: int, asked: ReasonIn, signed: Asking, records: Records) -> ImageOut:
    """Let a picture count no longer, as one of another case; the cells that were read in it go with it."""
    with records.changing(signed.person) as change:
        row = change.session.get(ImageRow, image) if 0 < image < 2**31 else None
        if row is None:
            raise NotFound("there is no picture of this number")
        withdraw_image(change, row, reason=asked.reason)
    return _image(row)


@router.post("/cases/{number}/runs", status_code=201)
def start_run(number: str, asked: RunIn, signed: Asking, records: Records, keeper: Keeper) -> RunOut:
    """Have pictures of a case read. It goes on whatever becomes of this workstation."""
    with records.changing(signed.person) as change:
        row = ask_for_run(change, case_called(change.session, number), asked.images)
    keeper.submit(row.id)
    with records.reading() as session:
        return _run(session.get_one(RunRow, row.id), keeper)


@router.get("/cases/{number}/runs")
def list_runs(number: str, signed: Asking, records: Records, keeper: Keeper) -> list[RunOut]:
    """List the runs of a case, the newest first, with how far they are."""
    with records.looking(signed.person) as change:
        change.require("record.see")
        rows = runs_of(change.session, case_called(change.session, number))
    return [_run(row, keeper) for row in rows]


@router.post("/runs/{run}/cancellation")
def cancel(run: int, asked: ReasonIn, signed: Asking, records: Records, keeper: Keeper) -> RunOut:
    """End a run; what it has not finished is lost, and nothing of it comes into the records."""
    with records.changing(signed.person) as change:
        row = change.session.get(RunRow, run) if 0 < run < 2**31 else None
        if row is None:
            raise NotFound("there is no run of this number")
        cancel_run(change, row, reason=asked.reason)
    keeper.cancel_job(row)
    return _run(row, keeper)


@router.get("/cases/{number}/worksheet")
def read_worksheet(number: str, signed: Asking, records: Records, bench: Bench) -> WorksheetOut:
    """Read the worksheet of a case."""
    with records.looking(signed.person) as change:
        found = worksheet(change, bench.cells, case_called(change.session, number))
    return _worksheet(found, signed.lang)


def _worksheet(found: Worksheet, lang: Any) -> WorksheetOut:
    return WorksheetOut(
        acts=found.acts, counts=found.counts, modal_count=found.modal_count, modal_karyotype=found.modal_karyotype,
        excluded=found.excluded,
        checks=[
            CheckOut(what=one.what, asked=one.asked, found=one.found, met=one.met, source=one.source)
            for one in found.checks
        ],
        conclusion=None if found.conclusion is None else conclusion_record(found.conclusion, lang),
        unfinished=list(found.unfinished),
        effort=None if found.effort is None else EffortOut(
            karyograms=found.effort.karyograms, median=found.effort.median, low=found.effort.low,
            high=found.effort.high, most=found.effort.most,
        ),
        doubtful=found.doubtful,
    )  # fmt: skip


def _image(row: ImageRow) -> ImageOut:
    return ImageOut(
        image=row.id, name=row.name, kind=row.kind, width=row.width, height=row.height, size=row.size,
        sha256=row.sha256, version=row.version,
    )  # fmt: skip


def _run(row: RunRow, keeper: Runs) -> RunOut:
    far = keeper.progress(row) if row.state in UNFINISHED else None
    return RunOut(
        run=row.id, state=row.state, by=row.by, asked=row.asked, job=row.job, images=len(row.images),
        message=row.message, models=row.models, consilium_version=row.version_of_consilium,
        progress=None if far is None else ProgressOut(done=far.done, total=far.total, lines=list(far.lines)),
    )  # fmt: skip
