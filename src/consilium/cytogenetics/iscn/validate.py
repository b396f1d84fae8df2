"""Is an ISCN string right? Every rule that it breaks, where, and, where that is certain, the mended string."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from consilium.cytogenetics.iscn.lineage import named
from consilium.cytogenetics.iscn.order import canonical
from consilium.cytogenetics.iscn.parse import NotISCN, parse
from consilium.cytogenetics.iscn.repair import repair
from consilium.cytogenetics.iscn.rules import Finding
from consilium.cytogenetics.iscn.tree import Result, Span
from consilium.cytogenetics.iscn.validate_change import Told, judge_change
from consilium.cytogenetics.iscn.validate_clones import judge_clones
from consilium.cytogenetics.iscn.validate_level import judge_level
from consilium.cytogenetics.iscn.validate_line import judge_line
from consilium.cytogenetics.iscn.write import write


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be said of a string.

    Attributes:
        text: the string.
        result: what it says; None where it is not well formed.
        findings: the rules it breaks, from left to right.
        canonical: the string in the spelling and order of the current edition; None where it is not well formed.
    """

    text: str
    result: Result | None
    findings: tuple[Finding, ...]
    canonical: str | None

    @property
    def valid(self) -> bool:
        """Whether no rule of severity "error" is broken."""
        return all(finding.severity != "error" for finding in self.findings)


def validate(
    text: str, *, known: Collection[str] = (), without: Collection[str] = (), level: int | None = None
) -> Judgement:
    """Judge a string by the rules of ISCN 2024 (see `rules`).

    Args:
        text: one result, e.g. "47,XY,+21".
        known: abnormalities that an earlier study or another technique has shown, as ISCN writes them with or without
            breakpoints ("t(9;22)", "+8"): one cell is enough for them (4.5.1e, 4.5.3l).
        without: names of rules that are not to be applied.
        level: bands per haploid set at which the cells were read; where it is told, bands that cannot be seen there are
            found (rule "band-unseen") in place of the note on what only the finest ideogram has.
    """
    try:
        result = parse(text)
    except NotISCN as problem:
        finding = Finding("syntax", Span(problem.start, problem.end), _stopped(text, problem), repair(text).suggestion)
        return Judgement(text, None, () if "syntax" in without else (finding,), None)
    findings = [finding for finding in _judge(text, result, known) if finding.rule not in without]
    if level is not None:
        findings = [finding for finding in findings if finding.rule != "band-resolution"]
        unseen = judge_level(text, result, level, {named(one) for one in known})
        findings += [finding for finding in unseen if finding.rule not in without]
    findings.sort(key=lambda finding: finding.span)
    return Judgement(text, result, tuple(findings), write(canonical(result)))


_EXPECTED = {
    "COUNT": ("the number of chromosomes", "染色体数"), "SEX": ("the sex chromosomes", "性染色体"),
    "REFERENCE": ("idem, sl or sdl", "idem、sl 或 sdl"), "SIGN": ("+ or -", "+ 或 -"),
    "KIND": ("an abbreviation such as del or t", "缩写，如 del 或 t"), "CHROMOSOME": ("a chromosome", "染色体编号"),
    "BREAKPOINT": ("a band such as q13", "区带，如 q13"), "CELLS": ("a number of cells as in [20]", "细胞数，如 [20]"),
    "COMMA": ('","', "“,”"), "SEMICOLON": ('";"', "“;”"), "LPAR": ('"("', "“(”"), "RPAR": ('")"', "“)”"),
    "SLASH": ('"/"', "“/”"),
}  # fmt: skip


def _stopped(text: str, problem: NotISCN) -> tuple[tuple[str, str], ...]:
    """Why reading stopped and what could have stood there, in English and Chinese."""
    if problem.zh:
        return ("what", problem.what), ("what_zh", problem.zh)
    names = [name for name in _EXPECTED if name in problem.expected]
    ended = problem.start >= len(text)
    here = repr(text[problem.start : problem.start + 12])
    en = "the string ends too early" if ended else f"{here} cannot stand here"
    zh = "核型不完整" if ended else f"此处不能是 {here}"
    if names:
        en += "; expected one of: " + ", ".join(_EXPECTED[name][0] for name in names)
        zh += "；应为其中之一：" + "、".join(_EXPECTED[name][1] for name in names)
    return ("what", en), ("what_zh", zh)


def _judge(text: str, result: Result, known: Collection[str]) -> Iterator[Finding]:
    told = Told()
    persons = [lines for reading in result.readings for lines in reading.persons]
    counted = any(line.cells is not None for lines in persons for line in lines)
    for lines in persons:
        for at, line in enumerate(lines):
            yield from judge_line(text, line, lines[:at], counted=counted)
            later = line.doubled.items if line.doubled is not None else ()
            for several in (*line.items, *later):
                for item in several:
                    yield from judge_change(text, item, told)
    yield from judge_clones(text, result, known)
