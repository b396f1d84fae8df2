"""Every sentence that karyotyping says to people, in English and Chinese.

A flag carries a code and figures; the sentence lives here, so that one flag reads the same in the karyogram, the
report and the editor. Placeholders are format fields of the flag's `values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from consilium.karyotype.metaphase import Flag

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

FLAGS: Mapping[str, Mapping[Language, str]] = {
    "low_confidence": {
        "en": "Named {label} with a confidence of only {confidence:.0%}",
        "zh": "判为染色体 {label}，但置信度只有 {confidence:.0%}",
    },
    "second_choice_close": {
        "en": "Named {label}, but {second} is nearly as likely ({probability:.0%})",
        "zh": "判为染色体 {label}，但 {second} 的可能性接近（{probability:.0%}）",
    },
    "odd_pair": {
        "en": "The homologues of {label} do not match: lengths differ by {difference:.0%}, "
        "likeness of their class profiles {likeness:.0%}",
        "zh": "染色体 {label} 的两条同源染色体不相称：长度相差 {difference:.0%}，类别概率相似度 {likeness:.0%}",
    },
    "touches_edge": {
        "en": "Touches the edge of the image: a part may be missing",
        "zh": "位于图像边缘，可能有一部分未拍入",
    },
    "crossing": {
        "en": "Crosses or lies on {others} other chromosome(s): its bands are partly hidden",
        "zh": "与其他 {others} 条染色体交叉或重叠，部分带纹被遮挡",
    },
    "doubtful_object": {
        "en": "May be no chromosome of its own (probability of one {presence:.0%}): counted because the cell lacks it",
        "zh": "可能不是独立的染色体（是染色体的概率 {presence:.0%}）：因该细胞缺少此染色体而计入",
    },
    "left_out": {
        "en": "{objects} object(s) that may be chromosomes were not counted, because the cell has them already: "
        "look for an extra copy",
        "zh": "有 {objects} 个可能是染色体的对象因该细胞已有相应染色体而未计入：请查看是否有额外拷贝",
    },
    "polarity_unsure": {
        "en": "May be upside down: short arm up with a probability of only {polarity:.0%}",
        "zh": "可能上下颠倒：短臂朝上的概率只有 {polarity:.0%}",
    },
    "unsure_class": {
        "en": "Fits no class well enough (best guess {best}, {probability:.0%}): marker, fragment or debris?",
        "zh": "不能可靠归类（最可能为 {best}，{probability:.0%}）：标记染色体、片段还是杂质？",
    },
    "not_read": {
        "en": "Its outline was made by hand, and no classifier has read it: name it, or confirm its name",
        "zh": "其轮廓由人工划定，分类器未判读：请指定名称或确认",
    },
    "count_not_46": {
        "en": "{count} chromosomes counted, not 46",
        "zh": "计数为 {count} 条，不是 46 条",
    },
    "poor_quality": {
        "en": "Quality score {score:.2f}: a poor cell to karyotype",
        "zh": "质量评分 {score:.2f}：不宜用于核型分析",
    },
    "possible_missing_near_edge": {
        "en": "{missing} chromosome(s) fewer than 46 while {edge} touch(es) the edge of the image: "
        "some may lie outside the picture",
        "zh": "比 46 条少 {missing} 条，且有 {edge} 条位于图像边缘：可能有染色体在画面之外",
    },
    "unusual_sex_chromosomes": {
        "en": "Unusual sex chromosomes: {sex}",
        "zh": "性染色体异常：{sex}",
    },
    "possible_touching_cells": {
        "en": "{count} chromosomes: another cell may lie in the picture",
        "zh": "共 {count} 条染色体：画面中可能混有另一个细胞",
    },
    "unsure_objects": {
        "en": "{unsure} object(s) without a class while the set is incomplete: they may be the missing chromosomes",
        "zh": "有 {unsure} 个对象未能归类，而染色体组不完整：它们可能就是缺少的染色体",
    },
    "gain_and_loss": {
        "en": "Gain ({gains}) and loss ({losses}) in one cell: a misnamed chromosome is likelier than both",
        "zh": "同一细胞内既有增加（{gains}）又有缺失（{losses}）：更可能是染色体判错",
    },
    "numerical_suspected": {
        "en": "Names and counts of all cells together speak for {change} ({cells} of {of} cell(s) by themselves), "
        "which the karyotype of most cells does not have: look at it in every cell",
        "zh": "综合所有细胞的判定与计数，提示 {change}（{of} 个细胞中有 {cells} 个单独支持），而多数细胞的核型中没有："
        "请逐个细胞复核",
    },
    "structure_suspected": {
        "en": "Chromosome {chromosome} looks structurally changed, perhaps near {place}, in {cells} of {of} cell(s): "
        "compare its homologues. Such prompts are often wrong",
        "zh": "染色体 {chromosome} 疑似结构异常，可能在 {place} 附近，见于 {of} 个细胞中的 {cells} 个："
        "请比较两条同源染色体。此类提示常有误报",
    },
    "single_cell_change": {
        "en": "{change} was seen in {cells} cell(s); {needed} are needed to call it",
        "zh": "{change} 只见于 {cells} 个细胞；至少 {needed} 个细胞才能认定",
    },
}

PHRASES: Mapping[str, Mapping[Language, str]] = {
    "synthetic": {"en": "SYNTHETIC", "zh": "合成图像"},
    "chromosomes": {"en": "{count} chromosomes", "zh": "{count} 条染色体"},
    "unsure": {"en": "markers and unsure", "zh": "标记染色体及未定"},
    "legend": {
        "en": "flagged: look at it (the figure is the confidence of its name)",
        "zh": "需复核（数字为判定的置信度）",
    },
    "empty_place": {"en": "no homologue was found", "zh": "未找到同源染色体"},
    "sex_withheld": {"en": "sex chromosomes not shown", "zh": "性染色体不予显示"},
    "confidence": {"en": "confidence {confidence}", "zh": "置信度 {confidence}"},
    "chromosome": {"en": "Chromosome {label}", "zh": "染色体 {label}"},
    "unnamed": {"en": "Unsure object", "zh": "未定对象"},
    "prompt": {
        "en": "A prompt for a qualified reader, not a diagnosis.",
        "zh": "仅供专业人员复核参考，不作为诊断。",
    },
}


def percentage(probability: float) -> str:
    """Write a probability as whole percent, at most 99: no name is certain.

    Examples:
        >>> percentage(0.876), percentage(0.9996)
        ('88%', '99%')
    """
    return f"{min(probability, 0.99):.0%}"


def sentence(flag: Flag, lang: Language) -> str:
    """Say a flag in words.

    Raises:
        KeyError: for a code without a sentence, or values that lack a figure the sentence needs.
    """
    return FLAGS[flag.code][lang].format(**flag.values)


def phrase(key: str, lang: Language, **values: str | int | float) -> str:
    """Return a fixed phrase of the karyogram or report, filled in.

    Raises:
        KeyError: for an unknown phrase or a missing value.
    """
    return PHRASES[key][lang].format(**values)
