"""The fourteen things that a report must tell, and whether each of them can be told.

The list is that of the trust checklist: CLAIM, TRIPOD+AI, Metrics Reloaded and what goes wrong in practice. A report
that would lack one is not written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from consilium.errors import ModelError
from consilium.specialist.evidence.validation import Validation
from consilium.specialist.report.facts import ModelFacts
from consilium.specialist.report.parts import plain

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Status = Literal["given", "not applicable", "not made", "not enough cases", "left out"]

ITEMS: tuple[tuple[str, str, str, str], ...] = (
    ("1", "ledger", "Who was tested by whom; copies and leakage", "分组台账：重复与数据泄漏"),
    ("2", "counts", "Cases, patients, exclusions, devices", "病例、患者、排除与采集设备"),
    ("3", "procedure", "How it was tested", "验证方法"),
    ("4", "discrimination", "How well it tells them apart", "区分能力"),
    ("5", "baselines", "Better than what?", "与基线比较"),
    ("6", "calibration", "Can probabilities be taken at their word?", "概率是否可信（校准）"),
    ("7", "sets", "Sets of labels; leaving doubtful cases out", "标签集合与弃答"),
    ("8", "gate", "Cases it should not be asked about", "不应提交给模型的病例"),
    ("9", "subgroups", "For whom?", "亚组"),
    ("10", "more", "Would more cases help?", "增加病例是否有用"),
    ("11", "errors", "Labels to look at again; worst errors", "可疑标签与最严重的错误"),
    ("12", "outlines", "Outlines and finds", "分割与检出"),
    ("13", "chance", "Against chance", "与随机猜测比较"),
    ("14", "card", "Model card and checklists", "模型卡与报告清单"),
)
"""Number, key of the section, title in English and in Chinese."""

_OUTLINES = (
    "the model outlines and names no label; how well, section 12 says",
    "模型只勾画轮廓，不判断标签；勾画质量见第 12 节",
)
_REGRESS = ("the task is a quantity, not a class", "任务是定量预测，没有类别")
_ONE_BY_ONE = ("labels of this task are answered one by one", "多标签任务逐个标签作答")
_NOT_APPLICABLE: Mapping[tuple[str, str], tuple[str, str]] = {
    ("6", "regress"): _REGRESS,
    ("7", "multilabel"): _ONE_BY_ONE,
    ("4", "segment"): _OUTLINES,
    ("6", "segment"): (
        "the answer is an outline, not a probability; the level where it is cut was chosen inside the training parts",
        "模型给出的是轮廓而不是概率；划界的阈值只在训练部分内部选定",
    ),
    ("7", "segment"): (
        "sets are of labels, and an outline is none; whether a case is left to a person, section 8 says",
        "标签集合只用于有标签的任务；哪些病例交由医师，见第 8 节",
    ),
    ("13", "segment"): (
        "chance has no outline to offer; what comes without learning from pictures is compared in section 5",
        "随机猜测给不出轮廓；不从图像学习的方法见第 5 节的比较",
    ),
    ("4", "detect"): (
        "the model finds objects and names no label of a case; how well, section 12 says",
        "模型检出目标，不对整个病例判断标签；检出质量见第 12 节",
    ),
    ("7", "detect"): (
        "sets are of labels of a case, and a box is none; whether a case is left to a person, section 8 says",
        "标签集合只用于有病例标签的任务；哪些病例交由医师，见第 8 节",
    ),
    ("13", "detect"): (
        "chance has no boxes to offer; what is found beside the given boxes is counted in section 12",
        "随机猜测给不出目标框；误报数见第 12 节",
    ),
    **{
        ("12", task): ("the model gives no outlines and finds no places", "模型不输出分割轮廓，也不定位病灶")
        for task in ("binary", "multiclass", "multilabel", "regress")
    },
}


_ONE_YES_OR_NO = ("subgroups are judged for a single yes or no only", "亚组分析目前只用于单一的二分类任务")
_NOT_MADE: Mapping[tuple[str, str], tuple[str, str]] = {
    ("5", "regress"): (
        "comparisons with other features are made for classes only; always saying the median stands in section 4",
        "与其他特征的比较目前只用于分类任务；“总是回答中位数”的误差见第 4 节",
    ),
    ("5", "detect"): (
        "a model of boxes is not compared with a simpler way of finding",
        "目标检测未与更简单的方法比较",
    ),
    ("6", "detect"): (
        "no curve of scores is drawn; how many finds are right at the threshold, section 12 says",
        "未绘制得分的校准曲线；报告阈值下检出中正确的比例见第 12 节",
    ),
    ("9", "detect"): ("boxes are judged for all patients together only", "目标检测目前只对全部患者合并评价"),
    ("10", "detect"): ("the curve is not drawn for boxes", "目标检测目前不绘制学习曲线"),
    ("9", "multiclass"): _ONE_YES_OR_NO,
    ("9", "multilabel"): _ONE_YES_OR_NO,
    ("9", "regress"): _ONE_YES_OR_NO,
    ("10", "regress"): ("the curve is drawn for classes only", "学习曲线目前只用于分类任务"),
}


_NO_CURVE = (
    "the encoder was fine-tuned, and every point of the curve would be a fine-tuning of its own",
    "编码器经过微调，曲线的每个点都需重新微调一次",
)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that must be told.

    Attributes:
        number: in the list.
        key: of its section.
        title: English, Chinese.
        status: how it is told.
        reason: English, Chinese; empty where it is given.
    """

    number: str
    key: str
    title: tuple[str, str]
    status: Status
    reason: tuple[str, str] = ("", "")


