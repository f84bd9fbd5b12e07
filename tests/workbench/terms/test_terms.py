"""4-grams and analyzers against what they are said to be."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from workbench.terms import TERMS, known_terms, term_counts
from workbench.terms.analyzer import analyzed
from workbench.terms.grams import four_grams


def test_four_grams_of_words_are_marked_and_folded() -> None:
    assert four_grams("L'Été, où?", "fr") == ["_l_", "_ete", "ete_", "_ou_"]
    assert four_grams("gats i gossos", "ca")[:3] == ["_gat", "gats", "ats_"]
    assert four_grams("Straße", "nl") == four_grams("STRASSE", "nl")
    # What related varieties write alike, they share.
    assert set(four_grams("universitat", "ca")) & set(four_grams("université", "fr"))


def test_han_keeps_its_unigrams_and_bigrams() -> None:
    assert four_grams("打咗3年 cafés", "yue") == ["打", "咗", "打咗", "_3_", "年", "_caf", "cafe", "afes", "fes_"]


@given(text=st.text(st.characters(max_codepoint=0x24F)))
def test_four_grams_of_any_latin_text(text: str) -> None:
    """Counted directly: every window of four over each word between its marks."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    expected = [
        w[i : i + 4] for w in (f"_{word}_" for word in words) for i in range(len(w)) if i == 0 or i + 4 <= len(w)
    ]
    assert four_grams(text, "fr") == expected


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("fr", "L’économie qu'il a étudiée n'est pas aujourd'hui", ["économ", "a", "étudi", "est", "aujourd'hui"]),
        ("it", "Nell'università dell’arte non c'è", ["univers", "arte"]),
        ("en", "The universities' and a dog's running, 3.14 e.g.", ["univers", "dog", "run", "3.14", "e.g"]),
        ("nl", "De fietsen en het gebouw", ["fiets", "gebouw"]),
        ("id", "Buku itu dibacakan", ["buku", "baca"]),
        ("ru", "И он читал книги", ["чита", "книг"]),
        ("zh", "我愛NLP 貓 3年", ["我愛", "nlp", "貓", "3", "年"]),
        ("fr-ca", "les chevaux", ["cheval"]),
    ],
)
def test_an_analyzer_elides_stops_and_stems(code: str, text: str, expected: list[str]) -> None:
    assert analyzed(text, code) == expected


def test_a_language_without_analyzer_is_refused() -> None:
    with pytest.raises(LswError, match=r"no analyzer for Occitan \(oc\)") as refused:
        analyzed("lo gat", "oc")
    assert "fr" in refused.value.cure and "bm25-4grams" in refused.value.cure


def test_unknown_terms_offer_the_nearest() -> None:
    with pytest.raises(LswError, match="Unknown terms '4-gram'") as refused:
        known_terms("4-gram")
    assert "'4-grams'" in refused.value.cure


@given(text=st.text())
def test_terms_of_any_text_are_clean(text: str) -> None:
    for name in TERMS:
        for code in ("fr", "zh"):
            counts = term_counts(text, code, name)
            assert all(t and not any(c.isspace() for c in t) and n > 0 for t, n in counts.items())
