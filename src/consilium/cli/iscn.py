"""`consilium iscn`: karyotypes as ISCN 2024 strings, judged, repaired and written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from consilium.cli.exit_codes import ExitCode
from consilium.cli.language import language_option
from consilium.errors import InputError, OutputError

if TYPE_CHECKING:
    from consilium.cytogenetics.iscn.repair import Repair
    from consilium.cytogenetics.iscn.rules import Finding, Language
    from consilium.cytogenetics.iscn.validate import Judgement


_strings = click.argument("strings", nargs=-1, required=True, metavar="STRING...")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")


@click.group()
def iscn() -> None:
    """Check, explain, draw, repair and write karyotypes in ISCN 2024.

    STRING is one result, such as 47,XY,+21; with - they are read from standard input, one a line. The exit status is 0
    when all is well, 1 when a string is not, 2 when the command line cannot be understood.
    """


@iscn.command()
@_strings
@click.option(
    "--known", multiple=True, metavar="ABNORMALITY",
    help="Seen in an earlier study or by another technique, so that one cell is enough, e.g. 't(9;22)'. Repeatable.",
)  # fmt: skip
@click.option(
    "--band-level", type=click.IntRange(min=1), metavar="BPHS",
    help="Bands per haploid set at which the cells were read: bands that cannot be seen there are told.",
)  # fmt: skip
@_json
@language_option
def check(
    strings: tuple[str, ...], known: tuple[str, ...], band_level: int | None, as_json: bool, lang: Language
) -> ExitCode:
    """Say what is wrong with a string, where, by which section, and how it would be right.

    Errors make a string invalid; warnings and notes do not.
    """
    from consilium.cytogenetics.iscn.validate import validate

    wrong = False
    for text in _each(strings):
        judgement = validate(text, known=known, level=band_level)
        wrong |= not judgement.valid
        click.echo(_dumped(judged(judgement, lang)) if as_json else told(judgement, lang))
    return ExitCode.NOT_VALID if wrong else ExitCode.DONE


@iscn.command()
@_strings
@_json
@language_option
def explain(strings: tuple[str, ...], as_json: bool, lang: Language) -> ExitCode:
    """Say in plain sentences what a string means: its lines, each abnormality, what is gained and lost."""
    from consilium.cytogenetics.iscn.explain import explain as sentences
    from consilium.cytogenetics.iscn.validate import validate

    wrong = False
    for text in _each(strings):
        judgement = validate(text)
        wrong |= not judgement.valid
        said = [] if judgement.result is None else list(sentences(judgement.result, lang))
        if as_json:
            click.echo(_dumped({"input": text, "valid": judgement.valid, "sentences": said}))
            continue
        click.echo("\n".join([text, *(f"  {one}" for one in said)]))
        if not judgement.valid:
            click.echo(told(judgement, lang), err=True)
    return ExitCode.NOT_VALID if wrong else ExitCode.DONE


@iscn.command()
@_strings
@click.option(
    "--out", metavar="PATH", type=click.Path(path_type=Path),
    help="An SVG file; for several strings a folder of them, numbered.  [default: standard output]",
)  # fmt: skip
@language_option
def draw(strings: tuple[str, ...], out: Path | None, lang: Language) -> ExitCode:
    """Draw the ideogram karyogram of a string, derivative chromosomes built from their bands.

    Every cell line has its panel. A drawing shows what the string says, not what a cell looks like.
    """
    from consilium.cytogenetics.iscn.draw import karyograms
    from consilium.cytogenetics.iscn.validate import validate

    texts = list(_each(strings))
    wrong = False
    for number, text in enumerate(texts, start=1):
        judgement = validate(text)
        wrong |= not judgement.valid
        if not judgement.valid:
            click.echo(told(judgement, lang), err=True)
        if judgement.result is None:
            continue
        drawing = karyograms(judgement.result, lang)
        if out is None:
            click.echo(drawing)
        else:
            _keep(drawing, out if len(texts) == 1 else out / f"{number:03d}.svg")
    return ExitCode.NOT_VALID if wrong else ExitCode.DONE


def _keep(drawing: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(drawing, encoding="utf-8")
    except OSError as problem:
        raise OutputError(
            f"the drawing cannot be written: {problem.strerror}", where=str(path), way_out="Choose another --out."
        ) from problem


@iscn.command()
@_strings
@_json
@language_option
def repair(strings: tuple[str, ...], as_json: bool, lang: Language) -> ExitCode:
    """Suggest the string that dirty text probably means.

    Spaces, signs, case and words around the karyotype are put right, and what was changed is told; no number, band or
    abnormality is ever altered.
    """
    from consilium.cytogenetics.iscn.repair import repair as mend

    failed = False
    for text in _each(strings):
        found = mend(text)
        failed |= found.suggestion is None
        if as_json:
            click.echo(_dumped(_mended(found, lang)))
        elif found.suggestion is None:
            click.echo(
                f"{text}: " + ("没有可读的核型" if lang == "zh" else "no karyotype can be read from it"), err=True
            )
        else:
            click.echo(found.suggestion)
            if found.why:
                click.echo(("  改动：" if lang == "zh" else "  changed: ") + "; ".join(found.reasons(lang)), err=True)
    return ExitCode.NOT_VALID if failed else ExitCode.DONE


@iscn.command()
@click.argument("strings", nargs=-1, metavar="[STRING...]")
@click.option(
    "--cells", type=click.Path(path_type=Path, allow_dash=True), metavar="PATH",
    help="A JSON file of what each cell of a case shows, or - for standard input; in place of strings.",
)  # fmt: skip
@click.option(
    "--style", type=click.Choice(["sl", "idem"]), default="sl", show_default=True,
    help="How the cells' sidelines refer to their stemline.",
)  # fmt: skip
@_json
@language_option
def write(
    strings: tuple[str, ...], cells: Path | None, style: Literal["sl", "idem"], as_json: bool, lang: Language
) -> ExitCode:
    """Write a string as the current edition does: its spelling, and the order of items and breakpoints.

    What the string says stays; what it says wrongly stays too, so check it. With --cells the string is made from what
    single cells show: clones, their order and their numbers, with the reason behind every change and every cell set
    aside on standard error.
    """
    from consilium.cytogenetics.iscn.validate import validate

    if bool(strings) == (cells is not None):
        raise click.UsageError("Give either strings or --cells.")
    if cells is not None:
        return _write_cells(cells, style, lang, as_json=as_json)
    failed = False
    for text in _each(strings):
        judgement = validate(text)
        failed |= judgement.canonical is None
        if as_json:
            click.echo(_dumped({"input": text, "canonical": judgement.canonical, "valid": judgement.valid}))
        elif judgement.canonical is None:
            click.echo(told(judgement, lang), err=True)
        else:
            click.echo(judgement.canonical)
    return ExitCode.NOT_VALID if failed else ExitCode.DONE


def _write_cells(path: Path, style: Literal["sl", "idem"], lang: Language, *, as_json: bool) -> ExitCode:
    from consilium.cytogenetics.clones.cells_file import read_cells
    from consilium.cytogenetics.clones.karyotype import clonal_karyotype
    from consilium.cytogenetics.clones.wording import describe
    from consilium.cytogenetics.iscn.validate import validate
    from consilium.cytogenetics.iscn.write import line as write_line

    where = "standard input" if str(path) == "-" else str(path)
    told_cells = read_cells(_text_of(path, where), where=where)
    setting = told_cells.setting
    karyotype = clonal_karyotype(told_cells.cells, setting, style=style)
    known = [one for one in (*setting.previous, *setting.confirmed) if isinstance(one, str)]
    judgement = validate(str(karyotype), known=known)
    reasons = describe(karyotype, lang)
    if as_json:
        lines = karyotype.result.persons[0]
        document = {
            "iscn": judgement.text,
            "valid": judgement.valid,
            "findings": [_finding(finding, lang) for finding in judgement.findings],
            "clones": [
                {"line": write_line(line), "role": clone.role, "cells": list(clone.cells)}
                for clone, line in zip(karyotype.clones, lines, strict=True)
            ],
            "set_aside": [
                {
                    "cell": one.cell, "reason": one.reason, "counted": one.counted,
                    "seen": [change.text for change in one.seen], "missing": [change.text for change in one.missing],
                }
                for one in karyotype.set_aside
            ],
            "reasons": list(reasons),
        }  # fmt: skip
        click.echo(_dumped(document))
    else:
        click.echo(judgement.text)
        click.echo("\n".join(reasons), err=True)
        if not judgement.valid:
            click.echo(told(judgement, lang), err=True)
    return ExitCode.DONE if judgement.valid else ExitCode.NOT_VALID


def _text_of(path: Path, where: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as problem:
        raise InputError(
            f"the cells cannot be read: {problem.strerror}", where=where, way_out="Look at --cells."
        ) from problem
    except UnicodeDecodeError as problem:
        raise InputError("the cells are not UTF-8 text", where=where) from problem


def judged(judgement: Judgement, language: Language) -> dict[str, Any]:
    """A judgement as `check --json` prints it."""
    return {
        "input": judgement.text,
        "parsed": judgement.result is not None,
        "valid": judgement.valid,
        "canonical": judgement.canonical,
        "findings": [_finding(finding, language) for finding in judgement.findings],
    }


def _finding(finding: Finding, language: Language) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "section": finding.section,
        "severity": finding.severity,
        "start": finding.span.start,
        "end": finding.span.end,
        "message": finding.message(language),
        "suggestion": finding.suggestion,
    }


def told(judgement: Judgement, language: Language) -> str:
    """A judgement for people: the string, then every finding with its place marked beneath."""
    zh = language == "zh"
    verdict = ("有效" if zh else "valid") if judgement.valid else ("无效" if zh else "not valid")
    lines = [f"{judgement.text}  {verdict}"]
    severities = {"error": "错误", "warning": "警告", "note": "注意"}
    for finding in judgement.findings:
        severity = severities[finding.severity] if zh else finding.severity
        lines.append(f"  {severity}: {finding.message(language)}  [{finding.rule}, ISCN 2024 {finding.section}]")
        start, end = finding.span
        if len(judgement.text) <= _WIDEST:
            lines += [f"    {judgement.text}", "    " + " " * start + "^" * max(end - start, 1)]
        if finding.suggestion is not None:
            lines.append(("    建议：" if zh else "    suggestion: ") + finding.suggestion)
    return "\n".join(lines)


_WIDEST = 110
"""Characters of a string beyond which a terminal would break the line and a mark beneath would be lost."""


def _mended(found: Repair, language: Language) -> dict[str, Any]:
    return {
        "input": found.text,
        "suggestion": found.suggestion,
        "changes": [
            {"start": one.start, "end": one.end, "before": one.before, "after": one.after} for one in found.changes
        ],
        "why": list(found.reasons(language)),
    }


def _dumped(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _each(strings: tuple[str, ...]) -> Iterator[str]:
    """The strings of the command line; "-" stands for the lines of standard input, empty ones left out."""
    for text in strings:
        if text != "-":
            yield text
            continue
        for line in sys.stdin.buffer:
            if line.strip():
                yield line.decode("utf-8", errors="replace").rstrip("\r\n")
