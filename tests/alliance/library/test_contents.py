"""Whatever is done to a package, it is noticed: every byte of every file counts."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilium.alliance.library.contents import case_features, verify, whole
from consilium.alliance.library.licences import read_rules
from consilium.alliance.library.publish import publish
from consilium.alliance.library.pull import copy_of, pull, ready_to_run, verify_copy
from consilium.alliance.library.reference import Reference, Version
from consilium.alliance.library.trust import make_key
from consilium.artefact.bundle import MANIFEST, SIGNATURE, write_bundle
from consilium.artefact.signature import sign
from consilium.errors import NotTrusted
from tests.alliance.library.conftest import LI, TERMS, ZHANG, Place
from tests.alliance.library.small_bundle import files

SMALL = Reference(name="small", version=Version(1, 0, 0))


@pytest.fixture
def package(place: Place, bundle: Path) -> Path:
    """A pulled copy, and the library that it is of."""
    publish(place.library, ZHANG, bundle, name="small", key=place.key, terms=TERMS)
    return pull(place.library, LI, SMALL).contents.bundle.folder


def names(package: Path) -> list[str]:
    return sorted(path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_change_of_any_byte_of_any_file_is_noticed(place: Place, package: Path, data: st.DataObject) -> None:
    path = package / data.draw(st.sampled_from(names(package)))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    bit = data.draw(st.integers(0, 7))
    path.write_bytes(content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :])
    try:
        with pytest.raises(NotTrusted) as refused:
            ready_to_run(place.library, LI, SMALL)
        assert refused.value.way_out
    finally:
        path.write_bytes(content)
    verify_copy(place.library, LI, SMALL)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


@pytest.mark.parametrize("harm", [_cut, _grow, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_file_that_is_cut_grown_missing_or_empty_is_noticed(
    place: Place, package: Path, harm: Callable[[Path], object]
) -> None:
    for name in names(package):
        path = package / name
        content = path.read_bytes()
        harm(path)
        for act in (ready_to_run, verify_copy):
            with pytest.raises(NotTrusted):
                act(place.library, LI, SMALL)
        path.write_bytes(content)
    verify_copy(place.library, LI, SMALL)


@pytest.mark.parametrize(
    "name", ["extra", "models/extra.onnx", ".hidden", ".git/config", "models/model.onnx.data", "__pycache__/x.pyc"]
)
def test_a_file_that_was_added_is_noticed(place: Place, package: Path, name: str) -> None:
    path = package / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    with pytest.raises(NotTrusted, match="manifest does not know"):
        ready_to_run(place.library, LI, SMALL)


def test_a_link_is_noticed(place: Place, package: Path, tmp_path: Path) -> None:
    (package / "more").symlink_to(tmp_path)
    with pytest.raises(NotTrusted, match="manifest does not know"):
        ready_to_run(place.library, LI, SMALL)
    (package / "more").unlink()
    elsewhere = tmp_path / "same.json"
    shutil.copyfile(package / "models" / "model.json", elsewhere)
    (package / "models" / "model.json").unlink()
    (package / "models" / "model.json").symlink_to(elsewhere)
    with pytest.raises(NotTrusted, match="manifest does not know"):
        ready_to_run(place.library, LI, SMALL)


def test_whoever_alters_a_file_and_writes_a_manifest_that_fits_is_noticed(place: Place, package: Path) -> None:
    """The digest in the catalogue tells; the signature tells even where the catalogue was altered too."""
    release = verify_copy(place.library, LI, SMALL).release
    text = package / "docs" / "README.md"
    text.write_text("# other\n")
    manifest = json.loads((package / MANIFEST).read_text())
    manifest["sha256"]["docs/README.md"] = hashlib.sha256(text.read_bytes()).hexdigest()
    (package / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    with pytest.raises(NotTrusted, match="not the package that was published"):
        ready_to_run(place.library, LI, SMALL)
    digest = hashlib.sha256((package / MANIFEST).read_bytes()).hexdigest()
    with pytest.raises(NotTrusted, match="signature does not hold"):
        verify(package, replace(release.expected(), files={**release.files, MANIFEST: digest}), place.library.rules)


def test_a_package_of_another_name_version_or_publisher_is_another(place: Place, package: Path) -> None:
    expected = verify_copy(place.library, LI, SMALL).release.expected()
    for other in (
        replace(expected, name="other"),
        replace(expected, version=Version(1, 0, 1)),
        replace(expected, publisher="hospital_b"),
    ):
        with pytest.raises(NotTrusted, match="does not say that it is"):
            verify(package, other, place.library.rules)


def test_an_unsigned_one_and_one_of_another_key_do_not_run(place: Place, package: Path, tmp_path: Path) -> None:
    release = verify_copy(place.library, LI, SMALL).release
    key = tmp_path / "stranger.pem"
    make_key(key)
    (package / SIGNATURE).unlink()
    with pytest.raises(NotTrusted, match="not signed"):
        ready_to_run(place.library, LI, SMALL)
    sign(package, key)
    with pytest.raises(NotTrusted, match="signature does not hold"):
        ready_to_run(place.library, LI, SMALL)
    assert release.key.pem in (place.home / "trust" / "hospital_a" / f"{release.key.fingerprint}.pem").read_text()


def test_rules_that_became_stricter_hold_for_what_is_here_already(place: Place, package: Path) -> None:
    rules = read_rules()
    strict = replace(place.library, rules=replace(rules, models={"MIT": ""}))
    with pytest.raises(NotTrusted, match=r"CC-BY-4\.0 is not let in"):
        ready_to_run(strict, LI, SMALL)
    strict = replace(place.library, rules=replace(rules, data={"MIT": ""}))
    with pytest.raises(NotTrusted, match="training data"):
        ready_to_run(strict, LI, SMALL)


def test_an_altered_copy_is_not_mended_by_a_run_but_by_a_pull(place: Place, package: Path) -> None:
    (package / "LICENSE").write_text("x")
    for _ in range(2):
        with pytest.raises(NotTrusted, match="LICENSE was altered"):
            ready_to_run(place.library, LI, SMALL)
    pull(place.library, LI, SMALL)
    assert ready_to_run(place.library, LI, SMALL).contents.bundle.folder == package


def test_a_copy_that_was_altered_in_the_store_is_not_taken(place: Place, package: Path) -> None:
    release = verify_copy(place.library, LI, SMALL).release
    shutil.rmtree(copy_of(place.library, release))
    digest = release.files["models/model.onnx"]
    kept = place.home / "library" / "files" / "sha256" / digest[:2] / digest
    kept.chmod(0o644)
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    for act in (pull, ready_to_run, verify_copy):
        with pytest.raises(NotTrusted, match="altered"):
            act(place.library, LI, SMALL)
    assert not copy_of(place.library, release).exists() and list((place.home / "library" / "half").iterdir()) == []
    assert [act for act, _, _ in place.acts].count("library.pull") == 1


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=200), st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda one: st.one_of(st.lists(one, max_size=3), st.dictionaries(st.text(max_size=8), one, max_size=3)),
    max_leaves=8,
).map(lambda one: json.dumps(one).encode())))  # fmt: skip
def test_whatever_a_manifest_holds_is_refused_and_not_more(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "fuzzed"
    folder.mkdir(exist_ok=True)
    for told in (content, b'{"format": "consilium bundle 1", "sha256": ' + content + b"}"):
        (folder / MANIFEST).write_bytes(told)
        try:
            found = whole(folder)
        except NotTrusted:
            continue
        assert found.files == ()


def test_arrays_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04", b"x" * 100):
        folder = tmp_path / str(len(content))
        write_bundle({**files(), "models/head.npz": content}, folder)
        with pytest.raises(NotTrusted, match=r"head\.npz cannot be read"):
            case_features(whole(folder))
