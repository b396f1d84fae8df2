"""The captions of ideogram karyograms, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Language = Literal["en", "zh"]

WORDS: Mapping[Language, Mapping[str, str]] = MappingProxyType({
    "en": {
        "drawn": "Drawn from the ISCN description; no image of a cell",
        "line": "cell line {at} of {of}",
        "cells": "{n} cells",
        "cell": "1 cell",
        "composite": "composite of {n} cells",
        "count": "its entries make {n} chromosomes",
        "incomplete": "incomplete karyotype",
        "undisclosed": "not disclosed",
        "not_read": "not read",
        "unread": "Not read:",
        "doubtful": "Doubtful as written:",
        "legend_arrow": "breakpoint or junction",
        "legend_bar": "chromosome of origin (arrowhead: part turned round)",
        "legend_hatch": "unknown origin",
        "legend_gone": "homologue not in its place",
    },
    "zh": {
        "drawn": "依据 ISCN 描述绘制，非细胞图像",
        "line": "细胞系 {at}/{of}",
        "cells": "{n} 个细胞",
        "cell": "1 个细胞",
        "composite": "{n} 个细胞的复合核型",
        "count": "按各条目应有 {n} 条染色体",
        "incomplete": "核型不完整",
        "undisclosed": "未披露",
        "not_read": "未解读",
        "unread": "未能解读：",
        "doubtful": "原文存疑：",
        "legend_arrow": "断裂点或连接处",
        "legend_bar": "来源染色体（箭头：该节段倒置）",
        "legend_hatch": "来源不明",
        "legend_gone": "同源染色体缺位",
    },
})  # fmt: skip
"""By language, then by what is said."""
