"""A signed report as a Bundle of FHIR R4B: DiagnosticReport, Observations after the genomics guide, what they stand on.

References are URNs made of the hash of the signed content, so a report is the same Bundle whenever it is asked for.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterator
from typing import Any

from consilium.cytogenetics.iscn.balance import breakpoints
from consilium.cytogenetics.iscn.mean import mean
from consilium.cytogenetics.iscn.parse import parse
from consilium.errors import InputError
from consilium.laboratory.exchange.fhir.bundle import validate
from consilium.laboratory.exchange.order import number_parts
from consilium.laboratory.exchange.partners import Partners
from consilium.laboratory.exchange.report import (
    BAND_LEVEL,
    ISCN_RESULT,
    ISCN_SYSTEM,
    LOCAL_SYSTEM,
    LOINC,
    OVERALL,
    PANEL,
    VARIANT,
    VARIANT_ISCN,
    OutgoingReport,
    normal,
)

CYTOGENETIC_LOCATION = ("48001-2", "Cytogenetic (chromosome) location")
_PRESENCE = {True: ("LA9633-4", "Present"), False: ("LA9634-2", "Absent")}
_OVERALL = {False: ("LA6576-8", "Positive"), True: ("LA6577-6", "Negative"), None: ("LA11884-6", "Indeterminate")}
"""By whether the karyotype is normal."""

_V2_0074 = "http://terminology.hl7.org/CodeSystem/v2-0074"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_UCUM = "http://unitsofmeasure.org"
_IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
_SIGNATURE_TYPE = "urn:iso-astm:E1762-95:2013"

Resource = dict[str, Any]


def report_bundle(report: OutgoingReport, partners: Partners) -> Resource:
    """The Bundle (type collection), its DiagnosticReport first.

    Args:
        report: what is told.
        partners: whose numbers are bare.

    Raises:
        InputError: it would be none of R4B.
        MissingExtra: fhir.resources is not installed.
    """
    made = _Writer(report, partners)
    document: Resource = {
        "resourceType": "Bundle", "type": "collection", "timestamp": report.at,
        "identifier": {
            "system": f"{LOCAL_SYSTEM}/report", "value": f"{report.content.case_number}/{report.content.revision}",
        },
        "entry": [{"fullUrl": made.url(name), "resource": resource} for name, resource in made.resources()],
    }  # fmt: skip
    validate(document)
    return document


class _Writer:
    def __init__(self, report: OutgoingReport, partners: Partners) -> None:
        self.report, self.partners, self.content = report, partners, report.content
        self.status = "amended" if report.amended else "final"
        self.results: list[str] = []

    def url(self, name: str) -> str:
        return uuid.uuid5(uuid.NAMESPACE_URL, f"consilium:{self.report.sha256}:{name}").urn

    def to(self, name: str) -> Resource:
        return {"reference": self.url(name)}

    def resources(self) -> Iterator[tuple[str, Resource]]:
        observations = list(self._observations())
        self.results = [name for name, _ in observations]
        told: list[tuple[str, Resource]] = [("report", self._report()), ("patient", self._patient())]
        if self.content.order_number:
            told.append(("order", self._order()))
        told += [(f"specimen-{one.label}", self._specimen(at)) for at, one in enumerate(self.content.specimens)]
        told += observations
        told.append(("provenance", self._provenance()))
        for name, resource in told:
            if self.content.synthetic:
                # Drawn by a program: whoever reads it has to see that it is about nobody.
                resource["meta"] = {"security": [_coding(_ACT_REASON, "HTEST", "test health data")]}
            yield name, resource

    def _report(self) -> Resource:
        content, report = self.content, self.report
        made: Resource = {
            "resourceType": "DiagnosticReport",
            "identifier": [_identifier(f"{LOCAL_SYSTEM}/case", content.case_number, "FILL")],
            "status": self.status,
            "category": [{"coding": [_coding(_V2_0074, "GE", "Genetics")]}],
            "code": _concept(PANEL, text="Chromosome analysis"),
            "subject": self.to("patient"),
            "issued": report.at,
            "performer": [{"display": content.laboratory}],
            "resultsInterpreter": [{"display": report.signer}],
            "specimen": [self.to(f"specimen-{one.label}") for one in content.specimens],
            "result": [self.to(name) for name in self.results],
            "conclusion": _languages(content.interpretation),
        }
        if collected := sorted(one.collected for one in content.specimens if one.collected):
            made["effectiveDateTime"] = collected[0]
        if content.order_number:
            made["basedOn"] = [self.to("order")]
        if report.pdf is not None:
            made["presentedForm"] = [
                {
                    "contentType": "application/pdf", "data": base64.b64encode(report.pdf).decode("ascii"),
                    "size": len(report.pdf), "title": f"{content.case_number}, revision {content.revision}",
                    # FHIR R4B asks for SHA-1 here; what was signed is in the Provenance, by SHA-256.
                    "hash": base64.b64encode(hashlib.sha1(report.pdf, usedforsecurity=False).digest()).decode("ascii"),
                    "creation": report.at,
                }
            ]  # fmt: skip
        return _without_empty(made)

    def _patient(self) -> Resource:
        person = self.report.person
        made: Resource = {
            "resourceType": "Patient",
            "identifier": [_identifier(f"{LOCAL_SYSTEM}/patient", self.content.patient_number, "PI")],
        }
        if person is None:
            return made
        if person.hospital_number:
            value, authority = number_parts(person.hospital_number, self.partners)
            made["identifier"].append(_identifier(authority, value, "MR"))
        if person.name:
            made["name"] = [{"text": person.name}]
        if person.birth_date:
            made["birthDate"] = person.birth_date
        if person.sex and self.content.sex == "stated":
            made["gender"] = person.sex
        return made

    def _order(self) -> Resource:
        value, authority = number_parts(self.content.order_number, self.partners)
        return _without_empty(
            {
                "resourceType": "ServiceRequest",
                "identifier": [_identifier(authority, value, "PLAC")],
                "status": "completed",
                "intent": "order",
                "code": _concept(PANEL, text="Chromosome analysis"),
                "subject": self.to("patient"),
                "requester": {"display": self.content.referrer} if self.content.referrer else None,
                "reasonCode": [{"text": self.content.indication}] if self.content.indication else [],
            }
        )

    def _specimen(self, at: int) -> Resource:
        one = self.content.specimens[at]
        return _without_empty(
            {
                "resourceType": "Specimen",
                "identifier": [_identifier(f"{LOCAL_SYSTEM}/specimen", one.label, "ACSN")],
                "type": {
                    "coding": [_coding(f"{LOCAL_SYSTEM}/kind", one.kind, one.kind.replace("_", " "))],
                    "text": one.kind.replace("_", " "),
                },
                "subject": self.to("patient"),
                "receivedTime": one.received,
                "collection": {"collectedDateTime": one.collected} if one.collected else None,
                "condition": [{"text": one.condition}] if one.condition else [],
            }
        )

    def _observations(self) -> Iterator[tuple[str, Resource]]:
        # After HL7's genomics guide, whose profiles are not claimed: nothing here holds a resource against them.
        content = self.content
        is_normal = normal(content.iscn)
        yield "iscn", self._observation(_concept(ISCN_RESULT), {"valueCodeableConcept": self._iscn(content.iscn)})
        yield "panel", self._observation(_concept(PANEL), {"component": list(self._counts())})
        for number, line in enumerate(content.lines, start=1):
            yield f"variant-{number}", self._variant(line.iscn, len(line.cells))
        yield (
            "overall",
            self._observation(_concept(OVERALL), {"valueCodeableConcept": _concept(_OVERALL[is_normal])})
            | {"note": [{"text": text} for text in self._remarks()]},
        )

    def _observation(self, code: Resource, value: Resource) -> Resource:
        made: Resource = {
            "resourceType": "Observation",
            "status": self.status,
            "category": [
                {"coding": [_coding(_CATEGORY, "laboratory", "Laboratory")]},
                {"coding": [_coding(_V2_0074, "GE", "Genetics")]},
            ],
            "code": code,
            "subject": self.to("patient"),
            "issued": self.report.at,
            "performer": [{"display": self.content.laboratory}],
        }
        if len(self.content.specimens) == 1:
            made["specimen"] = self.to(f"specimen-{self.content.specimens[0].label}")
        return made | value

    def _variant(self, iscn: str, cells: int) -> Resource:
        is_normal = normal(iscn)
        components: list[Resource] = [{"code": _concept(VARIANT_ISCN), "valueCodeableConcept": self._iscn(iscn)}]
        if places := _places(iscn):
            # One component: the guide allows no second, and a rearrangement has several breakpoints.
            where = {"text": ", ".join(places)}
            components.append({"code": _concept(CYTOGENETIC_LOCATION), "valueCodeableConcept": where})
        components.append({"code": self._own("cell-line-cells", "Cells of the line"), "valueInteger": cells})
        value = {"valueCodeableConcept": _concept(_PRESENCE[not is_normal])} if is_normal is not None else {}
        return self._observation(_concept(VARIANT), value | {"component": components})

    def _counts(self) -> Iterator[Resource]:
        content = self.content
        for code, told, cells in (
            ("cells-counted", "Cells counted", content.cells_counted),
            ("cells-analysed", "Cells analysed", content.cells_analysed),
            ("cells-karyotyped", "Cells karyotyped", content.cells_karyotyped),
        ):
            yield {"code": self._own(code, told), "valueInteger": len(cells)}
        if content.band_level:
            yield {"code": _concept(BAND_LEVEL), "valueInteger": content.band_level}
        if content.mosaicism is not None:
            for percent, part in ((95, content.mosaicism.at_95), (99, content.mosaicism.at_99)):
                quantity: Resource = {"value": round(part * 100, 2), "unit": "%", "system": _UCUM, "code": "%"}
                excluded = self._own(f"mosaicism-{percent}", f"Mosaicism excluded at {percent} % confidence")
                yield {"code": excluded, "valueQuantity": quantity}

    def _remarks(self) -> Iterator[str]:
        for lang in ("en", "zh"):
            yield from self.content.limitations[lang]
        if self.content.iscn_override:
            yield f"The ISCN string stands although the validator finds an error in it: {self.content.iscn_override}"

    def _provenance(self) -> Resource:
        report = self.report
        digest = bytes.fromhex(report.sha256)
        # RFC 6920: a name that is the hash of what it names.
        named = f"ni:///sha-256;{base64.urlsafe_b64encode(digest).decode('ascii').rstrip('=')}"
        return _without_empty(
            {
                "resourceType": "Provenance",
                "target": [self.to("report")],
                "recorded": report.at,
                "reason": [{"text": self.content.amendment_reason}] if report.amended else [],
                "agent": [
                    {
                        "type": {"coding": [_coding("http://terminology.hl7.org/CodeSystem/provenance-participant-type",
                                                    "legal", "Legal Authenticator")]},
                        "who": {"display": report.signer},
                    }
                ],
                "entity": [{"role": "source", "what": {"identifier": {"system": "urn:ietf:rfc:6920", "value": named}}}],
                "signature": [
                    {
                        "type": [_coding(_SIGNATURE_TYPE, "1.2.840.10065.1.12.1.5", "Verification Signature")],
                        "when": report.at,
                        "who": {"display": report.signer},
                        "sigFormat": "application/octet-stream",
                        "data": base64.b64encode(digest).decode("ascii"),
                    }
                ],
            }
        )  # fmt: skip

    def _iscn(self, iscn: str) -> Resource:
        version = self.content.iscn_edition.removeprefix("ISCN ").strip()
        return {"coding": [{"system": ISCN_SYSTEM, "version": version, "code": iscn}], "text": iscn}

    def _own(self, code: str, told: str) -> Resource:
        return {"coding": [_coding(LOCAL_SYSTEM, code, told)], "text": told}


def _places(iscn: str) -> tuple[str, ...]:
    """Bands in which the chromosomes of a line broke, e.g. "9q34.1"; none where the string does not tell."""
    try:
        cells = [cell for person in mean(parse(iscn)).persons for cell in person]
    except InputError:
        return ()
    return tuple(dict.fromkeys(f"{one.chromosome}{one.text}" for cell in cells for one in breakpoints(cell)))


def _languages(texts: Any) -> str:
    return "\n\n".join(texts[lang] for lang in ("en", "zh") if texts[lang])


def _concept(code: tuple[str, str], *, text: str = "") -> Resource:
    made: Resource = {"coding": [_coding(LOINC, *code)]}
    if text:
        made["text"] = text
    return made


def _coding(system: str, code: str, display: str) -> Resource:
    return {"system": system, "code": code, "display": display}


def _identifier(system: str, value: str, kind: str) -> Resource:
    made: Resource = {"type": {"coding": [{"system": _IDENTIFIER_TYPE, "code": kind}]}, "value": value}
    if ":" in system:
        made["system"] = system
    elif system:
        made["assigner"] = {"display": system}
    return made


def _without_empty(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if value not in (None, [], "", {})}
