"""Draw the golden karyograms again: `python -m tests.regenerate_goldens`.

Only after a change that is meant to move or redraw chromosomes; look at the pictures and at `git diff` before they
are committed.
"""

from __future__ import annotations

import json

from PIL import Image

from consilium.karyotype.arrange import arrange
from consilium.karyotype.synthetic import save_marked
from tests.cytogenetics.iscn import golden_drawings
from tests.karyotype.golden_cells import CELLS, FOLDER, golden_cell, layout, picture


def written(entry: object) -> str:
    """JSON with one place a line, so that a difference shows which chromosome moved."""
    if isinstance(entry, dict):
        lines = [f"{json.dumps(key)}: {written(value)}" for key, value in entry.items()]
        return "{\n" + ",\n".join(lines) + "\n}"
    if isinstance(entry, list) and entry and isinstance(entry[0], dict):
        return "[\n" + ",\n".join(json.dumps(one) for one in entry) + "\n]"
    return json.dumps(entry)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in CELLS:
        cell = golden_cell(name)
        (FOLDER / f"{name}.json").write_text(written(layout(arrange(cell))) + "\n", encoding="utf-8")
        path = FOLDER / f"{name}.png"
        save_marked(picture(cell), path)
        with Image.open(path) as kept:
            print(f"{path.name}: {kept.width} x {kept.height}, {path.stat().st_size / 1000:.1f} kB")
    golden_drawings.FOLDER.mkdir(exist_ok=True)
    for name in golden_drawings.DRAWINGS:
        path = golden_drawings.FOLDER / f"{name}.svg"
        path.write_text(golden_drawings.drawing(name), encoding="utf-8")
        print(f"{path.name}: {path.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
