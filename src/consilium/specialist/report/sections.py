"""The sections of the report on what there was and how it was tested: ledger, counts, procedure."""

from __future__ import annotations

from collections import Counter

import numpy as np

from consilium.specialist.report.matter import Matter
from consilium.specialist.report.parts import Part, Table, Text, facts_table, interval, percent_interval, plain
from consilium.specialist.report.ways import ways
from consilium.specialist.report.wording import shortage

_MOST_PAIRS = 20


def ledger(matter: Matter) -> tuple[Part, ...]:
    """Who was tested by whom; copies."""
    t, told, facts = matter.t, matter.said["ledger"], matter.facts
    drawn = matter.said["task"] in ("segment", "detect")
    what, chinese = {"segment": ("outlines", "轮廓"), "detect": ("boxes", "目标框")}.get(
        matter.said["task"], ("labels", "标签")
    )
    kinds = Counter(one["how"] for one in told["duplicates"])
    copies = "; ".join(f"{matter.word(how)}: {count}" for how, count in sorted(kinds.items())) or t("none", "无")
    patients = matter.said["counts"]["patients"]
    alarm = matter.said.get("shortcut")
    confounds = (
        t(f"not a question for {what}", f"不适用于{chinese}")
        if drawn
        else t("not looked at", "未检查")
        if alarm is None
        else t(
            f"{alarm['alarm'].replace('none', 'not found')} (looked at: {', '.join(map(plain, alarm['columns']))})",
            f"{matter.word(alarm['alarm'])}（检查的列：{'、'.join(map(plain, alarm['columns']))}）",
        )
    )
    parts: list[Part] = [
        Text(
            text=t(
                "All images of a patient, and all copies, stand in one fold. A split by image or slice is not "
                "possible.",
                "同一患者的全部图像及所有重复图像都在同一折中；不允许按图像或切片拆分。",
            )
        ),
        facts_table(
            [
                (t("Folds", "折数"), str(told["folds"])),
                (t("Repetitions", "重复次数"), str(told["repeats"])),
                (t("Patients told", "提供的患者数"), str(told["patients_told"])),
                (t("Patients cross-validated, copies merged", "参与交叉验证的患者数（合并重复后）"), str(patients)),
                (t("Pairs of copies found", "发现的重复图像对"), copies),
                (
                    t(f"Copies with different {what}", f"{chinese}互相矛盾的重复图像对"),
                    str(len(told["contradictions"])),
                ),
                (t("Site, device or file tells the label", "医院、设备或文件属性泄露标签"), confounds),
                (t("Seed", "随机种子"), str(told["seed"])),
            ]
        ),
    ]
    listed = told["contradictions"] or told["duplicates"]
    if listed:
        parts.append(
            Text(
                kind="head",
                text=t(
                    f"Copies with different {what}: one of the two is wrong",
                    f"{chinese}矛盾的重复图像：必有一个{chinese}有误",
                )
                if told["contradictions"]
                else t("Copies, kept in one fold", "重复图像（置于同一折）"),
            )
        )
        parts.append(
            Table(
                columns=(t("One", "其一"), t("Other", "其二"), t("What is the same", "相同之处")),
                rows=tuple(
                    (matter.file(one["first"]), matter.file(one["second"]), matter.word(one["how"]))
                    for one in listed[:_MOST_PAIRS]
                ),
                widths=(3, 3, 2),
            )
        )
        if len(listed) > _MOST_PAIRS:
            more = len(listed) - _MOST_PAIRS
            parts.append(
                Text(kind="note", text=t(f"and {more} more, in report.json", f"另有 {more} 对，见 report.json"))
            )
    parts += [
        Text(kind="head", text=t("Cases by fold, first repetition", "各折病例数（第一次重复）")),
        _folds(matter),
    ]
    if len({case.group for case in facts.cases}) == len(facts.cases):
        parts.append(
            Text(
                kind="mark",
                text=t(
                    "No patient has more than one image here. If no column names the patient, and some have several, "
                    "all figures of this report are too good.",
                    "此处每名患者只有一幅图像。若数据中没有患者列、而实际上有患者对应多幅图像，则本报告所有指标都偏"
                    "高。",
                ),
            )
        )
    return tuple(parts)


def _folds(matter: Matter) -> Table:
    told, t = matter.said["ledger"], matter.t
    fold = np.array(told["assigned"][0])
    folds = range(told["folds"])
    groups = matter.groups
    rows = []
    if matter.said["task"] != "regress":
        targets = matter.targets > 0.5
        for place, name in enumerate(matter.labels):
            rows.append((name, *(str(int(targets[fold == part, place].sum())) for part in folds)))
    rows.append((t("All cases", "全部病例"), *(str(int((fold == part).sum())) for part in folds)))
    rows.append((t("Patients", "患者"), *(str(len(np.unique(groups[fold == part]))) for part in folds)))
    heads = (t("Label", "标签"), *(t(f"Fold {part + 1}", f"第 {part + 1} 折") for part in folds))
    return Table(columns=heads, rows=tuple(rows), widths=(2, *([1] * told["folds"])))


