from __future__ import annotations

import subprocess
from pathlib import Path
from shutil import which

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.alliance.library.trust import Pins, make_key, private_key, public_key_of
from consilium.errors import InputError, NotTrusted, OutputError


def test_a_key_is_for_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "own.pem"
    key = make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o077 == 0
    assert [one.name for one in path.parent.iterdir()] == ["own.pem"]
    assert public_key_of(path.read_bytes()) == key and len(key.fingerprint) == 64
    before = path.read_bytes()
    with pytest.raises(OutputError, match="there is a key already"):
        make_key(path)
    assert path.read_bytes() == before and [one.name for one in path.parent.iterdir()] == ["own.pem"]


def test_a_private_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.pem"
    make_key(path)
    assert private_key(path) == path
    path.chmod(0o640)
    with pytest.raises(InputError, match="others on this machine can read"):
        private_key(path)
    with pytest.raises(InputError, match="no key to sign with"):
        private_key(tmp_path / "none.pem")


def test_keys_of_openssl_are_understood(tmp_path: Path) -> None:
    if which("openssl") is None:
        pytest.skip("openssl makes the keys of this test")
    private, public = tmp_path / "key.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", private], check=True)
    subprocess.run(["openssl", "ec", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    assert public_key_of(public.read_bytes()) == public_key_of(private.read_bytes())
    subprocess.run(["openssl", "genrsa", "-out", tmp_path / "rsa.pem", "2048"], check=True, capture_output=True)
    with pytest.raises(InputError, match="no key of the curve"):
        public_key_of((tmp_path / "rsa.pem").read_bytes())


@given(st.binary(max_size=300))
def test_what_is_no_key_is_refused(content: bytes) -> None:
    for told in (content, b"-----BEGIN PUBLIC KEY-----\n" + content, b"-----BEGIN PRIVATE KEY-----\n" + content):
        with pytest.raises(InputError):
            public_key_of(told)


def test_the_first_key_of_a_publisher_is_met_and_another_is_not_taken(tmp_path: Path) -> None:
    pins = Pins(tmp_path / "trust")
    first, second = make_key(tmp_path / "1.pem"), make_key(tmp_path / "2.pem")
    assert pins.require("hospital_a", first) is True
    assert pins.add("hospital_a", first) and not pins.add("hospital_a", first)
    assert pins.require("hospital_a", first) is False
    with pytest.raises(NotTrusted, match="has not met") as refused:
        pins.require("hospital_a", second)
    assert second.fingerprint[:16] in refused.value.way_out
    assert pins.require("hospital_b", second) is True
    pins.add("hospital_a", second)
    assert pins.require("hospital_a", second) is False
