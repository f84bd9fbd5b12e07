"""The index as PISA reads it has the postings that were counted, however few are held at once."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.systems._inverted import invert

counts = st.dictionaries(st.text("abé猫", min_size=1, max_size=3), st.integers(1, 9), max_size=6)


def lists(path: Path, skip: int) -> list[list[int]]:
    """The lists of a file, each after its length."""
    numbers = np.fromfile(path, np.uint32).tolist()[skip:]
    out = []
    while numbers:
        length, *numbers = numbers
        out.append(numbers[:length])
        numbers = numbers[length:]
    return out


@given(documents=st.lists(counts, min_size=1, max_size=12), held=st.integers(1, 12))
def test_postings_are_those_that_were_counted(documents: list[dict[str, int]], held: int) -> None:
    expected = {
        term: [(i, d[term]) for i, d in enumerate(documents) if term in d]
        for term in sorted({term for d in documents for term in d})
    }
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        made = invert(((f"d{i}", d) for i, d in enumerate(documents)), out, held)
        assert made == sum(map(len, expected.values()))
        if not made:
            return
        assert (out / "fwd.terms").read_text("utf-8").split("\n")[:-1] == list(expected)
        assert (out / "fwd.documents").read_text("utf-8").split() == [f"d{i}" for i in range(len(documents))]
        docs, freqs = lists(out / "inv.docs", 2), lists(out / "inv.freqs", 0)
        got = [list(zip(*both, strict=True)) for both in zip(docs, freqs, strict=True)]
        assert got == list(expected.values())
        assert lists(out / "inv.sizes", 0) == [[sum(d.values()) for d in documents]]
        assert not list(out.glob("part.*"))
