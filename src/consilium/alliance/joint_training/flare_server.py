"""The server's side inside NVIDIA FLARE: a workflow that sends tasks and gathers answers.

Where the study lies is told by the server's own start-up kit (`local/consilium.json`), not by the job.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nvflare.apis.client import Client
from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.impl.controller import Controller
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal

from consilium.alliance.joint_training.encryption import cipher_in
from consilium.alliance.joint_training.flare_names import SITE_FILE
from consilium.alliance.joint_training.flare_site import put, taken
from consilium.alliance.joint_training.messages import TASK
from consilium.alliance.joint_training.server_side import Answers, ServerSide
from consilium.alliance.joint_training.study import study_of
from consilium.alliance.ledger import append
from consilium.errors import ConsiliumError

STOP = "stop"
"""A file of this name in the study's folder ends it after the question that is being asked."""
_GRACE = 1
"""Seconds that hospitals which were away are waited for when all others have answered."""


class StudyController(Controller):
    """Runs a study as a FLARE workflow.

    Args:
        study: digest of the study that the job is for.
    """

    def __init__(self, study: str) -> None:
        super().__init__(task_check_period=0.05)
        self._digest = study

    def start_controller(self, fl_ctx: FLContext) -> None:
        """Read what the server's kit says; see `Controller.start_controller`."""
        root = Path(fl_ctx.get_workspace().root_dir)
        told = json.loads((root / "local" / SITE_FILE).read_text(encoding="utf-8"))
        self._folder, self._ledger = Path(told["folder"]), Path(told["ledger"])
        study = study_of(json.loads((self._folder / "study.json").read_text(encoding="utf-8")))
        if study.digest != self._digest:
            self.system_panic("the job is for another study", fl_ctx)
            return
        self._study = study
        cipher = cipher_in(root, server=True) if study.privacy.encrypted else None
        self._side = ServerSide(self._folder, study, cipher, self._note)

    def control_flow(self, abort_signal: Signal, fl_ctx: FLContext) -> None:
        """Go through the study; see `Controller.control_flow`."""

        def ask_sites(body: dict[str, Any], sites: list[str], every: bool) -> Answers:
            return self._ask(body, sites, every, abort_signal, fl_ctx)

        try:
            self._side.run(ask_sites, lambda: bool(abort_signal.triggered) or (self._folder / STOP).exists())
        except ConsiliumError as problem:
            self.system_panic(str(problem), fl_ctx)

    def stop_controller(self, fl_ctx: FLContext) -> None:
        """Nothing to put away; see `Controller.stop_controller`."""

    def process_result_of_unknown_task(
        self, client: Client, task_name: str, client_task_id: str, result: Shareable, fl_ctx: FLContext
    ) -> None:
        """An answer that came after its round; it is not taken. See `Controller`."""
        self.log_info(fl_ctx, f"{client.name} answered too late")

    def _ask(
        self, body: dict[str, Any], sites: list[str], every: bool, abort_signal: Signal, fl_ctx: FLContext
    ) -> Answers:
        answers: Answers = {}

        def received(client_task: ClientTask, fl_ctx: FLContext) -> None:
            result = client_task.result
            told = taken(result) if isinstance(result, Shareable) else {}
            if not told:
                code = result.get_return_code() if isinstance(result, Shareable) else "?"
                told = {"state": "broken", "reason": _REASONS.get(code, f"it did not answer ({code})")}
            answers[client_task.client.name] = told
            client_task.result = None

        for site in sites:
            self._side.received(site, body)
        states = self._side.progress.sites
        there = sites if every else [site for site in sites if states[site].state == "there"]
        task = Task(name=TASK, data=put(body), timeout=self._study.round_seconds, result_received_cb=received)
        self.broadcast_and_wait(
            task=task, fl_ctx=fl_ctx, targets=sites, min_responses=max(len(there), 1),
            wait_time_after_min_received=0 if len(there) == len(sites) else _GRACE, abort_signal=abort_signal,
        )  # fmt: skip
        return dict(answers)

    def _note(self, what: str, details: dict[str, Any]) -> None:
        append(self._ledger, who="server", what=what, on=f"study {self._study.id}", details=details)


_REASONS = {
    ReturnCode.EXECUTION_EXCEPTION: "its client failed",
    ReturnCode.TASK_RESULT_FILTER_ERROR: "its own filter let nothing through",
    ReturnCode.EXECUTION_RESULT_ERROR: "its client gave no answer",
}
