"""Running a study on FLARE: processes up, the job in, and again if need be, until the result is there.

A job is only the present try. What was reached lies in the study's folder (`course.py`), so after a crash of the server
or a hospital's return the next job goes on where the last one stood.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consilium.alliance.joint_training import flare_processes
from consilium.alliance.joint_training.authority import need_flare
from consilium.alliance.joint_training.flare_names import CONTROLLER, EXECUTOR, SITE_FILE
from consilium.alliance.joint_training.membership import KIT, read_membership, write_membership, write_private
from consilium.alliance.joint_training.progress import Progress, read_progress
from consilium.alliance.joint_training.provisioning import for_its_owner_alone, lead_name
from consilium.alliance.joint_training.study import Study
from consilium.errors import EngineError

_STOP = "stop"
_ENDED = ("FINISHED:", "FAILED")
_SITES_UP = 90.0
_APART_UP = 1800.0
"""Seconds in which somebody at another hospital starts the client there."""
_BACK = 3.0
"""Seconds that the process of a hospital that is away must run before the job is begun anew for it."""
_TRIES = 10
_ASKED_EVERY = 0.1
"""Seconds after which a hospital asks for the next task; FLARE's own are 2, which would be nearly all of a round."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where things are on this machine.

    Attributes:
        folder: of the study at the server.
        kits: folders of the kits of "server" and "lead".
        sites: folder of the study at each hospital that runs on this installation, by pseudonym.
        ledger: of the installation.
        apart: pseudonyms of the hospitals that run on installations of their own.
    """

    folder: Path
    kits: Mapping[str, Path]
    sites: Mapping[str, Path]
    ledger: Path
    apart: frozenset[str] = frozenset()


class Conductor:
    """Runs one study.

    Args:
        study: what was agreed.
        places: where it lies.
        note: leaves an entry in the ledger.
    """

    def __init__(self, study: Study, places: Places, note: Callable[[str, dict[str, Any]], None]) -> None:
        need_flare()
        self._study, self.places, self._note = study, places, note
        self._away_since: dict[str, float] = {}
        self._last_heard: dict[str, float] = {}
        self._answered_before = 0

    def up(self) -> None:
        """Start what does not run: the server, then the hospitals of this machine.

        Raises:
            EngineError: the server does not start.
        """
        (self.places.folder / _STOP).unlink(missing_ok=True)
        server = self.places.kits["server"]
        _tell(server, {"folder": str(self.places.folder), "ledger": str(self.places.ledger)})
        self.server_up()
        for site in self.places.sites:
            self.site_up(site)

    def server_up(self) -> None:
        """Start the server, if it does not run."""
        server = self.places.kits["server"]
        flare_processes.start(server, "server", "server", "consilium")
        flare_processes.wait_for_port(server, _port(server))

    def site_up(self, site: str) -> None:
        """Start the client of a hospital on this machine, if it does not run."""
        start_site(self.places.sites[site])

    def submit(self) -> str:
        """Hand FLARE the job, as soon as enough hospitals are there; its id.

        Raises:
            EngineError: the server refuses it, or too few hospitals come.
        """
        job = self.places.folder / "job"
        self._answered_before = len(read_progress(self.places.folder).round_seconds)
        write_job(self._study, job)
        session = self._session()
        try:
            began = time.monotonic()
            first = not read_progress(self.places.folder).sites
            deadline = began + (_APART_UP if first and self.places.apart else _SITES_UP)
            wanted = set(self._wanted())
            while True:
                here = self._heard(session)
                if wanted <= here or (time.monotonic() > deadline and len(here) >= self._study.least_hospitals):
                    break
                if time.monotonic() > deadline:
                    raise EngineError(
                        f"{len(here)} hospital(s) came, {self._study.least_hospitals} are needed",
                        where=f"study {self._study.id}",
                        way_out="Start their clients (`consilium study site`), then `consilium study resume`.",
                    )
                time.sleep(0.3)
            found = str(session.submit_job(str(job)))
            # FLARE has signed it, in a file of its own.
            for_its_owner_alone(job)
        finally:
            session.close()
        self._note("study.job", {"job": found, "hospitals": sorted(here)})
        return found

    def wait(self, job: str, on_progress: Callable[[Progress], None], *, seconds: float) -> Progress:
        """See the study through, with as many jobs as it takes.

        Args:
            job: the one that was submitted.
            on_progress: called with every change.
            seconds: how long at most.

        Raises:
            EngineError: it cannot be brought to an end; what was reached is kept.
        """
        deadline = time.monotonic() + seconds
        shown: Progress | None = None
        tries = 0
        while time.monotonic() < deadline:
            progress = read_progress(self.places.folder)
            if progress != shown:
                on_progress(progress)
                shown = progress
            if progress.phase == "done":
                return progress
            state = self._state(job)
            if state is None or state.startswith(_ENDED):
                progress = read_progress(self.places.folder)
                if progress.phase == "done":
                    continue
                tries = 1 if len(progress.round_seconds) > self._answered_before else tries + 1
                if progress.phase == "stopped" or tries >= _TRIES or self._stopped_by_hand():
                    raise EngineError(
                        progress.why or "it was stopped",
                        where=f"study {self._study.id}",
                        way_out="`consilium study resume` goes on from here.",
                    )
                self._note("study.again", {"after": state or "the server was gone"})
                (self.places.folder / _STOP).unlink(missing_ok=True)
                self.up()
                job = self.submit()
            elif self._somebody_is_back(progress):
                # A client that comes back gets no part of a job that runs: end this one after its question.
                write_private(self.places.folder / _STOP, b"a hospital is back")
            time.sleep(0.5)
        raise EngineError(
            "it takes longer than was allowed",
            where=f"study {self._study.id}",
            way_out="`consilium study status` tells how far it is, `resume` goes on.",
        )

    def stop(self) -> None:
        """End all processes of the study on this machine."""
        write_private(self.places.folder / _STOP, b"stopped")
        for folder in self.places.sites.values():
            flare_processes.stop(Path(read_membership(folder).kit))
        flare_processes.stop(self.places.kits["server"])

    def _wanted(self) -> list[str]:
        progress = read_progress(self.places.folder)
        out = {site for site, one in progress.sites.items() if one.state in ("refused", "vetoed")}
        return [site for site in (*self.places.sites, *sorted(self.places.apart)) if site not in out]

    def _heard(self, session: Any) -> set[str]:
        """The hospitals that the server knows; notes when it last heard of each."""
        known = {one.name: one.last_connect_time for one in session.get_system_info().client_info}
        self._last_heard = {site: float(when) for site, when in known.items() if when is not None}
        return set(known)

    def _runs(self, site: str, *, since: float) -> bool:
        """Whether the client of a hospital runs: here by its process, elsewhere by what the server heard of it.

        Args:
            site: pseudonym.
            since: seconds of the epoch, after which something must have been heard.
        """
        if site in self.places.apart:
            return self._last_heard.get(site, 0.0) > since
        return flare_processes.alive(Path(read_membership(self.places.sites[site]).kit)) is not None

    def _stopped_by_hand(self) -> bool:
        path = self.places.folder / _STOP
        return path.is_file() and path.read_text(encoding="utf-8") == "stopped"

    def _somebody_is_back(self, progress: Progress) -> bool:
        now = time.time()
        if len(progress.round_seconds) <= self._answered_before:
            # The first question of a job goes to everybody: who is away after that is away.
            self._away_since.clear()
            return False
        for site in (*self.places.sites, *self.places.apart):
            one = progress.sites.get(site)
            if one is None or one.state != "away":
                self._away_since.pop(site, None)
                continue
            since = self._away_since.setdefault(site, now)
            if not self._runs(site, since=since):
                if site in self.places.sites:
                    self._away_since.pop(site)
            elif now - since > _BACK:
                self._away_since.clear()
                return not (self.places.folder / _STOP).exists()
        return False

    def _state(self, job: str) -> str | None:
        """FLARE's word for the state of a job; None where there is no server to ask."""
        if flare_processes.alive(self.places.kits["server"]) is None:
            return None
        try:
            session = self._session()
        except EngineError:
            return None
        try:
            if self.places.apart:
                self._heard(session)
            return str(session.get_job_meta(job).get("status", ""))
        except Exception:  # FLARE raises a dozen kinds, for a job it does not know and for a broken connection
            return None
        finally:
            session.close()

    def _session(self) -> Any:
        from nvflare.fuel.flare_api.flare_api import new_secure_session

        kit = self.places.kits["lead"]
        trouble: Exception | None = None
        for _ in range(3):
            try:
                # It prints what it does.
                with contextlib.redirect_stdout(io.StringIO()):
                    return new_secure_session(lead_name(self._study), str(kit), timeout=10.0)
            except Exception as problem:  # as above
                trouble = problem
                time.sleep(1.0)
        raise EngineError(
            f"the server of the study cannot be reached ({trouble})",
            where=f"study {self._study.id}",
            way_out="`consilium study resume` starts it.",
        )


