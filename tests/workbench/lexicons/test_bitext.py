"""IBM model 1, against a plain reading of the paper's formulas."""

import math
import random
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.collections.folder import MINI, Folder
from workbench.lexicons._lookup import Lookup, coverage
from workbench.lexicons.base import Material
from workbench.lexicons.bitext import BitextLexicon, model

Texts = list[tuple[list[str], list[str]]]
WORDS = st.lists(st.sampled_from("abcde"), max_size=5)


def plain(texts: Texts, iterations: int) -> dict[tuple[str, str], float]:
    """t(target | source) by Brown et al. 1993, one word at a time; the empty word is ''."""
    vocabulary = {word for _, target in texts for word in target}
    t: dict[tuple[str, str], float] = defaultdict(lambda: 1 / len(vocabulary))
    for _ in range(iterations):
        count: dict[tuple[str, str], float] = defaultdict(float)
        total: dict[str, float] = defaultdict(float)
        for source, target in texts:
            for word in target:
                among = sum(t[s, word] for s in ["", *source])
                for s in ["", *source]:
                    count[s, word] += t[s, word] / among
                    total[s] += t[s, word] / among
        t = defaultdict(float, {(s, word): c / total[s] for (s, word), c in count.items()})
    return t


def probabilities(texts: Texts, iterations: int) -> dict[tuple[str, str], float]:
    made = model(texts, iterations)
    rows, columns = made.rows.tolist(), made.columns.tolist()
    return {(made.sources[r], made.targets[c]): t for r, c, t in zip(rows, columns, made.t.tolist(), strict=True)}


@given(st.lists(st.tuples(WORDS, WORDS.filter(bool)), min_size=1, max_size=8), st.integers(1, 8))
def test_ibm_model_1_is_what_the_paper_says(texts: Texts, iterations: int) -> None:
    expected = plain(texts, iterations)
    assert probabilities(texts, iterations) == pytest.approx({pair: expected[pair] for pair in expected}, abs=1e-12)


@given(st.lists(st.tuples(WORDS, WORDS.filter(bool)), min_size=1, max_size=8))
def test_no_iteration_makes_the_texts_less_likely(texts: Texts) -> None:
    curve = model(texts, 12).log_likelihoods
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(curve))
    vocabulary = len({word for _, target in texts for word in target})
    assert curve[0] == pytest.approx(-math.log(vocabulary) * sum(len(target) for _, target in texts))


def test_words_are_found_by_their_company() -> None:
    """The house and the book of Brown et al.: each word is told from the other by the text it stands without."""
    texts = [("das haus", "the house"), ("das buch", "the book"), ("ein buch", "a book")]
    of = Material("af", "en", bitext=texts)
    entries, summary = BitextLexicon(lexicon="bitext", iterations=50).entries(of)
    best = Lookup(entries)
    assert {word: best.best(word) for word in ("das", "haus", "buch")} == {
        "das": "the",
        "haus": "house",
        "buch": "book",
    }
    assert summary["texts"] == 3


def test_han_text_is_learnt_as_characters_and_as_pairs() -> None:
    texts = [
        ("我哋食飯", "我们吃饭"),
        ("我哋飲茶", "我们喝茶"),
        ("佢哋食麵", "他们吃面"),
        ("佢飲水", "他喝水"),
        ("我食麵", "我吃面"),
    ]
    entries, _ = BitextLexicon(lexicon="bitext", iterations=20).entries(Material("yue", "zh", bitext=texts))
    best = Lookup(entries)
    assert best.best("食") == "吃"
    assert best.best("我哋") == "我们"
    assert all(len(source) == len(target) for source, target, _ in entries)


def test_probabilities_below_the_least_are_no_entries() -> None:
    rng = random.Random(1)
    texts = [(" ".join(rng.sample("abcdefgh", 3)), " ".join(rng.sample("ijklmnop", 3))) for _ in range(40)]
    for least in (0.1, 0.25, 0.6):
        entries, _ = BitextLexicon(lexicon="bitext", least=least).entries(Material("fr", "ca", bitext=texts))
        expected = probabilities([(a.split(), b.split()) for a, b in texts], 6)
        assert {(s, t): p for s, t, p in entries} == {pair: p for pair, p in expected.items() if p >= least and pair[0]}


def test_the_training_queries_of_the_mini_collection_make_a_lexicon_that_covers_others() -> None:
    mini = Folder("mini", MINI)
    train = {code: mini.queries(code, "train")["query"].to_pylist() for code in ("fr", "ca")}
    texts = list(zip(train["fr"], train["ca"], strict=True))
    entries, _ = BitextLexicon(lexicon="bitext").entries(Material("fr", "ca", bitext=texts))
    lookup = Lookup(entries)
    assert lookup.best("combien") in ("quant", "quants", "quantes") and lookup.best("eau") == "aigua"
    assert coverage(lookup, mini.queries("fr", "dev")["query"].to_pylist()) > 0.5
