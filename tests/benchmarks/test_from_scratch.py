from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from benchmarks.from_scratch import DEVELOPMENT, ORDER, complete, document_of, read_lines, table
from benchmarks.generalist import FOLDS

FIRST = [name for fold in ORDER[0] for name in FOLDS[fold]]
LAST = [name for fold in ORDER[1] for name in FOLDS[fold] if name != DEVELOPMENT]


def _line(name: str, draw: int, auc: float) -> dict[str, Any]:
    recipe = {"epochs": 30, "least_steps": 100, "batch": 32, "rate": 0.03, "decay": 5e-4, "smoothing": 0.05}
    return {
        "set": name, "draw": draw, "key": "k", "recipe": recipe, "cases": 200, "steps": 187, "auc": auc,
        "seconds": 60.0, "torch": "2.4",
    }  # fmt: skip


def _written(path: Path, lines: list[dict[str, Any]], rest: str = "") -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in lines) + rest, encoding="utf-8")
    return path


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = _written(tmp_path / "lines", [_line("a", 0, 0.5), _line("a", 1, 0.6)], '{"set": "a", "dr')
    assert list(read_lines(path)["a"]) == [0, 1]
    assert read_lines(tmp_path / "none") == {}


def test_only_draws_that_all_first_sets_have_count(tmp_path: Path) -> None:
    lines = [_line(name, draw, 0.7) for name in FIRST for draw in range(3)]
    lines += [_line(FIRST[0], 3, 0.7), _line(LAST[0], 0, 0.7)]
    lines += [_line(LAST[1], draw, 0.7) for draw in range(3)]
    count, names = complete(read_lines(_written(tmp_path / "lines", lines)))
    assert count == 3 and names == [*FIRST, LAST[1]]
    assert complete({})[0] == 0


def test_ways_are_compared_draw_by_draw_on_the_sets_they_have(tmp_path: Path) -> None:
    lines = [_line(name, draw, 0.7 if name != FIRST[0] else 0.9) for name in FIRST for draw in range(2)]
    judged = {
        "aucs": {
            "classic": {name: [0.75, 0.75, 0.1] for name in FIRST},
            "imagenet": {name: [0.8, 0.82, 0.1] for name in FIRST},
            "multi": {name: [0.6, 0.6, 0.1] for name in FIRST[:3]},
        }
    }
    document = document_of(read_lines(_written(tmp_path / "lines", lines)), judged)
    found = {one["name"]: one["value"] for one in document["figures"]}
    assert document["draws"] == 2
    # The third draw of the others is not looked at.
    assert found["auc_imagenet"] == pytest.approx(0.81)
    assert found["sets_imagenet_from_scratch"] == pytest.approx(1 - 1 / len(FIRST))
    assert found["sets_imagenet_both"] == pytest.approx(1 - 1 / len(FIRST))
    assert found["sets_imagenet_classic"] == 1
    assert found["sets_multi_from_scratch"] == 0
    assert found["gain_classic_from_scratch"] == pytest.approx(0.05 - 0.2 / len(FIRST))
    text = table(document)
    assert f"| {FIRST[0]} | 200 | 187 | 0.9000 | 0.7500 | 0.8100 | 0.6000 |" in text and DEVELOPMENT in text


def test_how_sure_a_difference_is_needs_several_draws(tmp_path: Path) -> None:
    judged = {"aucs": {"imagenet": {name: [0.8, 0.82, 0.8, 0.81, 0.8] for name in FIRST}}}
    names = []
    for draws in (4, 5):
        lines = [_line(name, draw, 0.7) for name in FIRST for draw in range(draws)]
        document = document_of(read_lines(_written(tmp_path / "lines", lines)), judged)
        names.append({one["name"]: one["value"] for one in document["figures"]})
    assert "surely_imagenet_from_scratch" not in names[0] and names[1]["surely_imagenet_from_scratch"] == 1


def test_without_a_draw_of_every_set_there_is_no_figure(tmp_path: Path) -> None:
    path = _written(tmp_path / "lines", [_line(name, 0, 0.7) for name in FIRST[1:]])
    with pytest.raises(click.ClickException, match="a draw of every set"):
        document_of(read_lines(path), {"aucs": {}})
