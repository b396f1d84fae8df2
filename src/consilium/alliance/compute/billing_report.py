"""The bill of a month for people: a table for other programs (CSV), and a sheet to print and send round."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from consilium.alliance.compute.billing import Share, shared_bill
from consilium.alliance.compute.rates import Rates
from consilium.alliance.compute.sheet import Language, Part, Sheet, sheet_pdf
from consilium.errors import NothingToDo
from consilium.specialist.report.parts import Table, Text

COLUMNS = (
    "hospital", "month", "jobs", "failed", "own_core_hours", "borrowed_core_hours", "lost_core_hours", "gpu_hours",
    "cost", "currency",
)  # fmt: skip


def bill_csv(used: Sequence[Share], rates: Rates) -> str:
    """All shares as CSV, hours to the thousandth."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in used:
        hours = (one.own_core_hours, one.borrowed_core_hours, one.lost_core_hours, one.gpu_hours)
        told = [f"{value:.3f}" for value in hours]
        writer.writerow([_plain(one.hospital), one.month, one.jobs, one.failed, *told, one.cost, rates.currency])
    return page.getvalue()


def bill_pdf(
    used: Sequence[Share], rates: Rates, *, month: str, lang: Language, chinese: Path | None,
    total: Decimal | None = None, created: str = "",
) -> bytes:  # fmt: skip
    """The bill of one month as PDF.

    Args:
        used: shares; those of other months are left out.
        rates: by which they were priced.
        month: "2026-11".
        lang: of the text.
        chinese: a font file with Chinese; None where there is none.
        total: a bill for all that is to be shared in proportion; None: everybody pays by the rates.
        created: ISO 8601; now where it is empty.

    Raises:
        NothingToDo: nobody used anything in that month.
        MissingExtra, MissingFont, OutputError: see `sheet_pdf`.
    """
    of_month = [one for one in used if one.month == month]
    if not of_month:
        raise NothingToDo(f"nobody used anything in {month}", way_out="`consilium compute cost` lists the months.")
    created = created or datetime.now(UTC).isoformat(timespec="seconds")
    return sheet_pdf(_sheet(of_month, rates, month, lang, total, created), chinese=chinese, created=created)


def _sheet(
    used: Sequence[Share], rates: Rates, month: str, lang: Language, total: Decimal | None, created: str
) -> Sheet:
    def t(english: str, chinese: str) -> str:
        return chinese if lang == "zh" else english

    parts: list[Part] = [_table(used, rates, lang)]
    if total is not None:
        paid = shared_bill(total, used, rates)
        parts += [
            Text(text=t("Shares of a common bill", "共同账单的分摊"), kind="head"),
            Text(
                text=t(
                    f"{total} {rates.currency} are shared in proportion to the cost above, rounded by largest "
                    "remainder so that the parts add up exactly.",
                    f"{total} {rates.currency} 按上表费用的比例分摊，用最大余数法取整，各份之和与总额完全相等。",
                )
            ),
            Table(
                columns=(
                    t("Hospital", "医院"),
                    t("Share", "比例"),
                    t(f"Pays, {rates.currency}", f"应付，{rates.currency}"),
                ),
                rows=(
                    *((name, _percent(part, total), _money(part, rates)) for name, part in paid.items()),
                    (
                        "Σ",
                        _percent(sum(paid.values(), Decimal(0)), total),
                        _money(sum(paid.values(), Decimal(0)), rates),
                    ),
                ),
                widths=(3, -2, -2),
            ),
        ]
    parts += [Text(text=t("How it is counted", "计算方法"), kind="head"), *_rules(rates, lang)]
    return Sheet(
        lang=lang,
        title=t(f"Usage and cost, {month}", f"算力用量与费用，{month}"),
        subtitle=t(f"Consilium alliance · made {created}", f"Consilium 联盟 · 生成于 {created}"),
        notice=t(
            "From the list of jobs; no names of jobs, people or patients.",
            "由作业清单得出；不含作业名、人员或患者姓名。",
        ),
        parts=parts,
    )


def _table(used: Sequence[Share], rates: Rates, lang: Language) -> Table:
    heads = {
        "en": ("Hospital", "Jobs", "Failed", "Own core-h", "Borrowed core-h", "Lost core-h", "GPU-h", "Cost"),
        "zh": ("医院", "作业", "失败", "自有核时", "借用核时", "损失核时", "GPU 卡时", "费用"),
    }[lang]
    rows = [
        (
            one.hospital, f"{one.jobs:,}", f"{one.failed:,}", _hours(one.own_core_hours),
            _hours(one.borrowed_core_hours), _hours(one.lost_core_hours), _hours(one.gpu_hours),
            _money(one.cost, rates),
        )
        for one in used
    ]  # fmt: skip
    zero = Decimal(0)
    rows.append((
        "Σ", f"{sum(one.jobs for one in used):,}", f"{sum(one.failed for one in used):,}",
        _hours(sum((one.own_core_hours for one in used), zero)),
        _hours(sum((one.borrowed_core_hours for one in used), zero)),
        _hours(sum((one.lost_core_hours for one in used), zero)),
        _hours(sum((one.gpu_hours for one in used), zero)), _money(sum((one.cost for one in used), zero), rates),
    ))  # fmt: skip
    comma = "，" if lang == "zh" else ", "
    return Table(
        columns=(*heads[:-1], f"{heads[-1]}{comma}{rates.currency}"), rows=tuple(rows),
        widths=(5, -2, -2, -3, -3, -3, -3, -4),
    )  # fmt: skip


def _rules(rates: Rates, lang: Language) -> list[Part]:
    money = rates.currency
    if lang == "zh":
        price = f"单价：每核时 {rates.core_hour} {money}，每 GPU 卡时 {rates.gpu_hour} {money}；"
        price += f"借用的空闲资源按 {rates.borrowed} 倍计，因为随时可能被归还给所有者。"
        counted = "作业计入其结束的月份。因归还借用资源而作废的运行列为“损失”，不收费；节点故障时的运行不计入。"
        rounded = "各栏按未取整的数值求和后再取整，显示的小时数之和可能与合计末位相差；费用逐行取整，合计即各行之和。"
    else:
        price = f"Rates: {rates.core_hour} {money} a core-hour, {rates.gpu_hour} {money} a GPU-hour; borrowed idle "
        price += f"capacity at {rates.borrowed} of that, since its owner may take it back at any moment."
        counted = "A job counts in the month in which it ended. Runs that gave borrowed cores back are shown as lost "
        counted += "and not billed; runs whose machine died are not counted."
        rounded = "Hours are added up before they are rounded, so shown hours may differ from their sum in the last "
        rounded += "digit; costs are rounded by line, and their sum is that of the lines."
    return [Text(text=line) for line in (price, counted, rounded)]


def _hours(value: Decimal) -> str:
    return f"{value:,.2f}"


def _money(value: Decimal, rates: Rates) -> str:
    return f"{value:,.{rates.digits}f}"


def _percent(part: Decimal, total: Decimal) -> str:
    return f"{part / total:.2%}" if total else "0.00%"


def _plain(name: str) -> str:
    """A name that a spreadsheet does not take for a formula."""
    return f"'{name}" if name[:1] in "=+-@\t\r" and name else name
