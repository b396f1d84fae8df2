"""A signed report as ORU^R01 of HL7 2.5.1."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from hashlib import sha256

from consilium.laboratory.exchange.hl7v2.acknowledge import header
from consilium.laboratory.exchange.hl7v2.message import time_of
from consilium.laboratory.exchange.hl7v2.text import encoded, escaped
from consilium.laboratory.exchange.order import number_parts
from consilium.laboratory.exchange.partners import Partners, Receiver
from consilium.laboratory.exchange.report import BAND_LEVEL, ISCN_RESULT, LOCAL, PANEL, OutgoingReport, normal

KIND = "ORU^R01^ORU_R01"

_LANGUAGES = {"en": "English", "zh": "Chinese"}
_NARROW = ("ASCII", "8859/1")
_NOTES = {
    "synthetic": "Pictures of this report were drawn by a program: it is about no patient.",
    "override": "The ISCN string stands although the validator finds an error in it: ",
    "amended": "Amended report. Reason: ",
}


def control_of(report: OutgoingReport, receiver: str) -> str:
    """The number of the message (MSH-10, at most 20 letters): always the same for a revision and a receiver."""
    told = f"{report.sha256} {receiver}"
    return f"C{sha256(told.encode()).hexdigest()[:19]}"


def result(report: OutgoingReport, receiver: Receiver, *, name: str, partners: Partners, at: str) -> bytes:
    """The message.

    Args:
        report: what is told.
        receiver: to whom; its `identity` is no concern of this function, `report.person` is.
        name: of the receiver.
        partners: how the laboratory calls itself, whose numbers are bare.
        at: ISO 8601 in UTC, when it is written.

    Raises:
        InputError: the receiver's character set has no letter for something that has to be told.
    """
    content = report.content
    status = "C" if report.amended else "F"
    lines = [
        header(
            application=partners.application, facility=partners.facility, to_application=receiver.application,
            to_facility=receiver.facility, at=at, kind=KIND, control=control_of(report, name),
            processing=partners.processing[0], charset=receiver.charset,
        ),
        _patient(report, partners),
        _line("ORC", ["RE", _placer(report, partners), _filler(report, partners)]),
        _request(report, partners, status),
        *_notes(report),
        *(
            _line("OBX", [str(number), kind, code, sub, value, unit, "", flag, "", "", status, "", "",
                          time_of(report.at), "", _staff(content.reviewed_by or report.signer)])
            for number, (kind, code, sub, value, unit, flag) in enumerate(_observations(report, receiver), start=1)
        ),
    ]  # fmt: skip
    for number, one in enumerate(content.specimens, start=1):
        fields = [""] * 18
        fields[0], fields[1] = str(number), f"^{escaped(one.label)}&{escaped(partners.application)}"
        fields[3] = _own(one.kind, one.kind.replace("_", " "))
        fields[16], fields[17] = time_of(one.collected) if one.collected else "", time_of(one.received)
        lines.append(_line("SPM", fields))
    return encoded("\r".join(lines) + "\r", receiver.charset)


def _patient(report: OutgoingReport, partners: Partners) -> str:
    person, content = report.person, report.content
    ours = f"{escaped(content.patient_number)}^^^{escaped(partners.application)}^PI"
    if person is None:
        return _line("PID", ["1", "", ours])
    numbers = [ours]
    if person.hospital_number:
        value, authority = number_parts(person.hospital_number, partners)
        numbers.insert(0, f"{escaped(value)}^^^{escaped(authority)}^MR")
    # Where the sex was asked to be withheld it does not leave beside the karyotype either.
    sex = {"female": "F", "male": "M"}.get(person.sex, "") if content.sex == "stated" else ""
    name = f"{escaped(person.name)}^^^^^^D" if person.name else ""
    return _line("PID", ["1", "", "~".join(numbers), "", name, "", person.birth_date.replace("-", ""), sex])


def _request(report: OutgoingReport, partners: Partners, status: str) -> str:
    content = report.content
    fields = [""] * 32
    fields[0], fields[1], fields[2] = "1", _placer(report, partners), _filler(report, partners)
    fields[3] = f"{PANEL[0]}^{escaped(PANEL[1])}^LN"
    collected = [one.collected for one in content.specimens if one.collected]
    fields[6] = time_of(min(collected)) if collected else ""
    fields[12] = escaped(content.indication)
    fields[15] = f"^{escaped(content.referrer)}" if content.referrer else ""
    fields[21], fields[23], fields[24] = time_of(report.at), "GE", status
    fields[31] = escaped(report.signer)
    return _line("OBR", fields)


def _notes(report: OutgoingReport) -> Iterator[str]:
    content = report.content
    told = []
    if report.amended:
        told.append(_NOTES["amended"] + content.amendment_reason)
    if content.iscn_override:
        told.append(_NOTES["override"] + content.iscn_override)
    if content.synthetic:
        told.append(_NOTES["synthetic"])
    for number, one in enumerate(told, start=1):
        yield _line("NTE", [str(number), "L", escaped(one)])


def _observations(report: OutgoingReport, receiver: Receiver) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Value type, code, sub-id, value, unit, whether it is abnormal."""
    content = report.content
    flag = {True: "N", False: "A", None: ""}[normal(content.iscn)]
    yield (
        "CWE",
        f"{ISCN_RESULT[0]}^{escaped(ISCN_RESULT[1])}^LN",
        "",
        _iscn(content.iscn, content.iscn_edition),
        "",
        flag,
    )
    for number, line in enumerate(content.lines, start=1):
        value = _iscn(line.iscn, content.iscn_edition)
        yield "CWE", _own("CELL-LINE", "Line of the karyotype"), str(number), value, "", ""
        yield "NM", _own("CELL-LINE-CELLS", "Cells of the line"), str(number), str(len(line.cells)), "{cells}", ""
    for code, told, cells in (
        ("CELLS-COUNTED", "Cells counted", content.cells_counted),
        ("CELLS-ANALYSED", "Cells analysed", content.cells_analysed),
        ("CELLS-KARYOTYPED", "Cells karyotyped", content.cells_karyotyped),
    ):
        yield "NM", _own(code, told), "", str(len(cells)), "{cells}", ""
    if content.band_level:
        yield "NM", f"{BAND_LEVEL[0]}^{BAND_LEVEL[1]}^LN", "", str(content.band_level), "{bands}", ""
    if content.mosaicism is not None:
        for percent, part in ((95, content.mosaicism.at_95), (99, content.mosaicism.at_99)):
            told = f"Mosaicism excluded at {percent} % confidence"
            yield "NM", _own(f"MOSAICISM-{percent}", told), "", f"{part * 100:.2f}", "%", ""
    yield from _texts(report, receiver)
    yield "ST", _own("CONTENT-SHA256", "Hash of the signed content"), "", report.sha256, "", ""
    yield "NM", _own("REVISION", "Revision of the report"), "", str(content.revision), "", ""
    if report.pdf is not None:
        data = base64.b64encode(report.pdf).decode("ascii")
        yield "ED", _own("REPORT-PDF", "Report as PDF"), "", f"CONSILIUM^AP^PDF^Base64^{data}", "", ""


