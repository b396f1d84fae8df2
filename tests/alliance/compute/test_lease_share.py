"""Sharing is fair and loses no core; raised hours cost least."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilium.alliance.compute.lease_share import levelled, merged, shared
from consilium.errors import InputError

NUMBERS = st.integers(0, 30)


def test_enough_for_all() -> None:
    assert shared([3, 5, 0], [1, 0, 2], 20) == (3, 5, 2)


def test_the_rest_goes_up_evenly() -> None:
    assert shared([10, 10, 1], [0, 0, 0], 9) == (4, 4, 1)
    assert shared([10, 10, 10], [6, 0, 0], 12) == (8, 2, 2)  # even beyond what each owns
    assert shared([0, 30], [8, 2], 12) == (8, 4)  # nobody's own is taken
    with pytest.raises(InputError, match="own 11 cores and there are 10"):
        shared([1, 1], [5, 6], 10)


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 5)), min_size=1, max_size=6), st.integers(0, 80))
def test_it_is_max_min_fair(told: list[tuple[int, int]], more: int) -> None:
    wanted, owned = [one[0] for one in told], [one[1] for one in told]
    capacity = sum(owned) + more
    given_ = shared(wanted, owned, capacity)
    bound = [max(want, own) for want, own in told]
    assert all(own <= got <= most for own, got, most in zip(owned, given_, bound, strict=True))
    assert sum(given_) == min(capacity, sum(bound))
    beyond = [got - own for got, own in zip(given_, owned, strict=True)]
    for place, other in itertools.permutations(range(len(told)), 2):
        # Whoever lacks has no less beyond its own than anybody else, but for the last core.
        if given_[place] < bound[place]:
            assert beyond[place] >= beyond[other] - 1


@settings(max_examples=40)
@given(st.lists(st.integers(0, 6), min_size=168, max_size=168), st.integers(0, 12))
def test_merging_never_lowers_and_never_costs_more(levels: list[int], switch: int) -> None:
    want = np.array(levels)
    room = want + 2
    found = merged(want, room, switch=float(switch))
    assert (found >= want).all() and (found <= room).all()

    def cost(cores: np.ndarray) -> float:
        return float(cores.sum() + switch * (cores != np.roll(cores, 1)).sum())

    assert cost(found) <= cost(want)
    if not switch:
        assert (found == want).all()


def test_merging_finds_the_cheapest_blocks() -> None:
    # Six free hours, the rest one level: all ways to raise them can be tried.
    rng = np.random.default_rng(0)
    for _ in range(30):
        want = np.full(168, 5)
        want[40:46] = rng.integers(0, 9, 6)
        room = np.maximum(want, rng.integers(0, 12, 168))
        switch = float(rng.integers(0, 8))
        found = merged(want, room, switch=switch)
        best = np.inf
        for raised in itertools.product(*[range(want[hour], min(room[hour], 9) + 1) for hour in range(40, 46)]):
            tried = want.copy()
            tried[40:46] = raised
            best = min(best, tried.sum() + switch * (np.diff(tried) != 0).sum())
        assert found.sum() + switch * (np.diff(found) != 0).sum() <= best + 1e-9


def test_few_levels_cost_least() -> None:
    levels = np.repeat([1, 2, 3, 10, 11, 20], 28)
    room = np.full(168, 30)
    assert np.unique(levelled(levels, room, most=3)).tolist() == [3, 11, 20]
    assert np.unique(levelled(levels, room, most=1)).tolist() == [20]
    assert (levelled(levels, room, most=6) == levels).all()
    tight = levels.copy()
    assert (levelled(levels, tight, most=2) == levels).all()  # no room for any raised hour


@settings(max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=168, max_size=168), st.integers(1, 4))
def test_levels_are_few_and_the_cheapest_such(levels: list[int], most: int) -> None:
    want = np.array(levels)
    found = levelled(want, np.full(168, 99), most=most)
    values = np.unique(want)
    assert (found >= want).all() and len(np.unique(found)) <= most
    best = np.inf
    for chosen in itertools.combinations(values[:-1], min(most, len(values)) - 1):
        kept = np.array([*chosen, values[-1]])
        best = min(best, kept[np.searchsorted(kept, want)].sum())
    assert found.sum() == best
