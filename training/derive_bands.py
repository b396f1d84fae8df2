"""Write `src/consilium/cytogenetics/bands.json` from the ideogram.js band tables.

    CONSILIUM_DATA=... python training/derive_bands.py

The source rows read "chromosome arm name iscn_start iscn_stop bp_start bp_stop stain [density]". They are copied
unchanged but for two corrections, both counted in the output: the mitochondrial row is left out, and where the
source starts a band later on the ISCN axis than the band before it stops (while their base pairs are contiguous),
the later band is drawn from where the earlier one stops, because a chromosome has no gaps.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

SOURCES = {
    400: "homo-sapiens-GCF_000001405.26-400.json",
    550: "homo-sapiens-GCF_000001405.26-550.json",
    850: "homo-sapiens-GCF_000001405.26.json",
}
CHROMOSOMES = (*(str(number) for number in range(1, 23)), "X", "Y")
TARGET = Path(__file__).resolve().parents[1] / "src" / "consilium" / "cytogenetics" / "bands.json"

Row = list[str | int]


def read_level(path: Path) -> tuple[dict[str, list[Row]], list[str]]:
    """Read one table.

    Returns:
        Rows by chromosome, each [arm, name, iscn_start, iscn_stop, bp_start, bp_stop, stain, density], pter to
        qter; and the bands whose start was moved.

    Raises:
        ValueError: a gap whose base pairs are not contiguous, so that a band is missing.
    """
    levels: dict[str, list[Row]] = {name: [] for name in CHROMOSOMES}
    moved: list[str] = []
    for line in json.loads(path.read_text(encoding="utf-8"))["chrBands"]:
        fields = line.split()
        if fields[0] not in levels:
            continue
        chromosome, arm, name, *numbers, stain = fields[:8]
        density = int(fields[8]) if stain == "gpos" else 0
        start, stop, bp_start, bp_stop = map(int, numbers)
        rows = levels[chromosome]
        if rows and rows[-1][3] != start:
            if rows[-1][5] != bp_start - 1:
                raise ValueError(f"{path.name}: a band is missing before {chromosome}{arm}{name}")
            moved.append(f"{chromosome}{arm}{name}")
            start = int(rows[-1][3])
        rows.append([arm, name, start, stop, bp_start, bp_stop, stain, density])
    return levels, moved


def main() -> None:
    """Derive the package data; needs `CONSILIUM_DATA`."""
    folder = os.environ.get("CONSILIUM_DATA")
    if not folder:
        sys.exit("CONSILIUM_DATA is not set: point it at the folder that holds tables/cytobands.")
    tables = Path(folder) / "tables" / "cytobands" / "ideogram_js"
    levels, moved = {}, {}
    for level, name in SOURCES.items():
        levels[str(level)], moved[str(level)] = read_level(tables / name)
    head = {
        "source": "eweitz/ideogram (https://github.com/eweitz/ideogram) at commit "
        "feb34c3d0bca266bee32a874bd3e088ef7e50545: NCBI ideogram data, assembly GRCh38 (GCF_000001405.26)",
        "licence": "CC0 1.0 Universal (public-domain dedication of the ideogram project)",
        "files": {str(level): name for level, name in SOURCES.items()},
        "columns": ["arm", "name", "iscn_start", "iscn_stop", "bp_start", "bp_stop", "stain", "density"],
        "starts_moved_to_close_a_gap": moved,
    }
    body = ",\n".join(
        f'"{level}": {{\n'
        + ",\n".join(f'"{name}": {json.dumps(rows, separators=(",", ":"))}' for name, rows in table.items())
        + "\n}"
        for level, table in levels.items()
    )
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items())
    TARGET.write_text("{\n" + lines + ',\n"levels": {\n' + body + "\n}}\n", encoding="utf-8", newline="\n")
    print(f"{TARGET}: {', '.join(f'{sum(map(len, t.values()))} bands at {k}' for k, t in levels.items())}")


if __name__ == "__main__":
    main()
