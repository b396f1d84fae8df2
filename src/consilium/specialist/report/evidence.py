"""The sections on how good the model is: discrimination, baselines, calibration."""

from __future__ import annotations

from typing import Any

import numpy as np

from consilium.specialist.penalised import Array
from consilium.specialist.report.curves import confusion, confusion_at, precision_recall, roc
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

MOST_CURVES = 6
"""Curves in one drawing; of more labels those with the lowest AUC are drawn."""
MOST_SQUARES = 12
"""Labels in a drawn confusion table; beyond that the numbers would be too small to read."""


def discrimination(matter: Matter) -> tuple[Part, ...]:
    """AUC, average precision, curves, confusion, the operating point."""
    if matter.said["task"] == "regress":
        return _quantity(matter)
    t, said = matter.t, matter.said
    parts: list[Part] = [
        Table(
            columns=(
                t("Label", "标签"),
                t("AUC (95 % interval)", "AUC（95% 区间）"),
                t("Average precision", "平均精度"),
                t("by chance", "随机水平"),
            ),
            rows=tuple(
                (
                    plain(one["label"]),
                    interval(one["auc"]),
                    interval(one["average_precision"]),
                    number(one["prevalence"]),
                )
                for one in said["figures"]
            ),
            widths=(3, 3, 3, 1),
        )
    ]
    if len(said["figures"]) > 1:
        macro = interval(said["macro_auc"])
        parts.append(Text(text=t(f"Mean AUC over the labels: {macro}", f"各标签平均 AUC：{macro}")))
    parts.append(_curves(matter))
    parts += _answers(matter)
    return tuple(parts)


def _scores(matter: Matter, label: str) -> Array:
    predicted = np.clip(matter.predicted[:, matter.said["labels"].index(label)], 1e-12, 1 - 1e-12)
    return np.asarray(np.log(predicted / (1 - predicted)), np.float64)


def _curves(matter: Matter) -> Figure:
    t, said = matter.t, matter.said
    shown = sorted(said["figures"], key=lambda one: one["auc"]["value"])[:MOST_CURVES]
    rocs, precisions = [], []
    for one in shown:
        label = one["label"]
        positive = matter.targets[:, said["labels"].index(label)] > 0.5
        scores = _scores(matter, label)
        rocs.append((shortened(label), roc(scores, positive, matter.groups, seed=said["seed"])))
        precisions.append((shortened(label), precision_recall(scores, positive, matter.groups, seed=said["seed"])))
    caption = t(
        "Left: sensitivity against false alarms; the dotted line is chance. Right: precision against sensitivity. "
        "Bands: 95 %, "
        "patients drawn anew, models as given. Predictions are averaged over the repetitions; the AUC of the table "
        "compares within folds and may differ a little from the area under this curve.",
        "左：灵敏度与假阳性率（点线为随机水平）。右：精确率与灵敏度。阴影为 95% 带（重抽患者，模型固定）。曲线用各次"
        "重复的平均预测；表中 AUC 只在折内比较，可能与此曲线下面积略有不同。",
    )
    if len(said["figures"]) > MOST_CURVES:
        caption += t(
            f" The {MOST_CURVES} labels with the lowest AUC are drawn.", f"只画出 AUC 最低的 {MOST_CURVES} 个标签。"
        )
    specificity, sensitivity = t("1 − specificity", "1 − 特异度"), t("Sensitivity", "灵敏度")
    return Figure(
        key="roc",
        svg=matter.pen.curves(
            [
                (specificity, sensitivity, rocs),
                (t("Sensitivity (recall)", "灵敏度（召回率）"), t("Precision (PPV)", "精确率（PPV）"), precisions),
            ],
            titles=("ROC", t("Precision and recall", "精确率-召回率")),
            chance=shown[0]["prevalence"],
        ),
        caption=caption,
    )


def _answers(matter: Matter) -> list[Part]:
    t, said = matter.t, matter.said
    parts: list[Part] = []
    if said["task"] == "multiclass":
        table = confusion(matter.truth, matter.predicted.argmax(1), len(matter.labels))
        parts += _confusion(matter, table, matter.labels, "confusion", whole=True)
        return [*parts, _right(matter)]
    for place, one in enumerate(said["figures"]):
        point, label = one["operating_point"], plain(one["label"])
        positive = int((matter.targets[:, said["labels"].index(one["label"])] > 0.5).sum())
        negative = len(matter.numbers) - positive
        table = confusion_at(point["sensitivity"]["value"], point["specificity"]["value"], positive, negative)
        rule = _rule(matter, point["rule"])
        parts.append(Text(kind="head", text=t(f"Operating point for “{label}”: {rule}", f"“{label}”的工作点：{rule}")))
        at = percent(point["prevalence"])
        parts.append(
            facts_table(
                [
                    (t("Sensitivity", "灵敏度"), percent_interval(point["sensitivity"])),
                    (t("Specificity", "特异度"), percent_interval(point["specificity"])),
                    (t(f"PPV where {at} have it", f"阳性预测值（患病比例 {at}）"), percent_interval(point["ppv"])),
                    (t(f"NPV where {at} have it", f"阴性预测值（患病比例 {at}）"), percent_interval(point["npv"])),
                    (t("Threshold of the final model", "最终模型的阈值"), number(point["threshold"])),
                ]
            )
        )
        if point["prevalence_of_data"]:
            parts.append(
                Text(
                    kind="mark",
                    text=t(
                        f"PPV and NPV are for the prevalence of these data ({at}), as none was stated. Where the "
                        f"disease is rarer, fewer positive answers are right.",
                        f"未声明使用场所的患病率，PPV 与 NPV 按本数据的比例（{at}）计算；实际患病率较低时，阳性回答"
                        f"的正确率会更低。",
                    ),
                )
            )
        names = matter.labels if said["task"] == "binary" else (t(f"not {label}", f"非{label}"), label)
        parts += _confusion(matter, table, names, f"confusion-{place}", whole=False)
    if said["accuracy"] is not None:
        parts.append(_right(matter))
    return parts


