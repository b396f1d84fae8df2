"""The verdict: how good, how sure, and what the model may not be used for, before any table.

The word for how good goes by the lower end of the interval, not by the figure: an AUC of .95 from few cases may be one
of .80. The steps of the AUC (.7, .8, .9) are those of Hosmer and Lemeshow (2013, Applied Logistic Regression, section
5.2.4); a quantity goes by the share of its variance that is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import interval, number, percent, plain
from consilium.specialist.report.wording import NOT_A_DEVICE, shortage

Grade = Literal[
    "not enough cases", "no better than chance", "no better without learning", "shortcut", "weak", "fair", "good",
    "very good",
]  # fmt: skip

_STEPS: dict[str, tuple[float, float, float, float]] = {"auc": (0.5, 0.7, 0.8, 0.9), "r": (0.0, 0.5, 0.75, 0.9)}
HEADLINES: dict[Grade, tuple[str, str]] = {
    "not enough cases": ("Not enough cases to say how good this model is", "病例数不足，无法判断该模型的好坏"),
    "no better than chance": ("Not shown to be better than chance", "未能证明优于随机猜测"),
    "no better without learning": (
        "Not shown to be better than a way that learns nothing",
        "未能证明优于不经学习的方法",
    ),
    "shortcut": (
        "Do not use: how the images were made tells the label just as well",
        "请勿使用：仅凭图像的采集信息就能同样好地猜出标签",
    ),
    "weak": ("Better than chance, but weak", "优于随机猜测，但能力弱"),
    "fair": ("Fair", "尚可"),
    "good": ("Good", "良好"),
    "very good": ("Very good", "很好"),
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is said first.

    Attributes:
        grade: as a word for programs.
        headline: one line.
        how_good, how_sure: sentences.
        next: whether more cases would help, or what is lacking.
        not_for: what the model may not be used for, one a line.
    """

    grade: Grade
    headline: str
    how_good: str
    how_sure: str
    next: str
    not_for: tuple[str, ...]


def verdict(matter: Matter) -> Verdict:
    """Say it in the language of the report."""
    grade = grade_of(matter)
    headline = matter.t(*HEADLINES[grade])
    if grade == "not enough cases":
        return too_few(matter, headline)
    regress = matter.said["task"] == "regress"
    figure = ("R² ", matter.said["regression"]["r_squared"]) if regress else ("AUC ", matter.said["macro_auc"])
    return Verdict(
        grade=grade,
        headline=f"{headline} · {figure[0]}{interval(figure[1], 2)}",
        how_good=_how_good(matter) + _simpler(matter),
        how_sure=_how_sure(matter),
        next=_next(matter),
        not_for=_not_for(matter),
    )


def too_few(matter: Matter, headline: str) -> Verdict:
    """What is said where there are not enough cases, whatever the task."""
    return Verdict(
        grade="not enough cases",
        headline=headline,
        how_good=matter.t(
            "No figure is given, because none would mean anything: the interval would span nearly everything.",
            "不给出任何指标，因为此时任何数字都没有意义：其置信区间几乎涵盖所有可能。",
        ),
        how_sure=" ".join(shortage(one, matter.lang) for one in matter.said["not_enough"]),
        next=matter.t("Collect more patients and fit again.", "请收集更多患者后重新训练。"),
        not_for=(matter.t("Any use on patients.", "任何涉及患者的用途。"), matter.t(*NOT_A_DEVICE)),
    )


def grade_of(matter: Matter) -> Grade:
    """The word for how good, by the lower end of the interval."""
    said = matter.said
    if said["ledger"] is None:
        return "not enough cases"
    regress = said["task"] == "regress"
    low = (said["regression"]["r_squared"] if regress else said["macro_auc"])["low"]
    by_chance = said["permutation"] is not None and said["permutation"]["p"] > 0.05
    none, weak, fair, good = _STEPS["r" if regress else "auc"]
    if by_chance or low is None or low <= none:
        return "no better than chance"
    if said["shortcut"] and said["shortcut"]["alarm"] == "no better than metadata":
        return "shortcut"
    return "weak" if low < weak else "fair" if low < fair else "good" if low < good else "very good"


def _of_hundred(estimate: dict[str, Any]) -> str:
    low, high = 100 * estimate["low"], 100 * estimate["high"]
    return f"{100 * estimate['value']:.0f} ({low:.0f}–{high:.0f})"


