from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import cost
from benchmarks.cost import evenly, resident_bytes, time_metaphases, weighted_median
from consilium.errors import NoMetaphase


def test_a_weighted_median_by_hand() -> None:
    values = [3.0, 1.0, 2.0]
    assert weighted_median(values, np.ones(3)) == 2.0
    assert weighted_median(values, np.asarray([5.0, 1.0, 1.0])) == 3.0
    assert weighted_median(values, np.asarray([0.0, 1.0, 0.0])) == 1.0
    assert math.isnan(weighted_median(values, np.zeros(3)))


def test_a_sample_is_evenly_spaced_and_never_larger_than_what_there_is(truth) -> None:
    cells = [truth(["1"], name=f"{number:02d}") for number in reversed(range(20))]
    assert [cell.name for cell in evenly(cells, 4)] == ["00", "05", "10", "15"]
    assert len(evenly(cells, 50)) == 20


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_of_a_process_includes_its_children() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    child = "x = bytearray(80_000_000); print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert 80e6 < resident_bytes(process.pid) < 400e6
        process.communicate("\n")
    assert resident_bytes(process.pid) == 0
    assert resident_bytes(os.getpid()) > 1e6


def test_the_first_metaphase_is_timed_apart_and_refused_ones_are_not_timed(
    truth, reading, rod, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def karyotype(path: Path, *, threads: int):
        assert path.exists()
        seen.append(path.stem)
        if path.stem == "refused":
            raise NoMetaphase("nothing")
        return path.stem

    monkeypatch.setattr(cost, "karyotype_image", karyotype)
    monkeypatch.setattr(cost, "arrange", lambda metaphase: metaphase)
    monkeypatch.setattr(cost, "to_svg", lambda karyogram, lang: "svg")
    monkeypatch.setattr(cost, "to_png", lambda karyogram, lang: type("Picture", (), {"data": b"png"}))
    first, timed = time_metaphases([truth(["1"], name=name) for name in ("refused", "a", "b")])
    assert seen == ["refused", "a", "refused", "a", "b"]
    assert [cell.name for cell, _ in timed] == ["a", "b"]
    assert first > 0
    assert all(seconds > 0 for _, seconds in timed)