def _rule(matter: Matter, rule: dict[str, Any]) -> str:
    t, least = matter.t, percent(rule["least"])
    return {
        "youden": t("largest sum of sensitivity and specificity (Youden)", "灵敏度与特异度之和最大（Youden）"),
        "sensitivity": t(f"sensitivity of at least {least}", f"灵敏度不低于 {least}"),
        "specificity": t(f"specificity of at least {least}", f"特异度不低于 {least}"),
        "half": t("probability of at least .5", "概率不低于 0.5"),
    }[rule["name"]]


def _right(matter: Matter) -> Text:
    said, t = matter.said, matter.t
    right, majority = percent_interval(said["accuracy"]), percent(said["accuracy_of_majority"], 1)
    return Text(
        text=t(
            f"The most probable label is right in {right} of cases; always saying the commonest label: {majority}.",
            f"以概率最大的标签作答，正确率为 {right}；总是回答最常见标签时为 {majority}。",
        )
    )


def _confusion(matter: Matter, table: Array, names: tuple[str, ...], key: str, *, whole: bool) -> list[Part]:
    t = matter.t
    caption = t(
        "Confusion table: rows are the truth, columns the answer; numbers of cases and share of the row.",
        "混淆矩阵：行为真实标签，列为模型回答；数字为病例数及其占该行的比例。",
    )
    if not whole:
        caption += t(
            " Mean over the repetitions, so numbers need not be whole; thresholds were chosen in the training parts.",
            "为各次重复的平均，故不必是整数；阈值在训练部分选定。",
        )
    if len(names) > MOST_SQUARES:
        rows = []
        for place, name in enumerate(names):
            wrong = table[place].copy()
            wrong[place] = -1
            often = int(wrong.argmax())
            told = f"{names[often]} ({wrong[often]:.0f})" if wrong[often] > 0 else "–"
            rows.append((name, f"{table[place].sum():.0f}", f"{table[place, place]:.0f}", told))
        heads = (t("Label", "标签"), t("Cases", "病例"), t("Right", "正确"), t("Most often taken for", "最常误判为"))
        return [Table(columns=heads, rows=tuple(rows), widths=(3, 1, 1, 3)), Text(kind="note", text=caption)]
    svg = matter.pen.confusion(
        table,
        [shortened(one, 16) for one in names],
        across=t("Answer", "模型回答"),
        up=t("Truth", "真实标签"),
        whole=whole,
    )
    return [Figure(key=key, svg=svg, caption=caption, width=min(28 + 9 * len(names), 100))]


def _quantity(matter: Matter) -> tuple[Part, ...]:
    t, told = matter.t, matter.said["regression"]
    figure = matter.pen.agreement(
        matter.targets[:, 0],
        matter.predicted[:, 0],
        half_width=told["half_width"],
        across=t("Truth", "真值"),
        up=t("Predicted, out of fold", "折外预测值"),
    )
    return (
        facts_table(
            [
                (t("Share of variance told (R²)", "解释的方差比例（R²）"), interval(told["r_squared"])),
                (t("Mean absolute error", "平均绝对误差"), interval(told["mean_absolute_error"])),
                (t("of always saying the median", "总是回答中位数时"), number(told["absolute_error_of_mean"])),
                (t("Correlation", "相关系数"), interval(told["correlation"])),
            ]
        ),
        Figure(
            key="agreement",
            svg=figure,
            caption=t(
                "Each mark is a case; the band holds nine of ten new cases (section 7).",
                "每个点为一个病例；阴影带约包含十个新病例中的九个（第 7 节）。",
            ),
            width=62,
        ),
    )


