"""Segmenters learn drawn shapes, are kept and come back, and write masks that lie on their pictures."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from consilium.errors import InputError, ModelError, UnusableDataset
from consilium.specialist.segmentation.mask_file import read_mask, write_mask
from consilium.specialist.segmentation.overlap import dice, objects_found
from consilium.specialist.segmentation.pixel_features import pixel_features
from consilium.specialist.segmentation.segment_file import segment_file
from consilium.specialist.segmentation.segmenter import (
    Rule,
    Segmenter,
    apply_rule,
    fit_segmenter,
    kind_of,
    segment,
    segmenter_of,
    segmenter_state,
)
from consilium.specialist.segmentation.volume_segmenter import (
    fit_volume_segmenter,
    section_features,
    segment_volume,
    volume_segmenter_of,
    volume_segmenter_state,
)
from tests.specialist.shapes import MeansEncoder, discs


def _fitted(count: int = 12, *, several: bool = False) -> tuple[Segmenter, list[np.ndarray], list[np.ndarray]]:
    pictures, masks = discs(count + 4, several=several)
    features = pixel_features(MeansEncoder(), pictures[:count], side=64, modality=None)
    segmenter = fit_segmenter(MeansEncoder(), features, masks[:count], np.arange(count), side=64, instances=several)
    return segmenter, pictures[count:], masks[count:]


def test_one_object_is_outlined_and_the_state_comes_back() -> None:
    segmenter, pictures, masks = _fitted()
    assert segmenter.rule.kind == "one object"
    assert segmenter.choice is not None
    document, arrays = segmenter_state(segmenter)
    again = segmenter_of(json.loads(json.dumps(document)), arrays)
    for picture, mask in zip(pictures, masks, strict=True):
        found = segment(segmenter, MeansEncoder(), picture)
        assert dice(found > 0, mask > 0) > 0.93
        assert np.array_equal(segment(again, MeansEncoder(), picture), found)


def test_objects_are_counted() -> None:
    segmenter, pictures, masks = _fitted(several=True)
    assert segmenter.rule.kind == "objects"
    for picture, mask in zip(pictures, masks, strict=True):
        assert objects_found(segment(segmenter, MeansEncoder(), picture), mask).hits >= 2


def test_a_shuffled_truth_is_not_learnt() -> None:
    pictures, masks = discs(16)
    features = pixel_features(MeansEncoder(), pictures, side=64, modality=None)
    wrong = [masks[(number + 5) % 16] for number in range(16)]
    segmenter = fit_segmenter(MeansEncoder(), features[:12], wrong[:12], np.arange(12), side=64)
    assert segmenter.choice is not None
    assert segmenter.choice.steps[0].loss > 0.5


def test_the_part_with_the_most_probability_stays_and_its_holes_are_filled() -> None:
    probability = np.zeros((30, 30), np.float32)
    probability[2:12, 2:12] = 0.99
    probability[5:7, 5:7] = 0.0
    probability[15:29, 15:24] = 0.61
    found = apply_rule(np.stack([1 - probability, probability]), Rule(kind="one object", threshold=0.5, smoothing=0))
    assert found[5:7, 5:7].all() and found.sum() == 100
    both = apply_rule(np.stack([1 - probability, probability]), Rule(kind="regions", threshold=0.5, smoothing=0))
    assert both.sum() == 96 + 14 * 9


def test_the_kind_is_seen_in_the_masks() -> None:
    one, several = discs(5)[1], [(mask > 0).astype(np.intp) for mask in discs(5, several=True)[1]]
    assert kind_of(one) == "one object"
    assert kind_of(several) == "regions"
    assert kind_of(several, instances=True) == "objects"


def test_what_cannot_be_learnt_from_is_refused() -> None:
    pictures, masks = discs(4)
    features = pixel_features(MeansEncoder(), pictures, side=64, modality=None)
    empty = [np.zeros_like(mask) for mask in masks]
    for told, wrong, groups in (
        ("nothing is outlined", empty, np.arange(4)),
        ("pixels", [mask[1:] for mask in masks], np.arange(4)),
        ("too few", masks, np.zeros(4, np.intp)),
        ("more classes", [mask * 2 for mask in masks], np.arange(4)),
    ):
        with pytest.raises(UnusableDataset, match=told):
            fit_segmenter(MeansEncoder(), features, wrong, groups, side=64)


def test_another_encoder_or_a_damaged_state_is_refused() -> None:
    segmenter, pictures, _ = _fitted(4)
    other = MeansEncoder()
    other.fingerprint = "1" * 64
    with pytest.raises(ModelError, match="another encoder"):
        segment(segmenter, other, pictures[0])
    document, arrays = segmenter_state(segmenter)
    for broken in ({**document, "version": 99}, {**document, "rule": {"kinds": 1}}, {}):
        with pytest.raises(ModelError, match="not the state"):
            segmenter_of(broken, arrays)
    with pytest.raises(ModelError, match="not the state"):
        segmenter_of(document, {})


def test_a_picture_file_gets_a_mask_of_its_size(tmp_path: Path) -> None:
    segmenter, pictures, masks = _fitted()
    Image.fromarray((pictures[0] * 255).astype(np.uint8)).save(tmp_path / "in.png")
    found = segment_file(segmenter, MeansEncoder(), tmp_path / "in.png", tmp_path / "out.png")
    assert np.array_equal(read_mask(tmp_path / "out.png"), found)
    assert dice(found > 0, masks[0] > 0) > 0.9
    with pytest.raises(InputError, match="dimensions"):
        write_mask(found, tmp_path / "out.nii.gz", like=tmp_path / "in.png")


def _balls(count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(3)
    grid = np.mgrid[:18, :22, :26].astype(np.float64)
    volumes, masks = [], []
    for _ in range(count):
        middle = np.array([rng.uniform(7, 11), rng.uniform(8, 14), rng.uniform(9, 17)])
        mask = (np.linalg.norm(grid - middle[:, None, None, None], axis=0) < rng.uniform(4.5, 6.5)).astype(np.intp)
        # The half with the higher column number is a class of its own, and darker.
        mask[(mask > 0) & (grid[2] > middle[2])] = 2
        value = 0.2 + np.array([0.0, 0.6, 0.3])[mask] + 0.05 * rng.standard_normal(mask.shape)
        volumes.append(np.clip(value, 0, 1).astype(np.float32))
        masks.append(mask)
    return volumes, masks


def test_a_volume_is_outlined_in_its_geometry(tmp_path: Path) -> None:
    volumes, masks = _balls(7)
    encoder = MeansEncoder()
    features = [section_features(encoder, volume, side=64, modality=None) for volume in volumes]
    segmenter = fit_volume_segmenter(encoder, features[:5], masks[:5], np.arange(5), side=64, labels=("bright", "dark"))
    found = segment_volume(segmenter, features[6])
    assert found.shape == masks[6].shape
    for number in (1, 2):
        assert dice(found == number, masks[6] == number) > 0.8
    document, arrays = volume_segmenter_state(segmenter)
    again = volume_segmenter_of(json.loads(json.dumps(document)), arrays)
    assert np.array_equal(segment_volume(again, features[6]), found)
    with pytest.raises(ModelError, match="volumes"):
        volume_segmenter_of({"task": "segment"}, arrays)

    affine = np.array([[0, -2, 0, 5], [1.5, 0, 0, -7], [0, 0, 3, 11], [0, 0, 0, 1.0]])
    image = nibabel.Nifti1Image(volumes[6].transpose(2, 1, 0), affine)
    image.set_sform(affine, 1)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, tmp_path / "in.nii.gz")
    written = segment_file(segmenter, encoder, tmp_path / "in.nii.gz", tmp_path / "out.nii.gz")
    back = nibabel.load(tmp_path / "out.nii.gz")
    assert np.allclose(back.affine, affine) and back.get_sform(coded=True)[1] == 1
    assert back.header.get_xyzt_units()[0] == "mm"
    assert np.array_equal(np.asarray(back.dataobj).transpose(2, 1, 0), written)
    assert dice(written > 0, masks[6] > 0) > 0.8
    with pytest.raises(InputError, match="volume"):
        segment_file(segmenter, encoder, tmp_path / "in.png", tmp_path / "out.png")
    with pytest.raises(InputError, match="voxels"):
        write_mask(written[1:], tmp_path / "wrong.nii.gz", like=tmp_path / "in.nii.gz")
