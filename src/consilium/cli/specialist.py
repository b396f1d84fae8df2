"""`consilium specialist`: from labelled images to a model that says how good it is, and what is done with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from consilium.cli.embedding_progress import encoder_called, work_progress
from consilium.cli.exit_codes import ExitCode
from consilium.cli.language import language_option
from consilium.cli.specialist_report import report
from consilium.cli.tuning_progress import tuning_progress
from consilium.errors import InputError, NothingToDo, OutputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from consilium.artefact.bundle import Bundle
    from consilium.specialist.dataset import Asked
    from consilium.specialist.specialty import Made

_TASKS = ("auto", "classify", "multilabel", "regress", "segment", "detect")
_path = click.Path(path_type=Path)
_model = click.argument("model", metavar="MODEL", type=_path)
_verify = click.option(
    "--verify", "public_key", type=_path, metavar="KEY", help="Public key the model must be signed with (extra 'sign')."
)


@click.group()
def specialist() -> None:
    """Fit a model to labelled images, find out how good it is, use it.

    MODEL is the folder that `fit` writes; every file in it is held against its checksum before it is used.
    """


@specialist.command()
@click.argument("dataset", metavar="DATASET", type=_path)
@click.option("--out", required=True, metavar="MODEL", type=_path, help="Folder of the model; written whole or not.")
@click.option("--task", type=click.Choice(_TASKS), default="auto", show_default=True, help="What to learn.")
@click.option("--group", default="group", show_default=True, metavar="COLUMN", help="Column that names the patient.")
@click.option(
    "--case", "case_column", metavar="COLUMN", help="Column that names the case, where one has several files."
)
@click.option("--modality", metavar="ID", help="How the images were made, e.g. us; see `consilium modalities`.")
@click.option("--label", "labels", multiple=True, metavar="NAME", help="Of the numbers in masks, in order; repeat it.")
@click.option("--instances", is_flag=True, help="Each number in a mask is an object; told apart where they touch.")
@click.option("--tolerance", type=float, metavar="D", help="Distance of outlines that does not count, pixels or mm.")
@click.option("--encoder", default="shipped", show_default=True, metavar="NAME", help="Or hub:timm:NAME, hub:hf:NAME.")
@click.option(
    "--fine-tune",
    type=click.Choice(("never", "auto")),
    default="never",
    show_default=True,
    help="auto: try it, which takes minutes, and take it if better by more than a standard error (extra 'train').",
)
@click.option(
    "--mirror/--no-mirror",
    "mirrored",
    default=True,
    help="Look at mirror images too; not where left and right matter.  [default: --mirror]",
)
@click.option(
    "--finer/--no-finer",
    default=True,
    help="Look at single pictures in a finer size too: better, in four times the time.  [default: --finer]",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every lot that is drawn.")
@click.option("--overwrite", is_flag=True, help="Replace a model that is at --out.")
@click.option("--cache/--no-cache", default=True, help="Keep features for the next time.  [default: --cache]")
@click.option("--sign", "key", type=_path, metavar="KEY", help="Private key (PEM) to sign with (extra 'sign').")
@click.option("--licence", type=_path, metavar="FILE", help="Text with the terms under which you hand the model on.")
@click.option("--report", "reported", is_flag=True, help="Write its report too, as `specialist report` does.")
@language_option
def fit(
    dataset: Path,
    out: Path,
    task: Asked,
    group: str,
    case_column: str | None,
    modality: str | None,
    labels: tuple[str, ...],
    instances: bool,
    tolerance: float | None,
    encoder: str,
    fine_tune: Literal["never", "auto"],
    mirrored: bool,
    finer: bool,
    seed: int,
    overwrite: bool,
    cache: bool,
    key: Path | None,
    licence: Path | None,
    reported: bool,
    lang: Literal["zh", "en"],
) -> None:
    """Fit a model to labelled images and find out how good it is.

    DATASET is a folder with a folder for each class, or a CSV table with the columns "file" and "label" and, if known,
    "group" (patient), "split" (train or test) and whatever else describes a case. Several labels of a case are joined
    by a semicolon. With a column "mask" in place of labels (PNG, or NIfTI of volumes), outlines are learnt, with a
    column "boxes" or a folder of images and annotations, boxes. A call that was interrupted goes on where it stopped.
    """
    from consilium.artefact.bundle import refuse_place, write_bundle
    from consilium.specialist.dataset import read_dataset
    from consilium.specialist.graph import need_onnx
    from consilium.specialist.specialty import Order, specialty_of

    # Whatever can be refused is refused before the long work.
    refuse_place(out, overwrite=overwrite)
    need_onnx()
    if key is not None:
        from consilium.artefact.signature import need_signing

        need_signing()
    terms = "" if licence is None else _text(licence)
    read = read_dataset(dataset, task=task, group=group)
    specialty = specialty_of(read.task)
    spec = encoder.removeprefix("hub:")
    order = Order(
        encoder=spec, modality=modality, seed=seed, case_column=case_column, labels=labels, instances=instances,
        tolerance=tolerance, fine_tune=fine_tune == "auto", mirrored=mirrored, finer=finer,
    )  # fmt: skip
    specialty.refuse(order)
    from consilium.generalist.cache import FeatureCache

    network = encoder_called(spec)
    need = specialty.memory(read, network) >> 20
    told = "约需内存 {0} MB" if lang == "zh" else "about {0} MB of memory needed"
    click.echo(f"{read.task}: {len(read.cases)} files; {told.format(need)}", err=True)
    with work_progress(specialty.work(read), "Fitting") as show, tuning_progress(lang) as tuning:
        made = specialty.fit(
            read, network, order, out.resolve().name, terms=terms, cache=FeatureCache() if cache else None,
            on_work=show, on_tuning=tuning,
            say=lambda english, chinese: click.echo(chinese if lang == "zh" else english, err=True),
        )  # fmt: skip

    def seal(folder: Path) -> None:
        if key is not None:
            from consilium.artefact.signature import sign

            sign(folder, key)

    write_bundle(made.files, out, overwrite=overwrite, seal=seal)
    _keep_beside(made, out)
    for line in made.summary[lang]:
        click.echo(line)
    click.echo(f"-> {out}")
    if reported:
        from consilium.specialist.report.of_model import write_report_of

        for file in write_report_of(out, lang, on_note=lambda note: click.echo(f"consilium: note: {note}", err=True)):
            click.echo(str(file))
        return
    hint = "报告：" if lang == "zh" else "its report: "
    click.echo(f"{hint}consilium specialist report {out}")


def _keep_beside(made: Made, out: Path) -> None:
    """Write the facts of a model, and what else lies beside it, into the folder of its report."""
    import shutil

    from consilium.specialist.report.facts import facts_file, write_facts

    facts = facts_file(out)
    try:
        facts.parent.mkdir(parents=True, exist_ok=True)
        # What an earlier model of this name left there would be taken for this one's.
        for folder in {(facts.parent / name).parent for name in made.beside}:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        for name, content in made.beside.items():
            (facts.parent / name).write_bytes(content)
        write_facts(made.facts, facts)
    except OSError as problem:
        raise OutputError(
            f"what its report needs cannot be written ({problem})", where=str(facts.parent),
            way_out="Check the rights and the room on the disk; the model itself is whole.",
        ) from problem  # fmt: skip


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(
            f"it cannot be read ({problem})", where=str(path), way_out="Give a text in UTF-8."
        ) from problem


@specialist.command()
@_model
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=_path)
@click.option("--out", metavar="DIR", type=_path, help="Receives a mask for each file, where the model outlines.")
@click.option("--by-group", is_flag=True, help="Files of one group in a manifest are one case.")
@click.option("--cache/--no-cache", default=True, help="Keep features for the next time.  [default: --cache]")
@_verify
def predict(
    model: Path, inputs: tuple[Path, ...], out: Path | None, by_group: bool, cache: bool, public_key: Path | None
) -> ExitCode:
    """Answer about images: one JSON line each, with what speaks against the answer.

    INPUT is images, folders of them, or manifests: CSV files with a column "file". "abstain" is true where the model
    should not be asked, and "why" says why. A model of outlines writes a mask for each file: PNG, or NIfTI for volumes;
    one of boxes tells "found": label, score and box of each.
    """
    from consilium.generalist.cache import FeatureCache
    from consilium.generalist.inputs import find_entries
    from consilium.specialist.specialty import NotUsed, specialty_in

    bundle = _opened(model, public_key)
    specialty = specialty_in(bundle)
    entries = find_entries(inputs)
    answered, failed = 0, ""
    for one in specialty.answers(bundle, entries, out=out, by_group=by_group, cache=FeatureCache() if cache else None):
        if isinstance(one, NotUsed):
            failed = failed or one.message
            click.echo(f"{one.file}: not used: {one.message}", err=True)
            continue
        answered += 1
        click.echo(json.dumps(one, ensure_ascii=False, allow_nan=False))
    if not answered:
        named = ", ".join(str(one) for one in inputs)
        raise NothingToDo("none of the images could be used", where=named, way_out=failed)
    sys.stdout.flush()
    return ExitCode.PARTLY_DONE if failed else ExitCode.DONE


@specialist.command()
@_model
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=_path)
@click.option("--out", required=True, metavar="DIR", type=_path, help="Receives one PNG for each image.")
@click.option("--label", help="Which label to explain.  [default: the likeliest, or all outlines]")
@_verify
def explain(model: Path, inputs: tuple[Path, ...], out: Path, label: str | None, public_key: Path | None) -> ExitCode:
    """Draw which part of an image the answer hangs on: warm speaks for the label, cold against it.

    Parts of the image are covered one after the other. It is a check of the model, not a finding. Of a model of
    outlines, the outline is drawn, and beside it how probable each place was; of one of boxes, they are drawn.
    """
    from consilium.generalist.inputs import find_entries
    from consilium.specialist.specialty import NotUsed, specialty_in

    bundle = _opened(model, public_key)
    specialty = specialty_in(bundle)
    entries = find_entries(inputs)
    drawn, failed = 0, ""
    found = specialty.explained(bundle, entries, label=label)
    for number, (entry, one) in enumerate(zip(entries, found, strict=True), start=1):
        if isinstance(one, NotUsed):
            failed = failed or one.message
            click.echo(f"{one.file}: not used: {one.message}", err=True)
            continue
        target = out / f"{number:04d}_{entry.path.stem}.png"
        _write_png(one.picture, target)
        drawn += 1
        click.echo(f"{target}: {one.told}")
    if not drawn:
        named = ", ".join(str(one) for one in inputs)
        raise NothingToDo("none of the images could be used", where=named, way_out=failed)
    return ExitCode.PARTLY_DONE if failed else ExitCode.DONE


def _write_png(picture: NDArray[np.uint8], path: Path) -> None:
    from PIL import Image

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    except OSError as problem:
        raise OutputError(
            f"the picture cannot be written ({problem})", where=str(path), way_out="Choose another --out."
        ) from problem


@specialist.command()
@_model
@click.argument("out", metavar="DIR", type=_path)
@click.option("--to", "form", type=click.Choice(("onnx", "monai")), required=True, help="What to write.")
@_verify
def export(model: Path, out: Path, form: Literal["onnx", "monai"], public_key: Path | None) -> None:
    """Write a model for other programs: its network with its card, or the whole MONAI bundle.

    DIR must be new or empty.
    """
    import shutil

    from consilium.artefact.bundle import MANIFEST, SIGNATURE, refuse_place
    from consilium.specialist.specialty import specialty_in

    bundle = _opened(model, public_key)
    refuse_place(out, overwrite=False)
    names = list(specialty_in(bundle).network_files()) if form == "onnx" else [*bundle.files, MANIFEST]
    if form == "monai" and (bundle.folder / SIGNATURE).is_file():
        names.append(SIGNATURE)
    try:
        for name in names:
            target = out / (Path(name).name if form == "onnx" else name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle.folder / name, target)
    except OSError as problem:
        raise OutputError(
            f"it cannot be written ({problem})", where=str(out), way_out="Choose another folder."
        ) from problem
    click.echo(f"-> {out}")


@specialist.command()
@click.argument("first", metavar="MODEL", type=_path)
@click.argument("second", metavar="MODEL", type=_path)
@click.option("--data", "dataset", required=True, metavar="DATASET", type=_path, help="Cases that neither has seen.")
@click.option("--group", default="group", show_default=True, metavar="COLUMN", help="Column that names the patient.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def compare(first: Path, second: Path, dataset: Path, group: str, as_json: bool) -> None:
    """Compare two models on the same cases: figures and their paired difference with its interval.

    The figure is the AUC (DeLong), of models of outlines the mean Dice, of boxes AP50. Cases that one of the
    models was trained on are refused.
    """
    from dataclasses import asdict

    from consilium.specialist.specialty import specialty_in

    bundles = [_opened(model, None) for model in (first, second)]
    specialties = [specialty_in(bundle) for bundle in bundles]
    if type(specialties[0]) is not type(specialties[1]):
        raise InputError("the models answer in different ways", way_out="Compare two of the same kind.")
    result = specialties[0].compared(bundles[0], bundles[1], dataset, group=group)
    if as_json:
        click.echo(json.dumps(asdict(result), ensure_ascii=False))
        return
    for model, one in ((first, result.first), (second, result.second)):
        click.echo(f"{model}: {result.figure} {one.value:.3f} ({one.low:.3f} - {one.high:.3f})")
    gap = result.difference
    click.echo(f"difference {gap.value:+.3f} ({gap.low:+.3f} - {gap.high:+.3f}), p = {gap.p:.3f}, {result.cases} cases")


def _opened(model: Path, public_key: Path | None) -> Bundle:
    from consilium.artefact.bundle import open_bundle

    bundle = open_bundle(model)
    if public_key is not None:
        from consilium.artefact.signature import verify

        verify(model, public_key)
    return bundle


specialist.add_command(report)
