"""What a recipe found: in words, systems by varieties, and every comparison with its interval."""

from collections.abc import Callable, Iterator
from typing import Any

from rich.text import Text
from textual import on
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from store.rows import ComparisonRow
from tui.frame.listing import Listing
from tui.frame.panes import Pane, Reading
from tui.frame.rows import Cell, Cells, Column, Rows, widest
from tui.results.forest import Scale, legend
from workbench.comparison.contrasts import RunName
from workbench.comparison.findings import FULLEST
from workbench.comparison.results import Results, SystemMeans
from workbench.comparison.words import bracket, family, interval_words, p_cell, signed, significant, system_name

MEANT = {
    "gap": "low - high, same system",
    "gain": "trained - base, same queries",
    "control": "trained - trained on high-resource wordings alone",
    "closure": "gain on low - gain on high",
    "difference": "the second run - the first",
}
SORTS = ("as declared", "difference", "p", "system")


class RecipeFound(Vertical):
    """One recipe run in one measure."""

    DEFAULT_CSS = """
    RecipeFound { height: 1fr; }
    RecipeFound #found { height: auto; max-height: 30%; }
    RecipeFound #found Reading { height: auto; max-height: 100%; }
    RecipeFound #figures { height: 1fr; layout: vertical; }
    RecipeFound #means { height: auto; max-height: 45%; }
    RecipeFound #means Listing { height: auto; }
    RecipeFound #contrasts { height: 1fr; }
    """

    class Wanted(Message):
        """Runs are to be compared, the baseline first."""

        def __init__(self, run_ids: list[str], models: int) -> None:
            super().__init__()
            self.run_ids, self.models = run_ids, models

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.results: Results | None = None
        self.measure = ""
        self.systems: list[SystemMeans] = []
        self.columns: list[tuple[str, str | None]] = []
        self.names: list[tuple[str, str | None]] = []
        self.lines: list[ComparisonRow | str] = []
        self.first = 0
        self.sort_by = SORTS[0]
        self.wanted: Callable[[dict[str, str], str], bool] = lambda _, __: True

    def compose(self) -> Iterator[Widget]:
        with Pane(id="found", title="what holds"), Reading():
            yield Static(id="words")
        with Horizontal(id="figures"):
            with Pane(id="means", title="means"):
                yield Listing(id="grid")
            with Pane(id="contrasts", title="contrasts"):
                yield Listing(id="forest")

    def show(self, results: Results, measure: str, status: str) -> None:
        """Show what was found in a measure by a recipe run of this status."""
        self.results, self.measure, self.first = results, measure, 0
        words = Text()
        for found in results.findings(FULLEST if self.screen.has_class("-tall") else 1):
            words.append(found["question"], "italic").append(f" {found['answer']}\n")
        lacking = sum(row["measure"] == measure for row in results.not_made)
        if lacking:
            words.append(f"{lacking} comparisons could not be made; `lsw recipe results` says why.\n", "dim")
        if not results.comparisons and status != "done":
            more = "what it found is told at its end" if status == "running" else "run it again, and it goes on"
            words.append(f"The recipe run is {status}: {more}.")
        self.query_one("#words", Static).update(words or Text("This recipe compares nothing."))
        self.systems = results.systems()
        self.columns = list(dict.fromkeys((s["query_variety"], s["document_variety"]) for s in self.systems))
        self.names = list(dict.fromkeys((s["system"], s["trained_on"]) for s in self.systems))
        self.grid()
        self.forest()

    # Systems by varieties.

    def grid(self) -> None:
        """The means, as many varieties as there is room for from `first` on."""
        listing = self.query_one("#grid", Listing)
        means = {
            (s["system"], s["trained_on"], s["query_variety"], s["document_variety"]): s["means"].get(self.measure)
            for s in self.systems
        }
        label = widest((self._named(name) for name in self.names), 26)
        room = max(1, (listing.size.width - label) // 7)
        self.first = max(0, min(self.first, len(self.columns) - room))
        shown = self.columns[self.first : self.first + room]
        best = {c: max((v for n in self.names if (v := means.get((*n, *c))) is not None), default=None) for c in shown}

        def cells(i: int) -> Cells:
            out: list[Cell] = [Text(self._named(self.names[i]))]
            for column in shown:
                value = means.get((*self.names[i], *column))
                text = "-" if value is None else f"{value:.3f}".removeprefix("0")
                out.append(Text(text, "bold" if value is not None and value == best[column] else ""))
            return out

        columns = [Column("system", label if len(shown) * 7 + label > listing.size.width else 0, middle=True)]
        columns += [Column(q if q == d else f"{q}-{d}", 6, right=True) for q, d in shown]
        kept = min(listing.cursor, max(0, len(self.names) - 1))
        listing.show(Rows(columns, len(self.names), cells, across=range(1, len(columns))), kept)
        listing.column = min(listing.column, max(0, len(shown) - 1))
        pane = self.query_one("#means", Pane)
        told = [f"{self.measure}: systems by queries-passages"]
        if len(shown) < len(self.columns):
            told.append(f"{self.first + 1} to {self.first + len(shown)} of {len(self.columns)}")
        if self.results and self.results.uneven:
            told.append("each over its own queries")
        pane.border_title = "; ".join(told)

    @staticmethod
    def _named(name: tuple[str, str | None]) -> str:
        return f"  {name[0]} ({name[1]})" if name[1] else name[0]

    @on(Listing.Aside, "#grid")
    def beyond(self, event: Listing.Aside) -> None:
        """Varieties for which there was no room."""
        was = self.first
        self.first += event.row
        self.grid()
        if self.first != was:
            event.stop()

    def on_resize(self) -> None:
        if self.results:
            self.call_after_refresh(self.grid)

    def under(self) -> SystemMeans | None:
        """The system and variety of the cell under the cursor."""
        listing = self.query_one("#grid", Listing)
        at = self.first + listing.column
        if listing.cursor >= len(self.names) or at >= len(self.columns):
            return None
        name = (*self.names[listing.cursor], *self.columns[at])
        return next(
            (s for s in self.systems
             if (s["system"], s["trained_on"], s["query_variety"], s["document_variety"]) == name),
            None,
        )  # fmt: skip

    # Comparisons.

    def forest(self) -> None:
        """The comparisons by contrast, each with its interval on one scale."""
        assert self.results
        rows = [row for row in self.results.of(self.measure) if self.wanted(*self._fields(row))]
        keys: dict[str, Callable[[ComparisonRow], Any]] = {
            "as declared": lambda _: 0, "difference": lambda r: r["delta"],
            "p": lambda r: r["p_corrected"], "system": lambda r: (system_name(r), r["pair"] or "", r["variety"] or ""),
        }  # fmt: skip
        groups: dict[str, list[ComparisonRow]] = {}
        for row in rows:
            groups.setdefault(row["family"], []).append(row)
        self.lines = []
        for name, some in groups.items():
            self.lines += [name, *sorted(some, key=keys[self.sort_by])]
        scales = {}
        for contrast in {row["contrast"] for row in rows}:  # a gain is small beside a gap
            same = [row for row in rows if row["contrast"] == contrast]
            scales[contrast] = Scale([v for row in same for v in (row["delta"], row["ci_low"], row["ci_high"])])
        heads = {name: self._heading(name, some, scales[some[0]["contrast"]]) for name, some in groups.items()}

        def cells(i: int) -> Cells:
            row = self.lines[i]
            if isinstance(row, str):
                return [Text(heads[row])]
            look = "bar" if not significant(row) else "won" if row["delta"] > 0 else "lost"
            return [
                Text(system_name(row)), Text(_queries(row)), Text(signed(row["delta"]) + "*" * significant(row)),
                lambda width: scales[row["contrast"]].mark(row["delta"], row["ci_low"], row["ci_high"], look, width),
                Text(bracket(row), "dim"), Text(p_cell(row)),
            ]  # fmt: skip

        named = widest((system_name(row) for row in rows), 24)
        columns = [
            Column("system", named, middle=True),
            Column("queries", max(7, widest((_queries(row) for row in rows), 14))),
            Column("diff.", 7, right=True), Column("", 0, head=legend),
            Column("interval", 16, right=True, needs=62), Column("p", 7, right=True, needs=50),
        ]  # fmt: skip
        by = {"difference": 2, "p": 5, "system": 0}.get(self.sort_by)
        listing = self.query_one("#forest", Listing)
        heading = lambda i: isinstance(self.lines[i], str)  # noqa: E731
        listing.show(Rows(columns, len(self.lines), cells, heading, (), by), min(listing.cursor, len(self.lines) - 1))
        count = sum(significant(row) for row in rows)
        pane = self.query_one("#contrasts", Pane)
        intervals = f"; {interval_words(rows)}" if rows else ""
        pane.border_title = f"{len(rows)} comparisons in {self.measure}, {count} significant (*){intervals}"

    @staticmethod
    def _heading(name: str, rows: list[ComparisonRow], scale: Scale) -> str:
        primary = ", primary" if rows[0]["primary"] else ""
        meant = MEANT.get(rows[0]["contrast"], "")
        return f"{name}{primary}: {meant}; {family(rows[0])}; drawn from {scale.words}"

    def _fields(self, row: ComparisonRow) -> tuple[dict[str, str], str]:
        from tui.frame.folding import folded

        fields = {
            "system": row["system"], "trained": row["trained_on"] or "", "pair": row["pair"] or "",
            "queries": row["variety"] or "", "contrast": row["contrast"],
        }  # fmt: skip
        seen = {name: folded(text) for name, text in fields.items()}
        return seen, " ".join(seen.values())

    def sort(self, by: str) -> None:
        """Sort within each family."""
        self.sort_by = by
        self.forest()

    @on(Listing.Header, "#forest")
    def sort_column(self, event: Listing.Header) -> None:
        """By what was clicked."""
        event.stop()
        by = {0: "system", 1: "system", 2: "difference", 3: "difference", 4: "difference", 5: "p"}[event.row]
        self.sort(SORTS[0] if self.sort_by == by else by)

    def at(self) -> ComparisonRow | None:
        """The comparison under the cursor."""
        cursor = self.query_one("#forest", Listing).cursor
        row = self.lines[cursor] if cursor < len(self.lines) else ""
        return None if isinstance(row, str) else row

    # Opening.

    def open(self) -> None:
        """Compare what is under the cursor."""
        if self.query_one("#forest").has_focus:
            if row := self.at():
                self.post_message(self.Wanted(self._runs_of(row), row["models"]))
        elif self.query_one("#grid").has_focus and (of := self.under()) and (base := self._held_against(of)):
            self.post_message(self.Wanted([base["run_ids"][0], of["run_ids"][0]], len(of["run_ids"])))

    def _runs_of(self, row: ComparisonRow) -> list[str]:
        """The two runs of a comparison; of a closure those on high-resource queries too."""
        ids = [row["baseline_run_id"], row["run_id"]]
        if row["contrast"] == "closure":
            high = str(row["pair"]).rpartition("-")[2]
            for trained in (None, row["trained_on"]):
                name = RunName(row["system"], trained, high, high)
                ids += [s["run_ids"][0] for s in self.systems if _name(s) == name]
        return ids

    def _held_against(self, of: SystemMeans) -> SystemMeans | None:
        """What a mean is held against: before training, else on high-resource queries, else another system."""
        tests: list[Callable[[SystemMeans], bool]] = [
            lambda s: bool(of["trained_on"]) and _name(s) == _name(of)._replace(trained_on=None),
            lambda s: _name(s) == _name(of)._replace(query_variety=of["document_variety"] or ""),
            lambda s: (s["query_variety"], s["document_variety"]) == (of["query_variety"], of["document_variety"]),
            lambda s: s["document_variety"] == of["document_variety"],
        ]
        others = [s for s in self.systems if s is not of]
        return next((s for test in tests for s in others if test(s)), None)


def _name(s: SystemMeans) -> RunName:
    return RunName(s["system"], s["trained_on"], s["query_variety"], s["document_variety"] or "")


def _queries(row: ComparisonRow) -> str:
    """On which queries over which passages."""
    pair, variety = str(row["pair"] or ""), row["variety"]
    if not variety or pair.startswith(f"{variety}-"):
        return pair
    return f"{variety}-{pair.rpartition('-')[2]}"
