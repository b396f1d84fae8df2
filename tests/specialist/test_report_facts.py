from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from consilium.specialist.report.facts import STATED, read_facts, write_facts
from tests.specialist.reported import reported


def test_facts_come_back_as_they_were(tmp_path: Path) -> None:
    _, facts = reported("binary")
    facts = replace(facts, stated=dict.fromkeys(STATED, "said 说明"), not_made={"10": "no time"})
    write_facts(facts, tmp_path / "facts.json")
    assert read_facts(tmp_path / "facts.json") == facts
