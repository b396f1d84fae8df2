"""What alarms of the alliance's compute say (`alliance.compute.health`). Gaps are `{}`, by order."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    "the node is down": "节点停机",
    "the node is down{}": "节点停机{0}",
    "the node takes no new jobs": "节点不接收新作业",
    "the node takes no new jobs{}": "节点不接收新作业{0}",
    "See whether the machine runs and is reached; what ran on it starts again elsewhere.":
        "请检查机器是否运行、能否连通；其上的作业会在别处重新开始。",
    "Resume it when what it was drained for is done.": "处理完停用原因后请恢复该节点。",
    "no node takes jobs": "没有节点接收作业",
    "Bring a node back; jobs wait until then and are not lost.": "请恢复节点；作业在此之前等待，不会丢失。",
    "it asks for more than there is now and can never start": "所需资源超出现有总量，无法开始",
    "Bring the missing nodes back, or cancel it and ask for less.": "请恢复缺失的节点，或取消作业并减少资源。",
    "it waits for {}, and {} jobs are to start within {}": "已等待 {0}，而{1}作业应在 {2} 内开始",
    "See what holds the cores (`consilium compute list`); a lease or a node is missing.":
        "请查看占用核心的作业（`consilium compute list`）；可能缺少租约或节点。",
    "it runs for {}; {} like it took {}, {} at most": "已运行 {0}；同类作业 {1} 个，用时 {2}，最长 {3}",
    "Look at what it writes (`consilium compute logs`); if it does nothing, cancel it.":
        "请查看其输出（`consilium compute logs`）；如无进展，请取消。",
    "the last {} jobs of its kind all failed": "同类的最近 {0} 个作业全部失败",
    "Read what the newest one wrote (`consilium compute logs`) before more are submitted.":
        "请先阅读最新一个的输出（`consilium compute logs`），再提交新的作业。",
    "it is in its {}. try": "正在第 {0} 次尝试",
    "Its machine is lost each time: it may need more memory than it asks for.":
        "每次都失去所在机器：可能需要比申请更多的内存。",
    "{} of its storage is filled: {}": "存储已使用 {0}：{1}",
    "Its jobs are refused until results are deleted or the quota is raised.":
        "在删除结果或提高配额之前，其作业将被拒绝。",
    "Delete or move results, or raise the quota; above 100 % its jobs are refused.":
        "请删除或移走结果，或提高配额；超过 100 % 时其作业将被拒绝。",
    "{} files or folders of its quota cannot be looked at and are not counted":
        "其配额内有 {0} 个文件或文件夹无法查看，未计入",
    "Give whoever runs this the right to list them.": "请授予运行者列出它们的权限。",
}  # fmt: skip
