"""Choosing what is compared, and how: runs, measure, test, correction, interval."""

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.comparing.methods import kinds, measures
from tui.frame.pick import Item
from tui.page import Page
from tui.study import LETTERS, label, with_method


class Choosing(Page):
    """A page that shows the present choice, and is `refreshed` after another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "measure", "Measure", tooltip="Choose a measure, or type any: RR(rel=2)@20"),
        Binding("t", "test", "Test", tooltip="Choose the test"),
        Binding("c", "correction", "Correction", show=False, tooltip="Choose the correction"),
        Binding("i", "interval", "Interval", show=False, tooltip="Choose the interval"),
        Binding("b", "baseline", "Other baseline", show=False, tooltip="Make the next run the baseline"),
    ]

    def action_run(self, place: int) -> None:
        """Put another run in the place of one."""
        runs = self.bench.runs
        items = [Item(r["run_id"], f"{label(r)}, {r['recipe'] or 'imported'}") for r in runs]
        ids = list(self.bench.choice.run_ids)

        def put(run_id: str) -> None:
            self.bench.compare([run_id if i == place else other for i, other in enumerate(ids)])

        if place < len(ids):
            self.pick(f"{LETTERS[place]}: which run?", items, ids[place], put)

    def action_baseline(self) -> None:
        ids = self.bench.choice.run_ids
        self.bench.choose(replace(self.bench.choice, run_ids=(*ids[1:], *ids[:1])))
        self.refreshed()

    def action_measure(self) -> None:
        from workbench.evaluation.measures import parsed

        items = measures(self.bench.rows(self.bench.choice.run_ids))
        self.pick("Measure", items, self.bench.choice.measure, self.measure, check=parsed)

    def measure(self, name: str) -> None:
        """Compare in another measure."""
        self.bench.choose(replace(self.bench.choice, measure=name))
        self.refreshed()

    def _method(self, title: str, name: str) -> None:
        choice = self.bench.choice

        def chosen(value: str) -> None:
            self.bench.choose(with_method(self.bench.choice, **{name: value}))
            self.refreshed()

        self.pick(title, kinds(name), getattr(choice.method, name), chosen)

    def action_test(self) -> None:
        self._method("Test", "test")

    def action_correction(self) -> None:
        self._method("Correction", "correction")

    def action_interval(self) -> None:
        self._method("Interval", "interval")
