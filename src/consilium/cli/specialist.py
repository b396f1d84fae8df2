"""`consilium specialist`: from labelled images to a model that says how good it is, and what is done with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from consilium.cli.embedding_progress import embedding_progress, encoder_called
from consilium.cli.exit_codes import ExitCode
from consilium.cli.language import language_option
from consilium.cli.specialist_report import report
from consilium.cli.tuning_progress import tuning_progress
from consilium.errors import InputError, MissingExtra, NothingToDo, OutputError, UnusableDataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from consilium.artefact.bundle import Bundle
    from consilium.specialist.case_features import CaseFeatures
    from consilium.specialist.dataset import Asked

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
@language_option
def fit(
    dataset: Path,
    out: Path,
    task: Asked,
    group: str,
    case_column: str | None,
    modality: str | None,
    encoder: str,
    fine_tune: Literal["never", "auto"],
    mirrored: bool,
    finer: bool,
    seed: int,
    overwrite: bool,
    cache: bool,
    key: Path | None,
    licence: Path | None,
    lang: Literal["zh", "en"],
) -> None:
    """Fit a model to labelled images and find out how good it is.

    DATASET is a folder with a folder for each class, or a CSV table with the columns "file" and "label" and, if known,
    "group" (patient), "split" (train or test) and whatever else describes a case. Several labels of a case are joined
    by a semicolon. A call that was interrupted goes on where it stopped.
    """
    from consilium.artefact.bundle import NETWORK, refuse_place, write_bundle
    from consilium.specialist.dataset import read_dataset
    from consilium.specialist.fit import Wish, refuse_unbuilt
    from consilium.specialist.fit import fit as fitted
    from consilium.specialist.graph import need_onnx

    # Whatever can be refused is refused before the long work.
    refuse_place(out, overwrite=overwrite)
    need_onnx()
    if key is not None:
        from consilium.artefact.signature import need_signing

        need_signing()
    terms = "" if licence is None else _text(licence)
    read = read_dataset(dataset, task=task, group=group)
    refuse_unbuilt(read)
    from consilium.generalist.cache import FeatureCache
    from consilium.specialist.bundle_documents import bundle_files
    from consilium.specialist.evidence.summary import summary
    from consilium.specialist.evidence.validate import Plan
    from consilium.specialist.fit_facts import facts_of
    from consilium.specialist.memory import memory_of_fit
    from consilium.specialist.report.facts import facts_file, write_facts

    spec = encoder.removeprefix("hub:")
    network = encoder_called(spec)
    need = memory_of_fit(len(read.cases), network.dimensions, max(len(read.labels), 1)) >> 20
    told = "约需内存 {0} MB" if lang == "zh" else "about {0} MB of memory needed"
    click.echo(f"{read.task}: {len(read.cases)} files; {told.format(need)}", err=True)

    def validating(cases: CaseFeatures) -> None:
        known = f"{cases.cached} 个取自缓存" if lang == "zh" else f"{cases.cached} from the cache"
        click.echo(f"{len(cases.features)} cases embedded ({known}); validating ...", err=True)

    wish = Wish(
        encoder=spec, modality=modality, case_column=case_column, fine_tune=fine_tune == "auto", mirrored=mirrored,
        finer=finer, plan=Plan(seed=seed),
    )  # fmt: skip
    with embedding_progress(len(read.cases)) as show, tuning_progress(lang) as (estimate, step):
        result = fitted(
            read, network, wish, cache=FeatureCache() if cache else None, on_outcome=show, on_embedded=validating,
            on_estimate=estimate, on_step=step,
        )  # fmt: skip
    files = bundle_files(result, out.resolve().name, terms=terms)

    def seal(folder: Path) -> None:
        if key is not None:
            from consilium.artefact.signature import sign

            sign(folder, key)

    write_bundle(files, out, overwrite=overwrite, seal=seal)
    facts = facts_file(out)
    facts.parent.mkdir(parents=True, exist_ok=True)
    write_facts(facts_of(result, out.resolve().name, files[NETWORK]), facts)
    for line in summary(result.validation, result.cases, lang):
        click.echo(line)
    click.echo(f"-> {out}")
    hint = "报告：" if lang == "zh" else "its report: "
    click.echo(f"{hint}consilium specialist report {out}")


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
@click.option("--by-group", is_flag=True, help="Files of one group in a manifest are one case.")
@click.option("--cache/--no-cache", default=True, help="Keep features for the next time.  [default: --cache]")
@_verify
def predict(model: Path, inputs: tuple[Path, ...], by_group: bool, cache: bool, public_key: Path | None) -> ExitCode:
    """Answer about images: one JSON line each, with what speaks against the answer.

    INPUT is images, folders of them, or manifests: CSV files with a column "file". "abstain" is true where the model
    should not be asked, and "why" says why.
    """
    from consilium.generalist.cache import FeatureCache
    from consilium.generalist.embedding import NotEmbedded
    from consilium.generalist.inputs import find_entries
    from consilium.specialist.predict import predict as answers
    from consilium.specialist.specialist import encoder_of, read_specialist

    bundle = _opened(model, public_key)
    ready = read_specialist(bundle)
    entries = find_entries(inputs)
    answered, failed = 0, ""
    for one in answers(
        ready, encoder_of(ready, bundle), entries, by_group=by_group, cache=FeatureCache() if cache else None
    ):
        if isinstance(one, NotEmbedded):
            failed = failed or one.message
            click.echo(f"{one.entry.file}: not used: {one.message}", err=True)
            continue
        answered += 1
        click.echo(json.dumps(one.answer.as_document(one.name), ensure_ascii=False, allow_nan=False))
    if not answered:
        named = ", ".join(str(one) for one in inputs)
        raise NothingToDo("none of the images could be used", where=named, way_out=failed)
    sys.stdout.flush()
    return ExitCode.PARTLY_DONE if failed else ExitCode.DONE


@specialist.command()
@_model
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=_path)
@click.option("--out", required=True, metavar="DIR", type=_path, help="Receives one PNG for each image.")
@click.option("--label", help="Which label to explain.  [default: the likeliest]")
@_verify
def explain(model: Path, inputs: tuple[Path, ...], out: Path, label: str | None, public_key: Path | None) -> ExitCode:
    """Draw which part of an image the answer hangs on: warm speaks for the label, cold against it.

    Parts of the image are covered one after the other. It is a check of the model, not a finding.
    """
    from consilium.generalist.inputs import find_entries
    from consilium.generalist.pictures import pictures
    from consilium.specialist.explain import explain as explained
    from consilium.specialist.explain import overlay
    from consilium.specialist.specialist import encoder_of, read_specialist

    bundle = _opened(model, public_key)
    ready = read_specialist(bundle)
    entries = find_entries(inputs)
    encoder = encoder_of(ready, bundle)
    drawn, failed = 0, ""
    for number, entry in enumerate(entries, start=1):
        try:
            shown = pictures(entry.path, ready.side, ready.modality)
        except (InputError, MissingExtra) as problem:
            failed = failed or str(problem)
            click.echo(f"{entry.file}: not used: {problem}", err=True)
            continue
        found = explained(ready, encoder, shown, label)
        _write_png(overlay(found), out / f"{number:04d}_{entry.path.stem}.png")
        drawn += 1
        click.echo(f"{out / f'{number:04d}_{entry.path.stem}.png'}: {found.label or 'value'}")
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

    from consilium.artefact.bundle import CARD, MANIFEST, NETWORK, SIGNATURE, refuse_place

    bundle = _opened(model, public_key)
    refuse_place(out, overwrite=False)
    names = [NETWORK, CARD] if form == "onnx" else [*bundle.files, MANIFEST]
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
    """Compare two models on the same cases: AUCs and their difference with its interval (paired DeLong).

    Cases that one of the models was trained on are refused.
    """
    from dataclasses import asdict

    from consilium.generalist.cache import FeatureCache
    from consilium.specialist.case_features import case_features
    from consilium.specialist.compare import compare as compared
    from consilium.specialist.compare import refuse_unlike
    from consilium.specialist.dataset import read_dataset
    from consilium.specialist.specialist import encoder_of, read_specialist

    bundles = [_opened(model, None) for model in (first, second)]
    ready = [read_specialist(bundle) for bundle in bundles]
    cases = read_dataset(dataset, task="multilabel" if ready[0].task == "multilabel" else "classify", group=group)
    refuse_unlike(ready[0], ready[1], cases)
    scores = []
    for one, bundle in zip(ready, bundles, strict=True):
        found = case_features(cases, encoder_of(one, bundle), modality=one.modality, cache=FeatureCache())
        if found.skipped:
            file, reason = found.skipped[0]
            raise UnusableDataset(
                f"{len(found.skipped)} case(s) cannot be read ({reason})", where=str(file), way_out="Leave them out."
            )
        scores.append(one.probabilities(found.in_form(one.pooling)))
    result = compared(scores[0], scores[1], cases, ready[0].labels)
    if as_json:
        click.echo(json.dumps(asdict(result), ensure_ascii=False))
        return
    for model, auc in ((first, result.first), (second, result.second)):
        click.echo(f"{model}: AUC {auc.value:.3f} ({auc.low:.3f} - {auc.high:.3f})")
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
