"""The sections on where the model ends: sets of labels, the gate, subgroups, more cases, chance."""

from __future__ import annotations

import numpy as np

from consilium.specialist.report.evidence import ends_of
from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import (
    Figure,
    Part,
    Table,
    Text,
    facts_table,
    interval,
    number,
    p_value,
    percent,
    percent_interval,
    plain,
    shortened,
)
from consilium.specialist.report.plots import Row
from consilium.specialist.report.wording import shortage


def sets(matter: Matter) -> tuple[Part, ...]:
    """Conformal sets with the range of their coverage; abstention."""
    t, said = matter.t, matter.said
    if said["task"] == "regress":
        told = said["regression"]
        low, high = (percent(one, 1) for one in told["realised"])
        half = number(told["half_width"])
        return (
            Text(
                text=t(
                    f"A prediction ± {half} holds the truth in 90 % of new cases on average over calibration sets of "
                    f"this size; in this one's case probably in {low} to {high} (5th to 95th percentile).",
                    f"预测值 ± {half} 平均包含 90% 新病例的真值；就本次校准集的大小而言，实际覆盖率大约在 {low} 至 "
                    f"{high} 之间（第 5 至 95 百分位）。",
                )
            ),
        )
    sets_of = said["conformal"]
    promise = percent(1 - sets_of["missed"])
    rows = tuple(
        (
            matter.labels[one["label"]],
            str(one["cases"]),
            number(one["threshold"]),
            f"{percent(one['realised'][0], 1)} – {percent(one['realised'][1], 1)}",
            percent_interval(one["covered"]),
        )
        for one in sets_of["classes"]
    )
    curve = said["abstention"]
    kept = np.array([one["kept"] for one in curve])[::-1]
    middle, bottom, top = (np.array([one["right"][key] for one in curve])[::-1] for key in ("value", "low", "high"))
    floor = max(min(float(bottom.min()), said["accuracy_of_majority"]) - 0.03, 0.0)
    return (
        Text(
            text=t(
                f"For a new case the model can give a set of labels that holds the right one in {promise} of cases, "
                f"label by "
                f"label. Sets have {sets_of['mean_size']:.2f} labels on average; {percent(sets_of['single'])} are a "
                f"single label, {percent(sets_of['empty'])} are empty (nothing fits).",
                f"对新病例，模型可给出一个标签集合，各标签均约有 {promise} 的病例其正确标签在集合内。集合平均含 "
                f"{sets_of['mean_size']:.2f} 个标签；"
                f"{percent(sets_of['single'])} 只有一个标签，{percent(sets_of['empty'])} 为空（无一符合）。",
            )
        ),
        Table(
            columns=(
                t("Label", "标签"),
                t("Patients", "患者"),
                t("Threshold", "阈值"),
                t("Coverage to be expected (5–95 %)", "实际覆盖率的可能范围（5–95%）"),
                t("Measured", "实测"),
            ),
            rows=rows,
            widths=(2, 1, 1, 3, 3),
        ),
        Text(
            kind="note",
            text=t(
                "The promise is an average over calibration sets; what this one keeps lies in the range beside it, "
                "which is wide with few cases.",
                "承诺的覆盖率是对各种校准集的平均；本校准集实际能达到的覆盖率落在表中范围内，病例越少范围越宽。",
            ),
        ),
        Figure(
            key="abstention",
            svg=matter.pen.band(
                kept,
                middle,
                bottom,
                top,
                labels=(
                    t("Share of cases answered, the surest first", "作答比例（把握最大者优先）"),
                    t("Right answers", "回答正确率"),
                ),
                limits=(floor, 1.01),
                baseline=said["accuracy_of_majority"],
                percent=True,
            ),
            caption=t(
                "How right the answers are when the least sure cases go to a person; Wilson's 95 % band. Dotted: "
                "always the commonest label.",
                "将把握最小的病例交给医师时，其余回答的正确率；阴影为 Wilson 95% 带。点线：总是回答最常见标签。",
            ),
            width=66,
        ),
    )


