from __future__ import annotations

from pathlib import Path

import pytest

from consilium.alliance.workshop.roots import listed_below, place_below
from consilium.errors import InputError


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, ...]:
    """Two folders that may be named, and one beside them that may not; links into and out of them."""
    for one in ("sets/breast/normal", "sets/breast/tumour", "more/x", "secret/normal"):
        (tmp_path / one).mkdir(parents=True)
    (tmp_path / "sets/breast/cases.csv").write_text("file,label\n")
    (tmp_path / "secret/cases.csv").write_text("file,label\n")
    (tmp_path / "sets/out").symlink_to(tmp_path / "secret")
    (tmp_path / "sets/within").symlink_to(tmp_path / "sets/breast")
    (tmp_path / "sets/self").symlink_to(tmp_path / "sets/self")
    return (tmp_path / "sets", tmp_path / "more")


def test_what_lies_below_is_found_by_the_name_it_is_listed_by(roots: tuple[Path, ...]) -> None:
    assert listed_below(roots).folders == ("more", "sets")
    listed = listed_below(roots, "sets/breast")
    assert (listed.folders, listed.tables) == (("sets/breast/normal", "sets/breast/tumour"), ("sets/breast/cases.csv",))
    for named in (*listed.folders, *listed.tables, "sets", "more/x"):
        assert place_below(roots, named).is_relative_to(roots[0].parent)
    assert place_below(roots, "sets/within") == roots[0] / "breast"


@pytest.mark.parametrize(
    "named",
    [
        "", "/", "..", "sets/..", "sets/../secret", "sets/breast/../../secret", "secret", "sets/out", "sets/out/normal",
        "sets/out/cases.csv", "sets/self", "sets/nothing", "/etc", "etc/passwd", "sets/\0", "sets//breast",
        "sets/./breast",
        "sets\\..\\secret", "~", "sets/breast/normal/" + "a/" * 60,
    ],
)  # fmt: skip
def test_nothing_else_can_be_named_and_the_message_does_not_tell_what_is_there(
    roots: tuple[Path, ...], named: str
) -> None:
    with pytest.raises(InputError) as caught:
        place_below(roots, named)
    assert caught.value.what == "there is no such folder among those that may be used"


def test_without_folders_nothing_may_be_named(tmp_path: Path) -> None:
    assert listed_below(()).folders == ()
    with pytest.raises(InputError):
        place_below((), str(tmp_path))
