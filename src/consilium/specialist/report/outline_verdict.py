"""The verdict on a model of outlines: how good, how sure, and what it may not be used for.

The word goes by the lower end of the interval of the mean Dice, and by what comes without learning. Steps of the Dice:
.7 is what Zijdenbos et al. (1994, IEEE Transactions on Medical Imaging 13:716) call good agreement, .5 and .85 are our
own. How much of it a task needs, no step can tell: a small lesion of .7 may serve, a target volume of .85 may not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import interval, number, percent, plain
from consilium.specialist.report.verdict import HEADLINES, Grade, Verdict, too_few
from consilium.specialist.report.wording import NOT_A_DEVICE, shortage

STEPS = (0.5, 0.7, 0.85)
_WEAK = ("Weak", "能力弱")
"""Chance, which the headline of labels speaks of, draws no outlines."""
_SELDOM = 0.02
"""Share of cases missed outright that need not be told among what a model may not be used for."""


def outline_verdict(matter: Matter) -> Verdict:
    """Say it in the language of the report."""
    grade = grade_of_outlines(matter)
    headline = matter.t(*(_WEAK if grade == "weak" else HEADLINES[grade]))
    if grade == "not enough cases":
        return too_few(matter, headline)
    return Verdict(
        grade=grade,
        headline=f"{headline} · Dice {interval(matter.said['dice'], 2)}",
        how_good=_how_good(matter),
        how_sure=_how_sure(matter),
        next=_next(matter),
        not_for=_not_for(matter),
    )


def grade_of_outlines(matter: Matter) -> Grade:
    """The word for how good, by the lower end of the interval."""
    said = matter.said
    if said["ledger"] is None:
        return "not enough cases"
    if any(one["gain"]["low"] is None or one["gain"]["low"] <= 0 for one in said["baselines"]):
        return "no better without learning"
    low = said["dice"]["low"]
    weak, fair, good = STEPS
    return "weak" if low is None or low < weak else "fair" if low < fair else "good" if low < good else "very good"


def _how_good(matter: Matter) -> str:
    said, t = matter.said, matter.t
    dice, surface = number(said["dice"]["value"], 2), percent(said["surface"]["value"])
    missed = said["missed"]
    gone, low, high = (f"{100 * missed[key]:.0f}" for key in ("value", "low", "high"))
    told = t(
        f"Its outlines overlap the given ones with a Dice of {dice} on average (1 is perfect), and {surface} of the "
        f"length of both lies within the tolerance. Of 100 cases it misses {gone} ({low}–{high}) outright.",
        f"其轮廓与所提供轮廓的平均 Dice 为 {dice}（1 为完全一致），边界在容差内一致的比例为 {surface}。"
        f"每 100 例中完全漏掉 {gone}（{low}–{high}）例。",
    )
    if len(said["figures"]) > 1:
        worst = min(said["figures"], key=lambda one: one["dice"]["value"])
        name, least = plain(worst["label"]), interval(worst["dice"], 2)
        told += t(f" Worst for “{name}”: {least}.", f"最差的标签是“{name}”：{least}。")
    if said["objects"] is not None:
        share = interval(said["objects"]["precision"], 2)
        told += t(f" Single objects: AP@0.5 {share}.", f"单个目标：AP@0.5 {share}。")
    equal = [one for one in said["baselines"] if one["gain"]["low"] is None or one["gain"]["low"] <= 0]
    for one in equal:
        name, value = matter.word(one["name"]), number(one["dice"]["value"], 2)
        told += t(
            f" It is not shown to be better than a way that learns nothing from pictures: {name}, Dice {value}.",
            f"未能证明优于不从图像学习的方法：{name}，Dice {value}。",
        )
    return told


def _how_sure(matter: Matter) -> str:
    said, t = matter.said, matter.t
    counts, estimate = said["counts"], said["dice"]
    width = estimate["high"] - estimate["low"]
    word = (
        t("fairly sure", "比较确定") if width < 0.06
        else t("only roughly known", "只是大致可知") if width < 0.15
        else t("very unsure", "很不确定")
    )  # fmt: skip
    told = t(
        f"This is {word}: ranges in brackets hold the truth in 95 of 100 such studies. {counts['cases']} cases of "
        f"{counts['patients']} patients were used, each outlined by a model that had not seen its patient.",
        f"以上结果{word}：括号内的范围在 100 次此类研究中约有 95 次包含真值。共用 {counts['patients']} 名患者的 "
        f"{counts['cases']} 个病例，每例都由未见过该患者的模型勾画。",
    )
    outside = said["external"]
    if outside is None:
        return told + t(" There was no last test on cases set aside.", "没有用留出的病例作最后检验。")
    found = outside["dice"]
    figure = "" if "figure" in found else t(f": Dice {interval(found, 2)}", f"：Dice {interval(found, 2)}")
    return told + t(
        f" {outside['cases']} cases of {outside['patients']} patients were set aside and outlined once at the end "
        f"(section 3){figure}.",
        f"另外留出 {outside['patients']} 名患者的 {outside['cases']} 个病例，最后只检验一次（第 3 节）{figure}。",
    )


def _next(matter: Matter) -> str:
    curve, t = matter.said["learning_curve"], matter.t
    if curve is None:
        return t("Whether more cases would help was not measured.", "未测量增加病例是否有用。")
    words = {
        "more cases would help": t("More cases would help", "增加病例会有帮助"),
        "more cases would not help": t("More cases of this kind would not help", "增加同类病例不会有帮助"),
    }.get(curve["verdict"], t("Whether more cases would help cannot be said yet", "目前无法判断增加病例是否有用"))
    gain = interval(curve["gain"])
    return t(
        f"{words}: going from half of the patients to all of them changed the Dice by {gain}.",
        f"{words}：训练患者由一半增至全部时，Dice 变化 {gain}。",
    )


def _not_for(matter: Matter) -> tuple[str, ...]:
    said, t = matter.said, matter.t
    found = [t(*NOT_A_DEVICE)]
    missed = [one for one in said["figures"] if one["missed"]["high"] > _SELDOM]
    if missed:
        shares = _listed(matter, missed, lambda one: percent(one["missed"]["high"]))
        found.append(
            t(
                f"Taking an empty mask to mean that there is none: of cases that have it, up to so many may be missed "
                f"outright: {shares}.",
                f"以“未勾画”判断没有该目标：有该目标的病例中，被完全漏掉的比例最高可达：{shares}。",
            )
        )
    if often := [one for one in said["figures"] if one["invented"] and one["invented"]["high"] > _SELDOM]:
        shares = _listed(matter, often, lambda one: percent(one["invented"]["high"]))
        found.append(
            t(
                f"Finding out whether there is any: of cases without it, up to so many get an outline all the same: "
                f"{shares}.",
                f"判断有无该目标：没有该目标的病例中，仍被勾画出轮廓的比例最高可达：{shares}。",
            )
        )
    if always := [one for one in said["figures"] if one["invented"] is None]:
        names = _listed(matter, always)
        found.append(
            t(
                f"Cases that may have none: what it does there was not measured ({names}).",
                f"可能没有该目标的病例：未测量模型在此类病例上的表现（{names}）。",
            )
        )
    if off := [one for one in said["figures"] if _measures_badly(matter, one)]:
        names, word = _listed(matter, off), t("volume", "体积") if said["volumes"] else t("area", "面积")
        found.append(
            t(
                f"Measuring a {word} without correcting the outline (section 12): {names}.",
                f"不经修改即用其轮廓测量{word}（第 12 节）：{names}。",
            )
        )
    found += [
        t("A label without figures. ", "没有指标的标签。") + shortage(one, matter.lang) for one in said["not_enough"]
    ]
    short = [one for one in said["subgroups"] if "figure" in one["dice"]]
    if short:
        names = ", ".join(f"{plain(one['column'])} {matter.word(one['value'])}" for one in short[:6])
        found.append(t(f"Patients of whom too few were seen: {names}.", f"样本过少、无法评价的患者：{names}。"))
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


def _listed(
    matter: Matter, figures: Sequence[Mapping[str, Any]], beside: Callable[[Mapping[str, Any]], str] | None = None
) -> str:
    """Labels in one line, each with what is to be said beside it."""
    t = matter.t
    names = (f"“{plain(one['label'])}”" + (f" {beside(one)}" if beside else "") for one in figures)
    return t(", ", "、").join(names)


def _measures_badly(matter: Matter, figures: Mapping[str, Any]) -> bool:
    """Whether sizes are off on the whole, or the limits of agreement wider than the mean size."""
    size, place = figures["size"], matter.said["labels"].index(figures["label"])
    sizes = [float(one["true_size"][place]) for one in matter.said["scores"] if one["true_size"][place] > 0]
    low, high = size["bias"]["low"], size["bias"]["high"]
    off = low is not None and (low > 0 or high < 0)
    return bool(off or size["high"] - size["low"] > sum(sizes) / len(sizes))
