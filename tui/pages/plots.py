"""Screen 3: the compared runs as pictures, and what models learnt."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from store import browse
from store.rows import Row, RunRow
from tui.export import as_csv, markdown
from tui.listing import Column, Listing, Rows, widest
from tui.page import Page, Plain, until_cancelled
from tui.picture import Picture
from tui.queries import ordered
from tui.study import LETTERS, ComparedRuns, label
from workbench.comparison.words import signed
from workbench.reports.figures.base import Drawing
from workbench.reports.figures.of_runs import RUN_FIGURES
from workbench.reports.figures.of_runs.base import AtCutoffs, Compared, Losses, RunFigure, cutoffs

Floats = np.typing.NDArray[np.float64]
SOURCES = (Compared, AtCutoffs, Losses)
"""What this screen has to draw from."""


def plots() -> list[str]:
    """The figures of runs that are drawn from what this screen has, by name."""
    return [name for name in RUN_FIGURES.names() if RUN_FIGURES.part(name).of_data in SOURCES]


class Plots(Page):
    """The runs of screen 2 as pictures."""

    HELP = """
The runs compared on screen 2, in its measure; **v** or a click on a name goes to another picture, **d** to another
run against A.

- **differences**: every query's difference of the chosen run from A, from the worst to the best; tied queries are
  drawn as one stretch. The line is the query under the cursor.
- **query by query**: A's value against the chosen run's; above the dotted line it is better. A number says how many
  queries have the same values.
- **by cut-off**: the measure's mean at cut-offs from 1 to the depth of the runs.
- **losses**: of each fine-tuning, as logged while training.

