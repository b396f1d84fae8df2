"""Why a karyotype is written as it is, in short sentences, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from consilium.cytogenetics.clones.change import Change
from consilium.cytogenetics.clones.clonality import Rule
from consilium.cytogenetics.clones.families import Role
from consilium.cytogenetics.clones.grouping import Reason
from consilium.cytogenetics.clones.karyotype import ClonalKaryotype, Note
from consilium.cytogenetics.iscn.write import line as write_line

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

CELLS_NAMED = 5
"""How many cells one sentence names; of more it gives the number."""

RULES: Mapping[Rule, Mapping[Language, str]] = {
    "two_cells": {
        "en": "{change} is clonal: {cells} cells show it, and two are enough for a gain or a structural change.",
        "zh": "{change} 为克隆性异常：见于 {cells} 个细胞；获得或结构异常见于 2 个细胞即可认定。",
    },
    "three_cells": {
        "en": "{change} is clonal: {cells} cells show the same loss, and three are enough.",
        "zh": "{change} 为克隆性异常：{cells} 个细胞有相同丢失；相同丢失见于 3 个细胞即可认定。",
    },
    "shared_loss": {
        "en": "{change} is taken for clonal though only {cells} cells show it: they share another clonal change. "
        "Whether to report it is the laboratory's decision.",
        "zh": "{change} 仅见于 {cells} 个细胞，但这些细胞另有相同的克隆性异常，故按克隆性处理；是否报告由实验室决定。",
    },
    "every_cell": {
        "en": "{change} is in every cell, but only {cells} were analysed, fewer than the rule of clonality asks for.",
        "zh": "{change} 见于全部细胞，但仅分析了 {cells} 个细胞，少于克隆性判定所需的数目。",
    },
    "previous_study": {
        "en": "{change} is reported though {cells} cell(s) show it: an earlier study found it.",
        "zh": "{change} 见于 {cells} 个细胞：既往检查曾检出，故予报告。",
    },
    "confirmed": {
        "en": "{change} is reported though {cells} cell(s) show it: another technique confirmed it.",
        "zh": "{change} 见于 {cells} 个细胞：已由其他技术证实，故予报告。",
    },
    "constitutional": {
        "en": "{change} is constitutional: {cells} cell(s) show it.",
        "zh": "{change} 为先天性异常：见于 {cells} 个细胞。",
    },
    "doubled": {
        "en": "{change} is reported though {cells} cell(s) show it: other cells show it doubled.",
        "zh": "{change} 见于 {cells} 个细胞：其他细胞中可见其加倍，故予报告。",
    },
    "single_cell": {
        "en": "{change} is not clonal: one independent cell shows it ({names}).",
        "zh": "{change} 不是克隆性异常：仅见于 1 个独立细胞（{names}）。",
    },
    "too_few_losses": {
        "en": "{change} is taken for a chance loss: {cells} cell(s) show it ({names}), and three are needed.",
        "zh": "{change} 视为随机丢失：仅见于 {cells} 个细胞（{names}），需 3 个细胞方可认定。",
    },
    "one_colony": {
        "en": "{change} is not clonal: its {cells} cells are all of one colony ({names}).",
        "zh": "{change} 不能认定为克隆性异常：{cells} 个细胞均来自同一集落（{names}）。",
    },
    "one_culture": {
        "en": "{change} is pseudomosaicism of level II: its {cells} cells are all of one culture ({names}). "
        "It is not in the karyotype; consider more cells of other cultures.",
        "zh": "{change} 为 II 级假嵌合：{cells} 个细胞均来自同一培养体系（{names}）。"
        "未写入核型；建议增加其他培养体系的细胞。",
    },
    "scattered": {
        "en": "{change} is in {cells} cells, but never in enough cells of one clone: it is not reported ({names}).",
        "zh": "{change} 见于 {cells} 个细胞，但均未在同一克隆中达到所需细胞数，故未报告（{names}）。",
    },
}

LEVELS: Mapping[int, Mapping[Language, str]] = {
    1: {
        "en": "{change}: a single cell, level I (pseudomosaicism).",
        "zh": "{change}：仅 1 个细胞，I 级（假嵌合）。",
    },
    3: {
        "en": "{change}: cells of several cultures, level III (true mosaicism, where normal cells are there too).",
        "zh": "{change}：见于多个培养体系，III 级（若同时存在正常细胞，则为真性嵌合）。",
    },
}

ROLES: Mapping[Role, Mapping[Language, str]] = {
    "stemline": {"en": "Stemline {line}: {cells} cell(s).", "zh": "干系 {line}：{cells} 个细胞。"},
    "sideline": {"en": "Sideline {line}: {cells} cell(s).", "zh": "旁系 {line}：{cells} 个细胞。"},
    "clone": {"en": "Cell line {line}: {cells} cell(s).", "zh": "细胞系 {line}：{cells} 个细胞。"},
    "constitutional": {
        "en": "Cells with the constitutional karyotype alone, {line}: {cells}.",
        "zh": "仅有先天核型的细胞 {line}：{cells} 个。",
    },
    "normal": {"en": "Normal cells {line}: {cells}.", "zh": "正常细胞 {line}：{cells} 个。"},
}

CONFINED: Mapping[Language, str] = {
    "en": "{change} is confined to one of several cultures: it may have arisen there.",
    "zh": "{change} 仅限于多个培养体系中的一个：可能系培养中产生。",
}

COMPOSITE: Mapping[Language, str] = {
    "en": "No two clones can be told apart in these cells, so they are one composite karyotype.",
    "zh": "这些细胞中无法区分出各个克隆，故写为复合核型。",
}

REASONS: Mapping[Reason, Mapping[Language, str]] = {
    "random_loss": {
        "en": "Cell {cell}: {differs}; taken for chance, the cell counts to its line.",
        "zh": "细胞 {cell}：{differs}；视为随机丢失，该细胞仍计入所属细胞系。",
    },
    "single_cell": {
        "en": "Cell {cell}: {differs}; not clonal{counted}.",
        "zh": "细胞 {cell}：{differs}；非克隆性{counted}。",
    },
    "single_combination": {
        "en": "Cell {cell}: {differs}; no other cell has this combination{counted}.",
        "zh": "细胞 {cell}：{differs}；其他细胞均无此组合{counted}。",
    },
    "broken": {
        "en": "Cell {cell}: {differs}; so many chromosomes are missing that the cell is not counted.",
        "zh": "细胞 {cell}：{differs}；缺失染色体过多，该细胞不计数。",
    },
    "incomplete": {
        "en": "Cell {cell} could not be analysed wholly and is not counted.",
        "zh": "细胞 {cell} 未能完整分析，不计数。",
    },
    "one_culture": {
        "en": "Cell {cell}: {differs}; pseudomosaicism, the cell is not counted.",
        "zh": "细胞 {cell}：{differs}；假嵌合，该细胞不计数。",
    },
}

NOT_COUNTED: Mapping[Language, str] = {"en": "; the cell is not counted", "zh": "；该细胞不计数"}
SEEN: Mapping[Language, str] = {"en": "has {changes}", "zh": "有 {changes}"}
MISSING: Mapping[Language, str] = {"en": "lacks {changes}", "zh": "缺 {changes}"}
NAMED: Mapping[Language, str] = {"en": "{names} and {more} more", "zh": "{names} 等 {all} 个细胞"}
ALIKE: Mapping[Language, str] = {
    "en": "{change} and {others} may be the same change, told with different certainty: look again.",
    "zh": "{change} 与 {others} 可能为同一异常，仅描述的确定程度不同：请复核。",
}

NOTES: Mapping[Note, Mapping[Language, str]] = {
    "sex_not_told": {
        "en": "The sex was not told; it was taken from the cells.",
        "zh": "未提供性别信息，性染色体组成由细胞推断。",
    },
    "sex_differs": {
        "en": "The sex chromosomes of the cells do not fit the sex told: exclude a mix-up of specimens.",
        "zh": "细胞的性染色体与所提供的性别不符：请排除标本混淆。",
    },
    "two_sexes": {
        "en": "XX and XY cells lie side by side: cells of another person, a chimera, or a mix-up have to be excluded.",
        "zh": "同时存在 XX 与 XY 细胞：需排除他人细胞污染、嵌合体（chimera）或标本混淆。",
    },
    "one_culture_only": {
        "en": "All cells are of one culture: true mosaicism cannot be told from pseudomosaicism.",
        "zh": "所有细胞来自同一培养体系：无法区分真性嵌合与假嵌合。",
    },
}


def describe(karyotype: ClonalKaryotype, language: Language = "en") -> tuple[str, ...]:
    """Say what was decided and why: the whole case, its lines, its changes, then single cells.

    The rules are those of ISCN 2024, 4.5.1, 6.3 and 6.4.
    """
    said = [NOTES[note][language] for note in karyotype.notes]
    for clone, line in zip(karyotype.clones, karyotype.result.persons[0], strict=True):
        said.append(ROLES[clone.role][language].format(line=write_line(line), cells=len(clone.cells)))
        if clone.composite:
            said.append(COMPOSITE[language])
    paired: set[Change] = set()
    for finding in karyotype.findings:
        # The second copy of a gain is another finding than the first.
        change = ",".join([finding.change.text] * finding.change.nth)
        names = _named(finding.cells, language)
        said.append(RULES[finding.rule][language].format(change=change, cells=len(finding.cells), names=names))
        if finding.pseudomosaicism in LEVELS:
            said.append(LEVELS[finding.pseudomosaicism][language].format(change=change))
        if finding.confined and finding.clonal:
            said.append(CONFINED[language].format(change=change))
        if finding.alike and finding.change not in paired:
            others = ", ".join(other.text for other in finding.alike)
            said.append(ALIKE[language].format(change=change, others=others))
            paired.update(finding.alike)
    for aside in karyotype.set_aside:
        differs = ", ".join(
            template[language].format(changes=_changes(changes))
            for template, changes in ((SEEN, aside.seen), (MISSING, aside.missing))
            if changes
        )
        counted = "" if aside.counted else NOT_COUNTED[language]
        said.append(REASONS[aside.reason][language].format(cell=aside.cell, differs=differs, counted=counted))
    return tuple(said)


def _changes(changes: Sequence[Change]) -> str:
    return ", ".join(change.text for change in changes)


def _named(names: Sequence[str], language: Language) -> str:
    if len(names) <= CELLS_NAMED:
        return ", ".join(names)
    shown = ", ".join(names[:CELLS_NAMED])
    return NAMED[language].format(names=shown, more=len(names) - CELLS_NAMED, all=len(names))
