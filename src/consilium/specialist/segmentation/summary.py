"""What a fit of outlines says at the end: a few sentences, the bad ones among them, in Chinese and English."""

from __future__ import annotations

from typing import Literal

from consilium.specialist.case_features import CaseFeatures
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.segmentation.validation import OutlineValidation

Language = Literal["zh", "en"]

_BASELINES = {"mean shape": "平均形状", "threshold": "阈值法"}
_MORE = {"more cases would help": "更多病例会有帮助", "more cases would not help": "更多病例不会有明显帮助"}


def outline_summary(validation: OutlineValidation, cases: CaseFeatures, lang: Language) -> list[str]:
    """The sentences, most important first.

    Args:
        validation: of the model.
        cases: what it was fitted on.
        lang: language.
    """
    zh = lang == "zh"
    counts = validation.counts
    each = ", ".join(f"{label} {number}" for label, number in counts.cases_of_label.items())
    found = [
        f"{counts.cases} 例，{counts.patients} 名患者；有轮廓者：{each}"
        if zh
        else f"{counts.cases} cases of {counts.patients} patients; outlined: {each}"
    ]
    found += _worth(validation, zh)
    if not cases.dataset.grouped:
        found.append(
            "注意：未说明患者，每个文件按一名患者计；同一患者有多个文件时结果会偏高"
            if zh
            else "CAUTION: no patients were named, every file counts as one; with several of one, figures are too good"
        )
    if validation.ledger is not None and validation.ledger.duplicates:
        copies = len({(one.first, one.second) for one in validation.ledger.duplicates})
        found.append(
            f"注意：发现 {copies} 对重复图像，已放入同一折"
            if zh
            else f"CAUTION: {copies} pairs of duplicates, kept in the same fold"
        )
    if cases.skipped:
        file, reason = cases.skipped[0]
        found.append(
            f"{len(cases.skipped)} 个文件未使用，第一个：{file}（{reason}）"
            if zh
            else f"{len(cases.skipped)} file(s) not used, the first: {file} ({reason})"
        )
    return [*found, *cases.dataset.notes]


def _worth(validation: OutlineValidation, zh: bool) -> list[str]:
    if validation.ledger is None:
        reasons = "; ".join(str(one) for one in validation.not_enough)
        return [
            f"病例不足，无法验证：模型已写出，但对每个病例都弃权（{reasons}）"
            if zh
            else f"NOT VALIDATED, not enough cases: the model is written, but abstains on every case ({reasons})"
        ]
    found = [str(one) for one in validation.not_enough]
    how = "交叉验证，95% 区间" if zh else "cross-validated, 95% interval"
    for one in validation.figures:
        name = one.label if len(validation.labels) > 1 else ""
        surface = "归一化表面距离" if zh else "normalised surface distance"
        found.append(f"{name} Dice {_told(one.dice)}, {surface} {_told(one.surface)} ({how})".strip())
        missed = f"{one.missed.value:.1%} ({one.missed.low:.1%} - {one.missed.high:.1%})"
        found.append(f"{name} 完全漏掉的病例：{missed}".strip() if zh else f"{name} missed outright: {missed}".strip())
    if validation.objects is not None:
        precision = _told(validation.objects.precision)
        found.append(f"单个目标的 AP@0.5：{precision}" if zh else f"AP@0.5 of single objects: {precision}")
    for baseline in validation.baselines:
        gain = baseline.gain
        told = f"{gain.value:+.3f} ({gain.low:+.3f} - {gain.high:+.3f})"
        name = _BASELINES[baseline.name]
        found.append(f"相对于{name}的 Dice 差：{told}" if zh else f"Dice gained over the {baseline.name}: {told}")
    if validation.external is not None:
        outside = validation.external
        name = f"留出的 {outside.cases} 例" if zh else f"{outside.cases} cases set aside"
        few = "病例不足" if zh else "not enough cases"
        found.append(f"{name}: Dice {_told(outside.dice) if isinstance(outside.dice, Estimate) else few}")
    if validation.learning_curve is not None:
        verdict = validation.learning_curve.verdict
        unsaid = "无法判断更多病例是否有帮助" if zh else "whether more cases would help cannot be said"
        found.append(_MORE.get(verdict, unsaid) if zh else unsaid if verdict == "cannot be said" else verdict)
    return found


def _told(one: Estimate) -> str:
    return f"{one.value:.3f} ({one.low:.3f} - {one.high:.3f})"
