"""The shipped network in 8 bits: `python -m training.generalist.quantise NAME`.

Reads `CONSILIUM_RUNS/generalist/NAME.onnx`, takes the ranges of its activations from pictures that it may learn from,
and writes `NAME_int8.onnx` beside it; `python -m benchmarks.generalist` says whether the features stayed equal.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)  # fmt: skip

from consilium.generalist.network import UNKNOWN
from consilium.generalist.pictures import as_square
from training.cells import RUNS
from training.generalist.pictures import Pack, load_pack

CALIBRATED_ON = 256
"""Pictures, spread evenly over all sets."""

SIDE = 128


class Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Batches of pictures as the network takes them."""

    def __init__(self, pack: Pack) -> None:
        learnable = np.flatnonzero([row.learnable for row in pack.rows])
        rows = learnable[np.linspace(0, len(learnable) - 1, CALIBRATED_ON).astype(int)]
        self._batches = self._made(pack, rows)

    def _made(self, pack: Pack, rows: NDArray[np.intp]) -> Iterator[dict[str, NDArray[np.generic]]]:
        for part in np.array_split(rows, len(rows) // 16):
            shown = [as_square(pack.pictures[row].astype(np.float32) / np.float32(255), SIDE) for row in part]
            yield {"images": np.stack(shown), "modality": np.full(len(part), UNKNOWN, np.int64)}

    def get_next(self) -> dict[str, NDArray[np.generic]] | None:
        return next(self._batches, None)


def quantise(path: Path) -> Path:
    """Write the 8-bit network beside the other; convolutions alone are changed."""
    prepared, out = path.with_suffix(".prepared.onnx"), path.with_name(f"{path.stem}_int8.onnx")
    quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared), str(out), Pictures(load_pack()), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=["Conv"],
        calibrate_method=CalibrationMethod.MinMax,
    )  # fmt: skip
    prepared.unlink()
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    out = quantise(RUNS / "generalist" / f"{parser.parse_args().name}.onnx")
    print(f"{out.name}: {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
