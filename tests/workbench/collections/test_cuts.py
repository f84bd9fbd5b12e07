"""Windows against a direct count."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from tests.conftest import ROOT
from workbench.collections.cuts import named
from workbench.recipe.load import checked

spaces = st.sampled_from([" ", "\n", "  ", "\t\n"])
lengths = st.integers(1, 12)


@given(
    words=st.lists(st.text("abcé.,", min_size=1, max_size=4), min_size=1, max_size=40), between=spaces, size=lengths,
    stride=lengths, most=st.integers(1, 6),
)  # fmt: skip
def test_windows_of_words(words: list[str], between: str, size: int, stride: int, most: int) -> None:
    stride = min(stride, size)
    text = f" {between.join(words)}\n"
    spans, left_out = named({"words": size, "stride": stride, "most": most}).spans(text, "fr")
    shown = [text[begins:ends].split() for begins, ends in spans]
    direct = [words[0:size]]
    while (len(direct) - 1) * stride + size < len(words):
        at = len(direct) * stride
        direct.append(words[at : at + size])
    assert shown == direct[:most]
    assert left_out == max(0, len(direct) - most)
    if not left_out:  # they cover the text
        reached = {i for n in range(len(shown)) for i in range(n * stride, n * stride + len(shown[n]))}
        assert reached == set(range(len(words)))
    assert all(not text[begins:ends][:1].isspace() and not text[begins:ends][-1:].isspace() for begins, ends in spans)


@given(text=st.text("百年 战争abc，\n", min_size=1, max_size=40).filter(str.strip), size=lengths, stride=lengths)
def test_han_is_cut_by_characters(text: str, size: int, stride: int) -> None:
    stride = min(stride, size)
    cut = named({"cut": "windows", "characters": size, "character_stride": stride, "most": 100})
    spans, _ = cut.spans(text, "zh")
    letters = "".join(text.split())
    shown = ["".join(text[begins:ends].split()) for begins, ends in spans]
    assert shown == [letters[at : at + size] for at in range(0, max(len(letters) - size, 0) + stride, stride)]
    assert cut.spans(text, "yue") == cut.spans(text, "zh")


def test_a_text_without_a_word_has_no_window_and_a_whole_page_one() -> None:
    assert named({"words": 150}).spans(" \n", "fr") == ([], 0)
    assert named("first").spans("un mot", "fr") == ([(0, 6)], 0)
    usual = named({})
    assert (usual.words, usual.stride, usual.most) == (150, 75, 30)  # Dai and Callan (2019)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"cut": "frist"}, "Unknown cut 'frist'"),
        ({"cut": {"words": 60, "strid": 30}}, "Unknown key 'strid'"),
        ({"cut": {"words": 60}}, "retrieval.cut.stride: 75 is more than the 60 words"),
        ({"cut": {"characters": 60}}, "retrieval.cut.character_stride: 150 is more than the 60 characters"),
        ({"cut": {"most": 0}}, "retrieval.cut.most: input should be greater than 0"),
        ({"cut": 3}, "retrieval.cut must be a section"),
        ({"collapse": "maxp", "cut": {}}, "Unknown collapse 'maxp'"),
        ({"collapse": "oracle"}, "retrieval.collapse: 'oracle' is of windows, and pages are shown whole"),
    ],
)
def test_what_is_wrong_is_said(settings: dict[str, Any], told: str) -> None:
    plain = {"title": "x", "collection": {"name": "c", "folder": "."}}
    retrieval = {"pairs": ["ca-fr"], "systems": ["bm25"], **settings}
    with pytest.raises(LswError) as fault:
        checked({**plain, "retrieval": retrieval}, ROOT / "recipes" / "genre.toml")
    assert told in fault.value.title and fault.value.cure + fault.value.detail
