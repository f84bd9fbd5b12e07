"""What words weigh, counted by hand; where they stand."""

import math
from collections import Counter
from pathlib import Path

import pytest

from store import LswError, Store
from store.browse import passage_files
from store.passages import Passages
from workbench.explaining.weights import matches, weights
from workbench.text import convert, terms

CODES = [("why", "small", "ca", "fr", "Quant d'aigua beu l'ÉLÉPHANT, de mitjana?"),
         ("made", "small", "yue", "zh", "啲人最後靠乜嘢先睇得明古埃及文字 NBA")]  # fmt: skip


def texts_of(store: Store, collection: str, code: str) -> list[str]:
    [file] = passage_files(store, collection, code)
    return [text for batch in Passages(Path(file)).batches() for text in batch["text"].to_pylist()]


@pytest.mark.parametrize("script", ["as written", "simplified"])
@pytest.mark.parametrize(("fixture", "collection", "variety", "code", "text"), CODES)
def test_words_weigh_their_idf(
    request: pytest.FixtureRequest, fixture: str, collection: str, variety: str, code: str, text: str, script: str
) -> None:
    """Both scripts: of one there is an index in the store, for the other the passages are counted."""
    store: Store = request.getfixturevalue(fixture)
    passages = convert(texts_of(store, collection, code), code, script)
    having = Counter(term for passage in passages for term in set(terms(passage, code)))
    n = len(passages)
    notes = list[str]()
    for _ in range(2):
        words = weights(store, collection, code, text, variety, script, notes.append)
        [read] = convert([text], variety, script)
        assert [word.term for word in words] == terms(read, variety)
        for word in words:
            assert convert([text[word.start : word.end]], variety, script)[0].casefold() == word.term
            assert word.df == having[word.term]
            expected = max(math.log((n - word.df + 0.5) / (word.df + 0.5)), 1e-6)
            assert word.idf == (0 if word.stop else pytest.approx(expected))
            assert word.weight == (word.idf if word.df else 0)
        assert any(word.df for word in words) and any(not word.df for word in words)
    # Counted once, and kept.
    assert notes == ([f"counting the words of {n} passages"] if script == "simplified" else [])
    assert store.artifacts.complete() == store.artifacts.all_keys()
    for passage in texts_of(store, collection, code)[:20]:
        found = matches(words, passage, code)
        [read] = convert([passage], code, script)
        own = {word.term for word in words}
        assert [match.word.term for match in found] == [term for term in terms(read, code) if term in own]
        for match in found:
            there = convert([passage[match.start : match.end]], code, script)[0]
            assert there.casefold() == match.word.term


def test_stop_words_weigh_nothing(why: Store) -> None:
    """Of French its own, of Catalan, which has no list here, the passages'."""
    french = weights(why, "small", "fr", "L'eau de la mer", "fr")
    assert [(word.term, word.stop) for word in french] == [
        ("l", True), ("eau", False), ("de", True), ("la", True), ("mer", False),
    ]  # fmt: skip
    catalan = weights(why, "small", "fr", "un got de vi i l'aigua", "ca")
    assert [word.term for word in catalan if word.stop] == ["un", "de", "l"]
    assert {word.idf for word in [*french, *catalan] if word.stop} == {0}


def test_passages_that_are_not_there_are_refused(why: Store) -> None:
    with pytest.raises(LswError, match="The passages of 'small' in it are not in the store") as refused:
        weights(why, "small", "it", "acqua", "scn")
    assert "lsw retrieve" in refused.value.cure
    with pytest.raises(LswError, match="Unknown script option 'simple'"):
        weights(why, "small", "fr", "eau", "fr", "simple")


def test_no_word_has_no_weight(why: Store) -> None:
    assert weights(why, "small", "fr", "?!", "fr") == []
    assert matches([], "la mer", "fr") == []
