"""The section on the model itself: card, versions, hashes, and where each item of CLAIM and TRIPOD+AI is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from consilium.specialist.report.facts import STATED
from consilium.specialist.report.items import ITEMS
from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import Part, Table, Text, facts_table, plain
from consilium.specialist.report.wording import INTENDED, NOT_A_DEVICE

_LINEAR = ("regularised linear model on standardised features", "标准化特征上的正则化线性模型")
_HEADS = {
    "segment": (
        "pixel classifier (linear, or one hidden layer) on the maps of the encoder and on the picture",
        "像素分类器（线性或单隐层），输入为编码器特征图与图像本身",
    ),
    "detect": (
        "two small networks on the maps of the encoder: one proposes boxes, one names and moves them",
        "两个小型网络，输入为编码器特征图：一个提出候选框，一个判断标签并修正位置",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """Where one item of a checklist is told.

    Attributes:
        checklist, number: which item.
        title: in the language of the report.
        where: key of a section; empty where it is in none.
        answer: for people: the section, the maker's words, that it was not said, or why it does not apply.
        status: for programs.
    """

    checklist: str
    number: str
    title: str
    where: str
    answer: str
    status: str


def checklists(matter: Matter) -> tuple[Told, ...]:
    """Every item of both lists."""
    t = matter.t
    place = 1 if matter.lang == "zh" else 0
    by_key = {item.key: item for item in matter.items}
    numbers = {key: number for number, key, _, _ in ITEMS}
    found = []
    for checklist in _lists():
        for item in checklist["items"]:
            where, status = "", "told"
            if "section" in item:
                where = item["section"]
                own = by_key.get(where)
                if own is None:
                    answer = t("verdict, first page", "首页结论")
                else:
                    answer = t(f"section {numbers[where]}", f"第 {numbers[where]} 节")
                    if own.status != "given":
                        status = own.status
                        answer += t(f": {own.reason[0]}", f"：{own.reason[1]}")
            elif "stated" in item:
                said = plain(str(matter.facts.stated.get(item["stated"], ""))).strip()
                status = "told" if said else "not stated"
                answer = said or t("not stated by the maker", "模型制作者未说明")
            else:
                status = "not applicable"
                reason = item["not_applicable"][place]
                answer = t(f"not applicable: {reason}", f"不适用：{reason}")
            found.append(
                Told(
                    checklist=checklist["name"], number=item["number"], title=item["title"][place], where=where,
                    answer=answer, status=status,
                )
            )  # fmt: skip
    return tuple(found)


@cache
def _lists() -> list[Mapping[str, Any]]:
    text = resources.files("consilium.specialist.report").joinpath("checklists.json").read_text(encoding="utf-8")
    found: list[Mapping[str, Any]] = json.loads(text)["checklists"]
    unknown = {item.get("stated") for one in found for item in one["items"]} - {None, *STATED}
    assert not unknown, unknown
    return found


def _tuning(matter: Matter) -> str:
    rounds = (matter.said.get("ways") or {}).get("rounds")
    return matter.t(", its last stage fine-tuned", "，最后阶段经过微调") if rounds else ""


def card(matter: Matter) -> tuple[Part, ...]:
    """The model card."""
    t, facts, said = matter.t, matter.facts, matter.said
    labels = ", ".join(matter.labels) or t("a quantity", "一个数值")
    rows = [
        (t("Name and version", "名称与版本"), f"{facts.name} {facts.version}"),
        (t("Task", "任务"), matter.word(said["task"])),
        (t("Labels", "标签"), labels),
        (t("Intended use", "预期用途"), t(*INTENDED) if facts.intended_use == INTENDED[0] else facts.intended_use),
        (t("Made", "制作时间"), facts.created),
        (t("Features", "特征"), facts.encoder + _tuning(matter)),
        (t("Head", "分类头"), t(*_HEADS.get(said["task"], _LINEAR))),
        (t("Seed", "随机种子"), str(said["seed"])),
        (t("Software", "软件"), f"Consilium {facts.consilium_version}"),
        (t("Versions", "版本"), ", ".join(f"{name} {one}" for name, one in sorted(facts.versions.items()))),
        *((f"SHA-256: {name}", one) for name, one in sorted(facts.hashes.items())),
    ]
    parts: list[Part] = [Text(kind="mark", text=t(*NOT_A_DEVICE)), facts_table(rows)]
    for name in dict.fromkeys(one.checklist for one in checklists(matter)):
        source = next(one["source"] for one in _lists() if one["name"] == name)
        parts.append(Text(kind="head", text=f"{name} ({source})"))
        parts.append(
            Table(
                columns=(t("Item", "条目"), t("Asks for", "要求"), t("Told in", "见")),
                rows=tuple((one.number, one.title, one.answer) for one in checklists(matter) if one.checklist == name),
                widths=(0, 5, 4),
            )
        )
    return tuple(parts)
