"""A conclusion as plain values with its sentences: the part `conclusion` of case.json; both reports are made of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from consilium.cytogenetics.clones.change import Change
from consilium.cytogenetics.clones.wording import describe
from consilium.karyotype.analysable import ReadCell
from consilium.karyotype.conclusion import ISCN_EDITION, Conclusion, Line
from consilium.karyotype.conclusion_wording import (
    WHY,
    attention_sentence,
    interpretation,
    limitations,
    specimen_name,
)
from consilium.karyotype.request import IDENTIFIERS
from consilium.karyotype.withheld_sex import disclosed_iscn, disclosure
from consilium.karyotype.wording import Language

Record = dict[str, Any]

CONFIDENCE = 0.95


def conclusion_record(conclusion: Conclusion, lang: Language) -> Record:
    """Turn a conclusion into the values of case.json.

    Args:
        conclusion: the conclusion.
        lang: language of its sentences and names.
    """
    request, karyotype = conclusion.request, conclusion.karyotype
    line_of = {name: number for number, line in enumerate(conclusion.lines, start=1) for name in line.cells}
    return {
        "draft": True,
        "outcome": conclusion.outcome,
        "iscn": conclusion.iscn,
        "iscn_edition": ISCN_EDITION,
        "agrees_with_modal_karyotype": conclusion.agrees,
        "request": {
            "specimen": request.specimen,
            "specimen_name": specimen_name(request.specimen, lang),
            "neoplastic": request.looks_for_acquired,
            "sex": request.sex,
            "withhold_sex": request.withhold_sex,
            "identifiers": {key: getattr(request, key) for key in IDENTIFIERS if getattr(request, key)},
        },
        "attention": [
            {
                "code": flag.code,
                "reason": attention_sentence(flag, conclusion, lang),
                "values": dict(flag.values),
            }
            for flag in conclusion.attention
        ],
        "interpretation": list(interpretation(conclusion, lang)),
        "lines": [_line(line) for line in conclusion.lines],
        "abnormalities": [
            {
                "change": one.change,
                "chromosome": one.chromosome,
                "kind": one.kind,
                "nth": one.nth,
                "rule": one.rule,
                "cells": [
                    {"image": cell.image, "chromosomes": list(cell.chromosomes), "doubtful": cell.doubtful}
                    for cell in one.cells
                ],
            }
            for one in conclusion.abnormalities
        ],
        "cells": [_cell(one, line_of.get(one.cell.name), lang) for one in conclusion.cells],
        "set_aside": [
            {
                "image": one.cell,
                "seen": _changes(one.seen),
                "missing": _changes(one.missing),
                "reason": one.reason,
                "counted": one.counted,
            }
            for one in (karyotype.set_aside if karyotype else ())
        ],
        "reasoning": list(describe(karyotype, lang)) if karyotype else [],
        "broken_rules": [
            {
                "rule": one.rule,
                "section": one.section,
                "severity": one.severity,
                "message": one.message(lang),
            }
            for one in conclusion.broken_rules
        ],
        "disorders": [
            {
                "change": one.change,
                "name": one.name_zh if lang == "zh" and one.name_zh else one.name,
                "evidence": one.said_zh if lang == "zh" else one.said,
                "source": one.source,
                "licence": one.licence,
                "references": list(one.references),
            }
            for one in conclusion.touched
        ],
        "figures": {
            "cells_counted": conclusion.counted,
            "cells_analysed": 0,
            "cells_karyotyped": 0,
            "band_level": conclusion.band_level,
            "band_level_told": request.band_level is not None,
        },
        "mosaicism_excluded": None
        if conclusion.mosaicism is None
        else {
            "cells": conclusion.counted,
            "proportion": round(conclusion.mosaicism, 4),
            "confidence": CONFIDENCE,
        },
        "guideline_checks": [
            {"what": one.what, "asked": one.asked, "found": one.found, "met": one.met, "source": one.source}
            for one in conclusion.checks
        ],
        "limitations": list(limitations(lang)),
        "disclosed": {"sex": conclusion.disclosed, "iscn": conclusion.iscn}
        if conclusion.disclosed
        else {"sex": disclosure(conclusion), "iscn": disclosed_iscn(conclusion)},
    }


def _line(line: Line) -> Record:
    return {
        "iscn": line.written,
        "role": line.role,
        "changes": list(line.changes),
        "cells": list(line.cells),
        "prompt_only": line.few,
        "cells_beyond_mistakes": line.needed,
    }


def _cell(one: ReadCell, line: int | None, lang: Language) -> Record:
    return {
        "image": one.cell.name,
        "line": line,
        "incomplete": [{"code": why, "reason": WHY[why][lang]} for why in one.why],
    }


def _changes(changes: Iterable[Change]) -> list[str]:
    return [change.text for change in changes]
