"""Texts that are nearly the same, found by MinHash, against all pairs compared one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.training.near_duplicates import nearest_alike, rows_of_a_band, shingles

LETTERS = st.text("abcdé ", min_size=0, max_size=40)
HAN = st.text("猫狗海山水", min_size=0, max_size=14)


@st.composite
def texts(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Some texts, and others made of them by changing a little."""
    code = draw(st.sampled_from(["fr", "zh"]))
    some = draw(st.lists(HAN if code == "zh" else LETTERS, min_size=1, max_size=8))
    more = [text[: draw(st.integers(0, len(text)))] + draw(st.sampled_from(["", "x", "猫"])) for text in some]
    return [(text, code) for text in [*some, *more]]


def jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0


@settings(max_examples=40)
@given(texts(), texts(), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_what_is_found_is_what_all_pairs_say(
    ours: list[tuple[str, str]], others: list[tuple[str, str]], threshold: float
) -> None:
    others = [*others, *ours[::3]]
    found = nearest_alike(ours, others, threshold)
    for place, text in enumerate(ours):
        like = [jaccard(shingles(*text), shingles(*other)) for other in others]
        if max(like) >= threshold:
            assert like[found[place]] == max(like)
        else:
            assert place not in found


def test_shingles_are_of_words_alone() -> None:
    assert shingles("Où est-il ?", "fr") == {"où es", "ù est", " est ", "est i", "st il"}
    assert shingles("海里有鱼！", "zh") == {"海里有", "里有鱼"}
    assert shingles("Un", "fr") == {"un"}
    assert shingles("?!", "fr") == set()
    assert nearest_alike([("?", "fr")], [("!", "fr")], 0.5) == {}  # nothing is like nothing


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8, 0.9, 1.0])
def test_bands_miss_fewer_than_one_in_a_million(threshold: float) -> None:
    rows = rows_of_a_band(threshold)
    assert 128 % rows == 0
    assert (1 - threshold**rows) ** (128 // rows) <= (1e-6 if threshold > 0.2 else 1e-12)
