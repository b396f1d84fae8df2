"""The report of a model on the disk: from what lies in its folder and beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from consilium.specialist.report.chapters import chapters_of
from consilium.specialist.report.facts import facts_file, read_facts, read_json
from consilium.specialist.report.wording import Language
from consilium.specialist.report.write import write_report


def write_report_of(
    model: Path, lang: Language, *, out: Path | None = None, images: Sequence[Path] = (), pdf: bool = True,
    on_note: Callable[[str], None] = lambda _note: None,
) -> tuple[Path, ...]:  # fmt: skip
    """Write the report of a model.

    Args:
        model: its folder.
        lang: of the report.
        out: folder of the report; None: the one beside the model.
        images: where the names of cases lead to pictures; the current folder where it is empty.
        pdf: whether a PDF is written.
        on_note: told what could not be done.

    Returns:
        The files.

    Raises:
        ModelError: a mandatory item cannot be told, or the model is not whole.
        MissingExtra, MissingFont, OutputError: as of `write_report`.
    """
    facts = read_facts(facts_file(model))
    validation = read_json(model / "validation.json")
    beside = facts_file(model).parent
    pictures = chapters_of(str(validation.get("task"))).pictures(facts, beside, list(images) or [Path()])
    return tuple(write_report(validation, facts, out or beside, lang, pictures=pictures, pdf=pdf, on_note=on_note))
