"""Whether a report may be signed: what still stands in its way, and the way out.

Pure: `Facts` is what a case has at a moment, `ReleaseRules` is what the laboratory settled, and `blockers` says what
is missing. The defaults are the strict ones; a laboratory that wants less says so in its profile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from consilium.errors import InputError
from consilium.laboratory.case_states import State
from consilium.laboratory.review.content import LANGS, Check, Lang
from consilium.laboratory.review.differences import Stand
from consilium.laboratory.review.release_wording import BLOCKERS, FIGURE_WORDS, TAKES, Place


@dataclass(frozen=True, kw_only=True)
class ReleaseRules:
    """What a laboratory wants before a report leaves it.

    Attributes:
        flagged_reviewed: every flagged chromosome of an analysed cell was confirmed or edited by a person.
        second_reading_cells: cells that the second reader reads herself, beside the karyotype of the case; where the
            laboratory wants a second reader at all (`Profile.second_reader`).
        blind: the second reader says what she sees before she is shown what the first one said.
        iscn_valid: the karyotype breaks no rule of ISCN, or a person has told why it stands nevertheless.
        guideline_reasons: a figure of the guidelines that is missed has a reason beside it.
        withhold_sex_of: specimens whose reports do not tell the sex, unless the person who reports decides otherwise.
    """

    flagged_reviewed: bool = True
    second_reading_cells: int = 2
    blind: bool = True
    iscn_valid: bool = True
    guideline_reasons: bool = True
    withhold_sex_of: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("flagged_reviewed", "blind", "iscn_valid", "guideline_reasons"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} is true or false")
        if type(self.second_reading_cells) is not int or not 0 <= self.second_reading_cells <= 100:
            raise InputError("second_reading_cells is a number of cells, 0 to 100")
        if not all(isinstance(one, str) for one in self.withhold_sex_of):
            raise InputError("withhold_sex_of is a list of specimens")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a case has at a moment.

    Attributes:
        state: how far it is.
        unreviewed: by name of an analysed cell, the ids of its flagged chromosomes that nobody looked at.
        second_reader: whether the laboratory wants one.
        read_again: names of the analysed cells that the second reader has read.
        case_read_again: whether she has said the karyotype of the case.
        analysed: names of the analysed cells.
        counted: how many cells were counted.
        stands: differences between both readers.
        iscn: the karyotype that was settled; empty where none was.
        iscn_valid: whether it breaks no rule of severity "error".
        iscn_override: why it stands nevertheless.
        drafted, drafted_then: what the cells say now, and what they said when it was settled.
        interpretation: by language.
        checks: figures of guidelines with the reasons that were told.
        sex_pending: the sex is not to be told, and whether it has to be is not clear yet.
        sex_withheld: the sex is not to be told, and is not.
        karyograms: how many stand in the report.
    """

    state: State
    unreviewed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    second_reader: bool = True
    read_again: frozenset[str] = frozenset()
    case_read_again: bool = False
    analysed: tuple[str, ...] = ()
    counted: int = 0
    stands: tuple[Stand, ...] = ()
    iscn: str = ""
    iscn_valid: bool = False
    iscn_override: str = ""
    drafted: str = ""
    drafted_then: str = ""
    interpretation: Mapping[Lang, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    sex_pending: bool = False
    sex_withheld: bool = False
    karyograms: int = 0


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """One thing that stands in the way.

    Attributes:
        code: stable, for machines (`release_wording.BLOCKERS`).
        cell: the cell it is about; empty where it is the case.
        objects: ids of the chromosomes it is about.
        values: what its sentence is filled with.
    """

    code: str
    cell: str = ""
    objects: tuple[str, ...] = ()
    values: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """The page on which it is put right."""
        return TAKES[self.code]

    def what(self, lang: Lang) -> str:
        """What stands in the way, one sentence."""
        return BLOCKERS[self.code][lang][0].format(**self._filled(lang))

    def way_out(self, lang: Lang) -> str:
        """What to do about it, one sentence."""
        return BLOCKERS[self.code][lang][1].format(**self._filled(lang))

    def _filled(self, lang: Lang) -> dict[str, str | int]:
        told = dict(self.values) | {"cell": self.cell}
        if "figure" in told:
            told["figure"] = FIGURE_WORDS[str(told["figure"])][lang]
        return told


def review_blockers(facts: Facts, rules: ReleaseRules) -> tuple[Blocker, ...]:
    """What stands in the way of a case becoming reviewed: the cells and both readers."""
    return tuple(_of_cells(facts, rules))


def blockers(facts: Facts, rules: ReleaseRules) -> tuple[Blocker, ...]:
    """What stands in the way of a signature, in the order in which to do it; empty where nothing does."""
    return (*_of_cells(facts, rules), *_of_text(facts, rules), *_of_state(facts))


def _of_cells(facts: Facts, rules: ReleaseRules) -> Iterator[Blocker]:
    if not facts.counted:
        yield Blocker(code="no_cells")
    if rules.flagged_reviewed:
        for cell, objects in facts.unreviewed.items():
            if objects:
                yield Blocker(code="flagged_unreviewed", cell=cell, objects=objects, values={"number": len(objects)})
    if facts.second_reader:
        wanted = min(rules.second_reading_cells, len(facts.analysed))
        done = len(facts.read_again & set(facts.analysed))
        if done < wanted:
            yield Blocker(code="second_reading_cells", values={"done": done, "wanted": wanted})
        if not facts.case_read_again:
            yield Blocker(code="second_reading_case")
    for stand in facts.stands:
        if stand.standing == "settled":
            continue
        one = stand.difference
        code = "disagreement_open" if stand.standing == "open" else "disagreement_to_carry_out"
        kind = "case" if not one.cell else "cell"
        told = {"first": one.first or "–", "second": one.second or "–", "chromosomes": ", ".join(one.chromosomes)}
        objects = (one.of,) if one.of else ()
        yield Blocker(code=f"{code}_{kind}", cell=one.cell, objects=objects, values=told)


def _of_text(facts: Facts, rules: ReleaseRules) -> Iterator[Blocker]:
    if not facts.iscn:
        yield Blocker(code="iscn_missing")
    else:
        if rules.iscn_valid and not facts.iscn_valid and not facts.iscn_override.strip():
            yield Blocker(code="iscn_invalid", values={"iscn": facts.iscn})
        if facts.drafted != facts.drafted_then:
            yield Blocker(code="iscn_stale", values={"drafted": facts.drafted or "–"})
    for lang in LANGS:
        text = facts.interpretation.get(lang, "")
        if not text.strip():
            yield Blocker(code=f"interpretation_missing_{lang}")
        elif facts.sex_withheld and tells_sex(text):
            yield Blocker(code=f"interpretation_tells_sex_{lang}")
    if facts.sex_pending:
        yield Blocker(code="sex_pending")
    if rules.guideline_reasons:
        for check in facts.checks:
            if check.met is False and not check.reason.strip():
                missed: dict[str, str | int] = {"asked": check.asked, "found": check.found or 0}
                yield Blocker(code="guideline_missed", values=missed | {"figure": check.what, "source": check.source})
    if not facts.karyograms:
        yield Blocker(code="no_karyogram")


def _of_state(facts: Facts) -> Iterator[Blocker]:
    if facts.state in ("signed", "amended"):
        yield Blocker(code="signed_already")
    elif facts.state != "reviewed":
        yield Blocker(code="not_reviewed")


_SEX = re.compile(
    r"(?<![A-Za-z])X{1,4}Y{0,3}(?![A-Za-z])|(?<![A-Za-z])Y(?![A-Za-z])|\b(fe)?males?\b|\bboys?\b|\bgirls?\b"
    r"|男|女(?!士)|[XYＸＹ]\s*染色体",
    re.IGNORECASE,
)


def tells_sex(text: str) -> bool:
    """Whether a text seems to tell the sex, in English or Chinese; rather once too often.

    Examples:
        >>> tells_sex("46,XY was found."), tells_sex("No gain or loss was found: 46,U.")
        (True, False)
    """
    return _SEX.search(text) is not None
