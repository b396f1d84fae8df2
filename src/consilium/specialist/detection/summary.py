"""What a fit of boxes says at the end: a few sentences, the bad ones among them, in Chinese and English."""

from __future__ import annotations

from typing import Literal

from consilium.specialist.case_features import CaseFeatures
from consilium.specialist.detection.validation import BoxValidation
from consilium.specialist.evidence.intervals import Estimate

Language = Literal["zh", "en"]


def box_summary(validation: BoxValidation, cases: CaseFeatures, lang: Language) -> list[str]:
    """The sentences, most important first.

    Args:
        validation: of the model.
        cases: what it was fitted on.
        lang: language.
    """
    zh = lang == "zh"
    counts = validation.counts
    each = ", ".join(f"{label} {number}" for label, number in validation.objects.items())
    found = [
        f"{counts.cases} 例，{counts.patients} 名患者；目标框：{each}"
        if zh
        else f"{counts.cases} cases of {counts.patients} patients; boxes: {each}"
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


def _worth(validation: BoxValidation, zh: bool) -> list[str]:
    if validation.ledger is None or validation.ap50 is None or validation.froc_mean is None:
        reasons = "; ".join(str(one) for one in validation.not_enough)
        return [
            f"病例不足，无法验证：模型已写出，但对每个病例都弃权（{reasons}）"
            if zh
            else f"NOT VALIDATED, not enough cases: the model is written, but abstains on every case ({reasons})"
        ]
    found = [str(one) for one in validation.not_enough]
    how = "交叉验证，95% 区间" if zh else "cross-validated, 95% interval"
    mean, froc = _told(validation.ap50), _told(validation.froc_mean)
    found.append(f"AP50 {mean}, {'FROC 平均灵敏度' if zh else 'mean sensitivity of FROC'} {froc} ({how})")
    for one in validation.figures:
        hit, right = _told(one.sensitivity), _told(one.precision)
        found.append(
            f"{one.label}：AP50 {_told(one.ap50)}；按阈值检出 {hit}，检出中正确 {right}"
            if zh
            else f"{one.label}: AP50 {_told(one.ap50)}; found at the threshold {hit}, of what is found right {right}"
        )
    if validation.doubts:
        found.append(
            f"{validation.doubts} 个框值得复核（见报告第 11 节）"
            if zh
            else f"{validation.doubts} boxes should be looked at again (section 11 of the report)"
        )
    if validation.external is not None:
        outside = validation.external
        name = f"留出的 {outside.cases} 例" if zh else f"{outside.cases} cases set aside"
        few = "病例不足" if zh else "not enough cases"
        found.append(f"{name}: AP50 {_told(outside.ap50) if isinstance(outside.ap50, Estimate) else few}")
    return found


def _told(one: Estimate) -> str:
    return f"{one.value:.3f} ({one.low:.3f} - {one.high:.3f})"
