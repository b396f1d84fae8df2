"""The words of a report that is printed, in English and Chinese, beside those of `karyotype.report_wording`."""

from __future__ import annotations

from collections.abc import Mapping

from consilium.karyotype.report_wording import conclusion_words, report_words
from consilium.laboratory.review.content import Lang

_PRINTED: Mapping[str, Mapping[Lang, str]] = {
    "title_amended": {"en": "Amended karyotype report", "zh": "染色体核型更正报告"},
    "preliminary": {"en": "PRELIMINARY", "zh": "初步报告"},
    "preliminary_note": {
        "en": "Preliminary: not signed. Not for use in patient care.",
        "zh": "初步报告：尚未签发，不得用于临床。",
    },
    "superseded": {"en": "SUPERSEDED", "zh": "已作废"},
    "superseded_note": {
        "en": "Superseded by revision {revision}. Do not use.",
        "zh": "本报告已被第 {revision} 版取代，请勿使用。",
    },
    "signed_note": {"en": "Signed report", "zh": "已签发报告"},
    "amended_note": {"en": "Amended report, signed", "zh": "已签发的更正报告"},
    "synthetic": {"en": "SYNTHETIC CELLS", "zh": "合成细胞"},
    "synthetic_note": {
        "en": "Cells of this report were drawn by a program; they are of no patient.",
        "zh": "本报告所用细胞由程序绘制，并非来自患者。",
    },
    "amendment": {"en": "What was amended", "zh": "更正说明"},
    "amendment_note": {
        "en": "This is revision {revision}. It replaces revision {before} (content {sha256}).",
        "zh": "本报告为第 {revision} 版，取代第 {before} 版（内容校验值 {sha256}）。",
    },
    "interpretation": {"en": "Interpretation", "zh": "结果解释"},
    "override": {"en": "Why this karyotype stands as it is written", "zh": "核型写法的保留理由"},
    "override_note": {
        "en": "The validator of ISCN finds an error in it. The signer's reason: {reason}",
        "zh": "ISCN 校验提示该核型有误。签发者说明：{reason}",
    },
    "patient_number": {"en": "Laboratory's patient number", "zh": "实验室患者编号"},
    "hospital_number": {"en": "Hospital number", "zh": "住院/门诊号"},
    "order_number": {"en": "Order number", "zh": "申请单号"},
    "collected": {"en": "Collected", "zh": "采样日期"},
    "labels": {"en": "Specimen labels", "zh": "标本条码"},
    "identity_withheld": {"en": "not shown here", "zh": "此处不显示"},
    "counted_cells": {"en": "Cells counted", "zh": "计数细胞数"},
    "analysed_cells": {"en": "Cells analysed", "zh": "分析细胞数"},
    "karyotyped_cells": {"en": "Cells karyotyped", "zh": "核型排列细胞数"},
    "banding": {"en": "Banding", "zh": "显带"},
    "excluded": {"en": "Mosaicism excluded at 95 % / 99 %", "zh": "95 % / 99 % 置信度下排除的嵌合比例"},
    "excluded_from": {
        "en": "{at_95} % / {at_99} % or more ({cells} cells alike)",
        "zh": "≥ {at_95} % / ≥ {at_99} %（{cells} 个一致细胞）",
    },
    "models_note": {
        "en": "Read with {models}; {looked}. {interactions} acts of a person for {karyograms} karyogram(s).",
        "zh": "判读模型：{models}；{looked}。{karyograms} 张核型图共经人工操作 {interactions} 次。",
    },
    "all_reviewed": {
        "en": "every flagged chromosome of the analysed cells was looked at by a person",
        "zh": "已分析细胞中的存疑染色体均经人工复核",
    },
    "unreviewed": {
        "en": "flagged chromosomes of the analysed cells that nobody looked at: {number}",
        "zh": "已分析细胞中尚有 {number} 条存疑染色体未经人工复核",
    },
    "why_missed": {"en": "Why it goes out", "zh": "仍予签发的理由"},
    "cell_names": {"en": "Cells", "zh": "细胞"},
    "number_of_cells": {"en": "Number", "zh": "个数"},
    "signatures": {"en": "Signature", "zh": "签发"},
    "act": {"en": "", "zh": ""},
    "analysed_by": {"en": "Analysed by", "zh": "分析者"},
    "reviewed_by": {"en": "Read independently by", "zh": "独立复核者"},
    "settled": {
        "en": "{number} difference(s) between both readers, all settled",
        "zh": "两位阅片者的 {number} 处分歧均已裁定",
    },
    "settled_none": {"en": "both readers agreed", "zh": "两位阅片者判读一致"},
    "signed_by": {"en": "Approved and signed by", "zh": "审核签发者"},
    "approval": {
        "en": "Revision {revision}, approved and signed by {signer} on {at}",
        "zh": "第 {revision} 版，由 {signer} 于 {at} 审核签发",
    },
    "signed_how": {
        "en": "{at}, electronically, after proving to be herself anew ({method})",
        "zh": "{at}，电子签名，签名时重新验证身份（{method}）",
    },
    "password": {"en": "password", "zh": "口令"},
    "oidc": {"en": "single sign-on", "zh": "单点登录"},
    "nobody": {"en": "nobody yet", "zh": "尚未签发"},
    "content_hash": {"en": "Content (SHA-256)", "zh": "内容校验值（SHA-256）"},
    "signature_hash": {"en": "Signature (SHA-256)", "zh": "签名校验值（SHA-256）"},
    "seal": {"en": "Laboratory's seal (Ed25519)", "zh": "实验室电子印章（Ed25519）"},
    "hash_note": {
        "en": "The signature binds exactly this content: karyotype, interpretation, figures and pictures. The "
        "laboratory can check at any time that the content on record has this value.",
        "zh": "签名与本内容（核型、结果解释、数据及图像）严格绑定。实验室可随时核对存档内容与该校验值是否一致。",
    },
    "karyogram_of": {"en": "Karyogram: cell {cell}, {karyotype}", "zh": "核型图：细胞 {cell}，{karyotype}"},
    "revision": {"en": "revision {revision}", "zh": "第 {revision} 版"},
    "sex_withheld": {
        "en": "The sex is not reported, as was asked: U stands for the sex chromosomes (ISCN 2024, 5.2), and "
        "karyograms are shown without them.",
        "zh": "按要求不报告性别：以 U 代替性染色体（ISCN 2024，5.2），核型图中不显示性染色体。",
    },
    "made": {"en": "Consilium {version}", "zh": "Consilium {version}"},
    "unknown": {"en": "not known", "zh": "不详"},
}


def printed_words(lang: Lang) -> dict[str, str]:
    """Every fixed text of a printed report, in one language."""
    own = {key: words[lang] for key, words in _PRINTED.items()}
    return report_words(lang) | conclusion_words(lang) | own
