"""Boxes on real blood smears with the shipped encoder: they are read, and a small sample keeps what it reached.

The encoder that ships has been taught the boxes of this set, so these are floors against decay; how good boxes of new
data are, `benchmarks/object_detection.py` measures, with an encoder that never saw them.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from consilium.generalist.shipped import shipped_encoder
from consilium.specialist.dataset import read_dataset
from consilium.specialist.detection.average_precision import average_precision, outcomes_of
from consilium.specialist.detection.detector import detect_all, fit_detector
from consilium.specialist.detection.labelled_boxes import read_case_boxes
from consilium.specialist.detection.pyramid import pyramid_features
from consilium.specialist.segmentation.segment_file import read_picture

pytestmark = pytest.mark.real_data


@pytest.mark.timeout(600)
def test_blood_smears(real_data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(real_data / "medical" / "smear_bccd_boxes.zip") as archive:
        archive.extractall(tmp_path)
    dataset = read_dataset(tmp_path)
    assert dataset.task == "detect" and len(dataset.cases) == 364
    known = read_case_boxes(dataset.cases, [(480, 640)] * 364)
    assert known.labels == ("Platelets", "RBC", "WBC")
    counts = np.bincount(np.concatenate([one.classes for one in known.boxes]))
    assert counts.tolist() == [361, 4153, 372]
    assert len(known.notes) == 2

    chosen = np.arange(0, 360, 9)
    boxes = [known.boxes[row] for row in chosen]
    encoder = shipped_encoder(threads=1)
    features = pyramid_features(
        encoder, [read_picture(dataset.cases[row].file) for row in chosen], side=256, modality="smear"
    )
    detector = fit_detector(
        encoder, features[:28], boxes[:28], np.arange(28), side=256, labels=known.labels, modality="smear"
    )
    found = [detect_all(detector, one) for one in features[28:]]
    reached = [average_precision(outcomes_of(found, boxes[28:], number), 0) for number in range(3)]
    assert reached[1] > 0.55
    assert reached[2] > 0.8
    assert np.mean(reached) > 0.5
