"""The verdict on a model of boxes: how good, how sure, and what it may not be used for.

The word goes by the lower end of the interval of AP50; its steps are our own. What a task needs, no step can tell:
where nothing may be missed, the share of objects found counts; where every find is followed, the share of right ones.
"""

from __future__ import annotations

from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import interval, number, percent, percent_interval, plain
from consilium.specialist.report.verdict import HEADLINES, Grade, Verdict, too_few
from consilium.specialist.report.wording import NOT_A_DEVICE, shortage

STEPS = (0.5, 0.7, 0.85)
_WEAK = ("Weak", "能力弱")


def box_verdict(matter: Matter) -> Verdict:
    """Say it in the language of the report."""
    grade = grade_of_boxes(matter)
    headline = matter.t(*(_WEAK if grade == "weak" else HEADLINES[grade]))
    if grade == "not enough cases":
        return too_few(matter, headline)
    return Verdict(
        grade=grade,
        headline=f"{headline} · AP50 {interval(matter.said['ap50'], 2)}",
        how_good=_how_good(matter),
        how_sure=_how_sure(matter),
        next=_next(matter),
        not_for=_not_for(matter),
    )


def grade_of_boxes(matter: Matter) -> Grade:
    """The word for how good, by the lower end of the interval."""
    said = matter.said
    if said["ledger"] is None:
        return "not enough cases"
    low = said["ap50"]["low"]
    weak, fair, good = STEPS
    return "weak" if low is None or low < weak else "fair" if low < fair else "good" if low < good else "very good"


def _how_good(matter: Matter) -> str:
    said, t = matter.said, matter.t
    at_one = said["froc"][said["false_alarms"].index(1.0)]
    told = t(
        f"AP50 is {number(said['ap50']['value'], 2)} (1 is perfect). With one false find a picture it finds "
        f"{percent_interval(at_one)} of all objects.",
        f"AP50 为 {number(said['ap50']['value'], 2)}（1 为完美）。平均每幅图像允许一个误报时，检出全部目标的 "
        f"{percent_interval(at_one)}。",
    )
    for one in sorted(said["figures"], key=lambda one: one["ap50"]["value"] or 0.0)[:3]:
        hit, right = percent(one["sensitivity"]["value"]), percent(one["precision"]["value"])
        told += t(
            f" At its threshold it finds {hit} of “{plain(one['label'])}”, and {right} of those finds are right.",
            f"在报告阈值下，“{plain(one['label'])}”检出 {hit}，检出中 {right} 正确。",
        )
    return told


def _how_sure(matter: Matter) -> str:
    said, t = matter.said, matter.t
    counts, estimate = said["counts"], said["ap50"]
    known = estimate["low"] is not None and estimate["high"] is not None
    width = estimate["high"] - estimate["low"] if known else 1.0
    word = (
        t("fairly sure", "比较确定") if width < 0.06
        else t("only roughly known", "只是大致可知") if width < 0.15
        else t("very unsure", "很不确定")
    )  # fmt: skip
    told = t(
        f"This is {word}: ranges in brackets hold the truth in 95 of 100 such studies. {counts['cases']} cases of "
        f"{counts['patients']} patients were used, each searched by a model that had not seen its patient.",
        f"以上结果{word}：括号内的范围在 100 次此类研究中约有 95 次包含真值。共用 {counts['patients']} 名患者的 "
        f"{counts['cases']} 个病例，每例都由未见过该患者的模型检测。",
    )
    outside = said["external"]
    if outside is None:
        return told + t(" There was no last test on cases set aside.", "没有用留出的病例作最后检验。")
    found = outside["ap50"]
    figure = "" if "figure" in found else t(f": AP50 {interval(found, 2)}", f"：AP50 {interval(found, 2)}")
    return told + t(
        f" {outside['cases']} cases of {outside['patients']} patients were set aside and searched once at the end "
        f"(section 3){figure}.",
        f"另外留出 {outside['patients']} 名患者的 {outside['cases']} 个病例，最后只检验一次（第 3 节）{figure}。",
    )


def _next(matter: Matter) -> str:
    t, doubts = matter.t, matter.said["doubts"]
    told = t("Whether more cases would help was not measured.", "未测量增加病例是否有用。")
    if not doubts:
        return told
    return told + t(
        f" Look first at the {doubts} boxes that section 11 points to, and fit again once they are mended.",
        f"请先复核第 11 节提示的 {doubts} 个框，修正后重新训练。",
    )


def _not_for(matter: Matter) -> tuple[str, ...]:
    said, t = matter.said, matter.t
    found = [t(*NOT_A_DEVICE)]
    missed = [
        f"“{plain(one['label'])}” {percent(1 - one['sensitivity']['low'])}"
        for one in said["figures"]
        if one["sensitivity"]["low"] is not None and one["sensitivity"]["low"] < 1
    ]
    if missed:
        shares = t(", ", "、").join(missed)
        found.append(
            t(
                f"Counting, or taking no box to mean that there is none: so many objects may be missed: {shares}.",
                f"计数，或以“未检出”判断没有该目标：被漏检的目标比例最高可达：{shares}。",
            )
        )
    always = [f"“{plain(one['label'])}”" for one in said["figures"] if one["patients_clear"]["value"] is None]
    if always:
        names = t(", ", "、").join(always)
        found.append(
            t(
                f"Patients who may have none: what it does there was not measured ({names}).",
                f"可能没有该目标的患者：未测量模型在此类患者中的表现（{names}）。",
            )
        )
    found += [
        t("A label without figures. ", "没有指标的标签。") + shortage(one, matter.lang) for one in said["not_enough"]
    ]
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
