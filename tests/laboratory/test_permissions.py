"""The table of who may do what in a laboratory: every cell, as people read it and as the program answers."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import pytest

from consilium.errors import NotAllowed
from consilium.laboratory.case_states import STEPS
from consilium.laboratory.permissions import ACTS, ROLES, TABLE, Worker, allowed, require

ROOT = Path(__file__).parents[2]
PRINTED = ROOT / "docs" / "reference" / "laboratory-permissions.md"


def printed() -> dict[tuple[str, str], str]:
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in PRINTED.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    return {
        (row[0].strip("`"), role): cell for row in rows[2:] for role, cell in zip(rows[0][2:], row[2:], strict=True)
    }


def test_the_printed_table_has_every_act_and_role() -> None:
    assert set(printed()) == set(itertools.product(ACTS, ROLES))
    assert set(TABLE) == set(ACTS)


@pytest.mark.parametrize(("act", "role"), list(itertools.product(ACTS, ROLES)))
def test_a_cell(act: str, role: str) -> None:
    worker = Worker(name="li", roles=frozenset({role}))  # type: ignore[arg-type]
    assert allowed(worker, act) == (printed()[act, role] == "yes")  # type: ignore[arg-type]
    if printed()[act, role] == "yes":
        require(worker, act)  # type: ignore[arg-type]
    else:
        with pytest.raises(NotAllowed, match=act) as refused:
            require(worker, act)  # type: ignore[arg-type]
        assert any(may in refused.value.way_out for may in ROLES)


def test_roles_add_up_and_none_is_nothing() -> None:
    assert not any(allowed(Worker(name="li"), act) for act in ACTS)
    assert all(allowed(Worker(name="li", roles=frozenset(ROLES)), act) for act in ACTS)


def test_every_act_is_asked_about_somewhere() -> None:
    """A row that nothing asks about would be a promise that is not kept."""
    asked = {one.act for one in STEPS.values()}
    for path in (ROOT / "src" / "consilium" / "laboratory").rglob("*.py"):
        if path.name not in ("permissions.py", "case_states.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            asked |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in ACTS}
    cli = (ROOT / "src" / "consilium" / "cli" / "laboratory.py").read_text(encoding="utf-8")
    assert {act for act in ACTS if act not in asked and f'"{act}"' not in cli} == set()
