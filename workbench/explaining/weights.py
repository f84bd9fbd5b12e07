"""What the words of a query weigh over the passages of a collection, and where they stand in a passage.

The words are those of `bm25` (`workbench.text.terms`): it is told what a word that matches would be worth, whatever
system a run is of.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import LswError, Store
from store.browse import passage_files
from store.query import rows
from workbench.explaining._frequencies import counted
from workbench.systems._frequencies import Frequencies, idf
from workbench.terms.analyzer import stop_words
from workbench.terms.places import places_of
from workbench.text import convert


@dataclass(frozen=True)
class Word:
    """A word of a query; where words are Han, also each character and each pair of neighbours.

    Args:
        term: as it is matched: case folded, in the declared script.
        start, end: where it stands in the query; `end` is the first character after it.
        stop: whether it is a stop word.
        df: in how many passages it occurs, as it is written.
        idf: log((N - df + .5) / (df + .5)), at least 1e-6; 0 of a stop word.
        script: in which it is matched.
    """

    term: str
    start: int
    end: int
    stop: bool
    df: int
    idf: float
    script: str = "as written"

    @property
    def weight(self) -> float:
        """What a match is worth: its idf; 0 of a word that no passage has, which matches nothing."""
        return self.idf if self.df else 0.0


@dataclass(frozen=True)
class Match:
    """A word of the query in a passage: characters `start` to `end`, without the last."""

    start: int
    end: int
    word: Word


def weights(
    store: Store,
    collection: str,
    document_variety: str,
    text: str,
    variety: str,
    script: str | None = None,
    note: Callable[[str], Any] = lambda words: None,
) -> list[Word]:
    """The words of a query, in its order, with what they weigh. Their terms are made by the rules of the query's
    variety, those of the passages by theirs, as `bm25` does it.

    A stop word is one of its own variety's list; of a variety that has none, one of the passages'. The counts are those
    of an index of `bm25` in the store, else the passages are counted once (call it from a thread).

    Args:
        store: where the passages are.
        collection, document_variety: which passages.
        text: of the query.
        variety: of the query.
        script: one of `workbench.text.SCRIPTS`; None: as the newest such index has it, else as written.
        note: told what takes long.

    Raises:
        LswError: the passages are not in the store; an unknown variety or script.
    """
    files = passage_files(store, collection, document_variety)
    if not files:
        raise LswError(
            f"The passages of '{collection}' in {document_variety} are not in the store.",
            cure="They are there once a recipe or `lsw retrieve` has read them.",
        )
    keys = [Path(file).parent.name for file in files]
    at = _index(store, keys, document_variety, script)
    script = script or (at[1] if at else "as written")
    [read] = convert([text], variety, script)
    places = places_of(read, variety)
    terms = list({place.text for place in places})
    if at:
        counts = Frequencies(at[0])
        found, passages = {term: counts[term] for term in terms}, counts.passages
    else:
        found, passages = counted(store, keys[-1], document_variety, script, terms, note)
    stop = stop_words(variety) or stop_words(document_variety)
    out = []
    for place in places:
        df, left_out = found.get(place.text, 0), place.text in stop
        weight = 0.0 if left_out else idf(df, passages)
        out.append(Word(place.text, *place.span, left_out, df, weight, script))
    return out


def _index(store: Store, passages: list[str], code: str, script: str | None) -> tuple[Path, str] | None:
    """The newest index of words over passages of these keys, and its script."""
    with store.reading() as con:
        found = rows(
            con,
            """
            SELECT key, coalesce(parameters->>'script', 'as written') AS script FROM stages
            WHERE kind = 'index' AND parameters->'ranker'->>'architecture' = 'bm25'
              AND coalesce(parameters->'ranker'->>'terms', 'words') = 'words'
              AND parameters->>'document_variety' = $1 AND inputs->>'passages' IN (SELECT unnest($2::TEXT[]))
              AND ($3::TEXT IS NULL OR script = $3)
            ORDER BY started_at DESC, key
            """,
            [code, passages, script],
        )
    paths = ((store.artifacts.path(row["key"]) / "index", str(row["script"])) for row in found)
    return next((at for at in paths if at[0].is_dir()), None)


def matches(words: list[Word], text: str, variety: str) -> list[Match]:
    """Where the words of a query stand in a passage, by the rules of the passage's variety, from its beginning on; of
    Han words a pair and its characters match in one place.

    Args:
        words: what `weights` gave.
        text: the passage.
        variety: of the passage.
    """
    by_term: dict[str, Word] = {}
    for word in words:
        by_term.setdefault(word.term, word)
    [read] = convert([text], variety, words[0].script if words else "as written")
    found = (place for place in places_of(read, variety) if place.text in by_term)
    return [Match(*place.span, by_term[place.text]) for place in found]
