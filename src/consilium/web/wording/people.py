"""Words of the page on people and settings."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "people.staff": ("Who works here", "实验室人员"),
    "people.person": ("Person", "人员"),
    "people.roles": ("Roles", "角色"),
    "people.roles_of": ("Roles of {person}", "{person} 的角色"),
    "people.account": ("Account", "账户"),
    "people.acts": ("Acts", "操作"),
    "people.none": ("no account yet", "尚无账户"),
    "people.disabled": ("nobody gets in by it", "已停用"),
    "people.waits": ("first sign-in awaited", "等待首次登录"),
    "people.by_password": ("by password", "密码登录"),
    "people.by_single_sign_on": ("by single sign-on", "单点登录"),
    "people.keep": ("Keep", "保存"),
    "people.keep_roles": ("Keep these roles of {person}", "保存 {person} 的角色"),
    "people.password": ("One-time password", "一次性密码"),
    "people.password_of": ("Make a one-time password for {person}", "为 {person} 生成一次性密码"),
    "people.shut": ("Shut out", "停用"),
    "people.shut_of": ("Shut {person} out", "停用 {person} 的账户"),
    "people.let_in_again": ("Let in again", "重新启用"),
    "people.let_in_again_of": ("Let {person} in again", "重新启用 {person} 的账户"),
    "people.once": (
        "A password for the next sign-in of {person}. It is shown this once; whoever had it before is signed out.",
        "{person} 下次登录的一次性密码，仅显示这一次；其原有登录已全部结束。",
    ),
    "people.add": ("Add a person", "添加人员"),
    "people.add_hint": (
        "Then make a one-time password, or let single sign-on bring the person in.",
        "添加后请生成一次性密码，或由单点登录进入。",
    ),
    "people.settings": ("What the laboratory settled", "实验室设置"),
    "people.laboratory": ("Laboratory", "实验室"),
    "people.zone": ("Time zone", "时区"),
    "people.before_signing": ("Before a report is signed", "报告签发之前必须满足"),
    "people.rule_second_reader": ("somebody else has read the case again", "由另一人复核"),
    "people.rule_flagged_reviewed": (
        "every flagged chromosome of an analysed cell was looked at", "已分析细胞中每条被标记的染色体均已查看"
    ),
    "people.rule_blind": (
        "the second reader says what she sees before she is shown the first reading",
        "复核者先独立判读，再看首次判读结果",
    ),
    "people.rule_iscn_valid": (
        "the karyotype breaks no rule of ISCN, or it is told why it stands",
        "核型符合 ISCN，或已说明理由",
    ),
    "people.rule_guideline_reasons": (
        "a figure of the guidelines that is missed has a reason beside it", "未达到指南要求之处已说明理由"
    ),
    "people.keep_days": ("Specimens are kept, days after the report", "报告后标本保存天数"),
    "people.reason": ("Why it is changed", "更改理由"),
    "people.settle": ("Settle it so", "保存设置"),
    "people.settings_hint": (
        "The reason stands in the history. All settings, as JSON: consilium laboratory profile.",
        "理由会记入历史。全部设置（JSON）：consilium laboratory profile。",
    ),
    "people.events": ("What was done with accounts", "账户操作记录"),
    "done.people": ("It is settled who works here and who gets in.", "人员与账户已更新。"),
    "done.settled": ("It is settled; days that were computed stay as they are.", "设置已保存；已计算的日期不变。"),
}  # fmt: skip
