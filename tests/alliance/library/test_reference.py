from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.alliance.library.reference import Reference, Version, name_of, reference_of, version_of
from consilium.errors import InputError


def test_what_people_write_names_a_version_or_a_channel() -> None:
    assert reference_of("us-breast") == Reference(name="us-breast")
    assert reference_of("us-breast@approved").channel == "approved"
    assert reference_of("us-breast@candidate").channel == "candidate"
    assert reference_of("us-breast@1.20.3").version == Version(1, 20, 3)


@pytest.mark.parametrize(
    "text",
    [
        "", "@1.0.0", "A", "a--b", "-a", "a-", "a/b", "../a", "a" * 64, "a@", "a@1", "a@1.0", "a@01.0.0", "a@1.0.0-rc1",
        "a@retired", "a b", "a@1.0.0\n",
    ],
)  # fmt: skip
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        reference_of(text)


def test_versions_are_in_the_order_of_their_numbers() -> None:
    texts = ["1.10.0", "1.9.9", "2.0.0", "1.10.1"]
    assert [str(one) for one in sorted(map(version_of, texts))] == ["1.9.9", "1.10.0", "1.10.1", "2.0.0"]


@given(st.text(max_size=80))
def test_whatever_is_written_is_understood_or_refused(text: str) -> None:
    try:
        found = reference_of(text)
    except InputError as problem:
        assert problem.way_out
    else:
        assert name_of(found.name) == found.name
        assert text.partition("@")[0] == found.name
        if found.version is not None:
            assert text == f"{found.name}@{found.version}"
