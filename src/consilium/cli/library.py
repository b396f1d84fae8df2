"""`consilium library`: publish models, find them, take copies, run them, take them back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consilium.cli.library_keys import key
from consilium.cli.library_opened import opened, own_key_file, reason_option
from consilium.cli.library_told import described, listed
from consilium.errors import InputError
from consilium.settings import LIBRARY_VARIABLE, STORE_VARIABLE

if TYPE_CHECKING:
    from consilium.alliance.library.pull import Pulled

_path = click.Path(path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_reference = click.argument("reference", metavar="NAME[@VERSION]")


@click.group()
@click.option(
    "--catalogue", default="", envvar=LIBRARY_VARIABLE, metavar="URL",
    help=f"Database of a shared library.  [default: ${LIBRARY_VARIABLE}, or one of this installation]",
)  # fmt: skip
@click.option(
    "--store", default="", envvar=STORE_VARIABLE, metavar="PLACE",
    help=f"Its files: a folder, or oci://HOST/PREFIX.  [default: ${STORE_VARIABLE}, or one of this installation]",
)  # fmt: skip
@click.pass_context
def library(ctx: click.Context, catalogue: str, store: str) -> None:
    """Publish models, find them, take copies, run them, take them back.

    A model is named NAME (the approved version), NAME@1.2.0 or NAME@candidate. What is unsigned, altered, retired, or
    without a card or a licence that is let in neither publishes nor runs; a copy is verified before every run.
    """
    ctx.meta["consilium.library"] = (catalogue, store)


@library.command()
@click.argument("model", metavar="MODEL", type=_path)
@click.option("--name", metavar="NAME", help="What to call it.  [default: the name of the folder]")
@click.option("--version", metavar="X.Y.Z", help="Of the model.  [default: the one in it]")
@click.option("--licence", default="", metavar="SPDX", help="Of the model, where its card states none.")
@click.option("--licence-file", type=_path, metavar="FILE", help="Text of terms of your own (LicenseRef-...).")
@click.option(
    "--data-licence", "data", multiple=True, metavar="[NAME=]SPDX", help="Of training data that state none; repeat it."
)
@click.option(
    "--case-features-may-leave", is_flag=True,
    help="Let features of the training cases leave with it; takes the role data_officer.",
)  # fmt: skip
@click.option("--key", "key_file", type=_path, metavar="FILE", help="Private key.  [default: the one of `key make`]")
@click.option(
    "--verify", "signed_by", type=_path, metavar="KEY", help="Public key that a signed MODEL is held against."
)
def publish(
    model: Path,
    name: str | None,
    version: str | None,
    licence: str,
    licence_file: Path | None,
    data: tuple[str, ...],
    case_features_may_leave: bool,
    key_file: Path | None,
    signed_by: Path | None,
) -> None:
    """Hand a model on as a candidate.

    MODEL is the folder that `specialist fit` or `models --bundle` wrote. It is signed with the key of this hospital; a
    second person approves it before others get it by its bare name.
    """
    from consilium.alliance.library.pack import Terms
    from consilium.alliance.library.publish import publish as publish_
    from consilium.alliance.library.reference import version_of
    from consilium.cli.identity import who

    terms = Terms(
        licence=licence, text="" if licence_file is None else _text(licence_file), data=dict(map(_data_licence, data)),
        cases_may_leave=case_features_may_leave,
    )  # fmt: skip
    release = publish_(
        opened(), who(), model, name=name or model.resolve().name, key=key_file or own_key_file(), terms=terms,
        version=None if version is None else version_of(version), signed_by=signed_by,
    )  # fmt: skip
    click.echo(f"{release.title}: {release.channel}, {release.licence}, {release.size / 1e6:.1f} MB")
    if release.channel == "candidate":
        click.echo(f"a second person approves it: consilium library approve {release.name}@{release.version}")


def _data_licence(text: str) -> tuple[str, str]:
    name, equals, licence = text.rpartition("=")
    if equals and not name:
        raise InputError(f"{text!r} names no data", way_out="As in --data-licence 'cases.csv=CC-BY-4.0'.")
    return name, licence


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"it cannot be read ({problem})", where=str(path)) from problem


@library.command()
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--modality", default="", metavar="ID", help="Of the images; see `consilium modalities`.")
@click.option("--channel", type=click.Choice(("candidate", "approved", "retired")), help="Where the version stands.")
@_json
def search(words: tuple[str, ...], modality: str, channel: Any, as_json: bool) -> None:
    """List models, or those that have all WORDs.

    In their name, task, use or data.
    """
    from consilium.alliance.library.search import as_document
    from consilium.alliance.library.search import search as search_
    from consilium.cli.identity import who

    person = who()
    found = search_(opened(), person, *words, modality=modality, channel=channel)
    if as_json:
        for one in found:
            click.echo(json.dumps(as_document(one, person), ensure_ascii=False))
        return
    if not found:
        click.echo("no model fits" if words or modality or channel else "the library is empty", err=True)
    for line in listed(found):
        click.echo(line)


@library.command()
@_reference
@_json
def show(reference: str, as_json: bool) -> None:
    """Print the versions of a model and its card."""
    from consilium.alliance.library.reference import reference_of
    from consilium.alliance.library.search import as_document, versions
    from consilium.cli.identity import who

    person = who()
    wanted = reference_of(reference)
    every = versions(opened(), person, wanted.name)
    if wanted.version is not None:
        every = tuple(one for one in every if one.version == wanted.version)
        if not every:
            raise InputError(f"there is no {wanted.name} {wanted.version}")
    if as_json:
        for one in every:
            click.echo(json.dumps(as_document(one, person), ensure_ascii=False))
        return
    for line in described(every, person):
        click.echo(line)


@library.command()
@_reference
@click.option("--out", type=_path, metavar="DIR", help="Put a copy there too.")
def pull(reference: str, out: Path | None) -> None:
    """Take a copy of a model and verify it.

    A damaged one that was here is replaced.
    """
    from consilium.alliance.library.pull import copy_to
    from consilium.alliance.library.pull import pull as pull_
    from consilium.alliance.library.reference import reference_of
    from consilium.artefact.bundle import refuse_place
    from consilium.cli.identity import who

    if out is not None:
        refuse_place(out, overwrite=False)
    place = opened()
    pulled = pull_(place, who(), reference_of(reference))
    _tell_key(pulled)
    if out is not None:
        copy_to(place, pulled, out)
    click.echo(f"{pulled.release.title} -> {out or pulled.contents.bundle.folder}")


@library.command()
@click.argument("reference", metavar="NAME[@VERSION]|FOLDER/")
def verify(reference: str) -> None:
    """Hold a copy against what was published.

    Its signature, hashes, card and licence; and whether it was taken back.

    A FOLDER is one by the slash in it, as in model/ or ./model.
    """
    from consilium.alliance.library.pull import verify_copy, verify_folder
    from consilium.alliance.library.reference import reference_of
    from consilium.cli.identity import who

    if "/" in reference:
        found = verify_folder(opened(), who(), Path(reference))
    else:
        found = verify_copy(opened(), who(), reference_of(reference))
    release, files = found.release, len(found.contents.files())
    click.echo(f"{release.title} ({release.channel}): {files} files as published, signed by {release.hospital}")
    click.echo(
        f"key {release.key.fingerprint[:16]}, licence {found.contents.licence}, {len(found.contents.cards)} cards"
    )


@library.command(context_settings={"ignore_unknown_options": True})
@_reference
@click.argument("words", nargs=-1, required=True, metavar="INPUT... [OPTIONS]", type=click.UNPROCESSED)
def run(reference: str, words: tuple[str, ...]) -> int | None:
    """Verify a model, then use it.

    A specialist answers as `specialist predict`, others karyotype as `karyotype` does: what follows NAME is what
    follows the name of that verb, options included. A version that is not approved has to be named: NAME@candidate.
    """
    from consilium.alliance.library.pull import ready_to_run
    from consilium.alliance.library.reference import reference_of
    from consilium.cli.identity import who

    place, person = opened(), who()
    pulled = ready_to_run(place, person, reference_of(reference))
    _tell_key(pulled)
    _tell_standing(place, person, pulled)
    bundle, called = pulled.contents.bundle, f"consilium library run {reference}"
    if pulled.release.kind == "karyotype":
        from consilium.cli.karyotype import karyotype
        from consilium.karyotype.bundle import weights_in
        from consilium.karyotype.models import using

        with using(weights_in(bundle)):
            return _status(karyotype.main(list(words), prog_name=called, standalone_mode=False))
    from consilium.cli.specialist import predict

    return _status(predict.main([str(bundle.folder), *words], prog_name=called, standalone_mode=False))


def _status(returned: object) -> int | None:
    return returned if isinstance(returned, int) else None


def _tell_key(pulled: Pulled) -> None:
    if pulled.first_key:
        release = pulled.release
        click.echo(
            f"consilium: note: key {release.key.fingerprint[:16]} of {release.hospital} is met for the first time",
            err=True,
        )


def _tell_standing(place: Any, person: Any, pulled: Pulled) -> None:
    from consilium.alliance.library.channels import current_of
    from consilium.alliance.library.notices import notices as notices_

    release = pulled.release
    if release.channel == "candidate":
        click.echo(f"consilium: note: {release.title} is a candidate: nobody has approved it", err=True)
    current = current_of(place, release.name)
    if current is not None and current.version != release.version:
        click.echo(f"consilium: note: {current.title} is what is approved now", err=True)
    open_ = [one for one in notices_(place, person) if one.name == release.name]
    if open_:
        click.echo(f"consilium: note: {len(open_)} notices about it: consilium library notices", err=True)


@library.command()
@_reference
def approve(reference: str) -> None:
    """Let a candidate in.

    A second person does, not the one who published it, and names the version.
    """
    from consilium.alliance.library.channels import approve as approve_
    from consilium.alliance.library.reference import reference_of
    from consilium.cli.identity import who

    release = approve_(opened(), who(), reference_of(reference))
    click.echo(f"{release.title} is approved")


@library.command()
@_reference
@reason_option
def retire(reference: str, reason: str) -> None:
    """Take a version back for good.

    It runs nowhere any more, and all who use it are told why.
    """
    from consilium.alliance.library.channels import current_of
    from consilium.alliance.library.channels import retire as retire_
    from consilium.alliance.library.reference import reference_of
    from consilium.cli.identity import who

    place = opened()
    release = retire_(place, who(), reference_of(reference), reason=reason)
    current = current_of(place, release.name)
    click.echo(f"{release.title} is retired; approved is {'nothing' if current is None else current.version} now")


@library.command()
@click.argument("name", metavar="NAME")
@reason_option
def rollback(name: str, reason: str) -> None:
    """Go back to the version that was approved before.

    All who use the newer one are told why.
    """
    from consilium.alliance.library.channels import roll_back
    from consilium.cli.identity import who

    release = roll_back(opened(), who(), name, reason=reason)
    click.echo(f"approved is {release.title} again")


@library.command()
@click.argument("name", metavar="NAME")
@click.option("--off", is_flag=True, help="Hear of it no longer.")
def subscribe(name: str, off: bool) -> None:
    """Hear of new versions of a model.

    And of those that are taken back.
    """
    from consilium.alliance.library.notices import subscribe as subscribe_
    from consilium.cli.identity import who

    changed = subscribe_(opened(), who(), name, wanted=not off)
    state = "no notices" if off else "notices"
    click.echo(f"{state} of {name} to you" + ("" if changed else ", as before"))


@library.command()
@click.option("--ack", "numbers", multiple=True, type=int, metavar="NUMBER", help="That one was read; repeat it.")
@click.option("--ack-all", is_flag=True, help="All of them were read.")
@click.option("--all", "every", is_flag=True, help="Those that were read too.")
@_json
def notices(numbers: tuple[int, ...], ack_all: bool, every: bool, as_json: bool) -> None:
    """Show what happened to models.

    To those that you subscribed to, and to those that your hospital uses, until it is acknowledged.
    """
    from dataclasses import asdict

    from consilium.alliance.library.notices import acknowledge
    from consilium.alliance.library.notices import notices as notices_
    from consilium.cli.identity import who

    place, person = opened(), who()
    if numbers:
        click.echo(f"{acknowledge(place, person, numbers)} read", err=True)
        return
    found = notices_(place, person, every=every)
    for one in found:
        if as_json:
            click.echo(json.dumps(asdict(one), ensure_ascii=False))
            continue
        line = f"{one.number}  {one.at[:16]}  {one.name} {one.version} {one.what}"
        line += f": {one.reason}" if one.reason else ""
        line += f" (approved is {one.instead} now)" if one.instead else ""
        click.echo(line + (" [your hospital uses it]" if one.used else ""))
    if not found and not as_json:
        click.echo("no notices", err=True)
    if found and ack_all:
        click.echo(f"{acknowledge(place, person, tuple(one.number for one in found))} read", err=True)


@library.command()
@_json
def usage(as_json: bool) -> None:
    """Tell how much which version is used.

    By your hospital; of what it published, in sums; by every hospital for the operator.
    """
    from dataclasses import asdict

    from consilium.alliance.library.use import usage as usage_
    from consilium.cli.identity import who

    rows = usage_(opened(), who())
    for one in rows:
        if as_json:
            click.echo(json.dumps(asdict(one), ensure_ascii=False))
            continue
        whose = one.hospital or f"{one.hospitals} hospitals in all"
        click.echo(
            f"{one.name} {one.version}  {whose}  {one.pulls} pulls, {one.runs} runs"
            + (f", last {one.last[:16]}" if one.last else "")
        )
    if not rows and not as_json:
        click.echo("nothing was used yet", err=True)


@library.command()
def licences() -> None:
    """Print which licences are let in.

    A file licences.json in the home of this installation replaces the list.
    """
    from dataclasses import asdict

    click.echo(json.dumps(asdict(opened().rules), indent=2, ensure_ascii=False))


library.add_command(key)
