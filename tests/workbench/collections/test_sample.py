"""Seeded parts of collections."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from workbench.collections.base import Extent
from workbench.collections.folder import MINI, Folder
from workbench.collections.formats import batched, query_table
from workbench.collections.sample import Sampled

JUDGED = {
    "nl": [("q1", "d0", 1), ("q2", "d1", 0), ("q2", "d2", 1), ("q3", "d3", 0)],
    "fr": [("q4", "d4", 2), ("q1", "d5", 0)],
    "af": [("q5", "d6", 1)],
}


class Whole:
    """Passages, five queries, other judgements for each variety of passages; it counts how often it is read."""

    name, fingerprint, judged = "whole", "0" * 64, True

    def __init__(self, size: int = 60) -> None:
        self.size, self.read = size, 0

    def qrels(self, variety: str, split: str) -> pa.Table:
        self.read += 1
        return pa.Table.from_pylist([dict(zip(("qid", "docno", "label"), r, strict=True)) for r in JUDGED[variety]])

    def queries(self, variety: str, split: str) -> pa.Table:
        return query_table({f"q{i}": f"text {i}" for i in range(1, 6)}, split)

    def passages(self, variety: str) -> Iterator[pa.RecordBatch]:
        rows = [(f"d{i}", f"passage {i}") for i in range(self.size)]
        for part in (rows[:25], rows[25:]):
            yield from batched(part)

    def passages_extent(self, variety: str) -> Extent:
        return Extent(None if variety == "fr" else 60, 9.0, 7)

    def queries_extent(self, variety: str, split: str) -> Extent:
        return Extent(None if variety == "fr" else 5, 6.0, 7, ("text",))


def sampled(*varieties: str, queries: int = 9, training: int = 0, others: int = 0, seed: int = 1, **of: Any) -> Sampled:
    return Sampled(of.get("whole", Whole()), varieties, queries, training, others, seed)


def drawn_first(seed: int, names: list[str]) -> list[str]:
    """Names by the hash that draws them."""
    return sorted(names, key=lambda name: hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest())


@pytest.mark.parametrize("seed", [1, 2])
def test_so_many_others_are_kept_beside_what_is_judged(seed: int) -> None:
    judged = {"d0", "d1", "d2"}  # of q1 and q2; nothing is relevant to q3
    for size, asked in ((60, (0, 1, 2, 20, 56, 57, 58, 100)), (3_000, (1, 700, 2_000))):
        others = drawn_first(seed, [f"d{i}" for i in range(3, size)])
        for most in asked:
            batches = list(sampled("nl", others=most, seed=seed, whole=Whole(size)).passages("nl"))
            kept = [docno for batch in batches for docno in batch["docno"].to_pylist()]
            wanted = judged | set(others[:most])
            assert kept == [docno for docno in map("d{}".format, range(size)) if docno in wanted]
            assert all(map(len, batches))


def test_queries_are_those_with_something_relevant() -> None:
    """Of those judged over their own variety, else over its relative's, else over any."""
    sample = sampled("nl", "fr", "af")
    for variety, qids in (("nl", ["q1", "q2"]), ("fr", ["q4"]), ("ca", ["q4"]), ("af", ["q5"]),
                          ("yue", ["q1", "q2", "q4", "q5"]), ("xx", ["q1", "q2", "q4", "q5"])):  # fmt: skip
        assert sample.queries(variety, "test")["qid"].to_pylist() == qids
    assert sample.qrels("nl", "test").to_pylist() == Whole().qrels("nl", "test").slice(0, 3).to_pylist()
    first = drawn_first(3, ["q1", "q2"])[0]
    assert sampled("nl", queries=1, training=2, seed=3).queries("nl", "test")["qid"].to_pylist() == [first]
    assert sampled("nl", queries=2, training=1, seed=3).queries("nl", "train")["qid"].to_pylist() == [first]
    assert sampled("nl", queries=1, seed=3).queries("nl", "train")["qid"].to_pylist() == []
    whole = Whole()
    again = sampled("nl", whole=whole)
    assert again.qrels("nl", "test") == again.qrels("nl", "test") and whole.read == 1


def test_a_sample_is_as_large_as_it_says() -> None:
    mini = Folder("mini", MINI)
    sample = Sampled(mini, ("",), 20, 0, 100, 1)
    whole, part = mini.passages_extent("fr"), sample.passages_extent("fr")
    assert whole.texts == 496
    kept = sum(len(batch) for batch in sample.passages("fr"))
    assert part.texts == pytest.approx(kept, rel=0.1)
    assert part.mean_bytes == whole.mean_bytes
    sample = Sampled(mini, ("",), 50, 30, 100, 1)
    assert [sample.queries_extent("fr", split).texts for split in ("test", "train")] == [50, 30]
    assert 100 + 80 <= (sample.passages_extent("fr").texts or 0) <= 100 + 2 * 80  # one or two are judged for a query
    large = sampled("nl", queries=100, others=1_000)
    assert (large.passages_extent("nl"), large.queries_extent("nl", "test")) == (Extent(60, 9.0, 7), Extent(5, 6.0, 7))
    assert large.passages_extent("fr").texts in range(1_100, 1_200)  # nobody says how large the whole is
    assert large.queries_extent("fr", "test").texts == 100


def test_samples_of_different_sizes_are_different_collections() -> None:
    mini = Folder("mini", MINI)
    one = Sampled(mini, ("",), 20, 30, 100, 1)
    assert one.fingerprint == Sampled(mini, ("",), 20, 30, 100, 1).fingerprint != mini.fingerprint
    for other in ((21, 30, 100, 1), (20, 31, 100, 1), (20, 30, 101, 1), (20, 30, 100, 2)):
        assert Sampled(mini, ("",), *other).fingerprint != one.fingerprint
        assert Sampled(mini, ("",), *other).origin("queries", "fr", "test") != one.origin("queries", "fr", "test")
