"""How much writing in pixels is found, how often it is seen where none is: `python -m benchmarks.deidentify`.

CONSILIUM_DATA has to be set. What becomes of the real DICOM files, and how fast, is told too.

Writing is drawn into real pictures that have none: names, numbers and dates in the fonts that matplotlib and OpenCV
bring, of 9 to 32 pixels, white, black or grey, anywhere, with a difference of at least 70 of 255 levels to what is
there. A picture counts as found when anything is suspected in it; pictures in which the finder suspects something
before are left out of that figure and counted in the other. The constants of the finder were chosen on pictures of the
same sets, drawn with other random numbers. The figures go to `benchmarks/results/deidentify.json` and, as tables, to
`deidentify.md` beside it.
"""

from __future__ import annotations

import io
import json
import platform
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import click
import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.intervals import exact_binomial
from benchmarks.results import machine
from consilium.imaging.deidentify.burnt_in import seems_written_on
from consilium.imaging.deidentify.policy import Policy
from consilium.imaging.deidentify.pseudonyms import Pseudonyms
from consilium.imaging.deidentify.refusal import Refused
from consilium.imaging.deidentify.run import clean_file
from consilium.imaging.deidentify.site_key import SiteKey
from consilium.settings import DATA_VARIABLE, data_folder

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "deidentify.json"
SEED = 20261126
TEXTS = (
    "DOE^JANE",
    "ID 4711-0815",
    "Smith, John",
    "19/11/2003",
    "Mueller Hans 1955",
    "WEXBOROUGH INFIRMARY",
    "MRN 55512",
)
HEIGHTS = (9, 10, 12, 14, 18, 24, 32)
LEVELS = (255, 255, 255, 0, 200)
LEAST_CONTRAST = 70
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSerif",
    "DejaVuSansMono",
    "DejaVuSans-Oblique",
    "STIXGeneral",
    "OpenCV",
)

