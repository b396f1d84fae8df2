"""An archive by DICOMweb: QIDO-RS, WADO-RS and STOW-RS (PS3.18), through dicomweb-client."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from consilium.errors import ConsiliumError, EngineError
from consilium.laboratory.exchange.dicom.archive import MOST_FOUND, FoundInstance, FoundStudy, Take, Wanted
from consilium.laboratory.exchange.dicom.dimse import study_of
from consilium.laboratory.exchange.partners import Archive

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


class Web:
    """An archive.

    Args:
        archive: where it is.
        seconds: for each answer.
    """

    def __init__(self, archive: Archive, *, seconds: float) -> None:
        self._where, self._url, self._seconds = archive.web, archive.web, seconds

    def echo(self) -> None:
        """See that it answers.

        Raises:
            EngineError: it does not.
        """
        with self._client() as client:
            client.search_for_studies(limit=1)

    def studies(self, wanted: Wanted) -> tuple[FoundStudy, ...]:
        """Studies that it has.

        Raises:
            EngineError: it does not answer, or has more than `MOST_FOUND`.
        """
        asked = {
            "PatientID": wanted.patient, "AccessionNumber": wanted.accession, "StudyInstanceUID": wanted.study,
            "StudyDate": wanted.day,
        }  # fmt: skip
        with self._client() as client:
            told = client.search_for_studies(
                search_filters={name: value for name, value in asked.items() if value}, limit=MOST_FOUND + 1,
                fields=["StudyDescription", "ModalitiesInStudy", "NumberOfStudyRelatedInstances"],
            )  # fmt: skip
            found = tuple(study_of(one) for one in self._read(told))
        return self._bounded(found)

    def instances(self, study: str) -> tuple[FoundInstance, ...]:
        """Objects of a study.

        Raises:
            EngineError: it does not answer, or has more than `MOST_FOUND`.
        """
        with self._client() as client:
            told = client.search_for_instances(study_instance_uid=study, limit=MOST_FOUND + 1)
            found = self._read(told)
        return self._bounded(
            tuple(
                FoundInstance(
                    uid=str(one.SOPInstanceUID), series=str(one.SeriesInstanceUID),
                    kind=str(one.get("SOPClassUID", "")), modality=str(one.get("Modality", "")),
                )
                for one in found
            )
        )  # fmt: skip

    def fetch(self, study: str, instances: Sequence[FoundInstance], take: Take) -> None:
        """Have objects given.

        Raises:
            EngineError: it does not answer, or not wholly.
            ConsiliumError: what `take` raises.
        """
        with self._client() as client:
            for one in instances:
                take(client.retrieve_instance(study, one.series, one.uid, media_types=(("application/dicom", "*"),)))

    def store(self, objects: Sequence[Dataset]) -> None:
        """Store objects.

        Raises:
            EngineError: it does not answer, or does not take one.
        """
        with self._client() as client:
            answer = client.store_instances([_as_file(one) for one in objects])
        failed = answer.get("FailedSOPSequence") or []
        if failed:
            raise EngineError(
                f"{len(objects) - len(failed)} of {len(objects)} objects were stored", where=self._where,
                way_out="Store again: what is there stays as it is.",
            )  # fmt: skip

    @contextmanager
    def _client(self) -> Iterator[Any]:
        from dicomweb_client.api import DICOMwebClient
        from requests import Session
        from requests.adapters import HTTPAdapter
        from requests.exceptions import RequestException

        seconds = self._seconds

        class Impatient(HTTPAdapter):
            def send(self, request: Any, *arguments: Any, **named: Any) -> Any:
                named["timeout"] = seconds
                return super().send(request, *arguments, **named)

        with Session() as session:
            # An archive is in the house: what the environment says of proxies is about elsewhere.
            session.trust_env = False
            for scheme in ("http://", "https://"):
                session.mount(scheme, Impatient())
            client = DICOMwebClient(self._url, session=session)
            client.set_http_retry_params(retry=False)
            try:
                yield client
            except ConsiliumError:
                raise
            except RequestException as problem:
                answered = getattr(problem, "response", None)
                told = "nobody answers" if answered is None else f"it answered {answered.status_code}"
                raise EngineError(
                    told, where=self._where, way_out="See its URL: consilium laboratory partners."
                ) from problem
            except Exception as problem:
                # The client takes an answer apart in many ways: whatever it raises means that it is none.
                raise EngineError("its answer cannot be read, or broke off", where=self._where) from problem

    def _read(self, told: Any) -> list[Dataset]:
        from pydicom.dataset import Dataset

        if not isinstance(told, list):
            raise TypeError("an answer is a list")
        return [Dataset.from_json(json.dumps(one)) for one in told]

    def _bounded(self, found: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(found) > MOST_FOUND:
            raise EngineError(
                f"it has more than {MOST_FOUND}", where=self._where, way_out="Ask for less: a patient, a day."
            )
        return found


def _as_file(one: Dataset) -> Dataset:
    """The client writes an object as it is, and archives keep it so: without its preamble nobody reads it again."""
    made = copy.copy(one)
    made.preamble = b"\0" * 128
    return made