def gate(matter: Matter) -> tuple[Part, ...]:
    """What is unlike the training cases."""
    t, told = matter.t, matter.said["gate"]
    threshold = number(told["threshold"], 2)
    return (
        Text(
            text=t(
                "A case that is farther from the training cases than 95 % of them are from each other gets no answer. "
                f"Of ordinary cases of the other folds {percent_interval(told['turned_away'])} were turned away.",
                "若一个病例与训练病例的距离超过其中 95% 彼此之间的距离，模型不予作答。"
                f"其他折的普通病例中有 {percent_interval(told['turned_away'])} 被拒绝。",
            )
        ),
        Figure(
            key="gate",
            svg=matter.pen.histogram(
                np.array(told["distances"]),
                mark=told["threshold"],
                told=t(f"turned away from {threshold}", f"超过 {threshold} 即拒绝"),
                label=t("Distance to the five nearest training cases", "与最近五个训练病例的平均距离"),
                count=t("Cases", "病例数"),
            ),
            caption=t(
                "Distances of the cross-validated cases, each from folds that it is not in. It stops images of "
                "another kind; it does not find every case that is misread.",
                "交叉验证病例到其他折训练病例的距离。此检查可拦截不同类型的图像，但不能发现所有会被误判的病例。",
            ),
            width=66,
        ),
    )


def subgroups(matter: Matter) -> tuple[Part, ...]:
    """By sex, age, site, vendor, or what is there."""
    t, said = matter.t, matter.said
    if not said["subgroups"]:
        return (
            Text(
                kind="mark",
                text=t(
                    "Not measured: no column (sex, age, site, device) was given that divides the patients. For whom "
                    "the model works is not known.",
                    "未测量：没有提供可划分患者的列（性别、年龄、医院、设备等）。模型对哪些患者有效尚不清楚。",
                ),
            ),
        )
    forest = [
        Row(name=t("All", "全部"), told=f"n = {said['counts']['patients']}", strong=True, **ends_of(said["macro_auc"]))
    ]
    rows = []
    for one in said["subgroups"]:
        name = f"{plain(one['column'])}: {matter.word(one['value'])}"
        given = "figure" not in one["auc"]
        told = f"n = {one['patients']} ({one['positive']} +)"
        if given:
            forest.append(Row(name=shortened(name, 30), told=told, **ends_of(one["auc"])))
        else:
            forest.append(Row(name=shortened(name, 30), told=told + t(": not enough", "：病例不足")))
        rows.append(
            (
                name,
                f"{one['patients']} / {one['positive']}",
                interval(one["auc"]) if given else shortage(one["auc"], matter.lang),
                f"{percent(one['share_called'])} / {percent(one['prevalence'])}",
            )
        )
    lows = [one.low for one in forest if one.low is not None]
    return (
        Table(
            columns=(
                t("Subgroup", "亚组"),
                t("Patients / positive", "患者 / 阳性"),
                t("AUC (95 % interval)", "AUC（95% 区间）"),
                t("Told / has it", "模型给出 / 实际比例"),
            ),
            rows=tuple(rows),
            widths=(3, 2, 4, 2),
        ),
        Figure(
            key="subgroups",
            svg=matter.pen.forest(forest, label="AUC", reference=0.5, limits=(min(0.45, *lows, 0.45), 1.0)),
            caption=t(
                "AUC by subgroup with 95 % interval; n patients, of them positive. Below ten patients of a kind no "
                "figure is given. A difference between subgroups whose intervals overlap is no finding.",
                "各亚组 AUC 及 95% 区间；n 为患者数（其中阳性数）。任一类少于十名患者时不给出数字。区间重叠的亚组之"
                "间的差别不能算作发现。",
            ),
        ),
    )


