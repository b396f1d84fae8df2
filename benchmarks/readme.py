"""Put the measured figures into the README: `python -m benchmarks.readme`; a test holds that they are those."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.results import Document, shown

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results" / "karyotype.json"

START = "<!-- figures: written by `python -m benchmarks.readme`, do not edit -->\n"
END = "<!-- end of figures -->"

QUOTED = (
    "detection_recall",
    "detection_precision",
    "class_accuracy",
    "map50",
    "cells_counted_exactly",
    "counted_exactly_lost",
    "counted_exactly_gained",
    "cells_wholly_right",
    "errors_flagged",
    "chromosomes_flagged",
    "gband612_accuracy",
    "gband612_polarity",
    "mask_ap50_adir",
    "mask_ap50_bioimlab",
    "structure_sensitivity",
    "structure_specificity",
    "structure_real_cases",
    "structure_real_named",
    "seconds_per_metaphase",
    "memory_gb",
)


def quoted(document: Document) -> str:
    """The table of the README: value, 95 % interval, what it was measured on, when."""
    figures = {figure["name"]: figure for figure in document["figures"]}
    lines = ["| figure | measured (95 % interval) | wanted at least | data | date |", "|---|---|---|---|---|"]
    for name in QUOTED:
        figure = figures[name]
        sign = "at most " if figure["less_is_better"] else ""
        asked = "" if figure["asked"] is None else f"{sign}{figure['asked']:g}"
        missed = " (**missed**)" if figure["reached"] is False and figure["asked"] is not None else ""
        row = (figure["meaning"], shown(figure), asked + missed, figure["data"], figure["date"])
        lines.append("| " + " | ".join(row) + " |")
    machines = sorted({section["machine"] for section in document["sections"].values()})
    lines += ["", f"Machine: {'; '.join(machines)}.", ""]
    return "\n".join(lines)


def with_figures(readme: str, document: Document) -> str:
    """The README's text with the figures of a document between its two marks."""
    before, rest = readme.split(START)
    return before + START + quoted(document) + END + rest.split(END, 1)[1]


def main() -> None:
    document = json.loads(RESULTS.read_text(encoding="utf-8"))
    README.write_text(with_figures(README.read_text(encoding="utf-8"), document), encoding="utf-8")


if __name__ == "__main__":
    main()
