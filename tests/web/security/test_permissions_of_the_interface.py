"""Each operation of the interface is tried as each role: it is refused exactly where the reference says so.

`python -m tests.web.security.test_permissions_of_the_interface` prints the table as it is; look at it, then put it into
docs/reference/api-permissions.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from consilium.laboratory.permissions import ROLES
from tests.web.an_alliance import put_people
from tests.web.security.conftest import PASSWORD, Seat
from tests.web.security.gate_list import OF_THE_ALLIANCE, PUBLIC
from tests.web.security.world import build, operations, request_for

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "api-permissions.md"
PEOPLE = {"technologist": "tang", "reviewer": "ren", "director": "dai", "administrator": "ada"}


Table = dict[tuple[str, str], dict[str, bool]]


def told() -> Table:
    """The reference: who may, by operation and role."""
    found = {}
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `(\w+) (\S+)` \|(.*)\|$", line)
        if row is not None:
            cells = [cell.strip() for cell in row[3].split("|")]
            assert set(cells) <= {"yes", ""} and len(cells) == len(ROLES), line
            found[row[1], row[2]] = dict(zip(ROLES, (cell == "yes" for cell in cells), strict=True))
    return found


def measured(app: FastAPI, seat: Seat, known: Table) -> dict[tuple[str, str], list[int]]:
    """The status of each operation for each role; those who may not ask first, so that nothing is used up."""
    world, found = build(app, seat), {}
    seats = {role: seat(person) for role, person in PEOPLE.items()}
    for method, path, operation in operations(app):
        if (method, path) in PUBLIC or path.startswith(OF_THE_ALLIANCE):
            continue
        expected = known.get((method, path), {})
        statuses = {}
        for role in sorted(ROLES, key=lambda one: expected.get(one, one != "administrator")):
            filled, more = request_for(app, world, path, operation)
            asked = seats[role]
            if asked.get("/api/v1/session").status_code == 401:
                begun = asked.post("/api/v1/session", json={"person": PEOPLE[role], "password": PASSWORD})
                asked.headers["X-CSRF-Token"] = begun.json()["csrf"]
            statuses[role] = asked.request(method, filled, **more).status_code
        found[method, path] = [statuses[role] for role in ROLES]
    return found


@pytest.mark.timeout(300)
def test_each_operation_is_refused_exactly_where_the_reference_says_so(app: FastAPI, seat: Seat) -> None:
    known = told()
    found = measured(app, seat, known)
    assert set(known) == set(found), "operations without a row, or rows without an operation"
    wrong = {
        one: statuses
        for one, statuses in found.items()
        if [status == 403 for status in statuses] != [not known[one][role] for role in ROLES]
    }
    assert not wrong
    # It means something only where what is allowed comes to something else than an answer for everybody.
    assert not {one: statuses for one, statuses in found.items() if 401 in statuses or max(statuses) >= 500}
    assert sum(1 for statuses in found.values() if min(statuses) < 300) > len(found) // 2


def test_whom_the_alliance_does_not_know_asks_nothing_of_it(app: FastAPI, seat: Seat, own_home: Path) -> None:
    put_people(own_home)
    world, stranger, asked = build(app, seat), seat("both"), 0
    given = seat("tang").post("/api/v1/tokens", json={"name": "lis", "roles": ["technologist"], "days": 9}).json()
    program = seat()
    program.headers["Authorization"] = f"Bearer {given['token']}"
    for method, path, operation in operations(app):
        if path.startswith(OF_THE_ALLIANCE):
            filled, more = request_for(app, world, path, operation)
            answer = stranger.request(method, filled, **more)
            assert answer.status_code == 403, (method, path, answer.text)
            # Tang is known there, but gave away nothing of the alliance with a token of the laboratory.
            assert program.request(method, filled, **more).status_code == 403, (method, path)
            asked += 1
    assert asked > 20


def main() -> None:
    """Print the table."""
    import tempfile

    from argon2 import PasswordHasher
    from fastapi.testclient import TestClient

    from consilium.web.app import create_app
    from consilium.web.security import passwords
    from tests.web.security.conftest import settled_in

    passwords._hasher = lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(settled_in(Path(folder)))

        def seat(person: str = "") -> TestClient:
            made = TestClient(app, follow_redirects=False)
            if person:
                answer = made.post("/api/v1/session", json={"person": person, "password": PASSWORD})
                made.headers["X-CSRF-Token"] = answer.json()["csrf"]
            return made

        with TestClient(app):
            for (method, path), statuses in sorted(measured(app, seat, {}).items(), key=lambda one: one[0][1]):
                cells = " | ".join("" if status == 403 else "yes" for status in statuses)
                print(f"| `{method} {path}` | {cells} |")


if __name__ == "__main__":
    main()
