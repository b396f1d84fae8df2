"""The sections of a report on boxes: how they were tested, how well they are found, and what to look at again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from consilium.errors import ModelError
from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import (
    Figure,
    Gallery,
    Part,
    Table,
    Text,
    Tile,
    facts_table,
    interval,
    number,
    percent_interval,
    plain,
    shortened,
)
from consilium.specialist.report.plots import BLUE, WASH, Pen
from consilium.specialist.report.wording import shortage

WORST, TYPICAL, LISTED = 12, 4, 30


def lacking_of_boxes(number: str, document: Mapping[str, Any]) -> str:
    """What an item lacks in a validation of boxes; empty where nothing is missing."""
    have: Mapping[str, tuple[bool, str]] = {
        "1": (bool(document["ledger"]), "ledger"),
        "2": (bool(document["counts"]), "counts"),
        "3": (bool(document["finds"]), "finds of each case"),
        "8": (bool(document["gate"]), "gate"),
        "11": (bool(document["finds"]), "finds of each case"),
        "12": (
            bool(document["figures"] and document["ap50"] and document["froc"] and document["froc_mean"]),
            "average precision and FROC",
        ),
    }
    there, what = have.get(number, (True, ""))
    return "" if there else f"the validation has no {what}"


def refuse_strangers(matter: Matter) -> None:
    """Hold the cases of the facts to the figures of the validation.

    Raises:
        ModelError: they are not those that were validated.
    """
    said, place = matter.said, matter.facts.name
    if said["ledger"] is None:
        return
    way_out = "Take facts.json and validation.json of the same fit."
    if max(said["ledger"]["cases"]) >= len(matter.facts.cases):
        raise ModelError("the facts list fewer cases than were validated", where=place, way_out=way_out)
    if tuple(said["labels"]) != tuple(matter.facts.names):
        raise ModelError("the facts name other labels than the validation", where=place, way_out=way_out)
    told = matter.targets.sum(0) if matter.targets.shape[1] == len(said["labels"]) else None
    if told is None or told.tolist() != list(said["counts"]["cases_of_label"].values()):
        raise ModelError("the boxes of the facts are not those of the validation", where=place, way_out=way_out)


def procedure(matter: Matter) -> tuple[Part, ...]:
    """How it was tested, and the last test."""
    t, said = matter.t, matter.said
    folds = said["ledger"]["folds"]
    taken = {
        "one look": t("one look: boxes as they are proposed", "一次观察：直接采用候选框"),
        "two looks": t("two looks: proposed boxes are named again and moved", "两次观察：对候选框再次判断并修正位置"),
    }.get(said["taken"], matter.word(said["taken"]))
    parts: list[Part] = [
        Text(
            text=t(
                f"Cross-validation in {folds} folds, patients kept together, nested: how the detector looks, what its "
                "scores mean and from which score a box is reported are chosen inside each training part, on folds "
                "that no patient crosses. Every case is searched once, by a model that has not seen its patient. The "
                "model that is shipped learns from all cases afterwards.",
                f"按患者分组的嵌套交叉验证，共 {folds} 折：检测方式、得分的含义以及报告阈值只在各训练部分内部、"
                "按患者分组选定。每个病例只由未见过该患者的模型检测一次。最终模型随后用全部病例训练。",
            )
        ),
        facts_table(
            [
                (t("What is found", "检出对象"), t(", ", "、").join(matter.labels)),
                (t("Way that the final model looks", "最终模型的检测方式"), taken),
                (t("A box is right", "判为正确"), t("from an overlap of one half", "交并比不小于 0.5")),
            ]
        ),
        Text(
            kind="note",
            text=t(
                "Intervals are 95 %, for new patients and these models: bootstrap over patients (BCa); shares of "
                "patients by Wilson.",
                "区间均为 95% 置信区间，针对新患者、模型固定：以患者为单位的自助法（BCa）；"
                "按患者的比例用 Wilson 区间。",
            ),
        ),
        Text(kind="head", text=t("Last test on cases set aside", "留出病例的最后检验")),
    ]
    outside = said["external"]
    if outside is None:
        return (*parts, Text(text=t("No cases were set aside.", "没有留出病例。")))
    totals = {key: sum(one[key] for one in outside["finds"]) for key in ("true", "hits", "surplus")}
    found = outside["ap50"]
    rows = [
        (
            t("Cases and patients", "病例与患者"),
            t(
                f"{outside['cases']} cases of {outside['patients']} patients",
                f"{outside['patients']} 名患者的 {outside['cases']} 例",
            ),
        ),
        ("AP50", shortage(found, matter.lang) if "figure" in found else interval(found)),
        (
            t("Boxes", "目标框"),
            t(
                f"{totals['hits']} of {totals['true']} found, {totals['surplus']} false",
                f"{totals['true']} 个中检出 {totals['hits']} 个，误报 {totals['surplus']} 个",
            ),
        ),
        (t("Turned away by the gate", "被准入检查拒绝"), percent_interval(outside["turned_away"])),
    ]
    return (*parts, facts_table(rows))


def boxes(matter: Matter) -> tuple[Part, ...]:
    """Average precision, the curve of false finds, shares by object and by patient."""
    return (*_precision(matter), *_false_finds(matter), *_at_threshold(matter), _in_all(matter))


def _precision(matter: Matter) -> tuple[Part, ...]:
    t, said = matter.t, matter.said
    rows = [
        (plain(one["label"]), interval(one["ap50"]), interval(one["ap75"]), interval(one["ap"]))
        for one in said["figures"]
    ]
    if len(said["labels"]) > 1:
        rows.append(
            (
                t("Mean of all labels", "全部标签平均"),
                interval(said["ap50"]),
                interval(said["ap75"]),
                interval(said["ap"]),
            )
        )
    return (
        Text(kind="head", text=t("Average precision", "平均精度（AP）")),
        Table(columns=(t("Label", "标签"), "AP50", "AP75", "AP@[.5:.95]"), rows=tuple(rows), widths=(3, 4, 4, 4)),
        *(Text(text=shortage(one, matter.lang), kind="mark") for one in said["not_enough"]),
        Text(
            kind="note",
            text=t(
                "Average precision (COCO): area under precision against recall over all scores; a box is right from an "
                "overlap (intersection over union) of .5, of .75, or the mean from .5 to .95. In brackets: 95 % "
                "interval.",
                "平均精度（COCO 算法）：各得分下精确率-召回率曲线下面积；交并比不小于 0.5、0.75 判为正确，"
                "或取 0.5 至 0.95 的平均。括号内为 95% 区间。",
            ),
        ),
    )


def _false_finds(matter: Matter) -> tuple[Part, ...]:
    t, said = matter.t, matter.said
    return (
        Text(kind="head", text=t("False finds a picture (FROC)", "每幅图像的误报数与灵敏度（FROC）")),
        Figure(
            key="froc",
            svg=froc(
                matter.pen,
                said["false_alarms"],
                said["froc"],
                across=t("False finds a picture", "平均每幅图像误报数"),
                up=t("Objects found", "目标检出率（灵敏度）"),
            ),
            caption=t(
                "FROC: share of all objects that are found when so many false finds a picture are allowed; bars: 95 % "
                "interval.",
                "FROC 曲线：允许平均每幅图像有若干误报时，全部目标的检出比例；竖线为 95% 区间。",
            ),
            width=66,
        ),
        Table(
            columns=(
                t("False finds a picture", "每幅图像误报数"),
                t("Objects found (95 % interval)", "目标检出率（95% 区间）"),
            ),
            rows=(
                *(
                    (_fraction(level), percent_interval(one))
                    for level, one in zip(said["false_alarms"], said["froc"], strict=True)
                ),
                (t("Mean of the seven", "七点平均"), percent_interval(said["froc_mean"])),
            ),
            widths=(2, 3),
        ),
    )


def _at_threshold(matter: Matter) -> tuple[Part, ...]:
    t, said = matter.t, matter.said
    parts: list[Part] = [
        Text(kind="head", text=t("At the threshold from which a box is reported", "在报告阈值下")),
        Table(
            columns=(
                t("Label", "标签"),
                t("Objects / pictures", "目标 / 图像"),
                t("Objects found", "目标检出率"),
                t("Finds that are right", "检出中正确的比例"),
            ),
            rows=tuple(
                (
                    plain(one["label"]),
                    f"{one['objects']} / {one['pictures']}",
                    percent_interval(one["sensitivity"]),
                    percent_interval(one["precision"]),
                )
                for one in said["figures"]
            ),
            widths=(3, 3, 4, 4),
        ),
        Table(
            columns=(
                t("Label", "标签"),
                t("Patients with it: one was found", "有该目标的患者：至少检出一个"),
                t("Patients without it: none reported", "无该目标的患者：无误报"),
                t("Threshold", "阈值"),
            ),
            rows=tuple(
                (
                    plain(one["label"]),
                    percent_interval(one["patients_found"]),
                    percent_interval(one["patients_clear"]),
                    number(one["threshold"], 2),
                )
                for one in said["figures"]
            ),
            widths=(3, 4, 4, 2),
        ),
    ]
    always = [plain(one["label"]) for one in said["figures"] if one["patients_clear"]["value"] is None]
    if always:
        names = t(", ", "、").join(always)
        parts.append(
            Text(
                kind="mark",
                text=t(
                    f"Every patient has {names}: what the model does in patients without was not measured.",
                    f"所有患者都有{names}：未测量模型在没有该目标的患者中的表现。",
                ),
            )
        )
    return tuple(parts)


def _in_all(matter: Matter) -> Text:
    t, said = matter.t, matter.said
    totals = {key: sum(one[key] for one in said["finds"]) for key in ("true", "hits", "missed", "surplus")}
    return Text(
        text=t(
            f"In all {totals['true']} boxes of {len(said['finds'])} cases: {totals['hits']} found, "
            f"{totals['missed']} missed, and {totals['surplus']} finds beside them.",
            f"合计 {len(said['finds'])} 例、{totals['true']} 个目标框：检出 {totals['hits']} 个，漏检 "
            f"{totals['missed']} 个，误报 {totals['surplus']} 个。",
        )
    )


def _fraction(level: float) -> str:
    return f"1/{round(1 / level)}" if level < 1 else f"{level:g}"


def froc(pen: Pen, levels: list[float], shares: list[dict[str, Any]], *, across: str, up: str) -> str:
    """Sensitivity at each number of false finds a picture, with its interval; the axis is logarithmic."""
    values = np.array([one["value"] for one in shares], np.float64)
    ends = [[one["value"] if one[key] is None else one[key] for one in shares] for key in ("low", "high")]
    below, above = np.maximum(values - np.array(ends[0]), 0), np.maximum(np.array(ends[1]) - values, 0)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.set_xscale("log", base=2)
        axes.errorbar(levels, values, yerr=[below, above], color=BLUE, marker="o", ms=4, lw=1.4, elinewidth=0.9)
        axes.set(xlabel=across, ylabel=up, ylim=(-0.02, 1.02))
        axes.set_xticks(levels, [_fraction(one) for one in levels])
        axes.grid(color=WASH, lw=0.8)
        axes.set_axisbelow(True)

    return pen.drawn((4.4, 2.9), draw)


def errors(matter: Matter) -> tuple[Part, ...]:
    """Boxes to look at again, and the pictures that went worst."""
    t, said = matter.t, matter.said
    parts: list[Part] = [Text(kind="head", text=t("Boxes to look at again", "值得复核的目标框"))]
    parts += _doubts(matter) if said["doubtful"] else [Text(text=t("None.", "无。"))]
    finds = said["finds"]
    wrong = np.array([one["missed"] + one["surplus"] for one in finds])
    order = np.argsort(-wrong, kind="stable")
    worst = [place for place in order[:WORST].tolist() if wrong[place] > 0]
    middle = max((len(order) - TYPICAL) // 2, 0)
    typical = [place for place in order[middle : middle + TYPICAL].tolist() if place not in worst]
    parts.append(
        Text(
            text=t(
                "Blue, solid: boxes that were given. Orange, dashed: those that the model, which had not seen the "
                "patient, reports. Look whether the model went wrong, or the boxes that were given did.",
                "蓝色实线：提供的目标框。橙色虚线：模型（未见过该患者）报告的框。请看是模型有误，还是所提供的框有误。",
            )
        )
    )
    for head, places in (
        (t("Worst pictures", "最差的图像"), worst),
        (t("Typical pictures, about the median", "典型图像（中位数附近）"), typical),
    ):
        if places:
            parts += [Text(kind="head", text=head), Gallery(tiles=tuple(_tile(matter, finds[one]) for one in places))]
    return tuple(parts)


def _doubts(matter: Matter) -> list[Part]:
    t, said = matter.t, matter.said
    words = {
        "no box": t("found for sure, no box there", "模型很确定，但此处没有框"),
        "another label": t("found for sure with another label", "模型很确定是另一标签"),
        "not seen": t("a box where nothing is found", "有框，但模型什么也没有发现"),
    }
    rows = tuple(
        (
            matter.file(one["case"]),
            words[one["doubt"]],
            plain(one["label"]),
            ", ".join(f"{edge:.0f}" for edge in one["corners"]),
            number(one["score"], 2) if one["score"] else "–",
        )
        for one in said["doubtful"][:LISTED]
    )
    found: list[Part] = [
        Text(
            text=t(
                "In sets of many objects some are left without a box, and then a right find counts as false. The list "
                "only points, by a model that had not seen the patient: whether a box is wrong, a person decides.",
                "目标较多的数据中常有漏标，此时正确的检出会被算作误报。此表由未见过该患者的模型给出，仅供提示；"
                "框是否有误由人判断。",
            )
        ),
        Table(
            columns=(
                t("Case", "病例"),
                t("Why", "原因"),
                t("Label", "标签"),
                t("Left, top, right, bottom", "左, 上, 右, 下"),
                t("Score", "得分"),
            ),
            rows=rows,
            widths=(3, 4, 2, 3, 1),
        ),
    ]
    if said["doubts"] > len(rows):
        more = said["doubts"] - len(rows)
        found.append(
            Text(
                kind="note",
                text=t(f"and {more} more; the surest are in report.json", f"另有 {more} 个；最确定的见 report.json"),
            )
        )
    return found


def _tile(matter: Matter, one: Mapping[str, Any]) -> Tile:
    t = matter.t
    lines = [
        t(
            f"{one['true']} boxes: {one['hits']} found, {one['missed']} missed, {one['surplus']} false",
            f"{one['true']} 个框：检出 {one['hits']}，漏检 {one['missed']}，误报 {one['surplus']}",
        )
    ]
    picture = matter.pictures.get(one["case"])
    if picture is None:
        lines.append(t("picture not given", "未提供图像"))
    return Tile(picture=picture, title=shortened(matter.file(one["case"]), 40), lines=tuple(lines))
