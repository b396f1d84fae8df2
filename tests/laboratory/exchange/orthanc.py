"""A real Orthanc for tests, in a folder of its own on loopback; where there is none they skip with the reason."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from consilium.laboratory.exchange.partners import Archive
from tests.postgres import wait_until

PLUGINS = Path("/usr/share/orthanc/plugins")


@dataclass(frozen=True)
class Orthanc:
    """Where it listens."""

    dimse: int
    http: int
    process: subprocess.Popen[bytes]

    @property
    def by_dimse(self) -> Archive:
        return Archive(host="127.0.0.1", port=self.dimse, title="ORTHANC", ours="CONSILIUM")

    @property
    def by_web(self) -> Archive:
        return Archive(web=f"http://127.0.0.1:{self.http}/dicom-web")

    def asked(self, path: str, method: str = "GET") -> object:
        asked = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=10) as answer:
            return json.loads(answer.read())

    def empty(self) -> None:
        studies = self.asked("/studies")
        assert isinstance(studies, list)
        for one in studies:
            self.asked(f"/studies/{one}", "DELETE")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def running_orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    program = shutil.which("Orthanc") or ("/usr/sbin/Orthanc" if Path("/usr/sbin/Orthanc").exists() else None)
    if program is None or not (PLUGINS / "libOrthancDicomWeb.so").exists():
        pytest.skip("Orthanc with its DICOMweb plugin is not installed: archives are not tested")
    folder = tmp_path_factory.mktemp("orthanc")
    dimse, http = free_port(), free_port()
    settings = {
        "Name": "test", "StorageDirectory": str(folder / "store"), "IndexDirectory": str(folder / "index"),
        "Plugins": [str(PLUGINS / "libOrthancDicomWeb.so")], "HttpPort": http, "DicomPort": dimse,
        "DicomAet": "ORTHANC", "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "DicomServerEnabled": True,
        "DicomAlwaysAllowEcho": True, "DicomAlwaysAllowFind": True, "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowStore": True, "DicomCheckCalledAet": False, "UnknownSopClassAccepted": True,
        "DicomModalities": {"consilium": ["CONSILIUM", "127.0.0.1", 4242]}, "DicomWeb": {"Enable": True},
        "OverwriteInstances": False, "DefaultEncoding": "Utf8",
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log, cwd=folder)
    made = Orthanc(dimse=dimse, http=http, process=process)

    def answers() -> bool:
        assert process.poll() is None, (folder / "log").read_text()[-2000:]
        try:
            made.asked("/system")
            return True
        except OSError:
            return False

    try:
        wait_until(answers, "Orthanc")
        yield made
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.fixture
def orthanc(running_orthanc: Orthanc) -> Orthanc:
    """An empty one."""
    running_orthanc.empty()
    return running_orthanc
