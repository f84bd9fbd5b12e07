"""Rows of two models, from vectors whose likeness is known."""

import numpy as np
import pytest
from scipy.stats import bootstrap, ortho_group

from workbench.inspection.side_by_side import Layered, Parallel, Row, SideBySide

CODES, N, D = ("ca", "fr", "en"), 60, 5
TOPICS = [str(i // 2) for i in range(N)]


def parallel(codes: tuple[str, ...] = CODES) -> Parallel:
    return Parallel("queries", TOPICS, {code: [""] * N for code in codes})


def vectors(seed: int, layers: int = 1) -> Layered:
    """Wordings of the same texts, at each layer and the output: what they share, and half as much noise."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(layers + 1, N, D))
    return {code: list((shared + 0.5 * rng.normal(size=shared.shape)).astype(np.float32)) for code in CODES}


def rows(first: Layered, second: Layered) -> list[Row]:
    return SideBySide(("A", "B"), (first, second), parallel(), 0.95, 42, 5).rows()


def one(found: list[Row], aspect: str, **about: object) -> Row:
    [row] = [row for row in found if row.aspect == aspect and all(getattr(row, k) == v for k, v in about.items())]
    return row


def test_what_is_rotated_is_the_same_in_every_way() -> None:
    turn = ortho_group.rvs(D, random_state=1)
    first = vectors(1)
    found = rows(first, {code: [(2 * v @ turn).astype(np.float32) for v in own] for code, own in first.items()})
    both = [row for row in found if row.model_b == "B"]
    assert {row.variety for row in both if row.aspect == "cka"} == set(CODES)
    for row in both:
        if row.aspect == "probe":  # a penalty on weights minds the scale a little
            assert abs(row.value or 0) < 0.1
        else:
            assert row.value == pytest.approx(1 if row.aspect == "cka" else 0, abs=1e-5), row
        assert (row.n, row.n_groups, row.why_not) == (N, N // 2, None)
    partners = {(row.variety, row.against) for row in found if row.aspect == "alignment"}
    assert partners == {("ca", "fr"), ("fr", "en")}  # English itself is held against nothing


def test_differences_are_of_the_second_less_the_first() -> None:
    first, second = vectors(1), vectors(2)
    second["ca"] = second["fr"]  # wordings that are the same
    found = rows(first, second)
    about = {"layer": 0, "variety": "ca", "against": "fr"}
    a, b, both = (
        one(found, "translation", model_a=x, model_b=y, **about) for x, y in (("A", None), ("B", None), ("A", "B"))
    )
    assert b.value == 1 and 0 < (a.value or 0) < 1
    assert both.value == pytest.approx(1 - (a.value or 0))


def test_intervals_are_of_topics() -> None:
    """Both texts of a topic are alike, so that a bootstrap of texts would make the interval too narrow by a third."""
    twice = {code: [vectors[N // 2 :].repeat(2, axis=0) for vectors in own] for code, own in vectors(1).items()}
    found = rows(twice, vectors(2))
    margin = one(found, "alignment", layer=0, variety="ca", model_a="A", model_b=None)
    x, y = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (twice["ca"][0], twice["fr"][0]))
    cosines = (x @ y.T)[::2, ::2]  # one text a topic
    others = (cosines.sum(axis=1) - np.diag(cosines)) / (N // 2 - 1)
    reference = bootstrap((np.diag(cosines) - others,), np.mean, method="percentile", rng=1, n_resamples=9999)
    low, high = reference.confidence_interval
    assert margin.ci_low == pytest.approx(low, abs=0.1 * (high - low))
    assert margin.ci_high == pytest.approx(high, abs=0.1 * (high - low))


def test_what_one_model_lacks_is_a_row_that_says_so() -> None:
    found = rows(vectors(1, layers=1), vectors(2, layers=2))
    assert one(found, "cka", layer=1, model_b="B", variety="ca").why_not == "A has no layer 1"
    assert one(found, "probe", layer=1, variety=None).model_a == "B"
    assert not [row for row in found if row.layer == 1 and row.model_b and row.aspect != "cka"]
    assert one(found, "cka", module="output", model_b="B", variety="ca").value is not None  # both have one


def test_a_dimension_that_says_nothing_is_left_out_and_counted() -> None:
    first, second = vectors(1), vectors(2)
    with_constant = {
        code: [np.concatenate([own[0], np.full((N, 1), 7, np.float32)], 1), own[1]] for code, own in first.items()
    }
    sides = SideBySide(("A", "B"), (with_constant, second), parallel(), 0.95, 42, 5)
    found = sides.rows()
    assert sides.constant == {("A", 0): 1}
    about = {"layer": 0, "model_b": "B", "variety": "ca"}
    assert one(found, "cka", **about).value == pytest.approx(one(rows(first, second), "cka", **about).value)


def test_a_topic_alone_has_no_interval_and_says_what_it_lacks() -> None:
    sides = SideBySide(
        ("A", "B"), (vectors(1), vectors(2)), Parallel("queries", ["t"] * N, parallel().texts), 0.95, 4, 5
    )
    why = {row.why_not for row in sides.rows()} - {None}
    assert any("one topic have no others" in reason for reason in why if reason)
    assert any("1 topics cannot be parted" in reason for reason in why if reason)
