"""The files of a release: `make release`.

    consilium-VERSION-py3-none-any.whl
    requirements.lock   every package with its version and the hashes of its files, for `pip install --require-hashes`
    sbom.cdx.json       CycloneDX of an environment installed from that lock and this wheel, and from nothing else
    SHA256SUMS          of these three

The lock is made by pip-tools and the SBOM by cyclonedx-py (extra `release`). Neither file names the place from which
packages came: it would be somebody's own mirror, and hashes say all that matters.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

EXTRAS = ("compute", "dicom", "metrics", "pdf", "sign", "slide", "specialist", "storage")
"""What hospitals install; not what needs PyTorch, whose build depends on the machine."""

LOCK, SBOM, SUMS = "requirements.lock", "sbom.cdx.json", "SHA256SUMS"

_PLACE = re.compile(r"[a-z+]+://|^\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b", re.MULTILINE)

_REGISTRY = re.compile(r"https?://(www\.)?pypi\.(org|python\.org)\b")


class ReleaseError(Exception):
    """A file of a release cannot be made, or holds what it must not."""


def make(out: Path, *, extras: Sequence[str] = EXTRAS) -> tuple[Path, ...]:
    """Make the files of a release.

    Args:
        out: the folder; files of the same names are replaced.
        extras: of the package, that the lock and the SBOM cover.

    Raises:
        ReleaseError: a tool failed, or a file names a place.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="consilium-release-") as name:
        folder = Path(name)
        _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
        (built,) = folder.glob("*.whl")
        lock, sbom = out / LOCK, out / SBOM
        lock.write_text(without_place(locked(extras)), encoding="utf-8")
        python = _installed(folder / "venv", lock, built)
        sbom.write_text(without_place_in_sbom(_listed(python)), encoding="utf-8")
        wheel = out / built.name
        wheel.write_bytes(built.read_bytes())
    files = (wheel, lock, sbom)
    sums = "".join(f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in files)
    (out / SUMS).write_text(sums, encoding="utf-8")
    return (*files, out / SUMS)


def locked(extras: Sequence[str]) -> str:
    """The lock of the package with some extras, for the running Python and system."""
    chosen = [word for extra in extras for word in ("--extra", extra)]
    with tempfile.TemporaryDirectory(prefix="consilium-lock-") as name:
        lock = Path(name) / LOCK
        _run(
            sys.executable, "-m", "piptools", "compile", "--quiet", "--generate-hashes", "--allow-unsafe",
            "--no-header", "--no-annotate", "--strip-extras", "--no-emit-index-url", "--no-emit-trusted-host",
            "--no-emit-find-links", "--output-file", str(lock), *chosen, str(ROOT / "pyproject.toml"),
        )  # fmt: skip
        return without_itself(lock.read_text(encoding="utf-8"))


def without_itself(lock: str) -> str:
    """The lock without the package itself, which comes in where one extra asks for another, and without comments."""
    lines, keep = [], True
    for line in lock.splitlines(keepends=True):
        if not line.startswith((" ", "\t")):
            keep = not re.match(r"(consilium\b|#)", line)
        if keep:
            lines.append(line)
    return "".join(lines)


def without_place(lock: str) -> str:
    """The lock itself.

    Raises:
        ReleaseError: it names a place, or a package without a hash.
    """
    if found := _PLACE.search(lock):
        raise ReleaseError(f"{LOCK} names a place: {found.group().strip()}")
    for package in re.split(r"\n(?=\S)", lock.strip()):
        if "--hash=sha256:" not in package:
            raise ReleaseError(f"{LOCK} has a package without a hash: {package.splitlines()[0]}")
    return lock


def without_place_in_sbom(text: str) -> str:
    """The SBOM without the places from which packages were taken on this machine.

    Raises:
        ReleaseError: it still names a file of this machine.
    """
    told = json.loads(text)
    for component in [told.get("metadata", {}).get("component", {}), *told.get("components", [])]:
        told_of = component.get("externalReferences", [])
        kept = [one for one in told_of if one["type"] != "distribution" and not _REGISTRY.match(one["url"])]
        component.pop("externalReferences", None)
        if kept:
            component["externalReferences"] = kept
    found = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    if "file://" in found:
        raise ReleaseError(f"{SBOM} names a file of this machine")
    return found


def _installed(venv: Path, lock: Path, wheel: Path) -> Path:
    """A fresh environment from the lock and the wheel; its Python."""
    _run(sys.executable, "-m", "venv", str(venv))
    python = venv / "bin" / "python"
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--require-hashes", "-r", str(lock))
    _run(*pip, "--no-deps", "--no-index", str(wheel))
    _run(str(python), "-m", "pip", "check")
    return python


def _listed(python: Path) -> str:
    return _run(
        sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", str(ROOT / "pyproject.toml"),
        "--mc-type", "application", "--output-reproducible", "--output-format", "JSON", str(python),
    )  # fmt: skip


def _run(*words: str) -> str:
    done: subprocess.CompletedProcess[Any] = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise ReleaseError(f"{' '.join(words[1:4])} failed:\n{done.stderr.strip()[-2000:]}")
    return str(done.stdout)
