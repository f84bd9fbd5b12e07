"""The vocabulary of the mini models: relatives' words share pieces, whoever loads the tokenizer."""

import itertools
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.pretraining.initialise import mt5_tokenizer, xlmr_tokenizer
from workbench.pretraining.vocabulary import MARK, chosen, chunks, folded, score, vocabulary

TEXTS = [
    "Les mesures de l'hivern : dates, colline et collège, naturellement très chaudes",
    "the measured dates of the national winter, completely natural",
    "战争中的战争，世界战争和世界时间。世界上的时间",
]
SENTENCES = [
    "més",
    "l'Hivern",
    "col·legi",
    "naturalment",
    "世界战争",
    "在世界DNA上",
    "DATES: ½ Straße",
    "",
    "?!",
    "ŵ 龘 ж",
]


@pytest.fixture(scope="module", params=["XLMRobertaTokenizer", "T5Tokenizer"])
def tokenizer(request: Any, tmp_path_factory: Any) -> Any:
    """Of each class, as it was made."""
    out = tmp_path_factory.mktemp("vocabulary")
    vocabulary(TEXTS, 400, 4, 5, out)
    made = {"XLMRobertaTokenizer": xlmr_tokenizer, "T5Tokenizer": mt5_tokenizer}[request.param]
    return made(out / "vocabulary.model", 64)


def test_the_true_classes_cut_alike_once_saved(tokenizer: Any, tmp_path: Path) -> None:
    """transformers rebuilds a tokenizer of XLM-R from its pieces and scores alone: the rule must live there."""
    from transformers import AutoTokenizer

    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert type(loaded) is type(tokenizer)
    for text in SENTENCES:
        assert loaded.tokenize(text) == tokenizer.tokenize(text)
        assert loaded(text)["input_ids"] == tokenizer(text)["input_ids"]


def test_case_and_accents_are_folded(tokenizer: Any) -> None:
    for text in ("més", "MÉS", "mes", "me\u0301s", "M\u00e8S!"):
        assert tokenizer.tokenize(text) == ["▁mes"], text  # a chunk that starts a longer word, `mesures`
    for wording, plain in (("col·legi", "collegi"), ("l’hivern", "l hivern"), ("Straße", "strasse"), ("ﬁn", "fin")):
        assert tokenizer.tokenize(wording) == tokenizer.tokenize(plain)


def test_words_are_cut_from_their_start(tokenizer: Any) -> None:
    """So that `naturellement`, `natural` and `naturalment` begin with one piece, though one was never seen."""
    assert tokenizer.tokenize("naturellement") == ["▁natu", "rell", "emen", "t"]
    assert tokenizer.tokenize("natural") == ["▁natu", "ral"]
    assert tokenizer.tokenize("naturalment")[:2] == ["▁natu", "ral"]


def test_han_characters_stand_without_the_mark(tokenizer: Any) -> None:
    """Frequent pairs are one piece, all others single, wherever they stand."""
    assert tokenizer.tokenize("世界战争") == [MARK, "世界", "战争"]
    assert tokenizer.tokenize("战时") == [MARK, "战", "时"]
    assert tokenizer.tokenize("的战争") == [MARK, "的", "战争"]


def test_the_prompt_and_the_answers_of_a_reranker_are_one_token_each(tmp_path: Path) -> None:
    vocabulary(TEXTS, 400, 4, 5, tmp_path)
    tokenizer = mt5_tokenizer(tmp_path / "vocabulary.model", 64)
    pieces = tokenizer.tokenize("Query: dates Document: colline Relevant:")
    assert [p for p in pieces if p.endswith(":")] == ["▁query:", "▁document:", "▁relevant:"]
    assert [tokenizer.tokenize(word) for word in ("yes", "no")] == [["▁yes"], ["▁no"]]


@given(st.text(alphabet="abcdefgh", min_size=1, max_size=14), st.integers(1, 5))
def test_of_all_ways_to_cut_a_word_the_fewest_and_longest_pieces_score_best(word: str, length: int) -> None:
    """Over every composition of the word, counted one by one; a long one first (where the rest stand, scores of single
    pieces cannot say)."""
    best, found = max(
        (sum(score(piece) for piece in cut), cut)
        for places in (p for n in range(len(word)) for p in itertools.combinations(range(1, len(word)), n))
        for ends in [[0, *places, len(word)]]
        if max(b - a for a, b in itertools.pairwise(ends)) <= length
        for cut in [[(MARK if a == 0 else "") + word[a:b] for a, b in itertools.pairwise(ends)]]
    )
    assert found[0] == chunks(word, length)[0]
    assert sorted(map(len, found[1:])) == sorted(map(len, chunks(word, length)[1:]))
    assert best == pytest.approx(sum(score(piece) for piece in chunks(word, length)))


@given(st.text(max_size=30))
def test_folding_is_done_once_and_for_all(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    assert folded(text.upper()).split() == folded(text.upper().lower()).split()
    latin = [c for c in unicodedata.normalize("NFD", once) if "\u0300" <= c <= "\u036f"]
    assert not latin


@given(st.integers(30, 120))
def test_no_more_pieces_than_were_asked_for(size: int) -> None:
    pieces = chosen(TEXTS, size, 4, 3)
    characters = {c for text in TEXTS for c in folded(text) if not c.isspace()} | {MARK, ":"}
    assert len(pieces) <= max(size, len(characters) + 3)
    assert characters <= {piece for piece, _ in pieces}  # nothing that was read is unknown
    assert len({piece for piece, _ in pieces}) == len(pieces)
