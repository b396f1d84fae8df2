"""What of the recipes runs without PyTorch, so that the base install can check it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["training.cells", "training.matching", "training.schedule"])
def test_truth_matching_and_schedule_need_no_pytorch(name: str) -> None:
    code = f"import sys; sys.modules['torch'] = None; import {name}"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)
