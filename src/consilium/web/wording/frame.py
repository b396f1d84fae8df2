"""Words of what is around every page."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "frame.product": ("Consilium", "Consilium"),
    "frame.skip": ("Skip to content", "跳到正文"),
    "frame.navigation": ("Rooms", "导航"),
    "frame.language": ("中文", "English"),
    "frame.language_label": ("中文：切换到中文", "English: switch to English"),
    "frame.sign_out": ("Sign out", "退出登录"),
    "frame.signed_in": ("Signed in as {person}", "当前用户：{person}"),
    "frame.error": ("This did not work", "操作未完成"),
    "frame.back": ("Back to the worklist", "返回工作列表"),
    "frame.prompt": (
        "A prompt for a qualified reader, not a diagnosis.",
        "仅供有资质人员参考，不是诊断。",
    ),
    "nav.worklist": ("Worklist", "工作列表"),
    "nav.reception": ("Reception", "标本接收"),
    "nav.records": ("Tables", "数据表"),
    "nav.storage": ("Storage", "存放位置"),
    "nav.models": ("Models", "模型库"),
    "nav.specialists": ("Specialists", "专科模型"),
    "nav.studies": ("Joint studies", "联合研究"),
    "nav.operator": ("Alliance", "联盟运行"),
    "nav.people": ("People", "人员"),
    "nav.account": ("My account", "我的账户"),
}
