"""How long fine-tuning will take, told before it begins, and how far it is."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from consilium.specialist.tuning.nested import Step
    from consilium.specialist.tuning.rung import Estimate

Callbacks = tuple[Callable[["Estimate"], None], Callable[["Step"], None]]


@contextlib.contextmanager
def tuning_progress(lang: Literal["zh", "en"]) -> Iterator[Callbacks]:
    """What to call with the estimate, and after each network: a bar on a terminal, a line each elsewhere."""

    def estimated(one: Estimate) -> None:
        minutes = max(one.seconds / 60, 0.1)
        click.echo(
            f"微调：{one.networks} 个网络，约 {minutes:.1f} 分钟，另需内存 {one.memory >> 20} MB；中断后再次运行会继续"
            if lang == "zh"
            else f"fine-tuning: {one.networks} networks, about {minutes:.1f} minutes, {one.memory >> 20} MB more of "
            "memory; a call that is interrupted goes on where it stopped",
            err=True,
        )

    if not sys.stderr.isatty():

        def tell(step: Step) -> None:
            known = (" (取自缓存)" if lang == "zh" else " (from the cache)") if step.kept else ""
            click.echo(f"[{step.done}/{step.parts}]{known}", err=True)

        yield estimated, tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    title = "微调" if lang == "zh" else "Fine-tuning"
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)

    def show(step: Step) -> None:
        bar.update(task, total=step.parts, completed=step.done)

    def begin(one: Estimate) -> None:
        estimated(one)
        bar.update(task, total=one.networks, completed=0)
        bar.start()

    try:
        yield begin, show
    finally:
        bar.stop()