def install_kit(kit: Path, folder: Path) -> None:
    """Give a hospital its start-up kit, and tell the kit where the hospital's side of the study lies."""
    import shutil

    target = folder / KIT
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(kit, target, copy_function=shutil.copy2)
    target.chmod(0o700)
    _tell(target, {"folder": str(folder)})
    write_membership(replace(read_membership(folder), kit=str(target)), folder)


def start_site(folder: Path) -> int:
    """Start the client of a hospital, if it does not run; its process id."""
    membership = read_membership(folder)
    return flare_processes.start(Path(membership.kit), "client", membership.site, membership.site.replace("-", "_"))


def write_job(study: Study, folder: Path) -> None:
    """What FLARE is handed: two names of classes that are installed everywhere, and the digest of the study."""
    config = folder / "app" / "config"
    for one in (folder, folder / "app", config):
        one.mkdir(exist_ok=True, mode=0o700)
    documents = {
        folder / "meta.json": {
            "name": study.id, "resource_spec": {}, "min_clients": study.least_hospitals,
            "deploy_map": {"app": ["@ALL"]},
        },
        config / "config_fed_server.json": {
            "format_version": 2,
            "server": {"task_request_interval": _ASKED_EVERY},
            "workflows": [{"id": "study", "path": CONTROLLER, "args": {"study": study.digest}}],
            "components": [],
        },
        config / "config_fed_client.json": {
            "format_version": 2,
            "executors": [{"tasks": ["*"], "executor": {"path": EXECUTOR, "args": {}}}],
            "task_data_filters": [], "task_result_filters": [], "components": [],
        },
    }  # fmt: skip
    for path, document in documents.items():
        write_private(path, json.dumps(document, indent=1).encode())


def _tell(kit: Path, told: dict[str, str]) -> None:
    write_private(kit / "local" / SITE_FILE, json.dumps(told).encode())


def _port(kit: Path) -> int:
    told = json.loads((kit / "startup" / "fed_server.json").read_text(encoding="utf-8"))
    return int(told["servers"][0]["service"]["target"].rpartition(":")[2])
