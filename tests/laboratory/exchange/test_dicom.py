"""Archives of pictures: a real Orthanc, spoken to in both ways, and archives that answer half."""

from __future__ import annotations

import gc
import io
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sqlalchemy", reason="the laboratory needs sqlalchemy (extra laboratory)")
pytest.importorskip("pynetdicom", reason="the exchange needs pynetdicom (extra exchange)")
pytest.importorskip("highdicom", reason="the exchange needs highdicom (extra exchange)")
pytest.importorskip("dicomweb_client", reason="the exchange needs dicomweb-client (extra exchange)")

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from consilium.errors import ConsiliumError, EngineError, InputError
from consilium.imaging.read import read_image
from consilium.laboratory.exchange.dicom.archive import FoundInstance, Spoken, Wanted, spoken
from consilium.laboratory.exchange.dicom.belongs import check_belongs
from consilium.laboratory.exchange.dicom.fetch import check_uid, fetch, only_study
from consilium.laboratory.exchange.dicom.objects import captures, structured, study_uid
from consilium.laboratory.exchange.partners import Archive, Partners
from consilium.laboratory.found import case_called
from consilium.laboratory.laboratory import Laboratory
from tests.laboratory.conftest import ORDER, received
from tests.laboratory.exchange.orthanc import Orthanc, free_port, orthanc, running_orthanc
from tests.laboratory.exchange.reports import PERSON, SECRETS, amended, picture, signed

__all__ = ["orthanc", "running_orthanc"]

# pynetdicom does not close its socket where the peer closed first (`_shutdown_socket`); the collector does.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Have it do so here, and not in the midst of a test of something else, which would be blamed."""
    yield
    gc.collect()


STUDY = "2.25.4711"


