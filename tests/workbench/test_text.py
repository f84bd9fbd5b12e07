"""Terms and scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from workbench.text import convert, terms
from workbench.varieties import pair, table, variety


def test_chinese_terms_are_unigrams_and_bigrams() -> None:
    assert terms("打咗3年", "yue") == ["打", "咗", "打咗", "3", "年"]
    assert terms("Où est l'Été ?", "fr") == ["où", "est", "l", "été"]


def test_scripts_are_reconciled_only_when_declared() -> None:
    assert convert(["戰爭"], "yue", "as written") == ["戰爭"]
    assert convert(["戰爭"], "yue", "simplified") == ["战争"]
    assert convert(["戰爭"], "fr", "simplified") == ["戰爭"]  # French texts are never touched


@given(text=st.text())
def test_terms_of_any_text_are_clean(text: str) -> None:
    for code in ("fr", "yue"):
        assert all(t and not any(c.isspace() for c in t) for t in terms(text, code))


def test_the_table_is_whole() -> None:
    for v in table().values():
        assert v.words in ("words", "han")
        assert v.high is None or v.high in table()
    assert str(pair("yue-zh")) == "yue-zh"
    assert variety("fr-ca").name == "French"
    with pytest.raises(LswError, match="Unknown variety 'kat'"):
        variety("kat")


def test_adapters_come_from_the_table() -> None:
    published = ["en_XX", "ca_ES", "fr_XX", "zh_CN", "zh_TW"]
    assert variety("oc").adapter(published) == "ca_ES"
    assert variety("yue").adapter(published) == "zh_TW"
    with pytest.raises(LswError, match="no X-MOD adapter for Russian"):
        variety("ru").adapter(published)
