"""Words of training texts replaced by their translations: artificial code-switching.

Litschko, Artemova and Plank 2023 (arXiv 2305.05295; their code: mainlp/CodeSwitchCLIR).
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, model_validator

from store import LswError
from workbench.collections.budgets import Noise, cost, hashed, noisy, taken
from workbench.lexicons import named
from workbench.lexicons._lookup import Lookup, Written, turned, words
from workbench.lexicons.base import Entry, Lexicon
from workbench.registry import LOCAL, told
from workbench.training.needs import Given, LexiconOf, Need
from workbench.training.steps.base import Step
from workbench.varieties import Pair, variety

FEWEST = 0.05
"""Share of words at least that is switched at a probability of .5 or more; of a smaller one as much less."""
LOOKED_AT = 2_000
"""Texts that tell whether a lexicon is reversed."""
SIDES = {"query": ("query",), "passage": ("positive", "negative")}
"""Columns of triples, by whose text they hold."""

Targets = list[Annotated[str, AfterValidator(told(lambda code: variety(code).code))]]


class CodeSwitch(Step):
    """Words of queries are replaced by words of the varieties `query_to`, of passages by words of `passage_to`.

    Texts in the variety of the passages are switched (English in the publication); queries in another, as those of a
    low-resource pair, stay as they are. Each word is drawn with `probability`, and replaced if the lexicon has it: into
    one variety that is BL-CS; into several, one is drawn for each word (ML-CS), or, with `one_language`, one for each
    triple's query and one for its passages (Wiki-CS). With `longest = 3` entries of up to 3 words are looked up, the
    longest first; `common` most frequent words of the texts are no entries by themselves (Wiki-CS leaves out stop
    words). Han text is cut into the longest entries, the rest into characters.

    Only whole words are replaced; the published code (`str.replace`) also rewrites parts of others. Words are looked up
    in lower case, and a first letter stays a capital. Of several translations one is drawn by its weight. The draw is
    by `seed` and the text, so that a text is switched alike in each epoch and triple. The columns of varieties stay:
    X-MOD's adapter is that of the sentence, not of its words.

    With a budget only so many `entries` of each lexicon are there (a word with one of its translations), or as many as
    have so many `words` on both sides: first those whose words are the most frequent in the texts, so that more hold
    the fewer. `noise` is the share of these whose translation is another entry's.
    """

    query_to: Targets = []
    passage_to: Targets = []
    probability: Annotated[float, Field(gt=0, le=1)] = 0.5
    lexicon: Annotated[SerializeAsAny[Lexicon], BeforeValidator(named), LOCAL]
    longest: Annotated[int, Field(ge=1, le=8)] = 1
    one_language: bool = False
    common: Annotated[int, Field(ge=0)] = 0
    entries: Annotated[int, Field(gt=0)] | None = None
    words: Annotated[int, Field(gt=0)] | None = None
    noise: Noise = 0.0
    seed: int = 42

    @model_validator(mode="after")
    def _somewhere(self) -> "CodeSwitch":
        if not self.query_to and not self.passage_to:
            raise ValueError("neither query_to nor passage_to names a variety")
        return self

    def needs(self, on: Pair) -> dict[str, Need]:
        codes = dict.fromkeys([*self.query_to, *self.passage_to])
        return {code: LexiconOf(on.high, code, self.lexicon) for code in codes if code != on.high}

    def done(self, triples: pa.Table, given: Given) -> pa.Table:
        """Raises:
        LswError: no text can be switched, or hardly a word is; a lexicon has fewer entries than are asked for.
        """
        if self.entries is not None or self.words is not None or self.noise:
            given = self._within(triples, given)
        for side, codes in (("query", self.query_to), ("passage", self.passage_to)):
            if codes:
                triples = self._switched(triples, side, codes, given)
        return triples

    def _within(self, triples: pa.Table, given: Given) -> Given:
        """The same with lexicons within the budget; counts what they have."""
        asked = [("query", self.query_to), ("positive", self.passage_to)]
        texts = [text for column, codes in asked if codes for text in triples[column].unique().to_pylist()]
        heard = Counter(word.key for text in texts for word in words(text))
        tables = {}
        for code, table in given.tables.items():
            tables[code], counts = self._part(table, heard)
            several = f"_{code}" if len(given.tables) > 1 else ""
            given.counts |= {f"{name}{several}": value for name, value in counts.items()}
        return replace(given, tables=tables)

    def _part(self, table: pa.Table, heard: Counter[str]) -> tuple[pa.Table, dict[str, float]]:
        """The entries of a lexicon within the budget, some of them wrong; an entry of several words is as frequent as
        the rarest of them."""
        pairs = [(source, target) for source, target, _ in _entries(table)]
        names = [f"{source}\t{target}" for source, target in pairs]
        often = [min((heard[word.key] for word in words(source)), default=0) for source, _ in pairs]
        order = sorted(hashed(names, self.seed), key=lambda i: -often[i])
        table = table.take(
            pa.array(taken(pairs, order, self.entries, self.words, "entries of the lexicon"), pa.int64())
        )
        pairs = [(source, target) for source, target, _ in _entries(table)]
        targets, wrong = noisy(pairs, [f"{source}\t{target}" for source, target in pairs], self.noise, self.seed)
        at = table.schema.get_field_index("target")
        counts: dict[str, float] = {"entries": len(pairs), "entry_words": sum(map(cost, pairs)), "noisy": wrong}
        return table.set_column(at, table.schema.field(at), pa.array(targets, pa.string())), counts

    def _switched(self, triples: pa.Table, side: str, codes: list[str], given: Given) -> pa.Table:
        """The triples with their queries or passages switched; counts what was done."""
        entries = {code: _entries(given.tables[code]) for code in codes if code in given.tables}
        if not entries:
            raise LswError(
                f"{side}s are in {codes[0]} already.".capitalize(),
                cure=f"Set {side}_to of the step code-switch to another variety.",
                exit_code=1,
            )
        if lacking := [code for code in dict.fromkeys(codes) if code not in entries]:
            given.note(f"{', '.join(lacking)} is left out of {side}_to: these {side} texts are in it already")
        passages = triples["document_variety"]
        spoken = triples["query_variety"] if side == "query" else passages
        ours = pc.equal(spoken, passages).to_pylist()
        if known_of := {_source(given.tables[code]) for code in entries} - {""}:  # another pair's triples beside them
            ours = [our and code in known_of for our, code in zip(ours, passages.to_pylist(), strict=True)]
        if not any(ours):
            raise LswError(
                f"None of the {len(triples):,} queries is in the passages' variety, whose words are switched.",
                f"They are in {', '.join(sorted(spoken.unique().to_pylist()))}.",
                'Train on the high-resource queries, as in pair = "fr-fr", or put a step replay before code-switch.',
                exit_code=1,
            )

        def texts() -> Iterator[str]:
            column = triples[SIDES[side][0]]
            said = (text for chunk in column.chunks for text in chunk.to_pylist())
            return (text for text, our in zip(said, ours, strict=True) if our)

        some = list(dict.fromkeys(islice(texts(), LOOKED_AT)))
        for code, known in entries.items():
            if turned(known, some, self.longest):
                given.note(f"the lexicon for {code} looks reversed: its translations cover the texts better")
        skipped = _frequent(texts(), self.common)
        switcher = _Switcher(
            {code: Lookup(known, self.longest) for code, known in entries.items()},
            self.probability, self.one_language, f"{self.seed}:{side}", skipped,
        )  # fmt: skip
        asked = triples["query"]
        for column in SIDES[side]:
            at = triples.schema.get_field_index(column)
            chunks, start = [], 0
            for chunk in triples.column(at).chunks:  # a passage column may be gigabytes
                end = start + len(chunk)
                rows = zip(chunk.to_pylist(), ours[start:end], asked[start:end].to_pylist(), strict=True)
                new = [switcher(text, query) if our else text for text, our, query in rows]
                chunks.append(pa.array(new, pa.string()))
                start = end
            triples = triples.set_column(at, column, pa.chunked_array(chunks, pa.string()))
        counts = switcher.counts
        sizes = {"lexicon": sum(map(len, entries.values()))}
        given.counts |= {f"{side}_{name}": value for name, value in (counts.told() | sizes).items()}
        if left := len(ours) - sum(ours):
            given.counts[f"{side}_of_another_variety"] = left
        self._enough(side, counts, entries)
        return triples

    def _enough(self, side: str, counts: "Counts", entries: dict[str, list[Entry]]) -> None:
        fewest = FEWEST * min(1.0, self.probability / 0.5)
        if counts.switched < fewest * counts.words or not counts.switched:
            sizes = ", ".join(f"{code} {len(known):,}" for code, known in entries.items())
            raise LswError(
                f"Only {counts.share(counts.switched):.1%} of the words of the {side} texts are switched.",
                f"The lexicon ({sizes} entries) covers {counts.share(counts.covered):.1%} of {counts.words:,} words; "
                f"at a probability of {self.probability:g} at least {fewest:.1%} must be switched.",
                "Name a larger lexicon, or check that it is of these varieties and the right way round.",
                exit_code=1,
            )


@dataclass
class Counts:
    """What was done to the words of some texts; an entry of several words is one.

    `covered` have an entry in the variety that was drawn, `switched` were replaced, `changed` by another form.
    """

    words: int = 0
    covered: int = 0
    switched: int = 0
    changed: int = 0
    by_variety: Counter[str] = field(default_factory=Counter)

    def share(self, some: int) -> float:
        """Of all words."""
        return some / self.words if self.words else 0.0

    def told(self) -> dict[str, float]:
        """For the record."""
        shares = {"coverage": self.covered, "switched_share": self.switched, "changed_share": self.changed}
        return {
            "words": self.words,
            "switched": self.switched,
            **{name: round(self.share(some), 4) for name, some in shares.items()},
            **{f"switched_{code}": n for code, n in sorted(self.by_variety.items()) if len(self.by_variety) > 1},
        }


@dataclass
class _Switcher:
    """Switches texts, each by a draw of its own.

    Args:
        lookups: by variety.
        probability: of each word.
        one_language: whether a text is switched into one variety; it is drawn by the query of the triple.
        seed: of the draw, beside the text.
        skipped: words that are no entries by themselves.
    """

    lookups: dict[str, Lookup]
    probability: float
    one_language: bool
    seed: str
    skipped: frozenset[str]
    counts: Counts = field(default_factory=Counts)

    def __call__(self, text: str, query: str) -> str:
        rng = random.Random(f"{self.seed}:{text}")
        codes = list(self.lookups)
        if self.one_language:
            codes = [random.Random(f"{self.seed}:{query}").choice(codes)]
        some, place, written = words(text), 0, Written(text)
        while place < len(some):
            code = rng.choice(codes)
            lookup = self.lookups[code]
            n, key = lookup.at(text, some, place, self.skipped)
            drawn, pick = rng.random() < self.probability, rng.random()
            start, end = some[place].start, some[place + n - 1].end
            new = _drawn(lookup.targets[key], pick) if key and drawn else None
            written.put(start, end, new)
            place += n
            self.counts.words += 1
            self.counts.covered += bool(key)
            if new is not None:
                self.counts.switched += 1
                self.counts.changed += new.lower() != text[start:end].lower()
                self.counts.by_variety[code] += 1
        return written.whole()


def _drawn(options: Sequence[tuple[str, float]], pick: float) -> str:
    """One of some translations by their weights, `pick` from 0 to 1."""
    if len(options) == 1:
        return options[0][0]
    left = pick * sum(weight for _, weight in options)
    for target, weight in options:
        left -= weight
        if left < 0:
            return target
    return options[-1][0]


def _entries(table: pa.Table) -> list[Entry]:
    return list(zip(*(table[column].to_pylist() for column in ("source", "target", "score")), strict=True))


def _source(lexicon: pa.Table) -> str:
    """The variety of the words that a lexicon has translations of, if it says that."""
    codes: dict[bytes, bytes] = lexicon.schema.metadata or {}
    return codes.get(b"source", b"").decode()


def _frequent(texts: Iterable[str], most: int) -> frozenset[str]:
    """The most frequent words of some texts."""
    if not most:
        return frozenset()
    counts: Counter[Any] = Counter(word.key for text in texts for word in words(text))
    return frozenset(sorted(counts, key=lambda word: (-counts[word], word))[:most])
