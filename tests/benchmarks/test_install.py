from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.install import RUNS, seconds, table, total, weighed

PACKAGES = {"scipy": (110.0, 30.0), "consilium": (35.0, 2.0), "tiny": (0.2, 0.1), "small": (0.3, 0.1)}


def test_byte_code_is_told_apart() -> None:
    assert total(PACKAGES) == (pytest.approx(177.7), pytest.approx(145.5))


def test_small_packages_are_one_line() -> None:
    document = {
        "packages": PACKAGES, "packages_with_pdf": {**PACKAGES, "typst": (80.0, 0.0)}, "load": 1.0, "python": "3.11",
        "seconds": {"`import consilium`": [0.2] * RUNS}, "date": "2026-11-26", "machine": "M",
    }  # fmt: skip
    text = table(document)
    assert "| base install as pip leaves it, MB | 500 | 300 | 178 |" in text
    assert "| all others | 0.7 | 0.2 |" in text and "| with the extra `pdf`, MB | | | 258 (226" in text
    assert "| `import consilium`, seconds | 0.5 | 0.3 | 0.20 (0.20 to 0.20) |" in text


def test_the_packages_of_this_environment_are_weighed() -> None:
    found = weighed(Path(sys.executable))
    assert "pip" not in found and sum(found["numpy"]) > 10
    heavy = [sum(one) for one in found.values()]
    assert heavy == sorted(heavy, reverse=True)


def test_a_command_is_timed_several_times() -> None:
    found = seconds([sys.executable, "-c", "pass"])
    assert len(found) == RUNS and min(found) > 0