def more(matter: Matter) -> tuple[Part, ...]:
    """The learning curve and what it means."""
    t, curve = matter.t, matter.said["learning_curve"]
    sizes = curve["sizes"]
    across = np.array([one["patients"] for one in sizes])
    middle, low, high = (np.array([one["auc"][key] for one in sizes]) for key in ("value", "low", "high"))
    doubled, gain = curve["doubled"], curve["gain"]
    means = {
        "more cases would help": t("Collecting as many again is worth it.", "再收集同样多的病例是值得的。"),
        "more cases would not help": t(
            "Another hundred of the same kind is wasted effort; other images, better labels or another encoder may "
            "help.",
            "再收集同类病例收效甚微；换用其他图像、提高标签质量或换编码器可能更有用。",
        ),
    }.get(
        curve["verdict"],
        t(
            "The gain may be worth the work or not; with few cases this is the usual answer.",
            "增益是否值得尚不能确定；病例少时通常如此。",
        ),
    )
    bottom = float(min(low.min(), doubled["low"]))
    said = matter.word(curve["verdict"])
    return (
        Text(text=f"{said[:1].upper()}{said[1:]}{t('. ', '。')}{means}"),
        Table(
            columns=(t("Patients in training", "训练患者数"), t("AUC (95 % interval)", "AUC（95% 区间）")),
            rows=(
                *((f"{one['patients']:.0f}", interval(one["auc"])) for one in sizes),
                (t(f"{2 * across[-1]:.0f}, carried on", f"{2 * across[-1]:.0f}（外推）"), interval(doubled)),
                (t("Gain by doubling", "加倍的增益"), interval(gain)),
            ),
            widths=(2, 3),
        ),
        Figure(
            key="learning-curve",
            svg=matter.pen.band(
                across,
                middle,
                low,
                high,
                labels=(t("Patients in training", "训练患者数"), "AUC"),
                limits=(max(min(bottom - 0.02, 0.9), 0.0), 1.005),
                beyond=(2 * float(across[-1]), doubled["value"], doubled["low"], doubled["high"]),
            ),
            caption=t(
                "AUC with a quarter, half, three quarters and all training patients; hatched: an inverse power law "
                "carried on to twice as many, with its 95 % range. A guess, not a measurement.",
                "用四分之一、一半、四分之三和全部训练患者时的 AUC；斜线部分为按幂律外推至两倍患者数及其 95% 范围，是"
                "推测而非测量。",
            ),
            width=66,
        ),
    )


def chance(matter: Matter) -> tuple[Part, ...]:
    """The permutation test."""
    t, test = matter.t, matter.said["permutation"]
    shuffles, p = len(test["shuffled"]), p_value(test["p"])
    middle = number(float(np.mean(test["shuffled"])))
    better = test["p"] <= 0.05
    statistic, observed = matter.word(test["statistic"]), number(test["observed"])
    return (
        facts_table(
            [
                (t("Figure compared", "比较的指标"), statistic),
                (t("With the true labels", "真实标签"), observed),
                (t(f"Mean of {shuffles} shuffles", f"{shuffles} 次打乱的平均"), middle),
                (t("p of no better than chance", "“不优于随机”的 p 值"), p),
            ]
        ),
        Text(
            text=t(
                "There is something in the features that tells the label."
                if better
                else "It cannot be told from chance.",
                "特征中确有与标签有关的信息。" if better else "与随机猜测无法区分。",
            )
            + t(
                " Labels were shuffled among patients and everything was done again, the choice of the penalty "
                "included. It says that there is something, not how much.",
                "检验时在患者间打乱标签，并重做包括正则化选择在内的全部步骤。它只说明“有没有”，不说明“有多少”。",
            )
            + (
                t(" It was made with frozen features, before the fine-tuning.", "检验使用微调之前的冻结特征。")
                if (matter.said["ways"] or {}).get("rounds")
                else ""
            )
        ),
        Figure(
            key="permutation",
            svg=matter.pen.histogram(
                np.array(test["shuffled"]),
                mark=test["observed"],
                told=t(f"true labels: {observed}", f"真实标签：{observed}"),
                label=statistic,
                count=t("Shuffles", "打乱次数"),
            ),
            caption=t(
                "What labels that mean nothing give (bars), and the true labels (line).",
                "无意义标签的结果（柱）与真实标签的结果（竖线）。",
            ),
            width=66,
        ),
    )
