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
from consilium.errors import NothingToDo

if TYPE_CHECKING:
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
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every lot that is drawn.")
@click.option("--overwrite", is_flag=True, help="Replace a model that is at --out.")
@click.option("--cache/--no-cache", default=True, help="Keep features for the next time.  [default: --cache]")
@click.option("--sign", "key", type=_path, metavar="KEY", help="Private key (PEM) to sign with (extra 'sign').")
@language_option
def fit(
    dataset: Path,
    out: Path,
    task: Asked,
    group: str,
    case_column: str | None,
    modality: str | None,
    encoder: str,
    seed: int,
    overwrite: bool,
    cache: bool,
    key: Path | None,
    lang: Literal["zh", "en"],
) -> None:
    """Fit a model to labelled images and find out how good it is.

    DATASET is a folder with a folder for each class, or a CSV table with the columns "file" and "label" and, if known,
    "group" (patient), "split" (train or test) and whatever else describes a case. Several labels of a case are joined
    by a semicolon. A call that was interrupted goes on where it stopped.
    """
    from consilium.artefact.bundle import refuse_place, write_bundle
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
    read = read_dataset(dataset, task=task, group=group)
    refuse_unbuilt(read)
    from consilium.generalist.cache import FeatureCache
    from consilium.specialist.bundle_documents import bundle_files
    from consilium.specialist.memory import memory_of_fit
    from consilium.specialist.summary import summary
    from consilium.specialist.validate import Plan

    spec = encoder.removeprefix("hub:")
    network = encoder_called(spec)
    need = memory_of_fit(len(read.cases), network.dimensions, max(len(read.labels), 1)) >> 20
    told = "约需内存 {0} MB" if lang == "zh" else "about {0} MB of memory needed"
    click.echo(f"{read.task}: {len(read.cases)} files; {told.format(need)}", err=True)

    def validating(cases: CaseFeatures) -> None:
        known = f"{cases.cached} 个取自缓存" if lang == "zh" else f"{cases.cached} from the cache"
        click.echo(f"{len(cases.features)} cases embedded ({known}); validating ...", err=True)

    with embedding_progress(len(read.cases)) as show:
        result = fitted(
            read, network, Wish(encoder=spec, modality=modality, case_column=case_column, plan=Plan(seed=seed)),
            cache=FeatureCache() if cache else None, on_outcome=show, on_embedded=validating,
        )  # fmt: skip
    files = bundle_files(result, out.resolve().name)

    def seal(folder: Path) -> None:
        if key is not None:
            from consilium.artefact.signature import sign

            sign(folder, key)

    write_bundle(files, out, overwrite=overwrite, seal=seal)
    for line in summary(result.validation, result.cases, lang):
        click.echo(line)
    click.echo(f"-> {out}")


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


def _opened(model: Path, public_key: Path | None) -> Bundle:
    from consilium.artefact.bundle import open_bundle

    bundle = open_bundle(model)
    if public_key is not None:
        from consilium.artefact.signature import verify

        verify(model, public_key)
    return bundle
