"""Writing is seen in pictures that have it, and mostly not where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from consilium.imaging.deidentify.burnt_in import suspected_text
from consilium.typesetting.fonts import find_chinese_font, usual_font_folders

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results" / "deidentify.json"


def ground(kind: str, shape: tuple[int, int] = (240, 420)) -> NDArray[np.uint8]:
    """What a picture shows: nothing, a slope, noise, or round shapes."""
    rng = np.random.default_rng(4)
    page = np.full(shape, 60.0)
    if kind == "slope":
        page += np.linspace(0, 60, shape[1])
    elif kind == "noise":
        page += rng.normal(0, 8, shape)
    elif kind == "shapes":
        for x, y, r in ((110, 120, 90), (300, 120, 80)):
            cv2.ellipse(page, (x, y), (r, r - 20), 10, 0, 360, (120.0,), -1)
        page = cv2.GaussianBlur(page, (0, 0), 5) + rng.normal(0, 4, shape)
    return np.clip(page, 0, 255).astype(np.uint8)


def draw(page: NDArray[np.uint8], text: str, size: int, *, font: str = "pillow", level: int = 255) -> NDArray[np.uint8]:
    if font == "pillow":
        image = Image.fromarray(page)
        ImageDraw.Draw(image).text((20, 30), text, fill=level, font=ImageFont.load_default(size=size))
        return np.asarray(image)
    face = {"simplex": 0, "duplex": 2, "complex": 3}[font]
    written = page.copy()
    cv2.putText(written, text, (20, 60), face, size / 28, (level,), max(1, size // 16), cv2.LINE_AA)
    return written


@pytest.mark.parametrize("font", ["pillow", "simplex", "duplex", "complex"])
@pytest.mark.parametrize(("kind", "size"), [("flat", 14), ("slope", 32), ("noise", 20), ("shapes", 14)])
def test_a_name_is_seen(kind: str, size: int, font: str) -> None:
    assert suspected_text(draw(ground(kind), "QUIXWELL, Ottoline", size, font=font))


def test_chinese_is_seen() -> None:
    font = find_chinese_font(usual_font_folders())
    if font is None:
        pytest.skip("no Chinese font is installed")
    image = Image.fromarray(ground("shapes"))
    ImageDraw.Draw(image).text((20, 30), "王小明 男 市第一人民医院", fill=255, font=ImageFont.truetype(str(font), 24))
    assert suspected_text(np.asarray(image))


@pytest.mark.parametrize("text", ["19/11/2003", "ID 4711-0815", "Wexborough Infirmary", "MRN: 55512"])
def test_dates_numbers_and_places_are_seen(text: str) -> None:
    boxes = suspected_text(draw(ground("noise"), text, 20))
    assert any(x0 < 120 and x1 > 40 and y0 < 60 and y1 > 30 for x0, y0, x1, y1 in boxes)


def test_dark_writing_on_bright_is_seen() -> None:
    assert suspected_text(draw(255 - ground("noise"), "Quixwell Ottoline", 20, level=0))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_the_depth_of_levels_does_not_matter(dtype: type) -> None:
    page = draw(ground("slope"), "Quixwell Ottoline", 20).astype(np.float64)
    deep: NDArray[Any] = (page * (1 if dtype is np.uint8 else 100)).astype(dtype)
    assert suspected_text(deep)


def test_large_pictures_are_searched_too() -> None:
    assert suspected_text(draw(ground("noise", (900, 4000)), "Quixwell Ottoline", 60))


@pytest.mark.parametrize("kind", ["flat", "slope", "noise", "shapes"])
def test_where_nothing_is_written_nothing_is_seen(kind: str) -> None:
    assert suspected_text(ground(kind)) == []


@pytest.mark.parametrize(
    "picture",
    [np.zeros((1, 1), np.uint8), np.zeros((3, 900)), np.full((40, 40), np.nan), np.full((40, 40), np.inf)],
    ids=["a pixel", "a line", "no numbers", "infinite"],
)
def test_odd_pictures_do_no_harm(picture: NDArray[Any]) -> None:
    assert suspected_text(picture) == []


@pytest.mark.real_data
@pytest.mark.timeout(300)
def test_real_pictures_keep_what_the_benchmark_measured(real_data: Path) -> None:
    from benchmarks.deidentify import finder

    measured = json.loads(RESULTS.read_text(encoding="utf-8"))["finder"]
    got = finder(real_data, 2)
    for title, direction in (("writing found", 1), ("seen where none is", -1)):
        quoted, now = measured[title][0]["value"], got[title][0]
        # About three standard errors of so small a sample.
        margin = 3 * (max(0.02, quoted * (1 - quoted)) / now.n) ** 0.5
        assert direction * (now.value - quoted) >= -margin, title
