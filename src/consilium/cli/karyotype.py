"""`consilium karyotype`: the metaphase images of one case in, karyograms and a report out."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from consilium.cli.exit_codes import ExitCode
from consilium.cli.language import language_option
from consilium.errors import NothingToDo

if TYPE_CHECKING:
    from consilium.karyotype.request import Request
    from consilium.karyotype.wording import Language

_SPECIMENS = (
    "constitutional_blood, amniotic_in_situ, amniotic_flask, chorionic_villi, bone_marrow, products_of_conception, "
    "skin_fibroblasts or lymph_node_or_solid_tumour"
)
"""Written out, as the guidelines are not read for a help text; a test holds the two together."""


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(path_type=Path))
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Folder for the result.")
@click.option("--case", "name", metavar="NAME", help="Name of the case.  [default: the name of the input]")
@language_option
@click.option("--specimen", metavar="KIND", help=f"What the cells are of, for the guideline checks: {_SPECIMENS}.")
@click.option(
    "--neoplastic/--constitutional",
    default=None,
    help="Whether acquired changes are looked for.  [default: as usual for the specimen; constitutional]",
)
@click.option("--sex", type=click.Choice(("female", "male")), help="Of the patient, to compare the cells with.")
@click.option(
    "--withhold-sex/--report-sex",
    default=None,
    help="Whether the reports and karyograms leave the sex out; case.json has it.  [default: --report-sex]",
)
@click.option(
    "--identifiers",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="JSON with what identifies the case and the patient; it stands in the reports and case.json only.",
)
@click.option("--pdf/--no-pdf", default=True, help="Whether to write report.pdf too.  [default: --pdf]")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that share the images.  [default: half the cores, at most 8]",
)
def karyotype(
    inputs: tuple[Path, ...],
    out: Path,
    name: str | None,
    lang: Language,
    workers: int | None,
    specimen: str | None,
    neoplastic: bool | None,
    sex: Literal["female", "male"] | None,
    withhold_sex: bool | None,
    identifiers: Path | None,
    pdf: bool,
) -> ExitCode:
    """Sort the chromosomes of one case into karyograms.

    INPUT is metaphase images (PNG, JPEG, TIFF, BMP, WebP, DICOM) or folders of them, one cell an image; one call is
    one case. DIR receives report.html, report.pdf, case.json and a karyogram for every cell; an earlier result there is
    replaced, anything else is left alone.

    What comes out is a prompt for a qualified reader, not a diagnosis.
    """
    # Found before the pipeline is imported, so that a wrong name is answered at once.
    images = images_of_case(inputs)
    from consilium.karyotype.request import read_request

    request = read_request(
        identifiers, specimen=specimen or "", neoplastic=neoplastic, sex=sex or "", withhold_sex=withhold_sex
    )
    name = name or case_name(inputs)
    return karyotype_to(images, out=out, name=name, lang=lang, workers=workers, request=request, pdf=pdf)


def karyotype_to(
    paths: Sequence[Path],
    *,
    out: Path,
    name: str,
    lang: Language,
    workers: int | None,
    request: Request | None = None,
    pdf: bool = True,
) -> ExitCode:
    """Karyotype a case, write it and sum it up on standard output.

    Args:
        paths: the images.
        out: the folder of the result.
        name: the case's name.
        lang: language of what people read.
        workers: processes that share the images; None chooses.
        request: what was told with the specimen; nothing when left out.
        pdf: whether to write the PDF report too.

    Returns:
        `DONE`, or `PARTLY_DONE` where an image could not be used.

    Raises:
        ConsiliumError: see `karyotype_case` and `write_case`.
    """
    from datetime import datetime

    from consilium.cli.case_progress import case_progress, writing_progress
    from consilium.cli.case_summary import case_summary
    from consilium.karyotype import case as pipeline
    from consilium.karyotype.conclusion import conclude
    from consilium.karyotype.image_names import plain_text
    from consilium.karyotype.models import used
    from consilium.karyotype.withheld_sex import withhold
    from consilium.karyotype.write import refuse_output, write_case

    _never_fail_to_print()
    refuse_output(out)
    weights = used()
    stages = pipeline.shipped_stages() if weights is None else pipeline.stages_with(weights)
    models = stages.models()
    with case_progress(len(paths), sex_withheld=request is not None and request.withhold_sex) as show:
        case = pipeline.karyotype_case(paths, name=plain_text(name), workers=workers, on_progress=show, stages=stages)
    with writing_progress(len(case.cells)) as written:
        report = write_case(
            case,
            out,
            lang=lang,
            created=datetime.now().astimezone(),
            models=models,
            request=request,
            pdf=pdf,
            on_note=lambda note: click.echo(f"consilium: note: {note}", err=True),
            on_progress=written,
        )
    shown, said = withhold(case, conclude(case, request))
    click.echo(case_summary(shown, report, lang, said))
    return ExitCode.PARTLY_DONE if case.failures else ExitCode.DONE


def images_of_case(inputs: Sequence[Path]) -> list[Path]:
    """The images that the inputs stand for, without the karyograms of earlier results among them.

    Raises:
        InputError: an input does not exist or cannot be searched.
        NothingToDo: there is no image in the inputs.
    """
    from consilium.imaging.read import find_images

    named = {os.path.realpath(entry) for entry in inputs}
    found = find_images(inputs)
    kept = [path for path in found if os.path.realpath(path) in named or not _in_written_case(path)]
    if not kept:
        raise NothingToDo(
            "there are only karyograms of an earlier result, no metaphase",
            where=", ".join(str(entry) for entry in inputs),
            way_out="Name the metaphase images themselves.",
        )
    if len(kept) < len(found):
        click.echo(f"consilium: note: {len(found) - len(kept)} karyograms of earlier results are left out", err=True)
    return kept


def case_name(inputs: Sequence[Path]) -> str:
    """The name of a case that has none: of its folder or single file, or of the folder its inputs share."""
    places = [Path(os.path.realpath(entry)) for entry in inputs]
    if len(places) == 1:
        return places[0].name if places[0].is_dir() else places[0].stem
    try:
        shared = os.path.commonpath(places)
    except ValueError:
        # Drives of Windows share nothing.
        shared = ""
    return Path(shared).name or "case"


def _in_written_case(path: Path) -> bool:
    # By name first: most images lie in no such folder, and reading the record takes time.
    if path.parent.name != "karyograms":
        return False
    from consilium.karyotype.write import is_written_case

    return is_written_case(path.parent.parent)


def _never_fail_to_print() -> None:
    """A name that the terminal's encoding lacks is shown with a question mark and does not end the work."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
