"""What the screens on runs share: which runs, which measure and test, and what was read and computed for them."""

from collections import OrderedDict
from collections.abc import Callable, Container, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from store import LswError, Store, browse
from store.passages import texts as passage_texts
from store.query import runs as all_runs
from store.query import topics
from store.rows import ComparisonRow, Row, RunRow
from workbench.comparison.compared import compared
from workbench.comparison.paired import Evaluations, Paired
from workbench.comparison.runs import difference, evaluated
from workbench.comparison.words import system_name
from workbench.evaluation.measures import DEFAULT
from workbench.significance.outcomes import Method
from workbench.significance.resampling import Progress

if TYPE_CHECKING:
    from workbench.explaining.weights import Word

LETTERS = "ABCD"
T = TypeVar("T")


class Kept:
    """The last results of slow work, by what they depend on."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = Lock()
        self.known: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is known, else what `make` gives."""
        with self._lock:
            if key in self.known:
                self.known.move_to_end(key)
                known: T = self.known[key]
                return known
        result = make()
        self.put(key, result)
        return result

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self.known.clear()

    def put(self, key: Hashable, result: Any) -> None:
        """Keep one more result, and drop the one that was not asked for longest."""
        with self._lock:
            self.known[key] = result
            while len(self.known) > self.size:
                self.known.popitem(last=False)


@dataclass(frozen=True)
class Choice:
    """What is to be compared: run ids, the baseline first; a measure; how."""

    run_ids: tuple[str, ...] = ()
    measure: str = DEFAULT[0]
    method: Method = field(default_factory=Method)


@dataclass(frozen=True)
class ComparedRuns:
    """A choice with what came of it.

    Args:
        choice: what was asked.
        runs: rows of the view `runs`.
        paired: their values on the queries that all of them share (queries x runs x 1).
        rows: a comparison of each run with the first over the queries that these two share, as in the view
            `comparisons`; one family.
        recorded: for each, what a recipe recorded of the same two runs and measure, or None.
        queries: for each run the text of each qid.
        searchable: what a search sees of each query, once it was looked at.
    """

    choice: Choice
    runs: list[RunRow]
    paired: Paired
    rows: list[ComparisonRow]
    recorded: list[ComparisonRow | None]
    queries: list[dict[str, str]]
    searchable: "Kept" = field(default_factory=lambda: Kept(1_000_000), compare=False, repr=False)

    @property
    def qids(self) -> list[str]:
        return self.paired.qids

    def values(self, run: int) -> "np.typing.NDArray[np.float64]":
        """Of one run, per query."""
        out: np.typing.NDArray[np.float64] = self.paired.values[:, run, 0]
        return out

    def deltas(self, run: int) -> "np.typing.NDArray[np.float64]":
        """Of one run against the first, per query."""
        return np.round(self.values(run) - self.values(0), 12)


@dataclass
class QueryRankings:
    """One query in the compared runs.

    Args:
        qid: which.
        tables: of each run, docno and score in the order of rank.
        labels: of each judged docno.
        texts: of each run, the passages' texts that were looked up, by docno.
        filled: whether they were.
        words: of each run, the words of its wording with what they weigh, once that was asked.
    """

    qid: str
    tables: list[pa.Table]
    labels: dict[str, int]
    texts: list[dict[str, str]]
    filled: bool = False
    words: "list[list[Word] | None]" = field(default_factory=list)

    @cached_property
    def docnos(self) -> list[list[str]]:
        """Of each run, in the order of rank."""
        return [table["docno"].to_pylist() for table in self.tables]

    @cached_property
    def scores(self) -> list[list[float]]:
        """Of each run, in the order of rank."""
        return [table["score"].to_pylist() for table in self.tables]

    @cached_property
    def rank(self) -> list[dict[str, int]]:
        """Of each run, where a docno is in it (from 0)."""
        return [{docno: i for i, docno in enumerate(docnos)} for docnos in self.docnos]

    @cached_property
    def best_relevant(self) -> str:
        """The relevant docno that a run ranks highest; empty if no run has one."""
        ranked = [
            (min(ranks), docno)
            for docno, label_ in self.labels.items()
            if label_ > 0 and (ranks := [rank[docno] for rank in self.rank if docno in rank])
        ]
        return min(ranked)[1] if ranked else ""

    def first(self, depth: int) -> set[str]:
        """The first passages of each ranking, and the relevant ones."""
        first = {docno for table in self.tables for docno in table["docno"].slice(0, depth).to_pylist()}
        return first | {docno for docno, label in self.labels.items() if label > 0}


