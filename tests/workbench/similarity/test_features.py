"""Features of similarity against values by hand, brute force and other people's code."""

from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu import corpus_chrf, sentence_chrf

from workbench.similarity import FEATURES, usual
from workbench.similarity.base import Feature, Measured, Wordings
from workbench.similarity.features import ldnd, uriel
from workbench.similarity.features.grams import grams
from workbench.similarity.tokenizers import Cut
from workbench.varieties import Pair, table

SETTINGS = settings(max_examples=60, deadline=None)
WORDS = st.lists(st.text("abcdéèç-' 1漢字語", max_size=12), min_size=1, max_size=6)
LETTERS = Cut(lambda texts: [[ord(c) for c in text if c != " "] for text in texts], ord("1"), frozenset({ord("'")}))
"""A tokenizer whose pieces are letters, which does not know 1, and whose apostrophe is no text."""


def part(name: str, **settings: Any) -> Feature:
    return FEATURES.part(name)(feature=name, **settings)


def measured(name: str, low: list[str], high: list[str], on: str = "ca-fr") -> dict[str, Measured]:
    a, b = on.split("-")
    return {one.feature: one for one in part(name).measure(Wordings(Pair(a, b), low, high, {"letters": LETTERS}))}


def test_grams_by_hand() -> None:
    found = measured("grams", ["mot", "MÓT y", "?"], ["mots", "mot", "!"])
    # _mo mot ot_ | _mo mot ots ts_; the second pair folds to the same word and `_y_`.
    assert found["jaccard-3"].by_query == [2 / 5, 3 / 4, None]
    assert found["jaccard-4"].by_query == [1 / 4, 2 / 3, None]
    assert (found["jaccard-4"].value, found["jaccard-4"].n) == (pytest.approx((1 / 4 + 2 / 3) / 2), 2)
    assert grams("我有mp3", "yue", 3) == {"我", "有", "_mp", "mp3", "p3_"}
    nothing = measured("grams", ["?"], ["…"])["jaccard-3"]
    assert (nothing.value, nothing.n, nothing.why_not) == (None, 0, "no query has a word")


@SETTINGS
@given(WORDS, WORDS, st.sampled_from(["ca-fr", "yue-zh"]))
def test_what_is_shared_is_a_share_and_the_same_either_way(low: list[str], high: list[str], on: str) -> None:
    n = min(len(low), len(high))
    back = "-".join(reversed(on.split("-")))
    for name, features in {"grams": ("jaccard-3", "jaccard-4"), "pieces": ("shared-pieces",)}.items():
        there, again = measured(name, low[:n], high[:n], on), measured(name, high[:n], low[:n], back)
        for feature in features:
            values = there[feature].by_query
            assert values == again[feature].by_query and len(values) == n
            assert all(value is None or 0 <= value <= 1 for value in values)
    same = measured("grams", low, low, on)["jaccard-4"]
    assert same.value in (None, 1.0)


def test_chrf_is_sacrebleu_s() -> None:
    low, high = ["quant costa un bitllet", "l'aigua", " "], ["combien coûte un billet", "l'eau", "rien"]
    found = measured("chrf", low, high)["chrf"]
    one_by_one = [sentence_chrf(a, [b]).score for a, b in zip(low[:2], high[:2], strict=True)]
    assert found.by_query == [*one_by_one, None]
    assert found.value == corpus_chrf(low[:2], [high[:2]]).score != sum(one_by_one) / 2
    assert (found.n, measured("chrf", high, high)["chrf"].value) == (3 - 1, pytest.approx(100))


@cache
def apart(a: str, b: str) -> int:
    """Levenshtein distance by its definition."""
    if not a or not b:
        return len(a) + len(b)
    return min(apart(a[1:], b) + 1, apart(a, b[1:]) + 1, apart(a[1:], b[1:]) + (a[0] != b[0]))


@SETTINGS
@given(st.lists(st.text("abé漢", min_size=1, max_size=5), min_size=2, max_size=5), st.data())
def test_levenshtein_distances_are_those_of_the_definition(low: list[str], data: st.DataObject) -> None:
    word = st.text("abé漢", min_size=1, max_size=6)
    high = data.draw(st.lists(word, min_size=len(low), max_size=len(low)))
    same, different = ldnd.normalised(low, high)
    rest = [apart(low[i], high[j]) / max(len(low[i]), len(high[j])) for i, j in permutations(range(len(low)), 2)]
    assert different == pytest.approx(np.mean(rest))
    assert same.tolist() == pytest.approx([apart(a, b) / max(len(a), len(b)) for a, b in zip(low, high, strict=True)])


def test_ldnd_by_hand() -> None:
    # Ten words of one meaning each; of two letters, of which the second differs in five, all others differ in both.
    low = [f"{a}{a}" for a in "abcdefghij"]
    high = [f"{a}{a}" if i % 2 else f"{a}z" for i, a in enumerate("abcdefghij")]
    found = measured("ldnd", low, high)["ldnd"]
    assert (found.value, found.n, found.source) == (pytest.approx(0.25), 10, "words of the queries")
    assert found.by_query == pytest.approx([0.5, 0.0] * 5)
    few = measured("ldnd", low[:9], high[:9])["ldnd"]
    assert few.value is None and few.why_not == "9 words find their counterpart, fewer than 10"
    assert few.by_query == [None] * 9


