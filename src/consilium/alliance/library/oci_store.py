"""Files of packages in an OCI registry: a repository a model, an artefact a package, a layer a file.

Any registry that speaks the OCI Distribution Specification 1.0 will do (Harbor, Zot, Docker Registry, those of clouds),
and any OCI client can copy what is there. The tag of an artefact is the digest of its package, so that no tag ever
moves. Who is asked for a password has it in the usual file of OCI clients (`~/.docker/config.json`).
"""

from __future__ import annotations

import tempfile
import time
import weakref
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from consilium.alliance.library.store import write_checked
from consilium.artefact.runtime import sha256_of
from consilium.errors import InputError, MissingExtra, NotTrusted, OutputError

SCHEME = "oci://"
_PIECE = 1 << 20
_PAUSES = (0.1, 0.4, 1.0)
"""Seconds between tries to tag a package."""
_PATIENCE = 10
"""Seconds that a registry may take for its first answer."""
_ARTEFACT = "application/vnd.consilium.package.v1"
_FILE = "application/octet-stream"
_EMPTY = b"{}"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_TITLE = "org.opencontainers.image.title"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class OciStore:
    """A store in a registry.

    Args:
        place: oci://HOST[:PORT]/PREFIX. Without TLS on this machine only.

    Raises:
        MissingExtra: oras is not installed.
        InputError: the place names no registry.
    """

    def __init__(self, place: str) -> None:
        if find_spec("oras") is None:
            raise MissingExtra("oras is needed for registries", way_out="Install it: pip install 'consilium[library]'.")
        host, _, prefix = place.removeprefix(SCHEME).strip("/").partition("/")
        if not place.startswith(SCHEME) or not host or not prefix or "@" in host:
            raise InputError(
                f"{place!r} names no place in a registry", way_out="As in oci://registry.example.org/consilium."
            )
        from oras.provider import Registry

        here = host.rsplit(":", 1)[0] in _LOOPBACK
        self._registry = Registry(hostname=host, insecure=here)
        # What stays on this machine goes through no proxy.
        self._registry.session.trust_env = not here
        self._host, self._prefix = host, prefix
        self._reached = False
        weakref.finalize(self, self._registry.session.close)

    @property
    def place(self) -> str:
        """The registry and the prefix of its repositories."""
        return f"{SCHEME}{self._host}/{self._prefix}"

    def put(self, name: str, package: str, files: Mapping[str, Path], digests: Mapping[str, str]) -> None:
        """See `Store.put`; the package becomes an artefact with the tag `package`."""
        for title, source in files.items():
            if sha256_of(source) != digests[title]:
                raise NotTrusted(f"the file {title} is not what its digest says", where=str(source))
        self._reach()
        container = self._container(name, package)
        layers = [
            _described(_FILE, digests[title], source.stat().st_size, {_TITLE: title})
            for title, source in sorted(files.items())
        ]
        with tempfile.TemporaryDirectory() as folder:
            empty = Path(folder) / "empty.json"
            empty.write_bytes(_EMPTY)
            config = _described(_EMPTY_TYPE, sha256_of(empty), len(_EMPTY), {})
            for layer, source in [*zip(layers, (files[one] for one in sorted(files)), strict=True), (config, empty)]:
                self._answered(
                    f"{source.name} cannot be kept", self._registry.upload_blob, str(source), container, layer
                )
        manifest = {
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": _ARTEFACT,
            "config": config, "layers": layers, "annotations": {"org.opencontainers.image.ref.name": name},
        }  # fmt: skip
        for pause in (*_PAUSES, None):
            try:
                self._answered("the package cannot be kept", self._registry.upload_manifest, manifest, container)
                return
            except OutputError:
                # Docker Registry answers 400 at times when several clients tag the same at once.
                if pause is None:
                    raise
                time.sleep(pause)

    def fetch(self, name: str, digest: str, target: Path) -> None:
        """See `Store.fetch`."""
        import requests

        self._reach()
        container = self._container(name, digest)
        answer = self._answered(
            f"the file {digest[:12]}... is not there",
            self._registry.get_blob,
            container,
            f"sha256:{digest}",
            stream=True,
        )
        try:
            write_checked(answer.iter_content(_PIECE), digest, target, where=f"{self.place}/{name}")
        except requests.RequestException as problem:
            raise self._away(problem) from problem
        finally:
            answer.close()

    def has(self, name: str, digest: str) -> bool:
        """See `Store.has`."""
        import requests

        self._reach()
        try:
            there = self._registry.blob_exists({"digest": f"sha256:{digest}"}, self._container(name, digest))
        except (requests.RequestException, ValueError) as problem:
            raise self._away(problem) from problem
        return bool(there)

    def _reach(self) -> None:
        """See that the registry is there: oras would ask five times, over two minutes.

        Raises:
            OutputError: it is not.
        """
        import requests

        if self._reached:
            return
        try:
            self._registry.session.get(f"{self._registry.prefix}://{self._host}/v2/", timeout=_PATIENCE)
        except requests.RequestException as problem:
            raise self._away(problem) from problem
        self._reached = True

    def _container(self, name: str, tag: str) -> Any:
        return self._registry.get_container(f"{self._host}/{self._prefix}/{name}:{tag}")

    def _answered(self, what: str, ask: Any, *arguments: Any, **named: Any) -> Any:
        """What the registry answers to a request.

        Raises:
            OutputError: it does not, or says no.
        """
        import requests

        try:
            answer = ask(*arguments, **named)
        except (requests.RequestException, ValueError) as problem:
            raise self._away(problem) from problem
        if answer.status_code not in (200, 201, 202):
            answer.close()
            raise OutputError(
                f"{what} (the registry answers {answer.status_code})", where=self.place,
                way_out="Look at the registry's log: it may be full, read-only, or want a login (`docker login`).",
            )  # fmt: skip
        return answer

    def _away(self, problem: Exception) -> OutputError:
        return OutputError(
            f"the registry does not answer ({type(problem).__name__})", where=self.place,
            way_out="Start it, or name another store.",
        )  # fmt: skip


def _described(kind: str, digest: str, size: int, annotations: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}
    return found | ({"annotations": dict(annotations)} if annotations else {})
