"""A report as it is laid out: everything that stands on its pages, in its words, for the PDF and for the HTML alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from consilium.karyotype.conclusion_wording import specimen_name
from consilium.laboratory.review.content import Lang, ReportContent, content_sha256
from consilium.laboratory.review.printed_wording import printed_words
from consilium.laboratory.review.signature import Signature, signature_sha256

Status = Literal["preliminary", "signed", "superseded"]
UNKNOWN = "—"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who the patient is, for a report to somebody who may know.

    Attributes:
        name: of the patient.
        birth_date: ISO 8601; empty where it is not known.
        hospital_number: of the hospital that sent the specimen.
        sex: "female", "male" or empty.
    """

    name: str
    birth_date: str
    hospital_number: str
    sex: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """A revision of a report with all that is printed of it.

    Attributes:
        content: what it says.
        signature: under it; None while it is preliminary.
        seal: of the laboratory over `signature_sha256`, base64; empty where there is none.
        superseded_by: the revision that replaced it; None while it is the newest.
        identity: of the patient; None for a reader who may not know.
    """

    content: ReportContent
    signature: Signature | None = None
    seal: str = ""
    superseded_by: int | None = None
    identity: Identity | None = None

    @property
    def status(self) -> Status:
        """Whether it may be used."""
        if self.signature is None:
            return "preliminary"
        return "signed" if self.superseded_by is None else "superseded"


def printed(report: Report, lang: Lang) -> dict[str, Any]:
    """What stands on the pages of a report, in order and in words; the templates only lay it out."""
    content, words = report.content, printed_words(lang)
    sha256 = content_sha256(content)
    return {
        "lang": lang,
        "title": words["title_amended" if content.revision > 1 else "title"],
        "case": content.case_number,
        "laboratory": content.laboratory,
        "head": _head(report, words),
        "status": report.status,
        **_marks(report, words),
        "approval": _approval(report, words),
        "synthetic": words["synthetic"] if content.synthetic else "",
        "synthetic_note": words["synthetic_note"] if content.synthetic else "",
        "identity": _identity(report, lang, words),
        "amendment": _amendment(content, words),
        "iscn_title": words["iscn"].format(edition=content.iscn_edition),
        "iscn": content.iscn,
        "no_iscn": words["no_iscn"],
        "sex_note": words["sex_withheld"] if content.sex == "withheld" else "",
        "override": _override(content, words),
        "interpretation": {
            "title": words["interpretation"],
            "items": [one.strip() for one in content.interpretation[lang].splitlines() if one.strip()],
        },
        "tables": [_lines(content, words), _figures(content, words), _checks(content, words)],
        "limitations": {"title": words["limitations"], "items": list(content.limitations[lang])},
        "signature": _signature(report, sha256, words),
        "karyograms": [
            {"sha256": one.sha256, "caption": words["karyogram_of"].format(cell=one.cell, karyotype=one.karyotype)}
            for one in content.karyograms
        ],
        "foot": " · ".join(
            (
                words["made"].format(version=content.consilium),
                words["revision"].format(revision=content.revision),
                f"SHA-256 {sha256[:16]}…",
            )
        ),
        "page": words["page"],
        "moment": _moment(report),
    }


def local_day(moment: str, zone: str) -> str:
    """The day of a time, ISO 8601; empty for none."""
    return local_time(moment, zone)[:10]


def local_time(moment: str, zone: str) -> str:
    """A time of the records as the laboratory's clocks show it, with its offset; empty for none."""
    if not moment:
        return ""
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S %z")


def _moment(report: Report) -> str:
    """What is stamped into a file: when it was signed, or, before that, when the specimen came."""
    return report.signature.at if report.signature else report.content.received


def _head(report: Report, words: Mapping[str, str]) -> str:
    name = report.identity.name if report.identity else ""
    heads = (report.content.case_number, name, report.content.patient_number)
    return " · ".join(one for one in heads if one)


def _marks(report: Report, words: Mapping[str, str]) -> dict[str, str]:
    """The mark over every page, empty on a report that holds, and the line in its head."""
    if report.status == "preliminary":
        return {"mark": words["preliminary"], "note": words["preliminary_note"]}
    if report.status == "superseded":
        note = words["superseded_note"].format(revision=report.superseded_by)
        return {"mark": words["superseded"], "note": note}
    return {"mark": "", "note": words["amended_note" if report.content.revision > 1 else "signed_note"]}


def _approval(report: Report, words: Mapping[str, str]) -> str:
    """Who answers for the report, told on its first page; empty where nobody does yet."""
    content, signed = report.content, report.signature
    if signed is None:
        return ""
    at = local_time(signed.at, content.zone)
    return words["approval"].format(signer=signed.signer, at=at, revision=content.revision)