def metaphase(number: int, *, study: str = STUDY, patient: str = "HN-77077", **more: Any) -> Dataset:
    """A picture as an instrument stores it, with the patient's name in its header."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = SecondaryCaptureImageStorage
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[study, str(number)])
    made.StudyInstanceUID, made.SeriesInstanceUID = study, generate_uid(entropy_srcs=[study, str(number % 2)])
    made.PatientID, made.PatientName, made.PatientBirthDate = patient, "Zzyzx^Q", "19990909"
    made.AccessionNumber, made.StudyDate, made.StudyDescription = "ACC-1", "20260301", "Karyotype"
    made.StudyTime = made.StudyID = made.ReferringPhysicianName = made.PatientSex = ""
    made.Modality, made.SeriesNumber, made.InstanceNumber = "OT", number % 2 + 1, number
    made.ConversionType = "DI"
    levels = np.random.default_rng(number).integers(0, 255, (300, 400), dtype=np.uint8)
    made.Rows, made.Columns = levels.shape
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation, made.SamplesPerPixel = 7, 0, 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.PixelData = levels.tobytes()
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.fixture(params=["dimse", "web"])
def archive(request: pytest.FixtureRequest, orthanc: Orthanc) -> Spoken:
    return spoken(orthanc.by_dimse if request.param == "dimse" else orthanc.by_web, seconds=10)


def test_it_answers(archive: Spoken) -> None:
    archive.echo()
    assert archive.studies(Wanted()) == ()


def test_studies_are_found(archive: Spoken) -> None:
    archive.store([metaphase(at) for at in range(3)] + [metaphase(9, study="2.25.99", patient="other")])
    (found,) = archive.studies(Wanted(patient="HN-77077"))
    assert (found.uid, found.accession, found.day, found.instances) == (STUDY, "ACC-1", "20260301", 3)
    assert found.description == "Karyotype"
    assert {one.uid for one in archive.studies(Wanted(day="20260101-20261231"))} == {STUDY, "2.25.99"}
    assert archive.studies(Wanted(accession="none")) == ()
    assert len(archive.instances(STUDY)) == 3 and len({one.series for one in archive.instances(STUDY)}) == 2
    assert archive.instances("2.25.1") == ()
    assert only_study(archive, STUDY).patient == "HN-77077"
    with pytest.raises(InputError, match="no study"):
        only_study(archive, "2.25.1")


def test_pictures_come_without_what_their_header_says_of_the_patient(archive: Spoken, tmp_path: Path) -> None:
    sent = [metaphase(at) for at in range(5)]
    archive.store([*sent, metaphase(7, Modality="PR", SeriesInstanceUID="2.25.88")])
    found = fetch(archive, STUDY, tmp_path)
    assert len(found.files) == found.came == 5 and found.left_out == 1 and found.folder.name == STUDY
    levels = {str(one.SOPInstanceUID): one.PixelData for one in sent}
    for file in found.files:
        data = file.read_bytes()
        assert b"Zzyzx" not in data and b"19990909" not in data and b"HN-77077" not in data
        made = pydicom.dcmread(io.BytesIO(data))
        assert made.PixelData == levels[file.stem]
        assert read_image(file).pixels.shape == (300, 400)
    again = fetch(archive, STUDY, tmp_path)
    assert again.files == found.files and again.came == 0


def test_a_signed_report_is_stored_and_stored_again_as_the_same_objects(archive: Spoken, tmp_path: Path) -> None:
    report = signed(pictures=True)
    images = captures(report)
    objects = [*images, structured(report, images)]
    archive.store(objects)
    archive.store([*captures(report), structured(report, captures(report))])
    there = archive.instances(study_uid(report))
    assert sorted(one.uid for one in there) == sorted(str(one.SOPInstanceUID) for one in objects)
    assert sorted(one.modality for one in there) == ["OT", "OT", "SR"]
    (study,) = archive.studies(Wanted(study=study_uid(report)))
    assert (study.patient, study.accession) == ("P0000017", "K26-00001")
    revised = amended(report, pictures=True)
    archive.store([structured(revised, captures(revised)), *captures(revised)])
    assert len(archive.instances(study_uid(report))) == 6
    kept: list[Dataset] = []
    archive.fetch(study_uid(report), [one for one in there if one.modality == "SR"], kept.append)
    assert kept[0].ContentSequence[1].TextValue == "46,XX"


def texts(made: Dataset) -> dict[str, str]:
    told = {}
    for one in made.ContentSequence:
        measured = one.get("MeasuredValueSequence", [Dataset()])[0].get("NumericValue", "")
        told[one.ConceptNameCodeSequence[0].CodeValue] = str(one.get("TextValue", "") or measured)
    return told


def test_what_the_structured_report_says() -> None:
    report = signed(pictures=True)
    images = captures(report)
    made = structured(report, images)
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    read = pydicom.dcmread(io.BytesIO(stream.getvalue()))
    told = texts(read)
    assert (told["62356-1"], told["51968-6"], told["ISCN-EDITION"]) == ("46,XX", "Negative", "ISCN 2024")
    assert (told["CELLS-COUNTED"], told["62358-7"], told["CONTENT-SHA256"]) == ("20.0", "550.0", report.sha256)
    assert "dai" in told["SIGNATURE"] and "no patient" in told["SYNTHETIC"]
    assert (read.CompletionFlag, read.VerificationFlag, read.PreliminaryFlag) == ("COMPLETE", "VERIFIED", "FINAL")
    assert read.VerifyingObserverSequence[0].VerifyingObserverName == "dai^"
    assert read.VerifyingObserverSequence[0].VerificationDateTime == "20260320080000+0000"
    findings = [one.TextValue for one in read.ContentSequence if one.ConceptNameCodeSequence[0].CodeValue == "121071"]
    assert findings == ["No gain or loss was found.", "未发现异常。"]
    assert all(len(str(one.SOPInstanceUID)) <= 64 for one in (*images, made))


def test_the_same_revision_is_the_same_to_the_byte() -> None:
    def written(report: Any) -> list[bytes]:
        made = []
        images = captures(report)
        for one in (*images, structured(report, images)):
            stream = io.BytesIO()
            one.save_as(stream, enforce_file_format=True)
            made.append(stream.getvalue())
        return made

    assert written(signed(pictures=True)) == written(signed(pictures=True))


def test_an_amendment_names_the_report_before() -> None:
    first = signed(pictures=True)
    revised = amended(first, pictures=True)
    made = structured(revised, captures(revised))
    before = made.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert before.ReferencedSOPInstanceUID == structured(first, captures(first)).SOPInstanceUID
    assert made.StudyInstanceUID == study_uid(first) and "misnamed" in made.CompletionFlagDescription


def test_who_the_patient_is_leaves_only_where_it_was_joined() -> None:
    for person in (None, PERSON):
        report = signed(pictures=True, person=person)
        images = captures(report)
        data = b""
        for one in (*images, structured(report, images)):
            stream = io.BytesIO()
            one.save_as(stream, enforce_file_format=True)
            data += stream.getvalue()
        assert all((secret.encode() in data) == (person is not None) for secret in SECRETS if secret != "1999-09-09")
        assert (images[0].get("PatientIdentityRemoved") == "YES") == (person is None)
    withheld = captures(signed(pictures=True, person=PERSON, sex="withheld", iscn="46,U"))
    assert not withheld[0].PatientSex


def test_a_report_without_karyograms_is_no_structured_report() -> None:
    with pytest.raises(InputError, match="karyogram"):
        structured(signed(), captures(signed()))


@pytest.mark.parametrize("number", ["", "1.2.x", "1..2", "../x", "*", "1" * 65, "1.2\\3"])
def test_what_is_no_uid_is_asked_of_nobody(number: str) -> None:
    with pytest.raises(InputError, match="no UID"):
        check_uid(number)


def test_nobody_at_the_other_end_is_told_clearly() -> None:
    port = free_port()
    for archive in (Archive(port=port), Archive(web=f"http://127.0.0.1:{port}/dicom-web")):
        for ask in (lambda one: one.echo(), lambda one: one.studies(Wanted()), lambda one: one.store([metaphase(1)])):
            with pytest.raises(EngineError):
                ask(spoken(archive, seconds=2))


def test_an_archive_that_refuses_us_is_told_clearly(orthanc: Orthanc) -> None:
    from pynetdicom import AE
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

    entity = AE("OTHER")
    entity.require_called_aet = True
    entity.add_supported_context(Verification)
    server = entity.start_server(("127.0.0.1", 0), block=False)
    try:
        archive = Archive(port=server.server_address[1], title="WRONG")
        with pytest.raises(EngineError, match="refuses"):
            spoken(archive, seconds=3).echo()
        # It answers C-ECHO, and offers nothing else.
        open_ = replace(archive, title="OTHER")
        spoken(open_, seconds=3).echo()
        with pytest.raises(EngineError):
            spoken(open_, seconds=3).studies(Wanted())
    finally:
        server.shutdown()


class Half:
    """An archive that breaks off after some objects, and then gives all."""

    def __init__(self, archive: Spoken, after: int) -> None:
        self._archive, self._after, self.asked = archive, after, [0]

    def instances(self, study: str) -> tuple[FoundInstance, ...]:
        return self._archive.instances(study)

    def fetch(self, study: str, instances: Sequence[FoundInstance], take: Callable[[Dataset], None]) -> None:
        self.asked.append(len(instances))
        part = instances[: self._after]
        self._after = 10_000
        self._archive.fetch(study, part, take)
        if len(part) < len(instances):
            raise EngineError("the line broke")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)


def test_a_fetch_that_broke_off_goes_on_and_nothing_half_is_taken_in(archive: Spoken, tmp_path: Path) -> None:
    archive.store([metaphase(at) for at in range(5)])
    half = Half(archive, 2)
    with pytest.raises(EngineError, match="broke"):
        fetch(half, STUDY, tmp_path)
    assert not (tmp_path / STUDY).exists()
    found = fetch(half, STUDY, tmp_path)
    assert half.asked == [0, 5, 3] and len(found.files) == 5 and found.came == 3


def test_an_archive_that_gives_less_than_it_lists_is_told(archive: Spoken, tmp_path: Path) -> None:
    archive.store([metaphase(at) for at in range(3)])

    class Short(Half):
        def fetch(self, study: str, instances: Sequence[FoundInstance], take: Callable[[Dataset], None]) -> None:
            self._archive.fetch(study, instances[:2], take)

    with pytest.raises(EngineError, match="2 of 3"):
        fetch(Short(archive, 0), STUDY, tmp_path)
    assert not (tmp_path / STUDY).exists()


def test_a_picture_that_cannot_be_read_stops_all_of_them(archive: Spoken, tmp_path: Path) -> None:
    archive.store([metaphase(1), metaphase(2, PixelData=b"\0" * 50)])
    with pytest.raises(ConsiliumError, match="cannot be taken in"):
        fetch(archive, STUDY, tmp_path)
    assert not (tmp_path / STUDY).exists()


def test_a_study_without_pictures(archive: Spoken, tmp_path: Path) -> None:
    archive.store([metaphase(1, Modality="SR")])
    with pytest.raises(InputError, match="no pictures"):
        fetch(archive, STUDY, tmp_path)


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: 99\r\n\r\n[{", b"\x00" * 200,
     b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: 9\r\n\r\n[{\"a\":1}]",
     b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: 2\r\n\r\n{}",
     b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", None],
)  # fmt: skip
def test_what_is_no_archive_is_told_clearly(answer: bytes | None) -> None:
    """Whatever answers at its address: rubbish, half an answer, silence."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def run() -> None:
            server.settimeout(0.1)
            held = []
            while not stop.is_set():
                try:
                    line, _ = server.accept()
                except TimeoutError:
                    continue
                line.settimeout(1)
                if answer is None:
                    held.append(line)
                    continue
                with line:
                    try:
                        line.recv(4096)
                        line.sendall(answer)
                    except OSError:
                        pass
            for one in held:
                one.close()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            port = server.getsockname()[1]
            for archive in (Archive(port=port), Archive(web=f"http://127.0.0.1:{port}/dicom-web")):
                with pytest.raises(EngineError):
                    spoken(archive, seconds=1).studies(Wanted())
        finally:
            stop.set()
            thread.join(10)


