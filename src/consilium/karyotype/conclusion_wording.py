"""The sentences of a conclusion, in English and Chinese: a draft for the person who signs, never a diagnosis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from consilium.cytogenetics.clones.wording import NOTES
from consilium.cytogenetics.guidelines import load
from consilium.karyotype.analysable import Why
from consilium.karyotype.conclusion import Abnormality, Attention, Conclusion, Line
from consilium.karyotype.wording import Language

ATTENTION: Mapping[str, Mapping[Language, str]] = {
    "no_cells": {"en": "No image could be used, so there is no karyotype.", "zh": "没有可用的图像，无法给出核型。"},
    "nothing_clonal": {
        "en": "No karyotype can be written: no change is clonal and no cell is normal as it was read. More cells have "
        "to be analysed.",
        "zh": "无法写出核型：自动判读结果中既无克隆性异常，也无正常细胞。需分析更多细胞。",
    },
    "contradiction": {
        "en": "No karyotype can be written: the cells contradict each other or what was told of the patient. Exclude a "
        "mix-up of specimens.",
        "zh": "无法写出核型：各细胞之间，或细胞与所提供的信息相互矛盾。请排除标本混淆。",
    },
    "not_valid": {
        "en": "The karyotype is withheld: the string made of these cells breaks a rule of ISCN. Compare the cells with "
        "the sex that was told; if it fits, please report this as a fault of Consilium.",
        "zh": "核型未予给出：由这些细胞生成的核型式不符合 ISCN 规则。请核对细胞与所提供的性别；"
        "如相符，请作为 Consilium 的缺陷反馈。",
    },
    "few_cells": {
        "en": "{line} is a prompt, not a finding: it rests on {cells} of {all} cells read by a machine, and mistakes "
        "of reading alone can show as many (from {needed} on they hardly do). Look at these cells.",
        "zh": "{line} 仅为提示，尚不能认定：在自动判读的 {all} 个细胞中只见于 {cells} 个，"
        "单凭判读错误也可能出现同样多的细胞（达到 {needed} 个时才不大可能）。请复核这些细胞。",
    },
    "broken_rule": {
        "en": "The validator says of the karyotype: {message}",
        "zh": "核型式校验提示：{message}",
    },
    "modal_differs": {
        "en": "The line of most cells is not the karyotype that most cells show when they are counted plainly "
        "({modal}): the two ways of counting weigh doubtful cells differently.",
        "zh": "细胞数最多的细胞系与直接计数所得的多数细胞核型（{modal}）不同：两种方法对存疑细胞的取舍不同。",
    },
    "incomplete_cells": {
        "en": "Cells not wholly read: {cells} of {all}; these count only for what they show.",
        "zh": "{all} 个细胞中有 {cells} 个未能完整判读：仅其所显示的异常计入。",
    },
    "shared_not_written": {
        "en": "{change} was read in {cells} of {all} cells and is not in the karyotype. Look at these cells.",
        "zh": "{all} 个细胞中有 {cells} 个判读为 {change}，未写入核型。请复核这些细胞。",
    },
    "numerical_suspected": {
        "en": "Names and counts of all cells together speak for {change}, which no line of the karyotype has. A "
        "prompt: look for it in every cell.",
        "zh": "综合所有细胞的判定与计数，提示 {change}，而核型的各细胞系中均没有：仅为提示，请逐个细胞复核。",
    },
    "structure_suspected": {
        "en": "Chromosome {chromosome} looks structurally changed, perhaps near {place}, in {cells} of {of} cell(s): a "
        "prompt, often a false alarm. Compare its homologues, which this report shows.",
        "zh": "染色体 {chromosome} 疑似结构异常，可能在 {place} 附近，见于 {of} 个细胞中的 {cells} 个："
        "仅为提示，常有误报。请比较本报告所示的两条同源染色体。",
    },
    "sex_withheld": {
        "en": "The sex is not reported, as was asked: U stands for the sex chromosomes (ISCN 2024, 5.2).",
        "zh": "按要求不报告性别：以 U 代替性染色体（ISCN 2024，5.2）。",
    },
    "sex_stated": {
        "en": "The sex was not to be reported, but a change of the sex chromosomes was found and cannot be reported "
        "without them. Check this before the report leaves the laboratory.",
        "zh": "申请要求不报告性别，但发现性染色体改变，报告该异常必然涉及性染色体。报告发出前请务必核对。",
    },
    "sex_pending": {
        "en": "The sex is not reported, as was asked, and no karyotype is given out yet: the laboratory has to look at "
        "the sex chromosomes first. What was read stands in case.json, the laboratory's own record.",
        "zh": "按要求不报告性别；须由实验室先行复核性染色体，故暂不给出核型。判读结果见实验室内部记录 case.json。",
    },
    "sex_to_be_looked_at": {
        "en": "Something about the sex chromosomes has to be looked at by the laboratory: it stands in case.json.",
        "zh": "有关性染色体的内容需由实验室复核，见 case.json。",
    },
    **{str(note): words for note, words in NOTES.items()},
}
"""What has to be looked at before anything else, by the code of the flag."""

WHY: Mapping[Why, Mapping[Language, str]] = {
    "far_count": {"en": "count far from 46", "zh": "计数与 46 相差较大"},
    "doubtful_names": {"en": "too many doubtful names", "zh": "归类存疑的染色体过多"},
    "unsure": {"en": "an object without a class, a chromosome missing", "zh": "有未归类对象，且缺少染色体"},
    "no_x": {"en": "no X was read: not compared", "zh": "未判读到 X 染色体：不参与比较"},
    "left_out": {"en": "an object left out, an extra copy possible", "zh": "有未计入的对象，可能为额外拷贝"},
}
"""Why a cell is incomplete."""

STRUCTURE: Mapping[Language, str] = {
    "en": "Structural changes are prompted only where a chromosome looks unlike its homologue in cell after cell, or "
    "plainly so where there is a single one. Small ones are mostly missed, and exchanges of pieces that look alike "
    "cannot be seen: no prompt does not exclude them.",
    "zh": "仅当某条染色体在多个细胞中均与其同源染色体不相称（只有一个细胞时须十分明显）时才提示疑似结构异常。"
    "微小改变大多会漏检，带纹相似片段的互换无法识别：没有提示并不能排除结构异常。",
}
"""What the system does about structure; one phrase, so that it changes in one place."""

LIMITATIONS: tuple[Mapping[Language, str], ...] = (
    STRUCTURE,
    {
        "en": "All cells were read by a machine, which misses, doubles and misnames chromosomes. No person has "
        "analysed or karyotyped a cell yet; every chromosome has to be checked.",
        "zh": "所有细胞均由程序自动判读，可能漏检、重复计数或错误归类染色体。"
        "尚无任何细胞经人工分析或核型排列，每条染色体均须复核。",
    },
    {
        "en": "Where image analysis is used, either the analysis or its check is done at the microscope "
        "(European Cytogeneticists Association, guidelines, 4.2.3).",
        "zh": "使用图像分析时，分析或复核之一须在显微镜下完成（欧洲细胞遗传学家协会指南 4.2.3）。",
    },
    {
        "en": "Mosaicism below the stated part of cells and changes below the resolution of banding are not excluded.",
        "zh": "不能排除低于所述比例的嵌合，以及低于显带分辨率的异常。",
    },
    {
        "en": "Disorders are named because the changed chromosome is known in them; that is no diagnosis.",
        "zh": "所列疾病仅因其与发生改变的染色体相关而列出，不构成诊断。",
    },
)

_SENTENCES: Mapping[str, Mapping[Language, str]] = {
    "read": {
        "en": "Metaphases read automatically: {all}; of these, cells that count to the karyotype: {counted}.",
        "zh": "共自动判读 {all} 个中期分裂相，其中 {counted} 个计入核型。",
    },
    "normal": {
        "en": "No gain or loss of a whole chromosome was found: {iscn}.",
        "zh": "未发现整条染色体的增加或缺失：{iscn}。",
    },
    "line": {"en": "{count} with {line}: {changes}.", "zh": "{cells} 个细胞为 {line}：{changes}。"},
    "normal_line": {
        "en": "{count} normal as read: {line}.",
        "zh": "{cells} 个细胞判读为正常：{line}。",
    },
    "possible_line": {
        "en": "Possibly there is a line {line} ({changes}), read in {count}; this has to be confirmed first.",
        "zh": "可能存在细胞系 {line}（{changes}），判读见于 {cells} 个细胞；须先予证实。",
    },
    "possible_normal_line": {
        "en": "{count} read as normal ({line}); whether there is such a line has to be confirmed first.",
        "zh": "{cells} 个细胞判读为正常（{line}）；是否确有该细胞系须先予证实。",
    },
    "known": {
        "en": "{karyotype} is known as {name}. Whether this applies is for the physician who signs.",
        "zh": "{karyotype} 见于{name}。是否适用由签发医师判断。",
    },
    "known_if": {
        "en": "{karyotype}, if it is confirmed, is known as {name}. Whether it applies is for the physician who signs.",
        "zh": "{karyotype} 若得到证实，见于{name}。是否适用由签发医师判断。",
    },
    "recurrent": {
        "en": "{change} is recurrent in: {names}. By itself it makes none of these diagnoses.",
        "zh": "{change} 常见于：{names}。仅凭此异常不能作出上述诊断。",
    },
    "mosaicism": {
        "en": "If all were read rightly, {count} alike exclude another line in {percent} % of cells or more at "
        "95 % confidence (Hook 1977).",
        "zh": "若判读均正确，{cells} 个一致的细胞可在 95 % 置信度下排除比例达到或超过 {percent} % 的另一细胞系"
        "（Hook 1977）。",
    },
}

_CHANGES: Mapping[str, Mapping[Language, str]] = {
    "gain": {"en": "an extra chromosome {chromosome}", "zh": "多一条 {chromosome} 号染色体"},
    "loss": {"en": "a missing chromosome {chromosome}", "zh": "少一条 {chromosome} 号染色体"},
    "gains": {"en": "{times} extra chromosomes {chromosome}", "zh": "多 {times} 条 {chromosome} 号染色体"},
    "losses": {"en": "{times} missing chromosomes {chromosome}", "zh": "少 {times} 条 {chromosome} 号染色体"},
}


def attention_sentence(flag: Attention, conclusion: Conclusion, lang: Language) -> str:
    """Say one thing that has to be looked at.

    Raises:
        KeyError: for a code without a sentence.
    """
    values = dict(flag.values)
    if flag.code == "broken_rule":
        values["message"] = next(
            one.message(lang) for one in conclusion.broken_rules if one.rule == flag.values["rule"]
        )
    return ATTENTION[flag.code][lang].format(**values)


def interpretation(conclusion: Conclusion, lang: Language) -> tuple[str, ...]:
    """The draft of an interpretation: what was read, what differs, what that is known in, what was not looked for."""
    if not conclusion.lines:
        return (STRUCTURE[lang],)
    said = [_SENTENCES["read"][lang].format(all=len(conclusion.cells), counted=conclusion.counted)]
    if len(conclusion.lines) == 1 and conclusion.lines[0].role == "normal" and conclusion.iscn:
        said.append(_SENTENCES["normal"][lang].format(iscn=conclusion.iscn))
    else:
        said += [_of_line(line, conclusion.abnormalities, lang) for line in conclusion.lines]
    said += _known(conclusion, lang)
    if conclusion.mosaicism is not None:
        percent, cells = f"{100 * conclusion.mosaicism:.1f}", len(conclusion.lines[0].cells)
        said.append(_SENTENCES["mosaicism"][lang].format(cells=cells, count=_count(cells), percent=percent))
    return (*said, STRUCTURE[lang])


def limitations(lang: Language) -> tuple[str, ...]:
    """What a report of this version cannot say."""
    return tuple(one[lang] for one in LIMITATIONS)


def specimen_name(specimen: str, lang: Language) -> str:
    """A specimen in words; empty for none."""
    if not specimen:
        return ""
    asked = load().specimens[specimen]
    return asked.name_zh if lang == "zh" else asked.name


def _of_line(line: Line, abnormalities: Sequence[Abnormality], lang: Language) -> str:
    told = {"line": line.written, "cells": len(line.cells), "count": _count(len(line.cells))}
    if not line.changes or line.role == "normal":
        return _SENTENCES["possible_normal_line" if line.few else "normal_line"][lang].format(**told)
    known = {one.change: one for one in abnormalities}
    words = [_change(change, times, known.get(change), lang) for change, times in Counter(line.changes).items()]
    separator = "、" if lang == "zh" else ", "
    key = "possible_line" if line.few else "line"
    return _SENTENCES[key][lang].format(**told, changes=separator.join(words))


def _count(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells} cells"


def _change(change: str, times: int, abnormality: Abnormality | None, lang: Language) -> str:
    if abnormality is None or not abnormality.chromosome or abnormality.kind not in ("gain", "loss"):
        return ", ".join([change] * times)
    kind = abnormality.kind if times == 1 else {"gain": "gains", "loss": "losses"}[abnormality.kind]
    words = _CHANGES[kind][lang].format(chromosome=abnormality.chromosome, times=times)
    return words.replace("X 号", "X ").replace("Y 号", "Y ")


def _known(conclusion: Conclusion, lang: Language) -> list[str]:
    def name(english: str, chinese: str | None) -> str:
        return chinese if lang == "zh" and chinese else english

    whole = [one for one in conclusion.touched if one.whole]
    known = "known_if" if all(line.few for line in conclusion.lines if line.changes) else "known"
    if not conclusion.request.looks_for_acquired:
        return [_SENTENCES[known][lang].format(karyotype=one.change, name=name(one.name, one.name_zh)) for one in whole]
    separator = "；" if lang == "zh" else "; "
    changes = dict.fromkeys(one.change for one in whole)
    return [
        _SENTENCES["recurrent"][lang].format(
            change=change, names=separator.join(name(one.name, one.name_zh) for one in whole if one.change == change)
        )
        for change in changes
    ]
