"""What the library opens with: `CONSILIUM_DATA=... python -m training.library_opening` (ten minutes on one core).

The karyotyping models that come with Consilium, and specialists of sets whose licence lets weights be handed on; none
of a set that is for evaluation only. Each is fitted as `consilium specialist fit` does, with at most `CASES` labelled
pictures or `OUTLINES` outlined ones drawn by seed, gets its terms onto its card, and is published in the library of
this installation as a candidate: a person approves it (`consilium library approve`). A call that was interrupted goes
on where it stopped: what is published already is left alone.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np

from consilium.alliance.library.keys import trust_key
from consilium.alliance.library.library import Library, Release, find, open_library
from consilium.alliance.library.pack import Terms
from consilium.alliance.library.publish import publish
from consilium.alliance.library.reference import Reference, Version
from consilium.alliance.library.trust import PRIVATE_KEY, make_key
from consilium.artefact.bundle import CARD, write_bundle
from consilium.cli.identity import note, who
from consilium.errors import InputError
from consilium.generalist.cache import FeatureCache
from consilium.generalist.shipped import shipped_encoder
from consilium.karyotype.bundle import bundle_files
from consilium.settings import data_folder, home_folder
from consilium.specialist.dataset import Asked, read_dataset
from consilium.specialist.specialty import Order, specialty_of

CASES, OUTLINES = 200, 40
SEED = 0
FIRST = Version(1, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A specialist and what it is made of.

    Attributes:
        name: in the library.
        data: name of the set.
        modality: how its pictures were made.
        licence: of the set, as its card is to say it.
        task: as of `--task`.
        seen: whether the encoder learnt from the set too, which makes its figures too good.
        called: what labels of the set are called, where their own names tell nothing.
    """

    name: str
    data: str
    modality: str
    licence: str
    task: Asked = "classify"
    seen: bool = False
    called: Mapping[str, str] = field(default_factory=dict)


_MEMORY = "(not stated where it was taken from)"
OPENING: tuple[Opening, ...] = (
    Opening(name="us-breast", data="us_busi_breast", modality="us", licence=f"CC0-1.0 {_MEMORY}"),
    Opening(
        name="us-breast-lesion", data="us_busi_breast", modality="us", licence=f"CC0-1.0 {_MEMORY}", task="segment"
    ),
    Opening(name="sm-oral-carcinoma", data="sm_oral_scc", modality="sm", licence="CC0-1.0"),
    Opening(
        name="smear-leukaemia", data="smear_aml15", modality="smear", licence="LicenseRef-CC-BY (CC BY, no version)"
    ),
    Opening(
        name="sm-osteosarcoma", data="sm_osteosarcoma", modality="sm", licence="LicenseRef-CC-BY (CC BY, no version)"
    ),
    Opening(name="xr-pneumonia", data="xr_kermany_pneumonia", modality="xr", licence=f"CC-BY-4.0 {_MEMORY}", seen=True),
    Opening(
        name="dms-melanoma",
        data="dms_isic2017_melanoma",
        modality="dms",
        licence=f"CC0-1.0 {_MEMORY}",
        called={"0": "other lesion", "1": "melanoma"},
        seen=True,
    ),
)
_SEEN = (
    "the encoder learnt from this set too, pictures and labels: the figures are better than those of new cases will be"
)


def open_with(library: Library, data: Path, one: Opening, key: Path) -> Release | None:
    """Fit and publish one specialist; None where it is in the library already."""
    if published(library, one.name, FIRST):
        return None
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        bundle = folder / one.name
        write_bundle(files_of(one, data / "medical" / f"{one.data}.zip", folder), bundle)
        terms = Terms(licence="Apache-2.0", cases_may_leave=True)
        return publish(library, who(), bundle, name=one.name, version=FIRST, key=key, terms=terms)


