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
    "cells_used": {"en": "cells analysed", "zh": "已分析细胞"},
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
    "limits": {
        "en": "Whole chromosomes are counted and named; structural changes are not looked for. A gain is called from "
        "2 cells on, a loss from 3 cells on.",
        "zh": "本报告只对整条染色体进行计数与归类，不检测结构异常。"
        "增加须见于至少 2 个细胞、缺失须见于至少 3 个细胞才予认定。",
    },
}


def report_words(lang: Language) -> dict[str, str]:
    """Return every fixed text of the report in one language."""
    return {key: words[lang] for key, words in REPORT.items()}
