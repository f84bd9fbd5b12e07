"""Terms with their places are the terms, and stand where it is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.terms import TERMS
from workbench.terms.grams import MARK, folded
from workbench.terms.places import PLACES, places_of

TEXTS = st.text(st.sampled_from("aàbÉeﬁßİıΣς½ ' ’.3,_-l'n'\u0301漢字后後ABсофия") | st.characters(max_codepoint=0x3FF))


def test_all_terms_have_places() -> None:
    assert list(PLACES) == list(TERMS)


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("code", ["fr", "en", "zh"])
@given(text=TEXTS)
def test_places_are_of_the_same_terms(name: str, code: str, text: str) -> None:
    placed = places_of(text, code, name)
    assert [term.text for term in placed] == TERMS[name](text, code)
    for term in placed:
        assert 0 <= term.start < term.end <= len(text)
        there = text[term.start : term.end]
        if name == "words":
            assert term.text in there.casefold()
        if name == "4-grams":
            assert term.text.strip(MARK) in folded(there)


def test_a_term_stands_in_the_text_as_it_was_written() -> None:
    text = "L’ÉTÉ d'Ｘ, où STRASSE/Straße"
    stands = {name: [text[t.start : t.end] for t in places_of(text, "fr", name)] for name in TERMS}
    assert stands["words"] == ["L", "ÉTÉ", "d", "Ｘ", "où", "STRASSE", "Straße"]
    assert stands["analyzer"] == ["ÉTÉ", "Ｘ", "où", "STRASSE", "Straße"]
    assert stands["4-grams"][:4] == ["L", "ÉTÉ", "ÉTÉ", "d"]
    assert stands["4-grams"][-3:] == ["raß", "aße", "ße"]
    text = "打咗3年 Cafés"
    assert [text[t.start : t.end] for t in places_of(text, "yue")] == ["打", "咗", "打咗", "3", "年", "Cafés"]
