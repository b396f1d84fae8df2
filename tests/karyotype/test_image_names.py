from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.karyotype.image_names import image_names, plain_text


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        ([], ()),
        (["/x/a.png"], ("a.png",)),
        (["/x/a.png", "/x/b.png"], ("a.png", "b.png")),
        (["/x/a.png", "/y/a.png", "/y/b.png"], ("x/a.png", "y/a.png", "b.png")),
        (["/p/x/a.png", "/q/x/a.png", "/q/z/a.png"], ("p/x/a.png", "q/x/a.png", "z/a.png")),
        (["a.png", "x/a.png"], ("a.png", "x/a.png")),
        (["/x/a.png", "/x/a.png"], ("x/a.png", "x/a.png (2)")),
        (["细胞 1.png", "细胞 2.png"], ("细胞 1.png", "细胞 2.png")),
    ],
)
def test_names_are_as_short_as_they_can_be(paths: list[str], names: tuple[str, ...]) -> None:
    assert image_names([Path(path) for path in paths]) == names


def test_bytes_that_are_no_text_and_control_characters_are_replaced() -> None:
    first, second = (Path(os.fsdecode(name)) for name in (b"cell\xff.png", b"cell\xfe.png"))
    names = image_names([first, second])
    assert names == ("cell\ufffd.png", "cell\ufffd.png (2)")
    assert plain_text("a\nb\x1b[31m") == "a\ufffdb\ufffd[31m"
    assert plain_text("第一\u3000例") == "第一\u3000例"


@given(st.lists(st.lists(st.sampled_from(["a", "b", "a (2)", "\udcff", "细"]), min_size=1, max_size=3), max_size=6))
def test_names_are_all_different_and_text(paths: list[list[str]]) -> None:
    names = image_names([Path(*parts) for parts in paths])
    assert len(set(names)) == len(names) == len(paths)
    for name in names:
        name.encode("utf-8")
