"""Words of figures, and of jobs wherever they are shown."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "figures.table": ("The same as a table", "以表格显示"),
    "jobs.waiting": ("waiting", "排队中"),
    "jobs.running": ("running", "运行中"),
    "jobs.done": ("done", "已完成"),
    "jobs.failed": ("failed", "失败"),
    "jobs.cancelled": ("cancelled", "已取消"),
    "jobs.lost": ("lost", "已丢失"),
}
