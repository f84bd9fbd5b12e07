"""Terms of many texts at once are those of each, made one by one."""

import sys
import unicodedata
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import LswError
from workbench.collections.folder import MINI, Folder
from workbench.terms import TERMS, many
from workbench.terms.many import of_many

ODD = "aÉ\u0301ßİſŒﬁΣς1_²ⅷ猫犬㐀𠮷豈한ひ\u200b\u0300 \n\x00\x85\x1c,'.😀"
TEXTS = st.lists(st.text() | st.text(ODD), max_size=6)


def same(texts: list[str], code: str, name: str) -> None:
    made = list(of_many(texts, code, name))
    got: list[Counter[str]] = []
    for some in made:
        rows = [Counter[str]() for _ in range(some.texts)]
        for term, row in zip(some.terms.to_pylist(), some.rows.tolist(), strict=True):
            rows[row][term] += 1
        some.terms.validate(full=True)
        got += rows
    assert got == [Counter(TERMS[name](text, code)) for text in texts]


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("code", ["fr", "zh"])
@settings(deadline=None, max_examples=60)
@given(texts=TEXTS)
def test_texts_are_made_as_one_by_one(name: str, code: str, texts: list[str]) -> None:
    same(texts, code, name)


@pytest.mark.parametrize("code", ["fr", "zh"])
@pytest.mark.parametrize("name", ["words", "4-grams"])
def test_every_character_is_made_as_by_itself(name: str, code: str) -> None:
    """Alone and in a word; in many texts."""
    every = [chr(i) for i in range(sys.maxunicode + 1) if unicodedata.category(chr(i)) not in ("Cn", "Co", "Cs")]
    some = every[:0x600] + every[0x600::23]
    same([f"{c} a{c}b" for c in some], code, name)


def test_the_tables_leave_no_character_out() -> None:
    beyond = map(chr, range(0x20000, sys.maxunicode + 1))
    assert not any(unicodedata.combining(c) for c in beyond)
    assert not any(chr(i).isalnum() for i in range(0x40000, sys.maxunicode + 1))


@pytest.mark.parametrize("code", ["fr", "zh"])
def test_passages_are_made_as_one_by_one(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(many, "AT_ONCE", 3_000)  # many times some
    table = next(iter(Folder("mini", MINI).passages(code)))
    for name in TERMS:
        same(table["text"].to_pylist()[:200], code, name)


def test_no_texts_and_unknown_terms() -> None:
    assert not list(of_many([], "fr"))
    with pytest.raises(LswError, match="Unknown terms '4-gram'"):
        list(of_many(["a"], "fr", "4-gram"))
