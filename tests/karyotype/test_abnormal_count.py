"""Counting cells in which people called chromosomes abnormal: held against the count of ISCN itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilium.cytogenetics.clones.cell import cell_from_iscn
from consilium.cytogenetics.iscn.validate import validate
from consilium.karyotype.abnormal_count import count_named, tally, unfinished
from consilium.karyotype.count import count_cell
from consilium.karyotype.metaphase import CLASSES, UNSURE

FEMALE = [*(label for label in CLASSES[:22] for _ in range(2)), "X", "X"]
MALE = [*(label for label in CLASSES[:22] for _ in range(2)), "X", "Y"]


def cell(base: list[str], *, without: tuple[str, ...] = (), more: tuple[str, ...] = ()) -> list[str]:
    found = list(base)
    for label in without:
        found.remove(label)
    return [*found, *more]


@pytest.mark.parametrize(
    ("labels", "karyotype"),
    [
        (cell(FEMALE), "46,XX"),
        (cell(FEMALE, without=("9",), more=("der(9)",)), "46,XX,der(9)"),
        (cell(FEMALE, more=("der(9)",)), "47,XX,+der(9)"),
        (cell(FEMALE, without=("9", "22"), more=("der(9)", "der(22)")), "46,XX,der(9),der(22)"),
        (cell(FEMALE, more=("mar",)), "47,XX,+mar"),
        (cell(FEMALE, more=("mar", "mar")), "48,XX,+2mar"),
        (cell(FEMALE, more=("mar", UNSURE)), "48,XX,+2mar"),
        (cell(FEMALE, without=("9",), more=("mar",)), "46,XX,-9,+mar"),
        (cell(FEMALE, without=("9",), more=("mar", UNSURE)), "47,XX,-9,+mar,inc"),
        (cell(FEMALE, more=("mar1", "mar2")), "48,XX,+mar1,+mar2"),
        (cell(FEMALE, without=("17",), more=("i(17)(q10)",)), "46,XX,i(17)(q10)"),
        (cell(FEMALE, without=("5", "5"), more=("del(5)(q13)", "del(5)(q13)")), "46,XX,del(5)(q13)x2"),
        (cell(FEMALE, without=("9", "20"), more=("dic(9;20)",)), "45,XX,dic(9;20)"),
        (cell(FEMALE, without=("X",), more=("r(X)",)), "46,X,r(X)"),
        (cell(MALE, without=("Y",), more=("del(Y)(q11)",)), "46,X,del(Y)(q11)"),
        (cell(FEMALE, without=("7",), more=("r(7)", "21", "mar")), "48,XX,r(7),+21,+mar"),
        (cell(FEMALE, more=("der(?)",)), "47,XX,+der(?)"),
        (cell(FEMALE, more=("r",)), "47,XX,+r"),
    ],
)
def test_a_cell_is_written(labels: list[str], karyotype: str) -> None:
    count, written, _, _ = count_named(labels)
    assert (count, written) == (len(labels), karyotype)
    # What ISCN makes of the string adds up to the objects that were counted.
    if "inc" not in written:
        assert cell_from_iscn("cell", written).summed == count
    broken = {one.rule for one in validate(written).findings if one.severity == "error"}
    assert broken <= ({"breakpoints-missing"} if unfinished(labels) else set())


ABNORMAL = (
    "mar",
    "der(9)",
    "der(22)",
    "r(7)",
    "i(17)(q10)",
    "del(5)(q13)",
    "dic(9;20)",
    "r(X)",
    "r",
    "mar2",
    "add(1)(p36)",
)


@given(st.sampled_from([FEMALE, MALE]), st.lists(st.integers(0, 43), max_size=6, unique=True),
       st.lists(st.sampled_from([*ABNORMAL, *CLASSES, UNSURE]), max_size=6))  # fmt: skip
def test_any_cell_adds_up(base: list[str], lost: list[int], more: list[str]) -> None:
    labels = [label for index, label in enumerate(base) if index not in lost] + more
    count, written, gains, losses = count_named(labels)
    assert count == len(labels)
    found = tally(labels)
    assert len(found.structural) == sum(label in ABNORMAL for label in labels)
    assert found.normal.total() + len(found.structural) + found.unsure == count
    if not written.endswith("inc"):
        assert cell_from_iscn("cell", written).summed == count
    if not any(label in ABNORMAL for label in labels):
        assert (count, written, gains, losses) == count_cell(labels)
    assert not set(gains) & set(losses)


def test_what_lacks_breakpoints_is_named_once() -> None:
    assert unfinished(["1", "mar", "der(9)", "der(9)", "del(5)(q13)", "dic(9;20)"]) == ("der(9)", "dic(9;20)")


def test_another_level_is_compared_with() -> None:
    triploid = [*(label for label in CLASSES[:22] for _ in range(3)), "X", "X", "Y"]
    triploid[triploid.index("9")] = "der(9)"
    assert tally(triploid, level=3).structural == ("der(9)",)
    assert tally(triploid).structural == ("+der(9)",)
