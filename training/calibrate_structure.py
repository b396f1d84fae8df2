"""What normal cells show, and from where on a case is suspected: `python -m training.calibrate_structure`.

Writes `runs/calibration.json` (part "structure"), which `python -m training.export structure` puts into the card. Only
normal cases of the validation part are looked at, read by the shipped pipeline.
"""

from __future__ import annotations

import json

from benchmarks.annotated import tseng2023
from benchmarks.structure import by_case, pooled, read_cells, scores, thresholds, usual
from training.cells import RUNS


def main() -> None:
    cases = by_case(read_cells(tseng2023("validation"), source="validation", processes=2))
    normal = [[scores([cell]) for cell in cells] for cells in cases.values() if cells[0].status == "normal"]
    known = usual([pooled(case) for case in normal])
    one, two, more = thresholds(normal, known)
    path = RUNS / "calibration.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    constants = {"threshold": round(more, 4), "threshold_1": round(one, 4), "threshold_2": round(two, 4)}
    for name, (mean, deviation) in known.items():
        constants[f"mean_{name}"], constants[f"deviation_{name}"] = round(mean, 4), round(deviation, 4)
    path.write_text(json.dumps({**before, "structure": constants}))
    print(len(normal), "normal cases,", constants)


if __name__ == "__main__":
    main()
