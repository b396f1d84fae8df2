"""Mean and spread of the encoder's features over public images: `python -m training.public_scaling` (CONSILIUM_DATA).

Joint training under differential privacy scales by these (`alliance/joint_training/public_scaling.py`), since figures
of the hospitals' own cases would cost privacy. Only sets whose licence lets what was trained on them be shipped; each
set counts the same, whatever its size. Written for the looks that `specialist fit` and `study create` offer.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from numpy.typing import NDArray

from consilium.alliance.joint_training.public_scaling import FIGURES
from consilium.generalist.cache import FeatureCache
from consilium.generalist.embedding import Embedded, embed_files
from consilium.generalist.encoder import Encoder
from consilium.generalist.inputs import Entry
from consilium.generalist.looks import Looks, looking
from consilium.generalist.shipped import shipped_encoder
from consilium.settings import DATA_VARIABLE, data_folder

SETS: Mapping[str, tuple[str, str]] = {
    "xr_kermany_pneumonia": ("xr", "CC BY 4.0"),
    "us_busi_breast": ("us", "CC0"),
    "dms_isic2017_melanoma": ("dms", "CC0"),
    "sm_oral_scc": ("sm", "CC0"),
    "cyto_lbc_pap": ("cyto", "CC BY 4.0"),
    "ct_head_hemorrhage": ("ct", "CC0"),
    "smear_aml15": ("smear", "CC BY"),
}
"""Set -> modality, licence."""
MOST = 300


def looks_offered(encoder: Encoder) -> Iterator[Looks]:
    """The ways of looking that a study may agree on."""
    for mirrored in (True, False):
        yield Looks(sides=(encoder.side,), mirrored=mirrored)
        yield Looks(sides=(encoder.side, encoder.side * 7 // 4), mirrored=mirrored)


def features_of(archive: Path, modality: str, encoder: Encoder, folder: Path) -> NDArray[np.float32]:
    """(n, d) features of at most `MOST` pictures of a set, evenly over it."""
    with zipfile.ZipFile(archive) as files:
        files.extractall(folder)
    table = next(folder.rglob("manifest.csv"))
    with table.open(encoding="utf-8", newline="") as stream:
        names = [table.parent / row["file"] for row in csv.DictReader(stream)]
    chosen = [names[at] for at in np.linspace(0, len(names) - 1, min(MOST, len(names))).astype(int)]
    entries = [Entry(path=file, file=str(file)) for file in chosen]
    outcomes = embed_files(entries, encoder, modality=modality, cache=FeatureCache())
    return np.stack([one.image.mean(0) for one in outcomes if isinstance(one, Embedded)])


def pooled(parts: list[NDArray[np.float32]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (d,) of sets that count the same."""
    mean = np.mean([part.mean(0, dtype=np.float64) for part in parts], axis=0)
    squares = np.mean([np.square(part, dtype=np.float64).mean(0) for part in parts], axis=0)
    return mean, np.sqrt(np.maximum(squares - np.square(mean), 0))


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=FIGURES, show_default=True)
def main(out: Path) -> None:
    """Write the figures, and a file beside them that says what they are of."""
    data = data_folder()
    if data is None:
        raise click.UsageError(f"{DATA_VARIABLE} must name the folder of the sets")
    encoder = shipped_encoder()
    arrays: dict[str, NDArray[np.float16]] = {}
    fingerprints = []
    for number, looks in enumerate(looks_offered(encoder)):
        parts = []
        for name, (modality, _) in SETS.items():
            with TemporaryDirectory() as folder:
                parts.append(
                    features_of(data / "medical" / f"{name}.zip", modality, looking(encoder, looks), Path(folder))
                )
            click.echo(f"{looks} {name} {parts[-1].shape}")
        mean, deviation = pooled(parts)
        arrays |= {f"mean_{number}": mean.astype(np.float16), f"deviation_{number}": deviation.astype(np.float16)}
        fingerprints.append(looking(encoder, looks).fingerprint)
    np.savez_compressed(out, encoders=np.array(fingerprints), **arrays)  # type: ignore[arg-type]
    told = {
        "what": "mean and standard deviation of the shipped encoder's image vector over public images",
        "encoder": encoder.fingerprint,
        "sets": [{"name": name, "modality": m, "licence": licence} for name, (m, licence) in SETS.items()],
        "most": MOST,
        "recipe": "python -m training.public_scaling",
    }
    out.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
