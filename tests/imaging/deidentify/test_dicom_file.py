"""Whatever a made-up patient is called, and wherever it stands, it is not in what is written."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from datetime import date

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import uid
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from consilium.imaging.deidentify.clean_file import CleanFile
from consilium.imaging.deidentify.dicom_file import check_written, clean_dicom
from consilium.imaging.deidentify.identity import Identity
from consilium.imaging.deidentify.policy import Policy, Retain
from consilium.imaging.deidentify.pseudonyms import Pseudonyms
from consilium.imaging.deidentify.refusal import Reason, Refused

# pydicom warns about oddities of the made-up files; `clean_file` silences it, and these tests call what lies below.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

Builder = Callable[..., bytes]
ALL = Policy(retain=frozenset(Retain))
POLICIES = {"basic": Policy(), "everything that may be kept": ALL}


def read(clean: CleanFile) -> pydicom.FileDataset:
    return pydicom.dcmread(io.BytesIO(clean.content))


def refusal(content: bytes, policy: Policy, pseudonyms: Pseudonyms) -> Reason:
    with pytest.raises(Refused) as caught:
        clean_dicom(content, policy, pseudonyms)
    return caught.value.reason


# Names


TEXTS = {"LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE", "PN"}
EVERY_TEXT = sorted(tag for tag, entry in DicomDictionary.items() if entry[0] in TEXTS and tag >> 16 not in (0, 2, 4))
SECRET = "Zyxquil"
"""A name that stands nowhere but in the place that is tested, so that no search can find it by the patient's."""


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_no_text_of_the_dictionary_lets_a_strange_name_through(
    policy: Policy, make_file: Builder, pseudonyms: Pseudonyms
) -> None:
    from consilium.imaging.deidentify.rules import rule_of
    from consilium.imaging.deidentify.unlisted import TECHNICAL

    def everywhere(data: Dataset) -> None:
        for tag in EVERY_TEXT:
            vr = DicomDictionary[tag][0]
            if keyword_for_tag(tag) not in TECHNICAL:
                value = f"{SECRET}^{SECRET}" if vr == "PN" else SECRET
                data.add(DataElement(tag, vr, value))

    clean = clean_dicom(make_file(change=everywhere), policy, pseudonyms)
    # The options keep what a device is called and what a patient is like: that is what they are for.
    kept = [element.keyword for element in read(clean) if SECRET.casefold() in str(element.value).casefold()]
    allowed = [
        keyword for keyword in kept
        if policy is ALL and (rule := rule_of(pydicom.datadict.tag_for_keyword(keyword) or 0))
        and {"retain_device_identity", "retain_patient_characteristics"} & set(rule.options)
    ]  # fmt: skip
    assert kept == allowed
    if policy is not ALL:
        assert SECRET.encode() not in clean.content


NAMES = st.sampled_from(
    [
        "Quixwell^Ottoline",
        "Brünnhilde^Göğüş",
        "王小明",
        "Wang^XiaoMing=王^小明",
        "Ямада^Таро",
        "山田^太郎",
        "김^희중",
        "Δημήτρης^Αθ",
    ]
)
CHARSETS = {
    "Quixwell^Ottoline": ["ISO_IR 100", "ISO_IR 192", "GB18030"],
    "Brünnhilde^Göğüş": ["ISO_IR 192", "ISO_IR 148", "GB18030"],
    "王小明": ["GB18030", "ISO_IR 192"],
    "Wang^XiaoMing=王^小明": ["GB18030", "GBK", "ISO_IR 192"],
    "Ямада^Таро": ["ISO_IR 144", "ISO_IR 192", "GB18030"],
    "山田^太郎": ["GB18030", "ISO_IR 192", "\\ISO 2022 IR 87"],
    "김^희중": ["ISO_IR 192", "GB18030", "\\ISO 2022 IR 149"],
    "Δημήτρης^Αθ": ["ISO_IR 126", "ISO_IR 192", "GB18030"],
}
PLACES = [
    "nested",
    "private",
    "private nested",
    "unknown tag",
    "wrong vr",
    "bytes",
    "code meaning",
    "machine",
    "comment",
    "overlay",
]


