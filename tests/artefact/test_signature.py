from __future__ import annotations

import subprocess
from pathlib import Path
from shutil import which

import pytest

from consilium.artefact import signature
from consilium.artefact.bundle import open_bundle, write_bundle
from consilium.errors import MissingExtra, ModelError, OutputError


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(signature, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"consilium\[sign\]"):
        signature.sign(tmp_path, tmp_path)
    with pytest.raises(MissingExtra, match=r"consilium\[sign\]"):
        signature.verify(tmp_path, tmp_path)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    pytest.importorskip("model_signing", reason="signatures are made by model-signing (extra sign)")
    if which("openssl") is None:
        pytest.skip("openssl makes the keys of this test")
    private, public = tmp_path / "key.pem", tmp_path / "public.pem"
    make = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(private)]
    subprocess.run(make, check=True, capture_output=True)
    show = ["openssl", "ec", "-in", str(private), "-pubout", "-out", str(public)]
    subprocess.run(show, check=True, capture_output=True)
    return private, public


def test_a_signed_bundle_is_verified_until_it_is_altered(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    private, public = keys
    model = tmp_path / "model"
    write_bundle({"LICENSE": b"free"}, model)
    with pytest.raises(ModelError, match="not signed"):
        signature.verify(model, public)
    write_bundle({"LICENSE": b"free"}, model, overwrite=True, seal=lambda folder: signature.sign(folder, private))
    signature.verify(model, public)
    # A manifest that fits the altered file helps nobody: it is signed too.
    write_bundle({"LICENSE": b"mine"}, tmp_path / "other")
    for name in ("LICENSE", "manifest.json"):
        (model / name).write_bytes((tmp_path / "other" / name).read_bytes())
    open_bundle(model)
    with pytest.raises(ModelError, match="signature does not hold"):
        signature.verify(model, public)


def test_what_is_no_key_is_said(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    (tmp_path / "no.pem").write_text("no key")
    with pytest.raises(OutputError, match="openssl"):
        signature.sign(tmp_path, tmp_path / "no.pem")
