"""What the cells of a case say together: its karyotype in ISCN 2024, its evidence, and what has to be looked at.

All of it is a draft for the person who signs. The karyotype is that of `cytogenetics.clones`; here is what comes before
(which automatically read cells may speak for what they lack) and after: evidence, disorders, guidelines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from consilium.cytogenetics.clones.cell import AUTOSOMES
from consilium.cytogenetics.clones.change import added
from consilium.cytogenetics.clones.clonality import CELLS_FOR_A_GAIN, Rule, find_clonal
from consilium.cytogenetics.clones.families import Clone, Role
from consilium.cytogenetics.clones.karyotype import ClonalKaryotype
from consilium.cytogenetics.clones.setting import Setting, observe
from consilium.cytogenetics.guidelines import mosaicism_excluded
from consilium.cytogenetics.iscn.rules import Finding as BrokenRule
from consilium.cytogenetics.iscn.tree import Counted, Whole
from consilium.cytogenetics.iscn.validate import validate
from consilium.cytogenetics.iscn.write import line as write_line
from consilium.errors import InputError, NothingToDo
from consilium.karyotype.analysable import ReadCell, cells_beyond_mistakes, read_cells
from consilium.karyotype.count import count_cell
from consilium.karyotype.guideline_checks import GuidelineCheck, guideline_checks
from consilium.karyotype.metaphase import CLASSES, UNSURE, Case, Metaphase, Suspect
from consilium.karyotype.read_clones import cells_needed, comparable, largest_line, read_clones
from consilium.karyotype.request import AMNIOTIC_SPECIMENS, Request
from consilium.karyotype.touched import Touched, touched

ISCN_EDITION = "ISCN 2024"

Outcome = Literal["written", "no_cells", "nothing_clonal", "contradiction", "not_valid"]
"""Whether there is a string, or why not:

    written         it is there
    no_cells        no image could be used
    nothing_clonal  no change is clonal and no cell is normal
    contradiction   the cells contradict each other or what was told
    not_valid       the own string breaks a rule of ISCN: it is withheld, which is a defect of Consilium