def test_words_pair_by_where_they_stand_and_not_by_their_letters() -> None:
    low, high = [["pa", "bo"], ["pa", "car"], ["bo", "vi"]], [["pain", "bon"], ["pain", "cher"], ["bon", "vin"]]
    assert ldnd.word_pairs(low, high) == [("bo", "bon"), ("pa", "pain"), ("car", "cher"), ("vi", "vin")]
    turned = [[word[::-1] for word in text] for text in high]  # the same places, other letters
    assert [(a, b[::-1]) for a, b in ldnd.word_pairs(low, turned)] == ldnd.word_pairs(low, high)
    assert ldnd.word_pairs([["a", "b"]], [["x", "y"]]) == []  # nothing tells which is which


def test_pieces_and_lengths_by_hand() -> None:
    found = measured("pieces", ["ab a'1", ""], ["abc d", "de"])
    assert found["shared-pieces"].by_query == [2 / 4, 0.0]  # {a b} of {a b c d}; neither 1 nor '
    assert found["fertility-low"].by_query == [5 / 3, None]
    assert found["fertility-low"].value == 5 / 3  # words: ab, a, 1
    assert found["fertility-high"].value == (4 + 2) / (2 + 1)
    assert found["fertility-difference"].by_query == [5 / 3 - 2, None]
    assert found["fertility-difference"].value == 5 / 3 - 2
    assert (found["unknown-low"].value, found["unknown-high"].value) == (1 / 5, 0.0)
    assert {one.tokenizer for one in found.values()} == {"letters"}
    assert measured("length", ["abcd ", ""], ["ab", "abc"])["length-ratio"].by_query == [2.0, 0.0]
    assert measured("length", ["abcd", ""], ["ab", " "])["length-ratio"].value == 2.0


def test_without_a_tokenizer_pieces_are_missing_and_not_0() -> None:
    found = part("pieces").measure(Wordings(Pair("ca", "fr"), ["a"], ["b"]))
    assert {one.feature for one in found} == set(measured("pieces", ["a"], ["b"]))
    assert all(one.value is None and one.why_not == "no system has a tokenizer" for one in found)


def test_kinship_and_sizes_of_text() -> None:
    def known(on: str, name: str) -> dict[str, float | None]:
        return {one.feature: one.value for one in part(name).measure(Wordings(Pair(*on.split("-")), [], []))}

    assert known("yue-zh", "kinship") == {"same-script": 0.0, "same-family": 1.0}
    assert known("gd-en", "kinship") == {"same-script": 1.0, "same-family": 0.0}
    assert known("gd-en", "cc100") == {"cc100-low": 22, "cc100-high": 83_968}
    [low, high] = part("cc100").measure(Wordings(Pair("oc", "fr"), [], []))
    assert (low.value, low.n, low.why_not) == (None, 0, "no size of a file of Occitan is known")
    assert high.value == 14_336


def test_uriel_has_every_two_varieties_and_is_a_distance() -> None:
    codes = sorted(uriel.CODES)
    assert set(codes) == {code for code in table() if code != "mul"}
    lines = [line for line in uriel.TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines[0] == ",".join(uriel.COLUMNS) and len(lines) == 1 + len(codes) * (len(codes) - 1) // 2
    for a, b, c in permutations(codes, 3):
        there = uriel.distances(Pair(a, b))
        assert there == uriel.distances(Pair(b, a)) and set(there) == set(uriel.NAMES)
        for name, distance in there.items():
            enough = distance.features is None or distance.features >= uriel.LEAST
            assert (distance.value is not None) == enough, (a, b, name)
            assert distance.value is None or 0 <= distance.value <= 1
        # Great circles are a metric; four digits are kept.
        legs = [uriel.distances(Pair(*leg))["geographic"].value or 0 for leg in ((a, b), (b, c), (a, c))]
        assert legs[2] <= legs[0] + legs[1] + 2e-4
    assert uriel.distances(Pair("fr", "fr"))["syntactic"].value == 0
    assert uriel.distances(Pair("fr-ca", "ca")) == uriel.distances(Pair("fr", "ca"))
    near, far = (uriel.distances(Pair(*on))["genetic"].value for on in (("ca", "oc"), ("ca", "ar")))
    assert near is not None and near < 0.1 and far == 1


def test_what_uriel_does_not_know_is_said() -> None:
    found = measured("uriel", [], [], "oc-fr")
    assert found["uriel-phonological"].why_not == "0 features are known of both, fewer than 10"
    assert (found["uriel-syntactic"].n, found["uriel-syntactic"].value) == (15, pytest.approx(0.0582))
    assert found["uriel-phonological-knn"].value is not None
    assert {one.why_not for one in measured("uriel", [], [], "mul-fr").values()} == {"the table has no mul"}


@pytest.mark.parametrize("name", FEATURES.names())
def test_every_feature_says_why_it_has_none(name: str) -> None:
    """Empty texts, and one text: a row for each feature either way, of every query a value or None."""
    for texts in ([], ["", "  "], ["a", "b"]):
        found = measured(name, texts, texts)
        assert found and all(one.feature == key for key, one in found.items())
        for one in found.values():
            assert (one.value is None) == bool(one.why_not)
            assert len(one.by_query) in (0, len(texts))
    assert part(name).seconds(1000) >= 0
    assert part(name).key() == {"feature": name}
    assert name in {feature.name for feature in usual()}
