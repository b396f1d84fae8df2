"""Compressed pictures without what their makers wrote beside the pixels; the pixels themselves are not touched."""

from __future__ import annotations

from collections.abc import Iterator

_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JFIF, _ADOBE, _COMMENT = 0xE0, 0xEE, 0xFE
_APPLICATION = range(0xE0, 0xF0)


def without_jpeg_remarks(stream: bytes, *, keep_exif_orientation: int = 1) -> bytes:
    """A JPEG or JPEG-LS stream without comments, application data and whatever follows its end (ITU-T T.81, annex B).

    Args:
        stream: from SOI on.
        keep_exif_orientation: how the picture is to be turned when shown, 1 to 8 (Exif 2.32, tag 274); other than 1 it
            is written anew, alone.

    Returns:
        The same scans and tables. Of the application data the colour transform (APP14) and a bare JFIF header stay.

    Raises:
        ValueError: this is no JPEG stream.
    """
    if stream[:2] != b"\xff\xd8":
        raise ValueError("no JPEG stream")
    kept = [stream[:2]]
    if keep_exif_orientation != 1:
        kept.append(_orientation_segment(keep_exif_orientation))
    for marker, segment in _segments(stream):
        if marker == _JFIF and segment[4:9] == b"JFIF\0" and len(segment) >= 18:
            # Version, units and densities; the thumbnail behind them goes.
            kept.insert(1, b"\xff\xe0\x00\x10" + segment[4:16] + b"\0\0")
        elif marker == _ADOBE and segment[4:9] == b"Adobe" and len(segment) >= 16:
            kept.append(b"\xff\xee\x00\x0e" + segment[4:16])
        elif marker != _COMMENT and marker not in _APPLICATION:
            kept.append(segment)
    return b"".join(kept)


def _segments(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and bytes of each segment; a scan comes with the entropy-coded data behind its header."""
    at = 2
    while at + 4 <= len(stream):
        if stream[at] != 0xFF:
            raise ValueError("a marker is missing in the JPEG stream")
        marker = stream[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            break
        if marker in _STANDALONE:
            yield marker, stream[at : at + 2]
            at += 2
            continue
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if end > len(stream):
            raise ValueError("the JPEG stream is cut off")
        if marker == 0xDA:
            end = _end_of_scan(stream, end)
        yield marker, stream[at:end]
        at = end
    yield 0xD9, b"\xff\xd9"


def _end_of_scan(stream: bytes, at: int) -> int:
    while True:
        at = stream.find(b"\xff", at)
        if at < 0 or at + 1 >= len(stream):
            return len(stream)
        following = stream[at + 1]
        # JPEG-LS stuffs a bit instead of a byte: after FF comes less than 80 (T.87, annex A.1).
        if following >= 0x80 and following != 0xFF and not 0xD0 <= following <= 0xD7:
            return at
        at += 1


def orientation_alone(orientation: int) -> bytes:
    """Exif data of a TIFF header and the one tag that says how a picture is turned (Exif 2.32, tag 274)."""
    return b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + bytes([0, orientation]) + b"\0\0\0\0\0\0"


def _orientation_segment(orientation: int) -> bytes:
    body = b"Exif\0\0" + orientation_alone(orientation)
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body


def without_jpeg_2000_remarks(stream: bytes) -> bytes:
    """A JPEG 2000 codestream without the comments of its main header (ITU-T T.800, A.9.2).

    Raises:
        ValueError: this is no bare codestream.
    """
    if stream[:4] != b"\xff\x4f\xff\x51":
        raise ValueError("no JPEG 2000 codestream")
    kept, at = [stream[:2]], 2
    while at + 4 <= len(stream):
        marker = stream[at : at + 2]
        if marker == b"\xff\x90":
            break
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if marker[0] != 0xFF or end > len(stream) or end < at + 4:
            raise ValueError("the JPEG 2000 codestream is damaged")
        if marker != b"\xff\x64":
            kept.append(stream[at:end])
        at = end
    last = stream.rfind(b"\xff\xd9")
    return b"".join(kept) + stream[at : last + 2 if last > at else len(stream)]
