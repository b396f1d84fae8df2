"""What people write into a report before it is signed: its karyotype, its interpretation, the reasons it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from consilium.cytogenetics.guidelines import FIGURES
from consilium.errors import InputError
from consilium.laboratory.case_states import REPORTED
from consilium.laboratory.entry import entry
from consilium.laboratory.journal import Change
from consilium.laboratory.review.content import LANGS, Lang

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consilium.laboratory.review.tables import ReportTextRow
    from consilium.laboratory.tables import CaseRow

LONGEST_INTERPRETATION = 10_000
MOST_KARYOGRAMS = 12
FIGURES_WITH_REASONS = frozenset({*FIGURES, "mosaic_count"})


def text_row(session: Session, case: CaseRow) -> ReportTextRow | None:
    """What was written for a case; None before anybody wrote."""
    from sqlalchemy import select

    from consilium.laboratory.review.tables import ReportTextRow

    return session.scalar(select(ReportTextRow).where(ReportTextRow.case_id == case.id))


def write_text(
    change: Change,
    case: CaseRow,
    *,
    seen: int,
    drafted: str | None = None,
    iscn: str | None = None,
    iscn_override: str | None = None,
    withhold_sex: bool | None = None,
    interpretation: Mapping[Lang, str] | None = None,
    reasons: Mapping[str, str] | None = None,
    karyograms: Sequence[int] | None = None,
) -> ReportTextRow:
    """Write into the report of a case; what is left out stays.

    Args:
        change: the transaction.
        case: as its session has it.
        seen: the version of the text that the person looked at; 0 before anybody wrote.
        drafted: what the cells say at this moment; needed with `iscn`.
        iscn: the karyotype.
        iscn_override: why it stands although the validator finds an error.
        withhold_sex: the sex is not to be told.
        interpretation: by language; the other language stays.
        reasons: why figures of guidelines are missed, by figure.
        karyograms: ids of cells.

    Raises:
        NotAllowed: the person may not.
        RecordChanged: somebody wrote since.
        InputError: something is no such entry, or the report is out.
    """
    change.require("report.write")
    check_open(case)
    row = text_row(change.session, case)
    entries = _entries(row, drafted, iscn, iscn_override, withhold_sex, interpretation, reasons, karyograms)
    if row is None:
        if seen != 0:
            raise InputError("nobody wrote into this report yet", way_out="Read it again.")
        return change.add(_empty(change, case, **entries), "report.write")
    change.edit(row, "report.write", seen=seen, **entries)
    return row


def begin_amendment(change: Change, case: CaseRow, reason: str) -> None:
    """Write into the report why there is a further revision.

    Raises:
        NotAllowed: the person may not.
        InputError: no reason was told.
    """
    why = entry("a reason", reason, needed=True)
    row = text_row(change.session, case)
    if row is None:
        change.add(_empty(change, case, amendment_reason=why), "case.amend")
    else:
        change.edit(row, "case.amend", reason=why, amendment_reason=why)


def check_open(case: CaseRow) -> None:
    """See that a report may still be written into.

    Raises:
        InputError: it is out, or the case was withdrawn.
    """
    if case.withdrawn is not None:
        raise InputError(f"{case.number} was withdrawn", way_out="Its history tells why.")
    if case.state in REPORTED:
        raise InputError(f"the report of {case.number} is signed", way_out="Reopen the case with a reason.")


def _empty(change: Change, case: CaseRow, **entries: Any) -> ReportTextRow:
    from consilium.laboratory.review.tables import ReportTextRow

    told: dict[str, Any] = {
        "iscn": "", "iscn_override": "", "drafted": "", "interpretation": {}, "reasons": {}, "karyograms": [],
        "amendment_reason": "", "withhold_sex": case.specimen in change.profile.release.withhold_sex_of,
    }  # fmt: skip
    return ReportTextRow(case_id=case.id, **(told | entries))


def _entries(
    row: ReportTextRow | None,
    drafted: str | None,
    iscn: str | None,
    iscn_override: str | None,
    withhold_sex: bool | None,
    interpretation: Mapping[Lang, str] | None,
    reasons: Mapping[str, str] | None,
    karyograms: Sequence[int] | None,
) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    if iscn is not None:
        if drafted is None:
            raise ValueError("a karyotype is settled against what the cells say")
        entries |= {"iscn": entry("the karyotype", iscn), "drafted": drafted}
    if iscn_override is not None:
        entries["iscn_override"] = entry("the reason", iscn_override)
    if withhold_sex is not None:
        entries["withhold_sex"] = withhold_sex
    if interpretation is not None:
        if not set(interpretation) <= set(LANGS):
            raise InputError("an interpretation is in en or zh")
        had = dict(row.interpretation) if row else {}
        entries["interpretation"] = had | {
            lang: entry("the interpretation", text, longest=LONGEST_INTERPRETATION)
            for lang, text in interpretation.items()
        }
    if reasons is not None:
        if unknown := set(reasons) - FIGURES_WITH_REASONS:
            raise InputError(f"no guideline asks for {sorted(unknown)[0]!r}"[:100])
        kept = {figure: entry("a reason", text) for figure, text in reasons.items()}
        entries["reasons"] = {figure: text for figure, text in kept.items() if text}
    if karyograms is not None:
        if len(karyograms) > MOST_KARYOGRAMS or len(set(karyograms)) < len(karyograms):
            raise InputError(f"a report has {MOST_KARYOGRAMS} karyograms at most, each once")
        entries["karyograms"] = list(karyograms)
    return entries
