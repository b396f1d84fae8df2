"""The part on ways of making the model: those that were tried, and why one was taken."""

from __future__ import annotations

from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import Part, Table, Text, number
from consilium.specialist.tuning.nested import TUNED


def ways(matter: Matter) -> tuple[Part, ...]:
    """A small table and the sentences on how it came to the choice; nothing where there was one way only."""
    t, told = matter.t, matter.said["ways"]
    if told is None:
        return ()
    choice = told["choice"]
    unit = t("squared error", "平方误差") if matter.said["task"] == "regress" else t("log loss", "对数损失")
    rows = [
        (
            matter.word(step["name"]) + (t(" (taken)", "（采用）") if step["name"] == choice["taken"] else ""),
            number(step["loss"]),
            number(step["behind"]) if step["name"] != choice["best"] else "–",
            number(step["error"]) if step["name"] != choice["best"] else "–",
        )
        for step in choice["steps"]
    ]
    rows.append((t("choice made inside each training part", "在各训练部分内部选择"), number(told["nested"]), "", ""))
    return (
        Text(kind="head", text=t("Ways of making the model", "模型的几种做法")),
        Table(
            columns=(
                t("Way", "做法"),
                t(f"Mean {unit}, out of fold", f"折外平均{unit}"),
                t("Behind the better one", "比更好者差"),
                t("Standard error of that", "该差值的标准误"),
            ),
            rows=tuple(rows),
            widths=(4, 2, 2, 2),
        ),
        Text(text=_why(matter)),
        Text(kind="note", text=_whose_figures(matter)),
    )


def _why(matter: Matter) -> str:
    t, told = matter.t, matter.said["ways"]
    choice = told["choice"]
    if choice["taken"] == TUNED:
        return t(
            f"The last stage of the encoder was trained on these cases too ({told['rounds']} rounds over them), since "
            "that was better by more than one standard error.",
            f"编码器的最后阶段也用这些病例进行了训练（{told['rounds']} 轮），因为其优势超过一个标准误。",
        )
    if choice["best"] == TUNED:
        return t(
            "Fine-tuning was a little better, by no more than one standard error, so the simpler way was taken: the "
            "encoder is as it came.",
            "微调略好，但优势不超过一个标准误，故采用更简单的做法：编码器保持原样。",
        )
    return t("Fine-tuning was no better, so the encoder is as it came.", "微调没有更好的结果，故编码器保持原样。")


def _whose_figures(matter: Matter) -> str:
    t, told = matter.t, matter.said["ways"]
    parts = len(told["inside"])
    took = told["inside"].count(TUNED)
    inside = t(
        f"The same rule was applied inside each of the {parts} training parts, without the cases tested there; "
        f"{took} of them took the fine-tuned way. ",
        f"同一规则也在 {parts} 个训练部分内部各自应用一次，不使用其测试病例；其中 {took} 个选择了微调。",
    )
    if not took and choice_is_frozen(matter):
        return inside + t("So all figures are those of frozen features.", "因此全部指标均为冻结特征的指标。")
    found = inside + t(
        "All figures of how good the model is are of this whole procedure, the choice included, gone through once. "
        "Their intervals know what a training case does to a head, not what it does to the encoder, and may be "
        "somewhat narrow. Thresholds and sets of labels are of the way that was taken.",
        "所有性能指标都针对包括上述选择在内的完整流程（执行一次）。区间考虑了训练病例对分类头的影响，未计入其对编码器的影"
        "响，可能略窄。阈值与标签集合取自所采用的做法。",
    )
    if not choice_is_frozen(matter):
        found += t(
            " The permutation test, nearest cases and nearest mean are of frozen features.",
            "置换检验、最近邻与最近类均值针对冻结特征。",
        )
    return found


def choice_is_frozen(matter: Matter) -> bool:
    """Whether the encoder is as it came."""
    return bool(matter.said["ways"]["choice"]["taken"] != TUNED)
