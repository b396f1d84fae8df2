"""An alliance in a home: three hospitals with people, a history of jobs, leases, prices, quotas, models.

People are those of `tests.laboratory.conftest.PEOPLE`, so that they can sign in at a workstation.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consilium.alliance.compute.engine import Lease
from consilium.alliance.compute.engines import engine_in
from consilium.alliance.compute.job import Request
from consilium.alliance.compute.job_folder import JOBS, new_folder
from consilium.alliance.compute.lease_file import NAME, LeaseFile
from consilium.alliance.compute.lease_hours import hours_of
from consilium.alliance.library.keys import trust_key
from consilium.alliance.library.library import Library, open_library
from consilium.alliance.library.pack import Terms
from consilium.alliance.library.publish import publish
from consilium.alliance.library.reference import Version
from consilium.alliance.library.trust import make_key, own_key_file
from consilium.alliance.permissions import ROLES, Person
from consilium.alliance.roster import ALONE, Hospital, Roster
from consilium.karyotype.bundle import bundle_files

HOSPITALS = ("hospital_a", "hospital_b", "hospital_c")
WEEK = 7 * 86400.0

TANG = Person(name="tang", hospital="hospital_a", roles=frozenset({"member", "publisher", "data_officer", "lead"}))
REN = Person(name="ren", hospital="hospital_a", roles=frozenset({"member", "approver"}))
DAI = Person(name="dai", hospital="hospital_b", roles=frozenset({"member", "data_officer"}))
ADA = Person(name="ada", hospital="hospital_c", roles=frozenset({"operator"}))


def put_people(home: Path) -> Roster:
    """Three hospitals; Tang, Ren, Dai and Ada in them. "both" works nowhere in it."""
    roster = Roster(home / "roster.json")
    for one, cores in zip(HOSPITALS, (16, 8, 8), strict=True):
        roster.put_hospital(Hospital(id=one, cores=cores))
    for person in (TANG, REN, DAI, ADA):
        roster.put_person(person)
    return roster


def put_job(home: Path, request: Request, *, submitted: float, seconds: float, state: str = "done") -> int:
    """A job that is over, as an engine left it; its number."""
    folder = new_folder(home / "compute" / JOBS, request)
    started = submitted + 20.0
    folder.write("submitted.json", {"time": submitted})
    folder.write("tries.json", [{"started": started, "ended": started + seconds, "how": "", "terms": ""}])
    reason = "exit status 3" if state == "failed" else ""
    folder.write(
        "ended.json", {"state": state, "time": started + seconds, "exit_status": 3 if reason else 0, "reason": reason}
    )
    return folder.number


def put_history(home: Path, *, weeks: int = 5, seed: int = 0, now: float | None = None) -> None:
    """Jobs of some weeks: two hospitals work by day, one by night; a few fail."""
    rng = np.random.default_rng(seed)
    now = time.time() if now is None else now
    for hour in range(weeks * 168):
        clock = (int(now - hour * 3600) // 3600 + 8) % 24  # Shanghai
        for hospital, busy in (
            ("hospital_a", 8 <= clock < 18), ("hospital_b", 9 <= clock < 16), ("hospital_c", not 7 <= clock < 20)
        ):  # fmt: skip
            if rng.random() < (0.5 if busy else 0.06):
                request = Request(
                    command=("consilium", "karyotype", "case"), folder="/", hospital=hospital, person="li",
                    name="secret of " + hospital, cores=int(rng.integers(1, 7)),
                )  # fmt: skip
                state = "failed" if hour < 100 and rng.random() < 0.08 else "done"
                put_job(
                    home,
                    request,
                    submitted=now - (hour + 1) * 3600,
                    seconds=float(rng.integers(900, 3500)),
                    state=state,
                )


def put_terms(home: Path) -> None:
    """Leases, prices and a quota that is nearly full."""
    leases = LeaseFile(home / "compute" / NAME)
    leases.set(Lease(hospital="hospital_a", cores=24, hours=hours_of("Mon-Fri 08-18")))
    leases.set(Lease(hospital="hospital_b", cores=14, hours=hours_of("Mon-Fri 09-16")))
    leases.set(Lease(hospital="hospital_c", cores=20, hours=hours_of("Mon-Sun 00-07, Mon-Sun 20-24")))
    put_rates(home)
    filled = home / "results_a"
    filled.mkdir()
    (filled / "masks").write_bytes(bytes(900_000))
    (home / "compute" / "quotas.json").write_text(
        json.dumps({"hospital_a": {"size": "1M", "folders": [str(filled)]}}), encoding="utf-8"
    )


def put_rates(home: Path) -> None:
    """Prices."""
    (home / "compute").mkdir(parents=True, exist_ok=True)
    rates = {"core_hour": "0.10", "gpu_hour": "4", "borrowed": "0.25", "currency": "CNY"}
    (home / "compute" / "rates.json").write_text(json.dumps(rates), encoding="utf-8")


def put_models(home: Path, *, publisher: Person = TANG) -> Library:
    """A library with the karyotyping models that come with Consilium, as a candidate of a hospital."""
    acts: list[Any] = []
    library = open_library(home, note=lambda *told, **more: acts.append((told, more)))
    everything = Person(name="founder", hospital=publisher.hospital, roles=frozenset(ROLES))
    key = own_key_file(home)
    trust_key(library, everything, make_key(key), hospital=publisher.hospital)
    folder = shipped_bundle(home / "shipped")
    publish(library, publisher, folder, name="karyotype", key=key, version=Version(1, 0, 0), terms=STATED)
    return library


STATED = Terms(licence="Apache-2.0", data={"": "CC-BY-4.0"})
ALONE_ALL = Person(name="tang", hospital=ALONE, roles=frozenset(ROLES))


def shipped_bundle(folder: Path) -> Path:
    """The karyotyping models as a bundle."""
    from consilium.artefact.bundle import write_bundle

    write_bundle(bundle_files(), folder)
    return folder


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with such jobs, made once: each of them is kept on the disk for good before the next."""
    made = tmp_path_factory.mktemp("history")
    put_history(made)
    return made


@pytest.fixture
def alliance(home: Path, history: Path) -> Path:
    """Three hospitals with five weeks behind them."""
    put_people(home)
    shutil.copytree(history / "compute", home / "compute")
    put_terms(home)
    return home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """`CONSILIUM_HOME` of its own; the engine that was started in it ends with the test."""
    made = tmp_path / "home"
    monkeypatch.setenv("CONSILIUM_HOME", str(made))
    monkeypatch.setenv("CONSILIUM_DATASETS", str(tmp_path / "sets"))
    for name in ("CONSILIUM_LIBRARY", "CONSILIUM_LIBRARY_STORE"):
        monkeypatch.delenv(name, raising=False)
    yield made
    engine_in(made).stop()