def _how_good(matter: Matter) -> str:
    said, t = matter.said, matter.t
    if said["task"] == "regress":
        figures = said["regression"]
        error, median = number(figures["mean_absolute_error"]["value"], 3), number(figures["absolute_error_of_mean"], 3)
        share = percent(figures["r_squared"]["value"])
        half = number(figures["half_width"], 3)
        return t(
            f"It is off by {error} on average (always saying the median: {median}) and tells {share} of the variance. "
            f"Nine of ten new cases lie within ±{half} of what it says.",
            f"平均误差为 {error}（总是回答中位数时为 {median}），解释了 {share} 的方差。十个新病例中约有九个的真值在"
            f"其预测值 ±{half} 之内。",
        )
    auc = said["macro_auc"]
    pairs = _of_hundred(auc)
    value = number(auc["value"])
    if len(said["figures"]) > 1:
        worst = min(said["figures"], key=lambda one: one["auc"]["value"])
        name, least = plain(worst["label"]), _of_hundred(worst["auc"])
        return t(
            f"Of two cases, one with a label and one without, it ranks the right one higher in {pairs} of 100 pairs, "
            f"on average over {len(said['figures'])} labels (AUC {value}); worst for “{name}”: {least}.",
            f"任取有、无某标签的病例各一例，平均（{len(said['figures'])} 个标签）每 100 对中有 {pairs} 对排序正确"
            f"（AUC {value}）；最差的标签是“{name}”：{least}。",
        )
    label = plain(said["figures"][0]["label"])
    told = t(
        f"Of two cases, one with “{label}” and one without, it ranks the right one higher in {pairs} of 100 pairs "
        f"(AUC {value}).",
        f"任取“{label}”与非“{label}”病例各一例，每 100 对中有 {pairs} 对排序正确（AUC {value}）。",
    )
    point = said["figures"][0]["operating_point"]
    hit, clear = _of_hundred(point["sensitivity"]), _of_hundred(point["specificity"])
    prevalence = percent(point["prevalence"])
    right = percent(point["ppv"]["value"])
    if point is None:
        return told
    return told + t(
        f" By the rule that was declared beforehand it finds {hit} of 100 cases with it and clears {clear} of 100 "
        f"without. Where {prevalence} of patients have it, {right} of its positive answers are right.",
        f"按事先声明的规则，它能从 100 例阳性中找出 {hit} 例，将 100 例阴性中的 {clear} 例判为阴性。"
        f"若患病比例为 {prevalence}，其阳性回答有 {right} 是对的。",
    )


def _simpler(matter: Matter) -> str:
    """That a simpler way does as well; empty where none does."""
    t = matter.t
    equal = [one for one in matter.said["baselines"] if one["name"] != "metadata" and one["gain"]["low"] <= 0]
    if not equal:
        return ""
    best = max(equal, key=lambda one: one["auc"]["value"])
    name, value, gain = matter.word(best["name"]), number(best["auc"]["value"], 2), interval(best["gain"], 2)
    if best["gain"]["high"] < 0:
        return t(
            f" A simpler way is better: {name} reach an AUC of {value} (difference {gain}).",
            f"更简单的方法反而更好：{name}的 AUC 为 {value}（差值 {gain}）。",
        )
    return t(
        f" It is not shown to be better than a simpler way: {name} reach an AUC of {value} (difference {gain}).",
        f"未能证明优于更简单的方法：{name}的 AUC 为 {value}（差值 {gain}）。",
    )


