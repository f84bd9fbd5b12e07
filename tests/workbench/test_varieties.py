"""The table of varieties, and what is read from it."""

import pytest

from store import LswError
from workbench.varieties import pair, table, variety


def test_the_table_is_whole() -> None:
    for v in table().values():
        assert v.words in ("words", "han")
        assert v.high is None or v.high in table()
    assert (str(pair("yue-zh")), pair("yue-zh").low, pair("yue-zh").high) == ("yue-zh", "yue", "zh")
    with pytest.raises(LswError, match="'yue' is not a pair of varieties") as caught:
        pair("yue")
    assert "yue-zh" in caught.value.cure and "zh-None" not in caught.value.cure
    assert variety("fr-ca").name == "French"
    assert (variety("fr-ca").code, variety("fr-ca").words) == ("fr-ca", "words")
    for code in ("kat", "kat-ge"):
        with pytest.raises(LswError, match=f"Unknown variety '{code}'"):
            variety(code)


def test_adapters_come_from_the_table() -> None:
    published = ["en_XX", "ca_ES", "fr_XX", "zh_CN", "zh_TW"]
    assert variety("oc").adapter(published) == "ca_ES"
    assert variety("yue").adapter(published) == "zh_TW"
    with pytest.raises(LswError, match="no X-MOD adapter for Russian"):
        variety("ru").adapter(published)
