"""Screen 6: from a run back through every stage behind it."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from store import browse
from store.artifacts import short
from store.query import lineage
from store.rows import Row, RunRow, StageRow
from tui.frame.folding import folded
from tui.frame.listing import Listing
from tui.frame.panes import Divider, Pane, Reading
from tui.frame.rows import Cells, Column, Rows
from tui.frame.search import Search
from tui.page import Page
from tui.study import label, partner
from workbench.plans.rerun import command
from workbench.reports._alignment import drawn


class Provenance(Page):
    """The chain of stages."""

    HELP = """
What a run was made from, the nearest stage first: models, triples, translations, queries, passages. On the
right all about the stage under the cursor: parameters, what came out, when, how long, on which machine with which
versions.

Of a model whose method aligned tokens it shows how those of a text in two wordings go over to one another; **a** goes
to the next text.

**y** copies the `lsw` command that makes the stage under the cursor again (at first the run's own), and no other that
is there; on top stands the one of the whole recipe. **[** and **]** go to the run before and after; **enter** compares
this run. **/** finds stages by `kind:`, `role:`, `key:`, and words of all that is told about them.
"""
    FIELDS = ("kind", "role", "key")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "run(1)", "Next run", key_display="]"),
        Binding("left_square_bracket", "run(-1)", "Previous run", key_display="["),
        Binding("a", "aligned", "Next alignment", tooltip="Next text whose alignment is kept, of the model here"),
        Binding("y", "copy", "Copy command", tooltip="Copy the command that makes this stage again"),
        Binding("enter", "compare", "Compare", show=False, tooltip="Compare this run with its base or twin"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.every: list[Row] = []
        self.stages: list[Row] = []
        self.of: RunRow | None = None
        self.again = ""
        self.text = 0
        self._at = ""

    def body(self) -> Iterator[Widget]:
        yield Static(" reading the stages ...", id="about", markup=False)
        with Horizontal(id="main"):
            yield Listing(id="stages")
            yield Divider(id="divider")
            with Pane(id="detail", title="the stage"), Reading():
                yield Static(id="said", markup=False)

    def on_mount(self) -> None:
        self.query_one(Listing).focus()

    def refreshed(self) -> None:
        kept = self.bench.remembered.get("provenance", "")
        candidates = self.bench.rows([kept]) or self.bench.rows(self.bench.choice.run_ids) or self.bench.runs[:1]
        if not candidates:
            self.query_one("#about", Static).update(
                " No run yet. Type `lsw recipe run zero_shot_yue_zh`, and watch Runs (2)."
            )
            return
        run, store = candidates[0], self.bench.store

        def look() -> tuple[RunRow, list[StageRow], str]:
            recipe = browse.resolved(store, run["recipe_run_id"])
            stages = lineage(store, run["key"])
            return run, stages, command(run, recipe, stages)

        self.read("stages", look, self._read)

    def _read(self, provenance: tuple[RunRow, list[StageRow], str]) -> None:
        self.of, stages, self.again = provenance
        self.every = _tree(stages)
        self.bench.remembered.put("provenance", self.of["run_id"])
        self.query_one("#about", Static).update(f" {self.of['run_id']}  {label(self.of)}\n {self.again}")
        self.draw()

    def searched(self, search: Search) -> None:
        self.draw()

    def draw(self) -> None:
        """The stages that the search leaves."""
        search = self.search
        self.stages = [row for row in self.every if not search or search.fits(*_fields(row))]
        self.hits(len(self.stages), len(self.every))
        columns = [
            Column("stage"), Column("seconds", 8, right=True), Column("started (UTC)", 16, needs=50),
            Column("key", 12, needs=66),
        ]  # fmt: skip

        def cells(i: int) -> Cells:
            row = self.stages[i]
            role = "" if row["role"] in ("this", row["kind"]) else f" ({row['role']})"
            under = "  " * row["depth"] + ("└ " if row["depth"] else "")
            return [
                Text.assemble(under, (row["kind"], "bold"), role), Text(f"{row['seconds'] or 0:.1f}"),
                Text(f"{row['started_at']:%Y-%m-%d %H:%M}"), Text(short(row["key"]), "dim"),
            ]  # fmt: skip

        listing = self.query_one(Listing)
        at = next((i for i, row in enumerate(self.stages) if row["key"] == self._at), 0)
        listing.show(Rows(columns, len(self.stages), cells), at)

    @on(Listing.Moved)
    def moved(self, event: Listing.Moved) -> None:
        """All about one stage."""
        if event.row < len(self.stages):
            self._at = self.stages[event.row]["key"]
            self.text = 0
            self._say(self.stages[event.row])

    def _say(self, row: Row) -> None:
        parts = [f"{row['kind']}  {row['key']}"]
        for name in ("parameters", "summary", "environment"):
            values = json.loads(row[name] or "{}")
            parts.append(f"\n{name}\n{_lines(values)}")
        said = "\n".join(parts)
        self.query_one("#said", Static).update(said)
        if row["kind"] == "finetune":
            store, at = self.bench.store, self.text

            def look() -> Text | None:
                ids = browse.alignments_of(store, row["key"])
                if not ids:
                    return None
                name = ids[at % len(ids)]
                heading = f"alignment of {name}, {at % len(ids) + 1} of {len(ids)} texts\n\n"
                return Text.assemble(heading, drawn(browse.alignment(store, row["key"], name)), "\n", said)

            self.read("alignment", look, lambda text: self._drawn(text, row["key"]))

    def _drawn(self, alignment: Text | None, key: str) -> None:
        if alignment and key == self._at:
            self.query_one("#said", Static).update(alignment)

    def action_aligned(self) -> None:
        """The next text of the model under the cursor."""
        at = self.query_one(Listing).cursor
        if at < len(self.stages):
            self.text += 1
            self._say(self.stages[at])

    def current(self) -> tuple[str, str]:
        """Of the stage under the cursor if a recipe made it; of an import or a retrieval there is the whole alone."""
        if self._at and self.again.startswith("lsw recipe run"):
            return "the command", f"{self.again} --force {short(self._at)}"
        return "the command", self.again

    def focused_run(self) -> RunRow | None:
        return self.of

    def place(self) -> Any:
        return self.bench.remembered.get("provenance", "")

    def restore(self, place: Any) -> None:
        self.bench.remembered.put("provenance", place)
        self.refreshed()

    def action_compare(self) -> None:
        other = partner(self.of, self.bench.runs) if self.of else None
        if self.of and other:
            self.bench.compare([other["run_id"], self.of["run_id"]])

    def action_run(self, step: int) -> None:
        ids = [r["run_id"] for r in self.bench.runs]
        if self.of and self.of["run_id"] in ids:
            at = (ids.index(self.of["run_id"]) + step) % len(ids)
            self.bench.remembered.put("provenance", ids[at])
            self.refreshed()


def _fields(row: Row) -> tuple[dict[str, str], str]:
    """What a search sees of a stage."""
    fields = {"kind": row["kind"], "role": row["role"], "key": row["key"]}
    seen = {name: folded(str(text)) for name, text in fields.items()}
    rest = " ".join(str(row[name]) for name in ("parameters", "summary", "environment"))
    return seen, f"{' '.join(seen.values())} {folded(rest)}"


def _tree(stages: list[StageRow]) -> list[Row]:
    """Each stage under the one that used it, with its `depth` and `role`; one used twice stands where it is first."""
    known, out = {row["key"]: row for row in stages}, []

    def walk(key: str, role: str, depth: int) -> None:
        row = known.pop(key, None)
        if row is None:
            return
        out.append({**row, "depth": depth, "role": role})
        for name, its_key in json.loads(row["inputs"] or "{}").items():
            walk(its_key, name, depth + 1)

    if stages:
        walk(stages[0]["key"], "this", 0)
    return out


def _lines(value: Any, deep: int = 1) -> str:
    """Nested values, one a line."""
    if not isinstance(value, dict):
        return f"{'  ' * deep}{value}"
    lines = []
    for name, inner in value.items():
        if isinstance(inner, dict) and inner:
            lines += [f"{'  ' * deep}{name}", _lines(inner, deep + 1)]
        else:
            text = ", ".join(map(str, inner)) if isinstance(inner, list) else inner
            lines.append(f"{'  ' * deep}{name}: {text}")
    return "\n".join(lines) or "  -"
