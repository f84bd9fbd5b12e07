"""Screen 3: the compared runs as pictures, and what models learnt."""

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from rich.text import Text
from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static
from textual_plotext import PlotextPlot

from store import browse
from store.rows import Row
from tui.folding import folded
from tui.listing import Column, Listing, Rows, widest
from tui.page import Page, Plain, until_cancelled
from tui.search import Search
from tui.study import LETTERS, ComparedRuns, label
from workbench.comparison.words import signed

PLOTS = ("deltas", "scatter", "cutoffs", "losses")
TITLES = {
    "deltas": "differences, sorted",
    "scatter": "query by query",
    "cutoffs": "by rank cut-off",
    "losses": "loss of each fine-tuning",
}
CUTOFFS = [1, 2, 3, 5, 7, 10, 20, 30, 50, 70, 100, 200, 500, 1000]
POINTS = 400
"""Of a sorted curve: more than any terminal has columns."""
_FRAME = re.compile("[┌├└]")
_END = re.compile("[┐┤┘]")


class Picture(PlotextPlot):
    """A plot that says where in its coordinates it was clicked."""

    class Pointed(Message):
        """A place in the plot, each axis from 0 to 1."""

        def __init__(self, x: float, y: float) -> None:
            super().__init__()
            self.x, self.y = x, y

    def on_click(self, event: events.Click) -> None:
        lines = Text.from_ansi(self.plt.build()).plain.splitlines()
        framed = [i for i, line in enumerate(lines) if _FRAME.search(line) and _END.search(line)]
        if len(framed) < 2:
            return
        top, bottom = framed[0], framed[-1]
        left, right = _FRAME.search(lines[top]), _END.search(lines[top])
        if left and right and left.end() < right.start() and bottom - top > 1:
            x = (event.x - left.end()) / max(1, right.start() - left.end() - 1)
            y = (bottom - 1 - event.y) / max(1, bottom - top - 2)
            if 0 <= x <= 1 and 0 <= y <= 1:
                self.post_message(self.Pointed(x, y))