def baselines(matter: Matter) -> tuple[Part, ...]:
    """Other ways to the same labels, with paired differences."""
    t, said = matter.t, matter.said
    parts: list[Part] = []
    alarm = (said["shortcut"] or {}).get("alarm", "none")
    if alarm != "none":
        parts.append(Text(kind="mark", text=t(f"Shortcut alarm: {alarm}.", f"捷径警报：{matter.word(alarm)}。")))
    heads = (
        t("Way", "方法"),
        t("AUC (95 % interval)", "AUC（95% 区间）"),
        t("Gain of the model over it", "模型的增益"),
        t("paired test", "配对检验"),
    )
    rows = [(t("This model", "本模型"), interval(said["macro_auc"]), "", "")]
    rows += [
        (matter.word(one["name"]), interval(one["auc"]), interval(one["gain"]), p_value(one["gain"]["p"]))
        for one in said["baselines"]
    ]
    rows += [(matter.word(name), interval(one), "", "") for name, one in (said["checks"] or {}).items()]
    rows.append((t("Always the prevalence", "总按比例作答"), "0.500", "", ""))
    parts.append(Table(columns=heads, rows=tuple(rows), widths=(3, 3, 3, 2)))
    values = [said["macro_auc"]["value"], *(one["auc"]["low"] for one in said["baselines"])]
    forest = [
        Row(
            name=t("This model", "本模型"),
            told=number(said["macro_auc"]["value"]),
            strong=True,
            **ends_of(said["macro_auc"]),
        )
    ]
    forest += [
        Row(name=shortened(matter.word(one["name"])), told=number(one["auc"]["value"]), **ends_of(one["auc"]))
        for one in said["baselines"]
    ]
    parts.append(
        Figure(
            key="baselines",
            svg=matter.pen.forest(
                forest, label="AUC", reference=0.5, limits=(min(0.45, *(one for one in values if one is not None)), 1.0)
            ),
            caption=t(
                "AUC of the model and of other ways to the same labels, by the same folds; 95 % intervals. The "
                "dotted line is "
                "chance. Differences are judged by the paired test of the table, not by whether intervals overlap.",
                "本模型与其他方法在相同分折下的 AUC 及 95% 区间，点线为随机水平。差异以表中配对检验为准，不看区间是"
                "否重叠。",
            ),
        )
    )
    columns = (said["shortcut"] or {}).get("columns", ())
    parts.append(
        Text(
            kind="note",
            text=t(
                f"Metadata looked at: {', '.join(map(plain, columns)) or 'none'}. Nearest cases and nearest mean "
                f"learn nothing; they check the head, models as given.",
                f"检查的元数据：{'、'.join(map(plain, columns)) or '无'}。最近邻与最近类均值不作训练，只用于核对分类"
                f"头（模型固定）。",
            ),
        )
    )
    return tuple(parts)


def ends_of(estimate: dict[str, Any]) -> dict[str, Any]:
    """Value and interval alone."""
    return {key: estimate[key] for key in ("value", "low", "high")}


def calibration(matter: Matter) -> tuple[Part, ...]:
    """Slope, intercept, Brier score, the curve, the error against its null."""
    t, said = matter.t, matter.said
    rows, remarks = [], []
    for one in said["figures"]:
        curve = one["calibration"]
        low, high = curve["ece_if_right"]
        name = plain(one["label"])
        always = one["prevalence"] * (1 - one["prevalence"])
        rows.append(
            (
                name,
                interval(curve["intercept"], 2),
                interval(curve["slope"], 2),
                f"{interval(curve['brier'])} / {number(always)}",
                f"{number(curve['ece'])} / {number(low)} – {number(high)}",
            )
        )
        if curve["ece"] > high:
            remarks.append(
                Text(
                    kind="mark",
                    text=t(
                        f"“{name}”: the calibration error is larger than it would be if the probabilities were right.",
                        f"“{name}”：校准误差大于概率准确时应有的范围。",
                    ),
                )
            )
    return (
        Table(
            columns=(
                t("Label", "标签"),
                t("Intercept (0)", "截距（0）"),
                t("Slope (1)", "斜率（1）"),
                t("Brier score / of the prevalence", "Brier 分数 / 总按比例作答"),
                t("ECE / if all were right", "ECE / 若概率全对"),
            ),
            rows=tuple(rows),
            widths=(2, 3, 3, 4, 3),
        ),
        *remarks,
        Figure(
            key="reliability",
            svg=matter.pen.reliability(
                [(shortened(one["label"]), one["calibration"]["curve"]) for one in said["figures"][:MOST_CURVES]],
                across=t("Probability told", "模型给出的概率"),
                up=t("Share that have it", "实际比例"),
            ),
            caption=t(
                "Each mark is a tenth of the cases (fewer marks where there are few cases), with Wilson's 95 % "
                "interval. On the dotted line, 30 % means 30 of 100.",
                "每个点约为十分之一的病例（病例少时点更少），带 Wilson 95% 区间。落在点线上时，30% 即表示 100 例中有 "
                "30 例。",
            ),
            width=100 if len(said["figures"]) > 1 else 52,
        ),
        Text(
            kind="note",
            text=t(
                "A slope below 1: probabilities are too extreme. ECE, the mean gap of the curve, says something only "
                "outside the range beside it, which is where it would lie by chance. The Brier score is the mean "
                "squared error; beside it that of always telling the prevalence.",
                "斜率小于 1 表示概率过于极端。ECE 是曲线的平均偏差，只有超出旁边的范围（概率准确时的随机波动）才有意"
                "义。Brier 分数为均方误差，旁边是总按比例作答时的值。",
            ),
        ),
    )
