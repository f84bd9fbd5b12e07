"""Training queries put back into their high-resource wording."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import LswError
from workbench.training.needs import BitextOf, Given
from workbench.training.steps.replay import Replay
from workbench.varieties import Pair

WORDINGS = pa.table({"source": [f"ca {i}" for i in range(40)], "target": [f"fr {i}" for i in range(40)]})


def triples(numbers: list[int]) -> pa.Table:
    n = len(numbers)
    return pa.table(
        {"query": [f"ca {i}" for i in numbers], "positive": [f"p{i}" for i in range(n)],
         "negative": [f"n{i}" for i in range(n)], "query_variety": ["ca"] * n, "document_variety": ["fr"] * n}
    )  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.integers(0, 39), min_size=1, max_size=60), st.floats(0.01, 1), st.integers(0, 99))
def test_some_triples_are_asked_in_the_other_wording_over_the_same_passages(
    numbers: list[int], share: float, seed: int
) -> None:
    before, given_ = triples(numbers), Given({"wordings": WORDINGS})
    step = Replay(step="replay", share=share, seed=seed)
    after = step.done(before, given_)
    assert after.schema == before.schema
    assert after.select(["positive", "negative", "document_variety"]) == before.select(
        ["positive", "negative", "document_variety"]
    )
    swapped = 0
    for i, row in zip(numbers, after.to_pylist(), strict=True):
        assert (row["query"], row["query_variety"]) in ((f"ca {i}", "ca"), (f"fr {i}", "fr"))
        swapped += row["query_variety"] == "fr"
    assert given_.counts == {"replayed": swapped, "replay_unknown": 0}
    assert step.done(before, Given({"wordings": WORDINGS})) == after
    # A larger share replays those of a smaller one, and more.
    whole = Replay(step="replay", share=1.0, seed=seed).done(before, Given({"wordings": WORDINGS}))
    assert set(whole["query_variety"].to_pylist()) == {"fr"}


def test_about_its_share_is_replayed() -> None:
    given_ = Given({"wordings": WORDINGS})
    Replay(step="replay", share=0.25).done(triples([i % 40 for i in range(4_000)]), given_)
    assert 900 < given_.counts["replayed"] < 1_100


def test_what_it_reads_is_the_training_queries_in_both_varieties() -> None:
    assert Replay(step="replay").needs(Pair("ca", "fr")) == {"wordings": BitextOf("ca", "fr")}


def test_wordings_that_are_not_known_are_counted_and_many_refused() -> None:
    numbers = [i % 40 for i in range(400)]
    some, told = triples(numbers).to_pylist(), list[str]()
    some[7]["query"] = "something else"
    given_ = Given({"wordings": WORDINGS}, note=told.append)
    after = Replay(step="replay", share=1.0).done(pa.Table.from_pylist(some), given_)
    assert given_.counts == {"replayed": 399, "replay_unknown": 1}
    assert after["query"][7].as_py() == "something else" and after["query_variety"][7].as_py() == "ca"
    assert told == ["1 of 400 triples keep their wording: no other is known"]
    for row in some[:20]:
        row["query"] = "published elsewhere"
    with pytest.raises(LswError, match="20 of 400 triples to replay"):
        Replay(step="replay", share=1.0).done(pa.Table.from_pylist(some), given_)