def files_of(one: Opening, archive: Path, folder: Path) -> dict[str, bytes]:
    """The files of a fitted specialist, its card completed."""
    cases = drawn(archive, folder, one)
    dataset = read_dataset(cases, task=one.task, group="group")
    specialty = specialty_of(dataset.task)
    order = Order(modality=one.modality, seed=SEED)
    specialty.refuse(order)
    made = specialty.fit(
        dataset, shipped_encoder(), order, one.name, terms="", cache=FeatureCache(),
        on_work=lambda _amount, problem: click.echo(problem, err=True) if problem else None,
        on_tuning=(lambda _estimate: None, lambda _step: None),
        say=lambda english, _chinese: click.echo(english, err=True),
    )  # fmt: skip
    for line in made.summary["en"]:
        click.echo(f"  {line}")
    warned = [line for line in made.summary["en"] if line.startswith(("ALARM", "CAUTION", "NOT VALIDATED"))]
    card = completed(json.loads(made.files[CARD]), one, warned)
    return {**made.files, CARD: (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode()}


def completed(card: Mapping[str, Any], one: Opening, warned: Sequence[str]) -> dict[str, Any]:
    """A card that names the set and its licence, tells what the fit warned of, and what its figures are worth."""
    trained_on = [{**data, "name": one.data, "licence": one.licence} for data in card["trained_on"]]
    failures = [*card["known_failures"], *warned, *([_SEEN] if one.seen else [])]
    done = {
        **card,
        "trained_on": trained_on,
        "known_failures": failures,
        "recipe": f"python -m training.library_opening --only {one.name}",
    }
    if one.seen:
        done["metrics"] = [{**metric, "data": f"{metric['data']}; {_SEEN}"} for metric in card["metrics"]]
    return done


def drawn(archive: Path, folder: Path, one: Opening) -> Path:
    """Unpack some cases of a set, whole patients, drawn by seed; gives the table, named as the set."""
    folder.mkdir(parents=True, exist_ok=True)
    answer, most = ("mask", OUTLINES) if one.task == "segment" else ("label", CASES)
    with zipfile.ZipFile(archive) as packed:
        rows = list(csv.DictReader(io.TextIOWrapper(packed.open("manifest.csv"), encoding="utf-8")))
        rows = [row for row in rows if row[answer]]
        groups = [row["group"] or row["file"] for row in rows]
        chosen: set[str] = set()
        for group in np.random.default_rng(SEED).permutation(sorted(set(groups))):
            if sum(other in chosen for other in groups) >= most:
                break
            chosen.add(str(group))
        rows = [row for row, group in zip(rows, groups, strict=True) if group in chosen]
        packed.extractall(folder, [row[column] for row in rows for column in ({"file", answer} - {"label"})])
    table = folder / f"{one.data}.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["file", answer, "group"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**row, answer: one.called.get(row[answer], row[answer])} for row in rows)
    return table


def published(library: Library, name: str, version: Version) -> bool:
    """Whether a version of a model is in the library."""
    with library.catalogue.reading() as session:
        try:
            find(session, Reference(name=name, version=version))
        except InputError:
            return False
    return True


def open_karyotyping(library: Library, key: Path) -> Release:
    """Publish the models that come with Consilium; gives what is there where they are already."""
    with tempfile.TemporaryDirectory() as place:
        bundle = Path(place) / "karyotype"
        write_bundle(bundle_files(), bundle)
        return publish(library, who(), bundle, name="karyotype", key=key)


def own_key(library: Library) -> Path:
    """The private key of this hospital, made and entered where there is none."""
    path = home_folder() / "keys" / PRIVATE_KEY
    if not path.exists():
        person = who()
        trust_key(library, person, make_key(path), hospital=person.hospital)
    return path


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Only these; karyotype is one.")
def main(only: tuple[str, ...]) -> None:
    """Make the models that the library opens with and publish them."""
    data = data_folder()
    if data is None:
        raise click.UsageError("CONSILIUM_DATA names no folder of data")
    library = open_library(home_folder(), note=note)
    key = own_key(library)
    if not only or "karyotype" in only:
        click.echo(f"{open_karyotyping(library, key).title} is in the library")
    for one in OPENING:
        if only and one.name not in only:
            continue
        click.echo(one.name)
        release = open_with(library, data, one, key)
        click.echo("  was in the library" if release is None else f"  {release.title}: {release.size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