def counts(matter: Matter) -> tuple[Part, ...]:
    """Cases, patients, exclusions, devices."""
    t, said, facts = matter.t, matter.said, matter.facts
    told = said["counts"]
    rows = [
        (t("Modality", "影像类型"), facts.modality),
        (t("Cases given", "提供的病例"), str(len(facts.cases))),
        (t("Cases for cross-validation", "用于交叉验证的病例"), str(told["cases"])),
        (t("Patients for cross-validation", "用于交叉验证的患者"), str(told["patients"])),
    ]
    rest = len(facts.cases) - told["cases"]
    if said["external"]:
        aside = said["external"]["cases"]
        rows.append((t("Cases set aside for the last test", "留作最后检验的病例"), str(aside)))
        rows.append((t("Left out as copies of cases set aside", "因与留出病例重复而剔除"), str(rest - aside)))
    else:
        rows.append((t("Cases set aside, and copies of such", "留出的病例及与其重复者"), str(rest)))
    parts: list[Part] = [facts_table(rows)]
    if told["cases_of_label"]:
        parts.append(
            Table(
                columns=(t("Label", "标签"), t("Cases", "病例"), t("Patients", "患者")),
                rows=tuple(
                    (plain(name), str(count), str(told["patients_of_label"][name]))
                    for name, count in told["cases_of_label"].items()
                ),
                widths=(3, 1, 1),
            )
        )
    parts += [Text(text=shortage(one, matter.lang), kind="mark") for one in said["not_enough"]]
    parts.append(Text(kind="head", text=t("Left out before anything else", "事先排除的病例")))
    parts.append(
        Table(
            columns=(t("Reason", "原因"), t("Cases", "病例")),
            rows=tuple((matter.word(one.reason), str(one.cases)) for one in facts.exclusions),
            widths=(4, 1),
        )
        if facts.exclusions
        else Text(text=t("None.", "无。"))
    )
    parts.append(Text(kind="head", text=t("Missing entries", "缺失数据")))
    missing = "; ".join(f"{plain(name)}: {count}" for name, count in facts.missing.items() if count)
    parts.append(Text(text=missing or t("None in the columns that were given.", "所提供的列中没有缺失。")))
    parts.append(Text(kind="head", text=t("Acquisition", "采集设备")))
    if facts.acquisition:
        columns = tuple(dict.fromkeys(key for row in facts.acquisition for key in row))
        parts.append(
            Table(
                columns=tuple(plain(one) for one in columns),
                rows=tuple(tuple(plain(row.get(one, "–")) for one in columns) for row in facts.acquisition),
                widths=tuple(1 for _ in columns),
            )
        )
    else:
        parts.append(
            Text(
                text=t(
                    "Nothing is known of vendors and devices: the files do not tell.",
                    "厂商与设备不明：文件中没有这些信息。",
                )
            )
        )
    return tuple(parts)


def procedure(matter: Matter) -> tuple[Part, ...]:
    """How it was tested, and the last test."""
    t, said = matter.t, matter.said
    folds, repeats = said["ledger"]["folds"], said["ledger"]["repeats"]
    strengths = ", ".join(f"{one:g}" for one in said["strengths"])
    parts: list[Part] = [
        Text(
            text=t(
                f"Cross-validation, {repeats} times {folds} folds, stratified by label, patients kept together, "
                f"nested: the "
                "strength of the penalty and the threshold are chosen inside each training part. Figures come from all "
                "predictions for cases that no model had seen; there is no best fold. The model that is shipped is "
                f"trained on all cases afterwards (C = {strengths}).",
                f"按患者分组、按标签分层的嵌套交叉验证：{repeats} 次重复，每次 {folds} 折；正则化强度与阈值只在各训"
                f"练部分内部选定。"
                f"指标取自全部“未见过”病例的预测，不挑选最好的一折。最终模型随后用全部病例训练（C = {strengths}）。",
            )
        ),
        Text(
            kind="note",
            text=t(
                "Intervals are 95 %. AUC: logit scale, for new patients and a newly trained model. Proportions: "
                "Wilson, with "
                "fewer effective cases where patients have several images or folds differ. Others: bootstrap over "
                "patients.",
                "区间均为 95% 置信区间。AUC：logit 尺度，针对新患者与重新训练的模型；比例：Wilson 区间，一名患者有多"
                "幅图像或各折差异较大时按有效例数计算；其余：以患者为单位的自助法。",
            ),
        ),
        *ways(matter),
        Text(kind="head", text=t("Last test on cases set aside", "留出病例的最后检验")),
    ]
    outside = said["external"]
    if outside is None:
        rest = len(matter.facts.cases) - said["counts"]["cases"]
        parts.append(
            Text(text=t("No cases were set aside.", "没有留出病例。"))
            if not rest
            else Text(
                text=t(
                    f"{rest} cases were set aside; such a test is made for classes only.",
                    f"留出了 {rest} 例；最后检验目前只用于分类任务。",
                )
            )
        )
        return tuple(parts)
    rows = []
    for name, found in outside["auc"].items():
        told = shortage(found, matter.lang) if "figure" in found else interval(found)
        rows.append((f"AUC {plain(name)}", told))
    if outside["accuracy"] is not None:
        rows.append((t("Right answers", "回答正确"), percent_interval(outside["accuracy"])))
    rows.append((t("Turned away by the gate", "被准入检查拒绝"), percent_interval(outside["turned_away"])))
    numbers = (
        t("Cases and patients", "病例与患者"),
        t(
            f"{outside['cases']} cases of {outside['patients']} patients",
            f"{outside['patients']} 名患者的 {outside['cases']} 例",
        ),
    )
    parts.append(facts_table([numbers, *rows]))
    return tuple(parts)
