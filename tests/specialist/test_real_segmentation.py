"""Outlines on real pictures with the shipped encoder: a small sample keeps what it reached.

The samples are small and the encoder is whatever ships, so these are floors against decay; how good outlines of new
data are, `benchmarks/segmentation.py` measures, with an encoder that never saw them.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from consilium.generalist.shipped import shipped_encoder
from consilium.specialist.dataset import read_dataset
from consilium.specialist.segmentation.mask_file import read_mask, read_volume, spread_volume
from consilium.specialist.segmentation.overlap import dice, objects_found
from consilium.specialist.segmentation.pixel_features import pixel_features
from consilium.specialist.segmentation.segment_file import read_picture
from consilium.specialist.segmentation.segmenter import fit_segmenter, segment_features
from consilium.specialist.segmentation.volume_segmenter import fit_volume_segmenter, section_features, segment_volume

pytestmark = pytest.mark.real_data


def _extracted(real_data: Path, name: str, folder: Path) -> Path:
    with zipfile.ZipFile(real_data / "medical" / f"{name}.zip") as archive:
        archive.extractall(folder)
    return folder


def test_nuclei(real_data: Path, tmp_path: Path) -> None:
    cases = read_dataset(_extracted(real_data, "fluo_dsb2018", tmp_path) / "manifest.csv").cases[:104:2]
    pictures, masks = [read_picture(case.file) for case in cases], [read_mask(case.masks[0]) for case in cases]
    encoder = shipped_encoder(threads=1)
    features = pixel_features(encoder, pictures, side=256, modality="fluo")
    segmenter = fit_segmenter(encoder, features[:32], masks[:32], np.arange(32), side=256, instances=True)
    found = [segment_features(segmenter, one) for one in features[32:]]
    assert np.mean([dice(a > 0, b > 0) for a, b in zip(found, masks[32:], strict=True)]) > 0.55
    assert np.mean([objects_found(a, b).precision for a, b in zip(found, masks[32:], strict=True)]) > 0.3


def test_hippocampus(real_data: Path, tmp_path: Path) -> None:
    folder = _extracted(real_data, "mr_hippocampus_nifti", tmp_path)
    files = sorted((folder / "images").iterdir())[:6]
    masks = [read_mask(folder / "labels" / file.name) for file in files]
    encoder = shipped_encoder(threads=1)
    features = [
        section_features(encoder, spread_volume(read_volume(file)[0]), side=128, modality="mr") for file in files
    ]
    segmenter = fit_volume_segmenter(
        encoder, features[:4], masks[:4], np.arange(4), side=128, modality="mr", labels=("anterior", "posterior")
    )
    found = [segment_volume(segmenter, one) for one in features[4:]]
    for number in (1, 2):
        assert np.mean([dice(a == number, b == number) for a, b in zip(found, masks[4:], strict=True)]) > 0.65
