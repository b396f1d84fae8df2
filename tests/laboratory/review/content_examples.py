"""A content of a report, as tests need one."""

from __future__ import annotations

from typing import Any

from consilium.laboratory.review.content import (
    CellLine,
    Check,
    Karyogram,
    Model,
    Mosaicism,
    ReportContent,
    Specimen,
)

CELLS = tuple(f"{number:02d}.png" for number in range(1, 21))


def content(**entries: Any) -> ReportContent:
    """A first report of a normal case, with entries replaced."""
    told: dict[str, Any] = {
        "laboratory": "Laboratory of the tests", "zone": "Asia/Shanghai", "banding": ("G",),
        "case_number": "K26-0000001", "revision": 1,
        "patient_number": "P0000017", "specimen": "constitutional_blood",
        "specimens": (
            Specimen(
                label="S26-0000001-5", kind="constitutional_blood", condition="good",
                collected="2026-03-01T08:00:00.000Z", received="2026-03-01T09:30:00.000Z",
            ),
        ),
        "received": "2026-03-01T09:30:00.000Z", "indication": "反复流产", "referrer": "Dr. Wang", "order_number": "",
        "iscn": "46,XX", "cells_counted": CELLS, "cells_analysed": CELLS[:5], "cells_karyotyped": CELLS[:2],
        "band_level": 550, "lines": (CellLine(iscn="46,XX[20]", cells=CELLS),),
        "interpretation": {"en": "No gain or loss was found.", "zh": "未发现异常。"},
        "limitations": {"en": ("Small changes are not seen.",), "zh": ("不能排除微小改变。",)},
        "mosaicism": Mosaicism(cells=20, at_95=0.1391, at_99=0.2057),
        "checks": (
            Check(what="counted", asked=20, found=20, met=True, source="ACMG", reason=""),
            Check(what="cultures", asked=2, found=None, met=None, source="ECA", reason=""),
        ),
        "karyograms": (
            Karyogram(cell="01.png", karyotype="46,XX", sha256="ab" * 32, interactions=7, synthetic=True),
            Karyogram(cell="02.png", karyotype="46,XX", sha256="cd" * 32, interactions=3, synthetic=True),
        ),
        "analysed_by": "tang", "reviewed_by": "ren", "disagreements": 1, "unreviewed": 0,
        "models": (Model(name="classifier", version="1.2", sha256="ef" * 32),), "consilium": "0.1.0",
    }  # fmt: skip
    return ReportContent(**(told | entries))
