"""Screen 1: what a recipe or a study found, in words, means, and intervals; Enter opens the comparison behind each."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from store import LswError
from store.query import recipe_run, recipe_run_named
from store.rows import EffectRow, Row, RunRow, StudyRow
from store.studies import run_as, studies
from tui.frame.listing import Listing
from tui.frame.live import stopped
from tui.frame.pick import Item
from tui.frame.search import Search
from tui.page import Page, Plain
from tui.pages.runs import ago
from tui.results.recipe import SORTS, RecipeFound
from tui.results.study import EFFECTS, StudyFound
from workbench.comparison.results import Results as Found
from workbench.evaluation.measures import DEFAULT
from workbench.plans.alone import ALONE
from workbench.reports.figures.base import Drawing
from workbench.studies.results import StudyResults
from workbench.studies.words import levels

ENDINGS = {"csv": ".csv", "json": ".json", "latex": ".tex", "table": ".txt"}
"""Of the reports that are written."""


class Results(Page):
    """The conclusion."""

    HELP = """
What a recipe run or a study found, the newest first. **o** opens another, **m** chooses the measure.

Of a **recipe**: what holds, in words and no more than the tests say; the mean of every system on every pair of
varieties; and each comparison (gap, gain, control, closure) with its interval: `●` the difference, `━` an interval that
leaves out 0, `─` one that does not, `┊` 0; `*` is p < .05 after correction over the family that its heading names.
The highest mean of each column is bold, whatever the tests say.
**Enter** on a mean or an interval opens the runs behind it, query by query.

Of a **study**: what holds, its figures (**v** goes through them), its effects, and the cells of its grid; **Enter** on
an effect compares the runs behind it, on a cell shows what that recipe run found.

