"""Character 4-grams of words (McNamee and Mayfield 2004), which related varieties share where they share no word."""

import unicodedata

from workbench.text import runs

N = 4
MARK = "_"
"""Stands before and after each word."""


def folded(text: str) -> str:
    """Without case and accents: decomposed (NFKD), combining marks left out."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return text.casefold()


def four_grams(text: str, code: str) -> list[str]:
    """The 4-grams of each word with its marks, `_mot` and `mot_` of "mot"; a single letter is `_y_`.

    Runs of Han characters give unigrams and bigrams, as in `workbench.text.terms`.
    """
    out = []
    for run, han in runs(folded(text), code):
        if han:
            out += [*run, *(run[i : i + 2] for i in range(len(run) - 1))]
        else:
            word = f"{MARK}{run}{MARK}"
            out += [word[i : i + N] for i in range(max(len(word) - N, 0) + 1)]
    return out
