from __future__ import annotations

import numpy as np
import pytest

from benchmarks.interactions import Karyogram, summary, table_of, weighted_quantile
from benchmarks.perfect_user import Replay, TrueChromosome, replay
from consilium.karyotype.editing.log import Folded
from consilium.karyotype.editing.reading import read_cell
from consilium.karyotype.editing.region import region_of
from consilium.karyotype.editing.told import told
from tests.web.editor.faulty_reading import FaultyReading, faulty_reading


@pytest.fixture(scope="module")
def reading() -> FaultyReading:
    return faulty_reading()


def truth(reading: FaultyReading) -> list[TrueChromosome]:
    return [
        TrueChromosome(label=one.label, box=one.box, region=region_of(one.mask, one.origin), angle_deg=one.angle_deg)
        for one in reading.cell.truth
    ]


def test_every_fault_is_mended_once_and_every_doubtful_one_looked_at(reading: FaultyReading) -> None:
    log = Folded(reading=read_cell(reading.entry))
    done = replay(log, truth(reading))
    assert done.right
    assert done.commands["separate"] == 1
    assert done.commands["add"] == 1
    assert done.commands["remove"] == 1
    assert done.commands["flip"] >= 1
    assert done.commands["reassign"] >= len(reading.misnamed)
    assert done.interactions == sum(done.commands.values())
    assert done.commands["confirm"] > 0


def test_a_reading_without_fault_takes_only_confirmations(reading: FaultyReading) -> None:
    log = Folded(reading=read_cell(reading.entry))
    as_read = [
        TrueChromosome(label=one.label, box=one.box, region=one.region, angle_deg=one.angle_deg)
        for one in log.cell.objects
    ]
    done = replay(log, as_read)
    assert done.right
    assert dict(done.commands) == {"confirm": len(told(log.cell).doubtful)}
    assert done.unprompted == 0


def test_with_boxes_alone_names_and_numbers_are_mended(reading: FaultyReading) -> None:
    boxes = [TrueChromosome(label=one.label, box=one.box) for one in reading.cell.truth]
    done = replay(Folded(reading=read_cell(reading.entry)), boxes)
    assert done.right
    assert "separate" not in done.commands and "flip" not in done.commands
    assert done.commands["add"] >= 2


def test_a_quantile_has_weights() -> None:
    values = np.array([3.0, 1.0, 2.0, 10.0])
    assert weighted_quantile(values, np.ones(4), 0.5) == 2.0
    assert weighted_quantile(values, np.array([1.0, 0.0, 0.0, 3.0]), 0.5) == 10.0
    assert weighted_quantile(values, np.array([1.0, 3.0, 0.0, 0.0]), 0.5) == 1.0


def test_the_table_says_whose_work_it_is() -> None:
    some = [
        Karyogram(name=str(n), case=str(n // 2), chromosomes=46, replay=Replay(interactions=n, right=n != 3))
        for n in range(10)
    ]
    for one in some:
        one.replay.commands["confirm"] = one.replay.interactions
    figures = summary(some, refused=1)
    assert (figures["median"]["value"], figures["most"], figures["cases"]) == (4.0, 9, 5)
    assert figures["median"]["low"] <= 4.0 <= figures["median"]["high"]
    text = table_of({"sets": {"drawn": figures}, "data": {"drawn": "D"}, "date": "2026-11-26", "machine": "M"})
    assert "A simulated user who makes no mistake" in text
    assert "9 of 10 ended as the truth says; 1 pictures were refused" in text
