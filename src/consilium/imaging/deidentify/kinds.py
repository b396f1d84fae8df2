"""Which kinds of DICOM objects the rules cover, in which pixels text is usual, and from which a face can be drawn."""

from __future__ import annotations

import re
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import UID

from consilium.imaging.deidentify.refusal import Reason, refused

_NOT_YET_IN_PYDICOM = {"1.2.840.10008.5.1.4.1.1.66.7": "LabelMapSegmentationStorage"}

_REASONS: tuple[tuple[str, Reason], ...] = (
    ("MediaStorageDirectory", Reason.DIRECTORY),
    ("Encapsulated", Reason.ENCAPSULATED_DOCUMENT),
    (
        "SRStorage|TextSR|StructuredReport|ProcedureLog|KeyObjectSelection|EnhancedSR|RadiationDoseSR",
        Reason.STRUCTURED_REPORT,
    ),
    ("Waveform|ECG|Audio|Electro|Polysomn|Respiratory|BodyPosition|Electromyogram|Hemodynamic", Reason.WAVEFORM),
    (
        "Presentation(?:State)?Storage|PresentationState|Palette|HangingProtocol|Display|Curve|Overlay",
        Reason.PRESENTATION,
    ),
)
"""Parts of the keyword of a SOP class, and why such an object is not handed on."""

_OTHER_ADMITTED = frozenset(
    {
        "SegmentationStorage",
        "LabelMapSegmentationStorage",
        "ParametricMapStorage",
        "RTDoseStorage",
        "RTPlanStorage",
        "RTIonPlanStorage",
        "RTStructureSetStorage",
        "MicroscopyBulkSimpleAnnotationsStorage",
    }
)
_NO_PICTURE = frozenset({"SegmentationStorage", "LabelMapSegmentationStorage", "ParametricMapStorage", "RTDoseStorage"})
_TEXT_IS_USUAL = re.compile(r"Ultrasound|SecondaryCapture|Endoscopic|Radiofluoroscopic|Video|Hardcopy|Print")
_USUAL_MODALITIES = frozenset({"US", "IVUS", "SC", "OT", "DOC", "RF", "DG", "HC", "FS"})
_CAPTURED = frozenset({"DV", "DF", "SD", "SI", "DRW", "WSD", "SYN"})
"""Conversion types (0008,0064) of pictures that were taken off a screen, a film or paper."""
_SCREEN_WORDS = ("SCREEN", "REPORT", "SAVE", "CAPTURE", "DOSE INFO", "PROTOCOL")
_HEAD = re.compile(
    r"HEAD|BRAIN|SKULL|FACE|ORBIT|SINUS|NECK|JAW|MAXILL|MANDIB|IAC|CRANI|CEREB|WHOLE ?BODY|头|颅|脑|面|颈"
)
_VOLUMES = frozenset({"CT", "MR", "PT"})


def admit(sop_class: str) -> str:
    """The keyword of a kind of object that the rules cover.

    Args:
        sop_class: its UID.

    Raises:
        Refused: the rules do not cover such an object, or the file does not say what it is.
    """
    if not sop_class:
        raise refused(Reason.NO_OBJECT_KIND)
    keyword = _NOT_YET_IN_PYDICOM.get(sop_class) or str(UID(sop_class).keyword)
    for pattern, reason in _REASONS:
        if re.search(pattern, keyword) and "ImageStorage" not in keyword:
            raise refused(reason)
    if keyword in _OTHER_ADMITTED or ("ImageStorage" in keyword and "Print" not in keyword):
        return keyword
    raise refused(Reason.OBJECT_NOT_COVERED)


def is_picture(keyword: str) -> bool:
    """Whether the pixels show something; those of masks, maps and doses are numbers."""
    return keyword not in _NO_PICTURE


def text_is_usual(keyword: str, data: Dataset) -> bool:
    """Whether identifying text is often burnt into pictures of this kind."""
    if not is_picture(keyword):
        return False
    image_type = " ".join(_texts(data, "ImageType")).upper()
    return (
        _TEXT_IS_USUAL.search(keyword) is not None
        or not _USUAL_MODALITIES.isdisjoint(text.upper() for text in _texts(data, "Modality"))
        or not _CAPTURED.isdisjoint(text.upper() for text in _texts(data, "ConversionType"))
        or any(word in image_type for word in _SCREEN_WORDS)
    )


def shows_slide_label(data: Dataset) -> bool:
    """Whether a picture of a slide shows its label (PS3.3, C.8.12.4.1.1 and C.8.12.8)."""
    image_type = {text.upper() for text in _texts(data, "ImageType")}
    says_so = any(text.upper() == "YES" for text in _texts(data, "SpecimenLabelInImage"))
    return says_so or not image_type.isdisjoint({"LABEL", "OVERVIEW"})


def says_burnt_in(data: Dataset) -> bool:
    """Whether the file says that identifying text is in its pixels (0028,0301)."""
    return any(text.upper() == "YES" for text in _texts(data, "BurnedInAnnotation"))


def face_can_be_drawn(keyword: str, data: Dataset) -> bool:
    """Whether the pixels are a photograph, or a scan of a head from which a face can be drawn."""
    if "Photographic" in keyword or any(text.upper() == "YES" for text in _texts(data, "RecognizableVisualFeatures")):
        return True
    if not is_picture(keyword) or _VOLUMES.isdisjoint(text.upper() for text in _texts(data, "Modality")):
        return False
    told = (
        "BodyPartExamined",
        "StudyDescription",
        "SeriesDescription",
        "ProtocolName",
        "RequestedProcedureDescription",
    )
    words = " ".join(text for name in told for text in _texts(data, name)).upper()
    regions = data.get("AnatomicRegionSequence") or []
    words += " ".join(text.upper() for item in regions for text in _texts(item, "CodeMeaning"))
    return _HEAD.search(words) is not None


def body_part_is_told(data: Dataset) -> bool:
    """Whether the file says which part of the body it shows."""
    return any(_texts(data, "BodyPartExamined")) or bool(data.get("AnatomicRegionSequence"))


def _texts(data: Dataset, keyword: str) -> list[str]:
    try:
        value: Any = data.get(keyword)
    except Exception:
        # A value that cannot be read says nothing; the element itself is not kept either.
        return []
    if value is None:
        return []
    values = value if isinstance(value, (MultiValue, list, tuple)) else [value]
    return [str(one).strip() for one in values]
