"""Why one query's passages stand where they do: what its words weigh, and what each score is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.text import Text

from store import LswError, Store
from store.rows import RunRow
from tui.comparing.words import beside, weighed
from workbench.text import is_han

if TYPE_CHECKING:
    from workbench.explaining.explained import Explanation, Portion
    from workbench.explaining.weights import Word

NOTHING = 5e-4
"""A part below this is shown as 0."""
WEIGHTIEST = 4
"""Words whose idf is told."""


@dataclass(frozen=True)
class Reasons:
    """Of one query in some runs.

    Args:
        words: of each run's wording, with their weights; empty where they cannot be had.
        said: of each run, its scores taken apart.
        lacking: in words, what could not be had.
    """

    words: "list[list[Word]]" = field(default_factory=list)
    said: "list[Explanation]" = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)


def reasons(
    store: Store,
    runs: Sequence[RunRow],
    queries: Sequence[str],
    passages: Sequence[dict[str, str]],
    note: Callable[[str], Any],
) -> Reasons:
    """Slow where a model is loaded; called from a thread.

    Args:
        store: where the runs are.
        runs: their rows.
        queries: as each scored it.
        passages: of each run, texts by docno.
        note: told what takes long.
    """
    from workbench.explaining.explained import Explanation, explained
    from workbench.explaining.weights import weights

    out = Reasons()
    for run, query, texts in zip(runs, queries, passages, strict=True):
        try:
            where = run["collection"], str(run["document_variety"])
            own = weights(store, *where, query, run["query_variety"], note=note)
        except LswError as error:
            own = []
            out.lacking.append(error.title)
        out.words.append(own)
        try:
            said = explained(store, run, query, texts, note)
        except LswError as error:
            said = Explanation.refused(" ".join(filter(None, [error.title, error.cure])))
        out.said.append(said)
    return out


def wording(text: str, words: "list[Word]", other: str) -> Text:
    """A wording: what weighs much bold, stop words and what no passage has dim, what the other one has not underlined.

    Args:
        text: the wording.
        words: its words with their weights.
        other: the wording it is held against.
    """
    out = beside(text, other)
    most = max((word.weight for word in words), default=0.0)
    for word in words:
        if word.end - word.start > 1 or word.weight:  # a pair says more than its characters
            look = "dim" if not word.weight else "bold" if word.weight * 3 >= 2 * most else ""
            out.stylize(look, word.start, word.end)
    told = sorted({(word.weight, word.term) for word in words if word.weight}, reverse=True)[:WEIGHTIEST]
    if told:
        out.append("  idf " + ", ".join(f"{term} {weight:.1f}" for weight, term in told), "dim")
    # Of Han characters a pair that no passage has says little.
    nowhere = dict.fromkeys(w.term for w in words if not (w.df or w.stop or (is_han(w.term) and len(w.term) > 1)))
    if nowhere:
        more = " ..." if len(nowhere) > WEIGHTIEST else ""
        out.append(f"  in no passage: {' '.join(list(nowhere)[:WEIGHTIEST])}{more}", "dim")
    return out


@dataclass(frozen=True)
class Part:
    """A part of two scores: what it is, what it adds to either (None: it is in only one), and the portions."""

    what: str
    values: tuple[float | None, float | None]
    portions: "tuple[Portion | None, Portion | None]"

    @property
    def difference(self) -> float:
        """What it adds to the second more than to the first."""
        return (self.values[1] or 0.0) - (self.values[0] or 0.0)


def parts(said: "Explanation", docnos: tuple[str, str]) -> list[Part]:
    """The parts of two passages' scores, those that differ most first; the same word of the query is the same part.

    Those that add nothing to either are left out.
    """
    by_key: list[dict[Any, Portion]] = []
    for docno in docnos:
        found: dict[Any, Portion] = {}
        for portion in said.portions.get(docno, []):
            number = sum(key[:2] == (portion.what, portion.query) for key in found)
            found[portion.what, portion.query, number] = portion
        by_key.append(found)
    out = []
    for key in dict.fromkeys([*by_key[0], *by_key[1]]):
        first, second = (found.get(key) for found in by_key)
        values = (first.value if first else None, second.value if second else None)
        out.append(Part(key[0], values, (first, second)))
    some = [part for part in out if any(abs(value or 0.0) >= NOTHING for value in part.values)]
    return sorted(some, key=lambda part: -abs(part.difference))


def lit(text: str, portions: "Sequence[Portion]", words: "Sequence[Any]", only: "Portion | None") -> Text:
    """A passage with what its score comes from: by how much each place adds, or one part alone; else the query's words.

    Args:
        text: the passage.
        portions: of its score.
        words: where the query's words stand (`workbench.explaining.weights.matches`), if a score has no parts.
        only: one of the portions.
    """
    out = Text(text)
    places: list[tuple[int, int, float]] = []
    if only is not None:
        places = [(*span, 1.0) for span in only.passage]
    elif any(portion.passage for portion in portions):
        places = [(*span, portion.value) for portion in portions for span in portion.passage]
    else:
        places = [(match.start, match.end, match.word.weight) for match in words if match.word.weight]
    most = max((weight for *_, weight in places), default=0.0) or 1.0
    # What weighs more is drawn over what weighs less: a character over the pair it is in.
    for start, end, weight in sorted(places, key=lambda place: place[2]):
        if style := weighed(weight / most):
            out.stylize(style, start, end)
    return out


def matched(portion: "Portion | None", text: str) -> str:
    """The words of a passage that a portion is of."""
    if portion is None:
        return ""
    return " ".join(dict.fromkeys(text[a:b] for a, b in portion.passage))[:40]