class Study:
    """Reads and computes; every method may be slow, and is called from a thread."""

    DEPTH = 100
    """Passages of each ranking whose texts are looked up at once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._pairs = Kept(12)
        self._texts = Kept(8)
        self._found = Kept(48)
        self._files = Kept(64)
        self._topics = Kept(8)
        self._wordings = Kept(4)
        self._recorded = Kept(16)
        self._rows = Kept(64)
        self._weights = Kept(200)

    def forget(self, whole: bool) -> None:
        """The store has changed: `whole` if a run that was there is another now, else something was added."""
        for kept in (self._files, self._recorded, self._topics):
            kept.clear()
        if whole:
            for kept in (self._pairs, self._texts, self._found, self._wordings, self._rows):
                kept.clear()

    def runs(self) -> list[RunRow]:
        """All runs, as the store has them."""
        return all_runs(self.store)

    def compare(self, choice: Choice, runs: list[RunRow], progress: Progress | None = None) -> ComparedRuns:
        """Compare two to four runs with the first of them.

        Args:
            choice: with run ids.
            runs: the rows of these ids, in their order.
            progress: told how many resamples are done; may raise to stop.

        Raises:
            LswError: a run has no judgements, or no query is in all of them.
        """
        ids, first = choice.run_ids, runs[0]
        evaluations = self._values(ids, choice.measure, runs)
        paired = evaluations.paired()
        if not paired.qids:
            raise LswError("These runs have no query in common.", ", ".join(ids))
        differences = [difference(first, other) for other in runs[1:]]
        known = self._topics.get(first["collection"], lambda: topics(self.store, first["collection"]))
        rows = self._rows.get(choice, lambda: compared(evaluations, differences, known, choice.method, progress).rows)
        declared = self._recorded.get(frozenset(ids), lambda: browse.recorded(self.store, list(ids)))
        texts = self._wordings.get(ids, lambda: browse.wordings(self.store, list(ids)))
        recorded = [declared.get((first["run_id"], r["run_id"], choice.measure)) for r in runs[1:]]
        return ComparedRuns(choice, runs, paired, rows, recorded, [texts[r["run_id"]] for r in runs])

    def _values(self, ids: tuple[str, ...], measure: str, runs: list[RunRow]) -> Evaluations:
        """The runs' values in one measure; those that all have recorded are read together."""
        together = [m for m in runs[0]["means"] if all(m in r["means"] for r in runs)]
        names = together if measure in together else [measure]
        whole = self._pairs.get((ids, tuple(names)), lambda: evaluated(self.store, runs, names))
        return whole.only(measure)

    def known(self, run_ids: tuple[str, ...], qid: str) -> QueryRankings | None:
        """What `find` gave before, if it is still known; quick."""
        known: QueryRankings | None = self._found.known.get((run_ids, qid))
        return known

    def find(self, runs: list[RunRow], qids: list[str]) -> list[QueryRankings]:
        """Some queries in some runs; in one read, for what is not known. Texts come by `fill`."""
        run_ids = tuple(r["run_id"] for r in runs)
        new = [q for q in qids if self.known(run_ids, q) is None]
        if new:
            for qid, (tables, labels) in browse.rankings_of(self.store, list(run_ids), new).items():
                self._found.put((run_ids, qid), QueryRankings(qid, tables, labels, [{} for _ in runs]))
        return [f for q in qids if (f := self.known(run_ids, q))]

    def fill(self, runs: list[RunRow], queries: list[QueryRankings]) -> list[QueryRankings]:
        """Look up the texts of each ranking's first passages and of the relevant ones, all in one read."""
        new = [f for f in queries if not f.filled]
        some = {f.qid: f.first(self.DEPTH) for f in new}
        every = frozenset(docno for docnos in some.values() for docno in docnos)
        for i, run in enumerate(runs):
            texts = self.texts(run["collection"], run["document_variety"], every)
            for f in new:
                f.texts[i].update({d: texts[d] for d in some[f.qid] if d in texts})
        for f in new:
            f.filled = True
        return queries

    def texts(self, collection: str, variety: str | None, docnos: frozenset[str]) -> dict[str, str]:
        """Passages' texts; those that the store does not have are left out."""
        key = (collection, variety)
        files = self._files.get(key, lambda: browse.passage_files(self.store, collection, variety))
        return self._texts.get((key, docnos), lambda: passage_texts(files, docnos))

    def weigh(
        self, shown: QueryRankings, runs: list[RunRow], queries: list[str], note: Callable[[str], Any]
    ) -> QueryRankings:
        """What the words of each run's wording weigh; None where the passages are not in the store."""
        from workbench.explaining.weights import weights

        words: list[list[Word] | None] = []
        for run, query in zip(runs, queries, strict=True):
            where = run["collection"], str(run["document_variety"]), query, run["query_variety"]
            try:
                words.append(self._weights.get(where, lambda where=where: weights(self.store, *where, note=note)))  # type: ignore[misc]
            except LswError:
                words.append(None)
        shown.words = words
        return shown

    def curve(self, runs: list[RunRow], measure: str, cutoffs: list[int]) -> "np.typing.NDArray[np.float64]":
        """Means of a measure at cut-offs (runs x cutoffs), over the queries that all runs were evaluated on."""
        names = [at_cutoff(measure, k) for k in cutoffs]
        means: np.typing.NDArray[np.float64] = evaluated(self.store, runs, names).paired().values.mean(axis=0)
        return means