Click a point or move the cursor; a second click on a point of several queries goes to the next of them, **Enter**
opens the query on screen 2. **e** writes the figure alone as SVG or PDF (`pip install 'lsw-workbench[plots]'`), or what
is plotted as a table.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "kind(1)", "Next plot"),
        Binding("V", "kind(-1)", "Previous plot", show=False),
        Binding("enter", "open", "Open query", tooltip="Open this query on screen 2"),
        Binding("d", "chosen", "Other run", show=False, tooltip="Show the next run against A"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.kind = plots()[0]
        self.comparison: ComparedRuns | None = None
        self.models: list[Row] | None = None
        self.curve: Floats | None = None
        self.order: list[int] = []
        self.words: list[str] = []
        self.chosen = 1
        self.at = dict.fromkeys(SOURCES, 0)
        """The cursor in each list."""

    def body(self) -> Iterator[Widget]:
        yield Static(id="about")
        with Horizontal(id="main"):
            with Vertical(id="left"):
                yield Listing(id="queries")
            yield Picture(id="plot")

    def on_mount(self) -> None:
        known = self.bench.remembered.get("plot", self.kind)
        self.kind = known if known in plots() else self.kind
        self.query_one(Listing).focus()

    def refreshed(self) -> None:
        study, choice = self.bench.study, self.bench.choice
        runs = self.bench.rows(choice.run_ids)
        same = self.comparison and self.comparison.runs == runs and self.comparison.choice.measure == choice.measure
        if len(runs) >= 2 and not same:
            self.comparison = None
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

    def _curve(self, comparison: ComparedRuns, curve: Floats) -> None:
        if comparison is self.comparison:
            self.curve = curve
            self.draw()

    def searched(self, words: list[str]) -> None:
        self.words = words
        self.draw()

    # What is drawn.

    @property
    def figure(self) -> RunFigure:
        """The sort of picture."""
        return RUN_FIGURES.part(self.kind)()

    def data(self, here: bool = False) -> Any:
        """What the picture is drawn from, with the query that is pointed `here`; else, in words, why there is none."""
        source, comparison = self.figure.of_data, self.comparison
        if source is Losses:
            if self.models is None:
                return "reading losses ..." if self.bench.store.exists() else "There is no store yet."
            if not self.models:
                return "No model was fine-tuned in this store; v shows the next picture."
            return Losses.of(self.models[min(self.at[Losses], len(self.models) - 1)])
        if comparison is None:
            runs = len(self.bench.rows(self.bench.choice.run_ids))
            if runs >= 2:
                return f"comparing {runs} runs in {self.bench.choice.measure} ..."
            number = self.bench.pages.index("runs") + 1
            return f"Press {number} for the runs, mark two to four with Space, then Enter."
        names = [f"{LETTERS[i]} {label(run)}" for i, run in enumerate(comparison.runs)]
        measure = comparison.choice.measure
        if source is AtCutoffs:
            if self.curve is None:
                return f"reading cut-offs of {len(names)} runs ..."
            ranks = cutoffs(max(run["depth"] for run in comparison.runs))
            return AtCutoffs(measure.partition("@")[0], names, ranks, self.curve)
        values = np.stack([comparison.values(0), comparison.values(self.chosen)], axis=1)
        texts = [comparison.queries[self.chosen].get(qid, "") for qid in comparison.qids]
        pointed = self.order[self.at[Compared]] if here and self.at[Compared] < len(self.order) else None
        return Compared(measure, (names[0], names[self.chosen]), comparison.qids, values, texts, pointed)

    def drawing(self, here: bool = False) -> Drawing | str:
        """The picture, or why there is none."""
        data = self.data(here)
        return data if isinstance(data, str) else self.figure.of(data) or "There is nothing to draw."

    def draw(self) -> None:
        """The list, whose cursor draws the picture."""
        tabs = [
            f"[@click=screen.picture('{kind}')]{'[reverse]' * (kind == self.kind)} {RUN_FIGURES.part(kind).title} "
            f"{'[/reverse]' * (kind == self.kind)}[/]"
            for kind in plots()
        ]
        self.query_one("#about", Static).update("".join(tabs))
        source, comparison = self.figure.of_data, self.comparison
        if source is AtCutoffs and comparison and self.curve is None:
            study, runs, measure = self.bench.study, comparison.runs, comparison.choice.measure
            ranks = cutoffs(max(run["depth"] for run in runs))
            self.read("curve", lambda: study.curve(runs, measure, ranks), partial(self._curve, comparison))
        if comparison:
            self.order = ordered(comparison, self.chosen, "delta", "all", self.words)
        data = self.data()
        lists: dict[type, Callable[[Any], Rows]] = {
            Compared: self._queries, AtCutoffs: self._means, Losses: self._trained,
        }  # fmt: skip
        rows = Rows() if isinstance(data, str) else lists[source](data)
        self.query_one(Listing).show(rows, min(self.at[source], max(0, rows.count - 1)))
        self.picture()

    def _queries(self, data: Compared) -> Rows:
        def cells(row: int) -> list[Text]:
            i = self.order[row]
            return [Text(data.qids[i]), Text(signed(data.deltas[i])), Text(data.texts[i])]

        delta = Column(f"{LETTERS[self.chosen]}-A", 6, right=True)
        return Rows([Column("qid", widest(data.qids, 12)), delta, Column("query")], len(self.order), cells)

    def _means(self, data: AtCutoffs) -> Rows:
        def cells(row: int) -> list[Text]:
            return [Text(f"{data.measure}@{data.cutoffs[row]}"), *(Text(f"{mean:.4f}") for mean in data.means[:, row])]

        letters = [Column(name[0], 6, right=True) for name in data.names]
        return Rows([Column("measure"), *letters], len(data.cutoffs), cells)

    def _trained(self, _: Losses) -> Rows:
        models = self.models or []

        def cells(row: int) -> list[Text]:
            model = models[row]
            return [Text(model["system"]), Text(model["trained_on"]), Text(f"{model['losses'][-1]:.3f}")]

        return Rows([Column("model"), Column("trained on", 10), Column("last", 7, right=True)], len(models), cells)

    @on(Listing.Moved)
    def moved(self) -> None:
        if self.query_one(Listing).rows.count:
            self.at[self.figure.of_data] = self.query_one(Listing).cursor
        self.picture()

    def picture(self) -> None:
        """Draw the plot."""
        drawing = self.drawing(here=True)
        shown = self.query_one(Picture)
        shown.show(None, drawing) if isinstance(drawing, str) else shown.show(drawing)

    @on(Picture.Pointed)
    def pointed(self, event: Picture.Pointed) -> None:
        """Put the cursor on the query of the nearest point: the first, or the one after the present."""
        data, listing = self.data(), self.query_one(Listing)
        there = [] if isinstance(data, str) else self.figure.queries(data, event.x, event.y, self.order)
        if there:
            present = self.order[listing.cursor] if listing.cursor < len(self.order) else -1
            again = (there.index(present) + 1) % len(there) if present in there else 0
            listing.cursor = self.order.index(there[again])

    # Actions.

    def action_kind(self, step: int) -> None:
        self.action_picture(plots()[(plots().index(self.kind) + step) % len(plots())])

    def action_picture(self, kind: str) -> None:
        """Show a picture by its name."""
        self.kind = RUN_FIGURES.known(kind)
        self.bench.remembered.put("plot", kind)
        self.draw()

    def action_chosen(self) -> None:
        if self.comparison:
            self.chosen = self.chosen % (len(self.comparison.runs) - 1) + 1
            self.draw()

    @on(Listing.Chosen)
    def action_open(self) -> None:
        at = self.query_one(Listing).cursor
        if self.comparison and self.figure.of_data is Compared and at < len(self.order):
            self.bench.remembered.put("qid", self.comparison.qids[self.order[at]])
            self.bench.action_go("compare")

    def focused_run(self) -> RunRow | None:
        """The run that is held against A."""
        return self.comparison.runs[self.chosen] if self.comparison and self.figure.of_data is not Losses else None

    # Copying and exporting.

    def table(self) -> Plain:
        """What is plotted."""
        data = self.data()
        return ([], []) if isinstance(data, str) else self.figure.plain(data)

    def exports(self) -> dict[str, Callable[[Path], None]]:
        """The figure alone, and what is plotted."""
        drawing, table = self.drawing(), self.table()
        figure = {} if isinstance(drawing, str) else dict.fromkeys((".svg", ".pdf"), partial(self._figure, drawing))
        return {**figure, ".csv": partial(_text, as_csv(*table)), ".md": partial(_text, markdown(*table))}

    def _figure(self, drawing: Drawing, path: Path) -> None:
        from workbench.reports.figures._vector import written

        if said := written(drawing, path):
            self.notify(said, severity="warning", markup=False)


def _text(text: str, path: Path) -> None:
    path.write_text(text, "utf-8", newline="")
