"""The sex is not to be reported: what of a case may leave the laboratory (ISCN 2024, 5.2: U stands for XX or XY).

Reports and karyograms are made of what `withhold` returns; X and Y are not in it at all, so that no part of a report
has to remember to leave them out. case.json is the laboratory's own record and keeps everything.

A change of the sex chromosomes is a finding and is reported; the sex then shows. One that so few cells show that
misreading explains it would give the sex away for nothing: until somebody has confirmed it, no karyotype is given out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from consilium.cytogenetics.iscn.parse import NotISCN, parse
from consilium.cytogenetics.iscn.tree import Line as WrittenLine
from consilium.cytogenetics.iscn.tree import Sex
from consilium.cytogenetics.iscn.write import line as write_line
from consilium.cytogenetics.iscn.write import write
from consilium.karyotype.conclusion import Attention, Conclusion, Disclosure, Line
from consilium.karyotype.metaphase import CLASSES, Case, Chromosome, Flag, Metaphase

SEX_CHROMOSOMES = frozenset({"X", "Y"})
UNDISCLOSED = "U"

_USUAL = frozenset({"XX", "XY"})
_TELLING = frozenset({"unusual_sex_chromosomes"})
_SPEAKING_OF_SEX = frozenset({"two_sexes", "broken_rule"})
"""Codes of attention whose sentences may tell the sex chromosomes."""


def disclosure(conclusion: Conclusion) -> Disclosure:
    """What may be given out of the sex, as the request has it.

    XX beside XY is no finding before cells of the mother, or a mix-up, are excluded.
    """
    if not conclusion.request.withhold_sex:
        return "stated"
    changed = [line for line in conclusion.lines if not _usual_sex(line)]
    usual = {"Y" in _sex(line) for line in conclusion.lines if _usual_sex(line)}
    if len(usual) > 1 or conclusion.outcome in ("contradiction", "not_valid"):
        return "pending"
    if changed:
        return "pending" if all(line.few for line in changed) else "stated"
    return "withheld"


def disclosed_iscn(conclusion: Conclusion) -> str:
    """The karyotype that may be given out; empty where there is none."""
    given = disclosure(conclusion)
    if given == "pending" or not conclusion.iscn:
        return ""
    return conclusion.iscn if given == "stated" else _without_sex(conclusion.iscn)


def withhold(case: Case, conclusion: Conclusion) -> tuple[Case, Conclusion]:
    """Take the sex out of a case and its conclusion, where that was asked for and nothing speaks against it.

    Args:
        case: the whole case.
        conclusion: what it says.

    Returns:
        Both as they are to be reported; where the sex is stated, the same case, and the conclusion says why.
    """
    given = disclosure(conclusion)
    if given == "stated":
        told = (Attention(code="sex_stated"),) if conclusion.request.withhold_sex else ()
        return case, replace(conclusion, attention=(*told, *conclusion.attention), disclosed=given)
    return _case(case), _conclusion(conclusion, given)


def _sex(line: Line) -> str:
    copies = dict(line.copies)
    return "X" * copies.get("X", 0) + "Y" * copies.get("Y", 0)


def _usual_sex(line: Line) -> bool:
    """Whether a line has XX or XY, or as many sex chromosomes as its ploidy gives it."""
    sex = _sex(line)
    return sex in _USUAL or len(sex) == dict(line.copies).get("1", 2) > 2


def given_out(iscn: str) -> str:
    """A karyotype that a person wrote, with U for its sex chromosomes; empty where something else in it tells them.

    Examples:
        >>> given_out("47,XY,+21"), given_out("47,XXY"), given_out("46,Y,t(X;1)(p22;q21)")
        ('47,U,+21', '', '')
    """
    try:
        result = parse(iscn)
    except NotISCN:
        return ""
    bases = [line.base for lines in result.persons for line in lines]
    usual = all(base.chromosomes in _USUAL for base in bases if isinstance(base, Sex))
    hidden = _without_sex(iscn) if usual else ""
    return "" if _tells(hidden) else hidden


def _without_sex(iscn: str) -> str:
    result = parse(iscn)
    persons = tuple(
        tuple(replace(line, base=Sex(UNDISCLOSED)) if isinstance(line.base, Sex) else line for line in lines)
        for lines in result.persons
    )
    return write(replace(result, persons=persons))


def undisclosed(written: str) -> str:
    """A cell's or a case's karyotype as `count` writes it, with U for its sex chromosomes.

    Examples:
        >>> undisclosed("47,XY,+21"), undisclosed("45,X")
        ('47,U,+21', '45,U')
    """
    if not written:
        return ""
    count, _, *items = written.split(",")
    return ",".join([count, UNDISCLOSED, *(item for item in items if not _tells(item))])


def _tells(text: object) -> bool:
    return isinstance(text, str) and any(label in text for label in SEX_CHROMOSOMES)


def _case(case: Case) -> Case:
    cells = tuple(_cell(cell) for cell in case.cells)
    modal = undisclosed(case.modal_karyotype)
    return replace(
        case,
        cells=cells,
        modal_karyotype=modal,
        disagreeing=tuple(cell.image for cell in cells if cell.karyotype != modal),
        flags=_flags(case.flags),
        suspects=tuple(one for one in case.suspects if one.chromosome not in SEX_CHROMOSOMES),
    )


def _cell(cell: Metaphase) -> Metaphase:
    return replace(
        cell,
        chromosomes=tuple(_chromosome(one) for one in cell.chromosomes if one.label not in SEX_CHROMOSOMES),
        karyotype=undisclosed(cell.karyotype),
        gains=tuple(label for label in cell.gains if label not in SEX_CHROMOSOMES),
        losses=tuple(label for label in cell.losses if label not in SEX_CHROMOSOMES),
        flags=_flags(cell.flags),
        sex_withheld=True,
    )


def _chromosome(one: Chromosome) -> Chromosome:
    probabilities = one.probabilities.copy()
    probabilities[[CLASSES.index(label) for label in SEX_CHROMOSOMES]] = 0
    return replace(one, probabilities=probabilities, flags=_flags(one.flags))


def _flags(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    return tuple(
        flag for flag in flags if flag.code not in _TELLING and not any(_tells(value) for value in flag.values.values())
    )


def _conclusion(conclusion: Conclusion, given: Disclosure) -> Conclusion:
    lines = () if given == "pending" else tuple(
        replace(line, written=write_line(_line_without_sex(line, conclusion, at)))
        for at, line in enumerate(conclusion.lines)
    )  # fmt: skip
    written = {old.written: new.written for old, new in zip(conclusion.lines, lines, strict=False)}
    attention = [
        replace(flag, values={key: _value(value, written) for key, value in flag.values.items()})
        for flag in conclusion.attention
        if flag.code not in _SPEAKING_OF_SEX
        and not any(_tells(flag.values.get(key)) for key in ("change", "chromosome"))
        and not (given == "pending" and flag.code in ("few_cells", "modal_differs"))
    ]
    hidden = len(attention) < len(conclusion.attention)
    told = Attention(code="sex_pending" if given == "pending" else "sex_withheld")
    more = [Attention(code="sex_to_be_looked_at")] if hidden and given == "withheld" else []
    return replace(
        conclusion,
        request=replace(conclusion.request, sex=""),
        iscn=disclosed_iscn(conclusion),
        karyotype=None,
        lines=lines,
        abnormalities=tuple(one for one in conclusion.abnormalities if one.chromosome not in SEX_CHROMOSOMES),
        broken_rules=(),
        touched=tuple(one for one in conclusion.touched if not _tells(one.change)),
        mosaicism=None if given == "pending" else conclusion.mosaicism,
        modal_karyotype=undisclosed(conclusion.modal_karyotype),
        attention=(told, *more, *attention),
        disclosed=given,
    )


def _line_without_sex(line: Line, conclusion: Conclusion, at: int) -> WrittenLine:
    assert conclusion.karyotype is not None
    written = conclusion.karyotype.result.persons[0][at]
    return replace(written, base=Sex(UNDISCLOSED)) if isinstance(written.base, Sex) else written


def _value(value: str | int, written: dict[str, str]) -> str | int:
    if not isinstance(value, str):
        return value
    if value in written:
        return written[value]
    return undisclosed(value) if _tells(value) else value
