"""A laboratory with its people, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from consilium.laboratory.laboratory import Laboratory, put_staff
from consilium.laboratory.profile import Profile
from consilium.laboratory.reception import Order, open_case, receive_specimen, register
from tests.postgres import database, postgres

__all__ = ["database", "postgres"]

PROFILE = Profile(name="Laboratory of tests", zone="Asia/Shanghai")
PEOPLE = {
    "tang": ("technologist",),
    "ren": ("reviewer",),
    "dai": ("director",),
    "ada": ("administrator",),
    "both": ("technologist", "reviewer", "director"),
}
ORDER = Order(specimen="constitutional_blood", indication="short stature", collected="2026-03-01T08:30",
              received="2026-03-02T09:00")  # fmt: skip


@pytest.fixture(autouse=True)
def extras() -> None:
    """What the laboratory needs."""
    for module in ("sqlalchemy", "alembic"):
        pytest.importorskip(module, reason=f"the laboratory needs {module} (extra laboratory)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a' / 'records.db'}"
    return str(request.getfixturevalue("database"))


def founded(url: str) -> Laboratory:
    made = Laboratory(url)
    made.begin("ada", PROFILE, ("administrator",))
    with made.changing("ada") as change:
        for name, roles in PEOPLE.items():
            put_staff(change, name, roles)  # type: ignore[arg-type]
    return made


@pytest.fixture
def laboratory(url: str) -> Iterator[Laboratory]:
    made = founded(url)
    yield made
    made.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Laboratory]:
    """One on SQLite alone, for what no database makes different."""
    made = founded(f"sqlite:///{tmp_path / 'small.db'}")
    yield made
    made.close()


def received(laboratory: Laboratory, order: Order = ORDER, **identity: str) -> tuple[str, str, str]:
    """A specimen of a new case of a new patient: label, number of the case, number of the patient."""
    with laboratory.changing("tang") as change:
        case = open_case(change, register(change, **identity), order)
        specimen = receive_specimen(change, case, order)
    return specimen.label, case.number, case.patient.number
