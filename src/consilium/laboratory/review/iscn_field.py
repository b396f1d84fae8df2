"""A karyotype while it is typed: what is wrong where, by which section, how it would be right, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

from consilium.cytogenetics.iscn.explain import explain
from consilium.cytogenetics.iscn.rules import Language, Severity
from consilium.cytogenetics.iscn.validate import validate

LONGEST = 2000
"""Letters of a karyotype."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A rule that a string breaks.

    Attributes:
        rule: its name.
        section: of ISCN 2024.
        severity: "error" the string is wrong; "warning" it may be right; "note" worth knowing.
        start, end: characters of the string.
        message: what to say.
        suggestion: the whole string with this fault mended; None where that is not certain.
    """

    rule: str
    section: str
    severity: Severity
    start: int
    end: int
    message: str
    suggestion: str | None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A string as it was judged.

    Attributes:
        text: the string.
        parsed: whether it is well formed.
        valid: whether no rule of severity "error" is broken.
        canonical: as the edition spells and orders it; None where it is not well formed.
        faults: from left to right.
        sentences: what it says, in plain words.
    """

    text: str
    parsed: bool
    valid: bool
    canonical: str | None
    faults: tuple[Fault, ...]
    sentences: tuple[str, ...]


def check_iscn(text: str, lang: Language, *, band_level: int | None = None) -> Checked:
    """Judge and explain a karyotype.

    Args:
        text: one result, e.g. "47,XY,+21"; blanks around it do not count.
        lang: of messages and sentences.
        band_level: bands per haploid set at which the cells were read.
    """
    bare = text.strip()
    judgement = validate(bare, level=band_level)
    return Checked(
        text=bare,
        parsed=judgement.result is not None,
        valid=judgement.valid,
        canonical=judgement.canonical,
        faults=tuple(
            Fault(
                rule=one.rule, section=one.section, severity=one.severity, start=one.span.start, end=one.span.end,
                message=one.message(lang), suggestion=one.suggestion,
            )
            for one in judgement.findings
        ),
        sentences=() if judgement.result is None else tuple(explain(judgement.result, lang)),
    )  # fmt: skip
