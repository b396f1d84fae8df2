"""Real histories of clusters in the Standard Workload Format, its groups standing for hospitals.

Format: https://www.cs.huji.ac.il/labs/parallel/workload/swf.html (Chapin et al. 1999), 18 numbers a line, -1 where
something is not known. Traces are not part of the repository; whoever has one names it.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

from consilium.alliance.compute.job import Job, Request

_SUBMITTED, _WAITED, _RAN, _CORES, _GROUP = 1, 2, 3, 4, 12


def read_trace(path: Path, *, groups: int = 10) -> list[Job]:
    """The jobs of the groups that asked for most core-hours.

    Args:
        path: of the trace, plain or gzip.
        groups: how many.

    Raises:
        ValueError: it is no such trace, or does not say when it began.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    begin, rows = None, []
    with opened(path, "rt", encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if line.startswith(";"):
                if found := re.match(r";\s*UnixStartTime:\s*(\d+)", line):
                    begin = int(found.group(1))
            elif line.strip():
                row = [float(one) for one in line.split()]
                if len(row) != 18:
                    raise ValueError(f"{path}: a line has {len(row)} numbers and not 18")
                rows.append(row)
    if not begin:
        raise ValueError(f"{path}: it does not say when it began (UnixStartTime), so there is no hour of the week")
    known = [row for row in rows if row[_SUBMITTED] >= 0 and row[_RAN] > 0 and row[_CORES] > 0 and row[_GROUP] >= 0]
    asked: Counter[int] = Counter()
    for row in known:
        asked[int(row[_GROUP])] += int(row[_RAN] * row[_CORES])
    chosen = {group for group, _ in asked.most_common(groups)}
    return [_job(number, row, begin) for number, row in enumerate(known, 1) if int(row[_GROUP]) in chosen]


def _job(number: int, row: list[float], begin: int) -> Job:
    submitted = begin + row[_SUBMITTED]
    started = submitted + max(row[_WAITED], 0.0)
    request = Request(
        command=("traced",), folder="/", hospital=f"group_{row[_GROUP]:.0f}", person="nobody", cores=int(row[_CORES])
    )
    return Job(
        number=number, request=request, state="done", submitted=submitted, started=started, ended=started + row[_RAN],
        tries=1, core_seconds=row[_RAN] * row[_CORES],
    )  # fmt: skip
