from __future__ import annotations

import pytest

from consilium.imaging.deidentify.vocabulary import imaging_words, only_imaging_words


@pytest.mark.parametrize(
    "text",
    [
        "Chest axial 5mm",
        "T1 FLAIR post contrast",
        "CT Abdomen/Pelvis w/o contrast",
        "头部平扫",
        "胸部 增强",
        "SAG T2 TSE 3.0 mm",
    ],
)
def test_words_of_imaging_may_stay(text: str) -> None:
    assert only_imaging_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123",
        "Chest Quixwell",
        "Dr. House chest",
        "chest 20031119",
        "MRN 4711",
        "张三 头部",
        "Thorax für Müller",
        "chest é",
    ],
)
def test_anything_else_may_not(text: str) -> None:
    assert not only_imaging_words(text)


def test_usual_surnames_are_no_words_of_imaging() -> None:
    surnames = {
        "black",
        "gray",
        "short",
        "long",
        "low",
        "cross",
        "bell",
        "park",
        "young",
        "may",
        "rose",
        "king",
        "wang",
        "li",
    }
    assert imaging_words().isdisjoint(surnames)
