"""What a command shows while it runs stages."""

import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.graph import Stage


class Watcher:
    """An observer that shows a bar for the stage at work and leaves a line for each stage made."""

    def __init__(self, title: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        from workbench.cli.terminal import Terminal

        self.title = title
        # A copy of stderr: while native code is hushed, the bars go on.
        self.stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8")
        self.console = Terminal(file=self.stream, highlight=False, markup=False)
        self.bars = Progress(
            TextColumn("{task.fields[place]}"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )

    def __enter__(self) -> "Watcher":
        from workbench.talk import advise

        self.console.print(self.title, style="bold")
        advise()
        self.quiet = warnings.catch_warnings()
        self.quiet.__enter__()
        warnings.simplefilter("ignore")  # of libraries: they would break the bars
        self.bars.start()
        self.task = self.bars.add_task("", total=None, place="")
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()
        self.quiet.__exit__(None, None, None)
        self.stream.close()

    def begin(self, stage: "Stage", position: int, total: int) -> None:
        self.bars.remove_task(self.task)  # resetting one keeps its old total
        self.task = self.bars.add_task(stage.label, total=None, place=f"{position}/{total}")

    def progress(self, stage: "Stage", done: int, total: int) -> None:
        self.bars.update(self.task, completed=done, total=total)

    def note(self, text: str) -> None:
        self.console.print(f"  {text}", style="yellow")

    def end(self, stage: "Stage", outcome: str, seconds: float, summary: dict[str, Any]) -> None:
        if outcome == "cached":
            return
        facts = ", ".join(f"{k.replace('_', ' ')} {_fact(v)}" for k, v in summary.items() if v is not None)
        self.console.print(f"  {seconds:6.1f} s  {stage.label}" + (f": {facts}" if facts else ""), soft_wrap=True)


def _fact(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
