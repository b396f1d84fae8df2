"""Words of the report in two languages, and those of the validation in Chinese.

Sentences stand where they are made, English beside Chinese; here is what several of them share.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from consilium.specialist.report.parts import plain

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
Tongue = Callable[[str, str], str]

_CHINESE = {
    "binary": "二分类",
    "multiclass": "多分类",
    "multilabel": "多标签",
    "regress": "定量回归",
    "segment": "分割（勾画轮廓）",
    "detect": "目标检测（画框）",
    "patients with a box, set aside": "名有目标框的留出患者",
    "mean shape": "平均形状",
    "threshold": "灰度阈值（Otsu）",
    "one object": "单个目标",
    "regions": "区域",
    "objects": "多个目标，逐个区分",
    "linear": "线性",
    "hidden layer": "单隐层",
    "patients with something outlined, set aside": "名有轮廓的留出患者",
    "not readable": "无法读取",
    "not readable, or its mask does not fit it": "无法读取，或掩膜与图像不符",
    "same bytes": "文件逐字节相同",
    "same looks": "图像看上去相同",
    "same features": "特征几乎相同",
    "metadata": "仅元数据",
    "classic features": "传统图像特征",
    "frozen features": "冻结特征",
    "fine-tuned last stage": "微调编码器最后阶段",
    "nearest cases": "最近邻病例",
    "nearest mean": "最近类均值",
    "none": "未发现",
    "metadata tell the label": "元数据可以猜出标签",
    "no better than metadata": "模型不优于元数据",
    "more cases would help": "增加病例会有帮助",
    "more cases would not help": "增加病例不会有帮助",
    "cannot be said": "目前无法判断",
    "AUC within folds": "折内 AUC",
    "correlation": "相关系数",
    "auc": "AUC",
    "any figure": "任何指标",
    "cross-validation": "交叉验证",
    "patients": "名患者",
}
_PATTERNS = (
    (r"patients with something outlined, (.*)", r"名有轮廓的患者（\1）"),
    (r"any figure of (.*)", r"“\1”的任何指标"),
    (r"(?:patients|groups) (?:with label|of class|in class|with) (?!or without)(.*)", r"名“\1”患者"),
    (r"patients with or without (.*)", r"名有或无“\1”的患者（取较少者）"),
    (r"positive patients, (.*)", r"名阳性患者（\1）"),
    (r"negative patients, (.*)", r"名阴性患者（\1）"),
    (r"(.*) to under (.*)", r"\1 至 \2（不含）"),
    (r"([-\d.e+]+) to ([-\d.e+]+)", r"\1 至 \2"),
)


def tongue(lang: Language) -> Tongue:
    """A function that takes a sentence in English and in Chinese and gives the one that is wanted."""
    return lambda english, chinese: chinese if lang == "zh" else english


def of_validation(words: str, lang: Language) -> str:
    """Words of a validation, which are English; what is not known, a name as a rule, stays as it is."""
    words = plain(words)
    if lang == "en":
        return words
    if words in _CHINESE:
        return _CHINESE[words]
    for pattern, chinese in _PATTERNS:
        if re.fullmatch(pattern, words, re.DOTALL):
            return re.sub(pattern, chinese, words, count=1, flags=re.DOTALL)
    return words


def shortage(entry: dict[str, Any], lang: Language) -> str:
    """That there are not enough cases, as a sentence."""
    figure, counted = of_validation(entry["figure"], lang), of_validation(entry["counted"], lang)
    found, needed = entry["found"], entry["needed"]
    if lang == "zh":
        return f"病例数不足，不给出{figure}：只有 {found} {counted}，至少需要 {needed}。"
    figure = "AUC" if figure == "auc" else figure
    return f"Not enough cases for {figure}: {found} {counted}, at least {needed} are needed."


INTENDED = (
    "Research and second looks by people who can judge the case without it. Not a medical device; not for diagnosis.",
    "供能独立判读病例的人员用于科研与复核；不是医疗器械，不得用于诊断。",
)
"""What a model is for where its maker says nothing else."""

NOT_A_DEVICE = (
    "Research software, not a medical device: it must not decide on a patient without a physician.",
    "本软件仅供科研使用，不是医疗器械；未经医师判断，不得用于决定患者的诊疗。",
)