def put(data: Dataset, place: str, name: str) -> None:
    item = Dataset()
    if place == "nested":
        item.PatientName, item.PatientComments = name, f"seen with {name}"
        outer = Dataset()
        outer.ReferencedPatientSequence = Sequence([item])
        data.ReferencedStudySequence = Sequence([outer])
        data.RequestAttributesSequence = Sequence([outer])
    elif place == "private":
        data.private_block(0x0009, "ACME 1.1", create=True).add_new(0x01, "LO", name)
    elif place == "private nested":
        item.add_new(0x00100010, "PN", name)
        data.private_block(0x0029, name[:60], create=True).add_new(0x10, "SQ", Sequence([item]))
    elif place == "unknown tag":
        data.add_new(0x0018FFF2, "LO", name)
        data.add_new(0x7777FFF2 & 0xFFFEFFFF, "UT", name)
    elif place == "wrong vr":
        data.add_new(0x00280010 + 0x100000 * 0, "US", 64)
        data.add_new(0x00180050, "LO", name)
        data.add_new(0x00200032, "SH", name)
    elif place == "bytes":
        data.add_new(0x00281201, "OW", name.encode("utf-8") * 2)
        data.add_new(0x00420011, "OB", name.encode("utf-8") * 2)
        data.add_new(0x00189098 + 2, "UN", name.encode("utf-8"))
    elif place == "code meaning":
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "T-1", "SCT", name
        data.AnatomicRegionSequence = Sequence([item])
    elif place == "machine":
        data.Manufacturer, data.ManufacturerModelName = f"made for {name.replace('=', ' ')}"[:60], "M"
        data.SoftwareVersions = name.split("=")[-1]
    elif place == "comment":
        data.ImageComments, data.StudyDescription, data.PatientComments = name, f"Chest {name}", name
    elif place == "overlay":
        data.add_new(0x60000010, "US", 8)
        data.add_new(0x60000022, "LO", name)
        data.add_new(0x60003000, "OW", name.encode("utf-8") * 2)
        data.add_new(0x50003000, "OW", name.encode("utf-8") * 2)


