"""What `consilium karyotype` says at its end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from consilium.karyotype.conclusion import Conclusion
from consilium.karyotype.conclusion_wording import attention_sentence
from consilium.karyotype.metaphase import Case
from consilium.karyotype.report_wording import conclusion_words
from consilium.karyotype.wording import Language, phrase, sentence
from consilium.karyotype.write import PDF_FILE

_WORDS: Mapping[str, Mapping[Language, str]] = {
    "case": {"en": "Case", "zh": "病例"},
    "iscn": {"en": "ISCN 2024", "zh": "ISCN 2024"},
    "first": {"en": "Look first", "zh": "首先复核"},
    "karyotype": {"en": "Karyotype", "zh": "核型"},
    "cells": {"en": "Cells", "zh": "细胞"},
    "numbers": {"en": "{used} read, {agree} agree", "zh": "已判读 {used} 个，{agree} 个一致"},
    "differs": {"en": "Differs", "zh": "不一致"},
    "not_used": {"en": "Not used", "zh": "未使用"},
    "review": {"en": "To review", "zh": "待复核"},
    "doubtful": {
        "en": "{chromosomes} of {all} chromosomes are flagged",
        "zh": "{all} 条染色体中有 {chromosomes} 条被标记",
    },
    "report": {"en": "Report", "zh": "报告"},
}


def case_summary(case: Case, report: Path, lang: Language, conclusion: Conclusion) -> str:
    """Sum a case up in a few lines.

    Args:
        case: the case.
        report: where its report is.
        lang: language of the lines.
        conclusion: its conclusion; nothing that was told of the patient is repeated.

    Returns:
        Lines without a final newline.
    """
    chromosomes = [one for cell in case.cells for one in cell.chromosomes]
    synthetic = f" ({phrase('synthetic', lang)})" if any(cell.synthetic for cell in case.cells) else ""
    numbers = {"used": len(case.cells), "agree": len(case.cells) - len(case.disagreeing)}
    doubtful = {"chromosomes": sum(bool(one.flags) for one in chromosomes), "all": len(chromosomes)}
    lines = [
        ("case", case.name + synthetic),
        ("iscn", conclusion.iscn or conclusion_words(lang)["no_iscn"]),
        *(("first", attention_sentence(flag, conclusion, lang)) for flag in conclusion.attention),
        ("karyotype", case.modal_karyotype),
        ("cells", _WORDS["numbers"][lang].format(**numbers)),
    ]
    lines += [("differs", f"{cell.image}: {cell.karyotype}") for cell in case.cells if cell.image in case.disagreeing]
    lines += [("not_used", f"{failure.image}: {failure.message}") for failure in case.failures]
    lines.append(("review", _WORDS["doubtful"][lang].format(**doubtful)))
    lines += [("review", sentence(flag, lang)) for flag in case.flags]
    lines += [("review", f"{cell.image}: {sentence(flag, lang)}") for cell in case.cells for flag in cell.flags]
    lines += [("report", str(file)) for file in (report, report.with_name(PDF_FILE)) if file.exists()]
    width = max(_columns(words[lang]) for key, words in _WORDS.items() if key in dict(lines))
    shown = [f"{_WORDS[key][lang]}{' ' * (width - _columns(_WORDS[key][lang]))}  {text}" for key, text in lines]
    return "\n".join([*shown, phrase("prompt", lang)])


def _columns(word: str) -> int:
    """Columns of a terminal that a word takes: a Chinese character takes two."""
    return sum(1 if letter.isascii() else 2 for letter in word)
