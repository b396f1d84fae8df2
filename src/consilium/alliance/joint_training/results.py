"""What comes out of a study, on the disk: arrays for the model, figures for people."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from consilium.alliance.joint_training.evaluation import Pooled
from consilium.alliance.joint_training.membership import write_private
from consilium.errors import InputError
from consilium.specialist.evidence.intervals import Estimate

ARRAYS = ("mean", "scale", "weights", "intercepts", "known")
RESULT = "result.npz"


def write_result(told: Mapping[str, Any], path: Path) -> None:
    """Keep what hospitals agree on."""
    buffer = io.BytesIO()
    arrays = {name: np.asarray(told[name], np.float32) for name in ARRAYS}
    rest = json.dumps({name: value for name, value in told.items() if name not in ARRAYS})
    np.savez_compressed(buffer, allow_pickle=False, told=np.array(rest), **arrays)
    write_private(path, buffer.getvalue())


def read_result(path: Path) -> dict[str, Any]:
    """What was kept: arrays by name, and the figures, `pooled` as a `Pooled`.

    Raises:
        InputError: the study has no result yet, or it is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found: dict[str, Any] = {name: arrays[name] for name in ARRAYS}
            found |= json.loads(str(arrays["told"]))
        found["pooled"] = _pooled(found["pooled"])
    except FileNotFoundError as problem:
        raise InputError(
            "the study has no result yet", where=str(path.parent), way_out="`consilium study status` tells why."
        ) from problem
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise InputError(f"the result is damaged ({problem})", where=str(path), way_out="Start it anew.") from problem
    return found


def _pooled(told: Mapping[str, Any]) -> Pooled:
    def estimate(one: Mapping[str, Any] | None) -> Estimate | None:
        return None if one is None else Estimate(**one)

    return Pooled(
        cases=tuple(told["cases"]),
        auc=tuple(estimate(one) for one in told["auc"]),
        macro_auc=estimate(told["macro_auc"]),
        accuracy=Estimate(**told["accuracy"]),
        thresholds=tuple(told["thresholds"]),
        reach=told["reach"],
    )