def at_cutoff(measure: str, cutoff: int) -> str:
    """The same measure with another rank cut-off: RR@10 at 5 is RR@5."""
    return f"{measure.partition('@')[0]}@{cutoff}"


def label(run: RunRow) -> str:
    """A run in a few words: system, what it was trained on, varieties."""
    passages = run["document_variety"] or "?"
    return f"{system_name(run)} · {run['query_variety']}-{passages}"


def unfinished(runs: list[RunRow], recipes: dict[str, Row], dead: Container[str] = ()) -> LswError | None:
    """Why runs that have no measures have none: their recipe is not at its end.

    Args:
        runs: that are to be compared.
        recipes: recipe runs by their ids.
        dead: ids of those whose process is no more, though their status is `running`.
    """
    for run in runs:
        recipe = recipes.get(run["recipe_run_id"] or "")
        if recipe and recipe["status"] != "done" and not run["means"]:
            runs_on = recipe["status"] == "running" and recipe["recipe_run_id"] not in dead
            status = "stopped" if recipe["status"] == "running" else recipe["status"]
            is_at = "is still at work" if runs_on else f"was {status}"
            return LswError(
                f"{label(run)} is not evaluated yet: its recipe {recipe['recipe']} ({recipe['scale']}) {is_at}.",
                "Runs are evaluated when all that a recipe asks for is there.",
                "" if runs_on else "Go on with: " + _go_on(recipe),
            )
    return None


def _go_on(recipe: Row) -> str:
    return f"lsw recipe run {recipe['recipe']} --scale {recipe['scale']}"


def partner(run: RunRow, runs: list[RunRow]) -> RunRow | None:
    """The run one would hold this one against: its base, its high-resource twin, or what it was tuned to."""
    same = [
        r
        for r in runs
        if r["run_id"] != run["run_id"]
        and (r["collection"], r["document_variety"]) == (run["collection"], run["document_variety"])
    ]
    tests: list[Callable[[RunRow], bool]] = [
        lambda r: (
            bool(run["trained_on"])
            and (r["system"], r["query_variety"], r["trained_on"]) == (run["system"], run["query_variety"], None)
        ),
        lambda r: (
            (r["system"], r["trained_on"]) == (run["system"], run["trained_on"])
            and r["query_variety"] == r["document_variety"]
        ),
        lambda r: r["system"] == run["system"],
        lambda r: r["query_variety"] == run["query_variety"],
    ]
    for test in tests:
        for r in same:
            if test(r):
                return r
    return same[0] if same else None


def with_method(choice: Choice, **changes: str) -> Choice:
    """The same choice with another test, correction or interval."""
    return replace(choice, method=choice.method.model_copy(update=changes))
