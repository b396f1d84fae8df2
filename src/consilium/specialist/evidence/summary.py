"""What a fit says at the end: a few sentences, the bad ones among them, in Chinese and English."""

from __future__ import annotations

from typing import Literal

from consilium.specialist.case_features import CaseFeatures
from consilium.specialist.evidence.intervals import Estimate
from consilium.specialist.evidence.validation import Validation, Ways

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

_VERDICT = {
    "more cases would help": "更多病例会有帮助",
    "more cases would not help": "更多病例不会有明显帮助",
    "cannot be said": "无法判断更多病例是否有帮助",
}


def summary(validation: Validation, cases: CaseFeatures, lang: Language) -> list[str]:
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
        f"{counts.cases} 例，{counts.patients} 名患者{'：' + each if each else ''}"
        if zh
        else f"{counts.cases} cases of {counts.patients} patients{': ' + each if each else ''}"
    ]
    found += _worth(validation, zh)
    found += _alarms(validation, cases, zh)
    return found


def _worth(validation: Validation, zh: bool) -> list[str]:
    if validation.ledger is None:
        reasons = "; ".join(str(one) for one in validation.not_enough)
        return [
            f"病例不足，无法验证：模型已写出，但对每个病例都弃权（{reasons}）"
            if zh
            else f"NOT VALIDATED, not enough cases: the model is written, but abstains on every case ({reasons})"
        ]
    found = [str(one) for one in validation.not_enough]
    if validation.macro_auc is not None:
        several = len(validation.figures) > 1
        name = ("各标签平均 AUC" if zh else "mean AUC of the labels") if several else "AUC"
        how = "交叉验证，95% 区间" if zh else "cross-validated, 95% interval"
        found.append(f"{name} {_estimate(validation.macro_auc)} ({how})")
    if validation.regression is not None:
        figures = validation.regression
        names = ("决定系数 R²", "平均绝对误差") if zh else ("R²", "mean absolute error")
        found.append(f"{names[0]} {_estimate(figures.r_squared)}, {names[1]} {_estimate(figures.mean_absolute_error)}")
    if validation.external is not None:
        outside = validation.external
        told = ", ".join(f"{label} {_estimate(auc)}" for label, auc in outside.auc.items() if isinstance(auc, Estimate))
        name = f"留出的 {outside.cases} 例" if zh else f"{outside.cases} cases set aside"
        unsaid = "病例不足" if zh else "not enough cases"
        found.append(f"{name}: AUC {told or unsaid}")
    if validation.conformal is not None:
        single = f"{validation.conformal.single:.0%}"
        found.append(f"{single} 的病例得到单一答案，其余弃权" if zh else f"{single} of cases get a single answer")
    if validation.ways is not None:
        found.append(_way(validation.ways, zh))
    for baseline in validation.baselines:
        gain = baseline.gain
        told = f"{gain.value:+.3f} ({gain.low:+.3f} - {gain.high:+.3f})"
        name = {"metadata": "仅用元数据", "classic features": "经典特征", "frozen features": "冻结特征"}.get(
            baseline.name, baseline.name
        )
        found.append(f"相对于{name}的 AUC 差：{told}" if zh else f"AUC gained over {baseline.name}: {told}")
    if validation.permutation is not None:
        p = validation.permutation.p
        found.append(f"置换检验 p = {p:.3f}" if zh else f"permutation test against chance: p = {p:.3f}")
    if validation.learning_curve is not None:
        verdict = validation.learning_curve.verdict
        unsaid = "whether more cases would help cannot be said"
        found.append(_VERDICT[verdict] if zh else unsaid if verdict == "cannot be said" else verdict)
    return found


def _way(ways: Ways, zh: bool) -> str:
    frozen, tuned = ways.choice.steps
    told = f"{frozen.loss:.3f} / {tuned.loss:.3f}"
    error = max(frozen.error, tuned.error)
    if ways.rounds:
        return (
            f"采用微调：折外损失（冻结 / 微调）{told}，差值的标准误 {error:.3f}"
            if zh
            else f"fine-tuned: loss out of fold, frozen / tuned, {told}, standard error of the difference {error:.3f}"
        )
    return (
        f"未采用微调：折外损失（冻结 / 微调）{told}，差值的标准误 {error:.3f}"
        if zh
        else f"not fine-tuned: loss out of fold, frozen / tuned, {told}, standard error of the difference {error:.3f}"
    )


def _alarms(validation: Validation, cases: CaseFeatures, zh: bool) -> list[str]:
    found = []
    if validation.permutation is not None and validation.permutation.p > 0.05:
        found.append("警告：不优于随机" if zh else "ALARM: no better than chance")
    if validation.shortcut is not None and validation.shortcut.alarm != "none":
        columns = ", ".join(validation.shortcut.columns)
        found.append(
            f"警告：仅凭元数据即可预测标签（{columns}），模型可能走了捷径"
            if zh
            else f"ALARM: {validation.shortcut.alarm} ({columns}); the model may have learnt a shortcut"
        )
    if not cases.dataset.grouped:
        found.append(
            "注意：未说明患者，每个文件按一名患者计；同一患者有多张图像时结果会偏高"
            if zh
            else "CAUTION: no patients were named, every file counts as one; with several of one, figures are too good"
        )
    ledger = validation.ledger
    if ledger is not None and ledger.duplicates:
        copies = len({(one.first, one.second) for one in ledger.duplicates})
        found.append(
            f"注意：发现 {copies} 对重复图像，已放入同一折"
            if zh
            else f"CAUTION: {copies} pairs of duplicates, kept in the same fold"
        )
        if ledger.contradictions:
            wrong = len({(one.first, one.second) for one in ledger.contradictions})
            found.append(f"警告：其中 {wrong} 对标签不同" if zh else f"ALARM: {wrong} of them have different labels")
    if validation.label_issues:
        doubtful = len(validation.label_issues)
        found.append(f"{doubtful} 个标签值得复核" if zh else f"{doubtful} labels are worth looking at again")
    if cases.skipped:
        file, reason = cases.skipped[0]
        found.append(
            f"{len(cases.skipped)} 个文件未使用，第一个：{file}（{reason}）"
            if zh
            else f"{len(cases.skipped)} file(s) not used, the first: {file} ({reason})"
        )
    found += cases.dataset.notes
    return found


def _estimate(one: Estimate) -> str:
    return f"{one.value:.3f} ({one.low:.3f} - {one.high:.3f})"
