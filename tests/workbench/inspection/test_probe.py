"""The probe of varieties: folds by topic, and what it reads off vectors that say all, nothing, or the topic only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from store import LswError
from workbench.inspection.probe import folds_of, probed


@given(st.lists(st.sampled_from("abcdefgh"), min_size=8, max_size=40), st.integers(2, 4), st.integers(0, 99))
def test_a_topic_is_in_one_fold_and_folds_are_of_a_size(topics: list[str], folds: int, seed: int) -> None:
    topics = [*topics, *"abcdefgh"]
    fold = folds_of(topics, folds, seed)
    of = {topic: {int(f) for t, f in zip(topics, fold, strict=True) if t == topic} for topic in topics}
    assert all(len(own) == 1 for own in of.values())
    sizes = np.bincount([own.pop() for own in of.values()], minlength=folds)
    assert sizes.max() - sizes.min() <= 1
    assert (fold == folds_of(topics, folds, seed)).all()


def test_what_is_separable_is_read_and_what_is_random_is_not() -> None:
    rng = np.random.default_rng(1)
    labels = [code for code in ("ca", "fr", "zh") for _ in range(100)]
    topics = [str(i // 2) for i in range(100)] * 3
    centres = {"ca": [5, 0], "fr": [0, 5], "zh": [-5, -5]}
    told = np.array([centres[code] for code in labels]) + rng.normal(size=(300, 2))
    assert probed(told, labels, topics).mean() > 0.98
    chance = probed(rng.normal(size=(300, 5)), labels, topics).sum()
    low, high = binom.interval(0.999, 300, 1 / 3)
    assert low <= chance <= high


def test_it_cannot_learn_the_variety_by_the_topic() -> None:
    """Each topic has one variety and a vector of its own: by heart all are known, from other topics none."""
    rng = np.random.default_rng(2)
    topics = [str(i // 4) for i in range(400)]
    own = rng.normal(size=(100, 30)) * 10
    labels = [str(x) for x in rng.permutation(["ca", "fr"] * 50)[np.arange(400) // 4]]
    vectors = own[np.arange(400) // 4] + 0.01 * rng.normal(size=(400, 30))
    right = probed(vectors, labels, topics)
    by_topic = right.reshape(100, 4).mean(axis=1)
    low, high = binom.interval(0.999, 100, 0.5)
    assert low <= by_topic.sum() <= high


@pytest.mark.parametrize(
    ("labels", "topics", "words"),
    [
        (["ca"] * 10, [str(i) for i in range(10)], "two varieties at least"),
        (["ca", "fr"] * 5, ["a", "b"] * 5, "2 topics cannot be parted into 5 folds"),
        (["ca", "fr"], ["a"], "10 vectors, 2 labels and 1 topics"),
    ],
)
def test_what_cannot_be_probed_is_refused(labels: list[str], topics: list[str], words: str) -> None:
    with pytest.raises(LswError, match=words):
        probed(np.random.default_rng(1).normal(size=(10, 2)), labels, topics)