class Plots(Page):
    """The runs of screen 2 as pictures."""

    HELP = """
The runs compared on screen 2, in its measure; **v** goes to the next picture.

- **differences, sorted**: every query's difference of the chosen run from A, from the worst to the best. The line is
  the query under the cursor.
- **query by query**: A's value against the chosen run's. On the diagonal nothing changed; above it the chosen run is
  better. Equal points are spread by a hair. Click a point, or move the cursor; **Enter** opens the query on screen 2.
- **by rank cut-off**: the measure's mean at cut-offs from 1 to the depth of the runs.
- **loss of each fine-tuning**: as logged while training.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "kind(1)", "Next plot"),
        Binding("V", "kind(-1)", "Previous plot", show=False),
        Binding("enter", "open", "Open query", tooltip="Open this query on screen 2"),
        Binding("d", "chosen", "Other run", show=False, tooltip="Show the next run against A"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.kind = PLOTS[0]
        self.comparison: ComparedRuns | None = None
        self.models: list[Row] = []
        self.curve: Any = None
        self.cutoffs: list[int] = []
        self.order: list[int] = []
        self.chosen = 1

    def body(self) -> Iterator[Widget]:
        yield Static(id="about")
        with Horizontal(id="main"):
            with Vertical(id="left"):
                yield Listing(id="queries")
            yield Picture(id="plot")

    def on_mount(self) -> None:
        self.kind = self.bench.remembered.get("plot", PLOTS[0])
        self.query_one(Listing).focus()

    def refreshed(self) -> None:
        study, choice = self.bench.study, self.bench.choice
        runs = self.bench.rows(choice.run_ids)
        same = self.comparison and self.comparison.runs == runs and self.comparison.choice.measure == choice.measure
        if len(runs) >= 2 and not same:
            self.chosen = min(self.chosen, len(runs) - 1)
            self.read("compare", lambda: study.compare(choice, runs, until_cancelled()), self._compared)
        if self.bench.store.exists():
            self.read("models", lambda: browse.finetunes(self.bench.store), self._models)
        self.draw()

    def _compared(self, comparison: ComparedRuns) -> None:
        self.comparison, self.curve = comparison, None
        self.draw()

    def _models(self, models: list[Row]) -> None:
        self.models = models
        self.draw()

    def _curve(self, curve: Any) -> None:
        self.curve = curve
        self.draw()

    def searched(self, search: Search) -> None:
        self.draw()

    # Left.

    def draw(self) -> None:
        """The list, whose cursor draws the picture."""
        tabs = [Text(f" {TITLES[k]} ", "reverse" if k == self.kind else "") for k in PLOTS]
        self.query_one("#about", Static).update(Text.assemble(*tabs))
        listing = self.query_one(Listing)
        if self.kind == "losses":
            columns = [Column("model"), Column("trained on", 10), Column("last", 7, right=True)]
            listing.show(Rows(columns, len(self.models), self._model_cells), listing.cursor)
        elif self.comparison:
            comparison = self.comparison
            deltas = comparison.deltas(self.chosen)
            texts = comparison.queries[self.chosen]
            self.order = [
                int(i) for i in np.argsort(deltas, kind="stable")
                if self.search.fits({}, folded(f"{comparison.qids[i]} {texts.get(comparison.qids[i], '')}"))
            ]  # fmt: skip
            columns = [
                Column("qid", widest(comparison.qids, 12)),
                Column(f"{LETTERS[self.chosen]}-A", 6, right=True),
                Column("query"),
            ]

            def cells(row: int) -> list[Text]:
                qid = comparison.qids[self.order[row]]
                query = comparison.queries[self.chosen].get(qid, "")
                return [Text(qid), Text(signed(deltas[self.order[row]])), Text(query)]

            listing.show(Rows(columns, len(self.order), cells), min(listing.cursor, max(0, len(self.order) - 1)))
        else:
            listing.show(Rows())
        self.picture()

    def _model_cells(self, i: int) -> list[Text]:
        model = self.models[i]
        return [Text(model["system"]), Text(model["trained_on"]), Text(f"{model['losses'][-1]:.3f}")]

    @on(Listing.Moved)
    def moved(self) -> None:
        self.picture()

    # Right.

    def picture(self) -> None:
        """Draw the plot."""
        plot = self.query_one(Picture)
        plt = plot.plt
        plt.clear_figure()
        comparison = self.comparison
        if self.kind == "losses":
            self._losses(plt)
        elif not comparison:
            plt.title("Mark two to four runs on screen 1, then Enter.")
        elif self.kind == "deltas":
            self._deltas(plt, comparison)
        elif self.kind == "scatter":
            self._scatter(plt, comparison)
        else:
            self._cutoffs(plt, comparison)
        plot.refresh()

    def _names(self, comparison: ComparedRuns) -> str:
        a, b = label(comparison.runs[0]), label(comparison.runs[self.chosen])
        return f"{comparison.choice.measure}: {LETTERS[self.chosen]} {b}  against A {a}"

    def _deltas(self, plt: Any, comparison: ComparedRuns) -> None:
        deltas = np.sort(comparison.deltas(self.chosen))
        at = np.unique(np.linspace(0, len(deltas) - 1, min(POINTS, len(deltas))).astype(int))
        for part, colour in ((deltas[at] < 0, "red"), (deltas[at] > 0, "green")):
            if part.any():
                plt.plot((at[part] + 1).tolist(), deltas[at][part].tolist(), fillx=True, color=colour, marker="hd")
        plt.hline(0, "gray")
        plt.xlim(1, max(2, len(deltas)))
        ticks = sorted({round(t) for t in np.linspace(1, len(deltas), 5)})
        plt.xticks(ticks, list(map(str, ticks)))
        where = self.query_one(Listing).cursor
        if where < len(self.order) and not self.search:
            plt.vline(where + 1, "blue")
        plt.title(self._names(comparison))
        plt.xlabel(f"queries, sorted: {(deltas < 0).sum()} lost, {(deltas == 0).sum()} tied, {(deltas > 0).sum()} won")

    def _points(
        self, comparison: ComparedRuns
    ) -> "tuple[np.typing.NDArray[np.float64], np.typing.NDArray[np.float64]]":
        rng = np.random.default_rng(0)
        x, y = comparison.values(0), comparison.values(self.chosen)
        hair = 0.008 * max(float(x.max(initial=0)), float(y.max(initial=0)), 1e-9)
        return x + rng.normal(0, hair, len(x)), y + rng.normal(0, hair, len(y))

    def _limits(self, comparison: ComparedRuns) -> tuple[float, float]:
        most = max(
            float(comparison.values(0).max(initial=0)), float(comparison.values(self.chosen).max(initial=0)), 1e-9
        )
        return -0.04 * most, 1.04 * most

    def _scatter(self, plt: Any, comparison: ComparedRuns) -> None:
        x, y = self._points(comparison)
        low, high = self._limits(comparison)
        plt.plot([low, high], [low, high], color="gray", marker="dot")
        deltas = comparison.deltas(self.chosen)
        for keep, colour in ((deltas < 0, "red"), (deltas > 0, "green"), (deltas == 0, "default")):
            if keep.any():
                plt.scatter(x[keep].tolist(), y[keep].tolist(), color=colour, marker="braille")
        at = self.query_one(Listing).cursor
        if at < len(self.order):
            i = self.order[at]
            plt.scatter([float(x[i])], [float(y[i])], color="blue", marker="◉")
        plt.xlim(low, high)
        plt.ylim(low, high)
        plt.title(self._names(comparison))
        plt.xlabel("A")
        plt.ylabel(LETTERS[self.chosen])

    def _cutoffs(self, plt: Any, comparison: ComparedRuns) -> None:
        depth = max(r["depth"] for r in comparison.runs)
        self.cutoffs = [k for k in CUTOFFS if k <= depth]
        if self.curve is None:
            study, runs, measure, cutoffs = self.bench.study, comparison.runs, comparison.choice.measure, self.cutoffs
            self.read("curve", lambda: study.curve(runs, measure, cutoffs), self._curve)
            plt.title("computing ...")
            return
        for i, run in enumerate(comparison.runs):
            means = self.curve[i].tolist()
            plt.plot(
                np.log10(self.cutoffs).tolist(),
                means,
                color=("cyan", "magenta", "yellow", "green")[i],
                label=f"{LETTERS[i]} {label(run)}",
            )
        plt.xticks(np.log10(self.cutoffs).tolist(), [str(k) for k in self.cutoffs])
        plt.title(f"{comparison.choice.measure.partition('@')[0]}@k")
        plt.xlabel("k")

    def _losses(self, plt: Any) -> None:
        if not self.models:
            plt.title("No model was fine-tuned in this store.")
            return
        at = self.query_one(Listing).cursor
        model = self.models[min(at, len(self.models) - 1)]
        plt.plot(model["at"], model["losses"], color="cyan")
        plt.title(f"{model['system']} trained on {model['trained_on']}: {model['examples']} examples")
        counts = json.loads(model["counts"] or "{}")
        told = "".join(f"; {name.replace('_', ' ')} {value:,g}" for name, value in counts.items())
        plt.xlabel(f"step; learning rate {model['learning_rate']:g}{told}")

    @on(Picture.Pointed)
    def pointed(self, event: Picture.Pointed) -> None:
        """Put the cursor on the query of the nearest point."""
        comparison = self.comparison
        if not comparison or not self.order or self.kind not in ("deltas", "scatter"):
            return
        if self.kind == "deltas":
            row = round(event.x * (len(self.order) - 1))
        else:
            low, high = self._limits(comparison)
            x, y = self._points(comparison)
            far = np.hypot(x - low - event.x * (high - low), y - low - event.y * (high - low))
            row = self.order.index(min(self.order, key=lambda i: far[i]))
        self.query_one(Listing).cursor = row

    # Actions.

    def action_kind(self, step: int) -> None:
        at = PLOTS.index(self.kind) if self.kind in PLOTS else 0
        self.kind = PLOTS[(at + step) % len(PLOTS)]
        self.bench.remembered.put("plot", self.kind)
        self.draw()

    def action_chosen(self) -> None:
        if self.comparison:
            self.chosen = self.chosen % (len(self.comparison.runs) - 1) + 1
            self.draw()

    @on(Listing.Chosen)
    def action_open(self) -> None:
        at = self.query_one(Listing).cursor
        if self.comparison and self.kind != "losses" and at < len(self.order):
            self.bench.remembered.put("qid", self.comparison.qids[self.order[at]])
            self.bench.action_go("compare")

    def table(self) -> Plain:
        """What is plotted."""
        if self.kind == "losses" and self.models:
            model = self.models[min(self.query_one(Listing).cursor, len(self.models) - 1)]
            return ["step", "loss"], [[str(s), repr(x)] for s, x in zip(model["at"], model["losses"], strict=True)]
        if self.kind == "cutoffs" and self.comparison and self.curve is not None:
            names = [f"{LETTERS[i]} {label(r)}" for i, r in enumerate(self.comparison.runs)]
            rows = [[str(k), *(repr(float(v)) for v in self.curve[:, j])] for j, k in enumerate(self.cutoffs)]
            return ["k", *names], rows
        return super().table()
