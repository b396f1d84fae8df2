"""Masks and boxes go where the pictures go."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")

from training.generalist.augment import View, change_look, cut, move_boxes, random_view  # noqa: E402


def whole(**changes: object) -> View:
    entries: dict[str, object] = {
        "centre": torch.zeros(1, 2), "scale": torch.ones(1, 2), "mirror": torch.ones(1, 2),
        "transpose": torch.tensor([False]),
    }  # fmt: skip
    return View(**(entries | changes))  # type: ignore[arg-type]


def test_the_whole_picture_is_itself() -> None:
    picture = torch.rand(1, 3, 32, 32)
    assert torch.allclose(cut(picture, whole(), 32), picture, atol=1e-5)


def test_mirrors_and_transposition() -> None:
    picture = torch.rand(1, 3, 32, 32)
    mirrored = cut(picture, whole(mirror=torch.tensor([[-1.0, 1.0]])), 32)
    assert torch.allclose(mirrored, picture.flip(3), atol=1e-5)
    turned = cut(picture, whole(transpose=torch.tensor([True])), 32)
    assert torch.allclose(turned, picture.transpose(2, 3), atol=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_a_box_stays_around_what_it_was_around(seed: int) -> None:
    torch.manual_seed(seed)
    picture = torch.zeros(1, 1, 128, 128)
    picture[0, 0, 70:90, 30:70] = 1  # y 70 to 90, x 30 to 70
    box = torch.tensor([[2.0, 50 / 128, 80 / 128, 40 / 128, 20 / 128]])
    view = random_view(torch.tensor([True]))
    moved, inside = move_boxes(box, view, torch.tensor([0]))
    seen = cut(picture, view, 128)[0, 0] > 0.5
    rows, columns = torch.nonzero(seen, as_tuple=True)
    if not inside or len(rows) == 0:
        return
    _, x, y, width, height = (moved[0] * 128).tolist()
    low = [max(x - width / 2, 0), max(y - height / 2, 0)]
    high = [min(x + width / 2, 128), min(y + height / 2, 128)]
    found = [columns.min().item(), rows.min().item(), columns.max().item() + 1, rows.max().item() + 1]
    assert found == pytest.approx([*low, *high], abs=2)


def test_looks_change_and_stay_in_range() -> None:
    torch.manual_seed(0)
    grey = torch.rand(40, 1, 16, 16).expand(-1, 3, -1, -1)
    changed = change_look(grey)
    assert changed.min() >= 0 and changed.max() <= 1 and not torch.allclose(changed, grey)
    # Noise of sensors is coloured; gain, gamma and inversion leave a grey picture grey.
    assert (changed[:, 0] - changed[:, 1]).abs().median() < 0.02
