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
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from consilium.alliance.joint_training.authority import NAME, Authority, authority_in, need_flare
from consilium.alliance.joint_training.flare_names import CONTROLLER
from consilium.alliance.joint_training.membership import write_private
from consilium.alliance.joint_training.server_place import ServerPlace, place_in
from consilium.alliance.joint_training.site_policy import flare_authorization, flare_classes, flare_privacy
from consilium.alliance.joint_training.study import Study
from consilium.errors import EngineError

_MADE = "made"
_SECONDS = 120


def lead_name(study: Study) -> str:
    """What the lead is called in FLARE."""
    return f"lead@{organisation(study.lead)}.org"


def organisation(hospital: str) -> str:
    """A hospital's name in certificates; FLARE's names take no underscore."""
    return hospital.replace("_", "-")


def provision(study: Study, folder: Path, *, apart: Collection[str] = ()) -> dict[str, Path]:
    """Make the kits of a study: of its server, its lead, and the hospitals of this installation.

    Args:
        study: what was agreed.
        folder: of the study at the lead; receives them, under `kits`.
        apart: pseudonyms of hospitals on installations of their own: there is no key of theirs here.

    Returns:
        Folder of each kit: of "server", "lead" and every pseudonym that is not apart.

    Raises:
        MissingExtra: FLARE is not installed.
        EngineError: FLARE's provisioning fails.
    """
    sites = [site for site in study.pseudonyms.values() if site not in apart]
    place = place_in(folder)
    kits = folder / "kits"
    made = _made(study, kits, place, sites, authority_in(folder))
    found = {"server": made / place.host, "lead": made / lead_name(study), **{site: made / site for site in sites}}
    named = {name: kits / name for name in found}
    for name, path in found.items():
        path.rename(named[name])
    # FLARE keeps all keys there, in one file.
    shutil.rmtree(kits / _MADE)
    _server_policies(study, named["server"])
    for site in sites:
        _site_policies(study, named[site])
    for_its_owner_alone(kits)
    return named


def provision_apart(
    study: Study, site: str, folder: Path, place: ServerPlace, *, key: str, certificate: str, authority: str
) -> Path:
    """Make the kit of a hospital at the hospital, around the key that lies there.

    FLARE as it is installed here writes it, so nothing that runs comes from outside.

    Args:
        study: what was agreed.
        site: the hospital's pseudonym.
        folder: receives the kit, under `kits`.
        place: where the server listens.
        key: the hospital's, private, PEM.
        certificate: for the key, PEM.
        authority: certificate of the study's authority, PEM.

    Raises:
        MissingExtra: FLARE is not installed.
        EngineError: FLARE's provisioning fails.
    """
    kits = folder / "kits"
    kit = _made(study, kits, place, [site], None) / site
    kit.rename(kits / site)
    # With it go a server and an authority that FLARE made up, and that nobody knows.
    shutil.rmtree(kits / _MADE)
    for name, content in (("client.key", key), ("client.crt", certificate), ("rootCA.pem", authority)):
        write_private(kits / site / "startup" / name, content.encode())
    _site_policies(study, kits / site)
    for_its_owner_alone(kits)
    return kits / site


def _made(study: Study, kits: Path, place: ServerPlace, sites: list[str], authority: Authority | None) -> Path:
    """Have FLARE make kits; the folder that they are in, and all of its keys beside."""
    need_flare()
    shutil.rmtree(kits, ignore_errors=True)
    kits.mkdir(parents=True, mode=0o700)
    # YAML is a superset of JSON, and FLARE goes by the ending.
    write_private(kits / "project.yml", json.dumps(_project(study, place, sites), indent=1).encode())
    if authority is not None:
        known = {"root_cert": authority.certificate, "root_pri_key": authority.key}
        write_private(kits / _MADE / NAME / "state" / "cert.json", json.dumps(known).encode())
    command = [sys.executable, "-m", "nvflare.cli", "provision", "-p", "project.yml", "-w", _MADE, "--force"]
    done = subprocess.run(
        command, cwd=kits, capture_output=True, text=True, timeout=_SECONDS, check=False, umask=0o077,
        stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(kits)},
    )  # fmt: skip
    made = kits / _MADE / NAME / "prod_00"
    if done.returncode or not made.is_dir():
        shutil.rmtree(kits / _MADE, ignore_errors=True)
        raise EngineError(
            "NVIDIA FLARE made no start-up kits",
            where=f"study {study.id}",
            way_out=(done.stderr or done.stdout).strip()[-400:],
        )
    return made


def _project(study: Study, place: ServerPlace, sites: list[str]) -> dict[str, Any]:
    clients = [{"name": site, "type": "client", "org": site.replace("-", "_")} for site in sites]
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
        "name": place.host, "type": "server", "org": "consilium", "fed_learn_port": place.port,
        "admin_port": place.port,
    }  # fmt: skip
    lead = {"name": lead_name(study), "type": "admin", "org": study.lead, "role": "lead"}
    return {
        "api_version": 3,
        "name": NAME,
        "description": f"study {study.id}",
        "participants": [server, *clients, lead],
        "builders": builders,
    }


def _server_policies(study: Study, kit: Path) -> None:
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