def spellings(name: str) -> set[bytes]:
    parts = {*name.replace("=", "^").split("^"), name}
    found = set()
    for part in parts:
        for encoding in (
            "utf-8",
            "gb18030",
            "latin-1",
            "iso8859-5",
            "iso8859-7",
            "iso8859-9",
            "shift_jis",
            "euc_kr",
            "utf-16-le",
        ):
            try:
                encoded = part.encode(encoding)
            except UnicodeEncodeError:
                continue
            if len(encoded) >= 4:
                found.add(encoded)
    return found


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=NAMES, places=st.lists(st.sampled_from(PLACES), min_size=1, max_size=4, unique=True))
def test_no_name_survives_in_any_place_and_character_set(
    data: st.DataObject, name: str, places: list[str], make_file: Builder, pseudonyms: Pseudonyms
) -> None:
    charset = data.draw(st.sampled_from(CHARSETS[name])).split("\\")
    policy = data.draw(st.sampled_from(sorted(POLICIES)))
    syntax = data.draw(st.sampled_from([uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian]))

    def change(dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = charset if len(charset) > 1 else charset[0]
        dataset.PatientName = name
        for place in places:
            put(dataset, place, name)

    with warnings.catch_warnings():
        # Hypothesis runs outside of the marks of pytest.
        warnings.simplefilter("ignore")
        clean = clean_dicom(make_file(change=change, syntax=syntax), POLICIES[policy], pseudonyms)
    header = clean.content[: clean.content.rfind(b"\xe0\x7f\x10\x00")]
    folded = header.lower()
    for spelling in spellings(name):
        assert spelling.lower() not in folded, (places, spelling)
    clean.check(clean.content)


def test_names_of_others_places_numbers_and_dates_are_gone(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    for policy in POLICIES.values():
        clean = clean_dicom(make_file(), policy, pseudonyms)
        told = [
            b"Quixwell",
            b"Ottoline",
            b"Blatherwick",
            b"Wexborough",
            b"HOSP-0815",
            b"ACC-55512",
            b"20031119",
            b"19310417",
        ]
        told += [b"1.2.826.0.1.4711"] + ([b"CTWEX03", b"SN-99817"] if policy is not ALL else [])
        assert [word for word in told if word in clean.content] == []


def test_a_text_that_repeats_the_patients_name_goes_even_where_machines_write(
    make_file: Builder, pseudonyms: Pseudonyms
) -> None:
    clean = read(
        clean_dicom(make_file(Manufacturer="Quixwell Imaging", ManufacturerModelName="Acme 9"), Policy(), pseudonyms)
    )
    assert "Manufacturer" not in clean
    assert clean.ManufacturerModelName == "Acme 9"


def test_a_body_part_that_is_also_a_name_stays_and_a_description_does_not(
    make_file: Builder, pseudonyms: Pseudonyms
) -> None:
    content = make_file(
        PatientName="Hand^Foot", BodyPartExamined="HAND", SeriesDescription="Hand axial", StudyDescription="Foot"
    )
    clean = read(clean_dicom(content, ALL, pseudonyms))
    assert clean.BodyPartExamined == "HAND"
    assert "SeriesDescription" not in clean and not clean.get("StudyDescription")


def test_a_file_that_still_tells_is_not_passed(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    clean = clean_dicom(make_file(), Policy(), pseudonyms)
    check_written(clean.content, Identity(words=frozenset({"quixwell"})))
    for told in (
        {"words": frozenset({"acme"})},
        {"uids": frozenset({"1.2.840.10008.1.2.1"})},
        {"raw": frozenset({b"CHEST"})},
    ):
        with pytest.raises(Refused):
            check_written(clean.content, Identity(**told))
    with pytest.raises(Refused):
        check_written(b"Q" + clean.content[1:], Identity())


# What is said and what stays together


def test_the_flags_say_what_was_done(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    clean = read(clean_dicom(make_file(), Policy(), pseudonyms))
    assert clean.PatientIdentityRemoved == "YES"
    assert clean.LongitudinalTemporalInformationModified == "REMOVED"
    assert [item.CodeValue for item in clean.DeidentificationMethodCodeSequence] == ["113100"]
    assert "Consilium" in clean.DeidentificationMethod[0]
    assert clean.file_meta.MediaStorageSOPInstanceUID == clean.SOPInstanceUID != "1.2.826.0.1.4711.3"
    assert clean.StudyDate == "" and clean.PatientBirthDate == "" and "PatientAge" not in clean

    kept = read(clean_dicom(make_file(PatientAge="093Y"), ALL, pseudonyms))
    assert kept.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = {item.CodeValue for item in kept.DeidentificationMethodCodeSequence}
    assert codes == {"113100", "113105", "113107", "113108", "113109"}
    assert (kept.PatientAge, kept.PatientSex, kept.StationName, kept.DeviceSerialNumber) == (
        "090Y",
        "F",
        "CTWEX03",
        "SN-99817",
    )
    assert kept.SeriesDescription == "Chest axial 5mm"


def test_moved_dates_keep_their_intervals_and_times(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    policy = Policy(retain=frozenset({Retain.DATES}))
    clean = read(clean_dicom(make_file(AcquisitionDateTime="20031121101500.5+0800"), policy, pseudonyms))
    study, acquired = (date.fromisoformat(str(one)) for one in (clean.StudyDate, clean.AcquisitionDate))
    assert (acquired - study).days == 2
    assert (date(2003, 11, 19) - study).days == pseudonyms.patient("HOSP-0815-77").days
    assert clean.StudyTime == "101530"
    assert str(clean.AcquisitionDateTime) == f"{clean.AcquisitionDate}101500.5"
    assert clean.PatientBirthDate == ""


def test_files_of_a_study_stay_together_across_runs(
    make_file: Builder, pseudonyms: Pseudonyms, other_pseudonyms: Pseudonyms
) -> None:
    def refer(data: Dataset) -> None:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = uid.CTImageStorage, "1.2.826.0.1.4711.3"
        data.SourceImageSequence = Sequence([item])

    first = clean_dicom(make_file(), Policy(), pseudonyms)
    second = clean_dicom(make_file(SOPInstanceUID="1.2.826.0.1.4711.9", change=refer), Policy(), pseudonyms)
    one, two = read(first), read(second)
    assert first.place.split("/")[:2] == second.place.split("/")[:2]
    assert one.StudyInstanceUID == two.StudyInstanceUID and one.SeriesInstanceUID == two.SeriesInstanceUID
    assert one.PatientID == two.PatientID == one.PatientName and one.AccessionNumber == two.AccessionNumber
    assert two.SourceImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert clean_dicom(make_file(), Policy(), pseudonyms).content == first.content
    assert read(clean_dicom(make_file(), Policy(), other_pseudonyms)).PatientID != one.PatientID


def test_a_patient_without_a_number_is_told_apart_by_name_and_birth(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    first, second, third = (
        clean_dicom(
            make_file(PatientID="", PatientName=name, PatientBirthDate=birth), Policy(), pseudonyms
        ).place.split("/")[0]
        for name, birth in (("A^Bo", "19500101"), ("A^Bo", "19500102"), ("A^Bo", "19500101"))
    )
    assert first == third != second


def test_path_tricks_in_a_number_stay_out_of_the_place(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    clean = clean_dicom(make_file(PatientID="../../etc/passwd"), Policy(), pseudonyms)
    assert clean.place.replace("/", "").removesuffix(".dcm").isalnum() and ".." not in clean.place


def test_a_code_of_a_hospitals_own_scheme_gets_a_pseudonym(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    def change(data: Dataset) -> None:
        own, public = Dataset(), Dataset()
        own.CodeValue, own.CodingSchemeDesignator, own.CodeMeaning = "77", "99WEXBOROUGH", "Dr. Blatherwick's view"
        public.CodeValue, public.CodingSchemeDesignator, public.CodeMeaning = "51185008", "SCT", "Chest"
        data.ViewCodeSequence, data.AnatomicRegionSequence = Sequence([own]), Sequence([public])

    clean = clean_dicom(make_file(change=change), Policy(), pseudonyms)
    assert b"WEXBOROUGH" not in clean.content
    assert read(clean).AnatomicRegionSequence[0].CodeMeaning == "Chest"
    assert read(clean).ViewCodeSequence[0].CodingSchemeDesignator == "99PSEUDONYM"


# Pixels and what lies beside them


def test_pixels_are_the_same_and_what_lies_beside_them_is_gone(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    picture = np.random.default_rng(1).integers(0, 4000, (64, 48)).astype(np.uint16)

    def hide(data: Dataset) -> None:
        data.BitsStored, data.HighBit = 12, 11
        data.PixelData = (picture | 0x8000).tobytes() + b"Quixwell"

    clean = clean_dicom(make_file(pixels=picture, change=hide, preamble=b"Quixwell" * 16), Policy(), pseudonyms)
    assert read(clean).PixelData == picture.tobytes()
    assert clean.content[:128] == b"\0" * 128


def test_remarks_in_compressed_pixels_are_gone(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    buffer = io.BytesIO()
    Image.fromarray((np.indices((64, 48)).sum(axis=0) * 2).astype(np.uint8)).save(
        buffer, "JPEG", comment=b"Quixwell was here"
    )
    source = buffer.getvalue()

    def compress(data: Dataset) -> None:
        data.BitsAllocated = data.BitsStored = 8
        data.HighBit = 7
        data.PixelData = encapsulate([source])
        data["PixelData"].is_undefined_length = True

    content = make_file(pixels=np.zeros((64, 48), np.uint8), syntax=uid.JPEGBaseline8Bit, change=compress)
    clean = clean_dicom(content, Policy(), pseudonyms)
    assert b"Quixwell" in content and b"Quixwell" not in clean.content
    assert np.array_equal(read(clean).pixel_array, pydicom.dcmread(io.BytesIO(content)).pixel_array)


def test_a_mask_blanks_its_box_and_nothing_else(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    picture = np.full((64, 48, 3), 90, np.uint8)
    content = make_file(pixels=picture, sop_class=uid.SecondaryCaptureImageStorage, BurnedInAnnotation="YES")
    assert refusal(content, Policy(), pseudonyms) is Reason.SAYS_BURNT_IN
    assert refusal(content, Policy(reviewed=True), pseudonyms) is Reason.SAYS_BURNT_IN
    clean = clean_dicom(content, Policy(masks=((10, 4, 30, 9),)), pseudonyms)
    out = read(clean)
    assert not out.pixel_array[4:9, 10:30].any()
    assert (np.delete(out.pixel_array, np.s_[4:9], axis=0) == 90).all() and (out.pixel_array[4:9, 30:] == 90).all()
    assert out.BurnedInAnnotation == "NO" and clean.masked
    assert "113101" in {item.CodeValue for item in out.DeidentificationMethodCodeSequence}
    assert refusal(content, Policy(masks=((10, 4, 30, 99),)), pseudonyms) is Reason.MASK_DOES_NOT_FIT


def test_masked_compressed_pixels_are_written_uncompressed(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((64, 48), 120, np.uint8)).save(buffer, "JPEG")

    def compress(data: Dataset) -> None:
        data.PixelData = encapsulate([buffer.getvalue()])
        data["PixelData"].is_undefined_length = True

    content = make_file(pixels=np.zeros((64, 48), np.uint8), syntax=uid.JPEGBaseline8Bit, change=compress)
    out = read(clean_dicom(content, Policy(masks=((0, 0, 48, 8),)), pseudonyms))
    assert out.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    assert not out.pixel_array[:8].any() and (out.pixel_array[8:] > 100).all()


def test_outside_the_regions_of_an_ultrasound_picture_all_is_blank(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    def regions(data: Dataset) -> None:
        region = Dataset()
        region.RegionLocationMinX0, region.RegionLocationMinY0 = 10, 20
        region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 29, 49
        data.SequenceOfUltrasoundRegions = Sequence([region])

    picture = np.full((3, 64, 48), 77, np.uint8)
    ultrasound = {
        "pixels": picture,
        "sop_class": uid.UltrasoundMultiFrameImageStorage,
        "NumberOfFrames": 3,
        "Modality": "US",
    }
    assert refusal(make_file(**ultrasound), Policy(), pseudonyms) is Reason.OFTEN_BURNT_IN
    out = read(clean_dicom(make_file(**ultrasound, change=regions), Policy(), pseudonyms)).pixel_array
    assert (out[:, 20:50, 10:30] == 77).all()
    assert out.sum() == 3 * 30 * 20 * 77


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"sop_class": uid.BasicTextSRStorage}, Reason.STRUCTURED_REPORT),
        ({"sop_class": uid.EncapsulatedPDFStorage}, Reason.ENCAPSULATED_DOCUMENT),
        ({"sop_class": uid.GrayscaleSoftcopyPresentationStateStorage}, Reason.PRESENTATION),
        ({"sop_class": uid.TwelveLeadECGWaveformStorage}, Reason.WAVEFORM),
        ({"sop_class": uid.MediaStorageDirectoryStorage}, Reason.DIRECTORY),
        ({"sop_class": uid.RawDataStorage}, Reason.OBJECT_NOT_COVERED),
        ({"sop_class": "1.2.826.0.1.99"}, Reason.OBJECT_NOT_COVERED),
        ({"Modality": "RF"}, Reason.OFTEN_BURNT_IN),
        ({"ConversionType": "DF"}, Reason.OFTEN_BURNT_IN),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, Reason.OFTEN_BURNT_IN),
        ({"SpecimenLabelInImage": "YES"}, Reason.SLIDE_LABEL),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]}, Reason.SLIDE_LABEL),
        ({"Rows": 64000, "Columns": 64000}, Reason.TOO_LARGE),
        ({"Rows": 640}, Reason.DAMAGED),
    ],
)  # fmt: skip
def test_what_is_refused(
    attributes: dict[str, object], reason: Reason, make_file: Builder, pseudonyms: Pseudonyms
) -> None:
    assert refusal(make_file(**attributes), Policy(), pseudonyms) is reason


def test_a_head_is_flagged_or_refused(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    content = make_file(BodyPartExamined="HEAD")
    clean = clean_dicom(content, Policy(), pseudonyms)
    assert clean.notes == ("face",) and read(clean).RecognizableVisualFeatures == "YES"
    assert refusal(content, Policy(faces="refuse"), pseudonyms) is Reason.FACE
    assert clean_dicom(make_file(), Policy(faces="refuse"), pseudonyms).notes == ()
    assert clean_dicom(make_file(BodyPartExamined=""), Policy(), pseudonyms).notes == ("body_part_unknown",)


def test_sequences_without_an_end_are_refused(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    def nest(data: Dataset) -> None:
        for _ in range(60):
            inner, data = data, Dataset()
            data = inner
            item = Dataset()
            data.AnatomicRegionSequence = Sequence([item])
            data = item

    assert refusal(make_file(change=nest), Policy(), pseudonyms) is Reason.NESTED_TOO_DEEP


def test_an_overlay_in_the_pixels_is_taken_out_or_the_file_refused(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    picture = np.random.default_rng(2).integers(0, 1000, (64, 48)).astype(np.uint16)

    def overlaid(data: Dataset, high_bit: int = 11) -> None:
        data.BitsStored, data.HighBit = 12, high_bit
        data.PixelData = (picture | 0x4000).tobytes()
        data.add_new(0x60000102, "US", 14)

    clean = read(clean_dicom(make_file(pixels=picture, change=overlaid), Policy(), pseudonyms))
    assert clean.PixelData == picture.tobytes() and 0x60000102 not in clean
    unusual = make_file(pixels=picture, change=lambda data: overlaid(data, 15))
    assert refusal(unusual, Policy(), pseudonyms) is Reason.HIDDEN_BITS


def test_long_runs_of_digits_do_not_take_for_ever(make_file: Builder, pseudonyms: Pseudonyms) -> None:
    def long(data: Dataset) -> None:
        data.add_new(0x00281201, "OW", b"7" * (1 << 18))
        data.ImageComments = "7" * (1 << 17)
        data.add_new(0x00081030, "LO", "axial " * (1 << 14))

    clean = clean_dicom(make_file(change=long), ALL, pseudonyms)
    clean.check(clean.content)
