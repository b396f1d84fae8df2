"""How a workstation is run, put together: what was said at the start, else the environment, else a file, else defaults.

The file is TOML. What may stand in it is `ENTRIES`; docs/reference/settings.md is the same table for people.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from consilium.errors import InputError
from consilium.settings import LABORATORY_VARIABLE
from consilium.web.security.policy import SignInPolicy
from consilium.web.security.single_sign_on import SingleSignOn
from consilium.web.settings import Settings

SETTINGS_VARIABLE = "CONSILIUM_SETTINGS"
PREFIX = "CONSILIUM_WEB_"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_MEGABYTE = 1024 * 1024
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

ENTRIES: dict[str, tuple[type, Any]] = {
    "laboratory": (str, ""),
    "files": (str, ""),
    "serve.host": (str, "127.0.0.1"),
    "serve.port": (int, 8080),
    "serve.names": (list, []),
    "serve.tls_certificate": (str, ""),
    "serve.tls_key": (str, ""),
    "serve.behind_proxy": (bool, False),
    "serve.proxies": (list, ["127.0.0.1"]),
    "uploads.largest_picture_megabytes": (int, 64),
    "uploads.largest_request_megabytes": (int, 512),
    **{f"sign_in.{name}": (int, value) for name, value in vars(SignInPolicy()).items()},
    "single_sign_on.issuer": (str, ""),
    "single_sign_on.client_id": (str, ""),
    "single_sign_on.client_secret_file": (str, ""),
    "single_sign_on.claim": (str, "preferred_username"),
    "single_sign_on.certificates": (str, ""),
    "single_sign_on.title": (str, ""),
}
"""Every entry: its type, and what it is where nobody says."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """Where a workstation listens, and how it is run.

    Attributes:
        host, port: where it listens; port 0 is any that is free.
        tls_certificate, tls_key: files (PEM); None: no TLS of its own.
        proxies: addresses whose word about where a request comes from is believed; empty: nobody's.
        settings: of the app.
    """

    host: str
    port: int
    tls_certificate: Path | None
    tls_key: Path | None
    proxies: tuple[str, ...]
    settings: Settings


def read_settings(
    said: Mapping[str, Any], *, file: Path | None = None, environ: Mapping[str, str] | None = None
) -> Serving:
    """Put the settings together.

    Args:
        said: entries of `ENTRIES` that were said at the start; None is left out.
        file: TOML; that which CONSILIUM_SETTINGS names where it is left out.
        environ: the environment; the process's own where it is left out.

    Raises:
        InputError: an entry is not known or of the wrong kind, or the workstation would be open to whoever reads along.
    """
    around = os.environ if environ is None else environ
    named = around.get(SETTINGS_VARIABLE, "").strip()
    path = file or (Path(named).expanduser() if named else None)
    found = {name: default for name, (_, default) in ENTRIES.items()}
    found |= {} if path is None else _of_file(path)
    found |= _of_environment(around)
    found |= {name: value for name, value in said.items() if value is not None}
    return _serving(found)


def _of_file(path: Path) -> dict[str, Any]:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InputError(f"the settings cannot be read ({problem.strerror})", where=str(path)) from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InputError(f"the settings are no TOML ({problem})", where=str(path)) from problem
    flat: dict[str, Any] = {}
    for name, value in told.items():
        flat |= {f"{name}.{inner}": one for inner, one in value.items()} if isinstance(value, dict) else {name: value}
    for name, value in flat.items():
        if name not in ENTRIES:
            raise InputError(f"there is no setting {name!r}", where=str(path), way_out="docs/reference/settings.md")
        flat[name] = _of_kind(name, value, str(path))
    return flat


def _of_environment(around: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, (kind, _) in ENTRIES.items():
        variable = LABORATORY_VARIABLE if name == "laboratory" else PREFIX + name.replace(".", "_").upper()
        text = around.get(variable, "").strip()
        if not text:
            continue
        value: Any = text
        if kind is int and text.isascii() and text.isdecimal() and len(text) < 10:
            value = int(text)
        elif kind is bool:
            value = _WORDS.get(text.lower(), text)
        elif kind is list:
            value = [one.strip() for one in text.split(",") if one.strip()]
        found[name] = _of_kind(name, value, variable)
    return found


def _of_kind(name: str, value: Any, where: str) -> Any:
    kind = ENTRIES[name][0]
    right = type(value) is kind and (not isinstance(value, list) or all(isinstance(one, str) for one in value))
    if not right:
        told = {str: "a text", int: "a whole number", bool: "true or false", list: "a list of texts"}[kind]
        raise InputError(f"the setting {name} has to be {told}", where=where)
    return value


def _serving(found: Mapping[str, Any]) -> Serving:
    host, port = found["serve.host"], found["serve.port"]
    certificate, key = _path(found["serve.tls_certificate"]), _path(found["serve.tls_key"])
    if not 0 <= port <= 65535:
        raise InputError(f"there is no port {port}")
    if (certificate is None) != (key is None):
        raise InputError("TLS needs both a certificate and its key")
    for one in (certificate, key):
        if one is not None and not one.is_file():
            raise InputError("there is no such file for TLS", where=str(one))
    if key is not None and key.stat().st_mode & 0o007:
        raise InputError("everybody on this machine can read the key of TLS", where=str(key), way_out="chmod o= on it.")
    secure, names = certificate is not None or found["serve.behind_proxy"], tuple(found["serve.names"])
    if not _is_loopback(host):
        if not secure:
            raise InputError(
                f"whoever reads along on the way to {host} would see passwords and names of patients",
                way_out="Say --tls-certificate and --tls-key, or set behind_proxy where a proxy before it does TLS.",
            )
        if not names:
            raise InputError(
                "it has to be known by which names browsers ask", way_out='As in names = ["lab.hospital.example"].'
            )
    return Serving(
        host=host, port=port, tls_certificate=certificate, tls_key=key,
        proxies=tuple(found["serve.proxies"]) if found["serve.behind_proxy"] else (),
        settings=_settings(found, secure=secure, hosts=(*_LOOPBACK, *names)),
    )  # fmt: skip


def _settings(found: Mapping[str, Any], *, secure: bool, hosts: tuple[str, ...]) -> Settings:
    def part(section: str) -> dict[str, Any]:
        return {name.partition(".")[2]: value for name, value in found.items() if name.startswith(section + ".")}

    service = part("single_sign_on")
    for name in ("client_secret_file", "certificates"):
        service[name] = _path(service[name])
    own = {"database": found["laboratory"], "files": _path(found["files"])}
    for name, value in part("uploads").items():
        if not 1 <= value <= 100_000:
            raise InputError(f"uploads.{name} has to be from 1 to 100000")
    return Settings(
        **{name: value for name, value in own.items() if value},
        hosts=hosts, secure=secure,
        largest_upload=found["uploads.largest_picture_megabytes"] * _MEGABYTE,
        largest_request=found["uploads.largest_request_megabytes"] * _MEGABYTE,
        sign_in=SignInPolicy(**part("sign_in")), single_sign_on=SingleSignOn(**service) if service["issuer"] else None,
    )  # fmt: skip


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
