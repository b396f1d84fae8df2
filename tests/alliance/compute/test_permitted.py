"""A hospital never sees another's jobs, data, logs or names, whichever way it asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("hyperqueue", reason="jobs are run by HyperQueue (extra compute)")

from consilium.alliance.compute.embedded import EmbeddedEngine
from consilium.alliance.compute.engine import Engine, Lease
from consilium.alliance.compute.permitted import PermittedEngine
from consilium.alliance.permissions import Person
from consilium.alliance.roster import Hospital, Roster
from consilium.errors import InputError, NotAllowed
from tests.alliance.compute.contract import asked, over, python

LI = Person(name="li", hospital="hospital_a", roles=frozenset({"member"}))
WANG = Person(name="wang", hospital="hospital_b", roles=frozenset({"member"}))
OPERATOR = Person(name="zhao", hospital="hospital_a", roles=frozenset({"operator"}))
SECRET = "patient-Zhang-San"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("home")
    roster = Roster(made / "roster.json")
    for hospital in ("hospital_a", "hospital_b"):
        roster.put_hospital(Hospital(id=hospital, cores=1))
    for person in (LI, WANG, OPERATOR):
        roster.put_person(person)
    return made


@pytest.fixture(scope="module")
def engine(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """Job 1 is of hospital_a, and nobody else's business."""
    made = EmbeddedEngine(home / "compute")
    folder = tmp_path_factory.mktemp(SECRET)
    code = f"print({SECRET!r}); import sys; sys.exit(3)"
    PermittedEngine(made, LI).submit(asked(folder, *python(code), name=SECRET, person=SECRET))
    over(made, 1)
    PermittedEngine(made, WANG).submit(asked(home, *python("pass"), hospital="hospital_b"))
    over(made, 2)
    yield made
    made.stop()


def test_it_is_an_engine(engine: EmbeddedEngine) -> None:
    typed: Engine = PermittedEngine(engine, LI)
    assert typed.name == "embedded"


def test_the_person_is_who_asks_not_who_is_named(engine: EmbeddedEngine) -> None:
    assert engine.job(1).request.person == "li"


def test_nobody_submits_for_another(engine: EmbeddedEngine, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed):
        PermittedEngine(engine, WANG).submit(asked(tmp_path, "true"))


@pytest.mark.parametrize("call", ["job", "cancel", "output"])
def test_what_is_anothers_is_as_if_it_were_not_there(engine: EmbeddedEngine, call: str) -> None:
    other = PermittedEngine(engine, WANG)
    with pytest.raises(InputError) as refused:
        getattr(other, call)(1)
    with pytest.raises(InputError) as unknown:
        getattr(other, call)(4711)
    assert str(refused.value).replace("1", "4711") == str(unknown.value)


def test_lists_and_sums(engine: EmbeddedEngine) -> None:
    assert [one.number for one in PermittedEngine(engine, LI).jobs()] == [1]
    assert [one.number for one in PermittedEngine(engine, WANG).jobs()] == [2]
    assert PermittedEngine(engine, WANG).jobs(hospital="hospital_a") == []
    assert {one.hospital for one in PermittedEngine(engine, WANG).usage()} == {"hospital_b"}
    assert {one.hospital for one in PermittedEngine(engine, OPERATOR).usage()} == {"hospital_a", "hospital_b"}


def test_the_operator_sees_sizes_and_no_names(engine: EmbeddedEngine) -> None:
    seen = PermittedEngine(engine, OPERATOR)
    for job in (seen.job(1), seen.job(2), *seen.jobs()):
        text = json.dumps(job.as_document())
        assert SECRET not in text and '"li"' not in text and '"wang"' not in text
        assert job.request.cores == 1 and job.core_seconds >= 0
    with pytest.raises(NotAllowed):
        seen.output(1)
    with pytest.raises(NotAllowed):
        PermittedEngine(engine, LI).set_lease(Lease(hospital="hospital_a", cores=1))


VERBS = [
    ("list", "--all"), ("list", "--all", "--json"), ("list", "--hospital", "hospital_a", "--all"), ("state", "1"),
    ("state", "1", "--json"), ("logs", "1"), ("wait", "1"), ("cancel", "1"), ("usage",), ("usage", "--csv"),
    ("capacity",), ("capacity", "--json"), ("submit", "--hospital", "hospital_a", "--", "true"),
    ("cost",), ("cost", "--csv"), ("health",), ("health", "--json"), ("metrics",), ("leases", "list"), ("plan",),
    ("leases", "set", "hospital_a", "--cores", "1"), ("leases", "remove", "hospital_a"), ("stop",),
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("person", ["wang", "zhao", "nobody"])
def test_no_verb_tells(engine: EmbeddedEngine, home: Path, person: str, verb: tuple[str, ...]) -> None:
    environment = {**os.environ, "CONSILIUM_HOME": str(home), "CONSILIUM_PERSON": person}
    done = subprocess.run(
        [sys.executable, "-m", "consilium", "compute", *verb], env=environment, capture_output=True, text=True,
        check=False, timeout=100,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert SECRET not in said and "li" not in said.split()
    if person == "nobody":
        assert done.returncode == 6 and not done.stdout
    if person == "wang":
        assert "hospital_a" not in said.replace("--hospital hospital_a", "")
    if verb[0] in ("state", "logs", "wait", "cancel") and person == "wang":
        assert done.returncode == 4 and "no job 1" in said
