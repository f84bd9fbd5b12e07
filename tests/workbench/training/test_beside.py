"""Several pairs in one training, and training queries apart from tested ones: counts, nests, refusals."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from store import LswError
from workbench.recipe.trainings import Variant
from workbench.training.needs import EvaluatedQueries, Given, TriplesOf
from workbench.training.steps.apart import Apart
from workbench.training.steps.beside import Beside, shares
from workbench.varieties import Pair, pair

ON = Pair("ca", "fr")


def triples(name: str, queries: int, each: int = 2, texts: list[str] | None = None) -> pa.Table:
    """So many triples of each query over one passage."""
    of = pair(name)
    rows = [
        {"query": texts[i] if texts else f"{name} pregunta {i}", "positive": f"{of.high} passage {i}", "negative": f"n{j}",
         "query_variety": of.low, "document_variety": of.high, "docno_positive": f"d{i}", "docno_negative": f"x{j}"}
        for i in range(queries) for j in range(each)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def step(**settings: Any) -> Beside:
    return Beside.model_validate({"step": "beside", **settings})


def done(by: Beside, sizes: dict[str, int]) -> tuple[dict[str, set[str]], Given]:
    """The queries of each pair that are left, and the counts."""
    given = Given({name: triples(name, n) for name, n in sizes.items() if name != str(ON)})
    out = by.done(triples(str(ON), sizes[str(ON)]), given)
    left: dict[str, set[str]] = {}
    for row in out.to_pylist():
        assert (row["query_variety"], row["document_variety"]) == (
            pair(row["query"].split()[0]).low,
            pair(row["query"].split()[0]).high,
        )
        left.setdefault(row["query"].split()[0], set()).add(row["query"])
    assert len(out) == 2 * sum(map(len, left.values()))  # all triples of a query, or none
    return left, given


def test_pairs_are_put_beside_with_their_own_varieties() -> None:
    by = step(pairs=["oc-fr", "it-it"], apart=0.8)
    assert by.needs(ON) == {
        "oc-fr": TriplesOf(pair("oc-fr")),
        "it-it": TriplesOf(pair("it-it")),
        "tested": EvaluatedQueries(),
    }
    assert by.pairs_beside(ON) == ["oc-fr", "it-it"]
    left, given = done(step(pairs=["oc-fr", "it-it"]), {"ca-fr": 5, "oc-fr": 4, "it-it": 3})
    assert {name: len(some) for name, some in left.items()} == {"ca-fr": 5, "oc-fr": 4, "it-it": 3}
    assert given.counts == {
        "pairs_ca-fr": 5, "pairs_oc-fr": 4, "pairs_it-it": 3, "pairs": 12, "triples": 24, "languages": 3, "passages": 5,
    }  # fmt: skip


@settings(max_examples=30)
@drawn(st.integers(1, 4), st.integers(4, 40), st.integers(4, 40), st.integers(0, 5))
def test_a_total_is_kept_and_nested(others: int, a: int, b: int, seed: int) -> None:
    names = ["ca-fr", "it-it", "zh-zh", "nl-nl", "en-en"][: others + 1]
    sizes = dict.fromkeys(names, 40)
    less, more = sorted((max(a, len(names)), max(b, len(names))))
    few, given = done(step(pairs=names[1:], total=less, seed=seed), sizes)
    many, _ = done(step(pairs=names[1:], total=more, seed=seed), sizes)
    assert given.counts["pairs"] == less == sum(map(len, few.values()))
    assert [len(few[name]) for name in names] == shares(less, len(names))
    assert max(map(len, few.values())) - min(map(len, few.values())) <= 1
    assert all(few[name] <= many[name] for name in names)
    fewer_languages, _ = done(step(pairs=names[1:-1], total=less, seed=seed), sizes)  # each then has at least as many
    assert all(few[name] <= fewer_languages[name] for name in names[:-1])
    each, given = done(step(pairs=names[1:], each=4, seed=seed), sizes)
    assert all(len(each[name]) == 4 for name in names) and given.counts["pairs"] == 4 * len(names)


def test_so_many_languages_are_the_first_of_them() -> None:
    by = step(pairs=["it-it", "zh-zh"], languages=2, total=5)
    assert by.pairs_beside(ON) == ["it-it"] and list(by.needs(ON)) == ["it-it"]
    left, given = done(by, {"ca-fr": 5, "it-it": 5})
    assert given.counts["languages"] == 2 and sorted(map(len, left.values())) == [2, 3]
    alone = step(pairs=["it-it", "zh-zh"], languages=1, total=5)
    assert alone.needs(ON) == {} and alone.left(100, 4.0, {}) == 20
    section = Variant.model_validate({"pair": "ca-fr", "beside": {"total": 5}, "steps": [{"step": "apart"}]})
    assert [each.step for each in section.steps] == ["beside", "apart"]


def test_a_proportional_total_has_about_each_pairs_share() -> None:
    left, given = done(step(pairs=["it-it"], total=200, share="proportional"), {"ca-fr": 300, "it-it": 100})
    assert given.counts["pairs"] == 200
    assert abs(len(left["it-it"]) - 50) < 5 * 200**0.5 * 0.433


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"total": 30}, "it-it has 3 of 10, zh-zh has 4 of 10"), ({"each": 4}, "it-it has 3 of 4"),
     ({"total": 28, "share": "proportional"}, "all together has 27 of 28")],
)  # fmt: skip
def test_too_few_are_refused_with_the_counts(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(LswError, match=said) as caught:
        done(step(pairs=["it-it", "zh-zh"], **asked), {"ca-fr": 20, "it-it": 3, "zh-zh": 4})
    assert "none is used twice" in caught.value.cure


def test_what_cannot_be_is_refused() -> None:
    for wrong, said in (
        ({"pairs": ["it-it", "it-it"]}, "twice"), ({"total": 2, "each": 2}, "not both"), ({}, "neither"),
        ({"pairs": ["it-it", "zh-zh"], "total": 2}, "leaves nothing"), ({"pairs": ["it"]}, "not a pair"),
        ({"each": 3, "share": "proportional"}, "of a total"), ({"pairs": ["it-it"], "languages": 3}, "3 languages"),
    ):  # fmt: skip
        with pytest.raises((ValidationError, LswError), match=said):
            step(**wrong)
    with pytest.raises(LswError, match="'ca-fr' is the pair of the training itself"):
        step(pairs=["ca-fr"]).needs(ON)
    with pytest.raises(LswError, match="own triples are of fr-fr already"):
        step(pairs=["fr-fr"]).done(triples("fr-fr", 2), Given({"fr-fr": triples("fr-fr", 2)}))


def asked_later(code: str, *queries: str) -> pa.Table:
    return pa.table({"variety": [code] * len(queries), "qid": list(queries), "query": list(queries)})


QUERIES = ["On és la biblioteca municipal?", "Quant costa un bitllet de tren cap a París?", "Qui va escriure Tirant?"]


def test_queries_like_tested_ones_are_left_out_and_counted() -> None:
    told: list[str] = []
    given = Given(
        {"tested.ca.test": asked_later("ca", "on és la biblioteca municipal", "Què és això?"),
         "tested.fr.test": asked_later("fr", "Quant costa un bitllet de tren cap a Parí?")}, note=told.append,
    )  # fmt: skip
    left = Apart(step="apart").done(triples("ca-fr", 3, texts=QUERIES), given)
    assert set(left["query"].to_pylist()) == {QUERIES[2]}
    assert given.counts == {"tested_queries": 3, "exact_duplicates": 1, "near_duplicates": 1, "triples_left_out": 4}
    assert told == ["2 of 3 training queries left out: 1 are tested queries, 1 nearly so"]
    same = Apart(step="apart", threshold=1.0).done(triples("ca-fr", 3, texts=QUERIES), given)
    assert set(same["query"].to_pylist()) == set(QUERIES[1:])


def test_totals_hold_after_queries_are_left_out() -> None:
    given = Given({"it-it": triples("it-it", 4), "tested.ca.dev": asked_later("ca", QUERIES[0], "it-it pregunta 2")})
    by = step(pairs=["it-it"], total=4, apart=0.9)
    left = by.done(triples("ca-fr", 3, texts=QUERIES), given)
    assert QUERIES[0] not in left["query"].to_pylist() and "it-it pregunta 2" not in left["query"].to_pylist()
    assert given.counts["pairs"] == 4 and given.counts["exact_duplicates"] == 2
    with pytest.raises(LswError, match="ca-fr has 2 of 3"):
        step(pairs=["it-it"], total=6, apart=0.9).done(triples("ca-fr", 3, texts=QUERIES), given)


def test_nothing_to_be_apart_from_and_nothing_left_are_refused() -> None:
    with pytest.raises(LswError, match="Nobody knows which queries are tested"):
        Apart(step="apart").done(triples("ca-fr", 3), Given())
    with pytest.raises(LswError, match="All 3 training queries are like tested ones"):
        Apart(step="apart").done(
            triples("ca-fr", 3, texts=QUERIES), Given({"tested.ca.test": asked_later("ca", *QUERIES)})
        )
