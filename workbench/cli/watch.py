"""What a command shows while it runs stages."""

import os
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.graph import Stage


class Watcher:
    """An observer that shows a bar for the stage at work and leaves a line for each stage made.

    Args:
        title: what is done.
        folded: stages of which only a line a group is left, when its last stage has ended; notes stay, and so does the
            stage that failed.
    """

    def __init__(self, title: str, folded: "Sequence[Stage]" = ()) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        from workbench.cli.terminal import Terminal

        self.title = title
        self.groups: dict[str, _Group] = {}
        for stage in folded:
            self.groups.setdefault(stage.work.group, _Group()).left += 1
        self.at_work: Stage | None = None
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

    def __exit__(self, fault: object, *_: object) -> None:
        self.bars.stop()
        if fault and self.groups:
            for name, group in self.groups.items():
                if group.left:  # those that ended have their line
                    self._leave(name, group)
            if self.at_work:
                self.console.print(f"  stopped at: {self.at_work.label}", style="bold", soft_wrap=True)
        self.quiet.__exit__(None, None, None)
        self.stream.close()

    def begin(self, stage: "Stage", position: int, total: int) -> None:
        self.at_work = stage
        self.bars.remove_task(self.task)  # resetting one keeps its old total
        self.task = self.bars.add_task(stage.label, total=None, place=f"{position}/{total}")

    def progress(self, stage: "Stage", done: int, total: int) -> None:
        self.bars.update(self.task, completed=done, total=total)

    def note(self, text: str) -> None:
        self.console.print(f"  {text}", style="yellow")

    def end(self, stage: "Stage", outcome: str, seconds: float, summary: dict[str, Any]) -> None:
        self.at_work = None
        if group := self.groups.get(stage.work.group):
            group.ended(outcome, seconds)
            if not group.left:
                self._leave(stage.work.group, group)
            return
        if outcome == "cached":
            return
        facts = ", ".join(f"{k.replace('_', ' ')} {_fact(v)}" for k, v in summary.items() if v is not None)
        self.console.print(f"  {seconds:6.1f} s  {stage.label}" + (f": {facts}" if facts else ""), soft_wrap=True)

    def _leave(self, name: str, group: "_Group") -> None:
        """A line for what a group has made; none if it was all cached."""
        if not group.made:
            return
        cached = f", {group.cached} more cached" if group.cached else ""
        left = f", {group.left} not done" if group.left else ""
        stages = f"{group.made} stage{'s' if group.made > 1 else ''}"
        self.console.print(f"  {name:10} {stages}, {group.seconds:.1f} s{cached}{left}")


@dataclass
class _Group:
    """How many stages of a group there are yet, and what became of the others."""

    left: int = 0
    made: int = 0
    cached: int = 0
    seconds: float = 0.0

    def ended(self, outcome: str, seconds: float) -> None:
        self.left -= 1
        if outcome == "cached":
            self.cached += 1
        else:
            self.made += 1
            self.seconds += seconds


def _fact(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
