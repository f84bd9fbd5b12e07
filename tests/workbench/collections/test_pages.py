"""Pages: passages of one area joined by a seed, and what is known of them."""

from collections import Counter
from itertools import combinations_with_replacement
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from tests.conftest import cut, table
from workbench.collections.base import Collection
from workbench.collections.folder import MINI, Folder
from workbench.collections.pages import Pages, sizes
from workbench.collections.sample import Sampled
from workbench.graph import Job
from workbench.plans.planner import Planner, collection_of
from workbench.recipe.load import load, scale_path
from workbench.recipe.schema import CollectionAt, PagesAt
from workbench.stages.passages import ReadPassages
from workbench.stages.qrels import ReadQrels


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(Folder("mini", MINI), (4, 8), 42)


def texts(collection: Collection, code: str) -> dict[str, str]:
    some = table(collection, code)
    return dict(zip(some["docno"].to_pylist(), some["text"].to_pylist(), strict=True))


@given(count=st.integers(0, 14), least=st.integers(1, 4), more=st.integers(0, 3), seed=st.text(max_size=3))
def test_pages_have_as_many_passages_as_asked_and_one_fewer_only_where_there_is_no_way(
    count: int, least: int, more: int, seed: str
) -> None:
    most = least + more
    drawn = sizes(count, least, most, seed)
    assert sum(drawn) == count and drawn == sizes(count, least, most, seed)
    assert all(least <= size <= most for size in drawn[:-1]) and all(0 < size <= most for size in drawn)
    ways = (way for n in range(count + 1) for way in combinations_with_replacement(range(least, most + 1), n))
    possible = any(sum(way) == count for way in ways)
    assert possible == all(size >= least for size in drawn)


def test_every_passage_stands_on_one_page_of_its_area(pages: Pages) -> None:
    whole, parts = texts(pages.whole, "fr"), pages.parts("fr").to_pandas()
    joined = texts(pages, "fr")
    assert sorted(parts["docno"]) == sorted(whole) and set(parts["parent"]) == set(joined)
    for row in parts.itertuples():
        assert joined[row.parent][row.begins : row.ends] == whole[row.docno]
        assert row.docno.rpartition("-")[0] == row.parent.split("-")[0]
    found = parts.groupby("parent")
    assert set(found.size()) <= set(range(4, 9)) and len(set(found.size())) > 2
    assert all(list(group["position"]) == list(range(len(group))) for _, group in found)
    assert all(len(joined[name]) == group["ends"].max() for name, group in found)
    assert pages.passages_extent("fr").texts == pytest.approx(len(joined), rel=0.1)


def test_pages_are_the_same_in_every_variety_and_others_under_another_seed(pages: Pages) -> None:
    parts = pages.parts("fr")
    assert pages.parts("zh").select(["docno", "parent", "position"]) == parts.select(["docno", "parent", "position"])
    other = Pages(pages.whole, (4, 8), 43)
    assert not set(other.parts("fr")["parent"].to_pylist()) & set(parts["parent"].to_pylist())
    assert other.fingerprint != pages.fingerprint != pages.whole.fingerprint
    for part in ("passages", "qrels"):
        assert other.origin(part, "fr", "test") != pages.origin(part, "fr", "test")
    assert pages.origin("qrels", "fr", "test") != pages.origin("qrels", "zh", "test")
    assert pages.origin("queries", "ca", "test") == pages.whole.origin("queries", "ca", "test")


def test_a_page_is_judged_as_its_best_passage_and_that_stands_anywhere(pages: Pages) -> None:
    parts, judged = pages.parts("fr").to_pandas(), pages.whole.qrels("fr", "test").to_pandas()
    expected = judged.merge(parts, on="docno").groupby(["qid", "parent"])["label"].max()
    got = pages.qrels("fr", "test").to_pandas().set_index(["qid", "docno"])["label"]
    pd.testing.assert_series_equal(got.sort_index(), expected.sort_index(), check_names=False, check_dtype=False)
    known = pages.relevant("fr", "test").to_pandas()
    assert set(known["part"]) == set(judged[judged["label"] > 0]["docno"])
    places = Counter(known.merge(parts, left_on="part", right_on="docno")["position"])
    assert set(places) == set(range(8))
    assert pages.queries("ca", "test") == pages.whole.queries("ca", "test")


def test_of_a_sample_too() -> None:
    sampled = Sampled(Folder("mini", MINI), ("",), 10, 0, 40, 1)
    of = Pages(sampled, (2, 3), 1)
    assert sorted(of.parts("fr")["docno"].to_pylist()) == sorted(texts(sampled, "fr"))
    assert set(of.qrels("fr", "test")["qid"].to_pylist()) == set(sampled.qrels("fr", "test")["qid"].to_pylist())


def test_stages_keep_what_stands_on_a_page_and_tell_of_short_ones(tmp_path: Path) -> None:
    folder = cut(tmp_path / "small", ("fr",), ("fr",), 3)
    of, told = Pages(Folder("small", folder), (4, 5), 1), list[str]()
    (tmp_path / "p").mkdir()
    (tmp_path / "q").mkdir()
    job = Job("k", {}, tmp_path / "p", tmp_path, lambda done, total: None, told.append)
    work = ReadPassages(collection="s", origin=of.origin("passages", "fr", ""), variety="fr", source=of)
    assert work.run(job) == {"passages": 2, "joined": 6, "short": 1}
    assert told == ["1 pages have fewer than 4 passages: their areas have no more"]
    assert pq.read_table(tmp_path / "p/rows/parent.parquet") == of.parts("fr")
    job = Job("k", {}, tmp_path / "q", tmp_path, lambda done, total: None, told.append)
    judged = ReadQrels(collection="s", origin={}, split="test", variety="fr", source=of).run(job)
    assert judged["document_variety"] == "fr"
    assert pq.read_table(tmp_path / "q/rows/relevant.parquet") == of.relevant("fr", "test")


def test_what_cannot_be_joined_is_refused(tmp_path: Path) -> None:
    folder = cut(tmp_path / "small", ("fr",), ("fr",), 6)
    with (folder / "qrels.tsv").open("a", encoding="utf-8") as file:
        file.write("culture-01.1 0 nowhere 1\n")
    with pytest.raises(LswError, match="'nowhere' of 'small' is judged and stands on no page"):
        Pages(Folder("small", folder), (4, 8), 1).qrels("fr", "test")
    with (folder / "corpus.fr.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"_id": "culture-01.a", "text": "encore"}\n')
    with pytest.raises(LswError, match=r"'culture-01\.a' is on line 1 already"):
        list(Pages(Folder("small", folder), (4, 8), 1).passages("fr"))
    at = CollectionAt(name="x", folder="package:collection", pages=PagesAt(), mixed=["fr", "zh"])
    with pytest.raises(LswError, match="not made in several languages at once"):
        collection_of(at, tmp_path)


def test_pages_are_not_called_as_what_they_are_made_of(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'title = "x"\n[retrieval]\ncollection = "pages"\npairs = ["ca-fr"]\nsystems = ["bm25"]\n', "utf-8"
    )
    mini = scale_path("mini")
    assert Planner(load(recipe, mini), mini.parent).tested.name == "mini-pages"
    with pytest.raises(LswError, match="Two collections of this scale are called 'mini'"):
        Planner(load(recipe, mini, ["collections.pages.name=mini"]), mini.parent)
    with pytest.raises(LswError, match="the fewest passages of a page, then the most"):
        load(recipe, mini, ["collections.pages.pages.of=[8, 4]"])
