"""What BM25 counts in a text: words, character 4-grams of words, or what Lucene's analyzer of a language leaves."""

from collections import Counter
from collections.abc import Callable

from store import LswError, nearest
from workbench.terms.analyzer import analyzed
from workbench.terms.grams import four_grams
from workbench.text import terms

TERMS: dict[str, Callable[[str, str], list[str]]] = {"words": terms, "4-grams": four_grams, "analyzer": analyzed}
"""Each makes the terms of a text in a variety."""


def known_terms(name: str) -> str:
    """The name itself.

    Raises:
        LswError: it is none of `TERMS`; the nearest is offered.
    """
    if name not in TERMS:
        raise LswError(f"Unknown terms '{name}'.", cure=nearest(name, TERMS))
    return name


def term_counts(text: str, code: str, name: str = "words") -> dict[str, int]:
    """How often each term occurs.

    Args:
        text: a query or passage.
        code: by which variety's rules.
        name: one of `TERMS`.
    """
    return dict(Counter(TERMS[known_terms(name)](text, code)))
