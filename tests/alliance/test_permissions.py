"""The table of who may do what: every cell, as people read it and as the program answers."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from consilium.alliance.permissions import ACTS, ROLES, TABLE, Person, allowed, require
from consilium.errors import NotAllowed

PRINTED = Path(__file__).parents[2] / "docs" / "reference" / "permissions.md"


def printed() -> dict[tuple[str, str], str]:
    """The cells of the table in the documentation."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in PRINTED.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    roles = rows[0][2:]
    return {(row[0].strip("`"), role): cell for row in rows[2:] for role, cell in zip(roles, row[2:], strict=True)}


def test_the_printed_table_has_every_act_and_role() -> None:
    assert set(printed()) == set(itertools.product(ACTS, ROLES))
    assert set(TABLE) == set(ACTS)


@pytest.mark.parametrize(("act", "role"), list(itertools.product(ACTS, ROLES)))
def test_a_cell(act: str, role: str) -> None:
    cell = printed()[act, role]
    person = Person(name="li", hospital="hospital_a", roles=frozenset({role}))  # type: ignore[arg-type]
    assert allowed(person, act, of="hospital_a") == (cell in ("own", "any"))  # type: ignore[arg-type]
    assert allowed(person, act, of="hospital_b") == (cell == "any")  # type: ignore[arg-type]
    for hospital, may in (("hospital_a", cell in ("own", "any")), ("hospital_b", cell == "any")):
        if may:
            require(person, act, of=hospital)  # type: ignore[arg-type]
        else:
            with pytest.raises(NotAllowed) as refused:
                require(person, act, of=hospital)  # type: ignore[arg-type]
            assert refused.value.way_out
            assert "hospital_b" not in str(refused.value)


def test_roles_add_up_and_none_is_nothing() -> None:
    nobody = Person(name="li", hospital="hospital_a")
    assert not any(allowed(nobody, act, of="hospital_a") for act in ACTS)
    both = Person(name="li", hospital="hospital_a", roles=frozenset({"member", "operator"}))
    assert allowed(both, "usage.see", of="hospital_b")
    assert not allowed(both, "job.output", of="hospital_b")
