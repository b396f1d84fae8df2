from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from consilium.generalist import cache as module
from consilium.generalist.cache import FeatureCache, content_hash, feature_key
from consilium.generalist.shipped import ShippedEncoder

KEY = "ab" + "0" * 62


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).random((2, 50)).astype(np.float32)


def test_what_was_kept_comes_back(tmp_path: Path, image: np.ndarray) -> None:
    cache = FeatureCache(tmp_path)
    assert cache.get(KEY) is None
    assert cache.put(KEY, image)
    found = FeatureCache(tmp_path).get(KEY)
    assert found is not None and np.array_equal(found, image) and found.dtype == np.float32


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other"])
def test_a_damaged_entry_is_none_and_is_mended(tmp_path: Path, image: np.ndarray, damage: str) -> None:
    cache = FeatureCache(tmp_path)
    cache.put(KEY, image)
    (path,) = tmp_path.glob("*/*")
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes({"flip": bytes(data), "cut": bytes(data[:-9]), "empty": b"", "other": b"x" * 500}[damage])
    assert cache.get(KEY) is None
    cache.put(KEY, image)
    assert np.array_equal(cache.get(KEY), image)


def test_it_lies_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: np.ndarray) -> None:
    monkeypatch.setenv("CONSILIUM_HOME", str(tmp_path))
    FeatureCache().put(KEY, image)
    assert len(list((tmp_path / "features").glob("*/*"))) == 1


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path, image: np.ndarray) -> None:
    cache = FeatureCache(tmp_path)
    keys = [f"{number:02x}" + "0" * 62 for number in range(10)]
    for age, key in enumerate(keys):
        cache.put(key, image)
        when = time.time() - 1000 + age
        os.utime(tmp_path / key[:2] / f"{key}.features", (when, when))
    assert cache.get(keys[0]) is not None  # used now
    size = sum(path.stat().st_size for path in tmp_path.glob("*/*"))
    small = FeatureCache(tmp_path, limit=size // 2)
    assert small.prune() == 6
    assert [cache.get(key) is not None for key in keys] == [True] + [False] * 6 + [True] * 3
    assert small.prune() == 0


def test_it_stays_within_its_limit_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: np.ndarray
) -> None:
    monkeypatch.setattr(module, "LOOK_AFTER", 4)
    cache = FeatureCache(tmp_path, limit=3000)
    for number in range(60):
        cache.put(f"{number:064x}", image)
    size = sum(path.stat().st_size for path in tmp_path.glob("*/*"))
    assert size < 3000 + 5 * 600


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path, image: np.ndarray) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = FeatureCache(tmp_path / "file")
    assert not cache.put(KEY, image)
    assert cache.get(KEY) is None


def test_two_processes_may_share_it(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from pathlib import Path; from consilium.generalist.cache import FeatureCache\n"
        "cache = FeatureCache(Path(sys.argv[1]), limit=20000)\n"
        "for turn in range(300):\n"
        "    key = f'{turn % 7:064x}'\n"
        "    found = cache.get(key)\n"
        "    assert found is None or (found == turn % 7).all()\n"
        "    cache.put(key, np.full((1, 400), turn % 7, np.float32))\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE) for _ in range(2)]
    for one in both:
        assert one.communicate(timeout=60)[1] == b"" and one.returncode == 0
    assert not list(tmp_path.glob("*/*.partial"))


def test_the_key_tells_apart_all_that_matters(tiny: ShippedEncoder, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"picture")
    (tmp_path / "b").write_bytes(b"picture")
    content = content_hash(tmp_path / "a")
    assert content == content_hash(tmp_path / "b")
    keys = [
        feature_key(content, tiny, None, 128),
        feature_key(content, tiny, "us", 128),
        feature_key(content, tiny, None, 64),
        feature_key("0" * 64, tiny, None, 128),
    ]
    assert len(set(keys)) == 4 and keys[0] == feature_key(content, tiny, None, 128)


def test_a_folder_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1").write_bytes(b"plane")
    assert content_hash(tmp_path / "one") == content_hash(tmp_path / "other") != content_hash(tmp_path / "one" / "1")
    (tmp_path / "other" / "2").write_bytes(b"")
    assert content_hash(tmp_path / "one") != content_hash(tmp_path / "other")