def test_whether_a_study_is_of_the_patient_of_a_case(partnered: Laboratory) -> None:
    from consilium.laboratory.exchange.dicom.archive import FoundStudy

    order = replace(ORDER, order_number="ORD-1@HIS")
    label, number, patient = received(partnered, order, name="Zhang", hospital_number="HN-1@HIS")
    study = FoundStudy(uid="1.2", patient="", accession="", day="", description="", modalities="OT", instances=1)
    right = [{"patient": "HN-1"}, {"patient": "HN-1@HIS"}, {"patient": patient}, {"accession": number},
             {"accession": label}, {"accession": "ORD-1"}]  # fmt: skip
    wrong = [{}, {"patient": "HN-2"}, {"patient": "HN-2", "accession": number}, {"accession": "ORD-2"}]
    with partnered.looking("tang") as look:
        case = case_called(look.session, number)
        for told in right:
            check_belongs(look, case, replace(study, **told), Partners())
        for told in wrong:
            with pytest.raises(InputError, match="not of the patient"):
                check_belongs(look, case, replace(study, **told), Partners())


def test_a_coloured_karyogram_stays_in_colour() -> None:
    from hashlib import sha256

    from PIL import Image

    from consilium.laboratory.review.content import Karyogram

    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 30, 3), dtype=np.uint8)).save(stream, "PNG")
    told = signed()
    digest = sha256(stream.getvalue()).hexdigest()
    karyogram = Karyogram(cell="01.png", karyotype="46,XX", sha256=digest, interactions=0, synthetic=False)
    content = replace(told.content, karyograms=(karyogram,))
    from consilium.laboratory.review.content import content_sha256

    report = replace(told, content=content, sha256=content_sha256(content), pictures={"01.png": stream.getvalue()})
    (image,) = captures(report)
    assert (image.PhotometricInterpretation, image.Rows, image.Columns) == ("RGB", 20, 30)
    assert captures(signed(pictures=True))[0].PhotometricInterpretation == "MONOCHROME2"
    assert picture(1) != picture(2)
