"""An archive by DIMSE: C-ECHO, C-FIND, C-GET and C-STORE (PS3.4), through pynetdicom.

C-GET and not C-MOVE: pictures come back on the line that was opened from here, so nobody has to be let in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from consilium.errors import ConsiliumError, EngineError
from consilium.laboratory.exchange.dicom.archive import MOST_FOUND, FoundInstance, FoundStudy, Take, Wanted
from consilium.laboratory.exchange.partners import Archive

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SUCCESS, _PENDING = 0x0000, (0xFF00, 0xFF01)
_WARNINGS = (0xB000, 0xB006, 0xB007)
_MOST_CLASSES = 60


class Dimse:
    """An archive.

    Args:
        archive: where it is.
        seconds: for each answer.
    """

    def __init__(self, archive: Archive, *, seconds: float) -> None:
        self._archive, self._seconds = archive, seconds
        self._where = f"{archive.title} at {archive.host}:{archive.port}"

    def echo(self) -> None:
        """See that it answers.

        Raises:
            EngineError: it does not.
        """
        from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

        with self._line([(Verification, None)]) as line:
            self._check(line.send_c_echo(), "it answered C-ECHO with")

    def studies(self, wanted: Wanted) -> tuple[FoundStudy, ...]:
        """Studies that it has.

        Raises:
            EngineError: it does not answer, or has more than `MOST_FOUND`.
        """
        asked = {
            "PatientID": wanted.patient, "AccessionNumber": wanted.accession, "StudyInstanceUID": wanted.study,
            "StudyDate": wanted.day, "StudyDescription": "", "ModalitiesInStudy": "",
            "NumberOfStudyRelatedInstances": "",
        }  # fmt: skip
        return tuple(study_of(one) for one in self._found("STUDY", asked))

    def instances(self, study: str) -> tuple[FoundInstance, ...]:
        """Objects of a study.

        Raises:
            EngineError: it does not answer, or has more than `MOST_FOUND`.
        """
        series = self._found("SERIES", {"StudyInstanceUID": study, "SeriesInstanceUID": "", "Modality": ""})
        found = []
        for one in series:
            asked = {
                "StudyInstanceUID": study, "SeriesInstanceUID": str(one.SeriesInstanceUID), "SOPInstanceUID": "",
                "SOPClassUID": "",
            }  # fmt: skip
            found += [
                FoundInstance(
                    uid=str(image.SOPInstanceUID), series=str(one.SeriesInstanceUID),
                    kind=str(image.get("SOPClassUID", "")), modality=str(one.get("Modality", "")),
                )
                for image in self._found("IMAGE", asked)
            ]  # fmt: skip
        return tuple(found)

    def fetch(self, study: str, instances: Sequence[FoundInstance], take: Take) -> None:
        """Have objects given.

        Raises:
            EngineError: it does not answer, or says that it could not give all.
            ConsiliumError: what `take` raises.
        """
        from pydicom.dataset import Dataset
        from pydicom.uid import UID
        from pynetdicom import ALL_TRANSFER_SYNTAXES, build_role, evt
        from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet  # type: ignore[attr-defined]

        kinds = sorted({one.kind for one in instances if one.kind})[:_MOST_CLASSES]
        failed: list[ConsiliumError] = []

        def given(event: Any) -> int:
            try:
                made = event.dataset
                made.file_meta = event.file_meta
                take(made)
            except ConsiliumError as problem:
                failed.append(problem)
                return 0xA700
            except Exception:
                # Whatever is wrong with what came is the archive's affair, and is told below by what is missing.
                return 0xC000
            return _SUCCESS

        contexts = [
            (StudyRootQueryRetrieveInformationModelGet, None),
            *((kind, ALL_TRANSFER_SYNTAXES) for kind in kinds),
        ]
        roles = [build_role(UID(kind), scp_role=True) for kind in kinds]
        with self._line(contexts, roles=roles, handlers=[(evt.EVT_C_STORE, given)]) as line:
            for series in dict.fromkeys(one.series for one in instances):
                asked = Dataset()
                asked.QueryRetrieveLevel = "IMAGE"
                asked.StudyInstanceUID, asked.SeriesInstanceUID = study, series
                asked.SOPInstanceUID = [one.uid for one in instances if one.series == series]
                for status, _ in line.send_c_get(asked, StudyRootQueryRetrieveInformationModelGet):
                    if failed:
                        raise failed[0]
                    if not status or status.Status not in (*_PENDING, _SUCCESS):
                        self._check(status, "it answered C-GET with")

    def store(self, objects: Sequence[Dataset]) -> None:
        """Store objects.

        Raises:
            EngineError: it does not answer, or does not take one; which, and how many it has, is told.
        """
        kinds = sorted({str(one.SOPClassUID) for one in objects})
        with self._line([(kind, None) for kind in kinds]) as line:
            for done, one in enumerate(objects):
                try:
                    status = line.send_c_store(one)
                    if not status or status.Status not in (_SUCCESS, *_WARNINGS):
                        self._check(status, "it answered C-STORE with")
                except (ValueError, RuntimeError, EngineError) as problem:
                    told = (
                        problem.what
                        if isinstance(problem, EngineError)
                        else "the line broke, or it takes no such object"
                    )
                    raise EngineError(
                        f"{done} of {len(objects)} objects were stored, then: {told}", where=self._where,
                        way_out="Store again: what is there stays as it is.",
                    ) from problem  # fmt: skip

    def _found(self, level: str, asked: dict[str, str]) -> list[Dataset]:
        from pydicom.dataset import Dataset
        from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind  # type: ignore[attr-defined]

        query = Dataset()
        query.QueryRetrieveLevel = level
        for name, value in asked.items():
            setattr(query, name, value)
        query.SpecificCharacterSet = "ISO_IR 192"
        found: list[Dataset] = []
        with self._line([(StudyRootQueryRetrieveInformationModelFind, None)]) as line:
            for status, one in line.send_c_find(query, StudyRootQueryRetrieveInformationModelFind):
                if not status or status.Status not in (*_PENDING, _SUCCESS):
                    self._check(status, "it answered C-FIND with")
                if one is not None:
                    found.append(one)
                if len(found) > MOST_FOUND:
                    raise EngineError(
                        f"it has more than {MOST_FOUND}", where=self._where, way_out="Ask for less: a patient, a day."
                    )
        return found

    @contextmanager
    def _line(
        self, contexts: Sequence[tuple[Any, Any]], *, roles: Sequence[Any] = (), handlers: Sequence[Any] = ()
    ) -> Iterator[Any]:
        from pynetdicom import AE

        entity = AE(ae_title=self._archive.ours)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = self._seconds
        entity.connection_timeout = self._seconds
        for kind, syntaxes in contexts:
            if syntaxes:
                entity.add_requested_context(kind, syntaxes)
            else:
                entity.add_requested_context(kind)
        line: Any = entity.associate(
            self._archive.host, self._archive.port, ae_title=self._archive.title, ext_neg=list(roles),
            evt_handlers=list(handlers),
        )  # fmt: skip
        if not line.is_established:
            told = "it refuses this laboratory" if line.is_rejected else "nobody answers"
            raise EngineError(
                told, where=self._where,
                way_out="See its host, port and AE title, and whether it knows ours: consilium laboratory partners.",
            )  # fmt: skip
        try:
            yield line
        except (ValueError, RuntimeError) as problem:
            # pynetdicom raises these where the archive accepted the line, but not what is asked on it.
            raise EngineError("it does not offer what was asked for", where=self._where) from problem
        finally:
            if line.is_established:
                line.release()
            else:
                line.abort()

    def _check(self, status: Any, told: str) -> None:
        code = getattr(status, "Status", None)
        if code is None:
            raise EngineError("it stopped answering", where=self._where, way_out="Try again; what came stays.")
        if code != _SUCCESS:
            comment = str(getattr(status, "ErrorComment", ""))[:200]
            raise EngineError(f"{told} {code:#06x}{f' ({comment})' if comment else ''}", where=self._where)


def study_of(found: Dataset) -> FoundStudy:
    """A study from what an archive says of it.

    Raises:
        EngineError: it does not say which.
    """
    if not found.get("StudyInstanceUID"):
        raise EngineError("the archive's answer names no study")
    modalities = found.get("ModalitiesInStudy", "")
    listed = [modalities] if isinstance(modalities, str) else list(modalities or ())
    number = str(found.get("NumberOfStudyRelatedInstances", "") or "0")
    return FoundStudy(
        uid=str(found.get("StudyInstanceUID", "")),
        patient=str(found.get("PatientID", "") or ""),
        accession=str(found.get("AccessionNumber", "") or ""),
        day=str(found.get("StudyDate", "") or ""),
        description=str(found.get("StudyDescription", "") or ""),
        modalities=" ".join(map(str, listed)),
        instances=int(number) if number.isdigit() else 0,
    )
