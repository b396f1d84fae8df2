"""The sections on where outlines end: for whom, would more cases help, and the cases that went worst."""

from __future__ import annotations

import numpy as np

from consilium.specialist.report.evidence import ends_of
from consilium.specialist.report.matter import Matter
from consilium.specialist.report.outlines import size_told, unit_of
from consilium.specialist.report.parts import (
    Figure,
    Gallery,
    Part,
    Table,
    Text,
    Tile,
    interval,
    number,
    plain,
    shortened,
)
from consilium.specialist.report.plots import Row
from consilium.specialist.report.wording import shortage
from consilium.specialist.segmentation.judge import case_means
from consilium.specialist.segmentation.validation import CaseScore

WORST, TYPICAL = 12, 4


def subgroups(matter: Matter) -> tuple[Part, ...]:
    """By label, sex, age, site, vendor, or what is there."""
    t, said = matter.t, matter.said
    if not said["subgroups"]:
        return (
            Text(
                kind="mark",
                text=t(
                    "Not measured: no column (label, sex, age, site, device) was given that divides the patients. For "
                    "whom the model works is not known.",
                    "未测量：没有提供可划分患者的列（标签、性别、年龄、医院、设备等）。模型对哪些患者有效尚不清楚。",
                ),
            ),
        )
    forest = [Row(name=t("All", "全部"), told=number(said["dice"]["value"]), strong=True, **ends_of(said["dice"]))]
    rows = []
    for one in said["subgroups"]:
        name = f"{plain(one['column'])}: {matter.word(one['value'])}"
        given = "figure" not in one["dice"]
        told = interval(one["dice"]) if given else shortage(one["dice"], matter.lang)
        rows.append((name, f"{one['cases']} / {one['patients']}", told))
        forest.append(
            Row(name=shortened(name, 30), told=number(one["dice"]["value"]), **ends_of(one["dice"]))
            if given
            else Row(name=shortened(name, 30), told=t("not enough", "病例不足"))
        )
    return (
        Table(
            columns=(
                t("Subgroup", "亚组"),
                t("Cases / patients", "病例 / 患者"),
                t("Dice (95 % interval)", "Dice（95% 区间）"),
            ),
            rows=tuple(rows),
            widths=(3, 2, 4),
        ),
        Figure(
            key="outlines-subgroups",
            svg=matter.pen.forest(forest, label="Dice", reference=None, limits=(0.0, 1.0)),
            caption=t(
                "Dice by subgroup with 95 % interval, cases with something outlined. Below ten patients no figure is "
                "given. A difference between subgroups whose intervals overlap is no finding.",
                "各亚组 Dice 及 95% 区间（只计有轮廓的病例）。少于十名患者时不给出数字。"
                "区间重叠的亚组之间的差别不能算作发"
                "现。",
            ),
        ),
    )


def more(matter: Matter) -> tuple[Part, ...]:
    """Half the patients against all of them."""
    t, curve = matter.t, matter.said["learning_curve"]
    few, many = (f"{one:.0f}" for one in curve["patients"])
    means = {
        "more cases would help": t(
            "All patients give better outlines than half of them, so more are likely to help.",
            "用全部患者训练优于只用一半，继续增加病例可能有帮助。",
        ),
        "more cases would not help": t(
            "All patients hardly give better outlines than half of them: more of the same kind are wasted effort; "
            "better outlines or other pictures may help.",
            "用全部患者训练与只用一半相差无几：再收集同类病例收效甚微；提高标注质量或换用其他图像可能更有用。",
        ),
    }.get(
        curve["verdict"],
        t(
            "Between half of the patients and all of them no difference is sure, and none is ruled out; with few cases "
            "this is the usual answer.",
            "用一半与全部患者训练的差别既不能确定，也不能排除；病例少时通常如此。",
        ),
    )
    return (
        Text(text=means),
        Table(
            columns=(t("Patients in training", "训练患者数"), t("Dice (95 % interval)", "Dice（95% 区间）")),
            rows=(
                (few, interval(curve["half"])),
                (many, interval(curve["whole"])),
                (t("Gain by doubling, paired", "加倍的增益（配对）"), interval(curve["gain"])),
            ),
            widths=(2, 3),
        ),
        Text(
            kind="note",
            text=t(
                "A coarse curve of two points: the same cases, outlined by models that learnt from half of the "
                "training patients and from all of them.",
                "粗略的两点学习曲线：相同病例，分别由用一半和全部训练患者训练的模型勾画。",
            ),
        ),
    )


def errors(matter: Matter) -> tuple[Part, ...]:
    """The worst cases, and typical ones beside them, with both outlines."""
    t = matter.t
    scores = [
        CaseScore(
            case=one["case"], dice=tuple(one["dice"]), surface=tuple(one["surface"]),
            true_size=tuple(one["true_size"]), found_size=tuple(one["found_size"]),
        )
        for one in matter.said["scores"]
    ]  # fmt: skip
    overlap = case_means(scores)
    has = np.flatnonzero(np.isfinite(overlap))
    order = has[np.argsort(overlap[has], kind="stable")]
    middle = max((len(order) - TYPICAL) // 2, 0)
    worst = order[: min(WORST, len(order))]
    typical = [place for place in order[middle : middle + TYPICAL] if place not in set(worst.tolist())]
    invented = [place for place in range(len(scores)) if np.isnan(overlap[place]) and any(scores[place].found_size)]
    parts: list[Part] = [
        Text(
            text=t(
                "Blue, solid: the outline that was given. Orange, dashed: the model, which had not seen the patient. "
                "Look whether the model went wrong, or the outline that was given did.",
                "蓝色实线：提供的轮廓。橙色虚线：模型（未见过该患者）的轮廓。请看是模型有误，还是所提供的轮廓有误。",
            )
        ),
        Text(kind="head", text=t("Worst cases", "最差的病例")),
        Gallery(tiles=tuple(_tile(matter, scores[place], float(overlap[place])) for place in worst)),
    ]
    if typical:
        parts += [
            Text(kind="head", text=t("Typical cases, about the median", "典型病例（中位数附近）")),
            Gallery(tiles=tuple(_tile(matter, scores[place], float(overlap[place])) for place in typical)),
        ]
    if invented:
        head = t(f"Outlined although nothing is there: {len(invented)}", f"没有目标却勾画了轮廓：{len(invented)} 例")
        parts += [
            Text(kind="head", text=head),
            Gallery(tiles=tuple(_tile(matter, scores[place], None) for place in invented[:TYPICAL])),
        ]
    return tuple(parts)


def _tile(matter: Matter, score: CaseScore, overlap: float | None) -> Tile:
    t = matter.t
    unit, by = unit_of(matter)
    true, found = (size_told(sum(sizes), by) for sizes in (score.true_size, score.found_size))
    lines = [] if overlap is None else [f"Dice {number(overlap, 2)}"]
    if not any(score.found_size):
        lines.append(t("nothing found", "未找到目标"))
    lines.append(t(f"true {true}, found {found} {unit}", f"真实 {true}，模型 {found} {unit}"))
    picture = matter.pictures.get(score.case)
    if picture is None:
        lines.append(t("picture not given", "未提供图像"))
    return Tile(picture=picture, title=shortened(matter.file(score.case), 40), lines=tuple(lines))
