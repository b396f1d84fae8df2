"""What one file became: bytes to write, a name that tells nothing, what was done, and how to check what is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class CleanFile:
    """A de-identified file, not yet written.

    Attributes:
        kind: "dicom", "nifti" or a raster kind such as "png".
        content: the bytes to write.
        place: where below the folder of the output, of pseudonyms alone, parted by "/".
        actions: what was done -> how often.
        attributes: (attribute or field, what was done) -> how often.
        masked: whether pixels were blanked.
        notes: codes of `wording.NOTES`.
        check: reads the written bytes and raises `Refused` where they tell who the patient is.
    """

    kind: str
    content: bytes
    place: str
    check: Callable[[bytes], None]
    actions: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    masked: bool = False
    notes: tuple[str, ...] = ()
