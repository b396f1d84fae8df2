"""The sentences of the report, in Chinese and English."""

from __future__ import annotations

from typing import Literal

Language = Literal["zh", "en"]

ACTIONS: dict[str, dict[Language, str]] = {
    "kept": {"en": "elements kept", "zh": "个元素保留"},
    "removed": {"en": "elements removed", "zh": "个元素删除"},
    "emptied": {"en": "elements emptied", "zh": "个元素清空"},
    "dummy": {"en": "values replaced by a dummy", "zh": "个值以占位值替换"},
    "pseudonym": {"en": "values replaced by a keyed pseudonym", "zh": "个值以密钥假名替换"},
    "uid": {"en": "UIDs replaced", "zh": "个 UID 替换"},
    "moved": {"en": "dates moved or times kept", "zh": "个日期平移或时间保留"},
    "capped": {"en": "ages over 89 made 90", "zh": "个 89 岁以上年龄记为 90 岁"},
    "unreadable": {
        "en": "elements removed because their value is not what it says",
        "zh": "个元素因值与类型不符而删除",
    },
}
"""What was done with elements."""

NOTES: dict[str, dict[Language, str]] = {
    "face": {
        "en": "files show a face, or a head from which one can be drawn; they are flagged (RecognizableVisualFeatures)",
        "zh": "个文件含面容或可重建面容的头部，已标记（RecognizableVisualFeatures）",
    },
    "body_part_unknown": {
        "en": "volumes do not say which part of the body they show; from a head a face could be drawn",
        "zh": "个容积数据未说明部位；若为头部则可能重建面容",
    },
}
"""What a reader should know of files that were written."""

HEADINGS: dict[Language, dict[str, str]] = {
    "en": {
        "trial": "A trial: nothing was written.",
        "files": "{written} files de-identified, {masked} of them with pixels blanked; {refused} refused.",
        "notes": "To be known:",
        "refused": "Refused:",
        "stop": ". ",
    },
    "zh": {
        "trial": "试运行：未写入任何文件。",
        "files": "已去标识化 {written} 个文件，其中 {masked} 个遮盖了像素；拒绝 {refused} 个。",
        "notes": "请注意：",
        "refused": "拒绝：",
        "stop": "。",
    },
}
