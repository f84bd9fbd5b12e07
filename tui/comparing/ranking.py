"""One ranking of several: its rows with their judgements and where each passage is in the others, and a passage."""

from rich.text import Text

from store.rows import RunRow
from tui.comparing.words import marked
from tui.frame.looks import run as look
from tui.frame.rows import Cells, Column, Rows
from tui.study import LETTERS, QueryRankings

NARROW_LIST, WIDE_LIST = 34, 52
"""Columns of a list from which docnos have room beside the passages, shortened and whole."""


def judged(label: int | None) -> Text:
    """A sign and a colour: relevant, judged not relevant, not judged."""
    if label is None:
        return Text("·", "dim")
    if label > 0:
        return Text("✓" if label == 1 else f"✓{label}", "won")
    return Text("✗", "lost")


def moved(shown: QueryRankings, run: int, chosen: int, docno: str) -> Text:
    """Where a passage is in another ranking: one of the baseline's in the chosen run, any other in the baseline."""
    here = shown.rank[run][docno]
    if run == 0:
        there = shown.rank[chosen].get(docno)
        return Text("lost", "lost") if there is None else Text("=" if there == here else f"→{there + 1}", "dim")
    there = shown.rank[0].get(docno)
    if there is None:
        return Text("new", "won")
    if there == here:
        return Text("=", "dim")
    return Text(f"↑{there - here}", "won") if there > here else Text(f"↓{here - there}", "lost")


def ranking_rows(shown: QueryRankings, run: int, chosen: int, width: int) -> Rows:
    """Rank from 1, judgement, movement, docno and how the passage begins; in a narrow list the passage comes first.

    Args:
        shown: the query.
        run: whose ranking.
        chosen: the run that A's movements are to.
        width: terminal cells of the list.
    """
    docnos, texts = shown.docnos[run], shown.texts[run]

    def cells(i: int) -> Cells:
        docno = docnos[i]
        begin = Text(texts.get(docno, "")[:200].replace("\n", " "), "dim")
        sign = judged(shown.labels.get(docno))
        return [Text(str(i + 1), "dim"), sign, moved(shown, run, chosen, docno), Text(docno), begin]

    docno = min(max((len(d) for d in docnos[:200]), default=5), 14 if width >= WIDE_LIST else 8)
    named = shown.filled and not texts  # a collection whose passages are not in the store
    columns = [
        Column("#", max(2, len(str(len(docnos)))), right=True),
        Column("", 2, whole=True),
        Column("", max(4, 1 + len(str(max(map(len, shown.docnos), default=0)))), whole=True),
        Column("docno", 0 if named else docno, needs=0 if named else NARROW_LIST, middle=True),
        *([] if named else [Column("passage")]),
    ]
    return Rows(columns, len(docnos), cells)


def relevant_at(shown: QueryRankings, run: int) -> str:
    """At which ranks the relevant passages are."""
    relevant = [d for d, label in shown.labels.items() if label > 0]
    if not relevant:
        return "no relevant passage is known"
    at = sorted(shown.rank[run][d] + 1 for d in relevant if d in shown.rank[run])
    missing = len(relevant) - len(at)
    ranks = ", ".join(f"#{r}" for r in at[:6]) + (" ..." if len(at) > 6 else "")
    summary = f"relevant at {ranks}" if at else f"no relevant passage in {len(shown.docnos[run])}"
    return summary + (f"; {missing} of {len(relevant)} not found" if missing and at else "")


def passage(shown: QueryRankings, runs: list[RunRow], run: int, docno: str, query: str) -> Text:
    """A passage in full, its place in each ranking above it, the query's words marked.

    Args:
        shown: the query.
        runs: rows of the view `runs`.
        run: whose query and collection.
        docno: which passage.
        query: the query's text.
    """
    if not docno:
        return Text("No run found anything for this query.", "dim")
    label = shown.labels.get(docno)
    what = (
        "not judged" if label is None else f"relevant, label {label}" if label > 0 else f"not relevant, label {label}"
    )
    head = Text.assemble(judged(label), (f" {docno}", "bold"), f"  {what}")
    for i, rank in enumerate(shown.rank):
        head.append(f"  {LETTERS[i]} ", look(i))
        head.append(f"#{rank[docno] + 1} ({shown.scores[i][rank[docno]]:.4g})" if docno in rank else "-")
    text = shown.texts[run].get(docno)
    words = shown.words[run] if run < len(shown.words) else None
    if text is None:
        where = runs[run]["collection"]
        body = Text(f"The text of this passage is not in the store (collection {where}).", "dim")
    else:
        body = marked(text, query, runs[run]["query_variety"], words)
    return Text("\n").join([head, body])


def ranking_table(shown: QueryRankings, run: int) -> tuple[list[str], list[list[str]]]:
    """Names of columns, and the passages of one ranking in its order."""
    rows = [
        [str(rank + 1), docno, f"{score:.6g}", str(shown.labels.get(docno, "")), shown.texts[run].get(docno, "")]
        for rank, (docno, score) in enumerate(zip(shown.docnos[run], shown.scores[run], strict=True))
    ]
    return ["#", "docno", "score", "label", "text"], rows
