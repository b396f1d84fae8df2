"""MONAI itself runs the bundle that a fit writes; skipped where MONAI is not installed."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="the network of a bundle is written by onnx (extra specialist)")


@pytest.mark.filterwarnings("ignore")
def test_monai_runs_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("monai", reason="MONAI is not installed (pip install monai)")
        from monai.bundle import ConfigWorkflow
    from consilium.artefact.bundle import open_bundle, write_bundle
    from consilium.generalist.cache import FeatureCache
    from consilium.generalist.shipped import shipped_encoder
    from consilium.specialist.bundle_documents import bundle_files
    from consilium.specialist.dataset import read_dataset
    from consilium.specialist.evidence.validate import Plan
    from consilium.specialist.fit import Wish, fit
    from tests.specialist.drawn_pictures import two_classes

    data = two_classes(tmp_path / "data", 12)
    plan = Plan(repeats=2, shuffles=0, curve=False)
    cache = FeatureCache(tmp_path / "home")
    result = fit(read_dataset(data), shipped_encoder(threads=1), Wish(plan=plan), cache=cache)
    write_bundle(bundle_files(result, "model"), tmp_path / "model")
    bundle = open_bundle(tmp_path / "model")
    files = [str(path) for several in result.cases.files[:4] for path in several]
    workflow = ConfigWorkflow(
        config_file=str(bundle.path("configs/inference.json")),
        meta_file=str(bundle.path("configs/metadata.json")),
        workflow_type="inference",
        logging_file=False,
        bundle_root=os.fspath(bundle.folder),
        files=files,
    )
    workflow.initialize()
    found = workflow.run()[0]
    # Its pictures are made square by Pillow, ours by OpenCV.
    assert found == pytest.approx(result.specialist.probabilities(result.cases.features[:4]), abs=0.1)
    assert workflow.parser.get("_meta_::version") == "1.0.0"
    workflow.finalize()
