"""The index as PISA reads it has the postings that were counted, however few are held at once."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import LswError
from store.passages import Passages, write
from workbench.collections.formats import batched
from workbench.systems import bm25
from workbench.systems._inverted import invert
from workbench.systems._passages import Reading
from workbench.terms import TERMS
from workbench.terms.many import Many

TEXTS = st.lists(st.text("aAbBéßİ猫犬𠮷 ,_\n\x00", max_size=12), min_size=1, max_size=12)


def lists(path: Path, skip: int) -> list[list[int]]:
    """The lists of a file, each after its length."""
    numbers = np.fromfile(path, np.uint32).tolist()[skip:]
    out = []
    while numbers:
        length, *numbers = numbers
        out.append(numbers[:length])
        numbers = numbers[length:]
    return out


def as_counted(out: Path, documents: list[Counter[str]]) -> None:
    """An index without its docnos is what was counted by hand."""
    expected = {
        term: [(i, d[term]) for i, d in enumerate(documents) if term in d]
        for term in sorted({term for d in documents for term in d})
    }
    assert (out / "fwd.terms").read_text("utf-8").split("\n")[:-1] == list(expected)
    docs, freqs = lists(out / "inv.docs", 2), lists(out / "inv.freqs", 0)
    got = [list(zip(*both, strict=True)) for both in zip(docs, freqs, strict=True)]
    assert got == list(expected.values())
    assert lists(out / "inv.sizes", 0) == [[d.total() for d in documents]]
    assert not list(out.glob("part*"))


def one_by_one(documents: list[Counter[str]], together: int) -> Iterator[tuple[list[str], Many]]:
    """Documents, some at a time, their terms backwards."""
    for first in range(0, len(documents), together):
        some = documents[first : first + together]
        pairs = [(term, row) for row, d in enumerate(some) for term in d.elements()][::-1]
        terms, rows = pa.array([t for t, _ in pairs], pa.string()), np.array([r for _, r in pairs], np.int64)
        yield [f"d{first + i}" for i in range(len(some))], Many(terms, rows, len(some))


@settings(deadline=None, max_examples=40)
@given(
    documents=st.lists(st.dictionaries(st.text("abé猫𠮷", min_size=1, max_size=3), st.integers(1, 9), max_size=6)),
    held=st.integers(1, 12),
    together=st.integers(1, 4),
)
def test_postings_are_those_that_were_counted(documents: list[dict[str, int]], held: int, together: int) -> None:
    counted = [Counter(d) for d in documents]
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        made = invert(one_by_one(counted, together), out, held)
        assert made == sum(map(len, documents))
        assert (out / "fwd.documents").read_text("utf-8").split() == [f"d{i}" for i in range(len(documents))]
        if made:
            as_counted(out, counted)
        else:
            assert not (out / "pt_meta.json").exists()


def test_long_terms_count_as_many(tmp_path: Path) -> None:
    """A few long ones fill what is held, and ranges of them too."""
    documents = [Counter({f"{i % 7}{'x' * 500}": 1, "y": 2}) for i in range(60)]
    assert invert(one_by_one(documents, 1), tmp_path, 64) == 120
    as_counted(tmp_path, documents)


def test_a_part_that_cannot_be_written_stops_the_work(tmp_path: Path) -> None:
    """It is made beside the rest; its error is not lost there."""
    (tmp_path / "part-0.terms").mkdir()
    with pytest.raises(OSError, match=r"part-0\.terms"):
        invert(one_by_one([Counter("ab")] * 9, 1), tmp_path, 4)
    assert not (tmp_path / "pt_meta.json").exists()


@settings(deadline=None, max_examples=30)
@given(texts=TEXTS, terms=st.sampled_from(sorted(TERMS)), code=st.sampled_from(["fr", "zh"]))
def test_bm25_indexes_each_term_of_each_text(texts: list[str], terms: str, code: str) -> None:
    counted = [Counter(TERMS[terms](text, code)) for text in texts]
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "index"
        write(Path(name) / "p", batched((f"d{i}", text) for i, text in enumerate(texts)))
        reading, told = Reading(Passages(Path(name) / "p"), code, "as written"), []
        if not any(counted):
            with pytest.raises(LswError, match="No passage has a term"):
                bm25.index(reading, out, lambda done, total: None, terms=terms)
            return
        bm25.index(reading, out, lambda done, total: told.append((done, total)), terms=terms)
        assert told == [(len(texts), len(texts))]
        queries = pa.table({"qid": [str(i) for i in range(len(texts))], "query": texts})
        found = bm25.retrieve(out, queries, code, len(texts), terms=terms)
        # A text finds those, and only those, that share a term with it.
        expected = {(str(q), f"d{i}") for q, a in enumerate(counted) for i, b in enumerate(counted) if a.keys() & b}
        assert set(zip(found["qid"].to_pylist(), found["docno"].to_pylist(), strict=True)) == expected
