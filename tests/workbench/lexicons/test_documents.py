"""Words of parallel passages, against the whole matrix decomposed and words that are planted."""

import random

import numpy as np
import pytest

from store import LswError
from workbench.collections.folder import MINI, Folder
from workbench.lexicons.base import Material
from workbench.lexicons.documents import Documents, mutual, reduced, weighted


def planted(seed: int, passages: int = 60, words: int = 40) -> tuple[dict[str, str], dict[str, str]]:
    """Passages whose translation has each word backwards, in another order."""
    rng = random.Random(seed)
    vocabulary = [f"w{i:02}x" for i in range(words)]
    here = {f"d{i}": rng.sample(vocabulary, 8) for i in range(passages)}
    there = {docno: [word[::-1] for word in rng.sample(text, len(text))] for docno, text in here.items()}
    return {d: " ".join(t) for d, t in here.items()}, {d: " ".join(t) for d, t in there.items()}


def test_words_that_stand_in_the_same_passages_are_found() -> None:
    entries, summary = Documents(lexicon="documents", dimensions=30).entries(Material("fr", "it", passages=planted(3)))
    assert len(entries) == summary["words"] == 40
    assert all(target == source[::-1] for source, target, _ in entries)


def test_the_sparse_decomposition_is_the_dense_one() -> None:
    here, there = planted(7)
    (_, left), (_, right) = (weighted([text.split() for text in side.values()], 2) for side in (here, there))
    ours = np.concatenate(reduced(left, right, 12))
    u, s, _ = np.linalg.svd(np.concatenate([left.toarray(), right.toarray()]), full_matrices=False)
    theirs = u[:, :12] * s[:12]
    assert ours @ ours.T == pytest.approx(theirs @ theirs.T, abs=1e-9)  # signs and order of dimensions are free


def test_weights_are_those_of_the_formula() -> None:
    words, matrix = weighted([["a", "a", "b"], ["b"], ["a", "c"]], 2)
    assert words == ["a", "b"]
    first = np.array([(1 + np.log(2)) * np.log(3 / 2), np.log(3 / 2)])
    assert matrix.toarray()[:, 0] == pytest.approx(first / np.linalg.norm(first))
    assert matrix.toarray()[:, 1] == pytest.approx([0, 1])


def test_nearest_neighbours_are_mutual() -> None:
    left = np.array([[1.0, 0], [0.9, 0.1], [0, 1]])
    right = np.array([[1.0, 0.02], [0, 1]])
    assert [(i, j) for i, j, _ in mutual(left, right)] == [(0, 0), (2, 1)]


def test_the_mini_collection_between_french_and_italian() -> None:
    mini = Folder("mini", MINI)
    train = set(mini.qrels("fr", "train")["docno"].to_pylist())

    def passages(code: str) -> dict[str, str]:
        rows = (row for batch in mini.passages(code) for row in batch.to_pylist())
        return {row["docno"]: row["text"] for row in rows if row["docno"] in train}

    entries, _ = Documents(lexicon="documents").entries(Material("fr", "it", passages=(passages("fr"), passages("it"))))
    known = {source: target for source, target, _ in entries}
    assert (known["bois"], known["bouche"], known["boule"]) == ("legno", "bocca", "palla")


def test_passages_that_are_not_parallel() -> None:
    with pytest.raises(LswError, match="0 training passages are there in both fr and it"):
        Documents(lexicon="documents").entries(Material("fr", "it", passages=({"a": "un"}, {"b": "uno"})))
