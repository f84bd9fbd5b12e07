"""What the screens on runs share: which runs, which measure and test, and what was read and computed for them."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from store import Store, browse
from store.query import runs as all_runs
from store.query import topics
from workbench.comparing import How, pair
from workbench.paired import Combination, Paired, compared
from workbench.results import name

Row = dict[str, Any]
LETTERS = "ABCD"
MEASURES = ["RR@10", "nDCG@10", "R@1000"]
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
                found: T = self.known[key]
                return found
        made = make()
        self.put(key, made)
        return made

    def put(self, key: Hashable, made: Any) -> None:
        """Keep one more result, and drop the one that was not asked for longest."""
        with self._lock:
            self.known[key] = made
            while len(self.known) > self.size:
                self.known.popitem(last=False)


@dataclass(frozen=True)
class Choice:
    """What is to be compared: run ids, the baseline first; a measure; how."""

    run_ids: tuple[str, ...] = ()
    measure: str = "RR@10"
    how: How = field(default_factory=How)


@dataclass(frozen=True)
class Compared:
    """A choice with what came of it.

    Args:
        choice: what was asked.
        runs: rows of the view `runs`.
        paired: their values (queries x runs x 1).
        rows: a comparison of each run with the first, as in the view `comparisons`; one family.
        recorded: for each, what a recipe recorded of the same two runs and measure, or None.
        queries: for each run the text of each qid.
    """

    choice: Choice
    runs: list[Row]
    paired: Paired
    rows: list[Row]
    recorded: list[Row | None]
    queries: list[dict[str, str]]

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


@dataclass(frozen=True)
class Found:
    """One query in the compared runs.

    Args:
        qid: which.
        docnos: of each run, in the order of rank.
        scores: of each run.
        rank: of each run, where a docno is in it (from 0).
        labels: of each judged docno.
        texts: of each run, the passages' texts that were looked up, by docno.
    """

    qid: str
    docnos: list[list[str]]
    scores: list[list[float]]
    rank: list[dict[str, int]]
    labels: dict[str, int]
    texts: list[dict[str, str]]


class Study:
    """Reads and computes; every method may be slow, and is called from a thread."""

    DEPTH = 100
    """Passages of each ranking whose texts are looked up at once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._pairs = Kept(12)
        self._texts = Kept(8)
        self._found = Kept(96)
        self._files = Kept(64)
        self._topics = Kept(8)
        self._wordings = Kept(4)

    def forget(self) -> None:
        """The store has changed."""
        self.__init__(self.store)  # type: ignore[misc]

    def runs(self) -> list[Row]:
        """All runs, as the store has them."""
        return all_runs(self.store)

    def compare(self, choice: Choice, runs: list[Row]) -> Compared:
        """Compare two to four runs with the first of them.

        Args:
            choice: with run ids.
            runs: the rows of these ids, in their order.

        Raises:
            LswError: as `pair`.
        """
        paired = self._pairs.get((choice.run_ids, choice.measure), lambda: pair(self.store, runs, [choice.measure]))
        first = runs[0]
        made = [
            Combination(
                (r["run_id"],),
                (first["run_id"],),
                {
                    "contrast": "difference", "system": r["system"], "trained_on": r["trained_on"],
                    "variety": r["query_variety"], "pair": None, "baseline_run_id": first["run_id"],
                    "run_id": r["run_id"],
                },
            )
            for r in runs[1:]
        ]  # fmt: skip
        known = self._topics.get(first["collection"], lambda: topics(self.store, first["collection"]))
        settings = {name: getattr(choice.how, name) for name in How.__dataclass_fields__}
        rows = compared(paired, made, known, settings)
        said = [browse.recorded(self.store, first["run_id"], r["run_id"], choice.measure) for r in runs[1:]]
        texts = self._wordings.get(choice.run_ids, lambda: browse.wordings(self.store, list(choice.run_ids)))
        return Compared(choice, runs, paired, rows, said, [texts[r["run_id"]] for r in runs])

    def known(self, run_ids: tuple[str, ...], qid: str) -> Found | None:
        """What `find` gave before, if it is still known; quick."""
        found: Found | None = self._found.known.get((run_ids, qid))
        return found

    def find(self, runs: list[Row], qids: list[str]) -> list[Found]:
        """Some queries in some runs, with the texts of their first passages; in one read, for what is not known."""
        run_ids = tuple(r["run_id"] for r in runs)
        new = [q for q in qids if self.known(run_ids, q) is None]
        if new:
            read = browse.rankings_of(self.store, list(run_ids), new)
            some = {qid: self._first(rankings, labels) for qid, (rankings, labels) in read.items()}
            every = frozenset(d for docnos in some.values() for d in docnos)
            texts = [self.texts(r["collection"], r["document_variety"], every) for r in runs]
            for qid, (rankings, labels) in read.items():
                found = Found(
                    qid,
                    [rankings[r][0] for r in run_ids],
                    [rankings[r][1] for r in run_ids],
                    [{docno: i for i, docno in enumerate(rankings[r][0])} for r in run_ids],
                    labels,
                    [{d: known[d] for d in some[qid] if d in known} for known in texts],
                )
                self._found.put((run_ids, qid), found)
        return [f for q in qids if (f := self.known(run_ids, q))]

    def _first(self, rankings: dict[str, tuple[list[str], list[float]]], labels: dict[str, int]) -> set[str]:
        """The passages whose texts are looked up: the first of each ranking, and the relevant ones."""
        first = {d for docnos, _ in rankings.values() for d in docnos[: self.DEPTH]}
        return first | {d for d, label in labels.items() if label > 0}

    def texts(self, collection: str, variety: str | None, docnos: frozenset[str]) -> dict[str, str]:
        """Passages' texts; those that the store does not have are left out."""
        key = (collection, variety)
        files = self._files.get(key, lambda: browse.passage_files(self.store, collection, variety))
        return self._texts.get((key, docnos), lambda: browse.passage_texts(files, docnos))

    def curve(self, runs: list[Row], measure: str, cutoffs: list[int]) -> "np.typing.NDArray[np.float64]":
        """Means of a measure at cut-offs (runs x cutoffs), over the queries that all runs were evaluated on."""
        names = [at_cutoff(measure, k) for k in cutoffs]
        found: np.typing.NDArray[np.float64] = pair(self.store, runs, names).values.mean(axis=0)
        return found


def at_cutoff(measure: str, cutoff: int) -> str:
    """The same measure with another rank cut-off: RR@10 at 5 is RR@5."""
    return f"{measure.partition('@')[0]}@{cutoff}"


def label(run: Row) -> str:
    """A run in a few words: system, what it was trained on, varieties."""
    passages = run["document_variety"] or "?"
    return f"{name(run)} · {run['query_variety']}-{passages}"


def partner(run: Row, runs: list[Row]) -> Row | None:
    """The run one would hold this one against: its base, its high-resource twin, or what it was tuned to."""
    same = [
        r
        for r in runs
        if r["run_id"] != run["run_id"]
        and (r["collection"], r["document_variety"]) == (run["collection"], run["document_variety"])
    ]
    tests: list[Callable[[Row], bool]] = [
        lambda r: r["system"] == run["system"] and r["query_variety"] == run["query_variety"] and not r["trained_on"],
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


def with_how(choice: Choice, **changes: Any) -> Choice:
    """The same choice with another test, correction or interval."""
    return replace(choice, how=replace(choice.how, **changes))
