"""Videos become a study of frames, decoded by OpenCV one at a time."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from consilium.errors import UnreadableImage
from consilium.imaging.study import COPY_AGAIN, MAX_PLANES, Plane, Provenance, Study, check_plane_size, check_planes

if TYPE_CHECKING:
    from consilium.imaging.dicom_file import DicomFile

_COPY_STEP = 1 << 20


class VideoPlanes:
    """Frames of a video; forward is quick, backward begins again at the start."""

    def __init__(self, path: Path, step_ms: float, held: Any = None) -> None:
        self._path = path
        self._step_ms = step_ms
        self._held = held  # a temporary file lives as long as this does
        self._capture: Any = None
        self._next = 0

    def plane(self, index: int) -> Plane:
        """Decodes frame `index`."""
        import cv2

        if self._capture is None or index < self._next:
            self._capture, self._next = _capture(self._path), 0
        while self._next < index:
            if not self._capture.grab():
                raise EOFError(f"it ends before frame {index}")
            self._next += 1
        there, picture = self._capture.read()
        if not there:
            raise EOFError(f"frame {index} cannot be decoded")
        self._next += 1
        pixels = np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        return Plane(index=index, pixels=pixels, time_ms=index * self._step_ms)


def looks_like_video(head: bytes) -> bool:
    """Whether a file begins like MP4, MOV, AVI, Matroska/WebM or MPEG."""
    return (
        head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide")
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        or head[:4] in (b"\x1aE\xdf\xa3", b"\0\0\x01\xba", b"\0\0\x01\xb3")
    )


def study_of_video(path: Path, *, named: str | None) -> Study:
    """The study in a video file.

    Args:
        path: the file.
        named: the modality, which these files do not say.

    Raises:
        UnreadableImage: no frame of it can be decoded.
        ImageOutOfBounds: its frames or their number are beyond what is read.
    """
    return _study(path, path, named, Provenance(reader="video"), None)


def study_of_dicom_video(file: DicomFile, *, modality_id: str | None, provenance: Provenance) -> Study:
    """The study in a DICOM file that wraps an MPEG stream (PS3.5 8.2.5 to 8.2.8).

    The stream is copied to a temporary file, which decoders need and which goes when the study goes.
    """
    # No context manager: the file lives as long as the study does.
    held = tempfile.NamedTemporaryFile(suffix=".mp4")  # noqa: SIM115
    with file.path.open("rb") as stream:
        for offset, length in file.fragments():
            stream.seek(offset)
            while length > 0 and (piece := stream.read(min(length, _COPY_STEP))):
                held.write(piece)
                length -= len(piece)
    held.flush()
    return _study(Path(held.name), file.path, modality_id, provenance, held)


def _study(playing: Path, path: Path, named: str | None, provenance: Provenance, held: Any) -> Study:
    import cv2

    capture = _capture(playing)
    try:
        width, height = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        rate, frames = float(capture.get(cv2.CAP_PROP_FPS)), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        check_plane_size(width, height, path)
        if frames < 1:
            # Streams without an index do not say how many frames they have.
            while frames <= MAX_PLANES and capture.grab():
                frames += 1
    finally:
        capture.release()
    check_planes(frames, path)
    step_ms = 1000.0 / rate if 0.01 < rate < 10_000 else 0.0
    study = Study(
        modality=named,
        files=(path,),
        form="frames" if frames > 1 else "plane",
        shape=(frames, height, width),
        channels=3,
        provenance=provenance,
        source=VideoPlanes(playing, step_ms, held),
        frame_times_ms=tuple(index * step_ms for index in range(frames)) if step_ms else (),
    )
    study.plane(0)
    return study


def _capture(path: Path) -> Any:
    import cv2

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise UnreadableImage("the video cannot be opened", where=str(path), way_out=COPY_AGAIN)
    return capture
