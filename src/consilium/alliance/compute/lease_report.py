"""A proposal of leases, explained: what each hospital needs, what it would be given, why; with a drawing.

In the drawing the line is the mean need of each hour, the band the 95 % interval of the need at the stated risk, the
steps what is proposed, and the dashed line what the hospital owns.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from consilium.alliance.compute.lease_hours import HOURS, hours_in_words
from consilium.alliance.compute.lease_plan import LeasePlan, Planned
from consilium.alliance.compute.sheet import Language, Part, Sheet, sheet_pdf
from consilium.specialist.report.parts import Figure, Table, Text
from consilium.specialist.report.plots import BLUE, INK, RED, SOFT, WASH, Pen

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}
_A_PAGE = 5
"""Hospitals a drawing, so that each can be read in print."""


def drawings(plan: LeasePlan, *, lang: Language, chinese: Path | None) -> list[str]:
    """The proposal as SVG, some hospitals each, the last with all together.

    Raises:
        MissingExtra: matplotlib is not installed.
        MissingFont: a letter is in no font at hand.
    """
    pen = Pen(chinese)
    rows: list[Planned | None] = [*plan.hospitals, None]
    groups = [rows[place : place + _A_PAGE] for place in range(0, len(rows), _A_PAGE)]
    found = []
    for group in groups:

        def draw(figure: Any, group: list[Planned | None] = group) -> None:
            grid = figure.subplots(len(group), 1, sharex=True, squeeze=False)[:, 0]
            for place, (axes, one) in enumerate(zip(grid, group, strict=True)):
                if one is None:
                    _all_together(axes, plan, lang)
                else:
                    _one(axes, one, lang)
                _week(axes, lang)
                if place == 0:
                    axes.legend(loc="lower right", ncols=4, bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)

        found.append(pen.drawn((7.2, 0.45 + 1.28 * len(group)), draw))
    return found


def lease_pdf(plan: LeasePlan, *, lang: Language, chinese: Path | None, created: str = "") -> bytes:
    """The proposal as PDF.

    Raises:
        MissingExtra, MissingFont, OutputError: see `sheet_pdf` and `drawings`.
    """
    created = created or datetime.now(UTC).isoformat(timespec="seconds")

    def t(english: str, chinese_text: str) -> str:
        return chinese_text if lang == "zh" else english

    parts: list[Part] = [Text(text=line, kind=kind) for kind, line in explained(plan, lang=lang)]
    caption = t(
        "Cores by hour of the week. Line: mean need. Band: 95 % interval of the need at the stated risk. Steps: "
        "proposed lease. Dashed: what the hospital owns.",
        "按一周各小时的核数。细线：平均需求；色带：在所述短缺风险下需求的 95 % 区间；"
        "阶梯线：建议的租约；虚线：医院自有的核数。",
    )
    for place, svg in enumerate(drawings(plan, lang=lang, chinese=chinese)):
        parts.append(Figure(key=f"week-{place}", svg=svg, caption=caption))
    parts += [Text(text=t("Proposed leases", "建议的租约"), kind="head"), lease_table(plan, lang=lang)]
    sheet = Sheet(
        lang=lang,
        title=t("Proposal of leases", "算力租约建议"),
        subtitle=t(
            f"From the weeks of {plan.weeks[0]} to {plan.weeks[1]} · made {created}",
            f"依据 {plan.weeks[0]} 至 {plan.weeks[1]} 各周的历史 · 生成于 {created}",
        ),
        notice=t("A proposal: it holds when the operator has applied it.", "本文为建议，经联盟运营者确认后方才生效。"),
        parts=parts,
    )
    return sheet_pdf(sheet, chinese=chinese, created=created)


def explained(plan: LeasePlan, *, lang: Language) -> list[tuple[str, str]]:
    """The proposal in sentences, each with its kind: "body" or "mark" (something to mind)."""

    def t(english: str, chinese: str) -> str:
        return chinese if lang == "zh" else english

    together = np.sum([one.cores for one in plan.hospitals], axis=0)
    peaks = sum(int(one.wanted.max()) for one in plan.hospitals)
    said = [(
        "body",
        t(
            f"Each hospital is to have so many cores that in {1 - plan.risk:.0%} of the hours it needs no more. All "
            f"together that is {together.mean():.0f} cores on average and {together.max()} at most, of "
            f"{plan.capacity}; if each bought for its own busiest hour, it would be {peaks} at any time.",
            f"每家医院获得的核数使其在 {1 - plan.risk:.0%} 的小时里不需要更多。"
            f"全体合计平均 {together.mean():.0f} 核、最多 {together.max()} 核，总量为 {plan.capacity} 核；"
            f"若各家按自己最忙的小时购置，则任何时候都需 {peaks} 核。",
        ),
    )]  # fmt: skip
    if plan.scarce:
        hours, many = in_words(plan.scarce, lang), len(plan.scarce)
        said.append((
            "mark",
            t(
                f"In {many} hours of the week all together want more than there is ({hours}). There each "
                "keeps what it owns and the rest is shared evenly, so the stated risk does not hold for those "
                "who get less.",
                f"一周中有 {many} 个小时的总需求超过总量（{hours}）。"
                "此时各家保有自有核数，其余均分；分得较少者不再满足所述风险。",
            ),
        ))  # fmt: skip
    said += [("mark", line) for one in plan.hospitals for line in _to_mind(one, lang)]
    return said


def lease_table(plan: LeasePlan, *, lang: Language) -> Table:
    """The leases as a table: hospital, cores, hours."""
    heads = {"en": ("Hospital", "Cores", "Hours"), "zh": ("医院", "核数", "时段")}[lang]
    rows = [(one.hospital, str(one.cores), in_words(one.hours, lang)) for one in plan.leases()]
    return Table(columns=heads, rows=tuple(rows), widths=(3, -1, 9))


def in_words(hours: tuple[int, ...], lang: Language) -> str:
    """Hours of the week in a language."""
    told = hours_in_words(hours)
    if lang == "zh":
        for english, chinese in zip(_DAYS["en"], _DAYS["zh"], strict=True):
            told = told.replace(english, chinese)
        return told.replace("always", "全周").replace("-周", "至周").replace(", ", "，")
    return told


def _to_mind(one: Planned, lang: Language) -> list[str]:
    told, name = one.forecast, one.hospital
    zh = lang == "zh"
    if told is None:
        return [
            f"{name}：历史不足两周，无法预测；仅保有自有的 {one.owned} 核。"
            if zh
            else f"{name}: fewer than two whole weeks of history, so nothing is forecast; it keeps its {one.owned}."
        ]
    lines = []
    if told.provisional:
        lines.append(
            f"{name}：历史仅 {told.weeks} 周，此建议为暂定，按所见最大偏差取值；四周后请重新规划。"
            if zh
            else f"{name}: only {told.weeks} weeks of history, so this is provisional and goes by the largest "
            "deviation seen; plan again after four weeks."
        )
    elif told.beyond:
        lines.append(
            f"{name}：所述风险小于历史所能反映的程度（{told.beyond} 个小时），此处取所见最大偏差。"
            if zh
            else f"{name}: in {told.beyond} hours the risk is smaller than the history can tell; the largest deviation "
            "seen stands there."
        )
    if told.trend != 1:
        lines.append(
            f"{name}：需求每周变化 {told.trend - 1:+.1%}，已按此趋势外推。"
            if zh
            else f"{name}: the need changes by {told.trend - 1:+.1%} a week, and the plan goes on with that."
        )
    return lines


def _one(axes: Any, one: Planned, lang: Language) -> None:
    edges = np.arange(HOURS + 1)
    zh = lang == "zh"
    if one.forecast is not None:
        told = one.forecast
        axes.fill_between(
            edges, np.append(told.low, told.low[-1]), np.append(told.high, told.high[-1]), step="post", color=BLUE,
            alpha=0.22, lw=0, label="风险下的需求" if zh else "need at the risk",
        )  # fmt: skip
        axes.plot(edges[:-1] + 0.5, told.mean, color=INK, lw=0.8, label="平均需求" if zh else "mean need")
    axes.stairs(one.cores, edges, color=BLUE, lw=1.5, baseline=None, label="租约" if zh else "lease")
    if one.owned:
        axes.axhline(one.owned, color=SOFT, lw=0.8, ls=(0, (4, 3)), label="自有" if zh else "owned")
    axes.set_title(one.hospital, loc="left")
    top = max(float(one.cores.max()), float(one.wanted.max()), 1.0)
    high = top if one.forecast is None else float(one.forecast.high.max())
    axes.set_ylim(0, 1.06 * min(max(high, top), 1.6 * top))


def _all_together(axes: Any, plan: LeasePlan, lang: Language) -> None:
    edges = np.arange(HOURS + 1)
    zh = lang == "zh"
    together = np.sum([one.cores for one in plan.hospitals], axis=0)
    wanted = np.sum([one.wanted for one in plan.hospitals], axis=0)
    axes.stairs(wanted, edges, color=RED, lw=0.9, ls="--", baseline=None, label="所需" if zh else "wanted")
    axes.stairs(together, edges, color=BLUE, lw=1.5, baseline=None, label="租约" if zh else "leases")
    axes.axhline(plan.capacity, color=INK, lw=1.0, label="总量" if zh else "there is")
    axes.set_title("全体" if zh else "All together", loc="left")
    axes.set_ylim(0, max(float(wanted.max()), plan.capacity) * 1.12)
    axes.legend(loc="lower right", ncols=3, bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)


def _week(axes: Any, lang: Language) -> None:
    for night in range(24, HOURS, 24):
        axes.axvline(night, color=WASH, lw=1.0, zorder=0)
    axes.axvspan(120, HOURS, color=WASH, alpha=0.6, lw=0, zorder=-1)
    axes.set_xlim(0, HOURS)
    axes.set_xticks([day * 24 + 12 for day in range(7)], _DAYS[lang])
    axes.tick_params(axis="x", length=0)
    axes.locator_params(axis="y", integer=True, nbins=4)
    axes.set_ylabel("核" if lang == "zh" else "cores")
