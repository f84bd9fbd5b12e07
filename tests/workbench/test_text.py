"""Terms and scripts."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from workbench.collections.folder import MINI
from workbench.terms import term_counts
from workbench.text import convert, terms


def test_chinese_terms_are_unigrams_and_bigrams() -> None:
    assert terms("打咗3年", "yue") == ["打", "咗", "打咗", "3", "年"]
    assert terms("Où est l'Été ?", "fr") == ["où", "est", "l", "été"]
    assert terms("貓狗", "fr") == ["貓狗"]
    assert term_counts("el gat i el gos", "ca") == {"el": 2, "gat": 1, "i": 1, "gos": 1}


@given(run=st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=6))
def test_a_run_of_han_gives_each_character_and_each_two_that_follow_one_another(run: str) -> None:
    assert terms(run, "zh") == [*run, *map("".join, pairwise(run))]


def test_scripts_are_reconciled_only_when_declared() -> None:
    assert convert(["戰爭"], "yue", "as written") == ["戰爭"]
    assert convert(["戰爭"], "yue", "simplified") == ["战争"]
    assert convert(["戰爭"], "fr", "simplified") == ["戰爭"]  # French texts are never touched
    with pytest.raises(LswError, match="Unknown script option 'simple'") as caught:
        convert(["戰爭"], "yue", "simple")
    assert "'simplified'" in caught.value.cure


@given(text=st.text())
def test_terms_of_any_text_are_clean(text: str) -> None:
    for code in ("fr", "yue"):
        assert all(t and not any(c.isspace() for c in t) for t in terms(text, code))


def test_a_text_in_another_script_is_as_long() -> None:
    """What is marked in it is marked in the text as it was written."""
    every = [chr(i) for low, high in ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3134F)) for i in range(low, high)]
    lines = [line for code in ("yue", "zh") for line in (MINI / f"queries.{code}.tsv").read_text("utf-8").splitlines()]
    for texts in (every, lines):
        assert [len(text) for text in convert(texts, "yue", "simplified")] == [len(text) for text in texts]
    assert convert(["後面有甚麼乾淨的頭髮"], "zh", "simplified") == ["后面有甚么干净的头发"]
