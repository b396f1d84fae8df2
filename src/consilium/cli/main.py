"""The command `consilium`: finds the verb, runs it, and turns every error into one message and an exit status.

Exit statuses (`consilium.cli.exit_codes`): 0 done; 1 not valid (`iscn`), or an unexpected error; 2 bad usage; 3 the
case is done but some images could not be used; 4 nothing of the input could be used; 5 model or output error; 6 who
asks may not do it; 130 interrupted.

A verb lives in its own module and is imported only when it is called, so that `consilium --help` stays quick.
A verb returns None or an `ExitCode` and raises `ConsiliumError` for what the user can put right.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from importlib import import_module

import click

from consilium.cli.exit_codes import MEANINGS, ExitCode, exit_code_of
from consilium.errors import ConsiliumError

VERBS: dict[str, tuple[str, str]] = {
    "karyotype": ("consilium.cli.karyotype:karyotype", "Sort the chromosomes of one case into karyograms."),
    "demo": ("consilium.cli.demo:demo", "Draw a synthetic case and karyotype it."),
    "iscn": ("consilium.cli.iscn:iscn", "Check, explain, draw, repair and write karyotypes in ISCN 2024."),
    "deidentify": (
        "consilium.cli.deidentify:deidentify",
        "Write copies of images that do not tell who the patient is.",
    ),
    "modalities": ("consilium.cli.modalities:modalities", "List the kinds of images that are read."),
    "embed": ("consilium.cli.embed:embed", "Turn images into features for a model of your own."),
    "specialist": (
        "consilium.cli.specialist:specialist",
        "Fit a model to labelled images, find out how good it is, use it.",
    ),
    "serve": ("consilium.cli.serve:serve", "Serve the workstation of a laboratory to browsers."),
    "laboratory": ("consilium.cli.laboratory:laboratory", "Keep a laboratory's records, from specimen to signed case."),
    "alliance": ("consilium.cli.alliance:alliance", "Keep the list of hospitals and people, and their cluster."),
    "compute": ("consilium.cli.compute:compute", "Run commands as jobs, see them, end them."),
    "study": ("consilium.cli.study:study", "Train one model with other hospitals."),
    "library": ("consilium.cli.library:library", "Publish, find, pull, verify and run models."),
    "storage": ("consilium.cli.storage:storage", "Keep studies encrypted under their hospital's keys."),
    "ledger": ("consilium.cli.ledger:ledger", "Read and verify the record of who did what."),
    "models": ("consilium.cli.models:models", "List the shipped models with what their cards say."),
    "schema": ("consilium.cli.schema:schema", "Print the JSON schema of case.json."),
}
"""Verb -> (module:command, the line that `consilium --help` shows)."""


@dataclass
class _Wishes:
    """What the options before or after the verb asked for; read after click has let go of its context."""

    debug: bool = False


def _remember_debug(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        ctx.ensure_object(_Wishes).debug = True


def _debug_option() -> click.Option:
    return click.Option(
        ["--debug"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_remember_debug,
        help="Show the traceback of an error.",
    )


class LazyVerbs(click.Group):
    """A click group that imports a verb's module only when that verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order in which they are listed."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the verb called `cmd_name`; None when there is no such verb."""
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is not a click command")
        _listen_for_debug(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the verbs from their one-line descriptions, without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, line) for name, (_, line) in VERBS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the exit statuses."""
        with formatter.section("Exit status"):
            formatter.write_dl([(str(int(code)), meaning) for code, meaning in MEANINGS.items()])


def _listen_for_debug(command: click.Command) -> None:
    """Let a verb, and each of its own verbs, take --debug too."""
    if not any("--debug" in parameter.opts for parameter in command.params):
        command.params.append(_debug_option())
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _listen_for_debug(inner)


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from consilium import __version__

        click.echo(f"consilium {__version__}")
        ctx.exit()


@click.command(
    cls=LazyVerbs,
    params=[
        _debug_option(),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version.",
        ),
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar="VERB [ARGS]...",
)
def cli() -> None:
    """Chromosome images to karyograms and a draft report; images of any of nineteen modalities to features and models.

    Each VERB has its own --help.
    """


def run(arguments: Sequence[str] | None = None) -> ExitCode:
    """Runs one command line and reports its errors on standard error.

    Args:
        arguments: the words after `consilium`; those of the process when left out.

    Returns:
        The exit status; nothing that a verb raises gets past here.
    """
    wishes = _Wishes()
    try:
        result = cli.main(args=arguments, prog_name="consilium", standalone_mode=False, obj=wishes)
        return ExitCode(result) if isinstance(result, int) else ExitCode.DONE
    except click.Abort:
        click.echo("consilium: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return ExitCode(error.exit_code)
    except ConsiliumError as error:
        _report(str(error), wishes)
        return exit_code_of(error)
    except Exception as error:
        hint = "" if wishes.debug else ". --debug shows where; please report it"
        _report(f"unexpected {type(error).__name__}: {error}{hint}", wishes)
        return ExitCode.UNEXPECTED


def _report(message: str, wishes: _Wishes) -> None:
    if wishes.debug:
        traceback.print_exc()
    click.echo(f"consilium: {message}", err=True)


def spare_threads(environ: MutableMapping[str, str]) -> None:
    """Let linear algebra use one thread where nobody asked for more; to be called before NumPy is imported.

    Its matrices are small here. More threads save little where the machine is idle, and where it is not they wait for
    each other: a fit of 200 pictures took six times the processor time (`benchmarks/results/fit_time.md`).
    """
    if not any(environ.get(name) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")):
        environ["OPENBLAS_NUM_THREADS"] = "1"


def main() -> None:
    """The console entry point."""
    spare_threads(os.environ)
    sys.exit(int(run()))