def _identity(report: Report, lang: Lang, words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Name and value, two and two beside each other."""
    content, known = report.content, report.identity
    hidden = words["identity_withheld"]
    sex = words[known.sex] if known and known.sex in ("female", "male") else ("" if known else hidden)
    if content.sex == "withheld":
        sex = words["sex_not_reported"]
    labels = ", ".join(one.label for one in content.specimens)
    collected = sorted({local_day(one.collected, content.zone) for one in content.specimens if one.collected})
    reported = local_day(report.signature.at, content.zone) if report.signature else ""
    rows = (
        ("patient_name", known.name if known else hidden), ("case_number", content.case_number),
        ("hospital_number", known.hospital_number if known else hidden), ("patient_number", content.patient_number),
        ("birth_date", known.birth_date if known else hidden), ("specimen", specimen_name(content.specimen, lang)),
        ("sex", sex), ("labels", labels),
        ("physician", content.referrer), ("collected", ", ".join(collected)),
        ("order_number", content.order_number), ("received", local_day(content.received, content.zone)),
        ("reason", content.indication), ("reported", reported),
    )  # fmt: skip
    return [(words[key], value or UNKNOWN) for key, value in rows]


def _amendment(content: ReportContent, words: Mapping[str, str]) -> dict[str, Any]:
    if content.revision == 1:
        return {"title": words["amendment"], "items": []}
    note = words["amendment_note"].format(
        revision=content.revision, before=content.revision - 1, sha256=content.supersedes
    )
    return {"title": words["amendment"], "items": [content.amendment_reason, note]}


def _override(content: ReportContent, words: Mapping[str, str]) -> dict[str, Any]:
    told = [words["override_note"].format(reason=content.iscn_override)] if content.iscn_override else []
    return {"title": words["override"], "items": told}


def _table(
    title: str, columns: Sequence[str], widths: Sequence[float], rows: Sequence[Sequence[str]], note: str = ""
) -> dict[str, Any]:
    return {
        "title": title, "columns": list(columns), "widths": list(widths), "rows": [list(row) for row in rows],
        "note": note,
    }  # fmt: skip


def _lines(content: ReportContent, words: Mapping[str, str]) -> dict[str, Any]:
    rows = [(one.iscn, str(len(one.cells)), ", ".join(one.cells)) for one in content.lines]
    return _table(words["lines"], (words["line"], words["number_of_cells"], words["cell_names"]), (2, 0, 3), rows)


def _figures(content: ReportContent, words: Mapping[str, str]) -> dict[str, Any]:
    """Name and value, two and two beside each other."""
    told = content.mosaicism
    excluded = words["mosaicism_none"]
    if told is not None:
        percents = {"at_95": f"{100 * told.at_95:.1f}", "at_99": f"{100 * told.at_99:.1f}"}
        excluded = words["excluded_from"].format(cells=told.cells, **percents)
    models = ", ".join(f"{one.name} {one.version}" for one in content.models) or UNKNOWN
    looked = words["unreviewed"].format(number=content.unreviewed) if content.unreviewed else words["all_reviewed"]
    read = words["models_note"].format(
        models=models, looked=looked, interactions=sum(one.interactions for one in content.karyograms),
        karyograms=len(content.karyograms),
    )  # fmt: skip
    rows = (
        (words["counted_cells"], str(len(content.cells_counted)),
         words["analysed_cells"], str(len(content.cells_analysed))),
        (words["karyotyped_cells"], str(len(content.cells_karyotyped)),
         words["banding"], ", ".join(content.banding) or UNKNOWN),
        (words["excluded"], excluded,
         words["band_level_row"], str(content.band_level) if content.band_level else words["unknown"]),
    )  # fmt: skip
    return _table(words["figures"], (), (0, 7, 0, 2), rows, note=read)


def _checks(content: ReportContent, words: Mapping[str, str]) -> dict[str, Any]:
    rows = [
        (
            words.get({"band_level": "band_level_row", "counted": "counted_cells", "analysed": "analysed_cells",
                       "karyotyped": "karyotyped_cells"}.get(one.what, one.what), one.what),
            str(one.asked),
            words["unknown"] if one.found is None else str(one.found),
            words["not_told"] if one.met is None else words["yes" if one.met else "no"],
            one.source,
            one.reason or UNKNOWN,
        )
        for one in content.checks
    ]  # fmt: skip
    heads = (
        words["figure"], words["asked"], words["found"], words["enough"], words["source"], words["why_missed"],
    )  # fmt: skip
    return _table(words["checks"], heads, (2, 0, 0, 0, 3, 2), rows)


def _signature(report: Report, sha256: str, words: Mapping[str, str]) -> dict[str, Any]:
    content, signed = report.content, report.signature
    rows = [(words["analysed_by"], content.analysed_by or UNKNOWN, "")]
    if content.reviewed_by:
        told = words["settled"].format(number=content.disagreements) if content.disagreements else words["settled_none"]
        rows.append((words["reviewed_by"], content.reviewed_by, told))
    if signed is None:
        rows.append((words["signed_by"], words["nobody"], ""))
    else:
        how = words["signed_how"].format(at=local_time(signed.at, content.zone), method=words[signed.method])
        rows.append((words["signed_by"], signed.signer, how))
    hashes = [(words["content_hash"], sha256)]
    if signed is not None:
        hashes.append((words["signature_hash"], signature_sha256(signed)))
    if report.seal:
        hashes.append((words["seal"], report.seal))
    return {
        "title": words["signatures"],
        "rows": [list(row) for row in rows],
        "hashes": [list(row) for row in hashes],
        "note": words["hash_note"] if signed is not None else words["preliminary_note"],
    }
