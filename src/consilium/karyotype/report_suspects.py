"""What a report shows of a suspected chromosome: both homologues, its ideogram, and what the prompt is worth.

The HTML and the PDF report lay out the same pictures and words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.artefact.card import Metric, read_card
from consilium.cytogenetics.iscn.ideogram import normal_shape
from consilium.karyotype.arrange import picture
from consilium.karyotype.metaphase import Case, Suspect
from consilium.karyotype.models import card_path
from consilium.karyotype.report_tables import cell_numbers
from consilium.karyotype.report_wording import KINDS, report_words
from consilium.karyotype.straighten import dark_on_light
from consilium.karyotype.wording import Language, sentence

Record = dict[str, Any]

CELLS_SHOWN = 4
"""Cells of which both homologues of a suspected chromosome are shown, the clearest first."""

MARK = "#b91c1c"
_MARGIN = 3.0
_BRACKET = 7.0
_ENLARGEMENT = 1.6


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownCell:
    """One cell that shows it.

    Attributes:
        image: its image.
        number: its number in the report.
        own: (L, W) uint8, the more unusual homologue, short arm up.
        other: (L, W) uint8, the one it was compared with; None where there is none.
        row: of `own` where it most looks broken.
        kinds: which kind of change it looks like, in words.
    """

    image: str
    number: int
    own: NDArray[np.uint8]
    other: NDArray[np.uint8] | None
    row: int
    kinds: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownSuspect:
    """One suspected chromosome.

    Attributes:
        chromosome: its name.
        reason: the sentence of its flag.
        facts: what is told of it, as (name, value).
        note: that healthy people differ there; empty elsewhere.
        ideogram: its ideogram as SVG, the interval of the break marked at its right.
        cells: the clearest first.
    """

    chromosome: str
    reason: str
    facts: tuple[tuple[str, str], ...]
    note: str
    ideogram: str
    cells: tuple[ShownCell, ...]


def shown_suspects(case: Case, record: Record, lang: Language) -> tuple[ShownSuspect, ...]:
    """Everything a report shows of the suspected chromosomes of a case, the most unusual first.

    Args:
        case: the case.
        record: its record (`case_record`).
        lang: language of the words.
    """
    numbers = cell_numbers(record)
    return tuple(
        _shown(case, suspect, told, numbers, lang)
        for suspect, told in zip(case.suspects, record["suspects"], strict=True)
    )


def worth(lang: Language) -> str:
    """What such a prompt is worth: the figures of the network's card in a sentence."""
    card = read_card(card_path("structure"))
    measured = {metric.name: metric for metric in card.metrics}
    real, named = measured["structure_real_cases"], measured["structure_real_named"]
    return report_words(lang)["suspected_worth"].format(
        specificity=_percent(measured["structure_specificity"], lang),
        sensitivity=_percent(measured["structure_sensitivity"], lang),
        specificity_one=_percent(measured["structure_specificity_one_cell"], lang),
        cases=real.n,
        prompted=round(real.value * real.n),
        named=round(named.value * named.n),
    )


def ideogram(suspect: Suspect) -> str:
    """The ideogram of a chromosome with the interval of the break marked at its right.

    Returns:
        One `<svg>` element without text.
    """
    shape = normal_shape(suspect.chromosome)
    length = shape.bottom - shape.top
    width, height = shape.left + shape.right + _BRACKET + 2 * _MARGIN, length + 2 * _MARGIN
    low, at, high = (shape.top + length * share for share in (suspect.interval[0], suspect.place, suspect.interval[1]))
    edge = shape.right + 3
    marks = (
        f'<path d="M{edge:.1f} {low:.1f}h3V{high:.1f}h-3" fill="none" stroke="{MARK}" stroke-width="1.4"/>'
        f'<path d="M{edge - 2:.1f} {at:.1f}h5" stroke="{MARK}" stroke-width="2"/>'
    )
    box = f"{-shape.left - _MARGIN:.1f} {shape.top - _MARGIN:.1f} {width:.1f} {height:.1f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" '
        f'width="{_ENLARGEMENT * width:.1f}" height="{_ENLARGEMENT * height:.1f}">'
        f"{shape.svg}{marks}</svg>"
    )


def _shown(case: Case, suspect: Suspect, told: Record, numbers: Mapping[str, int], lang: Language) -> ShownSuspect:
    flag = next(
        flag
        for flag in case.flags
        if flag.code == "structure_suspected" and flag.values["chromosome"] == suspect.chromosome
    )
    return ShownSuspect(
        chromosome=suspect.chromosome,
        reason=sentence(flag, lang),
        facts=_facts(told, numbers, lang),
        note=report_words(lang)["variable_region"] if told["variable_region"] else "",
        ideogram=ideogram(suspect),
        cells=tuple(
            _cell(case, at, cell, numbers[cell["image"]], lang)
            for at, cell in list(zip(suspect.cells, told["cells"], strict=True))[:CELLS_SHOWN]
        ),
    )


def _facts(told: Record, numbers: Mapping[str, int], lang: Language) -> tuple[tuple[str, str], ...]:
    words = report_words(lang)
    first, last = told["breakpoint"]["bands"]
    place = first if first == last else f"{first} {words['to']} {last}"
    cells = words["suspected_cells"].format(
        cells=len(told["cells"]), of=told["of"],
        numbers=", ".join(str(number) for number in sorted(numbers[cell["image"]] for cell in told["cells"])),
    )  # fmt: skip
    alone = words["one_cell_place"] if len(told["cells"]) == 1 else words["interval_place"]
    start, stop = told["breakpoint"]["grch38"]
    return (
        (words["suspected_arm"], words[f"arm_{told['arm']}"].format(chromosome=told["chromosome"])),
        (words["suspected_place"], f"{place} {alone}"),
        ("GRCh38", f"chr{told['chromosome']}:{start:,}-{stop:,}"),
        (words["suspected_kind"], KINDS[told["kind"]][lang]),
        (words["suspected_seen"], cells),
        (words["suspected_score"], words["suspected_from"].format(score=told["score"], threshold=told["threshold"])),
    )


def _cell(case: Case, at: int, told: Record, number: int, lang: Language) -> ShownCell:
    cell = case.cells[at]
    page = dark_on_light(cell.pixels, inverted=cell.inverted)
    own = picture(page, cell.chromosomes[told["chromosome"]]).pixels
    other = None if told["homologue"] is None else picture(page, cell.chromosomes[told["homologue"]]).pixels
    kinds = {kind: f"{share:.0%}" for kind, share in told["kinds"].items()}
    return ShownCell(
        image=cell.image, number=number, own=own, other=other,
        row=min(round(told["fraction"] * own.shape[0]), own.shape[0] - 1),
        kinds=report_words(lang)["families"].format(**kinds),
    )  # fmt: skip


def _percent(metric: Metric, lang: Language) -> str:
    between = "～" if lang == "zh" else " to "
    left, right = ("（", "）") if lang == "zh" else (" (", ")")
    return f"{100 * metric.value:.0f} %{left}{100 * metric.low:.0f}{between}{100 * metric.high:.0f} %{right}"
