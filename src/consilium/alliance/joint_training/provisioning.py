"""Start-up kits of NVIDIA FLARE for a study: certificates, keys, and each place's own policies.

FLARE's provisioning makes a certificate authority for the study, and for the server, every hospital and the lead a key
with its certificate. What we change of a kit is its `local` folder, which belongs to whoever runs it: the classes that
may be built there, who may submit, the privacy filter. Nothing lies outside the work folder (FLARE's own place for jobs
and snapshots is in /tmp), and nothing in it can be read by others (FLARE lets everybody read the encryption's key).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from consilium.alliance.joint_training.flare_names import CONTROLLER, SERVER
from consilium.alliance.joint_training.site_policy import flare_authorization, flare_classes, flare_privacy
from consilium.alliance.joint_training.study import Study
from consilium.errors import EngineError, MissingExtra

_PROJECT = "study"
_SECONDS = 120


def need_flare() -> None:
    """See that NVIDIA FLARE is installed.

    Raises:
        MissingExtra: it is not.
    """
    from importlib.util import find_spec

    if find_spec("nvflare") is None:
        raise MissingExtra("joint training needs NVIDIA FLARE", way_out="Install it: pip install 'consilium[joint]'.")


def lead_name(study: Study) -> str:
    """What the lead is called in FLARE."""
    return f"lead@{organisation(study.lead)}.org"


def organisation(hospital: str) -> str:
    """A hospital's name in certificates; FLARE's names take no underscore."""
    return hospital.replace("_", "-")


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def provision(study: Study, folder: Path, *, host: str = SERVER) -> dict[str, Path]:
    """Make the kits of a study.

    Args:
        study: what was agreed.
        folder: receives them, under `kits`.
        host: name of the server's machine; "localhost" listens on loopback alone.

    Returns:
        Folder of each kit: of "server", "lead" and every pseudonym.

    Raises:
        MissingExtra: FLARE is not installed.
        EngineError: FLARE's provisioning fails.
    """
    need_flare()
    kits = folder / "kits"
    shutil.rmtree(kits, ignore_errors=True)
    kits.mkdir(parents=True, mode=0o700)
    (kits / "project.json").write_text(json.dumps(_project(study, host), indent=1), encoding="utf-8")
    # YAML is a superset of JSON, and FLARE goes by the ending.
    (kits / "project.json").rename(kits / "project.yml")
    command = [sys.executable, "-m", "nvflare.cli", "provision", "-p", "project.yml", "-w", "made", "--force"]
    done = subprocess.run(
        command, cwd=kits, capture_output=True, text=True, timeout=_SECONDS, check=False, umask=0o077,
        stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(kits)},
    )  # fmt: skip
    made = kits / "made" / _PROJECT / "prod_00"
    if done.returncode or not made.is_dir():
        raise EngineError(
            "NVIDIA FLARE made no start-up kits",
            where=f"study {study.id}",
            way_out=(done.stderr or done.stdout).strip()[-400:],
        )
    found = {"server": made / host, "lead": made / lead_name(study)}
    found |= {site: made / site for site in study.pseudonyms.values()}
    named = {name: kits / name for name in found}
    for name, path in found.items():
        path.rename(named[name])
    _server_policies(study, named["server"], folder)
    for site in study.pseudonyms.values():
        _site_policies(study, named[site])
    for_its_owner_alone(kits)
    return named


def _project(study: Study, host: str) -> dict[str, Any]:
    ports = free_ports(2)
    sites = [{"name": site, "type": "client", "org": site.replace("-", "_")} for site in study.pseudonyms.values()]
    builders: list[dict[str, Any]] = [
        {"path": "nvflare.lighter.impl.workspace.WorkspaceBuilder"},
        {
            "path": "nvflare.lighter.impl.static_file.StaticFileBuilder",
            "args": {"config_folder": "config", "scheme": "grpc"},
        },
    ]
    if study.privacy.encrypted:
        builders.append({"path": "nvflare.lighter.impl.he.HEBuilder"})
    builders += [
        {"path": "nvflare.lighter.impl.cert.CertBuilder"},
        {"path": "nvflare.lighter.impl.signature.SignatureBuilder"},
    ]
    server = {
        "name": host, "type": "server", "org": "consilium", "fed_learn_port": ports[0], "admin_port": ports[1],
    }  # fmt: skip
    lead = {"name": lead_name(study), "type": "admin", "org": study.lead, "role": "lead"}
    return {
        "api_version": 3,
        "name": _PROJECT,
        "description": f"study {study.id}",
        "participants": [server, *sites, lead],
        "builders": builders,
    }


def _server_policies(study: Study, kit: Path, folder: Path) -> None:
    local = kit / "local"
    resources = json.loads((local / "resources.json.default").read_text(encoding="utf-8"))
    resources["class_allow_list"] = [CONTROLLER]
    resources["snapshot_persistor"]["args"]["storage"]["args"]["root_dir"] = str(kit / "snapshots")
    for component in resources["components"]:
        if component["id"] == "job_manager":
            component["args"]["uri_root"] = str(kit / "jobs")
        if component["id"] == "job_scheduler":
            component["args"]["max_jobs"] = 1
    _write(local / "resources.json", resources)
    _write(local / "authorization.json", flare_authorization(study.lead))


def _site_policies(study: Study, kit: Path) -> None:
    local = kit / "local"
    resources = json.loads((local / "resources.json.default").read_text(encoding="utf-8"))
    resources["class_allow_list"] = flare_classes()
    # Logs of a hospital stay there.
    resources["allow_log_streaming"] = False
    resources["components"] = [one for one in resources["components"] if one["id"] != "site_log_streamer"]
    _write(local / "resources.json", resources)
    _write(local / "authorization.json", flare_authorization(study.lead))
    _write(local / "privacy.json", flare_privacy())


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def for_its_owner_alone(folder: Path) -> None:
    """Let nobody else read what is in a folder."""
    folder.chmod(0o700)
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.suffix == ".sh" else 0o600)
