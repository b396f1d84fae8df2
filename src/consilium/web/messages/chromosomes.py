"""What can be wrong with cells and the clones that they make (`cytogenetics.clones`). Gaps are `{}`, by order."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    "Write X before Y: 'XXY'.": "X 应写在 Y 之前，例如 XXY。",
    "{} is no autosome": "{0} 不是常染色体",
    "Sex chromosomes go into `sex`: 'X', 'XXY'.": "性染色体请填入 `sex`，例如 X、XXY。",
    "the findings add up to {} chromosomes, not {}": "各项所见合计为 {0} 条染色体，而不是 {1} 条",
    "Look at the cell again, or mark it as incomplete.": "请重新查看该细胞，或标记为不完整。",
    "a cell does not show where a change comes from": "细胞不能显示改变的来源",
    "Tell constitutional and inherited changes with the setting.": "体质性和遗传性改变请在病例设置中注明。",
    "no structural change": "不是结构改变",
    "not the line of one cell": "不是单个细胞的核型",
    "one cell has neither cell numbers nor intervals nor alternatives": "单个细胞没有细胞数、区间或备选",
    "not one abnormality": "不是单个异常",
    "Give every abnormality by itself.": "请逐个填写异常。",
    "a single cell has no interval of copies": "单个细胞的拷贝数不能为区间",
    "more sex chromosomes are altered or lost in a clone than there are": "克隆中改变或丢失的性染色体多于其原有数目",
    "Look at the sex chromosomes of these cells, and at the sex told.": "请核对这些细胞的性染色体及所填性别。",
    "no change is clonal and no cell is normal": "没有克隆性改变，也没有正常细胞",
    "Analyse more cells, or confirm what was found by another technique.": "请分析更多细胞，或用其他技术证实所见。",
    "there is no cell to find clones in": "没有可用于判定克隆的细胞",
    "two cells have the same name": "有两个细胞同名",
    "several normal cells are XX and several XY": "正常细胞中既有多个 XX 又有多个 XY",
    "Look at the sex told; give the cells of a donor as a case of their own.":
        "请核对所填性别；供者细胞请另作一个病例。",
    "the cell lacks a constitutional structural change": "该细胞缺少体质性结构改变",
    "Look at the cell again, or tell that the constitution is a mosaic.":
        "请重新查看该细胞，或注明体质性核型为嵌合体。",
    "{} are no sex chromosomes": "{0} 不是性染色体组成",
}  # fmt: skip
