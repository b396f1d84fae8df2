"""`consilium modalities`: the nineteen kinds of images, and which of them a shipped model was trained on."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Literal

import click

from consilium.artefact.card import read_card, shipped_cards
from consilium.cli.language import language_option
from consilium.imaging.modalities import Modality, Status, statuses
from consilium.imaging.modalities import modalities as all_modalities

_STATUS_ZH: dict[Status, str] = {"trained": "已训练", "accepted, untrained": "可读取，未训练"}
_FORM: dict[str, tuple[str, str]] = {
    "plane": ("picture", "单幅图像"),
    "volume": ("volume", "三维体数据"),
    "frames": ("frames over time", "时间序列"),
    "slide": ("slide", "全视野切片"),
    "channels": ("channels", "多通道"),
}
_HEADINGS = {
    "en": ("id", "modality", "DICOM", "form", "status"),
    "zh": ("代号", "模态", "DICOM", "形式", "状态"),
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the table as one JSON list, with the status of each.")
@language_option
def modalities(as_json: bool, lang: Literal["zh", "en"]) -> None:
    """List the kinds of images that are read, and which a shipped model was trained on.

    The status comes from the cards of the shipped models: "trained" where one names the modality, otherwise "accepted,
    untrained": such images are read and evened out, but no shipped model has learnt from any.
    """
    status = statuses(read_card(path).modalities for path in shipped_cards())
    if as_json:
        rows = [asdict(entry) | {"status": status[entry.id]} for entry in all_modalities()]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        click.echo(table(status, lang))


def table(status: dict[str, Status], lang: Literal["zh", "en"]) -> str:
    """The modalities as lines of aligned columns.

    Args:
        status: id -> status.
        lang: of the names.
    """
    rows = [_HEADINGS[lang], *(_row(entry, status[entry.id], lang) for entry in all_modalities())]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(entry: Modality, status: Status, lang: Literal["zh", "en"]) -> tuple[str, ...]:
    chinese = lang == "zh"
    return (
        entry.id,
        entry.name_zh if chinese else entry.name_en,
        ", ".join(entry.dicom_modalities),
        _FORM[entry.native_form][chinese],
        _STATUS_ZH[status] if chinese else status,
    )


def _width(text: str) -> int:
    """Columns on a terminal: East Asian wide and full-width characters take two (UAX #11)."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
