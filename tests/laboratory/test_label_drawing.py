"""Labels are read back by a reader that knows nothing of who drew them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from consilium.errors import InputError
from consilium.laboratory.label_drawing import Symbol, label_svg

SCALE = 4


def drawn(svg: str) -> np.ndarray:
    """The symbol as a picture: its rectangles, as a browser fills them."""
    size = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    assert size is not None
    picture = np.full((int(size[2]), int(size[1])), 255, np.uint8)
    for x, y, width, height in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+z", svg.rpartition('<path d="')[2]):
        picture[int(y) : int(y) + int(height), int(x) : int(x) + int(width)] = 0
    return picture.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


@pytest.mark.parametrize("symbol", ["qr", "code128"])
@pytest.mark.parametrize("label", ["S26-00017", "S26-00017-C1-H1-S2", "ABCDEFGH26-123456789-C999-H999-S999"])
def test_what_is_drawn_is_read(label: str, symbol: Symbol) -> None:
    zxingcpp = pytest.importorskip("zxingcpp", reason="labels are read with zxing-cpp (extra dev)")
    found = zxingcpp.read_barcodes(drawn(label_svg(label, symbol)))
    assert [one.text for one in found] == [label]


def test_nothing_but_a_label_is_drawn() -> None:
    for wrong in ("", "<script>", "S26", "S26-00017/../x"):
        with pytest.raises(InputError):
            label_svg(wrong, "qr")
