"""The files of a release install as they say, and name no place."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from release.files import LOCK, SBOM, SUMS, ReleaseError, make, without_itself, without_place, without_place_in_sbom

MISSING = [one for one in ("piptools", "cyclonedx_py") if importlib.util.find_spec(one) is None]
PINNED = "click==8.2.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"


@pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} (extra `release`) is not installed")
@pytest.mark.timeout(600)
def test_a_release_installs_from_its_hashes_alone(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    wheel, lock, sbom, sums = make(out, extras=("metrics",))
    assert {one.name for one in out.iterdir()} == {wheel.name, LOCK, SBOM, SUMS}
    for line in sums.read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    packages = {line.split("==")[0] for line in lock.read_text().splitlines() if line[:1].isalpha()}
    assert {"numpy", "onnxruntime", "prometheus-client"} <= packages
    told = json.loads(sbom.read_text())
    assert told["bomFormat"] == "CycloneDX"
    listed = {one["name"].lower().replace("_", "-"): one for one in told["components"]}
    assert packages <= set(listed)
    assert listed["numpy"]["purl"].startswith("pkg:pypi/numpy@")
    for text in (lock.read_text(), sbom.read_text()):
        assert "file://" not in text and str(tmp_path) not in text
    # One wrong hash, and nothing is taken.
    changed = tmp_path / "changed.lock"
    changed.write_text(f"click=={listed['click']['version']} --hash=sha256:{'0' * 64}\n")
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "-d", str(tmp_path / "d")]
    refused = subprocess.run([*pip, "-r", str(changed)], capture_output=True, text=True)
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stderr


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://mirror.example/simple\n",
        "-i http://10.0.0.1/simple\n",
        "--find-links /wheels\n",
        "--extra-index-url x\n",
        "--trusted-host mirror\n",
        "click @ file:///tmp/click.whl --hash=sha256:00\n",
    ],
)
def test_a_lock_that_names_a_place_is_refused(line: str) -> None:
    assert without_place(PINNED) == PINNED
    with pytest.raises(ReleaseError, match="names a place"):
        without_place(line + PINNED)


def test_the_package_itself_is_not_in_the_lock() -> None:
    note = "# Consider using a hashable URL like https://example.org/x.zip\n"
    own = "consilium @ file:///tmp/x \\\n    --hash=sha256:1\n"
    assert without_itself(note + own + PINNED + own) == PINNED


def test_a_package_without_a_hash_is_refused() -> None:
    with pytest.raises(ReleaseError, match="without a hash: numpy"):
        without_place(PINNED + "numpy==2.0.0\n")


def test_an_sbom_keeps_what_is_public_and_loses_where_it_was_taken_from() -> None:
    home = {"type": "website", "url": "https://numpy.org"}
    took = {"type": "distribution", "url": "https://mirror.example/numpy.whl"}
    page = {"type": "website", "url": "https://pypi.org/project/numpy"}
    told = {
        "metadata": {"component": {"name": "consilium", "externalReferences": [took]}},
        "components": [{"name": "numpy", "externalReferences": [home, took, page]}],
    }
    found = json.loads(without_place_in_sbom(json.dumps(told)))
    assert found["components"] == [{"name": "numpy", "externalReferences": [home]}]
    assert found["metadata"]["component"] == {"name": "consilium"}
    with pytest.raises(ReleaseError, match="of this machine"):
        without_place_in_sbom(json.dumps({"components": [{"name": "x", "purl": "file:///tmp/x"}]}))