def checked_document(document: Mapping[str, Any], form: type[DataclassInstance]) -> Mapping[str, Any]:
    """Hold a validation, as JSON values, to the dataclass that it was.

    Raises:
        ModelError: an entry is missing.
    """
    # Models of before fine-tuning was there were made in one way.
    kept = {"ways": None, **document} if form is Validation else document
    for one in fields(form):
        if one.name not in kept:
            raise ModelError(
                f"the validation lacks the entry {one.name!r}",
                where="validation.json",
                way_out="Fit the model again with this version of Consilium.",
            )
    return kept


def mandatory_items(
    document: Mapping[str, Any], facts: ModelFacts, lacking: Callable[[str, Mapping[str, Any]], str]
) -> tuple[Item, ...]:
    """Hold every item of the list to the validation.

    Args:
        document: the validation as JSON values.
        facts: of the model.
        lacking: what the item of a number lacks in a validation; empty where nothing is missing.

    Raises:
        ModelError: one cannot be told, and there is no reason why.
    """
    task = document["task"]
    too_few = document["ledger"] is None
    found = []
    for number, key, english, chinese in ITEMS:
        title = (english, chinese)
        status: Status = "given"
        reason = ("", "")
        if (number, task) in _NOT_APPLICABLE:
            status, reason = "not applicable", _NOT_APPLICABLE[number, task]
        elif (number, task) in _NOT_MADE:
            status, reason = "not made", _NOT_MADE[number, task]
        elif too_few and number not in {"2", "14"}:
            status, reason = "not enough cases", ("there are not enough cases", "病例数不足")
        elif number == "10" and (document.get("ways") or {}).get("rounds"):
            status, reason = "left out", _NO_CURVE
        elif short := lacking(number, document):
            told = plain(str(facts.not_made.get(number, ""))).strip()
            if not told:
                raise ModelError(
                    f"item {number} of the report cannot be told ({english}): {short}",
                    where=facts.name,
                    way_out="Validate the model with everything switched on, or give the reason in facts.json "
                    "(not_made).",
                )
            status, reason = "left out", (told, told)
        found.append(Item(number=number, key=key, title=title, status=status, reason=reason))
    return tuple(found)


def lacking_of_labels(number: str, document: Mapping[str, Any]) -> str:
    """What an item lacks in a validation of labels or of a quantity; empty where nothing is missing."""
    regress = document["task"] == "regress"
    names = {one["name"] for one in document["baselines"]}
    binary_points = document["task"] not in {"binary", "multilabel"} or all(
        one["operating_point"] for one in document["figures"]
    )
    have: Mapping[str, tuple[bool, str]] = {
        "1": (bool(document["ledger"]), "ledger"),
        "2": (bool(document["counts"]), "counts"),
        "3": (bool(document["predicted"]), "out-of-fold predictions"),
        "4": (
            bool(document["regression"] if regress else document["figures"] and binary_points),
            "figures of each label with their operating point",
        ),
        "5": (
            bool(document["shortcut"]) and "metadata" in names and len(names) > 1,
            "baselines by metadata and by other features",
        ),
        "6": (all(one["calibration"] for one in document["figures"]), "calibration"),
        "7": (
            regress or bool(document["conformal"] and document["abstention"]),
            "conformal sets and the abstention curve",
        ),
        "8": (bool(document["gate"]), "gate"),
        "10": (bool(document["learning_curve"]), "learning curve"),
        "11": (bool(document["predicted"]), "out-of-fold predictions"),
        "13": (bool(document["permutation"]), "permutation test"),
    }
    there, what = have.get(number, (True, ""))
    return "" if there else f"the validation has no {what}"
