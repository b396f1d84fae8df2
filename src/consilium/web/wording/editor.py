"""Words of the editor's page; what its modules say is in `static/editor/words.js`."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "editor.title": ("Karyogram of {case}", "{case} 核型图"),
    "editor.loading": ("The cell is being read.", "正在读取细胞。"),
    "editor.needs_script": (
        "The editor needs JavaScript, which this browser does not run.",
        "编辑器需要 JavaScript，而此浏览器未启用。",
    ),
}
