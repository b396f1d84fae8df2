"""What hospitals agreed on: who is sure of what at which hour, and a file that is damaged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from consilium.alliance.compute.agreement import Agreement
from consilium.alliance.compute.engine import Lease
from consilium.alliance.compute.lease_file import Agreed, LeaseFile
from consilium.alliance.compute.lease_hours import hours_of
from consilium.alliance.compute.slurm_commands import Node
from consilium.alliance.compute.terms import Right
from consilium.alliance.roster import ALONE, Hospital, Roster
from consilium.errors import InputError
from tests.alliance.compute.contract import asked

NODES = [Node(name=f"n{k}", cores=8, memory_mb=8000, gpus=1, cores_held=0, state="idle") for k in range(3)]
MONDAY_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
MONDAY_NIGHT = datetime(2026, 11, 30, 22, tzinfo=UTC)


def test_who_is_alone_is_sure_of_everything() -> None:
    assert Agreement().rights(NODES, MONDAY_NOON) == {ALONE: Right(cores=24, gpus=3)}


def test_a_lease_holds_in_its_hours_and_what_is_brought_in_in_all_others(tmp_path: Path) -> None:
    roster = Roster(tmp_path / "roster.json")
    for hospital in ("hospital_a", "hospital_b"):
        roster.put_hospital(Hospital(id=hospital, cores=12))
    file = LeaseFile(tmp_path / "leases.json")
    file.replace(Agreed(zone="UTC"))
    day = hours_of("Mon-Fri 08-18")
    for lease in (
        Lease(hospital="hospital_a", cores=20, hours=day), Lease(hospital="hospital_b", cores=4, hours=day),
        Lease(hospital="left_the_alliance", cores=9),
    ):  # fmt: skip
        file.set(lease)
    agreement = Agreement(roster=str(tmp_path / "roster.json"), leases=str(tmp_path / "leases.json"))
    by_day = agreement.rights(NODES, MONDAY_NOON)
    assert by_day == {"hospital_a": Right(cores=20), "hospital_b": Right(cores=4)}
    assert agreement.rights(NODES, MONDAY_NIGHT) == {"hospital_a": Right(cores=12), "hospital_b": Right(cores=12)}


def test_only_for_a_patient_a_node_is_started_that_costs_money(tmp_path: Path) -> None:
    agreement = Agreement(cloud="cloud")
    for urgency, where in {
        "emergency": "alliance,cloud", "clinical": "alliance,cloud", "research": "alliance", "idle": "alliance",
    }.items():  # fmt: skip
        assert agreement.partition_for(asked(tmp_path, "true", urgency=urgency)) == where


def test_it_is_kept_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    kept = Agreement(engine="slurm", conf="/etc/slurm/slurm.conf", lending=False)
    assert Agreement.of(tmp_path) == Agreement()
    kept.keep(tmp_path)
    assert Agreement.of(tmp_path) == kept
    for text in ("", "[]", "{", "null"):
        (tmp_path / "engine.json").write_text(text)
        with pytest.raises(InputError, match="cannot be read"):
            Agreement.of(tmp_path)
