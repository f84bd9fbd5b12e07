"""What a study found: in words, as its figures, as effects with their intervals; and its grid, cell by cell."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rich.text import Text
from textual import events
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from store.rows import CellRow, EffectRow
from tui.frame.folding import folded
from tui.frame.listing import Listing
from tui.frame.panes import Pane, Reading
from tui.frame.rows import Cells, Column, Rows, shortened, widest
from tui.frame.search import Search
from tui.results.forest import Scale
from workbench.reports.figures import FIGURES
from workbench.reports.figures._terminal import drawn
from workbench.reports.figures.base import Drawing
from workbench.studies.findings import findings
from workbench.studies.results import StudyResults
from workbench.studies.words import FITTED, interval, number, p_cell, significant

EFFECTS, CELLS = "effects", "cells"
SIGNS = {"done": "✓", "running": "▶", "failed": "✗", "waiting": "·"}


class StudyFound(Vertical):
    """One study in one measure; `view` is a figure's name, `effects` or `cells`."""

    DEFAULT_CSS = """
    StudyFound { height: 1fr; }
    StudyFound #said { height: auto; max-height: 25%; }
    StudyFound #said Reading { height: auto; max-height: 100%; }
    StudyFound #tabs { height: 1; }
    StudyFound #picture, StudyFound #listed { height: 1fr; }
    """

    class Wanted(Message):
        """A cell of the grid is wanted, or the runs of an effect that it has."""

        def __init__(self, recipe_run_ids: list[str], effect: EffectRow | None = None) -> None:
            super().__init__()
            self.recipe_run_ids, self.effect = recipe_run_ids, effect

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.results: StudyResults | None = None
        self.drawings: dict[str, Drawing] = {}
        self.view = ""
        self.effects: list[EffectRow] = []
        self.lines: list[EffectRow | str] = []
        self.cells: list[CellRow] = []
        self.search = Search()

    def compose(self) -> Iterator[Widget]:
        with Pane(id="said", title="what holds"), Reading():
            yield Static(id="sentences", markup=False)
        yield Static(id="tabs")
        with Pane(id="picture"), Reading():
            yield Static(id="drawn")
        with Pane(id="listed"):
            yield Listing(id="effects")

    def show(self, results: StudyResults, measure: str, search: Search) -> None:
        """Show what was found in a measure."""
        self.search = search
        self.results = one = results.only(measure=measure) if measure in results.measures else results
        self.effects = [row for row in one.effects if row["effect"] != FITTED]
        self.cells = results.cells
        self.drawings = {
            name: drawing for name in FIGURES.names() if (drawing := FIGURES.part(name)().of(one)) is not None
        }
        sentences = findings(one) if one.effects else [f"No effect has been estimated. {results.progress()}."]
        self.query_one("#sentences", Static).update("\n".join(f"- {each}" for each in sentences))
        self.query_one("#said", Pane).border_title = f"what holds; {results.progress()}"
        if self.view not in self.views():
            self.view = self.views()[0]
        self.draw()

    def views(self) -> list[str]:
        """What can be shown."""
        return [*self.drawings, *([EFFECTS] if self.effects else []), CELLS]

    def turn(self, step: int) -> None:
        """Show the next view."""
        views = self.views()
        self.view = views[(views.index(self.view) + step) % len(views)]
        self.draw()
        (self.query_one("#effects") if self.view in (EFFECTS, CELLS) else self.query_one("#picture Reading")).focus()

    def draw(self) -> None:
        """Draw the view."""
        if not self.results:
            return
        tabs = [
            f"[@click=screen.view('{name}')]{f'[reverse] {name} [/]' if name == self.view else f' {name} '}[/]"
            for name in self.views()
        ]
        self.query_one("#tabs", Static).update("".join(tabs))
        listed = self.view in (EFFECTS, CELLS)
        self.query_one("#picture").display = not listed
        self.query_one("#listed").display = listed
        if self.view == EFFECTS:
            self._effects()
        elif self.view == CELLS:
            self._cells()
        else:
            self._picture()

    def on_resize(self, _: events.Resize) -> None:
        if self.results and self.view in self.drawings:
            self.call_after_refresh(self._picture)

    def _picture(self) -> None:
        pane, drawing = self.query_one("#picture", Pane), self.drawings[self.view]
        width = max(30, pane.size.width - 2)
        height = max(9, min(20, pane.size.height - 5))
        pane.border_title = shortened(drawing.caption, width)
        self.query_one("#drawn", Static).update(drawn(replace(drawing, title=""), width, height))

    def _effects(self) -> None:
        results = self.results
        assert results
        listing = self.query_one("#effects", Listing)
        rows = [row for row in self.effects if self.search.fits(*self._fields(row))]
        groups: dict[str, list[EffectRow]] = {}
        for row in rows:
            unit = f", {row['unit']}" if row.get("unit") else ""
            groups.setdefault(f"{row['effect']}{unit}", []).append(row)
        self.lines, scales = [], {}
        for name, some in groups.items():
            self.lines += [name, *some]
            scale = Scale([v for row in some for v in (row.get("estimate"), row.get("ci_low"), row.get("ci_high"))])
            scales.update(dict.fromkeys(map(id, some), scale))

        def cells(i: int) -> Cells:
            row = self.lines[i]
            if isinstance(row, str):
                return [Text(f"{row} ({len(groups[row])})")]
            value = row.get("estimate")
            if value is None:
                return [Text(results.named(row)), Text(""), Text(row.get("why_not") or "not defined", "dim"), Text("")]
            look = "bar" if not significant(row) else "won" if value > 0 else "lost"
            return [
                Text(results.named(row)),
                lambda width: scales[id(row)].mark(value, row.get("ci_low"), row.get("ci_high"), look, width),
                Text(f"{number(row, value)} {interval(row)}"),
                Text(p_cell(row) if row.get("p_corrected") is not None else ""),
            ]  # fmt: skip

        columns = [
            Column("effect of", widest((results.named(row) for row in rows), 36), middle=True), Column("", 0),
            Column("estimate", 24),
            Column("p", 7, right=True, needs=60),
        ]  # fmt: skip
        self.query_one("#listed", Pane).border_title = f"{len(rows)} effects; Enter compares runs of one"
        listing.show(Rows(columns, len(self.lines), cells, lambda i: isinstance(self.lines[i], str)), listing.cursor)

    def _fields(self, row: EffectRow) -> tuple[dict[str, str], str]:
        assert self.results
        fields = {
            "system": row.get("system") or "", "trained": row.get("trained_on") or "", "pair": "",
            "queries": row.get("query_variety") or "", "contrast": row["effect"],
        }  # fmt: skip
        seen = {name: folded(text) for name, text in fields.items()}
        return seen, f"{' '.join(seen.values())} {folded(self.results.named(row))}"

    def _cells(self) -> None:
        results = self.results
        assert results

        def cells(i: int) -> Cells:
            cell = self.cells[i]
            seconds = "" if cell["seconds"] is None else f"{cell['seconds']:,.0f}"
            sign = SIGNS.get(cell["status"], "?")
            look = {"done": "won", "failed": "lost"}.get(cell["status"], "")
            return [Text(sign, look), Text(results.at(cell["levels"])), Text(cell["status"]), Text(seconds),
                    Text((cell["recipe_run_id"] or "")[:12], "dim")]  # fmt: skip

        columns = [Column("", 1), Column("levels"), Column("status", 8), Column("seconds", 8, right=True),
                   Column("recipe run", 12, needs=70)]  # fmt: skip
        listing = self.query_one("#effects", Listing)
        self.query_one("#listed", Pane).border_title = f"{len(self.cells)} cells of {results.grid()}"
        listing.show(Rows(columns, len(self.cells), cells), min(listing.cursor, max(0, len(self.cells) - 1)))

    def table(self) -> tuple[list[str], list[list[str]]]:
        """The cells, if they are shown, else the effects; unrounded."""
        results = self.results
        if self.view == CELLS or not results:
            return self.query_one("#effects", Listing).rows.plain()
        columns = ("estimate", "ci_low", "ci_high", "p_corrected", "why_not")
        rows = [
            [
                row["effect"],
                row["measure"],
                results.named(row),
                *("" if row.get(c) is None else str(row.get(c)) for c in columns),
            ]
            for row in self.effects
        ]
        return ["effect", "measure", "of", *columns], rows

    def open(self) -> None:
        """Go to the cell, or to the runs of the effect, under the cursor."""
        cursor, results = self.query_one("#effects", Listing).cursor, self.results
        if self.view == CELLS and cursor < len(self.cells) and self.cells[cursor]["recipe_run_id"]:
            self.post_message(self.Wanted([str(self.cells[cursor]["recipe_run_id"])]))
        elif self.view == EFFECTS and results and cursor < len(self.lines):
            row = self.lines[cursor]
            if isinstance(row, str):
                return
            at = {name: level for name, level in results.levels(row).items() if name != "against"}
            there = [
                str(cell["recipe_run_id"]) for cell in self.cells
                if cell["recipe_run_id"] and all(cell["levels"].get(k) == v for k, v in at.items())
            ]  # fmt: skip
            self.post_message(self.Wanted(there, row))
