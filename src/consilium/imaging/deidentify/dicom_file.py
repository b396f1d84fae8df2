"""One DICOM file: read, cleaned by the rules, its pixels looked at, written anew, searched for what should be gone."""

from __future__ import annotations

import io
import zlib
from functools import partial

import pydicom
from pydicom import uid
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence

from consilium import __version__
from consilium.imaging.deidentify import kinds, pixels
from consilium.imaging.deidentify.clean import Cleaning, cleaned
from consilium.imaging.deidentify.clean_file import CleanFile
from consilium.imaging.deidentify.identity import Identity, identity_of
from consilium.imaging.deidentify.policy import BASIC_CODE, CLEAN_PIXELS_CODE, OPTIONS, Policy, Retain
from consilium.imaging.deidentify.pseudonyms import Pseudonyms
from consilium.imaging.deidentify.refusal import Reason, refused
from consilium.imaging.deidentify.rules import confidentiality_table
from consilium.imaging.grey import MAX_FILE_BYTES

IMPLEMENTATION_UID = "2.25.143717890136993834287004343183585606977"
"""Says which program wrote a file (PS3.10, section 7.1); made of a UUID."""

_INFLATE_STEP = 1 << 22
_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def clean_dicom(content: bytes, policy: Policy, pseudonyms: Pseudonyms) -> CleanFile:
    """De-identifies a DICOM file.

    Args:
        content: the whole file.
        policy: what is kept, and what is done about pixels.
        pseudonyms: made with the site's key.

    Raises:
        Refused: it is not handed on, and why.
        Exception: whatever pydicom raises on a damaged file; `deidentify` puts it into words.
    """
    data = _read(content)
    sop_class = str(data.get("SOPClassUID") or data.file_meta.get("MediaStorageSOPClassUID") or "")
    keyword = kinds.admit(sop_class)
    notes = _looked_at_kind(keyword, data, policy)
    masked = _pixels_made_fit(keyword, data, policy)
    identity_name = _patient_identity(data)
    patient = pseudonyms.patient(identity_name)
    how = Cleaning(
        policy=policy,
        pseudonyms=pseudonyms,
        patient=patient,
        patient_id=_text(data, "PatientID"),
        identity=identity_of(data, policy, days=patient.days),
        sop_class=sop_class,
    )
    result = cleaned(data, how)
    _complete(result, data, how, masked=masked, sop_class=sop_class, face="face" in notes)
    written = _write(result, data)
    series = str(result.get("SeriesInstanceUID") or "").removeprefix("2.25.") or "series"
    return CleanFile(
        kind="dicom",
        content=written,
        place=f"{patient.pseudonym}/{series}/{str(result.SOPInstanceUID).removeprefix('2.25.')}.dcm",
        actions=how.tally.by_action,
        attributes=how.tally.by_attribute,
        masked=masked,
        notes=notes,
        check=partial(check_written, identity=how.identity, source=data),
    )


def _read(content: bytes) -> FileDataset:
    _refuse_inflated_bomb(content)
    data = pydicom.dcmread(io.BytesIO(content), force=True)
    if not len(data):
        raise refused(Reason.DAMAGED)
    if data.file_meta.get("TransferSyntaxUID") is None:
        implicit, little = data.original_encoding
        syntax = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
        data.file_meta.TransferSyntaxUID = syntax if little else uid.ExplicitVRBigEndian
    if data.file_meta.TransferSyntaxUID not in uid.AllTransferSyntaxes:
        raise refused(Reason.NOT_DECODABLE)
    return data


def _refuse_inflated_bomb(content: bytes) -> None:
    """Measures a deflated data set piece by piece, because pydicom inflates it whole."""
    # The file meta information is a group whose length is its first element (PS3.10, section 7.1).
    length = min(int.from_bytes(content[140:144], "little"), 1 << 16)
    if uid.DeflatedExplicitVRLittleEndian.encode("ascii") not in content[144 : 144 + length]:
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated, waiting = 0, content[144 + length :]
    while waiting and not inflater.eof:
        piece = inflater.decompress(waiting, _INFLATE_STEP)
        inflated += len(piece)
        if inflated > MAX_FILE_BYTES:
            raise refused(Reason.TOO_LARGE)
        if not piece and inflater.unconsumed_tail == waiting:
            return
        waiting = inflater.unconsumed_tail


def _looked_at_kind(keyword: str, data: FileDataset, policy: Policy) -> tuple[str, ...]:
    """Notes on what a file shows; refuses a slide's label and, where asked to, a face."""
    if kinds.shows_slide_label(data) and not policy.masks:
        raise refused(Reason.SLIDE_LABEL)
    notes = []
    if kinds.face_can_be_drawn(keyword, data):
        if policy.faces == "refuse":
            raise refused(Reason.FACE)
        notes.append("face")
    elif keyword.startswith(("CT", "MR", "EnhancedCT", "EnhancedMR", "Positron")) and not kinds.body_part_is_told(data):
        notes.append("body_part_unknown")
    return tuple(notes)


