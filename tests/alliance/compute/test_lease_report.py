"""A proposal is explained alike in both languages, and its drawing holds every hospital."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta

import numpy as np
import pytest

from consilium.alliance.compute.lease_plan import LeasePlan, propose
from consilium.alliance.compute.lease_report import drawings, explained, in_words, lease_pdf, lease_table
from consilium.alliance.compute.need import Need
from consilium.typesetting.fonts import find_chinese_font, usual_font_folders

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def plan() -> LeasePlan:
    """Seven hospitals: plain, growing, new, of three weeks, and too little for all."""
    rng = np.random.default_rng(1)
    cores = rng.poisson(6.0, (6, 8, 168)).astype(np.float64)
    cores[1] = rng.poisson(6.0 * 1.08 ** np.arange(8)[:, None], (8, 168))
    cores[2, :5] = np.nan
    need = Need(
        hospitals=("a", "growing", "late", "d", "e", "f"),
        weeks=tuple(date(2026, 1, 5) + timedelta(weeks=one) for one in range(8)),
        cores=cores,
    )
    return propose(need, capacity=66, risk=0.05, owned={"a": 3, "new": 2}, draws=20)


def test_both_languages_say_the_same(plan: LeasePlan) -> None:
    english, chinese = (explained(plan, lang=lang) for lang in ("en", "zh"))
    assert [kind for kind, _ in english] == [kind for kind, _ in chinese]
    for (_, one), (_, other) in zip(english, chinese, strict=True):
        assert not CHINESE.search(one) and CHINESE.search(other)
        assert set(re.findall(r"\d+", one)) >= set(re.findall(r"\d+", other)) - {"95"}
    text = " ".join(one for _, one in english)
    assert "new: fewer than two whole weeks" in text and "late: only 3 weeks" in text
    assert "growing: the need changes by +" in text
    assert "all together want more than there is" in text


def test_hours_in_chinese() -> None:
    assert in_words(tuple(range(168)), "zh") == "全周"
    assert in_words((8, 9, 32, 33, 130), "zh") == "周一至周二 08-10，周六 10-11"
    assert in_words((8,), "en") == "Mon 08-09"


def test_the_table_holds_all_leases(plan: LeasePlan) -> None:
    rows = lease_table(plan, lang="zh").rows
    assert len(rows) == len(plan.leases()) and {row[0] for row in rows} == {
        "a",
        "growing",
        "late",
        "d",
        "e",
        "f",
        "new",
    }


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_drawing_and_the_pdf(plan: LeasePlan, lang: str) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib (extra `specialist`) is not installed")
    chinese = find_chinese_font(usual_font_folders())
    if lang == "zh" and chinese is None:
        pytest.skip("no Chinese font is installed")
    found = drawings(plan, lang=lang, chinese=chinese)  # type: ignore[arg-type]
    assert len(found) == 2 and all(one.startswith("<svg") for one in found)
    # Seven hospitals and all together, each with its own axes.
    assert sum(len(re.findall(r'<g id="axes_\d+">', one)) for one in found) == 8
    pytest.importorskip("typst", reason="Typst (extra `pdf`) is not installed")
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    page = lease_pdf(plan, lang=lang, chinese=chinese, created="2026-03-02T00:00:00+00:00")  # type: ignore[arg-type]
    text = "\n".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(page)).pages)
    for one in plan.leases():
        assert one.hospital in text
    assert ("2026-02-23" in text) and bool(CHINESE.search(text)) is (lang == "zh")
