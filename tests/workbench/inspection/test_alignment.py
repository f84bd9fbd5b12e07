"""Parallel texts beside others, against loops over all pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from workbench.inspection import alignment
from workbench.inspection.alignment import aligned


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 5))
def test_it_is_what_a_loop_over_all_pairs_says(seed: int, n: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    topics = ["a", "b", *rng.choice(["a", "b", "c"], n - 2)]
    cosine = [[xi @ yj / np.linalg.norm(xi) / np.linalg.norm(yj) for yj in y] for xi in x]
    found = aligned(x, y, topics)
    for i in range(n):
        others = [cosine[i][j] for j in range(n) if topics[j] != topics[i]]
        assert found.margin[i] == pytest.approx(cosine[i][i] - np.mean(others), abs=1e-9)
        if d > 1:  # in one dimension all cosines are 1 or -1
            assert found.there[i] == all(cosine[i][i] > cosine[i][j] for j in range(n) if j != i)
            assert found.back[i] == all(cosine[i][i] > cosine[j][i] for j in range(n) if j != i)


def test_in_parts_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    x, y, topics = rng.normal(size=(50, 4)), rng.normal(size=(50, 4)), [str(i // 2) for i in range(50)]
    whole = aligned(x, y, topics)
    monkeypatch.setattr(alignment, "AT_ONCE", 7)
    parts = aligned(x, y, topics)
    for name in ("margin", "there", "back"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-12)


def test_the_same_vectors_find_each_other_and_chance_does_not() -> None:
    rng = np.random.default_rng(1)
    x, topics = rng.normal(size=(400, 50)), [str(i) for i in range(400)]
    same = aligned(x, 3 * x, topics)
    assert same.there.mean() == same.back.mean() == 1 and same.margin.mean() == pytest.approx(1, abs=0.01)
    chance = aligned(x, rng.normal(size=(400, 50)), topics)
    assert chance.there.mean() < 0.02 and abs(chance.margin.mean()) < 0.03
    twice = np.concatenate([x[:1], x[:1], x[1:]])  # two texts that are alike find neither
    assert aligned(twice, twice, ["0", *topics]).there[:3].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("x", "y", "topics", "words"),
    [
        (np.ones((2, 2)), np.ones((3, 2)), (["a", "b"], None), "2 vectors cannot be held against 3"),
        (
            np.ones((2, 2)),
            np.ones((2, 2)),
            (["a", "b"], ["a", "c"]),
            "Text 2 is of the topic 'b' on one side and of 'c'",
        ),
        (np.ones((2, 2)), np.ones((2, 2)), (["a", "a"], None), "of one topic have no others"),
        (np.eye(2), np.diag([1.0, 0.0]), (["a", "b"], None), "The vector of text 2 is 0"),
    ],
)
def test_what_cannot_be_aligned_is_refused(
    x: np.ndarray, y: np.ndarray, topics: tuple[list[str], list[str] | None], words: str
) -> None:
    with pytest.raises(LswError, match=words):
        aligned(x, y, *topics)
