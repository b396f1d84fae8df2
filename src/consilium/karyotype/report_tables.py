"""The tables of a report, as rows of words: the HTML and the PDF report lay out the same ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from consilium.karyotype.report_wording import conclusion_words, report_words
from consilium.karyotype.wording import Language

Record = dict[str, Any]

REFERENCES_SHOWN = 3
"""References of a disorder that fit its column; case.json has all."""

UNKNOWN = "—"
"""What stands where something was not told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One table.

    Attributes:
        title: above it.
        columns: their heads; none where the first column is the head of each row.
        widths: of each column: a share of what is left, or 0 for as wide as its words.
        rows: words.
        note: below it; may stand there without rows.
    """

    title: str
    columns: tuple[str, ...]
    widths: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def plain(self) -> Record:
        """As plain values."""
        return asdict(self)


def findings_tables(record: Record, lang: Language) -> list[Table]:
    """Lines, the changes with the cells that show them, the disorders they touch."""
    words = conclusion_words(lang)
    return [_lines(record, words), _findings(record, words), _disorders(record, words)]


def method_tables(record: Record, lang: Language) -> list[Table]:
    """Method and figures, guideline checks."""
    words = conclusion_words(lang)
    return [_figures(record, words), _checks(record, words)]


def appendix_tables(record: Record, lang: Language) -> list[Table]:
    """The cells as they were read, the models."""
    return [_cells(record, lang), _models(record, lang)]


def cell_numbers(record: Record) -> dict[str, int]:
    """The number of each image: its place in the case, from 1."""
    return {cell["image"]: number for number, cell in enumerate(record["conclusion"]["cells"], start=1)}


def identity_rows(record: Record, lang: Language) -> list[tuple[str, str]]:
    """What identifies the case, as (name, value); an even number, to be set two and two."""
    words = conclusion_words(lang)
    request = record["conclusion"]["request"]
    told = request["identifiers"]
    sex = words[request["sex"]] if request["sex"] else ""
    if record["conclusion"]["disclosed"]["sex"] != "stated":
        sex = words["sex_not_reported"]
    aim = words["acquired" if request["neoplastic"] else "constitutional"]
    known = {**told, "sex": sex, "specimen": request["specimen_name"], "looked_for": aim, "case_name": record["name"]}
    keys = (
        "patient_name", "case_number", "patient_id", "case_name", "birth_date", "specimen", "sex", "looked_for",
        "physician", "received", "reason", "reported",
    )  # fmt: skip
    return [(words[key], known.get(key, "") or UNKNOWN) for key in keys]


def _table(
    title: str, columns: Sequence[str], widths: Sequence[float], rows: Sequence[Sequence[str]], note: str = ""
) -> Table:
    return Table(
        title=title, columns=tuple(columns), widths=tuple(widths), rows=tuple(tuple(row) for row in rows), note=note
    )


def _lines(record: Record, words: Mapping[str, str]) -> Table:
    return _table(
        words["lines"],
        [words["line"], words["cells"], words["numbers"], words["support"]],
        [3, 0, 2, 2.4],
        [
            [
                line["iscn"],
                str(len(line["cells"])),
                ", ".join(str(cell_numbers(record)[image]) for image in line["cells"]),
                words["prompt_only" if line["prompt_only"] else _support(line)],
            ]
            for line in record["conclusion"]["lines"]
        ],
    )


def _support(line: Record) -> str:
    """The word for what a firm line rests on: enough cells, or, for a normal one, the reading alone."""
    return "beyond_mistakes" if len(line["cells"]) >= line["cells_beyond_mistakes"] else "as_read"


def _findings(record: Record, words: Mapping[str, str]) -> Table:
    numbers, cells = cell_numbers(record), len(record["cells"])
    return _table(
        words["findings"],
        [words["change"], words["shown_by"], words["cell_numbers"]],
        [2.4, 2, 5],
        [
            [
                one["change"] + (words["nth"].format(nth=one["nth"]) if one["nth"] > 1 else ""),
                words["of_cells"].format(cells=len(one["cells"]), all=cells),
                ", ".join(f"{numbers[cell['image']]}{'!' if cell['doubtful'] else ''}" for cell in one["cells"]),
            ]
            for one in record["conclusion"]["abnormalities"]
        ],
    )


def _disorders(record: Record, words: Mapping[str, str]) -> Table:
    said = record["conclusion"]["disorders"]
    sources = dict.fromkeys(one["source"] for one in said)
    return _table(
        words["disorders"],
        [words["change"], words["disorder"], words["evidence"], words["references"]],
        [0, 3, 4, 2.2],
        [
            [one["change"], one["name"], one["evidence"], ", ".join(one["references"][:REFERENCES_SHOWN])]
            for one in said
        ],
        " ".join([words["no_diagnosis"], words["sources"].format(sources="; ".join(sources))])
        if said
        else words["nothing_known"]
        if record["conclusion"]["abnormalities"]
        else "",
    )


def _figures(record: Record, words: Mapping[str, str]) -> Table:
    said = record["conclusion"]
    figures, mosaicism = said["figures"], said["mosaicism_excluded"]
    inverted = sum(cell["inverted"] for cell in record["cells"])
    models = ", ".join(f"{model['name']} {model['version']}" for model in record["models"])
    method = words["method_q" if inverted else "method_g"].format(
        version=record["consilium_version"], models=models, inverted=inverted, all=len(record["cells"])
    )
    level = words["told" if figures["band_level_told"] else "estimated"].format(level=figures["band_level"])
    excluded = words["mosaicism_none"]
    if mosaicism:
        percent = f"{100 * mosaicism['proportion']:.1f}"
        excluded = words["mosaicism_from"].format(percent=percent, cells=mosaicism["cells"])
    return _table(
        words["figures"],
        [],
        [2.2, 5],
        [
            [words["method"], method],
            [words["band_level_row"], level if figures["band_level"] else UNKNOWN],
            [words["cells_read"], str(len(record["cells"]))],
            [words["counted"], str(figures["cells_counted"])],
            [words["analysed"], str(figures["cells_analysed"])],
            [words["karyotyped"], str(figures["cells_karyotyped"])],
            [words["mosaicism"], excluded],
        ],
    )


def _check_rows(record: Record, words: Mapping[str, str]) -> list[list[str]]:
    """The guideline checks as rows: what, asked, found, enough, source."""
    answers = {True: words["yes"], False: words["no"], None: UNKNOWN}
    return [
        [
            words["band_level_row" if one["what"] == "band_level" else one["what"]],
            str(one["asked"]),
            words["not_told"] if one["found"] is None else str(one["found"]),
            answers[one["met"]],
            one["source"],
        ]
        for one in record["conclusion"]["guideline_checks"]
    ]


def _checks(record: Record, words: Mapping[str, str]) -> Table:
    specimen = record["conclusion"]["request"]["specimen_name"]
    return _table(
        f"{words['checks']}: {specimen}" if specimen else words["checks"],
        [words["figure"], words["asked"], words["found"], words["enough"], words["source"]],
        [3, 0, 0, 0, 5],
        _check_rows(record, words),
        "" if specimen else words["no_checks"],
    )


def _cells(record: Record, lang: Language) -> Table:
    words, fixed = conclusion_words(lang), report_words(lang)
    rows = []
    for number, (cell, read) in enumerate(zip(record["cells"], record["conclusion"]["cells"], strict=True), start=1):
        rows.append(
            [
                str(number),
                cell["image"],
                str(cell["count"]),
                cell["karyotype"],
                f"{cell['quality']['score']:.2f}",
                str(read["line"] or UNKNOWN),
                "; ".join(why["reason"] for why in read["incomplete"]) or "",
            ]
        )
    return _table(
        words["cells_list"],
        ["", fixed["image"], fixed["count"], words["as_counted"], fixed["quality"], words["line"], words["not_wholly"]],
        [0, 2.6, 0, 3, 0, 0, 2.6],
        rows,
    )


def _models(record: Record, lang: Language) -> Table:
    words = report_words(lang)
    return _table(
        words["models"],
        [words["model"], words["version"], "SHA-256"],
        [0, 0, 1],
        [[model["name"], model["version"], model["sha256"]] for model in record["models"]],
    )
