from __future__ import annotations

from pathlib import Path

import pytest

from consilium.errors import UnreadableImage
from consilium.imaging.open_study import open_study
from tests.imaging.made_files import dicom, video


@pytest.mark.parametrize("name", ["case.avi", "case.mp4"])
def test_frames_in_any_order(name: str, tmp_path: Path) -> None:
    study = open_study(video(tmp_path / name, frames=12, rate=20.0), modality="es")
    assert study.form == "frames"
    assert study.shape == (12, 48, 64)
    assert study.provenance.reader == "video"
    for index in (0, 5, 11, 3):
        plane = study.plane(index)
        assert plane.pixels.mean() == pytest.approx(10 * index + 20, abs=6)
        assert plane.time_ms == pytest.approx(50.0 * index)


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    path = video(tmp_path / "case.avi").rename(tmp_path / "case.bin")
    assert len(open_study(path)) == 20


@pytest.mark.parametrize("name", ["case.avi", "case.mp4"])
def test_one_that_ends_early(name: str, tmp_path: Path) -> None:
    path = video(tmp_path / name, frames=12)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableImage):
        list(open_study(path).planes())


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "case.mp4"
    path.write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
    with pytest.raises(UnreadableImage, match="not an image of a known kind"):
        open_study(path)


def test_inside_dicom(tmp_path: Path) -> None:
    stream = video(tmp_path / "inside.mp4", frames=6).read_bytes()
    path = tmp_path / "case.dcm"
    path.write_bytes(
        dicom(
            [stream + b"\0" * (len(stream) % 2)], shape=(48, 64, 3), syntax="1.2.840.10008.1.2.4.102",
            sop="77.1.1.1", modality="ES", NumberOfFrames=6, PhotometricInterpretation="YBR_PARTIAL_420",
        )
    )  # fmt: skip
    study = open_study(path)
    assert (study.modality, study.form, study.shape) == ("es", "frames", (6, 48, 64))
    assert study.plane(4).pixels.mean() == pytest.approx(60, abs=6)
    assert study.files == (path,)
