from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consilium.errors import UnusableDataset
from consilium.specialist.segmentation.mask_scheme import MaskScheme, joined_masks, scheme_of
from consilium.specialist.segmentation.working_grid import enlarged, nearest, reduced_picture, working_shape

HERE = Path("cases.csv")


def saved(path: Path, mask: list[list[int]]) -> Path:
    Image.fromarray(np.array(mask, np.uint8)).save(path)
    return path


def test_numbers_become_labels_and_come_back(tmp_path: Path) -> None:
    scheme = scheme_of({255, 128}, labels=("disc", "cup"), instances=False, volumes=False, where=HERE)
    assert scheme.values == (128, 255) and list(scheme.numbers) == [1, 2]
    file = saved(tmp_path / "m.png", [[0, 128], [255, 0]])
    mask = scheme.read([file])
    assert mask.tolist() == [[0, 1], [2, 0]] and scheme.written(mask).tolist() == [[0, 128], [255, 0]]
    with pytest.raises(UnusableDataset, match="number 7"):
        scheme.read([saved(tmp_path / "odd.png", [[0, 7]])])


def test_several_files_of_a_case(tmp_path: Path) -> None:
    files = [saved(tmp_path / "a.png", [[1, 0, 0]]), saved(tmp_path / "b.png", [[0, 0, 1]])]
    assert joined_masks(files, instances=False).tolist() == [[1, 0, 1]]
    assert joined_masks(files, instances=True).tolist() == [[1, 0, 2]]
    with pytest.raises(UnusableDataset, match="of one case"):
        joined_masks([*files, saved(tmp_path / "c.png", [[1]])], instances=False)


def test_objects_keep_their_numbers() -> None:
    scheme = scheme_of(set(range(1, 40)), labels=(), instances=True, volumes=False, where=HERE)
    assert scheme == MaskScheme(values=(), labels=("object",), instances=True, volumes=False)
    mask = np.array([[0, 3, 17]])
    assert scheme.written(mask) is mask and scheme.of_label(mask, 1).tolist() == [[False, True, True]]


@pytest.mark.parametrize(
    ("values", "labels", "instances", "volumes", "told"),
    [
        (set(), (), False, False, "nothing is outlined"),
        (set(range(1, 14)), (), False, False, "13 different numbers"),
        ({1}, (), True, True, "pictures only"),
        ({-1, 1}, (), False, False, "number -1"),
        ({1, 2}, ("a",), False, False, "need 2"),
        ({1, 2}, ("a", "a"), False, False, "same name"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    values: set[int], labels: tuple[str, ...], instances: bool, volumes: bool, told: str
) -> None:
    with pytest.raises(UnusableDataset, match=told):
        scheme_of(values, labels=labels, instances=instances, volumes=volumes, where=HERE)


def test_the_working_grid_and_back() -> None:
    assert working_shape((300, 600), 256) == (128, 256) and working_shape((30, 60), 256) == (30, 60)
    assert working_shape((1, 5000), 256) == (1, 256)
    picture = np.random.default_rng(0).random((300, 600, 3), np.float32)
    assert reduced_picture(picture).shape == (128, 256, 3)
    assert reduced_picture(picture[:40, :50]).shape == (40, 50, 3)
    rows, columns = np.mgrid[:300, :600]
    disc = (np.hypot(rows - 140, columns - 300) < 90).astype(np.intp) * 2
    small = nearest(disc, (128, 256))
    assert set(np.unique(small)) == {0, 2}
    large = enlarged(small, (300, 600))
    assert (large != disc).mean() < 0.005 and set(np.unique(large)) == {0, 2}
    # Steps of the small grid would be 2.3 pixels high; what is left over is thinner than that.
    assert (large != disc).sum() < (nearest(small, (300, 600)) != disc).sum()
    volume = np.zeros((4, 6, 8), np.intp)
    volume[1:3, 2:4, 2:6] = 1
    assert abs(enlarged(volume, (8, 12, 16)).sum() / 8 / volume.sum() - 1) < 0.2


def test_one_label_written_in_two_ways_is_not_taken_for_two() -> None:
    with pytest.raises(UnusableDataset, match="two ways or two labels") as refused:
        scheme_of({1, 255}, labels=(), instances=False, volumes=False, where=HERE)
    assert "--label" in refused.value.way_out
    told = scheme_of({1, 255}, labels=("rim", "core"), instances=False, volumes=False, where=HERE)
    assert told.values == (1, 255)
    assert scheme_of({1, 255}, labels=(), instances=True, volumes=False, where=HERE).instances