**e** writes the report (CSV, JSON, LaTeX, text), or its figure alone as SVG or PDF.
"""
    FIELDS = ("system", "trained", "pair", "queries", "contrast")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", tooltip="Compare the runs behind what the cursor is on"),
        Binding("o", "other", "Other results", tooltip="Choose a recipe run or a study"),
        Binding("m", "measure", "Measure", tooltip="Choose a measure"),
        Binding("s", "sort", "Sort", show=False, tooltip="Sort the comparisons of each family"),
        Binding("v", "view(1)", "Next view", tooltip="Of a study: the next figure, its effects, its grid"),
        Binding("V", "view(-1)", "View before", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.shown_result: Found | StudyResults | None = None
        self.known: list[Row] = []
        self.asked = ""
        self.measure = DEFAULT[0]

    def body(self) -> Iterator[Widget]:
        yield Static("reading the store ...", id="about")
        yield RecipeFound(id="recipe")
        yield StudyFound(id="study")

    def on_mount(self) -> None:
        self.measure = self.bench.remembered.get("results measure", DEFAULT[0])
        self._which(None)

    def _which(self, found: object) -> None:
        self.query_one("#recipe").display = isinstance(found, Found)
        self.query_one("#study").display = isinstance(found, StudyResults)

    def place(self) -> Any:
        return self.asked

    def restore(self, place: Any) -> None:
        self.bench.remembered.put("results", place)
        self.refreshed()

    def refreshed(self) -> None:
        store = self.bench.store
        if not store.exists() or not self.bench.recipes:
            self._nothing()
            return
        self.asked = self.bench.remembered.get("results", "")
        asked, measure = self.asked, self.measure

        alone = self.bench.recipes.get(asked, {}).get("recipe", "")
        if alone in ALONE:
            self.shown_result = None
            self.failed(LswError(f"`lsw {alone}` is no recipe, and compared nothing.", cure="o shows other results."))
            self.read("results", self._list, lambda listed: setattr(self, "known", listed[0]))
            return

        def look() -> tuple[list[Row], Found | StudyResults | None]:
            known, of_studies = self._list()
            wanted = of_studies.get(asked, asked)
            whole = [row for row in known if row["status"] == "done" and not row["cell"]]
            at = next((row for row in known if row["id"] == wanted), next(iter(whole or known), None))
            if at is None:
                return known, None
            if at["study"]:
                return known, StudyResults.of(store, at["id"])
            measures = recipe_run_named(store, at["id"])["measures"] or list(DEFAULT)
            first = [measure] if measure in measures else []
            return known, Found.of_recipe(store, at["id"], [*dict.fromkeys([*first, *measures])])

        self.read("results", look, self._read)

    def _list(self) -> tuple[list[Row], dict[str, str]]:
        """All that has results, the newest first; and the study of each recipe run that ran one."""
        store = self.bench.store
        of_studies = run_as(store)
        known = [_of_study(row) for row in studies(store)]
        recipes = self.bench.recipes.items()
        known += [_of_recipe(r) for id_, r in recipes if id_ not in of_studies and r["recipe"] not in ALONE]
        known.sort(key=lambda row: row["when"] or datetime.min, reverse=True)
        return known, of_studies

    def _nothing(self) -> None:
        self.query_one("#about", Static).update(
            " No recipe has run in this store. Type `lsw recipe run zero_shot_yue_zh` in another terminal and watch it"
            " on Runs (2); what it finds is shown here."
        )

    def failed(self, error: LswError) -> None:
        if self.is_mounted:
            self._which(None)
            self.query_one("#about", Static).update(Text(str(error)))

    def _read(self, read: tuple[list[Row], Found | StudyResults | None]) -> None:
        self.known, self.shown_result = read
        if self.shown_result is None:
            self._nothing()
            return
        new = not self.query_one("#recipe").display and not self.query_one("#study").display
        self._which(self.shown_result)
        self._show()
        if new or self.focused is None or not self.focused.focusable:
            self.focus_first()

    def _show(self) -> None:
        found = self.shown_result
        if isinstance(found, Found):
            self.asked = str((found.record or {}).get("recipe_run_id", ""))
            view = self.query_one(RecipeFound)
            view.wanted = self.search.fits
            view.show(
                found,
                found.measures[0],
                self._status({"id": self.asked, "status": (found.record or {}).get("status", "")}),
            )
        elif isinstance(found, StudyResults):
            self.asked = found.study["study_id"]
            self.query_one(StudyFound).show(found, self.shown_measure(), self.search)
        self._hits()
        self._about()

    def _hits(self) -> None:
        found, whole = self.shown_result, 0
        lines: Sequence[object] = ()
        if isinstance(found, Found):
            lines, whole = self.query_one(RecipeFound).lines, len(found.of(found.measures[0]))
        elif found:
            study = self.query_one(StudyFound)
            lines, whole = (study.lines, len(study.effects)) if study.view == EFFECTS else ((), 0)
        if whole:
            self.hits(sum(not isinstance(line, str) for line in lines), whole)

    def _about(self) -> None:
        row = next((row for row in self.known if row["id"] == self.asked), None)
        if not row:
            return
        opens = Style(meta={"@click": "screen.other"}, bold=True)
        measure = Style(meta={"@click": "screen.measure"}, bold=True)
        text = Text.assemble(
            " ", (f"{row['name']} ▾", opens), "  ", (f"{self.shown_measure()} ▾", measure),
            (f"  {self._status(row)}, begun {ago(row['when'])}", "dim"),
        )  # fmt: skip
        title = Text(f"\n {row['title']}")
        self.query_one("#about", Static).update(text + title)

    def _status(self, row: Row) -> str:
        """What became of a recipe run; the store learns of one whose process died when it is run again."""
        at_work = self.bench.live.at_work.get(row["id"])
        return "stopped" if at_work and stopped(at_work) else str(row["status"])

    def shown_measure(self) -> str:
        """The measure that is shown."""
        found = self.shown_result
        if isinstance(found, Found):
            return found.measures[0]
        known = found.measures if found else []
        return self.measure if self.measure in known else known[0] if known else self.measure

    def focus_first(self) -> None:
        first = "#forest" if isinstance(self.shown_result, Found) else "#picture Reading"
        for target in (*self.query(first), *self.query("#effects, #grid")):
            if target.focusable:
                self.set_focus(target)
                return

    def searched(self, search: Search) -> None:
        found = self.shown_result
        if isinstance(found, Found):
            view = self.query_one(RecipeFound)
            view.wanted = search.fits
            view.forest()
        elif isinstance(found, StudyResults):
            study = self.query_one(StudyFound)
            study.search = search
            study.view = EFFECTS if study.effects else study.view
            study.draw()
        self._hits()

    def dressed(self) -> None:
        super().dressed()
        if self.shown_result:
            self._show()

    # Actions.

    @on(Listing.Chosen)
    def action_open(self) -> None:
        if isinstance(self.shown_result, Found):
            self.query_one(RecipeFound).open()
        elif self.shown_result:
            self.query_one(StudyFound).open()

    @on(RecipeFound.Wanted)
    def compare(self, event: RecipeFound.Wanted) -> None:
        """Open the runs behind a figure."""
        if event.models > 1:
            self.notify(f"Of {event.models} trained models the first is opened.", timeout=6)
        self.bench.compare(event.run_ids, self.shown_measure())

    @on(StudyFound.Wanted)
    def cell(self, event: StudyFound.Wanted) -> None:
        """Open a cell, or the two runs behind an effect: of a gain or of a control at one cell, else there are none."""
        effect, ids = event.effect, event.recipe_run_ids
        if effect is None:
            self.bench.show_results(ids[0])
        elif len(ids) == 1:
            store = self.bench.store
            self.read("behind", lambda: recipe_run(store, ids[0])[1], lambda runs: self._behind(effect, ids[0], runs))
        else:
            over = f"{len(ids)} cells of the grid" if ids else "no cell alone"
            self.notify(f"This effect is over {over}; the view `cells` has the recipe runs.", timeout=6)

    def _behind(self, effect: EffectRow, cell: str, runs: list[RunRow]) -> None:
        held_against = {"gain": None, "control": levels(effect).get("against")}
        same = [
            r for r in runs
            if (r["system"], r["query_variety"]) == (effect.get("system"), effect.get("query_variety"))
            and effect.get("document_variety") in (None, r["document_variety"])
        ]  # fmt: skip
        tuned = [r for r in same if r["trained_on"] and r["trained_on"] == effect.get("trained_on")]
        base = [r for r in same if r["trained_on"] == held_against.get(effect["effect"], "")]
        if tuned and base:
            self.bench.compare([base[0]["run_id"], tuned[0]["run_id"]], self.shown_measure())
        else:
            self.notify(f"No two runs are behind a {effect['effect']}: this is its cell.", timeout=6)
            self.bench.show_results(cell)

    def action_other(self) -> None:
        items = [
            Item(row["id"], f"{row['name']}, {row['status']}, begun {ago(row['when'])}: {row['title']}")
            for row in self.known
        ]
        self.pick("What a recipe or a study found", items, self.asked, self.bench.show_results)

    def action_measure(self) -> None:
        known = self.shown_result.measures if self.shown_result else []
        self.pick("Measure", map(Item, known), self.shown_measure(), self.choose_measure)

    def choose_measure(self, name: str) -> None:
        """Show another measure; remembered."""
        self.measure = name
        self.bench.remembered.put("results measure", name)
        self.refreshed()

    def action_sort(self) -> None:
        view = self.query_one(RecipeFound)
        if isinstance(self.shown_result, Found):
            self.pick("Sort each family by", map(Item, SORTS), view.sort_by, view.sort)

    def action_view(self, which: int | str) -> None:
        view = self.query_one(StudyFound)
        if isinstance(self.shown_result, StudyResults) and isinstance(which, int):
            view.turn(which)
        elif isinstance(self.shown_result, StudyResults) and which in view.views():
            view.view = str(which)
            view.draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "view" and not isinstance(self.shown_result, StudyResults):
            return False
        return super().check_action(action, parameters)

    # Leaving.

    def focused_run(self) -> RunRow | None:
        view = self.query_one(RecipeFound)
        if not isinstance(self.shown_result, Found):
            return None
        row = view.at() if self.query_one("#forest").has_focus else None
        cell = view.under() if self.query_one("#grid").has_focus else None
        ids = [row["run_id"]] if row else cell["run_ids"] if cell else []
        return next(iter(self.bench.rows(ids)), None)

    def current(self) -> tuple[str, str]:
        if isinstance(self.shown_result, StudyResults):
            return "the sentences", "\n".join(str(line) for line in [self.query_one("#sentences", Static).render()])
        view = self.query_one(RecipeFound)
        if self.shown_result and (row := view.at()) and self.query_one("#forest").has_focus:
            from workbench.comparison.words import sentence

            return "the sentence", sentence(row)
        return "the words", "\n".join(
            f"{f['question']} {f['answer']}" for f in self.shown_result.findings()
        ) if self.shown_result else ""

    def table(self) -> Plain:
        if isinstance(self.shown_result, StudyResults):
            return self.query_one(StudyFound).table()
        which = "#grid" if self.query_one("#grid").has_focus else "#forest"
        return self.query_one(which, Listing).rows.plain()

    def exports(self) -> dict[str, Callable[[Path], None]]:
        found = self.shown_result
        whole = super().exports()
        if not found:
            return whole
        from workbench.reports import REPORTS
        from workbench.reports.study import STUDY_REPORTS

        registry: Any = REPORTS if isinstance(found, Found) else STUDY_REPORTS
        forms = {ending: partial(_report, registry, name, found) for name, ending in ENDINGS.items()}
        drawing = self._figure()
        figure = dict.fromkeys((".svg", ".pdf"), partial(self._draw, drawing)) if drawing else {".svg": whole[".svg"]}
        return {**forms, ".md": whole[".md"], **figure}

    def _figure(self) -> Drawing | None:
        """The forest of a recipe; of a study the figure that is shown."""
        if isinstance(self.shown_result, Found):
            from workbench.reports.figures.of_runs import RUN_FIGURES

            drawing: Drawing | None = RUN_FIGURES.part("contrasts")().of(self.shown_result)
            return drawing
        view = self.query_one(StudyFound)
        return view.drawings.get(view.view)

    def _draw(self, drawing: Drawing, path: Path) -> None:
        from workbench.reports.figures._vector import written

        if said := written(drawing, path):
            self.notify(said, severity="warning", markup=False)


def _report(registry: Any, name: str, found: Found | StudyResults, path: Path) -> None:
    """Write a report as `lsw recipe results` and `lsw study results` print it."""
    report = registry.part(name)().of(found)
    if not isinstance(report, str):
        from io import StringIO

        from rich.console import Console

        out = StringIO()
        Console(file=out, width=160, color_system=None).print(report)
        report = out.getvalue()
    path.write_text(report.rstrip("\n") + "\n", "utf-8")


def _of_recipe(row: Row) -> Row:
    cell = f", {row['cell']}" if row["cell"] else ""
    return {
        "id": row["recipe_run_id"], "name": f"{row['recipe']} ({row['scale']}){cell}", "title": row["title"] or "",
        "status": row["status"], "when": row["started_at"], "study": False, "cell": row["cell"],
    }  # fmt: skip


def _of_study(row: StudyRow) -> Row:
    done = "done" if row["done"] == row["n_cells"] else f"{row['done']} of {row['n_cells']} cells"
    return {
        "id": row["study_id"], "name": f"study {row['study']} ({row['scale']})", "title": row["title"] or "",
        "status": done, "when": row["begun_at"], "study": True, "cell": "",
    }  # fmt: skip
