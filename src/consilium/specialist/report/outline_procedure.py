"""The sections on how outlines were tested, and whether the model beats what comes without learning from pictures."""

from __future__ import annotations

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
    percent_interval,
    shortened,
)
from consilium.specialist.report.plots import Row
from consilium.specialist.report.wording import Tongue, shortage


def procedure(matter: Matter) -> tuple[Part, ...]:
    """How it was tested, and the last test."""
    t, said = matter.t, matter.said
    folds = said["ledger"]["folds"]
    kind = {
        "one object": t(
            "one object of each label: the part with the most probability stays", "每个标签一个目标：保留概率最大的部分"
        ),
        "regions": t("regions: each pixel for itself", "区域：逐像素判断"),
        "objects": t("many objects, told apart where they touch", "多个目标，相接处分开"),
    }[said["kind"]]
    taken = t(", ", "、").join(dict.fromkeys(matter.word(part) for one in said["taken"] for part in one.split(", ")))
    parts: list[Part] = [
        Text(
            text=t(
                f"Cross-validation in {folds} folds, patients kept together, nested: the way of making the pixel "
                "classifier and the level at which its probability is cut are chosen inside each training part, on "
                "folds that no patient crosses. Every case is outlined once, by a model that has not seen its patient. "
                "The model that is shipped learns from all cases afterwards.",
                f"按患者分组的嵌套交叉验证，共 {folds} 折：像素分类器的形式与概率阈值只在各训练部分内部、"
                "按患者分组选定。"
                "每个病例只由未见过该患者的模型勾画一次。最终模型随后用全部病例训练。",
            )
        ),
        facts_table(
            [
                (t("What is outlined", "勾画对象"), t(", ", "、").join(matter.labels)),
                (t("Kind of task", "任务形式"), kind),
                (t("Pixel classifiers that were chosen", "选定的像素分类器"), taken),
                (t("Grid", "计算网格"), _grid(t, volumes=said["volumes"])),
            ]
        ),
        Text(
            kind="note",
            text=t(
                "Intervals are 95 %, for new patients and these models: bootstrap over patients (BCa); proportions by "
                "Wilson, with fewer effective cases where a patient has several images.",
                "区间均为 95% 置信区间，针对新患者、模型固定：以患者为单位的自助法（BCa）；比例用 Wilson "
                "区间，一名患者有多"
                "幅图像时按有效例数计算。",
            ),
        ),
        Text(kind="head", text=t("Last test on cases set aside", "留出病例的最后检验")),
    ]
    outside = said["external"]
    if outside is None:
        return (*parts, Text(text=t("No cases were set aside.", "没有留出病例。")))
    rows = [
        (
            t("Cases and patients", "病例与患者"),
            t(
                f"{outside['cases']} cases of {outside['patients']} patients",
                f"{outside['patients']} 名患者的 {outside['cases']} 例",
            ),
        )
    ]
    for key, name in (("dice", "Dice"), ("surface", t("Normalised surface distance", "归一化表面距离"))):
        found = outside[key]
        rows.append((name, shortage(found, matter.lang) if "figure" in found else interval(found)))
    rows.append((t("Turned away by the gate", "被准入检查拒绝"), percent_interval(outside["turned_away"])))
    return (*parts, facts_table(rows))


def _grid(t: Tongue, *, volumes: bool) -> str:
    if volumes:
        return t(
            "at most 128 voxels along the longest axis; masks are enlarged and judged in full size",
            "最长轴至多 128 体素；掩膜放大后按原尺寸评价",
        )
    return t(
        "at most 256 pixels along the longer side; masks are enlarged and judged in full size",
        "长边至多 256 像素；掩膜放大后按原尺寸评价",
    )


def baselines(matter: Matter) -> tuple[Part, ...]:
    """The model against what comes without learning from pictures."""
    t, said = matter.t, matter.said
    rows = [(t("This model", "本模型"), interval(said["dice"]), "", "")]
    forest = [
        Row(name=t("This model", "本模型"), told=number(said["dice"]["value"]), strong=True, **ends_of(said["dice"]))
    ]
    for one in said["baselines"]:
        name = matter.word(one["name"])
        rows.append((name, interval(one["dice"]), interval(one["gain"]), p_value(one["gain"]["p"])))
        forest.append(Row(name=shortened(name), told=number(one["dice"]["value"]), **ends_of(one["dice"])))
    return (
        Table(
            columns=(
                t("Way", "方法"),
                t("Dice (95 % interval)", "Dice（95% 区间）"),
                t("Model better by", "本模型高出"),
                t("Paired test", "配对检验"),
            ),
            rows=tuple(rows),
            widths=(3, 3, 3, 2),
        ),
        Figure(
            key="outlines-baselines",
            svg=matter.pen.forest(forest, label="Dice", reference=None, limits=(0.0, 1.0)),
            caption=t(
                "Mean Dice of the same cases, each way fitted on the same training parts; 95 % intervals. Differences "
                "are judged by the paired test of the table, not by whether intervals overlap.",
                "相同病例的平均 Dice（各方法在相同训练部分上拟合）及 95% 区间。差异以表中配对检验为准，"
                "不看区间是否重叠。",
            ),
        ),
        Text(
            kind="note",
            text=t(
                "Mean shape: the same outline for every case, where objects lay in training. Threshold: what is "
                "brighter or darker than Otsu's level, whichever has nearly the size that objects had in training; "
                "made for a single label only.",
                "平均形状：对所有病例给出同一轮廓，即训练病例中目标所在的位置。灰度阈值：亮于或暗于 Otsu "
                "阈值的部分，取大小"
                "更接近训练目标者；只用于单一标签。",
            ),
        ),
    )
