from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from consilium.errors import InputError, OutputError
from consilium.imaging.deidentify.site_key import create_key, read_key


def test_a_new_key_is_its_owners_alone_and_reads_back(tmp_path: Path) -> None:
    made = create_key(tmp_path / "keys" / "site.key")
    assert len(made.secret) == 32
    assert read_key(tmp_path / "keys" / "site.key") == made
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "keys" / "site.key").stat().st_mode) == 0o600
    assert create_key(tmp_path / "other.key") != made


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "site.key").write_text("precious")
    with pytest.raises(OutputError):
        create_key(tmp_path / "site.key")
    assert (tmp_path / "site.key").read_text() == "precious"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_a_key_that_others_may_read_is_refused_with_the_way_out(tmp_path: Path) -> None:
    create_key(tmp_path / "site.key")
    (tmp_path / "site.key").chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        read_key(tmp_path / "site.key")


@pytest.mark.parametrize("content", [b"", b"short", b"z" * 64, b"\xff\xfe" * 40])
def test_what_is_no_key_is_not_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "site.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(InputError) as caught:
        read_key(path)
    assert "zzz" not in str(caught.value) and "short" not in str(caught.value)


def test_a_missing_key_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_key(tmp_path / "none.key")
    with pytest.raises(InputError):
        read_key(tmp_path)
