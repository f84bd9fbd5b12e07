"""Screen 4: the compared runs as pictures, and what models learnt."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from store import LswError, browse
from store.rows import Row, RunRow
from tui.comparing.queries import FIELDS, ordered
from tui.frame.export import as_csv, markdown
from tui.frame.listing import Listing
from tui.frame.panes import Divider, Pane
from tui.frame.rows import Rows
from tui.frame.search import Search
from tui.page import Page, Plain, until_cancelled
from tui.picture import Picture
from tui.pictured import Floats, against, at_cutoffs, of_means, of_models, of_queries, ranks
from tui.study import ComparedRuns, unfinished
from workbench.reports.figures.base import Drawing
from workbench.reports.figures.of_runs import RUN_FIGURES
from workbench.reports.figures.of_runs.base import AtCutoffs, Compared, Losses, RunFigure

SOURCES = (Compared, AtCutoffs, Losses)
"""What this screen has to draw from."""


def plots() -> list[str]:
    """The figures of runs that are drawn from what this screen has, by name."""
    return [name for name in RUN_FIGURES.names() if RUN_FIGURES.part(name).of_data in SOURCES]


class Plots(Page):
    """The compared runs as pictures."""

    HELP = """
The runs of the compare screen, in its measure; **v** or a click on a name goes to another picture, **d** to another
run against A.

- **differences**: every query's difference of the chosen run from A, from the worst to the best; tied queries are
  drawn as one stretch. The line is the query under the cursor.
- **query by query**: A's value against the chosen run's; above the dotted line it is better. A number says how many
  queries have the same values.
- **by cut-off**: the measure's mean at cut-offs from 1 to the depth of the runs.
- **losses**: of each fine-tuning, as logged while training.

Click a point or move the cursor; a second click on a point of several queries goes to the next of them, **Enter**
opens the query on the compare screen. **e** writes the figure alone as SVG or PDF
(`pip install 'lsw-workbench[plots]'`), or what is plotted as a table; **z** enlarges the picture.
"""
    FIELDS = FIELDS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "kind(1)", "Next plot"),
        Binding("V", "kind(-1)", "Previous plot", show=False),
        Binding("enter", "open", "Open query", tooltip="Open this query on the compare screen"),
        Binding("down,j", "move(1)", "Next", show=False),
        Binding("up,k", "move(-1)", "Before", show=False),
        Binding("d", "chosen", "Other run", show=False, tooltip="Show the next run against A"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.kind = plots()[0]
        self.comparison: ComparedRuns | None = None
        self.models: list[Row] | None = None
        self.curve: Floats | None = None
        self.order: list[int] = []
        self.why = ""
        """Why runs cannot be compared, if they cannot."""
        self.chosen = 1
        self.at = dict.fromkeys(SOURCES, 0)
        """The cursor in each list."""

    def body(self) -> Iterator[Widget]:
        yield Static(id="about")
        with Horizontal(id="main"):
            with Pane(id="left", title="queries"):
                yield Listing(id="queries")
            yield Divider(id="divider")
            with Pane(id="right", title="picture"):
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
            self.comparison, lacking = None, unfinished(runs, self.bench.recipes, self.bench.live.dead)
            self.why = str(lacking) if lacking else ""
            self.chosen = min(self.chosen, len(runs) - 1)
            if not lacking:
                self.read("compare", lambda: study.compare(choice, runs, until_cancelled()), self._compared)
        if self.bench.store.exists():
            self.read("models", lambda: browse.finetunes(self.bench.store), self._models)
        self.draw()

    def _compared(self, comparison: ComparedRuns) -> None:
        self.comparison, self.curve, self.why = comparison, None, ""
        self.draw()

    def _models(self, models: list[Row]) -> None:
        self.models = models
        self.draw()

    def _curve(self, comparison: ComparedRuns, curve: Floats) -> None:
        if comparison is self.comparison:
            self.curve = curve
            self.draw()

    def failed(self, error: LswError) -> None:
        self.why = str(error)
        self.draw()

    def searched(self, search: Search) -> None:
        self.draw()

    def dressed(self) -> None:
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
        if comparison is None and self.why:
            return self.why
        if comparison is None:
            runs = len(self.bench.rows(self.bench.choice.run_ids))
            if runs >= 2:
                return f"comparing {runs} runs in {self.bench.choice.measure} ..."
            at = {page: i for i, page in enumerate(self.bench.pages, 1)}
            how = f"On Runs ({at['runs']}), mark two to four (space), then Enter; on Results ({at['results']}), Enter."
            return f"Nothing is compared yet. {how}"
        if source is AtCutoffs:
            waiting = f"reading cut-offs of {len(comparison.runs)} runs ..."
            return self.why or waiting if self.curve is None else at_cutoffs(comparison, self.curve)
        pointed = self.order[self.at[Compared]] if here and self.at[Compared] < len(self.order) else None
        return against(comparison, self.chosen, pointed)

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
        if source is AtCutoffs and comparison and self.curve is None and not self.why:
            study, measure = self.bench.study, comparison.choice.measure
            means = partial(study.curve, comparison.runs, measure, ranks(comparison))
            self.read("curve", means, partial(self._curve, comparison))
        if comparison:
            self.order = ordered(comparison, self.chosen, "delta", "all", self.search)
            self.hits(len(self.order), len(comparison.qids))
        data = self.data()
        lists: dict[type, Callable[[Any], Rows]] = {
            Compared: lambda data: of_queries(data, self.order),
            AtCutoffs: of_means,
            Losses: lambda _: of_models(self.models or []),
        }
        rows = Rows() if isinstance(data, str) else lists[source](data)
        self.query_one("#left", Pane).border_title = {Compared: "queries", AtCutoffs: "means", Losses: "models"}[source]
        self.query_one(Listing).show(rows, min(self.at[source], max(0, rows.count - 1)))
        self.picture()

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
            self.bench.compare(self.comparison.choice.run_ids, qid=self.comparison.qids[self.order[at]])

    def action_move(self, step: int) -> None:
        """Go through the list while it is not seen."""
        self.query_one(Listing).action_move(step)

    def action_enlarge(self) -> None:
        if self.maximized:
            self.minimize()
            self.focus_first()
        else:
            self.maximize(self.query_one("#right"), container=False)

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
