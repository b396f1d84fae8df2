from __future__ import annotations

from benchmarks.iscn import measure, share, speed, table


def test_agreement_and_acceptance_by_hand() -> None:
    entries = [
        ("46,XX", frozenset[str]()),
        ("47,XY,+21", frozenset[str]()),
        ("46,XY,+21", frozenset({"count"})),
        ("46,XX,del(5)(q99)", frozenset({"count"})),  # judged wrongly on purpose
    ]
    figures = {one.name: one for one in measure(entries, {"made up strings": ["46,XX", "46,XX,+8", "no string"]})}
    assert figures["right_called_right"].value == 1 and figures["wrong_caught"].value == 1
    assert figures["rules_agree"].value == 0.75 and figures["rules_agree"].n == 4
    assert figures["made_read"].value == 2 / 3 and figures["made_right"].value == 0.5


def test_a_share_has_an_interval_and_a_speed_is_positive() -> None:
    half = share("x", "x", [True, False], "none")
    assert half.low < half.value == 0.5 < half.high
    rate = speed("x", "x", len, ["a", "b"], "none")
    assert 0 < rate.low <= rate.value <= rate.high
    assert "| x | 0.5000 (" in table([half], "2026-01-01", "a machine")
