"""The section on single cases: labels to look at again, and what the model gets most wrong."""

from __future__ import annotations

import numpy as np

from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import (
    Gallery,
    Part,
    Text,
    Tile,
    number,
    percent,
    shortened,
)

MOST_TILES = 12
"""Pictures in a gallery; the list goes on in report.json."""


def errors(matter: Matter) -> tuple[Part, ...]:
    """Labels to look at again, and the cases that the model gets most wrong."""
    t, said = matter.t, matter.said
    parts: list[Part] = []
    if said["task"] in {"binary", "multiclass"}:
        issues = said["label_issues"]
        parts.append(
            Text(kind="head", text=t(f"Labels to look at again: {len(issues)}", f"可疑标签：{len(issues)} 个"))
        )
        parts.append(
            Text(
                text=t(
                    "The model finds these labels unlikely although it has not seen the cases. Some are slips of the "
                    "pen, some are the interesting cases. Look; do not relabel by the list.",
                    "模型未见过这些病例，却认为其标签不太可能。有些是笔误，有些恰是值得研究的病例。请逐一查看，不要"
                    "照单改标签。",
                )
            )
        )
        tiles = [
            _tile(
                matter,
                one["case"],
                t(
                    f"labelled {matter.labels[one['given']]} (probability {percent(one['probability'])})",
                    f"标签：{matter.labels[one['given']]}（概率 {percent(one['probability'])}）",
                ),
                t(f"rather {matter.labels[one['suggested']]}", f"更像：{matter.labels[one['suggested']]}"),
            )
            for one in issues[:MOST_TILES]
        ]
        parts.append(Gallery(tiles=tuple(tiles)) if tiles else Text(text=t("None.", "无。")))
        if len(issues) > MOST_TILES:
            more = len(issues) - MOST_TILES
            parts.append(
                Text(kind="note", text=t(f"and {more} more, in report.json", f"另有 {more} 个，见 report.json"))
            )
    else:
        parts.append(
            Text(
                text=t(
                    "Suspicious labels are looked for only where each case has one class.",
                    "可疑标签的查找只用于每例一个类别的任务。",
                )
            )
        )
    parts.append(Text(kind="head", text=t("Worst errors", "最严重的错误")))
    worst = _worst(matter)
    parts.append(Gallery(tiles=tuple(worst)) if worst else Text(text=t("No case was misread.", "没有判错的病例。")))
    parts.append(
        Text(
            kind="note",
            text=t(
                "Saliency maps are not part of this report: without outlines of what matters nobody can check them, "
                "and they look convincing of wrong models too.",
                "本报告不含显著性图：没有病灶轮廓就无法核对，而错误的模型也能给出看似可信的图。",
            ),
        )
    )
    return tuple(parts)


def _worst(matter: Matter) -> list[Tile]:
    t, predicted, targets, numbers = matter.t, matter.predicted, matter.targets, matter.numbers
    if matter.said["task"] == "regress":
        wrong = np.abs(predicted - targets)[:, 0]
        return [
            _tile(
                matter,
                int(numbers[place]),
                t(f"truth {number(targets[place, 0])}", f"真值 {number(targets[place, 0])}"),
                t(f"told {number(predicted[place, 0])}", f"预测 {number(predicted[place, 0])}"),
            )
            for place in np.argsort(-wrong, kind="stable")[:MOST_TILES]
        ]
    tiles = []
    if matter.said["task"] == "multilabel":
        wrong = np.abs(predicted - targets)
        for flat in np.argsort(-wrong, axis=None, kind="stable")[:MOST_TILES].tolist():
            place, label = divmod(flat, wrong.shape[1])
            if wrong[place, label] <= 0.5:
                break
            name, has = matter.labels[label], targets[place, label] > 0.5
            truth = t(f"{'has' if has else 'has not'} {name}", f"{'有' if has else '无'} {name}")
            told = percent(float(predicted[place, label]))
            tiles.append(
                _tile(matter, int(numbers[place]), truth, t(f"probability told {told}", f"模型给出的概率 {told}"))
            )
        return tiles
    classes = matter.truth
    own = predicted[np.arange(len(classes)), classes]
    for place in np.argsort(own, kind="stable")[:MOST_TILES].tolist():
        answer = int(predicted[place].argmax())
        if answer == classes[place]:
            continue
        is_so, told = matter.labels[classes[place]], percent(float(predicted[place, answer]))
        tiles.append(
            _tile(
                matter,
                int(numbers[place]),
                t(f"is {is_so}", f"实为 {is_so}"),
                t(f"answer {matter.labels[answer]} ({told})", f"回答 {matter.labels[answer]}（{told}）"),
            )
        )
    return tiles


def _tile(matter: Matter, case: int, *lines: str) -> Tile:
    picture = matter.pictures.get(case)
    absent = () if picture is not None else (matter.t("picture not given", "未提供图像"),)
    return Tile(picture=picture, title=shortened(matter.file(case), 40), lines=(*lines, *absent))
