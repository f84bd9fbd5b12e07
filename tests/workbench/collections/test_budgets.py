"""Parts of parallel data: nested, of the size that is asked for, and a share of them wrong."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import LswError
from workbench.collections.budgets import cost, hashed, noisy, part, taken

WORDS = st.lists(st.sampled_from(["gat", "gos", "casa vella", "猫", "mar"]), min_size=1, max_size=4).map(" ".join)
PAIRS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=30)
TABLE = pa.table(
    {"id": [f"q{i}" for i in range(40)], "source": [f"deux mots{i}" for i in range(40)],
     "target": [f"tres mots més{i}" for i in range(40)]}
)  # fmt: skip


def test_a_pair_costs_the_words_of_both_sides() -> None:
    assert cost(("l'eau chaude", "aigua calenta")) == 5
    assert cost(("热水 hot", "hot water")) == 5  # each Han character is one


@settings(max_examples=40)
@given(PAIRS, st.integers(0, 9), st.data())
def test_more_hold_the_fewer(pairs: list[tuple[str, str]], seed: int, data: st.DataObject) -> None:
    order = hashed(map(str, range(len(pairs))), seed)
    assert sorted(order) == list(range(len(pairs)))
    few, many = sorted((data.draw(st.integers(1, len(pairs))), data.draw(st.integers(1, len(pairs)))))
    assert set(taken(pairs, order, few, None, "pairs")) <= set(taken(pairs, order, many, None, "pairs"))
    assert len(taken(pairs, order, few, None, "pairs")) == few
    whole, first = sum(map(cost, pairs)), cost(pairs[order[0]])
    less, more = sorted((data.draw(st.integers(first, whole)), data.draw(st.integers(first, whole))))
    some, others = (set(taken(pairs, order, None, words, "pairs")) for words in (less, more))
    assert some <= others
    assert sum(cost(pairs[i]) for i in some) <= less
    left = [i for i in order if i not in some]  # the next one would be too dear
    assert not left or sum(cost(pairs[i]) for i in some) + cost(pairs[left[0]]) > less


@settings(max_examples=40)
@given(st.lists(st.integers(0, 12), min_size=2, max_size=40), st.floats(0, 1), st.floats(0, 1), st.integers(0, 9))
def test_a_share_is_wrong_and_more_noise_holds_the_less(words: list[int], a: float, b: float, seed: int) -> None:
    pairs = [(f"mot{n}", f"paraula{n}") for n in (*words, 98, 99)]  # so that there is always another
    names = [f"{i}" for i in range(len(pairs))]
    less, more = sorted((a, b))
    changed = []
    for share in (less, more):
        targets, count = noisy(pairs, names, share, seed)
        changed.append({i for i, (target, pair) in enumerate(zip(targets, pairs, strict=True)) if target != pair[1]})
        assert len(changed[-1]) == count == round(share * len(pairs))
        assert {*targets} <= {target for _, target in pairs}
    assert changed[0] <= changed[1]


def test_noise_stays_in_its_group_and_is_wrong_for_every_translation() -> None:
    pairs = [("a", "A"), ("a", "Ah"), ("b", "B"), ("c", "丙"), ("d", "丁")]
    for seed in range(20):
        targets, _ = noisy(pairs, list("vwxyz"), 1.0, seed, ["ca", "ca", "ca", "zh", "zh"])
        assert targets[:2] == ["B", "B"] and targets[2] in ("A", "Ah") and targets[3:] == ["丁", "丙"]
    with pytest.raises(LswError, match="No wrong translation of 'a' can be drawn"):
        noisy([("a", "A"), ("a", "Ah")], list("vw"), 1.0, 1)


def test_a_part_of_a_bitext_is_counted() -> None:
    whole, counts = part(TABLE, None, None, 0.0, 42)
    assert whole == TABLE and counts == {"pairs": 40}
    few, counts = part(TABLE, 10, None, 0.3, 42)
    assert counts == {"pairs": 10, "words": 50, "noisy": 3}
    right = dict(zip(*(TABLE[name].to_pylist() for name in ("source", "target")), strict=True))
    assert sum(row["target"] != right[row["source"]] for row in few.to_pylist()) == 3
    assert part(TABLE, None, 52, 0.0, 42) == (part(TABLE, 10, None, 0.0, 42)[0], {"pairs": 10, "words": 50})


@pytest.mark.parametrize(
    ("most", "words", "said"),
    [(41, None, "There are 40 parallel texts, and 41 are asked for"), (None, 201, "have 200 words, and 201 are"),
     (None, 4, "None of the parallel texts has only 4 words")],
)  # fmt: skip
def test_less_than_is_asked_for_is_refused(most: int | None, words: int | None, said: str) -> None:
    with pytest.raises(LswError, match=said):
        part(TABLE, most, words, 0.0, 42)
