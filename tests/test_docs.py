"""What the documents say is so: links lead somewhere, commands parse, lists are complete."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import click
import pytest

from consilium.cli.exit_codes import MEANINGS
from consilium.cli.main import VERBS, cli
from consilium.karyotype import count, flags
from consilium.karyotype.wording import FLAGS, LANGUAGES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PLACES = ("*.md", "docs/**/*.md", "benchmarks/**/*.md", "training/**/*.md")
DOCUMENTS = sorted({path for place in PLACES for path in ROOT.glob(place)})

LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def links(path: Path) -> list[str]:
    prose = FENCED.sub("", path.read_text(encoding="utf-8"))
    return [target for target in LINK.findall(prose) if not re.match(r"[a-z]+:", target)]


def anchors(path: Path) -> set[str]:
    """The anchors that a forge gives the headings of a document."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


def command_lines(path: Path, command: str) -> Iterator[str]:
    """Every command line of a document that calls `command`, from blocks and from running text."""
    text = path.read_text(encoding="utf-8")
    for _, block in FENCED.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            plain = line.strip().removeprefix(".venv/bin/")
            if plain.startswith(command + " "):
                yield plain.split("  #")[0].strip()
    for inline in INLINE.findall(FENCED.sub("", text)):
        plain = inline.removeprefix(".venv/bin/")
        if plain.startswith(command + " "):
            yield plain


def calls(command: str) -> list[tuple[str, str]]:
    return sorted({(named(path), line) for path in DOCUMENTS for line in command_lines(path, command)})


# Links and commands


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    broken = []
    for target in links(document):
        place, _, anchor = target.partition("#")
        file = (document.parent / place).resolve() if place else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize(("document", "line"), calls("consilium"))
def test_every_command_line_parses(document: str, line: str) -> None:
    words = shlex.split(line)[1:]
    if words[0].startswith("-"):
        with pytest.raises(click.exceptions.Exit) as ended:
            cli.make_context("consilium", words)
        assert ended.value.exit_code == 0
        return
    verb, *rest = words
    assert verb in VERBS
    group = click.Context(cli, info_name="consilium")
    command = cli.get_command(group, verb)
    assert command is not None
    if len(words) == 1:
        # Only the verb is talked about.
        return
    command.make_context(verb, rest, parent=group)


def test_a_wrong_command_line_would_be_seen() -> None:
    group = click.Context(cli, info_name="consilium")
    command = cli.get_command(group, "karyotype")
    assert command is not None
    with pytest.raises(click.UsageError):
        command.make_context("karyotype", ["slides", "--output", "out"], parent=group)


@pytest.mark.parametrize(("document", "line"), calls("make"))
def test_every_make_target_exists(document: str, line: str) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert line.split()[1] in targets


@pytest.mark.parametrize(("document", "line"), calls("python -m"))
def test_every_module_that_is_run_exists(document: str, line: str) -> None:
    name = line.split()[2]
    if name.split(".")[0] in {"training", "benchmarks", "tests"}:
        place = ROOT.joinpath(*name.split("."))
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists()


BLOCKS = [
    pytest.param(block, id=f"{named(path)}, block {number}")
    for path in DOCUMENTS
    for number, (language, block) in enumerate(FENCED.findall(path.read_text(encoding="utf-8")))
    if language == "python"
]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_python_example_uses_names_that_exist(block: str) -> None:
    tree = ast.parse(block)
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for node in imported:
        module = import_module(node.module or "")
        assert all(hasattr(module, one.name) for one in node.names)
    assert imported


def test_the_example_that_draws_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = [one.values[0] for one in BLOCKS if "render_metaphase" in str(one.values[0])]
    monkeypatch.chdir(tmp_path)
    exec(compile(str(block), "docs/how-to/use-in-a-script.md", "exec"), {"__name__": "example"})
    assert (tmp_path / "synthetic.png").is_file()


# Complete lists


def rows(path: Path) -> list[list[str]]:
    """The cells of every table row of a document."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_flag_stands_in_the_reference_with_both_sentences() -> None:
    listed = {row[0].strip("`"): row for row in rows(DOCS / "reference" / "flags.md") if row[0].startswith("`")}
    assert set(listed) == set(FLAGS)
    for code, row in listed.items():
        assert row[2:] == [FLAGS[code][lang] for lang in LANGUAGES]


THRESHOLDS = {
    name: getattr(module, name)
    for module in (flags, count)
    for name in vars(module)
    if name.isupper() and type(getattr(module, name)) in (int, float) and name != "DIPLOID"
}


def test_every_threshold_of_a_flag_stands_in_the_reference() -> None:
    text = (DOCS / "reference" / "flags.md").read_text(encoding="utf-8")
    told = {name: float(value) for name, value in re.findall(r"`([A-Z_]+)` = ([\d.]+\d|\d)", text)}
    assert told == THRESHOLDS


def test_every_exit_status_stands_in_the_reference() -> None:
    listed = {row[0]: row[1] for row in rows(DOCS / "reference" / "exit-codes.md") if row[0].isdecimal()}
    assert listed == {str(int(code)): meaning for code, meaning in MEANINGS.items()}


def test_every_entry_of_the_record_stands_in_the_reference() -> None:
    schema = json.loads((files("consilium") / "karyotype" / "case.schema.json").read_text(encoding="utf-8"))
    text = (DOCS / "reference" / "case-json.md").read_text(encoding="utf-8")

    def entries(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            yield from node.get("properties", {})
            for value in node.values():
                yield from entries(value)
        elif isinstance(node, list):
            for value in node:
                yield from entries(value)

    assert {entry for entry in entries(schema) if f"`{entry}`" not in text} == set()
    version = schema["properties"]["schema_version"]["const"]
    assert f"version\n{version} " in text or f"version {version} " in text


def test_every_line_of_the_threat_model_names_tests_that_exist() -> None:
    text = (DOCS / "explanation" / "threat-model.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| threat", "|---"))]
    assert len(rows) > 30
    for row in rows:
        named_tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row.split("|")[3])
        assert named_tests, row
        for path, function in named_tests:
            assert re.search(rf"def {function}\(", (ROOT / path).read_text(encoding="utf-8")), f"{path}::{function}"
