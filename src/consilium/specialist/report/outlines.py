"""The section on how well outlines are drawn (item 12), and what its figures must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from consilium.errors import ModelError
from consilium.specialist.report.matter import Matter
from consilium.specialist.report.outline_plots import Sizes, agreement_of_sizes, spread
from consilium.specialist.report.parts import (
    Figure,
    Part,
    Table,
    Text,
    facts_table,
    interval,
    number,
    percent_interval,
    plain,
    shortened,
)
from consilium.specialist.report.plots import Array
from consilium.specialist.report.wording import shortage
from consilium.specialist.segmentation.judge import FINEST_MM, FINEST_PIXELS

MOST_LABELS = 6
"""Labels in one drawing; the tables have all."""


def lacking_of_outlines(number: str, document: Mapping[str, Any]) -> str:
    """What an item lacks in a validation of outlines; empty where nothing is missing."""
    have: Mapping[str, tuple[bool, str]] = {
        "1": (bool(document["ledger"]), "ledger"),
        "2": (bool(document["counts"]), "counts"),
        "3": (bool(document["scores"]), "scores of each case"),
        "5": (bool(document["baselines"]), "baselines"),
        "8": (bool(document["gate"]), "gate"),
        "10": (bool(document["learning_curve"]), "learning curve"),
        "11": (bool(document["scores"]), "scores of each case"),
        "12": (
            bool(document["figures"] and document["dice"] and document["surface"] and document["missed"]),
            "Dice, normalised surface distance and share missed",
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
    counts = list(said["counts"]["cases_of_label"].values())
    if told is None or told.tolist() != counts:
        raise ModelError("the masks of the facts are not those of the validation", where=place, way_out=way_out)


def tolerance_told(matter: Matter) -> str:
    """The distance that does not count, in words."""
    asked, t = matter.said["tolerance"], matter.t
    if asked is not None:
        return f"{asked:g} {t('mm', '毫米')}" if matter.said["volumes"] else f"{asked:g} {t('pixels', '像素')}"
    if matter.said["volumes"]:
        return t(
            f"{FINEST_MM:g} mm, or the largest spacing of the volume where that is more",
            f"{FINEST_MM:g} 毫米，体素间距更大时取最大间距",
        )
    return t(
        f"{FINEST_PIXELS:g} pixels, or 1/128 of the longer side where that is more",
        f"{FINEST_PIXELS:g} 像素，图像较大时取长边的 1/128",
    )


def unit_of(matter: Matter) -> tuple[str, float]:
    """How sizes are told: the unit in words, and what a size is divided by."""
    t = matter.t
    if not matter.said["volumes"]:
        return t("pixels", "像素"), 1.0
    sizes = [one for score in matter.said["scores"] for one in score["true_size"] if one > 0]
    return (t("ml", "毫升"), 1000.0) if sizes and np.median(sizes) >= 1000 else (t("mm³", "立方毫米"), 1.0)


def size_told(value: float | None, by: float) -> str:
    """A size, or a difference of sizes, with as many digits as it is worth."""
    return number(None if value is None else value / by, 0 if by == 1 else 2)


def outlines(matter: Matter) -> tuple[Part, ...]:
    """Overlap, distance of outlines, what was missed or invented, sizes."""
    t, said = matter.t, matter.said
    unit, by = unit_of(matter)
    surface = t("Normalised surface distance", "归一化表面距离")
    parts: list[Part] = [
        Table(
            columns=(
                t("Label", "标签"),
                t("Cases / patients", "病例 / 患者"),
                t("Dice (95 % interval)", "Dice（95% 区间）"),
                t("Normalised surface distance", "归一化表面距离"),
                t("Missed outright", "完全漏掉"),
            ),
            rows=tuple(
                (
                    plain(one["label"]),
                    f"{one['cases']} / {one['patients']}",
                    interval(one["dice"]),
                    interval(one["surface"]),
                    percent_interval(one["missed"]),
                )
                for one in said["figures"]
            ),
            widths=(3, 2, 4, 4, 4),
        )
    ]
    if len(said["figures"]) > 1:
        dice, distance = interval(said["dice"]), interval(said["surface"])
        parts.append(
            Text(
                text=t(
                    f"Mean over the labels of a case: Dice {dice}, normalised surface distance {distance}.",
                    f"每例各标签平均：Dice {dice}，归一化表面距离 {distance}。",
                )
            )
        )
    parts += [Text(text=shortage(one, matter.lang), kind="mark") for one in said["not_enough"]]
    shown = said["figures"][:MOST_LABELS]
    named = [shortened(one["label"]) if len(said["labels"]) > 1 else "" for one in shown]
    panels = [
        (name, [(label, _values(matter, one["label"], key)) for label, one in zip(named, shown, strict=True)])
        for name, key in (("Dice", "dice"), (surface, "surface"))
    ]
    gone = [int((_values(matter, one["label"], "dice") == 0).sum()) for one in shown]
    parts += [
        Figure(
            key="outlines-spread",
            svg=spread(matter.pen, panels, missed=gone, cases=t("Cases", "病例数")),
            caption=t(
                "How the cases are spread. Hatched red: cases in which nothing was hit. Below: median and middle half.",
                "各病例的分布。红色斜线：完全漏掉的病例。下方：中位数与四分位区间。",
            ),
        ),
        Text(
            kind="note",
            text=t(
                "Dice: twice the common area over the sum of both, 1 is perfect; small objects lose more of it by the "
                "same slip. Normalised surface distance: share of both outlines that lie within the tolerance of each "
                f"other (tolerance: {tolerance_told(matter)}). Means are over the cases that have the label. Missed "
                "outright: not a single pixel was hit.",
                "Dice：重叠面积的两倍除以两者面积之和，1 为完全一致；同样的偏差对小目标影响更大。"
                "归一化表面距离：两条轮廓"
                f"中彼此相距不超过容差的部分所占比例（容差：{tolerance_told(matter)}）。均值只计有该标签的病例。完全漏掉：没"
                "有命中一个像素。",
            ),
        ),
    ]
    parts += _without(matter)
    parts += _objects(matter)
    parts += _sizes(matter, unit, by)
    return tuple(parts)


def _values(matter: Matter, label: str, key: str) -> Array:
    place = matter.said["labels"].index(label)
    return np.array([one[key][place] or 0.0 for one in matter.said["scores"] if one["true_size"][place] > 0])


def _without(matter: Matter) -> list[Part]:
    t = matter.t
    found: list[Part] = [Text(kind="head", text=t("Where there is nothing to outline", "没有可勾画目标的病例"))]
    for one in matter.said["figures"]:
        name, share = plain(one["label"]), one["invented"]
        told = (
            t(
                f"Every case has “{name}”: what the model does where there is none was not measured.",
                f"所有病例都有“{name}”：未测量在没有该目标时模型的表现。",
            )
            if share is None
            else t(
                f"{one['without']} cases have no “{name}”; in {percent_interval(share)} of them it outlines one "
                "all the same.",
                f"{one['without']} 例没有“{name}”；其中 {percent_interval(share)} 仍被勾画出轮廓。",
            )
        )
        found.append(Text(text=told, kind="mark" if share is None else "body"))
    return found


def _objects(matter: Matter) -> list[Part]:
    t, told = matter.t, matter.said["objects"]
    if told is None:
        return []
    return [
        Text(kind="head", text=t("Single objects", "单个目标")),
        facts_table(
            [
                (
                    t("Hits over hits, surplus and missed (AP@0.5)", "命中 /（命中 + 多余 + 漏检）（AP@0.5）"),
                    interval(told["precision"]),
                ),
                (t("Objects in all", "目标总数"), str(told["true"])),
                (t("Found (overlap of one half or more)", "检出（交并比不小于 0.5）"), str(told["hits"])),
                (t("Surplus", "多余"), str(told["surplus"])),
            ]
        ),
    ]


def _sizes(matter: Matter, unit: str, by: float) -> list[Part]:
    t, said = matter.t, matter.said
    name = t("Volume", "体积") if said["volumes"] else t("Area", "面积")
    rows, panels = [], []
    for one in said["figures"]:
        place = said["labels"].index(one["label"])
        scores = [score for score in said["scores"] if score["true_size"][place] > 0]
        true, found = (np.array([score[key][place] for score in scores]) / by for key in ("true_size", "found_size"))
        size = one["size"]
        ends = f"{size_told(size['bias']['low'], by)} – {size_told(size['bias']['high'], by)}"
        rows.append(
            (
                plain(one["label"]),
                size_told(float(true.mean()) * by, by),
                f"{size_told(size['bias']['value'], by)} ({ends})",
                f"{size_told(size['low'], by)} … {size_told(size['high'], by)}",
            )
        )
        panels.append(
            Sizes(
                name=shortened(one["label"]),
                true=true,
                found=found,
                bias=size["bias"]["value"] / by,
                low=size["low"] / by,
                high=size["high"] / by,
            )
        )
    return [
        Text(kind="head", text=t(f"{name}: does the model measure what the outline measures?", f"{name}测量的一致性")),
        Table(
            columns=(
                t("Label", "标签"),
                t(f"True mean, {unit}", f"真实均值（{unit}）"),
                t("Found less true", "模型 − 真实"),
                t("Limits of agreement", "一致性界限"),
            ),
            rows=tuple(rows),
            widths=(3, 2, 4, 3),
        ),
        Figure(
            key="outlines-size",
            svg=agreement_of_sizes(
                matter.pen,
                panels[:MOST_LABELS],
                across=t(f"Mean of both, {unit}", f"两者均值（{unit}）"),
                up=t(f"Found less true, {unit}", f"模型 − 真实（{unit}）"),
            ),
            caption=t(
                "Bland and Altman: difference against mean. Solid: mean difference; dashed: limits of agreement, "
                "within which 95 of 100 differences lie if normally spread. Crosses: nothing was outlined.",
                "Bland-Altman 图：差值与均值。实线：平均差值；虚线：95% 一致性界限（±1.96 倍标准差）。叉号："
                "模型未勾画。",
            ),
            width=100 if len(panels) > 1 else 68,
        ),
    ]
