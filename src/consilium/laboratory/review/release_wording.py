"""What stands in the way of a signature, in English and Chinese: what it is, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Place = Literal["cell", "review", "report", "case"]
"""Where it is put right: the editor of a cell, the page of the second reading, that of the report, that of the case."""

BLOCKERS: Mapping[str, Mapping[Literal["en", "zh"], tuple[str, str]]] = {
    "no_cells": {
        "en": ("No cell of this case was counted.", "Count cells, or import pictures of the case first."),
        "zh": ("本病例尚无已计数的细胞。", "请先计数细胞，或先导入图像。"),
    },
    "flagged_unreviewed": {
        "en": (
            "{number} flagged chromosome(s) of the analysed cell {cell} were not looked at.",
            "Open the cell: confirm or correct each of them.",
        ),
        "zh": ("已分析细胞 {cell} 中有 {number} 条存疑染色体尚未复核。", "请打开该细胞，逐条确认或更正。"),
    },
    "second_reading_cells": {
        "en": (
            "The second reader has read {done} of the {wanted} analysed cells that this laboratory wants.",
            "Somebody else than the analyst reads more of the cells.",
        ),
        "zh": ("第二阅片者已阅 {done} 个已分析细胞，本实验室要求 {wanted} 个。", "请由分析者以外的人员继续阅片。"),
    },
    "second_reading_case": {
        "en": (
            "The second reader has not said the karyotype of the case.",
            "She writes it down on the review page.",
        ),
        "zh": ("第二阅片者尚未给出本病例的核型。", "请在复核页面填写。"),
    },
    "disagreement_open_cell": {
        "en": (
            "The readers differ on cell {cell}: {first} or {second}.",
            "Look at the cell together and decide, with the reason.",
        ),
        "zh": ("两位阅片者对细胞 {cell} 判读不一致：{first} 与 {second}。", "请共同查看该细胞后作出决定并说明理由。"),
    },
    "disagreement_open_case": {
        "en": (
            "The readers differ on the karyotype of the case: {first} or {second}.",
            "Decide on the review page, with the reason.",
        ),
        "zh": ("两位阅片者对本病例的核型判读不一致：{first} 与 {second}。", "请在复核页面作出决定并说明理由。"),
    },
    "disagreement_to_carry_out_cell": {
        "en": (
            "It was decided that cell {cell} is {second}; it still says {first}.",
            "Open the cell and correct it.",
        ),
        "zh": ("已决定细胞 {cell} 应为 {second}，但目前仍为 {first}。", "请打开该细胞并更正。"),
    },
    "disagreement_to_carry_out_case": {
        "en": (
            "It was decided that the karyotype is {second}; the report still says {first}.",
            "Correct the karyotype of the report.",
        ),
        "zh": ("已决定核型应为 {second}，但报告目前仍为 {first}。", "请更正报告中的核型。"),
    },
    "iscn_missing": {
        "en": (
            "Nobody has settled the karyotype of the report.",
            "Take the draft over, or write your own, and keep it.",
        ),
        "zh": ("报告的核型尚未确定。", "请采用草稿或自行填写，并保存。"),
    },
    "iscn_invalid": {
        "en": (
            "The karyotype {iscn} breaks a rule of ISCN.",
            "Mend it, or tell why it stands; the reason goes into the report.",
        ),
        "zh": ("核型 {iscn} 不符合 ISCN 规则。", "请更正，或说明保留理由（将写入报告）。"),
    },
    "iscn_stale": {
        "en": (
            "The cells were changed after the karyotype was settled; they now say {drafted}.",
            "Look at the karyotype again and keep it, changed or not.",
        ),
        "zh": ("核型确定之后细胞有改动，现由细胞得出 {drafted}。", "请重新核对核型并再次保存。"),
    },
    "interpretation_missing_en": {
        "en": ("No English interpretation is kept yet.", "Read the draft, change what is needed, and keep it."),
        "zh": ("尚未保存英文结果解释。", "请核对草稿，按需修改后保存。"),
    },
    "interpretation_missing_zh": {
        "en": ("No Chinese interpretation is kept yet.", "Read the draft, change what is needed, and keep it."),
        "zh": ("尚未保存中文结果解释。", "请核对草稿，按需修改后保存。"),
    },
    "interpretation_tells_sex_en": {
        "en": (
            "The sex is not to be told, and the English interpretation seems to tell it.",
            "Write it without the sex chromosomes and without words for the sex.",
        ),
        "zh": ("要求不报告性别，但英文结果解释似含性别信息。", "请删除其中有关性染色体或性别的字样。"),
    },
    "interpretation_tells_sex_zh": {
        "en": (
            "The sex is not to be told, and the Chinese interpretation seems to tell it.",
            "Write it without the sex chromosomes and without words for the sex.",
        ),
        "zh": ("要求不报告性别，但中文结果解释似含性别信息。", "请删除其中有关性染色体或性别的字样。"),
    },
    "sex_pending": {
        "en": (
            "The sex is not to be told, and the cells do not agree on the sex chromosomes.",
            "Look at the sex chromosomes of the cells; or decide that the report states the sex, and say so there.",
        ),
        "zh": ("要求不报告性别，但各细胞的性染色体不一致。", "请复核各细胞的性染色体；或在报告页决定报告性别。"),
    },
    "guideline_missed": {
        "en": (
            "A figure of the guideline is missed ({figure}: {found}, asked for are {asked}; {source}).",
            "Do more, or tell why the report goes out nevertheless; the reason stands in it.",
        ),
        "zh": (
            "未达到指南要求（{figure}：{found}，要求 {asked}；{source}）。",
            "请补足，或说明仍予签发的理由（将写入报告）。",
        ),
    },
    "no_karyogram": {
        "en": ("No karyogram stands in the report.", "Karyotype a cell, and choose it for the report."),
        "zh": ("报告中没有核型图。", "请完成至少一个细胞的核型排列，并选入报告。"),
    },
    "not_reviewed": {
        "en": ("The case was not reviewed.", "A reviewer brings it to reviewed."),
        "zh": ("本病例尚未复核。", "请由复核者完成复核。"),
    },
    "signed_already": {
        "en": ("This report is signed.", "Amend it: reopen the case with a reason."),
        "zh": ("本报告已签发。", "如需修改，请说明理由后重新打开病例，出具更正报告。"),
    },
}

TAKES: Mapping[str, Place] = {
    "no_cells": "case",
    "flagged_unreviewed": "cell",
    "second_reading_cells": "review",
    "second_reading_case": "review",
    "disagreement_open_cell": "review",
    "disagreement_open_case": "review",
    "disagreement_to_carry_out_cell": "cell",
    "disagreement_to_carry_out_case": "report",
    "iscn_missing": "report",
    "iscn_invalid": "report",
    "iscn_stale": "report",
    "interpretation_missing_en": "report",
    "interpretation_missing_zh": "report",
    "interpretation_tells_sex_en": "report",
    "interpretation_tells_sex_zh": "report",
    "sex_pending": "report",
    "guideline_missed": "report",
    "no_karyogram": "case",
    "not_reviewed": "review",
    "signed_already": "report",
}

FIGURE_WORDS: Mapping[str, Mapping[Literal["en", "zh"], str]] = {
    "counted": {"en": "cells counted", "zh": "计数细胞数"},
    "mosaic_count": {"en": "cells counted, mosaicism suspected", "zh": "计数细胞数（疑似嵌合）"},
    "analysed": {"en": "cells analysed", "zh": "分析细胞数"},
    "karyotyped": {"en": "cells karyotyped", "zh": "核型排列细胞数"},
    "band_level": {"en": "bands per haploid set", "zh": "单倍体条带数"},
    "cultures": {"en": "independent cultures", "zh": "独立培养数"},
}
"""The figures of guidelines that a report is held against."""
