"""What a compressed frame says of itself: its size, and how much work it would make, before anything decodes it."""

from __future__ import annotations

from pydicom import uid

JPEG_FAMILY = (*uid.JPEGTransferSyntaxes, *uid.JPEGLSTransferSyntaxes)
"""Transfer syntaxes whose frames begin with a JPEG or JPEG-LS header."""

JPEG_2000_FAMILY = (*uid.JPEG2000TransferSyntaxes, uid.HTJ2K, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL)
"""Transfer syntaxes whose frames begin with a JPEG 2000 header."""


def jpeg_size(frame: bytes) -> tuple[int, int]:
    """Width and height in the frame header (ITU-T T.81 B.2.2; JPEG-LS uses the same layout, T.87 C.2.2).

    Raises:
        ValueError: there is no frame header.
    """
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            return int.from_bytes(frame[at + 7 : at + 9], "big"), int.from_bytes(frame[at + 5 : at + 7], "big")
        else:
            at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    raise ValueError("no frame header in the JPEG data")


def jpeg_2000_size(frame: bytes) -> tuple[int, int]:
    """Width and height in the SIZ marker segment (ITU-T T.800 A.5.1).

    Raises:
        ValueError: there is no codestream.
    """
    at = frame.find(b"\xff\x4f\xff\x51")
    if at < 0 or len(frame) < at + 24:
        raise ValueError("no codestream in the JPEG 2000 data")
    right, bottom, left, top = (int.from_bytes(frame[at + 8 + 4 * i : at + 12 + 4 * i], "big") for i in range(4))
    return right - left, bottom - top


def jpeg_2000_components(frame: bytes) -> int:
    """How many components the SIZ marker segment names (ITU-T T.800 A.5.1); a decoder reserves memory for each."""
    at = frame.find(b"\xff\x4f\xff\x51")
    return int.from_bytes(frame[at + 40 : at + 42], "big")


def scans(frame: bytes) -> int:
    """How many scans JPEG data hold at most; a few bytes of each make a decoder go over the whole picture again."""
    return frame.count(b"\xff\xda")
