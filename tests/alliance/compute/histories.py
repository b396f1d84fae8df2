"""Jobs for tests: small, with only what a rule looks at."""

from __future__ import annotations

from typing import Any

from consilium.alliance.compute.job import Job, Request


def job(number: int = 1, **told: Any) -> Job:
    """A job that is done, an hour long, of one core; whatever is told replaces that."""
    asked = {"command": ("consilium", "karyotype", "x"), "folder": "/", "hospital": "hospital_a", "person": "li"}
    asked |= {name: told.pop(name) for name in list(told) if name in Request.__dataclass_fields__}
    request = Request(**asked)
    known: dict[str, Any] = {"state": "done", "submitted": 0.0, "started": 0.0, "ended": 3600.0, "tries": 1} | told
    if "core_seconds" not in known:
        spent = known["ended"] is not None and known["started"] is not None
        known["core_seconds"] = (known["ended"] - known["started"]) * request.cores if spent else 0.0
    return Job(number=number, request=request, **known)
