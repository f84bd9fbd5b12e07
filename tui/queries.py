"""The queries of a comparison: which of them, in which order, and how each is listed."""

import numpy as np
from rich.text import Text

from tui.listing import Column, Rows, widest
from tui.study import LETTERS, ComparedRuns
from workbench.comparison.words import signed

SORTS = ("delta", "gain first", "size of delta", "A", "chosen run", "qid")
FILTERS = ("all", "won", "lost", "changed")


def ordered(comparison: ComparedRuns, chosen: int, sort_by: str, filter_by: str, words: list[str]) -> list[int]:
    """Positions of the queries that pass, in order.

    Args:
        found: the comparison.
        chosen: the run whose differences from A count.
        sort_by: one of `SORTS`.
        filter_by: one of `FILTERS`.
        words: all of which the qid or a wording must have, in small letters.
    """
    deltas, at = comparison.deltas(chosen), np.arange(len(comparison.qids))
    keep = {"won": deltas > 0, "lost": deltas < 0, "changed": deltas != 0}.get(filter_by, at >= 0)
    keys = {
        "gain first": -deltas, "size of delta": -np.abs(deltas), "A": comparison.values(0),
        "chosen run": comparison.values(chosen), "qid": at,
    }  # fmt: skip
    order = [int(i) for i in np.argsort(keys.get(sort_by, deltas), kind="stable") if keep[i]]
    return [i for i in order if all(word in _searchable(comparison, i) for word in words)] if words else order


def _searchable(comparison: ComparedRuns, i: int) -> str:
    qid = comparison.qids[i]
    return " ".join([qid, *(texts.get(qid, "") for texts in comparison.queries)]).casefold()


def query_rows(comparison: ComparedRuns, chosen: int, order: list[int], narrow: bool) -> Rows:
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
    qid = Column("qid", 0 if narrow else widest(comparison.qids, 12))
    columns = [qid, Column("- | +", 2 * half + 1), delta, *([] if narrow else [Column("query")])]
    return Rows(columns, len(order), cells)


def two_sided(value: float, half: int) -> Text:
    """A bar from the middle: to the left and red below 0, to the right and green above."""
    cells = min(half, round(abs(value) * half)) or (1 if value else 0)
    if value < 0:
        return Text.assemble(" " * (half - cells), ("█" * cells, "red"), "│", " " * half)
    return Text.assemble(" " * half, "│", ("█" * cells, "green"), " " * (half - cells))
