"""What can be wrong with databases, fonts and programs that Consilium stands on. Gaps are `{}`, by order."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    "{} is needed for {}": "{1}需要 {0}",
    "Install it: pip install 'consilium[{}]'.": "请安装：pip install 'consilium[{0}]'。",
    "{} does not answer (another change takes too long)": "{0} 没有响应（另一项更改耗时过长）",
    "Nothing was changed. Call again.": "未作任何更改。请重试。",
    "{} is of a newer version of Consilium (step {})": "{0} 属于更新版本的 Consilium（步骤 {1}）",
    "Install that version here too.": "此处也请安装该版本。",
    "{} has no room ({})": "{0} 空间不足（{1}）",
    "Nothing was changed. Make room, then call again.": "未作任何更改。请腾出空间后重试。",
    "{} does not answer ({})": "{0} 没有响应（{1}）",
    "See that the database runs and that this user may open it; nothing was changed.":
        "请确认数据库正在运行且此用户有权打开；未作任何更改。",
    "psycopg is needed for PostgreSQL": "使用 PostgreSQL 需要 psycopg",
    "Install it: pip install 'consilium[{}]' 'psycopg[binary]'.":
        "请安装：pip install 'consilium[{0}]' 'psycopg[binary]'。",
    "{} cannot be kept in {}": "{0} 不能保存在 {1} 中",
    "{} in memory forgets everything": "{0} 如保存在内存中将全部丢失",
    "this is no URL of a database": "这不是数据库地址",
    "As in sqlite:///records.db or postgresql://user@host/name.":
        "例如 sqlite:///records.db 或 postgresql://user@host/name。",
    "{} cannot be written ({})": "无法写入 {0}（{1}）",
    "Typst, which makes the PDF, is not installed": "未安装用于生成 PDF 的 Typst",
    "Install it: pip install 'consilium[pdf]'.": "请安装：pip install 'consilium[pdf]'。",
    "a name or text has a letter that no font at hand has": "名称或文字中有现有字体没有的字符",
    "Spell it otherwise, or name a folder with a font that has it in {}.":
        "请改用其他写法，或在 {0} 中指定含有该字符的字体文件夹。",
    "Install one, on Debian or Ubuntu with `apt-get install fonts-noto-cjk`, or name the folder that holds one in {}.":
        "请安装字体（Debian 或 Ubuntu：`apt-get install fonts-noto-cjk`），或在 {0} 中指定字体文件夹。",
    "the PDF report could not be typeset": "无法排版 PDF 报告",
    "This is a fault of Consilium; please report it.": "这是 Consilium 的缺陷，请报告。",
}  # fmt: skip
