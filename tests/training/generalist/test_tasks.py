"""What is shown, how often, and that every task has a cost that its head can lower."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the recipes need PyTorch (extra train)")

from consilium.generalist.network import MODALITIES, Pyramid  # noqa: E402
from training.generalist.pictures import STORED, Pack, Row  # noqa: E402
from training.generalist.synthetic import KINDS, PARAMETERS, draw_synthetic  # noqa: E402
from training.generalist.tasks import GRID, SIDE, Heads, draw, lessons, losses  # noqa: E402


def made(dataset: str, modality: str, count: int, **what: object) -> list[Row]:
    entries: dict[str, object] = {"label": "", "mask": False, "boxes": ()}
    return [
        Row(dataset=dataset, modality=modality, group=str(number), **(entries | what))  # type: ignore[arg-type]
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def pack() -> Pack:
    rows = [
        *made("many", "us", 60, label="ill"), *made("many", "us", 60, label="well"), *made("few", "us", 10, mask=True),
        *made("cells", "smear", 20, boxes=((1.0, 0.5, 0.5, 0.3, 0.2),)),
        *made("mg_minimias", "mg", 30, label="B"),
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (len(rows), STORED, STORED, 3), np.uint8)
    masks = np.zeros((len(rows), STORED, STORED), np.uint8)
    masks[:, 40:120, 40:120] = 1
    return Pack(pictures=pictures, masks=masks, rows=tuple(rows))


def test_what_may_only_be_judged_on_is_never_shown(pack: Pack) -> None:
    data = lessons(pack, without=frozenset())
    assert {pack.rows[row].dataset for row in data.rows} == {"many", "few", "cells"}
    assert data.classes == {"many": ("ill", "well")} and data.segmented == ("few",)
    assert data.modalities == ("us", "smear")


def test_a_set_can_be_left_out(pack: Pack) -> None:
    data = lessons(pack, without=frozenset({"many"}))
    assert {pack.rows[row].dataset for row in data.rows} == {"few", "cells"}
    with pytest.raises(ValueError, match="not in the pack: absent"):
        lessons(pack, without=frozenset({"absent"}))


def test_small_sets_and_modalities_are_shown_more_often_than_their_size(pack: Pack) -> None:
    data = lessons(pack, without=frozenset())
    shown = dict.fromkeys(("many", "few", "cells"), 0.0)
    for row, chance in zip(data.rows, data.chances, strict=True):
        shown[pack.rows[row].dataset] += chance
    assert sum(shown.values()) == pytest.approx(1)
    assert shown["few"] > 10 / 150 and shown["cells"] > 20 / 150 and shown["many"] < 120 / 150


def test_a_batch_has_what_its_tasks_need(pack: Pack) -> None:
    torch.manual_seed(0)
    data = lessons(pack, without=frozenset())
    batch = draw(data, 40, np.random.default_rng(0))
    assert batch.pictures.shape == (40, 3, SIDE, SIDE) and batch.pictures.max() <= 1
    withheld = batch.told == len(MODALITIES)
    assert 0 < int(withheld.sum()) < 40 and bool((batch.told[~withheld] == batch.modality[~withheld]).all())
    members, known = batch.labels["many"]
    assert len(members) == len(known) and set(known.tolist()) == {0, 1}
    assert batch.masks["few"][1].shape[1:] == (1, 2 * GRID, 2 * GRID)
    boxed = batch.centres[batch.boxed]
    assert bool((boxed.amax((2, 3))[:, 1] == 1).all()) and float(boxed[:, [0, 2, 3]].max()) == 0
    at = batch.sizes[batch.boxed][:, 2].flatten(1).argmax(1)
    assert len(at) == len(batch.boxed)


def test_every_task_is_learnt_from(pack: Pack) -> None:
    torch.manual_seed(0)
    data = lessons(pack, without=frozenset())
    trunk, heads = Pyramid(), Heads(data.classes, data.segmented)
    trunk.seen.copy_(torch.tensor([float(one in data.modalities) for one in MODALITIES]))
    batch = draw(data, 40, np.random.default_rng(1))
    found = losses(heads, trunk(batch.pictures, batch.told), batch)
    assert set(found) == {"class", "modality", "mask", "box"}
    sum(found.values()).backward()
    idle = [name for name, one in heads.named_parameters() if one.grad is None or not one.grad.any()]
    assert idle == []
    assert all(one.change.grad is not None and one.change.grad.any() for one in trunk.modulations)


def test_drawn_pictures_differ_by_kind_and_parameter() -> None:
    torch.manual_seed(0)
    pictures, kinds, asked = draw_synthetic(60, np.random.default_rng(0))
    assert pictures.shape == (60, 3, SIDE, SIDE) and asked.shape == (60, PARAMETERS)
    assert set(kinds.tolist()) == set(range(len(KINDS)))
    assert float(pictures.min()) >= 0 and float(pictures.max()) <= 1
    assert float(pictures.flatten(1).std(1).min()) > 0.005
