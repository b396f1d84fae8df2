"""The fixed words of the report, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from consilium.karyotype.wording import Language

REPORT: Mapping[str, Mapping[Language, str]] = {
    "title": {"en": "Karyotype report", "zh": "染色体核型报告"},
    "case": {"en": "Case", "zh": "病例"},
    "created": {"en": "Created", "zh": "生成时间"},
    "case_karyotype": {"en": "Karyotype of most cells", "zh": "多数细胞的核型"},
    "no_karyotype": {"en": "No cell could be used", "zh": "没有可用的细胞"},
    "cells_used": {"en": "cells read", "zh": "已判读细胞"},
    "cells_agree": {"en": "cells agree", "zh": "细胞一致"},
    "cells_disagree": {"en": "cells differ", "zh": "细胞不一致"},
    "to_review": {"en": "chromosomes to review", "zh": "待复核染色体"},
    "failed": {"en": "images not usable", "zh": "无法使用的图像"},
    "some_synthetic": {
        "en": "Some images of this case were drawn by a program, not photographed.",
        "zh": "本病例含有由程序绘制的合成图像，并非实拍。",
    },
    "needs_a_look": {"en": "What needs a look", "zh": "需要复核的内容"},
    "nothing_to_review": {"en": "Nothing was flagged.", "zh": "未发现需要复核的内容。"},
    "whole_case": {"en": "Whole case", "zh": "整个病例"},
    "differs": {"en": "{karyotype} instead of {modal}", "zh": "{karyotype}，与 {modal} 不同"},
    "flagged_number": {"en": "{number} flagged chromosome(s): {labels}", "zh": "{number} 条染色体待复核：{labels}"},
    "cells_by_quality": {"en": "Cells, best first", "zh": "细胞（按质量排序）"},
    "rank": {"en": "Rank", "zh": "序号"},
    "image": {"en": "Image", "zh": "图像"},
    "count": {"en": "Count", "zh": "计数"},
    "karyotype": {"en": "Karyotype", "zh": "核型"},
    "quality": {"en": "Quality", "zh": "质量"},
    "band_level": {"en": "Bands (estimate)", "zh": "条带数（估计）"},
    "overlap": {"en": "Touching or crossing", "zh": "接触或交叉"},
    "flags": {"en": "Flags", "zh": "提示"},
    "agrees": {"en": "agrees", "zh": "一致"},
    "disagrees": {"en": "differs", "zh": "不一致"},
    "metaphase": {"en": "Metaphase", "zh": "中期分裂相"},
    "karyogram": {"en": "Karyogram", "zh": "核型图"},
    "metaphase_withheld": {
        "en": "The picture of the metaphase is not shown: it would show the sex chromosomes.",
        "zh": "中期分裂相图像不予显示，因其会显示性染色体。",
    },
    "outlined": {
        "en": "Outlined as found; dashed orange: flagged.",
        "zh": "轮廓为程序所识别；橙色虚线表示待复核。",
    },
    "doubtful": {"en": "Doubtful chromosomes", "zh": "存疑的染色体"},
    "raw": {"en": "as photographed", "zh": "原图"},
    "straightened": {"en": "straightened", "zh": "拉直"},
    "homologue": {"en": "homologue, straightened", "zh": "同源染色体（拉直）"},
    "no_homologue": {"en": "none", "zh": "无"},
    "display_aid": {
        "en": "Straightening is a display aid: it samples the photograph along the chromosome's axis. "
        "Judge by the photograph.",
        "zh": "拉直仅为显示辅助，只沿染色体中轴对原图取样；请以原图为准。",
    },
    "likely_classes": {"en": "Likeliest classes", "zh": "最可能的类别"},
    "unusable_images": {"en": "Images that could not be used", "zh": "无法使用的图像"},
    "models": {"en": "Models", "zh": "模型"},
    "model": {"en": "Model", "zh": "模型"},
    "version": {"en": "Version", "zh": "版本"},
    "suspected": {"en": "Chromosomes that look structurally changed", "zh": "疑似结构异常的染色体"},
    "suspected_note": {
        "en": "Both homologues of the cells that show it most, short arm up. The framed one looks more unusual; the "
        "mark at its side is where it most looks broken. The bracket at the ideogram is the interval in which the "
        "cells place the break.",
        "zh": "以下为表现最明显的细胞中的两条同源染色体，短臂朝上。加框者更不寻常，其旁横线为最可能的断裂处；"
        "模式图旁的括线为各细胞所示断裂处的范围。",
    },
    "suspected_worth": {
        "en": "What such a prompt is worth (model card; 95 % interval): normal cases without any prompt {specificity}; "
        "single normal cells without any {specificity_one}; cases with a rearrangement built into them that were "
        "prompted {sensitivity}. Of {cases} real cases with a structural change {prompted} were "
        "prompted, {named} of them at a changed chromosome. As structural changes are rare, most prompts are false "
        "alarms; and that nothing is prompted excludes nothing.",
        "zh": "此类提示的价值（见模型说明；括号内为 95 % 区间）：正常病例无任何提示者 {specificity}；"
        ""
        "单个正常细胞无任何提示者 {specificity_one}；人工构建重排的病例被提示者 {sensitivity}。"
        "{cases} 个真实结构异常病例中有 {prompted} 个被提示，其中 {named} 个提示的是确有改变的染色体。"
        "结构异常本属少见，故多数提示为误报；没有提示也不能排除异常。",
    },
    "variable_region": {
        "en": "Chromosomes of healthy people differ in this region (heteromorphism; ISCN 2024, 2.2.2 and table 1): "
        "consider that first; C-banding or the parents' chromosomes may help.",
        "zh": "该区域在健康人群中存在变异（异态性；ISCN 2024，2.2.2 及表 1）：请首先考虑，"
        "必要时行 C 显带或检查父母染色体。",
    },
    "suspected_arm": {"en": "Chromosome and arm", "zh": "染色体及臂"},
    "arm_p": {"en": "{chromosome}, short arm (p) likelier", "zh": "{chromosome}，短臂（p）可能性较大"},
    "arm_q": {"en": "{chromosome}, long arm (q) likelier", "zh": "{chromosome}，长臂（q）可能性较大"},
    "suspected_place": {"en": "Likely breakpoint", "zh": "可能的断裂点"},
    "to": {"en": "to", "zh": "至"},
    "interval_place": {
        "en": "(where the cells agree, one standard deviation; the true one may lie outside)",
        "zh": "（各细胞一致的范围，一个标准差；真实断裂点可能在此之外）",
    },
    "one_cell_place": {
        "en": "(of one cell only: a least interval, the true one may lie well outside)",
        "zh": "（仅据一个细胞，为最小范围；真实断裂点可能远在此之外）",
    },
    "suspected_kind": {"en": "Looks most like", "zh": "最像"},
    "suspected_seen": {"en": "Shown by", "zh": "见于"},
    "suspected_cells": {
        "en": "{cells} of {of} cells in which it could be judged (cell numbers {numbers})",
        "zh": "可判断的 {of} 个细胞中的 {cells} 个（细胞编号 {numbers}）",
    },
    "suspected_score": {"en": "How unusual", "zh": "异常程度"},
    "suspected_from": {
        "en": "{score:.1f} standard errors above normal cells (prompted from {threshold:.1f} on)",
        "zh": "高于正常细胞 {score:.1f} 个标准误（达 {threshold:.1f} 即提示）",
    },
    "suspected_cell": {"en": "Cell {number}", "zh": "第 {number} 号细胞"},
    "suspected_pictures": {
        "en": "Chromosome {chromosome}, cell {number}: the more unusual homologue and the other one",
        "zh": "第 {number} 号细胞的 {chromosome} 号染色体：较不寻常的一条及其同源染色体",
    },
    "ideogram": {"en": "Ideogram", "zh": "模式图"},
    "no_partner": {"en": "no homologue to compare with", "zh": "无同源染色体可比较"},
    "families": {
        "en": "loss of a piece {loss}, gain {gain}, inversion {inversion}, exchange {exchange}",
        "zh": "片段缺失 {loss}，重复 {gain}，倒位 {inversion}，互换 {exchange}",
    },
    "limits": {
        "en": "Whole chromosomes are counted and named; structural changes are prompted, not called. A gain is called "
        "from 2 cells on, a loss from 3 cells on.",
        "zh": "本报告对整条染色体进行计数与归类；对结构异常仅作提示，不作认定。"
        "增加须见于至少 2 个细胞、缺失须见于至少 3 个细胞才予认定。",
    },
}

KINDS: Mapping[str, Mapping[Language, str]] = {
    "loss": {"en": "loss of a piece (deletion)", "zh": "片段缺失"},
    "gain": {"en": "gain of a piece (duplication)", "zh": "片段重复"},
    "inversion": {"en": "a piece turned round (inversion)", "zh": "倒位"},
    "exchange": {"en": "a piece replaced by another one (exchange)", "zh": "片段被替换（互换）"},
}
"""The kinds of structural change that are told apart (`metaphase.Family`)."""

CONCLUSION: Mapping[str, Mapping[Language, str]] = {
    "conclusion": {"en": "Karyotype", "zh": "核型"},
    "iscn": {"en": "Karyotype ({edition})", "zh": "核型（{edition}）"},
    "no_iscn": {"en": "not written", "zh": "未给出"},
    "draft": {"en": "DRAFT", "zh": "草稿"},
    "draft_note": {"en": "Draft: not signed by anybody.", "zh": "草稿：尚未经任何人签发。"},
    "attention": {"en": "Look at this first", "zh": "请首先复核"},
    "interpretation": {"en": "Interpretation (draft)", "zh": "结果解释（草稿）"},
    "lines": {"en": "Cell lines", "zh": "细胞系"},
    "line": {"en": "Line", "zh": "细胞系"},
    "cells": {"en": "Cells", "zh": "细胞数"},
    "support": {"en": "Support", "zh": "依据"},
    "prompt_only": {"en": "prompt only: confirm", "zh": "仅为提示，须证实"},
    "beyond_mistakes": {"en": "more cells than misreading explains", "zh": "细胞数超出判读错误可解释的范围"},
    "as_read": {"en": "as read", "zh": "自动判读"},
    "findings": {"en": "Findings and the cells that show them", "zh": "异常及其所见细胞"},
    "change": {"en": "Change", "zh": "异常"},
    "shown_by": {"en": "Shown by", "zh": "见于"},
    "cell_numbers": {"en": "Cell numbers (! = doubtful there)", "zh": "细胞编号（! 表示该细胞中存疑）"},
    "nth": {"en": ", copy {nth}", "zh": "（第 {nth} 条）"},
    "numbers": {"en": "Cell numbers", "zh": "细胞编号"},
    "nothing_known": {
        "en": "The tables of Consilium name nothing for these changes as whole chromosomes.",
        "zh": "Consilium 的知识表中未收录与上述整条染色体改变对应的条目。",
    },
    "of_cells": {"en": "{cells} of {all} cells", "zh": "{all} 个细胞中的 {cells} 个"},
    "disorders": {"en": "Disorders that the findings touch", "zh": "异常所涉及的疾病"},
    "disorder": {"en": "Disorder or region", "zh": "疾病或区域"},
    "evidence": {"en": "Evidence", "zh": "证据"},
    "references": {"en": "References", "zh": "参考"},
    "no_diagnosis": {
        "en": "What the change is known in; not a diagnosis.",
        "zh": "仅列出与该异常相关的疾病，不作为诊断。",
    },
    "sources": {"en": "Sources: {sources}.", "zh": "来源：{sources}。"},
    "figures": {"en": "Method and figures", "zh": "方法与数据"},
    "method": {"en": "Method", "zh": "方法"},
    "method_g": {
        "en": "G-banding (dark bands on a light field); automatic reading by Consilium {version}, models {models}",
        "zh": "G 显带（浅底深带）；由 Consilium {version} 自动判读，模型 {models}",
    },
    "method_q": {
        "en": "fluorescence banding (bright on dark in {inverted} of {all} images); automatic reading by Consilium "
        "{version}, models {models}",
        "zh": "荧光显带（{all} 张图像中有 {inverted} 张为暗底亮带）；由 Consilium {version} 自动判读，模型 {models}",
    },
    "estimated": {"en": "{level} bphs, estimated by the program", "zh": "约 {level} 条带（程序估计）"},
    "told": {"en": "{level} bphs, as told", "zh": "{level} 条带（人工提供）"},
    "cells_read": {"en": "Metaphases read", "zh": "判读的中期分裂相"},
    "counted": {"en": "Cells counted (automatically)", "zh": "计数细胞数（自动）"},
    "mosaic_count": {"en": "Cells counted, mosaicism suspected", "zh": "计数细胞数（疑似嵌合）"},
    "analysed": {"en": "Cells analysed by a person", "zh": "人工分析细胞数"},
    "karyotyped": {"en": "Cells karyotyped by a person", "zh": "人工核型排列细胞数"},
    "cultures": {"en": "Independent cultures", "zh": "独立培养数"},
    "band_level_row": {"en": "Bands per haploid set", "zh": "单倍体条带数"},
    "mosaicism": {"en": "Mosaicism excluded at 95 %", "zh": "95 % 置信度下排除的嵌合比例"},
    "mosaicism_from": {"en": "{percent} % or more ({cells} cells alike)", "zh": "≥ {percent} %（{cells} 个一致细胞）"},
    "mosaicism_none": {"en": "does not apply", "zh": "不适用"},
    "checks": {"en": "Guideline checks", "zh": "指南核对"},
    "figure": {"en": "Figure", "zh": "项目"},
    "asked": {"en": "Asked", "zh": "要求"},
    "found": {"en": "Found", "zh": "实有"},
    "enough": {"en": "Enough", "zh": "是否达到"},
    "yes": {"en": "yes", "zh": "是"},
    "no": {"en": "no", "zh": "否"},
    "not_told": {"en": "not told", "zh": "未提供"},
    "source": {"en": "Source", "zh": "来源"},
    "no_checks": {
        "en": "The specimen was not told (--specimen), so no guideline was checked.",
        "zh": "未提供标本类型（--specimen），未进行指南核对。",
    },
    "limitations": {"en": "Limitations", "zh": "局限性"},
    "reasoning": {"en": "How the karyotype came about", "zh": "核型的得出过程"},
    "cells_list": {"en": "Cells as they were read", "zh": "各细胞的判读结果"},
    "as_counted": {"en": "Karyotype of the cell", "zh": "细胞核型"},
    "not_wholly": {"en": "Not wholly read", "zh": "未能完整判读"},
    "signature": {"en": "Signature", "zh": "签发"},
    "analysed_by": {"en": "Analysed by", "zh": "分析者"},
    "signed_by": {"en": "Checked and signed by", "zh": "审核签发者"},
    "name": {"en": "Name", "zh": "姓名"},
    "date": {"en": "Date", "zh": "日期"},
    "sign_here": {"en": "Signature", "zh": "签名"},
    "best_cell": {
        "en": "Karyogram of {line}: cell {number}, the best of {cells}",
        "zh": "{line} 的核型图：{cells} 个细胞中质量最好的第 {number} 号细胞",
    },
    "differs_from_line": {
        "en": "As it was read, this cell has {karyotype}; the difference is taken for chance or misreading.",
        "zh": "该细胞判读为 {karyotype}；其差异视为随机丢失或判读错误。",
    },
    "more_lines": {
        "en": "Further lines have their karyograms in the HTML report: {lines}.",
        "zh": "其余细胞系的核型图见 HTML 报告：{lines}。",
    },
    "page": {"en": "Page {page} of {pages}", "zh": "第 {page} 页，共 {pages} 页"},
    "patient_name": {"en": "Patient", "zh": "姓名"},
    "patient_id": {"en": "Patient ID", "zh": "患者编号"},
    "birth_date": {"en": "Date of birth", "zh": "出生日期"},
    "sex": {"en": "Sex", "zh": "性别"},
    "sex_not_reported": {"en": "not reported", "zh": "不报告"},
    "female": {"en": "female", "zh": "女"},
    "male": {"en": "male", "zh": "男"},
    "case_number": {"en": "Case number", "zh": "病例编号"},
    "case_name": {"en": "Case", "zh": "病例"},
    "laboratory": {"en": "Laboratory", "zh": "实验室"},
    "physician": {"en": "Referred by", "zh": "送检医师"},
    "reason": {"en": "Reason for referral", "zh": "送检原因"},
    "received": {"en": "Received", "zh": "收样日期"},
    "reported": {"en": "Reported", "zh": "报告日期"},
    "specimen": {"en": "Specimen", "zh": "标本"},
    "looked_for": {"en": "Looked for", "zh": "检测目的"},
    "acquired": {"en": "acquired changes (neoplasia)", "zh": "获得性异常（肿瘤）"},
    "constitutional": {"en": "constitutional changes", "zh": "体质性（先天性）异常"},
}
"""The words around a conclusion, in both reports."""


def report_words(lang: Language) -> dict[str, str]:
    """Return every fixed text of the report in one language; those around its conclusion are in `conclusion_words`."""
    return {key: words[lang] for key, words in REPORT.items()}


def conclusion_words(lang: Language) -> dict[str, str]:
    """Return the words around a conclusion in one language."""
    return {key: words[lang] for key, words in CONCLUSION.items()}
