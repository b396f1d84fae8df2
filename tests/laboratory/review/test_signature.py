"""Signatures in a chain, the laboratory's seal, and the key that it is made with."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from consilium.errors import OutputError, StorageLocked
from consilium.laboratory.review.seal import Seal, holds
from consilium.laboratory.review.signature import Signature, broken_links, signature_sha256

FIRST = Signature(
    case_number="K26-0000001", revision=1, content_sha256="ab" * 32, signer="dai", at="2026-03-09T08:00:00.000Z",
    method="password", previous="",
)  # fmt: skip
SECOND = replace(FIRST, revision=2, content_sha256="cd" * 32, previous=signature_sha256(FIRST))


@pytest.mark.parametrize("name", [one.name for one in fields(Signature)])
def test_every_entry_of_a_signature_is_in_its_hash(name: str) -> None:
    other: Any = 2 if name == "revision" else "oidc" if name == "method" else "x"
    assert signature_sha256(replace(FIRST, **{name: other})) != signature_sha256(FIRST)


def test_a_chain_holds_until_one_is_changed_or_taken_out() -> None:
    third = replace(SECOND, revision=3, previous=signature_sha256(SECOND))
    assert broken_links([]) == () and broken_links([FIRST, SECOND, third]) == ()
    assert broken_links([replace(FIRST, signer="eve"), SECOND, third]) == (2,)
    assert broken_links([FIRST, replace(SECOND, at="2026-03-10T08:00:00.000Z"), third]) == (3,)
    assert broken_links([FIRST, third]) == (3,)
    assert broken_links([SECOND, third]) == (2, 3)
    assert broken_links([FIRST, replace(SECOND, case_number="K26-0000002")]) == (2,)


def test_a_seal_is_of_one_hash_and_one_key(tmp_path: Path) -> None:
    seal, other = Seal(tmp_path / "a"), Seal(tmp_path / "b")
    made = seal.sealed("ab" * 32)
    assert holds(made, seal.public, "ab" * 32)
    assert not holds(made, seal.public, "cd" * 32)
    assert not holds(made, other.public, "ab" * 32)
    for bad in ("", "x", made[:-4], "ä"):
        assert not holds(bad, seal.public, "ab" * 32) and not holds(made, bad, "ab" * 32)


def test_anybody_with_the_public_key_can_check_a_seal_with_another_tool(tmp_path: Path) -> None:
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    seal = Seal(tmp_path)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(seal.public))
    public.verify(base64.b64decode(seal.sealed("ab" * 32)), b"ab" * 32)


def test_the_key_is_kept_for_the_programs_user_alone_and_stays_the_same(tmp_path: Path) -> None:
    seal = Seal(tmp_path / "new")
    file = tmp_path / "new" / "report-seal.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert Seal(tmp_path / "new").public == seal.public
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["report-seal.pem"]
    file.chmod(0o640)
    with pytest.raises(StorageLocked, match="others may read"):
        Seal(tmp_path / "new")


def test_what_is_no_key_is_told_and_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "report-seal.pem"
    file.write_text("no key")
    file.chmod(0o600)
    with pytest.raises(StorageLocked, match="no key"):
        Seal(tmp_path)
    assert file.read_text() == "no key"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        (tmp_path / "file").write_text("x")
        folder = tmp_path / "file" / "below"
    else:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
    with pytest.raises(OutputError, match="cannot be kept"):
        Seal(folder)
