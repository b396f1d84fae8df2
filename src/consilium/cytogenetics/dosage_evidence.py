"""Which kinds of evidence there are that a gain or a loss matters, and the sentences that say so."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

Change = Literal["gain", "loss"]


class Evidence(IntEnum):
    """What is known, strongest first; a smaller number is stronger."""

    WHOLE_CHROMOSOME = 1
    REGION_ESTABLISHED = 2
    GENE_ESTABLISHED = 3
    NAMED_SYNDROME = 4
    EMERGING = 5
    LITTLE = 6
    CAUSE_LIES_HERE = 7
    RECESSIVE = 8
    NO_EVIDENCE = 9
    UNLIKELY = 10


SCORES = {
    3: Evidence.REGION_ESTABLISHED,
    2: Evidence.EMERGING,
    1: Evidence.LITTLE,
    0: Evidence.NO_EVIDENCE,
    30: Evidence.RECESSIVE,
    40: Evidence.UNLIKELY,
}
"""ClinGen's scores of a region for haploinsufficiency and triplosensitivity (Riggs et al., Clin Genet 2012;81:403)."""

_SAID = {
    Evidence.WHOLE_CHROMOSOME: (
        "{change} of the whole chromosome, or of nearly all of it: a known constitutional aneuploidy",
        "整条（或近乎整条）染色体{change}：已知的体质性非整倍体",
    ),
    Evidence.REGION_ESTABLISHED: (
        "ClinGen: sufficient evidence that {change} of this region causes disease (score 3)",
        "ClinGen：该区域拷贝{change}致病证据充分（评分3）",
    ),
    Evidence.GENE_ESTABLISHED: (
        "ClinGen: sufficient evidence that {change} of one copy of this gene causes disease (score 3)",
        "ClinGen：该基因一个拷贝{change}致病证据充分（评分3）",
    ),
    Evidence.NAMED_SYNDROME: (
        "a syndrome known as {change} at {locus}; its extent is given by bands only",
        "已知该综合征为{locus}拷贝{change}；其范围仅以条带给出",
    ),
    Evidence.EMERGING: (
        "ClinGen: emerging evidence that {change} of one copy causes disease (score 2)",
        "ClinGen：一个拷贝{change}致病的证据正在形成（评分2）",
    ),
    Evidence.LITTLE: (
        "ClinGen: little evidence that {change} of one copy causes disease (score 1)",
        "ClinGen：一个拷贝{change}致病的证据很少（评分1）",
    ),
    Evidence.CAUSE_LIES_HERE: (
        "a causing gene or locus of this disease lies here; that {change} of a copy causes it is not established",
        "该病的一个致病基因或位点位于此处；拷贝{change}是否致病尚未确立",
    ),
    Evidence.RECESSIVE: (
        "ClinGen: disease where both copies are affected (score 30), not by {change} of one copy alone",
        "ClinGen：两个拷贝均受累才致病（评分30）；仅一个拷贝{change}预期不致病",
    ),
    Evidence.NO_EVIDENCE: (
        "ClinGen looked and found no evidence that {change} of this region by itself causes disease (score 0)",
        "ClinGen：未发现该区域拷贝{change}本身致病的证据（评分0）",
    ),
    Evidence.UNLIKELY: (
        "ClinGen: {change} here is unlikely to cause disease (score 40)",
        "ClinGen：此处拷贝{change}不太可能致病（评分40）",
    ),
}
_WORDS = {"loss": ("loss", "缺失"), "gain": ("gain", "增加")}


def sentence(evidence: Evidence, change: Change, locus: str, addition: tuple[str, str] = ("", "")) -> dict[str, str]:
    """The evidence as a sentence without a full stop, in English (`said`) and Chinese (`said_zh`)."""
    word, word_zh = _WORDS[change]
    english, chinese = _SAID[evidence]
    return {
        "said": english.format(change=word, locus=locus) + addition[0],
        "said_zh": chinese.format(change=word_zh, locus=locus) + addition[1],
    }


def partly(overlap: float, placed_by: str, change: Change) -> tuple[str, str]:
    """What to add where not all of it lies in what was asked; a part is never rounded to all or to nothing."""
    percent = f"{min(max(round(100 * overlap), 1), 99)} %" if overlap >= 0.01 else "< 1 %"
    what, what_zh = {"gene": ("the gene", "该基因"), "band": ("that band", "该条带")}.get(
        placed_by, ("the region", "该区域")
    )
    word, word_zh = _WORDS[change]
    return f"; only {percent} of {what} lies in this {word}", f"；{what_zh}仅{percent}位于此{word_zh}内"
