"""How many 3-grams and 4-grams of letters two wordings share, of all that either has (Jaccard 1901)."""

from collections.abc import Iterable

from workbench.similarity.base import Feature, Measured, Wordings, averaged
from workbench.terms.grams import MARK, folded
from workbench.text import runs

SIZES = (3, 4)


class Grams(Feature):
    """`jaccard-3` and `jaccard-4`, 0 to 1, of each query; of the pair their mean.

    Grams are of each word with its marks, `_mo mot ot_` of "mot", case and accents folded as for `bm25-4grams`; a
    shorter word is one gram. Of text in Han characters each character is one.
    """

    def measure(self, of: Wordings) -> list[Measured]:
        out = []
        for n in SIZES:
            low, high = ([grams(text, code, n) for text in texts] for code, texts in of.sides)
            shared = [jaccard(a, b) for a, b in zip(low, high, strict=True)]
            out.append(averaged(f"jaccard-{n}", shared, "no query has a word"))
        return out

    def seconds(self, queries: int) -> float:
        return queries * 2e-4


def grams(text: str, code: str, n: int) -> set[str]:
    """The n-grams of the words of a text in a variety."""
    out: set[str] = set()
    for run, han in runs(folded(text), code):
        if han:
            out.update(run)
        else:
            word = f"{MARK}{run}{MARK}"
            out.update(word[i : i + n] for i in range(max(len(word) - n, 0) + 1))
    return out


def jaccard(a: Iterable[object], b: Iterable[object]) -> float | None:
    """Shared elements of all, 0 to 1; None if there are none."""
    one, other = set(a), set(b)
    return len(one & other) / len(one | other) if one or other else None