def _pixels_made_fit(keyword: str, data: FileDataset, policy: Policy) -> bool:
    """Masks what is to be masked and looks for writing; whether pixels were blanked."""
    if not pixels.has_pixels(data):
        if policy.masks:
            raise refused(Reason.MASK_NOT_POSSIBLE)
        return False
    pixels.check_pixels(data)
    regions = pixels.ultrasound_regions(data) if "Ultrasound" in keyword else ()
    masked = bool(policy.masks or regions)
    if not masked and kinds.says_burnt_in(data):
        raise refused(Reason.SAYS_BURNT_IN)
    if not masked and not policy.reviewed and kinds.text_is_usual(keyword, data):
        raise refused(Reason.OFTEN_BURNT_IN)
    if masked:
        pixels.blanked(data, masks=policy.masks, kept=regions)
    pixels.tidied(data)
    if not policy.reviewed and kinds.is_picture(keyword) and pixels.seems_written_on(data):
        raise refused(Reason.TEXT_SUSPECTED)
    return masked


def _patient_identity(data: Dataset) -> str:
    """What tells patients apart: the number, else name and birth, else the study, so that no two are one."""
    number = _text(data, "PatientID")
    if number:
        return number
    name = _text(data, "PatientName")
    if name:
        return f"{name}\0{_text(data, 'PatientBirthDate')}"
    return _text(data, "StudyInstanceUID") or _text(data, "SOPInstanceUID")


def _text(data: Dataset, keyword: str) -> str:
    try:
        return str(data.get(keyword) or "").strip(" \0")
    except Exception:
        # A value that cannot be read tells nobody apart.
        return ""


def _complete(result: Dataset, data: FileDataset, how: Cleaning, *, masked: bool, sop_class: str, face: bool) -> None:
    """Sets what the profile asks to be said of itself (PS3.15, E.1.1; PS3.3, C.12.1.1.1 and C.7.1.1)."""
    policy = how.policy
    result.SOPClassUID = sop_class
    if not result.get("SOPInstanceUID"):
        result.SOPInstanceUID = how.pseudonyms.uid(
            _text(data, "SOPInstanceUID") or how.pseudonyms.file(_pixels_of(data))
        )
    result.PatientName = result.PatientID = how.patient.pseudonym
    result.PatientIdentityRemoved = "YES"
    codes = [BASIC_CODE, *((OPTIONS[one].code, OPTIONS[one].meaning) for one in Retain if one in policy.retain)]
    if masked:
        codes.append(CLEAN_PIXELS_CODE)
    result.DeidentificationMethod = [
        f"Consilium {__version__}",
        f"PS3.15 {confidentiality_table().edition} Annex E basic profile, unlisted text removed",
    ]
    result.DeidentificationMethodCodeSequence = Sequence([_code(*code) for code in codes])
    result.LongitudinalTemporalInformationModified = "MODIFIED" if Retain.DATES in policy.retain else "REMOVED"
    if masked or (policy.reviewed and pixels.has_pixels(data)):
        result.BurnedInAnnotation = "NO"
    if face:
        result.RecognizableVisualFeatures = "YES"
    result.SpecificCharacterSet = "ISO_IR 192"


def _pixels_of(data: Dataset) -> bytes:
    for keyword in _PIXEL_KEYWORDS:
        if keyword in data:
            return bytes(data[keyword].value or b"")
    return b""


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _write(result: Dataset, data: FileDataset) -> bytes:
    """The file of a cleaned data set: an empty preamble, its meta information made anew.

    What was deflated is written explicit and plain, because nothing could be searched for in deflated bytes.
    """
    syntax = uid.UID(data.file_meta.TransferSyntaxUID)
    if syntax == uid.DeflatedExplicitVRLittleEndian:
        syntax = uid.UID(uid.ExplicitVRLittleEndian)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = result.SOPClassUID
    meta.MediaStorageSOPInstanceUID = result.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = uid.UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = "CONSILIUM"
    for keyword in _PIXEL_KEYWORDS:
        if keyword in result and keyword in data:
            result[keyword].is_undefined_length = data[keyword].is_undefined_length and syntax.is_encapsulated
    file = FileDataset("", result, file_meta=meta, preamble=b"\0" * 128)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, file, enforce_file_format=True)
    return buffer.getvalue()


def check_written(content: bytes, identity: Identity, source: Dataset | None = None) -> None:
    """Reads what is to be written and searches every byte but uncompressed pixels for what tells who the patient is.

    Args:
        content: a whole DICOM file.
        identity: what must not be in it.
        source: the data set that it was made of; the pixels have to be the same.

    Raises:
        Refused: something is still there, or the file does not read back as it should.
    """
    read = pydicom.dcmread(io.BytesIO(content))
    if read.get("PatientIdentityRemoved") != "YES" or read.SOPInstanceUID != read.file_meta.MediaStorageSOPInstanceUID:
        raise refused(Reason.STILL_IDENTIFYING)
    if content[:128].strip(b"\0") or any(element.tag.is_private for element in read):
        raise refused(Reason.STILL_IDENTIFYING)
    start, pixel_bytes = len(content), b""
    for keyword in _PIXEL_KEYWORDS:
        if keyword in read:
            item = read.get_item(keyword)
            start = min(start, int(getattr(item, "value_tell", None) or getattr(item, "file_tell", None) or 0))
            pixel_bytes = bytes(read[keyword].value or b"")
            if source is not None and keyword in source and pixel_bytes != bytes(source[keyword].value or b""):
                raise refused(Reason.DAMAGED)
    end = start + len(pixel_bytes)
    if identity.in_bytes(content[:start]) or identity.in_bytes(content[end:]):
        raise refused(Reason.STILL_IDENTIFYING)
    if read.file_meta.TransferSyntaxUID.is_encapsulated and identity.in_bytes(pixel_bytes, long_only=True):
        raise refused(Reason.STILL_IDENTIFYING)