"""

Disclosure = Literal["stated", "withheld", "pending"]
"""What is given out of the sex: all of it, U in its place, or no karyotype yet (`withheld_sex`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """One cell that shows a change.

    Attributes:
        image: its image.
        chromosomes: indices of its chromosomes of that class; of a loss, those that are left.
        doubtful: whether one of them carries a flag, or the cell was not wholly read.
    """

    image: str
    chromosomes: tuple[int, ...]
    doubtful: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Abnormality:
    """A clonal change.

    Attributes:
        change: as it is written, e.g. "+21"; "4n" for a ploidy level.
        chromosome: the class it concerns; empty for markers and ploidy levels.
        kind: "gain", "loss", "structural" (markers) or "ploidy".
        nth: the second extra copy of a class is 2.
        rule: by which rule it is clonal.
        cells: the cells that show it, best first.
    """

    change: str
    chromosome: str
    kind: Literal["gain", "loss", "structural", "ploidy"]
    nth: int
    rule: Rule
    cells: tuple[Evidence, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the karyotype.

    Attributes:
        written: as it stands in the string.
        role: what it is among the others.
        changes: what it has changed.
        cells: images of its cells: those wholly read first, then those that show just the line, then by quality. The
            first one is shown.
        copies: chromosomes of each class, `UNSURE` for markers.
        few: whether mistakes of reading alone could show as many cells.
        needed: from how many cells on they hardly could.
        composite: no clones could be told apart in it.
    """

    written: str
    role: Role
    changes: tuple[str, ...]
    cells: tuple[str, ...]
    copies: tuple[tuple[str, int], ...]
    few: bool
    needed: int
    composite: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Attention:
    """One thing about the conclusion that has to be looked at first; `conclusion_wording.ATTENTION` says it in words.

    Attributes:
        code: stable, for machines.
        values: what the sentence is filled with.
    """

    code: str
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Conclusion:
    """What a case says; see the module.

    Attributes:
        request: what was told.
        outcome: whether there is a string.
        iscn: the string; empty unless `outcome` is "written".
        karyotype: how it came about; None where there is none.
        cells: how each cell went into it, best first.
        lines: in the order of the string.
        abnormalities: in the order of a line.
        broken_rules: what the validator says of the own string.
        agrees: whether the line of most cells is the modal karyotype of the case; None where there is no line.
        modal_karyotype: of the case.
        touched: what is known about the changes, by change, strongest evidence first.
        counted: cells that count to a line; without lines, those that were wholly read.
        band_level: bands per haploid set: as told, else the median estimate of the cells that count; 0 if unknown.
        checks: what guidelines ask; empty where the specimen was not told.
        mosaicism: the smallest part of other cells that the counted ones exclude at 95 %; None for a mosaic, and
            for one cell, which excludes next to nothing.
        attention: what has to be looked at before anything else (`conclusion_wording.ATTENTION`).
        disclosed: what of the sex is in it, where it is one to be given out (`withheld_sex.withhold`); None for the
            laboratory's own, which has all.
    """

    request: Request
    outcome: Outcome
    iscn: str = ""
    karyotype: ClonalKaryotype | None = None
    cells: tuple[ReadCell, ...] = ()
    lines: tuple[Line, ...] = ()
    abnormalities: tuple[Abnormality, ...] = ()
    broken_rules: tuple[BrokenRule, ...] = ()
    agrees: bool | None = None
    modal_karyotype: str = ""
    touched: tuple[Touched, ...] = ()
    counted: int = 0
    band_level: int = 0
    checks: tuple[GuidelineCheck, ...] = ()
    mosaicism: float | None = None
    attention: tuple[Attention, ...] = ()
    disclosed: Disclosure | None = None

    @property
    def incomplete(self) -> tuple[ReadCell, ...]:
        """Cells that were not wholly read."""
        return tuple(one for one in self.cells if one.why)


def conclude(case: Case, request: Request | None = None) -> Conclusion:
    """Draw the conclusion of a case, for a person to check.

    Args:
        case: the case, best cell first.
        request: what was told; nothing when left out.
    """
    request = request or Request()
    read = read_cells(case.cells)
    setting = Setting(
        neoplastic=request.looks_for_acquired,
        sex=request.sex_chromosomes,
        amniotic=request.specimen in AMNIOTIC_SPECIMENS,
    )
    outcome: Outcome = "written"
    karyotype: ClonalKaryotype | None = None
    if not read:
        outcome = "no_cells"
    else:
        try:
            karyotype, read = read_clones(read, setting)
        except NothingToDo:
            outcome = "nothing_clonal"
        except InputError:
            outcome = "contradiction"
    iscn = str(karyotype) if karyotype else ""
    broken = validate(iscn).findings if iscn else ()
    if any(one.severity == "error" for one in broken):
        iscn, outcome = "", "not_valid"
    lines = _lines(karyotype, read, setting) if karyotype else ()
    agrees = _agrees(lines, case.modal_karyotype) if lines else None
    counting = {name for line in lines for name in line.cells} or {one.cell.name for one in read if not one.why}
    levels = [
        metaphase.quality.band_level
        for metaphase, one in zip(case.cells, read, strict=True)
        if one.cell.name in counting and metaphase.quality.band_level
    ]
    band_level = request.band_level or (round(median(levels)) if levels else 0)
    abnormalities = _abnormalities(karyotype, case.cells, read) if karyotype else ()
    alike = len(lines) == 1 and len(lines[0].cells) > 1 and not lines[0].composite
    alone = alike and not request.looks_for_acquired and outcome == "written"
    return Conclusion(
        request=request,
        outcome=outcome,
        iscn=iscn,
        karyotype=karyotype,
        cells=read,
        lines=lines,
        abnormalities=abnormalities,
        broken_rules=broken,
        agrees=agrees,
        modal_karyotype=case.modal_karyotype,
        touched=touched(
            [(one.change, one.chromosome, one.kind) for one in abnormalities],
            [] if request.looks_for_acquired else [dict(line.copies) for line in lines if not line.composite],
            neoplastic=request.looks_for_acquired,
        ),
        counted=len(counting),
        band_level=band_level,
        checks=guideline_checks(
            request.specimen,
            counted=len(counting),
            band_level=band_level or None,
            mosaic=len(lines) > 1 and not request.looks_for_acquired,
        ),
        mosaicism=mosaicism_excluded(len(lines[0].cells)) if alone else None,
        attention=_attention(outcome, karyotype, read, lines, broken, agrees, case, setting),
    )


def _lines(karyotype: ClonalKaryotype, read: Sequence[ReadCell], setting: Setting) -> tuple[Line, ...]:
    sex = observe(comparable(read), setting).sex
    differing = {aside.cell for aside in karyotype.set_aside}
    rank = {one.cell.name: (bool(one.why), one.cell.name in differing, place) for place, one in enumerate(read)}
    by_person = {one.cell.name for one in read if one.by_person}
    largest = largest_line(karyotype.clones)
    lines = []
    for clone, written in zip(karyotype.clones, karyotype.result.persons[0], strict=True):
        needed = cells_needed(clone, largest, len(read))
        sure = clone is largest and clone.role == "normal"
        lines.append(
            Line(
                written=write_line(written),
                role=clone.role,
                changes=tuple(change.text for change in clone.changes),
                cells=tuple(sorted(clone.cells, key=lambda name: rank[name])),
                copies=_copies(clone, sex.at(clone.level)),
                few=not sure and len(clone.cells) < needed and not by_person.issuperset(clone.cells),
                needed=needed,
                composite=clone.composite,
            )
        )
    return tuple(lines)


def _copies(clone: Clone, sex: Counter[str]) -> tuple[tuple[str, int], ...]:
    copies = Counter(dict.fromkeys(AUTOSOMES, clone.level))
    copies.update(sex)
    for change in clone.changes:
        if change.item is None:
            continue
        whole = change.item.abnormality
        # A derivative without a sign stands in for a normal chromosome and adds none.
        copies[whole.chromosome if isinstance(whole, Whole) else UNSURE] += added(change.item)
    return tuple((label, copies[label]) for label in (*CLASSES, UNSURE) if copies[label] > 0)


def _agrees(lines: Sequence[Line], modal: str) -> bool:
    """Whether the line of most cells, written as `count` writes karyotypes, is the modal one."""
    line = max(lines, key=lambda one: (len(one.cells), len(one.changes)))
    return count_cell(Counter(dict(line.copies)).elements())[1] == modal


def _abnormalities(
    karyotype: ClonalKaryotype, cells: Sequence[Metaphase], read: Sequence[ReadCell]
) -> tuple[Abnormality, ...]:
    found = []
    for finding in karyotype.findings:
        if not finding.clonal:
            continue
        abnormality = finding.change.item.abnormality if finding.change.item else None
        chromosome = abnormality.chromosome if isinstance(abnormality, Whole) else ""
        label = chromosome or (UNSURE if isinstance(abnormality, Counted) else "")
        showing = set(finding.cells)
        evidence = [
            _evidence(cell, label, doubtful=bool(one.why))
            for cell, one in zip(cells, read, strict=True)
            if one.cell.name in showing
        ]
        found.append(
            Abnormality(
                change=finding.change.text,
                chromosome=chromosome,
                kind=finding.change.kind,
                nth=finding.change.nth,
                rule=finding.rule,
                cells=tuple(evidence),
            )
        )
    return tuple(found)


def _evidence(cell: Metaphase, label: str, *, doubtful: bool) -> Evidence:
    indices = tuple(index for index, one in enumerate(cell.chromosomes) if label and one.label == label)
    flagged = any(cell.chromosomes[index].flags for index in indices)
    return Evidence(image=cell.image, chromosomes=indices, doubtful=doubtful or flagged)


def _attention(
    outcome: Outcome,
    karyotype: ClonalKaryotype | None,
    read: Sequence[ReadCell],
    lines: Sequence[Line],
    broken: Sequence[BrokenRule],
    agrees: bool | None,
    case: Case,
    setting: Setting,
) -> tuple[Attention, ...]:
    flags: list[Attention] = []
    if outcome != "written":
        flags.append(Attention(code=outcome))
    flags += [Attention(code=note) for note in (karyotype.notes if karyotype else ()) if note != "sex_not_told"]
    flags += [
        Attention(
            code="few_cells",
            values={"line": line.written, "cells": len(line.cells), "all": len(read), "needed": line.needed},
        )
        for line in lines
        if line.few
    ]
    flags += [Attention(code="broken_rule", values={"rule": one.rule}) for one in broken]
    if agrees is False:
        flags.append(Attention(code="modal_differs", values={"modal": case.modal_karyotype}))
    incomplete = sum(bool(one.why) for one in read)
    if incomplete:
        flags.append(Attention(code="incomplete_cells", values={"cells": incomplete, "all": len(read)}))
    shared = _not_written(read, lines, setting) if read else []
    told = {change for line in lines for change in line.changes} | {str(one.values["change"]) for one in shared}
    flags += [
        Attention(code="numerical_suspected", values={"change": str(one.values["change"])})
        for one in case.flags
        if one.code == "numerical_suspected" and one.values["change"] not in told
    ]
    flags += [_suspected(one) for one in case.suspects]
    return (*flags, *shared)


def _suspected(one: Suspect) -> Attention:
    first, last = one.bands
    place = f"{one.chromosome}{first}" if first == last else f"{one.chromosome}{first}-{last}"
    values: dict[str, str | int] = {"chromosome": one.chromosome, "place": place, "cells": len(one.cells), "of": one.of}
    return Attention(code="structure_suspected", values=values)


def _not_written(read: Sequence[ReadCell], lines: Sequence[Line], setting: Setting) -> list[Attention]:
    """Changes that several cells share, wholly read or not, and that no line has: a gain from two cells on."""
    written = {change for line in lines for change in line.changes}
    try:
        findings = find_clonal(observe(comparable(read), setting), setting)
    except InputError:
        return []
    return [
        Attention(
            code="shared_not_written", values={"change": change.text, "cells": len(finding.cells), "all": len(read)}
        )
        for change, finding in findings.items()
        if change.nth == 1 and change.text not in written
        if len(finding.cells)
        >= (cells_beyond_mistakes(len(read), "fewer") if change.kind == "loss" else CELLS_FOR_A_GAIN)
    ]
