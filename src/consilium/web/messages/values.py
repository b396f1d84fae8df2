"""What stands in the gaps of messages, where it is a word of Consilium's own. Gaps of these are `{}`, by order."""

from __future__ import annotations

from collections.abc import Mapping

ENTRIES: Mapping[str, str] = {
    "a reason": "理由", "the reason": "理由", "the note": "备注", "who asks": "查询者", "the urgency": "紧急程度",
    "the specimen": "标本类型", "the order number": "申请单号", "the method": "方法", "the karyotype": "核型",
    "the indication": "临床指征", "the hospital number": "住院/门诊号", "the condition": "标本状况", "the act": "操作",
    "a part of a place": "存放位置的一部分", "a name": "姓名", "whose value is right": "以谁的值为准",
    "who receives it": "接收人", "who hands it over": "移交人", "what is made": "制备类型",
    "what is looked for": "查找内容",
    "the state": "状态", "the sex": "性别", "the occasion": "场合", "the number": "编号",
    "the name": "姓名", "the name of a file": "文件名", "the medium": "培养基", "the last day": "截止日期",
    "the interpretation": "结果解释", "the first day": "起始日期", "the document": "文档", "the birth date": "出生日期",
    "the banding": "显带", "an object": "对象", "a purpose": "用途", "a name for the token": "令牌名称",
    "a freezer": "冰箱", "a class": "类别", "a box": "存放盒",
}  # fmt: skip
"""What somebody typed, as `laboratory.entry` calls it."""

OTHERS: Mapping[str, str] = {
    "received": "已接收", "in culture": "培养中", "harvested": "已收获", "analysed": "已分析", "reviewed": "已复核",
    "signed": "已签发", "reopened": "已重新打开", "amended": "已修订", "counted": "已计数", "karyotyped": "已排核型",
    "running": "运行中", "done": "已完成", "failed": "已失败", "cancelled": "已取消", "waiting": "等待中",
    "technologist": "技术员", "reviewer": "复核者", "director": "实验室主任", "administrator": "管理员",
    "routine": "常规", "urgent": "加急", "days": "天", "working days": "个工作日",
    "birth date": "出生日期", "name": "姓名", "sex": "性别",
    "culture": "培养", "harvest": "收获", "slide": "玻片", "specimen": "标本",
    "storage": "保存", "research": "科研", "teaching": "教学", "quality control": "质量控制", "diagnosis": "诊断",
    "emergency": "紧急", "clinical": "临床", "idle": "空闲",
    "member": "成员", "publisher": "发布者", "approver": "批准者", "lead": "牵头", "data_officer": "数据官",
    "operator": "运营者", "stopped": "已停止", "draft": "草稿",
    "invitation": "邀请", "request": "申请", "admission": "准入", "inputs": "输入", "outputs": "输出",
    "the laboratory's database": "实验室数据库", "the accounts of the laboratory": "实验室账户数据库",
    "the catalogue": "模型目录",
    "review and report": "复核与报告", "{} by {} at {}": "{1} 于 {2}：{0}", "a signed report": "已签发的报告",
}  # fmt: skip

REASONS: Mapping[str, str] = {
    "consent {} of {}, no end was said": "{1} 的知情同意 {0}，未注明截止日期",
    "consent {} of {}, until {}": "{1} 的知情同意 {0}，至 {2}",
    "no consent speaks of {}": "没有涉及“{0}”的知情同意",
    "consent {} was withdrawn on {}": "知情同意 {0} 已于 {1} 撤回",
    "consent {} begins on {}": "知情同意 {0} 自 {1} 起生效",
    "consent {} ended on {}": "知情同意 {0} 已于 {1} 到期",
    "its case is not reported": "其病例尚未报告",
    "it is kept until {}": "保存至 {0}",
    "storage is agreed to: {}": "已同意保存：{0}",
    "it was to be kept until {}; {}": "应保存至 {0}；{1}",
    "{}: the guidelines give no turnaround": "{0}：指南未规定报告时限",
    "{}, routine: {} {} after {} ({})": "{0}，常规：{3} 起 {1} {2}（{4}）",
    "{}, routine: {} {} after {}, which end on {}, a day without work ({})":
        "{0}，常规：{3} 起 {1} {2}，至 {4} 为非工作日（{5}）",
    "{}, urgent: {} {} after {} ({})": "{0}，加急：{3} 起 {1} {2}（{4}）",
    "{}, urgent: {} {} after {}, which end on {}, a day without work ({})":
        "{0}，加急：{3} 起 {1} {2}，至 {4} 为非工作日（{5}）",
    "{}, urgent: {} {} after {} ({}); no time is given for urgent ones, so it is the routine time at most":
        "{0}，加急：{3} 起 {1} {2}（{4}）；指南未规定加急时限，以常规时限为上限",
    "{}, urgent: {} {} after {}, which end on {}, a day without work ({}); no time is given for urgent ones, so it is "
    "the routine time at most":
        "{0}，加急：{3} 起 {1} {2}，至 {4} 为非工作日（{5}）；指南未规定加急时限，以常规时限为上限",
}  # fmt: skip
"""Why something may be done or not, and why a report is due on a day (`laboratory.consent`, `laboratory.due_date`)."""

TITLES: Mapping[str, str] = {
    "cell {}": "细胞 {0}", "image {}": "图像 {0}", "run {}": "运行 {0}",
    "a signed report of revision {}": "第 {0} 版已签发报告",
    "patient {}": "患者 {0}", "case {}": "病例 {0}", "specimen {}": "标本 {0}",
}  # fmt: skip
"""How records call themselves."""
