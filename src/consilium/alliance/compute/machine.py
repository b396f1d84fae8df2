"""What this machine has to give: cores and memory, as the limits that a container sets leave them."""

from __future__ import annotations

import os
from pathlib import Path

SHARE_OF_MEMORY = 0.8
"""Of the memory, for jobs; the rest is for whoever works at the machine."""

_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),  # version 2
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),  # version 1
)


def machine_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_memory_mb() -> int:
    """MiB that jobs may have."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in _LIMITS:
        try:
            there = min(there, int(limit.read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return int(there * SHARE_OF_MEMORY) >> 20
