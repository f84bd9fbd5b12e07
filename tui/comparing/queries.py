"""The queries of a comparison: which of them, in which order, and how each is listed."""

import numpy as np
from rich.text import Text

from tui.frame.folding import folded
from tui.frame.rows import Column, Rows, widest
from tui.frame.search import Search
from tui.study import LETTERS, ComparedRuns
from workbench.comparison.words import signed

SORTS = ("delta", "gain first", "size of delta", "A", "chosen run", "qid")
FILTERS = ("all", "won", "lost", "changed")
FIELDS = ("qid", "query")


def ordered(comparison: ComparedRuns, chosen: int, sort_by: str, filter_by: str, search: Search) -> list[int]:
    """Positions of the queries that pass, in order.

    Args:
        comparison: of runs.
        chosen: the run whose differences from A count.
        sort_by: one of `SORTS`.
        filter_by: one of `FILTERS`.
        search: by `FIELDS`; `query` is any of the wordings.
    """
    deltas, at = comparison.deltas(chosen), np.arange(len(comparison.qids))
    keep = {"all": at >= 0, "won": deltas > 0, "lost": deltas < 0, "changed": deltas != 0}[filter_by]
    keys = {
        "delta": deltas, "gain first": -deltas, "size of delta": -np.abs(deltas), "A": comparison.values(0),
        "chosen run": comparison.values(chosen), "qid": at,
    }  # fmt: skip
    order = [int(i) for i in np.argsort(keys[sort_by], kind="stable") if keep[i]]
    return [i for i in order if search.fits(*_searchable(comparison, i))] if search else order


def worst(comparison: ComparedRuns, chosen: int) -> str:
    """The qid that the chosen run loses most on."""
    return comparison.qids[int(np.argmin(comparison.deltas(chosen)))]


def _searchable(comparison: ComparedRuns, i: int) -> tuple[dict[str, str], str]:
    return comparison.searchable.get(i, lambda: _folded(comparison, i))


def _folded(comparison: ComparedRuns, i: int) -> tuple[dict[str, str], str]:
    qid = comparison.qids[i]
    texts = folded("\n".join(dict.fromkeys(texts.get(qid, "") for texts in comparison.queries)))
    fields = {"qid": folded(qid), "query": texts}
    return fields, f"{fields['qid']}\n{texts}"


def query_rows(comparison: ComparedRuns, chosen: int, order: list[int], narrow: bool, sort_by: str) -> Rows:
    """qid, a bar and a number for the difference, and the wording if there is room."""
    deltas = comparison.deltas(chosen)
    largest = float(np.abs(deltas).max(initial=0)) or 1.0
    half = 3 if narrow else 5

    def cells(row: int) -> list[Text]:
        i = order[row]
        qid = comparison.qids[i]
        wording = Text(comparison.queries[chosen].get(qid, ""))
        return [Text(qid), two_sided(deltas[i] / largest, half), Text(signed(deltas[i])), wording]

    delta = Column(f"{LETTERS[chosen]}-A", 6, right=True)
    qid = Column("qid", 0 if narrow else widest(comparison.qids, 12), middle=True)
    columns = [qid, Column("- | +", 2 * half + 1), delta, *([] if narrow else [Column("query")])]
    return Rows(columns, len(order), cells, sorted_by={"qid": 0, "delta": 2, "gain first": 2}.get(sort_by),
                downwards=sort_by == "gain first")  # fmt: skip


def two_sided(value: float, half: int) -> Text:
    """A bar from the middle: to the left below 0, to the right above."""
    cells = min(half, round(abs(value) * half)) or (1 if value else 0)
    if value < 0:
        return Text.assemble(" " * (half - cells), ("━" * cells, "lost"), "│", " " * half)
    return Text.assemble(" " * half, "│", ("━" * cells, "won"), " " * (half - cells))


def queries_table(comparison: ComparedRuns, chosen: int, order: list[int]) -> tuple[list[str], list[list[str]]]:
    """Names of columns, and some queries with their values unrounded and their wordings."""
    count = len(comparison.runs)
    names = [f"{LETTERS[i]} {comparison.choice.measure}" for i in range(count)]
    texts = [f"{LETTERS[i]} query" for i in range(count)]
    deltas, rows = comparison.deltas(chosen), []
    for i in order:
        qid = comparison.qids[i]
        values = [repr(float(value)) for value in (*comparison.paired.values[i, :, 0], deltas[i])]
        rows.append([qid, *values, *(wordings.get(qid, "") for wordings in comparison.queries)])
    return ["qid", *names, f"{LETTERS[chosen]}-A", *texts], rows