Picture = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share with its 95 % interval (Clopper and Pearson)."""

    name: str
    value: float
    low: float
    high: float
    n: int


def share(name: str, hits: Sequence[bool]) -> Share:
    """The share of hits."""
    low, high = exact_binomial(sum(hits), len(hits))
    return Share(name=name, value=round(sum(hits) / len(hits), 4), low=round(low, 4), high=round(high, 4), n=len(hits))


def pictures(folder: Path, per_set: int, rng: np.random.Generator) -> Iterator[tuple[str, Picture]]:
    """Real pictures, the brightest of their channels, so many of each set."""
    for place in sorted((folder / "medical").glob("*.zip")):
        with ZipFile(place) as archive:
            names = sorted(name for name in archive.namelist() if name.startswith("images/") and name.endswith(".webp"))
            for at in rng.permutation(len(names))[:per_set]:
                with Image.open(io.BytesIO(archive.read(names[at]))) as image:
                    yield place.stem, np.asarray(image.convert("RGB")).max(axis=2)


def written_on(picture: Picture, rng: np.random.Generator) -> tuple[Picture, str, int] | None:
    """The picture with a line of text, its font and height; None where it would not be seen."""
    height = int(rng.choice(HEIGHTS))
    if min(picture.shape) < 8 * height:
        return None
    text, font, level = str(rng.choice(TEXTS)), str(rng.choice(FONTS)), int(rng.choice(LEVELS))
    x = int(rng.integers(0, max(1, picture.shape[1] - height * len(text) // 2)))
    y = int(rng.integers(0, picture.shape[0] - 2 * height))
    there = picture[y : y + height, x : x + height * len(text) // 2]
    if abs(float(np.median(there)) - level) < LEAST_CONTRAST:
        return None
    drawn = picture.copy()
    if font == "OpenCV":
        cv2.putText(drawn, text, (x, y + height), 0, height / 22, (level,), max(1, height // 12), cv2.LINE_AA)
        return drawn, font, height
    place = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    page = Image.fromarray(drawn)
    ImageDraw.Draw(page).text((x, y), text, fill=level, font=ImageFont.truetype(str(place), round(height * 1.35)))
    return np.asarray(page), font, height


def finder(folder: Path, per_set: int) -> dict[str, list[Share]]:
    """Recall by height and font, false alarms by set."""
    rng = np.random.default_rng(SEED)
    alarms: dict[str, list[bool]] = {}
    found: dict[str, list[bool]] = {}
    for name, picture in pictures(folder, per_set, rng):
        alarm = seems_written_on(picture)
        alarms.setdefault(name, []).append(alarm)
        drawn = None if alarm else written_on(picture, rng)
        if drawn is not None:
            hit = seems_written_on(drawn[0])
            for key in ("all", f"{drawn[2]} pixels", drawn[1]):
                found.setdefault(key, []).append(hit)
    every = [one for several in alarms.values() for one in several]
    order = ["all", *(f"{height} pixels" for height in HEIGHTS), *FONTS]
    return {
        "writing found": [share(key, found[key]) for key in order if key in found],
        "seen where none is": [share("all", every), *(share(name, hits) for name, hits in sorted(alarms.items()))],
    }


def samples(folder: Path) -> tuple[dict[str, dict[str, int]], float]:
    """What becomes of the real DICOM files under two policies; the median of CPU milliseconds of a written one."""
    pseudonyms = Pseudonyms(SiteKey(bytes(32)))
    outcomes: dict[str, dict[str, int]] = {}
    milliseconds = []
    with tempfile.TemporaryDirectory() as place, ZipFile(folder / "dicom" / "samples.zip") as archive:
        archive.extractall(place)
        for name, policy in (("as it is", Policy()), ("--reviewed", Policy(reviewed=True))):
            counts: Counter[str] = Counter()
            for path in sorted(Path(place).rglob("*.dcm")):
                start = time.process_time()
                try:
                    clean = clean_file(path, policy, pseudonyms)
                    clean.check(clean.content)
                except Refused as refusal:
                    counts[refusal.reason.value] += 1
                else:
                    counts["written"] += 1
                    milliseconds.append((time.process_time() - start) * 1000)
            outcomes[name] = dict(counts.most_common())
    return outcomes, float(np.median(milliseconds))


def as_table(document: dict[str, Any]) -> str:
    """The figures for people."""
    lines = ["# De-identification, measured", ""]
    lines.append(
        f"{document['date']}, {document['machine']}. Made by `python -m benchmarks.deidentify`; see there how."
    )
    for title, shares in document["finder"].items():
        lines += ["", f"## Writing {title.removeprefix('writing ')}", ""]
        lines += ["| | share | 95 % interval | pictures |", "|---|---|---|---|"]
        for one in shares:
            lines.append(f"| {one['name']} | {one['value']:.3f} | {one['low']:.3f} to {one['high']:.3f} | {one['n']} |")
    lines += ["", "## The 114 real DICOM files", "", "| outcome | " + " | ".join(document["samples"]) + " |"]
    lines.append("|---" * (len(document["samples"]) + 1) + "|")
    for reason in sorted({reason for counts in document["samples"].values() for reason in counts}):
        told = " | ".join(str(counts.get(reason, 0)) for counts in document["samples"].values())
        lines.append(f"| {reason} | {told} |")
    lines += ["", f"Median of a written file: {document['milliseconds']:.0f} ms of one core.", ""]
    return "\n".join(lines)


@click.command()
@click.option("--per-set", default=10, show_default=True, help="Pictures of each set.")
def main(per_set: int) -> None:
    """Measure and write the figures."""
    import warnings

    folder = data_folder()
    if folder is None:
        raise click.UsageError(f"{DATA_VARIABLE} is not set")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes, milliseconds = samples(folder)
        shares = finder(folder, per_set)
    packages = ("consilium", "numpy", "opencv-python-headless", "pillow", "pydicom")
    document = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "seed": SEED,
        "per_set": per_set,
        "finder": {title: [asdict(one) for one in several] for title, several in shares.items()},
        "samples": outcomes,
        "milliseconds": round(milliseconds, 1),
    }
    RESULTS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(as_table(document), encoding="utf-8")
    click.echo(as_table(document))


if __name__ == "__main__":
    main()
