"""What ctrl+p finds beside actions: runs, queries, measures and results of the store."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.frame.folding import folded
from tui.page import Page
from tui.pages.compare import Compare
from tui.study import label
from workbench.evaluation.measures import DEFAULT
from workbench.plans.alone import ALONE

if TYPE_CHECKING:
    from tui.page import Bench

MOST = 40
"""Objects of one kind that are offered."""


class Found(NamedTuple):
    """Something one can go to: in words, more words about it, what goes there."""

    words: str
    about: str
    go: Callable[[], object]


class Objects(Provider):
    """Objects whose words have all that was typed."""

    @property
    def bench(self) -> "Bench":
        """The app."""
        return cast("Bench", self.app)

    async def discover(self) -> Hits:
        for row in list(self.bench.recipes.values())[:3]:
            if row["status"] == "done" and row["recipe"] not in ALONE:
                found = self._results(row)
                yield DiscoveryHit(found.words, found.go, help=found.about)

    async def search(self, query: str) -> Hits:
        words = folded(query).split()
        for some in (self._recipes(), self._runs(), self._measures(), self._queries()):
            fitting = [found for found in some if all(word in folded(found.words) for word in words)]
            more = f"; {len(fitting) - MOST} more like it: type more words" if len(fitting) > MOST else ""
            for i, found in enumerate(fitting[:MOST]):
                at = folded(found.words).find(words[0]) if words else 0
                told = found.about + more if i == MOST - 1 else found.about
                yield Hit(1 / (1 + at / 100), found.words, found.go, found.words, help=told.removeprefix("; "))

    def _results(self, row: dict[str, str]) -> Found:
        id_ = row["recipe_run_id"]
        return Found(
            f"results of {row['recipe']} ({row['scale']}) {row['cell']}".rstrip(),
            f"{row['title']} [{id_}]",
            lambda: self.bench.show_results(id_),
        )

    def _recipes(self) -> Iterator[Found]:
        return (self._results(row) for row in self.bench.recipes.values() if row["recipe"] not in ALONE)

    def _runs(self) -> Iterator[Found]:
        page = self.app.screen_stack[0]
        focus = page.focused_run() if isinstance(page, Page) else None
        for run in self.bench.runs:
            about = f"run {run['run_id']}, {run['recipe'] or 'imported'}"
            id_ = run["run_id"]
            if focus and focus["run_id"] != id_:
                base = focus["run_id"]
                yield Found(
                    f"compare {label(focus)} with {label(run)}", about,
                    lambda base=base, id_=id_: self.bench.compare([base, id_]),  # type: ignore[misc]
                )  # fmt: skip
            yield Found(f"provenance of {label(run)}", about, lambda id_=id_: self.bench.show_provenance(id_))  # type: ignore[misc]

    def _measures(self) -> Iterator[Found]:
        page = self.app.screen_stack[0]
        if isinstance(page, Compare):
            for name in dict.fromkeys([*DEFAULT, *(m for r in self.bench.runs for m in r["means"])]):
                yield Found(f"measure {name}", "compare in this measure", lambda name=name: page.measure(name))  # type: ignore[misc]

    def _queries(self) -> Iterator[Found]:
        page = self.app.screen_stack[0]
        comparison = page.comparison if isinstance(page, Compare) else None
        if comparison and isinstance(page, Compare):
            for qid in comparison.qids:
                texts = dict.fromkeys(texts.get(qid, "") for texts in comparison.queries)
                yield Found(f"go to query {qid}: {' | '.join(texts)}", "", lambda qid=qid: page.go_to(qid))  # type: ignore[misc]