def _how_sure(matter: Matter) -> str:
    said, t = matter.said, matter.t
    counts = said["counts"]
    estimate = said["regression"]["r_squared"] if said["task"] == "regress" else said["macro_auc"]
    width = estimate["high"] - estimate["low"]
    word = (
        t("fairly sure", "比较确定") if width < 0.1
        else t("only roughly known", "只是大致可知") if width < 0.2
        else t("very unsure", "很不确定")
    )  # fmt: skip
    told = t(
        f"This is {word}: ranges in brackets hold the truth in 95 of 100 such studies. {counts['cases']} cases of "
        f"{counts['patients']} patients were used, each judged by models that had not seen its patient.",
        f"以上结果{word}：括号内的范围在 100 次此类研究中约有 95 次包含真值。共用 {counts['patients']} 名患者的 "
        f"{counts['cases']} 个病例，每例都由未见过该患者的模型判断。",
    )
    wrong = len(said["ledger"]["contradictions"])
    if wrong:
        told += t(
            f" {wrong} pairs of copies have different labels (section 1): some labels are wrong.",
            f"有 {wrong} 对重复图像的标签互相矛盾（第 1 节），说明部分标签有误。",
        )
    outside = said["external"]
    if outside is None:
        return told + t(" There was no last test on cases set aside.", "没有用留出的病例作最后检验。")
    aucs = [one for one in outside["auc"].values() if "figure" not in one]
    figure = (
        t(f": AUC {interval(aucs[0], 2)}", f"：AUC {interval(aucs[0], 2)}")
        if len(outside["auc"]) == len(aucs) == 1
        else ""
    )
    return told + t(
        f" {outside['cases']} cases of {outside['patients']} patients were set aside and judged once at the end "
        f"(section 3){figure}.",
        f"另外留出 {outside['patients']} 名患者的 {outside['cases']} 个病例，最后只检验一次（第 3 节）{figure}。",
    )


def _next(matter: Matter) -> str:
    curve, t = matter.said["learning_curve"], matter.t
    if curve is None:
        return t("Whether more cases would help was not measured.", "未测量增加病例是否有用。")
    gain = number(curve["gain"]["value"])
    spread = f"{number(curve['gain']['low'])} – {number(curve['gain']['high'])}"
    words = {
        "more cases would help": t("More cases would help", "增加病例会有帮助"),
        "more cases would not help": t("More cases of this kind would not help", "增加同类病例不会有帮助"),
    }.get(curve["verdict"], t("Whether more cases would help cannot be said yet", "目前无法判断增加病例是否有用"))
    return t(
        f"{words}: twice as many are expected to change the AUC by {gain} ({spread}).",
        f"{words}：病例数加倍，预计 AUC 变化 {gain}（{spread}）。",
    )


def _not_for(matter: Matter) -> tuple[str, ...]:
    said, t = matter.said, matter.t
    found = [t(*NOT_A_DEVICE)]
    alarm = (said["shortcut"] or {}).get("alarm", "none")
    if alarm != "none":
        found.append(
            t(
                "Before it is known why image properties alone tell the label (section 5): the model may have learnt "
                "how images were made, not the disease.",
                "在弄清为何仅凭图像元数据即可猜出标签（第 5 节）之前：模型学到的可能是采集方式，而不是疾病。",
            )
        )
    for figures in said["figures"]:
        point, name = figures["operating_point"], plain(figures["label"])
        if point is not None and point["sensitivity"]["low"] < 0.95:
            missed = 100 * (1 - point["sensitivity"]["low"])
            found.append(
                t(
                    f"Ruling out “{name}”: up to {missed:.0f} of 100 cases with it may be missed.",
                    f"排除“{name}”：100 例中最多可能漏掉 {missed:.0f} 例。",
                )
            )
        curve = figures["calibration"]
        slope = curve["slope"]
        off = slope["value"] is None or slope["low"] > 1 or slope["high"] < 1 or curve["ece"] > curve["ece_if_right"][1]
        if off:
            found.append(
                t(
                    f"Taking the probability of “{name}” at its word: it is off (section 6).",
                    f"直接采信“{name}”的概率数值：其校准有偏差（第 6 节）。",
                )
            )
    found += [
        t("A label that it does not answer. ", "模型不作答的标签。") + shortage(one, matter.lang)
        for one in said["not_enough"]
    ]
    short = [one for one in said["subgroups"] if "figure" in one["auc"]]
    if short:
        names = ", ".join(f"{plain(one['column'])} {matter.word(one['value'])}" for one in short[:6])
        found.append(
            t(
                f"Patients of whom too few were seen: {names}.",
                f"样本过少、无法评价的患者：{names}。",
            )
        )
    elif not said["subgroups"]:
        found.append(
            t(
                "Any claim that it works alike for women and men, ages, sites or devices: this was not measured.",
                "声称它对不同性别、年龄、医院或设备同样有效：这一点没有测量。",
            )
        )
    found.append(
        t(
            "Images of devices, sites or patients unlike those of section 2.",
            "与第 2 节所列不同的设备、医院或患者的图像。",
        )
    )
    return tuple(found)
