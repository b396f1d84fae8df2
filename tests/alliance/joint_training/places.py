"""Hospitals with made-up features, and a study of theirs ready to run on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from consilium.alliance.joint_training.conduct import Conductor, Places, install_kit
from consilium.alliance.joint_training.membership import Membership, approved, write_membership, write_private
from consilium.alliance.joint_training.provisioning import provision
from consilium.alliance.joint_training.site_cases import SiteCases, counts_of, write_cases
from consilium.alliance.joint_training.study import Contract, Study
from consilium.alliance.ledger import append

WIDTH = 60
LABELS = ("benign", "malignant", "normal")


def hospital_cases(
    seed: int = 0, sizes: tuple[int, ...] = (60, 80, 50), labels: int = 3, width: int = WIDTH
) -> dict[str, SiteCases]:
    """Cases of hospitals that see different patients: each has another label most often."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((labels, width)) * 0.3
    found = {}
    for number, size in enumerate(sizes):
        mix = np.roll(np.geomspace(1, 0.2, labels), number)
        classes = rng.choice(labels, size, p=mix / mix.sum())
        features = (rng.standard_normal((size, width)) + centres[classes]).astype(np.float32)
        tested = rng.random(size) < 0.3
        found[f"site-{number + 1}"] = SiteCases(
            features=features,
            classes=classes,
            patients=np.arange(size),
            tested=tested,
            chosen_on=~tested & (rng.random(size) < 0.2),
        )
    return found


def contract(labels: int = 3, width: int = WIDTH, **more: Any) -> Contract:
    told = {"encoder": "made up", "dimensions": width, "sides": (128,), "least_cases": 10, "least_tested": 1}
    return Contract(labels=LABELS[:labels], modality=None, **{**told, **more})


def study(hospitals: int = 3, labels: int = 3, **more: Any) -> Study:
    told = {"rounds": 8, "choice_rounds": 3, "strengths": (1.0, 10.0), "round_seconds": 15, "contribution": "none"}
    names = tuple(f"hospital_{letter}" for letter in "abcde"[:hospitals])
    return Study(
        id="lumps", disease="lumps of the breast", hospitals=names, contract=contract(labels), lead=names[0],
        **{**told, **more},
    )  # fmt: skip


def running(of: Study, cases: Mapping[str, SiteCases], root: Path) -> Conductor:
    """A study that is provisioned, joined and approved; nothing runs yet."""
    root.mkdir(mode=0o700, exist_ok=True)
    folder = root / "server"
    folder.mkdir(mode=0o700)
    write_private(folder / "study.json", json.dumps(of.as_document()).encode())
    kits = provision(of, folder)
    sites = {}
    for hospital, site in of.pseudonyms.items():
        sites[site] = root / hospital
        sites[site].mkdir(mode=0o700)
        digest = write_cases(cases[site], sites[site] / "cases.npz")
        counts = json.loads(json.dumps(asdict(counts_of(cases[site], len(of.contract.labels)))))
        membership = Membership(
            study=of.as_document(), site=site, hospital=hospital, counts=counts, cases=digest,
            policy=str(root / hospital / "policy.json"), kit="",
        )  # fmt: skip
        write_membership(approved(membership, study=of.digest, who="officer"), sites[site])
        install_kit(kits[site], sites[site])
    ledger = root / "ledger.jsonl"
    places = Places(folder=folder, kits=kits, sites=sites, ledger=ledger)

    def note(what: str, details: dict[str, Any]) -> None:
        append(ledger, who="lead", what=what, on=f"study {of.id}", details=details)

    return Conductor(of, places, note)
