"""What the cells of a case say by now, as a draft for whoever writes its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from consilium.cytogenetics.guidelines import mosaicism_excluded
from consilium.cytogenetics.iscn.parse import NotISCN, parse
from consilium.cytogenetics.iscn.write import line as write_line
from consilium.karyotype.conclusion import Conclusion, Disclosure, conclude
from consilium.karyotype.conclusion_wording import LIMITATIONS, STRUCTURE, interpretation
from consilium.karyotype.guideline_checks import GuidelineCheck, guideline_checks
from consilium.karyotype.metaphase import Case
from consilium.karyotype.request import Request
from consilium.karyotype.withheld_sex import disclosure, given_out, withhold
from consilium.laboratory.analysis.worksheet import case_of
from consilium.laboratory.review.cell_now import CellNow
from consilium.laboratory.review.content import LANGS, CellLine, Lang, Mosaicism

_READ: Mapping[Lang, str] = {
    "en": "Cells were read by a program and checked by people; those that are named as counted, analysed and "
    "karyotyped were so by a person.",
    "zh": "细胞先由程序判读，再经人工核对；文中所列计数、分析及核型排列的细胞均由人员完成。",
}
_FIRST: Mapping[Lang, str] = {
    "en": "Cells counted: {counted}; analysed: {analysed}; karyotyped: {karyotyped}.",
    "zh": "共计数 {counted} 个细胞，分析 {analysed} 个，核型排列 {karyotyped} 个。",
}


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What the cells say.

    Attributes:
        cells: all of them, in the order of the case.
        whole: the conclusion with everything in it, for the laboratory.
        shown: the same as it may be given out.
        shown_case: the counted cells as they may be given out.
        disclosed: what of the sex that is.
        checks: figures of guidelines.
    """

    cells: tuple[CellNow, ...]
    whole: Conclusion
    shown: Conclusion
    shown_case: Case
    disclosed: Disclosure
    checks: tuple[GuidelineCheck, ...]

    def acted(self, act: str) -> tuple[str, ...]:
        """Names of the cells for which an act holds."""
        return tuple(one.name for one in self.cells if act in one.acts)

    @property
    def iscn(self) -> str:
        """The karyotype that the cells say; empty where none can be written."""
        return self.whole.iscn


def draft(case_number: str, cells: Sequence[CellNow], request: Request, *, cultures: int | None) -> Draft:
    """Draw up what the cells of a case say.

    Args:
        case_number: of the case.
        cells: all of its cells, best first.
        request: what was told with the specimen.
        cultures: independent cultures; None where none was recorded.
    """
    counted = [one for one in cells if one.acts]
    case = case_of(case_number, tuple(one.metaphase for one in counted))
    whole = conclude(case, request)
    shown_case, shown = withhold(case, whole)
    checks = guideline_checks(
        request.specimen,
        counted=len(counted),
        band_level=whole.band_level or None,
        mosaic=len(whole.lines) > 1 and not request.looks_for_acquired,
        analysed=sum("analysed" in one.acts for one in cells),
        karyotyped=sum("karyotyped" in one.acts for one in cells),
        cultures=cultures,
    )
    return Draft(
        cells=tuple(cells), whole=whole, shown=shown, shown_case=shown_case, disclosed=disclosure(whole), checks=checks
    )


def drafted_interpretation(found: Draft) -> dict[Lang, str]:
    """The draft of the interpretation, a sentence a line, by language."""
    told = {act: len(found.acted(act)) for act in ("analysed", "karyotyped")}
    counted = sum(bool(one.acts) for one in found.cells)
    texts: dict[Lang, str] = {}
    for lang in LANGS:
        said = [one for one in interpretation(found.shown, lang) if one != STRUCTURE[lang]]
        # What was read by a machine is no longer what counts.
        rest = said[1:] if found.shown.lines else said
        texts[lang] = "\n".join([_FIRST[lang].format(counted=counted, **told), *rest])
    return texts


def limitations() -> dict[Lang, tuple[str, ...]]:
    """What a report that people checked cannot say, by language."""
    return {lang: (_READ[lang], *(one[lang] for one in LIMITATIONS[2:])) for lang in LANGS}


def mosaicism(found: Draft) -> Mosaicism | None:
    """What the counted cells exclude; None for a mosaic, and where it does not apply."""
    if found.shown.mosaicism is None:
        return None
    alike = len(found.shown.lines[0].cells)
    return Mosaicism(
        cells=alike, at_95=round(mosaicism_excluded(alike, 0.95), 4), at_99=round(mosaicism_excluded(alike, 0.99), 4)
    )


def settled_iscn(text: str, found: Draft) -> tuple[str, bool]:
    """The karyotype that a person settled, as it may be given out, and whether that is clear.

    Args:
        text: in full, as she wrote it.
        found: what the cells say.

    Returns:
        The string with U for the sex where that was asked for; and False where the cells leave open what may be given
        out, or the string speaks of the sex chromosomes although the cells show nothing there.
    """
    if found.disclosed == "stated" or not text:
        return text, True
    if found.disclosed == "pending":
        return "", False
    hidden = given_out(text)
    return hidden, bool(hidden)


def lines_of(text: str, found: Draft) -> tuple[CellLine, ...]:
    """The lines of the settled karyotype with their cells; none where it is not clear which cell is of which line."""
    drafted = tuple(CellLine(iscn=one.written, cells=one.cells) for one in found.shown.lines)
    if text == found.shown.iscn:
        return drafted
    try:
        written = [write_line(one) for persons in parse(text).persons for one in persons]
    except NotISCN:
        return ()
    if len(written) == len(drafted) == 1:
        return (replace(drafted[0], iscn=written[0]),)
    return drafted if written == [one.iscn for one in drafted] else ()
