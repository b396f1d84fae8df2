"""A hospital inside NVIDIA FLARE: the only two classes of Consilium that a job may have built at a site.

FLARE starts a process for each job and hands it tasks; which study at this hospital they are for is told by the
start-up kit, not by the job: `local/consilium.json`, which the hospital's own `study join` wrote.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nvflare.apis.executor import Executor
from nvflare.apis.filter import ContentBlockedException, Filter
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable, make_reply
from nvflare.apis.signal import Signal

from consilium.alliance.joint_training.flare_names import SITE_FILE
from consilium.alliance.joint_training.hospital_side import HospitalSide
from consilium.alliance.joint_training.messages import FIELDS, LONGEST_REASON, TASK

_BODY = "consilium"


def put(body: dict[str, Any]) -> Shareable:
    """A message that FLARE carries."""
    found = Shareable()
    found[_BODY] = body
    return found


def taken(message: Shareable) -> dict[str, Any]:
    """What is in a message; nothing where it is none of ours."""
    body = message.get(_BODY)
    return body if isinstance(body, dict) else {}


class SiteExecutor(Executor):
    """Hands tasks to the hospital's side and its answers back."""

    def __init__(self) -> None:
        super().__init__()
        self._side: HospitalSide | None = None

    def execute(self, task_name: str, shareable: Shareable, fl_ctx: FLContext, abort_signal: Signal) -> Shareable:
        """Answer one task; see `Executor.execute`."""
        if task_name != TASK or abort_signal.triggered:
            return make_reply(ReturnCode.TASK_UNKNOWN)
        if self._side is None:
            root = Path(fl_ctx.get_workspace().root_dir)
            told = json.loads((root / "local" / SITE_FILE).read_text(encoding="utf-8"))
            self._side = HospitalSide(Path(told["folder"]))
        return put(self._side.answer(taken(shareable)))


class OnlySums(Filter):
    """FLARE's privacy filter at a site: lets a result through only if it is an answer in our form.

    It stands outside the executor, in the site's own `privacy.json`; a job can neither remove nor change it.
    """

    def process(self, shareable: Shareable, fl_ctx: FLContext) -> Shareable:
        """Let an answer through, or block it; see `Filter.process`."""
        body = taken(shareable)
        if not body and shareable.get_return_code() != ReturnCode.OK:
            return shareable
        strange = (set(body) - FIELDS) | {key for key in shareable if key != _BODY and not str(key).startswith("__")}
        if not body or strange or len(str(body.get("reason", ""))) > LONGEST_REASON:
            raise ContentBlockedException("only sums of a study leave this hospital")
        return shareable
