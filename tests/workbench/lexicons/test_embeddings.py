"""Nearest words by CSLS and by dot product, against every pair compared one by one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from workbench.lexicons.base import Material
from workbench.lexicons.embeddings import Embeddings, nearest_words, read_vectors


def csls(x: np.ndarray, y: np.ndarray, ours: np.ndarray, theirs: np.ndarray, k: int) -> float:
    """Conneau et al. 2018, equation 3, of one pair."""

    def cos(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

    of_x = sorted((cos(x, t) for t in theirs), reverse=True)[:k]
    of_y = sorted((cos(y, s) for s in ours), reverse=True)[:k]
    return 2 * cos(x, y) - float(np.mean(of_x)) - float(np.mean(of_y))


@given(st.integers(0, 10_000), st.integers(1, 14), st.integers(1, 12), st.integers(1, 12))
def test_csls_is_that_of_every_pair(seed: int, k: int, here: int, there: int) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = (rng.normal(size=(n, 4)).astype(np.float32) for n in (here, there))
    near, scores = nearest_words(ours, theirs, k)
    expected = np.array([[csls(x, y, ours, theirs, k) for y in theirs] for x in ours])
    assert scores == pytest.approx(expected.max(axis=1), abs=1e-5)
    assert expected[np.arange(here), near] == pytest.approx(expected.max(axis=1), abs=1e-5)


def test_without_csls_it_is_the_largest_dot_product_and_with_it_no_word_is_near_to_all() -> None:
    """A hub: long, in the middle of all. The dot product takes it for each word; CSLS for none."""
    rng = np.random.default_rng(5)
    ours = rng.normal(size=(30, 8)).astype(np.float32)
    ours += 2
    theirs = np.concatenate([ours, 3 * ours.mean(axis=0, keepdims=True)]).astype(np.float32)
    near, scores = nearest_words(ours, theirs, 0)
    assert (near == 30).all() and scores == pytest.approx((ours @ theirs.T).max(axis=1), rel=1e-5)
    assert (nearest_words(ours, theirs, 10)[0] == np.arange(30)).all()


def vectors(path: Path, words: list[str], rows: np.ndarray) -> str:
    lines = [
        f"{len(words)} {rows.shape[1]}",
        *(f"{w} {' '.join(map(str, r))}" for w, r in zip(words, rows, strict=True)),
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def test_a_lexicon_of_aligned_vectors(tmp_path: Path) -> None:
    rows = np.eye(3)
    files = {
        "fr": vectors(tmp_path / "fr.vec", ["eau", "Maison", "."], rows),
        "ca": vectors(tmp_path / "ca.vec", ["casa", "aigua", "pa"], rows[[1, 0, 2]]),
    }
    part = Embeddings(lexicon="embeddings", vectors=files, csls=False)
    places = {what: Path(at) for what, at in part.places("fr", "ca").items()}
    entries, summary = part.entries(Material("fr", "ca", places))
    assert [entry[:2] for entry in entries] == [("eau", "aigua"), ("maison", "casa")]
    assert summary == {"words": 3, "target_words": 3}
    assert "fr.vec" not in str(part.key())
    with pytest.raises(LswError, match="No word vectors of 'oc'"):
        part.places("fr", "oc")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("eau 1 0\n", 1, "no file of word vectors"),
        ("2 3\neau 1 0 0\nmaison 1 0\n", 3, "2 numbers; 3 expected"),
        ("1 2\neau 1 x\n", 2, "Not all of these are numbers"),
        ("1 2\neau 1 nan\n", None, "not finite"),
        ("0 2\n", None, "no words"),
    ],
)
def test_files_that_are_no_vectors(text: str, line: int | None, problem: str, tmp_path: Path) -> None:
    (tmp_path / "x.vec").write_text(text, "utf-8")
    with pytest.raises(LswError, match=problem) as fault:
        read_vectors(tmp_path / "x.vec", 10)
    assert line is None or f"line {line}" in fault.value.detail


def test_only_the_first_words_are_read(tmp_path: Path) -> None:
    at = vectors(tmp_path / "x.vec", list("abcde"), np.arange(10).reshape(5, 2))
    words, rows = read_vectors(Path(at), 2)
    assert words == ["a", "b"] and rows.tolist() == [[0, 1], [2, 3]]
