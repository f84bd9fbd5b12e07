"""What a model's vocabulary makes of the two wordings: pieces they share, pieces a word, unknown ones."""

from workbench.similarity.base import QUERIES, Feature, Measured, Wordings, averaged, pooled
from workbench.similarity.features.grams import jaccard
from workbench.similarity.tokenizers import Cut
from workbench.text import places

OF_ONE = ("fertility", "unknown")
NAMES = ("shared-pieces", "fertility-low", "fertility-high", "fertility-difference", "unknown-low", "unknown-high")


class Pieces(Feature):
    """Under the tokenizer of each system, of each query and of the pair:

    `shared-pieces`: pieces that both wordings have, of all that either has (0 to 1; different ones, without the unknown
    piece and a word's start alone), of the pair the mean. `fertility-low`, `fertility-high`: pieces a word, of the
    pair over all queries as one text; a Han character is a word. `fertility-difference`: low less high.
    `unknown-low`, `unknown-high`: unknown pieces of all (0 to 1), of the pair over all queries.
    """

    def measure(self, of: Wordings) -> list[Measured]:
        if not of.tokenizers:
            why_not = "no system has a tokenizer"
            return [Measured(name, None, 0, QUERIES, None, [None] * len(of.low), why_not) for name in NAMES]
        return [one for name, cut in of.tokenizers.items() for one in _under(name, cut, of)]

    def seconds(self, queries: int) -> float:
        return 0.6 + queries * 2e-4


def _under(name: str, cut: Cut, of: Wordings) -> list[Measured]:
    low, high = cut.pieces(of.low), cut.pieces(of.high)
    no_text = {cut.unknown, *cut.blank}
    shared = [jaccard(set(a) - no_text, set(b) - no_text) for a, b in zip(low, high, strict=True)]
    out = [averaged("shared-pieces", shared, "no query has a known piece", name)]
    words = [[sum(1 for _ in places(text)) for text in texts] for texts in (of.low, of.high)]
    fertile = []
    for side, ids, said in zip(("low", "high"), (low, high), words, strict=True):
        counts = [(float(len(row)), float(n)) for row, n in zip(ids, said, strict=True)]
        fertile.append(pooled(f"fertility-{side}", counts, "no query has a word", name))
    out += [*fertile, _difference(*fertile)]
    for side, ids in (("low", low), ("high", high)):
        counts = [(float(sum(i == cut.unknown for i in row)), float(len(row))) for row in ids]
        out.append(pooled(f"unknown-{side}", counts, "no query has a piece", name))
    return out


def _difference(low: Measured, high: Measured) -> Measured:
    by_query = [
        a - b if a is not None and b is not None else None for a, b in zip(low.by_query, high.by_query, strict=True)
    ]
    value = low.value - high.value if low.value is not None and high.value is not None else None
    why_not = low.why_not or high.why_not
    n = sum(one is not None for one in by_query)
    return Measured("fertility-difference", value, n, QUERIES, low.tokenizer, by_query, why_not)