def _texts(report: OutgoingReport, receiver: Receiver) -> Iterator[tuple[str, str, str, str, str, str]]:
    for lang in ("en", "zh"):
        if lang == "zh" and receiver.charset in _NARROW:
            continue
        interpretation = report.content.interpretation[lang]
        if interpretation:
            code = _own(f"INTERPRETATION-{lang.upper()}", f"Interpretation, {_LANGUAGES[lang]}")
            yield "FT", code, "", escaped(interpretation), "", ""
        limits = "\n".join(report.content.limitations[lang])
        if limits:
            yield (
                "FT",
                _own(f"LIMITATIONS-{lang.upper()}", f"Limitations, {_LANGUAGES[lang]}"),
                "",
                escaped(limits),
                "",
                "",
            )


def _iscn(iscn: str, edition: str) -> str:
    return f"{escaped(iscn)}^{escaped(iscn)}^ISCN^^^^{escaped(edition.removeprefix('ISCN ').strip())}"


def _placer(report: OutgoingReport, partners: Partners) -> str:
    if not report.content.order_number:
        return ""
    value, authority = number_parts(report.content.order_number, partners)
    return f"{escaped(value)}^{escaped(authority)}".rstrip("^")


def _filler(report: OutgoingReport, partners: Partners) -> str:
    return f"{escaped(report.content.case_number)}^{escaped(partners.application)}"


def _own(code: str, told: str) -> str:
    return f"{escaped(code)}^{escaped(told)}^{LOCAL}"


def _staff(name: str) -> str:
    return escaped(name)


def _line(name: str, fields: list[str]) -> str:
    return "|".join([name, *fields]).rstrip("|")
