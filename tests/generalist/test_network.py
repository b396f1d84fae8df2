"""The pyramid: its levels, the modality it is told, and what ImageNet's weights become in it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")

from consilium.generalist.network import DIMENSIONS, LEVELS, MODALITIES, UNKNOWN, Modulation, Pyramid  # noqa: E402


@pytest.fixture(scope="module")
def network() -> Pyramid:
    torch.manual_seed(0)
    return Pyramid().eval()


def test_it_is_compact(network: Pyramid) -> None:
    assert sum(one.numel() for one in network.parameters()) < 8e6
    assert len(MODALITIES) == 19 == UNKNOWN


@pytest.mark.parametrize("side", [64, 96])
def test_the_levels_have_their_strides(network: Pyramid, side: int) -> None:
    with torch.no_grad():
        found = network(torch.rand(2, 3, side, side), torch.tensor([0, UNKNOWN]))
    shapes = [tuple(one.shape) for one in found.levels]
    assert shapes == [(2, channels, side // stride, side // stride) for stride, channels in LEVELS.items()]
    assert found.image().shape == (2, DIMENSIONS)


def test_a_new_modulation_changes_nothing() -> None:
    x = torch.rand(2, 4, 3, 3)
    assert torch.equal(Modulation(4)(x, torch.tensor([3, UNKNOWN]), torch.zeros(19)), x)


def test_what_was_not_learnt_gets_the_mean_of_what_was() -> None:
    modulation = Modulation(2)
    with torch.no_grad():
        modulation.change[0], modulation.change[1], modulation.change[2] = 1.0, 3.0, 100.0
    seen = torch.zeros(19)
    seen[:2] = 1
    table = modulation.table(seen)
    assert table.shape == (20, 4)
    assert table[0, 0] == 1 and table[1, 0] == 3
    assert (table[2:] == 2).all()
