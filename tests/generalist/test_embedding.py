from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from consilium.errors import InputError
from consilium.generalist.cache import FeatureCache
from consilium.generalist.embedding import Embedded, NotEmbedded, Outcome, embed_files
from consilium.generalist.inputs import Entry
from consilium.generalist.pictures import pictures
from consilium.generalist.shipped import ShippedEncoder
from tests.generalist.conftest import ADDED

Paint = Callable[..., Path]


@pytest.fixture
def entries(paint: Paint) -> list[Entry]:
    paths = [paint(f"{number}.png", (20 * number, 0, 0)) for number in range(9)]
    return [Entry(path=path, file=path.name) for path in paths]


def red(outcomes: list[Outcome]) -> list[float]:
    return [float(one.vector[0] - ADDED["unknown"]) for one in outcomes if isinstance(one, Embedded)]


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_the_outcomes_come_in_the_order_of_the_files(tiny: ShippedEncoder, entries: list[Entry], batch: int) -> None:
    seen: list[Outcome] = []
    found = embed_files(entries, tiny, batch=batch, on_outcome=seen.append)
    assert red(found) == pytest.approx([20 * number / 255 for number in range(9)], abs=1e-3)
    assert len(seen) == 9 and [one.entry for one in found] == entries


def test_features_are_those_of_the_encoder(tiny: ShippedEncoder, entries: list[Entry]) -> None:
    (found,) = embed_files(entries[3:4], tiny, side=96)
    assert isinstance(found, Embedded)
    assert np.array_equal(found.image, tiny.embed(pictures(entries[3].path, 96)).image)


def test_a_second_call_takes_them_from_the_cache(tiny: ShippedEncoder, entries: list[Entry], tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "kept")
    first = embed_files(entries[:6], tiny, cache=cache)
    again = embed_files(entries, tiny, cache=cache)
    assert [one.cached for one in first if isinstance(one, Embedded)] == [False] * 6
    assert [one.cached for one in again if isinstance(one, Embedded)] == [True] * 6 + [False] * 3
    assert red(again)[:6] == red(first)
    other_side = embed_files(entries, tiny, cache=cache, side=32)
    assert not any(one.cached for one in other_side if isinstance(one, Embedded))


def test_what_was_done_before_an_interruption_is_kept(
    tiny: ShippedEncoder, entries: list[Entry], tmp_path: Path
) -> None:
    cache = FeatureCache(tmp_path / "kept")

    def stop(outcome: Outcome) -> None:
        if outcome.entry.file == "3.png":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_files(entries, tiny, cache=cache, batch=2, on_outcome=stop)
    again = embed_files(entries, tiny, cache=cache, batch=2)
    assert [one.cached for one in again if isinstance(one, Embedded)] == [True] * 4 + [False] * 5


def test_a_bad_file_is_reported_and_passed_over(tiny: ShippedEncoder, entries: list[Entry], tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    bad = [Entry(path=tmp_path / name, file=name) for name in ("bad.png", "absent.png")]
    found = embed_files([entries[1], *bad, entries[2]], tiny)
    assert [type(one) for one in found] == [Embedded, NotEmbedded, NotEmbedded, Embedded]
    assert isinstance(found[1], NotEmbedded) and "damaged" in found[1].message
    assert isinstance(found[2], NotEmbedded) and "no such file" in found[2].message


def test_each_row_may_have_its_own_modality(tiny: ShippedEncoder, entries: list[Entry]) -> None:
    told = [
        Entry(path=entry.path, file=entry.file, modality=modality)
        for entry, modality in zip(entries, ("us", "", "ct", "us", "xyz"), strict=False)
    ]
    found = embed_files(told, tiny, modality="ct")
    added = [round(float(one.vector[1])) if isinstance(one, Embedded) else one.message for one in found]
    assert added[:4] == [ADDED["us"], ADDED["ct"], ADDED["ct"], ADDED["us"]]
    assert "no modality 'xyz'" in str(added[4])


@pytest.mark.parametrize(("wrong", "said"), [({"modality": "xyz"}, "xyz"), ({"side": 50}, "multiple of 32")])
def test_what_no_file_could_be_embedded_with_ends_the_call(
    tiny: ShippedEncoder, entries: list[Entry], wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        embed_files(entries, tiny, **wrong)  # type: ignore[arg-type]
